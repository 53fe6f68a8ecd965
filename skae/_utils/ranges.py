"""The range of values that can be computed with; known without PyTorch too."""

import numpy as np

# The square of a larger float32 number is close to overflowing.
LARGEST = 1e15


def is_bounded(X):
    """Whether all of X is certainly finite and not too large, by one quick pass.

    False may also stand for very many large values.
    """
    cells = X.ravel(order="K")
    with np.errstate(over="ignore", invalid="ignore"):
        return bool(np.dot(cells, cells) < LARGEST**2)


def check_magnitude(X, name):
    """Raise for values whose squares would overflow in single precision."""
    if is_bounded(X):
        return
    largest = max(float(X.max()), -float(X.min()))
    if largest > LARGEST:
        raise ValueError(
            f"X has values up to {largest:.3g} in magnitude, but {name} takes at the "
            f"most {LARGEST:.0e}. Replace placeholders such as 1e30 by real values "
            "or remove their rows; if the values are real, divide X by a constant."
        )


def check_distance(X, scaling, name):
    """Raise for rows too far from those that were fitted: squares would overflow."""
    # Squares of what is left of a checked magnitude fit into single precision.
    if scaling.scale >= 1e-3:
        return
    largest = float(np.abs(X - scaling.shift).max())
    if largest > LARGEST * scaling.scale:
        raise ValueError(
            f"X lies up to {largest / scaling.scale:.3g} standard deviations of the "
            f"rows that {name} was fitted to away from their mean, but at the most "
            f"{LARGEST:.0e} can be told apart: are the units the same?"
        )
