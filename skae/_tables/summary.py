"""What is learned of tables, block by block."""

from dataclasses import dataclass, replace

from skae._tables.categories import CategorySummary
from skae._tables.choice import chosen, says_nothing, shortened
from skae._tables.frames import frame_class, frame_of, is_table
from skae._tables.reading import plain_names, read_column, title

# Bytes that a level and its count take, beside the letters.
_LEVEL_BYTES = 150


def is_of_numbers(X, categorical_features="from_dtype"):
    """Whether a table certainly holds numbers alone, as its dtypes say.

    Raises
    ------
    TypeError, ValueError
        If `categorical_features` says nothing about these columns.
    """
    if says_nothing(categorical_features) and not is_table(X):
        return True
    frame = frame_of(X)
    mask = chosen(categorical_features, frame.names, frame.shape[1])
    has_categories = mask is not None and mask.any()
    return not has_categories and all(map(frame.is_plain, range(frame.shape[1])))


@dataclass(frozen=True)
class TableSummary:
    """What is known of a table's columns: of a block of its rows, or of several.

    That of two blocks is the sum of theirs, in the order of the rows. It is small, but
    for categories of very many levels, and can be pickled, so that it may come from
    other processes.

    Attributes
    ----------
    library : {"pandas", "polars", "array"}
    names : list or None
        Of the columns; None for an array.
    wanted : list of bool or None
        Which columns are categories; None leaves it to the dtype.
    dtypes : list of dict
    columns : list of NumberSummary, DateSummary and CategorySummary
    """

    library: str
    names: list | None
    wanted: list
    dtypes: list
    columns: list

    @classmethod
    def of(cls, X, categorical_features="from_dtype"):
        """That of rows in memory.

        Parameters
        ----------
        X : DataFrame or array-like of shape (n_samples, n_columns)
        categorical_features : "from_dtype", array-like of str, int or bool, or None

        Raises
        ------
        TypeError, ValueError
            If a column holds what no table may hold, or is not what
            `categorical_features` says.
        """
        frame = frame_of(X)
        n_columns = frame.shape[1]
        mask = chosen(categorical_features, frame.names, n_columns)
        wanted = [None] * n_columns if mask is None else mask.tolist()
        columns = []
        for j, is_category in enumerate(wanted):
            kind, values = read_column(frame, j, is_category)
            columns.append(kind.summary.of(values))
        dtypes = [frame.dtype(j) for j in range(n_columns)]
        return cls(frame.library, plain_names(frame.names), wanted, dtypes, columns)

    def __add__(self, other):
        names, others = self.names, other.names
        if names != others or len(self.columns) != len(other.columns):
            raise ValueError(
                f"X has the columns {shortened(others or range(len(other.columns)))}, "
                f"but {shortened(names or range(len(self.columns)))} were expected, as "
                "in the rows before."
            )
        pairs = [self._joined(j, other) for j in range(len(self.columns))]
        dtypes, columns = map(list, zip(*pairs, strict=True))
        return replace(self, dtypes=dtypes, columns=columns)

    def levels(self):
        """Levels of columns that are categories by their dtype, by number, as lists."""
        return {
            j: list(column.counts)
            for j, column in enumerate(self.columns)
            if self.wanted[j] is None and isinstance(column, CategorySummary)
        }

    def check_size(self, most_bytes):
        """Raise ValueError where levels of categories take more bytes than that."""
        counts = [getattr(column, "counts", ()) for column in self.columns]
        if sum(map(len, counts)) * _LEVEL_BYTES <= most_bytes:
            return
        j = max(range(len(counts)), key=lambda j: len(counts[j]))
        raise ValueError(
            f"{title(self.names, j)} has {len(counts[j]):,} levels or more, and all "
            f"are counted, which takes more than memory_limit={most_bytes:,}: leave "
            "the column out if nearly all rows have a level of their own, or raise "
            "memory_limit."
        )

    def _joined(self, j, other):
        """The dtype and the summary of a column of both."""
        one, two = self.columns[j], other.columns[j]
        dtype, dtype_2 = self.dtypes[j], other.dtypes[j]
        # What is empty says nothing, but which numbers there may be.
        if type(one) is not type(two) and (one.is_empty or two.is_empty):
            first = one.is_empty < two.is_empty or (
                one.is_empty == two.is_empty and one.rank > two.rank
            )
            return (dtype, one) if first else (dtype_2, two)
        joined = dtype
        if dtype != dtype_2:
            joined = frame_class(self.library).joined(dtype, dtype_2)
        if joined is None and (one.is_empty or two.is_empty):
            joined = dtype_2 if one.is_empty else dtype
        if joined is None or type(one) is not type(two) or not one.is_like(two):
            held, held_2 = (d.get("held", d["name"]) for d in (dtype, dtype_2))
            raise ValueError(
                f"{title(self.names, j)} holds {held_2}, but {held} in the rows "
                "before: convert the column, so that all of its values are of one kind."
            )
        return joined, one + two
