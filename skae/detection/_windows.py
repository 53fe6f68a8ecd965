"""Windows: a series cut into overlapping pieces, each as one row."""

from numbers import Integral

import numpy as np


def cut_windows(X, length, stride=1) -> np.ndarray:
    """Overlapping windows of a series, each as one row.

    Parameters
    ----------
    X : array-like of shape (n_times, n_sensors)
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
    X = np.asarray(X)
    if X.ndim != 2:
        raise ValueError(
            f"X has shape {X.shape}, but (n_times, n_sensors) was expected: for one "
            "sensor pass X.reshape(-1, 1)."
        )
    n_windows = _n_windows(len(X), length, stride)
    windows = np.lib.stride_tricks.sliding_window_view(X, length, axis=0)[::stride]
    return windows.swapaxes(1, 2).reshape(n_windows, -1)


def align_to_times(values, n_times, length, stride=1) -> np.ndarray:
    """What the latest window that has ended by each time says.

    So that no time knows of what comes after it.

    Parameters
    ----------
    values : array-like of shape (n_windows, ...)
        One for each of :func:`cut_windows`.
    n_times : int
        Of the series.
    length : int
        Times in a window.
    stride : int, default=1
        Times from the start of one window to that of the next.

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
    values = np.asarray(values, float)
    expected = _n_windows(n_times, length, stride)
    if len(values) != expected:
        raise ValueError(
            f"values has {len(values)} windows, but {n_times} times have {expected} "
            f"with length={length} and stride={stride}: pass those of cut_windows."
        )
    times = np.arange(n_times) - (length - 1)
    result = values[np.maximum(times // stride, 0).clip(max=expected - 1)]
    result[times < 0] = np.nan
    return result


def _n_windows(n_times, length, stride):
    """How many whole windows there are in a series."""
    for name, value in (("length", length), ("stride", stride)):
        if not isinstance(value, Integral) or value < 1:
            raise ValueError(
                f"{name}={value!r}, but a whole number of times, at least 1, was "
                "expected."
            )
    if n_times < length:
        raise ValueError(
            f"X has {n_times} times, but a window has length={length}: pass a longer "
            "series or use shorter windows."
        )
    return (n_times - length) // stride + 1
