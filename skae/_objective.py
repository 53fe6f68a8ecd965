"""What a network is trained on: loss, penalty and corruption in one place."""

import torch
from torch import nn

from skae.corruptions import Corruption
from skae.penalties import Penalty

# Rows that are evaluated at once.
CHUNK_ROWS = 4096


class Objective(nn.Module):
    """What a network is trained on: loss, penalty and corruption in one place.

    Parameters
    ----------
    loss : Loss
    penalty : Penalty or None
    corruption : Corruption or None
    shift : ndarray of shape (n_features,)
    scale : float
    """

    def __init__(self, loss, penalty, corruption, shift, scale):
        super().__init__()
        self.loss = loss
        # Past torch's registration: a penalty that is a module is not trained.
        object.__setattr__(self, "penalty", penalty)
        object.__setattr__(self, "corruption", corruption)
        self._prepared = None  # the corruption, once it is known where rows lie
        self.unit = scale**loss.degree  # of the loss, in units of the data
        self.register_buffer("shift", torch.tensor(shift).float())
        self.register_buffer("scale", torch.tensor(scale).float())
        self.register_buffer("mean", torch.tensor(shift / scale).float())
        self.epoch = 1
        self.epochs_done = 0  # by earlier fits that this one goes on from

    @property
    def is_plain(self):
        """Whether the network is trained on the loss of clean rows alone."""
        return self.penalty is None and self.corruption is None

    def corrupt(self, rows, generator):
        """What the network sees of clean rows."""
        if self.corruption is None:
            return rows
        if self._prepared is None:
            own = isinstance(self.corruption, Corruption)
            self._prepared = (
                self.corruption.prepared(self.mean) if own else self.corruption
            )
        seen = self._prepared(rows, generator)
        if getattr(seen, "shape", None) != rows.shape:
            raise ValueError(
                f"The corruption {self.corruption!r} returned {_shown(seen)} for rows "
                f"of shape {tuple(rows.shape)}, but a tensor of that shape was "
                "expected."
            )
        return seen

    def target(self, rows):
        return self.loss.target(rows, self.shift, self.scale)

    def losses(self, module, rows):
        """Loss (n,) of each clean row, without the penalty."""
        return self.loss(module.decode(module.encode(rows)), self.target(rows))

    def forward(self, module, seen, rows, generator):
        """Losses (n, d) of cells of which the network sees another version.

        And the penalty of the batch, a number. The decoder of a network whose codes
        are distributions reads what is drawn from them.
        """
        code = module.encode(seen)
        draw = getattr(module, "draw", None)
        output = module.decode(code if draw is None else draw(code, generator))
        cells = self.loss.cells(output, self.target(rows))
        if self.penalty is None:
            return cells, 0.0
        return cells, self._penalty(module, seen, code, output, cells)

    def _penalty(self, module, seen, code, output, cells):
        function = self.penalty
        if isinstance(function, Penalty) and self.training:
            function = function.during(self.epoch)
        penalty = function(module, seen, code, output)
        if getattr(penalty, "shape", None) != ():
            raise ValueError(
                f"The penalty {self.penalty!r} returned {_shown(penalty)}, but a "
                "tensor of shape () was expected: one number for the batch."
            )
        if getattr(function, "in_nats", False):
            penalty = penalty * self.loss.per_nat(cells.detach().mean(), cells.shape[1])
        return penalty

    def of_pca(self, pca, rows):
        """Mean loss of rows as PCA reconstructs them, in the units of the data."""
        total = 0.0
        for part in rows.split(CHUNK_ROWS):
            output = self.loss.link(pca.reconstruct(part), self.shift, self.scale)
            total += float(self.loss(output, self.target(part)).double().sum())
        return total / len(rows) * self.unit

    def of_mean(self, rows):
        """Mean loss of rows all reconstructed by their mean, in units of the data."""
        mean = rows.mean(0).expand(rows.shape)
        output = self.loss.link(mean, self.shift, self.scale)
        return float(self.loss(output, self.target(rows)).mean()) * self.unit


def _shown(value):
    if isinstance(value, torch.Tensor):
        return f"a tensor of shape {tuple(value.shape)}"
    return f"a {type(value).__name__}"
