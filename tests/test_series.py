"""Series with times: stretches, what is held out, alarms as intervals, reasons."""

import io
import warnings

import numpy as np
import pandas as pd
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn import config_context
from sklearn.ensemble import IsolationForest
from sklearn.neighbors import LocalOutlierFactor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import skae
from skae import AutoencoderOutlierDetector, DenoisingAutoencoderTransformer
from skae.detection import WindowedDetector
from skae.detection._stretches import Stretches

N = 600
TIMES = pd.date_range("2024-05-01", periods=N, freq="10min", name="time")


@pytest.fixture(scope="module")
def frame():
    """Two sensors of other units, of which one fails for a while."""
    rng, t = np.random.default_rng(0), np.arange(N)
    X = np.c_[3 + np.sin(t / 4), 100 + 20 * np.cos(t / 4)]
    X += [0.05, 1.0] * rng.normal(size=X.shape)
    X[500:520, 1] = 20.0
    return pd.DataFrame(X, TIMES, ["pressure", "flow"])


def lof(**params):
    detector = LocalOutlierFactor(novelty=True)
    return WindowedDetector(detector, **{"length": 10, **params})


@pytest.fixture(scope="module")
def watch(frame):
    short = DenoisingAutoencoderTransformer(10, hidden_layer_sizes=(8,), max_iter=2)
    detector = AutoencoderOutlierDetector(short, random_state=0)
    return WindowedDetector(detector, length=10, cv=2).fit(frame[:400])


# Stretches


@settings(deadline=None, max_examples=50)
@given(
    sizes=st.lists(st.integers(1, 30), min_size=1, max_size=4),
    length=st.integers(1, 8),
    stride=st.integers(1, 4),
    n_folds=st.integers(2, 4),
)
def test_windows_held_out_share_no_time_with_those_fitted(
    sizes, length, stride, n_folds
):
    n_times = sum(sizes)
    stretches = Stretches(np.cumsum(sizes)[:-1] - 1, n_times, length, stride)
    stretch = np.repeat(np.arange(len(sizes)), sizes)
    n_windows = stretches.counts.sum()
    if not n_windows:
        return
    windows = stretches.windows(np.c_[np.arange(n_times)]).astype(int)
    assert (stretch[windows] == stretch[windows[:, :1]]).all()
    np.testing.assert_array_equal(windows[:, 0], stretches.first_times())
    folds = list(stretches.folds(min(n_folds, n_windows)))
    held = np.concatenate([held_out for _, held_out in folds])
    np.testing.assert_array_equal(held, np.arange(n_windows))
    for train, held_out in folds:
        assert not np.intersect1d(windows[train], windows[held_out]).size
        # And no window is left out without need.
        rest = np.setdiff1d(np.arange(n_windows), [*train, *held_out])
        near = np.isin(windows[rest], windows[held_out]).any(axis=1)
        assert near.all()


def test_gaps_in_time_part_a_series(frame):
    model = lof().fit(frame)
    parts = frame[:100], frame[130:135], frame[200:400]
    scores = [model.score_samples(part) for part in parts[::2]]
    expected = np.concatenate([scores[0], np.full(5, np.nan), scores[1]])
    together = pd.concat(parts)
    np.testing.assert_allclose(model.score_samples(together), expected)
    np.testing.assert_array_equal(model.predict(together)[100:114], 1)
    by_key = pd.concat({"A": parts[2], "B": parts[0]})
    np.testing.assert_allclose(
        model.score_samples(by_key), np.concatenate(scores[::-1])
    )
    through = model.set_params(max_step=None).score_samples(together)
    assert np.isfinite(through[9:]).all()
    with pytest.raises(ValueError, match="5 times in the longest of 2 stretches"):
        model.set_params(max_step=3).predict(pd.concat([frame[:4], frame[90:95]]))


def test_states_of_a_stretch_do_not_reach_into_the_next(frame):
    params = {"smoothing": 4, "n_required": 2, "n_recent": 5, "stride": 3}
    model = lof(**params).fit(frame)
    parts = [frame[490:510], frame[100:250]]
    for method in ("score_samples", "predict"):
        alone = [getattr(model, method)(part) for part in parts]
        together = getattr(model, method)(pd.concat(parts, keys=["A", "B"]))
        np.testing.assert_allclose(together, np.concatenate(alone))


def test_what_is_fitted_to_stretches_are_their_windows(frame):
    two = pd.concat([frame[:200], frame[300:]])
    model = lof(alpha=None, scale=False).fit(two)
    assert model.detector_.n_samples_fit_ == 191 + 291
    assert lof().fit(two).held_out_scores_.shape == (482,)


def test_a_clock_that_is_set_back_parts_a_series(frame):
    back = frame.set_axis(TIMES[[*range(300), *range(290, 590)]])
    model = lof().fit(frame)
    with pytest.warns(UserWarning, match=r"decrease from 2024-05-03 01:50.*sort_index"):
        scores = model.score_samples(back)
    expected = [model.score_samples(part) for part in (frame[:300], frame[300:])]
    np.testing.assert_allclose(scores, np.concatenate(expected))


def test_another_rate_of_readings_is_warned_of(frame):
    model = lof().fit(frame)
    finer = frame.set_axis(pd.date_range("2024", periods=N, freq="min"))
    with pytest.warns(UserWarning, match=r"usually 0 days 00:01:00 apart, but 0 days"):
        model.predict(finer)
    # Times need not be those of fit, nor be there.
    for index in (TIMES.tz_localize("UTC"), pd.RangeIndex(N)):
        np.testing.assert_array_equal(
            model.predict(frame.set_axis(index)), model.predict(frame)
        )


# What is refused, in the user's words


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda X: X.reset_index(), r"'time' of X holds datetime.*set_index\('time'\)"),
        (
            lambda X: X.reset_index().astype({"time": str}),
            r"'time' of X holds text such as '2024-05-01.*pd\.to_datetime",
        ),
        (lambda X: X.set_axis(X.index.astype(str)), r"index of X holds text such as"),
        (
            lambda X: X.set_axis(
                pd.Index([*X.index[:9], *X.index[9:].tz_localize("UTC")], dtype=object)
            ),
            r"holds objects such as Timestamp.*utc=True",
        ),
        (lambda X: X[["flow", "pressure"]], "in the same order"),
        (lambda X: X[["flow"]], "missing"),
        (lambda X: X[:9], "X has 9 times, but a window has length=10"),
        (lambda X: pl.from_pandas(X.reset_index().assign(a=X.index)), r"'time', 'a'"),
        (
            lambda X: pl.from_pandas(X.reset_index()).cast({"time": pl.String}),
            r"pl\.col\('time'\)\.str\.to_datetime",
        ),
    ],
)
def test_what_is_no_series_is_refused(frame, change, message):
    model = lof().fit(frame)
    with pytest.raises(ValueError, match=message):
        model.predict(change(frame))


def test_tables_in_a_list_are_to_be_put_together(frame):
    with pytest.raises(TypeError, match=r"list of 2 tables.*pd\.concat\(X, keys="):
        lof().fit([frame, frame])


def test_a_series_too_short_to_hold_out_is_refused(frame):
    with pytest.raises(ValueError, match=r"one of cv=8 stretches.*alpha=None"):
        lof().set_params(detector__n_neighbors=2).fit(frame[:22])
    assert lof(alpha=None).fit(frame[:30]).predict(frame[:30]).shape == (30,)


def test_sensors_without_a_reading_are_refused(frame):
    silent = frame.assign(flow=np.nan)
    with pytest.raises(ValueError, match=r"\['flow'\] of X have no reading"):
        lof().fit(silent)


@pytest.mark.parametrize("key", [None, np.nan])
def test_readings_that_are_of_no_machine_are_refused(frame, key):
    machines = pd.Index(["A"] * 300 + [key] * 300, dtype=object, name="machine")
    index = pd.MultiIndex.from_arrays([machines, TIMES])
    with pytest.raises(ValueError, match="Level 'machine' of the index of X lacks 300"):
        lof().fit(frame.set_axis(index))


def series_of_blocks(frame):
    def blocks():
        yield from (frame[:7], frame[7:250], frame[250:])

    return blocks


@pytest.mark.parametrize("stride, smoothing", [(1, 1), (3, 2)])
@pytest.mark.parametrize("limit", [10**9, 2**15])
def test_a_series_in_blocks_is_the_series(frame, stride, smoothing, limit):
    """Also where it has a gap, and windows are more than memory."""
    short = skae.DenoisingAutoencoderTransformer(2, hidden_layer_sizes=(), max_iter=1)
    detector = AutoencoderOutlierDetector(short, memory_limit=limit, random_state=0)
    params = {"length": 6, "stride": stride, "smoothing": smoothing, "cv": 2}
    series = pd.concat([frame[:245], frame[300:]])
    in_memory = WindowedDetector(detector, alpha=0.1, **params).fit(series)
    for X in (
        series_of_blocks(series),
        pl.from_pandas(series.reset_index()).lazy(),
    ):
        found = in_memory.score_samples(X)
        np.testing.assert_allclose(found, in_memory.score_samples(series))
        np.testing.assert_array_equal(in_memory.predict(X), in_memory.predict(series))
        for name in ("alarms", "explain"):
            expected = getattr(in_memory, name)(series)
            pd.testing.assert_frame_equal(
                getattr(in_memory, name)(X), expected, check_index_type=False
            )
        streamed = WindowedDetector(detector, alpha=0.1, **params).fit(X)
        np.testing.assert_allclose(streamed.mean_, in_memory.mean_)
        np.testing.assert_allclose(streamed.scale_, in_memory.scale_)
        assert len(streamed.held_out_scores_) == len(in_memory.held_out_scores_)
        if limit == 10**9:
            found, expected = (w.score_samples(series) for w in (streamed, in_memory))
            np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-6)
    with pytest.raises(TypeError, match="feature_scores takes rows in memory"):
        in_memory.feature_scores(series_of_blocks(series))


def test_a_series_in_blocks_without_times(frame):
    """Blocks number their rows, as those of files do."""
    watch = WindowedDetector(LocalOutlierFactor(novelty=True), length=4, cv=2)
    X = frame.reset_index(drop=True)
    numbered = [X[:300], X[300:].reset_index(drop=True)]
    expected = watch.fit(X).score_samples(X)
    found = watch.fit(lambda: iter(numbered)).score_samples(lambda: iter(numbered))
    np.testing.assert_allclose(found, expected)


def test_other_detectors_are_not_fitted_to_blocks(frame):
    lazy = pl.from_pandas(frame.reset_index()).lazy()
    detector = IsolationForest().set_params(random_state=0)
    detector.memory_limit = 2**10
    with pytest.raises(TypeError, match=r"in blocks \(the windows of LazyFrame\)"):
        WindowedDetector(detector, length=10).fit(lazy)


@pytest.mark.parametrize(
    "names", [["sensor"], ["start"], ["x", "x"], [None, "level_0"]]
)
def test_levels_that_are_called_like_columns_are_refused(frame, names):
    model = lof().fit(frame)
    arrays = [np.repeat("A", N)] * len(names)
    index = pd.MultiIndex.from_arrays([*arrays, TIMES], names=[*names, "time"])
    X = frame.set_axis(index)
    with pytest.raises(ValueError, match=f"two columns '{names[-1]}'.*rename_axis"):
        model.alarms(X)
    np.testing.assert_array_equal(model.predict(X), model.predict(frame))


def test_windows_that_leave_readings_out_are_warned_of(frame):
    with pytest.warns(UserWarning, match="stride=12 .*length=10: 2 of every 12 read"):
        lof(stride=12).fit(frame)


def test_times_that_lost_their_zone_are_warned_of(frame):
    model = lof().fit(frame.tz_localize("UTC"))
    for X in (frame.tz_localize("UTC").tz_convert("Asia/Tokyo"), frame.to_numpy()):
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", message="X does not have valid feature")
            model.predict(X)
    with pytest.warns(UserWarning, match="no time zone, but those"):
        model.predict(frame)


# Missing readings


def test_an_outage_is_no_alarm(frame, watch):
    quiet = frame[:200].copy()
    expected = watch.score_samples(quiet)
    for sensors in (["flow"], ["pressure", "flow"]):
        for count in (3, 5, 10, 40):
            holed = quiet.copy()
            holed.loc[holed.index[100 : 100 + count], sensors] = np.nan
            scores = watch.score_samples(holed)
            assert np.nanmin(scores) > np.nanmin(expected) - 0.5
            if len(sensors) == 2 and count == 40:
                assert (scores[109:140] == 0).all()
            shares = watch.feature_scores(holed)[9:]
            np.testing.assert_allclose(shares.sum(axis=1), -scores[9:], atol=1e-12)


# Other tables and units


def test_tables_of_polars_have_a_column_of_times(frame, watch):
    of_polars = pl.from_pandas(frame.reset_index())
    pd.testing.assert_frame_equal(
        watch.alarms(of_polars), watch.alarms(frame), check_dtype=False
    )
    model = lof().fit(of_polars)
    assert list(model.feature_names_in_) == ["pressure", "flow"]
    column = of_polars["time"].dt.replace_time_zone("Europe/Oslo")
    in_zone = model.alarms(of_polars.with_columns(time=column))
    assert str(in_zone["start"].dt.tz) == "Europe/Oslo"
    alone = lof().fit(of_polars["flow"]).predict(of_polars["flow"])
    np.testing.assert_array_equal(
        alone, lof().fit(frame["flow"]).predict(frame["flow"])
    )


def test_units_of_sensors_do_not_matter(frame):
    model, other = lof().fit(frame), lof().fit(frame * [2.0**10, 2.0**-5])
    np.testing.assert_allclose(
        other.score_samples(frame * [2.0**10, 2.0**-5]), model.score_samples(frame)
    )
    scaler = StandardScaler()
    outside = make_pipeline(scaler, lof(scale=False)).fit(frame)
    np.testing.assert_allclose(outside.score_samples(frame), model.score_samples(frame))


# Thresholds


def test_thresholds_rest_on_stretches_held_out(frame):
    model = lof(cv=3).fit(frame[:400])
    rate = (model.held_out_scores_ < model.threshold(0.05)).mean()
    assert 0.03 < rate <= 0.05
    assert model.offset_ == model.threshold(model.alpha)
    with pytest.raises(ValueError, match="fit was with alpha=None"):
        model.set_params(alpha=None).fit(frame).threshold(0.1)
    assert model.offset_ == model.detector_.offset_


def test_smoothed_scores_get_thresholds_of_smoothed_ones(frame):
    plain, smooth = lof().fit(frame), lof(smoothing=5).fit(frame)
    held_out = pd.Series(plain.held_out_scores_)
    np.testing.assert_allclose(
        smooth.held_out_scores_, held_out.rolling(5, min_periods=1).mean()
    )


def test_what_comes_later_changes_no_bit_of_smoothed_scores(frame):
    model = lof(smoothing=30, stride=2).fit(frame)
    scores = model.score_samples(frame)
    for stop in (20, 47, 60, 111):
        np.testing.assert_array_equal(model.score_samples(frame[:stop]), scores[:stop])


def test_windows_that_share_readings_count_once_for_a_rate(frame):
    model = lof(length=50).fit(frame)
    assert len(model.held_out_scores_) == 551
    message = "999 windows that share no reading held out, but there are 11: "
    with pytest.warns(UserWarning, match=message):
        model.threshold(0.001)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        model.threshold(0.01)


# Alarms


def runs_of(is_alarm, length):
    """First and last times of alarms, those with less than `length` between as one."""
    runs = []
    for time in np.flatnonzero(is_alarm):
        if runs and time - runs[-1][1] < max(length, 2):
            runs[-1][1] = time
        else:
            runs.append([time, time])
    return runs


@pytest.mark.parametrize("params", [{}, {"length": 1, "stride": 1}, {"stride": 4}])
def test_alarms_are_runs_of_predictions(frame, params):
    model = lof(alpha=0.1, **params).fit(frame)
    alarms, is_alarm = model.alarms(frame), model.predict(frame) == -1
    runs = runs_of(is_alarm, model.length)
    assert len(alarms) == len(runs) > 1
    scores = pd.Series(model.score_samples(frame), TIMES)
    for (first, last), alarm in zip(runs, alarms.itertuples(), strict=True):
        assert (alarm.start, alarm.end) == (TIMES[first], TIMES[last])
        assert alarm.n_readings == last - first + 1
        inside = scores[alarm.start : alarm.end]
        assert (alarm.peak, alarm.score) == (inside.idxmin(), inside.min())


def test_an_alarm_names_the_sensor_at_fault(frame, watch):
    alarms = watch.alarms(frame[400:])
    (failure,) = alarms[alarms["end"] > TIMES[500]].itertuples()
    assert TIMES[500] <= failure.start < TIMES[515]
    assert failure.sensor == "flow"
    assert watch.alarms(frame[:200])["score"].dtype == float
    assert "sensor" not in WindowedDetector(IsolationForest()).fit(frame).alarms(frame)
    alone = lof(alpha=0.1).fit(frame["flow"]).alarms(frame["flow"])
    assert set(alone["sensor"]) == {"flow"}


@pytest.mark.parametrize(
    ("index", "within"),
    [
        (TIMES, "50min"),
        (TIMES, pd.Timedelta("50min")),
        (TIMES, np.timedelta64(50, "m")),
        (TIMES - TIMES[0], "50min"),
        (TIMES.to_period("10min"), 50),
        (pd.RangeIndex(N), 5),
        (pd.Index(np.arange(N) / 4), 1.25),
        (None, 5),
    ],
)
def test_alarms_near_each_other_are_one(frame, index, within):
    X = frame.to_numpy() if index is None else frame.set_axis(index)
    model = lof(length=1, alpha=0.1).fit(X)
    apart, merged = model.alarms(X), model.alarms(X, merge_within=within)
    is_alarm = model.predict(X) == -1
    assert len(apart) == len(runs_of(is_alarm, 1))
    assert len(merged) == len(runs_of(is_alarm, 6)) < len(apart)
    assert merged["start"].iloc[0] == apart["start"].iloc[0]


def test_alarms_of_several_machines_stay_apart(frame):
    model = lof(alpha=0.1).fit(frame)
    both = pd.concat({"A": frame, "B": frame}, names=["machine", None])
    once = model.alarms(frame)
    twice = model.alarms(both, merge_within="100D")
    assert list(twice["machine"]) == ["A", "B"]
    assert list(twice["end"]) == [once["end"].max()] * 2
    unnamed = model.alarms(
        pd.concat([frame, frame], keys=["A", "B"], names=[None, None])
    )
    assert list(unnamed["level_0"]) == ["A"] * len(once) + ["B"] * len(once)


@pytest.mark.parametrize("within", [3, "soon", "-1h"])
def test_durations_that_are_none_are_refused(frame, within):
    model = lof().fit(frame)
    with pytest.raises(ValueError, match="merge_within="):
        model.alarms(frame, merge_within=within)
    with pytest.raises(ValueError, match="a number was expected"):
        model.alarms(frame.reset_index(drop=True), merge_within="1h")


# Reasons


def test_reasons_name_sensors_and_times_in_the_data_s_units(frame, watch):
    reasons = watch.explain(frame[400:], 1)
    alarms = watch.alarms(frame[400:])
    assert list(reasons["alarm"]) == list(alarms.index)
    failure = reasons[reasons["time"] >= TIMES[500]].iloc[0]
    assert failure["sensor"] == "flow"
    for reason in reasons.itertuples():
        assert reason.observed == frame.loc[reason.time, reason.sensor]
    assert 60 < failure["expected"] < 140
    assert failure["message"].startswith(f"flow at {failure['time']} is ")
    assert list(reasons.columns) == [
        *("alarm", "time", "sensor", "observed", "expected"),
        *("standardized_error", "score", "message"),
    ]


@pytest.mark.parametrize("sensors", [["flow"], ["pressure", "flow"]])
def test_a_fault_does_not_move_what_is_expected(frame, watch, sensors):
    detector = watch.detector
    model = WindowedDetector(detector, length=10, cv=2).fit(frame[sensors][:400])
    faulty = frame[sensors][:300].copy()
    faulty.loc[TIMES[200:260], "flow"] += 1000.0
    reasons = model.explain(faulty, 1, n_readings=3)
    named = reasons[reasons["observed"] > 1000]
    assert len(named) >= 3
    assert set(named["sensor"]) == {"flow"}
    assert named["time"].between(TIMES[200], TIMES[259]).all()
    true = frame.loc[named["time"], "flow"].to_numpy()
    apart = np.abs(named["expected"] - (true if len(sensors) == 2 else 100))
    assert (apart < 25).all()


def test_readings_that_are_usual_alone_are_said_to_be(frame):
    short = DenoisingAutoencoderTransformer(10, hidden_layer_sizes=(8,), max_iter=2)
    detector = AutoencoderOutlierDetector(short, random_state=0)
    model = WindowedDetector(detector, length=10, cv=2).fit(frame["flow"][:400])
    model.offset_ = model.threshold(0.3)
    reasons = model.explain(frame["flow"])
    is_usual = reasons["standardized_error"].abs() < 2
    hint = "; not by itself unusual, but its course is"
    assert set(is_usual) == {True, False}
    assert (reasons["message"].str.endswith(hint) == is_usual).all()


def test_reasons_do_not_depend_on_the_output_that_is_set(frame, watch):
    with config_context(transform_output="pandas"):
        reasons = watch.explain(frame)
    pd.testing.assert_frame_equal(reasons, watch.explain(frame))


def test_reasons_are_as_many_as_wanted_and_sensors_in_order(frame, watch):
    reasons = watch.explain(frame, n_sensors=2, n_readings=3)
    alarms = watch.alarms(frame)
    sizes = reasons.assign(size=reasons["standardized_error"].abs())
    counts = sizes.groupby(["alarm", "sensor"], sort=False)["size"]
    assert (counts.size() <= 3).all()
    assert counts.apply(lambda sizes: sizes.is_monotonic_decreasing).all()
    first = reasons.drop_duplicates("alarm").set_index("alarm")["sensor"]
    assert list(first) == list(alarms["sensor"])
    with pytest.raises(ValueError, match="n_readings=0, but a whole number"):
        watch.explain(frame, n_readings=0)


def test_of_no_alarms_there_are_empty_tables(frame, watch):
    quiet = watch.threshold(0.5) - 1e9
    silent = skae.load(_saved(watch))
    silent.offset_ = quiet
    for method in ("alarms", "explain"):
        some, none = getattr(watch, method)(frame), getattr(silent, method)(frame)
        assert list(none.columns) == list(some.columns)
        assert len(none) == 0


def _saved(model):
    file = io.BytesIO()
    model.save(file)
    file.seek(0)
    return file


def test_reasons_are_of_detectors_that_have_them(frame):
    assert not hasattr(lof(), "explain")
    with pytest.raises(AttributeError, match=r"LocalOutlierFactor.* has no explain, "):
        lof().explain(frame)
    assert hasattr(WindowedDetector(), "explain")


# Files


def test_files_hold_what_a_watch_knows(frame, watch):
    again = skae.load(_saved(watch))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        pd.testing.assert_frame_equal(again.explain(frame), watch.explain(frame))
    np.testing.assert_array_equal(again.held_out_scores_, watch.held_out_scores_)
    finer = frame.set_axis(pd.date_range("2024", periods=N, freq="min"))
    with pytest.warns(UserWarning, match="usually"):
        again.predict(finer)


@pytest.mark.parametrize(
    "change",
    [
        {"mean_": np.zeros(3)},
        {"scale_": None},
        {"scale_": np.array([1.0, 0.0])},
    ],
    ids=str,
)
def test_scales_in_files_are_those_of_the_sensors(frame, watch, change):
    broken = skae.load(_saved(watch))
    vars(broken).update(change)
    with pytest.raises(skae.InvalidFileError):
        skae.load(_saved(broken))
