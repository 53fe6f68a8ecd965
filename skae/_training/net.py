"""skorch's net over tensors that already lie on the device."""

from functools import partial

import numpy as np
import torch
from skorch import NeuralNet
from skorch.callbacks import Callback
from skorch.dataset import Dataset
from skorch.utils import TeeGenerator, to_numpy

from skae._training.averaging import WeightAverage
from skae._training.callbacks import StopTraining
from skae._training.data import CHUNK_ROWS, Batch, ShuffledBatches
from skae._training.progress import go_on_from, state_of_training
from skae._training.step import backward, trial_parts
from skae._utils.group import ALONE
from skae._utils.random import PrivateRandomness
from skae._utils.threads import Threads

# Rows with hidden cells that an epoch is judged by: held-out ones, several times.
_HIDDEN_ROWS = 1000


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
        return to_numpy(self._objective.restored(self.X.dense().rows))

    def __len__(self):
        return len(self.X)

    def __getitem__(self, i):
        chosen = torch.arange(len(self), device=self.X.rows.device)[i]
        rows = self.X.take(chosen.reshape(-1)).rows.reshape(*chosen.shape, -1)
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
    averages : bool, default=False
        Whether the weights that are judged and kept are averages over steps.
    entry : Entry, default=None
        In which it is kept where the training stands; None is nowhere.
    group : Alone, default=ALONE
        Processes that train together.
    last_epoch : int, default=None
        After which to stop; None is `max_epochs`, for which the schedule is made.
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
        averages=False,
        entry=None,
        group=ALONE,
        last_epoch=None,
        **kwargs,
    ):
        self.scaling = scaling
        self.n_batches = n_batches
        self.generators = generators
        self.seed = seed
        self.own_callbacks = own_callbacks
        self.most_threads = most_threads
        self.averages = averages
        self.entry = entry
        self.group = group
        self.last_epoch = last_epoch
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
            rows = torch.from_numpy(rows).to(self.device)
            X = Batch.of(rows, self.criterion_.first)
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
        loss, output = backward(*parts, batch, self.generators[1], self.group)
        return {"loss": loss.detach(), "y_pred": output.detach()}

    def infer(self, x, **fit_params):
        # Units of the data, as predict returns them.
        return self.criterion_.to_data(self.module_.decode(self.module_.solved(x)))

    def evaluation_step(self, batch, training=False):
        with torch.set_grad_enabled(training):
            self._set_training(training)
            return self.infer(self.criterion_.seen(batch.dense()))

    def run_single_epoch(self, iterator, training, prefix, step_fn, **fit_params):
        if iterator is None:
            return
        self._set_training(training)
        if training:
            loss = self._train_epoch(iterator, step_fn)
        else:
            clean, self.monitored_ = self.threads_.run_once(
                self.agreed_losses, iterator
            )
            loss = float(clean.mean())
            if not self.criterion_.recipe.is_reconstruction_only:
                monitored = float(self.monitored_.mean()) * self.criterion_.judged_unit
                self.history.record("valid_objective", monitored)
            self._tell_of_validation(iterator)
        self.history.record(f"{prefix}_loss", loss * self.criterion_.unit)
        self.history.record(f"{prefix}_batch_count", len(iterator))

    def _train_epoch(self, iterator, step_fn):
        # One tensor for all: small ones, kept between large ones that are freed,
        # would keep memory from being given back.
        losses = torch.empty(len(iterator), dtype=torch.float32, device=self.device)
        self.criterion_.begin_epoch(len(self.history))
        if self.average_ is not None:
            self.average_.begin_epoch()
        sizes = np.empty(len(iterator))
        for i, batch in enumerate(iterator):
            self.notify("on_batch_begin", batch=batch, training=True)
            step = self.threads_.run(step_fn, batch)
            if self.average_ is not None:
                self.average_.after_step()
            losses[i] = step["loss"]
            sizes[i] = len(batch)
            if self.is_scored_:
                batch, step["y_pred"] = self._in_data_units(batch, step["y_pred"])
            self.notify("on_batch_end", batch=batch, training=True, **step)
        if self.average_ is not None:
            self.average_.end_epoch()
        sizes = self.group.sum(torch.from_numpy(sizes)).numpy()
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
        for batch in map(Batch.dense, iterator):
            output = self.module_(self.criterion_.seen(batch))[1]
            pair, output = self._in_data_units(batch, output)
            for callback in self.users_of_batches_:
                callback.on_batch_end(self, batch=pair, y_pred=output, training=False)

    def agreed_losses(self, iterator):
        """As `validation_losses`, and the same in all processes, which decide alike."""
        return tuple(map(self.group.share_, self.validation_losses(iterator)))

    @torch.no_grad()
    def validation_losses(self, iterator):
        """Loss (n,) of clean rows, and what rows unseen are judged by.

        The latter has the penalty, and a corruption that is the same in each epoch. It
        is in standard units, or in nats: see :meth:`Objective.judged`.
        """
        objective, module = self.criterion_, self.module_
        sizes = [len(batch) for batch in iterator]
        clean = torch.empty(sum(sizes), dtype=torch.float32, device=self.device)
        for part, batch in zip(clean.split(sizes), iterator, strict=True):
            part.copy_(objective.clean_losses(module, batch.dense()))
        if objective.recipe.is_reconstruction_only:
            return clean, clean
        generator = torch.Generator(clean.device).manual_seed(self.seed)
        # Of few rows, which cells are hidden matters more than what becomes of them.
        hides = objective.recipe.corruption.hides
        times = max(1, round(_HIDDEN_ROWS / len(clean))) if hides else 1
        parts = []
        with PrivateRandomness(generator):
            for batch in iterator:
                batch = batch.dense().repeated(times)
                seen = objective.corrupt(batch, generator)
                lost = objective.lost(module, seen, batch, generator)
                parts.append(lost.view(len(lost), times, -1).mean(1))
        return clean, objective.judged(torch.cat(parts, 1))

    @torch.no_grad()
    def loss_of(self, batch):
        """What a step is to lower, of dense rows, in the units of the data."""
        objective = self.criterion_
        generator = torch.Generator(batch.rows.device).manual_seed(self.seed)
        with PrivateRandomness(generator):
            seen = objective.corrupt(batch, generator)
            losses, penalty, _ = objective(self.module_, seen, batch, generator)
        return float((losses + penalty).mean()) * objective.unit

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
        # A callback may stop one process of a group, by a clock of its own.
        stops = any(self.group.gathered(stops))
        epoch = len(self.history)
        has_ended = stops or epoch == self.last_epoch
        if self.entry is not None:
            self.entry.keep(partial(state_of_training, self, stops), epoch, has_ended)
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
        self.average_ = None
        if self.averages:
            n_steps = self.n_batches * self.max_epochs
            self.average_ = WeightAverage(self.module_, n_steps)
        n_left = self.max_epochs if self.last_epoch is None else self.last_epoch
        state = None if self.entry is None else self.entry.state(n_left)
        if state is not None:
            go_on_from(state, self)
            n_left = 0 if state["has_stopped"] else n_left - len(self.history)
        try:
            self.fit_loop(X, y, epochs=n_left, **fit_params)
        except StopTraining:
            pass
        finally:
            self.notify("on_train_end", X=X, y=y)
        return self


def _listens(callback, event):
    """Whether a callback does anything in an event."""
    method = getattr(callback, event)
    return getattr(method, "__func__", None) is not getattr(Callback, event)
