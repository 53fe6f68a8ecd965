"""Rows of several processes, of which each has its own."""

from functools import partial, reduce
from operator import add

import numpy as np
from scipy.sparse import issparse

from skae._sources.memory import MemoryRows
from skae._sources.rows import SummedRows
from skae._utils.digest import sum_of_rows
from skae._utils.moments import Moments
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
        pick = partial(_taken, sizes=sizes, group=group)
        return MemoryRows(pick(np.arange(sum(sizes)), X.take), pick)
    return GroupedRows(X, sizes, group)


class GroupedRows(SummedRows):
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
        self.dtype = np.result_type(*group.gathered(own.dtype))

    @property
    def own_numbers(self):
        """The first number of this process's rows, and the one after the last."""
        starts = np.cumsum([0, *self.sizes])
        return starts[self.group.rank : self.group.rank + 2]

    def parts(self, size=None):
        return self.own.parts(size)

    def take(self, numbers, by=None):
        # Rows of the first process come first, then those of the next one.
        return _taken(numbers, by or self.own.take, self.sizes, self.group)

    def sample(self):
        most = min(_SAMPLE_ROWS, max(1000, _SAMPLE_CELLS // self.shape[1]))
        return np.arange(0, self.shape[0], -(-self.shape[0] // most))

    def shared(self):
        return MemoryRows(self.take(self.sample()))

    def digest(self, in_any_order=False):
        # Whatever process has them, so that their order says nothing.
        sums = self.group.gathered(sum_of_rows(self.own.parts()))
        return f"digest {sum(sums) % 2**64:x}"


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
