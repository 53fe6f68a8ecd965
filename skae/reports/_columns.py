"""Columns of rows, what they came back as, and how far that is away."""

from typing import Any, NamedTuple

import numpy as np

from skae._tables.column import in_words
from skae._tables.frames import frame_of
from skae._tables.values import Dates, Levels, Numbers


class Columns(NamedTuple):
    """Columns of rows, beside what a model made of them.

    Attributes
    ----------
    names : list of str
    given, made : list of Numbers, Dates or Levels
        Of each column.
    missing : ndarray of shape (n, d), bool
        Cells of the rows.
    spreads : ndarray of shape (d,)
        Variances of numbers and dates; of categories, the share of rows that are not
        of the commonest level. 0 for columns that are constant.
    errors : ndarray of shape (n, d)
        Squared errors of numbers and dates; of categories 1 where another level came
        back. NaN where cells are missing.
    """

    names: list
    given: list
    made: list
    missing: np.ndarray
    spreads: np.ndarray
    errors: np.ndarray

    @classmethod
    def of(cls, X, made, names):
        """Columns of rows and of what was made of them.

        Parameters
        ----------
        X, made : DataFrame or ndarray of shape (n, d)
        names : array-like of shape (d,)
        """
        frames = frame_of(X), frame_of(made)
        given, made = ([f.read(j) for j in range(f.shape[1])] for f in frames)
        given = [_as_read(*pair) for pair in zip(given, made, strict=True)]
        missing = np.column_stack([column.missing for column in given])
        spreads = np.array([_spread(column) for column in given])
        pairs = zip(given, made, strict=True)
        errors = np.column_stack([_errors(*pair) for pair in pairs])
        errors[missing] = np.nan
        return cls(list(map(str, names)), given, made, missing, spreads, errors)

    @property
    def are_levels(self):
        """Which columns (d,) are categories."""
        return np.array([isinstance(column, Levels) for column in self.given])

    @property
    def centers(self):
        """Means (d,) of numbers and dates; NaN of categories."""
        return np.array([_center(column) for column in self.given])

    @property
    def deviations(self):
        """Standard deviations (d,) of numbers and dates; 1 where there is none."""
        is_none = self.are_levels | self.are_constant
        return np.where(is_none, 1.0, np.sqrt(self.spreads))

    @property
    def are_constant(self):
        """Which columns (d,) have one value alone."""
        return ~(self.spreads > 0)

    @property
    def relative(self):
        """Errors (n, d) over the column's spread; NaN in constant columns."""
        with np.errstate(divide="ignore", invalid="ignore"):
            found = self.errors / self.spreads
        found[:, self.are_constant] = np.nan
        return found

    def mean_relative(self):
        """The same (d,) in the mean over the rows: 1 is no better than the mean."""
        return mean_of_known(self.relative)

    def said(self, i, j):
        """What a cell is, and what it came back as, in words."""
        name, given, made = self.names[j], self.given[j], self.made[j]
        observed, found = _in_words(given, i), _in_words(made, i)
        if observed == found:
            return f"{name} is {observed}, which came back"
        return f"{name} is {observed}, but came back as {found}"


def mean_of_known(values):
    """Means (d,) of the columns of values (n, d) without NaN; NaN where all are."""
    known = ~np.isnan(values)
    counts = known.sum(axis=0)
    total = np.where(known, values, 0.0).sum(axis=0)
    return np.where(counts > 0, total / np.maximum(counts, 1), np.nan)


def as_floats(column):
    """Numbers and dates as floats (n,), NaN where they are missing."""
    values = np.asarray(column.values, np.float64)
    return np.where(column.missing, np.nan, values)


def _center(column):
    if isinstance(column, Levels):
        return np.nan
    return float(mean_of_known(as_floats(column)[:, None])[0])


def _spread(column):
    known = ~column.missing
    if not known.any():
        return 0.0
    if isinstance(column, Levels):
        counts = np.bincount(column.codes[known])
        return float(1 - counts.max() / known.sum())
    values = as_floats(column)[known]
    # Rounding makes a variance of what has none.
    return float(values.var()) if np.ptp(values) else 0.0


def _as_read(given, made):
    """Truth values as numbers, where a model read them so."""
    if not (isinstance(given, Levels) and isinstance(made, Numbers)):
        return given
    values = np.array([*given.levels, np.nan], np.float64)[given.codes]
    return Numbers(values, given.missing)


def _errors(given: Any, made: Any):
    if isinstance(given, Levels) and isinstance(made, Levels):
        found = {level: code for code, level in enumerate(given.levels)}
        # -2 is a level that is not there in the rows; the last one is what is missing.
        codes = np.array([*(found.get(level, -2) for level in made.levels), -1])
        return (codes[made.codes] != given.codes).astype(np.float64)
    return np.square(as_floats(given) - as_floats(made))


def _in_words(column, i):
    if column.missing[i]:
        return "missing"
    if isinstance(column, Levels):
        return repr(column.levels[column.codes[i]])
    if isinstance(column, Dates):
        (value,) = column.at(slice(i, i + 1)).as_numpy()
        return in_words(str(value.astype(f"{value.dtype.kind}8[s]")).replace("T", " "))
    return in_words(float(column.values[i]))
