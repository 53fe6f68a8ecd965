"""Which epoch is kept, and when to stop: PCA is left only for more than chance."""

from types import MappingProxyType
from typing import NamedTuple

import numpy as np
import torch
from skorch.callbacks import Callback

from skae._training.callbacks import StopTraining
from skae._training.data import CHUNK_ROWS
from skae._utils.torch_state import as_arrays, as_tensors, cloned_state
from skae.exceptions import DivergenceError

# Training does not recover from a loss this many times the larger of its start and
# that of predicting the mean.
_DIVERGED = 1e3


def is_gain(gains, least=2.5, most=1.0):
    """Whether the held-out loss falls significantly, given that the best was picked.

    A gain in the mean; or on most rows, if the mean does not lose much: a few outlying
    losses make the mean say little.

    Parameters
    ----------
    gains : Tensor of shape (n,)
        How much lower the loss of each row has become.
    least : float, default=2.5
        Standard errors that the mean is to gain.
    most : float, default=1.0
        Standard errors that the mean may lose where most rows gain.
    """
    if len(gains) == 1:
        return False
    error = float(gains.std()) / len(gains) ** 0.5
    in_mean = float(gains.mean()) / max(error, torch.finfo(gains.dtype).tiny)
    in_most = float(gains.sign().sum()) / len(gains) ** 0.5
    return in_mean > least or (in_most > 4 and in_mean > -most)


class Selection:
    """The best epoch, by what rows that were not trained on lose after each.

    Parameters
    ----------
    pca_losses : Tensor of shape (n,), default=None
        What the rows lose by PCA; None where it is no candidate.
    start_losses : Tensor of shape (n,), default=None
        The same of the start, where that is one.
    limits : dict, default={}
        Of gains over PCA, as :func:`is_gain` takes them.

    Attributes
    ----------
    epoch : int or None
        The best so far, without regard to PCA; 0 is the start.
    """

    def __init__(self, pca_losses=None, start_losses=None, limits=MappingProxyType({})):
        self.pca_losses = pca_losses
        self.limits = limits
        self.losses = start_losses
        self.epoch = None if start_losses is None else 0

    def offer(self, epoch, losses):
        """Take an epoch if it is the best so far, by what rows (n,) lose; say so."""
        if self.losses is None or losses.mean() < self.losses.mean():
            is_best = True
        else:
            is_best = is_gain(self.losses - losses)
        if is_best:
            self.epoch, self.losses = epoch, losses
        return is_best

    @property
    def keeps_pca(self):
        """Whether PCA is kept: no epoch gains more than chance."""
        if self.pca_losses is None:
            return False
        return not is_gain(self.pca_losses - self.losses, **self.limits)


class Judged(NamedTuple):
    """What rows that were not trained on lose, as tensors of shape (n,).

    Attributes
    ----------
    pca : Tensor or None
        By PCA, where that is a candidate.
    epochs : list of Tensors
        After each epoch.
    """

    pca: torch.Tensor | None
    epochs: list


class BestEpoch(Callback):
    """Keeps the weights of the best epoch, and stops when nothing gets better.

    Parameters
    ----------
    settings : Settings
    run : Run
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

    def __init__(self, settings, run, pca_weights, is_resumed, n_rising):
        self.settings = settings
        self.run = run
        self.pca_weights = pca_weights
        self.is_resumed = is_resumed
        self.n_rising = n_rising

    def initialize(self):
        self.n_ended_ = self.last_progress_ = 0
        self.kept_, self.selection_ = None, Selection()
        self.judged_ = []
        self.reference_ = self.lowest_ = float("inf")
        return self

    @property
    def n_iter(self):
        # Ctrl-C may come between an epoch that is kept and its being counted.
        return (
            self.n_ended_ if self.kept_ is None else max(self.n_ended_, self.kept_[0])
        )

    @property
    def judged(self):
        """What held-out rows lost, or None without such rows."""
        if not self.validates_:
            return None
        return Judged(self.selection_.pca_losses, self.judged_)

    def on_train_begin(self, net, X=None, y=None, **kwargs):
        train, valid = X
        self.device_, self.validates_ = net.device, valid is not None
        objective, head = net.criterion_, train.X.head(CHUNK_ROWS)
        net._set_training(False)
        usual = max(objective.unit, objective.of_mean(head), net.loss_of(head))
        self.highest_ = _DIVERGED * max(net.group.gathered(usual))
        if not self.validates_:
            return
        start = cloned_state(net.module_)
        of_start = of_pca = None
        if self.is_resumed:
            of_start = self._losses(net, valid)
            self.kept_ = 0, start
        if self.pca_weights is not None:
            net.module_.load_state_dict(self.pca_weights)
            of_pca = self._losses(net, valid)
            net.module_.load_state_dict(start)
        self.selection_ = Selection(of_pca, of_start)

    def on_epoch_end(self, net, **kwargs):
        epoch, row = self.n_ended_ + 1, net.history[-1]
        monitored = float(net.monitored_.mean()) if self.validates_ else None
        self._check(epoch, row["train_loss"], monitored)
        if not self.validates_:
            self.kept_ = epoch, cloned_state(net.module_)
        else:
            net.history.record("valid_loss_best", row["valid_loss"] < self.lowest_)
            self.lowest_ = min(row["valid_loss"], self.lowest_)
            self.judged_.append(net.monitored_)
            if self.selection_.offer(epoch, net.monitored_):
                self.kept_ = epoch, cloned_state(net.module_)
        self.n_ended_ = epoch
        if self.validates_ and self.run.stops:
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
        epoch, weights = self.kept_
        net.module_.load_state_dict(weights)
        net._set_training(False)
        self._check(epoch, net.loss_of(head), None)

    def _stop_without_progress(self, epoch, loss):
        """Stop after so many epochs in which the loss has not fallen.

        While the learning rate rises, the loss may rise as well.
        """
        progress = loss < self.reference_ - self.settings.tol * abs(loss)
        if epoch <= self.n_rising or progress:
            self.reference_, self.last_progress_ = loss, epoch
        elif epoch - self.last_progress_ >= self.settings.n_iter_no_change:
            raise StopTraining

    def state_dict(self):
        """What was kept, and how it was chosen, as arrays and plain values."""
        epoch, weights = self.kept_
        return {
            "n_ended": self.n_ended_,
            "last_progress": self.last_progress_,
            "reference": self.reference_,
            "lowest": self.lowest_,
            "judged": [losses.cpu().numpy() for losses in self.judged_],
            "chosen": self.selection_.epoch,
            "kept": epoch,
            # The start is known.
            "weights": None if epoch == 0 else as_arrays(weights),
        }

    def load_state_dict(self, state):
        """Go on from a state, once the training has begun."""
        self.n_ended_ = state["n_ended"]
        self.last_progress_ = state["last_progress"]
        self.reference_, self.lowest_ = state["reference"], state["lowest"]
        self.judged_ = [torch.tensor(x, device=self.device_) for x in state["judged"]]
        if state["chosen"]:
            epoch = state["chosen"]
            self.selection_.epoch = epoch
            self.selection_.losses = self.judged_[epoch - 1]
        if state["weights"] is not None:
            self.kept_ = state["kept"], as_tensors(state["weights"])

    def _losses(self, net, rows):
        return net.agreed_losses(net.get_iterator(rows))[1]

    def result(self):
        """Epoch and weights of the best epoch, or 0 and PCA's where it is kept."""
        return (0, self.pca_weights) if self.selection_.keeps_pca else self.kept_
