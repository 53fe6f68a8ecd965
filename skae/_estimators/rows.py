"""Rows as users pass them, as models read them, and as users get them back."""

from functools import reduce
from operator import add

import numpy as np
from sklearn.utils.validation import validate_data

from skae._sources.door import source_of, whole
from skae._sources.grouped import grouped
from skae._sources.memory import MemoryRows
from skae._sources.source import RowSource, block_rows
from skae._sources.streamed import StreamedRows
from skae._tables.choice import says_nothing
from skae._tables.columns import Columns
from skae._tables.filled import fill
from skae._tables.frames import frame_of, index_of, is_table, refuse_others
from skae._tables.summary import TableSummary, is_of_numbers
from skae._utils.checks import instance, not_required, optional
from skae._utils.group import ALONE
from skae._utils.sparse import refuse_sparse
from skae._utils.stored import stored_base
from skae._utils.validation import validated, without_torch


def _columns_of(summary, group):
    """Columns of the rows of all processes, each of which has summed up its own."""
    return Columns.of_summary(reduce(add, group.gathered(summary)))


@stored_base(_columns=not_required(optional(instance(Columns))))
class OfRows:
    """Mixin of estimators that read rows: arrays of numbers, or tables.

    Attributes
    ----------
    _columns : Columns or None
        Of a table with categories or dates, whose rows are encoded. None for numbers
        alone.
    """

    _columns: Columns | None = None
    memory_limit: int

    @property
    def _names_of_rows(self):
        """Names of the columns of rows, or None."""
        names = getattr(self, "feature_names_in_", None)
        return None if names is None else list(names)

    def _learned(self, X, min_samples, group=ALONE):
        """Rows (n, width) to fit to, once their columns are known."""
        X, choice = without_torch(X), self.categorical_features
        with group.together():
            is_plain = is_of_numbers(X, choice)
        self._columns = None
        if not all(group.gathered(is_plain)):
            with group.together():
                summary = TableSummary.of(X, choice)
            self._columns = _columns_of(summary, group)
        with group.together():
            if self._columns is None:
                return self._numbers(X, True, min_samples)
            return self._encoded(X, True, min_samples)[0]

    def _read(self, X, min_samples=1):
        """Rows (n, width) as numbers, of the columns that are known."""
        if self._columns is None:
            return self._numbers(X, False, min_samples)
        return self._encoded(X, False, min_samples)[0]

    def _rows(self, X, is_first, group):
        """The rows to fit to, as models read them: in memory, or a stream of them.

        Returns
        -------
        rows : MemoryRows, StreamedRows or GroupedRows of shape (n, width)
        given : object
            X, or the source that it is: rows of this process alone.
        """
        with group.together():
            source = source_of(X)
        # A process of a group may have a single row.
        least = 2 if group.size == 1 else 1
        if source is None:
            if is_first:
                rows = self._learned(X, least, group)
            else:
                with group.together():
                    rows = self._read(X)
            return grouped(MemoryRows(rows), group, self._names_of_rows), X
        with group.together():
            kept = whole(source, self.memory_limit)
        if is_first:
            given = self.categorical_features, self.memory_limit
            self._learn_blocks(kept or source, *given, group)
        with group.together():
            if kept is None:
                rows = self._streamed(source, self.memory_limit)
            else:
                rows = np.concatenate(list(kept.mapped(self._read)))
                if is_first:
                    self._check_count(rows.shape, least)
                rows = MemoryRows(rows)
        return grouped(rows, group, self._names_of_rows), kept or source

    def _streamed(self, source, memory_limit):
        """Rows of a source whose columns are known, as models read them."""
        if self._columns is not None:  # much wider once they are encoded
            source = source.finer(block_rows(self._columns.layout.width))
        return StreamedRows(source, self._read, memory_limit)

    def _learn_blocks(self, source, choice, memory_limit, group=ALONE):
        """Learn the columns of a source, block by block.

        Parameters
        ----------
        source : RowSource
        choice : "from_dtype", array-like of str, int or bool, or None
            Which columns are categories.
        memory_limit : int
        group : Alone, default=ALONE
            Of processes whose rows they are.
        """
        is_first, summary = True, None

        def check(block):
            nonlocal is_first
            block = without_torch(block)
            validate_data(self, block, reset=is_first, skip_check_array=True)
            is_first = False
            return is_of_numbers(block, choice)

        def add_block(block):
            nonlocal summary
            found = TableSummary.of(without_torch(block), choice)
            summary = found if summary is None else summary + found
            summary.check_size(memory_limit)

        def are_plain():
            head = source.head()
            if head is not None and check(head):
                return True
            kinds = source.mapped(lambda block: (check(block), not is_table(block)))
            for is_plain, is_array in kinds:
                if is_plain and is_array and says_nothing(choice):
                    return True  # all blocks are arrays then
                if not is_plain:
                    return False
            return True

        with group.together():
            is_plain = are_plain()
        self._columns = None
        if not all(group.gathered(is_plain)):
            with group.together():
                for _ in source.mapped(add_block):
                    pass
            self._columns = _columns_of(summary, group)

    def _exact(self, given, chosen):
        """Numbers (m, n_numbers) of rows of a table, as they came.

        Parameters
        ----------
        given : DataFrame, array-like or RowSource
        chosen : ndarray of shape (m,), int
            Numbers of rows.
        """
        if isinstance(given, RowSource):
            return given.taken(chosen, self._columns.numbers)
        rows = frame_of(without_torch(given)).rows(chosen)
        return self._columns.numbers(rows)

    def _numbers(self, X, reset, min_samples):
        refuse_others(X)
        options = {"min_samples": min_samples, "accepts_sparse": True}
        return validated(self, X, reset=reset, **options)

    def _encoded(self, X, reset, min_samples):
        """Encoded rows of a table, and where there are unseen levels."""
        refuse_sparse(X)
        frame = frame_of(without_torch(X))
        validate_data(self, frame.X, reset=reset, skip_check_array=True)
        self._check_count(frame.shape, min_samples)
        return self._columns.encoded(frame)

    def _check_count(self, shape, min_samples):
        if shape[0] < min_samples:
            raise ValueError(
                f"Found array with {shape[0]} sample(s) (shape={shape}) while a "
                f"minimum of {min_samples} is required by {type(self).__name__}."
            )

    def _has_values(self, X):
        """Which columns (n_columns,) of the rows that were fitted have any value."""
        if self._columns is not None:
            return ~np.array([column.is_empty for column in self._columns.columns])
        source = source_of(X)
        read = [self._read(X)] if source is None else source.mapped(self._read)
        empty = (np.isnan(rows).all(axis=0) for rows in read)
        return ~reduce(np.logical_and, empty)

    def _check_graphs_read(self):
        """Raise TypeError for a table, of which there are no graphs of ONNX."""
        if self._columns is not None:
            raise TypeError(
                "A table with categories or dates was fitted, which graphs of ONNX do "
                "not read as it is: skae.inference.load applies a file of save() "
                "without PyTorch. For ONNX, fit in a Pipeline to what a "
                "ColumnTransformer with OneHotEncoder returns, which skl2onnx converts."
            )

    def _as_given(self, rows, X):
        """Rows (n, width) as users get them back: those of a table as one.

        Parameters
        ----------
        rows : ndarray of shape (n, width)
        X : object
            What was passed, of which a table takes its labels.
        """
        if self._columns is None:
            return rows
        return self._columns.restore(rows, index_of(X))

    def _filled(self, X, rows):
        """X, with missing cells from rows (n, width)."""
        return fill(without_torch(X), rows, self._columns)


def check_is_there(X, name):
    """Raise for rows to fit to that are all missing."""
    if np.isnan(X.ends()[0]):
        raise ValueError(
            f"X has {X.shape[0]} rows, and all of their cells are missing, but {name} "
            "is fitted to those that are not."
        )
