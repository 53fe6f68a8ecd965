"""What losses are called, given by name or as objects."""

import re

_LOSSES = {
    "squared_error": ("mean squared error", 2),
    "absolute_error": ("mean absolute error", 1),
    "huber": ("Huber loss", 2),
    "log_loss": ("log-loss", 0),
}


def loss_of(estimator):
    """The loss of an estimator.

    Returns
    -------
    name : str
        In words.
    degree : int or None
        The power of the data's units that it has; None if that is not known.
    """
    loss = getattr(estimator, "loss", None)
    # Objects of this package are called as the names that stand for them.
    snake = re.sub("(?<=[a-z])(?=[A-Z])", "_", type(loss).__name__).lower()
    known = _LOSSES.get(loss if isinstance(loss, str) else snake)
    if known is not None:
        return known
    degree = getattr(loss, "degree", None)
    name = getattr(loss, "__name__", type(loss).__name__)
    return name, degree if degree in (1, 2) else None
