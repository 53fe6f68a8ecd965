"""Donors: cells that are known, and what was expected there while they were hidden."""

from dataclasses import dataclass

import numpy as np

from skae._utils.checks import array
from skae._utils.stored import stored

# Donors kept of each column, and those of which one is drawn: the nearest.
MOST_DONORS = 256
_NEAREST = 24


@stored(
    expected=array("f", 2, finite=False),
    observed=array("f", 2, finite=False),
)
@dataclass(frozen=True, eq=False)
class Donors:
    """What hidden cells turned out to be, column by column.

    A row is a donor of a column once at the most.

    Attributes
    ----------
    expected : ndarray of shape (n_numbers, n_donors), float32
        Ascending; NaN beyond the last donor of a column.
    observed : ndarray of shape (n_numbers, n_donors), float64
        In the units of the data, or of a table's columns, to the bit.
    """

    expected: np.ndarray
    observed: np.ndarray

    @classmethod
    def of(cls, expected, observed, n_held_out):
        """Donors from cells of rows.

        Those held out, and as many others as are needed beside them: few donors lie so
        far apart that the nearest are no near ones, which costs more than it does to
        expect a little too well what was trained on. Where there are more than are
        kept, they are taken evenly over what was expected.

        Parameters
        ----------
        expected, observed : ndarrays of shape (n, n_numbers)
            NaN in either, where a cell is no donor.
        n_held_out : int
            Rows that are held out, which are first.
        """
        shape = expected.shape[1], MOST_DONORS
        kept = np.full(shape, np.nan, np.float32), np.full(shape, np.nan)
        for j in range(shape[0]):
            chosen = np.flatnonzero(~np.isnan(expected[:, j] + observed[:, j]))
            n_first = np.searchsorted(chosen, n_held_out)
            chosen = chosen[: max(n_first, MOST_DONORS)]
            chosen = chosen[np.argsort(expected[chosen, j], kind="stable")]
            if len(chosen) > MOST_DONORS:
                places = np.linspace(0, len(chosen) - 1, MOST_DONORS).round()
                chosen = chosen[places.astype(int)]
            for part, cells in zip(kept, (expected, observed), strict=True):
                part[j, : len(chosen)] = cells[chosen, j]
        return cls(*kept)

    def drawn(self, expected, rng):
        """Numbers (n, n_numbers) that were observed where about the same was expected.

        Parameters
        ----------
        expected : ndarray of shape (n, width)
            Numbers first.
        rng : Generator

        Returns
        -------
        drawn : ndarray of shape (n, n_numbers), float64
            As `observed`; NaN in columns without donors.
        """
        drawn = np.full((len(expected), len(self.expected)), np.nan)
        counts = (~np.isnan(self.expected)).sum(axis=1)
        for j in np.flatnonzero(counts):
            n_near = min(_NEAREST, counts[j])
            place = np.searchsorted(self.expected[j, : counts[j]], expected[:, j])
            # Beyond either end, and near it, it is the outermost donors.
            first = (place - n_near // 2).clip(0, counts[j] - n_near)
            place = first + rng.integers(n_near, size=len(place))
            drawn[:, j] = self.observed[j, place]
        return drawn

    def _check_loaded(self):
        if self.expected.shape != self.observed.shape:
            raise ValueError("Its donors are not those of its cells.")
        if self.expected.shape[1] != MOST_DONORS:
            raise ValueError("It has another number of donors than are kept.")
        is_missing = np.isnan(self.expected)
        if (is_missing[:, :-1] > is_missing[:, 1:]).any():
            raise ValueError("Its donors are not in their order.")
        if (is_missing != np.isnan(self.observed)).any():
            raise ValueError("Its donors are not those of its cells.")
