"""Which classes files may hold, and what of their objects is stored."""

from collections.abc import Callable
from inspect import signature
from typing import NamedTuple

# What scikit-learn keeps in an estimator that has callbacks.
OF_CALLBACKS = (
    "_skl_callbacks",
    "_skl_callbacks_to_teardown",
    "_callback_fit_ctx",
    "_parent_callback_ctx",
)


class Stored(NamedTuple):
    """What a file holds of a class's objects.

    Attributes
    ----------
    cls : type
    fields : dict of str to callable
        Attributes beside the parameters, with checks that say whether a value is
        possible.
    prefixes : dict of str to str
        What stands before the names of parameters of objects in a field or parameter:
        of a parameter ``"name__"`` unless it is here, of another field nothing.
    given : dict of str to str
        Fields in which objects of users' own may be, that were in a parameter of this
        name.
    parameters : tuple of str
        Of the constructor, by which objects are made, and which they keep under the
        same names; of classes that are made by their state alone there are none.
    """

    cls: type
    fields: dict[str, Callable]
    prefixes: dict[str, str]
    given: dict[str, str]
    parameters: tuple[str, ...]


# The only classes that are ever made of what is read, by their names in files.
TABLE: dict[str, Stored] = {}
_BASES: dict[type, Stored] = {}


def stored(prefixes=(), given=(), *, has_parameters=None, **fields):
    """Decorator of classes whose objects files may hold.

    What is stored is what pickle would take.

    Parameters
    ----------
    prefixes, given : dict of str to str, default=()
        See :class:`Stored`.
    has_parameters : bool, default=None
        Whether objects are made by their constructor. None is True for what has
        `get_params`.
    **fields : callables
        A check for each attribute; those of base classes are taken over. A class may
        also have a method ``_check_loaded``, which raises ValueError for attributes
        that don't fit together.
    """

    def decorated(cls):
        stored_base(prefixes, given, **fields)(cls)
        entry = _BASES[cls]
        if has_parameters or (has_parameters is None and hasattr(cls, "get_params")):
            entry = entry._replace(parameters=tuple(signature(cls).parameters))
        known = TABLE.setdefault(cls.__name__, entry).cls
        if (known.__module__, known.__qualname__) != (cls.__module__, cls.__qualname__):
            raise TypeError(f"There are two classes {cls.__name__}, one name in files.")
        TABLE[cls.__name__] = entry  # a module may have been loaded anew
        return cls

    return decorated


def stored_base(prefixes=(), given=(), **fields):
    """The same for bases, of which files hold no objects: derived classes have all."""

    def decorated(cls):
        entry = Stored(cls, dict(fields), dict(prefixes), dict(given), ())
        for base in cls.__mro__[1:]:
            if base in _BASES:
                inherited = _BASES[base]
                entry = Stored(
                    cls,
                    inherited.fields | entry.fields,
                    inherited.prefixes | entry.prefixes,
                    inherited.given | entry.given,
                    (),
                )
        _BASES[cls] = entry
        return cls

    return decorated


def is_stored(cls):
    """Whether files may hold objects of a class, which is itself in the table."""
    entry = TABLE.get(cls.__name__)
    return entry is not None and entry.cls is cls


def stored_state(value):
    """What pickle would take of an object, but for scikit-learn's callbacks."""
    state = vars(value)
    if hasattr(value, "__getstate__"):
        state = value.__getstate__() or {}  # None, of Python from 3.11 on, is nothing
    return without_callbacks(state)


def without_callbacks(state):
    """An estimator's state without its callbacks, and what they keep in it."""
    return {name: v for name, v in state.items() if name not in OF_CALLBACKS}


def callbacks_of(state):
    """The callbacks of an estimator's state, and what they keep in it."""
    return {name: v for name, v in state.items() if name in OF_CALLBACKS}
