"""Few rows: held out in turn, they judge a training that is then done on all."""

from dataclasses import replace
from typing import NamedTuple

import numpy as np
import torch

from skae._training.selection import Selection
from skae._training.settings import Result, Run
from skae._training.start import warn_of
from skae._training.task import Attempt
from skae._utils.torch_state import as_arrays

# Standard errors that are to be gained over PCA. That of all rows has seen those held
# out, which takes more to tell; that of a fold has not. Far out are few of few rows, so
# that their mean may not get worse.
_LIMITS = {"least": 2.0, "most": 0.0}
# What is recorded of each epoch.
_LOSSES = "train_loss", "valid_loss", "valid_objective"


class Decision(NamedTuple):
    """What the rows of all folds say.

    Attributes
    ----------
    best_iter : int
        The epoch that a training on all rows is to end with; 0 is PCA.
    history : list of dict
        Losses of each epoch, the means over the folds.
    """

    best_iter: int
    history: list


def cross_fitted(task, n_folds):
    """Train on all rows for as many epochs as were best for rows held out.

    A few rows held out don't tell a gain from chance, and are missed in training. So
    each fold is held out from a training of its own, and what the rows of all folds
    lose decides whether PCA is kept, and which epoch is the last one [1]_.

    Parameters
    ----------
    task : Task
    n_folds : int

    Returns
    -------
    fitted : Fitted
        Losses are means over the folds. After Ctrl-C it is the training that was
        interrupted, or the one before, if none of its epochs had ended.

    References
    ----------
    .. [1] Stone, M. (1974). Cross-validatory choice and assessment of statistical
       predictions. Journal of the Royal Statistical Society B 36(2).
       :doi:`10.1111/j.2517-6161.1974.tb00994.x`
    """
    whole = task.data(0)
    baseline = task.baseline(whole, task.settings.n_components)
    start = task.fresh(whole, baseline)
    warn_of(start, whole, baseline, task.settings)
    settings = replace(task.settings, n_components=start.model.n_components)
    of_folds = replace(task, settings=settings)
    attempt, results, pca_losses = None, [], []
    try:
        for fold in range(n_folds):
            attempt = _of_fold(of_folds, fold, n_folds)
            if attempt.result.interrupted:
                return _interrupted(attempt)
            results.append(attempt.result)
            pca_losses.append(attempt.pca_loss)
        decision = _decided(results)
        pca_loss = float(np.mean(pca_losses))
        result = _of_all_rows(task, start, whole, baseline, decision, pca_loss)
    except KeyboardInterrupt:
        if attempt is None:
            raise
        return _interrupted(attempt)
    fitted = Attempt(task, start, whole, baseline, result)
    return fitted.fitted(pca_loss)


def _of_fold(task, fold, n_folds):
    """A training on all rows but those of a fold, which judge it."""
    data = task.data(task.settings.n_held_out(task.X.shape[0]), fold)
    # Rows that judge have no part in PCA either.
    baseline = task.baseline(data, task.settings.n_components, data.n_held_out)
    run = Run(stops=False, title=f"fold {fold + 1} of {n_folds}")
    return task.trained(task.fresh(data, baseline), data, baseline, run)


def _interrupted(attempt):
    """What is left of a fit that was interrupted."""
    result = replace(attempt.result, interrupted=True)
    return replace(attempt, result=result).fitted()


def _decided(results):
    """The decision of rows that were held out from one training or another."""
    of_pca, of_epochs = zip(*(result.judged for result in results), strict=True)
    of_pca = None if of_pca[0] is None else torch.cat(of_pca)
    selection = Selection(of_pca, limits=_LIMITS)
    for epoch, losses in enumerate(zip(*of_epochs, strict=True), 1):
        selection.offer(epoch, torch.cat(losses))
    history = _mean_history([result.history for result in results])
    return Decision(0 if selection.keeps_pca else selection.epoch, history)


def _mean_history(histories):
    """Losses of each epoch, the means over trainings of as many epochs."""
    names = [name for name in _LOSSES if name in histories[0][0]]
    return [
        {"epoch": epoch}
        | {name: float(np.mean([row[name] for row in rows])) for name in names}
        for epoch, rows in enumerate(zip(*histories, strict=True), 1)
    ]


def _of_all_rows(task, start, data, baseline, decision, pca_loss):
    """The result of PCA or of a training on all rows, with the losses of the folds."""
    best_iter, history = decision
    if best_iter == 0:
        weights = as_arrays(start.pca_weights)
        return Result(weights, {}, len(history), 0, history, interrupted=False)
    # Batches are those of the folds, or else there would be fewer steps than judged.
    settings, n_rows = task.settings, task.X.shape[0]
    size = settings.batch_size_for(n_rows - settings.n_held_out(n_rows))
    task = replace(task, settings=replace(settings, batch_size=size))
    run = Run(last_epoch=best_iter, title="all rows")
    trained = task.trained(start, data, baseline, run, pca_loss).result
    if trained.interrupted:
        return replace(trained, history=history[: trained.n_iter])
    return replace(trained, n_iter=len(history), history=history)
