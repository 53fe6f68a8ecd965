"""A trained network as arrays, and its halves as modules in the data's units."""

from contextlib import nullcontext

import torch
from torch import nn

from skae._inference import (
    AlignedProducts,
    Stack,
    by_chunks,
    chunk_rows,
    rows_below_grain,
)
from skae._random import PrivateRandomness
from skae.networks import MLP, EncoderDecoder, LinearPath


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

    @property
    def is_own_mlp(self):
        """Whether the network is ours, whose every layer is known; no subclass."""
        return type(self.network) is MLP

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
        encode, _ = self._on(device)

        def codes(rows):
            return encode(rows).cpu().double().mul_(self.scale)

        sizes = self._chunk_rows([encode])
        return self._by_chunks(
            codes, X, self.shift, (self.n_components,), sizes, device
        )

    def decode(self, code, device):
        """Rows (n, n_features) of codes (n, n_components)."""
        _, decode = self._on(device)
        function = self._to_data(decode)
        sizes = self._chunk_rows([decode], self.n_features)
        return self._by_chunks(function, code, 0.0, (self.n_features,), sizes, device)

    def reconstruct(self, X, device):
        """Decoded codes (n, n_features) of rows (n, n_features)."""
        encode, decode = self._on(device)
        function = self._to_data(lambda rows: decode(encode(rows)))
        sizes = self._chunk_rows([encode, decode], self.n_features)
        return self._by_chunks(
            function, X, self.shift, (self.n_features,), sizes, device
        )

    def losses(self, X, device):
        """Loss (n,) of each row, in the units of the data."""
        encode, decode = self._on(device)
        shift, scale = (
            torch.tensor(value, dtype=torch.float32, device=device)
            for value in (self.shift, self.scale)
        )

        def losses(rows):
            target = self.loss.target(rows, shift, scale)
            loss = self.loss(decode(encode(rows)), target)
            return loss.cpu().double() * self.scale**self.loss.degree

        sizes = self._chunk_rows([encode, decode], self.n_features)
        return self._by_chunks(losses, X, self.shift, (), sizes, device)

    def _on(self, device):
        """Standardised rows to codes, and codes to raw output; kept for later calls."""
        ready = self._ready
        if ready is None or ready[0] != device:
            module = self.build().eval().requires_grad_(False)
            if self.is_own_mlp:
                halves = _stack(module.encoder, device), _stack(module.decoder, device)
            else:
                module.to(device)
                halves = module.encode, module.decode
            ready = self._ready = device, *halves
        return ready[1:]

    def _to_data(self, function):
        """The function, its raw output turned into data."""
        shift = torch.tensor(self.shift, dtype=torch.float64)
        scale = torch.tensor(self.scale, dtype=torch.float64)
        return lambda rows: self.loss.to_data(function(rows).cpu(), shift, scale)

    def _chunk_rows(self, halves, width=None):
        if self.is_own_mlp:
            return chunk_rows(halves, width)
        shapes = [value.shape for value in self.weights.values()]
        return (rows_below_grain(max(max(shape, default=1) for shape in shapes)),)

    def _by_chunks(self, function, X, shift, shape, sizes, device):
        mode = nullcontext if self.is_own_mlp else AlignedProducts
        return by_chunks(function, X, shift, self.scale, shape, sizes, device, mode)


def _stack(half, device):
    """A half of an MLP as a Stack, the linear path's factors within the weights."""
    network = half.network if isinstance(half, LinearPath) else half
    layers = [
        (layer.weight, layer.bias) for layer in network if isinstance(layer, nn.Linear)
    ]
    activation = network[1] if len(network) > 1 else nn.Identity()
    if not isinstance(half, LinearPath):
        return Stack(layers, None, activation, device)
    if half.in_factor is not None:
        weight, bias = layers[0]
        layers[0] = weight * half.in_factor, bias
    if half.out_factor is not None:
        weight, bias = layers[-1]
        layers[-1] = weight * half.out_factor[:, None], bias * half.out_factor
    return Stack(layers, (half.linear.weight, half.linear.bias), activation, device)


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
