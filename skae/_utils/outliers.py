"""Which rows are known to be outliers, as users say it."""

import numpy as np


def known_outliers(y):
    """Whether each row is known to be an outlier.

    Parameters
    ----------
    y : array-like of shape (n_samples,)
        Truth values, 0 and 1, or 1 and -1 as of `predict`, where -1 is an outlier.

    Returns
    -------
    is_outlier : ndarray of shape (n_samples,), bool

    Raises
    ------
    ValueError
        If y has missing or other values, or is 1 throughout.
    """
    import pandas as pd  # needed where y is given alone

    y = np.asarray(y)
    n_missing = int(pd.isna(y).sum())
    if n_missing:
        raise ValueError(
            f"y says nothing of {n_missing} of {len(y)} rows, but whether each is an "
            "outlier was expected: leave out rows of which it is not known."
        )
    is_one, is_zero, is_minus = y == 1, y == 0, y == -1
    is_read = is_one | is_zero | is_minus
    if not is_read.all() or (is_zero.any() and is_minus.any()):
        found = ", ".join(sorted(set(map(repr, y.tolist())))[:5])
        raise ValueError(
            f"y has the values {found}, but whether rows are outliers was expected: "
            "True or 1 if so, or -1 beside 1 as of predict."
        )
    if is_minus.any():
        return is_minus
    is_truth = all(isinstance(value, bool) for value in y.tolist())
    if is_one.all() and not is_truth:
        raise ValueError(
            "y is 1 for all rows, which are outliers if 0 is normal, and normal if -1 "
            "is an outlier, as of predict: pass truth values, such as y == 1 or "
            "y == -1."
        )
    return is_one
