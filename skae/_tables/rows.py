"""Some rows of many, what is given for each of them, and names of their columns."""

import numpy as np
from scipy.sparse import issparse

from skae._tables.frames import frame_of, is_table


def sampled(n_rows, most):
    """Numbers of at most so many rows, random ones but always the same, in order."""
    if n_rows <= most:
        return np.arange(n_rows)
    chosen = np.random.default_rng(0).choice(n_rows, most, replace=False)
    return np.sort(chosen)


def check_one_for_each(name, values, n_rows):
    """Raise ValueError where there is not one value for each row."""
    if np.shape(values) != (n_rows,):
        raise ValueError(
            f"{name} has shape {np.shape(values)}, but one value for each of the "
            f"{n_rows} rows of X was expected, shape ({n_rows},)."
        )


def taken(X, rows):
    """Some rows of X by number, in its own type."""
    if issparse(X):
        return X.tocsr()[rows]
    if np.ndim(X) == 1:  # one sensor, or texts
        return X.iloc[rows] if hasattr(X, "iloc") else X[rows]
    return frame_of(X).rows(rows)


def names_of(X, names=None):
    """Names of the columns of X, or those given; None where there are none."""
    if names is not None:
        return [str(name) for name in names]
    return [str(name) for name in X.columns] if is_table(X) else None
