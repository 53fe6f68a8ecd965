"""Which columns of a table are categories, as users say it."""

from numbers import Integral

import numpy as np

_EXPECTED = (
    "Expected 'from_dtype', a list of column names or of their positions, a mask of "
    "truth values, or None."
)


def categories(categorical_features, autoencoder):
    """Which columns are categories: as said beside an autoencoder, or else by itself.

    Parameters
    ----------
    categorical_features : "from_dtype", array-like of str, int or bool, or None
        The first leaves it to the autoencoder.
    autoencoder : estimator or None
    """
    if _is_left_open(categorical_features):
        return getattr(autoencoder, "categorical_features", categorical_features)
    return categorical_features


def says_nothing(categorical_features):
    """Whether only a DataFrame's dtypes can make columns categories."""
    return categorical_features is None or _is_left_open(categorical_features)


def chosen(categorical_features, names, n_columns):
    """Which columns are categories.

    Parameters
    ----------
    categorical_features : "from_dtype", array-like of str, int or bool, or None
    names : list or None
        Of the columns.
    n_columns : int

    Returns
    -------
    mask : ndarray of shape (n_columns,), bool, or None
        None where each column's dtype says it.

    Raises
    ------
    TypeError, ValueError
        If this says nothing about these columns.
    """
    got = f"categorical_features={categorical_features!r}"
    mask = np.zeros(n_columns, bool)
    if categorical_features is None:
        return mask
    if _is_left_open(categorical_features):
        return None
    if isinstance(categorical_features, str):
        raise ValueError(f"{got} is no choice of columns. {_EXPECTED}")
    try:
        listed = list(categorical_features)
    except TypeError as error:
        raise TypeError(f"{got} is no choice of columns. {_EXPECTED}") from error
    if not listed:
        return mask
    if all(isinstance(value, bool | np.bool_) for value in listed):
        if len(listed) != n_columns:
            raise ValueError(
                f"categorical_features is a mask of {len(listed)} columns, but X has "
                f"{n_columns}."
            )
        return np.array(listed, bool)
    if all(isinstance(v, Integral) and not isinstance(v, bool) for v in listed):
        places = np.array(listed)
        beyond = [int(i) for i in places if not 0 <= i < n_columns]
        if beyond:
            raise ValueError(
                f"categorical_features has the positions {beyond}, but those of X's "
                f"columns are 0 to {n_columns - 1}."
            )
        mask[places] = True
        return mask
    if all(isinstance(value, str) for value in listed):
        if names is None:
            raise ValueError(
                f"{got} names columns, but X has no names: pass a DataFrame, or "
                "positions of columns."
            )
        unknown = [name for name in dict.fromkeys(listed) if name not in names]
        if unknown:
            raise ValueError(
                f"categorical_features names {unknown}, which X does not have. Its "
                f"columns are {shortened(names)}."
            )
        return np.array([name in set(listed) for name in names], bool)
    raise TypeError(f"{got} is no choice of columns. {_EXPECTED}")


def _is_left_open(categorical_features):
    is_text = isinstance(categorical_features, str)
    return is_text and categorical_features == "from_dtype"


def shortened(names, most=10):
    """The first of many names, for messages."""
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return f"{names[:most]}{more}"
