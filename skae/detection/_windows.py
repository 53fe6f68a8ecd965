"""Windows: a series cut into overlapping pieces, to find outlying times."""

from numbers import Integral

import numpy as np
from sklearn.base import BaseEstimator, OutlierMixin, clone
from sklearn.utils.validation import check_is_fitted

from skae._utils.compat import HasMethods, Interval, fit_context
from skae._utils.twin import all_or_nothing
from skae._utils.validation import validated

__all__ = ["WindowedDetector", "align_to_times", "cut_windows"]


def cut_windows(X, length, stride=1):
    """Overlapping windows of a series, each as one row.

    Parameters
    ----------
    X : ndarray of shape (n_times, n_sensors)
        Readings at equal distances in time, the oldest first.
    length : int
        Times in a window.
    stride : int, default=1
        Times from the start of one window to that of the next.

    Returns
    -------
    windows : ndarray of shape (n_windows, length * n_sensors)
        The first starts at the first time; the last is the last whole one. In each
        row, time by time, all sensors.

    Raises
    ------
    ValueError
        If the series is shorter than a window.

    Examples
    --------
    >>> import numpy as np
    >>> from skae.detection import cut_windows
    >>> cut_windows(np.arange(5)[:, None], length=3, stride=2)
    array([[0, 1, 2],
           [2, 3, 4]])
    """
    if len(X) < length:
        raise ValueError(
            f"X has {len(X)} times, but a window has length={length}: pass a longer "
            "series or use shorter windows."
        )
    windows = np.lib.stride_tricks.sliding_window_view(X, length, axis=0)[::stride]
    return windows.swapaxes(1, 2).reshape(len(windows), -1)


def align_to_times(values, n_times, length, stride=1):
    """What the latest window that has ended by each time says.

    So that no time knows of what comes after it.

    Parameters
    ----------
    values : ndarray of shape (n_windows, ...)
        One for each of :func:`cut_windows`.
    n_times, length, stride : int
        Of the series and its windows.

    Returns
    -------
    values : ndarray of shape (n_times, ...)
        NaN for the first times, before the end of the first window.

    Examples
    --------
    >>> import numpy as np
    >>> from skae.detection import align_to_times
    >>> align_to_times(np.array([0.5, 0.7]), n_times=6, length=3, stride=2)
    array([nan, nan, 0.5, 0.5, 0.7, 0.7])
    """
    times = np.arange(n_times) - (length - 1)
    window = np.clip(times // stride, 0, len(values) - 1)
    result = np.asarray(values, float)[window]
    result[times < 0] = np.nan
    return result


class WindowedDetector(OutlierMixin, BaseEstimator):
    """Watches a machine: which times of a series are outlying.

    The series is cut into overlapping windows, and a detector of outlying rows is
    fitted to them. Each time gets the score of the latest window that has ended, so
    that results are those that would have been known then. Readings should be on
    one scale: put a :class:`~sklearn.preprocessing.StandardScaler` first.

    Parameters
    ----------
    detector : estimator
        With `fit`, `score_samples` and `offset_`, such as
        :class:`skae.AutoencoderOutlierDetector`. Windows overlap: what it holds out to
        set its threshold should be whole stretches of time, as with
        ``cv=KFold(3)``.
    length : int, default=24
        Times in a window.
    stride : int, default=1
        Times from the start of one window to that of the next.
    smoothing : int, default=1
        Over how many of the latest windows scores are averaged.
    n_required : int, default=1
        How many windows must be outlying for an alarm ...
    n_recent : int, default=1
        ... n_recent so many of the latest ones.

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
        "detector": [HasMethods(["fit", "score_samples"])],
        **{
            name: [Interval(Integral, 1, None, closed="left")]
            for name in ("length", "stride", "smoothing", "n_required", "n_recent")
        },
    }

    def __init__(
        self, detector, *, length=24, stride=1, smoothing=1, n_required=1, n_recent=1
    ):
        self.detector = detector
        self.length = length
        self.stride = stride
        self.smoothing = smoothing
        self.n_required = n_required
        self.n_recent = n_recent

    @fit_context(prefer_skip_nested_validation=False)
    def fit(self, X, y=None):
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
            If the series is shorter than a window, or more windows are n_required for an
            alarm than are considered.
        """
        if self.n_required > self.n_recent:
            raise ValueError(
                f"n_required={self.n_required} outlying windows n_recent={self.n_recent}, which "
                "can never be: use n_required <= n_recent."
            )
        with all_or_nothing(self) as twin:
            X = validated(twin, X, reset=True)
            windows = cut_windows(X, twin.length, twin.stride)
            twin.detector_ = clone(twin.detector).fit(windows)
            if not hasattr(twin.detector_, "offset_"):
                raise TypeError(
                    f"detector={twin.detector!r} has no offset_ once it is fitted: "
                    "pass a detector of outliers itself, with what scales its rows "
                    "before the WindowedDetector."
                )
            twin.offset_ = twin.detector_.offset_
        return self

    def score_samples(self, X):
        """Score of the latest windows at each time; higher is more normal.

        Parameters
        ----------
        X : array-like of shape (n_times, n_sensors)
            Readings at equal distances in time, the oldest first.

        Returns
        -------
        scores : ndarray of shape (n_times,)
            The mean over the latest `smoothing` windows. NaN for the first times,
            before the end of the first window.

        Raises
        ------
        NotFittedError
            If the detector was not fitted.
        ValueError
            If X has another number of sensors than in `fit` or is shorter than a
            window.
        """
        X, windows = self._windows(X)
        scores = _trailing_mean(self.detector_.score_samples(windows), self.smoothing)
        return align_to_times(scores, len(X), self.length, self.stride)

    def decision_function(self, X):
        """Score above the threshold at each time; below 0 is outlying.

        Parameters
        ----------
        X : array-like of shape (n_times, n_sensors)
            Readings at equal distances in time, the oldest first.

        Returns
        -------
        scores : ndarray of shape (n_times,)
            ``score_samples(X) - offset_``.

        Raises
        ------
        NotFittedError, ValueError
            As for :meth:`score_samples`.
        """
        return self.score_samples(X) - self.offset_

    def predict(self, X):
        """Alarms: whether enough of the latest windows are outlying at each time.

        Parameters
        ----------
        X : array-like of shape (n_times, n_sensors)
            Readings at equal distances in time, the oldest first.

        Returns
        -------
        is_normal : ndarray of shape (n_times,)
            -1 for an alarm, 1 for none, as before the end of the first window.

        Raises
        ------
        NotFittedError, ValueError
            As for :meth:`score_samples`.
        """
        X, windows = self._windows(X)
        scores = _trailing_mean(self.detector_.score_samples(windows), self.smoothing)
        counts = np.convolve(scores < self.offset_, np.ones(self.n_recent))[
            : len(scores)
        ]
        alarms = align_to_times(
            counts >= self.n_required, len(X), self.length, self.stride
        )
        return np.where(alarms == 1, -1, 1)

    def feature_scores(self, X):
        """How much of each time's score is each sensor's.

        The sum over the window of the detector's scores for its readings.

        Parameters
        ----------
        X : array-like of shape (n_times, n_sensors)
            Readings at equal distances in time, the oldest first.

        Returns
        -------
        scores : ndarray of shape (n_times, n_sensors)
            As the detector's own `feature_scores`; NaN for the first times, before
            the end of the first window.

        Raises
        ------
        NotFittedError, ValueError
            As for :meth:`score_samples`.
        """
        X, windows = self._windows(X)
        of_cells = np.asarray(self.detector_.feature_scores(windows))
        of_sensors = of_cells.reshape(len(windows), self.length, -1).sum(axis=1)
        return align_to_times(of_sensors, len(X), self.length, self.stride)

    def _windows(self, X):
        check_is_fitted(self)
        X = validated(self, X, reset=False)
        return X, cut_windows(X, self.length, self.stride)


def _trailing_mean(scores, count):
    """Mean of each score and those before it, `count` at the most."""
    count = min(count, len(scores))
    # Sums of their own, not differences of running ones: one score must not round away
    # those after it.
    padded = np.concatenate([np.zeros(count - 1), scores])
    total = np.lib.stride_tricks.sliding_window_view(padded, count).sum(axis=1)
    return total / np.minimum(np.arange(1, len(scores) + 1), count)
