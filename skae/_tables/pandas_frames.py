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
from skae._tables.objects import describe, infer, make_objects, read_objects
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
            return {
                "name": "category",
                "categories": dtype.categories.tolist(),
                "of": _name(dtype.categories.dtype),
                "ordered": bool(dtype.ordered),
            }
        if types.is_object_dtype(dtype):
            return describe(column.to_numpy(object), "object")
        return {"name": _name(dtype)}

    def holds(self, j):
        dtype = self._dtypes[j]
        if not types.is_object_dtype(dtype):
            return str(dtype)
        return infer(self.X.iloc[:, j].to_numpy(object))

    def read(self, j):
        column = self.X.iloc[:, j]
        dtype = column.dtype
        if isinstance(dtype, pd.CategoricalDtype):
            codes = column.cat.codes.to_numpy().astype(np.int64)
            return Levels(codes, dtype.categories.tolist())
        if isinstance(dtype, pd.SparseDtype):
            column = pd.Series(np.asarray(column))
            dtype = column.dtype
        missing = column.isna().to_numpy(bool)
        if types.is_bool_dtype(dtype):
            codes = np.full(len(column), -1)
            codes[~missing] = column[~missing].to_numpy(bool)
            return Levels(codes, [False, True])
        if types.is_datetime64_any_dtype(dtype) or types.is_timedelta64_dtype(dtype):
            zone = getattr(dtype, "tz", None)
            if zone is not None:
                column = column.dt.tz_convert("UTC").dt.tz_localize(None)
            if isinstance(column.dtype, np.dtype):
                return Dates.of_numpy(column.to_numpy(), zone)
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
        for j, (mask, values, dtype) in parts.items():
            column = self.X.iloc[:, j]
            if dtype is not None:
                filled.isetitem(j, make(dtype, values).set_axis(column.index))
                continue
            if isinstance(column.dtype, pd.SparseDtype):
                column = pd.Series(np.asarray(column), column.index)
            new = column.array.copy()
            if isinstance(column.dtype, pd.CategoricalDtype):
                known = column.cat.categories
                added = [v for v in values.observed()[0] if v not in known]
                new = new.add_categories(added) if added else new
            made = _plain(self.dtype(j), values, column.dtype)
            new[mask] = made
            filled.isetitem(j, pd.Series(new, column.index, new.dtype))
        return filled

    @staticmethod
    def natural(values):
        if isinstance(values, Numbers):
            return {"name": "float64"}
        return {"name": "object", "held": "nothing"}

    def objects(self):
        cells = np.empty(self.shape, object)
        for j in range(self.shape[1]):
            column = self.X.iloc[:, j]
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
    def build(names, dtypes, columns, index=None):
        made = [make(*pair) for pair in zip(dtypes, columns, strict=True)]
        frame = pd.concat(made, axis=1) if made else pd.DataFrame()
        frame.columns = pd.Index(names)
        return frame if index is None else frame.set_axis(index, axis=0)


def make(dtype, values):
    """A Series of a described dtype."""
    name = dtype["name"]
    if name == "category":
        of = pd.Index(dtype["categories"], dtype=dtype["of"])
        place = {level: i for i, level in enumerate(dtype["categories"])}
        codes = [place[level] for level in values.levels]
        codes = np.array([*codes, -1])[values.codes]
        categories = pd.CategoricalDtype(of, dtype["ordered"])
        return pd.Series(pd.Categorical.from_codes(codes, dtype=categories))
    if name == "object":
        return pd.Series(make_objects(values, dtype["held"]), dtype=object)
    target = types.pandas_dtype(name)
    return pd.Series(_plain(dtype, values, target), dtype=target)


def _plain(dtype, values, target):
    """What pandas turns into a column of a dtype, or writes into one."""
    if isinstance(values, Levels):
        objects = values.as_objects()
        if isinstance(target, np.dtype):
            return objects.astype(target)
        if isinstance(target, pd.CategoricalDtype):
            return objects
        return pd.array(objects, dtype=target)
    if dtype["name"] == "object":
        return make_objects(values, dtype["held"])
    if isinstance(values, Dates):
        dates = (
            pd.Series(values.as_numpy())
            if values.unit != "D"
            else pd.Series(values.as_numpy().astype("M8[s]"))
        )
        if getattr(target, "tz", None) is not None:
            dates = dates.dt.tz_localize("UTC").dt.tz_convert(target.tz)
        return dates.astype(target).array
    if values.missing.all():
        nothing = np.nan if isinstance(target, np.dtype) else pd.NA
        return [nothing] * len(values.missing)
    return cast(values.values, _numpy_dtype(target))


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
