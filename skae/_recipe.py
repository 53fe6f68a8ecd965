"""What an autoencoder is made of and trained on: its parts, resolved and checked."""

from dataclasses import dataclass, replace

from skae._utils.checks import boolean, instance, not_required, tuple_of
from skae._utils.stored import stored
from skae.code_maps import CodeMap, GaussianCode
from skae.code_maps._code_map import as_code_maps
from skae.corruptions import Corruption, Missing
from skae.corruptions._given import as_corruption
from skae.losses import Loss
from skae.losses._losses import as_loss, parameter_value
from skae.losses._table import TableLoss
from skae.networks._network import Network, as_network
from skae.networks._trial import made, tried
from skae.penalties import GaussianKL, Penalty, as_penalty

# Columns of numbers, of which networks are told in bins: of more, that takes too long.
_MOST_BINNED = 64
# What makes an object of what each parameter holds.
_MAKERS = {
    "network": as_network,
    "code_maps": as_code_maps,
    "loss": as_loss,
    "penalty": as_penalty,
    "corruption": as_corruption,
}


@stored(
    given={name: name for name in _MAKERS} | {"code_maps": "code_map"},
    network=instance(Network),
    code_maps=tuple_of(instance(CodeMap)),
    loss=instance(Loss),
    penalty=instance(Penalty),
    corruption=instance(Corruption),
    reads_holes=not_required(boolean),
)
@dataclass(frozen=True)
class Recipe:
    """The parts of an autoencoder. None and plain functions have become objects.

    Attributes
    ----------
    network : Network
    code_maps : tuple of CodeMap
    loss : Loss
    penalty : Penalty
    corruption : Corruption
    reads_holes : bool
        Whether the network reads rows with missing cells, NaN, as it does where its
        training showed it such.
    """

    network: Network
    code_maps: tuple[CodeMap, ...]
    loss: Loss
    penalty: Penalty
    corruption: Corruption
    reads_holes: bool = False

    @classmethod
    def of(cls, network, code_map, loss, penalty, corruption):
        """The recipe that an estimator's parameters stand for.

        Raises
        ------
        TypeError, ValueError
            If a part is not what it should be.
        """
        parts = network, code_map, loss, penalty, corruption
        return cls(*(m(p) for m, p in zip(_MAKERS.values(), parts, strict=True)))

    def of_rows(self, layout, have_holes):
        """This recipe for rows of a table, or for rows with missing cells.

        Parameters
        ----------
        layout : Layout or None
            Of a table with categories.
        have_holes : bool

        Returns
        -------
        recipe : Recipe
            Training hides cells, if it is to show the network that some are missing.
        """
        loss, corruption = self.loss, self.corruption
        if layout is not None:
            if loss.bounds is not None:
                raise ValueError(
                    f"loss={parameter_value(loss)!r} needs numbers within "
                    f"{loss.bounds}, but those of a table with categories or dates "
                    "have units of their columns: use 'squared_error', "
                    "'absolute_error' or 'huber'."
                )
            loss = TableLoss(loss, layout)
        if self.refines_codes and not is_of_rows(loss):
            raise ValueError(
                f"{self.code_maps[-1]!r} solves for codes whose columns add up to a "
                f"row, but loss={parameter_value(self.loss)!r}, or a table with "
                "categories, has the decoder return log-odds: use refine=None, or no "
                "Refinement among the code maps."
            )
        if have_holes and not corruption.hides:
            corruption = as_corruption([corruption, Missing()])
        reads = self.reads_holes or corruption.hides
        return replace(self, loss=loss, corruption=corruption, reads_holes=reads)

    def _check_loaded(self):
        """Make objects of what users passed to the loading, as a fit does."""
        for name, make in _MAKERS.items():
            vars(self)[name] = make(getattr(self, name))

    @property
    def is_constrained(self):
        """Whether anything but its size keeps the code from being the row itself."""
        return bool(self.code_maps) or not self.is_reconstruction_only

    @property
    def is_reconstruction_only(self):
        """Whether the loss of clean rows is all that is minimised."""
        return self.penalty.is_neutral and self.corruption.is_neutral

    @property
    def has_free_codes(self):
        """Whether codes may be mapped by any matrix that the decoder undoes."""
        is_free = self.penalty.is_neutral and not self.code_maps
        return is_free and self.network.is_known

    @property
    def is_probabilistic(self):
        """Whether codes are Gaussian and fill a prior, as probabilistic PCA's do."""
        kinds, penalty = [type(part) for part in self.code_maps], self.penalty
        has_prior = type(penalty) is GaussianKL and penalty.prior == "standard"
        return kinds == [GaussianCode] and has_prior

    @property
    def refines_codes(self):
        """Whether codes of a trained network are solved for, by its decoder."""
        return any(part.refines for part in self.code_maps)

    @property
    def is_known(self):
        """Whether the network and what its codes pass through are of this package."""
        return self.network.is_known and self._has_known_maps

    @property
    def can_be_folded(self):
        """Whether layers can be folded together, with nothing unknown behind them."""
        return self.network.is_dense and self._has_known_maps

    @property
    def _has_known_maps(self):
        return all(part.is_known for part in self.code_maps)

    @property
    def has_known_criterion(self):
        """Whether what is minimised is the same in each call with the same rows."""
        parts = self.loss, self.penalty, self.corruption
        return all(part.is_known for part in parts)

    def draws(self, module):
        """Whether training a module may draw past its generator; corruptions apart."""
        parts = *self.code_maps, self.penalty
        of_network = self.network.draws and module.draws
        return of_network or any(part.draws for part in parts)

    def for_codes_of(self, n_components):
        """This recipe without code maps that leave codes of a size as they are."""
        maps = tuple(part for part in self.code_maps if part.changes(n_components))
        if all(part.refines for part in maps):  # there are no zeros
            maps = ()
        return replace(self, code_maps=maps)

    def n_nonzeros(self, n_components):
        """How many components of a code of a size are nonzero at the most."""
        numbers = [part.nonzeros(n_components) for part in self.code_maps]
        return min(numbers, default=n_components)

    def for_codes_with(self, n_nonzeros):
        """This recipe for codes of up to so many nonzeros, which say how to refine."""
        *maps, last = self.code_maps
        last = last.of_codes(n_nonzeros)
        return replace(self, code_maps=(*maps, *([] if last is None else [last])))

    @property
    def layout(self):
        """The Layout of a table with categories, or None."""
        # A loss of the user's may have an attribute of that name, too.
        return self.loss.layout if isinstance(self.loss, TableLoss) else None

    def n_columns(self, n_features):
        """How many columns rows of so many cells stand for."""
        return n_features if self.layout is None else self.layout.n_columns

    def new_module(self, n_features, n_components):
        """A module with fresh weights, once it was tried."""
        widths = n_features, n_components
        return tried(self.network, self.code_maps, *widths, self._reading(n_features))

    def module(self, n_features, n_components):
        """A module to be given the weights of an earlier one."""
        widths = n_features, n_components
        return made(self.network, self.code_maps, *widths, self._reading(n_features))

    def _reading(self, n_features):
        """What networks that can be are told of rows with holes; None without such."""
        if not self.reads_holes:
            return None
        told, n_numbers = range(n_features), n_features
        if self.layout is not None:
            told, n_numbers = self.layout.first.tolist(), self.layout.n_numbers
        return told, n_numbers if n_numbers <= _MOST_BINNED else 0

    def continuing(self, earlier, n_components):
        """This recipe for the network of an earlier one, with whose weights it goes on.

        Parameters
        ----------
        earlier : Recipe
        n_components : int
            Of the earlier fit.

        Raises
        ------
        ValueError
            If the weights would mean something else.
        """
        if earlier.loss.bounds != self.loss.bounds:
            raise ValueError(
                f"loss={parameter_value(self.loss)!r} cannot go on from a fit with "
                f"loss={parameter_value(earlier.loss)!r}, whose output means something "
                "else: set warm_start=False."
            )
        recipe = self.for_codes_of(n_components)
        kinds = [
            [type(part) for part in r.code_maps if not part.refines]
            for r in (recipe, earlier)
        ]
        if kinds[0] != kinds[1]:
            raise ValueError(
                f"Codes that pass through {list(recipe.code_maps)} cannot go on from a "
                f"fit with {list(earlier.code_maps)}, where they mean something else: "
                "set warm_start=False, or fit a new estimator."
            )
        return replace(recipe, network=earlier.network, reads_holes=earlier.reads_holes)


def is_of_rows(loss):
    """Whether raw output is rows, and not something that is turned into them."""
    if isinstance(loss, TableLoss):
        return len(loss.layout.widths) == 0 and is_of_rows(loss.numbers)
    return type(loss).to_data is Loss.to_data
