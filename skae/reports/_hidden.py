"""Cells that are there, hidden to see what they are filled with."""

import numpy as np

from skae._tables.compared import Columns, column_means
from skae._tables.frames import library_of

_SHARE = 0.1


def hidden_errors(subject):
    """Errors of what an imputer fills hidden cells with.

    Returns
    -------
    relative : ndarray of shape (n_columns,)
        Over the columns' own variance, or the share of wrong levels over that of the
        commonest level alone; NaN where nothing was hidden.
    n_hidden : int
        Cells.
    """
    columns, rng = subject.columns, np.random.default_rng(0)
    hidden = (rng.random(columns.missing.shape) < _SHARE) & ~columns.missing
    # A row keeps something to be filled by.
    hidden[(hidden | columns.missing).all(axis=1)] = False
    filled = subject.model.impute(without(subject.X, hidden))
    found = columns.relative(columns.errors(Columns(filled)))
    found[~hidden] = np.nan
    return column_means(found), int(hidden.sum())


def without(X, hidden):
    """X with cells (n, n_columns) missing, in its own type."""
    library = library_of(X)
    if library == "pandas":
        return X.mask(hidden)
    if library == "polars":
        import polars as pl

        return X.with_columns(
            pl.when(pl.Series(mask)).then(None).otherwise(pl.col(name)).alias(name)
            for name, mask in zip(X.columns, hidden.T, strict=True)
        )
    X = np.array(X, np.float64 if np.asarray(X).dtype.kind in "biu" else None)
    X[hidden] = np.nan
    return X
