"""Rows of sparse matrices, which become dense where they are computed with."""

from scipy.sparse import issparse


def dense(X):
    """Rows, or some of a sparse matrix, as an array."""
    return X.toarray() if issparse(X) else X


def canonical(X):
    """A CSR matrix without any cell stored twice; a copy, where there were such."""
    if X.has_canonical_format:
        return X
    X = X.copy()
    X.sum_duplicates()
    return X


def refuse_sparse(X):
    """Raise for a sparse matrix where a table, or missing cells, are read."""
    if issparse(X):
        raise TypeError(
            "X is sparse, but a table or a dense array was expected: use X.toarray()."
        )
