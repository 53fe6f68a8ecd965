"""The default network: two multi-layer perceptrons."""

from itertools import pairwise
from numbers import Integral, Real

from torch import nn

from skae._utils.compat import Interval, StrOptions
from skae.networks._encoder_decoder import EncoderDecoder
from skae.networks._layers import ACTIVATIONS, LinearPath, TiedLinear
from skae.networks._network import Network


class MLP(Network):
    """Multi-layer perceptrons as encoder and, mirrored, as decoder.

    Parameters
    ----------
    hidden_layer_sizes : int or array-like of ints, default=(256, 128)
        Widths of the encoder's hidden layers; the decoder has them in reverse. ``()``
        leaves two linear maps.
    activation : {"identity", "logistic", "tanh", "relu", "silu", "gelu", "elu", \
            "leaky_relu"}, default="gelu"
        Activation of the hidden layers. Codes and outputs are linear.
    linear_path : bool or "encoder", default=True
        Whether a linear map runs beside each of the two networks, so that the module
        can be PCA; or beside the encoder alone, where it starts at zero.
    tied_weights : bool, default=False
        Whether the decoder's layers have the encoder's weights, transposed, and biases
        of their own, which halves the parameters [1]_. Linear maps beside the networks
        stay apart. Not with ``init="pca"``.
    dropout : float in [0, 1), default=0.0
        Share of the cells of each hidden layer that are zeroed at random while
        training [2]_.

    References
    ----------
    .. [1] Vincent, P., Larochelle, H., Lajoie, I., Bengio, Y., Manzagol, P.-A. (2010).
       Stacked denoising autoencoders. JMLR 11.
       https://jmlr.org/papers/v11/vincent10a.html
    .. [2] Srivastava, N. et al. (2014). Dropout: a simple way to prevent neural
       networks from overfitting. JMLR 15.
       https://jmlr.org/papers/v15/srivastava14a.html

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
        "linear_path": ["boolean", StrOptions({"encoder"})],
        "tied_weights": ["boolean"],
        "dropout": [Interval(Real, 0, 1, closed="left")],
    }

    def __init__(
        self,
        hidden_layer_sizes=(256, 128),
        activation="gelu",
        linear_path=True,
        tied_weights=False,
        dropout=0.0,
    ):
        self.hidden_layer_sizes = hidden_layer_sizes
        self.activation = activation
        self.linear_path = linear_path
        self.tied_weights = tied_weights
        self.dropout = dropout

    @property
    def draws(self):
        return super().draws or self.dropout > 0

    @property
    def is_dense(self):
        return self.is_known

    @property
    def can_be_told(self):
        # Tied layers return what they read.
        return self.is_known and not self.tied_weights

    def __call__(self, n_features, n_components):
        return self.with_inputs(n_features, n_components, 0)

    def with_inputs(self, n_features, n_components, n_more):
        hidden = self.hidden_layer_sizes
        hidden = [hidden] if isinstance(hidden, Integral) else list(hidden)
        if not all(isinstance(width, Integral) and width > 0 for width in hidden):
            raise ValueError(
                f"hidden_layer_sizes={self.hidden_layer_sizes!r}, but positive "
                "integers, one for each hidden layer, were expected."
            )
        inner = *map(int, hidden), n_components
        down, up = [n_features + n_more, *inner], [*inner[::-1], n_features]
        halves = [self._layers(down), self._layers(up)]
        if self.tied_weights:
            halves[1] = _tied(halves[1], halves[0])
        if self.linear_path and hidden:
            halves[0] = LinearPath(halves[0], (down[0], down[-1]))
            if self.linear_path == "encoder":
                nn.init.zeros_(halves[0].linear.weight)
                nn.init.zeros_(halves[0].linear.bias)
            else:
                halves[1] = LinearPath(halves[1], (up[0], up[-1]))
        return EncoderDecoder(*halves)

    def _layers(self, widths):
        """Linear layers between the given widths, activations between them."""
        layers = []
        for n_in, n_out in pairwise(widths):
            layers += [nn.Linear(n_in, n_out), ACTIVATIONS[self.activation]()]
            if self.dropout:
                layers.append(nn.Dropout(self.dropout))
        while not isinstance(layers[-1], nn.Linear):
            layers.pop()
        return nn.Sequential(*layers)


def _tied(half, source):
    """The half with Linear layers tied to those of its mirror image, the source."""
    sources = [layer for layer in source if isinstance(layer, nn.Linear)]
    return nn.Sequential(
        *(
            TiedLinear(sources.pop()) if isinstance(layer, nn.Linear) else layer
            for layer in half
        )
    )
