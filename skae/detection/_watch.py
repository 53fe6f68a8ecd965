"""The windowed detector: which times of a series are outlying."""

from numbers import Integral, Real
from typing import TYPE_CHECKING

import numpy as np
from sklearn.base import BaseEstimator, OneToOneFeatureMixin, OutlierMixin
from sklearn.utils import get_tags
from sklearn.utils.validation import check_is_fitted

from skae._files.saving import Saving
from skae._utils.checks import (
    OF_ROWS,
    check_names,
    fitted,
    not_required,
    number,
    partly_known,
)
from skae._utils.compat import HasMethods, Interval, fit_context
from skae._utils.random import new_seed, seeded_clone
from skae._utils.stored import stored
from skae._utils.twin import all_or_nothing
from skae.detection._alarming import Alarming
from skae.detection._outlier import AutoencoderOutlierDetector
from skae.detection._series import scores_of
from skae.detection._stretches import trailing_count
from skae.detection._threshold import own_threshold, threshold
from skae.reports._reporting import Reporting

if TYPE_CHECKING:
    from typing import Self

_COUNT = [Interval(Integral, 1, None, closed="left")]


@stored(
    prefixes={"detector_": "detector__"},
    **OF_ROWS,
    detector_=fitted(BaseEstimator),
    offset_=number,
    held_out_scores_=not_required(partly_known),
)
class WindowedDetector(
    Alarming, OneToOneFeatureMixin, OutlierMixin, Saving, Reporting, BaseEstimator
):
    """Watches a machine: when the readings of its sensors are unusual, and why.

    The series is cut into overlapping windows, and a detector of outlying rows is
    fitted to them. Each time gets the score of the latest window that has ended, so
    that results are those that would have been known then.

    A pandas Series is one sensor, a DataFrame has one in each column, and their index
    says when readings were taken. A DataFrame of polars may have a column of times
    instead. Windows lie within stretches of time: a long step ends one, as does a step
    back, and another value in the first levels of an index with several, such as the
    names of machines in ``pd.concat({"A": a, "B": b})``. A time has no score but NaN
    before the first window of its stretch has ended. Readings may be missing, NaN, if
    they may be in rows of the detector; those of one that is silent raise no alarm.

    Parameters
    ----------
    detector : estimator, default=None
        With `fit` and `score_samples`, higher for more normal rows. None is
        :class:`skae.AutoencoderOutlierDetector`.
    length : int, default=24
        Times in a window.
    stride : int, default=1
        Times from the start of one window to that of the next, at most `length`.
    smoothing : int, default=1
        Over how many of the latest windows scores are averaged.
    n_required : int, default=1
        How many of the `n_recent` latest windows must be outlying for an alarm.
    n_recent : int, default=1
        Among how many of the latest windows outlying ones are counted.
    alpha : float in (0, 1) or None, default=0.01
        False-alarm rate: share of normal windows that are to be found outlying,
        estimated on whole stretches of time, each held out from a clone of the
        detector. Single series differ: of 21 made ones of 1,000 readings, 0 to 7.2 % of
        new times were alarmed at 1 %. None is the detector's own threshold, `offset_`,
        and holds out nothing.
    cv : int, default=8
        In how many stretches windows are held out, in turn. Windows that share times
        with them are fitted by none, which splitters don't know, so it is a number. Not
        used without `alpha`.
    scale : bool, default=True
        Whether each sensor is brought to mean 0 and variance 1 first.
    max_step : float or None, default=5.0
        Steps in time that are longer than so many usual ones, the median in `fit`, are
        gaps that end a stretch. None is for readings at irregular times.
    random_state : int, RandomState instance or None, default=None
        Determines all that is random about the detector, if that has no
        `random_state` of its own.

    Attributes
    ----------
    detector_ : estimator
        Fitted to all windows.
    offset_ : float
        Scores below it are outlying.
    held_out_scores_ : ndarray of shape (n_windows,)
        Scores of the training windows by what was fitted without them and their times;
        not without `alpha`.
    mean_ : ndarray of shape (`n_features_in_`,) or None
        What sensors are shifted by; None without `scale`.
    scale_ : ndarray of shape (`n_features_in_`,) or None
        Their standard deviations, which they are divided by; None without `scale`.
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
    >>> import pandas as pd
    >>> from sklearn.neighbors import LocalOutlierFactor
    >>> from skae.detection import WindowedDetector
    >>> times = pd.date_range("2024-05-01", periods=600, freq="10min")
    >>> noise = 0.05 * np.random.default_rng(0).normal(size=600)
    >>> pressure = pd.Series(np.sin(np.arange(600) / 5) + noise, times, name="pressure")
    >>> pressure["2024-05-04 16:00":"2024-05-04 18:00"] = 0.9  # it sticks
    >>> detector = LocalOutlierFactor(novelty=True)
    >>> watch = WindowedDetector(detector, length=12).fit(pressure[:500])
    >>> watch.alarms(pressure[500:])[["start", "sensor"]]
                    start    sensor
    0 2024-05-04 16:00:00  pressure
    """

    _parameter_constraints = {
        "detector": [HasMethods(["fit", "score_samples"]), None],
        "length": _COUNT,
        "stride": _COUNT,
        "smoothing": _COUNT,
        "n_required": _COUNT,
        "n_recent": _COUNT,
        "alpha": [Interval(Real, 0, 1, closed="neither"), None],
        "cv": [Interval(Integral, 2, None, closed="left")],
        "scale": ["boolean"],
        "max_step": [Interval(Real, 1, None, closed="left"), None],
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
        alpha=0.01,
        cv=8,
        scale=True,
        max_step=5.0,
        random_state=None,
    ):
        self.detector = detector
        self.length = length
        self.stride = stride
        self.smoothing = smoothing
        self.n_required = n_required
        self.n_recent = n_recent
        self.alpha = alpha
        self.cv = cv
        self.scale = scale
        self.max_step = max_step
        self.random_state = random_state

    @fit_context(prefer_skip_nested_validation=False)
    def fit(self, X, y=None) -> "Self":
        """Fit the detector to the windows of a series, and set the threshold.

        Parameters
        ----------
        X : array-like of shape (n_times, n_sensors)
            Readings at equal distances in time, the oldest first; a Series or DataFrame
            with its index, or an array. They may be more than memory, see
            :doc:`/scale`, for detectors of this package.
        y : object
            Ignored.

        Returns
        -------
        self : object
            The fitted detector.

        Raises
        ------
        ValueError
            If no stretch is as long as a window, rows are in no order of time, or
            columns or the index hold times as text; if a sensor has no reading, or the
            index lacks times or keys; if stretches that are held out leave too few
            windows; if an alarm requires more outlying windows than are counted. An
            earlier fit is kept.
        TypeError
            If the detector has no threshold of its own, and `alpha` is None; or if X
            is read in blocks and the detector is none of this package's.

        Warns
        -----
        UserWarning
            If times are repeated or go back, a stride longer than a window leaves
            readings out, or too few windows are held out for `alpha`.
        """
        if self.n_required > self.n_recent:
            raise ValueError(
                f"n_required={self.n_required} outlying windows of "
                f"n_recent={self.n_recent} can never be: use n_required <= n_recent."
            )
        with all_or_nothing(self) as twin:
            series, seed = twin._learned(X), new_seed(twin.random_state)
            twin.detector_ = twin._new(seed).fit(series.windows)
            if twin.alpha is None:
                vars(twin).pop("held_out_scores_", None)
                twin.offset_ = own_threshold(twin.detector, twin.detector_)
            else:
                twin.held_out_scores_ = twin._held_out(series, lambda: twin._new(seed))
                twin.offset_ = twin.threshold(twin.alpha)
        return self

    def threshold(self, alpha) -> float:
        """Score that normal windows fall below at a given rate.

        Parameters
        ----------
        alpha : float in (0, 1)
            False-alarm rate, of windows that are like those held out.

        Returns
        -------
        threshold : float
            For scores of :meth:`score_samples`.

        Raises
        ------
        ValueError
            If no windows were held out.

        Warns
        -----
        UserWarning
            If not even a tenth of the windows that share no reading are held out that
            such a rate needs.
        """
        check_is_fitted(self)
        if not hasattr(self, "held_out_scores_"):
            raise ValueError(
                "No windows were held out, as the fit was with alpha=None: fit with a "
                "number for alpha."
            )
        overlap = max(self.length / self.stride, 1.0)
        kind = "windows that share no reading"
        return threshold(self.held_out_scores_, alpha, overlap, kind)

    def score_samples(self, X) -> np.ndarray:
        """Score of the latest windows at each time; higher is more normal.

        Parameters
        ----------
        X : array-like of shape (n_times, n_sensors)
            Readings in the units that the detector was fitted on, the oldest first.

        Returns
        -------
        scores : ndarray of shape (n_times,)
            The mean over the latest `smoothing` windows, in the order of X. NaN for the
            first ``length - 1`` times of each stretch, before the end of its first
            window.

        Raises
        ------
        ValueError
            If X has other sensors than in `fit`, no stretch is as long as a window, or
            rows are in no order of time.
        """
        return self._states(self._read(X))[0]

    def decision_function(self, X) -> np.ndarray:
        """Score above the threshold at each time; below 0 is outlying.

        Parameters
        ----------
        X : array-like of shape (n_times, n_sensors)
            Readings in the units that the detector was fitted on, the oldest first.

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
            Readings in the units that the detector was fitted on, the oldest first.

        Returns
        -------
        is_normal : ndarray of shape (n_times,)
            -1 for an alarm, 1 for none, as before the end of the first window.
        """
        return np.where(self._states(self._read(X))[1], -1, 1)

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
        if getattr(self.detector_, "n_features_in_", None) != width:
            raise ValueError("Its detector is not one of its windows.")
        self._check_scale()
        check_names(self)

    def _or_default(self):
        return AutoencoderOutlierDetector() if self.detector is None else self.detector

    def _new(self, seed):
        return seeded_clone(self._or_default(), seed)

    def _states(self, series):
        """Smoothed scores (n_times,), and whether there is an alarm (n_times,)."""
        stretches = series.stretches
        scores = scores_of(self.detector_, series.windows)
        smoothed = self._smoothed(stretches, scores)
        counts = stretches.within(
            lambda part: trailing_count(part, self.n_recent), smoothed < self.offset_
        )
        is_alarm = stretches.at_times(counts >= self.n_required) == 1
        return stretches.at_times(smoothed), is_alarm
