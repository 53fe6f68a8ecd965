"""Rows that processes of a group train on, and those that all of them look at."""

from dataclasses import dataclass

import numpy as np
import torch

from skae._sources.grouped import GroupedRows
from skae._sources.streamed import StreamedRows
from skae._training.data import Batch, TrainingData
from skae._training.spooled import spooled

# Training rows that all processes look at, at the most, and their cells.
_SHOWN_ROWS, _SHOWN_CELLS = 2**14, 2**24


def given(X, scaling, seed, device, first=None):
    """What :func:`training_data` takes: rows in memory, or those of a stream spooled.

    Parameters
    ----------
    X : MemoryRows, StreamedRows or GroupedRows
    scaling : Scaling
    seed : int
    device : torch.device
    first : Tensor of shape (n_columns,), int, default=None
        A cell of each column. None is all cells, of columns of one each.
    """
    if isinstance(X, GroupedRows):
        is_empty = X.moments.counts == 0
        own = _given_of(X.own, scaling, X.group.seed(seed), device, first, is_empty)
        return Division(own, X, is_empty)
    return _given_of(X, scaling, seed, device, first)


def _given_of(X, scaling, seed, device, first, is_empty=None):
    if isinstance(X, StreamedRows):
        return spooled(X, scaling, seed, device, first, is_empty)
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
    """

    own: object
    rows: GroupedRows
    is_empty: np.ndarray

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
    group, sizes = X.rows.group, np.array(X.rows.sizes)
    held_out = _shares(n_held_out, sizes)
    most = min(_SHOWN_ROWS, max(2**11, _SHOWN_CELLS // X.rows.shape[1]))
    shown = _shares(min(most, sizes.sum() - n_held_out), sizes - held_out)
    n_valid, n_shown = int(held_out[group.rank]), int(shown[group.rank])
    seed = group.seed(seed)
    own = TrainingData.of(
        X.own, scaling, n_valid, seed, device, first, is_empty=X.is_empty
    )
    parts = own.all[:n_valid].dense(), own.all[n_valid : n_valid + n_shown].dense()
    numbers = np.full(n_valid + n_shown, -1)
    known = own.order[: n_valid + n_shown]
    numbers[: len(known)] = known + sizes[: group.rank].sum()
    numbers = np.split(numbers, [n_valid])
    packed = [(_packed(p), k) for p, k in zip(parts, numbers, strict=True)]
    found = group.gathered(packed)
    # Held-out rows of all processes come before the others.
    found = [of_process[kind] for kind in (0, 1) for of_process in found]
    order = np.concatenate([numbers for _, numbers in found])
    batch = _unpacked([packed for packed, _ in found], device)
    return TrainingData(scaling, batch, n_held_out, order, own, group)


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
