"""Random generators of numpy, made of what is read from files."""

import numpy as np

from skae._utils.checks import count, number
from skae.exceptions import InvalidFileError

_OUTER = {"bit_generator", "state", "has_gauss", "gauss"}
_INNER = {"key", "pos"}


def random_state(state):
    """A RandomState; numpy itself would take any position, and read from there."""
    inner = state.get("state") if isinstance(state, dict) else None
    if not isinstance(inner, dict) or set(state) != _OUTER or set(inner) != _INNER:
        raise InvalidFileError("The file has a RandomState without its state.")
    key, pos = inner["key"], inner["pos"]
    is_key = isinstance(key, np.ndarray) and key.dtype == np.uint32
    is_state = is_key and key.shape == (624,) and count(pos) and pos <= 624
    is_rest = state["has_gauss"] in (0, 1) and number(state["gauss"])
    if state["bit_generator"] != "MT19937" or not is_state or not is_rest:
        raise InvalidFileError("The file has a RandomState of impossible values.")
    made = np.random.RandomState()
    made.set_state(state)
    return made
