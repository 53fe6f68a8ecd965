"""Checks of single values that were read from a file."""

import math
from collections.abc import Callable
from numbers import Integral
from typing import NamedTuple

import numpy as np


class not_required(NamedTuple):
    """A check of an attribute that an object need not have."""

    check: Callable

    def __call__(self, value):
        return self.check(value)


def anything(value):
    return True


def text(value):
    return isinstance(value, str)


def boolean(value):
    return isinstance(value, bool)


def number(value):
    """A finite number, no integer: these may be too large to be computed with."""
    return isinstance(value, float) and math.isfinite(value)


def count(value):
    return isinstance(value, Integral) and not boolean(value) and 0 <= value < 2**53


def positive(value):
    return number(value) and value > 0


def optional(check):
    return lambda value: value is None or check(value)


def list_of(check):
    return lambda value: isinstance(value, list) and all(map(check, value))


def tuple_of(check):
    return lambda value: isinstance(value, tuple) and all(map(check, value))


def dict_of(check):
    """A dict with names of text."""

    def checked(value):
        return isinstance(value, dict) and all(
            text(name) and check(part) for name, part in value.items()
        )

    return checked


def array(kind, ndim, finite=True):
    """An array.

    Parameters
    ----------
    kind : str
        Of numpy: "f", "i", "u", "b".
    ndim : int or None
        None is any.
    finite : bool, default=True
        Whether no values may be missing or infinite.
    """

    def checked(value):
        if not isinstance(value, np.ndarray) or value.dtype.kind not in kind:
            return False
        if ndim not in (None, value.ndim):
            return False
        return not finite or bool(np.isfinite(value).all())

    return checked


def partly_known(value):
    """A row of numbers, of which some may be missing."""
    return array("f", 1, finite=False)(value) and bool(np.isfinite(value).any())


def names(value):
    """An array of texts."""
    is_array = isinstance(value, np.ndarray) and value.dtype == object
    return is_array and value.ndim == 1 and all(map(text, value))


def instance(*classes):
    return lambda value: isinstance(value, classes)


def fitted(*classes):
    """A fitted estimator of one of the classes."""
    return lambda value: isinstance(value, classes) and hasattr(value, "n_features_in_")


# What files hold of rows and of the form that results are wanted in.
OF_ROWS = {
    "n_features_in_": count,
    "feature_names_in_": not_required(names),
    "_sklearn_output_config": not_required(dict_of(text)),
}


def check_names(estimator):
    """Raise ValueError for an estimator with other names than it has features."""
    labels = getattr(estimator, "feature_names_in_", None)
    if labels is not None and len(labels) != estimator.n_features_in_:
        raise ValueError("Its names are not those of its features.")
