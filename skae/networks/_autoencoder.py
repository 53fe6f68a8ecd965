"""What is trained: the base that declares what a network can do, and codes mapped."""

from abc import abstractmethod

import torch
from torch import nn

from skae.networks._refiner import RefinedEncoder, Refiner


class Autoencoder(nn.Module):
    """Base of networks: a module with ``encode`` and ``decode``, and what they can do.

    Modules of other classes with these two methods will do as well, and are wrapped.
    Derive from this class to declare more of a network of your own.

    Attributes
    ----------
    code_bounds : tuple of two floats or None
        Range of each component of the code.
    has_own_units : bool
        Whether codes keep their size where the data are multiplied by a constant.
    is_gaussian : bool
        Whether codes are means of Gaussian distributions, around which
        :meth:`log_variance` says how much they vary.
    draws : bool
        Whether random numbers may be drawn while training, as Dropout does. True is
        always right; False saves the time, up to a third of a small network's, that it
        takes to draw them privately.

    Examples
    --------
    >>> import torch
    >>> from torch import nn
    >>> from skae.networks import Autoencoder
    >>> class Bounded(Autoencoder):
    ...     code_bounds, has_own_units = (0.0, 1.0), True
    ...
    ...     def __init__(self, n_features, n_components):
    ...         super().__init__()
    ...         self.down = nn.Linear(n_features, n_components)
    ...         self.up = nn.Linear(n_components, n_features)
    ...
    ...     def encode(self, X):
    ...         return torch.sigmoid(self.down(X))
    ...
    ...     def decode(self, code):
    ...         return self.up(code)
    >>> code, output = Bounded(6, 2)(torch.zeros(5, 6))
    >>> code.shape, output.shape
    (torch.Size([5, 2]), torch.Size([5, 6]))
    """

    code_bounds: tuple[float, float] | None = None
    has_own_units = False
    is_gaussian = False
    can_be_pca = False
    is_tied = False
    draws = True

    @abstractmethod
    def encode(self, X):
        """Codes (n, n_components) of standardised rows (n, n_features)."""

    @abstractmethod
    def decode(self, code):
        """Raw output (n, n_features) of codes (n, n_components)."""

    def log_variance(self, mean):
        """Logarithm of the variances (n, n_components) around means; if Gaussian."""
        raise TypeError(
            f"{type(self).__name__} has no method log_variance(mean), which Gaussian "
            "codes need."
        )

    def draw(self, code, generator):
        """What the decoder reads while training: codes, or draws around them."""
        if not self.is_gaussian:
            return code
        noise = torch.empty_like(code).normal_(generator=generator)
        return code + torch.exp(0.5 * self.log_variance(code)) * noise

    def forward(self, X, generator=None):
        """Codes and raw output, as training has them.

        Parameters
        ----------
        X : Tensor of shape (n, n_features)
        generator : torch.Generator, default=None
            Of draws around Gaussian codes; None leaves them at their means.

        Returns
        -------
        code : Tensor of shape (n, n_components)
        output : Tensor of shape (n, n_features)
        """
        code = self.encode(X)
        seen = code if generator is None else self.draw(code, generator)
        return code, self.decode(seen)

    @property
    def reader(self):
        """What rows pass through first, where they may have missing cells, or None."""
        return None

    @property
    def bare(self):
        """The network without what its rows and its codes pass through."""
        return self

    @property
    def dictionary(self):
        """The Linear layer that is all of the decoder, or None."""
        return None

    def refiner(self):
        """What solves for the codes of new rows, or None where they are the encoder's.

        Of the weights as they are now.
        """
        return None

    def solved(self, X):
        """Codes (n, n_components) of new rows, solved for where that is so."""
        code, refiner = self.encode(X), self.refiner()
        return code if refiner is None else refiner(X, code)

    def halves(self):
        """Encoder and decoder as modules, which share the weights of this one."""
        return Method(self, "encode"), Method(self, "decode")


class Method(nn.Module):
    """One method of a module as a module of its own.

    Parameters
    ----------
    module : Module
    name : str
    """

    def __init__(self, module, name):
        super().__init__()
        self.module = module
        self.name = name

    def forward(self, X):
        return getattr(self.module, self.name)(X)


class MappedAutoencoder(Autoencoder):
    """A network whose codes pass through code maps.

    Parameters
    ----------
    network : Autoencoder
    code_maps : sequence of CodeMap
        At least one, in the order in which codes pass through them.
    n_components : int
    """

    def __init__(self, network, code_maps, n_components):
        super().__init__()
        self.network = network
        self.maps = nn.ModuleList(_made(make, n_components) for make in code_maps)
        self.code_bounds = network.code_bounds
        for make in code_maps:
            self.code_bounds = make.bounds_after(self.code_bounds)
        self.is_gaussian = code_maps[-1].is_gaussian
        if self.is_gaussian and not hasattr(self.maps[-1], "log_variance"):
            raise TypeError(
                f"The code map {code_maps[-1]!r} is Gaussian, but its module has no "
                "method log_variance(mean)."
            )
        self._moving = [i for i, make in enumerate(code_maps) if make.moves_codes]
        self._is_refined = any(make.refines for make in code_maps)
        numbers = [make.nonzeros(n_components) for make in code_maps]
        # Nonzeros of each code, where a map says how many.
        self._most = min(numbers) if min(numbers) < n_components else None
        if self._is_refined:
            self._check_refined(code_maps)
        self.draws, self.is_tied = network.draws, network.is_tied
        self.has_own_units = network.has_own_units or any(
            make.has_own_units for make in code_maps
        )

    def encode(self, X):
        code = self.network.encode(X)
        for code_map in self.maps:
            code = code_map(code)
        return code

    def decode(self, code):
        return self.network.decode(code)

    def log_variance(self, mean):
        return self.maps[-1].log_variance(mean)

    def become_constant(self, log_variance):
        """Make codes vary by as much around any mean; their map can be told so."""
        self.maps[-1].become_constant(log_variance)

    @property
    def reader(self):
        return self.network.reader

    @property
    def bare(self):
        return self.network.bare

    def refiner(self):
        if not self._is_refined:
            return None
        *maps, last = self.maps
        is_positive = any(getattr(made, "is_positive", False) for made in maps)
        return Refiner(self.bare.dictionary, last.method, self._most, is_positive)

    def halves(self):
        encoder, decoder = self.network.halves()
        maps = [self.maps[i] for i in self._moving]
        encoder, refiner = nn.Sequential(encoder, *maps), self.refiner()
        return encoder if refiner is None else RefinedEncoder(encoder, refiner), decoder

    def _check_refined(self, code_maps):
        last = next(make for make in code_maps if make.refines)
        if last is not code_maps[-1] or not self._moving or self.code_bounds:
            raise ValueError(
                f"code_map={list(code_maps)}, but {last!r} changes sparse codes of any "
                "size: it comes last, after what makes them, such as TopK."
            )
        if self.bare.dictionary is None:
            raise ValueError(
                f"{last!r} needs a decoder that is one Linear layer, to solve for what "
                "it adds up: use hidden_layer_sizes=(), and no network of your own; "
                "or refine=None, or no Refinement among the code maps."
            )


def _made(code_map, n_components):
    """The module of a code map."""
    try:
        module = code_map(n_components)
    except TypeError as error:
        raise TypeError(
            f"The code map {code_map!r} was called with n_components={n_components} "
            f"and failed: {error}"
        ) from error
    if not isinstance(module, nn.Module):
        raise TypeError(
            f"The code map {code_map!r} was called with n_components={n_components} "
            f"and returned {module!r}, but a torch.nn.Module was expected."
        )
    return module
