"""Series that are more than memory: times at once, and readings in blocks."""

import numpy as np

from skae._sources.source import ChosenRows, RowSource, block_rows
from skae._utils.moments import Moments, sum_of
from skae.detection._times import joined_labels, read_series


class Readings(RowSource):
    """Readings of a series that is read in blocks, the oldest first.

    Parameters
    ----------
    source : RowSource
    read : callable
        From the readings of a block to an array (m, n_sensors), checked.

    Attributes
    ----------
    labels : Index or None
        Of all times.
    moments : Moments
        Of all sensors.
    shape : tuple of two int
    """

    def __init__(self, source, read):
        self.title, self._source, self._read = source.title, source, read

        def learn(block):
            X, labels = read_series(block)
            return labels, Moments.of(read(X))

        learned = list(source.mapped(learn))
        if not learned:
            raise ValueError(f"{self.title} has no rows.")
        labels, moments = zip(*learned, strict=True)
        self.labels, self.moments = joined_labels(labels), sum_of(moments)
        self.shape = self.moments.n_rows, len(self.moments.mean)

    def __len__(self):
        return self.shape[0]

    def __getitem__(self, times):
        """Readings (..., n_sensors) at times with some numbers."""
        times = np.asarray(times)
        if not times.size:
            return np.empty((*times.shape, self.shape[1]))
        found = self.taken(times.ravel(), np.asarray)
        return found.reshape(*times.shape, -1)

    def blocks(self):
        return self._source.mapped(lambda block: self._read(read_series(block)[0]))


class Windows(RowSource):
    """Windows of readings, a block at a time.

    Parameters
    ----------
    readings : Readings
    stretches : Stretches
        That windows lie within.
    standardised : callable
        From readings to those on one scale.
    """

    def __init__(self, readings, stretches, standardised):
        self.title = f"the windows of {readings.title}"
        self._readings, self._standardised = readings, standardised
        self._firsts, self._length = stretches.first_times(), stretches.length
        self._width = self._length * readings.shape[1]

    def __len__(self):
        return len(self._firsts)

    def __getitem__(self, numbers):
        """Windows (m, length * n_sensors) with some numbers."""
        if not len(numbers):
            return np.empty((0, self._width))
        return self.taken(numbers, np.asarray)

    @property
    def n_bytes(self):
        return 8 * len(self) * self._width

    def chosen(self, numbers):
        """The source of the windows with some numbers, which ascend."""
        is_chosen = np.zeros(len(self), bool)
        is_chosen[numbers] = True
        return ChosenRows(self, is_chosen)

    def blocks(self):
        length, n_sensors = self._length, self._readings.shape[1]
        size, within = block_rows(self._width), np.arange(length)
        kept, start, done = np.empty((0, n_sensors)), 0, 0
        for block in self._readings.blocks():
            kept = np.concatenate([kept, self._standardised(block)])
            stop = start + len(kept)
            n_whole = np.searchsorted(self._firsts, stop - length, side="right")
            while done < n_whole:
                firsts = self._firsts[done : min(done + size, n_whole)]
                times = (firsts - start)[:, None] + within
                yield kept[times].reshape(len(firsts), -1)
                done += len(firsts)
            # What no later window has is left out.
            first = min([stop, *self._firsts[done : done + 1]])
            kept, start = kept[first - start :], first
