"""Holes in tables, filled."""

import numpy as np

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
        dtype = None
        if mask.all() and not frame.fits(j, values):
            is_own = columns is not None and columns.library == frame.library
            dtype = columns.dtypes[j] if is_own else frame.natural(values)
        parts[j] = mask, values, dtype
    return frame.filled(parts)


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
    if columns is None:
        rows = np.where(has_values, rows, 0)
    X = fill(X, rows, columns)
    if not (keep_empty_features or has_values.all()):
        X = frame_of(X).columns(np.flatnonzero(has_values))
    own = frame_of(X).names or []
    # Of an imputer of arrays no names are known, and to tools these are wrong ones.
    if own != names and own and all(isinstance(name, str) for name in own):
        X.columns = names
    return X


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
