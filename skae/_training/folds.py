"""Few rows: held out in turn, they judge a training that is then done on all."""

from dataclasses import replace

import numpy as np
import torch

from skae._training.callbacks import tell_kept
from skae._training.selection import Selection
from skae._training.settings import Result, as_arrays
from skae._training.start import warn_of
from skae._training.task import Attempt

# Standard errors that are to be gained over PCA. That of all rows has seen those held
# out, which takes more to tell; that of a fold has not.
_LEAST = 2.0
# What is recorded of each epoch.
_LOSSES = "train_loss", "valid_loss", "valid_objective"


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
        interrupted.

    References
    ----------
    .. [1] Stone, M. (1974). Cross-validatory choice and assessment of statistical
       predictions. Journal of the Royal Statistical Society B 36(2).
       :doi:`10.1111/j.2517-6161.1974.tb00994.x`
    """
    whole = task.data(0)
    baseline = task.baseline(whole, task.settings.n_components)
    start = task.fresh(whole, baseline, task.settings)
    warn_of(start, whole, baseline, task.settings)
    attempts = []
    try:
        for fold in range(n_folds):
            attempts.append(_attempt(task, fold, n_folds, start.model.n_components))
            if attempts[-1].result.interrupted:
                return attempts[-1].fitted()
        result = _decided(start, [attempt.result for attempt in attempts])
        last = Attempt(task, start, whole, baseline, result)
        if result.best_iter > 0:
            settings = replace(
                task.settings, last_epoch=result.best_iter, title="all rows"
            )
            trained = task.trained(start, whole, baseline, settings).result
            last = replace(last, result=_of_all_rows(trained, result))
    except KeyboardInterrupt:
        if not attempts:
            raise
        attempt = attempts[-1]
        result = replace(attempt.result, interrupted=True)
        return replace(attempt, result=result).fitted()
    if task.settings.verbose:
        tell_kept(result.best_iter, result.n_iter)
    pca_loss = float(np.mean([attempt.pca_loss for attempt in attempts]))
    return last.fitted(pca_loss)


def _attempt(task, fold, n_folds, n_components):
    """A training on all rows but those of a fold, which judge it."""
    settings = replace(
        task.settings,
        n_components=n_components,
        # A training that stops before others could not be compared with them.
        n_iter_no_change=task.settings.n_epochs,
        title=f"fold {fold + 1} of {n_folds}",
    )
    data = task.data(settings.n_held_out(task.X.shape[0]), fold)
    # Rows that judge have no part in PCA either.
    baseline = task.baseline(data, n_components, data.n_held_out)
    start = task.fresh(data, baseline, settings)
    return task.trained(start, data, baseline, settings)


def _decided(start, results):
    """The result of a fit that keeps PCA, or the epoch with which one is to end."""
    of_pca, of_epochs = zip(*(result.judged for result in results), strict=True)
    of_pca = None if of_pca[0] is None else torch.cat(of_pca)
    selection = Selection(of_pca, least=_LEAST)
    for epoch, losses in enumerate(zip(*of_epochs, strict=True), 1):
        selection.takes(epoch, torch.cat(losses))
    return Result(
        weights=as_arrays(start.pca_weights) if selection.keeps_pca else {},
        optimizer_state={},
        n_iter=results[0].n_iter,
        best_iter=0 if selection.keeps_pca else selection.epoch,
        history=_mean_history([result.history for result in results]),
        interrupted=False,
    )


def _mean_history(histories):
    """Losses of each epoch, the means over trainings of as many epochs."""
    names = [name for name in _LOSSES if name in histories[0][0]]
    return [
        {"epoch": epoch}
        | {name: float(np.mean([row[name] for row in rows])) for name in names}
        for epoch, rows in enumerate(zip(*histories, strict=True), 1)
    ]


def _of_all_rows(trained, decided):
    """The result of a training on all rows, whose losses are those of the folds."""
    if trained.interrupted:
        history = decided.history[: trained.n_iter]
        return replace(trained, history=history)
    return replace(trained, n_iter=decided.n_iter, history=decided.history)
