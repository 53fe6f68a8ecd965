"""Values of a column in numpy's terms, whatever library they came from."""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

# A level of a category is one of these; all of a column are of one kind.
KINDS = ("text", "bool", "number")
# Units of dates and spans, in nanoseconds.
UNITS = {"D": 86_400 * 10**9, "s": 10**9, "ms": 10**6, "us": 10**3, "ns": 1}


class Numbers(NamedTuple):
    """Numbers.

    Attributes
    ----------
    values : ndarray of shape (n,), of integers or floats
        Anything where a cell is missing.
    missing : ndarray of shape (n,), bool
    """

    values: np.ndarray
    missing: np.ndarray

    def at(self, rows):
        return Numbers(self.values[rows], self.missing[rows])


class Dates(NamedTuple):
    """Dates, spans of time and times of day.

    Attributes
    ----------
    values : ndarray of shape (n,), int64
        Units since 1970 (in UTC), of a span, or since midnight.
    missing : ndarray of shape (n,), bool
    unit : {"D", "s", "ms", "us", "ns"}
    what : {"date", "date with time zone", "duration", "time of day"}
    clock : callable or None
        What local clocks show, of dates with time zone: units in UTC to units there,
        arrays of int64. None is UTC.
    grain : int
        Units that dates with time zone are still to be rounded to, on a local clock.
    """

    values: np.ndarray
    missing: np.ndarray
    unit: str
    what: str
    clock: Callable | None = None
    grain: int = 1

    def at(self, rows):
        return self._replace(values=self.values[rows], missing=self.missing[rows])

    def as_numpy(self):
        """Values as datetime64 or timedelta64, with NaT."""
        letter = "M" if self.what.startswith("date") else "m"
        values = self.values.astype(np.int64)
        values[self.missing] = np.iinfo(np.int64).min
        return values.view(f"{letter}8[{self.unit}]")

    def on_clock(self, clock=None):
        """The same in whole grains of a local clock, as `clock`; None is UTC."""
        if self.grain == 1:
            return self
        values = self.values.astype(np.int64)
        if clock is None:
            clock = _same
        local = clock(values)
        wanted = (local + self.grain // 2) // self.grain * self.grain
        # Between the two the clock may have been changed.
        first = wanted - (local - values)
        second = wanted - (clock(first) - first)
        is_first, is_second = clock(first) == wanted, clock(second) == wanted
        # What a clock skips, when it is put forward, becomes what is after.
        values = np.where(is_second, second, np.maximum(first, second))
        return self._replace(values=np.where(is_first, first, values), grain=1)

    def in_unit(self, unit):
        """The same in another unit, rounded down."""
        ratio = UNITS[self.unit] / UNITS[unit]
        if ratio >= 1:
            most = np.iinfo(np.int64).max // int(ratio)
            values = np.clip(self.values, -most, most) * int(ratio)
        else:
            values = self.values // (UNITS[unit] // UNITS[self.unit])
        return self._replace(values=values, unit=unit)

    @classmethod
    def of_numpy(cls, values):
        """The same of datetime64 or timedelta64 of a unit of these."""
        unit = np.datetime_data(values.dtype)[0]
        what = "duration" if values.dtype.kind == "m" else "date"
        return cls(values.astype(np.int64), np.isnat(values), unit, what)


class Levels(NamedTuple):
    """Values of few levels.

    Attributes
    ----------
    codes : ndarray of shape (n,), int64
        Numbers of levels; -1 where a cell is missing.
    levels : list of str, of bool, or of int and float
    """

    codes: np.ndarray
    levels: list

    @property
    def missing(self):
        return self.codes < 0

    def at(self, rows):
        return Levels(self.codes[rows], self.levels)

    def observed(self):
        """The levels that there are, and their counts, as lists."""
        counts = np.bincount(self.codes[self.codes >= 0], minlength=len(self.levels))
        there = np.flatnonzero(counts)
        return [self.levels[i] for i in there], counts[there].tolist()

    def as_objects(self):
        """Values (n,) as Python's objects, None where a cell is missing."""
        levels = np.empty(len(self.levels) + 1, object)
        levels[:-1] = self.levels
        return levels[self.codes]

    def kind(self):
        """One of `KINDS`; None where nothing is observed or kinds are mixed."""
        kinds = {kind_of(level) for level in self.observed()[0]}
        return kinds.pop() if len(kinds) == 1 else None


def _same(values):
    return values


def kind_of(level):
    """Which of `KINDS` a level is, or None."""
    if isinstance(level, str):
        return "text"
    if isinstance(level, bool):
        return "bool"
    return "number" if isinstance(level, int | float) else None


def as_levels(values):
    """Numbers as levels."""
    levels, codes = np.unique(values.values[~values.missing], return_inverse=True)
    all_codes = np.full(len(values.missing), -1)
    all_codes[~values.missing] = codes
    return Levels(all_codes, levels.tolist())


def as_numbers(values):
    """Levels that are numbers or truth values, as numbers."""
    levels = np.array([*values.levels, 0])
    levels = levels if levels.dtype.kind in "iuf" else levels.astype(np.float64)
    return Numbers(levels[values.codes], values.missing)


def cast(values, dtype):
    """Floats as another dtype of numpy: rounded, and clipped to what it holds.

    Parameters
    ----------
    values : ndarray of float or int
        None of them missing, unless dtype is one of floats.
    dtype : dtype
        Of truth values, integers or floats.
    """
    dtype = np.dtype(dtype)
    if values.dtype == dtype:
        return values
    if dtype.kind == "b":
        return values >= 0.5
    if dtype.kind == "f":
        info = np.finfo(dtype)
        return np.clip(values, info.min, info.max).astype(dtype)
    low, high = integer_bounds(dtype)
    return np.clip(np.rint(values.astype(np.float64)), low, high).astype(dtype)


def integer_bounds(dtype):
    """The least and the largest float that an integer dtype can hold."""
    info = np.iinfo(dtype)
    low, high = float(info.min), float(info.max)
    return low, (high if int(high) <= info.max else float(np.nextafter(high, 0.0)))
