"""Fits of an estimator on the workers of a cluster."""

from functools import partial

from skae._utils.stored import callbacks_of, without_callbacks
from skae._utils.twin import all_or_nothing, twin_of
from skae._utils.warnings import kept_warnings, warn


def fit_on_workers(client, estimator, X, earlier, is_incremental):
    """Train an estimator on the workers of a cluster, each with rows of its own.

    Parameters
    ----------
    client : distributed.Client
    estimator : BaseAutoencoder
    X : collection of Dask
    earlier : Model or None
        What the fit goes on from.
    is_incremental : bool
        Whether this is an epoch of `partial_fit`.

    Returns
    -------
    estimator : BaseAutoencoder
    """
    from skae._cluster.fitting import fitted_on_workers

    with all_or_nothing(estimator) as twin:
        # Callbacks stay here: they are told of the fit, and not of its epochs.
        told, sent = callbacks_of(vars(estimator)), twin_of(estimator)
        sent.__dict__ = without_callbacks(vars(estimator))
        train = partial(_state_of_fit, sent, earlier, is_incremental)
        goes_on = estimator.checkpoint is not None
        state, kept = fitted_on_workers(client, X, train, goes_on)
        twin.__dict__ = {**estimator.get_params(deep=False), **state, **told}
    for warning in kept:
        warn(*warning)
    return estimator


def _state_of_fit(estimator, earlier, is_incremental, X):
    """What a fit sets on a worker, and its warnings, which nobody would hear there."""
    with kept_warnings() as kept:
        fitted = estimator._fit(X, earlier, is_incremental)
    parameters = fitted.get_params(deep=False)
    state = {name: v for name, v in vars(fitted).items() if name not in parameters}
    return state, kept
