"""One shift for each feature and one scale for all: rows in standard units."""

from dataclasses import dataclass

import numpy as np
import torch

from skae._utils.checks import array, positive
from skae._utils.ranges import has_holes
from skae._utils.sparse import dense
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
        X : ndarray or CSR matrix of shape (n, d), float32 or float64
            NaN stands for missing cells, which count for nothing.

        Returns
        -------
        scaling : Scaling
            Its scale is 1.0 for data without any variation. Rows in another memory
            order, and sparse ones, have the same one.
        """
        counts = _counts(X)
        shift = _mean(X, counts)
        high, low = _extremes(X)
        deviation = np.fmax(high - shift, shift - low)
        # Rounding alone makes a constant column deviate by this much.
        deviation[deviation <= 4 * np.finfo(X.dtype).eps * np.abs(shift)] = 0.0
        largest = float(np.fmax.reduce(deviation))  # by which squares don't underflow
        if not largest > 0:
            return cls(shift, 1.0)
        squares = sum(
            float(_sum(np.square(centred / largest), counts))
            for centred in _minus(X, shift)
        )
        n_cells = X.shape[0] * X.shape[1] if counts is None else int(counts.sum())
        return cls(shift, largest * (squares / n_cells) ** 0.5)

    @classmethod
    def of_moments(cls, moments, dtype):
        """The same of rows of a dtype, whose moments are known."""
        shift = moments.mean
        deviation = np.fmax(moments.high - shift, shift - moments.low)
        is_constant = deviation <= 4 * np.finfo(dtype).eps * np.abs(shift)
        squares = np.where(is_constant, 0.0, moments.squares).sum()
        if not squares > 0:
            return cls(shift, 1.0)
        return cls(shift, float((squares / moments.counts.sum()) ** 0.5))

    @classmethod
    def centring(cls, X):
        """The mean of each feature, for rows (n, d) that have units of their own."""
        return cls(_mean(X, _counts(X)), 1.0)

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
        order : ndarray of shape (m,), int

        Returns
        -------
        rows : Tensor of shape (m, d)
        """
        rows = np.empty((len(order), X.shape[1]), np.float32)
        for part in _parts(rows):
            rows[part] = self.standardise(X[order[part]])
        return torch.from_numpy(rows)


def _counts(X):
    """How many cells (d,) of each feature are there; None where none is missing."""
    return np.count_nonzero(~np.isnan(X), axis=0) if has_holes(X) else None


def _sum(values, counts, axis=None):
    """The sum of values, without NaN where there are counts of what is there."""
    return values.sum(axis=axis) if counts is None else np.nansum(values, axis=axis)


def _mean(X, counts):
    """Mean (d,) of rows (n, d), exact for constant columns; 0 for those of no cells.

    Deviations from the first row are summed, and not the values, whose rounding
    errors would add up to more than small deviations.
    """
    first = dense(X[:1])[0].astype(np.float64)
    if counts is not None:
        first = X[(~np.isnan(X)).argmax(axis=0), np.arange(X.shape[1])]
        first = np.nan_to_num(first.astype(np.float64))
    total = sum(_sum(difference, counts, axis=0) for difference in _minus(X, first))
    return first + total / (X.shape[0] if counts is None else np.maximum(counts, 1))


def _extremes(X):
    """Largest and smallest values (d,) of each feature."""
    if isinstance(X, np.ndarray):
        return np.fmax.reduce(X, axis=0), np.fmin.reduce(X, axis=0)
    # scipy's own would copy the matrix.
    high, low = dense(X[:1])[0], dense(X[:1])[0]
    for part in _parts(X):
        rows = dense(X[part])
        np.maximum(high, rows.max(axis=0), out=high)
        np.minimum(low, rows.min(axis=0), out=low)
    return high, low


def _minus(X, shift):
    """Rows less a shift, a chunk at a time, in double precision and C order."""
    for part in _parts(X):
        yield np.subtract(dense(X[part]), shift, dtype=np.float64, order="C")


def _parts(X):
    size = max(1, _CHUNK_CELLS // X.shape[1])
    for start in range(0, X.shape[0], size):
        yield slice(start, min(start + size, X.shape[0]))
