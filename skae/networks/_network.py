"""Networks as parts: what makes modules, of ours or by a user's callable."""

from abc import abstractmethod

from sklearn.base import clone
from torch import nn

from skae._utils.part import FunctionPart, Part, own_copy
from skae.networks._autoencoder import Autoencoder


class Network(Part):
    """Base of networks: called with the widths, they make a module to be trained.

    Of one that is known, layers may be set anew and folded together.
    """

    @property
    def is_dense(self):
        """Whether its modules are made of Linear layers with activations between."""
        return False

    @property
    def can_be_told(self):
        """Whether its encoders take further inputs: see :meth:`with_inputs`."""
        return False

    def with_inputs(self, n_features, n_components, n_more):
        """A new module whose encoder reads so many more inputs after the features."""
        raise TypeError(f"{self!r} takes no further inputs.")

    @abstractmethod
    def __call__(self, n_features, n_components):
        """A new module.

        Parameters
        ----------
        n_features, n_components : int

        Returns
        -------
        module : Autoencoder
        """


class OwnNetwork(FunctionPart, Network):
    """A user's callable ``(n_features, n_components) -> module`` as a network."""

    def __call__(self, n_features, n_components):
        try:
            module = self.function(n_features, n_components)
        except TypeError as error:
            raise TypeError(
                f"network was called with n_features={n_features} and "
                f"n_components={n_components}, and failed: {error}"
            ) from error
        if isinstance(module, Autoencoder):
            return module
        if not isinstance(module, nn.Module):
            raise TypeError(
                f"network(n_features, n_components) returned {module!r}, but a "
                "torch.nn.Module with the methods encode and decode was expected."
            )
        for method in ("encode", "decode"):
            if not callable(getattr(module, method, None)):
                raise TypeError(
                    f"The network {type(module).__name__} has no method {method!r}: "
                    "give it encode(X), which returns the codes, and decode(code), "
                    "which returns rows."
                )
        return OwnModule(module)


class OwnModule(Autoencoder):
    """A user's module with ``encode`` and ``decode``, of any class.

    Parameters
    ----------
    module : Module
    """

    def __init__(self, module):
        super().__init__()
        self.module = module

    def encode(self, X):
        return self.module.encode(X)

    def decode(self, code):
        return self.module.decode(code)


def as_network(network):
    """A network from what the parameter `network` holds, unless that is None.

    Raises
    ------
    TypeError
        If it is a module, and not what makes one.
    """
    network = own_copy(network)
    if isinstance(network, nn.Module):
        raise TypeError(
            f"network is an instance of {type(network).__name__}: pass the class or a "
            "function that makes it, so that each fit starts anew."
        )
    if isinstance(network, Network):
        return network
    # Later changes of a callable's own parameters must not reach a fitted model.
    return OwnNetwork(clone(network, safe=False))
