"""The default network: two multi-layer perceptrons."""

from itertools import pairwise
from numbers import Integral

from torch import nn

from skae._compat import StrOptions
from skae._halves import ACTIVATIONS, EncoderDecoder, LinearPath
from skae._part import KnownNetwork


class MLP(KnownNetwork):
    """Multi-layer perceptrons as encoder and, mirrored, as decoder.

    Parameters
    ----------
    hidden_layer_sizes : int or array-like of ints, default=(256, 128)
        Widths of the encoder's hidden layers; the decoder has them in reverse. ``()``
        leaves two linear maps.
    activation : {"identity", "logistic", "tanh", "relu", "silu", "gelu", "elu", \
            "leaky_relu"}, default="gelu"
        Activation of the hidden layers. Codes and outputs are linear.
    linear_path : bool, default=True
        Whether a linear map runs beside each of the two networks, so that the module
        can be PCA.

    Examples
    --------
    >>> from skae.networks import MLP
    >>> module = MLP(hidden_layer_sizes=(32,))(n_features=8, n_components=2)
    >>> import torch
    >>> module.encode(torch.zeros(5, 8)).shape
    torch.Size([5, 2])
    """

    _parameter_constraints = {
        "hidden_layer_sizes": ["array-like", Integral],
        "activation": [StrOptions(set(ACTIVATIONS))],
        "linear_path": ["boolean"],
    }

    def __init__(
        self, hidden_layer_sizes=(256, 128), activation="gelu", linear_path=True
    ):
        self.hidden_layer_sizes = hidden_layer_sizes
        self.activation = activation
        self.linear_path = linear_path

    def __call__(self, n_features, n_components):
        hidden = self.hidden_layer_sizes
        hidden = [hidden] if isinstance(hidden, Integral) else list(hidden)
        if not all(isinstance(width, Integral) and width > 0 for width in hidden):
            raise ValueError(
                f"hidden_layer_sizes={self.hidden_layer_sizes!r}, but positive "
                "integers, one for each hidden layer, were expected."
            )
        widths = [n_features, *map(int, hidden), n_components]
        halves = [self._layers(widths), self._layers(widths[::-1])]
        if self.linear_path and hidden:
            halves = [LinearPath(half) for half in halves]
        return EncoderDecoder(*halves)

    def _layers(self, widths):
        """Linear layers between the given widths, activations between them."""
        layers = []
        for n_in, n_out in pairwise(widths):
            layers += [nn.Linear(n_in, n_out), ACTIVATIONS[self.activation]()]
        return nn.Sequential(*layers[:-1])
