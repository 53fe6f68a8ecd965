"""The training loop: a module, rows and settings in, the best epoch out."""

from functools import partial

import numpy as np
import torch
from skorch.callbacks import EpochTimer, LRScheduler, PrintLog
from torch.optim.lr_scheduler import OneCycleLR

from skae._training.callbacks import ProgressBar, Title, Told, checked_callbacks
from skae._training.data import CHUNK_ROWS
from skae._training.history import plain, record
from skae._training.net import AutoencoderNet, TensorDataset
from skae._training.selection import BestEpoch
from skae._training.settings import WHOLE, Result
from skae._utils.torch_state import as_arrays, set_state, state_of
from skae.exceptions import DivergenceError

# Share of the epochs in which the learning rate rises.
_RISING_SHARE = 0.3


def train(start, data, objective, settings, seeds, entry, run=WHOLE, fitted=None):
    """Train a module in place.

    Parameters
    ----------
    start : Start
        The module on the CPU, the optimiser's state and what is to be beaten.
    data : TrainingData
    objective : Objective
        On the device of the data.
    settings : Settings
    seeds : tuple of three ints
        Of the order of the rows, of all noise, and of the corrupted copy of the
        validation rows.
    entry : Entry
        What is known of the training, where it goes on after a crash.
    run : Run, default=WHOLE
    fitted : callable, default=None
        What a fit gives back of a result; None is nothing.

    Returns
    -------
    result : Result

    Raises
    ------
    DivergenceError
        If the loss stops being finite, or grows beyond any use.
    KeyboardInterrupt
        If the user interrupts before the first epoch ends, or a process of a group.
    """
    device = data.device
    *train_seeds, valid_seed = seeds
    group = data.group
    generators = tuple(
        torch.Generator(device).manual_seed(group.seed(s)) for s in train_seeds
    )
    n_rising = (
        0 if settings.is_incremental else round(_RISING_SHARE * settings.n_epochs)
    )
    best = BestEpoch(settings, run, start.pca_weights, start.is_resumed, n_rising)
    # No batch is empty in all processes of a group.
    most = max(group.gathered(len(data.own_train)))
    n_batches = min(settings.n_batches(data.n_train), most)
    last_epoch = min(run.last_epoch or settings.last_epoch, settings.last_epoch)
    so_far = partial(_so_far, best, settings, None if group.size > 1 else fitted)
    told = Told(settings.stage, run.title, last_epoch, run.stops, so_far)
    net = AutoencoderNet(
        start.module,
        objective,
        scaling=data.scaling,
        n_batches=n_batches,
        generators=generators,
        seed=valid_seed,
        most_threads=settings.most_threads if device.type == "cpu" else 1,
        averages=objective.recipe.corruption.hides and not settings.is_incremental,
        own_callbacks=_own_callbacks(best, told, n_batches, last_epoch, settings, run),
        entry=entry,
        group=group,
        last_epoch=last_epoch,
        callbacks=checked_callbacks(settings.callbacks),
        optimizer=torch.optim.AdamW,
        optimizer__fused=True,
        optimizer__weight_decay=settings.weight_decay,
        lr=settings.learning_rate,
        max_epochs=settings.n_epochs,
        device=str(device),
        verbose=int(settings.verbose > 1),
    ).initialize()
    if start.optimizer_state is not None:
        set_state(net.optimizer_, start.optimizer_state)
    rows = [data.own_train, data.valid]
    datasets = [None if r is None else TensorDataset(r, objective) for r in rows]
    interrupted = _trained_until_interrupted(net, datasets, best, settings)
    best.check_end(net, data.train.head(CHUNK_ROWS))
    return group.from_first(_result(net, best, interrupted, settings))


def _trained_until_interrupted(net, datasets, best, settings):
    """Train a net; whether the user interrupted it, after an epoch or more."""
    try:
        net.partial_fit(datasets)
    except KeyboardInterrupt:
        if best.n_iter == 0 or net.group.size > 1:  # others wait for this process
            raise
        return True
    except ValueError as error:
        if "more than 1 value per channel" not in str(error):
            raise
        raise ValueError(
            f"The network normalises batches, but one of batch_size="
            f"{settings.batch_size!r} has a single row: use a larger batch_size."
        ) from error
    return False


def _own_callbacks(best, told, n_batches, last_epoch, settings, run):
    callbacks = [("best_epoch", best), ("told", told)]
    n_steps = settings.n_epochs * n_batches
    if not settings.is_incremental and n_steps > 2:
        schedule = LRScheduler(
            OneCycleLR,
            step_every="batch",
            event_name=None,
            max_lr=settings.learning_rate,
            pct_start=_RISING_SHARE,
            total_steps=n_steps,
        )
        callbacks.append(("schedule", schedule))
    if settings.verbose == 1:
        callbacks.append(("progress", ProgressBar(last_epoch, run.title)))
    if settings.verbose > 1:
        callbacks += [("timer", EpochTimer()), ("title", Title(run.title))]
        callbacks.append(("print_log", PrintLog()))
    return callbacks


def _so_far(best, settings, fitted, net):
    """What a fit would give back if it stopped now, or None."""
    if fitted is None:
        return None
    try:
        return fitted(_result(net, best, False, settings))
    except DivergenceError:  # from which the training may come back
        return None


def _result(net, best, interrupted, settings):
    best_iter, weights = best.result()
    weights = as_arrays(weights)
    if not all(np.isfinite(value).all() for value in weights.values()):
        raise DivergenceError(
            f"Training ended in weights that are not finite, {settings.smaller_rate}"
        )
    return Result(
        weights=weights,
        optimizer_state=state_of(net.optimizer_),
        n_iter=best.n_iter,
        best_iter=best_iter,
        history=[plain(row) for row in net.history[: best.n_iter]],
        interrupted=interrupted,
        judged=best.judged,
    )


def fitted_net(module, objective, scaling, history):
    """A skorch net around a trained module, with what was recorded in its training.

    Parameters
    ----------
    module : Autoencoder
    objective : Objective
    scaling : Scaling
    history : list of dict

    Returns
    -------
    net : AutoencoderNet
    """
    optimizer = torch.optim.AdamW
    net = AutoencoderNet(
        module.eval(), objective, scaling=scaling, optimizer=optimizer, verbose=0
    ).initialize()
    record(net.history, history)
    return net
