"""Rows in memory."""

import numpy as np
from scipy.sparse import issparse

from skae._utils.digest import digest_of, sum_of_rows
from skae._utils.group import ALONE
from skae._utils.ranges import has_holes
from skae._utils.scaling import Scaling


class MemoryRows:
    """Rows (n, d) in memory, with what is asked of streamed ones too.

    Parameters
    ----------
    X : ndarray or CSR matrix of shape (n, d), float32 or float64

    Attributes
    ----------
    group : Alone
        Processes that train on rows of their own.
    """

    group = ALONE

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

    def shared(self):
        """Rows that are the same in all processes of a group: here all."""
        return self

    def digest(self, in_any_order=False):
        """A text that tells the rows from others, or from those in another order."""
        if in_any_order:
            return f"digest {sum_of_rows(self.parts()):x}"
        return digest_of(self.parts())

    def sample(self):
        """Numbers of rows that stand for all: of all."""
        return np.arange(self.shape[0])

    def take(self, numbers, by=None):
        """The rows with some numbers, in their order, or what a function makes of them.

        Parameters
        ----------
        numbers : ndarray of shape (m,), int
        by : callable, default=None
            From numbers to rows; None takes these.
        """
        return self.X[numbers] if by is None else by(numbers)
