"""The network for images: convolutions as encoder and, mirrored, as decoder."""

from itertools import pairwise
from math import isqrt, prod
from numbers import Integral

from torch import nn

from skae._utils.compat import StrOptions
from skae.networks._convolutions import (
    Convolution,
    OnRows,
    TransposedConvolution,
)
from skae.networks._encoder_decoder import EncoderDecoder
from skae.networks._layers import ACTIVATIONS, LinearPath
from skae.networks._network import Network


class Convolutional(Network):
    """Convolutions as encoder and, mirrored, as decoder, for images.

    Every convolution, of 3 x 3 cells, halves height and width, rounded up; a linear
    layer follows. Images of any height and width fit. The decoder is the mirror image,
    of transposed convolutions [1]_.

    Parameters
    ----------
    image_shape : tuple of ints, default=None
        (height, width) or (height, width, n_channels) of the images whose cells, in
        C order, are a row of X: ``X = images.reshape(len(images), -1)``. None is a
        square of one channel.
    channels : int or array-like of ints, default=(32, 64)
        Channels after each of the encoder's convolutions.
    activation : {"identity", "logistic", "tanh", "relu", "silu", "gelu", "elu", \
            "leaky_relu"}, default="gelu"
        Activation after each layer but the last. Codes and outputs are linear.
    linear_path : bool, default=True
        Whether a linear map runs beside each of the two networks, so that the module
        can be PCA.

    Raises
    ------
    ValueError
        When called for another number of features than the images have cells, or if a
        shape or a number of channels is no positive integer.

    References
    ----------
    .. [1] Masci, J., Meier, U., Ciresan, D., Schmidhuber, J. (2011). Stacked
       convolutional auto-encoders for hierarchical feature extraction. ICANN.
       :doi:`10.1007/978-3-642-21735-7_7`

    Examples
    --------
    >>> import torch
    >>> from skae.networks import Convolutional
    >>> network = Convolutional(image_shape=(8, 8), channels=(4, 8))
    >>> module = network(n_features=64, n_components=2)
    >>> module.encode(torch.zeros(5, 64)).shape
    torch.Size([5, 2])
    """

    _parameter_constraints = {
        "image_shape": ["array-like", None],
        "channels": ["array-like", Integral],
        "activation": [StrOptions(set(ACTIVATIONS))],
        "linear_path": ["boolean"],
    }

    def __init__(
        self, image_shape=None, channels=(32, 64), activation="gelu", linear_path=True
    ):
        self.image_shape = image_shape
        self.channels = channels
        self.activation = activation
        self.linear_path = linear_path

    def __call__(self, n_features, n_components):
        shapes = self._shapes(n_features)
        encoder = nn.Sequential(
            ToImages(shapes[0]),
            *self._convolutions(shapes),
            ToRows(),
            nn.Linear(prod(shapes[-1]), n_components),
        )
        decoder = nn.Sequential(
            nn.Linear(n_components, prod(shapes[-1])),
            self._activation(),
            ToImages(shapes[-1]),
            *self._transposed(shapes[::-1]),
            ToRows(),
        )
        if self.linear_path:
            encoder = LinearPath(encoder, (n_features, n_components))
            decoder = LinearPath(decoder, (n_components, n_features))
        return EncoderDecoder(encoder, decoder)

    def _shapes(self, n_features):
        """(height, width, n_channels) of the images, and after each convolution."""
        side, channels = isqrt(n_features), self.channels
        given = (side, side) if self.image_shape is None else self.image_shape
        shape = list(given)
        channels = [channels] if isinstance(channels, Integral) else list(channels)
        if len(shape) not in (2, 3) or not _are_positive(shape):
            raise ValueError(
                f"image_shape={given!r}, but positive integers, (height, "
                "width) or (height, width, n_channels), were expected."
            )
        if not channels or not _are_positive(channels):
            raise ValueError(
                f"channels={self.channels!r}, but positive integers, one for each "
                "convolution, were expected."
            )
        shape = tuple(map(int, shape + [1] * (3 - len(shape))))
        if prod(shape) != n_features:
            raise ValueError(
                f"image_shape={given!r} is {prod(shape)} cells, but X has "
                f"{n_features} features: give the shape of the images that the rows "
                "of X are, channels last."
            )
        shapes = [shape]
        for width in channels:
            sides = [(side + 1) // 2 for side in shapes[-1][:2]]
            shapes.append((*sides, int(width)))
        return shapes

    def _activation(self):
        return OnRows(ACTIVATIONS[self.activation]())

    def _convolutions(self, shapes):
        for (*_, n_in), (*_, n_out) in pairwise(shapes):
            yield Convolution(n_in, n_out, 3, stride=2, padding=1)
            yield self._activation()

    def _transposed(self, shapes):
        layers = []
        for (*_, n_in), (*sides, n_out) in pairwise(shapes):
            # Two sizes halve to the same one; the padding picks the right one.
            filled = [1 - side % 2 for side in sides]
            layer = TransposedConvolution(
                n_in, n_out, 3, stride=2, padding=1, output_padding=filled
            )
            layers += [layer, self._activation()]
        return layers[:-1]


class ToImages(nn.Module):
    """Rows (n, h * w * c), channels last, as images (n, c, h, w).

    Parameters
    ----------
    shape : tuple of three ints
        (h, w, c).
    """

    def __init__(self, shape):
        super().__init__()
        self.shape = shape

    def forward(self, X):
        # No copy, but torch's memory format of channels last.
        return X.unflatten(1, self.shape).permute(0, 3, 1, 2)

    def extra_repr(self):
        return str(self.shape)


class ToRows(nn.Module):
    """Images (n, c, h, w) as rows (n, h * w * c), channels last."""

    def forward(self, images):
        return images.permute(0, 2, 3, 1).flatten(1)


def _are_positive(values):
    return all(isinstance(value, Integral) and value > 0 for value in values)
