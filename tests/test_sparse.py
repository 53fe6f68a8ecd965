"""Sparse matrices: read as they are, with the results of dense arrays."""

import numpy as np
import pandas as pd
import pytest
import torch
from conftest import transformer_classes
from scipy import sparse
from sklearn.compose import ColumnTransformer
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.model_selection import cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder
from sklearn.utils import get_tags

import skae
from skae import (
    AutoencoderImputer,
    AutoencoderOutlierDetector,
    AutoencoderTransformer,
    VariationalAutoencoderTransformer,
)
from skae._training.data import Batch, TrainingData
from skae._training.pca import principal_components
from skae._training.sparse import SparseRows
from skae._utils.scaling import Scaling
from skae.corruptions import Missing

METHODS = "transform", "reconstruct", "score_samples"
FORMATS = [
    getattr(sparse, name)
    for name in dir(sparse)
    if name.endswith(("_array", "_matrix"))
]
FORMATS = [kind for kind in FORMATS if isinstance(kind, type)]


def rows(n=60, d=12, seed=0):
    """Sparse rows, some without any cell, and columns of none and without zeros."""
    rng = np.random.default_rng(seed)
    X = rng.poisson(0.4, (n, d)) * rng.normal(3, 1, (n, d))
    X[::7] = 0
    X[:, 2] = 0
    X[:, 5] = rng.normal(1000, 1, n)
    return X


def random_rows(n, d, seed=0):
    """A CSR array of few topics, as of words in texts."""
    rng = np.random.default_rng(seed)
    draws = rng.normal(size=(n, 5)) @ rng.normal(size=(5, d))
    return sparse.csr_array(np.where(draws > 3, draws, 0) + np.eye(n, d))


def assert_same(estimator, other, given, others, methods=METHODS):
    for method in methods:
        results = getattr(estimator, method)(given), getattr(other, method)(others)
        np.testing.assert_array_equal(*map(np.asarray, results), method)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_results_are_those_of_the_dense_array(make, dtype):
    X = rows().astype(dtype)
    for params in ({}, {"early_stopping": False}, {"warm_start": True}):
        pair = make(**params), make(**params)
        for _ in range(1 + params.get("warm_start", False)):
            for estimator, given in zip(pair, (sparse.csr_array(X), X), strict=True):
                estimator.fit(given)
        assert_same(*pair, sparse.csr_array(X), X)
        assert_same(pair[0], pair[0], sparse.csr_array(X), X)
        assert pair[0].transform(sparse.csr_array(X)).dtype == dtype
        assert pair[0].loss_curve_ == pair[1].loss_curve_
        assert pair[0].pca_loss_ == pair[1].pca_loss_
        assert pair[0].score(sparse.csr_array(X)) == pair[1].score(X)


@pytest.mark.parametrize(
    "params",
    [
        {"init": "pca"},
        {"init": "layerwise", "hidden_layer_sizes": (8, 6)},
        {"loss": "log_loss"},
        {"corruption": Missing()},
        {"n_components": 0.9},
    ],
    ids=["pca", "layerwise", "log_loss", "missing", "share"],
)
def test_results_are_those_of_the_dense_array_with_other_parts(params):
    X = rows()
    X /= np.abs(X).max()
    X = np.abs(X)
    params = {"n_components": 3, "max_iter": 3, "random_state": 0, **params}
    given = sparse.csr_array(X)
    pair = [AutoencoderTransformer(**params).fit(part) for part in (given, X)]
    assert_same(*pair, given, X)


def test_partial_fit_and_what_only_some_have(make):
    X = rows()
    given = sparse.csr_array(X)
    pair = make(), make()
    for part in (slice(30), slice(30, 60)):
        for estimator, of in zip(pair, (given, X), strict=True):
            estimator.partial_fit(of[part])
    assert_same(*pair, given, X)
    others = {"transform_distribution", "jacobian_norm"} & set(dir(pair[0]))
    assert_same(*pair, given, X, others)


@pytest.mark.parametrize("kind", FORMATS, ids=lambda kind: kind.__name__)
def test_all_formats_are_read(kind):
    X = rows()
    fitted = AutoencoderTransformer(3, max_iter=2, random_state=0).fit(X)
    other = AutoencoderTransformer(3, max_iter=2, random_state=0).fit(kind(X))
    assert_same(other, fitted, kind(X), X)
    assert type(other.reconstruct(kind(X))) is np.ndarray


@pytest.mark.parametrize("dtype", [bool, np.int8, np.int64, np.longdouble])
def test_other_numbers_become_float64(dtype):
    X = (rows() > 1).astype(dtype)
    given = sparse.csr_array(X)
    pair = [
        AutoencoderTransformer(3, max_iter=2, random_state=0).fit(part)
        for part in (given, X)
    ]
    assert_same(*pair, given, X)


def test_rows_do_not_depend_on_those_beside_them(make):
    X = sparse.csr_array(rows(300))
    estimator = make().fit(X)
    for method in METHODS:
        apply = getattr(estimator, method)
        whole = apply(X)
        for part in (slice(0, 1), slice(5, 40), slice(0, 299)):
            np.testing.assert_array_equal(
                np.asarray(apply(X[part])), np.asarray(whole[part])
            )


def scrambled(X, index_dtype=np.int32):
    """CSR cells in another order, some stored twice, one of them an explicit zero."""
    X = sparse.csr_array(X)
    data, columns, ends = [], [], [0]
    for row in range(X.shape[0]):
        part = slice(X.indptr[row], X.indptr[row + 1])
        halves = X.data[part] / 2
        data += [*halves[::-1], *halves, 0.0]
        columns += [*X.indices[part][::-1], *X.indices[part], 0]
        ends.append(len(data))
    made = sparse.csr_array(X.shape)
    made.data = np.array(data)
    made.indices = np.array(columns, index_dtype)
    made.indptr = np.array(ends, index_dtype)
    return made


@pytest.mark.parametrize("index_dtype", [np.int32, np.int64])
@pytest.mark.parametrize("is_read_only", [False, True])
def test_the_users_matrix_is_left_as_it_is(index_dtype, is_read_only):
    X = rows()
    given = scrambled(X, index_dtype)
    parts = given.data, given.indices, given.indptr
    copies = [part.copy() for part in parts]
    for part in parts:
        part.flags.writeable = not is_read_only
    fitted = AutoencoderTransformer(3, max_iter=2, random_state=0).fit(given)
    assert_same(fitted, fitted, given, X)
    for part, now, copy in zip(
        parts, (given.data, given.indices, given.indptr), copies, strict=True
    ):
        assert now is part
        np.testing.assert_array_equal(part, copy)
        assert now.dtype == copy.dtype


@pytest.mark.parametrize("index_dtype", [np.int32, np.int64])
def test_read_only_matrices_with_indices_of_any_size(index_dtype):
    X = rows()
    given = sparse.csr_array(X)
    given.indices = given.indices.astype(index_dtype)
    given.indptr = given.indptr.astype(index_dtype)
    for part in (given.data, given.indices, given.indptr):
        part.flags.writeable = False
    pair = [
        AutoencoderTransformer(3, max_iter=2, random_state=0).fit(part)
        for part in (given, X)
    ]
    assert_same(*pair, given, X)


def test_a_fit_shares_the_memory_of_the_matrix():
    X = sparse.csr_array(rows())
    scaling = Scaling.of(X)
    data = TrainingData.of(X, scaling, 10, 0, "cpu")
    for part in (data.all, data.train, data.valid):
        assert part.rows.data.data_ptr() == X.data.ctypes.data
        assert part.rows.columns.data_ptr() == X.indices.ctypes.data


def test_batches_are_those_of_dense_rows():
    X = rows()
    scaling = Scaling.of(X)
    made = [
        TrainingData.of(part, scaling, 10, 0, "cpu")
        for part in (sparse.csr_array(X), X)
    ]
    few, dense = made[0].all, made[1].all
    assert few.rows.shape == tuple(dense.rows.shape)
    assert len(few) == len(dense)
    chosen = torch.tensor([5, 0, 59, 5])
    for one, other in (
        (few.take(chosen), dense.take(chosen)),
        (few.dense(), dense),
        (few[3:9].dense(), dense[3:9]),
        (few[3:3].dense(), dense[3:3]),
        (few.head(7), dense.head(7)),
        (made[0].train.split(20)[-1].dense(), made[1].train.split(20)[-1]),
    ):
        assert torch.equal(one.rows, other.rows)
    np.testing.assert_allclose(
        few.rows.var(0, correction=0), dense.rows.var(0, correction=0), rtol=1e-4
    )


def test_wide_rows_become_dense_few_at_a_time():
    X = sparse.csr_array(sparse.eye_array(600, 100_000))
    data = TrainingData.of(X, Scaling.of(X), 0, 0, "cpu")
    sizes = [len(part) for part in data.all.split(4096)]
    assert sum(sizes) == 600
    assert max(sizes) == data.all.rows.chunk_rows == 256
    assert len(data.all.head(2048)) == 256


@pytest.mark.parametrize("large", [False, True])
def test_scaling_is_that_of_dense_rows(large):
    X = rows() + (1e9 if large else 0.0)
    for dtype in (np.float32, np.float64):
        ones = Scaling.of(X.astype(dtype))
        others = Scaling.of(sparse.csr_array(X.astype(dtype)))
        np.testing.assert_array_equal(ones.shift, others.shift)
        assert ones.scale == others.scale


@pytest.mark.parametrize("shape", [(300, 40), (40, 300)])
@pytest.mark.parametrize("n_components", [5, 0.9])
def test_pca_is_that_of_dense_rows(shape, n_components):
    X = random_rows(*shape)
    few = _training_rows(X)
    both = [principal_components(r, n_components, 0) for r in (few, few.dense())]
    assert torch.equal(both[0].mean, both[1].mean)
    torch.testing.assert_close(both[0].components, both[1].components)


def test_pca_by_subspace_iteration_is_pca(monkeypatch):
    from skae._training import pca

    X = random_rows(300, 200).toarray()
    X[:, 3] += 1e3
    X = sparse.csr_array(X)
    exact = principal_components(_training_rows(X), 5, 0)
    monkeypatch.setattr(pca, "_LARGEST_EIGH", 20)
    found = principal_components(_training_rows(X), 5, 0)
    torch.testing.assert_close(found.components, exact.components, atol=1e-4, rtol=0)
    torch.testing.assert_close(found.mean, exact.mean, atol=1e-5, rtol=0)
    products = found.components @ found.components.T
    torch.testing.assert_close(products, torch.eye(5))
    with pytest.raises(ValueError, match=r"n_components=0.9.*300 rows.*such as n_comp"):
        principal_components(_training_rows(X), 0.9, 0)


def test_pca_of_fewer_directions_than_are_wanted(monkeypatch):
    from skae._training import pca

    monkeypatch.setattr(pca, "_LARGEST_EIGH", 2)
    for X in (
        sparse.csr_array((30, 20)),
        sparse.csr_array(np.eye(30, 20)[:, [0] * 20]),
    ):
        components = principal_components(_training_rows(X), 6, 0).components
        assert components.shape == (6, 20)
        torch.testing.assert_close(components @ components.T, torch.eye(6))


def _training_rows(X):
    order = np.random.default_rng(0).permutation(X.shape[0])
    return SparseRows.of(X, Scaling.of(X), order, "cpu")


def test_wide_fits_agree_with_dense_ones(monkeypatch):
    from skae._training import pca
    from skae._training import stored_rows as module

    monkeypatch.setattr(pca, "_LARGEST_EIGH", 20)
    monkeypatch.setattr(module, "_CHUNK_CELLS", 2**10)
    monkeypatch.setattr(module, "_LEAST_ROWS", 32)
    X = random_rows(300, 100)
    params = {"n_components": 4, "max_iter": 3, "random_state": 0}
    pair = [AutoencoderTransformer(**params).fit(part) for part in (X, X.toarray())]
    for method in METHODS:
        results = getattr(pair[0], method)(X), getattr(pair[1], method)(X.toarray())
        np.testing.assert_allclose(*results, atol=1e-3 * np.abs(results[1]).max())


def test_output_of_encoders_of_categories_and_of_texts():
    frame = pd.DataFrame({"a": list("xyzxyzxy") * 5, "b": list("pqpqqqpp") * 5})
    texts = [f"{a} likes {b} and {b}s" for a, b in zip(frame.a, frame.b, strict=True)]
    autoencoder = AutoencoderTransformer(2, max_iter=2, random_state=0)
    encode = ColumnTransformer([("e", OneHotEncoder(), ["a", "b"])], sparse_threshold=1)
    for first, X in ((encode, frame), (TfidfVectorizer(), texts)):
        assert sparse.issparse(first.fit_transform(X))
        assert make_pipeline(first, autoencoder).fit_transform(X).shape == (40, 2)
    X = TfidfVectorizer().fit_transform(texts)
    assert np.isfinite(cross_val_score(autoencoder, X, cv=2)).all()


@pytest.mark.parametrize("cls", transformer_classes())
def test_tags_say_what_is_read(cls):
    reads_holes_alone = cls is AutoencoderImputer
    assert get_tags(cls()).input_tags.sparse is not reads_holes_alone


def test_saved_halves_read_sparse_rows(tmp_path):
    X = sparse.csr_array(rows())
    fitted = VariationalAutoencoderTransformer(3, max_iter=2, random_state=0).fit(X)
    fitted.save_encoder(tmp_path / "encoder.skae")
    encoder = skae.load(tmp_path / "encoder.skae")
    np.testing.assert_array_equal(encoder.transform(X), fitted.transform(X))


BAD = {
    "nan": (lambda X: _with(X, np.nan), ValueError, "sparse and holds NaN.*toarray"),
    "inf": (lambda X: _with(X, np.inf), ValueError, "contains infinity"),
    "1e30": (lambda X: _with(X, 1e30), ValueError, r"values up to 1e\+30.*divide"),
    "no rows": (lambda X: X[:0], ValueError, "0 sample"),
    "no columns": (lambda X: X[:, :0], ValueError, "0 feature"),
    "complex": (lambda X: X * 1j, ValueError, "Complex data not supported"),
    "one dimension": (
        lambda X: sparse.coo_array(X.toarray()[0]),
        ValueError,
        r"Expected 2D array.*X\[None\]",
    ),
}


def _with(X, value):
    X = X.copy()
    X.data[0] = value
    return X


@pytest.mark.parametrize("name", BAD)
def test_bad_matrices_are_refused(make, name):
    spoil, error, message = BAD[name]
    X = sparse.csr_array(rows())
    estimator = make().fit(X)
    code = np.asarray(estimator.transform(X))
    for method in (make().fit, estimator.fit, estimator.transform):
        with pytest.raises(error, match=message):
            method(spoil(X))
    np.testing.assert_array_equal(np.asarray(estimator.transform(X)), code)


def test_rows_far_from_those_that_were_fitted_are_refused():
    X = sparse.csr_array(1e-6 * rows())
    fitted = AutoencoderTransformer(2, max_iter=2, random_state=0).fit(X)
    assert np.isfinite(fitted.transform(1e3 * X)).all()
    with pytest.raises(ValueError, match="are the units the same"):
        fitted.transform(1e15 * X)


def test_what_reads_no_sparse_rows_says_so(tables):
    X = sparse.csr_array(tables)
    with pytest.raises(TypeError, match=r"Sparse data was passed.*toarray"):
        AutoencoderOutlierDetector().fit(X)
    with pytest.raises(TypeError, match=r"X is sparse.*toarray"):
        AutoencoderImputer().fit(X)
    with pytest.raises(TypeError, match=r"X is sparse.*toarray"):
        AutoencoderTransformer(categorical_features=[0]).fit(X)
    numbers = AutoencoderTransformer(2, max_iter=1).fit(X)
    with pytest.raises(TypeError, match=r"X is sparse.*toarray"):
        numbers.impute(X)
    table = pd.DataFrame(tables).rename(columns=str).assign(c=list("ab") * 30)
    fitted = AutoencoderTransformer(2, max_iter=1).fit(table)
    with pytest.raises(TypeError, match=r"X is sparse.*toarray"):
        fitted.transform(X)


def test_dense_batches_are_left_alone():
    batch = Batch(torch.ones(3, 2))
    assert batch.dense() is batch
