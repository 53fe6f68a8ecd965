"""The bases of rows: what training asks of them, wherever they are."""

from abc import ABC, abstractmethod

import numpy as np

from skae._utils.digest import digest_of, sum_of_rows
from skae._utils.group import ALONE
from skae._utils.scaling import Scaling


class Rows(ABC):
    """Rows (n, d) as numbers.

    Attributes
    ----------
    shape : tuple of two int
    group : Alone
        Processes that train on rows of their own.
    """

    group = ALONE

    @abstractmethod
    def has_holes(self):
        """Whether cells are missing, NaN."""

    @abstractmethod
    def ends(self):
        """The least and the largest cell of those that are there."""

    @abstractmethod
    def scaling(self):
        """What rows are shifted and divided by."""

    @abstractmethod
    def centring(self):
        """The same, for rows that have units of their own."""

    @abstractmethod
    def parts(self, size=None):
        """Yield rows (m, d), in order; at the most so many at a time.

        Of a group those of this process.
        """

    @abstractmethod
    def sample(self):
        """Numbers of rows that stand for all, in their order."""

    @abstractmethod
    def take(self, numbers, by=None):
        """The rows with some numbers, in their order, or what a function makes of them.

        Parameters
        ----------
        numbers : ndarray of shape (m,), int
        by : callable, default=None
            From numbers to rows, of a group to those of this process; None takes these.
        """

    def shared(self):
        """Rows that are the same in all processes of a group: alone all of them."""
        return self

    def digest(self, in_any_order=False):
        """A text that tells the rows from others, or from those in another order."""
        if in_any_order:
            return f"digest {sum_of_rows(self.parts()):x}"
        return digest_of(self.parts())


class SummedRows(Rows):
    """Rows (n, d) of which the moments are known.

    Attributes
    ----------
    moments : Moments
    dtype : dtype
    """

    def has_holes(self):
        return bool((self.moments.counts < self.moments.n_rows).any())

    def ends(self):
        low, high = self.moments.low, self.moments.high
        return np.fmin.reduce(low), np.fmax.reduce(high)

    def scaling(self):
        return Scaling.of_moments(self.moments, self.dtype)

    def centring(self):
        return Scaling(self.moments.mean, 1.0)
