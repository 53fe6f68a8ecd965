"""The loss of tables, whose columns are numbers and categories."""

import numpy as np
import torch
from torch.nn import functional as F

from skae._utils.layout import LEAST_ENTROPY, Layout
from skae.losses._losses import Loss


class TableLoss(Loss):
    """Loss of tables: of each column, the share of its own uncertainty that is left.

    Numbers have a loss of their own, in standard deviations of their columns: 1 is the
    squared error of the mean. Categories have the cross-entropy, over the entropy of
    the column: 1 is that of the frequencies. So columns of all kinds can be added.

    Parameters
    ----------
    numbers : Loss
        Of numbers.
    layout : Layout
        Which cells of a row stand for which column.
    """

    _parameter_constraints = {"numbers": [Loss], "layout": [Layout]}

    def __init__(self, numbers, layout):
        self.numbers = numbers
        self.layout = layout

    @property
    def is_known(self):
        return self.numbers.is_known

    @property
    def curvature(self):
        # Numbers are linear: more than their own curvature would not end.
        return [1.0] * self.layout.n_numbers + [0.5] * int(sum(self.layout.widths))

    def cells(self, output, target):
        """Loss of each column (n, n_columns), by standardised rows (n, d)."""
        n_numbers, blocks = self.layout.n_numbers, self._blocks(output.device)
        of_numbers = self.numbers.cells(output[:, :n_numbers], target[:, :n_numbers])
        if not len(blocks.entropies):
            return of_numbers.index_select(1, blocks.order)
        logits, dummies = output[:, n_numbers:], target[:, n_numbers:]
        spread = torch.logsumexp(blocks.padded(logits, float("-inf")), 2)
        chosen = blocks.padded(logits * dummies, 0.0).sum(2)
        of_categories = (spread - chosen) / blocks.entropies
        return torch.cat([of_numbers, of_categories], 1).index_select(1, blocks.order)

    def target(self, rows, shift, scale):
        n_numbers, blocks = self.layout.n_numbers, self._blocks(rows.device)
        dummies = (rows * scale + shift)[:, n_numbers:] / blocks.factors.to(rows.dtype)
        return torch.cat([rows[:, :n_numbers], dummies], 1)

    def expected(self, output):
        n_numbers, blocks = self.layout.n_numbers, self._blocks(output.device)
        return torch.cat(
            [output[:, :n_numbers], blocks.softmax(output[:, n_numbers:])], 1
        )

    def link(self, rows, shift, scale):
        n_numbers, blocks = self.layout.n_numbers, self._blocks(rows.device)
        dummies = (rows * scale + shift)[:, n_numbers:] / blocks.factors.to(rows.dtype)
        # A linear reconstruction may leave [0, 1], where logarithms are infinite.
        return torch.cat([rows[:, :n_numbers], dummies.clamp(1e-3, 1).log()], 1)

    def to_data(self, output, shift, scale):
        n_numbers, blocks = self.layout.n_numbers, self._blocks(output.device)
        numbers = output[:, :n_numbers].double() * scale + shift[:n_numbers]
        shares = blocks.softmax(output[:, n_numbers:].double())
        return torch.cat([numbers, shares * blocks.factors], 1)

    def per_nat(self, loss, n_columns):
        # Of numbers, noise of the likeliest scale; categories are told in nats.
        layout = self.layout
        per_column = float(self._least_entropies.sum())
        if layout.n_numbers:
            per_column = per_column + layout.n_numbers / self.numbers.per_nat(loss, 1)
        return layout.n_columns / (n_columns * per_column)

    def told(self, n_columns):
        of_numbers = self.numbers.told(self.layout.n_numbers)
        of_categories = torch.as_tensor(self._least_entropies).float()
        order = torch.as_tensor(self.layout.places)
        return torch.cat([of_numbers, of_categories])[order]

    def surprise(self, losses, counts):
        return self.numbers.surprise(losses, counts)

    @property
    def _least_entropies(self):
        """What the losses of categories (n_blocks,) are shares of, in nats."""
        return np.maximum(self.layout.entropies, LEAST_ENTROPY)

    def _blocks(self, device):
        """Where categories lie, as tensors on a device; made once."""
        made = vars(self).setdefault("_made", {})
        if device not in made:
            made[device] = Blocks(self.layout, self._least_entropies, device)
        return made[device]

    def __getstate__(self):
        return {n: v for n, v in super().__getstate__().items() if n != "_made"}


class Blocks:
    """Where the cells of categories lie in those after the numbers, as tensors.

    Parameters
    ----------
    layout : Layout
    entropies : ndarray of shape (n_blocks,)
        What losses are shares of.
    device : str
    """

    def __init__(self, layout, entropies, device):
        with torch.device(device):
            widths = torch.as_tensor(layout.widths, device=device)
            entropies = torch.as_tensor(entropies, device=device)
            factors = torch.as_tensor(layout.factors, device=device)
            place = torch.arange(int(widths.max()) if len(widths) else 0)
        # Shorter blocks are filled up with a cell beyond the last one.
        starts = (widths.cumsum(0) - widths)[:, None]
        is_filled = place >= widths[:, None]
        self.positions = (starts + place).masked_fill(is_filled, int(widths.sum()))
        self.of_block = torch.arange(len(widths), device=device).repeat_interleave(
            widths
        )
        self.place = (starts + place)[~is_filled]
        self.entropies = entropies.float()
        self.factors = factors.repeat_interleave(widths)
        self.order = torch.as_tensor(layout.places, device=device)
        self.shape = self.positions.shape
        self.kept = (~is_filled).flatten().nonzero().flatten()

    def padded(self, cells, fill):
        """Cells (n, d) as blocks of one width (n, n_blocks, width)."""
        cells = F.pad(cells, (0, 1), value=fill)
        return cells.index_select(1, self.positions.flatten()).unflatten(1, self.shape)

    def softmax(self, logits):
        """Shares (n, d) of the levels of each block, which add up to 1."""
        if not len(self.entropies):
            return logits
        shares = torch.softmax(self.padded(logits, float("-inf")), 2)
        return shares.flatten(1).index_select(1, self.kept)
