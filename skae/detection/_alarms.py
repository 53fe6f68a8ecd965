"""Alarms of a series as intervals, and the readings that make them."""

from numbers import Real

import numpy as np
import pandas as pd

# Columns of tables of alarms, after those of the index.
_COLUMNS = "start", "end", "n_readings", "peak", "score", "sensor"
# Usual errors below which a reading is as usual by itself.
_USUAL = 2.0


def check_levels(labels):
    """Raise ValueError for levels of an index that can't be columns beside others."""
    names = [*_keys(labels), *_COLUMNS]
    repeated = [name for k, name in enumerate(names) if name in names[:k]]
    if repeated:
        raise ValueError(
            f"The index of X has levels {list(labels.names)}, and alarms would have "
            f"two columns {repeated[0]!r}: give the level another name, as by "
            "X.rename_axis(index={" + f"{repeated[0]!r}: 'machine'" + "})."
        )


def _keys(labels):
    """Names of the columns of all levels of an index but the last."""
    names = enumerate(labels.names[:-1])
    return [f"level_{level}" if name is None else name for level, name in names]


def intervals(is_alarm, scores, stretches, steps, merge_within):
    """Alarms as intervals, by the numbers of times.

    Parameters
    ----------
    is_alarm : ndarray of shape (n_times,), bool
    scores : ndarray of shape (n_times,)
        Lower is more unusual.
    stretches : Stretches
    steps : Steps
    merge_within : Timedelta, str, number or None
        Alarms no farther apart in time are one, and those whose windows share readings.

    Returns
    -------
    first, last, peak : ndarray of shape (n_alarms,), int
        Numbers of the first time, the last and the one with the lowest score.
    """
    limit = _as_step(merge_within, steps)
    times = np.flatnonzero(is_alarm)
    starts = [start for start, _ in stretches.bounds]
    stretch = np.searchsorted(starts, times, side="right")
    # Times that follow each other are one alarm, even where windows are single times.
    is_one = np.diff(times) < max(stretches.length, 2)
    is_one &= np.diff(stretch) == 0
    if limit is not None:
        goes_on = steps.sizes >= 0
        clock = np.r_[0.0, np.cumsum(np.where(goes_on, steps.sizes, 0.0))]
        series = np.r_[0, np.cumsum(~goes_on)]
        is_near = np.diff(clock[times]) <= limit
        is_one |= is_near & (np.diff(series[times]) == 0)
    if not len(times):
        return times, times, times
    ends = np.flatnonzero(~is_one)
    first, last = times[np.r_[0, ends + 1]], times[np.r_[ends, len(times) - 1]]
    peak = [
        a + np.nanargmin(scores[a : b + 1]) for a, b in zip(first, last, strict=True)
    ]
    return first, last, np.array(peak)


def table_of_alarms(labels, numbers, scores, sensors):
    """Alarms as :meth:`WindowedDetector.alarms` returns them.

    Parameters
    ----------
    labels : Index of length n_times
    numbers : tuple of ndarray of shape (n_alarms,)
        First times, last ones and peaks.
    scores : ndarray of shape (n_times,)
    sensors : ndarray of shape (n_alarms,) or None
        The one that is most at fault.
    """
    first, last, peak = numbers
    columns = {
        name: labels.get_level_values(level)[first]
        for level, name in enumerate(_keys(labels))
    }
    times = labels.get_level_values(-1)
    columns |= {
        "start": times[first],
        "end": times[last],
        "n_readings": last - first + 1,
        "peak": times[peak],
        "score": scores[peak],
    }
    if sensors is not None:
        columns["sensor"] = sensors
    return pd.DataFrame(columns)


def table_of_reasons(found, sensors, times, of_sensors, n_sensors, n_readings):
    """Readings that make alarms, as :meth:`WindowedDetector.explain` returns them.

    Parameters
    ----------
    found : DataFrame
        What the detector says of the alarms' windows; `feature` is a cell's number.
    sensors : ndarray of shape (d,)
        Their names.
    times : list of Index of shape (length,)
        Those of each alarm's window.
    of_sensors : ndarray of shape (n_alarms, d)
        How much each sensor makes each alarm.
    n_sensors, n_readings : int
        At the most, for each alarm and for each of its sensors.
    """
    alarm, cell = found["row"].to_numpy(int), found["feature"].to_numpy(int)
    moment, sensor = np.divmod(cell, len(sensors))
    place = np.argsort(np.argsort(-of_sensors, axis=1, kind="stable"), axis=1)
    size = found["standardized_error"].abs()
    order = pd.DataFrame(
        {"alarm": alarm, "place": place[alarm, sensor], "nearness": -size}
    )
    is_usual = size.groupby([alarm, sensor]).transform("max") < _USUAL
    order = order.sort_values(["alarm", "place", "nearness"], kind="stable")
    among = order.groupby("alarm")["place"].rank("dense")
    nth = order.groupby(["alarm", "place"]).cumcount()
    kept = order.index[(among <= n_sensors) & (nth < n_readings)]
    taken = found.loc[kept].reset_index(drop=True)
    alarm, moment, names = alarm[kept], moment[kept], sensors[sensor[kept]]
    at = [times[a][m] for a, m in zip(alarm, moment, strict=True)]
    hints = np.where(is_usual[kept], "; not by itself unusual, but its course is", "")
    parts = zip(names, at, taken["message"], hints, strict=True)
    messages = [f"{name} at {time}{said}{hint}" for name, time, said, hint in parts]
    columns = ["observed", "expected", "standardized_error", "score"]
    return pd.DataFrame(
        {
            "alarm": alarm,
            "time": pd.Index(at, dtype=None if at else object),
            "sensor": names,
            **{name: taken[name].astype(float) for name in columns},
            "message": np.array(messages, object),
        }
    )


def _as_step(merge_within, steps):
    """What alarms may be apart, in the unit of steps in time; None for nothing."""
    if merge_within is None:
        return None
    # A timedelta64 of NumPy says of itself that it is an integer.
    is_number = isinstance(merge_within, Real)
    is_number = is_number and not isinstance(merge_within, np.timedelta64)
    if steps.unit == "s" and not is_number:
        try:
            limit = pd.Timedelta(merge_within).total_seconds()
        except ValueError as error:
            raise ValueError(
                f"merge_within={merge_within!r} is no duration, such as '2h': {error}."
            ) from error
    elif steps.unit == "s" or not is_number:
        expected = "a duration such as '2h'" if steps.unit == "s" else "a number"
        raise ValueError(
            f"merge_within={merge_within!r}, but {expected} was expected, as the index "
            f"of X holds {'times' if steps.unit == 's' else 'no times'}."
        )
    else:
        limit = merge_within
    if not limit >= 0:
        raise ValueError(f"merge_within={merge_within!r}, but it can't be below 0.")
    return limit
