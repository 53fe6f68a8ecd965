"""Columns of numbers, in their own standard units."""

import math
from dataclasses import dataclass

import numpy as np

from skae._tables.column import NumericColumn
from skae._tables.values import Levels, Numbers, as_numbers, integer_bounds
from skae._utils.checks import boolean, count, number, optional, positive
from skae._utils.stored import stored


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

    shift: float
    scale: float
    places: int | None
    low: float
    high: float
    is_empty: bool

    @classmethod
    def of(cls, values, dtype):
        """A column of values, of a described dtype."""
        observed = _floats(values)[~values.missing]
        if isinstance(values, Levels):
            bounds, places = (0.0, 1.0), 0
        elif values.values.dtype.kind in "iu":
            bounds, places = integer_bounds(values.values.dtype), 0
        else:
            kind = values.values.dtype
            # Longer floats hold more, but are computed with as these.
            kind = kind if kind.kind == "f" and kind.itemsize < 8 else "f8"
            bounds = float(np.finfo(kind).min), float(np.finfo(kind).max)
            places = dtype.get("scale")
            if places is not None:
                beyond = 10.0 ** (dtype["precision"] - places)
                high = min(beyond - 10.0**-places, float(np.nextafter(beyond, 0)))
                bounds = -high, high
        return cls(*mean_and_deviation(observed), places, *bounds, len(observed) == 0)

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


def mean_and_deviation(values):
    """Mean and standard deviation of finite numbers, whatever order they are in.

    Returns
    -------
    mean, deviation : float
        The latter is 1.0 for a constant and for nothing.
    """
    if len(values) == 0:
        return 0.0, 1.0
    # Sums depend on the order of what is added up.
    values = np.sort(values)
    # By a power of two nothing is rounded, and squares neither over- nor underflow.
    exponent = math.frexp(max(abs(values[0]), abs(values[-1])))[1]
    values = np.ldexp(values, -exponent)
    middle = values[len(values) // 2]
    mean = middle + np.mean(values - middle)
    deviation = max(values[-1] - mean, mean - values[0])
    if deviation <= 4 * np.finfo(float).eps * abs(mean):  # of rounding alone
        return math.ldexp(float(middle), exponent), 1.0
    scale = math.ldexp(float(np.sqrt(np.mean(np.square(values - mean)))), exponent)
    return math.ldexp(float(mean), exponent), scale or 1.0
