"""Rows of several processes, of which each has its own."""

from functools import reduce
from operator import add

import numpy as np
from scipy.sparse import issparse

from skae._sources.memory import MemoryRows
from skae._utils.digest import sum_of_rows
from skae._utils.moments import Moments
from skae._utils.scaling import Scaling
from skae._utils.sparse import dense

# Fewer rows are trained on by each process, all of them.
_FEW = 2000
# Rows that all processes look at together, at the most, and their cells.
_SAMPLE_ROWS, _SAMPLE_CELLS = 2**14, 2**24
_CHUNK_CELLS = 2**22


def grouped(X, group, names=None):
    """Rows of all processes, of which X are those of this one.

    Parameters
    ----------
    X : MemoryRows or StreamedRows
    group : Alone
    names : list of str, default=None
        Of the columns, if they have any.

    Returns
    -------
    rows : MemoryRows, StreamedRows or GroupedRows
        Few rows are gathered: each process then has all of them.

    Raises
    ------
    ValueError
        If the processes have different columns.
    """
    if group.size == 1:
        return X
    shapes = group.gathered(X.shape)
    if len({width for _, width in shapes}) > 1:
        widths = ", ".join(str(width) for _, width in shapes)
        raise ValueError(
            f"Rows have as many columns in each process, but {widths} were found."
        )
    found = group.gathered(names)
    if len({tuple(of or ()) for of in found}) > 1:
        shown = "; ".join(", ".join(of or ["none"]) for of in found)
        raise ValueError(
            "Columns have the same names in each process, in the same order, but "
            f"these were found: {shown}."
        )
    sizes = [n for n, _ in shapes]
    if sum(sizes) < 2:
        raise ValueError("Found 1 row in all processes, while 2 are required.")
    if sum(sizes) < _FEW:
        return GatheredRows(X, sizes, group)
    return GroupedRows(X, sizes, group)


class GroupedRows:
    """Rows (n, d) of several processes; what is asked of them, all ask at once.

    Parameters
    ----------
    own : MemoryRows or StreamedRows
        Those of this process.
    sizes : list of int
        How many each process has.
    group : Group

    Attributes
    ----------
    moments : Moments
        Of all rows.
    """

    def __init__(self, own, sizes, group):
        self.own, self.sizes, self.group = own, sizes, group
        self.shape = sum(sizes), own.shape[1]
        found = getattr(own, "moments", None)
        if found is None:
            size = max(1, _CHUNK_CELLS // self.shape[1])
            found = reduce(add, (Moments.of(dense(p)) for p in own.parts(size)))
        self.moments = reduce(add, group.gathered(found))
        self.dtype = np.result_type(*group.gathered(self._dtype()))

    @property
    def own_numbers(self):
        """The first number of this process's rows, and the one after the last."""
        starts = np.cumsum([0, *self.sizes])
        return starts[self.group.rank : self.group.rank + 2]

    def _dtype(self):
        return self.own.dtype if hasattr(self.own, "dtype") else self.own.X.dtype

    def has_holes(self):
        """Whether cells are missing."""
        return bool((self.moments.counts < self.moments.n_rows).any())

    def ends(self):
        """The least and the largest cell of those that are there."""
        low, high = self.moments.low, self.moments.high
        return np.fmin.reduce(low), np.fmax.reduce(high)

    def scaling(self):
        """What rows are shifted and divided by."""
        return Scaling.of_moments(self.moments, self.dtype)

    def centring(self):
        """The same, for rows that have units of their own."""
        return Scaling(self.moments.mean, 1.0)

    def parts(self, size=None):
        """Yield rows of this process, so many at a time."""
        return self.own.parts(size)

    def take(self, numbers, by=None):
        """The rows with some numbers, in their order, in all processes.

        Those of the first process come first, then those of the next one.

        Parameters
        ----------
        numbers : ndarray of shape (m,), int
        by : callable, default=None
            From numbers of a process's own rows to what is taken; None takes rows.
        """
        return _taken(numbers, by or self.own.take, self.sizes, self.group)

    def sample(self):
        """Numbers of rows that stand for all, in their order."""
        most = min(_SAMPLE_ROWS, max(1000, _SAMPLE_CELLS // self.shape[1]))
        return np.arange(0, self.shape[0], -(-self.shape[0] // most))

    def shared(self):
        """Rows in memory that are the same in all processes."""
        return MemoryRows(self.take(self.sample()))

    def digest(self, in_any_order=True):
        """A text that tells the rows from others, whatever process has them."""
        sums = self.group.gathered(sum_of_rows(self.own.parts()))
        return f"digest {sum(sums) % 2**64:x}"


class GatheredRows(MemoryRows):
    """Few rows of several processes, all of which each of them has.

    Parameters
    ----------
    own : MemoryRows or StreamedRows
        Those of this process.
    sizes : list of int
        How many each process had.
    group : Group
    """

    def __init__(self, own, sizes, group):
        self._sizes, self._group = sizes, group
        everything = np.arange(sum(sizes))
        super().__init__(_taken(everything, own.take, sizes, group))

    def take(self, numbers, by=None):
        if by is None:
            return self.X[numbers]
        return _taken(numbers, by, self._sizes, self._group)


def _taken(numbers, by, sizes, group):
    """What a function makes of rows of all processes, each of its own, in order."""
    numbers, starts = np.asarray(numbers), np.cumsum([0, *sizes])
    first, stop = starts[group.rank : group.rank + 2]
    is_own = (numbers >= first) & (numbers < stop)
    with group.together():
        own = by(numbers[is_own] - first) if is_own.any() else None
    found = [part for part in group.gathered(own) if part is not None]
    owners = np.searchsorted(starts, numbers, "right") - 1
    places = np.argsort(np.argsort(owners, kind="stable"), kind="stable")
    return _joined(found)[places]


def _joined(parts):
    if issparse(parts[0]):
        from scipy.sparse import vstack

        return vstack(parts, format="csr")
    return np.concatenate(parts)
