"""Holes in tables, filled."""

import numpy as np

from skae._tables.frame import Filling
from skae._tables.frames import frame_class, frame_of
from skae._tables.reading import checked
from skae._tables.values import Numbers


def fill(X, rows, columns=None, in_units=False):
    """X, with missing cells from rows as networks have them and all others as they are.

    Parameters
    ----------
    X : DataFrame or array-like of shape (n_samples, n_columns)
    rows : ndarray of shape (n_samples, width)
        What missing cells are to be, as `Columns.restore` takes it; of numbers alone,
        in the units of the data. They are rounded, where X's dtype is one of integers.
    columns : Columns, default=None
        Of a table with categories or dates.
    in_units : bool, default=False
        Whether numbers of such a table are in the units of their columns.

    Returns
    -------
    filled : DataFrame or ndarray of shape (n_samples, n_columns)
        A copy of X's own type, with its index and its dtypes. A column without any
        value has the dtype that was fitted, where X's can't hold it; and an array is
        one of objects then.

    Examples
    --------
    >>> import numpy as np
    >>> fill([[1.0, np.nan], [3.0, 4.0]], np.full((2, 2), 7.5))
    array([[1. , 7.5],
           [3. , 4. ]])
    """
    rows = np.asarray(rows)
    frame = frame_of(X) if columns is None else columns.frame(X)
    parts = {}
    for j in range(frame.shape[1]):
        mask = checked(frame, j, frame.read(j)).missing
        if not mask.any():
            continue
        if columns is None:
            values = Numbers(rows[mask, j], np.zeros(int(mask.sum()), bool))
        else:
            values = columns.decoded(j, rows[mask], in_units)
        dtype = columns.dtypes[j] if columns is not None else _of_numbers(frame, j)
        is_whole = mask.all() and not frame.fits(j, values)
        if is_whole and (columns is None or columns.library != frame.library):
            dtype = frame.natural(values)
        parts[j] = Filling(mask, values, dtype, is_whole)
    return frame.filled(parts)


def _of_numbers(frame, j):
    """What numbers are like among objects, if nothing was fitted that says it.

    Floats, also beside integers: others in the batch must not make them these.
    """
    held = "decimal" if frame.holds(j) == "decimal" else "number"
    return {"name": "object", "held": held}


def imputed(X, rows, columns, has_values, keep_empty_features, names):
    """The same as imputers return it, with or without columns that were empty.

    Parameters
    ----------
    X, rows, columns
        As for :func:`fill`.
    has_values : ndarray of shape (n_columns,), bool
        Whether columns had any value in `fit`.
    keep_empty_features : bool
        Whether others stay: of numbers alone, with zeros where cells are missing.
    names : list of str
        Of the columns that are left, as the imputer has them.

    Returns
    -------
    imputed : DataFrame or ndarray of shape (n_samples, n_kept)
    """
    filled = fill(X, rows, columns)
    return without_empty(X, filled, columns, has_values, keep_empty_features, names)


def without_empty(X, filled, columns, has_values, keep_empty_features, names):
    """The same of a table (n_samples, n_columns) that was filled already, of X."""
    frame = frame_of(filled)
    if keep_empty_features and columns is None:
        given, parts = frame_of(X), {}
        for j in np.flatnonzero(~has_values):
            mask = given.read(j).missing
            zeros = Numbers(np.zeros(mask.sum()), np.zeros(mask.sum(), bool))
            parts[j] = Filling(mask, zeros, _of_numbers(frame, j))
        filled = frame.filled(parts)
    elif not (keep_empty_features or has_values.all()):
        filled = frame.columns(np.flatnonzero(has_values))
    own = frame_of(filled).names or []
    # Of an imputer of arrays no names are known, and to tools these are wrong ones.
    if own != names and own and all(isinstance(name, str) for name in own):
        filled.columns = names
    return filled


def in_library(X, library):
    """A DataFrame as one of another library, with numbered columns.

    Values are kept, and dtypes are those that these have by themselves.

    Parameters
    ----------
    X : DataFrame or ndarray
        Arrays stay.
    library : {"pandas", "polars", "default"}
        The last is X's own.
    """
    frame = frame_of(X)
    if frame.library == "array" or library in ("default", frame.library):
        return X
    made, numbers = frame_class(library), range(frame.shape[1])
    values = [checked(frame, j, frame.read(j)) for j in numbers]
    names = [f"x{j}" for j in numbers]
    return made.build(names, list(map(made.natural, values)), values)
