"""Times of readings on an axis."""

import numpy as np
import pandas as pd

from skae._tables.frames import is_table
from skae._tables.rows import check_one_for_each

# Steps that are longer than so many usual ones are gaps in a line.
_GAP = 5.0
# Units of spans of time, the longest first.
_UNITS = {"D": "days", "h": "hours", "min": "minutes", "s": "seconds"}


def times_of(X):
    """Times that grow, in what X says of its rows, or None."""
    if not is_table(X) and not hasattr(X, "index"):
        return None
    index = getattr(X, "index", None)
    if index is None:  # of polars
        held = [
            c for c in X.columns if str(X[c].dtype).startswith(("Date", "Datetime"))
        ]
        index = pd.DatetimeIndex(X[held[0]].to_numpy()) if held else None
    if not isinstance(index, pd.DatetimeIndex) or not index.is_monotonic_increasing:
        return None
    return index


def read_times(times, n_rows):
    """Times that can be drawn (n,), and what their axis says."""
    check_one_for_each("times", times, n_rows)
    index = pd.Index(times)
    if isinstance(index, pd.PeriodIndex):
        index = index.to_timestamp()
    n_missing = int(index.isna().sum())
    if n_missing:
        raise ValueError(
            f"times has no time for {n_missing} of {n_rows} rows, but one for each was "
            "expected: leave these rows out."
        )
    if not index.is_monotonic_increasing:
        raise ValueError(
            "times go back, but times that grow were expected: sort the rows by them, "
            "or draw one series after the other."
        )
    if isinstance(index, pd.DatetimeIndex):
        zone = index.tz
        index = index if zone is None else index.tz_localize(None)  # on its own clock
        return index.to_numpy(), "time" if zone is None else f"time ({zone})"
    if isinstance(index, pd.TimedeltaIndex):
        unit = _unit_of(index)
        return (index / pd.Timedelta(1, unit)).to_numpy(), f"time ({_UNITS[unit]})"
    if not len(index):
        return np.zeros(0), "time"
    if not (pd.api.types.is_numeric_dtype(index) or index.inferred_type == "date"):
        raise ValueError(
            f"times are {index[0]!r} and so on, but dates or numbers were expected: "
            "pandas.to_datetime(times) reads text."
        )
    if index.inferred_type == "date":
        index = pd.DatetimeIndex(index)
        return index.to_numpy(), "time"
    name = index.name or ("number of the reading" if _are_counted(index) else "time")
    return index.to_numpy(), str(name)


def _unit_of(spans):
    """The largest unit of which spans of time are at least one."""
    longest = max(abs(spans[0]), abs(spans[-1])) if len(spans) else pd.Timedelta(0)
    units = [unit for unit in _UNITS if longest >= pd.Timedelta(1, unit)]
    return units[0] if units else "s"


def _are_counted(index):
    return len(index) > 0 and index[0] == 0 and index[-1] == len(index) - 1


def with_gaps(places, scores):
    """Times and scores with NaN where a step is many times the usual one."""
    steps = np.diff(places)
    if not len(steps):
        return places, scores
    usual = np.median(steps.astype(np.float64))
    ends = np.flatnonzero(steps.astype(np.float64) > _GAP * max(usual, 0)) + 1
    ends = ends if usual > 0 else ends[:0]
    return np.insert(places, ends, places[ends - 1]), np.insert(scores, ends, np.nan)


def stretches(ax, places, is_there):
    """Where stretches of times begin, and how long they are, in units of the axis."""
    places = np.asarray(ax.convert_xunits(places), dtype=np.float64)
    if not is_there.any():
        return []
    step = np.median(np.diff(places)) if len(places) > 1 else 1.0
    edges = np.flatnonzero(np.diff(np.r_[0, is_there.astype(int), 0]))
    starts, stops = edges[::2], edges[1::2] - 1
    return [
        (places[a] - step / 2, places[b] - places[a] + step)
        for a, b in zip(starts, stops, strict=True)
    ]


def concise_dates(axis):
    """Ticks of dates that do not run into each other."""
    from matplotlib.dates import AutoDateLocator, ConciseDateFormatter

    locator = AutoDateLocator()
    axis.set_major_locator(locator)
    axis.set_major_formatter(ConciseDateFormatter(locator))
