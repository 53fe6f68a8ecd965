"""What is minimised: loss, penalty and corruption as one criterion."""

from contextlib import nullcontext

import numpy as np
import torch
from torch import nn

from skae._training.data import CHUNK_ROWS, Batch
from skae._utils.random import PrivateRandomness


class Objective(nn.Module):
    """Loss, penalty and corruption as one criterion, in standard units.

    Parameters
    ----------
    recipe : Recipe
    scaling : Scaling
        Of the rows.
    epochs_done : int, default=0
        By earlier fits, from which this one goes on.
    """

    def __init__(self, recipe, scaling, epochs_done=0):
        super().__init__()
        self.recipe = recipe
        self._scaling = scaling
        self.loss = recipe.loss
        self.unit = scaling.scale**recipe.loss.degree  # of the loss, in the data's
        shift, scale = scaling.tensors(torch.float32)
        self.register_buffer("shift", shift)
        self.register_buffer("scale", scale)
        mean = scaling.shift / scaling.scale
        # In single precision, a common shift would leave little of the differences.
        self.register_buffer("mean", torch.tensor(mean - np.median(mean)).float())
        self._corrupt = None  # the corruption, once it is known where rows lie
        self._epochs_done = epochs_done
        self._penalty = recipe.penalty
        of_column = first = None
        if recipe.layout is not None:
            of_column = torch.as_tensor(recipe.layout.of_column)
            first = torch.as_tensor(recipe.layout.first)
        self.register_buffer("of_column", of_column)  # the column of each cell
        self.register_buffer("first", first)  # the first cell of each column
        n_features = len(scaling.shift)
        told = recipe.loss.told(recipe.n_columns(n_features))
        self.register_buffer("told", told)  # nats of a loss of 1; NaN for noise
        self._check_loss(n_features)

    def _check_loss(self, n_features):
        """Raise for a loss of another shape, or one that is not the same each time."""
        rows = torch.zeros(2, n_features)
        with PrivateRandomness(torch.Generator()) as randomness:
            self._cells(rows, Batch(rows))
        if randomness.used:
            raise ValueError(
                f"The loss {self.loss!r} draws random numbers, so that equal rows "
                "would get different losses: draw in a penalty or a corruption."
            )

    def begin_epoch(self, epoch):
        """Take the penalty of an epoch, counted from 1 in this fit."""
        self._penalty = self.recipe.penalty.during(self._epochs_done + epoch)

    def corrupt(self, batch, generator):
        """Rows (n, d) as the network sees them in training."""
        corruption, rows = self.recipe.corruption, batch.rows
        if self._corrupt is None:
            prepared = corruption
            if self.of_column is not None:
                prepared = corruption.for_columns(self.of_column)
            scaling = self._scaling
            prepared = prepared.in_units(scaling.shift, scaling.scale)
            self._corrupt = prepared.prepared(self.mean)
        version = rows._version
        with self._private(corruption.draws, generator):
            seen = self._corrupt(rows, generator)
        if getattr(seen, "shape", None) != rows.shape or seen.dtype != rows.dtype:
            raise ValueError(
                f"The corruption {corruption!r} returned {_shown(seen)} for rows of "
                f"shape {tuple(rows.shape)}, but a tensor of that shape was expected, "
                "of torch.float32."
            )
        if rows._version != version:
            raise ValueError(
                f"The corruption {corruption!r} writes to the rows that it reads, but "
                "they are what is to be learned: work on a copy, X.clone()."
            )
        return self._with_holes(seen, batch.mask)

    def seen(self, batch):
        """Rows (n, d) as the network sees them when it is applied."""
        return self._with_holes(batch.rows, batch.mask)

    def cells_of(self, columns):
        """What holds for columns (n, n_columns), for their cells (n, d)."""
        if self.of_column is None:
            return columns
        return columns.index_select(1, self.of_column)

    def _with_holes(self, rows, mask):
        """Rows with NaN where cells are missing, if the network reads such rows."""
        if mask is not None:
            rows = rows.masked_fill(~self.cells_of(mask), float("nan"))
        elif not self.recipe.corruption.hides:
            return rows
        return rows if self.recipe.reads_holes else rows.nan_to_num(0.0)

    def target(self, rows):
        return self.loss.target(rows, self.shift, self.scale)

    def to_data(self, output):
        """Raw output (n, d) in the units of the data, on the CPU."""
        return self.loss.to_data(output.cpu(), *self._scaling.tensors(torch.float64))

    def restored(self, rows):
        """Standardised rows (n, d) in the units of the data, on the CPU."""
        return torch.from_numpy(self._scaling.restore(rows.cpu().double().numpy()))

    def clean_losses(self, module, batch):
        """Loss (n,) of each clean row, without the penalty."""
        cells = self._cells(module(self.seen(batch))[1], batch)
        return batch.mean(cells)

    def forward(self, module, seen, batch, generator):
        """Losses of rows of which the network sees another version, and the penalty.

        The decoder of a network whose codes are distributions reads what is drawn from
        them.

        Parameters
        ----------
        module : Autoencoder
        seen : Tensor of shape (n, d)
            What :meth:`corrupt` made of the rows.
        batch : Batch
        generator : torch.Generator

        Returns
        -------
        losses : Tensor of shape (n,)
        penalty : Tensor of shape () or 0.0
        output : Tensor of shape (n, d)
            Raw.
        """
        with self._private(self.recipe.draws(module), generator):
            code, output = module(seen, generator)
            cells = self._cells(output, batch)
            losses, penalty = self._losses(cells, batch, seen), 0.0
            if not self.recipe.penalty.is_neutral:
                penalty = self._penalty_of(module, seen, code, output)
                penalty = penalty * self._per_nat(losses, batch)
        return losses, penalty, output

    @property
    def judged_unit(self):
        """Of what rows are judged by, in the data's; nats stay as they are."""
        return 1.0 if self.recipe.penalty.in_nats else self.unit

    def lost(self, module, seen, batch, generator):
        """What rows that were not trained on lose, for :meth:`judged` to add up.

        Parameters
        ----------
        module, seen, batch, generator
            As for :meth:`forward`.

        Returns
        -------
        parts : Tensor of shape (1, n) or (4, n)
            Loss and penalty; or, where the penalty is in nats, the losses of columns
            with noise, how many these are, and in nats those of the others and the
            penalty.
        """
        recipe = self.recipe
        if not recipe.penalty.in_nats:
            losses, penalty, _ = self(module, seen, batch, generator)
            return (losses + penalty)[None]
        with self._private(recipe.draws(module), generator):
            code, output = module(seen, generator)
            cells = self._cells(output, batch)
            penalty = recipe.penalty.rows(module, seen, code, output)
        _check_penalty(recipe.penalty, penalty, (len(cells),), "one for each row")
        is_noisy = self.told.isnan()
        parts = (
            torch.where(is_noisy, cells, 0.0),
            is_noisy.float().expand_as(cells),
            cells * self.told.nan_to_num(),
        )
        count = self._n_columns(batch)
        sums = [count * self._losses(part, batch, seen) for part in parts]
        return torch.stack([*sums, penalty])

    def judged(self, parts):
        """What rows (n,) that were not trained on are judged by; lower is better.

        Loss and penalty; or, where the penalty is in nats, minus the evidence lower
        bound of each row, in nats of standardised rows, with noise as it is likeliest
        to be around all of them.

        Parameters
        ----------
        parts : Tensor of shape (1, n) or (4, n)
            Of :meth:`lost`.
        """
        if not self.recipe.penalty.in_nats:
            return parts[0]
        losses, counts, told, penalty = parts
        return self.loss.surprise(losses, counts) + told + penalty

    def _cells(self, output, batch):
        cells = self.loss.cells(output, self.target(batch.rows))
        expected = len(output), self.recipe.n_columns(output.shape[1])
        if getattr(cells, "shape", None) != expected:
            raise ValueError(
                f"The loss {self.loss!r} returned {_shown(cells)} for output of shape "
                f"{tuple(output.shape)}, but a loss for each cell was expected."
            )
        return cells

    def _losses(self, cells, batch, seen):
        """Losses (n,) of rows, by those of their columns (n, n_columns)."""
        weight = self.recipe.corruption.seen_weight
        if weight == 1:
            return batch.mean(cells)
        if not self.training:
            weight = 0.0  # held-out rows are judged by what is hidden
        of_columns = seen if self.first is None else seen.index_select(1, self.first)
        return batch.weighted(cells, torch.where(of_columns.isnan(), 1.0, weight))

    def _per_nat(self, losses, batch):
        """What a nat of the penalty weighs, if it is in nats."""
        if not self.recipe.penalty.in_nats:
            return 1.0
        return self.loss.per_nat(losses.detach().mean(), self._n_columns(batch))

    def _n_columns(self, batch):
        """Columns of a row that count, in the mean."""
        if batch.mask is None:
            return len(self.told)
        return batch.mask.sum() / len(batch)  # of missing cells nothing is to be told

    def _penalty_of(self, module, seen, code, output):
        # Held-out rows are judged by the penalty itself, not by that of an epoch.
        function = self._penalty if self.training else self.recipe.penalty
        penalty = function(module, seen, code, output)
        _check_penalty(function, penalty, (), "one number for the batch")
        return penalty

    @staticmethod
    def _private(draws, generator):
        """A context in which whatever is drawn comes from the generator.

        Entered only where something may be drawn past it, since it costs a quarter of
        a step's time.
        """
        return PrivateRandomness(generator) if draws else nullcontext()

    def of_pca(self, pca, batch, rows):
        """Mean loss of rows as PCA reconstructs them, in the units of the data.

        Parameters
        ----------
        pca : PrincipalComponents
        batch : Batch
        rows : Tensor of shape (n, d)
            Its rows, what is missing filled.
        """
        total = 0.0
        parts = batch.split(CHUNK_ROWS), Batch(rows).split(CHUNK_ROWS)
        for part, filled in zip(*parts, strict=True):
            part, rows = part.dense(), pca.reconstruct(filled.dense().rows)
            output = self.loss.link(rows, self.shift, self.scale)
            total += float(part.mean(self._cells(output, part)).double().sum())
        return total / len(batch) * self.unit

    def of_mean(self, batch):
        """Mean loss of rows all reconstructed by their mean, in units of the data."""
        mean = batch.rows.mean(0).expand(batch.rows.shape)
        output = self.loss.link(mean, self.shift, self.scale)
        return float(batch.mean(self._cells(output, batch)).mean()) * self.unit


def _check_penalty(function, penalty, shape, meaning):
    if getattr(penalty, "shape", None) != shape:
        raise ValueError(
            f"The penalty {function!r} returned {_shown(penalty)}, but a tensor of "
            f"shape {shape} was expected: {meaning}."
        )


def _shown(value):
    if isinstance(value, torch.Tensor):
        return f"a tensor of shape {tuple(value.shape)} and {value.dtype}"
    return f"a {type(value).__name__}"
