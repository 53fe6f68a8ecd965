"""The base of frames: tables of any library, read in one way."""

from abc import ABC, abstractmethod
from typing import Any, NamedTuple

import numpy as np

from skae._tables.values import Dates, Levels, Numbers


class Filling(NamedTuple):
    """What some cells of a column are to be.

    Attributes
    ----------
    mask : ndarray of shape (n_samples,), bool
        Which cells.
    values : Numbers, Dates or Levels
        As many.
    dtype : dict
        What was fitted: what values are like where a dtype doesn't say it.
    is_whole : bool
        Whether nothing of the column is kept, so that it is to have this dtype.
    """

    mask: np.ndarray
    values: Numbers | Dates | Levels
    dtype: dict
    is_whole: bool = False

    @property
    def held(self):
        """What objects are to be, whatever the others are that came beside them."""
        return self.dtype.get("held", "number")


class Frame(ABC):
    """Base of frames: what reads a table column by column, and makes tables.

    Parameters
    ----------
    X : DataFrame or array-like of shape (n_samples, n_columns)

    Attributes
    ----------
    library : {"pandas", "polars", "array"}
    X : DataFrame or ndarray
    names : list or None
        Of the columns; an array has none.
    shape : tuple of two int
    """

    library: str
    X: Any
    names: list | None
    shape: tuple

    @abstractmethod
    def rows(self, rows):
        """Some rows of X, by a slice or by an array of numbers, in its own type."""

    @abstractmethod
    def columns(self, columns):
        """The columns of X with these numbers, an array, in its own type."""

    @abstractmethod
    def is_plain(self, j):
        """Whether a column certainly holds numbers and nothing else."""

    @abstractmethod
    def dtype(self, j):
        """What a column is to come back as, in plain values: a dict."""

    def holds(self, j):
        """A column's kind in the users' words."""
        dtype = self.dtype(j)
        return dtype.get("held", dtype["name"])

    @abstractmethod
    def read(self, j):
        """Values of a column, or None if they are none that a table may hold."""

    @abstractmethod
    def filled(self, parts):
        """A copy in which cells of some columns are others.

        Parameters
        ----------
        parts : dict of int to Filling
            By the numbers of columns.
        """

    @abstractmethod
    def to_numbers(self, j):
        """Code that turns a column of text into numbers."""

    @abstractmethod
    def to_text(self, j):
        """Code that turns a column into text."""

    def is_declared(self, j):
        """Whether a column's dtype is one of categories, and not only of text."""
        return False

    @abstractmethod
    def to_dates(self, j):
        """Code that turns a column of text into dates."""

    def fits(self, j, values):
        """Whether the dtype of a column without any value can hold some."""
        return type(self.read(j)) is type(values)

    @staticmethod
    @abstractmethod
    def natural(values):
        """The dtype that values have if nothing else is known: a dict."""

    @abstractmethod
    def objects(self):
        """Cells (n_samples, n_columns) as Python's objects, missing ones as None."""

    @staticmethod
    @abstractmethod
    def is_dtype(dtype):
        """Whether a column can be made of what describes its dtype."""

    @staticmethod
    @abstractmethod
    def joined(one, other):
        """The dtype of a column with values of two; None if there is none.

        Parameters
        ----------
        one, other : dict
            Not the same.
        """

    @staticmethod
    @abstractmethod
    def build(names, dtypes, columns, index=None):
        """A table of values, in the library.

        Parameters
        ----------
        names : list or None
            Of the columns, where the library's tables have names.
        dtypes : list of dict
        columns : list of Numbers, Dates or Levels
        index : Index, default=None
            Of the rows, where the library's tables have one.
        """
