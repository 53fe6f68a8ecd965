"""The base of losses, penalties, corruptions, code maps and networks."""

import inspect

from sklearn.base import BaseEstimator, clone

from skae._utils.stored import stored

_PACKAGE = __name__.partition(".")[0]


class Part(BaseEstimator):
    """A small object of scalars that an estimator is put together from.

    As an estimator of scikit-learn it has ``clone``, ``repr`` and keys for grid
    searches, such as ``penalty__alpha``. Estimators check the ranges of its
    parameters when they are fitted.
    """

    _parameter_constraints: dict = {}
    # Whether it may be a part of a fitted model, and not only of a training.
    is_lasting = True

    def __init_subclass__(cls, **kwargs):
        super().__init_subclass__(**kwargs)
        if _is_of_package(cls) and not _is_base(cls):
            stored()(cls)

    @property
    def is_known(self):
        """Whether this is of a class of the package itself, not of one derived from it.

        What such a part does is known; what users wrote may do anything.
        """
        return _is_of_package(type(self))

    @property
    def draws(self):
        """Whether random numbers may be drawn past the generator that is handed out.

        They then come from torch's global generator, unless that is held off, which
        takes time.
        """
        return not self.is_known


def _is_of_package(cls):
    return cls.__module__.partition(".")[0] == _PACKAGE


def _is_base(cls):
    """Whether files hold no objects of a class: abstract ones, and users' own."""
    members = (getattr(cls, name, None) for name in dir(cls))
    is_abstract = any(getattr(m, "__isabstractmethod__", False) for m in members)
    return is_abstract or cls.is_known is False or not cls.is_lasting


class FunctionPart(Part):
    """Base of parts that are a user's function, of which nothing is known.

    Parameters
    ----------
    function : callable
    """

    is_known = False

    def __init__(self, function):
        self.function = function

    def __repr__(self):
        return repr(self.function)


def own_copy(part):
    """A part, checked, and copied so that later changes don't reach it.

    Raises
    ------
    TypeError
        If it is a class.
    ValueError
        If one of its parameters is out of range.
    """
    if isinstance(part, type) and issubclass(part, Part):
        raise TypeError(
            f"{part.__name__} was given as a class, but an object was expected, such "
            f"as {part.__name__}()."
        )
    if not isinstance(part, Part):
        return part
    part = clone(part, safe=False)
    part._validate_params()
    return part


def check_takes(function, parameter, names):
    """Raise for a user's function that cannot be called with what it is given.

    Parameters
    ----------
    function : callable
    parameter : str
        Of the estimator, which holds the function.
    names : str
        Of the arguments, such as "X, generator".

    Raises
    ------
    TypeError
    """
    try:
        signature = inspect.signature(function)
    except ValueError:
        return  # functions written in C have none
    try:
        signature.bind(*names.split(", "))
    except TypeError as error:
        raise TypeError(
            f"{parameter}={function!r} cannot be called with ({names}): {error}."
        ) from error
