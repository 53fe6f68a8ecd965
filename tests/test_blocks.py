"""Every method that takes rows, given what is read in blocks."""

import inspect

import numpy as np
import pandas as pd
import polars as pl
import pytest
from conftest import SHORT, estimator_classes, make_default

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
            assert name in ("explain", "feature_scores", "transform_distribution")
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
