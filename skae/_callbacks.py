"""What happens between epochs: the best one is kept, and training stops in time."""

import numpy as np
from skorch.callbacks import Callback

from skae._objective import CHUNK_ROWS
from skae._training import DivergenceError, is_gain

# An epoch whose loss is this many times that of the start, and that of reconstructing
# every row by the mean, has left what training comes back from.
_DIVERGED = 1e3


class StopTraining(Exception):
    """Raised by a callback to end the training after the present epoch."""


class BestEpoch(Callback):
    """Keeps the weights of the best epoch, and stops when nothing gets better.

    Attributes
    ----------
    n_iter_ : int
        How many epochs have ended.
    best_iter_ : int
        The best of them; 0 is PCA or the earlier fit.
    """

    def __init__(self, pca, goes_on, warm_up, n_iter_no_change, tol, learning_rate):
        self.pca = pca
        self.goes_on = goes_on
        self.warm_up = warm_up
        self.n_iter_no_change = n_iter_no_change
        self.tol = tol
        self.learning_rate = learning_rate

    def initialize(self):
        self.n_iter_ = self.best_iter_ = self.last_progress_ = 0
        self.best_loss_ = self.reference_ = float("inf")
        return self

    def on_train_begin(self, net, X=None, y=None, **kwargs):
        train, valid = X
        self.validates_ = valid is not None
        objective, rows = net.criterion_, train.X[:CHUNK_ROWS]
        net._set_training(False)
        _, losses = net.validation_losses([rows])
        at_start = float(losses.mean()) * objective.unit
        self.highest_ = _DIVERGED * max(
            objective.unit, objective.of_mean(rows), at_start
        )
        if self.validates_ and self.goes_on:
            self._keep(net, 0, self._losses(net, valid))
        if self.validates_ and self.pca is not None:
            start = _state(net.module_)
            net.module_.load_state_dict(self.pca)
            self.pca_losses_ = self._losses(net, valid)
            net.module_.load_state_dict(start)

    def on_epoch_end(self, net, **kwargs):
        epoch, loss = self.n_iter_ + 1, net.history[-1, "train_loss"]
        watched = float(net.watched_.mean()) if self.validates_ else loss
        if not (np.isfinite([loss, watched]).all() and loss <= self.highest_):
            raise DivergenceError(
                f"Training diverged: the loss was {loss:.3g} in epoch {epoch}, "
                f"{watched:.3g} after it, with learning_rate={self.learning_rate:g}. "
                f"Use a smaller one, such as learning_rate={self.learning_rate / 10:g}."
            )
        self.n_iter_ = epoch
        if not self.validates_:
            self._keep(net, epoch, None)
            return
        valid_losses = net.history[:, "valid_loss"]
        net.history.record("valid_loss_best", valid_losses[-1] == min(valid_losses))
        if watched < self.best_loss_ or is_gain(self.best_losses_ - net.watched_):
            self._keep(net, epoch, net.watched_)
        self._stop_without_progress(epoch, watched)

    def _stop_without_progress(self, epoch, loss):
        """Stop after so many epochs in which the loss has not fallen.

        While the learning rate rises, the loss may rise as well.
        """
        progress = loss < self.reference_ - self.tol * abs(loss)
        if epoch <= self.warm_up or progress:
            self.reference_, self.last_progress_ = loss, epoch
        elif epoch - self.last_progress_ >= self.n_iter_no_change:
            raise StopTraining

    def _keep(self, net, epoch, losses):
        # Together: Ctrl-C may come in between.
        state, loss = _state(net.module_), losses if losses is None else losses.mean()
        self.best_iter_, self.weights_, self.best_losses_ = epoch, state, losses
        if losses is not None:
            self.best_loss_ = float(loss)

    def _losses(self, net, rows):
        return net.validation_losses(net.get_iterator(rows))[1]

    def result(self):
        """Epoch and weights of the best epoch, or 0 and PCA's where it is kept."""
        if self.validates_ and self.pca is not None:
            if not is_gain(self.pca_losses_ - self.best_losses_):
                return 0, self.pca
        return self.best_iter_, self.weights_


def _state(module):
    return {name: value.clone() for name, value in module.state_dict().items()}


class ProgressBar(Callback):
    """A tqdm bar over the epochs that shows the losses."""

    def __init__(self, max_iter):
        self.max_iter = max_iter

    def on_train_begin(self, net, **kwargs):
        from tqdm.auto import tqdm

        self.bar_ = tqdm(total=self.max_iter, unit="epoch")

    def on_epoch_end(self, net, **kwargs):
        row = net.history[-1]
        shown = {
            "train": "train_loss",
            "validation": "valid_loss",
            "objective": "valid_objective",
        }
        losses = {name: f"{row[key]:.4g}" for name, key in shown.items() if key in row}
        self.bar_.set_postfix(losses, refresh=False)
        self.bar_.update()

    def on_train_end(self, net, **kwargs):
        self.bar_.close()
