"""Columns of numbers, in their own standard units."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from skae._tables.column import NumericColumn
from skae._tables.spread import Spread
from skae._tables.values import Levels, Numbers, as_numbers, integer_bounds
from skae._utils.checks import boolean, count, number, optional, positive
from skae._utils.stored import stored


@dataclass(frozen=True)
class NumberSummary:
    """What is known of numbers: of a block of rows, or of several.

    Attributes
    ----------
    kind : dtype
        Of numpy, of the numbers; that of truth values for these and for nothing.
    spread : Spread
    """

    rank = 0
    kind: np.dtype
    spread: Spread

    @classmethod
    def of(cls, values):
        """That of values, which may be truth values."""
        is_bool = isinstance(values, Levels)
        kind = np.dtype(bool) if is_bool else values.values.dtype
        return cls(kind, Spread.of(_floats(values)[~values.missing]))

    @property
    def is_empty(self):
        return self.spread.count == 0

    def is_like(self, other):
        """Whether the two can be added up: all numbers can."""
        return True

    def __add__(self, other):
        kind = np.promote_types(self.kind, other.kind)
        return NumberSummary(kind, self.spread + other.spread)

    def column(self, dtype):
        """The column, of a described dtype."""
        if self.kind.kind == "b":
            bounds, places = (0.0, 1.0), 0
        elif self.kind.kind in "iu":
            bounds, places = integer_bounds(self.kind), 0
        else:
            # Longer floats hold more, but are computed with as these.
            is_short = self.kind.kind == "f" and self.kind.itemsize < 8
            limits = np.finfo(self.kind if is_short else "f8")
            bounds = float(limits.min), float(limits.max)
            places = dtype.get("scale")
            if places is not None:
                beyond = 10.0 ** (dtype["precision"] - places)
                high = min(beyond - 10.0**-places, float(np.nextafter(beyond, 0)))
                bounds = -high, high
        return NumberColumn(*self.spread.standard(), places, *bounds, self.is_empty)


@stored(
    shift=number,
    scale=positive,
    places=optional(count),
    low=number,
    high=number,
    is_empty=boolean,
)
@dataclass(frozen=True)
class NumberColumn(NumericColumn):
    """A column of numbers.

    Attributes
    ----------
    shift, scale : float
        Mean and standard deviation of what was observed; the latter is 1 where that
        was constant.
    places : int or None
        Decimal places that the column can hold.
    low, high : float
        The least and the largest number that it can hold.
    is_empty : bool
        Whether nothing was observed.
    """

    summary: ClassVar = NumberSummary
    shift: float
    scale: float
    places: int | None
    low: float
    high: float
    is_empty: bool

    def numbers(self, values):
        return np.where(values.missing, np.nan, _floats(values))

    def restored(self, numbers):
        """Numbers that the column can hold."""
        missing = np.full(len(numbers), self.is_empty)
        values = np.where(missing, 0.0, numbers)
        if self.places is not None:
            with np.errstate(over="ignore"):
                values = np.round(values, self.places)
        return Numbers(np.clip(values, self.low, self.high), missing)

    def refusal(self, values):
        if isinstance(values, Levels) and values.kind() not in (None, "bool"):
            return "numbers were expected"
        if not isinstance(values, Levels | Numbers) and not values.missing.all():
            return "numbers were expected"
        return None

    def advice(self, values, frame, j):
        no_number = first_no_number(values)
        if no_number is None:
            return ""
        return (
            f": {no_number!r} is no number, {frame.to_numbers(j)} makes such cells "
            "missing"
        )

    def _check_loaded(self):
        if self.low > self.high:
            raise ValueError("Its range is empty.")


def first_no_number(values):
    """The first level of text that is no number, or None."""
    if not isinstance(values, Levels):
        return None
    texts = (v for v in values.observed()[0] if isinstance(v, str))
    return next((text for text in texts if not is_number(text)), None)


def is_number(text):
    """Whether text says a number."""
    try:
        float(text)
    except ValueError:
        return False
    return True


def _floats(values):
    if isinstance(values, Levels) and values.kind() is None:
        return np.full(len(values.codes), np.nan)
    if isinstance(values, Levels):
        values = as_numbers(values)
    elif not isinstance(values, Numbers):  # dates of which there are none
        return np.full(len(values.missing), np.nan)
    return values.values.astype(np.float64)
