"""What is known of one column of a table: the base of all kinds."""

from abc import ABC, abstractmethod
from typing import ClassVar

import numpy as np


class Column(ABC):
    """Base of columns: how their values are encoded, and decoded.

    Attributes
    ----------
    width : int
        Encoded columns.
    is_category : bool
    summary : class
        What is known of blocks of such columns: it is made by `of`, from values, is
        added up, and makes the `column` of a dtype. It has also `is_empty`, `is_like`
        and `rank`: of columns without any value the one of the highest stays.
    is_empty : bool
        Whether nothing was observed.
    scale : float
        Units of the data in a standard one; NaN for categories.
    surprise : float
        Nats of a level that was not observed, over the entropy; NaN for numbers.
    sides : tuple of two str
        What a value is that is more than another, and less.
    """

    is_category = False
    summary: ClassVar[type]
    sides = "above", "below"
    is_empty: bool
    scale: float

    @property
    def width(self):
        return 1

    @property
    def surprise(self):
        return np.nan

    @abstractmethod
    def encode(self, values, cells):
        """Write values to cells (n, width), and say which (n,) are unseen levels."""

    @abstractmethod
    def decode(self, cells):
        """Values of cells (n, width)."""

    @abstractmethod
    def refusal(self, values):
        """Why values can't be encoded, or None."""

    def advice(self, values, frame, j):
        """What to do about refused values of a column of a frame, or nothing."""
        return ""

    @abstractmethod
    def translated(self, cells, other):
        """Cells (n, width) as another column of the same kind encodes them."""

    def told(self, value, cells):
        """An expected value in words, beside the cells (width,) that stand for it."""
        return in_words(value)


class NumericColumn(Column):
    """Base of columns that are one number each, in standard units of their own."""

    shift: float

    @abstractmethod
    def numbers(self, values):
        """Values as floats (n,) in units of the column, NaN where they are missing."""

    @abstractmethod
    def restored(self, numbers):
        """Values of floats (n,) in units of the column."""

    def encode(self, values, cells):
        with np.errstate(over="ignore"):
            cells[:, 0] = (self.numbers(values) - self.shift) / self.scale
        return np.zeros(len(cells), bool)

    def decode(self, cells):
        """Values of numbers (n, 1) in standard units."""
        with np.errstate(over="ignore"):
            return self.restored(cells[:, 0] * self.scale + self.shift)

    def translated(self, cells, other):
        if self.is_empty:
            return np.zeros_like(cells)  # the mean
        values = self._counted_by(other, cells * self.scale + self.shift)
        return (values - other.shift) / other.scale

    def _counted_by(self, other, values):
        """Values in the units of another column."""
        return values


def in_words(value):
    words = f"{value:.4g}" if isinstance(value, float) else str(value)
    return words.removesuffix(" 00:00:00")
