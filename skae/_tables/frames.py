"""Tables of any library, read in one way."""

from importlib import import_module
from os import PathLike

import numpy as np

from skae._tables.frame import Frame
from skae._tables.objects import (
    describe,
    infer,
    is_missing,
    joined_objects,
    make_objects,
    read_objects,
)
from skae._tables.values import Levels, Numbers, cast

# Classes of frames, in modules that are imported for tables of their library alone.
_MODULES = {
    "pandas": ("skae._tables.pandas_frames", "PandasFrame"),
    "polars": ("skae._tables.polars_frames", "PolarsFrame"),
    "array": (__name__, "ArrayFrame"),
}
LIBRARIES = tuple(_MODULES)


def frame_class(library):
    """The class that reads and makes tables of a library.

    Raises
    ------
    ImportError
        If pandas is needed and not installed.
    """
    module, name = _MODULES[library]
    return getattr(import_module(module), name)


def library_of(X):
    """The library of a DataFrame, or None for anything else."""
    for cls in type(X).__mro__:
        library = cls.__module__.partition(".")[0]
        if cls.__name__ == "DataFrame" and library in ("pandas", "polars"):
            return library
    return None


def is_table(X):
    """Whether X is a DataFrame of pandas or polars."""
    return library_of(X) is not None


def index_of(X):
    """The index of a DataFrame of pandas, or None for anything else."""
    return X.index if library_of(X) == "pandas" else None


# What to do with what is taken for rows, by what it is.
_WAYS_OUT = (
    (
        lambda X: isinstance(X, str | PathLike),
        "read the file first, as pandas.read_parquet(X) does",
    ),
    (
        lambda X: (
            isinstance(X, list | tuple) and any(isinstance(x, PathLike) for x in X)
        ),
        "read the files first, as pandas.read_parquet does",
    ),
    (
        lambda X: isinstance(X, dict) and not hasattr(X, "shape"),  # as sparse ones are
        "pandas.DataFrame(X) makes a table of its columns",
    ),
    (lambda X: hasattr(X, "to_frame"), "a column alone is X.to_frame()"),
    (lambda X: hasattr(X, "collect_schema"), "call .collect() first"),
    (lambda X: hasattr(X, "__dask_graph__"), "call .compute() first"),
    (lambda X: hasattr(X, "get_fragments"), "call .to_table().to_pandas() first"),
    (
        lambda X: hasattr(X, "__next__"),
        "what goes through blocks is passed as a function that returns it, since rows "
        "are read several times",
    ),
    (lambda X: callable(X) and not hasattr(X, "shape"), "pass what it returns"),
)


def refuse_others(X):
    """Raise TypeError for what holds values but is no table."""
    if is_table(X):
        return
    for is_kind, way_out in _WAYS_OUT:
        if is_kind(X):
            raise TypeError(
                f"X is a {type(X).__name__}, but a DataFrame, or an array-like of "
                f"shape (n_samples, n_features), was expected: {way_out}."
            )


def frame_of(X):
    """X as what can be read column by column; what is so already stays."""
    if isinstance(X, Frame):
        return X
    return frame_class(library_of(X) or "array")(X)


class ArrayFrame(Frame):
    """An array, to be read as a table.

    Parameters
    ----------
    X : array-like of shape (n_samples, n_columns)
        Of numbers, text or objects.
    """

    library = "array"

    def __init__(self, X):
        self.X = _as_array(X)
        if self.X.ndim != 2:
            raise ValueError(
                f"Expected 2D array, got {self.X.ndim}D array instead: X has the shape "
                f"{self.X.shape}, but (n_samples, n_columns) was expected."
            )
        self.names = None
        self.shape = self.X.shape

    def rows(self, rows):
        return self.X[rows]

    def columns(self, columns):
        return self.X[:, columns]

    def is_plain(self, j):
        return self.X.dtype.kind in "iuf"

    def dtype(self, j):
        if self.X.dtype.kind in "biuf":
            return {"name": str(self.X.dtype)}
        return describe(self._objects(j), "object")

    def read(self, j):
        kind = self.X.dtype.kind
        if kind == "b":
            return Levels(self.X[:, j].astype(np.int64), [False, True])
        if kind in "iuf":
            values = self.X[:, j]
            return Numbers(values, np.isnan(values))
        objects = self._objects(j)
        return read_objects(objects, infer(objects))

    def filled(self, parts):
        # An array has one dtype: that of objects, where a column needs another one.
        is_held = not any(part.is_whole for part in parts.values())
        filled = self.X.copy() if is_held else self.X.astype(object)
        for j, part in parts.items():
            filled[part.mask, j] = _as(filled.dtype, part.dtype, part.values)
        return filled

    def to_numbers(self, j):
        return f"pd.to_numeric(X[:, {j}], errors='coerce')"

    def to_text(self, j):
        return f"X[:, {j}].astype(str)"

    def to_dates(self, j):
        return f"pd.to_datetime(X[:, {j}])"

    def fits(self, j, values):
        if self.X.dtype.kind not in "biuf" or isinstance(values, Numbers):
            return True
        return isinstance(values, Levels) and values.kind() != "text"

    @staticmethod
    def natural(values):
        return {"name": "object", "held": "nothing"}

    def objects(self):
        cells = self.X.astype(object)
        cells[is_missing(cells)] = None
        return cells

    @staticmethod
    def is_dtype(dtype):
        name = dtype.get("name")
        return name == "object" or (
            isinstance(name, str) and np.dtype(name).kind in "biuf"
        )

    @staticmethod
    def joined(one, other):
        if "object" in (one["name"], other["name"]):
            return joined_objects(*(_of_objects(part) for part in (one, other)))
        return {"name": str(np.promote_types(one["name"], other["name"]))}

    @staticmethod
    def build(names, dtypes, columns, index=None):
        dtype = np.dtype(dtypes[0]["name"])
        made = np.empty((len(columns[0].missing), len(columns)), dtype)
        for j, (values, described) in enumerate(zip(columns, dtypes, strict=True)):
            made[:, j] = _as(dtype, described, values)
        return made

    def _objects(self, j):
        return self.X[:, j].astype(object)


def _of_objects(dtype):
    """A described dtype as that of objects."""
    if dtype["name"] == "object":
        return dtype
    held = {"b": "boolean", "f": "number"}.get(np.dtype(dtype["name"]).kind, "integer")
    return {"name": "object", "held": held}


def _as(dtype, described, values):
    """Values as an array of a dtype of numpy."""
    if dtype.kind in "OUS":
        return make_objects(values, described.get("held", "number"))
    if isinstance(values, Levels):
        objects = values.as_objects()
        objects[values.missing] = np.nan
        return objects.astype(dtype)
    if dtype.kind == "f":
        return np.where(values.missing, np.nan, cast(values.values, dtype))
    return cast(values.values, dtype)


def _as_array(X):
    """X as an array whose cells are what they were, numbers or objects."""
    if isinstance(X, np.ndarray):
        return X
    refuse_others(X)
    if hasattr(X, "toarray"):
        raise TypeError(
            "X is sparse, but a table or a dense array was expected: use X.toarray()."
        )
    if hasattr(X, "__array__"):
        return np.asarray(X)
    try:
        array = np.asarray(X)
    except ValueError:  # rows of other lengths
        array = np.empty(0, object)
    # Text beside numbers would turn these into text.
    return array if array.dtype.kind in "biuf" else np.array(X, dtype=object)
