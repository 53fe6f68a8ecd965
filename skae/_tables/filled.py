"""Holes in tables of numbers, filled."""

import numpy as np

from skae._tables.frames import frame_of
from skae._tables.reading import checked
from skae._tables.values import Numbers


def filled_numbers(X, values):
    """X, with missing cells from an array of numbers and all others as they are.

    Parameters
    ----------
    X : DataFrame or array-like of shape (n_samples, n_features)
        Of numbers.
    values : ndarray of shape (n_samples, n_features)
        What missing cells are to be: rounded, where X's dtype is one of integers.

    Returns
    -------
    filled : DataFrame or ndarray of shape (n_samples, n_features)
        A copy of X's own type, with its dtypes and its index.

    Examples
    --------
    >>> import numpy as np
    >>> filled_numbers([[1.0, np.nan], [3.0, 4.0]], np.full((2, 2), 7.5))
    array([[1. , 7.5],
           [3. , 4. ]])
    """
    frame = frame_of(X)
    values = np.asarray(values)
    parts = {}
    for j in range(frame.shape[1]):
        mask = checked(frame, j, frame.read(j)).missing
        if mask.any():
            part = Numbers(values[mask, j], np.zeros(int(mask.sum()), bool))
            parts[j] = (mask, part, None)
    return frame.filled(parts)
