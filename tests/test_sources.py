"""Rows that are read a block at a time, whatever they come from."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

import skae
from skae._sources.door import source_of, whole
from skae._sources.streamed import StreamedRows
from skae._training.spool import Spool
from skae._utils.moments import Moments, sum_of
from skae._utils.scaling import Scaling

N_ROWS, N_COLUMNS = 1200, 4
NAMES = list("abcd")


@pytest.fixture(scope="module")
def X():
    rng = np.random.default_rng(0)
    angles = rng.uniform(0, 2 * np.pi, N_ROWS)
    rows = np.c_[np.cos(angles), np.sin(angles), np.cos(2 * angles), angles]
    return 3 * rows + 0.1 * rng.normal(size=rows.shape) + 5


def as_memmap(X, folder):
    mapped = np.memmap(folder / "X.bin", X.dtype, "w+", shape=X.shape)
    mapped[:] = X
    return mapped


def as_parquet(X, folder):
    path = folder / "X.parquet"
    pd.DataFrame(X, columns=NAMES).to_parquet(path, row_group_size=100)
    return path


def as_parquets(X, folder):
    paths = [folder / f"{i}.parquet" for i in range(3)]
    for part, path in zip(np.array_split(X, 3), paths, strict=True):
        pd.DataFrame(part, columns=NAMES).to_parquet(path)
    return [str(path) for path in paths]


def as_dataset(X, folder):
    from pyarrow import dataset

    return dataset.dataset(as_parquet(X, folder))


def as_selection(X, folder):
    from pyarrow import dataset

    return as_dataset(X, folder).filter(dataset.field("a") > -1e9)


def as_lazy(X, folder):
    import polars as pl

    return pl.scan_parquet(as_parquet(X, folder)).with_columns(pl.col("a") * 1)


def as_dask_array(X, folder):
    from dask import array

    return array.from_array(X, chunks=(100, 3))


def as_dask_frame(X, folder):
    from dask import dataframe

    return dataframe.from_pandas(pd.DataFrame(X, columns=NAMES), npartitions=7)


def as_function(X, folder):
    def blocks():
        yield X[:0]
        yield from np.array_split(X, 5)

    return blocks


KINDS = [
    as_memmap,
    as_parquet,
    as_parquets,
    as_dataset,
    as_selection,
    as_lazy,
    as_dask_array,
    as_dask_frame,
    as_function,
]


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_each_pass_has_the_same_rows_in_the_same_order(kind, X, tmp_path):
    source = source_of(kind(X, tmp_path))
    for _ in range(2):
        found = np.vstack([np.asarray(block) for block in source.blocks()])
        np.testing.assert_array_equal(found, X)


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_what_fits_into_memory_is_fitted_as_if_it_were_there(kind, X, tmp_path):
    params = {"max_iter": 2, "hidden_layer_sizes": (8,), "random_state": 0}
    expected = skae.AutoencoderTransformer(2, **params).fit(X)
    found = skae.AutoencoderTransformer(2, **params).fit(kind(X, tmp_path))
    assert found.n_features_in_ == N_COLUMNS
    rows = pd.DataFrame(X, columns=NAMES) if hasattr(found, "feature_names_in_") else X
    np.testing.assert_array_equal(found.transform(rows), expected.transform(X))


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_what_does_not_fit_is_fitted_as_if_it_did(kind, X, tmp_path):
    params = {"max_iter": 2, "hidden_layer_sizes": (), "random_state": 0}
    in_memory = skae.AutoencoderTransformer(3, **params).fit(X)
    found = streamed(skae.AutoencoderTransformer(3, **params), 2**14)
    found.fit(kind(X, tmp_path))
    rows = pd.DataFrame(X, columns=NAMES) if hasattr(found, "feature_names_in_") else X
    assert found.score(rows) > 1.1 * in_memory.score(X)  # both below 0


@pytest.mark.parametrize("other", [None, [[1.0]], np.zeros((3, 2)), pd.DataFrame()])
def test_rows_in_memory_have_no_source(other):
    assert source_of(other) is None


def blocks_of(rows, cuts):
    return np.split(rows, sorted(cut % (len(rows) + 1) for cut in cuts))


@settings(max_examples=200, deadline=None)
@given(
    rows=hnp.arrays(
        np.float64,
        st.tuples(st.integers(1, 30), st.integers(1, 4)),
        elements=st.floats(-1e6, 1e6, width=32) | st.just(np.nan),
    ),
    cuts=st.lists(st.integers(0, 100), max_size=4),
)
def test_moments_of_blocks_are_those_of_all_rows(rows, cuts):
    blocks = [block for block in blocks_of(rows, cuts) if len(block)]
    found = sum_of(map(Moments.of, blocks))
    there = ~np.isnan(rows)
    assert found.n_rows == len(rows)
    np.testing.assert_array_equal(found.counts, there.sum(axis=0))
    frame = pd.DataFrame(rows)
    mean = frame.mean().fillna(0).to_numpy()
    np.testing.assert_allclose(found.mean, mean, atol=1e-9)
    squares = frame.var(ddof=0).fillna(0).to_numpy() * there.sum(axis=0)
    np.testing.assert_allclose(found.squares, squares, rtol=1e-7, atol=1e-6)
    np.testing.assert_array_equal(found.low, np.fmin.reduce(rows, axis=0))
    np.testing.assert_array_equal(found.high, np.fmax.reduce(rows, axis=0))


@pytest.mark.parametrize("shift", [0.0, 1e9])
def test_a_stream_is_scaled_as_rows_in_memory_are(X, shift):
    X = X + shift
    source = source_of(lambda: np.array_split(X, 7))
    rows = StreamedRows(source, lambda block: block, 2**20)
    found, expected = rows.scaling(), Scaling.of(X)
    np.testing.assert_allclose(found.shift, expected.shift, rtol=1e-14)
    assert found.scale == pytest.approx(expected.scale, rel=1e-7)
    np.testing.assert_array_equal(rows.take([5, 1199, 0, 5]), X[[5, 1199, 0, 5]])


@settings(max_examples=100, deadline=None)
@given(
    n_rows=st.integers(1, 60),
    width=st.integers(1, 3),
    bucket=st.integers(1, 70),
    cuts=st.lists(st.integers(0, 100), max_size=4),
    seed=st.integers(0, 9),
)
def test_a_spool_holds_each_row_once(n_rows, width, bucket, cuts, seed):
    numbers = np.arange(n_rows, dtype=np.float32)
    rows = numbers[:, None] + np.zeros(width, np.float32)
    spool = Spool(n_rows, width, bucket, seed)
    for block in blocks_of(rows, cuts):
        spool.add(block)
    spool.shuffle()
    found = spool.read(0, n_rows)
    assert (found == found[:, :1]).all()
    assert sorted(found[:, 0]) == numbers.tolist()
    np.testing.assert_array_equal(found[: len(spool.numbers), 0], spool.numbers)
    part = slice(n_rows // 3, n_rows)
    np.testing.assert_array_equal(spool.read(part.start, part.stop), found[part])


def test_a_spool_is_in_any_order():
    """Each row is as likely at each place: chi-squared over 3,000 spools."""
    counts = np.zeros((6, 6))
    for seed in range(3000):
        spool = Spool(6, 1, 2, seed)
        for start in (0, 1, 4):
            stop = {0: 1, 1: 4, 4: 6}[start]
            spool.add(np.arange(start, stop, dtype=np.float32)[:, None])
        spool.shuffle()
        counts[np.arange(6), spool.read(0, 6)[:, 0].astype(int)] += 1
    statistic = np.square(counts - 500).sum() / 500
    assert statistic < 52.6  # beyond which 0.1 % of 25 degrees of freedom are


def streamed(estimator, limit=2**16):
    return estimator.set_params(memory_limit=limit)


@pytest.mark.parametrize("order", ["shuffled", "sorted"])
def test_the_order_of_a_file_does_not_matter(X, order):
    """In held-out error, beside a fit in memory."""
    rows = X[np.argsort(X[:, 3])] if order == "sorted" else X
    rows = np.vstack([rows] * 4)
    params = {"hidden_layer_sizes": (32,), "max_iter": 30, "random_state": 0}
    in_memory = skae.AutoencoderTransformer(1, **params).fit(rows)
    from_blocks = streamed(skae.AutoencoderTransformer(1, **params))
    from_blocks.fit(lambda: np.array_split(rows, 9))
    assert from_blocks.score(X) > 1.1 * in_memory.score(X)  # both below 0


def test_errors_say_where_and_keep_the_earlier_fit(X):
    estimator = streamed(skae.AutoencoderTransformer(2, max_iter=1, random_state=0))
    codes = estimator.fit(lambda: np.array_split(X, 4)).transform(X)
    wrong = X.copy()
    wrong[700, 2] = np.inf
    with pytest.raises(ValueError, match=r"In rows 600 to 899 of .*infinity"):
        estimator.fit(lambda: np.array_split(wrong, 4))
    np.testing.assert_array_equal(estimator.transform(X), codes)
    narrow = [X[:600], X[600:, :3]]
    with pytest.raises(ValueError, match=r"In rows 600 to 1,199 .*3 features"):
        estimator.fit(lambda: narrow)
    with pytest.raises(ValueError, match="has no rows"):
        estimator.fit(lambda: iter([]))
    with pytest.raises(FileNotFoundError, match=r"nothing\.parquet"):
        estimator.fit("nothing.parquet")
    np.testing.assert_array_equal(estimator.transform(X), codes)


def test_few_rows_are_read_whole():
    few = np.zeros((999, 50))
    kept = whole(source_of(lambda: np.array_split(few, 9)), 1)
    np.testing.assert_array_equal(np.concatenate(list(kept.blocks())), few)
    many = np.zeros((1001, 50))
    assert whole(source_of(lambda: np.array_split(many, 9)), 1) is None


@pytest.mark.parametrize(
    "name",
    [name for name in skae.__all__ if name.endswith("Transformer")],
)
def test_every_transformer_learns_from_a_stream_with_holes(name, X):
    rows = X.copy()
    rows[np.random.default_rng(0).random(X.shape) < 0.1] = np.nan
    params = {"hidden_layer_sizes": (), "max_iter": 2, "random_state": 0}
    estimator = streamed(getattr(skae, name)(3, **params))
    estimator.fit(lambda: np.array_split(rows, 4))
    assert np.isfinite(estimator.transform(rows)).all()
    filled = estimator.impute(rows)
    assert np.isfinite(filled).all()
    again = streamed(getattr(skae, name)(3, **params))
    again.fit(lambda: np.array_split(rows, 4))
    np.testing.assert_array_equal(again.impute(rows), filled)


@pytest.fixture(scope="module")
def fitted(X):
    params = {"hidden_layer_sizes": (8,), "max_iter": 2, "random_state": 0}
    frame = pd.DataFrame(X, columns=NAMES)
    return skae.AutoencoderTransformer(2, **params).fit(frame)


STORED = [kind for kind in KINDS if kind not in (as_memmap, as_dask_array, as_function)]


@pytest.mark.parametrize("kind", STORED, ids=lambda kind: kind.__name__)
@pytest.mark.parametrize("method", ["transform", "reconstruct", "score_samples"])
def test_results_of_blocks_are_those_of_all_rows(kind, method, fitted, X, tmp_path):
    expected = getattr(fitted, method)(pd.DataFrame(X, columns=NAMES))
    found = getattr(fitted, method)(kind(X, tmp_path))
    if hasattr(found, "compute"):
        found = found.compute().to_numpy()
    elif hasattr(found, "to_numpy"):
        found = found.to_numpy()
    np.testing.assert_array_equal(found, expected)


def test_codes_are_written_block_by_block(fitted, X, tmp_path):
    codes = fitted.transform(as_parquet(X, tmp_path))
    assert sum(len(block) for block in codes) == N_ROWS
    codes.to_parquet(tmp_path / "codes.parquet")
    written = pd.read_parquet(tmp_path / "codes.parquet")
    assert list(written.columns) == list(fitted.get_feature_names_out())
    np.testing.assert_array_equal(written, codes.to_numpy())


def test_a_file_that_is_there_stays_where_rows_are_wrong(fitted, X, tmp_path):
    (tmp_path / "codes.parquet").write_bytes(b"earlier")
    wrong = X.copy()
    wrong[700, 2] = np.inf
    frames = [pd.DataFrame(part, columns=NAMES) for part in np.array_split(wrong, 4)]
    codes = fitted.transform(lambda: iter(frames))
    with pytest.raises(ValueError, match=r"In rows 600 to 899 .*infinity"):
        codes.to_parquet(tmp_path / "codes.parquet")
    assert (tmp_path / "codes.parquet").read_bytes() == b"earlier"
    assert [path.name for path in tmp_path.iterdir()] == ["codes.parquet"]


def test_collections_of_dask_stay_lazy(fitted, X, tmp_path):
    frame = as_dask_frame(X, tmp_path)
    codes, scores = fitted.transform(frame), fitted.score_samples(frame)
    assert list(codes.columns) == list(fitted.get_feature_names_out())
    assert codes.npartitions == frame.npartitions
    assert codes.dtypes.eq(np.float64).all()
    assert scores.dtype == np.float64
    of_array = skae.AutoencoderTransformer(2, max_iter=1, random_state=0).fit(X)
    array = as_dask_array(X, tmp_path)
    lazy = of_array.transform(array)
    assert lazy.shape == (N_ROWS, 2)
    np.testing.assert_array_equal(lazy.compute(), of_array.transform(X))
    scores = of_array.score_samples(array).compute()
    np.testing.assert_array_equal(scores, of_array.score_samples(X))


def test_partial_fit_goes_on_with_blocks(X):
    params = {"hidden_layer_sizes": (), "random_state": 0, "memory_limit": 2**16}
    estimator = skae.AutoencoderTransformer(2, **params)
    for _ in range(2):
        estimator.partial_fit(lambda: np.array_split(X, 4))
    assert estimator.n_iter_ == 2
    assert np.isfinite(estimator.score(X))


def test_partial_fit_goes_on_with_a_table_in_blocks(X):
    table = pd.DataFrame(X, columns=NAMES).assign(kind=["x", "y"] * (N_ROWS // 2))
    params = {"hidden_layer_sizes": (), "max_iter": 1, "random_state": 0}
    estimator = skae.AutoencoderTransformer(2, memory_limit=2**16, **params)
    parts = [table[i : i + 300] for i in range(0, N_ROWS, 300)]
    estimator.fit(table[:600]).partial_fit(lambda: iter(parts))
    assert estimator.n_iter_ == 2
    assert estimator.reconstruct(lambda: iter(parts)).to_numpy().shape == table.shape


def test_what_is_not_read_in_blocks_is_said(X, tmp_path):
    path = as_parquet(X, tmp_path)
    tables = skae.AutoencoderTransformer(2, max_iter=1, random_state=0).fit(path)
    tables.set_output(transform="pandas")
    with pytest.raises(TypeError, match=r"set_output\(transform='default'\)"):
        tables.transform(path)
    assert tables.score_samples(path).shape == (N_ROWS,)


@pytest.mark.parametrize("left", [900, 1100, 2000])
def test_rows_that_change_between_passes_are_refused(X, left):
    passes = []

    def changing():
        passes.append(1)
        rows = np.concatenate([X, X])
        yield from np.array_split(rows[: len(X) if len(passes) < 4 else left], 9)

    estimator = skae.AutoencoderTransformer(2, memory_limit=2**12, max_iter=2)
    with pytest.raises(ValueError, match="changing had 1,200 rows in the first pass"):
        estimator.fit(changing)


def test_blocks_of_other_dtypes_are_written_to_one_file(tmp_path):
    rows = [
        pd.DataFrame({"a": [1, 2], "b": pd.array([None, None], "string")}),
        pd.DataFrame({"a": [0.5, 2.5], "b": ["x", "y"]}),
        pd.DataFrame({"a": [3, 4], "b": ["z", None]}),
    ]
    blocks = source_of(lambda: iter(rows)).applied(lambda block: block, None)
    blocks.to_parquet(tmp_path / "rows.parquet")
    written = pd.read_parquet(tmp_path / "rows.parquet")
    assert written["a"].tolist() == [1, 2, 0.5, 2.5, 3, 4]
    assert written["b"].fillna("-").tolist() == ["-", "-", "x", "y", "z", "-"]
    assert len(list(tmp_path.iterdir())) == 1
    assert "to_parquet" in repr(blocks)


def test_patterns_of_paths_are_expanded(X, tmp_path):
    as_parquets(X, tmp_path)
    of_pattern = source_of(str(tmp_path / "*.parquet"))
    assert sum(len(block) for block in of_pattern.blocks()) == N_ROWS
