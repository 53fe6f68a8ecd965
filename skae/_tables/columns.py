"""Tables as encoded rows, and encoded rows as tables."""

from dataclasses import dataclass, field

import numpy as np

from skae._tables.categories import CategoryColumn
from skae._tables.choice import shortened
from skae._tables.dates import DateColumn
from skae._tables.frames import LIBRARIES, frame_class, frame_of
from skae._tables.numbers import NumberColumn
from skae._tables.reading import checked, plain_names, title_of, warn_of_numbers
from skae._tables.summary import TableSummary, is_of_numbers
from skae._utils.checks import anything, dict_of, instance, list_of, optional
from skae._utils.layout import Layout
from skae._utils.ranges import LARGEST
from skae._utils.stored import stored


@stored(
    library=lambda value: value in LIBRARIES,
    names=optional(list_of(instance(str, int, float, tuple))),
    dtypes=list_of(dict_of(anything)),
    columns=list_of(instance(NumberColumn, DateColumn, CategoryColumn)),
)
@dataclass(frozen=True)
class Columns:
    """What is known of a table's columns: how rows are encoded, and decoded.

    All is in the order of the table's columns, but for encoded rows, of which numbers
    and dates are first.

    Attributes
    ----------
    library : {"pandas", "polars", "array"}
        Of the table that was fitted, in which tables are restored.
    names : list or None
        Of the columns, in the table's order; None for an array.
    dtypes : list of dict
        What columns come back as, in the table's order.
    columns : list of NumberColumn, DateColumn and CategoryColumn
        In the table's order.

    Examples
    --------
    >>> import pandas as pd
    >>> X = pd.DataFrame({"colour": ["red", "blue"] * 2, "size": [1, 3, 2, 2]})
    >>> columns = Columns.of(X)
    >>> columns.cells(X).round(2)
    array([[-1.41,  0.  ,  1.41],
           [ 1.41,  1.41,  0.  ],
           [ 0.  ,  0.  ,  1.41],
           [ 0.  ,  1.41,  0.  ]])
    >>> columns.restore(columns.cells(X)).equals(X)
    True
    """

    library: str
    names: list | None
    dtypes: list
    columns: list
    layout: Layout = field(init=False, repr=False, compare=False)
    parts: list = field(init=False, repr=False, compare=False)

    def __post_init__(self):
        """Derive the layout, and the encoded columns of each column of the table."""
        blocks = [column for column in self.columns if column.is_category]
        layout = Layout(
            np.argsort(self.is_category, kind="stable"),
            np.array([column.width for column in blocks], np.int64),
            np.array([column.entropy for column in blocks], np.float64),
            np.array([column.factor for column in blocks], np.float64),
        )
        firsts, of_column = layout.first, layout.of_column
        widths = np.bincount(of_column, minlength=len(self.columns))
        parts = [slice(a, a + w) for a, w in zip(firsts, widths, strict=True)]
        vars(self).update(layout=layout, parts=parts)

    def __getstate__(self):
        derived = ("layout", "parts")
        return {name: v for name, v in vars(self).items() if name not in derived}

    def __setstate__(self, state):
        vars(self).update(state)
        self.__post_init__()

    @classmethod
    def of(cls, X, categorical_features="from_dtype"):
        """The columns of a table, as its rows show them.

        Parameters
        ----------
        X : DataFrame or array-like of shape (n_samples, n_columns)
        categorical_features : "from_dtype", array-like of str, int or bool, or None
            As in scikit-learn's HistGradientBoostingClassifier. With "from_dtype"
            categories are a DataFrame's columns of categories, text and truth values.

        Returns
        -------
        columns : Columns or None
            None for a table of numbers alone.

        Raises
        ------
        TypeError, ValueError
            If a column holds what no table may hold, or is not what
            `categorical_features` says.
        """
        if is_of_numbers(X, categorical_features):
            return None
        return cls.of_summary(TableSummary.of(X, categorical_features))

    @classmethod
    def of_summary(cls, summary):
        """The same of blocks that were summed up, a `TableSummary`."""
        pairs = zip(summary.columns, summary.dtypes, strict=True)
        columns = [column.column(dtype) for column, dtype in pairs]
        if all(isinstance(column, NumberColumn) for column in columns):
            return None
        found = cls(summary.library, summary.names, summary.dtypes, columns)
        frame = frame_of(found.restore(np.empty((0, found.layout.width))))
        for j, levels in summary.levels().items():
            warn_of_numbers(levels, frame, j)
        return found

    @property
    def n_columns(self):
        return len(self.columns)

    @property
    def is_category(self):
        """Which columns (n_columns,) are categories, in the table's order."""
        return np.array([column.is_category for column in self.columns])

    @property
    def scales(self):
        """Units of the data (n_columns,) in a standard one; NaN for categories.

        In the table's order; of dates the unit is that of their dtype.
        """
        return np.array([column.scale for column in self.columns])

    @property
    def surprises(self):
        """Loss (n_columns,) of levels that were not observed; NaN for numbers.

        As if one in so many cells as were observed, and one more, were such.
        """
        return np.array([column.surprise for column in self.columns])

    def cells(self, X):
        """Encoded rows.

        Parameters
        ----------
        X : DataFrame or array-like of shape (n_samples, n_columns)
            With the columns that were fitted, in their order.

        Returns
        -------
        cells : ndarray of shape (n_samples, width), float64
            NaN where cells are missing, and where there are levels that were not
            observed (see `unseen`).

        Raises
        ------
        ValueError
            If X has another number of columns, or a column is of another kind than the
            one that was fitted.
        """
        return self.encoded(X)[0]

    def unseen(self, X):
        """Where X has levels that were not observed, and that no pool takes.

        Returns
        -------
        unseen : ndarray of shape (n_samples, n_columns), bool
            In the table's order.
        """
        return self.encoded(X)[1]

    def restore(self, cells, index=None, in_units=False):
        """The table that encoded rows stand for.

        Parameters
        ----------
        cells : ndarray of shape (n_samples, width)
            Finite. Numbers in standard units, and dummies or their expectations, of
            which the likeliest level is taken.
        index : Index, default=None
            Of a DataFrame of pandas; None numbers the rows.
        in_units : bool, default=False
            Whether numbers are in the units of their columns instead, as `in_units`
            and `numbers` return them.

        Returns
        -------
        table : DataFrame or ndarray of shape (n_samples, n_columns)
            In the library, with the names, the order and the dtypes that were fitted.
            Cells are missing in columns of which nothing was observed, alone.
        """
        values = [self.decoded(j, cells, in_units) for j in range(self.n_columns)]
        return frame_class(self.library).build(self.names, self.dtypes, values, index)

    def numbers(self, X):
        """Numbers of a table in the units of their columns, not rounded by any scaling.

        Returns
        -------
        numbers : ndarray of shape (n_samples, n_numbers), float64
            In the order of encoded rows, NaN where cells are missing; dates are counted
            from the start of their columns.
        """
        frame = self.frame(X)
        places = self.layout.order[: self.layout.n_numbers]
        numbers = np.empty((frame.shape[0], len(places)))
        for i, j in enumerate(places):
            numbers[:, i] = self.columns[j].numbers(frame.read(j))
        return numbers

    def in_units(self, cells):
        """Encoded rows (n, width) with numbers in the units of their columns."""
        cells = np.array(cells, np.float64)
        for column, part in zip(self.columns, self.parts, strict=True):
            if not column.is_category:
                cells[:, part] = cells[:, part] * column.scale + column.shift
        return cells

    def with_drawn_levels(self, cells, rngs):
        """Encoded rows with levels of categories drawn by their shares.

        Parameters
        ----------
        cells : ndarray of shape (n, width)
        rngs : list of Generator
            For each category, which may be one and the same.
        """
        cells = np.array(cells, np.float64)
        blocks = [j for j, column in enumerate(self.columns) if column.is_category]
        for j, rng in zip(blocks, rngs, strict=True):
            part = self.parts[j]
            cells[:, part] = self.columns[j].drawn(cells[:, part], rng)
        return cells

    def values_of(self, X):
        """Cells of a table as Python's objects, for messages.

        Returns
        -------
        values : ndarray of shape (n_samples, n_columns), object
            In the table's order; None where they are missing.
        """
        return frame_of(X).objects()

    def translated(self, cells, other):
        """Encoded rows (n, width) in the encoding of others' columns of the same kinds.

        Parameters
        ----------
        cells : ndarray of shape (n, width)
            As `restore` takes them.
        other : Columns
            With all of these levels.
        """
        found = np.empty((len(cells), other.layout.width))
        for j, column in enumerate(self.columns):
            part = cells[:, self.parts[j]]
            found[:, other.parts[j]] = column.translated(part, other.columns[j])
        return found

    def encoded(self, X):
        """What `cells` and `unseen` return, of one reading."""
        frame = self.frame(X)
        cells = np.empty((frame.shape[0], self.layout.width))
        unseen = np.zeros(frame.shape, bool)
        for j, (column, part) in enumerate(zip(self.columns, self.parts, strict=True)):
            values = checked(frame, j, frame.read(j))
            refusal = column.refusal(values)
            if refusal is not None:
                raise ValueError(
                    f"{title_of(frame, j, self.names)} holds {frame.holds(j)}, but "
                    f"{refusal}, as in the table that was fitted"
                    f"{column.advice(values, frame, j)}."
                )
            unseen[:, j] = column.encode(values, cells[:, part])
            if not column.is_category and (np.abs(cells[:, part]) > LARGEST).any():
                raise ValueError(
                    f"{title_of(frame, j, self.names)} has values more than "
                    f"{LARGEST:.0e} standard deviations from the mean that was fitted: "
                    "replace placeholders such as 1e30 by missing values."
                )
        return cells, unseen

    def decoded(self, j, cells, in_units=False):
        """Values of a column of the table, of encoded rows as `restore` takes them."""
        cells, column = np.asarray(cells[:, self.parts[j]], np.float64), self.columns[j]
        if in_units and not column.is_category:
            return column.restored(cells[:, 0])
        return column.decode(cells)

    def frame(self, X):
        """X as a frame, if it has the columns that were fitted, in their order."""
        frame = frame_of(X)
        if frame.shape[1] != self.n_columns:
            raise ValueError(
                f"X has {frame.shape[1]} columns, but {self.n_columns} were fitted."
            )
        names = plain_names(frame.names)
        # A table with text for names beside one without is scikit-learn's to judge.
        if names != self.names and _are_text(names) == _are_text(self.names):
            raise ValueError(
                f"X has the columns {shortened(names)}, but {shortened(self.names)} "
                "were expected, in this order, as in the table that was fitted: select "
                "them by their names."
            )
        return frame

    def _check_loaded(self):
        n = len(self.columns)
        if n == 0 or len(self.dtypes) != n or len(self.names or self.dtypes) != n:
            raise ValueError("Its names and dtypes are not those of its columns.")
        if (self.names is None) != (self.library == "array"):
            raise ValueError("Its names are not those of its library.")
        try:
            is_possible = all(map(frame_class(self.library).is_dtype, self.dtypes))
            if is_possible:
                self.restore(self._every_level())
        except (ImportError, MemoryError):
            raise
        except Exception as error:  # of many classes of the libraries
            raise ValueError("Its dtypes are not those of its columns.") from error
        if not is_possible:
            raise ValueError("It has dtypes that its library does not.")

    def _every_level(self):
        """Encoded rows (n, width) in which there is every level."""
        n = max([1, *self.layout.widths.tolist()])
        cells = np.zeros((n, self.layout.width))
        for start, width in zip(self.layout.starts, self.layout.widths, strict=True):
            cells[np.arange(n), start + np.arange(n) % width] = 1.0
        return cells


def _are_text(names):
    """Whether names are all text; None where there are none."""
    return None if names is None else all(isinstance(name, str) for name in names)
