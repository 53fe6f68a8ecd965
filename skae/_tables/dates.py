"""Columns of dates, spans of time and times of day: numbers of a unit."""

from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np

from skae._tables.column import NumericColumn
from skae._tables.spread import Spread
from skae._tables.values import UNITS, Dates, Levels
from skae._utils.checks import boolean, number, positive
from skae._utils.stored import stored

WHATS = ("date", "date with time zone", "duration", "time of day")
_DAY = UNITS["D"]
# Seconds of Python's dates, years 1 to 9999, with a day to spare for time zones and one
# for rounding, and of its spans; in nanoseconds there are fewer.
_YEARS = -62_135_596_800 + 2 * 86_400, 253_402_300_799 - 2 * 86_400
_SPAN = 999_999_999 * 86_400
# A float64 below 2**63, beyond which int64 ends.
_MOST = 2**63 - 2**11


def _whole(value):
    return isinstance(value, int) and not boolean(value) and abs(value) <= 2**63


@dataclass(frozen=True)
class DateSummary:
    """What is known of dates or times: of a block of rows, or of several.

    Attributes
    ----------
    unit : {"D", "s", "ms", "us", "ns"}
    what : {"date", "date with time zone", "duration", "time of day"}
    grain : int
        What all are multiples of, as in :class:`DateColumn`.
    low, high : int
        The first and the last.
    start : int
        What the spread is counted from.
    spread : Spread
    """

    rank = 1
    unit: str
    what: str
    grain: int
    low: int
    high: int
    start: int
    spread: Spread

    @classmethod
    def of(cls, values):
        """That of values."""
        there = values.at(~values.missing)
        observed, grain = there.values, _grain(there)
        low = high = 0
        if len(observed):
            low, high = int(observed.min()), int(observed.max())
        start = _start(low, high, grain)
        spread = Spread.of((observed - start).astype(np.float64))
        return cls(values.unit, values.what, grain, low, high, start, spread)

    @property
    def is_empty(self):
        return self.spread.count == 0

    def is_like(self, other):
        """Whether the two can be added up: what is of one kind, and what is empty."""
        return self.is_empty or other.is_empty or self.what == other.what

    def __add__(self, other):
        if self.is_empty or other.is_empty:
            return other if self.is_empty else self
        unit = min(self.unit, other.unit, key=UNITS.get)
        one, two = self._in_unit(unit), other._in_unit(unit)
        return replace(
            one,
            # Each known unit of time is made of all shorter ones.
            grain=min(one.grain, two.grain),
            low=min(one.low, two.low),
            high=max(one.high, two.high),
            spread=one.spread + two.spread.shifted(float(two.start - one.start)),
        )

    def column(self, dtype):
        """The column; its dtype says no more."""
        start = _start(self.low, self.high, self.grain)
        shift, scale = self.spread.shifted(float(self.start - start)).standard()
        if self.low == self.high:  # others will not be a unit away, but days
            scale = float(UNITS["D"] // UNITS[self.unit])
        return DateColumn(
            self.unit, self.what, start, self.grain, shift, scale, self.is_empty
        )

    def _in_unit(self, unit):
        """The same in a finer unit."""
        ratio = UNITS[self.unit] // UNITS[unit]
        if ratio == 1:
            return self
        names = "grain", "low", "high", "start"
        parts = {name: getattr(self, name) * ratio for name in names}
        return replace(self, unit=unit, spread=self.spread.times(ratio), **parts)


@stored(
    unit=lambda value: value in UNITS,
    what=lambda value: value in WHATS,
    start=_whole,
    grain=lambda value: _whole(value) and value > 0,
    shift=number,
    scale=positive,
    is_empty=boolean,
)
@dataclass(frozen=True)
class DateColumn(NumericColumn):
    """A column of dates or times.

    Attributes
    ----------
    unit : {"D", "s", "ms", "us", "ns"}
    what : {"date", "date with time zone", "duration", "time of day"}
    start : int
        One in the middle of what was observed, in units; all are counted from it.
    grain : int
        What all that was observed are multiples of, in units: a day, an hour, a
        minute, a second or parts of one. Of dates with time zone, on their own clock.
    shift, scale : float
        Mean and standard deviation of what was observed, in units after the start.
    is_empty : bool
        Whether nothing was observed.
    """

    sides = "after", "before"
    summary: ClassVar = DateSummary
    unit: str
    what: str
    start: int
    grain: int
    shift: float
    scale: float
    is_empty: bool

    def numbers(self, values):
        """Units of the column's own since the start."""
        offsets = np.full(len(values.missing), np.nan)
        there = ~values.missing
        if there.any():
            offsets[there] = self._offsets(values.values[there], values.unit)
        return offsets

    def restored(self, numbers):
        """Dates in whole grains; those with time zone are still to be rounded."""
        missing = np.full(len(numbers), self.is_empty)
        offsets = np.where(missing, 0.0, numbers)
        low, high = self._bounds()
        first = -(-low // self.grain) * self.grain - self.start  # in whole grains
        last = high // self.grain * self.grain - self.start
        offsets = np.clip(offsets, max(first, -_MOST), min(last, _MOST))
        step, rest = (1, self.grain) if self.what.endswith("zone") else (self.grain, 1)
        steps = np.rint(offsets / step).astype(np.int64)
        values = np.clip(steps * step + self.start, low, high)
        return Dates(values, missing, self.unit, self.what, grain=rest)

    def refusal(self, values):
        if values.missing.all():
            return None
        if not isinstance(values, Dates):
            return f"values of the kind {self.what!r} were expected"
        kinds = values.what, self.what
        if kinds[0] != kinds[1] and all(kind.startswith("date") for kind in kinds):
            has = "with" if self.what.endswith("zone") else "without"
            return f"dates {has} time zone were expected"
        if kinds[0] != kinds[1]:
            return f"values of the kind {self.what!r} were expected"
        return None

    def advice(self, values, frame, j):
        texts = values.observed()[0] if isinstance(values, Levels) else []
        if not texts or not self.what.startswith("date"):
            return ""
        return f": {texts[0]!r} is none, {frame.to_dates(j)} reads such text"

    def _counted_by(self, other, values):
        ratio = UNITS[self.unit] / UNITS[other.unit]
        return values * ratio + (self.start * ratio - other.start)

    def _offsets(self, values, unit):
        if unit == self.unit:
            near = np.abs(values.astype(np.float64) - float(self.start)) < _MOST
            if near.all():
                return (values - self.start).astype(np.float64)
        return values.astype(np.float64) * (UNITS[unit] / UNITS[self.unit]) - float(
            self.start
        )

    def _bounds(self):
        """The least and the largest whole number of units that there can be."""
        if self.what == "time of day":
            return 0, _DAY // UNITS[self.unit] - 1
        seconds = (-_SPAN, _SPAN) if self.what == "duration" else _YEARS
        low, high = (second * UNITS["s"] // UNITS[self.unit] for second in seconds)
        most = 2**63 - 1 - 2 * _DAY // UNITS[self.unit]
        return max(low, -most), min(high, most)

    def _check_loaded(self):
        if self.start % self.grain:
            raise ValueError("Its start is not a multiple of its grain.")


def _start(low, high, grain):
    """In the middle, in whole grains."""
    return (low + high) // 2 // grain * grain


def _grain(dates):
    """The largest common unit of time that all dates are multiples of."""
    known = [_DAY, 3600 * 10**9, 60 * 10**9, 10**9, 10**6, 10**3, 1]
    if len(dates.values) == 0:
        return 1
    for nanoseconds in known:
        grain, rest = divmod(nanoseconds, UNITS[dates.unit])
        if grain and rest == 0:
            rounded = dates._replace(grain=grain).on_clock(dates.clock)
            if (rounded.values == dates.values).all():
                return grain
    return 1
