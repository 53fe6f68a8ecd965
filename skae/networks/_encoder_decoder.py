"""Two halves as one network: an encoder and a decoder, perhaps with linear maps."""

import torch
from torch import nn

from skae.networks._autoencoder import Autoencoder
from skae.networks._layers import LinearPath, TiedLinear, linear_map


class EncoderDecoder(Autoencoder):
    """Two modules, one that encodes and one that decodes.

    Where a half is a :class:`LinearPath`, what its network adds to a code, or reads of
    it, is multiplied by fixed factors, one for each component.

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
        out_factor = in_factor = None
        if isinstance(encoder, LinearPath):
            out_factor = torch.ones(encoder.linear.out_features)
        if isinstance(decoder, LinearPath):
            in_factor = torch.ones(decoder.linear.in_features)
        self.register_buffer("out_factor", out_factor)  # of the encoder's network
        self.register_buffer("in_factor", in_factor)  # of the decoder's

    def encode(self, X):
        if self.out_factor is None:
            return self.encoder(X)
        return self.encoder(X, out_factor=self.out_factor)

    def decode(self, code):
        if self.in_factor is None:
            return self.decoder(code)
        return self.decoder(code, in_factor=self.in_factor)

    @property
    def can_be_pca(self):
        """Whether the two halves are linear, or have a linear path."""
        halves = self.encoder, self.decoder
        has_maps = all(linear_map(half) is not None for half in halves)
        return has_maps and self._is_its_halves

    @property
    def is_tied(self):
        """Whether the decoder has weights of the encoder's."""
        return any(isinstance(layer, TiedLinear) for layer in self.decoder.modules())

    @property
    def dictionary(self):
        if isinstance(self.decoder, LinearPath) or not self._is_its_halves:
            return None
        return linear_map(self.decoder)

    @property
    def _is_its_halves(self):
        """Whether no subclass makes the methods do more."""
        own = type(self)
        return (
            own.encode is EncoderDecoder.encode and own.decode is EncoderDecoder.decode
        )

    def halves(self):
        if not self._is_its_halves:
            return super().halves()
        encoder, decoder = self.encoder, self.decoder
        if self.out_factor is not None:
            encoder = ScaledHalf(encoder, "out_factor", self.out_factor)
        if self.in_factor is not None:
            decoder = ScaledHalf(decoder, "in_factor", self.in_factor)
        return encoder, decoder


class ScaledHalf(nn.Module):
    """A linear path with the factors that its network has in an autoencoder.

    Parameters
    ----------
    path : LinearPath
    name : {"in_factor", "out_factor"}
    factor : Tensor of shape (n_components,)
    """

    def __init__(self, path, name, factor):
        super().__init__()
        self.path = path
        self.name = name
        self.register_buffer("factor", factor)

    def forward(self, X):
        return self.path(X, **{self.name: self.factor})
