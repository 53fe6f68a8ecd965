"""A scale for scores of which a few are far beyond the others."""

import numpy as np

# So many times as far from the lowest as the threshold is, on a linear scale.
_FAR = 6.0
# Ticks are apart by this share of the axis.
_APART = 0.09
# The largest exponent of a number that there is.
_MOST = 700.0


class FarScale:
    """Linear up to the threshold, on one half of the axis, and logarithmic beyond.

    Parameters
    ----------
    low, threshold, high : float
        The lowest score, the threshold and the highest score.
    """

    def __init__(self, low, threshold, high):
        self.low, self.threshold, self.high = low, threshold, high
        self._unit = threshold - low
        self._height = np.log1p((high - threshold) / self._unit)

    @classmethod
    def of(cls, scores, threshold):
        """The scale that scores (n,) need, or None if a linear one will do."""
        if not len(scores):
            return None
        low, high = float(scores.min()), float(scores.max())
        if not low < threshold or high - low <= _FAR * (threshold - low):
            return None
        return cls(low, threshold, high)

    def forward(self, scores):
        """Places on the axis: the threshold is at 1, and the highest score at 2."""
        usual = (np.asarray(scores, float) - self.low) / self._unit
        beyond = np.log1p(np.maximum(usual - 1, 0)) / self._height
        return np.where(usual <= 1, usual, 1 + beyond)

    def inverse(self, places):
        """Scores at places on the axis."""
        places = np.asarray(places, float)
        beyond = 1 + np.expm1(np.minimum((places - 1) * self._height, _MOST))
        return self.low + self._unit * np.where(places <= 1, places, beyond)

    def ticks(self):
        """Scores to be written at the axis: round numbers that are far enough apart."""
        from matplotlib.ticker import MaxNLocator

        usual = MaxNLocator(4).tick_values(self.low, self.threshold)
        # Round numbers, beyond the threshold and within what is drawn.
        exponents = np.arange(-3, np.ceil(np.log10(self.high - self.low)) + 1)
        steps = np.outer(10.0**exponents, [1, 2, 5]).ravel()
        origin = 0.0 if self.low >= 0 else np.round(self.threshold, 1)
        candidates = np.concatenate([usual, origin + steps])
        is_within = (candidates >= self.low) & (candidates <= self.high)
        is_usual = np.isin(candidates, usual)
        is_within &= is_usual | (candidates > self.threshold)
        is_within &= ~is_usual | (candidates <= self.threshold)
        kept, places = [], []
        for tick in np.unique(candidates[is_within]):
            place = float(self.forward(tick))
            if not places or place - places[-1] >= 2 * _APART:
                kept.append(float(tick))
                places.append(place)
        return kept

    def set(self, axis):
        """Give this scale to an axis."""
        from matplotlib.ticker import NullLocator

        functions = self.forward, self.inverse
        options = {"functions": functions}
        getattr(axis.axes, f"set_{axis.axis_name}scale")("function", **options)
        ticks = self.ticks()
        axis.set_ticks(ticks, [f"{tick:,.10g}" for tick in ticks])
        axis.set_minor_locator(NullLocator())
