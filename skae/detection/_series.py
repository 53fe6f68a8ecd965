"""Series as they are passed, and as windows of readings on one scale."""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from sklearn.utils.validation import check_is_fitted

from skae._sources.door import limit_of, source_of
from skae._sources.source import RowSource
from skae._utils.checks import (
    array,
    boolean,
    dict_of,
    not_required,
    optional,
    positive,
)
from skae._utils.moments import Moments
from skae._utils.stored import stored_base
from skae._utils.validation import validated
from skae._utils.warnings import warn
from skae.detection._explaining import check_reads_sources
from skae.detection._streamed import Readings, Windows
from skae.detection._stretches import Stretches, trailing_mean
from skae.detection._times import (
    Steps,
    check_order,
    ends_of_stretches,
    has_zone,
    read_series,
    steps_of,
)

# Fewest windows to fit to where others are held out.
_LEAST_WINDOWS = 8


class Series(NamedTuple):
    """A series that was read.

    Attributes
    ----------
    X : ndarray or Readings of shape (n_times, n_sensors)
    labels : Index of length n_times
    steps : Steps
    stretches : Stretches
    windows : ndarray of shape (n_windows, length * n_sensors), or Windows
        Of sensors on one scale.
    """

    X: np.ndarray | Readings
    labels: pd.Index
    steps: Steps
    stretches: Stretches
    windows: np.ndarray | Windows


def scores_of(detector, windows):
    """Scores (n_windows,) of windows in memory, or of a source of them."""
    if isinstance(windows, RowSource):
        return np.concatenate(list(windows.mapped(detector.score_samples)))
    return detector.score_samples(windows)


@stored_base(
    mean_=not_required(optional(array("f", 1))),
    scale_=not_required(optional(array("f", 1))),
    _usual_steps=not_required(dict_of(positive)),
    _had_zone=not_required(boolean),
)
class OfSeries:
    """Mixin of estimators that read series, and cut them into windows.

    Attributes
    ----------
    _usual_steps : dict of str to float
        The median step in time in `fit`, by the unit of :class:`Steps`.
    _had_zone : bool
        Whether times in `fit` had a time zone; False in files that don't say.
    """

    length: int
    stride: int
    smoothing: int
    cv: int
    detector: Any
    scale: bool
    max_step: float | None
    n_features_in_: int
    get_feature_names_out: Callable
    detector_: Any
    # Files from before there was a scale have none.
    mean_: np.ndarray | None = None
    scale_: np.ndarray | None = None
    _usual_steps: Mapping[str, float] = MappingProxyType({})
    _had_zone: bool = False

    def _learned(self, X):
        """A series to fit to."""
        X, labels, moments = self._readings(X, reset=True)
        self._check_sensors(moments.counts == 0)
        if self.stride > self.length:
            warn(
                f"stride={self.stride} is more than length={self.length}: "
                f"{self.stride - self.length} of every {self.stride} readings are in "
                "no window, and nothing is found there. Use a stride of at most the "
                "length."
            )
        self._had_zone = has_zone(labels) is True
        self.mean_ = self.scale_ = None
        if self.scale:
            self.mean_, self.scale_ = moments.standard()
        steps = steps_of(labels, len(X))
        usual = steps.usual
        self._usual_steps = {} if np.isnan(usual) else {steps.unit: usual}
        series = self._series(X, labels, steps)
        check_reads_sources(self.detector, series.windows, "detector")
        return series

    def _read(self, X):
        """A series to apply what was fitted to."""
        check_is_fitted(self)
        X, labels, _ = self._readings(X, reset=False)
        if self._had_zone and has_zone(labels) is False:
            warn(
                "The times of X have no time zone, but those that the detector was "
                "fitted to had one. If they are local ones, an hour is missing or "
                "there twice where clocks are changed: use X.tz_localize()."
            )
        return self._series(X, labels, steps_of(labels, len(X)))

    def _readings(self, X, reset):
        """Readings, the labels of their times, and the moments of sensors."""
        source, names_are_new = source_of(X), reset

        def read(X):
            nonlocal names_are_new
            X = validated(self, X, reset=names_are_new)
            names_are_new = False
            return X

        if source is not None and not isinstance(X, np.ndarray):
            found = Readings(source, read)
            return found, found.labels, found.moments
        X, labels = read_series(X)
        X = read(X)
        # Sums depend on the order in memory, which results must not.
        return X, labels, Moments.of(np.ascontiguousarray(X))

    def _series(self, X, labels, steps):
        check_order(steps, labels)
        usual = self._usual_steps.get(steps.unit, steps.usual)
        ends = ends_of_stretches(steps, usual, self.max_step)
        stretches = Stretches(ends, len(X), self.length, self.stride)
        if not stretches.counts.any():
            parts = f" in the longest of {len(ends) + 1} stretches" if len(ends) else ""
            raise ValueError(
                f"X has {stretches.longest} times{parts}, but a window has "
                f"length={self.length}: pass a longer series, without steps of more "
                f"than max_step={self.max_step} usual ones, or use shorter windows."
            )
        labels = pd.RangeIndex(len(X)) if labels is None else labels
        if isinstance(X, Readings):
            windows = Windows(X, stretches, self._standardised)
            if windows.n_bytes <= limit_of(self) / 2:
                windows = windows[np.arange(len(windows))]
        else:
            windows = stretches.windows(self._standardised(X))
        return Series(X, labels, steps, stretches, windows)

    def _standardised(self, X):
        """Readings (n, n_sensors), or windows of them, on one scale."""
        if self.mean_ is None:
            return X
        n_times = X.shape[1] // self.n_features_in_
        return (X - np.tile(self.mean_, n_times)) / np.tile(self.scale_, n_times)

    def _in_units(self, windows):
        """Windows (n, w) of sensors on one scale, in units of the data."""
        if self.mean_ is None:
            return windows
        n_times = windows.shape[1] // self.n_features_in_
        return windows * np.tile(self.scale_, n_times) + np.tile(self.mean_, n_times)

    def _smoothed(self, stretches, values):
        """Means of the latest windows' values (n_windows, ...) in each stretch."""
        return stretches.within(
            lambda part: trailing_mean(part, self.smoothing), values
        )

    def _held_out(self, series, seed, stage):
        """Scores (n_windows,) of windows by clones that know nothing of their times."""
        stretches, scores = series.stretches, np.empty(len(series.windows))
        for train, held_out in stretches.folds(self.cv):
            if len(train) < _LEAST_WINDOWS or not len(held_out):
                raise ValueError(
                    f"X has {len(scores)} windows of length={self.length}, and without "
                    f"those of one of cv={self.cv} stretches and of its times "
                    f"{len(train)} are left, but at least {_LEAST_WINDOWS} were "
                    "expected: pass a longer series, use shorter windows, or "
                    "alpha=None, which holds out nothing."
                )
            windows = series.windows
            is_streamed = isinstance(windows, Windows)
            of = windows.chosen if is_streamed else windows.__getitem__
            with stage.fitting(self._new(seed), "fold") as detector:
                detector.fit(of(train))
            scores[held_out] = scores_of(detector, of(held_out))
        return self._smoothed(stretches, scores)

    def _check_sensors(self, is_silent):
        """Raise ValueError for sensors without a single reading."""
        silent = np.flatnonzero(is_silent)
        if len(silent):
            names = list(self.get_feature_names_out()[silent[:5]])
            raise ValueError(
                f"Sensors {names} of X have no reading, so that nothing can be learned "
                "of them: leave them out, or pass readings from while they worked."
            )

    def _check_scale(self):
        """Raise ValueError for a scale, read from a file, that is none of sensors."""
        if self.mean_ is None and self.scale_ is None:
            return
        parts = [part for part in (self.mean_, self.scale_) if part is not None]
        if [len(part) for part in parts] != [self.n_features_in_] * 2:
            raise ValueError("Its scale is not one of its sensors.")
        if not (self.scale_ > 0).all():
            raise ValueError("Its sensors have scales of nothing.")
