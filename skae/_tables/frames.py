"""Tables of any library, read in one way."""

from importlib import import_module

import numpy as np

from skae._tables.objects import describe, infer, make_objects, read_objects
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


def taken_columns(X, positions):
    """X with the columns at the given positions alone, in its own type."""
    library = library_of(X)
    if library == "pandas":
        return X.iloc[:, positions]
    if library == "polars":
        return X[:, positions.tolist()]
    return X[:, positions]


def frame_of(X):
    """X as what can be read column by column; what is so already stays."""
    if getattr(X, "library", None) in LIBRARIES:
        return X
    return frame_class(library_of(X) or "array")(X)


class ArrayFrame:
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

    def is_plain(self, j):
        """Whether a column certainly holds numbers and nothing else."""
        return self.X.dtype.kind in "iuf"

    def dtype(self, j):
        """What a column is to come back as, in plain values."""
        if self.X.dtype.kind in "biuf":
            return {"name": str(self.X.dtype)}
        return describe(self._objects(j), "object")

    def holds(self, j):
        """A column's kind in the users' words."""
        dtype = self.dtype(j)
        return dtype.get("held", dtype["name"])

    def read(self, j):
        """Values of a column, or None if they are none that a table may hold."""
        kind = self.X.dtype.kind
        if kind == "b":
            return Levels(self.X[:, j].astype(np.int64), [False, True])
        if kind in "iuf":
            values = self.X[:, j]
            return Numbers(values, np.isnan(values))
        objects = self._objects(j)
        return read_objects(objects, infer(objects))

    def filled(self, parts):
        """A copy in which cells of some columns are others.

        Parameters
        ----------
        parts : dict of int to (ndarray of shape (n_samples,), bool; values; dict)
            Numbers of columns; which of their cells are to be taken from values of
            that many; and what is ignored here.
        """
        filled = self.X.copy()
        for j, (mask, values, _) in parts.items():
            filled[mask, j] = _as(self.X.dtype, self.dtype(j), values)
        return filled

    def fits(self, j, values):
        """Whether the dtype of a column without any value can hold some."""
        return True

    def objects(self):
        """Cells (n_samples, n_columns) as Python's objects, missing ones as None."""
        cells = self.X.astype(object)
        cells[cells != cells] = None
        return cells

    @staticmethod
    def is_dtype(dtype):
        """Whether a column can be made of what describes its dtype."""
        name = dtype.get("name")
        return name == "object" or (
            isinstance(name, str) and np.dtype(name).kind in "biuf"
        )

    @staticmethod
    def build(names, dtypes, columns, index=None):
        """An array of values.

        Parameters
        ----------
        names : object
            Ignored.
        dtypes : list of dict
        columns : list of Numbers, Dates or Levels
        index : object
            Ignored.
        """
        dtype = np.dtype(dtypes[0]["name"])
        made = np.empty((len(columns[0].missing), len(columns)), dtype)
        for j, (values, described) in enumerate(zip(columns, dtypes, strict=True)):
            made[:, j] = _as(dtype, described, values)
        return made

    def _objects(self, j):
        return self.X[:, j].astype(object)


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
