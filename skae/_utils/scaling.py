"""One shift for each feature and one scale for all: rows in standard units."""

from dataclasses import dataclass

import numpy as np
import torch

from skae._utils.checks import array, positive
from skae._utils.stored import stored

_CHUNK_CELLS = 2**18


@stored(shift=array("f", 1), scale=positive)
@dataclass(frozen=True)
class Scaling:
    """What rows are shifted by and then divided by.

    Attributes
    ----------
    shift : ndarray of shape (d,), float64
    scale : float
        Units of the data in a standard one.
    """

    shift: np.ndarray
    scale: float

    @classmethod
    def of(cls, X):
        """Mean of each feature, and the standard deviation of all cells around it.

        Parameters
        ----------
        X : ndarray of shape (n, d), float32 or float64

        Returns
        -------
        scaling : Scaling
            Its scale is 1.0 for data without any variation. Rows in another memory
            order have the same one.
        """
        shift = _mean(X)
        deviation = np.maximum(X.max(axis=0) - shift, shift - X.min(axis=0))
        # Rounding alone makes a constant column deviate by this much.
        deviation[deviation <= 4 * np.finfo(X.dtype).eps * np.abs(shift)] = 0.0
        largest = float(deviation.max())  # by which squares don't underflow
        if largest == 0:
            return cls(shift, 1.0)
        squares = sum(
            float(np.square(centred / largest).sum()) for centred in _minus(X, shift)
        )
        return cls(shift, largest * (squares / X.size) ** 0.5)

    def standardise(self, X):
        """Rows (n, d) in standard units, in double precision.

        Subtracting a large shift must not lose the data.
        """
        return (X - self.shift) / self.scale

    def restore(self, rows):
        """Standardised rows (n, d) in units of the data."""
        return rows * self.scale + self.shift

    def tensors(self, dtype, device="cpu"):
        """Shift (d,) and scale () as tensors."""
        return (
            torch.tensor(self.shift, dtype=dtype, device=device),
            torch.tensor(self.scale, dtype=dtype, device=device),
        )

    def ordered_rows(self, X, order):
        """Standardised rows as a float32 tensor, in the given order.

        Chunk by chunk, so that the tensor is all the memory that it takes.

        Parameters
        ----------
        X : ndarray of shape (n, d)
        order : ndarray of shape (n,), int

        Returns
        -------
        rows : Tensor of shape (n, d)
        """
        rows = np.empty(X.shape, np.float32)
        for part in _parts(X):
            rows[part] = self.standardise(X[order[part]])
        return torch.from_numpy(rows)


def _mean(X):
    """Mean (d,) of rows (n, d), exact for constant columns.

    Deviations from the first row are summed, and not the values, whose rounding
    errors would add up to more than small deviations.
    """
    first = X[0].astype(np.float64)
    total = sum(difference.sum(axis=0) for difference in _minus(X, first))
    return first + total / len(X)


def _minus(X, shift):
    """Rows less a shift, a chunk at a time, in double precision and C order."""
    for part in _parts(X):
        yield np.subtract(X[part], shift, dtype=np.float64, order="C")


def _parts(X):
    size = max(1, _CHUNK_CELLS // X.shape[1])
    for start in range(0, len(X), size):
        yield slice(start, min(start + size, len(X)))
