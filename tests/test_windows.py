"""Windows of a series, and alarms in time."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.base import BaseEstimator, clone
from sklearn.ensemble import IsolationForest
from sklearn.model_selection import KFold
from sklearn.neighbors import LocalOutlierFactor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from test_outlier import Linear, interrupt_at_each_line

from skae import AutoencoderOutlierDetector, AutoencoderTransformer
from skae.detection import WindowedDetector, align_to_times, cut_windows


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
    of_times = align_to_times(np.arange(len(windows)), n_times, length, stride)
    for time in range(n_times):
        ended = [k for k, start in enumerate(starts) if start + length <= time + 1]
        np.testing.assert_equal(of_times[time], float(ended[-1]) if ended else np.nan)


@pytest.mark.parametrize("name", ["length", "stride"])
@pytest.mark.parametrize("value", [0, -1, 2.5, "3"])
def test_lengths_and_strides_are_whole_numbers(name, value):
    params = {"length": 3, "stride": 2, name: value}
    message = f"{name}={value!r}, but a whole number of times"
    with pytest.raises(ValueError, match=message):
        cut_windows(np.zeros((9, 1)), **params)
    with pytest.raises(ValueError, match=message):
        align_to_times(np.zeros(4), 9, **params)


def test_what_is_not_a_series_of_windows_is_refused():
    with pytest.raises(ValueError, match=r"shape \(9,\).*X\.reshape\(-1, 1\)"):
        cut_windows(np.zeros(9), 3)
    with pytest.raises(ValueError, match=r"values has 5 windows, but 9 times have 4"):
        align_to_times(np.zeros(5), 9, length=3, stride=2)


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
    return WindowedDetector(**{"detector": detector, "length": 10, "cv": 2, **params})


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


@pytest.mark.parametrize(
    "params",
    [{}, {"stride": 4}, {"smoothing": 5}, {"n_required": 3, "n_recent": 6}],
    ids=str,
)
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
    model.set_params(n_required=3, n_recent=5)
    alarms = model.predict(broken)
    counts = pd.Series(outlying).rolling(5, min_periods=1).sum()
    np.testing.assert_array_equal(alarms[9:] == -1, counts >= 3)
    assert (alarms[:9] == 1).all()
    with pytest.raises(ValueError, match=r"n_required=6 .*of n_recent=5 can never"):
        model.set_params(n_required=6).fit(series)


def test_recent_windows_may_be_more_than_there_are(series):
    """And cost no more than these."""
    model = WindowedDetector(LocalOutlierFactor(novelty=True), length=5)
    model.fit(series).set_params(n_required=2, n_recent=len(series))
    expected = model.predict(series)
    model.set_params(n_recent=10**18)
    np.testing.assert_array_equal(model.predict(series), expected)


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


def test_detectors_without_a_threshold_get_one(series):
    scaled = make_pipeline(StandardScaler(), LocalOutlierFactor(novelty=True))
    with pytest.raises(TypeError, match="has no offset_ once it is fitted"):
        WindowedDetector(scaled, length=10, alpha=None).fit(series)
    model = WindowedDetector(scaled, length=10).fit(series)
    assert model.offset_ == model.threshold(0.01)


# Series as users have them


def test_the_random_state_determines_the_detector(series):
    again, other = (
        WindowedDetector(length=10, alpha=None, random_state=seed).fit(series)
        for seed in (0, 1)
    )
    scores = clone(again).fit(series).score_samples(series)
    np.testing.assert_array_equal(again.score_samples(series), scores)
    assert (other.score_samples(series) != scores)[9:].any()


def test_the_detector_s_own_random_state_counts(series):
    own = AutoencoderOutlierDetector(Linear(), random_state=3)
    model = WindowedDetector(own, length=10, cv=2, random_state=5).fit(series)
    assert model.detector_.random_state == 3
    assert own.get_params()["random_state"] == 3


def test_no_global_generator_is_used(series):
    before = np.random.get_state()  # noqa: NPY002
    WindowedDetector(IsolationForest(), length=10).fit(series).predict(series)
    np.testing.assert_equal(np.random.get_state(), before)  # noqa: NPY002


def test_windows_of_one_time_are_rows(series):
    rows = AutoencoderOutlierDetector(cv=KFold(2), random_state=0).fit(series)
    model = WindowedDetector(rows, length=1, scale=False, alpha=None).fit(series)
    for method in ("score_samples", "decision_function", "predict", "feature_scores"):
        np.testing.assert_array_equal(
            getattr(model, method)(series), getattr(rows, method)(series)
        )


def test_a_series_is_one_sensor(series):
    of_array = watch().fit(series[:, :1])
    readings = pd.Series(series[:, 0], name="temperature")
    model = watch().fit(readings)
    assert list(model.feature_names_in_) == ["temperature"]
    for X in (readings, readings.to_frame()):
        np.testing.assert_array_equal(
            model.score_samples(X), of_array.score_samples(series[:, :1])
        )
    unnamed = watch().fit(readings.rename(None))
    assert not hasattr(unnamed, "feature_names_in_")


TIMES = {
    "dates": pd.date_range("2024", periods=600, freq="5min"),
    "in a zone": pd.date_range("2024", periods=600, freq="5min", tz="Europe/Oslo"),
    "elapsed": pd.timedelta_range("0s", periods=600, freq="5min"),
    "periods": pd.period_range("2024", periods=600, freq="h"),
}


@pytest.mark.parametrize("times", TIMES.values(), ids=TIMES)
def test_times_must_not_decrease(times, series):
    frame = pd.DataFrame(series, index=times)
    model = watch(detector=LocalOutlierFactor(novelty=True)).fit(frame)
    scores = model.score_samples(frame)
    shuffled = frame.sample(frac=1.0, random_state=0)
    for wrong in (frame[::-1], shuffled, shuffled[0]):
        with pytest.raises(ValueError, match=r"times of X decrease from .*sort_index"):
            model.fit(wrong)
    with pytest.raises(ValueError, match=r"times of X decrease from .*sort_index"):
        model.predict(shuffled)
    np.testing.assert_array_equal(model.score_samples(frame), scores)


def test_repeated_times_are_warned_of(series):
    times = TIMES["dates"]
    frame = pd.DataFrame(series, index=times[[0, 1, 1, *range(3, 600)]])
    model = watch(detector=LocalOutlierFactor(novelty=True))
    with pytest.warns(UserWarning, match="2024-01-01 00:05:00 more than once") as met:
        model.fit(frame)
    assert met[0].filename == __file__
    np.testing.assert_array_equal(
        model.score_samples(series), clone(model).fit(series).score_samples(series)
    )


def test_times_must_be_known(series):
    times = TIMES["dates"].where(np.arange(600) != 3)
    with pytest.raises(ValueError, match="lacks 1 of its 600 times"):
        watch().fit(pd.DataFrame(series, index=times))


@pytest.mark.parametrize("bad", ["text", "dates"])
def test_bad_readings_are_refused_in_the_user_s_words(bad, series):
    cell = {"text": "Oslo", "dates": pd.Timestamp("2024")}[bad]
    frame = pd.DataFrame(series).assign(day=cell).rename(columns=str)
    with pytest.raises(ValueError, match="WindowedDetector takes numbers only"):
        watch().fit(frame)


class Median(BaseEstimator):
    """A detector that is quick: distance from the medians."""

    def fit(self, X, y=None):
        self.median_ = np.median(X, axis=0)
        self.offset_ = self.score_samples(X).min()
        return self

    def score_samples(self, X):
        return -np.abs(X - self.median_).max(axis=1)


def test_ctrl_c_at_any_line_changes_all_or_nothing(series):
    model = WindowedDetector(Median(), length=5)
    n_lines, n_kept = interrupt_at_each_line(model, series[:50])
    assert n_lines > 20
    assert n_lines - 3 <= n_kept < n_lines


@pytest.mark.parametrize("smoothing", [1, 3])
def test_feature_scores_add_up_to_smoothed_scores(series, smoothing):
    detector = AutoencoderOutlierDetector(
        AutoencoderTransformer(4, max_iter=3), method="error", cv=KFold(2)
    )
    model = WindowedDetector(detector, length=5, smoothing=smoothing).fit(series)
    total = model.feature_scores(series).sum(1)
    np.testing.assert_allclose(total, -model.score_samples(series))


def test_feature_scores_are_those_of_detectors_that_have_them(series):
    model = WindowedDetector(LocalOutlierFactor(novelty=True), length=5)
    assert not hasattr(model.fit(series), "feature_scores")
