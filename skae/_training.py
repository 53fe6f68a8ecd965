"""How to train, and what comes of it: plain descriptions, without skorch."""

from dataclasses import dataclass

import torch


class DivergenceError(ValueError):
    """Training left the finite numbers, or any sensible range of the loss."""


@dataclass(frozen=True)
class Training:
    """How to train: the estimator's parameters, resolved.

    Attributes
    ----------
    max_iter : int
        Epochs.
    batch_size : int
    learning_rate, weight_decay : float
    one_cycle : bool
        Whether the learning rate rises to its value and falls to 0 over the epochs,
        or stays.
    n_iter_no_change, tol : int, float
        When to stop early, where there are validation rows.
    goes_on : bool
        Whether the module holds an earlier fit, and not a start, before the first
        epoch: a candidate for the best one.
    callbacks : list of skorch callbacks
    verbose : int
    device : str
    seeds : tuple of three ints
        Of the order of the rows, of all noise, and of the corrupted copy of the
        validation rows.
    """

    max_iter: int
    batch_size: int
    learning_rate: float
    weight_decay: float
    one_cycle: bool
    n_iter_no_change: int
    tol: float
    goes_on: bool
    callbacks: list
    verbose: int
    device: str
    seeds: tuple


@dataclass(frozen=True)
class Trained:
    """What training gives back, as arrays and plain values.

    Attributes
    ----------
    weights : dict of str to ndarray
        Of the best epoch.
    moments : dict of int to dict of str to ndarray
        The optimiser's state after the last step.
    n_iter, best_iter : int
        Epochs run, and the best of them; 0 is the start.
    loss_curve, validation_loss_curve : list of float
        Per epoch, in the units of the data; the latter None without validation rows.
    interrupted : bool
    """

    weights: dict
    moments: dict
    n_iter: int
    best_iter: int
    loss_curve: list
    validation_loss_curve: list | None
    interrupted: bool


def count_batches(n_rows, batch_size):
    """How many batches there are in an epoch."""
    return max(1, round(n_rows / batch_size))


def is_gain(gains):
    """Whether held-out rows gain more than chance gives the best of many epochs.

    In the mean; or on most of the rows without a loss in the mean of a standard error,
    since the mean of losses with a few outlying ones says little.

    Parameters
    ----------
    gains : Tensor of shape (n,)
        How much lower the loss of each row has become.
    """
    if len(gains) == 1:
        return False
    error = float(gains.std()) / len(gains) ** 0.5
    in_mean = float(gains.mean()) / max(error, torch.finfo(gains.dtype).tiny)
    in_most = float(gains.sign().sum()) / len(gains) ** 0.5
    return in_mean > 2.5 or (in_most > 4 and in_mean > -1)


class ShuffledBatches:
    """Batches of rows in an order that is new in each epoch.

    Their sizes differ by at most one row, so that no small batch is left over.
    """

    def __init__(self, rows, batch_size, generator):
        self.rows = rows
        self.count = count_batches(len(rows), batch_size)
        self.generator = generator

    def __len__(self):
        return self.count

    def __iter__(self):
        rows = self.rows
        order = torch.randperm(len(rows), generator=self.generator, device=rows.device)
        for chosen in order.tensor_split(self.count):
            yield rows.index_select(0, chosen)


def as_arrays(tensors):
    """A dict of tensors as one of arrays that share no memory with them."""
    return {
        name: value.detach().cpu().numpy().copy() for name, value in tensors.items()
    }


def moments_of(optimizer):
    """An optimiser's state as arrays, by the number and name of each part."""
    state = optimizer.state_dict()["state"]
    return {index: as_arrays(parts) for index, parts in state.items()}


def set_moments(optimizer, moments):
    """Give an optimiser the state that :func:`moments_of` returned."""
    state = {
        index: {name: torch.tensor(value) for name, value in parts.items()}
        for index, parts in moments.items()
    }
    groups = optimizer.state_dict()["param_groups"]
    optimizer.load_state_dict({"state": state, "param_groups": groups})
