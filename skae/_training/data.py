"""Rows on the device: scaled, some of them held out, and handed out in batches."""

from dataclasses import dataclass

import numpy as np
import torch

from skae._utils.scaling import Scaling

# Rows that are evaluated at once.
CHUNK_ROWS = 4096


@dataclass(frozen=True)
class Batch:
    """Rows, and what their cells and they themselves count for.

    Attributes
    ----------
    rows : Tensor of shape (n, d)
        Standardised.
    weights : Tensor of shape (n,) or None
        What each row counts for; None is the same for all.
    mask : Tensor of shape (n, d), bool, or None
        Cells that count; None is all of them. The others are finite as well.
    """

    rows: torch.Tensor
    weights: torch.Tensor | None = None
    mask: torch.Tensor | None = None

    def __len__(self):
        return len(self.rows)

    def _map(self, function):
        parts = self.rows, self.weights, self.mask
        return Batch(*(None if part is None else function(part) for part in parts))

    def __getitem__(self, part):
        """The batch of a slice of the rows, which shares their memory."""
        return self._map(lambda values: values[part])

    def take(self, chosen):
        """The batch of rows with the given numbers, copied."""
        return self._map(lambda values: values.index_select(0, chosen))

    def split(self, size):
        """Batches of so many rows each, in order; the last may have fewer."""
        return [self[i : i + size] for i in range(0, len(self), size)]

    def mean(self, losses):
        """Mean (n,) over the features that count, of losses (n, d)."""
        if self.mask is None:
            return losses.mean(1)
        counts = self.mask.sum(1).clamp(min=1)
        return torch.where(self.mask, losses, 0.0).sum(1) / counts

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
        device = self.rows.rows.device
        order = torch.randperm(len(self.rows), generator=self.generator, device=device)
        for chosen in order.tensor_split(self.count):
            yield self.rows.take(chosen)


@dataclass(frozen=True)
class TrainingData:
    """Standardised rows on a device, those held out first.

    Attributes
    ----------
    scaling : Scaling
    all : Batch
    n_held_out : int
    """

    scaling: Scaling
    all: Batch
    n_held_out: int

    @classmethod
    def of(cls, X, scaling, n_held_out, seed, device):
        """Rows (n, d) of X, in an order that depends on the seed alone.

        So a fit that goes on holds out the same rows again.
        """
        order = np.random.default_rng(seed).permutation(len(X))
        rows = scaling.ordered_rows(X, order).to(device)
        return cls(scaling, Batch(rows), n_held_out)

    @property
    def train(self):
        """Rows to be trained on."""
        return self.all[self.n_held_out :]

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
