"""Rows on their way into a network: checked magnitudes, one shift and one scale."""

import numpy as np
import torch

_CHUNK_CELLS = 2**18
# The square of a larger float32 number is close to overflowing.
_LARGEST = 1e15
_ROUNDING = 1e-6


def is_bounded(X):
    """Whether all of X is certainly finite and not too large, by one quick pass.

    False may also stand for very many large values.
    """
    cells = X.ravel(order="K")
    with np.errstate(over="ignore", invalid="ignore"):
        return bool(np.dot(cells, cells) < _LARGEST**2)


def check_magnitude(X, name):
    """Raise for values whose squares would overflow in single precision."""
    if is_bounded(X):
        return
    largest = max(float(X.max()), -float(X.min()))
    if largest > _LARGEST:
        raise ValueError(
            f"X has values up to {largest:.3g} in magnitude, but {name} takes at the "
            f"most {_LARGEST:.0e}. Replace placeholders such as 1e30 by real values "
            "or remove their rows; if the values are real, divide X by a constant."
        )


def check_bounds(X, loss, name):
    """Raise for values outside of the range that a loss needs."""
    if loss.bounds is None:
        return
    low, high = loss.bounds
    smallest, largest = float(X.min()), float(X.max())
    # Scaling to the bounds may pass them by rounding.
    if smallest < low - _ROUNDING or largest > high + _ROUNDING:
        wrong = f"up to {largest!r}" if largest > high else f"down to {smallest!r}"
        raise ValueError(
            f"X has values {wrong}, but loss={name!r} needs X in [{low:g}, {high:g}]: "
            "divide by the maximum or use MinMaxScaler(clip=True)."
        )


def shift_and_scale(X):
    """Mean of each feature, and the standard deviation of all cells around it.

    Parameters
    ----------
    X : ndarray of shape (n, d), float32 or float64

    Returns
    -------
    shift : ndarray of shape (d,), float64
    scale : float
        1.0 for data without any variation.
    """
    shift = X.mean(axis=0, dtype=np.float64)
    deviation = np.maximum(X.max(axis=0) - shift, shift - X.min(axis=0))
    # Rounding alone makes a constant column deviate by this much.
    deviation[deviation <= 4 * np.finfo(X.dtype).eps * np.abs(shift)] = 0.0
    largest = float(deviation.max())  # by which squares don't underflow
    if largest == 0:
        return shift, 1.0
    squares = sum(
        float(np.square((chunk - shift) / largest).sum()) for chunk in _chunks(X)
    )
    return shift, largest * (squares / X.size) ** 0.5


def standardise(X, shift, scale, order):
    """Shifted and scaled rows as a float32 tensor, in the given order.

    Chunk by chunk, so that the tensor is all the memory that it takes.

    Parameters
    ----------
    X : ndarray of shape (n, d)
    shift : ndarray of shape (d,)
    scale : float
    order : ndarray of shape (n,), int

    Returns
    -------
    rows : Tensor of shape (n, d)
    """
    rows = np.empty(X.shape, np.float32)
    size = max(1, _CHUNK_CELLS // X.shape[1])
    for start in range(0, len(X), size):
        chosen = order[start : start + size]
        rows[start : start + size] = (X[chosen] - shift) / scale
    return torch.from_numpy(rows)


def _chunks(X):
    size = max(1, _CHUNK_CELLS // X.shape[1])
    for start in range(0, len(X), size):
        yield X[start : start + size]
