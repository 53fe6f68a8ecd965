"""A trained network as arrays, and its halves as modules in the data's units."""

from contextlib import nullcontext

import torch
from torch import nn

from skae._inference import AlignedProducts, align, by_chunks, chunk_rows
from skae._random import PrivateRandomness
from skae.networks import MLP, EncoderDecoder


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
        What the rows are then divided by, and the codes multiplied by.
    """

    def __init__(self, encode, shift, scale):
        super().__init__()
        self.encode = encode
        self.register_buffer("shift", shift)
        self.register_buffer("scale", scale)

    def forward(self, X):
        # In double precision: subtracting a large shift must not lose the data.
        code = self.encode(((X - self.shift) / self.scale).float())
        return (code.double() * self.scale).to(X.dtype)


class Decoder(nn.Module):
    """Decoder in data units: codes (n, n_components) to rows (n, n_features).

    Parameters
    ----------
    decode : Module
        Codes to raw output.
    shift, scale : Tensors, as for :class:`Encoder`
    loss : Loss
        Turns raw output into data.
    """

    def __init__(self, decode, shift, scale, loss):
        super().__init__()
        self.decode = decode
        self.loss = loss
        self.register_buffer("shift", shift)
        self.register_buffer("scale", scale)

    def forward(self, code):
        output = self.decode((code.double() / self.scale).float())
        return self.loss.to_data(output, self.shift, self.scale).to(code.dtype)


class _Method(nn.Module):
    """One method of a module as a module of its own."""

    def __init__(self, module, name):
        super().__init__()
        self.module = module
        self.name = name

    def forward(self, X):
        return getattr(self.module, self.name)(X)


class Model:
    """A network and everything that its weights mean, as arrays and plain values.

    Never changed once it is made, so that estimators may share one.

    Parameters
    ----------
    network : callable
        ``network(n_features, n_components)`` builds the module.
    n_components : int
    loss : Loss
    shift : ndarray of shape (n_features,), float64
    scale : float
    seed : int
        Of everything random about this model.
    weights : dict of str to ndarray, default=None
        The module's state; None stands for fresh weights.
    moments : dict of int to dict of str to ndarray, default=None
        The optimiser's state by parameter, where training is to go on from it.
    """

    def __init__(
        self,
        network,
        n_components,
        loss,
        shift,
        scale,
        seed,
        weights=None,
        moments=None,
    ):
        self.network = network
        self.n_components = n_components
        self.loss = loss
        self.shift = shift
        self.scale = scale
        self.seed = seed
        self.weights = weights
        self.moments = moments
        self._ready = None

    def __getstate__(self):
        return {**vars(self), "_ready": None}

    def with_state(self, **changes):
        """The same model with other weights, moments or loss."""
        state = {**vars(self), **changes}
        del state["_ready"]
        return Model(**state)

    @property
    def n_features(self):
        return len(self.shift)

    def build(self):
        """A new module with these weights, on the CPU."""
        with PrivateRandomness(torch.Generator().manual_seed(self.seed)):
            if self.weights is None:
                module = new_network(self.network, self.n_features, self.n_components)
            else:
                module = self.network(self.n_features, self.n_components).float()
        if self.weights is not None:
            state = {name: torch.tensor(value) for name, value in self.weights.items()}
            module.load_state_dict(state)
        return module

    def halves(self):
        """New encoder and decoder in data units, in evaluation mode."""
        module = self.build().eval().requires_grad_(False)
        if isinstance(module, EncoderDecoder):
            encode, decode = module.encoder, module.decoder
        else:
            encode, decode = _Method(module, "encode"), _Method(module, "decode")
        shift = torch.tensor(self.shift, dtype=torch.float64)
        scale = torch.tensor(self.scale, dtype=torch.float64)
        encoder = Encoder(encode, shift, scale)
        decoder = Decoder(decode, shift.clone(), scale.clone(), self.loss)
        return encoder.eval(), decoder.eval()

    def encode(self, X, device):
        """Codes (n, n_components) of rows (n, n_features)."""
        encoder, _ = self._on(device)
        return self._by_chunks(encoder, X, (self.n_components,), device)

    def decode(self, code, device):
        """Rows (n, n_features) of codes (n, n_components)."""
        _, decoder = self._on(device)
        return self._by_chunks(decoder, code, (self.n_features,), device)

    def reconstruct(self, X, device):
        """Decoded codes (n, n_features) of rows (n, n_features)."""
        encoder, decoder = self._on(device)
        return self._by_chunks(
            lambda chunk: decoder(encoder(chunk)), X, (self.n_features,), device
        )

    def losses(self, X, device):
        """Loss (n,) of each row, in the units of the data."""
        encoder, decoder = self._on(device)
        shift, scale = encoder.shift, encoder.scale

        def losses(chunk):
            rows = ((chunk - shift) / scale).float()
            output = decoder.decode(encoder.encode(rows))
            target = self.loss.target(rows, shift.float(), scale.float())
            return self.loss(output, target).double() * scale**self.loss.degree

        return self._by_chunks(losses, X, (), device)

    def _on(self, device):
        """Encoder and decoder on a device, kept for the next call."""
        if self._ready is None or self._ready[0] != device:
            halves = [half.to(device) for half in self.halves()]
            if isinstance(self.network, MLP):
                for half in halves:
                    align(half)
            self._ready = device, *halves
        return self._ready[1:]

    def _by_chunks(self, function, X, shape, device):
        size = chunk_rows(self.weights.values())
        mode = nullcontext if isinstance(self.network, MLP) else AlignedProducts
        return by_chunks(function, X, shape, size, device, mode)


def new_network(network, n_features, n_components):
    """A module that encodes and decodes rows of the expected shapes.

    Raises
    ------
    TypeError
        If it cannot be made, is no module, lacks a method, or returns something else
        than a tensor.
    ValueError
        If a shape or a dtype is not the expected one, if it draws random numbers in
        evaluation mode, or has nothing to train.
    """
    try:
        module = network(n_features, n_components)
    except TypeError as error:
        raise TypeError(
            f"network was called with n_features={n_features} and "
            f"n_components={n_components}, and failed: {error}"
        ) from error
    name = type(module).__name__
    if not isinstance(module, nn.Module):
        raise TypeError(
            f"network(n_features, n_components) returned {module!r}, but a "
            "torch.nn.Module with the methods encode and decode was expected."
        )
    for method in ("encode", "decode"):
        if not callable(getattr(module, method, None)):
            raise TypeError(
                f"The network {name} has no method {method!r}: give it encode(X), "
                "which returns the codes, and decode(code), which returns rows."
            )
    module.float().eval()
    with torch.no_grad():
        rows = torch.zeros(2, n_features, dtype=torch.float32)
        code = _checked(module, "encode", rows, n_components)
        _checked(module, "decode", code, n_features)
        # Once more: lazy layers have drawn their weights by now.
        with PrivateRandomness(torch.Generator()) as draws:
            module.decode(module.encode(rows))
    if draws.used:
        raise ValueError(
            f"The network {name} draws random numbers in evaluation mode, so that "
            "equal rows would get different codes: draw only while self.training."
        )
    if not any(parameter.requires_grad for parameter in module.parameters()):
        raise ValueError(f"The network {name} has no parameters to train.")
    return module.train()


def _checked(module, method, given, width):
    """What a method returns, once its type and shape are known to be right."""
    name = f"{type(module).__name__}.{method}"
    given_shape, expected = tuple(given.shape), (len(given), width)
    try:
        got = getattr(module, method)(given)
    except RuntimeError as error:
        raise ValueError(
            f"{name} failed for an input of shape {given_shape}, from which shape "
            f"{expected} was expected: {error}"
        ) from error
    if not isinstance(got, torch.Tensor):
        raise TypeError(
            f"{name} returned a {type(got).__name__}, but a tensor was expected."
        )
    if tuple(got.shape) != expected:
        raise ValueError(
            f"{name} returned shape {tuple(got.shape)} for an input of shape "
            f"{given_shape}, but shape {expected} was expected."
        )
    if got.dtype != torch.float32:
        raise ValueError(
            f"{name} returned {got.dtype}, but torch.float32 was expected."
        )
    return got
