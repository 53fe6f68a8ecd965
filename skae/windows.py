"""Windows: a series cut into overlapping pieces, to find outlying times."""

from numbers import Integral

import numpy as np
from sklearn.base import BaseEstimator, OutlierMixin, clone
from sklearn.utils.validation import check_is_fitted, validate_data

from skae._base import kept_on_failure
from skae._compat import HasMethods, Interval, fit_context

__all__ = ["WindowedDetector", "cut_windows", "latest"]


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
    >>> from skae.windows import cut_windows
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


def latest(values, n_times, length, stride=1):
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
    >>> from skae.windows import latest
    >>> latest(np.array([0.5, 0.7]), n_times=6, length=3, stride=2)
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
    needed : int, default=1
        How many windows must be outlying for an alarm ...
    among : int, default=1
        ... among so many of the latest ones.

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
    >>> from skae.windows import WindowedDetector
    >>> X = np.sin(np.arange(400) / 5)[:, None]
    >>> detector = LocalOutlierFactor(novelty=True)
    >>> watch = WindowedDetector(detector, length=30, needed=3, among=5).fit(X)
    >>> X[300:310] = 0.9
    >>> alarms = np.flatnonzero(watch.predict(X) == -1)
    >>> bool(300 < alarms[0] < 310)
    True
    """

    _parameter_constraints = {
        "detector": [HasMethods(["fit", "score_samples"])],
        **{
            name: [Interval(Integral, 1, None, closed="left")]
            for name in ("length", "stride", "smoothing", "needed", "among")
        },
    }

    def __init__(
        self, detector, *, length=24, stride=1, smoothing=1, needed=1, among=1
    ):
        self.detector = detector
        self.length = length
        self.stride = stride
        self.smoothing = smoothing
        self.needed = needed
        self.among = among

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
            If the series is shorter than a window, or more windows are needed for an
            alarm than are considered.
        """
        if self.needed > self.among:
            raise ValueError(
                f"needed={self.needed} outlying windows among={self.among}, which "
                "can never be: use needed <= among."
            )
        with kept_on_failure(self):
            X = validate_data(self, X, dtype=(np.float64, np.float32))
            windows = cut_windows(X, self.length, self.stride)
            self.detector_ = clone(self.detector).fit(windows)
            if not hasattr(self.detector_, "offset_"):
                raise TypeError(
                    f"detector={self.detector!r} has no offset_ once it is fitted: "
                    "pass a detector of outliers itself, with what scales its rows "
                    "before the WindowedDetector."
                )
            self.offset_ = self.detector_.offset_
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
        return latest(scores, len(X), self.length, self.stride)

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
        counts = np.convolve(scores < self.offset_, np.ones(self.among))[: len(scores)]
        alarms = latest(counts >= self.needed, len(X), self.length, self.stride)
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
        return latest(of_sensors, len(X), self.length, self.stride)

    def _windows(self, X):
        check_is_fitted(self)
        X = validate_data(self, X, reset=False, dtype=(np.float64, np.float32))
        return X, cut_windows(X, self.length, self.stride)


def _trailing_mean(scores, count):
    """Mean of each score and those before it, `count` at the most."""
    count = min(count, len(scores))
    # Sums of their own, not differences of running ones: one score must not round away
    # those after it.
    padded = np.concatenate([np.zeros(count - 1), scores])
    total = np.lib.stride_tricks.sliding_window_view(padded, count).sum(axis=1)
    return total / np.minimum(np.arange(1, len(scores) + 1), count)
