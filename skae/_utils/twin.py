"""All or nothing: what a method changes in an estimator is stored once, at its end."""

from contextlib import contextmanager


@contextmanager
def all_or_nothing(estimator):
    """A twin of an estimator to be changed, whose state the estimator takes over.

    That is one assignment, after the block. An error or Ctrl-C at any line before it
    leaves the estimator as it was, and other threads see one state or the other.

    Parameters
    ----------
    estimator : BaseEstimator

    Yields
    ------
    twin : BaseEstimator
        Of the same class, with the same parameters, callbacks and fitted attributes.
    """
    twin = twin_of(estimator)
    yield twin
    estimator.__dict__ = vars(twin)


def twin_of(estimator):
    """An estimator of the same class and state, which may be changed apart from it."""
    # Not copy.copy, for which callbacks are cloned.
    twin = object.__new__(type(estimator))
    twin.__dict__ = vars(estimator).copy()
    return twin
