"""Log ratios: how many times less likely cells are in their rows than in general."""

import numpy as np
from scipy.special import softmax

from skae._utils.checks import array
from skae._utils.stored import stored
from skae.detection._scores import usual_errors

# Bins of equal counts that numbers fall into.
_BINS = 16
# Held-out rows of the nearest expectation, among which those in a bin are counted: so
# many at the most, and one in so many, for else all would be near. As many more are
# added in the column's own proportions.
_NEAREST, _ONE_IN, _ADDED = 100, 5, 3.0
# Each end of a column, one row in so many, is more surprising than its bin says.
_END = 64
# Held-out rows kept of each fold: more cost time and memory, and change little.
_MOST_REFERENCES = 4096
# Rows beside each end of a column's range, one in so many, that don't widen it.
_BEYOND = 1000
# Share of a column's range by which a number must be beyond it for a nat; the least
# range, in standard units: less is rounding.
_NAT, _LEAST_RANGE = 0.05, 1e-9
# Share of the only value of a column that is rounding.
_ROUNDING = 1e-6


@stored(
    edges=array("f", 2, finite=False),
    shares=array("f", 2),
    low=array("f", 1),
    high=array("f", 1),
    lowest=array("f", 2, finite=False),
    highest=array("f", 2, finite=False),
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
    was expected. Of what is in an outer bin, or beyond it, no bin tells. So a number at
    an end of the column gets nats in addition: for each halving of the rows that are as
    far out as it the log of two, and for each twentieth of the range that it is beyond
    the range one. Other numbers than a column's only one are as surprising as unseen
    levels.

    Attributes
    ----------
    edges : ndarray of shape (n_numbers, n_bins - 1)
        Between bins; infinite after the last one.
    shares : ndarray of shape (n_numbers, n_bins)
        Of the rows that are fitted to; 0 in bins that are not there.
    low, high : ndarray of shape (n_numbers,)
        Range of these, but for the most extreme of thousands.
    lowest, highest : ndarray of shape (n_numbers, n_steps)
        The first, second, fourth, eighth... of these from each end; infinite where
        these would be no longer at the end.
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
        self.highest = np.full((k, _n_steps(len(cells))), np.inf)
        self.lowest = -self.highest
        for j in range(k):
            known = np.sort(cells[~np.isnan(cells[:, j]), j])
            self.surprises[j] = np.log(len(known) + 1)
            steps = 2 ** np.arange(_n_steps(len(known)))
            self.lowest[j, : len(steps)] = known[steps - 1]
            self.highest[j, : len(steps)] = known[-steps]
            if len(known):
                edges = _edges(known)
                self.edges[j, : len(edges)] = edges
                beyond = len(known) // _BEYOND
                if known[beyond] == known[-1 - beyond]:
                    beyond = 0
                self.low[j], self.high[j] = known[beyond], known[-1 - beyond]
            bins = self._bins(j, known) if len(known) else [0]
            self.shares[j] = np.bincount(bins, minlength=_BINS) / len(bins)
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
        if len(self.lowest) != k or self.lowest.shape != self.highest.shape:
            raise ValueError("Its ends are not those of its columns.")
        is_count = (self.counts >= 0) & (self.counts <= shape[1])
        # The first bin is there, and one after each edge.
        is_there = np.isfinite(np.c_[np.zeros(k), self.edges])
        if not is_count.all() or not (self.shares > 0)[is_there].all():
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
        size = min(_NEAREST, -(-m // _ONE_IN))
        if own.any():  # as many others as of new rows
            size = min(size + 1, m)
        start = np.searchsorted(self.expected[j, :m], expected.astype(np.float32))
        start = np.clip(start - size // 2, 0, m - size)
        nearest = self.bins[j, start[:, None] + np.arange(size)]
        alike = (nearest == bins[:, None]).sum(axis=1) - own
        others = np.maximum(size - own, 0) + _ADDED
        here = (np.maximum(alike, 0) + _ADDED * share) / others
        return np.log(share) - np.log(here)

    def _beyond(self, j, cells, shift):
        """Nats of what numbers are at an end of the column, or beyond its range."""
        low, high = self.low[j], self.high[j]
        apart = np.maximum(np.maximum(low - cells, cells - high), 0)
        if high > low:
            n_steps = np.isfinite(self.highest[j]).sum()
            is_below = cells[:, None] < self.lowest[j]
            is_above = cells[:, None] > self.highest[j]
            n_passed = np.maximum(is_below.sum(axis=1), is_above.sum(axis=1))
            # Fewer than a power of two are as far out, and a new one is among them.
            as_far = self.surprises[j] - np.log(_END) - (n_steps - n_passed) * np.log(2)
            far = apart / (_NAT * max(high - low, _LEAST_RANGE))
            return np.where(n_passed > 0, as_far, 0.0) + far
        # Units are those of the data, where there is no deviation to divide by.
        return np.where(apart > _ROUNDING * abs(shift), self.surprises[j], 0.0)

    def _bins(self, j, cells):
        return np.searchsorted(self.edges[j], cells)


def _n_steps(n):
    """Powers of two, from the first one on, that are at an end of n rows."""
    return max((n + 1).bit_length() - _END.bit_length() + 1, 0)


def _edges(known):
    """Upper edges of bins of about equal counts, of sorted numbers, but the last one.

    These are numbers themselves, so that there are some in each bin.
    """
    levels = np.unique(known)
    if len(levels) <= _BINS:
        return levels[:-1]
    shares = np.arange(1, _BINS) / _BINS
    edges = np.unique(np.quantile(known, shares, method="lower"))
    return edges[edges < levels[-1]]


def _of_levels(column, cells, expected):
    """Log ratios (n,) of levels, by dummies (n, width) and their expectations."""
    if not column.levels:
        return np.zeros(len(cells))
    there = ~np.isnan(cells[:, 0])
    level = np.where(there, np.argmax(cells, axis=1), 0)
    here = likelihoods(column, expected)[np.arange(len(cells)), level]
    return np.where(there, np.log(column.shares[level]) - np.log(here), 0.0)


def likelihoods(column, expected):
    """Probabilities (n, width) of a category's levels, by what is expected (n, width).

    None is less than as if one more cell had been seen, in whatever row.
    """
    n = sum(column.counts)
    here = np.clip(expected / column.factor, 0, 1)
    return (n * here + column.shares) / (n + 1)


def logs(columns, expected):
    """Expected rows (n, width) with the logarithms of what levels' probabilities are.

    As in log ratios, whose mean over the folds is then that of what is expected.
    """
    found = expected.copy()
    for column, part in _levels_of(columns):
        found[:, part] = np.log(likelihoods(column, expected[:, part]))
    return found


def undo_logs(columns, rows):
    """Levels' probabilities of means of their logarithms, in place.

    Folds may differ, and the means then add up to less than one.
    """
    for column, part in _levels_of(columns):
        rows[:, part] = softmax(rows[:, part], axis=1) * column.factor


def _levels_of(columns):
    """Categories that have levels, with their cells."""
    pairs = zip(columns.columns, columns.parts, strict=True)
    return [(c, part) for c, part in pairs if c.is_category and not c.is_empty]
