"""A whole fit, in one line: data, start, train, finish."""

from dataclasses import dataclass, replace

import numpy as np
import torch

from skae._inference.model import Model
from skae._training.callbacks import checked_callbacks
from skae._training.data import TrainingData
from skae._training.finish import finished
from skae._training.loop import train
from skae._training.objective import Objective
from skae._training.pca import principal_components
from skae._training.settings import Result
from skae._training.start import fresh, resumed
from skae._utils.device import training_device
from skae._utils.random import new_seed
from skae._utils.scaling import Scaling
from skae._utils.threads import threads, usable_threads
from skae._utils.torch_state import undisturbed
from skae.losses import check_bounds


@dataclass(frozen=True)
class Fitted:
    """What a fit gives back.

    Attributes
    ----------
    model : Model
    result : Result
    pca_loss : float or None
        None where an earlier figure stays, in incremental training.
    """

    model: Model
    result: Result
    pca_loss: float | None


@torch.enable_grad()
def fit(recipe, settings, X, earlier=None, epochs_done=0):
    """Train a new model, or go on from an earlier one.

    Parameters
    ----------
    recipe : Recipe
    settings : Settings
    X : ndarray of shape (n_samples, n_features), float32 or float64
    earlier : Model, default=None
    epochs_done : int, default=0
        For which the earlier model was trained.

    Returns
    -------
    fitted : Fitted
    """
    check_bounds(X, recipe.loss)
    checked_callbacks(settings.callbacks)
    if earlier is not None:
        recipe = recipe.continuing(earlier.recipe, earlier.n_components)
    device = training_device(settings.device)
    seed = new_seed(settings.random_state) if earlier is None else earlier.seed
    seeds = np.random.SeedSequence((seed, epochs_done)).generate_state(3).tolist()
    scaling = Scaling.of(X) if earlier is None else earlier.scaling
    n_held_out = settings.n_held_out(len(X))
    settings = replace(settings, most_threads=usable_threads())
    with undisturbed(device), threads(1):
        data = TrainingData.of(X, scaling, n_held_out, seed, device)
        objective = Objective(recipe, scaling, epochs_done).to(device)
        if earlier is None:
            pca = principal_components(data.all.rows, settings.n_components, seed)
            start = fresh(recipe, data, pca, objective, settings, seed, seeds)
        else:
            pca = _pca_to_compare(data, settings, earlier)
            start = resumed(recipe, settings, earlier)
        pca_loss = pca and objective.of_pca(pca, data.judged)
        result = train(start, data, objective, settings, seeds)
        model = finished(start.model, result, data, settings)
    return Fitted(model, result, pca_loss)


def _pca_to_compare(data, settings, earlier):
    """PCA with as many components as an earlier fit; None in incremental training."""
    if settings.is_incremental:
        return None
    return principal_components(data.all.rows, earlier.n_components, earlier.seed)
