"""The bases of corruptions: what a corruption is, and those of a level."""

from abc import abstractmethod
from copy import copy
from numbers import Real

import numpy as np
import torch
from sklearn.base import clone

from skae._utils.compat import Interval
from skae._utils.part import Part


class Corruption(Part):
    """Base of all corruptions: standardised rows in, corrupted rows out.

    A corruption takes part in the training step only: it is never in the network, so
    that ``transform``, ``inverse_transform`` and saved weights are free of noise.

    Attributes
    ----------
    hides : bool
        Whether cells become NaN: missing, as the network is then told.
    seen_weight : float
        What cells that stay count for in the loss, those that are hidden being 1.
    """

    is_neutral = False
    hides = False
    seen_weight = 1.0

    def for_columns(self, of_column):
        """This corruption for tables, whose columns are one cell or several each.

        Parameters
        ----------
        of_column : Tensor of shape (n_features,), int
            The number of the column that each cell of a row belongs to. A category is
            as many cells as it has levels.

        Returns
        -------
        corruption : Corruption
            One that does to whole columns what it does to cells, if it can.
        """
        return self

    def in_units(self, shift, scale):
        """This corruption for rows that come in units of their own.

        Called before :meth:`prepared`.

        Parameters
        ----------
        shift : ndarray of shape (n_features,), float64
            What is subtracted from the rows, in the units of the data.
        scale : float
            What they are then divided by.

        Returns
        -------
        corruption : Corruption
            Most corruptions don't depend on the units, and return themselves.
        """
        return self

    def prepared(self, mean):
        """This corruption for rows that were shifted to mean 0.

        Parameters
        ----------
        mean : Tensor of shape (n_features,)
            What was subtracted from the rows, in the same units and on the same
            device: ``X + mean`` are the rows as they were, but for their scale and
            one constant that is the same for all features.

        Returns
        -------
        corruption : callable
            Most corruptions don't depend on the mean, and return themselves.
        """
        return self

    def for_hidden_cells(self):
        """This corruption for the cells of a hidden layer."""
        return self

    @abstractmethod
    def __call__(self, X, generator):
        """Corrupted copy of X.

        Parameters
        ----------
        X : Tensor of shape (n_samples, n_features)
            Rows in global standard deviations around each feature's mean.
        generator : torch.Generator
            Where all random numbers come from; on the device of X.

        Returns
        -------
        X_corrupted : Tensor of shape (n_samples, n_features)
            X itself is left as it is.
        """


class LevelCorruption(Corruption):
    """Base of corruptions of a level: how much, or how often.

    Parameters
    ----------
    level : float or array-like of shape (n_features,)
        How much, or how often; for all features or for each. 0 leaves the rows as they
        are.
    """

    _parameter_constraints = {
        "level": [Interval(Real, 0, 1, closed="both"), "array-like"]
    }
    _highest = 1.0
    _of_column: torch.Tensor | None = None

    def __init__(self, level):
        self.level = level

    @property
    def is_neutral(self):
        """Whether it changes nothing."""
        return not np.any(self.level)

    def for_columns(self, of_column):
        prepared = copy(self)
        prepared._of_column = of_column
        return prepared

    def prepared(self, mean):
        """The same with its level as a tensor, where there is one for each feature.

        Raises
        ------
        ValueError
            If there are levels for another number of features, or out of range.
        """
        if isinstance(self.level, Real):
            return self
        level = torch.as_tensor(np.asarray(self.level, float), dtype=torch.float32)
        of_column = self._of_column
        count = len(mean) if of_column is None else int(of_column.max()) + 1
        if level.shape != (count,):
            raise ValueError(
                f"level has shape {tuple(level.shape)}, but X has {count} "
                "features: give one level for all features or one for each."
            )
        if not bool(((level >= 0) & (level <= self._highest)).all()):
            raise ValueError(
                f"level has values from {float(level.min()):g} to "
                f"{float(level.max()):g}, but they must be from 0 to {self._highest:g}."
            )
        prepared = copy(self)
        prepared.level = level.to(mean.device)
        return prepared

    def _per_column(self, X, draw):
        """What is drawn, by a function of an empty tensor, for each column of rows.

        Returns
        -------
        drawn : Tensor of shape (n, n_columns)
            Of all cells but those of tables, whose columns may have several.
        """
        if self._of_column is None:
            return draw(torch.empty_like(X))
        return draw(X.new_empty(len(X), int(self._of_column.max()) + 1))

    def _cells(self, columns):
        """What holds for columns (n, n_columns), for their cells."""
        if self._of_column is None:
            return columns
        return columns.index_select(1, self._of_column)

    def _chosen(self, X, generator):
        """Mask (n, d) that is True for a share `level` of the columns."""
        draw = self._per_column(X, lambda t: t.uniform_(generator=generator))
        return self._cells(draw < self.level)

    def _noise(self, X, generator):
        """Gaussian noise (n, d) whose standard deviations are the levels."""
        noise = torch.empty_like(X).normal_(generator=generator)
        level = self.level
        if isinstance(level, torch.Tensor) and level.ndim:
            level = self._cells(level[None])
        return noise.mul_(level)

    def for_hidden_cells(self):
        # Levels of single features say nothing of hidden cells: theirs is the mean.
        return clone(self).set_params(level=float(np.mean(self.level)))
