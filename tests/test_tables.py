"""Tables with categories, dates and holes: every autoencoder reads them."""

import copy
import io
import pickle
import re
from datetime import date

import numpy as np
import pandas as pd
import polars as pl
import pytest
from conftest import SHORT, transformer_classes
from sklearn import config_context
from sklearn.base import clone
from sklearn.experimental import enable_iterative_imputer  # noqa: F401
from sklearn.impute import IterativeImputer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import skae
import skae.inference
from skae import AutoencoderImputer
from skae import DenoisingAutoencoderTransformer as Denoising
from skae import VariationalAutoencoderTransformer as Variational
from skae.corruptions import Gaussian, Masking, Missing, Swap
from skae.networks import MLP

METHODS = "transform", "reconstruct", "score_samples", "impute"
LIBRARIES = "pandas", "polars"
# What may be wrong with a table: nothing, or missing cells.
HOLES = False, True


def numbers(n=90, holes=False, seed=0):
    """Rows (n, 6) of related numbers, a tenth of them missing."""
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n, 2)) @ rng.normal(size=(2, 6)) + 0.2 * rng.normal(
        size=(n, 6)
    )
    if holes:
        X[rng.random(X.shape) < 0.1] = np.nan
    return X


def mixed(n=90, holes=False, seed=0, library="pandas"):
    """A table of two numbers, a date, two categories and a truth value, related."""
    rng = np.random.default_rng(seed)
    hidden = rng.normal(size=n)
    city = pd.Categorical.from_codes(
        np.digitize(hidden + 0.3 * rng.normal(size=n), [-0.5, 0.5]),
        ["Oslo", "Rome", "Lima"],
    )
    days = (1000 + 100 * hidden + 10 * rng.normal(size=n)).round()
    frame = pd.DataFrame(
        {
            "size": 20 * hidden + rng.normal(size=n) + 50,
            "city": city,
            "since": pd.Timestamp("2020-01-01") + pd.to_timedelta(days, unit="D"),
            "kind": np.where(hidden + 0.5 * rng.normal(size=n) > 0, "new", "old"),
            "rooms": np.round(3 + hidden).astype("int64"),
            "sold": hidden > rng.normal(size=n),
        }
    )
    if holes:
        frame = frame.astype({"rooms": "Int64", "sold": "boolean"})
        frame = frame.mask(rng.random(frame.shape) < 0.1)
    return frame if library == "pandas" else of_polars(frame)


def of_polars(frame):
    """A table of pandas as one of polars; which itself needs pyarrow for that."""
    lists = {
        name: frame[name].astype(object).where(frame[name].notna(), None).tolist()
        for name in frame
    }
    return pl.DataFrame(lists).with_columns(pl.col("city").cast(pl.Categorical))


def plain(X):
    """Cells of a table as a DataFrame of objects, None where they are missing."""
    if isinstance(X, pl.DataFrame):
        return pd.DataFrame(X.to_dict(as_series=False), dtype=object)
    frame = pd.DataFrame(X).reset_index(drop=True).astype(object)
    return frame.where(frame.notna(), None)


def equal(one, other):
    """Whether two results are alike to the bit, arrays or tables."""
    if isinstance(one, np.ndarray):
        return np.array_equal(one, other, equal_nan=one.dtype != object)
    if isinstance(one, pl.DataFrame):
        # Categories of two tables are not alike to polars where their codes differ.
        cells = one.to_dict(as_series=False), other.to_dict(as_series=False)
        return one.schema == other.schema and cells[0] == cells[1]
    return one.equals(other)


def part(X, rows):
    """Some rows of an array or a table."""
    return X.iloc[rows] if isinstance(X, pd.DataFrame) else X[rows]


def results(estimator, X):
    return {name: getattr(estimator, name)(X) for name in METHODS}


def cases():
    """Arrays with holes, and tables with and without them."""
    yield "array with holes", lambda: numbers(holes=True)
    for library in LIBRARIES:
        for holes in HOLES:
            name = f"{library}{' with holes' if holes else ''}"
            yield name, lambda lib=library, h=holes: mixed(holes=h, library=lib)


CASES = dict(cases())
MADE = pytest.mark.parametrize("name", CASES)


# The whole family


@MADE
def test_all_methods_give_rows_of_the_kind_that_came(make, name):
    X = CASES[name]()
    estimator = make().fit(X)
    found = results(estimator, X)
    code, restored = found["transform"], found["reconstruct"]
    assert code.shape == (90, estimator.n_components_) and np.isfinite(code).all()
    assert np.isfinite(found["score_samples"]).all()
    assert np.isfinite(estimator.score(X)) and estimator.n_features_in_ == 6
    assert type(restored) is type(X) is type(estimator.inverse_transform(code))
    assert restored.shape == X.shape
    if isinstance(X, np.ndarray):
        assert np.isfinite(restored).all()
        return
    assert list(restored.columns) == list(X.columns)
    assert list(restored.dtypes) == list(X.dtypes)
    assert not plain(restored).isna().to_numpy().any()
    if isinstance(X, pd.DataFrame):
        pd.testing.assert_index_equal(restored.index, X.index)


@MADE
def test_a_row_does_not_depend_on_those_beside_it(make, name):
    X = CASES[name]()
    estimator = make().fit(X)
    whole = results(estimator, X)
    for rows in ([7], [3, 50, 11], list(range(89, -1, -1))):
        for method, result in results(estimator, part(X, rows)).items():
            expected = part(whole[method], rows)
            if isinstance(expected, pd.DataFrame):
                # Alone, a column may have no missing cells, and another dtype.
                expected, result = plain(expected), plain(result)
            assert equal(result, expected), method


@MADE
def test_impute_leaves_what_is_there(make, name):
    X = CASES[name]()
    before = copy.deepcopy(X)
    filled = make().fit(X).impute(X)
    assert equal(X, before) and type(filled) is type(X)
    frames = [plain(X), plain(filled)]
    missing = frames[0].isna()
    assert not frames[1].isna().to_numpy().any()
    for column in frames[0]:
        there = ~missing[column]
        kept, found = (frame.loc[there, column].tolist() for frame in frames)
        assert kept == found


@MADE
def test_the_seed_determines_all(make, name):
    X = CASES[name]()
    one, other = (results(make().fit(X), X) for _ in range(2))
    assert all(equal(one[method], other[method]) for method in METHODS)


@MADE
def test_fits_go_on(make, name):
    X = CASES[name]()
    estimator = make(warm_start=True).fit(X)
    epochs = estimator.n_iter_
    estimator.fit(X).partial_fit(part(X, list(range(40))))
    assert estimator.n_iter_ > epochs
    assert np.isfinite(estimator.score(X))


@MADE
def test_round_trips(make, name):
    X = CASES[name]()
    estimator = make().fit(X)
    expected = results(estimator, X)
    for other in (pickle.loads(pickle.dumps(estimator)), copy.deepcopy(estimator)):
        found = results(other, X)
        assert all(equal(found[method], expected[method]) for method in METHODS)
    assert not hasattr(clone(estimator), "n_iter_")


def test_libraries_agree(make):
    of = {library: mixed(holes=True, library=library) for library in LIBRARIES}
    codes = [make().fit(X).transform(X) for X in of.values()]
    np.testing.assert_array_equal(*codes)


@pytest.mark.parametrize("container", ["pandas", "polars"])
def test_codes_come_in_the_container_that_is_wanted(make, container):
    X = mixed(holes=True)
    codes = make().set_output(transform=container).fit_transform(X)
    assert type(codes) is (pd.DataFrame if container == "pandas" else pl.DataFrame)
    assert codes.shape == (90, 4)


# Holes


def test_networks_of_all_kinds_read_holes(make):
    X = numbers(holes=True)
    for network in (MLP((8,), tied_weights=True), MLP((8,), dropout=0.2), MLP(())):
        estimator = make(network=network).fit(X)
        assert np.isfinite(estimator.reconstruct(X)).all()


@pytest.mark.parametrize("init", ["random", "pca", "layerwise"])
def test_every_start_takes_holes(make, init):
    X = numbers(holes=True)
    estimator = make(init=init, network=MLP((8, 6))).fit(X)
    assert np.isfinite(estimator.reconstruct(X)).all()


def test_equivariance_with_holes(make):
    X = numbers(holes=True)
    one, other = make().fit(X), make().fit(4.0 * X)
    np.testing.assert_allclose(other.impute(4 * X), 4 * one.impute(X), rtol=1e-4)


def test_missing_cells_count_for_nothing(make):
    X = numbers()
    estimator = make().fit(numbers(holes=True))
    for column in range(6):
        X[:, column] = np.nan
        assert (estimator.score_samples(X) <= 0).all()
    np.testing.assert_array_equal(estimator.score_samples(X), 0.0)
    assert np.isfinite(estimator.reconstruct(X)).all()
    # Rows of which nothing is known are all alike.
    assert (estimator.transform(X) == estimator.transform(X)[0]).all()


@pytest.mark.parametrize("holes", HOLES)
def test_a_column_without_any_value(make, holes):
    X = numbers(holes=holes)
    X[:, 2] = np.nan
    estimator = make().fit(X)
    assert np.isfinite(estimator.reconstruct(X)).all()
    frame = mixed(holes=holes).assign(size=np.nan, kind=None)
    estimator = make().fit(frame)
    assert np.isfinite(estimator.transform(frame)).all()
    assert estimator.impute(frame)[["size", "kind"]].isna().to_numpy().all()
    assert not estimator.impute(frame)[["city", "since"]].isna().to_numpy().any()


def test_a_fit_without_holes_reads_them_too(make):
    X, holed = numbers(), numbers(holes=True)
    estimator = make(linear_path=True, hidden_layer_sizes=()).fit(X)
    whole = ~np.isnan(holed).any(axis=1)
    for method in METHODS:
        found, expected = (getattr(estimator, method)(Z) for Z in (holed, X))
        np.testing.assert_array_equal(found[whole], expected[whole])
        assert np.isfinite(found).all()


def test_none_and_na_are_holes_too(make):
    X = numbers(holes=True)
    expected = make().fit(X).transform(X)
    objects = np.where(np.isnan(X), None, X)
    nullable = pd.DataFrame(X).convert_dtypes()
    assert nullable.isna().equals(pd.DataFrame(X).isna())
    for other in (objects, nullable, pl.DataFrame(X, nan_to_null=True)):
        estimator = make().fit(other)
        np.testing.assert_array_equal(estimator.transform(other), expected)


@pytest.mark.filterwarnings("ignore:X does not have valid feature names")
@pytest.mark.parametrize("library", [*LIBRARIES, "array"])
def test_an_array_may_lack_a_column_that_a_table_had(library):
    X = mixed()[["size", "kind", "rooms", "since"]]
    categories = "from_dtype"
    if library == "array":
        X, categories = X.to_numpy(object), [1]
    elif library == "polars":
        X = of_polars(mixed())[X.columns.tolist()]
    fitted = Denoising(categorical_features=categories, **SHORT).fit(X)
    rows = np.full((3, 4), np.nan)
    rows[:, 0] = 40, 50, 60
    for model in (fitted, without_torch(fitted)):
        filled = model.impute(rows)
        assert filled.dtype == object and filled[:, 0].tolist() == [40, 50, 60]
        assert set(filled[:, 1]) <= {"new", "old"}
        assert all(isinstance(value, date) for value in filled[:, 3])
    rows[:, 1] = 1
    with pytest.raises(ValueError, match="categories of text were expected"):
        fitted.impute(rows)


OTHERS = {
    "LazyFrame": (pl.LazyFrame({"a": [1.0, 2.0]}), "call .collect"),
    "Series": (pd.Series([1.0, 2.0]), "X.to_frame()"),
    "dict": ({"a": [1.0, 2.0]}, "pandas.DataFrame(X)"),
}


@pytest.mark.parametrize("name", OTHERS)
@pytest.mark.parametrize("fitted_to", ["array with holes", "pandas"])
def test_other_things_than_rows_are_named(name, fitted_to):
    X, advice = OTHERS[name]
    message = rf"X is a {name}, but a DataFrame, .* was expected: .*{re.escape(advice)}"
    fitted = Denoising(**SHORT).fit(CASES[fitted_to]())
    calls = [without_torch(fitted).transform]
    if name != "LazyFrame":  # which estimators read block by block
        calls += [fitted.transform, fitted.impute, Denoising().fit]
        calls += [AutoencoderImputer().fit, skae.AutoencoderOutlierDetector().fit]
    for call in calls:
        with pytest.raises(TypeError, match=message):
            call(X)


def test_infinite_values_stay_errors(make):
    X = numbers(holes=True)
    X[0, 0] = np.inf
    with pytest.raises(ValueError, match="infinity"):
        make().fit(X)
    with pytest.raises(ValueError, match="'size' of X holds infinite"):
        make().fit(mixed().assign(size=np.inf))


def test_pca_loss_with_holes_is_that_without_where_rows_are_planes():
    """PCA with missing values finds the plane that complete rows lie on."""
    rng = np.random.default_rng(0)
    X = rng.normal(size=(400, 2)) @ rng.normal(size=(2, 8))
    holed = np.where(rng.random(X.shape) < 0.1, np.nan, X)
    fitted = skae.AutoencoderTransformer(2, max_iter=2, random_state=0).fit(holed)
    assert fitted.pca_loss_ < 1e-3 * X.var()
    error = (fitted.impute(holed) - X)[np.isnan(holed)]
    assert np.square(error).mean() < 0.02 * X.var()


# Columns


@pytest.mark.parametrize(
    "corruption", [Masking(0.3), Swap(0.3), Gaussian(0.5), Missing()]
)
def test_corruptions_of_tables(corruption):
    X = mixed(holes=True)
    estimator = Denoising(**{**SHORT, "corruption": corruption, "random_state": 0})
    assert np.isfinite(estimator.fit_transform(X)).all()


def test_levels_of_single_columns():
    level = [0.1, 0.0, 0.2, 0.5, 0.0, 1.0]
    X = mixed()
    short = {**SHORT, "random_state": 0}
    assert np.isfinite(
        Denoising(corruption=Swap(level), **short).fit_transform(X)
    ).all()
    with pytest.raises(
        ValueError, match=r"level has shape \(7,\), but X has 6 features"
    ):
        Denoising(corruption=Swap([0.1] * 7), **short).fit(X)


def test_columns_are_swapped_and_hidden_whole():
    import torch

    of_column = torch.tensor([0, 1, 1, 1, 2])
    X = torch.arange(50.0).reshape(10, 5)
    generator = torch.Generator().manual_seed(0)
    swapped = Swap(0.5).for_columns(of_column)(X, generator)
    donors = (swapped - torch.arange(5)) / 5
    assert (donors[:, 1] == donors[:, 2]).all() and (donors[:, 2] == donors[:, 3]).all()
    hidden = Missing(1.0).for_columns(of_column)(X, generator).isnan()
    assert (hidden[:, 1:4] == hidden[:, 1:2]).all() and 0 < hidden.sum() < 50


def test_salt_and_pepper_is_for_numbers():
    with pytest.raises(ValueError, match="categories have none: use Swap"):
        Denoising(noise="salt_and_pepper", **SHORT).fit(mixed())


def test_losses_of_numbers_in_tables(make):
    X = mixed(holes=True)
    for loss in ("absolute_error", "huber"):
        assert make(loss=loss).fit(X).score(X) < 0
    with pytest.raises(ValueError, match=r"log_loss.*units of their columns"):
        make(loss="log_loss").fit(X)


def test_scores_are_shares_of_the_uncertainty():
    """A code without any information leaves all of it."""
    X = mixed(n=2000)
    blind = skae.AutoencoderTransformer(
        1,
        max_iter=60,
        random_state=0,
        penalty=lambda m, x, code, out: 1e3 * code.abs().mean(),
    )
    assert -1.15 < blind.fit(X).score(X) < -0.85


def test_unseen_levels_are_surprises(make):
    X = mixed()
    estimator = make().fit(X)
    strange = X.assign(city=X["city"].cat.add_categories("Mars"))
    strange.loc[:9, "city"] = "Mars"
    scores, usual = estimator.score_samples(strange), estimator.score_samples(X)
    assert (scores[:10] < usual[:10]).all()
    np.testing.assert_array_equal(scores[10:], usual[10:])
    assert np.isfinite(estimator.transform(strange)).all()


@pytest.mark.parametrize("chosen", [[1, 3], ["b", "d"], [False, True, False, True]])
def test_categories_by_position_name_and_mask(make, chosen):
    rng = np.random.default_rng(0)
    frame = pd.DataFrame(
        rng.integers(0, 3, size=(60, 4)).astype(float), columns=list("abcd")
    )
    X = frame if isinstance(chosen[0], str) else frame.to_numpy()
    estimator = make(categorical_features=chosen).fit(X)
    restored = np.asarray(estimator.reconstruct(X))
    assert set(restored[:, 1]) <= {0.0, 1.0, 2.0} and set(restored[:, 3]) <= {
        0.0,
        1.0,
        2.0,
    }
    assert not set(np.unique(restored[:, 0])) <= {0.0, 1.0, 2.0}


def test_without_categories_text_is_refused(make):
    with pytest.raises(ValueError, match="'city' of X holds category"):
        make(categorical_features=None).fit(mixed())


def test_numbers_alone_are_left_as_they_are(make):
    X = numbers()
    frame = pd.DataFrame(X, columns=list("abcdef"))
    expected = make().fit(X).transform(X)
    np.testing.assert_array_equal(make().fit(frame).transform(frame), expected)
    assert isinstance(make().fit(frame).reconstruct(frame), np.ndarray)


def test_a_thousand_levels_take_bounded_memory():
    rng = np.random.default_rng(0)
    X = pd.DataFrame(
        {"id": rng.integers(0, 1000, 5000).astype(str), "x": rng.normal(size=5000)}
    )
    fitted = skae.AutoencoderTransformer(3, max_iter=1, random_state=0).fit(X)
    assert fitted._model.n_features <= 257
    assert set(fitted.reconstruct(X)["id"]) <= set(X["id"])


def test_other_columns_are_refused(make):
    X = mixed()
    estimator = make().fit(X)
    with pytest.raises(ValueError, match="feature names should match"):
        estimator.transform(X[X.columns[::-1]])
    with pytest.raises(ValueError, match=r"'size' of X holds .*numbers were expected"):
        estimator.transform(X.assign(size="large"))
    with pytest.raises(ValueError, match="feature names"):
        estimator.transform(X.iloc[:, :5])


# Draws


def test_draws_are_plausible_and_differ():
    X = mixed(n=300, holes=True)
    estimator = Denoising(
        corruption=Missing(), **{**SHORT, "max_iter": 10, "random_state": 0}
    )
    estimator.fit(X)
    draws = estimator.impute(X, draws=3, random_state=0)
    again = estimator.impute(X, draws=3, random_state=0)
    assert len(draws) == 3 and not draws[0].equals(draws[1])
    for one, other in zip(draws, again, strict=True):
        assert one.equals(other) and (one.dtypes == X.dtypes).all()
        assert not one.isna().to_numpy().any()
        assert one["rooms"].between(X["rooms"].min(), X["rooms"].max()).all()
        assert one[X.notna()].equals(X[X.notna()])
    assert estimator.impute(X, draws=1)[0].shape == X.shape


def test_draws_need_cells_that_were_hidden(make):
    estimator = make().fit(numbers())
    with pytest.raises(ValueError, match="trained without any: fit it to rows with"):
        estimator.impute(numbers(holes=True), draws=2)
    with pytest.raises(ValueError, match="draws=0, but at least 1"):
        make().fit(numbers(holes=True)).impute(numbers(), draws=0)


@pytest.mark.parametrize("noise", [False, True])
def test_samples_are_tables(noise):
    X = mixed(n=300)
    fitted = Variational(3, max_iter=20, random_state=0).fit(X)
    new = fitted.sample(50, random_state=0, noise=noise)
    assert new.equals(fitted.sample(50, random_state=0, noise=noise))
    assert (new.dtypes == X.dtypes).all() and len(new) == 50
    assert set(new["kind"]) <= {"old", "new"}


def test_noise_gives_samples_the_spread_of_the_data():
    X = numbers(n=600)
    fitted = Variational(2, max_iter=40, random_state=0).fit(X)
    spreads = [
        fitted.sample(2000, random_state=0, noise=noise).std(axis=0)
        for noise in (False, True)
    ]
    assert fitted.noise_scale_.shape == (6,)
    assert (spreads[1] > spreads[0]).all()
    np.testing.assert_allclose(spreads[1], X.std(axis=0), rtol=0.25)


# The imputer


def test_the_imputer_is_a_step_of_a_pipeline():
    X = numbers(n=200, holes=True)
    y = np.nan_to_num(X[:, 0]) > 0
    imputer = AutoencoderImputer(
        Denoising(max_iter=3, corruption=Missing()), random_state=0
    )
    model = make_pipeline(imputer, LogisticRegression()).fit(X, y)
    assert model.score(X, y) > 0.7


@MADE
def test_the_imputer_fills_what_its_autoencoder_does(name):
    X = CASES[name]()
    imputer = AutoencoderImputer(
        Denoising(corruption=Missing(), **SHORT), random_state=0
    )
    filled = imputer.fit(X).transform(X)
    assert equal(filled, imputer.autoencoder_.impute(X))
    assert list(imputer.get_feature_names_out()) == list(
        getattr(X, "columns", [f"x{i}" for i in range(6)])
    )


def tables_of_numbers():
    """Rows of numbers alone, of whatever holds them, with missing cells."""
    X = numbers(holes=True)
    frame = pd.DataFrame(X, columns=list("abcdef"), index=np.arange(90) + 7)
    as_text = {name: frame[name].where(frame[name].notna(), None) for name in frame}
    return {
        "array": X,
        "single precision": X.astype(np.float32),
        "list": X.tolist(),
        "objects": np.where(np.isnan(X), None, X.astype(object)),
        "pandas": frame,
        "nullable": (10 * frame).round().astype("Int64"),
        "polars": pl.DataFrame({n: c.tolist() for n, c in as_text.items()}),
    }


OF_NUMBERS = tables_of_numbers()


def imputer(**params):
    inner = Denoising(corruption=Missing(), **SHORT)
    return AutoencoderImputer(inner, random_state=0, **params)


def without_torch(estimator):
    """What `skae.inference` makes of an estimator's file."""
    file = io.BytesIO()
    estimator.save(file)
    file.seek(0)
    return skae.inference.load(file)


@pytest.mark.parametrize("name", OF_NUMBERS)
def test_tables_of_numbers_stay_what_they_are(name):
    X = OF_NUMBERS[name]
    fitted = imputer().fit(X)
    filled = fitted.transform(X)
    assert cells_of(filled) == cells_of(fitted.autoencoder_.impute(X))
    assert type(filled) is (np.ndarray if isinstance(X, list) else type(X))
    assert not plain(filled).isna().to_numpy().any()
    by_numpy = without_torch(fitted).transform(X)
    assert type(by_numpy) is type(filled)
    cells = (plain(found).to_numpy(float) for found in (by_numpy, filled))
    np.testing.assert_allclose(*cells, rtol=1e-4, atol=1e-4)


SKIPS = pytest.mark.filterwarnings("ignore:Skipping features")


@SKIPS
@pytest.mark.parametrize("keep", [False, True])
@pytest.mark.parametrize("name", ["array", "pandas", "nullable", "polars", "null"])
def test_empty_columns_of_tables_are_zeros_or_left_out(name, keep):
    if name == "null":
        X = OF_NUMBERS["polars"].with_columns(pl.lit(None).alias("c"))
    else:
        X = copy.deepcopy(OF_NUMBERS[name])
    if isinstance(X, np.ndarray):
        X[:, 2] = np.nan
    elif isinstance(X, pd.DataFrame):
        X["c"] = X["c"].mask(X["c"].notna())
    else:
        X = X.with_columns(pl.lit(None, X["c"].dtype).alias("c"))
    fitted = imputer(keep_empty_features=keep).fit(X)
    for model in (fitted, without_torch(fitted)):
        filled = model.transform(X)
        assert type(filled) is type(X) and filled.shape == (90, 6 if keep else 5)
        cells = plain(filled).to_numpy(float)
        assert np.isfinite(cells).all()
        assert not keep or (cells[:, 2] == 0).all()
        names = model.get_feature_names_out()
        if not isinstance(X, np.ndarray):
            assert list(filled.columns) == list(names)


CONTAINERS = {"pandas": pd.DataFrame, "polars": pl.DataFrame}


@pytest.mark.parametrize("container", CONTAINERS)
@pytest.mark.parametrize("name", [*CASES, *OF_NUMBERS])
def test_filled_tables_come_in_the_container_that_is_wanted(container, name):
    X = OF_NUMBERS[name] if name in OF_NUMBERS else CASES[name]()
    fitted = imputer().fit(X)
    own = fitted.transform(X)
    found = fitted.set_output(transform=container).transform(X)
    assert type(found) is CONTAINERS[container]
    assert list(found.columns) == list(fitted.get_feature_names_out())
    for one, other in zip(cells_of(found), cells_of(own), strict=True):
        assert one == other
    if isinstance(X, pd.DataFrame) and container == "pandas":
        pd.testing.assert_frame_equal(found, own)
    with config_context(transform_output=container):
        other = clone(fitted).set_output(transform="default").fit(X).transform(X)
        assert type(other) is type(own)
        assert type(imputer().fit(X).transform(X)) is CONTAINERS[container]


def cells_of(X):
    """Cells of an array or table, column by column."""
    return [plain(X).iloc[:, j].tolist() for j in range(X.shape[1])]


def test_the_imputer_says_which_columns_are_categories():
    X = np.column_stack([numbers()[:, :2], np.arange(90) % 3])
    X[::7, 2] = np.nan
    for given, own in [("from_dtype", [2]), ([2], "from_dtype"), ([2], None)]:
        inner = Denoising(corruption=Missing(), categorical_features=own, **SHORT)
        filled = AutoencoderImputer(inner, categorical_features=given).fit_transform(X)
        assert set(filled[:, 2]) == {0.0, 1.0, 2.0}
    inner.set_params(categorical_features=[2])
    for_numbers = AutoencoderImputer(inner, categorical_features=None).fit(X)
    assert for_numbers.autoencoder_.categorical_features is None
    assert len(set(for_numbers.transform(X)[:, 2])) > 3


@pytest.mark.parametrize(
    "wrong",
    [
        make_pipeline(StandardScaler(), Denoising()),
        IterativeImputer(),
        AutoencoderImputer(),
    ],
    ids=lambda wrong: type(wrong).__name__,
)
def test_the_imputer_takes_transformers_of_this_package_alone(wrong):
    with pytest.raises(TypeError, match="transformer of this package alone was"):
        AutoencoderImputer(wrong).fit(numbers(holes=True))


@SKIPS
@pytest.mark.parametrize("keep", [False, True])
def test_columns_without_values_are_left_out(keep):
    X = numbers(holes=True)
    X[:, 3] = np.nan
    imputer = AutoencoderImputer(
        Denoising(corruption=Missing(), **SHORT),
        keep_empty_features=keep,
        random_state=0,
    )
    filled = imputer.fit_transform(X)
    names = imputer.get_feature_names_out().tolist()
    assert filled.shape == (90, 6 if keep else 5) and len(names) == filled.shape[1]
    assert ("x3" in names) is keep and np.isfinite(filled).all()
    if keep:
        np.testing.assert_array_equal(filled[:, 3], 0.0)


def test_filled_cells_are_better_than_means():
    X, holed = numbers(n=600), numbers(n=600, holes=True)
    filled = AutoencoderImputer(random_state=0).fit_transform(holed)
    missing = np.isnan(holed)
    error = np.square(filled - numbers(n=600))[missing].mean()
    assert error < 0.3 * np.square(X - X.mean(axis=0))[missing].mean()


@pytest.mark.parametrize("cls", transformer_classes())
def test_missing_cells_are_declared(cls):
    assert cls().__sklearn_tags__().input_tags.allow_nan
    assert AutoencoderImputer().__sklearn_tags__().input_tags.allow_nan


# Draws, samples and pools as numbers and levels that there are


def lengths(n=400, holes=True, library="pandas", seed=0):
    """A table of a city and three numbers, which are no round ones."""
    rng = np.random.default_rng(seed)
    hidden = rng.normal(size=n)
    frame = pd.DataFrame(
        {
            "city": np.where(hidden + rng.normal(size=n) > 0, "Oslo", "Rome"),
            "length": np.exp(hidden + 0.5 * rng.normal(size=n)) / 7,
            "steps": np.round(10 + 3 * hidden + rng.normal(size=n)) * 0.1,
            "weight": (1e3 + hidden + rng.normal(size=n)).astype(np.float32),
        }
    )
    if holes:
        frame = frame.mask(rng.random(frame.shape) < 0.2)
    if library == "pandas":
        return frame
    lists = {name: plain(frame)[name].tolist() for name in frame}
    return pl.DataFrame(lists).with_columns(pl.col("weight").cast(pl.Float32))


@pytest.mark.parametrize("library", [*LIBRARIES, "float64", "float32"])
def test_drawn_numbers_are_observed_ones_to_the_bit(library, tmp_path):
    if library in LIBRARIES:
        X, get = lengths(library=library), lambda rows, j: plain(rows)[j]
        names = "length", "steps", "weight"
    else:
        X, get = numbers(n=400, holes=True).astype(library), lambda rows, j: rows[:, j]
        names = range(6)
    fitted = Denoising(corruption=Missing(), **SHORT, random_state=0).fit(X)
    fitted.save(tmp_path / "fitted.skae")
    loaded = skae.load(tmp_path / "fitted.skae")
    for estimator in (fitted, loaded):
        for drawn in estimator.impute(X, draws=2, random_state=0):
            for name in names:
                observed = pd.Series(get(X, name)).dropna()
                assert set(get(drawn, name)) <= set(observed)


def test_a_row_is_a_donor_once():
    fitted = Denoising(corruption=Missing(), **SHORT, random_state=0)
    fitted.fit(numbers(n=400, holes=True))
    for observed in fitted._donors.observed:
        known = observed[~np.isnan(observed)]
        assert len(set(known)) == len(known) > 40


def test_intervals_of_draws_cover_what_was_hidden():
    X, holed = numbers(n=900), numbers(n=900, holes=True)
    fitted = Denoising(3, corruption=Missing(), max_iter=15, random_state=0)
    fitted.fit(holed[:600])
    draws = np.stack(fitted.impute(holed[600:], draws=50, random_state=0))
    low, high = np.quantile(draws, [0.05, 0.95], axis=0)
    is_covered = ((low <= X[600:]) & (X[600:] <= high))[np.isnan(holed[600:])]
    assert 0.82 < is_covered.mean() < 0.98


def test_samples_of_tables_have_the_numbers_of_the_data():
    X = lengths(holes=False).assign(rooms=lambda X: (10 * X["steps"]).astype("int64"))
    fitted = Variational(3, max_iter=20, random_state=0).fit(X)
    new = fitted.sample(400, random_state=0, noise=True)
    for name in ("length", "steps", "weight", "rooms"):
        assert set(new[name]) <= set(X[name])
        # The same distribution: at no point do their shares differ by much.
        shares = [np.searchsorted(np.sort(part[name]), X[name]) for part in (X, new)]
        assert np.abs(shares[0] - shares[1]).max() < 0.12 * len(X)
    few = fitted.sample(5, random_state=0, noise=True)
    assert few.equals(new[:5])


def test_samples_of_a_table_stay_after_loading(tmp_path):
    X = mixed(n=90, holes=True)
    fitted = Variational(2, max_iter=2, random_state=0).fit(X.assign(empty=np.nan))
    fitted.save(tmp_path / "fitted.skae")
    loaded = skae.load(tmp_path / "fitted.skae")
    rows = [e.sample(9, random_state=0, noise=True) for e in (fitted, loaded)]
    assert rows[0].equals(rows[1]) and rows[0]["empty"].isna().all()


def towns(n=300):
    """A table of a number and of towns, most of which are there once."""
    rng = np.random.default_rng(0)
    town = [f"town{i:04}" if i % 3 else "Oslo" for i in range(n)]
    size = rng.normal(size=n)
    kind = np.where(size > 0, "large", "small")
    return pd.DataFrame({"town": town, "size": size, "kind": kind})


def test_holes_are_not_filled_with_a_level_that_was_seen_once():
    X = towns()
    holed = X.mask(np.random.default_rng(1).random(X.shape) < 0.2)
    fitted = Denoising(corruption=Missing(), max_iter=5, random_state=0).fit(holed)
    is_hole = holed["town"].isna()
    filled = [fitted.impute(holed), *fitted.impute(holed, draws=3, random_state=0)]
    for rows in filled:
        assert set(rows.loc[is_hole, "town"]) == {"Oslo"}
    made = Variational(2, linear_path=False, max_iter=3, random_state=0).fit(X)
    for noise in (False, True):
        assert set(made.sample(50, random_state=0, noise=noise)["town"]) == {"Oslo"}


def test_filled_objects_do_not_depend_on_the_rows_beside_them():
    odd = pd.Series([1.5, 2.5, 3, None] * 10, dtype=object)
    whole = pd.Series([1, 2, 3, None] * 10, dtype=object)
    X = pd.DataFrame({"t": ["x", "y"] * 20, "odd": odd, "whole": whole})
    of_numbers = X[["odd", "whole"]]
    for table in (X, of_numbers, of_numbers.to_numpy()):
        fitted = Denoising(corruption=Missing(), **SHORT).fit(table)
        together, alone = fitted.impute(part(table, slice(2, 4))), []
        for row in (2, 3):
            alone.append(plain(fitted.impute(part(table, slice(row, row + 1)))))
        alone = pd.concat(alone, ignore_index=True)
        assert plain(together).to_numpy().tolist() == alone.to_numpy().tolist()
        types = plain(together).map(type)
        assert (types.to_numpy() == alone.map(type).to_numpy()).all()
    filled = imputer().fit_transform(X)
    assert isinstance(filled["whole"].iloc[3], int)
    assert isinstance(filled["odd"].iloc[3], float)


def test_columns_that_are_left_out_are_named():
    X = mixed(holes=True).assign(empty=np.nan)
    with pytest.warns(UserWarning, match=r"Skipping features .* \['empty'\]"):
        imputer().fit(X)
    imputer(keep_empty_features=True).fit(X)


@SKIPS
@pytest.mark.parametrize("keep", [False, True])
@pytest.mark.parametrize("name", [*CASES, *OF_NUMBERS])
def test_the_imputer_draws(name, keep):
    X = OF_NUMBERS[name] if name in OF_NUMBERS else CASES[name]()
    if isinstance(X, pd.DataFrame):
        X = X.assign(empty=np.nan)
    fitted = imputer(keep_empty_features=keep).fit(X)
    expected = fitted.transform(X)
    assert equal(fitted.impute(X), expected)
    one, other = fitted.impute(X, draws=2, random_state=0)
    again = fitted.impute(X, draws=2, random_state=0)
    own = fitted.autoencoder_.impute(X, draws=2, random_state=0)
    for drawn, same, whole in zip((one, other), again, own, strict=True):
        assert equal(drawn, same) and type(drawn) is type(expected)
        assert drawn.shape == expected.shape
        columns = [j for j in range(plain(drawn).shape[1]) if j < 6]
        cells = plain(drawn).to_numpy()[:, columns].tolist()
        assert cells == plain(whole).to_numpy()[:, columns].tolist()
        if isinstance(X, pd.DataFrame) and keep and name in OF_NUMBERS:
            assert (drawn["empty"] == 0).all()
    if "holes" in name:
        assert not equal(one, other)
    # The container that is wanted of transform is its own.
    fitted.set_output(transform="pandas")
    assert type(fitted.impute(X)) is type(expected)
    with pytest.raises(ValueError, match="draws=0"):
        fitted.impute(X, draws=0)


def test_numbers_with_a_placeholder_are_warned_of_once():
    X = mixed().assign(age=[*map(str, range(1, 30)), "?"] * 3)
    inner = Denoising(corruption=Missing(), **SHORT)
    for estimator in (inner, skae.AutoencoderOutlierDetector(inner), imputer()):
        with pytest.warns(UserWarning) as caught:
            estimator.fit(X)
        # Python shows the same text from the same line once.
        (message,) = {str(w.message) for w in caught}
        assert "'age' of X" in message


def test_a_code_longer_than_encoded_rows_is_said_in_their_terms():
    X = pd.DataFrame({"a": ["x", "y"] * 40, "b": np.arange(80.0)})
    with pytest.warns(UserWarning, match="more than the 3 encoded columns of X"):
        skae.AutoencoderTransformer(**SHORT).fit(X)


def test_the_first_samples_of_many_are_those_of_few():
    for X in (numbers(), mixed()):
        model = Variational(2, max_iter=2, random_state=0).fit(X)
        few, many = (model.sample(n, 0, noise=True) for n in (5, 40))
        assert equal(part(many, list(range(5))), few)
    with pytest.raises(ValueError, match="at least 1 was expected"):
        model.sample(True)


def test_a_loss_of_the_users_may_have_a_layout_of_its_own():
    class Own(skae.losses.SquaredError):
        layout = "rows"

    X = numbers()
    own, plain_loss = (
        skae.AutoencoderTransformer(loss=loss, **SHORT, random_state=0).fit(X)
        for loss in (Own(), skae.losses.SquaredError())
    )
    np.testing.assert_array_equal(own.transform(X), plain_loss.transform(X))


@pytest.mark.parametrize("n_components", [1, 2])
def test_pca_that_is_kept_knows_numbers_beside_categories(n_components):
    rng = np.random.default_rng(0)
    a = rng.normal(size=400)
    h = a + 0.1 * rng.normal(size=400)
    table = pd.DataFrame({"k": np.where(a > 0, "a", "b"), "h": h})
    estimator = skae.AutoencoderTransformer(
        n_components, hidden_layer_sizes=(16,), max_iter=3, random_state=0
    ).fit(table)
    assert estimator.best_iter_ == 0
    left = np.mean((estimator.reconstruct(table)["h"] - h) ** 2) / h.var()
    assert left < (0.2 if n_components == 1 else 1e-6)
