"""Encoder and decoder: two halves, each perhaps with a linear map beside it."""

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

    Computes ``linear(X) + network(X)``. As part of an :class:`EncoderDecoder`, what the
    network adds to a code, or reads of it, is multiplied by fixed factors, one for
    each component.

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
        layers = _weighted(network)
        if not layers or getattr(layers[-1], "bias", None) is None:
            raise TypeError(
                "The last layer with a weight has no bias: the network must end in "
                "one that can be silenced, such as a convolution with a bias."
            )
        self.network = network
        self.linear = nn.Linear(*widths)
        self.register_buffer("in_factor", None)
        self.register_buffer("out_factor", None)

    def forward(self, X):
        output = self.network(X if self.in_factor is None else X * self.in_factor)
        if self.out_factor is None:
            return self.linear(X) + output
        return torch.addcmul(self.linear(X), self.out_factor, output)


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
    >>> from skae._halves import TiedLinear
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


class EncoderDecoder(nn.Module):
    """Two modules, one that encodes and one that decodes.

    Parameters
    ----------
    encoder : Module
        Standardised rows (n, n_features) to codes (n, n_components).
    decoder : Module
        Codes to raw output (n, n_features).
    """

    def __init__(self, encoder, decoder):
        super().__init__()
        self.encoder = encoder
        self.decoder = decoder
        if isinstance(encoder, LinearPath):
            encoder.out_factor = torch.ones(encoder.linear.out_features)
        if isinstance(decoder, LinearPath):
            decoder.in_factor = torch.ones(decoder.linear.in_features)

    def encode(self, X):
        return self.encoder(X)

    def decode(self, code):
        return self.decoder(code)

    @property
    def can_be_pca(self):
        """Whether the two halves are linear, or have a linear path."""
        return all(_linear(half) is not None for half in (self.encoder, self.decoder))

    @property
    def is_tied(self):
        """Whether the decoder has weights of the encoder's."""
        return any(isinstance(layer, TiedLinear) for layer in self.decoder.modules())

    @torch.no_grad()
    def start_at_pca(self, pca, rows, target, loss):
        """Become PCA: its maps in the linear maps, and networks that add nothing.

        Parameters
        ----------
        pca : PrincipalComponents
            With up to n_components components. What the code has room for beyond
            them, it fills with random directions that the decoder ignores.
        rows : Tensor of shape (n, n_features)
            Rows as the network will see them, standardised and perhaps corrupted: to
            measure the codes, and to fit the decoder for a loss that has a link.
        target : Tensor of shape (n, n_features)
            The loss's target for these rows.
        loss : Loss
        """
        encoder, decoder = _linear(self.encoder), _linear(self.decoder)
        k = len(pca.components)
        nn.init.normal_(encoder.weight, std=encoder.in_features**-0.5)
        encoder.weight[:k] = pca.components
        encoder.bias.copy_(-encoder.weight @ pca.mean)
        weight, bias = loss.linear_decoder(pca.encode(rows), target, pca)
        decoder.weight.zero_()
        decoder.weight[:, :k] = weight
        decoder.bias.copy_(bias)
        for half in (self.encoder, self.decoder):
            if isinstance(half, LinearPath):
                _silence(_weighted(half.network)[-1])
        # The networks see and add codes of unit variance, but for those that hardly
        # vary.
        deviation = encoder(rows).std(0, correction=0)
        deviation = deviation.clamp(min=0.01 * float(deviation.max().clamp(min=1)))
        if isinstance(self.encoder, LinearPath):
            self.encoder.out_factor.copy_(deviation)
        if isinstance(self.decoder, LinearPath):
            self.decoder.in_factor.copy_(1 / deviation)

    @torch.no_grad()
    def leave_pca(self):
        """Become random networks beside linear maps that add nothing.

        To be called at PCA, whose scales of the codes stay. Draws from torch's global
        generator, as layers do when they are made.
        """
        for half in (self.encoder, self.decoder):
            if isinstance(half, LinearPath):
                _silence(half.linear)
                _weighted(half.network)[-1].reset_parameters()
            else:
                _linear(half).reset_parameters()

    @torch.no_grad()
    def map_codes(self, matrix):
        """Multiply the codes by a matrix, and undo it in the decoder.

        For an encoder whose last layer with a weight, and a decoder whose first one, is
        a Linear layer of its own; so not where weights are tied.

        Parameters
        ----------
        matrix : Tensor of shape (n_components, n_components)
            Invertible.
        """
        inverse = torch.linalg.inv(matrix.double()).float()
        encoder, decoder = self.encoder, self.decoder
        last, first = _weighted(encoder)[-1], _weighted(decoder)[0]
        outer, inner = [last], [first]
        if isinstance(encoder, LinearPath):
            last.weight.mul_(encoder.out_factor[:, None])
            last.bias.mul_(encoder.out_factor)
            encoder.out_factor.fill_(1)
            outer.append(encoder.linear)
        if isinstance(decoder, LinearPath):
            first.weight.mul_(decoder.in_factor)
            decoder.in_factor.fill_(1)
            inner.append(decoder.linear)
        for layer in outer:
            layer.weight.copy_(matrix @ layer.weight)
            layer.bias.copy_(matrix @ layer.bias)
        for layer in inner:
            layer.weight.copy_(layer.weight @ inverse)


def _silence(layer):
    nn.init.zeros_(layer.weight)
    nn.init.zeros_(layer.bias)


def layers_of(half):
    """The layers of a half, without the linear path."""
    network = half.network if isinstance(half, LinearPath) else half
    return network if isinstance(network, nn.Sequential) else [network]


def _weighted(half):
    """The layers of a half that have a weight, without the linear path."""
    return [layer for layer in layers_of(half) if hasattr(layer, "weight")]


def _linear(half):
    """The linear map of a half that has one."""
    if isinstance(half, LinearPath):
        return half.linear
    layers = layers_of(half)
    is_linear = len(layers) == 1 and type(layers[0]) is nn.Linear
    return layers[0] if is_linear and layers[0].bias is not None else None
