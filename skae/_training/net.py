"""skorch's net over tensors that already lie on the device."""

import copy
from functools import partial

import numpy as np
import torch
from skorch import NeuralNet
from skorch.callbacks import Callback
from skorch.dataset import Dataset
from skorch.utils import TeeGenerator, to_numpy

from skae._training.callbacks import StopTraining
from skae._training.data import CHUNK_ROWS, Batch, ShuffledBatches
from skae._utils.random import PrivateRandomness
from skae._utils.threads import Threads

# Limit on the gradient's norm. Batches with outliers exceed it, and at large learning
# rates such a step makes training diverge.
_MAX_GRADIENT_NORM = 0.1


def clip_gradients_(gradients):
    """Clip the global norm of gradients in place.

    As :func:`torch.nn.utils.clip_grad_norm_`, whose sorting of tensors by device and
    type takes as long again.
    """
    norm = torch.stack(torch._foreach_norm(gradients)).norm()
    torch._foreach_mul_(gradients, (_MAX_GRADIENT_NORM / norm).clamp(max=1))


def backward(objective, module, optimizer, batch, generator):
    """Give a module the clipped gradients of a batch.

    Returns
    -------
    loss : Tensor of shape ()
    output : Tensor of shape (n, n_features)
        Raw.
    """
    seen = objective.corrupt(batch.rows, generator)
    losses, penalty, output = objective(module, seen, batch, generator)
    loss = batch.total(losses) + penalty
    loss.backward()
    trained = optimizer.param_groups[0]["params"]
    clip_gradients_([p.grad for p in trained if p.grad is not None])
    return loss, output


class TensorDataset(Dataset):
    """Standardised rows for skorch, whose targets are the rows in the data's units.

    Parameters
    ----------
    batch : Batch
    objective : Objective
    """

    def __init__(self, batch, objective):
        self.X = batch
        self._objective = objective

    @property
    def y(self):
        return to_numpy(self._objective.restored(self.X.rows))

    def __len__(self):
        return len(self.X)

    def __getitem__(self, i):
        rows = self.X.rows[i]
        return rows, self._objective.restored(rows)


class AutoencoderNet(NeuralNet):
    """skorch net that trains an autoencoder on one tensor.

    What is left of skorch are `initialize`, `fit_loop`, the history and the protocol
    of callbacks. Batches are gathered from a tensor on the device and not row by row,
    losses stay on the device until the epoch ends, and KeyboardInterrupt is not
    swallowed. `predict` takes and returns rows in the units of the data.

    Parameters
    ----------
    module : Autoencoder
    criterion : Objective
    scaling : Scaling
        Of the rows.
    n_batches : int, default=1
        In an epoch.
    generators : tuple of two torch.Generator, default=(None, None)
        The first shuffles the rows, of the second is all noise; on the device.
    seed : int, default=0
        Of the corrupted copy of the validation rows, the same in every epoch.
    own_callbacks : sequence of (name, callback), default=()
        Called before the user's `callbacks`.
    most_threads : int, default=1
        Threads that steps may take.
    """

    def __init__(
        self,
        module,
        criterion,
        *,
        scaling,
        n_batches=1,
        generators=(None, None),
        seed=0,
        own_callbacks=(),
        most_threads=1,
        **kwargs,
    ):
        self.scaling = scaling
        self.n_batches = n_batches
        self.generators = generators
        self.seed = seed
        self.own_callbacks = own_callbacks
        self.most_threads = most_threads
        super().__init__(module, criterion, train_split=None, **kwargs)

    @property
    def _default_callbacks(self):
        return list(self.own_callbacks)

    def get_split_datasets(self, X, y=None, **fit_params):
        return X

    def get_dataset(self, X, y=None):
        if isinstance(X, TensorDataset):
            return X
        if not isinstance(X, Batch):
            rows = self.scaling.standardise(np.asarray(X)).astype(np.float32)
            X = Batch(torch.from_numpy(rows).to(self.device))
        return TensorDataset(X, self.criterion_)

    def get_iterator(self, dataset, training=False):
        if not training:
            return self.get_dataset(dataset).X.split(CHUNK_ROWS)
        return ShuffledBatches(dataset.X, self.n_batches, self.generators[0])

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
        parts = self.criterion_, self.module_, self.optimizer_
        loss, output = backward(*parts, batch, self.generators[1])
        return {"loss": loss.detach(), "y_pred": output.detach()}

    def infer(self, x, **fit_params):
        # Units of the data, as predict returns them.
        return self.criterion_.to_data(self.module_(x)[1])

    def evaluation_step(self, batch, training=False):
        with torch.set_grad_enabled(training):
            self._set_training(training)
            return self.infer(batch.rows)

    def run_single_epoch(self, iterator, training, prefix, step_fn, **fit_params):
        if iterator is None:
            return
        self._set_training(training)
        if training:
            loss = self._train_epoch(iterator, step_fn)
        else:
            clean, self.monitored_ = self.threads_.run_once(
                self.validation_losses, iterator
            )
            loss = float(clean.mean())
            if not self.criterion_.recipe.is_reconstruction_only:
                monitored = float(self.monitored_.mean()) * self.criterion_.unit
                self.history.record("valid_objective", monitored)
            self._tell_of_validation(iterator)
        self.history.record(f"{prefix}_loss", loss * self.criterion_.unit)
        self.history.record(f"{prefix}_batch_count", len(iterator))

    def _train_epoch(self, iterator, step_fn):
        # One tensor for all: small ones, kept between large ones that are freed,
        # would keep memory from being given back.
        losses = torch.empty(len(iterator), dtype=torch.float32, device=self.device)
        self.criterion_.begin_epoch(len(self.history))
        sizes = np.empty(len(iterator))
        for i, batch in enumerate(iterator):
            self.notify("on_batch_begin", batch=batch, training=True)
            step = self.threads_.run(step_fn, batch)
            losses[i] = step["loss"]
            sizes[i] = len(batch)
            if self.is_scored_:
                batch, step["y_pred"] = self._in_data_units(batch, step["y_pred"])
            self.notify("on_batch_end", batch=batch, training=True, **step)
        # The epoch's one wait for the device.
        return float(np.average(losses.tolist(), weights=sizes))

    def _in_data_units(self, batch, output):
        """Rows and their targets as callbacks expect them, and the reconstruction."""
        objective = self.criterion_
        return (batch.rows, objective.restored(batch.rows)), objective.to_data(output)

    @torch.no_grad()
    def _tell_of_validation(self, iterator):
        """Hand reconstructions of held-out rows to the user's callbacks that score."""
        if not self.is_scored_:
            return
        for batch in iterator:
            pair, output = self._in_data_units(batch, self.module_(batch.rows)[1])
            for callback in self.users_of_batches_:
                callback.on_batch_end(self, batch=pair, y_pred=output, training=False)

    @torch.no_grad()
    def validation_losses(self, iterator):
        """Loss (n,) of clean rows, and what training is to lower on rows unseen.

        The latter has the penalty, and a corruption that is the same in each epoch.
        """
        objective, module = self.criterion_, self.module_
        sizes = [len(batch) for batch in iterator]
        clean = torch.empty(sum(sizes), dtype=torch.float32, device=self.device)
        for part, batch in zip(clean.split(sizes), iterator, strict=True):
            part.copy_(objective.clean_losses(module, batch))
        if objective.recipe.is_reconstruction_only:
            return clean, clean
        generator = torch.Generator(clean.device).manual_seed(self.seed)
        monitored = torch.empty_like(clean)
        with PrivateRandomness(generator):
            for part, batch in zip(monitored.split(sizes), iterator, strict=True):
                seen = objective.corrupt(batch.rows, generator)
                losses, penalty, _ = objective(module, seen, batch, generator)
                part.copy_(losses + penalty)
        return clean, monitored

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
        # What happens in every batch is told to those only who listen: telling all
        # takes a tenth of a small network's step.
        self.listeners_ = {
            event: [c for _, c in self.callbacks_ if _listens(c, event)]
            for event in ("on_batch_begin", "on_grad_computed", "on_batch_end")
        }
        own = [callback for _, callback in self.own_callbacks]
        listening = self.listeners_["on_batch_end"]
        self.users_of_batches_ = [c for c in listening if c not in own]
        self.is_scored_ = bool(self.users_of_batches_)
        # A trial would call what users wrote once more, or leave it out.
        is_ours = self.criterion_.recipe.has_known_criterion
        can_try = is_ours and not self.listeners_["on_grad_computed"]
        most_threads = self.most_threads if can_try else 1
        self.threads_ = Threads(partial(trial_parts, self, *X), most_threads)
        self.notify("on_train_begin", X=X, y=y)
        try:
            self.fit_loop(X, y, **fit_params)
        except StopTraining:
            pass
        finally:
            self.notify("on_train_end", X=X, y=y)
        return self


def trial_parts(net, train, valid):
    """Parts of a training, done on copies: do threads change their bits?

    Parameters
    ----------
    net : AutoencoderNet
    train : TensorDataset
    valid : TensorDataset or None

    Yields
    ------
    part : callable
        Returns tensors, the same in every call.
    """
    fewest, more = divmod(len(train), net.n_batches)
    for size in {fewest, fewest + (more > 0)}:
        # A copy lies in memory as batches do.
        chosen = torch.arange(size, device=train.X.rows.device)
        yield partial(_step_on_copies, net, train.X.take(chosen))
    if valid is not None:
        sizes = {len(batch): batch for batch in net.get_iterator(valid)}
        yield partial(_validation, net, list(sizes.values()))


def _step_on_copies(net, batch):
    """State of the module and of the optimiser after a step, which are left alone."""
    objective = net.criterion_
    module, optimizer = copy.deepcopy((net.module_, net.optimizer_))
    generator = torch.Generator(batch.rows.device)
    generator.set_state(net.generators[1].get_state())
    optimizer.zero_grad()
    loss, _ = backward(objective, module, optimizer, batch, generator)
    optimizer.step()
    state = [value for of in optimizer.state.values() for value in of.values()]
    return [loss, *module.state_dict().values(), *state]


def _validation(net, batches):
    net._set_training(False)
    try:
        return net.validation_losses(batches)
    finally:
        net._set_training(True)


def _listens(callback, event):
    """Whether a callback does anything in an event."""
    method = getattr(callback, event)
    return getattr(method, "__func__", None) is not getattr(Callback, event)
