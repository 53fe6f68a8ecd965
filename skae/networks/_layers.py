"""What networks are made of: activations, linear maps beside them, tied layers."""

import torch
from torch import nn
from torch.nn import functional as F

ACTIVATIONS = {
    "identity": nn.Identity,
    "logistic": nn.Sigmoid,
    "tanh": nn.Tanh,
    "relu": nn.ReLU,
    "silu": nn.SiLU,
    "gelu": nn.GELU,
    "elu": nn.ELU,
    "leaky_relu": nn.LeakyReLU,
}


class LinearPath(nn.Module):
    """A linear map plus a network.

    Computes ``linear(X) + network(X)``: a linear autoencoder, such as PCA, and what a
    network adds to it.

    Parameters
    ----------
    network : Sequential
        Begins and ends in a Linear layer, unless `widths` are given.
    widths : tuple of two ints, default=None
        Of the rows that a network with other layers at its ends reads and returns.
        It must give 0 once its last layer with a weight is zero.

    Raises
    ------
    TypeError
        If the network is no Sequential, or, without `widths`, does not begin and end
        in a Linear layer; or if its last layer with a weight has no bias.

    Examples
    --------
    >>> import torch
    >>> from torch import nn
    >>> from skae.networks import LinearPath
    >>> last = nn.ConvTranspose1d(4, 1, 2)
    >>> network = nn.Sequential(
    ...     nn.Linear(3, 20), nn.GELU(), nn.Unflatten(1, (4, 5)), last, nn.Flatten()
    ... )
    >>> half = LinearPath(network, widths=(3, 6))
    >>> half(torch.zeros(2, 3)).shape
    torch.Size([2, 6])
    """

    def __init__(self, network, widths=None):
        super().__init__()
        if not isinstance(network, nn.Sequential):
            raise TypeError(f"Expected a Sequential, got a {type(network).__name__}.")
        if widths is None:
            first, last = network[0], network[-1]
            for layer in (first, last):
                if not isinstance(layer, nn.Linear) or layer.bias is None:
                    raise TypeError(
                        f"The network has {layer} at an end, but must begin and end in "
                        "a Linear layer with a bias, or come with widths."
                    )
            widths = first.in_features, last.out_features
        layers = weighted_layers(network)
        if not layers or getattr(layers[-1], "bias", None) is None:
            raise TypeError(
                "The last layer with a weight has no bias: the network must end in "
                "one that can be silenced, such as a convolution with a bias."
            )
        if not has_own_weight(layers[-1]):
            raise TypeError(
                f"The last layer with a weight, {layers[-1]}, computes it from other "
                "parameters, as weight_norm and pruning do, so that it cannot be "
                "silenced: use a plain layer at the end."
            )
        self.network = network
        self.linear = nn.Linear(*widths)

    def forward(self, X, in_factor=None, out_factor=None):
        """The sum (n, n_out) of both for rows X (n, n_in).

        What the network reads and returns may be multiplied by factors, one for each
        column.
        """
        output = self.network(X if in_factor is None else X * in_factor)
        if out_factor is None:
            return self.linear(X) + output
        return torch.addcmul(self.linear(X), out_factor, output)


class TiedLinear(nn.Module):
    """A Linear layer with the weight of another one, transposed, and its own bias.

    The weight belongs to the other layer: it is neither a parameter of this one nor in
    its state.

    Parameters
    ----------
    source : Linear

    Examples
    --------
    >>> import torch
    >>> from torch import nn
    >>> from skae.networks._layers import TiedLinear
    >>> source = nn.Linear(5, 3)
    >>> layer = TiedLinear(source)
    >>> layer(torch.zeros(2, 3)).shape
    torch.Size([2, 5])
    >>> torch.equal(layer.weight, source.weight.T)
    True
    """

    def __init__(self, source):
        super().__init__()
        # Past torch's registration: the source has its place in the encoder.
        object.__setattr__(self, "source", source)
        self.bias = nn.Parameter(torch.empty(source.in_features))
        self._draw_bias()

    @property
    def weight(self):
        return self.source.weight.T

    def forward(self, X):
        return F.linear(X, self.weight, self.bias)

    def reset_parameters(self):
        """Draw the bias anew, and the weight of both layers."""
        self.source.reset_parameters()
        self._draw_bias()

    def _draw_bias(self):
        bound = self.source.out_features**-0.5  # as Linear layers have it
        nn.init.uniform_(self.bias, -bound, bound)

    def untied(self):
        """A Linear layer with a copy of the weight."""
        layer = nn.Linear(self.source.out_features, self.source.in_features)
        layer.weight = nn.Parameter(self.weight.detach().clone())
        layer.bias = nn.Parameter(self.bias.detach().clone())
        return layer.requires_grad_(self.bias.requires_grad)


def untie(half):
    """Give a half weights of its own, in place of those that it shares."""
    for parent in list(half.modules()):
        for name, layer in parent.named_children():
            if isinstance(layer, TiedLinear):
                setattr(parent, name, layer.untied())


def layers_of(half):
    """The layers of a half, without the linear path."""
    network = half.network if isinstance(half, LinearPath) else half
    return network if isinstance(network, nn.Sequential) else [network]


def weighted_layers(half):
    """The layers of a half that have a weight, without the linear path."""
    return [layer for layer in layers_of(half) if hasattr(layer, "weight")]


def linear_map(half):
    """The linear map of a half that has one, or None."""
    if isinstance(half, LinearPath):
        return half.linear
    layers = layers_of(half)
    is_linear = len(layers) == 1 and type(layers[0]) is nn.Linear
    can_be_set = is_linear and layers[0].bias is not None and has_own_weight(layers[0])
    return layers[0] if can_be_set else None


def has_own_weight(layer):
    """Whether a layer's weight is a parameter, and not computed from others."""
    return isinstance(layer, TiedLinear) or "weight" in layer._parameters
