"""Donors: held-out cells, and what was expected there while they were hidden."""

from dataclasses import dataclass

import numpy as np

from skae._utils.checks import array
from skae._utils.stored import stored

# Donors kept of each column, and those of which one is drawn: the nearest.
MOST_DONORS = 256
_NEAREST = 10


@stored(
    expected=array("f", 2, finite=False),
    observed=array("f", 2, finite=False),
)
@dataclass(frozen=True, eq=False)
class Donors:
    """What hidden cells of held-out rows turned out to be, column by column.

    Attributes
    ----------
    expected : ndarray of shape (n_numbers, n_donors), float32
        Ascending; NaN in columns of which no cell was hidden.
    observed : ndarray of shape (n_numbers, n_donors), float32
    """

    expected: np.ndarray
    observed: np.ndarray

    @classmethod
    def of(cls, expected, observed, hidden):
        """Donors from cells (n, n_numbers), of which some were hidden.

        Evenly over what was expected, where there are more than are kept.
        """
        shape = expected.shape[1], MOST_DONORS
        kept = np.full((2, *shape), np.nan, np.float32)
        for j in range(shape[0]):
            chosen = np.flatnonzero(hidden[:, j])
            if len(chosen):
                chosen = chosen[np.argsort(expected[chosen, j], kind="stable")]
                places = np.linspace(0, len(chosen) - 1, MOST_DONORS).round()
                chosen = chosen[places.astype(int)]
                kept[:, j] = expected[chosen, j], observed[chosen, j]
        return cls(*kept)

    def drawn(self, expected, layout, rng):
        """Rows (n, width) drawn around those that are expected.

        Parameters
        ----------
        expected : ndarray of shape (n, width)
        layout : Layout or None
            Of a table with categories, of which levels are drawn by their shares.
        rng : Generator
        """
        drawn = expected.copy()
        for j, (known, observed) in enumerate(
            zip(self.expected, self.observed, strict=True)
        ):
            if not np.isnan(known[0]):
                place = np.searchsorted(known, expected[:, j])
                place += rng.integers(-(_NEAREST // 2), _NEAREST // 2, len(place))
                drawn[:, j] = observed[place.clip(0, MOST_DONORS - 1)]
        return drawn if layout is None else drawn_levels(drawn, layout, rng)

    def _check_loaded(self):
        if self.expected.shape != self.observed.shape:
            raise ValueError("Its donors are not those of its cells.")
        if self.expected.shape[1] != MOST_DONORS:
            raise ValueError("It has another number of donors than are kept.")


def drawn_levels(rows, layout, rng):
    """Rows (n, width) with levels of categories drawn by their shares."""
    drawn = rows.copy()
    for i, factor in enumerate(layout.factors):
        block = layout.block(i)
        ends = np.cumsum(rows[:, block], axis=1)
        at = rng.random((len(ends), 1)) * ends[:, -1:]
        level = (ends <= at).sum(axis=1).clip(max=ends.shape[1] - 1)
        drawn[:, block] = factor * np.eye(ends.shape[1])[level]
    return drawn


def with_noise(rows, scale, layout, bounds, rng):
    """Rows (n, width) that vary around those that are expected.

    Parameters
    ----------
    rows : ndarray of shape (n, width)
    scale : ndarray of shape (n_numbers,)
        Standard deviations of the numbers, which are normal.
    layout : Layout or None
        Of a table with categories, of which levels are drawn by their shares.
    bounds : tuple of two floats or None
        That rows stay within.
    rng : Generator
    """
    rows = rows.copy() if layout is None else drawn_levels(rows, layout, rng)
    rows[:, : len(scale)] += scale * rng.normal(size=(len(rows), len(scale)))
    return rows if bounds is None else rows.clip(*bounds)
