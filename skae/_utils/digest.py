"""What tells rows from others."""

import hashlib

import numpy as np
from scipy.sparse import issparse

from skae._utils.sparse import dense


def digest_of(parts):
    """A text that tells rows from others, of which parts are given in order.

    Parameters
    ----------
    parts : iterable of ndarrays or CSR matrices of shape (m, d)
    """
    digest = hashlib.sha256()
    for part in parts:
        is_sparse = issparse(part)
        arrays = (part.data, part.indices, part.indptr) if is_sparse else (part,)
        for array in arrays:
            digest.update(f"{array.dtype.str}{array.shape}".encode())
            digest.update(np.ascontiguousarray(array))
    return f"digest {digest.hexdigest()}"


def sum_of_rows(parts):
    """A number of rows that does not depend on their order: the sum of theirs."""
    total = np.uint64(0)
    for part in parts:
        cells = np.ascontiguousarray(dense(part), np.float64).view(np.uint64)
        # Odd factors, different for each column; overflow is wanted.
        factors = np.arange(1, 2 * cells.shape[1], 2, dtype=np.uint64)
        factors *= np.uint64(0x9E3779B97F4A7C15)
        rows = ((cells ^ (cells >> np.uint64(29))) * factors).sum(1, dtype=np.uint64)
        rows ^= rows >> np.uint64(32)
        rows *= np.uint64(0xBF58476D1CE4E5B9)
        rows ^= rows >> np.uint64(29)
        total += rows.sum(dtype=np.uint64)
    return int(total)
