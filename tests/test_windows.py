"""Windows of a series, and alarms in time."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.base import clone
from sklearn.model_selection import KFold
from sklearn.neighbors import LocalOutlierFactor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skae import AutoencoderOutlierDetector, AutoencoderTransformer
from skae.detection._windows import WindowedDetector, cut_windows, latest


@settings(deadline=None, max_examples=50)
@given(
    n_times=st.integers(1, 40),
    n_sensors=st.integers(1, 3),
    length=st.integers(1, 10),
    stride=st.integers(1, 7),
)
def test_windows_are_slices_and_return_to_their_times(
    n_times, n_sensors, length, stride
):
    X = np.arange(n_times * n_sensors, dtype=float).reshape(n_times, n_sensors)
    if length > n_times:
        with pytest.raises(ValueError, match=f"X has {n_times} times.*length={length}"):
            cut_windows(X, length, stride)
        return
    windows = cut_windows(X, length, stride)
    starts = range(0, n_times - length + 1, stride)
    expected = np.array([X[start : start + length].ravel() for start in starts])
    np.testing.assert_array_equal(windows, expected)
    of_times = latest(np.arange(len(windows)), n_times, length, stride)
    for time in range(n_times):
        ended = [k for k, start in enumerate(starts) if start + length <= time + 1]
        np.testing.assert_equal(of_times[time], float(ended[-1]) if ended else np.nan)


@pytest.fixture(scope="module")
def series():
    """Two sensors (600, 2) of a machine that turns, and noise."""
    rng = np.random.default_rng(0)
    time = np.arange(600)
    X = np.c_[np.sin(time / 4), np.cos(time / 4)] * [1, 3]
    return X + 0.05 * rng.normal(size=X.shape)


def watch(**params):
    detector = AutoencoderOutlierDetector(
        AutoencoderTransformer(4, max_iter=10), cv=KFold(2), random_state=0
    )
    return WindowedDetector(detector, **{"length": 10, **params})


@pytest.fixture
def broken(series):
    X = series.copy()
    X[400:430, 1] = 0.0  # a sensor fails
    return X


@pytest.mark.parametrize("stride", [1, 3])
def test_a_pipeline_watches_a_machine(series, broken, stride):
    model = make_pipeline(StandardScaler(), watch(stride=stride)).fit(series[:300])
    scores, alarms = model.score_samples(broken), model.predict(broken)
    assert scores.shape == alarms.shape == (600,)
    assert np.isnan(scores[:9]).all()
    assert np.isfinite(scores[9:]).all()
    assert (alarms[405:430] == -1).mean() > 0.9
    assert (alarms[:400] == -1).mean() < 0.1
    assert (alarms[450:] == -1).mean() < 0.1
    guilty = model[-1].feature_scores(model[:-1].transform(broken))
    assert guilty.shape == (600, 2)
    assert (guilty[405:430].argmax(1) == 1).mean() > 0.9


@pytest.mark.parametrize("params", [{}, {"stride": 4}, {"smoothing": 5},
                                    {"needed": 3, "among": 6}], ids=str)  # fmt: skip
def test_no_time_knows_of_later_ones(series, broken, params):
    model = watch(**params).fit(series[:300])
    for method in ("score_samples", "decision_function", "predict", "feature_scores"):
        whole = getattr(model, method)(broken)
        until = getattr(model, method)(broken[:420])
        np.testing.assert_array_equal(whole[:420], until)


def test_smoothing_averages_the_latest_windows(series):
    plain, smooth = watch().fit(series), watch(smoothing=4).fit(series)
    scores = pd.Series(plain.score_samples(series)[9:])
    expected = scores.rolling(4, min_periods=1).mean()
    np.testing.assert_allclose(smooth.score_samples(series)[9:], expected)


def test_an_alarm_needs_m_of_n_windows(series, broken):
    model = watch().fit(series[:300])
    outlying = model.decision_function(broken)[9:] < 0
    model.set_params(needed=3, among=5)
    alarms = model.predict(broken)
    counts = pd.Series(outlying).rolling(5, min_periods=1).sum()
    np.testing.assert_array_equal(alarms[9:] == -1, counts >= 3)
    assert (alarms[:9] == 1).all()
    with pytest.raises(ValueError, match=r"needed=6 outlying windows among=5"):
        model.set_params(needed=6).fit(series)


def test_any_detector_of_rows_will_do(series):
    model = WindowedDetector(LocalOutlierFactor(novelty=True), length=10).fit(series)
    assert set(model.predict(series)) <= {-1, 1}
    assert clone(model).length == 10
    with pytest.raises(ValueError, match=r"expecting 2 features"):
        model.predict(series[:, :1])


def test_a_failed_fit_keeps_the_earlier_one(series):
    model = watch().fit(series)
    scores = model.score_samples(series)
    with pytest.raises(ValueError, match="X has 4 times"):
        model.fit(series[:4, :1])
    np.testing.assert_array_equal(model.score_samples(series), scores)


def test_a_glitch_does_not_silence_later_alarms(series, broken):
    model = watch(smoothing=3).fit(series[:300])
    expected = model.score_samples(broken)[100:]
    broken[50] = 1e9
    np.testing.assert_array_equal(model.score_samples(broken)[100:], expected)


def test_detectors_without_a_threshold_are_refused(series):
    scaled = make_pipeline(StandardScaler(), AutoencoderOutlierDetector())
    with pytest.raises(TypeError, match="has no offset_ once it is fitted"):
        WindowedDetector(scaled, length=10).fit(series)
