"""Columns of tables as numbers, and numbers as columns again."""

import json
import pickle
import subprocess
import sys
from datetime import date, datetime, time, timedelta, timezone
from decimal import Decimal

import numpy as np
import pandas as pd
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.ensemble import HistGradientBoostingClassifier

from skae import AutoencoderTransformer
from skae._files.values import Reader, Writer
from skae._tables.categories import LEAST_COUNT, MOST_LEVELS
from skae._tables.columns import Columns
from skae._tables.filled import fill
from skae._tables.frames import is_table
from skae._utils.layout import Layout
from skae.exceptions import InvalidFileError

FEW = settings(max_examples=25, deadline=None)
DAY = datetime(2021, 3, 4)
WORDS = ["a", "b", "ä ", ""]
MOMENTS = [DAY + timedelta(hours=37 * i) for i in range(4)]
ZONED = [moment.replace(tzinfo=timezone.utc) for moment in MOMENTS]
SPANS = [timedelta(seconds=7 * i - 9) for i in range(4)]
DAYS = [date(2020, 2, 28 + i) for i in range(2)] + [date(1999, 1, 1), date(2300, 1, 1)]
TIMES = [time(3 * i, 5, i) for i in range(4)]
NUMBERS = [3, 0, 120, 7]
FLOATS = [0.5, -3.25, 1e6, 7.0]
TRUTHS = [True, False]
DECIMALS = [Decimal("1.25"), Decimal("-3.5"), Decimal("0.75")]

# What columns may hold: of a library, a dtype and the values to draw from.
PANDAS = {
    **dict.fromkeys(("int64", "int8", "uint16", "Int32", "UInt8"), NUMBERS),
    **dict.fromkeys(("float64", "float32", "Float64", "Float32"), FLOATS),
    **dict.fromkeys(("bool", "boolean"), TRUTHS),
    **dict.fromkeys(("object", "string", "category"), WORDS),
    "object of numbers": NUMBERS,
    "object of truth values": TRUTHS,
    "object of decimals": DECIMALS,
    "object of days": DAYS,
    "object of times": TIMES,
    "category of numbers": NUMBERS,
    "category of truth values": TRUTHS,
    **{f"datetime64[{unit}]": MOMENTS for unit in ("s", "us", "ns")},
    "datetime64[us, Europe/Berlin]": ZONED,
    "datetime64[ns, UTC+01:00]": ZONED,
    "timedelta64[ms]": SPANS,
}
POLARS = {
    **dict.fromkeys(("Int8", "Int64", "UInt16"), NUMBERS),
    **dict.fromkeys(("Float32", "Float64"), FLOATS),
    "Boolean": TRUTHS,
    "String": WORDS,
    "Categorical": WORDS,
    "Object": WORDS,
    "Enum": WORDS,
    "Decimal": DECIMALS,
    "Date": DAYS,
    "Time": TIMES,
    "Datetime": MOMENTS,
    "zoned": ZONED,
    "Duration": SPANS,
}
POLARS_DTYPES = {
    "Enum": pl.Enum(["unobserved", *WORDS]),
    "Decimal": pl.Decimal(10, 2),
    "Datetime": pl.Datetime("ms"),
    "zoned": pl.Datetime("us", "Europe/Berlin"),
    "Duration": pl.Duration("us"),
}
POOLS = {"pandas": PANDAS, "polars": POLARS}


def column(library, name, values):
    """A column of a name in `POOLS`."""
    if library == "polars":
        return pl.Series(values, dtype=POLARS_DTYPES.get(name) or getattr(pl, name))
    return pd.Series(values, dtype=name.partition(" of ")[0])


def table(library, columns, index=None):
    """A DataFrame of columns by their names in `POOLS`."""
    made = {name: column(library, name, values) for name, values in columns.items()}
    if library == "polars":
        return pl.DataFrame([s.alias(name) for name, s in made.items()])
    frame = pd.DataFrame(made)
    return frame if index is None else frame.set_axis(index)


def can_miss(library, name):
    """Whether a column may have missing cells."""
    return (
        library == "polars"
        or not name.startswith(("int", "uint", "bool"))
        or name == "boolean"
    )


@st.composite
def tables(draw, library):
    """A whole table, the same with holes, and where these are."""
    names = sorted(POOLS[library])
    names = draw(st.lists(st.sampled_from(names), min_size=1, max_size=6, unique=True))
    n = draw(st.integers(2, 6))
    whole, holed, masks = {}, {}, []
    for name in names:
        pool = st.sampled_from(POOLS[library][name])
        values = draw(st.lists(pool, min_size=n, max_size=n)) * 2  # no level is rare
        mask = np.zeros(2 * n, bool)
        if can_miss(library, name):
            mask[:n] = draw(st.lists(st.booleans(), min_size=n, max_size=n))
        whole[name] = values
        holed[name] = [None if m else v for v, m in zip(values, mask, strict=True)]
        masks.append(mask)
    index = [f"row {i}" for i in range(2 * n)]
    return (
        *(table(library, part, index) for part in (whole, holed)),
        np.array(masks).T,
    )


def cells_of(X):
    """Cells as objects; missing ones are None."""
    columns = [X[name] for name in X.columns]
    lists = [
        c.tolist() if isinstance(X, pd.DataFrame) else c.to_list() for c in columns
    ]
    return [[None if pd.isna(v) else v for v in values] for values in lists]


def assert_close(one, other):
    """The same tables but for the rounding of floats."""
    assert type(one) is type(other)
    assert list(one.columns) == list(other.columns)
    assert list(one.dtypes) == list(other.dtypes)
    for values, others in zip(cells_of(one), cells_of(other), strict=True):
        if any(isinstance(value, float) for value in others):
            values, others = (np.array(v, np.float64) for v in (values, others))
            np.testing.assert_allclose(values, others, rtol=1e-6)
        else:
            assert values == others
    if isinstance(one, pd.DataFrame):
        pd.testing.assert_index_equal(one.index, other.index)


def taken(X, rows):
    return X.iloc[rows] if isinstance(X, pd.DataFrame) else X[rows]


def of_categories(X):
    """The columns of a table that has one of categories."""
    columns = Columns.of(X)
    return columns or Columns.of(X, [0])


def stored(value):
    """What a file gives back."""
    writer = Writer()
    node = json.loads(json.dumps(writer.node(value)))
    return Reader(writer.arrays, {}).whole(node)


@pytest.mark.parametrize("library", POOLS)
@FEW
@given(data=st.data())
def test_cells_are_the_table(library, data):
    X, holed, mask = data.draw(tables(library))
    columns = of_categories(X)
    cells = columns.cells(X)
    assert cells.dtype == np.float64 and np.isfinite(cells).all()
    index = X.index if library == "pandas" else None
    assert_close(columns.restore(cells, index), X)
    # A missing cell is missing in its whole block, and no other one is.
    of_column = columns.layout.of_column
    missing = np.isnan(columns.cells(holed))
    np.testing.assert_array_equal(missing, mask[:, of_column])
    np.testing.assert_array_equal(columns.cells(holed)[~missing], cells[~missing])
    assert not columns.unseen(holed).any()


@pytest.mark.parametrize("library", POOLS)
@FEW
@given(data=st.data())
def test_holes_are_filled_and_nothing_else_is_changed(library, data):
    X, holed, mask = data.draw(tables(library))
    columns = of_categories(X)
    before = repr(cells_of(holed))
    filled = fill(holed, columns.cells(X), columns)
    assert_close(filled, X)
    assert list(filled.dtypes) == list(holed.dtypes)
    triples = zip(cells_of(filled), cells_of(holed), mask.T, strict=True)
    for values, others, is_hole in triples:
        same = [a == b for a, b in zip(values, others, strict=True)]
        assert np.array(same)[~is_hole].all()
    assert repr(cells_of(holed)) == before
    assert (columns.values_of(holed) == None).tolist() == mask.tolist()  # noqa: E711


@pytest.mark.parametrize("library", POOLS)
@FEW
@given(data=st.data())
def test_the_order_of_rows_does_not_matter(library, data):
    _, X, _ = data.draw(tables(library))
    order = data.draw(st.permutations(range(len(X))))
    columns, other = of_categories(X), of_categories(taken(X, order))
    assert other == columns
    np.testing.assert_array_equal(other.cells(taken(X, order)), columns.cells(X)[order])


@pytest.mark.parametrize("library", POOLS)
@FEW
@given(data=st.data())
def test_columns_are_pickled_and_stored(library, data):
    _, X, _ = data.draw(tables(library))
    columns = of_categories(X)
    cells = columns.cells(X)
    for other in (pickle.loads(pickle.dumps(columns)), stored(columns)):
        assert other == columns
        np.testing.assert_array_equal(other.cells(X), cells)
        np.testing.assert_array_equal(other.layout.of_column, columns.layout.of_column)


def test_what_is_found_once_is_not_stored():
    column = Columns.of(mixed()).columns[0]
    before = pickle.dumps(column), stored(column)
    cells = np.eye(column.width)
    column.encode(column.decode(cells), cells)
    assert "_places" in vars(column)
    assert (pickle.dumps(column), stored(column)) == before


@pytest.mark.parametrize("library", POOLS)
def test_every_kind_of_column_may_have_no_value_at_all(library):
    names = [name for name in POOLS[library] if can_miss(library, name)]
    X = table(library, {name: [None] * 3 for name in names})
    columns = Columns.of(X)
    width = columns.layout.width
    assert np.isnan(columns.cells(X)).all() and width == len(names)
    np.testing.assert_array_equal(columns.layout.entropies, 0.0)
    restored = columns.restore(np.zeros((3, width)))
    assert_close(restored, X)
    assert list(restored.dtypes) == list(X.dtypes)


@pytest.mark.parametrize("library", POOLS)
def test_tables_may_have_no_rows(library):
    X = table(library, {name: pool[:2] * 2 for name, pool in POOLS[library].items()})
    columns = Columns.of(X)
    nothing = taken(X, slice(0))
    cells = columns.cells(nothing)
    assert cells.shape == (0, columns.layout.width)
    for other in (columns.restore(cells), fill(nothing, cells, columns)):
        assert other.shape == nothing.shape
        assert list(other.dtypes) == list(X.dtypes)


@pytest.mark.parametrize("library", POOLS)
def test_a_column_without_any_value_is_filled_with_what_was_fitted(library):
    pools = POOLS[library]
    X = table(library, {name: pool[:2] * 2 for name, pool in pools.items()})
    columns = Columns.of(X)
    nothing = [None] * 4
    if library == "pandas":
        empty = pd.DataFrame({name: np.full(4, np.nan) for name in pools})
    else:
        empty = pl.DataFrame(dict.fromkeys(pools, nothing))
    filled = fill(empty, columns.cells(X), columns)
    assert cells_of(filled) == cells_of(X)


def test_tables_of_one_library_are_read_by_columns_of_the_other():
    kinds = {"Int64": "int64", "Float64": "float64", "Boolean": "bool"}
    kinds |= {"String": "object", "Datetime": "datetime64[ns]"}
    kinds |= {"zoned": "datetime64[us, Europe/Berlin]", "Date": "object of days"}
    pools = {name: POLARS[name][:2] * 2 for name in kinds}
    P = table("polars", pools)
    D = pd.concat([column("pandas", kinds[n], v) for n, v in pools.items()], axis=1)
    D.columns = list(pools)
    by_polars, by_pandas = Columns.of(P), Columns.of(D)
    np.testing.assert_allclose(by_pandas.cells(P), by_polars.cells(P))
    np.testing.assert_allclose(by_polars.cells(D), by_polars.cells(P))
    holed = P.with_columns(pl.when(pl.int_range(4) > 1).then(pl.all()))
    assert_close(fill(holed, by_pandas.cells(D), by_pandas), P)
    objects = by_polars.values_of(D)
    assert np.isfinite(by_polars.cells(objects)).all()


def mixed():
    """A table of two numbers, two categories and a date, in mixed order."""
    return pd.DataFrame(
        {
            "colour": ["red", "blue", "red", None, "red", "blue"],
            "size": [1.5, 2.5, np.nan, 3.0, 1.0, 2.0],
            "is_new": [True, False, True, True, False, True],
            "when": pd.to_datetime(["2020-01-01", "2020-01-05", None] * 2),
            "n": [1, 2, 3, 4, 5, 6],
        }
    )


def test_cells_are_in_the_order_and_the_units_of_the_layout():
    X = mixed()
    columns = Columns.of(X)
    layout, cells = columns.layout, columns.cells(X)
    assert columns.names == list(X.columns)
    assert layout.order.tolist() == [1, 3, 4, 0, 2]
    np.testing.assert_array_equal(layout.order[layout.places], range(5))
    assert (layout.n_numbers, layout.widths.tolist()) == (3, [2, 2])
    assert (layout.n_columns, layout.width) == (5, 7)
    assert layout.of_column.tolist() == [1, 3, 4, 0, 0, 2, 2]
    assert layout.first.tolist() == [3, 0, 5, 1, 2]
    assert layout.starts.tolist() == [3, 5]
    variances = np.nanvar(cells, axis=0)
    of_columns = np.bincount(layout.of_column, variances)
    np.testing.assert_allclose(of_columns, 1.0)
    np.testing.assert_allclose(np.nanmean(cells[:, :3], axis=0), 0.0, atol=1e-12)
    # The most frequent level is the first of its block.
    shares = [np.array([3, 2]) / 5, np.array([4, 2]) / 6]
    np.testing.assert_allclose(layout.entropies, [-p @ np.log(p) for p in shares])
    np.testing.assert_allclose(
        np.nanmean(cells[:, 3:], axis=0),
        np.concatenate([p * f for p, f in zip(shares, layout.factors, strict=True)]),
    )
    expected = [np.nan, X["size"].std(ddof=0), np.nan, 2 * 86400 * 10**6, None]
    expected[3] *= pd.Timedelta(1, "us") / pd.Timedelta(1, X["when"].dt.unit)
    expected[4] = X["n"].std(ddof=0)
    np.testing.assert_allclose(columns.scales, expected)


def test_cells_do_not_depend_on_units():
    X = mixed()
    other = X.assign(size=X["size"] * 2.0**40, n=X["n"] * -4)
    cells, others = Columns.of(X).cells(X), Columns.of(other).cells(other)
    np.testing.assert_array_equal(others[:, :2], cells[:, :2])
    np.testing.assert_array_equal(others[:, 2], -cells[:, 2])


@pytest.mark.parametrize("factor", [1e-300, 1e300])
def test_numbers_of_any_size_are_standardised(factor):
    X = pd.DataFrame(
        {"a": np.array([1.0, 2.0, 4.0]) * factor, "b": [True, False, True]}
    )
    columns = Columns.of(X)
    np.testing.assert_allclose(columns.cells(X)[:, 0].var(), 1.0)
    np.testing.assert_allclose(columns.restore(columns.cells(X))["a"], X["a"])


def test_constant_columns_have_a_scale():
    X = pd.DataFrame({"a": [0.1] * 3, "b": ["x"] * 3, "c": [True] * 3})
    columns = Columns.of(X)
    assert columns.cells(X).tolist() == [[0.0, 1.0, 1.0]] * 3
    np.testing.assert_array_equal(columns.layout.entropies, 0.0)
    assert columns.restore(columns.cells(X)).equals(X)


@pytest.mark.parametrize("library", POOLS)
def test_what_is_restored_is_possible(library):
    # Early dates of such zones end pandas 2.1 itself.
    pools = {n: p for n, p in POOLS[library].items() if "Berlin" not in n}
    X = table(library, {n: pool[:2] * 2 for n, pool in pools.items()})
    columns = Columns.of(X)
    for value in (-1e12, -0.3, 0.3, 1e12):
        cells = np.full((2, columns.layout.width), value)
        restored = columns.restore(cells)
        assert list(restored.dtypes) == list(X.dtypes)
        assert all(v is not None for values in cells_of(restored) for v in values)


@pytest.mark.parametrize("unit", ["s", "ms", "us", "ns"])
def test_dates_come_back_over_the_whole_range_of_their_unit(unit):
    years = ["1700", "2250"] if unit == "ns" else ["0002", "9998"]
    dates = np.array([*years, "2020-01-01T05"], f"M8[{unit}]")
    X = pd.DataFrame({"a": dates, "b": dates - dates[2]})
    columns = Columns.of(X)
    restored = columns.restore(columns.cells(X))
    close = pd.Timedelta("1h" if unit == "us" else "1s")
    assert ((restored - X).abs() <= close).all(axis=None)
    assert list(restored.dtypes) == list(X.dtypes)


def test_dates_are_restored_in_the_steps_that_were_observed():
    days = pd.to_datetime(["2020-01-01", "2020-01-05", "2020-02-01"])
    X = pd.DataFrame({"day": days, "hour": days + pd.Timedelta("5h")})
    columns = Columns.of(X)
    restored = columns.restore(columns.cells(X) + 0.1)
    assert (restored["day"].dt.normalize() == restored["day"]).all()
    assert (restored["hour"].dt.floor("h") == restored["hour"]).all()
    assert (restored["hour"].dt.hour != 0).any()


def test_most_frequent_levels_have_dummies_and_others_are_pooled():
    names = [f"{i:03}" for i in range(MOST_LEVELS + 46)]
    X = pd.DataFrame({"a": [*(names * LEAST_COUNT), *names[200:], "once", None]})
    columns = Columns.of(X)
    (column,) = columns.columns
    assert column.levels == names[200:] + names[: MOST_LEVELS - 100] + [names[154]]
    assert columns.layout.widths.tolist() == [MOST_LEVELS + 1]
    assert sum(column.counts) == len(X) - 1
    pooled = columns.cells(pd.DataFrame({"a": ["once", "never", names[155], "000"]}))
    np.testing.assert_array_equal(pooled[:3], np.repeat(pooled[:1], 3, axis=0))
    assert pooled[0, -1] > 0 and pooled[3, -1] == 0
    assert columns.restore(pooled)["a"].tolist() == [names[154]] * 3 + ["000"]
    assert not columns.unseen(pd.DataFrame({"a": ["never", None]})).any()
    told = [
        column.told(*pair) for pair in zip([names[154], "000"], pooled[2:], strict=True)
    ]
    assert told == ["a rare level (100 %)", "'000' (100 %)"]


def test_a_pool_is_decoded_only_where_one_of_its_levels_is_the_likeliest():
    levels = ["own"] * 3 + ["other"] * 2 + [f"rare{i}" for i in range(10)]
    (column,) = Columns.of(pd.DataFrame({"a": levels})).columns
    assert column.n_pooled == 10
    # In turn: much, but each level little; more for each than others; all of it.
    shares = np.array([[0.1, 0.06, 0.84], [0.08, 0.04, 0.88], [0.0, 0.0, 1.0]])
    values = column.decode(column.factor * shares).as_objects().tolist()
    assert values == ["own", "rare0", "rare0"]
    pairs = zip(values, column.factor * shares, strict=True)
    told = [column.told(value, cells) for value, cells in pairs]
    rare = ["a rare level (88 %)", "a rare level (100 %)"]
    assert told == ["'own' (10 %)", *rare]
    # Draws are by the shares of the others, and of the pool if there is none.
    rng, cells = np.random.default_rng(0), np.repeat(shares[:1], 2000, axis=0)
    drawn = column.drawn(column.factor * cells, rng) / column.factor
    np.testing.assert_allclose(drawn.mean(axis=0), [0.625, 0.375, 0.0], atol=0.05)
    (alone,) = Columns.of(pd.DataFrame({"a": levels[5:]})).columns
    np.testing.assert_array_equal(alone.drawn(np.ones((2, 1)), rng), alone.factor)


def test_unseen_levels_are_missing_where_nothing_is_pooled():
    X = mixed()
    columns = Columns.of(X)
    other = X.assign(colour=["green", "red", None] * 2)
    unseen = columns.unseen(other)
    assert unseen[:, 0].tolist() == [True, False, False] * 2
    assert not unseen[:, 1:].any()
    block = columns.layout.block(0)
    missing = np.isnan(columns.cells(other)[:, block])
    assert missing.all(axis=1).tolist() == [True, False, True] * 2
    filled = fill(other, np.zeros((6, columns.layout.width)), columns)
    assert filled["colour"].tolist() == ["green", "red", "red"] * 2


def test_declared_categories_come_back_and_are_extended_where_needed():
    dtype = pd.CategoricalDtype(["low", "mid", "high", "never"], ordered=True)
    X = pd.DataFrame({"a": pd.Series(["high", "low", "mid"] * 2, dtype=dtype)})
    columns = Columns.of(X)
    assert columns.layout.widths.tolist() == [3]
    assert columns.restore(columns.cells(X))["a"].dtype == dtype
    other = pd.DataFrame({"a": pd.Categorical(["low", None] * 3)})
    filled = fill(other, columns.cells(X), columns)["a"]
    assert filled.tolist() == ["low", "low", "low", "high", "low", "mid"]
    P = pl.DataFrame({"a": ["high", "low", "mid"] * 2})
    other = pl.DataFrame({"a": pl.Series(["low", None] * 3, dtype=pl.Enum(["low"]))})
    filled = fill(other, columns.cells(X), Columns.of(P))["a"]
    assert filled.to_list() == ["low", "low", "low", "high", "low", "mid"]


@pytest.mark.parametrize("n_columns", [1, 2])
def test_a_table_of_numbers_alone_has_no_columns_of_its_own(n_columns):
    numbers = {f"x{i}": [1.0, None, 3.0] for i in range(n_columns)}
    for X in (pd.DataFrame(numbers), pl.DataFrame(numbers), np.ones((3, 2))):
        assert Columns.of(X) is None
        assert Columns.of(X, None) is None
        assert Columns.of(X, []) is None
    objects = pd.DataFrame(numbers, dtype=object)
    assert Columns.of(objects) is None
    assert Columns.of(pd.DataFrame({"a": [True, False]}), None) is None


@pytest.mark.parametrize(
    "chosen", [["colour", "is_new"], [0, 2], np.array([0, 2]), [1, 0, 1, 0, 0]]
)
def test_categories_are_chosen_as_for_gradient_boosting(chosen):
    X = mixed()
    chosen = np.array(chosen, bool) if len(chosen) == 5 else chosen
    assert Columns.of(X, chosen) == Columns.of(X)


def test_columns_of_numbers_may_be_chosen():
    X = pd.DataFrame({"a": [3, 1, 3, 1, 2, 2, 2], "b": np.arange(7.0)})
    columns = Columns.of(X, ["a"])
    (column, _) = columns.columns
    assert (column.levels, column.counts) == ([2, 1, 3], [3, 2, 2])
    assert columns.restore(columns.cells(X)).equals(X)
    array = X.to_numpy()
    array[0, 0] = np.nan
    of_array = Columns.of(array, [0])
    assert of_array.columns[0].levels == [2.0, 1.0, 3.0]  # once: a pool of its own
    filled = fill(array, np.zeros((7, 4)), of_array)
    np.testing.assert_array_equal(filled[0], [2.0, 0.0])
    np.testing.assert_array_equal(filled[1:], array[1:])
    # Truth values that are not chosen are numbers.
    flags = X.assign(c=X["a"] > 1)
    columns = Columns.of(flags, ["a"])
    assert columns.layout.n_numbers == 2
    assert columns.restore(columns.cells(flags)).equals(flags)


def test_lists_and_arrays_of_objects_are_tables_too():
    rows = [[1, "a", 2.5], [2, "b", None], [3, "a", 0.5], [None, "b", 1.0]]
    columns = Columns.of(rows, [1])
    cells = columns.cells(rows)
    assert cells.shape == (4, 4) and np.isnan(cells).sum() == 2
    filled = fill(rows, np.zeros((4, 4)), columns)
    assert filled.dtype == object and filled[3].tolist() == [2, "b", 1.0]
    assert filled[0].tolist() == rows[0]
    assert columns.restore(np.zeros((1, 4))).tolist() == [[2, "a", 4 / 3]]


CHOICES = {
    "no choice of columns": "other",
    "mask of 2 columns": [True, False],
    r"positions \[7\]": [7],
    r"names \['colr'\]": ["colr"],
}


@pytest.mark.parametrize("message", CHOICES)
def test_impossible_choices_are_explained(message):
    with pytest.raises(ValueError, match=message):
        Columns.of(mixed(), CHOICES[message])


@pytest.mark.parametrize("chosen", [3, [1.5], [0, "size"], {"a": 1}.get])
def test_choices_of_other_types_are_explained(chosen):
    with pytest.raises(TypeError, match="no choice of columns"):
        Columns.of(mixed(), chosen)


REFUSED = {
    "several kinds, such as text and numbers": [1, "a"],
    "lists or other objects": [[1], [2]],
    "complex": [1j, 2j],
    "infinite": [np.inf, 1.0],
    "bytes": [b"a", b"b"],
    "with and without times of day": [date(2020, 1, 1), DAY],
    "with and without time zones": [DAY, ZONED[0]],
    "all text, all truth values": pd.Categorical([1, "a"]),
    "of date, .*rename_categories": pd.Categorical(DAYS[:2]),
}


@pytest.mark.parametrize("message", REFUSED)
def test_columns_that_no_table_may_hold_are_named(message):
    values = REFUSED[message]
    dtype = None if isinstance(values, pd.Categorical) else object
    X = pd.DataFrame({"fine": ["a", "b"], "odd": pd.Series(values, dtype=dtype)})
    with pytest.raises(ValueError, match=message) as caught:
        Columns.of(X)
    assert "'odd'" in str(caught.value)


@pytest.mark.parametrize("library", POOLS)
def test_text_that_is_not_chosen_is_refused(library):
    X = {"colour": ["red", "blue"], "size": [1, 2]}
    X = pd.DataFrame(X) if library == "pandas" else pl.DataFrame(X)
    for chosen in (None, [], ["size"]):
        with pytest.raises(ValueError, match=r"'colour' of X .* add it, leave out"):
            Columns.of(X, chosen)
    with pytest.raises(ValueError, match=r"'when'.*dates are read as numbers"):
        Columns.of(mixed(), ["when", "colour"])


LATER = {
    "size": (["1"] * 6, "'size' of X holds .* numbers were expected"),
    "colour": ([1.0] * 6, "'colour' of X holds float64, .* of text were expected"),
    "is_new": (["yes"] * 6, "'is_new' of X holds .* of bool were expected"),
    "when": ([1.0] * 6, "'when' of X holds float64, .* kind 'date' were expected"),
    "n": ([1e30] * 6, "'n' of X has values more than 1e.15 standard deviations"),
}


@pytest.mark.parametrize("name", LATER)
def test_columns_of_another_kind_than_the_fitted_are_named(name):
    columns = Columns.of(mixed())
    values, message = LATER[name]
    for other in (mixed().assign(**{name: values}), mixed().astype(object)):
        other[name] = values
        with pytest.raises(ValueError, match=message.replace("float64", r"\w+")):
            columns.cells(other)
    # Where nothing is observed, a column is of any kind.
    empty = mixed().assign(**{name: np.nan})
    assert np.isnan(columns.cells(empty)).any()
    with pytest.raises(ValueError, match="X has 4 columns, but 5 were fitted"):
        columns.cells(mixed().drop(columns=name))


def test_expected_cells_are_told_in_words():
    X = mixed()
    columns = Columns.of(X)
    row, values = columns.cells(X)[1], columns.values_of(X)[1]
    triples = zip(columns.columns, values, columns.parts, strict=True)
    told = [column.told(value, row[part]) for column, value, part in triples]
    assert told == ["'blue' (100 %)", "2.5", "False (100 %)", "2020-01-05", "2"]
    assert columns.values_of(X)[3, 0] is None
    assert columns.values_of(X)[1, 4] == 2


def test_names_of_columns_come_back():
    values = {"x": ["a", "b"] * 2, "y": [1, 2, 3, 4]}
    for names in ([3, 1], [("a", 1), ("b", 2)], ["same", "same"]):
        X = pd.DataFrame(values).set_axis(names, axis=1)
        columns = Columns.of(X)
        assert columns.restore(columns.cells(X)).columns.tolist() == names
        assert stored(columns) == columns
    P = pl.DataFrame({"": ["a", "b"] * 2, "y": [1, 2, 3, None]})
    columns = Columns.of(P)
    assert fill(P, np.zeros((4, 3)), columns).columns == P.columns
    assert columns.restore(np.zeros((4, 3))).columns == P.columns


HOLED = [[1.0, np.nan], [np.nan, 4.0], [5.0, 6.5]]
INTEGERS = [[1, None], [None, 4], [5, 6]]


@pytest.mark.parametrize(
    "X",
    [
        HOLED,
        np.array(HOLED),
        np.array(HOLED, np.float32),
        np.asfortranarray(HOLED),
        np.array(INTEGERS, object),
        pd.DataFrame(HOLED, index=list("abc"), dtype="float32"),
        pd.DataFrame(INTEGERS, dtype="Int16"),
        pd.DataFrame(INTEGERS, dtype=object),
        pl.DataFrame({"a": [1.0, None, 5.0], "b": [float("nan"), 4.0, 6.5]}),
        pl.DataFrame({"a": [1, None, 5], "b": [None, 4, 6]}),
    ],
    ids=str,
)
def test_holes_in_numbers_are_filled(X):
    before = repr(X)
    filled = fill(X, np.full((3, 2), 7.25))
    assert repr(X) == before
    assert type(filled) is (np.ndarray if isinstance(X, list) else type(X))
    cells = np.array(filled.tolist() if isinstance(filled, np.ndarray) else filled)
    old = np.array(X.to_numpy() if is_table(X) else X).astype(object)
    is_hole = pd.isna(old)
    assert (cells[~is_hole] == old[~is_hole].astype(float)).all()
    assert set(cells[is_hole].astype(float)) <= {7.25, 7.0}
    if is_table(X):
        assert list(filled.dtypes) == list(X.dtypes)
    if isinstance(X, np.ndarray):
        assert filled.dtype == X.dtype
    if isinstance(X, pd.DataFrame):
        pd.testing.assert_index_equal(filled.index, X.index)


def test_filled_numbers_without_holes_are_a_copy():
    X = np.ones((2, 2))
    filled = fill(X, np.zeros((2, 2)))
    np.testing.assert_array_equal(filled, X)
    assert not np.shares_memory(filled, X)


def test_only_data_frames_are_tables():
    class Own(pd.DataFrame):
        pass

    assert all(map(is_table, [mixed(), Own(mixed()), pl.DataFrame({"a": [1]})]))
    others = [np.ones((2, 2)), [[1]], mixed()["size"], None, pl.LazyFrame({"a": [1]})]
    assert not any(map(is_table, others))


def test_polars_is_imported_for_its_own_tables_alone():
    code = (
        "import sys, pandas as pd; from skae._tables.columns import Columns;"
        "import skae._tables.filled as f;"
        "X = pd.DataFrame({'a': ['x', 'y'] * 2}); c = Columns.of(X);"
        "f.fill(X, c.cells(X), c); assert not {'polars', 'torch'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


WRONG = {
    "columns": lambda state: state["columns"].pop(),
    "dtypes": lambda state: state["dtypes"][0].update(name="no such dtype"),
    "names": lambda state: state.update(names=None),
    "library": lambda state: state.update(library="other"),
}


@pytest.mark.parametrize("name", WRONG)
@pytest.mark.parametrize("library", POOLS)
def test_columns_that_do_not_fit_together_are_not_loaded(name, library):
    X = mixed() if library == "pandas" else pl.DataFrame({"a": ["x", "y"] * 2})
    writer = Writer()
    node = json.loads(json.dumps(writer.node(Columns.of(X))))
    state = node["state"]
    if name == "dtypes":
        state = {"dtypes": [part["dict"] for part in state["dtypes"]]}
    WRONG[name](state)
    with pytest.raises(InvalidFileError):
        Reader(writer.arrays, {}).whole(node)


def test_layouts_that_do_not_fit_together_are_refused():
    two, ones = np.array([2, 3]), np.ones(2)
    order = np.array([2, 0, 1])
    assert stored(Layout(order, two, ones, ones)).width == 6
    for wrong in (
        Layout(order, two, ones[:1], ones),
        Layout(order, two * 0, ones, ones),
        Layout(order, two, -ones, ones),
        Layout(order, two, ones, 0 * ones),
        Layout(order[:1], two, ones, ones),
        Layout(order * 2, two, ones, ones),
        Layout(order[:0], two[:0], ones[:0], ones[:0]),
    ):
        with pytest.raises(InvalidFileError):
            stored(wrong)


def test_choices_are_those_of_scikit_learn():
    # What is fitted to says the same of the same choice.
    X = mixed()[["size", "n"]].fillna(2.0)
    for chosen in ([1], ["n"], [False, True], [], None, "from_dtype"):
        columns = Columns.of(X, chosen)
        model = HistGradientBoostingClassifier(categorical_features=chosen, max_iter=1)
        model.fit(X, [0, 1] * 3)
        mask = model.is_categorical_
        if columns is None:
            assert mask is None or not mask.any()
        else:
            assert columns.is_category.tolist() == mask.tolist()


@pytest.mark.parametrize("library", POOLS)
@pytest.mark.parametrize("zone", ["Europe/Berlin", "Asia/Beirut", "America/Havana"])
def test_zoned_dates_are_whole_on_local_clocks(library, zone):
    # Of midnights some are skipped, and some come twice, by clocks that are changed.
    days = pd.date_range("2017-09-01", "2018-11-30", unit="us").tz_localize(
        zone, nonexistent="shift_forward", ambiguous=np.ones(456, bool)
    )
    if library == "polars":
        stamps = days.tz_convert("UTC").tz_localize(None).to_numpy()
        of_utc = pl.Series("day", stamps).dt.replace_time_zone("UTC")
        X = pl.DataFrame({"day": of_utc.dt.convert_time_zone(zone)})
    else:
        X = pd.DataFrame({"day": days})
    columns = Columns.of(X)
    cells = columns.cells(X)
    assert columns.restore(cells).equals(X)
    rng = np.random.default_rng(0)
    shifted = cells + rng.uniform(-0.4, 0.4, cells.shape) / columns.scales * 86_400e6
    restored = columns.restore(shifted)
    stamps = pd.DatetimeIndex(restored["day"].to_list()).tz_convert(zone)
    assert (stamps.tz_localize(None) == days.tz_localize(None)).all()


def test_intervals_and_dates_may_be_categories():
    days = pd.to_datetime(["2020-01-01", "2020-03-01"] * 3)
    X = pd.DataFrame(
        {
            "size": pd.cut([1.5, 2, 3, 4, 8, 9], 3),
            "count": pd.qcut([1, 2, 3, 4, 5, 6], 2, precision=0),
            "span": pd.cut(pd.date_range("2020-01-01", periods=6), 2),
            "day": pd.Categorical(days, ordered=True),
            "local": pd.Categorical(days.tz_localize("Europe/Berlin")),
            "wait": pd.Categorical(days - days[0]),
            "month": pd.Categorical(days.to_period("M")),
        }
    )
    columns = Columns.of(X)
    assert columns.is_category.all()
    cells = columns.cells(X)
    pd.testing.assert_frame_equal(columns.restore(cells), X)
    pd.testing.assert_frame_equal(stored(columns).restore(cells), X)
    holed = X.mask(np.eye(6, 7, dtype=bool))
    pd.testing.assert_frame_equal(fill(holed, cells, columns), X)
    # Categories that a table lacks are added.
    few = X.apply(lambda c: c.where(c != c[0]).cat.remove_unused_categories())
    filled = fill(few, cells, columns)
    assert (filled.astype(str) == X.astype(str)).all(axis=None)
    assert columns.values_of(X)[0, 1] == str(X["count"][0])


def test_long_floats_are_stored():
    X = pd.DataFrame({"a": ["x", "y"] * 3, "b": np.arange(6, dtype=np.longdouble)})
    columns = Columns.of(X)
    assert stored(columns) == columns
    assert columns.restore(columns.cells(X)).equals(X)
    X["b"] *= np.finfo(np.longdouble).max / 5
    if np.finfo(np.longdouble).max > np.finfo(np.float64).max:
        with pytest.raises(ValueError, match="'b' of X holds infinite numbers"):
            Columns.of(X)


@pytest.mark.parametrize(
    "names",
    [[0, 1], [("a", 0), ("a", 1)], pd.to_datetime(["2020-01-01", "2021-01-01"])],
)
def test_columns_are_in_the_order_that_was_fitted(names):
    X = pd.DataFrame({"x": ["a", "b"] * 2, "y": ["c", "d"] * 2}).set_axis(names, axis=1)
    columns = Columns.of(X)
    assert stored(columns) == columns
    with pytest.raises(ValueError, match=r"X has the columns .* were expected, in"):
        columns.cells(X.iloc[:, ::-1])
    np.testing.assert_array_equal(columns.cells(X.to_numpy()), columns.cells(X))


def test_names_that_hold_dates_come_back_as_text():
    names = pd.MultiIndex.from_product([["a"], pd.to_datetime(["2020", "2021"])])
    X = pd.DataFrame([["x", "y"], ["z", "y"]] * 2, columns=names)
    columns = Columns.of(X)
    assert stored(columns) == columns
    found = columns.restore(columns.cells(X)).columns.tolist()
    assert found == [("a", "2020-01-01 00:00:00"), ("a", "2021-01-01 00:00:00")]


WHENS = pd.date_range("2020-01-01", periods=6)
UNREAD = {
    r"'?' is no number, pd.to_numeric\(X\['size'\], errors='coerce'\)": (
        {"size": ["1", "?"] * 3}
    ),
    "dates without time zone were expected": {"when": WHENS.tz_localize("UTC")},
    r"'2020-01-01' is none, pd.to_datetime\(X\['when'\]\)": (
        {"when": WHENS.strftime("%Y-%m-%d")}
    ),
}


@pytest.mark.parametrize("message", UNREAD)
def test_refusals_say_what_to_do(message):
    columns = Columns.of(mixed())
    with pytest.raises(ValueError, match=message):
        columns.cells(mixed().assign(**UNREAD[message]))


def test_a_placeholder_among_numbers_is_warned_of():
    texts = [*map(str, range(1, 20)), "?"] * 2
    X = pd.DataFrame({"age": texts, "kind": ["a", "b"] * 20})
    for table in (X, pl.DataFrame(X.to_dict("list"))):
        with pytest.warns(UserWarning, match=r"'age' of X .* nearly all .* '\?'"):
            Columns.of(table)
    declared = X.astype({"age": "category"})
    codes = X.assign(age=X["age"].str.zfill(5))  # such as postcodes
    words = X.assign(age=X["age"].where(X["age"] != "7", "some").replace("8", "few"))
    few = X.assign(age=["1", "2", "3", "?"] * 10)
    for table in (declared, codes, words, few):
        Columns.of(table)
    Columns.of(X, ["age", "kind"])


def test_wide_integers_of_polars_are_refused_where_they_are_alone():
    X = pl.DataFrame({"a": [1, 2]}, schema={"a": pl.Int128})
    with pytest.raises(ValueError, match=r"'a' of X holds Int128, .* to Int64"):
        AutoencoderTransformer(1).fit(X)
    Columns.of(X.with_columns(b=pl.lit("x"))).cells(X.with_columns(b=pl.lit("x")))


def test_dates_of_one_day_are_counted_in_days():
    import skae

    days = pd.to_datetime(["2024-05-01"] * 40)
    rng = np.random.default_rng(0)
    X = pd.DataFrame({"day": days, "a": rng.normal(size=40), "b": rng.normal(size=40)})
    model = skae.AutoencoderTransformer(1, max_iter=2, random_state=0).fit(X)
    later = X.assign(day=X.day + pd.Timedelta(days=3))
    assert model.score(later) > -100
