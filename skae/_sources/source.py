"""The base of sources: rows that are read a block at a time."""

import os
from abc import ABC, abstractmethod
from os import fspath

import numpy as np

# Bytes of a block, about.
BLOCK_BYTES = 2**25


class RowSource(ABC):
    """Rows that are read a block at a time, as often as is wanted, in one order.

    Attributes
    ----------
    title : str
        What it is, for messages.
    """

    title: str

    @abstractmethod
    def blocks(self):
        """Yield blocks: arrays (m, n_columns) or DataFrames, in order."""

    def mapped(self, function):
        """Yield what a function makes of each block that has rows, in order.

        Raises
        ------
        TypeError, ValueError
            What the function raises, with the numbers of the rows and where they are.
        """
        start = 0
        for block in self.blocks():
            stop = start + block.shape[0]
            if stop == start:
                continue
            try:
                made = function(block)
            except (TypeError, ValueError) as error:
                where = f"In rows {start:,} to {stop - 1:,} of {self.title}"
                raise type(error)(f"{where}: {error}") from error
            yield made
            start = stop

    def head(self):
        """A block without rows, with the dtypes of all; None if these are not known.

        But for integers, which may be floats where cells are missing.
        """
        return None

    def taken(self, numbers, function):
        """What a function makes of the rows with some numbers, in their order.

        Parameters
        ----------
        numbers : array-like of shape (m,), int
        function : callable
            From a block to an array (n, k).

        Returns
        -------
        rows : ndarray of shape (m, k), or None if no rows are wanted
        """
        if not len(numbers):
            return None
        order = np.argsort(numbers, kind="stable")
        wanted, found, start = np.asarray(numbers)[order], [], 0
        for block in self.blocks():
            stop = start + block.shape[0]
            here = slice(*np.searchsorted(wanted, (start, stop)))
            if here.start < here.stop:
                found.append(function(rows_of(block, wanted[here] - start)))
            if here.stop == len(wanted):
                break
            start = stop
        return np.concatenate(found)[np.argsort(order, kind="stable")]

    def finer(self, n_rows):
        """The same rows, in blocks of so many rows at the most."""
        return FinerBlocks(self, n_rows)

    def applied(self, function, names, n_rows=None):
        """What a function makes of the rows: numbers of rows at once, or `Blocks`.

        Parameters
        ----------
        function : callable
            From a block to an array (m,) or (m, k), or a table.
        names : list of str or None
            Of the columns of what it makes.
        n_rows : int, default=None
            Rows that the function gets at the most.

        Returns
        -------
        result : ndarray of shape (n,) or Blocks
        """
        source = self if n_rows is None else self.finer(n_rows)
        results = source.mapped(function)
        first = next(results, None)
        if first is None:
            raise ValueError(f"{self.title} has no rows.")
        if len(first.shape) == 1:
            return np.concatenate([first, *results])
        return Blocks(source, function, names)


class Blocks(RowSource):
    """Rows that are made of those of a source, a block at a time as they are asked for.

    They are a source themselves.

    Parameters
    ----------
    source : RowSource
    function : callable
        From a block to an array (m, k), or a table.
    names : list of str or None
        Of the columns of what it makes.
    """

    def __init__(self, source, function, names):
        self._source = source
        self._function = function
        self._names = names
        self.title = f"what is made of {source.title}"

    def blocks(self):
        return self._source.mapped(self._function)

    def __iter__(self):
        return self.blocks()

    def __repr__(self):
        return f"<{self.title}, in blocks: iterate, or call to_numpy or to_parquet>"

    def __array__(self, dtype=None, copy=None):
        return np.asarray(self.to_numpy(), dtype)

    def to_numpy(self):
        """All rows as one array: they have to fit into memory."""
        return np.concatenate([np.asarray(block) for block in self])

    def to_parquet(self, path) -> None:
        """Write the rows to a file of Parquet, with the names of their columns.

        Parameters
        ----------
        path : str or PathLike
            A file that is there is replaced once all rows are written.
        """
        import pyarrow as pa
        from pyarrow import parquet

        partial = f"{fspath(path)}.partial"
        writer = None
        try:
            for block in self:
                table = self._table(pa, block)
                if writer is None:
                    writer = parquet.ParquetWriter(partial, table.schema)
                if table.schema != writer.schema:
                    writer, table = _of_one_schema(pa, parquet, writer, partial, table)
                writer.write_table(table)
            if writer is None:
                raise ValueError(f"{self._source.title} has no rows.")
            writer.close()
            os.replace(partial, path)
        except BaseException:
            if writer is not None:
                writer.close()
                os.remove(partial)
            raise

    def _table(self, pa, block):
        if hasattr(block, "to_arrow"):  # of polars
            return block.to_arrow()
        if hasattr(block, "columns"):
            return pa.Table.from_pandas(block, preserve_index=False)
        names = self._names or [f"x{i}" for i in range(block.shape[1])]
        block = np.asarray(block, block.dtype.newbyteorder("="))
        columns = [pa.array(np.ascontiguousarray(column)) for column in block.T]
        return pa.table(dict(zip(names, columns, strict=True)))


class KeptBlocks(RowSource):
    """Blocks of a source that are kept in memory.

    Parameters
    ----------
    source : RowSource
    blocks : list
    """

    def __init__(self, source, blocks):
        self.title = source.title
        self._blocks = blocks

    def blocks(self):
        return iter(self._blocks)


class ChosenRows(RowSource):
    """Some of the rows of a source, in their order.

    Parameters
    ----------
    source : RowSource
    is_chosen : ndarray of shape (n,), bool
        Which of all its rows.
    """

    def __init__(self, source, is_chosen):
        self.title = f"the rows chosen of {source.title}"
        self._source = source
        self._is_chosen = is_chosen

    def blocks(self):
        start = 0
        for block in self._source.blocks():
            stop = start + block.shape[0]
            yield rows_of(block, np.flatnonzero(self._is_chosen[start:stop]))
            start = stop


class FinerBlocks(RowSource):
    """The rows of a source in blocks of so many at the most.

    Parameters
    ----------
    source : RowSource
    n_rows : int
    """

    def __init__(self, source, n_rows):
        self.title = source.title
        self._source = source
        self._n_rows = n_rows

    def blocks(self):
        for block in self._source.blocks():
            for start in range(0, block.shape[0], self._n_rows):
                yield rows_of(block, slice(start, start + self._n_rows))


def rows_of(block, chosen):
    """The rows of a block with some numbers."""
    return block.iloc[chosen] if hasattr(block, "iloc") else block[chosen]


def block_rows(n_columns, itemsize=8):
    """How many rows a block has."""
    return max(1, BLOCK_BYTES // max(1, n_columns * itemsize))


def _of_one_schema(pa, parquet, writer, path, table):
    """A writer, and a table to go on with, where a table has other dtypes than before.

    What was written is written again, as what holds both.
    """
    options = {"promote_options": "permissive"}
    schema = pa.unify_schemas([writer.schema, table.schema], **options)
    if schema != writer.schema:
        writer.close()
        os.replace(path, f"{path}.earlier")
        writer = parquet.ParquetWriter(path, schema)
        earlier = parquet.ParquetFile(f"{path}.earlier")
        for batch in earlier.iter_batches():
            writer.write_table(pa.Table.from_batches([batch]).cast(schema))
        earlier.close()
        os.remove(f"{path}.earlier")
    return writer, table.cast(schema)
