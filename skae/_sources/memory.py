"""Rows in memory."""

import numpy as np
from scipy.sparse import issparse

from skae._sources.rows import Rows
from skae._utils.ranges import has_holes
from skae._utils.scaling import Scaling


class MemoryRows(Rows):
    """Rows (n, d) in memory.

    Parameters
    ----------
    X : ndarray or CSR matrix of shape (n, d), float32 or float64
    pick : callable, default=None
        Of rows that were several processes': ``pick(numbers, by)`` is what a function
        makes of rows with some numbers, each by the process that had it.
    """

    def __init__(self, X, pick=None):
        self.X = X
        self.shape, self.dtype = X.shape, X.dtype
        self._pick = pick

    def has_holes(self):
        return has_holes(self.X)

    def ends(self):
        if issparse(self.X):
            return self.X.min(), self.X.max()
        return np.fmin.reduce(self.X, axis=None), np.fmax.reduce(self.X, axis=None)

    def scaling(self):
        return Scaling.of(self.X)

    def centring(self):
        return Scaling.centring(self.X)

    def parts(self, size=None):
        size = size or self.shape[0]
        for start in range(0, self.shape[0], size):
            yield self.X[start : start + size]

    def sample(self):
        return np.arange(self.shape[0])

    def take(self, numbers, by=None):
        if by is None:
            return self.X[numbers]
        return by(numbers) if self._pick is None else self._pick(numbers, by)
