"""Corruptions that stand for what users pass: nothing, functions and lists."""

from functools import partial

from skae._utils.part import FunctionPart, check_takes, own_copy
from skae.corruptions._corruption import Corruption


class NoCorruption(Corruption):
    """Rows as they are: what ``corruption=None`` stands for."""

    is_neutral = True

    def __call__(self, X, generator):
        return X


class FunctionCorruption(FunctionPart, Corruption):
    """A user's function ``(X, generator) -> X`` as a corruption."""

    def for_hidden_cells(self):
        return NoCorruption()  # the function may know the features

    def __call__(self, X, generator):
        return self.function(X, generator)


class Successive(Corruption):
    """Corruptions one after the other: what a list of them stands for.

    Parameters
    ----------
    corruptions : list of Corruption
        At least two.
    """

    _parameter_constraints = {"corruptions": [list]}

    def __init__(self, corruptions):
        self.corruptions = corruptions

    def _check_loaded(self):
        # What users wrote comes back as they passed it.
        self.corruptions = [as_corruption(part) for part in self.corruptions]

    @property
    def hides(self):
        return any(part.hides for part in self.corruptions)

    @property
    def seen_weight(self):
        return min(part.seen_weight for part in self.corruptions)

    @property
    def is_known(self):
        return all(part.is_known for part in self.corruptions)

    def for_columns(self, of_column):
        return Successive([part.for_columns(of_column) for part in self.corruptions])

    def in_units(self, shift, scale):
        return Successive([part.in_units(shift, scale) for part in self.corruptions])

    def prepared(self, mean):
        return partial(_in_turn, [part.prepared(mean) for part in self.corruptions])

    def for_hidden_cells(self):
        return as_corruption([part.for_hidden_cells() for part in self.corruptions])

    def __call__(self, X, generator):
        return _in_turn(self.corruptions, X, generator)


def _in_turn(corruptions, X, generator):
    for corruption in corruptions:
        X = corruption(X, generator)
    return X


def as_corruption(corruption):
    """A corruption from what the parameter `corruption` holds."""
    if corruption is None:
        return NoCorruption()
    if isinstance(corruption, list | tuple):
        parts = [as_corruption(part) for part in corruption]
        parts = [part for part in parts if not part.is_neutral] or [NoCorruption()]
        return parts[0] if len(parts) == 1 else Successive(parts)
    corruption = own_copy(corruption)
    if not isinstance(corruption, Corruption):
        check_takes(corruption, "corruption", "X, generator")
        return FunctionCorruption(corruption)
    return NoCorruption() if corruption.is_neutral else corruption
