"""The base of losses, penalties, corruptions and networks."""

from sklearn.base import BaseEstimator


class Part(BaseEstimator):
    """A small object of scalars that an estimator is put together from.

    As an estimator of scikit-learn it has ``clone``, ``repr`` and keys for grid
    searches, such as ``penalty__alpha``. Estimators check the ranges of its
    parameters when they are fitted.
    """

    _parameter_constraints = {}
