"""Rows as users pass them, as models read them, and as users get them back."""

import numpy as np
from sklearn.utils.validation import validate_data

from skae._sources.door import source_of, whole
from skae._sources.memory import MemoryRows
from skae._sources.streamed import StreamedRows
from skae._tables.columns import Columns
from skae._tables.filled import fill
from skae._tables.frames import frame_of, index_of, refuse_others
from skae._utils.checks import instance, not_required, optional
from skae._utils.group import current_group
from skae._utils.sparse import refuse_sparse
from skae._utils.stored import stored_base
from skae._utils.validation import validated, without_torch


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

    def _learned(self, X, min_samples):
        """Rows (n, width) to fit to, once their columns are known."""
        X = without_torch(X)
        self._columns = Columns.of(X, self.categorical_features)
        if self._columns is None:
            return self._numbers(X, True, min_samples)
        return self._encoded(X, True, min_samples)[0]

    def _read(self, X, min_samples=1):
        """Rows (n, width) as numbers, of the columns that are known."""
        if self._columns is None:
            return self._numbers(X, False, min_samples)
        return self._encoded(X, False, min_samples)[0]

    def _rows(self, X, is_first):
        """The rows to fit to, as models read them: in memory, or a stream of them.

        Returns
        -------
        rows : MemoryRows or StreamedRows of shape (n, width)
        given : object
            X, or what a source holds that was read whole.
        """
        source = source_of(X)
        if source is not None:
            X = whole(source, self.memory_limit)
        if X is None:
            return self._streamed(source, is_first), None
        # A process of a group may have a single row.
        least = 2 if current_group().size == 1 else 1
        read = self._learned(X, min_samples=least) if is_first else self._read(X)
        return MemoryRows(read), X

    def _streamed(self, source, is_first):
        """Rows of a source, the first of which say which columns there are."""
        is_learned = not is_first

        def read(block):
            nonlocal is_learned
            if is_learned:
                return self._read(block)
            rows, is_learned = self._learned(block, 1), True
            if self._columns is not None:
                raise TypeError(
                    "there are categories or dates, whose levels are learned from rows "
                    "in memory: fit to some of the rows and go on with partial_fit, "
                    "select the columns of numbers, or raise memory_limit="
                    f"{self.memory_limit}, of which half is read whole."
                )
            return rows

        return StreamedRows(source, read, self.memory_limit)

    def _numbers(self, X, reset, min_samples):
        refuse_others(X)
        options = {"min_samples": min_samples, "accepts_sparse": True}
        return validated(self, X, reset=reset, **options)

    def _encoded(self, X, reset, min_samples):
        """Encoded rows of a table, and where there are unseen levels."""
        refuse_sparse(X)
        frame = frame_of(without_torch(X))
        validate_data(self, frame.X, reset=reset, skip_check_array=True)
        if frame.shape[0] < min_samples:
            raise ValueError(
                f"Found array with {frame.shape[0]} sample(s) (shape={frame.shape}) "
                f"while a minimum of {min_samples} is required by "
                f"{type(self).__name__}."
            )
        return self._columns.encoded(frame)

    def _missing(self, X):
        """Which columns (n, n_columns) of rows are missing."""
        if self._columns is None:
            return np.isnan(self._read(X))
        cells, unseen = self._encoded(X, False, 1)
        return np.isnan(cells[:, self._columns.layout.first]) & ~unseen

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
