"""Arrays of Python's objects as values, and back."""

import datetime
from decimal import Decimal

import numpy as np

from skae._tables.values import Dates, Levels, Numbers, cast

# A float knows no more of what is around 1.
_MOST_PLACES = 15
_UTC = datetime.timezone.utc


def is_missing(objects):
    """Which objects, an array, stand for missing cells."""
    return _pandas().isna(objects)


def infer(objects):
    """What the observed of some objects are, in one word.

    Parameters
    ----------
    objects : ndarray of shape (n,), object

    Returns
    -------
    held : str
        "integer", "number", "decimal", "text", "boolean", "date", "datetime",
        "zoned datetime", "timedelta", "time", "nothing", or else words for an error.
    """
    pd = _pandas()
    found = pd.api.types.infer_dtype(objects, skipna=True)
    if found in ("date", "datetime", "datetime64"):
        observed = objects[~is_missing(objects)]
        if all(type(value) is datetime.date for value in observed):
            return "date"
        if not all(isinstance(v, datetime.datetime | np.datetime64) for v in observed):
            return "dates with and without times of day"
        zoned = {getattr(value, "tzinfo", None) is not None for value in observed}
        if len(zoned) > 1:
            return "dates with and without time zones"
        return "zoned datetime" if zoned.pop() else "datetime"
    known = {
        "floating": "number",
        "mixed-integer-float": "number",
        "string": "text",
        "empty": "nothing",
        "timedelta64": "timedelta",
        "mixed-integer": "values of several kinds, such as text and numbers",
        "mixed": "values of several kinds, or lists or other objects",
        "complex": "complex numbers",
    }
    return known.get(found, found)


def describe(objects, name):
    """What objects are to come back as, in plain values: a dtype of a name.

    Parameters
    ----------
    objects : ndarray of shape (n,), object
    name : str
        What the library calls the dtype of objects.
    """
    held = infer(objects)
    described = {"name": name, "held": held}
    if held == "decimal":
        there = ~is_missing(objects)
        observed = [v for v in objects[there] if v.is_finite()]
        places = max((-v.as_tuple().exponent for v in observed), default=0)
        described["scale"] = min(max(places, 0), _MOST_PLACES)
        described["precision"] = described["scale"] + 300
    return described


def joined_objects(one, other):
    """The dtype of objects of two described ones; None for objects of several kinds."""
    helds = {one["held"], other["held"]} - {"nothing"}
    if helds == {"integer", "number"}:
        helds = {"number"}
    if len(helds) > 1:
        return None
    joined = {"name": one["name"], "held": helds.pop() if helds else "nothing"}
    for name in ("scale", "precision"):
        if name in one or name in other:
            joined[name] = max(one.get(name, 0), other.get(name, 0))
    return joined


def read_objects(objects, held):
    """Values of objects, or None if they are none that a table may hold.

    Parameters
    ----------
    objects : ndarray of shape (n,), object
    held : str
        As `infer` says.
    """
    pd = _pandas()
    if held in ("text", "boolean", "nothing"):
        codes, levels = pd.factorize(objects)
        as_level = bool if held == "boolean" else str
        return Levels(codes.astype(np.int64), [as_level(level) for level in levels])
    missing = is_missing(objects)
    if held == "integer":
        values = np.zeros(len(objects), np.int64)
        try:
            values[~missing] = objects[~missing].astype(np.int64)
        except OverflowError:
            held = "number"
        else:
            return Numbers(values, missing)
    if held in ("number", "decimal"):
        values = np.full(len(objects), np.nan)
        values[~missing] = objects[~missing].astype(np.float64)
        return Numbers(values, missing | np.isnan(values))
    if held == "date":
        return _dates(objects, missing, "M8[D]", "date")
    if held == "datetime":
        return _dates(objects, missing, "M8[us]", "date")
    if held == "zoned datetime":
        in_utc = objects.copy()
        in_utc[~missing] = [
            value.astimezone(_UTC).replace(tzinfo=None) for value in objects[~missing]
        ]
        return _dates(in_utc, missing, "M8[us]", "date with time zone")
    if held == "timedelta":
        return _dates(objects, missing, "m8[us]", "duration")
    if held == "time":
        seconds = [
            ((t.hour * 60 + t.minute) * 60 + t.second) * 10**6 + t.microsecond
            for t in objects[~missing]
        ]
        values = np.zeros(len(objects), np.int64)
        values[~missing] = seconds
        return Dates(values, missing, "us", "time of day")
    return None


def _dates(objects, missing, dtype, what):
    values = np.full(len(objects), "NaT", dtype)
    values[~missing] = objects[~missing].astype(dtype)
    return Dates.of_numpy(values)._replace(what=what)


def _pandas():
    # Imported where it is needed: numbers and tables of polars do without.
    try:
        import pandas
    except ImportError as error:
        raise ImportError(
            "Columns of Python's objects are read by pandas, which is not installed."
        ) from error
    return pandas


def make_objects(values, held):
    """Objects (n,) of values, None where they are missing.

    Parameters
    ----------
    values : Numbers, Dates or Levels
    held : str
        As `infer` said about the column that these are to resemble.
    """
    if isinstance(values, Levels):
        return values.as_objects()
    if isinstance(values, Dates):
        return _date_objects(values.on_clock())
    numbers = values.values
    if held == "integer":
        numbers = cast(np.where(values.missing, 0, numbers), np.int64)
    objects = np.empty(len(numbers), object)
    objects[:] = numbers.tolist()
    objects[values.missing] = None
    if held == "decimal":
        there = ~values.missing
        objects[there] = [Decimal(repr(float(value))) for value in objects[there]]
    return objects


def _date_objects(values):
    if values.what == "time of day":
        midnight = datetime.datetime(1970, 1, 1)
        ratio = {"us": 1, "ns": 1000}[values.unit]
        objects = (values.values // ratio).astype("M8[us]").astype(object)
        objects[:] = [(value or midnight).time() for value in objects]
    elif values.unit == "D":
        objects = values.as_numpy().astype(object)
    else:
        objects = values.as_numpy().astype(f"{values.as_numpy().dtype.kind}8[us]")
        objects = objects.astype(object)
        if values.what.endswith("zone"):
            there = ~values.missing
            objects[there] = [v.replace(tzinfo=_UTC) for v in objects[there]]
    objects[values.missing] = None
    return objects
