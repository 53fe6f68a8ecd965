"""Which epoch is kept, and when to stop: PCA is left only for more than chance."""

from typing import NamedTuple

import numpy as np
import torch
from skorch.callbacks import Callback

from skae._training.callbacks import StopTraining
from skae._training.data import CHUNK_ROWS
from skae.exceptions import DivergenceError

# Training does not recover from a loss this many times the larger of its start and
# that of predicting the mean.
_DIVERGED = 1e3


def is_gain(gains):
    """Whether the held-out loss falls significantly, given that the best was picked.

    A gain in the mean; or on most rows, if the mean loses at most a standard error:
    a few outlying losses make the mean say little.

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


class Kept(NamedTuple):
    """An epoch and its weights; 0 is the start. Losses are of the held-out rows."""

    epoch: int
    weights: dict
    losses: torch.Tensor | None

    @property
    def loss(self):
        return float("inf") if self.losses is None else float(self.losses.mean())


class BestEpoch(Callback):
    """Keeps the weights of the best epoch, and stops when nothing gets better.

    Parameters
    ----------
    settings : Settings
    pca_weights : dict of str to Tensor or None
        With which the module is PCA: what training has to beat.
    is_resumed : bool
        Whether the module holds an earlier fit, a candidate for the best epoch.
    n_rising : int
        Epochs in which the learning rate rises.

    Attributes
    ----------
    n_iter : int
        How many epochs have ended.
    """

    def __init__(self, settings, pca_weights, is_resumed, n_rising):
        self.settings = settings
        self.pca_weights = pca_weights
        self.is_resumed = is_resumed
        self.n_rising = n_rising

    def initialize(self):
        self.n_ended_ = self.last_progress_ = 0
        self.kept_ = None
        self.reference_ = self.lowest_ = float("inf")
        return self

    @property
    def n_iter(self):
        # Ctrl-C may come between an epoch that is kept and its being counted.
        return (
            self.n_ended_ if self.kept_ is None else max(self.n_ended_, self.kept_[0])
        )

    def on_train_begin(self, net, X=None, y=None, **kwargs):
        train, valid = X
        self.validates_ = valid is not None
        objective, head = net.criterion_, train.X.head(CHUNK_ROWS)
        net._set_training(False)
        _, losses = net.validation_losses([head])
        at_start = float(losses.mean()) * objective.unit
        self.highest_ = _DIVERGED * max(
            objective.unit, objective.of_mean(head), at_start
        )
        if self.validates_ and self.is_resumed:
            self.kept_ = Kept(0, _state(net.module_), self._losses(net, valid))
        if self.validates_ and self.pca_weights is not None:
            start = _state(net.module_)
            net.module_.load_state_dict(self.pca_weights)
            self.pca_losses_ = self._losses(net, valid)
            net.module_.load_state_dict(start)

    def on_epoch_end(self, net, **kwargs):
        epoch, row = self.n_ended_ + 1, net.history[-1]
        monitored = float(net.monitored_.mean()) if self.validates_ else None
        self._check(epoch, row["train_loss"], monitored)
        if not self.validates_:
            self.kept_ = Kept(epoch, _state(net.module_), None)
        else:
            net.history.record("valid_loss_best", row["valid_loss"] < self.lowest_)
            self.lowest_ = min(row["valid_loss"], self.lowest_)
            if self._is_better(net.monitored_):
                self.kept_ = Kept(epoch, _state(net.module_), net.monitored_)
        self.n_ended_ = epoch
        if self.validates_:
            self._stop_without_progress(epoch, monitored)

    def _check(self, epoch, loss, monitored):
        losses = [loss] if monitored is None else [loss, monitored]
        if np.isfinite(losses).all() and loss <= self.highest_:
            return
        after = "" if monitored is None else f", {monitored:.3g} after it"
        raise DivergenceError(
            f"Training diverged: the loss was {loss:.3g} in epoch {epoch}{after}, "
            f"{self.settings.smaller_rate}"
        )

    def check_end(self, net, head):
        """Raise if the last epoch, of which no loss was taken at its end, diverged."""
        if self.validates_:
            return
        net.module_.load_state_dict(self.kept_.weights)
        net._set_training(False)
        _, losses = net.validation_losses([head])
        loss = float(losses.mean()) * net.criterion_.unit
        self._check(self.kept_.epoch, loss, None)

    def _is_better(self, losses):
        kept = self.kept_
        if kept is None:
            return True
        return float(losses.mean()) < kept.loss or is_gain(kept.losses - losses)

    def _stop_without_progress(self, epoch, loss):
        """Stop after so many epochs in which the loss has not fallen.

        While the learning rate rises, the loss may rise as well.
        """
        progress = loss < self.reference_ - self.settings.tol * abs(loss)
        if epoch <= self.n_rising or progress:
            self.reference_, self.last_progress_ = loss, epoch
        elif epoch - self.last_progress_ >= self.settings.n_iter_no_change:
            raise StopTraining

    def _losses(self, net, rows):
        return net.validation_losses(net.get_iterator(rows))[1]

    def result(self):
        """Epoch and weights of the best epoch, or 0 and PCA's where it is kept."""
        if self.validates_ and self.pca_weights is not None:
            if not is_gain(self.pca_losses_ - self.kept_.losses):
                return 0, self.pca_weights
        return self.kept_.epoch, self.kept_.weights


def _state(module):
    return {name: value.clone() for name, value in module.state_dict().items()}
