"""Columns of categories, as blocks of dummies."""

from collections import Counter
from dataclasses import dataclass, fields
from functools import cached_property
from typing import ClassVar

import numpy as np

from skae._tables.column import Column
from skae._tables.values import KINDS, Levels, Numbers, as_levels, kind_of
from skae._utils.checks import count, list_of
from skae._utils.layout import LEAST_ENTROPY
from skae._utils.stored import stored

# More levels than these have no dummies of their own: blocks stay smaller than 256.
MOST_LEVELS = 254
# A level that was seen once can't be learned, only be remembered: it is pooled.
LEAST_COUNT = 2


@dataclass(frozen=True)
class CategorySummary:
    """What is known of categories: of a block of rows, or of several.

    Attributes
    ----------
    kind : {"text", "bool", "number"} or None
        Of all levels. None where nothing was observed.
    counts : dict of level to int
        Cells of each level that was observed.
    """

    rank = 2
    kind: str | None
    counts: dict

    @classmethod
    def of(cls, values):
        """That of values."""
        values = _levels(values)
        return cls(values.kind(), dict(zip(*values.observed(), strict=True)))

    @property
    def is_empty(self):
        return not self.counts

    def is_like(self, other):
        """Whether the two can be added up: what is of one kind, and what is empty."""
        return self.is_empty or other.is_empty or self.kind == other.kind

    def __add__(self, other):
        parts = [self.counts, other.counts]
        if len({type(level) for counts in parts for level in counts}) > 1:
            # As in a column that has integers and others.
            parts = [_of_floats(counts) for counts in parts]
        counts = Counter(parts[0])
        counts.update(parts[1])
        return CategorySummary(self.kind or other.kind, dict(counts))

    def column(self, dtype):
        """The column; its dtype says no more."""
        # The most frequent first; the order of rows doesn't matter.
        order = sorted(self.counts.items(), key=lambda pair: (-pair[1], pair[0]))
        levels, counts = [level for level, _ in order], [n for _, n in order]
        own = min(sum(n >= LEAST_COUNT for n in counts), MOST_LEVELS)
        n_pooled = len(levels) - own
        if n_pooled:
            levels = levels[: own + 1]
            counts = [*counts[:own], sum(counts[own:])]
        return CategoryColumn(self.kind, levels, counts, n_pooled)


def _of_floats(counts):
    found: Counter = Counter()
    for level, count_of in counts.items():
        found[float(level)] += count_of
    return found


@stored(
    kind=lambda value: value is None or value in KINDS,
    levels=list_of(lambda level: kind_of(level) is not None),
    counts=list_of(count),
    n_pooled=count,
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
    n_pooled : int
        Levels that the last one stands for, itself among them: a pool, to which levels
        that were not observed belong too. 0 where there is none.
    """

    is_category = True
    scale = np.nan
    summary: ClassVar = CategorySummary
    kind: str | None
    levels: list
    counts: list
    n_pooled: int

    @property
    def is_empty(self):
        return not self.levels

    @property
    def has_pool(self):
        return self.n_pooled > 0

    @property
    def width(self):
        """Dummies; one that is always missing where nothing was observed."""
        return max(1, len(self.levels))

    @cached_property
    def shares(self):
        """Frequencies (width,) of the levels in what was observed."""
        counts = np.array(self.counts or [1], np.float64)
        return counts / counts.sum()

    @cached_property
    def entropy(self):
        """Of the frequencies, in nats."""
        return float(-np.sum(self.shares * np.log(self.shares))) + 0.0

    @cached_property
    def surprise(self):
        """Nats of a level that was not observed, over the entropy."""
        return float(np.log(sum(self.counts) + 1) / max(self.entropy, LEAST_ENTROPY))

    @cached_property
    def factor(self):
        """What dummies are multiplied by, so that their variances add up to 1."""
        variance = float(np.sum(self.shares * (1 - self.shares)))
        return variance**-0.5 if variance > 0 else 1.0

    @cached_property
    def _places(self):
        """The number of each level."""
        return {level: i for i, level in enumerate(self.levels)}

    def __getstate__(self):
        # Without what is kept to be found once.
        return {part.name: getattr(self, part.name) for part in fields(self)}

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
        known, other = self._places, len(self.levels) - 1 if self.has_pool else -1
        places = [known.get(level, other) for level in values.levels]
        codes = np.array([*places, -1])[values.codes]
        there = codes >= 0
        cells[:] = np.where(there, 0.0, np.nan)[:, None]
        cells[np.flatnonzero(there), codes[there]] = self.factor
        return ~there & ~values.missing

    def decode(self, cells):
        """The likeliest levels, of dummies or their expectations (n, width).

        The share of a pool is that of many levels, of which each has a part.
        """
        if not self.levels:
            return Levels(np.full(len(cells), -1), [])
        return Levels(self._likeliest(cells), self.levels)

    def drawn(self, cells, rng):
        """Dummies (n, width) of levels drawn by their expectations.

        Of a pool none is drawn, unless there is nothing else: nobody knows which.
        """
        n_drawn = self.width - 1 if self.has_pool and self.width > 1 else self.width
        ends = np.cumsum(cells[:, :n_drawn], axis=1)
        at = rng.random((len(ends), 1)) * ends[:, -1:]
        level = (ends <= at).sum(axis=1).clip(max=n_drawn - 1)
        return self.factor * np.eye(self.width)[level]

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
        found = np.zeros((len(cells), other.width))
        for i, level in enumerate(self.levels):
            share = cells[:, i] / self.factor
            found[:, other._places.get(level, other.width - 1)] += share * other.factor
        return found

    def told(self, value, cells):
        """A level with its probability."""
        if self.is_empty:
            return super().told(value, cells)
        place = self._likeliest(cells[None])[0]
        is_pool = self.has_pool and place == self.width - 1
        level = "a rare level" if is_pool else repr(value)
        share = min(cells[place] / self.factor, 1.0)
        return f"{level} ({100 * share:.0f} %)"

    def _likeliest(self, cells):
        """Place (n,) of the level in each row of dummies (n, width)."""
        if self.has_pool:
            parts = np.r_[np.ones(self.width - 1), self.n_pooled]
            cells = cells / parts
        return cells.argmax(axis=1)

    def _check_loaded(self):
        if len(self.levels) != len(self.counts) or 0 in self.counts:
            raise ValueError("Its counts are not those of its levels.")
        if {kind_of(level) for level in self.levels} - {self.kind}:
            raise ValueError("Its levels are not of its kind.")
        if self.n_pooled > sum(self.counts[-1:]):
            raise ValueError("It has a pool of nothing.")


def _levels(values):
    """Values as levels; of dates there are none."""
    if isinstance(values, Levels):
        return values
    if isinstance(values, Numbers):
        return as_levels(values)
    return Levels(np.full(len(values.missing), -1), [])
