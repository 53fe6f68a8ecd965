"""Times of readings: read from what users pass, and where stretches of them end."""

import re
from typing import NamedTuple

import numpy as np
import pandas as pd
from pandas.api import types

from skae._tables.frames import library_of, refuse_others
from skae._utils.warnings import warn

# Text that begins as dates do, or times of day.
_LIKE_TIMES = re.compile(r"\s*(\d{1,4}[-/.]\d{1,2}[-/.]\d{1,4}|\d{1,2}:\d\d)")
# Of the steps, the share that may go back in what is still a series.
_MOST_BACK = 0.1
# Usual steps that differ by this factor are those of other windows.
_OTHER_STEP = 2.0


class Steps(NamedTuple):
    """Steps in time between readings.

    Attributes
    ----------
    sizes : ndarray of shape (n_times - 1,), float64
        NaN from one series to another, which have no time between them.
    unit : str
        "s" for times; of an index of periods its frequency, of numbers "".
    """

    sizes: np.ndarray
    unit: str

    @property
    def usual(self):
        """The median step forward; NaN if there is none."""
        forward = self.sizes[self.sizes > 0]
        return float(np.median(forward)) if len(forward) else np.nan

    def in_words(self, size):
        return f"{pd.Timedelta(size, 's')}" if self.unit == "s" else f"{size:g}"


def read_series(X):
    """Readings as a table or array, and the labels of their times.

    Parameters
    ----------
    X : array-like of shape (n_times, n_sensors)
        Or a Series. A DataFrame of polars may have a column of times.

    Returns
    -------
    X : array-like of shape (n_times, n_sensors)
        A Series is one column; times of polars are left out.
    labels : Index or None
        None for what has no labels.

    Raises
    ------
    TypeError, ValueError
        If times are where readings were expected, or are text.
    """
    if isinstance(X, (list, tuple)) and any(hasattr(part, "columns") for part in X):
        raise TypeError(
            f"X is a {type(X).__name__} of {len(X)} tables, but one was expected: "
            "pd.concat(X, keys=range(len(X))) makes one, whose parts stay apart."
        )
    if type(X).__name__ == "Series" and hasattr(X, "to_frame"):
        X = X.to_frame()
    library = library_of(X)
    if library == "polars":
        return _of_polars(X)
    if library != "pandas":
        refuse_others(X)
        return X, None
    _check_columns(X)
    _check_labels(X.index)
    return X, X.index


def joined_labels(labels):
    """The labels of the times of all blocks of a series.

    Parameters
    ----------
    labels : sequence of Index or None
        Those of one block after the other. None has no labels, nor have blocks that
        number their rows.
    """
    if any(part is None or _is_numbered(part) for part in labels):
        return None
    return labels[0].append(list(labels[1:]))


def _is_numbered(labels):
    return isinstance(labels, pd.RangeIndex) and labels.step == 1


def steps_of(labels, n_times):
    """Steps between readings by their labels; of what has no times each is 1."""
    sizes, unit = np.ones(max(n_times - 1, 0)), ""
    if labels is None:
        return Steps(sizes, unit)
    times = labels.get_level_values(-1)
    if isinstance(times, pd.PeriodIndex):
        sizes, unit = np.diff(times.asi8).astype(float), times.freqstr
    elif isinstance(times, pd.DatetimeIndex | pd.TimedeltaIndex):
        sizes, unit = (times[1:] - times[:-1]) / pd.Timedelta(1, "s"), "s"
    elif types.is_numeric_dtype(times) and not types.is_bool_dtype(times):
        sizes = np.diff(times.to_numpy(float))
    sizes = np.array(sizes, float)
    for level in range(labels.nlevels - 1):
        keys = labels.get_level_values(level)
        sizes[keys[1:] != keys[:-1]] = np.nan
    return Steps(sizes, unit)


def has_zone(labels):
    """Whether times have a time zone; None of labels that are none."""
    times = None if labels is None else labels.get_level_values(-1)
    return times.tz is not None if isinstance(times, pd.DatetimeIndex) else None


def check_order(steps, labels):
    """Warn of times that are repeated or go back.

    Raises
    ------
    ValueError
        If they go back so often that rows are in no order of time.
    """
    back = np.flatnonzero(steps.sizes < 0)
    if len(back):
        k = back[0]
        where = f"The times of X decrease from {labels[k]} to {labels[k + 1]}"
        if len(back) > _MOST_BACK * len(steps.sizes):
            raise ValueError(
                f"{where}, and {len(back)} of {len(steps.sizes)} steps go back, but "
                "the oldest was expected first: use X.sort_index()."
            )
        warn(
            f"{where}. Readings before and after are taken for series of their own, "
            "as if a clock had been set back. If rows are out of order instead, use "
            "X.sort_index()."
        )
    repeated = np.flatnonzero(steps.sizes == 0)
    if len(repeated):
        warn(
            f"The index of X has {labels[repeated[0]]} more than once, and each counts "
            "as a time of its own. If it should not, use X[~X.index.duplicated()]."
        )


def ends_of_stretches(steps, usual, max_step):
    """Where windows must not pass: the steps, by number, that end a stretch.

    Parameters
    ----------
    steps : Steps
    usual : float
        NaN if it is not known.
    max_step : float or None
        In usual steps.
    """
    is_end = ~(steps.sizes >= 0)
    if max_step is None:
        return np.flatnonzero(is_end)
    if steps.usual > _OTHER_STEP * usual or steps.usual < usual / _OTHER_STEP:
        warn(
            f"The readings of X are usually {steps.in_words(steps.usual)} apart, but "
            f"{steps.in_words(usual)} where the detector was fitted: its windows are "
            "of other lengths in time. Bring X to the same step, as by X.resample()."
        )
    # Rounding makes 0.3 / 0.1 more than 3.
    is_end |= steps.sizes > max_step * usual * (1 + 1e-9)
    return np.flatnonzero(is_end)


def _of_polars(X):
    """A table of polars without its column of times, and these."""
    names = [name for name, dtype in X.schema.items() if dtype.is_temporal()]
    if len(names) > 1:
        raise ValueError(
            f"Columns {names} of X hold dates or times, but one was expected at the "
            "most, when readings were taken: leave the others out."
        )
    for name, dtype in X.schema.items():
        if str(dtype) == "String":
            way = f"X.with_columns(pl.col({name!r}).str.to_datetime())"
            _refuse_text(name, X[name].drop_nulls().head(1).to_list(), way)
    if not names:
        return X, None
    column = X[names[0]]
    labels = pd.Index(column.to_numpy(), name=names[0])
    zone = getattr(column.dtype, "time_zone", None)
    if zone is not None:
        labels = labels.tz_localize("UTC").tz_convert(zone)
    _check_labels(labels)
    return X.drop(names[0]), labels


def _check_columns(X):
    """Raise for a column of times, which should be the index."""
    for j, (name, dtype) in enumerate(zip(X.columns, X.dtypes, strict=True)):
        if str(dtype).startswith(("datetime", "timedelta", "period")):
            raise ValueError(
                f"Column {name!r} of X holds {dtype}, but WindowedDetector takes "
                "numbers only. If it says when readings were taken, make it the index: "
                f"X.set_index({name!r})."
            )
        if _may_be_text(dtype):
            way = f"X.set_index(pd.to_datetime(X[{name!r}])).drop(columns={name!r})"
            _refuse_text(name, X.iloc[:, j].dropna().head(1).tolist(), way)


def _may_be_text(dtype):
    return types.is_object_dtype(dtype) or types.is_string_dtype(dtype)


def _refuse_text(name, first, way):
    """Raise for a column whose first value, in a list, is text like times."""
    if first and isinstance(first[0], str) and _LIKE_TIMES.match(first[0]):
        raise ValueError(
            f"Column {name!r} of X holds text such as {first[0]!r}, but "
            "WindowedDetector takes numbers only. If it says when readings were taken, "
            f"use {way}."
        )


def _check_labels(labels):
    times = labels.get_level_values(-1)
    if times.hasnans:
        raise ValueError(
            f"The index of X lacks {times.isna().sum()} of its {len(times)} times: "
            "remove these rows or fill in when they were read."
        )
    for level, name in enumerate(labels.names[:-1]):
        keys = labels.get_level_values(level)
        if keys.hasnans:
            raise ValueError(
                f"Level {level if name is None else name!r} of the index of X lacks "
                f"{keys.isna().sum()} of its {len(keys)} keys, which tell whose "
                "readings these are: remove these rows or fill in the keys."
            )
    first = times[0] if len(times) and _may_be_text(times.dtype) else None
    if isinstance(first, str) and _LIKE_TIMES.match(first):
        raise ValueError(
            f"The index of X holds text such as {first!r}, but times were expected: "
            "use X.set_axis(pd.to_datetime(X.index))."
        )
    if hasattr(first, "isoformat"):
        raise ValueError(
            f"The index of X holds objects such as {first!r}, but times of one kind "
            "were expected: use X.set_axis(pd.to_datetime(X.index)), with utc=True "
            "where some have a time zone."
        )
