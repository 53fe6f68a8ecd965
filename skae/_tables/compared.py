"""Columns of rows: how much they vary, and how far other rows are from them."""

from functools import cached_property

import numpy as np

from skae._tables.column import in_words
from skae._tables.frames import frame_of
from skae._tables.values import Dates, Levels


class Columns:
    """Columns of rows, each of numbers, dates or categories.

    Parameters
    ----------
    X : DataFrame or ndarray of shape (n, d)

    Attributes
    ----------
    columns : list of Numbers, Dates or Levels
    missing : ndarray of shape (n, d), bool
        Cells that are missing.
    are_levels : ndarray of shape (d,), bool
        Which columns are categories.
    """

    def __init__(self, X):
        frame = frame_of(X)
        self.columns = [frame.read(j) for j in range(frame.shape[1])]
        self.missing = np.column_stack([column.missing for column in self.columns])
        self.are_levels = np.array([isinstance(c, Levels) for c in self.columns])

    @property
    def are_mixed(self):
        """Whether there are categories or dates."""
        return any(isinstance(column, Levels | Dates) for column in self.columns)

    @cached_property
    def centers(self):
        """Means (d,) of numbers and dates; NaN of categories."""
        return np.array([_center(column) for column in self.columns])

    @cached_property
    def variances(self):
        """Variances (d,) of numbers and dates; 0 of columns that are constant.

        Of categories the share of rows that are not of the commonest level.
        """
        return np.array([_variance(column) for column in self.columns])

    @property
    def deviations(self):
        """Standard deviations (d,) of numbers and dates; 1 where there is none."""
        is_none = self.are_levels | self.are_constant
        return np.where(is_none, 1.0, np.sqrt(self.variances))

    @property
    def are_constant(self):
        """Which columns (d,) have one value alone."""
        return ~(self.variances > 0)

    def errors(self, other):
        """Squared errors (n, d) of other columns, which stand for the same cells.

        Of categories 1 where another level is, and 0 where the same is. NaN where cells
        are missing.
        """
        pairs = zip(self.columns, other.columns, strict=True)
        errors = np.column_stack([_errors(*pair) for pair in pairs])
        return np.where(self.missing, np.nan, errors)

    def relative(self, errors):
        """Errors (n, d) over the columns' variances; NaN in constant columns."""
        variances = np.where(self.are_constant, np.nan, self.variances)
        return errors / variances

    def said(self, i, j):
        """A cell in words."""
        column = self.columns[j]
        if column.missing[i]:
            return "missing"
        if isinstance(column, Levels):
            return str(column.levels[column.codes[i]])
        if isinstance(column, Dates):
            (value,) = column.at(slice(i, i + 1)).as_numpy()
            text = str(value.astype(f"{value.dtype.kind}8[s]")).replace("T", " ")
            return in_words(text)
        return in_words(np.asarray(column.values)[i].item())


def column_means(values):
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
    return float(column_means(as_floats(column)[:, None])[0])


def _variance(column):
    known = ~column.missing
    if not known.any():
        return 0.0
    if isinstance(column, Levels):
        counts = np.bincount(column.codes[known])
        return float(1 - counts.max() / known.sum())
    values = as_floats(column)[known]
    # Rounding makes a variance of what has none.
    return float(values.var()) if np.ptp(values) else 0.0


def _errors(given, other):
    if isinstance(given, Levels) or isinstance(other, Levels):
        return (_objects(given) != _objects(other)).astype(np.float64)
    return np.square(as_floats(given) - as_floats(other))


def _objects(column):
    is_level = isinstance(column, Levels)
    return column.as_objects() if is_level else as_floats(column).astype(object)
