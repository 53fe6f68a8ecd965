"""A trained network's halves as modules in the data's units."""

import torch
from torch import nn

from skae.networks._layers import untie


class Encoder(nn.Module):
    """Encoder in data units: rows (n, n_features) to codes (n, n_components).

    Takes and returns float32 or float64; the network inside computes in float32.

    Parameters
    ----------
    encode : Module
        Standardised rows to codes.
    shift : Tensor of shape (n_features,), float64
        Subtracted from the rows.
    scale : Tensor of shape (), float64
        What the rows are then divided by.
    code_scale : Tensor of shape (), float64
        What the codes are multiplied by: the same, or 1 if they have own units.
    """

    def __init__(self, encode, shift, scale, code_scale):
        super().__init__()
        self.encode = encode
        self.register_buffer("shift", shift)
        self.register_buffer("scale", scale)
        self.register_buffer("code_scale", code_scale)

    def forward(self, X):
        # In double precision: subtracting a large shift must not lose the data.
        code = self.encode(((X - self.shift) / self.scale).float())
        return (code.double() * self.code_scale).to(X.dtype)


class Decoder(nn.Module):
    """Decoder in data units: codes (n, n_components) to rows (n, n_features).

    Parameters
    ----------
    decode : Module
        Codes to raw output.
    shift, scale, code_scale : Tensors, as for :class:`Encoder`
    loss : Loss
        Turns raw output into data.
    """

    def __init__(self, decode, shift, scale, code_scale, loss):
        super().__init__()
        self.decode = decode
        self.loss = loss
        self.register_buffer("shift", shift)
        self.register_buffer("scale", scale)
        self.register_buffer("code_scale", code_scale)

    def forward(self, code):
        output = self.decode((code.double() / self.code_scale).float())
        return self.loss.to_data(output, self.shift, self.scale).to(code.dtype)


def halves_in_data_units(model):
    """New encoder and decoder of a model, in evaluation mode, without common weights.

    Parameters
    ----------
    model : Model

    Returns
    -------
    encoder : Encoder
    decoder : Decoder
    """
    module = model.build().eval().requires_grad_(False)
    encode, decode = module.halves()
    untie(decode)
    code_scale = torch.tensor(model.code_scale(module), dtype=torch.float64)
    # Two sets of tensors: what is done to one module must not reach the other.
    encoder = Encoder(encode, *model.scaling.tensors(torch.float64), code_scale)
    decoder = Decoder(
        decode, *model.scaling.tensors(torch.float64), code_scale.clone(), model.loss
    )
    return encoder.eval(), decoder.eval()
