"""Which columns of encoded rows belong to which column of a table."""

from dataclasses import dataclass

import numpy as np

from skae._utils.checks import array
from skae._utils.stored import stored

# Least uncertainty of a category, in nats, that its loss is a share of: of a column
# that is nearly always the same, rare rows would outweigh all others.
LEAST_ENTROPY = 0.1


@stored(
    order=array("i", 1),
    widths=array("i", 1),
    entropies=array("f", 1),
    factors=array("f", 1),
)
@dataclass(frozen=True, eq=False)
class Layout:
    """How rows of a table are encoded: numbers first, then a block for each category.

    Attributes
    ----------
    order : ndarray of shape (n_columns,), int64
        Position in the table of each column, those of numbers first, which are one
        cell each.
    widths : ndarray of shape (n_blocks,), int64
        Of the blocks: how many levels each categorical column has.
    entropies : ndarray of shape (n_blocks,), float64
        Of each categorical column's own distribution, in nats.
    factors : ndarray of shape (n_blocks,), float64
        What the dummies of a block are multiplied by.

    Examples
    --------
    >>> import numpy as np
    >>> order, widths = np.array([1, 0, 2]), np.array([2, 3])
    >>> layout = Layout(order, widths, np.array([0.7, 1.1]), np.ones(2))
    >>> layout.n_columns, layout.width
    (3, 6)
    >>> layout.of_column.tolist()
    [1, 0, 0, 2, 2, 2]
    """

    order: np.ndarray
    widths: np.ndarray
    entropies: np.ndarray
    factors: np.ndarray

    @property
    def n_blocks(self):
        return len(self.widths)

    @property
    def n_numbers(self):
        """Columns of numbers, each encoded as one."""
        return self.n_columns - self.n_blocks

    @property
    def n_columns(self):
        """Columns of the table."""
        return len(self.order)

    @property
    def places(self):
        """Number (n_columns,) in this order of each column of the table."""
        return np.argsort(self.order)

    @property
    def width(self):
        """Columns of encoded rows."""
        return self.n_numbers + int(self.widths.sum())

    @property
    def starts(self):
        """First encoded column (n_blocks,) of each block."""
        ends = self.n_numbers + np.cumsum(self.widths)
        return (ends - self.widths).astype(np.int64)

    @property
    def first(self):
        """First encoded column (n_columns,) of each column of the table."""
        firsts = np.concatenate([np.arange(self.n_numbers), self.starts])
        return firsts.astype(np.int64)[self.places]

    @property
    def of_column(self):
        """Position (width,) of the column that each encoded column belongs to."""
        repeats = np.concatenate([np.ones(self.n_numbers, np.int64), self.widths])
        return np.repeat(self.order, repeats)

    def block(self, i):
        """The encoded columns of a block, as a slice."""
        start = int(self.starts[i])
        return slice(start, start + int(self.widths[i]))

    def _check_loaded(self):
        if not len(self.widths) == len(self.entropies) == len(self.factors):
            raise ValueError("Its blocks are not those of its widths.")
        if sorted(self.order.tolist()) != list(range(self.n_columns)):
            raise ValueError("Its order is none of its columns.")
        if (self.widths < 1).any() or not 0 < self.n_columns >= self.n_blocks:
            raise ValueError("It has columns without any width.")
        if (self.entropies < 0).any() or (self.factors <= 0).any():
            raise ValueError("It has entropies or factors that are not possible.")


def same_layout(one, other):
    """Whether two layouts are alike; None is like None alone."""
    if one is None or other is None:
        return one is other
    pairs = [(value, vars(other)[name]) for name, value in vars(one).items()]
    # Logarithms and powers differ in their last digits between machines.
    return all(a.shape == b.shape and np.allclose(a, b, 1e-9, 0.0) for a, b in pairs)
