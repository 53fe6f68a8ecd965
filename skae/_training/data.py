"""Rows on the device: scaled, some of them held out, and handed out in batches."""

from dataclasses import dataclass

import numpy as np
import torch
from scipy.sparse import issparse

from skae._training.sparse import SparseRows
from skae._training.spooled import SpooledRows
from skae._utils.group import ALONE, Alone
from skae._utils.scaling import Scaling

# Rows that are evaluated at once.
CHUNK_ROWS = 4096


@dataclass(frozen=True)
class Batch:
    """Rows, and what their cells and they themselves count for.

    Attributes
    ----------
    rows : Tensor, SparseRows or SpooledRows of shape (n, d)
        Standardised.
    weights : Tensor of shape (n,) or None
        What each row counts for; None is the same for all.
    mask : Tensor of shape (n, n_columns), bool, or None
        Columns that are there, and count; None is all of them. The rows' cells of the
        others are 0. Columns of numbers are one cell each.
    """

    rows: torch.Tensor | SparseRows | SpooledRows
    weights: torch.Tensor | None = None
    mask: torch.Tensor | None = None

    def __len__(self):
        return len(self.rows)

    @classmethod
    def of(cls, rows, first=None, is_empty=None):
        """The batch of rows (n, d) of which NaN are missing.

        A column without any value counts as one of means.

        Parameters
        ----------
        rows : Tensor of shape (n, d)
        first : Tensor of shape (n_columns,), int, default=None
            A cell of each column. None is all cells, of columns of one each.
        is_empty : ndarray of shape (d,), bool, default=None
            Columns without any value; None are those of these rows.
        """
        missing = rows.isnan()
        if not missing.any():
            return cls(rows)
        empty = missing.all(0)
        if is_empty is not None:
            empty &= torch.from_numpy(is_empty).to(rows.device)
        missing &= ~empty
        return cls._masked(rows, missing, first)

    @classmethod
    def _masked(cls, rows, missing, first):
        mask = ~(missing if first is None else missing.index_select(1, first))
        return cls(rows.nan_to_num_(0.0), mask=mask)

    @classmethod
    def joined(cls, batches):
        """The batch of the rows of several dense ones, one after the other."""
        if len(batches) == 1:
            return batches[0]
        fields = ([getattr(b, name) for b in batches] for name in vars(batches[0]))
        return cls(*(None if of[0] is None else torch.cat(of) for of in fields))

    @property
    def has_holes(self):
        """Whether columns may be missing."""
        is_dense = isinstance(self.rows, torch.Tensor)
        return self.mask is not None if is_dense else self.rows.has_holes

    def _map(self, function):
        parts = self.rows, self.weights, self.mask
        return Batch(*(None if part is None else function(part) for part in parts))

    def __getitem__(self, part):
        """The batch of a slice of the rows, which shares their memory."""
        return self._map(lambda values: values[part])

    def take(self, chosen):
        """The batch of rows with the given numbers, copied and dense."""
        return self._map(lambda values: values.index_select(0, chosen)).dense()

    def repeated(self, times):
        """This batch, so many times one after the other."""
        if times == 1:
            return self
        return self._map(lambda values: torch.cat([values] * times))

    def split(self, size):
        """Batches of so many rows each, in order; the last may have fewer.

        Of sparse rows, batches have fewer where they would take much memory.
        """
        size = self._few(size)
        return [self[i : i + size] for i in range(0, len(self), size)]

    def head(self, size):
        """The batch of so many rows at the beginning, dense; fewer as by `split`."""
        return self[: self._few(size)].dense()

    def dense(self):
        """This batch, its rows a tensor."""
        if isinstance(self.rows, torch.Tensor):
            return self
        return self._of(self.rows.dense())

    def _of(self, rows):
        """The batch of rows that were made dense."""
        if self.rows.has_holes:
            return Batch._masked(rows, rows.isnan(), self.rows.first)
        return Batch(rows, self.weights, self.mask)

    def shuffled(self, generator):
        """Yield batches of all rows, in a random order, each with one of its own rows.

        One batch of all rows, where these can be taken in any order.
        """
        parts = [self]
        if isinstance(self.rows, SpooledRows):
            parts = map(self._of, self.rows.shuffled(generator))
        for part in parts:
            device = part.rows.device
            yield part, torch.randperm(len(part), generator=generator, device=device)

    def _few(self, size):
        is_dense = isinstance(self.rows, torch.Tensor)
        return size if is_dense else min(size, self.rows.chunk_rows)

    def mean(self, losses):
        """Mean (n,) over the columns that count, of losses (n, n_columns)."""
        if self.mask is None:
            return losses.mean(1)
        counts = self.mask.sum(1).clamp(min=1)
        return torch.where(self.mask, losses, 0.0).sum(1) / counts

    def weighted(self, losses, weights):
        """Losses (n,) whose mean is that of all cells that count, by their weights.

        Parameters
        ----------
        losses, weights : Tensors of shape (n, n_columns)
        """
        if self.mask is not None:
            weights = weights * self.mask
        usual = weights.sum() / len(weights)
        return (weights * losses).sum(1) / usual.clamp(min=1e-6)

    def total(self, losses):
        """Mean () over the rows by what they count for, of losses (n,)."""
        if self.weights is None:
            return losses.mean()
        return (self.weights * losses).sum() / self.weights.sum()


class ShuffledBatches:
    """Batches of rows in an order that is new in each epoch.

    Their sizes differ by at most one row, so that no small batch is left over.

    Parameters
    ----------
    rows : Batch
    count : int
        How many.
    generator : torch.Generator
        On the device of the rows.
    """

    def __init__(self, rows, count, generator):
        self.rows = rows
        self.count = count
        self.generator = generator

    def __len__(self):
        return self.count

    def __iter__(self):
        parts = self.rows.shuffled(self.generator)
        part, order = next(parts)
        fewest, more = divmod(len(self.rows), self.count)
        for i in range(self.count):
            left, taken = fewest + (i < more), []
            while left or not taken:  # of fewer rows than batches some are empty
                if left and not len(order):
                    part, order = next(parts)
                taken.append(part.take(order[:left]))
                order, left = order[left:], left - len(taken[-1])
            yield Batch.joined(taken)


@dataclass(frozen=True)
class TrainingData:
    """Standardised rows on a device, those held out first.

    Attributes
    ----------
    scaling : Scaling
    all : Batch
    n_held_out : int
    order : ndarray of shape (n,), int
        Numbers of the rows in what was passed.
    own : TrainingData or None
        Rows of this process alone, in a group: those that it trains on. The others are
        the same in all processes.
    group : Alone
    n_trained : int or None
        How many rows are trained on in all processes of a group.
    """

    scaling: Scaling
    all: Batch
    n_held_out: int
    order: np.ndarray
    own: "TrainingData | None" = None
    group: Alone = ALONE
    n_trained: int | None = None

    @classmethod
    def of(
        cls,
        X,
        scaling,
        n_held_out,
        seed,
        device,
        first=None,
        fold=0,
        is_empty=None,
        left_out=(),
    ):
        """Rows (n, d) of X, in an order that depends on the seed alone.

        So a fit that goes on holds out the same rows again. Each fold has others.
        Spooled rows have their order, and no folds.
        """
        if isinstance(X, SpooledRows):
            numbers = X.spool.numbers
            if len(left_out):  # which were not counted
                before = left_out - np.arange(len(left_out))
                numbers = numbers + np.searchsorted(before, numbers, "right")
            return cls(scaling, Batch(X), n_held_out, numbers)
        order = np.random.default_rng(seed).permutation(X.shape[0])
        if len(left_out):
            order = order[~np.isin(order, left_out)]
        order = np.roll(order, -fold * n_held_out)
        if issparse(X):
            rows = SparseRows.of(X, scaling, order, device)
            return cls(scaling, Batch(rows), n_held_out, order)
        rows = scaling.ordered_rows(X, order).to(device)
        first = None if first is None else first.to(device)
        return cls(scaling, Batch.of(rows, first, is_empty), n_held_out, order)

    @property
    def train(self):
        """Rows to be trained on, or some of them in a group."""
        return self.all[self.n_held_out :]

    @property
    def own_train(self):
        """Rows that this process trains on."""
        return self.train if self.own is None else self.own.train

    @property
    def n_train(self):
        """How many rows are trained on, in all processes."""
        return len(self.train) if self.n_trained is None else self.n_trained

    @property
    def valid(self):
        """Rows to choose the best epoch on, or None."""
        return self.all[: self.n_held_out] if self.n_held_out else None

    @property
    def judged(self):
        """Rows that losses are reported of: held out, where there are such."""
        return self.train if self.valid is None else self.valid

    @property
    def device(self):
        return self.all.rows.device
