"""Rows that processes of a group train on, and those that all of them look at."""

from dataclasses import dataclass

import numpy as np
import torch

from skae._sources.grouped import GroupedRows
from skae._sources.streamed import StreamedRows
from skae._training.data import Batch, TrainingData
from skae._training.spooled import spooled
from skae._utils.sparse import dense

# Training rows that all processes look at, at the most, and their cells.
_SHOWN_ROWS, _SHOWN_CELLS = 2**14, 2**24


def given(X, scaling, seed, device, first=None, n_held_out=0):
    """What :func:`training_data` takes: rows in memory, or those of a stream spooled.

    Parameters
    ----------
    X : MemoryRows, StreamedRows or GroupedRows
    scaling : Scaling
    seed : int
    device : torch.device
    first : Tensor of shape (n_columns,), int, default=None
        A cell of each column. None is all cells, of columns of one each.
    n_held_out : int, default=0
        Rows of a group to be held out. Others hold out any of theirs.
    """
    if not isinstance(X, GroupedRows):
        return _given_of(X, scaling, seed, device, first)
    # The same rows, whichever process has them: a fit may go on with fewer.
    rng = np.random.default_rng(seed)
    held_out = rng.choice(X.shape[0], n_held_out, replace=False)
    start, stop = X.own_numbers
    left_out = np.sort(held_out[(held_out >= start) & (held_out < stop)]) - start
    is_empty = X.moments.counts == 0
    seed = X.group.seed(seed)
    own = _given_of(X.own, scaling, seed, device, first, is_empty, left_out)
    return Division(own, X, is_empty, held_out, left_out)


def _given_of(X, scaling, seed, device, first, is_empty=None, left_out=()):
    if isinstance(X, StreamedRows) and len(left_out) == X.shape[0]:
        return np.empty(X.shape, X.dtype)  # none is left to be read
    if isinstance(X, StreamedRows):
        return spooled(X, scaling, seed, device, first, is_empty, left_out)
    return X.X


@dataclass(frozen=True)
class Division:
    """Rows of which each process has its own.

    Attributes
    ----------
    own : ndarray, CSR matrix or SpooledRows of shape (n, d)
    rows : GroupedRows
    is_empty : ndarray of shape (d,), bool
        Columns that are missing in all rows of all processes.
    held_out : ndarray of shape (n_held_out,), int
        Numbers of rows in those of all processes.
    left_out : ndarray, int
        Numbers of the same rows among those of this process, sorted.
    """

    own: object
    rows: GroupedRows
    is_empty: np.ndarray
    held_out: np.ndarray
    left_out: np.ndarray

    @property
    def shape(self):
        return self.rows.shape


def training_data(X, scaling, n_held_out, seed, device, first=None, fold=0):
    """The rows of :func:`given`, of which some are held out.

    Parameters
    ----------
    X : ndarray, CSR matrix, SpooledRows or Division of shape (n, d)
    scaling, n_held_out, seed, device, first, fold
        As :meth:`TrainingData.of` takes them.

    Returns
    -------
    data : TrainingData
        Of a division all processes have the held-out rows of all, and the same training
        rows to look at; each trains on its own.
    """
    if not isinstance(X, Division):
        return TrainingData.of(X, scaling, n_held_out, seed, device, first, fold)
    group, left_out = X.rows.group, X.left_out
    start, _ = X.rows.own_numbers
    own = TrainingData.of(
        X.own, scaling, 0, group.seed(seed), device, first, 0, X.is_empty, left_out
    )
    n_left = X.rows.shape[0] - len(X.held_out)
    most = min(_SHOWN_ROWS, max(2**11, _SHOWN_CELLS // X.rows.shape[1]))
    sizes = np.array(group.gathered(len(own.all)))
    shown = own.all[: int(_shares(min(most, n_left), sizes)[group.rank])].dense()
    numbers = np.full(len(shown), -1)
    known = own.order[: len(shown)]
    numbers[: len(known)] = known + start
    found = group.gathered((_packed(shown), numbers))
    batch = _unpacked([packed for packed, _ in found], device)
    # No process's rows come first.
    mixed = np.random.default_rng(seed).permutation(len(batch))
    batch = batch.take(torch.from_numpy(mixed).to(device))
    numbers = np.concatenate([numbers for _, numbers in found])[mixed]
    if len(X.held_out):
        rows = scaling.standardise(dense(X.rows.take(X.held_out))).astype(np.float32)
        valid = Batch.of(torch.from_numpy(rows).to(device), first, X.is_empty)
        batch = _unpacked([_packed(valid), _packed(batch)], device)
    order = np.concatenate([X.held_out, numbers])
    return TrainingData(scaling, batch, len(X.held_out), order, own, group, n_left)


def _shares(count, sizes):
    """How many of some rows (n_parts,) fall to parts, by their sizes."""
    ends = np.round(np.cumsum(sizes) * (count / max(sizes.sum(), 1))).astype(int)
    return np.minimum(np.diff(ends, prepend=0), sizes)


def _packed(batch):
    mask = None if batch.mask is None else batch.mask.cpu().numpy()
    return batch.rows.cpu().numpy(), mask


def _unpacked(packed, device):
    """The batch of rows and masks of several processes."""
    rows, masks = zip(*packed, strict=True)
    rows = torch.from_numpy(np.concatenate(rows)).to(device)
    width = max((mask.shape[1] for mask in masks if mask is not None), default=None)
    if width is None:
        return Batch(rows)
    masks = [
        np.ones((len(of), width), bool) if mask is None else mask
        for (of, _), mask in zip(packed, masks, strict=True)
    ]
    return Batch(rows, mask=torch.from_numpy(np.concatenate(masks)).to(device))
