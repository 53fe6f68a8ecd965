"""Tables with categories, dates and holes that are learned block by block."""

import pickle
import warnings
from functools import reduce
from operator import add

import numpy as np
import pandas as pd
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from test_tables_columns import POOLS, tables, taken

import skae
from skae._tables.columns import Columns
from skae._tables.summary import TableSummary

SLOW = settings(max_examples=100, deadline=None)
N_ROWS = 1500


def blocks_of(X, cuts):
    """A table in blocks, none of them empty."""
    ends = sorted({cut % len(X) for cut in cuts} - {0})
    starts = [0, *ends]
    pairs = zip(starts, [*ends, len(X)], strict=True)
    return [taken(X, slice(start, stop)) for start, stop in pairs]


def assert_same(one, other):
    """The same columns but for the rounding of sums."""
    assert (one is None) == (other is None)
    if one is None:
        return
    for name in ("library", "names", "dtypes"):
        assert getattr(one, name) == getattr(other, name)
    for a, b in zip(one.columns, other.columns, strict=True):
        assert type(a) is type(b)
        assert a.__getstate__().keys() == b.__getstate__().keys()
        for name, value in a.__getstate__().items():
            if name in ("shift", "scale"):
                size = max(abs(a.shift), a.scale)
                assert getattr(b, name) == pytest.approx(value, abs=1e-9 * size)
            else:
                assert getattr(b, name) == value, name


def summed(blocks, choice="from_dtype"):
    return reduce(add, (TableSummary.of(block, choice) for block in blocks))


@pytest.mark.parametrize("library", POOLS)
@SLOW
@given(data=st.data())
def test_columns_of_blocks_are_those_of_all_rows(library, data):
    whole, holed, _ = data.draw(tables(library))
    X = data.draw(st.sampled_from([whole, holed]))
    choice = data.draw(st.sampled_from(["from_dtype", [0]]))
    try:
        expected = Columns.of_summary(TableSummary.of(X, choice))
    except ValueError as error:  # of dates that are chosen to be categories
        assert "categorical_features" in str(error)
        return
    cuts = data.draw(st.lists(st.integers(0, 20), max_size=4))
    summaries = [TableSummary.of(block, choice) for block in blocks_of(X, cuts)]
    summaries = pickle.loads(pickle.dumps(summaries))
    assert_same(Columns.of_summary(reduce(add, summaries)), expected)
    # From the right, as from the left.
    from_right = reduce(lambda total, part: part + total, summaries[::-1])
    assert_same(Columns.of_summary(from_right), expected)


@SLOW
@given(
    values=st.lists(st.floats(allow_nan=False, allow_infinity=False), min_size=1),
    cuts=st.lists(st.integers(0, 50), max_size=4),
)
def test_numbers_of_any_size_add_up(values, cuts):
    X = pd.DataFrame({"a": values})
    (expected,) = TableSummary.of(X).columns
    (found,) = summed(blocks_of(X, cuts)).columns
    one, other = expected.spread, found.spread
    assert (one.count, one.low, one.high) == (other.count, other.low, other.high)
    size = max(abs(one.low), abs(one.high))
    assert other.mean == pytest.approx(one.mean, rel=1e-9, abs=1e-12 * size)
    assert other.deviation == pytest.approx(one.deviation, rel=1e-7, abs=1e-12 * size)


def test_levels_are_counted_over_all_blocks():
    """Rare in each block and frequent in all, and the other way round."""
    rng = np.random.default_rng(0)
    X = pd.DataFrame({"a": rng.permutation([f"{i}" for i in range(400)] * 2)})
    X["a"] += "x"
    X.loc[:2, "a"] = "alone"
    for n in (1, 3, 100):
        blocks = [X[i::n] for i in range(n)]
        assert_same(Columns.of_summary(summed(blocks)), Columns.of(X))


FRAME = pd.DataFrame
# What the columns of two blocks are, and of both together.
JOINED = {
    "nothing, then text": ([None, None], ["x", "y"], "object"),
    "NaN, then text": ([np.nan, np.nan], ["x", "y"], "str"),
    "integers, then floats": ([1, 2], [0.5, np.nan], "float64"),
    "integers and nothing": ([1, 2], [np.nan, np.nan], "float64"),
    "truth values and holes": ([True, False], [True, None], "object"),
    "truth values and NaN": ([True, False], [np.nan, np.nan], "bool"),
    "dates and nothing": (pd.to_datetime(["2021-01-01"] * 2), [None] * 2, None),
    "units of dates": (
        pd.to_datetime(["2021-01-01"] * 2).as_unit("s"),
        pd.to_datetime(["2021-01-03"] * 2).as_unit("ms"),
        "datetime64[ms]",
    ),
}


@pytest.mark.parametrize("kind", JOINED)
@pytest.mark.parametrize("order", [1, -1])
def test_kinds_are_decided_over_all_blocks(kind, order):
    *parts, dtype = JOINED[kind]
    blocks = [FRAME({"a": part, "b": ["x", "y"]}) for part in parts][::order]
    columns = Columns.of_summary(summed(blocks))
    if dtype is not None:
        assert columns.dtypes[0]["name"] == dtype
    for block in blocks:
        columns.restore(np.nan_to_num(columns.cells(block)))
        assert not columns.unseen(block).any()


def test_dictionaries_of_blocks_are_joined():
    blocks = [
        FRAME({"a": pd.Categorical(list(levels))}) for levels in ("ab", "ca", "bd")
    ]
    columns = Columns.of_summary(summed(blocks))
    assert columns.dtypes[0]["categories"] == list("abcd")
    assert columns.restore(columns.cells(blocks[1]))["a"].tolist() == ["c", "a"]
    enums = [pl.DataFrame({"a": ["x"]}, schema={"a": pl.Enum(e)}) for e in ("x", "xy")]
    assert Columns.of_summary(summed(enums)).dtypes[0]["categories"] == ["x", "y"]
    wider = [
        pl.DataFrame({"a": [n], "b": "x"}, schema_overrides={"a": t})
        for n, t in ((1, pl.Int8), (None, pl.Null), (2.5, pl.Float32))
    ]
    dtypes = Columns.of_summary(summed(wider)).dtypes
    assert [dtype["name"] for dtype in dtypes] == ["Float32", "String"]


@pytest.mark.parametrize(
    "parts",
    [
        ([1, 2], ["x", "y"]),
        (["x", "y"], pd.to_datetime(["2021-01-01"] * 2)),
        ([True, False], [1, 2]),
        (
            pd.to_datetime(["2021-01-01"] * 2),
            pd.to_datetime(["2021-01-01"] * 2, utc=True),
        ),
    ],
)
def test_blocks_of_other_kinds_are_named(parts):
    blocks = [FRAME({"a": part, "b": "x"}) for part in parts]
    with pytest.raises(ValueError, match=r"Column 'a' of X holds .*in the rows before"):
        summed(blocks)
    with pytest.raises(ValueError, match=r"\['b'\], but \['a', 'b'\] were expected"):
        summed([blocks[0], blocks[0][["b"]]])
    polars = [pl.DataFrame({"a": part}) for part in ([1], ["x"])]
    with pytest.raises(ValueError, match="holds String, but Int64 in the rows before"):
        summed(polars)


@pytest.fixture(scope="module")
def table():
    """Rows of all kinds of columns, sorted, with holes."""
    rng = np.random.default_rng(0)
    angle = np.sort(rng.uniform(0, 2 * np.pi, N_ROWS))
    days = pd.Timestamp("2020-01-01") + pd.to_timedelta((angle * 100).round(), "D")
    X = FRAME(
        {
            "cosine": np.cos(angle) + 0.1 * rng.normal(size=N_ROWS),
            "quadrant": np.array(list("abcd"))[(angle // (np.pi / 2)).astype(int)],
            "is_late": angle > np.pi,
            "day": days,
            "count": pd.array((10 * angle).astype(int), "Int64"),
        }
    )
    return X.mask(rng.random(X.shape) < 0.1).astype({"count": "Int64"})


def make(**params):
    params = {"hidden_layer_sizes": (32,), "random_state": 0, **params}
    return skae.AutoencoderTransformer(3, memory_limit=2**15, **params)


def as_blocks(X, n=7):
    size = -(-len(X) // n)
    return lambda: (taken(X, slice(i, i + size)) for i in range(0, len(X), size))


def test_a_stream_of_tables_teaches_as_much_as_one_in_memory(table, tmp_path):
    in_memory = make().set_params(memory_limit=10**9).fit(table)
    table.to_parquet(tmp_path / "table.parquet", row_group_size=200)
    for source in (as_blocks(table), tmp_path / "table.parquet"):
        streamed = make().fit(source)
        for a, b in zip(
            streamed._columns.columns, in_memory._columns.columns, strict=True
        ):
            assert type(a) is type(b) and a.width == b.width
        assert streamed.score(table) > 1.1 * in_memory.score(table)  # both below 0
        filled = streamed.impute(table)
        assert not filled.isna().any().any()
        assert len(streamed.impute(table[:50], draws=2, random_state=0)) == 2


@pytest.mark.parametrize(
    "name", [name for name in skae.__all__ if name.endswith("Transformer")]
)
def test_every_transformer_learns_from_a_stream_of_tables(name, table):
    params = {"hidden_layer_sizes": (), "max_iter": 2, "random_state": 0}
    params["memory_limit"] = 2**15
    estimator, again = (getattr(skae, name)(3, **params) for _ in range(2))
    estimator.fit(as_blocks(table))
    again.fit(as_blocks(pl.from_pandas(table), 3))
    assert np.isfinite(estimator.transform(table)).all()
    for draw in estimator.impute(table[:20], draws=2, random_state=0):
        assert set(draw["quadrant"]) <= set("abcd")
    assert again.impute(pl.from_pandas(table[:20])).null_count().to_numpy().sum() == 0
    if hasattr(estimator, "sample"):
        drawn = estimator.sample(20, 0, noise=True)
        observed = set(table["cosine"])
        assert set(drawn["cosine"]) <= observed and drawn.shape == (20, 5)


def test_dask_learns_categories_that_partitions_do_not_know(table):
    from dask import dataframe

    known = table.astype({"quadrant": "category"}).sort_values("quadrant")
    frame = dataframe.from_pandas(known, npartitions=5, sort=False)
    frame = frame.map_partitions(
        lambda part: part.assign(
            quadrant=part["quadrant"].cat.remove_unused_categories()
        )
    )
    frame["quadrant"] = frame["quadrant"].cat.as_unknown()
    for limit in (2**15, 10**9):
        estimator = make(max_iter=1).set_params(memory_limit=limit).fit(frame)
        assert set(estimator._columns.columns[1].levels) == set("abcd")


def test_errors_name_the_rows_and_keep_the_earlier_fit(table):
    estimator = make(max_iter=1).fit(as_blocks(table))
    before = estimator.transform(table)
    other = [table[:600], table[600:900].assign(cosine="x"), table[900:]]
    with pytest.raises(ValueError, match=r"In rows 600 to 899 of .*Column 'cosine'"):
        estimator.fit(lambda: iter(other))
    wrong = table.assign(cosine=table["cosine"].where(table.index != 700, np.inf))
    with pytest.raises(ValueError, match=r"In rows 645 to 859 .*infinite numbers"):
        estimator.fit(as_blocks(wrong))
    many = table.assign(quadrant=[f"{i}" for i in range(N_ROWS)])
    with pytest.raises(ValueError, match=r"'quadrant' of X has .*memory_limit=32,768"):
        estimator.fit(as_blocks(many))
    np.testing.assert_array_equal(estimator.transform(table), before)


def test_numbers_with_a_placeholder_are_warned_of_once(table):
    rare = table.assign(count=[f"{i % 30}" for i in range(N_ROWS - 1)] + ["?"])
    with pytest.warns(UserWarning, match=r"'count' of X is read as cat.*'\?'") as found:
        make(max_iter=1).fit(as_blocks(rare))
    assert len([w for w in found if "is read as categories" in str(w.message)]) == 1


def test_columns_that_are_empty_at_first_become_what_they_are(table):
    first = table[:500].assign(day=pd.NaT, quadrant=None, cosine=np.nan)
    rest = table[500:]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for limit in (2**15, 10**9):
            estimator = make(max_iter=1).set_params(memory_limit=limit)
            estimator.fit(lambda: iter([first, rest]))
            expected = Columns.of(rest)
            assert list(map(type, estimator._columns.columns)) == list(
                map(type, expected.columns)
            )
            assert estimator.reconstruct(first).isna().sum().sum() == 0
