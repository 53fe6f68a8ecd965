"""Rows of a source as numbers, a part at a time."""

import numpy as np

from skae._sources.rows import SummedRows
from skae._utils.moments import Moments

# Rows that stand for all, of which there may be any number.
_SAMPLED = 2**16


class StreamedRows(SummedRows):
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
    """

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

    def sample(self):
        """Numbers of rows that stand for all, drawn at random, in their order."""
        n_rows = self.shape[0]
        chosen = np.random.default_rng(0).choice(n_rows, min(n_rows, _SAMPLED), False)
        return np.sort(chosen)

    def take(self, numbers, by=None):
        return self.source.taken(numbers, self._read) if by is None else by(numbers)
