"""A whole fit, in one line: data, start, train, finish."""

from dataclasses import replace

import numpy as np
import torch

from skae._sources.memory import MemoryRows
from skae._training.callbacks import checked_callbacks
from skae._training.divided import given
from skae._training.folds import cross_fitted
from skae._training.objective import Objective
from skae._training.start import pca_weights, resumed, warn_of
from skae._training.task import Task
from skae._utils.allocation import kept_memory
from skae._utils.device import training_device
from skae._utils.random import new_seed
from skae._utils.threads import threads, usable_threads
from skae._utils.torch_state import as_arrays, undisturbed
from skae._utils.warnings import warn
from skae.losses._losses import check_ends


@torch.enable_grad()
def fit(recipe, settings, X, earlier, epochs_done, layout, journal):
    """Train a new model, or go on from an earlier one.

    Parameters
    ----------
    recipe : Recipe
    settings : Settings
    X : MemoryRows, StreamedRows or GroupedRows of shape (n_samples, n_features)
        NaN stands for missing cells.
    earlier : Model or None
    epochs_done : int
        For which the earlier model was trained.
    layout : Layout or None
        Of the columns of a table with categories.
    journal : Journal
        In which trainings are kept.

    Returns
    -------
    fitted : Fitted
    """
    checked_callbacks(settings.callbacks, journal.keeps)
    reads_holes = earlier is not None and earlier.recipe.reads_holes
    recipe = recipe.of_rows(layout, reads_holes or X.has_holes())
    if recipe.loss.bounds is not None:
        check_ends(*X.ends(), recipe.loss)
    if earlier is not None:
        recipe = recipe.continuing(earlier.recipe, earlier.n_components)
    device = training_device(settings.device)
    if earlier is None:
        seed = journal.seeded(new_seed(settings.random_state))
    else:
        seed = earlier.seed
    seeds = np.random.SeedSequence((seed, epochs_done)).generate_state(3).tolist()
    if earlier is not None:
        scaling = earlier.scaling
    else:
        scaling = X.scaling() if layout is None else X.centring()
    # One process speaks for all.
    verbose = settings.verbose if X.group.rank == 0 else 0
    settings = replace(settings, most_threads=usable_threads(), verbose=verbose)
    settings = settings.for_rows(*X.shape)
    settings.warn_of_few(X.shape[0])
    n_folds = 1
    if isinstance(X, MemoryRows):
        n_folds = settings.n_folds(X.shape[0], recipe.corruption.hides)
    with undisturbed(device), threads(1), kept_memory():
        objective = Objective(recipe, scaling, epochs_done).to(device)
        n_held_out = settings.n_held_out(X.shape[0])
        rows = given(X, scaling, seed, device, objective.first, n_held_out)
        task = Task(
            recipe, settings, rows, scaling, objective, device, seed, seeds, journal
        )
        if earlier is not None:
            return _resumed(task, earlier)
        if n_folds > 1:
            return cross_fitted(task, n_folds)
        return _held_out(task)


def _held_out(task):
    """A new fit, judged by rows held out from it."""
    settings, objective = task.settings, task.objective
    data = task.data(settings.n_held_out(task.X.shape[0]))
    baseline = task.baseline(data, settings.n_components)
    start = task.fresh(data, baseline)
    warn_of(start, data, baseline, settings)
    attempt = task.trained(start, data, baseline)
    if not task.recipe.penalty.in_nats:  # which have no ratio
        _warn_of_far_rows(attempt.result)
    if attempt.result.best_iter == 0 and start.pca_weights and baseline.filling:
        # Rows held out have judged, and may help to fill.
        whole = task.baseline(task.data(0), start.model.n_components)
        weights = pca_weights(start.model, data, whole, objective, settings.init)
        result = replace(attempt.result, weights=as_arrays(weights))
        attempt = replace(attempt, result=result)
    return attempt.fitted()


def _warn_of_far_rows(result):
    """Warn where PCA was left for what most held-out rows gain, and their mean not."""
    if result.judged is None or result.judged.pca is None or result.best_iter == 0:
        return
    of_pca, of_best = result.judged.pca, result.judged.epochs[result.best_iter - 1]
    if of_best.mean() > of_pca.mean():
        share = float((of_best < of_pca).double().mean())
        ratio = float(of_best.mean() / of_pca.mean())
        warn(
            f"The network was kept, since {share:.0%} of the held-out rows have less "
            f"error than by PCA. The mean over all of them is {ratio:.3g} times PCA's, "
            "because of a few rows far out. If their error matters, use PCA; if not, "
            "leave them out, or fit with loss='huber'."
        )


def _resumed(task, earlier):
    """A fit that goes on from an earlier model, judged by rows held out from it.

    Which the earlier one may have been trained on: then it is the harder to beat.
    """
    settings, baseline = task.settings, None
    data = task.data(settings.n_held_out(task.X.shape[0]))
    if not settings.is_incremental:
        baseline = task.baseline(data, earlier.n_components)
    start = resumed(task.recipe, settings, earlier)
    return task.trained(start, data, baseline).fitted()
