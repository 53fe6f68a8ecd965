"""Standardised rows in a file, which are read in batches and chunks."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace

import numpy as np
import torch

from skae._training.spool import Spool
from skae._training.stored_rows import StoredRows
from skae.networks._holes import filled


@dataclass(frozen=True)
class SpooledRows(StoredRows):
    """Standardised rows (n, d) of a spool, or a slice of them.

    Attributes
    ----------
    spool : Spool
    start, stop : int
    device : torch.device
    has_holes : bool
        Whether cells are missing.
    first : Tensor of shape (n_columns,), int, or None
        A cell of each column. None is all cells, of columns of one each.
    filling : tuple of four Tensors or None
        What missing cells are filled by, as :func:`skae.networks._holes.filled` takes
        it.
    """

    spool: Spool
    start: int
    stop: int
    device: torch.device
    has_holes: bool = False
    first: torch.Tensor | None = None
    filling: tuple | None = None

    def filled(self, filling):
        """The same rows, what is missing filled."""
        return replace(self, has_holes=False, filling=filling)

    def __len__(self):
        return self.stop - self.start

    @property
    def shape(self):
        return len(self), self.spool.shape[1]

    def __getitem__(self, part):
        start, stop, _ = part.indices(len(self))
        return replace(
            self, start=self.start + start, stop=self.start + max(start, stop)
        )

    def index_select(self, dim, chosen):
        """The rows with the given numbers, as a tensor."""
        rows = [self[i : i + 1].dense() for i in chosen.tolist()]
        return torch.cat(rows) if rows else self[:0].dense()

    def dense(self):
        """Tensor (n, d), float32; NaN where cells are missing and not filled."""
        rows = torch.from_numpy(self.spool.read(self.start, self.stop))
        rows = rows.to(self.device)
        if self.filling is None:
            return rows
        return filled(rows.nan_to_num(0.0), rows.isnan(), *self.filling)

    def mean(self):
        """Mean (d,) of each column, float64."""
        return sum(part.double().sum(0) for part in self.split(self.chunk_rows)) / len(
            self
        )

    def times_gram(self, matrix):
        """The product (d, k) of the Gram matrix (d, d) of the rows and a matrix (d, k).

        Parameters
        ----------
        matrix : ndarray of shape (d, k), float64
        """
        product, matrix = 0.0, torch.from_numpy(np.ascontiguousarray(matrix))
        for rows in self.split(self.chunk_rows):
            rows = rows.double().cpu()
            product += rows.T @ (rows @ matrix)
        return product.numpy()

    def transposed_times(self, matrix):
        """The product (d, k) of the transposed rows and a matrix (n, k), float64."""
        product, start = 0.0, 0
        for rows in self.split(self.chunk_rows):
            stop = start + len(rows)
            product += rows.double().cpu().numpy().T @ matrix[start:stop]
            start = stop
        return product

    def shuffled(self, generator):
        """Yield buckets of rows in a random order, the next one read meanwhile."""
        starts = np.arange(len(self.spool.ends)) * self.spool.bucket_rows
        ends = [
            (max(a, self.start), min(b, self.stop))
            for a, b in zip(starts, self.spool.ends, strict=True)
        ]
        parts = [replace(self, start=int(a), stop=int(b)) for a, b in ends if a < b]
        order = torch.randperm(
            len(parts), generator=generator, device=generator.device
        ).tolist()
        with ThreadPoolExecutor(1) as reader:
            reading = reader.submit(parts[order[0]].dense)
            for i in order[1:]:
                rows, reading = reading.result(), reader.submit(parts[i].dense)
                yield rows
            yield reading.result()


def spooled(X, scaling, seed, device, first=None, is_empty=None, left_out=()):
    """The rows of a stream in standard units, in a random order.

    Parameters
    ----------
    X : StreamedRows
    scaling : Scaling
    seed : int
    device : torch.device
    first : Tensor of shape (n_columns,), int, default=None
        A cell of each column.
    is_empty : ndarray of shape (d,), bool, default=None
        Columns without any value; None are those of X.
    left_out : ndarray, int, default=()
        Numbers of rows that are left out, sorted.

    Returns
    -------
    rows : SpooledRows
    """
    n, d = X.shape[0] - len(left_out), X.shape[1]
    # A bucket is read while one is trained on, and copied where it is shuffled.
    spool = Spool(n, d, X.memory_limit // (16 * d), seed)
    if is_empty is None:
        is_empty = X.moments.counts == 0
    start = 0
    for part in X.parts():
        stop = start + len(part)
        here = slice(*np.searchsorted(left_out, (start, stop)))
        if here.start < here.stop:
            part = np.delete(part, left_out[here] - start, axis=0)
        rows = scaling.standardise(part).astype(np.float32)
        rows[:, is_empty] = 0.0
        spool.add(rows)
        start = stop
    spool.shuffle()
    first = None if first is None else first.to(device)
    return SpooledRows(spool, 0, n, torch.device(device), X.has_holes(), first)
