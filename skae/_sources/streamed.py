"""Rows of a source as numbers, a part at a time."""

import numpy as np

from skae._utils.digest import digest_of, sum_of_rows
from skae._utils.group import ALONE
from skae._utils.moments import Moments
from skae._utils.scaling import Scaling

# Rows that stand for all, of which there may be any number.
_SAMPLED = 2**16


class StreamedRows:
    """Rows (n, d) of a source as numbers, read anew in each pass.

    Parameters
    ----------
    source : RowSource
    read : callable
        From a block to its rows (m, d), checked.
    memory_limit : int
        Bytes of what is read, and held, at once.

    Attributes
    ----------
    moments : Moments
    dtype : dtype
        Of the first rows.
    group : Alone
        Processes that train on rows of their own.
    """

    group = ALONE

    def __init__(self, source, read, memory_limit):
        self.source = source
        self._read = read
        self.memory_limit = memory_limit
        self.moments = self.dtype = self._n_rows = None
        for rows in self.parts():
            moments = Moments.of(rows)
            if self.moments is None:
                self.moments, self.dtype = moments, rows.dtype
            else:
                self.moments += moments
        if self.moments is None:
            raise ValueError(f"{source.title} has no rows.")
        self._n_rows = self.moments.n_rows

    @property
    def shape(self):
        return self.moments.n_rows, len(self.moments.mean)

    def has_holes(self):
        """Whether cells are missing."""
        return bool((self.moments.counts < self.moments.n_rows).any())

    def ends(self):
        """The least and the largest cell of those that are there."""
        low, high = self.moments.low, self.moments.high
        return np.fmin.reduce(low), np.fmax.reduce(high)

    def scaling(self):
        """What rows are shifted and divided by."""
        return Scaling.of_moments(self.moments, self.dtype)

    def centring(self):
        """The same, for rows that have units of their own."""
        return Scaling(self.moments.mean, 1.0)

    def parts(self, size=None):
        """Yield rows (m, d), in order; at the most so many at a time.

        Raises
        ------
        TypeError, ValueError
            If rows are not what is expected; with their numbers, and where they are.
        """
        n_read = 0
        for rows in self.source.mapped(self._read):
            n_read += len(rows)
            if self._n_rows is not None and n_read > self._n_rows:
                break
            for first in range(0, len(rows), size or len(rows)):
                yield rows[first : first + size] if size else rows
        if self._n_rows is not None and n_read != self._n_rows:
            found = "more" if n_read > self._n_rows else f"{n_read:,}"
            raise ValueError(
                f"{self.source.title} had {self._n_rows:,} rows in the first pass, and "
                f"{found} in another one, but has to have the same in each."
            )

    def shared(self):
        """Rows that are the same in all processes of a group: here all."""
        return self

    def digest(self, in_any_order=False):
        """A text that tells the rows from others, or from those in another order."""
        if in_any_order:
            return f"digest {sum_of_rows(self.parts()):x}"
        return digest_of(self.parts())

    def sample(self):
        """Numbers of rows that stand for all, drawn at random, in their order."""
        n_rows = self.shape[0]
        chosen = np.random.default_rng(0).choice(n_rows, min(n_rows, _SAMPLED), False)
        return np.sort(chosen)

    def take(self, numbers, by=None):
        """The rows with some numbers, in their order, or what a function makes of them.

        Parameters
        ----------
        numbers : ndarray of shape (m,), int
        by : callable, default=None
            From numbers to rows; None takes these.
        """
        return self.source.taken(numbers, self._read) if by is None else by(numbers)
