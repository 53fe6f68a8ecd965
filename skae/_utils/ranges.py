"""The range of values that can be computed with; known without PyTorch too."""

import numpy as np

# The square of a larger float32 number is close to overflowing.
LARGEST = 1e15
_CHUNK_CELLS = 2**18


def is_bounded(X):
    """Whether all of X is certainly finite and not too large, by one quick pass.

    False may also stand for very many large values.
    """
    cells = _cells(X)
    with np.errstate(over="ignore", invalid="ignore"):
        return bool(np.dot(cells, cells) < LARGEST**2)


def has_holes(X):
    """Whether a cell of X is missing, NaN, by one quick pass where none is."""
    return not is_bounded(X) and bool(np.isnan(_cells(X)).any())


def largest_of(X):
    """Largest of the magnitudes in X, whatever is missing; 0.0 if all is."""
    flat = _cells(X)
    if not flat.size:
        return 0.0
    ends = np.fmax.reduce(flat), -np.fmin.reduce(flat)
    return float(np.fmax.reduce((*ends, 0.0)))


def _cells(X):
    """The cells of an array, or those of a sparse matrix that are stored."""
    return X.ravel(order="K") if isinstance(X, np.ndarray) else X.data


def check_magnitude(X, name):
    """Raise for values whose squares would overflow in single precision."""
    if is_bounded(X):
        return
    largest = largest_of(X)
    if largest > LARGEST:
        raise ValueError(
            f"X has values up to {largest:.3g} in magnitude, but {name} takes at the "
            f"most {LARGEST:.0e}. Replace placeholders such as 1e30 by real values "
            "or remove their rows; if the values are real, divide X by a constant."
        )


def check_distance(X, scaling, name):
    """Raise for rows too far from those that were fitted: squares would overflow."""
    # Squares of what is left of a checked magnitude fit into single precision.
    if scaling.scale >= 1e-3:
        return
    limit = LARGEST * scaling.scale
    largest = _farthest(X, scaling.shift, limit)
    if largest > limit:
        raise ValueError(
            f"X lies up to {largest / scaling.scale:.3g} standard deviations of the "
            f"rows that {name} was fitted to away from their mean, but at the most "
            f"{LARGEST:.0e} can be told apart: are the units the same?"
        )


def _farthest(X, shift, limit):
    """Largest magnitude of X less a shift; of sparse rows, only if above a limit."""
    if isinstance(X, np.ndarray):
        return largest_of(X - shift)
    bound = largest_of(X) + largest_of(shift)
    if bound <= limit:
        return bound
    size = max(1, _CHUNK_CELLS // X.shape[1])
    parts = (X[i : i + size].toarray() for i in range(0, X.shape[0], size))
    return max(largest_of(part - shift) for part in parts)
