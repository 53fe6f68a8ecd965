"""Columns of categories, as blocks of dummies."""

from dataclasses import dataclass

import numpy as np

from skae._tables.column import Column
from skae._tables.values import KINDS, Levels, Numbers, as_levels, kind_of
from skae._utils.checks import boolean, count, list_of
from skae._utils.layout import LEAST_ENTROPY
from skae._utils.stored import stored

# More levels than these have no dummies of their own: blocks stay smaller than 256.
MOST_LEVELS = 254
# A level that was seen once can't be learned, only be remembered: it is pooled.
LEAST_COUNT = 2


@stored(
    kind=lambda value: value is None or value in KINDS,
    levels=list_of(lambda level: kind_of(level) is not None),
    counts=list_of(count),
    has_pool=boolean,
)
@dataclass(frozen=True)
class CategoryColumn(Column):
    """A column of categories.

    Attributes
    ----------
    kind : {"text", "bool", "number"} or None
        Of all levels. None where nothing was observed.
    levels : list of str, of bool, or of int and float
        Those with dummies of their own, the most frequent first; the last may stand
        for a pool of rare ones, and is the most frequent of these.
    counts : list of int
        Cells of each level in what was observed; of the pool together.
    has_pool : bool
        Whether the last level is a pool: other levels, and such as were not observed,
        belong to it.
    """

    is_category = True
    scale = np.nan
    kind: str | None
    levels: list
    counts: list
    has_pool: bool

    @classmethod
    def of(cls, values, dtype):
        """A column of values; their dtype says no more."""
        values = _levels(values)
        levels, counts = values.observed()
        # The most frequent first; the order of rows doesn't matter.
        order = sorted(range(len(levels)), key=lambda i: (-counts[i], levels[i]))
        levels, counts = [levels[i] for i in order], [counts[i] for i in order]
        own = min(sum(n >= LEAST_COUNT for n in counts), MOST_LEVELS)
        has_pool = own < len(levels)
        if has_pool:
            levels = levels[: own + 1]
            counts = [*counts[:own], sum(counts[own:])]
        return cls(values.kind(), levels, counts, has_pool)

    @property
    def is_empty(self):
        return not self.levels

    @property
    def width(self):
        """Dummies; one that is always missing where nothing was observed."""
        return max(1, len(self.levels))

    @property
    def shares(self):
        """Frequencies (width,) of the levels in what was observed."""
        counts = np.array(self.counts or [1], np.float64)
        return counts / counts.sum()

    @property
    def entropy(self):
        """Of the frequencies, in nats."""
        return float(-np.sum(self.shares * np.log(self.shares))) + 0.0

    @property
    def surprise(self):
        """Nats of a level that was not observed, over the entropy."""
        return float(np.log(sum(self.counts) + 1) / max(self.entropy, LEAST_ENTROPY))

    @property
    def factor(self):
        """What dummies are multiplied by, so that their variances add up to 1."""
        variance = float(np.sum(self.shares * (1 - self.shares)))
        return variance**-0.5 if variance > 0 else 1.0

    def encode(self, values, cells):
        """Write dummies times their factor.

        Parameters
        ----------
        values : Levels or Numbers
        cells : ndarray of shape (n, width)
            NaN where values are missing, and where they are unseen.

        Returns
        -------
        unseen : ndarray of shape (n,), bool
            Whether a level was not observed and there is no pool for it.
        """
        values = _levels(values)
        known = {level: i for i, level in enumerate(self.levels)}
        other = len(self.levels) - 1 if self.has_pool else -1
        places = [known.get(level, other) for level in values.levels]
        codes = np.array([*places, -1])[values.codes]
        there = codes >= 0
        cells[:] = np.where(there, 0.0, np.nan)[:, None]
        cells[np.flatnonzero(there), codes[there]] = self.factor
        return ~there & ~values.missing

    def decode(self, cells):
        """The level of the largest of each row's dummies (n, width)."""
        if not self.levels:
            return Levels(np.full(len(cells), -1), [])
        return Levels(cells.argmax(axis=1), self.levels)

    def refusal(self, values):
        if values.missing.all():
            return None
        if not isinstance(values, Levels | Numbers):
            return f"categories of {self.kind or 'text'} were expected"
        kind = _levels(values).kind()
        if kind is None:
            return (
                "levels that are all text, all truth values or all numbers "
                "were expected"
            )
        if self.kind not in (None, kind):
            return f"categories of {self.kind} were expected"
        return None

    def translated(self, cells, other):
        """Dummies of another column's levels, of which these are some."""
        places = {level: i for i, level in enumerate(other.levels)}
        found = np.zeros((len(cells), other.width))
        for i, level in enumerate(self.levels):
            share = cells[:, i] / self.factor
            found[:, places.get(level, other.width - 1)] += share * other.factor
        return found

    def told(self, value, cells):
        """A level with its probability."""
        if self.is_empty:
            return super().told(value, cells)
        is_pool = self.has_pool and cells.argmax() == self.width - 1
        rare = " or another rare level" if is_pool else ""
        share = min(cells.max() / self.factor, 1.0)
        return f"{value!r}{rare} ({100 * share:.0f} %)"

    def _check_loaded(self):
        if len(self.levels) != len(self.counts) or 0 in self.counts:
            raise ValueError("Its counts are not those of its levels.")
        if {kind_of(level) for level in self.levels} - {self.kind}:
            raise ValueError("Its levels are not of its kind.")
        if self.has_pool and not self.levels:
            raise ValueError("It has a pool of nothing.")


def _levels(values):
    """Values as levels; of dates there are none."""
    if isinstance(values, Levels):
        return values
    if isinstance(values, Numbers):
        return as_levels(values)
    return Levels(np.full(len(values.missing), -1), [])
