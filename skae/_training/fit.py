"""A whole fit, in one line: data, start, train, finish."""

from dataclasses import dataclass, replace

import numpy as np
import torch

from skae._inference.model import Model
from skae._training.callbacks import checked_callbacks
from skae._training.data import TrainingData
from skae._training.filling import FILLED_ROWS, completed, factors_that_fill
from skae._training.finish import Hidden, expected_of_hidden, finished
from skae._training.loop import train
from skae._training.objective import Objective
from skae._training.pca import Baseline, principal_components
from skae._training.settings import Result, as_arrays
from skae._training.start import fresh, pca_weights, resumed
from skae._utils.device import training_device
from skae._utils.random import new_seed
from skae._utils.ranges import has_holes
from skae._utils.scaling import Scaling
from skae._utils.threads import threads, usable_threads
from skae._utils.torch_state import undisturbed
from skae.losses._losses import check_bounds


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


@torch.enable_grad()
def fit(recipe, settings, X, earlier=None, epochs_done=0, layout=None):
    """Train a new model, or go on from an earlier one.

    Parameters
    ----------
    recipe : Recipe
    settings : Settings
    X : ndarray or CSR matrix of shape (n_samples, n_features), float32 or float64
        NaN stands for missing cells.
    earlier : Model, default=None
    epochs_done : int, default=0
        For which the earlier model was trained.
    layout : Layout, default=None
        Of the columns of a table with categories.

    Returns
    -------
    fitted : Fitted
    """
    checked_callbacks(settings.callbacks)
    reads_holes = earlier is not None and earlier.recipe.reads_holes
    recipe = recipe.of_rows(layout, reads_holes or has_holes(X))
    check_bounds(X, recipe.loss)
    if earlier is not None:
        recipe = recipe.continuing(earlier.recipe, earlier.n_components)
    device = training_device(settings.device)
    seed = new_seed(settings.random_state) if earlier is None else earlier.seed
    seeds = np.random.SeedSequence((seed, epochs_done)).generate_state(3).tolist()
    if earlier is not None:
        scaling = earlier.scaling
    else:
        scaling = Scaling.of(X) if layout is None else Scaling.centring(X)
    n_held_out = settings.n_held_out(X.shape[0])
    settings = replace(settings, most_threads=usable_threads())
    with undisturbed(device), threads(1):
        objective = Objective(recipe, scaling, epochs_done).to(device)
        data = TrainingData.of(X, scaling, n_held_out, seed, device, objective.first)
        if earlier is None:
            baseline = _baseline(data, objective, settings.n_components, seed)
            start = fresh(recipe, data, baseline, objective, settings, seed, seeds)
        else:
            baseline, n_components = None, earlier.n_components
            if not settings.is_incremental:
                baseline = _baseline(data, objective, n_components, earlier.seed)
            start = resumed(recipe, settings, earlier)
        pca_loss = baseline and baseline.loss(data, objective)
        result = train(start, data, objective, settings, seeds)
        if result.best_iter == 0 and start.pca_weights and baseline.filling:
            # Rows held out have judged, and may help to fill.
            whole = _baseline(data, objective, start.model.n_components, seed, first=0)
            weights = pca_weights(start.model, data, whole, objective, settings.init)
            result = replace(result, weights=as_arrays(weights))
        model = finished(start.model, result, data, objective, settings)
        hidden = None
        if recipe.corruption.hides:
            hidden = expected_of_hidden(model, data, objective, seeds[-1])
    return Fitted(model, result, pca_loss, hidden)


def _baseline(data, objective, n_components, seed, first=None):
    """PCA of all rows, whose missing cells it fills by those from the first one on.

    By those that are not held out, if none is given: others could not judge it.
    """
    rows, mask, filling = data.all.rows, data.all.mask, None
    first = data.n_held_out if first is None else first
    if objective.recipe.reads_holes and mask is None:
        filling = factors_that_fill(data.all[first : first + FILLED_ROWS].dense().rows)
    elif mask is not None:
        rows, filling = completed(rows, objective.cells_of(mask), first)
    return Baseline(principal_components(rows, n_components, seed), rows, filling)
