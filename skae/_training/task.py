"""What is to be trained, and trainings of it on rows of which some are held out."""

from dataclasses import dataclass

import numpy as np
import torch
from scipy.sparse import csr_matrix

from skae._inference.model import Model
from skae._recipe import Recipe
from skae._training.data import TrainingData
from skae._training.divided import Division, training_data
from skae._training.filling import FILLED_ROWS, completed, factors_that_fill
from skae._training.finish import Hidden, expected_of_hidden, finished
from skae._training.loop import train
from skae._training.objective import Objective
from skae._training.pca import Baseline, principal_components
from skae._training.settings import WHOLE, Result, Settings
from skae._training.spooled import SpooledRows
from skae._training.start import Start, fresh
from skae._utils.scaling import Scaling
from skae._utils.warnings import kept_warnings
from skae.checkpoints._journal import Journal


@dataclass(frozen=True)
class Fitted:
    """What a fit gives back.

    Attributes
    ----------
    model : Model
    result : Result
    pca_loss : float or None
        None where an earlier figure stays, in incremental training.
    hidden : Hidden or None
        None where no cells were hidden.
    """

    model: Model
    result: Result
    pca_loss: float | None
    hidden: Hidden | None

    def agreed(self, group):
        """The same in all processes of a group, whatever their processors are."""
        if group.size == 1:
            return self
        parts = self.model.weights, self.model.optimizer_state
        weights, state = group.from_first(parts)
        model = self.model.replaced(weights=weights, optimizer_state=state)
        rest = self.result, self.pca_loss, self.hidden
        return Fitted(model, *group.from_first(rest))


@dataclass(frozen=True)
class Task:
    """A recipe, settings and rows.

    Attributes
    ----------
    recipe : Recipe
    settings : Settings
    X : ndarray, CSR matrix, SpooledRows or Division
    scaling : Scaling
    objective : Objective
        On the device.
    device : torch.device
    seed : int
        Of the model, and of the order of the rows.
    seeds : list of three ints
        Of the training.
    journal : Journal
        In which trainings are kept.
    """

    recipe: Recipe
    settings: Settings
    X: np.ndarray | csr_matrix | SpooledRows | Division
    scaling: Scaling
    objective: Objective
    device: torch.device
    seed: int
    seeds: list
    journal: Journal

    def data(self, n_held_out, fold=0):
        """The rows, of which those of a fold are held out."""
        first = self.objective.first
        given = self.X, self.scaling, n_held_out, self.seed, self.device
        return training_data(*given, first, fold)

    def baseline(self, data, n_components, first=0):
        """PCA of the rows from the first one on.

        Missing cells are filled by rows that are not held out: others could not judge
        it.
        """
        filling = None
        if self.recipe.reads_holes or data.all.has_holes:
            known = data.train[:FILLED_ROWS].dense()
            mask = None if known.mask is None else self.objective.cells_of(known.mask)
            filling = factors_that_fill(known.rows, mask)
        rows = own = self._completed(data.all, filling)
        if data.own is not None:
            own = self._completed(data.own.all, filling)
        pca = principal_components(own[first:], n_components, self.seed, data.group)
        return Baseline(pca, rows, filling)

    def _completed(self, batch, filling):
        """The rows of a batch, whose missing cells are what is expected of them."""
        if not batch.has_holes:
            return batch.rows
        if not isinstance(batch.rows, torch.Tensor):
            return batch.rows.filled(filling)
        return completed(batch.rows, self.objective.cells_of(batch.mask), filling)

    def fresh(self, data, baseline):
        """A new model."""
        given = self.recipe, data, baseline, self.objective, self.settings
        start = fresh(*given, self.seed, self.seeds, self.journal)
        for state in (start.module.state_dict(), start.pca_weights or {}):
            for value in state.values():
                data.group.share_(value)
        return start

    def trained(self, start, data, baseline, run=WHOLE, pca_loss=None):
        """What comes of a start; the loss of PCA is told, if it is not the data's."""

        def attempt(result):
            return Attempt(self, start, data, baseline, result)

        def fitted(result):
            with kept_warnings():  # which are given at the end
                return attempt(result).fitted(pca_loss)

        given = start, data, self.objective, self.settings, self.seeds
        return attempt(train(*given, self.journal.entry(), run, fitted))


@dataclass(frozen=True)
class Attempt:
    """A training that has ended.

    Attributes
    ----------
    task : Task
    start : Start
    data : TrainingData
    baseline : Baseline or None
        None in incremental training.
    result : Result
    """

    task: Task
    start: Start
    data: TrainingData
    baseline: Baseline | None
    result: Result

    @property
    def pca_loss(self):
        """Mean loss of the rows that are judged, by PCA."""
        return self.baseline.loss(self.data, self.task.objective)

    def fitted(self, pca_loss=None):
        """What the fit gives back, if need be with another loss of PCA's."""
        task, hidden = self.task, None
        given = self.result, self.data, task.objective, task.settings
        model = finished(self.start.model, *given)
        if task.recipe.corruption.hides:
            given = self.data, task.objective, task.seeds[-1]
            hidden = expected_of_hidden(model, *given)
        if pca_loss is None and self.baseline is not None:
            pca_loss = self.pca_loss
        return Fitted(model, self.result, pca_loss, hidden)
