"""The training loop: skorch's, over tensors that already lie on the device."""

from contextlib import nullcontext
from functools import partial

import numpy as np
import torch
from skorch import NeuralNet
from skorch.callbacks import Callback, EpochTimer, LRScheduler, PrintLog
from skorch.dataset import Dataset
from skorch.utils import TeeGenerator
from torch.optim.lr_scheduler import OneCycleLR

from skae._callbacks import BestEpoch, ProgressBar, StopTraining
from skae._objective import CHUNK_ROWS
from skae._random import PrivateRandomness
from skae._training import (
    DivergenceError,
    ShuffledBatches,
    Trained,
    as_arrays,
    count_batches,
    moments_of,
    set_moments,
)

# Of the epochs, while the learning rate rises.
_RISING_SHARE = 0.3
# Longest gradient of the loss of standardised rows. Steps along longer ones, which
# batches with outlying rows have, are what large learning rates fail by.
_LONGEST_GRADIENT = 0.1


def shorten(gradients):
    """Shorten gradients, together one vector, to the longest that is let through.

    As :func:`torch.nn.utils.clip_grad_norm_`, whose sorting of tensors by device and
    type takes as long again.
    """
    norm = torch.stack(torch._foreach_norm(gradients)).norm()
    torch._foreach_mul_(gradients, (_LONGEST_GRADIENT / norm).clamp(max=1))


class AutoencoderNet(NeuralNet):
    """skorch net that trains a module with ``encode`` and ``decode`` on one tensor.

    Three parts of skorch's loop are replaced: batches are gathered from a tensor on
    the device and not row by row, losses stay on the device until the epoch ends, and
    KeyboardInterrupt is not swallowed.

    Parameters
    ----------
    module : Module
    criterion : Objective
    generators : tuple of two torch.Generator, default=(None, None)
        The first shuffles the rows, the second corrupts them; on the device.
    seed : int, default=0
        Of the corrupted copy of the validation rows, the same in every epoch.
    draws : callable, default=nullcontext
        Makes the context that the module's forward pass runs in.
    own_callbacks : sequence of (name, callback), default=()
        Called before the user's `callbacks`.
    """

    def __init__(
        self,
        module,
        criterion,
        *,
        generators=(None, None),
        seed=0,
        draws=nullcontext,
        own_callbacks=(),
        **kwargs,
    ):
        self.generators = generators
        self.seed = seed
        self.draws = draws
        self.own_callbacks = own_callbacks
        super().__init__(module, criterion, train_split=None, **kwargs)

    @property
    def _default_callbacks(self):
        return list(self.own_callbacks)

    def get_split_datasets(self, X, y=None, **fit_params):
        return X

    def get_iterator(self, dataset, training=False):
        if not training:
            return dataset.X.split(CHUNK_ROWS)
        return ShuffledBatches(dataset.X, self.batch_size, self.generators[0])

    def train_step(self, batch, **fit_params):
        # Without skorch's closure, for optimisers that evaluate the loss repeatedly.
        self.optimizer_.zero_grad()
        step = self.train_step_single(batch)
        parameters = TeeGenerator(self.get_all_learnable_params())
        self.notify(
            "on_grad_computed", named_parameters=parameters, batch=batch, training=True
        )
        self.optimizer_.step()
        return step

    def train_step_single(self, batch, **fit_params):
        generator = self.generators[1]
        seen = self.criterion_.corrupt(batch, generator)
        with self.draws():
            cells, penalty = self.criterion_(self.module_, seen, batch, generator)
            loss = cells.mean() + penalty
        loss.backward()
        trained = self.optimizer_.param_groups[0]["params"]
        shorten([p.grad for p in trained if p.grad is not None])
        return {"loss": loss.detach(), "y_pred": None}

    def run_single_epoch(self, iterator, training, prefix, step_fn, **fit_params):
        if iterator is None:
            return
        self._set_training(training)
        if training:
            loss = self._train_epoch(iterator, step_fn)
        else:
            clean, self.watched_ = self.validation_losses(iterator)
            loss = float(clean.mean())
            if not self.criterion_.is_plain:
                watched = float(self.watched_.mean()) * self.criterion_.unit
                self.history.record("valid_objective", watched)
        self.history.record(f"{prefix}_loss", loss * self.criterion_.unit)
        self.history.record(f"{prefix}_batch_count", len(iterator))

    def _train_epoch(self, iterator, step_fn):
        # One tensor for all: small ones, kept between large ones that are freed,
        # would keep memory from being given back.
        losses = torch.empty(len(iterator), device=self.device)
        self.criterion_.epoch = self.criterion_.epochs_done + len(self.history)
        sizes = np.empty(len(iterator))
        for i, batch in enumerate(iterator):
            self.notify("on_batch_begin", batch=batch, training=True)
            step = step_fn(batch)
            losses[i] = step["loss"]
            sizes[i] = len(batch)
            self.notify("on_batch_end", batch=batch, training=True, **step)
        # The epoch's one wait for the device.
        return float(np.average(losses.tolist(), weights=sizes))

    @torch.no_grad()
    def validation_losses(self, iterator):
        """Loss (n,) of clean rows, and what training is to lower on rows unseen.

        The latter has the penalty, and a corruption that is the same in each epoch.
        """
        objective, module = self.criterion_, self.module_
        sizes = [len(rows) for rows in iterator]
        clean = torch.empty(sum(sizes), device=self.device)
        for part, rows in zip(clean.split(sizes), iterator, strict=True):
            part.copy_(objective.losses(module, rows))
        if objective.is_plain:
            return clean, clean
        generator = torch.Generator(clean.device).manual_seed(self.seed)
        watched = torch.empty_like(clean)
        with PrivateRandomness(generator):
            for part, rows in zip(watched.split(sizes), iterator, strict=True):
                seen = objective.corrupt(rows, generator)
                cells, penalty = objective(module, seen, rows, generator)
                part.copy_(cells.mean(1) + penalty)
        return clean, watched

    def notify(self, method_name, **cb_kwargs):
        if method_name in self.listeners_:
            getattr(self, method_name)(self, **cb_kwargs)
            for callback in self.listeners_[method_name]:
                getattr(callback, method_name)(self, **cb_kwargs)
            return
        if method_name != "on_epoch_end":
            super().notify(method_name, **cb_kwargs)
            return
        own = [callback for _, callback in self.own_callbacks]
        stops = False
        for _, callback in self.callbacks_:
            try:
                callback.on_epoch_end(self, **cb_kwargs)
            except StopTraining:
                stops = True
            except KeyboardInterrupt:
                # skorch's callbacks stop the training by what Ctrl-C raises.
                if callback in own:
                    raise
                stops = True
        if stops:
            raise StopTraining

    def partial_fit(self, X, y=None, classes=None, **fit_params):
        if not self.initialized_:
            self.initialize()
        # What happens in every batch is told to those only who listen.
        self.listeners_ = {
            event: [
                callback
                for _, callback in self.callbacks_
                if getattr(type(callback), event) is not getattr(Callback, event)
            ]
            for event in ("on_batch_begin", "on_grad_computed", "on_batch_end")
        }
        self.notify("on_train_begin", X=X, y=y)
        try:
            self.fit_loop(X, y, **fit_params)
        except StopTraining:
            pass
        finally:
            self.notify("on_train_end", X=X, y=y)
        return self


def train(module, train_rows, valid_rows, objective, training, moments=None, pca=None):
    """Train a module in place.

    Parameters
    ----------
    module : Module
        With ``encode`` and ``decode``, on the CPU.
    train_rows : Tensor of shape (n, n_features)
        Standardised, on the device.
    valid_rows : Tensor of shape (n_valid, n_features) or None
        What the best epoch is chosen on; None keeps the last one.
    objective : Objective
    training : Training
    moments : dict, default=None
        The optimiser's state to go on from.
    pca : dict of str to Tensor, default=None
        Weights with which the module is PCA: what training has to beat.

    Returns
    -------
    Trained

    Raises
    ------
    DivergenceError
        If the loss stops being finite, or grows beyond any use.
    KeyboardInterrupt
        If the user interrupts before the first epoch ends.
    """
    *train_seeds, valid_seed = training.seeds
    generators = tuple(
        torch.Generator(training.device).manual_seed(seed) for seed in train_seeds
    )
    best = BestEpoch(
        pca,
        training.goes_on,
        round(_RISING_SHARE * training.max_iter) if training.one_cycle else 0,
        training.n_iter_no_change,
        training.tol,
        training.learning_rate,
    )
    net = AutoencoderNet(
        module,
        objective,
        generators=generators,
        seed=valid_seed,
        draws=_draws(module, objective, train_rows, generators[1]),
        own_callbacks=_own_callbacks(best, len(train_rows), training),
        callbacks=_checked_callbacks(training.callbacks),
        optimizer=torch.optim.AdamW,
        optimizer__fused=True,
        optimizer__weight_decay=training.weight_decay,
        lr=training.learning_rate,
        max_epochs=training.max_iter,
        batch_size=training.batch_size,
        device=training.device,
        verbose=int(training.verbose > 1),
    ).initialize()
    if moments is not None:
        set_moments(net.optimizer_, moments)
    datasets = [None if r is None else Dataset(r) for r in (train_rows, valid_rows)]
    interrupted = False
    try:
        net.partial_fit(datasets)
    except KeyboardInterrupt:
        if best.n_iter_ == 0:
            raise
        interrupted = True
    return _trained(net, best, interrupted)


def _checked_callbacks(callbacks):
    for callback in callbacks:
        part = callback[-1] if isinstance(callback, tuple) else callback
        kind = part if isinstance(part, type) else type(part)
        if not issubclass(kind, Callback):
            raise TypeError(
                f"callbacks holds {callback!r}, but skorch callbacks, or tuples of a "
                "name and a callback, were expected."
            )
    return callbacks


def _own_callbacks(best, n_rows, training):
    callbacks = [("best_epoch", best)]
    n_steps = training.max_iter * count_batches(n_rows, training.batch_size)
    if training.one_cycle and n_steps > 2:
        schedule = LRScheduler(
            OneCycleLR,
            step_every="batch",
            event_name=None,
            max_lr=training.learning_rate,
            pct_start=_RISING_SHARE,
            total_steps=n_steps,
        )
        callbacks.append(("schedule", schedule))
    if training.verbose == 1:
        callbacks.append(("progress", ProgressBar(training.max_iter)))
    if training.verbose > 1:
        callbacks += [("timer", EpochTimer()), ("print_log", PrintLog())]
    return callbacks


def _draws(module, objective, rows, generator):
    """Makes the context of a forward pass: private if anything is drawn in it.

    Found out by a trial, since the context costs a quarter of a step's time.
    """
    module.to(rows.device).train()
    state = {name: value.clone() for name, value in module.state_dict().items()}
    drawn = torch.Generator(rows.device).manual_seed(0)
    with torch.no_grad(), PrivateRandomness(drawn) as trial:
        objective(module, objective.corrupt(rows[:2], drawn), rows[:2], drawn)
    module.load_state_dict(state)  # batch normalisation has counted the trial
    return partial(PrivateRandomness, generator) if trial.used else nullcontext


def _trained(net, best, interrupted):
    best_iter, weights = best.result()
    weights = as_arrays(weights)
    if not all(np.isfinite(value).all() for value in weights.values()):
        raise DivergenceError(
            "Training ended in weights that are not finite, with "
            f"learning_rate={best.learning_rate:g}. Use a smaller one, such as "
            f"learning_rate={best.learning_rate / 10:g}."
        )
    ended = net.history[: best.n_iter_]
    return Trained(
        weights=weights,
        moments=moments_of(net.optimizer_),
        n_iter=best.n_iter_,
        best_iter=best_iter,
        loss_curve=[row["train_loss"] for row in ended],
        validation_loss_curve=(
            [row["valid_loss"] for row in ended] if best.validates_ else None
        ),
        interrupted=interrupted,
    )


def fitted_net(module, objective, loss_curve, validation_loss_curve):
    """A skorch net around a trained module, to look at its history and module."""
    net = AutoencoderNet(module.eval(), objective, optimizer=torch.optim.AdamW)
    net.initialize()
    for loss, valid_loss in zip(
        loss_curve,
        validation_loss_curve or [None] * len(loss_curve),
        strict=True,
    ):
        net.history.new_epoch()
        net.history.record("epoch", len(net.history))
        net.history.record("train_loss", loss)
        if valid_loss is not None and np.isfinite(valid_loss):
            net.history.record("valid_loss", valid_loss)
    return net
