"""The windowed detector: which times of a series are outlying."""

from numbers import Integral
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator, OneToOneFeatureMixin, OutlierMixin
from sklearn.model_selection import KFold
from sklearn.utils import get_tags
from sklearn.utils.metaestimators import available_if
from sklearn.utils.validation import check_is_fitted

from skae._files.saving import Saving
from skae._utils.checks import OF_ROWS, check_names, fitted, number
from skae._utils.compat import HasMethods, Interval, fit_context
from skae._utils.random import new_seed, seeded_clone
from skae._utils.stored import stored
from skae._utils.twin import all_or_nothing
from skae._utils.validation import validated
from skae._utils.warnings import warn
from skae.detection._outlier import AutoencoderOutlierDetector
from skae.detection._windows import align_to_times, cut_windows

if TYPE_CHECKING:
    from typing import Self

_COUNT = [Interval(Integral, 1, None, closed="left")]


def _has_feature_scores(watch):
    detector = watch.detector
    return detector is None or hasattr(detector, "feature_scores")


@stored(
    prefixes={"detector_": "detector__"},
    **OF_ROWS,
    detector_=fitted(BaseEstimator),
    offset_=number,
)
class WindowedDetector(OneToOneFeatureMixin, OutlierMixin, Saving, BaseEstimator):
    """Watches a machine: which times of a series are outlying.

    The series is cut into overlapping windows, and a detector of outlying rows is
    fitted to them. Each time gets the score of the latest window that has ended, so
    that results are those that would have been known then. Readings should be on
    one scale: put a :class:`~sklearn.preprocessing.StandardScaler` first.

    A series is not a set of rows: the order of its times matters, a single time has no
    score where `length` is greater than 1, and the first ones are NaN. A pandas Series
    is one sensor. Where the index of a DataFrame or Series holds times, decreasing
    ones are refused, and repeated ones count as times of their own, with a warning.
    Readings may be missing, NaN, if they may be in rows of the detector.

    Parameters
    ----------
    detector : estimator, default=None
        With `fit`, `score_samples` and `offset_`. Windows overlap: what it holds out to
        set its threshold should be whole stretches of time. None is
        :class:`skae.AutoencoderOutlierDetector` with ``cv=KFold(2)``.
    length : int, default=24
        Times in a window.
    stride : int, default=1
        Times from the start of one window to that of the next.
    smoothing : int, default=1
        Over how many of the latest windows scores are averaged.
    n_required : int, default=1
        How many of the `n_recent` latest windows must be outlying for an alarm.
    n_recent : int, default=1
        Among how many of the latest windows outlying ones are counted.
    random_state : int, RandomState instance or None, default=None
        Determines all that is random about the detector, if that has no
        `random_state` of its own.

    Attributes
    ----------
    detector_ : estimator
        Fitted to the windows.
    offset_ : float
        Scores below it are outlying.
    n_features_in_ : int
        Number of sensors seen in `fit`.
    feature_names_in_ : ndarray of shape (`n_features_in_`,)
        Names of the sensors, where X had names that are all strings.

    See Also
    --------
    skae.AutoencoderOutlierDetector : For rows that don't follow each other.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.neighbors import LocalOutlierFactor
    >>> from skae.detection import WindowedDetector
    >>> X = np.sin(np.arange(400) / 5)[:, None]
    >>> detector = LocalOutlierFactor(novelty=True)
    >>> watch = WindowedDetector(detector, length=30, n_required=3, n_recent=5).fit(X)
    >>> X[300:310] = 0.9
    >>> alarms = np.flatnonzero(watch.predict(X) == -1)
    >>> bool(300 < alarms[0] < 310)
    True
    """

    _parameter_constraints = {
        "detector": [HasMethods(["fit", "score_samples"]), None],
        "length": _COUNT,
        "stride": _COUNT,
        "smoothing": _COUNT,
        "n_required": _COUNT,
        "n_recent": _COUNT,
        "random_state": ["random_state"],
    }

    def __init__(
        self,
        detector=None,
        *,
        length=24,
        stride=1,
        smoothing=1,
        n_required=1,
        n_recent=1,
        random_state=None,
    ):
        self.detector = detector
        self.length = length
        self.stride = stride
        self.smoothing = smoothing
        self.n_required = n_required
        self.n_recent = n_recent
        self.random_state = random_state

    @fit_context(prefer_skip_nested_validation=False)
    def fit(self, X, y=None) -> "Self":
        """Fit the detector to the windows of a series.

        Parameters
        ----------
        X : array-like of shape (n_times, n_sensors)
            Readings at equal distances in time, the oldest first.
        y : object
            Ignored.

        Returns
        -------
        self : object
            The fitted detector.

        Raises
        ------
        ValueError
            If the series is shorter than a window, its times decrease, or an alarm
            requires more outlying windows than are counted. An earlier fit is kept.
        """
        if self.n_required > self.n_recent:
            raise ValueError(
                f"n_required={self.n_required} outlying windows of "
                f"n_recent={self.n_recent} can never be: use n_required <= n_recent."
            )
        with all_or_nothing(self) as twin:
            X = validated(twin, _readings(X), reset=True)
            windows = cut_windows(X, twin.length, twin.stride)
            twin.detector_ = twin._new_detector().fit(windows)
            if not hasattr(twin.detector_, "offset_"):
                raise TypeError(
                    f"detector={twin.detector!r} has no offset_ once it is fitted: "
                    "pass a detector of outliers itself, with what scales its rows "
                    "before the WindowedDetector."
                )
            twin.offset_ = twin.detector_.offset_
        return self

    def score_samples(self, X) -> np.ndarray:
        """Score of the latest windows at each time; higher is more normal.

        Parameters
        ----------
        X : array-like of shape (n_times, n_sensors)
            Readings at equal distances in time, the oldest first.

        Returns
        -------
        scores : ndarray of shape (n_times,)
            The mean over the latest `smoothing` windows. NaN for the first
            ``length - 1`` times, before the end of the first window.

        Raises
        ------
        ValueError
            If X has another number of sensors than in `fit`, is shorter than a window
            or its times decrease.
        """
        X, windows = self._windows(X)
        return self._at_times(self._smoothed(windows), X)

    def decision_function(self, X) -> np.ndarray:
        """Score above the threshold at each time; below 0 is outlying.

        Parameters
        ----------
        X : array-like of shape (n_times, n_sensors)
            Readings at equal distances in time, the oldest first.

        Returns
        -------
        scores : ndarray of shape (n_times,)
            ``score_samples(X) - offset_``; NaN where that is.
        """
        return self.score_samples(X) - self.offset_

    def predict(self, X) -> np.ndarray:
        """Alarms: whether enough of the latest windows are outlying at each time.

        Parameters
        ----------
        X : array-like of shape (n_times, n_sensors)
            Readings at equal distances in time, the oldest first.

        Returns
        -------
        is_normal : ndarray of shape (n_times,)
            -1 for an alarm, 1 for none, as before the end of the first window.
        """
        X, windows = self._windows(X)
        is_outlying = self._smoothed(windows) < self.offset_
        recent = np.ones(min(self.n_recent, len(windows)))
        counts = np.convolve(is_outlying, recent)[: len(windows)]
        alarms = self._at_times(counts >= self.n_required, X)
        return np.where(alarms == 1, -1, 1)

    @available_if(_has_feature_scores)
    def feature_scores(self, X) -> np.ndarray:
        """How much of each time's score is each sensor's.

        The sum over the window of the detector's scores for its readings, smoothed as
        scores are. For detectors that have `feature_scores`.

        Parameters
        ----------
        X : array-like of shape (n_times, n_sensors)
            Readings at equal distances in time, the oldest first.

        Returns
        -------
        scores : ndarray of shape (n_times, n_sensors)
            As the detector's own `feature_scores`; NaN for the first times, before
            the end of the first window.
        """
        X, windows = self._windows(X)
        of_cells = np.asarray(self.detector_.feature_scores(windows))
        of_sensors = of_cells.reshape(len(windows), self.length, -1).sum(axis=1)
        return self._at_times(_trailing_mean(of_sensors, self.smoothing), X)

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        detector = self._or_default()
        tags.input_tags.allow_nan = get_tags(detector).input_tags.allow_nan
        return tags

    def _check_loaded(self):
        """Raise ValueError if what was read from a file doesn't fit together."""
        if not hasattr(self, "detector_"):
            return
        width = self.length * self.n_features_in_
        found = getattr(self.detector_, "n_features_in_", None)
        if found != width or not hasattr(self.detector_, "offset_"):
            raise ValueError("Its detector is not one of its windows.")
        check_names(self)

    def _or_default(self):
        if self.detector is None:
            return AutoencoderOutlierDetector(cv=KFold(2))
        return self.detector

    def _new_detector(self):
        return seeded_clone(self._or_default(), new_seed(self.random_state))

    def _windows(self, X):
        check_is_fitted(self)
        X = validated(self, _readings(X), reset=False)
        return X, cut_windows(X, self.length, self.stride)

    def _smoothed(self, windows):
        scores = self.detector_.score_samples(windows)
        return _trailing_mean(scores, self.smoothing)

    def _at_times(self, values, X):
        return align_to_times(values, len(X), self.length, self.stride)


def _readings(X):
    """X with a Series as one column, if the times of its index are in order."""
    if isinstance(X, pd.Series):
        X = X.to_frame()
    index = getattr(X, "index", None)
    if isinstance(index, pd.DatetimeIndex | pd.TimedeltaIndex | pd.PeriodIndex):
        _check_times(index)
    return X


def _check_times(index):
    if index.hasnans:
        raise ValueError(
            f"The index of X lacks {index.isna().sum()} of its {len(index)} times: "
            "remove these rows or fill in when they were read."
        )
    decreasing = np.flatnonzero(index[1:] < index[:-1])
    if len(decreasing):
        k = decreasing[0]
        raise ValueError(
            f"The times of X decrease from {index[k]} to {index[k + 1]}, but the "
            "oldest was expected first: use X.sort_index()."
        )
    if not index.is_unique:
        time = index[index.duplicated()][0]
        warn(
            f"The index of X has {time} more than once, and each counts as a time of "
            "its own. If it should not, use X[~X.index.duplicated()]."
        )


def _trailing_mean(scores, count):
    """Mean of each score (n, ...) and those before it, `count` at the most."""
    count = min(count, len(scores))
    # Sums of their own, not differences of running ones: one score must not round away
    # those after it.
    padded = np.concatenate([np.zeros((count - 1, *scores.shape[1:])), scores])
    windows = np.lib.stride_tricks.sliding_window_view(padded, count, axis=0)
    n_seen = np.minimum(np.arange(1, len(scores) + 1), count)
    return (windows.sum(axis=-1).T / n_seen).T
