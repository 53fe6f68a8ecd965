"""The rows that a detector is fitted to: in memory, or a stream of them."""

import numpy as np

from skae._sources.source import ChosenRows
from skae._sources.streamed import StreamedRows
from skae._tables.frames import frame_of
from skae._utils.scaling import Scaling

# Rows of each fold of a stream that are kept at once, and the fewest.
_MOST_KEPT, _FEWEST_KEPT = 2**14, 2**10
# Times that these are copied while scores are learned.
_COPIES = 8


class RowsInMemory:
    """Rows to detect in, in memory.

    Parameters
    ----------
    X : ndarray or DataFrame of shape (n, d)

    Attributes
    ----------
    index : object
        What splitters split.
    """

    def __init__(self, X):
        self._frame = frame_of(X)
        self.index = self._frame.X

    def __len__(self):
        return self._frame.shape[0]

    def chosen(self, numbers):
        """Rows with some numbers, as autoencoders are fitted to them."""
        return self._frame.rows(numbers)

    def kept(self, numbers):
        """Of the rows with some numbers, in random order, those that are kept."""
        return numbers

    def scaling(self, numbers=None):
        """What rows of numbers are shifted and divided by; None is all of them."""
        return Scaling.of(self.index if numbers is None else self.index[numbers])

    def taken(self, numbers, function):
        """What a function makes of the rows with some numbers: (m, ...)."""
        return function(self._frame.rows(numbers))

    def made(self, function):
        """What a function makes of all rows: (n, ...)."""
        return function(self.index)


class RowsOfSource:
    """The same of a source, of which few rows are in memory at once.

    Parameters
    ----------
    source : RowSource
        Of arrays or tables, checked.
    most : int or None
        Rows that fit into memory; None is all.
    """

    def __init__(self, source, most):
        self._source = source
        n_rows = sum(source.mapped(lambda block: block.shape[0]))
        self.index = np.broadcast_to(0.0, (n_rows, 1))
        self._most = n_rows
        if most is not None:
            self._most = int(np.clip(most // _COPIES, _FEWEST_KEPT, _MOST_KEPT))

    def __len__(self):
        return len(self.index)

    def chosen(self, numbers):
        is_chosen = np.zeros(len(self), bool)
        is_chosen[numbers] = True
        if np.count_nonzero(is_chosen) < len(numbers):
            raise ValueError(
                "cv has a fold that is fitted to rows several times, but rows that are "
                "read in blocks are passed once: use a splitter without repetitions, "
                "such as KFold(2)."
            )
        return ChosenRows(self._source, is_chosen)

    def kept(self, numbers):
        return numbers[: self._most]

    def scaling(self, numbers=None):
        source = self._source if numbers is None else self.chosen(numbers)
        return StreamedRows(source, lambda rows: rows, 0).scaling()

    def taken(self, numbers, function):
        return self._source.taken(numbers, function)

    def made(self, function):
        return np.concatenate(list(self._source.mapped(function)))
