"""How numbers spread: what of them adds up over blocks of rows."""

import math
from dataclasses import dataclass, replace

import numpy as np


@dataclass(frozen=True)
class Spread:
    """Count, range, mean and standard deviation of numbers.

    Those of two blocks add up to those of both [1]_.

    Attributes
    ----------
    count : int
    low, high : float
        The least and the largest.
    mean, deviation : float

    References
    ----------
    .. [1] Chan, T. F., Golub, G. H., LeVeque, R. J. (1983). Algorithms for computing
       the sample variance. The American Statistician 37(3).
       :doi:`10.1080/00031305.1983.10483115`
    """

    count: int = 0
    low: float = 0.0
    high: float = 0.0
    mean: float = 0.0
    deviation: float = 0.0

    @classmethod
    def of(cls, values):
        """That of finite numbers (n,), whatever order they are in."""
        if len(values) == 0:
            return cls()
        # Sums depend on the order of what is added up.
        values = np.sort(values)
        low, high = float(values[0]), float(values[-1])
        # By a power of two nothing is rounded, and squares neither over- nor underflow.
        exponent = _exponent(low, high)
        values = np.ldexp(values, -exponent)
        middle = values[len(values) // 2]
        mean = middle + np.mean(values - middle)
        deviation = np.sqrt(np.mean(np.square(values - mean)))
        parts = (math.ldexp(float(part), exponent) for part in (mean, deviation))
        return cls(len(values), low, high, *parts)

    def __add__(self, other):
        if not (self.count and other.count):
            return self if self.count else other
        low, high = min(self.low, other.low), max(self.high, other.high)
        exponent = _exponent(low, high)
        parts = self.mean, other.mean, self.deviation, other.deviation
        mean, mean_2, deviation, deviation_2 = (
            math.ldexp(part, -exponent) for part in parts
        )
        count = self.count + other.count
        share, apart = other.count / count, mean_2 - mean
        variance = (1 - share) * deviation**2 + share * deviation_2**2
        variance += share * (1 - share) * apart**2
        parts = mean + apart * share, math.sqrt(variance)
        return Spread(count, low, high, *(math.ldexp(p, exponent) for p in parts))

    def shifted(self, by):
        """That of the same numbers, with one added to each."""
        ends = self.low + by, self.high + by
        return replace(self, low=ends[0], high=ends[1], mean=self.mean + by)

    def times(self, factor):
        """That of the same numbers, multiplied by a positive one."""
        parts = self.low, self.high, self.mean, self.deviation
        return Spread(self.count, *(part * factor for part in parts))

    def standard(self):
        """What numbers are to be shifted by and divided by.

        Returns
        -------
        shift, scale : float
            The latter is 1.0 for a constant and for nothing.
        """
        farthest = max(self.high - self.mean, self.mean - self.low)
        if farthest <= 4 * np.finfo(float).eps * abs(self.mean):  # of rounding alone
            return self.low, 1.0
        return self.mean, self.deviation or 1.0


def _exponent(low, high):
    return math.frexp(max(abs(low), abs(high)))[1]
