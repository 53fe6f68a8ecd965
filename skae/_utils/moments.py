"""Counts, means and squares of columns, added up block by block."""

from dataclasses import dataclass
from functools import reduce
from operator import add

import numpy as np


@dataclass(frozen=True)
class Moments:
    """What is known of the columns of rows, for one block or for many.

    Sums of squares are around the mean, which rounding leaves exact where squares
    themselves would lose it [1]_.

    Attributes
    ----------
    n_rows : int
    counts : ndarray of shape (d,), int
        Cells that are there.
    mean : ndarray of shape (d,), float64
        0 where there are none.
    squares : ndarray of shape (d,), float64
        Sums of squared deviations from the mean.
    low, high : ndarray of shape (d,)
        The least and the largest; NaN where there are none.

    References
    ----------
    .. [1] Chan, T. F., Golub, G. H., LeVeque, R. J. (1983). Algorithms for computing
       the sample variance. The American Statistician 37(3).
       :doi:`10.1080/00031305.1983.10483115`
    """

    n_rows: int
    counts: np.ndarray
    mean: np.ndarray
    squares: np.ndarray
    low: np.ndarray
    high: np.ndarray

    @classmethod
    def of(cls, X):
        """The moments of rows (n, d), of which NaN are missing; n is not 0."""
        n_rows = len(X)
        there = ~np.isnan(X)
        counts = there.sum(axis=0)
        # Deviations from a row are summed, whose rounding errors are those of the
        # deviations, not of the values.
        first = X[there.argmax(axis=0), np.arange(X.shape[1])].astype(np.float64)
        first = np.nan_to_num(first)
        centred = np.subtract(X, first, dtype=np.float64)
        np.nan_to_num(centred, copy=False)
        offset = centred.sum(axis=0) / np.maximum(counts, 1)
        centred -= np.where(there, offset, 0.0)
        squares = np.einsum("ij,ij->j", centred, centred)
        ends = np.fmin.reduce(X, axis=0), np.fmax.reduce(X, axis=0)
        return cls(n_rows, counts, first + offset, squares, *ends)

    @property
    def deviation(self):
        """Standard deviation (d,) of each column."""
        return np.sqrt(self.squares / np.maximum(self.counts, 1))

    def standard(self):
        """What columns are shifted by and divided by: two arrays (d,), float64.

        The latter is 1 for constants and for nothing.
        """
        farthest = np.fmax(self.high - self.mean, self.mean - self.low)
        rounding = 4 * np.finfo(self.low.dtype).eps * np.abs(self.mean)
        varies = (farthest > rounding) & (self.squares > 0)
        return self.mean, np.where(varies, self.deviation, 1.0)

    def __add__(self, other):
        counts = self.counts + other.counts
        share = other.counts / np.maximum(counts, 1)
        apart = other.mean - self.mean
        return Moments(
            self.n_rows + other.n_rows,
            counts,
            self.mean + apart * share,
            self.squares + other.squares + np.square(apart) * share * self.counts,
            np.fmin(self.low, other.low),
            np.fmax(self.high, other.high),
        )


def sum_of(moments):
    """The moments of all rows, of those of their blocks."""
    return reduce(add, moments)
