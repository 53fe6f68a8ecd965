"""What a watch says of its alarms: when they were, and what made them."""

from collections.abc import Callable
from functools import update_wrapper
from numbers import Integral
from types import MethodType

import numpy as np
import pandas as pd
from sklearn.preprocessing import FunctionTransformer

from skae._sources.door import refuse_sources
from skae.detection._alarms import (
    check_levels,
    intervals,
    table_of_alarms,
    table_of_reasons,
)
from skae.detection._series import OfSeries


class _OfDetector:
    """A method that is there if the detector has one of its name.

    As :func:`sklearn.utils.metaestimators.available_if`, which has no words for why it
    is not.
    """

    def __init__(self, function):
        self._function = function
        update_wrapper(self, function)

    def __get__(self, watch, owner=None):
        if watch is None:
            return self._function
        detector, name = watch.detector, self._function.__name__
        if detector is not None and not hasattr(detector, name):
            raise AttributeError(
                f"detector={detector!r} has no {name}, which tells what each reading "
                f"adds, so there is none of windows: use a detector that has it, such "
                "as AutoencoderOutlierDetector. alarms() does without."
            )
        return MethodType(self._function, watch)


class Alarming(OfSeries):
    """Mixin of a detector of windows that raises alarms."""

    _states: Callable
    get_feature_names_out: Callable

    def alarms(self, X, *, merge_within=None) -> pd.DataFrame:
        """When there were alarms, as intervals.

        From the first to the last time at which :meth:`predict` returns -1. Alarms
        whose windows share readings are one.

        Parameters
        ----------
        X : array-like of shape (n_times, n_sensors)
            Readings in the units that the detector was fitted on, the oldest first.
        merge_within : Timedelta, str or number, default=None
            Alarms no farther apart than this are one too: ``"1D"`` or any other
            duration that pandas reads where the index of X holds times, else a number
            in units of the index.

        Returns
        -------
        alarms : DataFrame
            A line for each alarm, in the order of X: `start` and `end` (labels of the
            first and last time), `n_readings` (times from the one to the other), `peak`
            (the time with the lowest score), `score` (there) and `sensor` (that has
            most of it, where there is one alone or the detector has `feature_scores`).
            Of an index with several levels, the first columns are all but the last.

        Raises
        ------
        ValueError
            As for :meth:`predict`, if `merge_within` is not possible, or if a level of
            the index has the name of another column.
        """
        series = self._read(X)
        check_levels(series.labels)
        numbers, scores = self._found(series, merge_within)
        names, sensors = self.get_feature_names_out(), None
        if len(names) == 1:
            sensors = np.repeat(names, len(numbers[0]))
        elif hasattr(self, "feature_scores"):
            windows, _ = self._at_peaks(series, numbers[2])
            sensors = names[self._of_sensors(windows).argmax(axis=1)]
        return table_of_alarms(series.labels, numbers, scores, sensors)

    @_OfDetector
    def explain(
        self, X, n_sensors=3, *, n_readings=1, merge_within=None
    ) -> pd.DataFrame:
        """The readings that make alarms, in numbers and in words.

        Those of the window that ends at the alarm's peak. Sensors come by how much of
        the score they have, and of each the readings that are the farthest from what is
        expected of them. That is by the other sensors' readings in the window, since
        the sensor's own may all be faulty: of one sensor alone it is the mean of the
        training windows. By the detector's own `explain`, with `groups`.

        Parameters
        ----------
        X : array-like of shape (n_times, n_sensors)
            Readings in the units that the detector was fitted on, the oldest first.
        n_sensors : int, default=3
            How many sensors to name for each alarm, at the most.
        n_readings : int, default=1
            How many readings to name for each of them, at the most.
        merge_within : Timedelta, str or number, default=None
            As for :meth:`alarms`.

        Returns
        -------
        reasons : DataFrame
            A line for each alarm, sensor and reading: `alarm` (its label in what
            :meth:`alarms` returns), `time`, `sensor`, `observed`, `expected`,
            `standardized_error` (by how many usual errors of what is expected the one
            is above the other), `score` (of the reading) and `message`.

        Raises
        ------
        ValueError
            As for :meth:`predict`, or if `merge_within` or a number is not possible.
        AttributeError
            If the detector has no `explain`.
        """
        for name, value in (("n_sensors", n_sensors), ("n_readings", n_readings)):
            if not isinstance(value, Integral) or value < 1:
                raise ValueError(
                    f"{name}={value!r}, but a whole number of at least 1 was expected."
                )
        series = self._read(X)
        numbers, _ = self._found(series, merge_within)
        windows, firsts = self._at_peaks(series, numbers[2])
        units = FunctionTransformer(self._standardised, self._in_units)
        units.set_output(transform="default")  # whatever is set for all
        times_of = firsts[:, None] + np.arange(series.stretches.length)
        found = self.detector_.explain(
            series.X[times_of].reshape(windows.shape),
            windows.shape[1],
            preprocessing=units,
            groups=np.tile(np.arange(self.n_features_in_), series.stretches.length),
        )
        cells = pd.Index(self.detector_.get_feature_names_out())
        lengths = [len(name) for name in found["feature"]]
        said = [m[k:] for m, k in zip(found["message"], lengths, strict=True)]
        found = found.assign(feature=cells.get_indexer(found["feature"]), message=said)
        times = series.labels.get_level_values(-1)
        return table_of_reasons(
            found,
            self.get_feature_names_out(),
            [times[window] for window in times_of],
            self._of_sensors(windows),
            n_sensors,
            n_readings,
        )

    @_OfDetector
    def feature_scores(self, X) -> np.ndarray:
        """How much of each time's score is each sensor's.

        The sum over the window of the detector's scores for its readings, smoothed as
        scores are. For detectors that have `feature_scores`.

        Parameters
        ----------
        X : array-like of shape (n_times, n_sensors)
            Readings in the units that the detector was fitted on, the oldest first.

        Returns
        -------
        scores : ndarray of shape (n_times, n_sensors)
            As the detector's own `feature_scores`; NaN for the first times, before
            the end of the first window.
        """
        refuse_sources(X, "feature_scores", "pass a part of the series")
        series = self._read(X)
        of_sensors = self._of_sensors(series.windows)
        smoothed = self._smoothed(series.stretches, of_sensors)
        return series.stretches.at_times(smoothed)

    def _found(self, series, merge_within):
        """Alarms of a series by number of their times, and the scores of all times."""
        scores, is_alarm = self._states(series)
        given = series.stretches, series.steps, merge_within
        return intervals(is_alarm, scores, *given), scores

    def _at_peaks(self, series, peaks):
        """Windows (n, w) that end by given times, and the numbers of their first."""
        stretches = series.stretches
        latest = stretches.at_times(np.arange(len(series.windows)))[peaks].astype(int)
        return series.windows[latest], stretches.first_times()[latest]

    def _of_sensors(self, windows):
        """How much each sensor (n, n_sensors) makes windows (n, w) unusual."""
        if not len(windows):
            return np.zeros((0, self.n_features_in_))
        of_cells = np.asarray(self.detector_.feature_scores(windows))
        return of_cells.reshape(len(windows), self.length, -1).sum(axis=1)
