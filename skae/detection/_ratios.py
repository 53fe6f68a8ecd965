"""Log ratios: how many times less likely cells are in their rows than in general."""

import numpy as np

from skae._utils.checks import array
from skae._utils.stored import stored
from skae.detection._scores import usual_errors

# Bins of equal counts that numbers fall into.
_BINS = 16
# Held-out rows of the nearest expectation, among which those in a bin are counted, and
# as many more that are added in the column's own proportions.
_NEAREST, _ADDED = 100, 3.0
# Held-out rows kept of each fold: more cost time and memory, and change little.
_MOST_REFERENCES = 4096
# Rows beside each end of a column's range, one in so many, that don't widen it.
_BEYOND = 1000
# Share of a column's range by which a number must be beyond it for a nat.
_NAT = 0.05
# Share of the only value of a column that is rounding.
_ROUNDING = 1e-6


@stored(
    edges=array("f", 2, finite=False),
    shares=array("f", 2),
    low=array("f", 1),
    high=array("f", 1),
    expected=array("f", 2, finite=False),
    bins=array("u", 2),
    counts=array("i", 1),
    surprises=array("f", 1),
    usual_errors=array("f", 1),
)
class Ratios:
    """Log ratios of cells by what is expected of them while they can't be seen.

    log p(x) - log p(x | the other cells of the row), in nats. Levels have the
    autoencoder's probabilities. Of numbers it tells no more than what is expected: the
    probability of a number's bin is counted among rows held out of which about the same
    was expected. Numbers beyond the range of the rows that were fitted, of which no
    bin tells, get a nat in addition for each twentieth of the range that they are
    beyond it; other ones than a column's only one are as surprising as unseen levels.

    Attributes
    ----------
    edges : ndarray of shape (n_numbers, n_bins - 1)
        Between bins; infinite after the last one.
    shares : ndarray of shape (n_numbers, n_bins)
        Of the rows that are fitted to; 0 where no number can be.
    low, high : ndarray of shape (n_numbers,)
        Range of these, but for the most extreme of thousands.
    expected : ndarray of shape (n_numbers, m), float32
        Of rows held out, ascending; those of missing cells are infinite.
    bins : ndarray of shape (n_numbers, m), uint8
        In which they turned out to be.
    counts : ndarray of shape (n_numbers,)
        Of cells that are not missing.
    surprises : ndarray of shape (n_numbers,)
        Nats of what is one in so many cells as were fitted, and one more.
    usual_errors : ndarray of shape (n_numbers,)
        Of what is expected, in standard units.
    """

    def near(self, cells):
        """Encoded rows, with no number beyond the range: what there is says no more."""
        k = len(self.low)
        numbers = np.clip(cells[:, :k], self.low, self.high)
        return np.concatenate([numbers, cells[:, k:]], axis=1)

    def of_range(self, columns, cells):
        """Learn the range of rows that an autoencoder was fitted to.

        Parameters
        ----------
        columns : Columns
            The autoencoder's.
        cells : ndarray of shape (n, width)
            Encoded.

        Returns
        -------
        self : Ratios
        """
        k = columns.layout.n_numbers
        self.edges = np.full((k, _BINS - 1), np.inf)
        self.shares = np.empty((k, _BINS))
        self.low, self.high, self.surprises = np.zeros((3, k))
        for j in range(k):
            known = np.sort(cells[~np.isnan(cells[:, j]), j])
            self.surprises[j] = np.log(len(known) + 1)
            if len(known):
                edges = _edges(known)
                self.edges[j, : len(edges)] = edges
                beyond = len(known) // _BEYOND
                if known[beyond] == known[-1 - beyond]:
                    beyond = 0
                self.low[j], self.high[j] = known[beyond], known[-1 - beyond]
            counts = np.bincount(self._bins(j, known), minlength=_BINS)
            self.shares[j] = counts / max(len(known), 1)
        return self

    def fit(self, columns, cells, expected):
        """Learn what rows held out turned out to be.

        Parameters
        ----------
        columns : Columns
            The autoencoder's.
        cells : ndarray of shape (m, width)
            In random order.
        expected : ndarray of shape (m, width)
            Of columns that the autoencoder can't see.

        Returns
        -------
        self : Ratios
        """
        k, most = columns.layout.n_numbers, min(len(cells), _MOST_REFERENCES)
        self.expected = np.full((k, most), np.inf, np.float32)
        self.bins = np.zeros((k, most), np.uint8)
        self.counts, self.usual_errors = np.zeros(k, np.int64), np.ones(k)
        for j in range(k):
            there = np.flatnonzero(~np.isnan(cells[:, j]))
            if len(there):
                errors = cells[there, j] - expected[there, j]
                self.usual_errors[j] = usual_errors(errors[:, None])[0]
            there = there[:_MOST_REFERENCES]
            there = there[np.argsort(expected[there, j], kind="stable")]
            self.expected[j, : len(there)] = expected[there, j]
            self.bins[j, : len(there)] = self._bins(j, cells[there, j])
            self.counts[j] = len(there)
        return self

    def check(self, columns):
        """Raise ValueError for arrays, read from a file, that don't fit together."""
        k, shape = columns.layout.n_numbers, self.expected.shape
        rows = self.low, self.high, self.counts, self.surprises, self.usual_errors
        if shape[0] != k or any(len(values) != k for values in rows):
            raise ValueError("Its ratios are not those of its columns.")
        if self.bins.shape != shape or (self.bins >= _BINS).any():
            raise ValueError("Its bins are not possible.")
        if self.shares.shape != (k, _BINS) or self.edges.shape != (k, _BINS - 1):
            raise ValueError("Its bins are not possible.")
        is_count = (self.counts >= 0) & (self.counts <= shape[1])
        if not is_count.all() or (self.shares < 0).any():
            raise ValueError("Its counts are not possible.")
        if (self.usual_errors <= 0).any() or (self.low > self.high).any():
            raise ValueError("Its usual errors or ranges are not possible.")

    def of(self, columns, cells, unseen, expected, are_references=False):
        """Log ratios, in the order of the table's columns.

        Parameters
        ----------
        columns : Columns
            The autoencoder's.
        cells : ndarray of shape (n, width)
        unseen : ndarray of shape (n, n_columns), bool
            Where there are levels that were not observed.
        expected : ndarray of shape (n, width)
            Of columns that the autoencoder can't see.
        are_references : bool, default=False
            Whether these are the rows held out that were learned from: none of them
            counts for itself.

        Returns
        -------
        ratios : ndarray of shape (n, n_columns)
            Higher is more unusual; 0 where cells are missing.
        """
        layout = columns.layout
        ratios = np.zeros((len(cells), layout.n_columns))
        for j in range(layout.n_numbers):
            there = np.flatnonzero(~np.isnan(cells[:, j]))
            own = are_references & (np.arange(len(there)) < _MOST_REFERENCES)
            position = layout.order[j]
            found = self._of_numbers(j, cells[there, j], expected[there, j], own)
            found += self._beyond(j, cells[there, j], columns.columns[position].shift)
            ratios[there, position] = found
        for i, j in enumerate(layout.order[layout.n_numbers :]):
            block = layout.block(i)
            ratios[:, j] = _of_levels(
                columns.columns[j], cells[:, block], expected[:, block]
            )
            # As if one in so many cells as were observed, and one more, were such.
            ratios[unseen[:, j], j] = np.log(sum(columns.columns[j].counts) + 1)
        return ratios

    def _of_numbers(self, j, cells, expected, own):
        bins, m = self._bins(j, cells), int(self.counts[j])
        share = self.shares[j, bins]
        size = min(_NEAREST, m)
        start = np.searchsorted(self.expected[j, :m], expected.astype(np.float32))
        start = np.clip(start - size // 2, 0, m - size)
        nearest = self.bins[j, start[:, None] + np.arange(size)]
        alike = (nearest == bins[:, None]).sum(axis=1) - own
        others = np.maximum(size - own, 0) + _ADDED
        here = (np.maximum(alike, 0) + _ADDED * share) / others
        return np.log(share) - np.log(here)

    def _beyond(self, j, cells, shift):
        """Nats of what numbers are beyond the range."""
        low, high = self.low[j], self.high[j]
        apart = np.maximum(np.maximum(low - cells, cells - high), 0)
        if high > low:
            return apart / (_NAT * (high - low))
        # Units are those of the data, where there is no deviation to divide by.
        return np.where(apart > _ROUNDING * abs(shift), self.surprises[j], 0.0)

    def _bins(self, j, cells):
        return np.searchsorted(self.edges[j], cells)


def _edges(known):
    """Edges between bins of about equal counts, of sorted numbers."""
    levels = np.unique(known)
    if len(levels) <= _BINS:
        return (levels[1:] + levels[:-1]) / 2
    shares = np.arange(1, _BINS) / _BINS
    edges = np.unique(np.quantile(known, shares, method="lower"))
    return edges[edges < levels[-1]]


def _of_levels(column, cells, expected):
    """Log ratios (n,) of levels, by dummies (n, width) and their expectations."""
    if not column.levels:
        return np.zeros(len(cells))
    there = ~np.isnan(cells[:, 0])
    level = np.where(there, np.argmax(cells, axis=1), 0)
    share = column.shares[level]
    here = expected[np.arange(len(cells)), level] / column.factor
    # None is less likely than as if one more cell had been seen, in whatever row.
    n = sum(column.counts)
    here = (n * np.clip(here, 0, 1) + share) / (n + 1)
    return np.where(there, np.log(share) - np.log(here), 0.0)
