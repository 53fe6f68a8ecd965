"""Which classes files may hold, and what of their objects is stored."""

from collections.abc import Callable
from typing import NamedTuple


class Stored(NamedTuple):
    """What a file holds of a class's objects.

    Attributes
    ----------
    cls : type
    fields : dict of str to callable
        Attributes beside the parameters, with checks that say whether a value is
        possible.
    below : dict of str to str
        What stands before the names of parameters of objects in a field or parameter:
        of a parameter ``"name__"`` unless it is here, of another field nothing.
    """

    cls: type
    fields: dict[str, Callable]
    below: dict[str, str]


# The only classes that are ever made of what is read, by their names in files.
TABLE: dict[str, Stored] = {}


def stored(below=(), **fields):
    """Decorator of classes whose objects files may hold.

    What is stored is what pickle would take. Objects with `get_params` are made by
    their constructor; others by their state alone.

    Parameters
    ----------
    below : dict of str to str, default=()
        See :class:`Stored`.
    **fields : callables
        A check for each attribute; those of base classes are taken over. A class may
        also have a method ``_check_restored``, which raises ValueError for attributes
        that don't fit together.
    """

    def decorated(cls):
        entry = Stored(cls, dict(fields), dict(below))
        for base in filter(is_stored, cls.__mro__[1:]):
            inherited = TABLE[base.__name__]
            entry = Stored(
                cls, inherited.fields | entry.fields, inherited.below | entry.below
            )
        if TABLE.setdefault(cls.__name__, entry).cls is not cls:
            raise TypeError(f"There are two classes {cls.__name__}, one name in files.")
        return cls

    return decorated


def is_stored(cls):
    """Whether files may hold objects of a class, which is itself in the table."""
    entry = TABLE.get(cls.__name__)
    return entry is not None and entry.cls is cls
