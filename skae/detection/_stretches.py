"""Stretches of a series: windows that lie within them, and what these say of times."""

import numpy as np

from skae.detection._windows import align_to_times, cut_windows


class Stretches:
    """Parts of a series that windows lie within, and are numbered through.

    Parameters
    ----------
    ends : ndarray of int
        Numbers of the last times of all stretches but the last one.
    n_times : int
    length, stride : int
        Of windows.

    Attributes
    ----------
    bounds : list of (int, int)
        Numbers of the first time of each stretch, and of the time after it.
    counts : ndarray of shape (n_stretches,)
        Windows in each.
    """

    def __init__(self, ends, n_times, length, stride):
        starts = [0, *(int(end) + 1 for end in ends)]
        self.bounds = list(zip(starts, [*starts[1:], n_times], strict=True))
        self.length, self.stride, self.n_times = length, stride, n_times
        sizes = np.array([stop - start for start, stop in self.bounds])
        self.counts = np.where(sizes < length, 0, (sizes - length) // stride + 1)

    @property
    def longest(self):
        """Times in the longest."""
        return max(stop - start for start, stop in self.bounds)

    def windows(self, X):
        """Windows (n_windows, length * n_sensors) of readings (n_times, n_sensors)."""
        cut = [
            cut_windows(X[start:stop], self.length, self.stride)
            for (start, stop), count in zip(self.bounds, self.counts, strict=True)
            if count
        ]
        return cut[0] if len(cut) == 1 else np.concatenate(cut)

    def first_times(self):
        """Number of the first time of each window."""
        firsts = [
            start + self.stride * np.arange(count)
            for (start, _), count in zip(self.bounds, self.counts, strict=True)
        ]
        return np.concatenate(firsts)

    def within(self, function, values):
        """A function of windows' values (n_windows, ...), for each stretch alone."""
        parts = np.split(np.asarray(values), np.cumsum(self.counts)[:-1])
        return np.concatenate([function(part) if len(part) else part for part in parts])

    def at_times(self, values):
        """What the latest window that has ended by each time says: (n_times, ...).

        NaN before the end of a stretch's first window.
        """
        values = np.asarray(values, float)
        result = np.full((self.n_times, *values.shape[1:]), np.nan)
        parts = np.split(values, np.cumsum(self.counts)[:-1])
        for (start, stop), part in zip(self.bounds, parts, strict=True):
            if len(part):
                size = stop - start, self.length, self.stride
                result[start:stop] = align_to_times(part, *size)
        return result

    def folds(self, n_folds):
        """Windows to fit to and windows held out, which share no time: by number.

        Those held out follow each other.

        Yields
        ------
        train, held_out : ndarray of int
        """
        numbers = np.arange(self.counts.sum())
        stretch = np.repeat(np.arange(len(self.counts)), self.counts)
        reach = (self.length - 1) // self.stride
        for held_out in np.array_split(numbers, n_folds):
            first, last = held_out[[0, -1]]
            is_near = (numbers >= first) & (numbers <= last)
            is_near |= (stretch == stretch[first]) & (abs(numbers - first) <= reach)
            is_near |= (stretch == stretch[last]) & (abs(numbers - last) <= reach)
            yield numbers[~is_near], held_out


def trailing_mean(scores, count):
    """Mean of each score (n, ...) and those before it, `count` at the most."""
    # Sums of their own, not differences of running ones: one score must not round away
    # those after it. Term by term, so that no later one decides how they add up.
    total = scores.copy()
    for lag in range(1, min(count, len(scores))):
        total[lag:] += scores[:-lag]
    n_seen = np.minimum(np.arange(1, len(scores) + 1), count)
    return (total.T / n_seen).T


def trailing_count(is_one, count):
    """How many of each value (n,) and those before it, `count` in all, are true."""
    recent = np.ones(min(count, len(is_one)))
    return np.convolve(is_one, recent)[: len(is_one)]
