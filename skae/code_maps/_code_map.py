"""The base of code maps, and code maps of what users pass."""

from abc import abstractmethod

from torch import nn

from skae._utils.part import FunctionPart, Part, own_copy


class CodeMap(Part):
    """Base of all code maps: called with a code size, they make a module.

    The module maps codes (n, n_components) to codes of the same shape, row by row, and
    stands between encoder and decoder. It may have parameters, which are trained.

    Attributes
    ----------
    bounds : tuple of two floats or None
        Range of each component.
    has_own_units : bool
        Whether codes keep their size where the data are multiplied by a constant.
    is_gaussian : bool
        Whether codes are means of Gaussian distributions, from which the decoder reads
        draws while training. The module then has a method ``log_variance(mean)``.
    moves_codes : bool
        Whether the module changes codes, and does not only say something about them.
    is_exact : bool
        Whether what the module does to a number cannot depend on where it stands: it
        moves, compares, adds and multiplies, and takes no logarithm or the like.
    refines : bool
        Whether codes of a trained network are solved for: the module then has an
        attribute `method`, of :class:`Refinement`.
    """

    bounds: tuple[float, float] | None = None
    has_own_units = False
    is_gaussian = False
    moves_codes = True
    is_exact = False
    refines = False

    @property
    def is_neutral(self):
        """Whether codes of any size stay as they are."""
        return False

    def changes(self, n_components):
        """Whether codes of a size don't stay as they are."""
        return not self.is_neutral

    def nonzeros(self, n_components):
        """How many components of a code are nonzero at the most."""
        return n_components

    def bounds_after(self, bounds):
        """Range of components that were in a range before, or None."""
        return self.bounds

    @abstractmethod
    def __call__(self, n_components):
        """A module that maps codes.

        Parameters
        ----------
        n_components : int

        Returns
        -------
        module : torch.nn.Module
        """


class FunctionCodeMap(FunctionPart, CodeMap):
    """A user's function ``n_components -> module`` as a code map."""

    def __call__(self, n_components):
        return self.function(n_components)


def as_code_maps(code_map):
    """A tuple of code maps from what the parameter `code_map` holds."""
    if code_map is None:
        return ()
    given = code_map if isinstance(code_map, list | tuple) else [code_map]
    maps = [own_copy(part) for part in given]
    for part in maps:
        if isinstance(part, nn.Module):
            raise TypeError(
                f"code_map holds a {type(part).__name__}: pass what makes it, such as "
                f"lambda n_components: {part!r}, so that each fit starts anew."
            )
        if not callable(part):
            raise TypeError(
                f"code_map holds {part!r}, but code maps, such as those of "
                "skae.code_maps, or callables n_components -> module were expected."
            )
    maps = [p if isinstance(p, CodeMap) else FunctionCodeMap(p) for p in maps]
    return tuple(part for part in maps if not part.is_neutral)
