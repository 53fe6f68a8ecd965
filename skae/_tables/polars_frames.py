"""Tables of polars as values, and back; polars is at hand when there are any."""

import numpy as np

from skae._tables.frame import Frame
from skae._tables.objects import (
    describe,
    infer,
    joined_objects,
    make_objects,
    read_objects,
)
from skae._tables.values import Dates, Levels, Numbers, cast

_TEXTS = ("String", "Categorical", "Enum")
_WIDTHS = (8, 16, 32, 64, 128)
# What a column may come back as, and what is to be known of it beside the name.
_NAMES = {
    *_TEXTS,
    *("Boolean", "Null", "Object", "Date", "Time", "Datetime", "Duration", "Decimal"),
    *(f"{kind}{width}" for kind in ("Int", "UInt", "Float") for width in _WIDTHS),
}
_FIELDS = {
    "Enum": {"categories"},
    "Datetime": {"unit", "zone"},
    "Duration": {"unit"},
    "Decimal": {"precision", "scale"},
    "Object": {"held"},
}


class PolarsFrame(Frame):
    """A DataFrame of polars, to be read.

    Parameters
    ----------
    X : DataFrame of shape (n_samples, n_columns)
    """

    library = "polars"

    def __init__(self, X):
        self.X = X
        self.names = X.columns
        self.shape = X.shape
        self._dtypes = X.dtypes

    def rows(self, rows):
        return self.X[rows]

    def columns(self, columns):
        return self.X[:, columns.tolist()]

    def is_plain(self, j):
        dtype = self._dtypes[j]
        return dtype.is_integer() or dtype.is_float()

    def dtype(self, j):
        described = _described(self._dtypes[j])
        if described["name"] == "Object":
            return describe(_objects(self.X.to_series(j)), "Object")
        return described

    def read(self, j):
        column = self.X.to_series(j)
        dtype = column.dtype
        name = str(dtype.base_type())
        missing = column.is_null().to_numpy()
        if name in _TEXTS:
            places: dict = {}
            texts = column.cast(_polars().String)
            codes = [
                -1 if text is None else places.setdefault(text, len(places))
                for text in texts
            ]
            return Levels(np.array(codes, np.int64), list(places))
        if name == "Boolean":
            codes = column.cast(_polars().Int64).fill_null(-1).to_numpy()
            return Levels(codes, [False, True])
        if name == "Null":
            return Numbers(np.zeros(len(column)), missing)
        if name == "Object":
            objects = _objects(column)
            return read_objects(objects, infer(objects))
        if dtype.is_temporal():
            values = column.to_physical().cast(_polars().Int64).fill_null(0).to_numpy()
            unit = {"Date": "D", "Time": "ns"}.get(name) or dtype.time_unit
            what = {"Time": "time of day", "Duration": "duration"}.get(name, "date")
            zone = getattr(dtype, "time_zone", None)
            if zone is None:
                return Dates(values, missing, unit, what)
            what += " with time zone"
            return Dates(values, missing, unit, what, _clock(zone, unit))
        if not dtype.is_numeric():
            return None
        if name in ("Decimal", "Int128", "UInt128"):
            column = column.cast(_polars().Float64)
        values = column.fill_null(0).to_numpy()
        is_float = values.dtype.kind == "f"
        return Numbers(values, missing | np.isnan(values) if is_float else missing)

    def filled(self, parts):
        pl = _polars()
        columns = []
        for j, part in parts.items():
            column, (mask, values) = self.X.to_series(j), part[:2]
            if part.is_whole:
                columns.append(make(part.dtype, values).alias(column.name))
                continue
            dtype = self.dtype(j)
            if dtype["name"] == "Object":
                objects = _objects(column)
                objects[mask] = make_objects(values, part.held)
                columns.append(
                    pl.Series(column.name, objects.tolist(), dtype=pl.Object)
                )
                continue
            if dtype["name"] == "Enum":
                added = set(values.observed()[0]) - set(dtype["categories"])
                dtype["categories"] += sorted(added)
            # All rows' values, of which those of the holes are chosen.
            places = np.cumsum(mask) - 1
            made = make(dtype, values.at(np.where(mask, places, 0)))
            # Categoricals of their own encodings are merged as text.
            via = pl.String if dtype["name"] == "Categorical" else made.dtype
            chosen = made.cast(via).zip_with(pl.Series(mask), column.cast(via))
            chosen = chosen.cast(made.dtype)
            columns.append(chosen.alias(column.name))
        return self.X.with_columns(columns)

    def to_numbers(self, j):
        return f"X[{self.names[j]!r}].cast(pl.Float64, strict=False)"

    def to_text(self, j):
        return f"X[{self.names[j]!r}].cast(pl.String)"

    def is_declared(self, j):
        return str(self._dtypes[j].base_type()) in ("Categorical", "Enum")

    def to_dates(self, j):
        return f"X[{self.names[j]!r}].str.to_datetime()"

    def fits(self, j, values):
        return self.dtype(j)["name"] != "Null" and super().fits(j, values)

    @staticmethod
    def natural(values):
        if isinstance(values, Levels):
            kinds = {"text": "String", "bool": "Boolean"}
            return {"name": kinds.get(values.kind(), "Float64")}
        if isinstance(values, Numbers):
            return {"name": "Float64"}
        if values.what == "time of day" or values.unit == "D":
            return {"name": "Time" if values.what == "time of day" else "Date"}
        zone = "UTC" if values.what.endswith("zone") else None
        name = "Duration" if values.what == "duration" else "Datetime"
        return {"name": name, "unit": "us", "zone": zone}

    def objects(self):
        cells = np.empty(self.shape, object)
        for j, column in enumerate(self.X):
            if column.dtype.is_float():
                column = column.fill_nan(None)
            cells[:, j] = _objects(column)
        return cells

    @staticmethod
    def is_dtype(dtype):
        name = dtype.get("name")
        return name in _NAMES and _FIELDS.get(name, set()) <= set(dtype)

    @staticmethod
    def joined(one, other):
        pl, names = _polars(), (one["name"], other["name"])
        if names == ("Object", "Object"):
            return joined_objects(one, other)
        if names == ("Enum", "Enum"):
            levels = dict.fromkeys([*one["categories"], *other["categories"]])
            return {"name": "Enum", "categories": list(levels)}
        if "Object" in names:
            return None
        frames = [pl.DataFrame(schema={"": _target(part)}) for part in (one, other)]
        try:
            return _described(pl.concat(frames, how="vertical_relaxed").dtypes[0])
        except pl.exceptions.PolarsError:  # there is no dtype of both
            return None

    @staticmethod
    def build(names, dtypes, columns, index=None):
        made = [make(*pair) for pair in zip(dtypes, columns, strict=True)]
        # In a list of them, a column without a name would get one.
        return _polars().DataFrame(dict(zip(names, made, strict=True)))


def _described(dtype):
    """A dtype of polars in plain values, of which `_target` makes it."""
    name = str(dtype.base_type())
    found = {"name": name}
    if name == "Enum":
        found["categories"] = dtype.categories.to_list()
    elif name in ("Datetime", "Duration"):
        found["unit"] = dtype.time_unit
        found["zone"] = getattr(dtype, "time_zone", None)
    elif name == "Decimal":
        found["precision"], found["scale"] = dtype.precision, dtype.scale
    return found


def make(dtype, values):
    """A Series of a described dtype."""
    pl = _polars()
    name = dtype["name"]
    if name == "Object":
        return pl.Series(make_objects(values, dtype["held"]).tolist(), dtype=pl.Object)
    target = _target(dtype)
    if isinstance(values, Levels):
        levels = pl.Series([*values.levels, None], dtype=_of(values), strict=False)
        places = np.where(values.missing, len(values.levels), values.codes)
        return levels.gather(places).cast(target)
    if name == "Null" or values.missing.all():
        return pl.Series([None] * len(values.missing), dtype=target)
    if isinstance(values, Dates):
        unit = {"Date": "D", "Time": "ns"}.get(name) or dtype["unit"]
        zone = dtype.get("zone")
        values = values.on_clock(zone and _clock(zone, values.unit))
        made = pl.Series(values.in_unit(unit).values)
        made = made.cast(pl.Int32) if name == "Date" else made
    elif name in ("Int128", "UInt128", "Decimal"):
        made = pl.Series(values.values.astype(np.float64))
    else:
        made = pl.Series(cast(values.values, _numpy_name(name)))
    made = made.cast(target)
    if values.missing.any():
        made = made.zip_with(
            pl.Series(~values.missing), pl.Series([None], dtype=target)
        )
    return made


def _clock(zone, unit):
    """What clocks of a time zone show, as `Dates.clock`."""
    pl = _polars()

    def clock(values):
        # What polars has no unit for is shown in finer ones.
        finer = {"s": ("ms", 1000)}.get(unit, (unit, 1))
        moments = pl.Series(values * finer[1]).cast(pl.Datetime(finer[0], "UTC"))
        local = moments.dt.convert_time_zone(zone).dt.replace_time_zone(None)
        return local.to_physical().to_numpy() // finer[1]

    return clock


def _of(values):
    pl = _polars()
    kinds = {str: pl.String, bool: pl.Boolean, int: pl.Int64}
    found = {type(level) for level in values.levels}
    return kinds.get(found.pop(), pl.Float64) if len(found) == 1 else pl.Float64


def _target(dtype):
    """The dtype of polars that is described."""
    pl = _polars()
    name = dtype["name"]
    if name == "Enum":
        return pl.Enum(dtype["categories"])
    if name == "Datetime":
        return pl.Datetime(dtype["unit"], dtype["zone"])
    if name == "Duration":
        return pl.Duration(dtype["unit"])
    if name == "Decimal":
        return pl.Decimal(dtype["precision"], dtype["scale"])
    return getattr(pl, name)


def _numpy_name(name):
    return "bool" if name == "Boolean" else name.lower()


def _objects(column):
    objects = np.empty(len(column), object)
    objects[:] = column.to_list()
    return objects


def _polars():
    import polars

    return polars
