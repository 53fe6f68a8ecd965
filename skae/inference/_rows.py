"""Rows as users pass them, checked without scikit-learn, in its words."""

import numpy as np

from skae._tables.frames import frame_of, is_table, refuse_others
from skae._utils.ranges import check_distance, check_magnitude, has_holes, is_bounded
from skae.inference._threads import one_thread

_RESHAPE = (
    "Reshape your data either using array.reshape(-1, 1) if your data has a single "
    "feature or array.reshape(1, -1) if it contains a single sample."
)


def checked(X, width, scaling, name, names=None, fills=False):
    """Rows as an array of float32 or float64.

    Parameters
    ----------
    X : array-like of shape (n_samples, width)
    width : int
    scaling : object
        With `shift` and `scale`: what rows are shifted by and then divided by.
    name : str
        Of the estimator, for errors.
    names : list of str, default=None
        Of the columns that a table must have.
    fills : bool, default=False
        Whether cells may be missing.

    Returns
    -------
    X : ndarray of shape (n_samples, width)

    Raises
    ------
    TypeError, ValueError
        If X is sparse, holds anything but finite numbers of a sensible size, or has
        another shape or other names than expected.
    """
    if not (type(X) is np.ndarray and X.dtype in (np.float64, np.float32)):
        X = _as_array(X, names, name)
    if X.ndim != 2:
        kind = f"{X.ndim}D" if X.ndim else "scalar"
        raise ValueError(
            f"Expected 2D array, got {kind} array instead:\narray={X}.\n{_RESHAPE}"
        )
    if X.shape[1] != width:
        raise ValueError(
            f"X has {X.shape[1]} features, but {name} is expecting {width} features as "
            "input."
        )
    _check_some(X, name)
    with one_thread:
        has_usual_values = is_bounded(X)
    if not has_usual_values:
        _check_values(X, name, fills)
    check_distance(X, scaling, name)
    return X


def encoded(X, columns, name, names, fills):
    """Rows of a table as its columns encode them.

    Parameters
    ----------
    X : DataFrame or array-like of shape (n_samples, n_columns)
    columns : Columns
    name, names, fills
        As for :func:`checked`.

    Returns
    -------
    X : ndarray of shape (n_samples, width), float64

    Raises
    ------
    TypeError, ValueError
        If X has no rows, or other columns than expected.
    """
    frame = frame_of(X)
    if frame.names is not None and names is not None:
        _check_names(frame.names, names)
    cells = columns.cells(frame)
    _check_some(cells, name)
    if not fills and has_holes(cells):
        raise ValueError(_cannot_fill("X has missing cells, or unknown levels.", name))
    return cells


def _as_array(X, names, name):
    """Other things than arrays of float32 or float64 as such."""
    if hasattr(X, "toarray"):
        raise TypeError(
            "Sparse data was passed for X, but dense data is required. Use "
            "'.toarray()' to convert to a dense numpy array."
        )
    refuse_others(X)
    if hasattr(X, "columns") and names is not None:
        _check_names(list(X.columns), names)
    given, X = X, np.asarray(X)
    if X.dtype == object and is_table(given):
        X = frame_of(given).objects()  # None for all that libraries have for missing
    if X.dtype.kind in "cmM":
        raise ValueError(
            f"X holds {X.dtype}. {name} takes real numbers only: turn dates into days "
            "since a first one, and complex numbers into two columns."
        )
    return np.asarray(X, np.float32 if X.dtype == np.float32 else np.float64)


def _check_names(found, names):
    if found == names:
        return
    said = "The feature names should match those that were passed during fit.\n"
    new, lost = (
        [n for n in a if n not in b] for a, b in ((found, names), (names, found))
    )
    for title, listed in (
        ("unseen at fit time", new),
        ("seen at fit time, yet now missing", lost),
    ):
        if listed:
            said += f"Feature names {title}:\n" + "".join(
                f"- {n}\n" for n in listed[:5]
            )
    if not (new or lost):
        said += "Feature names must be in the same order as they were in fit.\n"
    raise ValueError(said)


def _check_some(X, name):
    if len(X) == 0:
        raise ValueError(
            f"Found array with 0 sample(s) (shape={X.shape}) while a minimum of 1 is "
            f"required by {name}."
        )


def _check_values(X, name, fills):
    if np.isinf(X).any():
        raise ValueError(
            f"Input X contains infinity. {name} takes finite numbers, and NaN where "
            "cells are missing."
        )
    if not fills and np.isnan(X).any():
        raise ValueError(_cannot_fill("Input X contains NaN.", name))
    check_magnitude(X, name)


def _cannot_fill(found, name):
    return (
        f"{found} This {name} cannot fill what is missing: only whole transformers do, "
        "and encoders that were trained with missing cells. Fill them, for example by "
        "the means of their columns, or drop rows."
    )
