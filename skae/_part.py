"""The base of losses, penalties, corruptions and networks."""

from sklearn.base import BaseEstimator


class Part(BaseEstimator):
    """A small object of scalars that an estimator is put together from.

    As an estimator of scikit-learn it has ``clone``, ``repr`` and keys for grid
    searches, such as ``penalty__alpha``. Estimators check the ranges of its
    parameters when they are fitted.
    """

    _parameter_constraints = {}


class KnownNetwork(Part):
    """Base of networks of which it is known what each layer is for.

    So their layers may be set anew and folded together. That does not go for what
    users derive from these networks: its layers may be others.
    """


def is_known(network):
    """Whether a network is a :class:`KnownNetwork` itself, and not derived from one."""
    return KnownNetwork in type(network).__bases__
