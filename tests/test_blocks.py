"""Every method that takes rows, given what is read in blocks."""

import inspect

import numpy as np
import pandas as pd
import polars as pl
import pytest
from conftest import SHORT, estimator_classes, make_default
from sklearn.base import BaseEstimator

import skae
from skae._sources.source import Blocks

N_ROWS = 300
METHODS = [
    (cls, name)
    for cls in estimator_classes()
    for name, method in inspect.getmembers(cls, inspect.isfunction)
    if not name.startswith("_")
    and list(inspect.signature(method).parameters)[1:2] == ["X"]
    and not name.startswith(("fit", "partial_fit", "get_"))
]


def rows(kind):
    rng = np.random.default_rng(0)
    angle = rng.uniform(0, 2 * np.pi, N_ROWS)
    X = np.c_[np.cos(angle), np.sin(angle), angle, np.cos(2 * angle)]
    X = pd.DataFrame(X + 0.1 * rng.normal(size=X.shape), columns=list("abcd"))
    if kind == "table":
        X["kind"] = np.where(angle > np.pi, "late", "early")
        X["day"] = pd.Timestamp("2020-01-01") + pd.to_timedelta(angle.round(1), "D")
    return X


def as_path(X, folder):
    X.to_parquet(folder / "X.parquet", row_group_size=70)
    return str(folder / "X.parquet")


def as_paths(X, folder):
    paths = [folder / "0.parquet", folder / "1.parquet"]
    for part, path in zip((X[:100], X[100:]), paths, strict=True):
        part.to_parquet(path)
    return paths


def as_function(X, folder):
    return lambda: (X[i : i + 70] for i in range(0, N_ROWS, 70))


def as_dask(X, folder):
    from dask import dataframe

    return dataframe.from_pandas(X, npartitions=3)


def as_lazy(X, folder):
    return pl.from_pandas(X).lazy()


def as_dataset(X, folder):
    from pyarrow import dataset

    return dataset.dataset(as_path(X, folder))


SOURCES = [as_path, as_paths, as_function, as_dask, as_lazy, as_dataset]


def make(cls):
    if hasattr(cls, "inverse_transform"):
        return cls(**SHORT, random_state=0)
    if cls is skae.AutoencoderOutlierDetector:
        short = skae.DenoisingAutoencoderTransformer(**SHORT)
        return cls(short, random_state=0)
    return make_default(cls).set_params(random_state=0)


@pytest.fixture(scope="module")
def fitted():
    """Estimators by class and by kind of rows, each fitted once."""
    known = {}

    def fit(cls, kind):
        if (cls, kind) not in known:
            known[cls, kind] = make(cls).fit(rows(kind))
        return known[cls, kind]

    return fit


def as_array(found):
    if isinstance(found, Blocks):
        return found.to_numpy()
    if hasattr(found, "compute"):
        found = found.compute()
    return np.asarray(found.toarray() if hasattr(found, "toarray") else found)


def assert_same(found, expected):
    found, expected = as_array(found), as_array(expected)
    assert found.shape == expected.shape
    if expected.dtype == object:
        found, expected = (pd.DataFrame(part) for part in (found, expected))
        pd.testing.assert_frame_equal(found, expected, check_dtype=False)
    else:
        np.testing.assert_allclose(found, expected, rtol=1e-9, atol=1e-12)


def kinds_of(cls):
    is_of_series = cls is skae.detection.WindowedDetector
    return ["numbers"] if is_of_series else ["numbers", "table"]


@pytest.mark.parametrize(
    "cls, name", METHODS, ids=[f"{cls.__name__}.{name}" for cls, name in METHODS]
)
@pytest.mark.parametrize("as_source", SOURCES)
def test_methods_read_blocks_or_say_what_to_do(cls, name, as_source, fitted, tmp_path):
    for kind in kinds_of(cls):
        estimator, X = fitted(cls, kind), rows(kind)
        if name == "inverse_transform":
            X = pd.DataFrame(as_array(estimator.transform(X))).rename(columns=str)
        of_library = pl.from_pandas(X) if as_source is as_lazy else X
        expected = getattr(estimator, name)(of_library)
        try:
            found = getattr(estimator, name)(as_source(X, tmp_path))
        except TypeError as error:
            assert " X is a" in str(error) and "in blocks: " in str(error)
            in_memory = "explain", "feature_scores", "transform_distribution", "report"
            assert name in in_memory
            continue
        assert_same(found, expected)


@pytest.mark.parametrize("cls", estimator_classes(), ids=lambda cls: cls.__name__)
@pytest.mark.parametrize("as_source", SOURCES)
def test_fits_read_blocks_or_say_what_to_do(cls, as_source, fitted, tmp_path):
    for kind in kinds_of(cls):
        X, expected = rows(kind), fitted(cls, kind)
        found = make(cls).fit(as_source(X, tmp_path))
        assert found.n_features_in_ == X.shape[1]
        assert list(found.feature_names_in_) == list(X.columns)
        name = "score_samples" if hasattr(cls, "score_samples") else "transform"
        one, other = (as_array(getattr(e, name)(X)) for e in (found, expected))
        if one.dtype == object:
            one, other = (pd.DataFrame(part) for part in (one, other))
            pd.testing.assert_frame_equal(one, other)
        else:
            np.testing.assert_allclose(one, other, rtol=1e-4, atol=1e-6)


# Detectors of what is more than memory


def many(kind, n_rows=6000):
    """Rows of a kind, sorted, and such as are not like them."""
    X = pd.concat([rows(kind)] * (n_rows // N_ROWS)).sort_values("c")
    rng = np.random.default_rng(0)
    X[list("abcd")] += 0.05 * rng.normal(size=(len(X), 4))
    X = X.reset_index(drop=True)
    odd = X[::10].assign(a=rng.permutation(X["a"][::10]) + 0.5)
    return X, odd


def detector(limit, **params):
    noise = skae.corruptions.Missing(0.6)
    params = {"hidden_layer_sizes": (16,), "max_iter": 4, "corruption": noise, **params}
    autoencoder = skae.DenoisingAutoencoderTransformer(3, **params)
    return skae.AutoencoderOutlierDetector(
        autoencoder, memory_limit=limit, random_state=0
    )


def area(detector, X, odd):
    """Probability that a row has more than an odd one."""
    normal, others = (detector.score_samples(part) for part in (X, odd))
    return float(np.mean(np.sort(others).searchsorted(normal) / len(others)))


@pytest.mark.parametrize("kind", ["numbers", "table"])
@pytest.mark.parametrize("method", ["combined", "neighbors", "error"])
def test_a_detector_learns_as_much_from_a_stream(kind, method, tmp_path):
    X, odd = many(kind)
    X.to_parquet(tmp_path / "X.parquet", row_group_size=500)
    in_memory = detector(10**9).set_params(method=method).fit(X)
    streamed = detector(2**15).set_params(method=method).fit(tmp_path / "X.parquet")
    assert area(streamed, X[::10], odd) > area(in_memory, X[::10], odd) - 0.03
    # Scores of all rows are held out, and the threshold is their quantile.
    scores = streamed.held_out_scores_
    assert np.isfinite(scores).all() and len(scores) == len(X)
    assert np.count_nonzero(scores < streamed.offset_) == 59
    assert (streamed.predict(X) == -1).mean() < 0.02
    found = streamed.score_samples(tmp_path / "X.parquet")
    np.testing.assert_allclose(found, streamed.score_samples(X))
    if kind == "numbers":
        again = detector(2**15).set_params(method=method).fit(as_function_of(X, 500))
        np.testing.assert_array_equal(again.held_out_scores_, scores)


def as_function_of(X, size):
    return lambda: (X[i : i + size] for i in range(0, len(X), size))


def test_contamination_of_a_stream_is_the_share_of_its_rows():
    X, _ = many("numbers", 3000)
    found = detector(2**15).set_params(contamination=0.05).fit(as_function_of(X, 700))
    assert (found.predict(X) == -1).sum() == 150


def test_what_a_stream_is_not_fitted_to_is_said():
    X, _ = many("numbers", 3000)
    blocks = as_function_of(X, 700)
    fitted = detector(2**15).fit(blocks)
    before = fitted.score_samples(X)
    with pytest.raises(TypeError, match=r"X is read in blocks .*autoencoder=Own\(\)"):
        fitted.set_params(autoencoder=Own()).fit(blocks)
    twice = [(np.r_[:2000, :2000], np.arange(2000, 3000))]
    with pytest.raises(ValueError, match="rows several times"):
        detector(2**15).set_params(cv=twice).fit(blocks)
    wrong = X.assign(a=X["a"].where(X.index != 1500, np.inf))
    with pytest.raises(ValueError, match=r"In rows 1,400 to 2,099 of .*infinity"):
        fitted.set_params(autoencoder=None).fit(as_function_of(wrong, 700))
    with pytest.raises(TypeError, match="passed as a function that returns it"):
        fitted.fit(blocks())
    np.testing.assert_array_equal(fitted.score_samples(X), before)


class Own(BaseEstimator):
    """An autoencoder of the user's."""

    def fit(self, X, y=None):
        return self

    def reconstruct(self, X):
        return X


@pytest.mark.parametrize("kind", ["numbers", "table"])
def test_a_mask_of_rows_is_as_good_as_their_numbers(kind):
    X, _ = many(kind, 600)
    halves = np.arange(600) < 300
    masks = [(halves, ~halves), (~halves, halves)]
    numbers = [tuple(map(np.flatnonzero, pair)) for pair in masks]
    one, other = (detector(10**9).set_params(cv=cv).fit(X) for cv in (masks, numbers))
    np.testing.assert_array_equal(one.held_out_scores_, other.held_out_scores_)


# Files


@pytest.mark.parametrize("as_source", SOURCES)
def test_inference_alone_refuses_blocks(as_source, fitted, tmp_path):
    for kind in ("numbers", "table"):
        fitted(skae.AutoencoderTransformer, kind).save(tmp_path / "model.skae")
        model = skae.inference.load(tmp_path / "model.skae")
        X = as_source(rows(kind), tmp_path)
        for name in ("transform", "reconstruct", "impute", "score_samples"):
            with pytest.raises((TypeError, FileNotFoundError), match="X is a"):
                getattr(model, name)(X)


def test_halves_read_blocks(fitted, tmp_path):
    whole, X = fitted(skae.AutoencoderTransformer, "table"), rows("table")
    whole.save_encoder(tmp_path / "encoder.skae")
    whole.save_decoder(tmp_path / "decoder.skae")
    encoder, decoder = (
        skae.load(tmp_path / f"{half}.skae") for half in ("encoder", "decoder")
    )
    codes = encoder.transform(as_function(X, tmp_path))
    assert_same(codes, whole.transform(X))
    assert_same(decoder.inverse_transform(codes), whole.reconstruct(X))


def test_several_fillings_of_blocks_are_refused(fitted, tmp_path):
    path = as_path(rows("table"), tmp_path)
    for cls in (skae.AutoencoderTransformer, skae.AutoencoderImputer):
        with pytest.raises(TypeError, match="impute with draws takes rows in memory"):
            fitted(cls, "table").impute(path, draws=2)


def test_codecs_take_rows_in_memory(fitted, tmp_path):
    transformer, X = fitted(skae.AutoencoderTransformer, "numbers"), rows("numbers")
    path = as_path(X, tmp_path)
    with pytest.raises(TypeError, match="Codec takes rows in memory, but X is a str"):
        skae.Codec(transformer, path, bits=30)
    with pytest.raises(TypeError, match="encode takes rows in memory"):
        skae.Codec(transformer, X, bits=30).encode(path)


def test_sparse_codes_of_blocks_are_dense(tmp_path):
    X = rows("numbers")
    params = {"k": 2, "max_iter": 1, "random_state": 0, "sparse_output": True}
    sparse = skae.SparseAutoencoderTransformer(8, **params).fit(X)
    codes = sparse.transform(as_path(X, tmp_path))
    np.testing.assert_array_equal(codes.to_numpy(), sparse.transform(X).toarray())
    codes.to_parquet(tmp_path / "codes.parquet")
    back = sparse.inverse_transform(tmp_path / "codes.parquet")
    np.testing.assert_array_equal(back.to_numpy(), sparse.reconstruct(X))


def test_fits_that_return_something(tmp_path):
    X = rows("table")
    path = as_path(X, tmp_path)
    codes = make(skae.AutoencoderTransformer).fit_transform(path)
    assert codes.to_numpy().shape == (N_ROWS, 4)
    assert make(skae.AutoencoderOutlierDetector).fit_predict(path).shape == (N_ROWS,)
