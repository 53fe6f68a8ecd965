"""Tables of pandas as values, and back."""

import numpy as np

try:
    import pandas as pd
    from pandas.api import types
except ImportError as error:
    raise ImportError(
        "The table was one of pandas, which is not installed: install pandas."
    ) from error

from skae._tables.frame import Frame
from skae._tables.objects import (
    describe,
    infer,
    joined_objects,
    make_objects,
    read_objects,
)
from skae._tables.values import Dates, Levels, Numbers, cast


class PandasFrame(Frame):
    """A DataFrame of pandas, to be read.

    Parameters
    ----------
    X : DataFrame of shape (n_samples, n_columns)
    """

    library = "pandas"

    def __init__(self, X):
        self.X = X
        self.names = X.columns.tolist()
        self.shape = X.shape
        self._dtypes = X.dtypes.tolist()

    def rows(self, rows):
        return self.X.iloc[rows]

    def columns(self, columns):
        return self.X.iloc[:, columns]

    def is_plain(self, j):
        dtype = self._dtypes[j]
        return isinstance(dtype, np.dtype) and dtype.kind in "iuf"

    def dtype(self, j):
        column = self.X.iloc[:, j]
        dtype = column.dtype
        if isinstance(dtype, pd.CategoricalDtype):
            ordered = bool(dtype.ordered)
            return {
                "name": "category",
                **_described(dtype.categories),
                "ordered": ordered,
            }
        if types.is_object_dtype(dtype):
            return describe(column.to_numpy(object), "object")
        return {"name": _name(dtype)}

    def holds(self, j):
        dtype = self._dtypes[j]
        if isinstance(dtype, pd.CategoricalDtype):
            kinds = {type(level).__name__ for level in dtype.categories}
            return f"categories of {' and '.join(sorted(kinds)) or 'nothing'}"
        if not types.is_object_dtype(dtype):
            return str(dtype)
        return infer(self.X.iloc[:, j].to_numpy(object))

    def read(self, j):
        column = self.X.iloc[:, j]
        dtype = column.dtype
        if isinstance(dtype, pd.CategoricalDtype):
            codes = column.cat.codes.to_numpy().astype(np.int64)
            return Levels(codes, _levels(dtype.categories))
        if isinstance(dtype, pd.SparseDtype):
            column = pd.Series(np.asarray(column))
            dtype = column.dtype
        missing = column.isna().to_numpy(bool)
        if types.is_bool_dtype(dtype):
            codes = np.full(len(column), -1)
            codes[~missing] = column[~missing].to_numpy(bool)
            return Levels(codes, [False, True])
        if types.is_datetime64_any_dtype(dtype) or types.is_timedelta64_dtype(dtype):
            if getattr(dtype, "tz", None) is not None:
                zone = types.pandas_dtype(_name(dtype)).tz  # in which it comes back
                column = column.dt.tz_convert("UTC").dt.tz_localize(None)
                dates = Dates.of_numpy(column.to_numpy())
                clock, what = _clock(zone, dates.unit), "date with time zone"
                return dates._replace(what=what, clock=clock)
            if isinstance(column.dtype, np.dtype):
                return Dates.of_numpy(column.to_numpy())
        if types.is_numeric_dtype(dtype) and not types.is_complex_dtype(dtype):
            values = column.to_numpy()
            if not isinstance(dtype, np.dtype):
                values = column.to_numpy(_numpy_dtype(dtype), na_value=0)
            is_float = values.dtype.kind == "f"
            return Numbers(values, missing | np.isnan(values) if is_float else missing)
        objects = column.to_numpy(object)
        return read_objects(objects, infer(objects))

    def filled(self, parts):
        filled = self.X.copy()
        for j, part in parts.items():
            column, (mask, values) = self.X.iloc[:, j], part[:2]
            if part.is_whole:
                filled.isetitem(j, make(part.dtype, values).set_axis(column.index))
                continue
            if isinstance(column.dtype, pd.SparseDtype):
                column = pd.Series(np.asarray(column), column.index)
            new = column.array.copy()
            if isinstance(column.dtype, pd.CategoricalDtype):
                levels = _levels(new.categories)
                added = sorted(set(values.observed()[0]) - set(levels))
                if added:
                    own = _own_levels(part.dtype)
                    new = new.add_categories([own.get(v, v) for v in added])
                codes = _codes(values, [*levels, *added])
                new[mask] = pd.Categorical.from_codes(codes, dtype=new.dtype)
            else:
                new[mask] = _plain(values, column.dtype, part.held)
            filled.isetitem(j, pd.Series(new, column.index, new.dtype))
        return filled

    def to_numbers(self, j):
        return f"pd.to_numeric(X[{self.names[j]!r}], errors='coerce')"

    def to_text(self, j):
        name = self.names[j]
        if self.is_declared(j):
            return f"X[{name!r}].cat.rename_categories(str)"
        return f"X[{name!r}].astype(str)"

    def is_declared(self, j):
        return isinstance(self._dtypes[j], pd.CategoricalDtype)

    def to_dates(self, j):
        return f"pd.to_datetime(X[{self.names[j]!r}])"

    @staticmethod
    def natural(values):
        if isinstance(values, Numbers):
            return {"name": "float64"}
        return {"name": "object", "held": "nothing"}

    def objects(self):
        cells = np.empty(self.shape, object)
        for j in range(self.shape[1]):
            column = self.X.iloc[:, j]
            if isinstance(column.dtype, pd.CategoricalDtype):
                cells[:, j] = self.read(j).as_objects()
                continue
            cells[:, j] = column.astype(object).to_numpy(object)
            cells[column.isna().to_numpy(bool), j] = None
        return cells

    @staticmethod
    def is_dtype(dtype):
        try:
            make(dtype, Levels(np.zeros(0, np.int64), []))
        except (KeyError, TypeError, ValueError):
            return False
        return True

    @staticmethod
    def joined(one, other):
        if one["name"] == other["name"] == "category":
            first, second = map(_categories, (one, other))
            described = _described(first.append(second).unique())
            return {"name": "category", **described, "ordered": False}
        samples = [_sample(part) for part in (one, other)]
        dtype = pd.concat(samples).dtype
        if not types.is_object_dtype(dtype):
            return {"name": _name(dtype)}
        pairs = zip((one, other), samples, strict=True)
        parts = (
            part if "held" in part else describe(sample.to_numpy(object), "object")
            for part, sample in pairs
        )
        return joined_objects(*parts)

    @staticmethod
    def build(names, dtypes, columns, index=None):
        made = [make(*pair) for pair in zip(dtypes, columns, strict=True)]
        frame = pd.concat(made, axis=1) if made else pd.DataFrame()
        frame.columns = pd.Index(names)
        return frame if index is None else frame.set_axis(index, axis=0)


def make(dtype, values):
    """A Series of a described dtype."""
    name = dtype["name"]
    if name == "category":
        if set(values.levels) - set(dtype["categories"]):
            raise ValueError("Levels are none of the categories.")
        codes = _codes(values, dtype["categories"])
        categories = pd.CategoricalDtype(_categories(dtype), dtype["ordered"])
        return pd.Series(pd.Categorical.from_codes(codes, dtype=categories))
    if name == "object":
        return pd.Series(make_objects(values, dtype["held"]), dtype=object)
    target = types.pandas_dtype(name)
    return pd.Series(_plain(values, target), dtype=target)


def _sample(dtype):
    """A Series of a value of a described dtype."""
    if dtype["name"] == "category":  # as its categories are
        return pd.Series(_categories(dtype)[:1])
    if dtype["name"] == "object":
        return pd.Series([""], dtype=object)
    return pd.Series([0]).astype(dtype["name"])


# Categories of these are read as text.
_AS_TEXT = pd.IntervalIndex, pd.DatetimeIndex, pd.TimedeltaIndex, pd.PeriodIndex


def _levels(categories):
    """Categories, an index, as levels."""
    if isinstance(categories, _AS_TEXT):
        return [str(category) for category in categories]
    return categories.tolist()


def _described(categories):
    """Categories, an index, in plain values, of which `_categories` makes them."""
    described = {"categories": _levels(categories), "of": _name(categories.dtype)}
    if isinstance(categories, pd.IntervalIndex):
        bounds = [_described(part) for part in (categories.left, categories.right)]
        described |= {"of": "interval", "bounds": bounds, "closed": categories.closed}
    return described


def _categories(dtype):
    if "bounds" in dtype:
        bounds = map(_categories, dtype["bounds"])
        return pd.IntervalIndex.from_arrays(*bounds, dtype["closed"])
    return pd.Index(dtype["categories"], dtype=dtype["of"])


def _own_levels(dtype):
    """The categories that levels of a described dtype stand for."""
    if dtype["name"] != "category":
        return {}
    return dict(zip(dtype["categories"], _categories(dtype), strict=True))


def _codes(values, levels):
    """Places (n,) of values among levels; -1 where they are missing."""
    place = {level: i for i, level in enumerate(levels)}
    # Not all that may be are there.
    return np.array([*(place.get(v, -1) for v in values.levels), -1])[values.codes]


def _plain(values, target, held="number"):
    """What pandas turns into a column of a dtype, or writes into one."""
    if isinstance(values, Levels):
        objects = values.as_objects()
        if isinstance(target, np.dtype):
            return objects.astype(target)
        return pd.array(objects, dtype=target)
    if types.is_object_dtype(target):
        return make_objects(values, held)
    if isinstance(values, Dates):
        zone = getattr(target, "tz", None)
        values = values.on_clock(None if zone is None else _clock(zone, values.unit))
        dates = (
            pd.Series(values.as_numpy())
            if values.unit != "D"
            else pd.Series(values.as_numpy().astype("M8[s]"))
        )
        if zone is not None:
            dates = dates.dt.tz_localize("UTC").dt.tz_convert(zone)
        return dates.astype(target).array
    if values.missing.all():
        nothing = np.nan if isinstance(target, np.dtype) else pd.NA
        return [nothing] * len(values.missing)
    return cast(values.values, _numpy_dtype(target))


def _clock(zone, unit):
    """What clocks of a time zone show, as `Dates.clock`."""

    def clock(values):
        moments = pd.DatetimeIndex(values.view(f"M8[{unit}]")).tz_localize("UTC")
        local = moments.tz_convert(zone).tz_localize(None)
        return local.to_numpy().astype(f"M8[{unit}]").astype(np.int64)

    return clock


def _numpy_dtype(dtype):
    """The dtype of numpy that values of a numeric dtype have."""
    return dtype if isinstance(dtype, np.dtype) else dtype.numpy_dtype


def _name(dtype):
    """A dtype as text, from which pandas makes it again."""
    if isinstance(dtype, pd.SparseDtype):
        return str(dtype.subtype)
    name = str(dtype)
    try:
        known = types.pandas_dtype(name) == dtype
    except (TypeError, ValueError):
        known = False
    if known:
        return name
    zone = getattr(dtype, "tz", None)  # of a kind that has no name
    return "object" if zone is None else f"datetime64[{dtype.unit}, UTC]"
