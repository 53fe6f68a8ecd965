"""Rows in memory."""

import numpy as np
from scipy.sparse import issparse

from skae._utils.ranges import has_holes
from skae._utils.scaling import Scaling


class MemoryRows:
    """Rows (n, d) in memory, with what is asked of streamed ones too.

    Parameters
    ----------
    X : ndarray or CSR matrix of shape (n, d), float32 or float64
    """

    def __init__(self, X):
        self.X = X
        self.shape = X.shape

    def has_holes(self):
        """Whether cells are missing, NaN."""
        return has_holes(self.X)

    def ends(self):
        """The least and the largest cell of those that are there."""
        if issparse(self.X):
            return self.X.min(), self.X.max()
        return np.fmin.reduce(self.X, axis=None), np.fmax.reduce(self.X, axis=None)

    def scaling(self):
        """What rows are shifted and divided by."""
        return Scaling.of(self.X)

    def centring(self):
        """The same, for rows that have units of their own."""
        return Scaling.centring(self.X)

    def parts(self, size=None):
        """Yield so many rows at a time; all at once, if nothing is said."""
        size = size or self.shape[0]
        for start in range(0, self.shape[0], size):
            yield self.X[start : start + size]

    def sample(self):
        """Numbers of rows that stand for all: of all."""
        return np.arange(self.shape[0])

    def take(self, numbers):
        """The rows with some numbers, in their order."""
        return self.X[numbers]
