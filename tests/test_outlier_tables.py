"""The outlier detector on tables of mixed columns, and on arrays with missing cells."""

import io
import pickle

import numpy as np
import pandas as pd
import polars as pl
import pytest
import torch
from sklearn.base import BaseEstimator, clone
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import KFold
from sklearn.neighbors import LocalOutlierFactor, NearestNeighbors
from sklearn.utils import get_tags

import skae
from skae import (
    AutoencoderOutlierDetector,
    AutoencoderTransformer,
    DenoisingAutoencoderTransformer,
)
from skae.corruptions import Missing
from skae.detection import WindowedDetector
from skae.detection._onnx import Detector
from skae.detection._ratios import likelihoods
from skae.detection._reasons import in_places
from skae.detection._scores import SCORES
from skae.detection._tails import Tail

SHORT = DenoisingAutoencoderTransformer(
    4,
    hidden_layer_sizes=(8,),
    linear_path=False,
    max_iter=3,
    corruption=Missing(0.6),
)
PLAIN = AutoencoderTransformer(3, hidden_layer_sizes=(8,), max_iter=2)
COLUMNS = [
    "row",
    "feature",
    "observed",
    "expected",
    "standardized_error",
    "score",
    "message",
]


def made_table(n, seed=0):
    """Rows with a hidden cause of four kinds, which all columns but one tell of."""
    rng = np.random.default_rng(seed)
    cause = rng.integers(4, size=n)
    size = 3.0 * cause + rng.normal(size=n)
    days = 40 * cause + rng.integers(30, size=n)
    frame = pd.DataFrame(
        {
            "kind": np.array(["ant", "bee", "cat", "dog"])[cause],
            "size": size,
            "colour": pd.Categorical(np.array(["red", "blue"])[cause // 2]),
            "day": pd.Timestamp("2024-01-01") + pd.to_timedelta(days, unit="D"),
            "weight": size + 0.5 * rng.normal(size=n),
            "side": np.array(["left", "right"])[rng.integers(2, size=n)],
            "odd": cause % 2 == 1,
        }
    )
    return frame.astype({"kind": object, "side": object})


def made_pairs(n, seed=0):
    """Six pairs of columns that tell of each other and of nothing else."""
    rng = np.random.default_rng(seed)
    columns = {}
    for j in range(6):
        cause = rng.integers(4, size=n)
        columns[f"level {j}"] = np.array(list("abcd"))[cause]
        columns[f"number {j}"] = cause + 0.2 * rng.normal(size=n)
    return pd.DataFrame(columns)


def with_holes(frame, share=0.1, seed=1):
    frame = frame.astype({"odd": object})
    return frame.mask(np.random.default_rng(seed).random(frame.shape) < share)


def with_odd_cells(frame, names, seed=0):
    """Rows in each of which a cell is another row's, and which column's it is."""
    rng = np.random.default_rng(seed)
    changed, places = frame.copy(), rng.integers(len(names), size=len(frame))
    donors = rng.permutation(len(frame))
    for j, name in enumerate(names):
        rows = np.flatnonzero(places == j)
        changed.loc[rows, name] = frame.loc[donors[rows], name].to_numpy()
    moved = (changed != frame).any(axis=1).to_numpy()
    which = np.array([frame.columns.get_loc(names[j]) for j in places])
    return changed[moved].reset_index(drop=True), which[moved]


def as_polars(frame):
    columns = {name: frame[name].astype(object) for name in frame}
    known = {name: c.where(c.notna(), None).tolist() for name, c in columns.items()}
    return pl.DataFrame(known)


def detector(**params):
    return AutoencoderOutlierDetector(
        **{"autoencoder": SHORT, "random_state": 0, **params}
    )


@pytest.fixture(scope="module")
def table():
    return made_table(400)


@pytest.fixture(scope="module")
def default(table):
    """A detector at its defaults."""
    return AutoencoderOutlierDetector(random_state=0).fit(table)


@pytest.fixture(scope="module")
def short(table):
    return detector().fit(table)


# Scores


def test_cells_that_do_not_fit_are_found_and_named():
    """Where rows are alike in one way or another, the nearest ones tell little."""
    table, new = made_pairs(600), made_pairs(600, seed=1)
    odd, places = with_odd_cells(new, list(new.columns))
    is_odd = np.repeat([0, 1], [len(new), len(odd)])
    both = pd.concat([new, odd], ignore_index=True)
    model = AutoencoderOutlierDetector(random_state=0).fit(table)
    found = roc_auc_score(is_odd, -model.score_samples(both))
    dummies = pd.get_dummies(pd.concat([table, both]))
    X = ((dummies - dummies.mean()) / dummies.std()).to_numpy(float)
    neighbors = NearestNeighbors(n_neighbors=5).fit(X[: len(table)])
    distances = neighbors.kneighbors(X[len(table) :])[0][:, 4]
    assert found > roc_auc_score(is_odd, distances) + 0.1
    scores = model.feature_scores(odd)
    first = np.argsort(-scores, axis=1)[:, :2]
    assert (first == places[:, None]).any(axis=1).mean() > 0.8


@pytest.mark.parametrize("method", SCORES)
def test_a_row_does_not_depend_on_its_neighbours(method, table):
    model = detector(method=method).fit(table)
    X = with_holes(made_table(60, seed=1))
    X.loc[3, "kind"] = "emu"
    whole = model.score_samples(X)
    assert whole.dtype == np.float64
    assert np.isfinite(whole).all()
    order = np.random.default_rng(0).permutation(len(X))
    np.testing.assert_array_equal(model.score_samples(X.iloc[order]), whole[order])
    alone = [model.score_samples(X.iloc[[i]])[0] for i in range(10)]
    np.testing.assert_array_equal(alone, whole[:10])
    of_cells = model.feature_scores(X)
    assert of_cells.shape == X.shape
    np.testing.assert_array_equal(model.feature_scores(X[5:6])[0], of_cells[5])


@pytest.mark.parametrize("method", SCORES)
def test_false_alarms_are_as_frequent_as_requested(method):
    model = detector(method=method).fit(made_table(800))
    scores = model.score_samples(made_table(4000, seed=1))
    for alpha in (0.01, 0.05):
        rate = (scores < model.threshold(alpha)).mean()
        # Both the threshold and the rate are of samples.
        deviation = (alpha * (1 - alpha) * (1 / 800 + 1 / 4000)) ** 0.5
        assert abs(rate - alpha) < 3.5 * deviation, alpha


def test_a_row_is_as_unusual_as_its_sum_or_as_its_worst_cell(table):
    rows = np.arange(400)
    model = detector(cv=[(rows[:200], rows[200:])]).fit(table)
    held_out = model.held_out_scores_[200:]
    X = pd.concat([with_holes(made_table(50, seed=1)), made_table(200)[100:]])
    cells, scores = model.feature_scores(X), -model.score_samples(X)
    tails = model._models._tails[0]
    of_sums, of_worst = tails[0](cells.sum(axis=1)), tails[1](cells.max(axis=1))
    np.testing.assert_allclose(scores, np.maximum(of_sums, of_worst))
    assert 0 < (of_sums > of_worst).mean() < 1
    # Both are nats: one in e has one, of either.
    for alpha in (0.3, 0.1):
        assert alpha <= (-held_out >= -np.log(alpha) - 1e-9).mean() <= 2.2 * alpha


def test_the_tail_of_exponential_scores_is_their_scale():
    rng = np.random.default_rng(0)
    scores = rng.exponential(3.0, 100_000)
    assert Tail(scores).size == pytest.approx(3, rel=0.05)
    scores[:1000] = 1e6
    assert Tail(scores).size == pytest.approx(3, rel=0.2)
    assert Tail(np.ones(10)).size > 0


@pytest.mark.parametrize("n", [1, 4, 30, 1000])
def test_surprisal_is_that_of_ranks_and_grows_on_beyond_them(n):
    usual = np.random.default_rng(0).exponential(2.0, n)
    tail, grid = Tail(usual), np.linspace(-1, 60, 2000)
    assert (np.diff(tail(grid)) >= 0).all()
    assert (np.diff(tail(grid[grid > usual.max()])) > 0).all()
    assert tail(np.array([-1.0])) == 0
    if n == 1000:
        expected = grid[(grid > 0) & (grid < 30)]
        np.testing.assert_allclose(tail(expected), expected / 2, rtol=0.1, atol=0.2)


def test_several_folds_and_repeated_fits_agree(table):
    first, second = (detector(cv=3).fit(table) for _ in range(2))
    np.testing.assert_array_equal(first.held_out_scores_, second.held_out_scores_)
    other = detector(cv=3, random_state=1).fit(table)
    assert (other.held_out_scores_ != first.held_out_scores_).any()


def test_contamination_is_the_share_of_the_training_rows(table):
    found = detector(contamination=0.1).fit(table).predict(table)
    assert (found == -1).mean() == pytest.approx(0.1, abs=0.005)


# What single cells may be


@pytest.mark.parametrize("beyond", [1.0, 10.0, 1e6])
def test_numbers_far_beyond_the_range_are_found(beyond, short, table):
    X = made_table(20, seed=1)
    span = table["size"].max() - table["size"].min()
    X["size"] = table["size"].max() + beyond * span
    assert (short.predict(X) == -1).all()
    assert (short.feature_scores(X).argmax(axis=1) == 1).all()
    assert np.isfinite(short.score_samples(X)).all()


def test_an_impossible_cell_is_found_among_many_columns():
    """A sum over columns has a spread that one cell would be lost in."""
    X, new = made_pairs(1000), made_pairs(300, seed=1)
    more, of_new = made_pairs(1000, seed=2), made_pairs(300, seed=3)
    X, new = X.join(more.add_suffix("b")), new.join(of_new.add_suffix("b"))
    X["size"] = np.exp(np.random.default_rng(0).normal(size=1000))
    new["size"] = np.exp(np.random.default_rng(1).normal(size=300))
    model = detector(alpha=0.05).fit(X)
    assert (model.predict(new) == -1).mean() < 0.1
    levels = new.assign(**{"level 3": "never seen"})
    assert (model.predict(levels) == -1).mean() > 0.9
    # Nothing contradicts the number, and some rows had larger ones.
    large = X["size"].sort_values().iloc[-3]
    ends = model.feature_scores(new.assign(size=large))[:, -1]
    common = model.feature_scores(new.assign(size=X["size"].median()))[:, -1]
    assert np.median(ends) > np.median(common) + 1
    far = new.assign(size=X["size"].mean() + 8 * X["size"].std())
    assert (model.predict(far) == -1).mean() > 0.9


def test_numbers_that_are_neighbours_of_each_other_are_two_bins():
    """Halfway between neighbouring numbers there is none."""
    rng = np.random.default_rng(0)
    sizes = rng.choice([0.0, 1.0, np.nextafter(1.0, 2.0)], (48, 20))
    X = pd.DataFrame(sizes * rng.uniform(50, 100, 20)).add_prefix("size ")
    X["kind"] = list("abba") * 12
    model = detector(cv=KFold(2)).fit(X)
    new = X[:10].assign(**{f"size {j}": 200.0 for j in range(20)})
    assert np.isfinite(model.held_out_scores_).all()
    assert np.isfinite(model.feature_scores(new)).all()
    assert (model.predict(new) == -1).all()


def test_few_rows_tell_of_numbers_that_go_together():
    """Were all rows near, what is expected of a number would not matter."""
    rng = np.random.default_rng(0)
    size = rng.normal(size=(600, 1))
    sizes = size + 0.1 * rng.normal(size=(600, 4))
    X = pd.DataFrame(sizes, columns=[f"size {j}" for j in range(4)])
    X["kind"] = rng.choice(["left", "right"], size=600)
    train, new = X[:200], X[200:].reset_index(drop=True)
    odd = new.assign(**{"size 1": rng.permutation(new["size 1"])})
    is_odd = np.repeat([0, 1], len(new))
    model = detector().fit(train)
    scores = np.r_[model.score_samples(new), model.score_samples(odd)]
    assert roc_auc_score(is_odd, -scores) > 0.7


def test_unseen_levels_and_dates_beyond_the_range_are_found(short):
    X = made_table(20, seed=1)
    before = short.score_samples(X)
    levels = X.assign(side="middle")
    scores = short.feature_scores(levels)[:, 5]
    np.testing.assert_allclose(scores, np.log(201))
    assert (short.score_samples(levels) < before - 3).all()
    later = X.assign(day=pd.Timestamp("2026-01-01"))
    assert (short.predict(later) == -1).all()


@pytest.mark.parametrize("method", SCORES)
def test_of_missing_cells_nothing_is_unusual(method, table):
    model = detector(method=method).fit(with_holes(table))
    X = with_holes(made_table(50, seed=1))
    assert (model.feature_scores(X)[X.isna().to_numpy()] == 0).all()
    nothing = X.iloc[:2].mask(np.ones((2, X.shape[1]), bool))
    assert (model.predict(nothing) == 1).all()
    assert (model.feature_scores(nothing) == 0).all()
    assert model.reconstruct(nothing).notna().all(axis=None)
    messages = model.explain(nothing, n_features=1)["message"]
    assert messages.str.contains("kind is missing; expected '").all()


@pytest.mark.parametrize("method", SCORES)
def test_constant_and_empty_columns(method, table):
    X = table.assign(one="a", two=2.0, none=np.nan)
    model = detector(method=method).fit(X)
    assert np.isfinite(model.score_samples(X)).all()
    assert (model.feature_scores(X)[:, -3:] == 0).all()
    other = X[:5].assign(two=3.0, none=1e6)
    np.testing.assert_allclose(model.feature_scores(other)[:, -2], np.log(201))
    assert (model.feature_scores(other)[:, -1] == 0).all()


def test_a_column_may_be_empty_in_one_fold(table):
    X = table.assign(
        late=np.where(np.arange(400) < 200, np.nan, 5000.0 + table["size"])
    )
    model = detector(cv=KFold(2)).fit(X)
    assert np.isfinite(model.held_out_scores_).all()
    assert np.isfinite(model.score_samples(X)).all()
    made = model.reconstruct(X)["late"]
    assert made.between(2000, 6000).all()


# Tables of all kinds


def test_polars_and_pandas_score_alike(table):
    X, new = with_holes(table), with_holes(made_table(30, seed=1))
    of_polars = [as_polars(t) for t in (X, new)]
    first, second = detector().fit(X), detector().fit(of_polars[0])
    np.testing.assert_array_equal(first.held_out_scores_, second.held_out_scores_)
    np.testing.assert_array_equal(
        first.score_samples(new), second.score_samples(of_polars[1])
    )
    made = second.reconstruct(of_polars[1])
    assert isinstance(made, pl.DataFrame)
    assert made.columns == list(X.columns)
    reasons = [first.explain(new), second.explain(of_polars[1])]
    pd.testing.assert_series_equal(reasons[0]["message"], reasons[1]["message"])
    pd.testing.assert_series_equal(reasons[0]["score"], reasons[1]["score"])


def test_arrays_with_chosen_categories():
    rng = np.random.default_rng(0)
    group = rng.integers(3, size=200)
    X = np.c_[group, group + 0.1 * rng.normal(size=200), rng.normal(size=200)]
    for params in (
        {"categorical_features": [0]},
        {"autoencoder": clone(SHORT).set_params(categorical_features=[0])},
        {
            "autoencoder": clone(SHORT).set_params(categorical_features=[1]),
            "categorical_features": [True, False, False],
        },
    ):
        model = detector(**params).fit(X)
        assert model._columns.is_category.tolist() == [True, False, False]
        kinds = [a._columns.is_category.tolist() for a in model.autoencoders_]
        assert kinds == [[True, False, False]] * 2
        assert model.score_samples(X).shape == (200,)
        assert model.reconstruct(X).shape == X.shape
    mixed = [[f"level {g}", *row] for g, row in zip(group, X.tolist(), strict=True)]
    model = detector(categorical_features=[0]).fit(mixed)
    assert model.explain(mixed[:1], 4)["observed"].tolist().count(mixed[0][0]) == 1


def test_tables_of_numbers_alone_are_arrays(table):
    X = table[["size", "weight"]]
    of_table = detector().fit(X).score_samples(X)
    of_array = detector().fit(X.to_numpy()).score_samples(X.to_numpy())
    np.testing.assert_array_equal(of_table, of_array)


def test_the_detector_says_which_columns_are_categories():
    X = np.column_stack([numbers(60), np.arange(60) % 3])
    own = skae.AutoencoderTransformer(2, max_iter=1, categorical_features=[-1])
    for of in (own.set_params(categorical_features=[X.shape[1] - 1]), None):
        model = detector(autoencoder=of, categorical_features=None).fit(X)
        assert all(a._columns is None for a in model.autoencoders_)


@pytest.mark.parametrize("method", SCORES)
def test_any_autoencoder_of_the_package(method, table):
    """Of one that never saw missing cells, hidden ones are filled again and again."""
    model = detector(method=method, autoencoder=PLAIN).fit(table)
    assert np.isfinite(model.score_samples(with_holes(table[:20]))).all()


class Other(BaseEstimator):
    def fit(self, X, y=None):
        return self

    def reconstruct(self, X):
        return X


def test_other_autoencoders_are_refused(table):
    with pytest.raises(
        TypeError, match=r"Other\(\) does not.*transformer of this pack"
    ):
        detector(autoencoder=Other()).fit(table)


def test_bad_tables_are_refused_and_an_earlier_fit_is_kept(short, table):
    scores = short.score_samples(table)
    with pytest.raises(ValueError, match="minimum of 8 is required by AutoencoderO"):
        short.fit(table[:5])
    with pytest.raises(ValueError, match="infinite"):
        short.fit(table.assign(size=np.inf))
    np.testing.assert_array_equal(short.score_samples(table), scores)
    with pytest.raises(ValueError, match="feature names should match"):
        short.score_samples(table.rename(columns={"kind": "sort"}))
    with pytest.raises(ValueError, match="'size' of X holds"):
        short.score_samples(table.assign(size="large"))


# Reasons


def test_reasons_are_in_the_data_s_own_words(default):
    X = made_table(300, seed=1).set_axis(np.arange(300) + 7)
    reasons = default.explain(X, n_features=7)
    assert list(reasons.columns) == COLUMNS
    scores = default.feature_scores(X)
    n_lines = (scores > 0).sum(axis=1).clip(min=1)
    assert 1 < n_lines.max() < 7
    assert list(reasons["row"]) == np.repeat(X.index, n_lines).tolist()
    names = list(X.columns)
    for line in reasons[:70].itertuples():
        i, j = line.row - 7, names.index(line.feature)
        assert line.observed == X.loc[line.row, line.feature]
        assert line.score == scores[i, j]
        is_category = line.feature in ("kind", "colour", "side", "odd")
        assert np.isnan(line.standardized_error) == is_category
    steps = reasons.groupby("row")["score"].diff().dropna()
    assert (steps <= 0).all()
    first = default.explain(X, n_features=2)
    pd.testing.assert_series_equal(
        first["message"],
        reasons.groupby("row").head(2)["message"],
        check_index=False,
    )


def test_what_is_said_of_each_kind_of_cell(default):
    X = made_table(60, seed=1)
    X = X[X["kind"] == "ant"][:4].reset_index(drop=True)
    X.loc[0, "kind"] = "cat"
    X.loc[1, "day"] = pd.Timestamp("2024-04-20")
    X.loc[2, "size"] = 12.0
    X.loc[3, "side"] = "middle"
    first = default.explain(X, n_features=1)
    assert list(first["feature"]) == ["kind", "day", "size", "side"]
    assert list(first["observed"]) == list(X.to_numpy(object)[range(4), [0, 3, 1, 5]])
    assert first["expected"][0] == "ant"
    assert first["expected"][1] < pd.Timestamp("2024-03-15")
    said = list(first["message"])
    likely = "times less likely here than in general"
    times = f"{np.exp(first['score'][0]):.0f}"
    assert said[0].startswith(f"kind is 'cat', {times} {likely}; expected 'ant'")
    assert said[1].startswith("day is 2024-04-20, ")
    assert "usual errors after the expected 2024-0" in said[1]
    assert said[2].startswith("size is 12, ")
    assert "usual errors above the expected" in said[2]
    times = [f"{np.exp(score):.0f}" for score in first["score"][1:3]]
    ends = [n if len(n) < 4 else "over 1000" for n in times]
    assert said[1].endswith(f", {ends[0]} {likely}")
    assert said[2].endswith(f", {ends[1]} {likely}")
    assert said[3].startswith("side is 'middle', as in no row of fit; expected '")


def test_expected_whole_numbers_are_told_as_exactly_as_it_takes():
    rng = np.random.default_rng(0)
    size = rng.poisson(0.6, 400)
    X = pd.DataFrame({"kind": rng.choice(["left", "right"], 400), "size": size})
    X["weight"] = 1000 * rng.integers(100, 200, 400)
    model = detector().fit(X)
    odd = X.assign(weight=10**9)
    reasons = model.explain(odd, n_features=9)
    told = reasons["message"].str.extract("the expected ([^,]*), ")[0]
    of_size = reasons["feature"] == "size"
    assert of_size.any()
    # Whole numbers of the column's own, and yet another one than was observed.
    assert reasons["expected"][of_size].map(lambda n: n == int(n)).all()
    apart = reasons["observed"][of_size] - told[of_size].astype(float)
    is_above = reasons["standardized_error"][of_size] > 0
    assert ((apart > 0) == is_above).all()
    assert (apart != 0).all()
    assert told[of_size].str.contains(".", regex=False).any()
    of_weight = reasons[reasons["feature"] == "weight"]
    assert len(of_weight) == len(odd)
    assert of_weight["message"].str.startswith("weight is 1000000000, ").all()
    likely = ", over 1000 times less likely here than in general"
    assert of_weight["message"].str.endswith(likely).all()
    assert (told[of_weight.index] == of_weight["expected"].map(str)).all()


@pytest.mark.parametrize(
    ("expected", "observed", "places", "told"),
    [
        (0.61, 0, 0, "0.6"),
        (33.17, 390, 0, "33"),
        (-0.02, 5, 0, "0"),
        (2.0, 2, 0, "2"),
        (2.04, 2, 0, "2.04"),
        (123456.7, 1e9, 0, "123457"),
        (12.345, None, 2, "12.35"),
        (1e-9, 0, 0, "0.000"),
    ],
)
def test_expected_numbers_have_places_beside_what_was_observed(
    expected, observed, places, told
):
    assert in_places(expected, observed, places) == told


def test_reasons_of_no_rows_are_a_table_without_lines(short, table):
    none, some = short.explain(table[:0]), short.explain(table[:1])
    assert list(none.columns) == COLUMNS
    assert len(none) == 0
    numbers = ["observed", "expected", "standardized_error", "score"]
    assert (none.dtypes[numbers] == some.dtypes[numbers]).all()
    with pytest.raises(ValueError, match="n_features=0, but a whole"):
        short.explain(table, n_features=0)


def test_reconstructions_are_tables(default, table):
    made = default.reconstruct(table[5:9])
    assert list(made.index) == [5, 6, 7, 8]
    assert (made.dtypes == table.dtypes).all()
    assert (default.reconstruct(table)["kind"] == table["kind"]).mean() > 0.9


def test_encodings_of_folds_are_translated(table):
    """Decoded by all rows' columns, rows are what a fold's own ones decode."""
    from skae._tables.columns import Columns

    own, of_all = Columns.of(table[:60]), Columns.of(table)
    cells = own.cells(table[:60])
    made = of_all.restore(own.translated(cells, of_all))
    pd.testing.assert_frame_equal(made, table[:60])


# Files


@pytest.mark.parametrize("method", SCORES)
def test_saved_and_pickled_detectors_score_alike(method, table):
    model = detector(method=method).fit(with_holes(table))
    X = with_holes(made_table(20, seed=1))
    file = io.BytesIO()
    model.save(file)
    file.seek(0)
    for other in (skae.load(file), pickle.loads(pickle.dumps(model))):
        np.testing.assert_array_equal(other.score_samples(X), model.score_samples(X))
        pd.testing.assert_frame_equal(other.explain(X), model.explain(X))


def test_tables_have_no_graph_of_onnx(short):
    with pytest.raises(TypeError, match=r"load it by skae\.load\(\)"):
        skae.to_onnx(short)


# Arrays with missing cells


def numbers(n=300, seed=0):
    rng = np.random.default_rng(seed)
    rows = rng.normal(size=(n, 2)) @ rng.normal(size=(2, 5))
    return rows + 0.1 * rng.normal(size=(n, 5))


@pytest.mark.parametrize("method", SCORES)
@pytest.mark.parametrize("fitted_with_holes", [True, False])
def test_arrays_may_have_missing_cells(method, fitted_with_holes):
    rng = np.random.default_rng(0)
    X = numbers()
    X_new = X[:100].copy()
    X_new[rng.random(X_new.shape) < 0.2] = np.nan
    X_new[0] = np.nan
    if fitted_with_holes:
        X[rng.random(X.shape) < 0.1] = np.nan
    model = detector(method=method).fit(X)
    scores = model.score_samples(X_new)
    assert np.isfinite(scores).all()
    alone = [model.score_samples(row[None])[0] for row in X_new[:9]]
    np.testing.assert_array_equal(alone, scores[:9])
    of_cells = model.feature_scores(X_new)
    assert (of_cells[np.isnan(X_new)] == 0).all()
    if method == "error":
        np.testing.assert_allclose(of_cells.sum(axis=1), -scores)
    assert np.isfinite(model.reconstruct(X_new)).all()
    reasons = model.explain(X_new[:1], n_features=1)
    assert reasons["message"][0].startswith("x0 is missing; expected ")
    assert np.isnan(reasons["standardized_error"][0])


def test_missing_cells_raise_no_more_alarms():
    model = AutoencoderOutlierDetector(alpha=0.1, random_state=0)
    X, X_new = numbers(900)[:600], numbers(900)[600:]
    rng = np.random.default_rng(0)
    for part in (X, X_new):
        part[rng.random(part.shape) < 0.1] = np.nan
    rate = (model.fit(X).predict(X_new) == -1).mean()
    assert rate < 0.1 + 3 * (0.09 * (1 / 300 + 1 / 600)) ** 0.5


@pytest.mark.parametrize("method", SCORES)
@pytest.mark.parametrize("fitted_with_holes", [True, False])
def test_graphs_fill_missing_cells_if_networks_know_of_them(method, fitted_with_holes):
    X = numbers()
    X_new = X[:50].copy()
    X_new[::2, 1] = np.nan
    if fitted_with_holes:
        X[::3, 2] = np.nan
    model = detector(method=method, autoencoder=PLAIN).fit(X)
    with torch.no_grad():
        scores, labels = Detector(model)(torch.tensor(X_new))
    known = slice(None) if fitted_with_holes else slice(1, None, 2)
    expected = model.score_samples(X_new)
    np.testing.assert_allclose(scores[known], expected[known], rtol=1e-3)
    np.testing.assert_array_equal(labels[known], model.predict(X_new)[known])
    assert fitted_with_holes or scores[::2].isnan().all()


def test_a_window_may_have_missing_readings():
    X = np.sin(np.arange(400) / 5)[:, None] + 0.01 * numbers(400)[:, :1]
    X[50:60] = np.nan
    watch = WindowedDetector(detector(cv=KFold(2)), length=10).fit(X)
    assert get_tags(watch).input_tags.allow_nan
    assert get_tags(WindowedDetector()).input_tags.allow_nan
    other = WindowedDetector(LocalOutlierFactor(novelty=True))
    assert not get_tags(other).input_tags.allow_nan
    scores = watch.score_samples(X)
    assert np.isfinite(scores[9:]).all()
    assert np.isnan(scores[:9]).all()


def test_a_row_of_which_nothing_is_there_is_normal(method_of_tables):
    X, method = table_with_levels(), method_of_tables
    model = detector(method=method).fit(X)
    nothing = X[:2].copy()
    nothing.loc[0] = np.nan
    scores = model.score_samples(nothing)
    assert scores[0] == 0
    assert (model.feature_scores(nothing)[0] == 0).all()
    assert model.predict(nothing)[0] == 1
    assert scores[1] == pytest.approx(model.score_samples(X[1:2])[0])


@pytest.fixture(params=["combined", "neighbors", "error"])
def method_of_tables(request):
    return request.param


def table_with_levels():
    rng = np.random.default_rng(0)
    level = rng.choice(["ant", "bee", "cat"], 200, p=[0.7, 0.2, 0.1])
    size = np.char.str_len(level) + rng.normal(size=200)
    side = pd.Categorical(rng.choice(["left", "right"], 200))
    return pd.DataFrame({"kind": level, "size": size, "side": side})


def test_a_level_that_is_expected_is_not_said_to_be():
    model, X = detector().fit(table_with_levels()), table_with_levels()
    reasons = model.explain(X, 3)
    levels = reasons[reasons["feature"] != "size"]
    is_same = levels["observed"] == levels["expected"]
    assert set(is_same) == {True, False}
    assert (levels["message"].str.contains("expected") == ~is_same).all()


def test_probabilities_told_are_those_of_the_ratios():
    """In both it is the mean of the folds' logarithms that counts."""
    model, X = detector().fit(table_with_levels()), table_with_levels()
    columns = [a._columns.columns[0] for a in model.autoencoders_]
    parts = [a._columns.parts[0] for a in model.autoencoders_]
    expected = [model._models._judged(k, X)[2] for k in range(2)]
    logs = [
        np.log(likelihoods(column, cells[:, part]))
        for column, cells, part in zip(columns, expected, parts, strict=True)
    ]
    assert [column.levels for column in columns] == [["ant", "bee", "cat"]] * 2
    largest = 100 * np.exp(np.mean(logs, axis=0)).max(axis=1)
    told = model.explain(X, 3).query("feature == 'kind'")
    told = told.set_index("row")["message"].str.extract(r"(\d+) %")[0].dropna()
    assert len(told)
    np.testing.assert_allclose(told.astype(int), largest[told.index], atol=1)
    with pytest.raises(ValueError, match="groups was given, but the detector was"):
        model.explain(X[:1], groups=[0, 0, 1])


def test_of_two_levels_the_expected_one_is_the_likelier():
    """Whatever folds say of them that differ."""
    rng = np.random.default_rng(0)
    table = pd.DataFrame(rng.normal(size=(80, 3)), columns=list("xyz"))
    table["kind"] = np.where(table["x"] + rng.normal(size=80) > 0, "a", "b")
    autoencoder = DenoisingAutoencoderTransformer(
        8, corruption=Missing(0.6), hidden_layer_sizes=(64,), random_state=0
    )
    detector = AutoencoderOutlierDetector(autoencoder, cv=4, random_state=0).fit(table)
    said = detector.explain(table, n_features=4)["message"]
    shares = said.str.extract(r"expected '\w' \((\d+) %\)")[0].dropna().astype(int)
    assert len(shares) and (shares >= 50).all()
