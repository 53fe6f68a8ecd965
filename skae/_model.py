"""A trained network as arrays, and its halves as modules in the data's units."""

from contextlib import nullcontext

import torch
from torch import nn

from skae._codes import CodedModule, CodeMap, bare
from skae._halves import EncoderDecoder, LinearPath, TiedLinear, untie
from skae._inference import (
    AlignedProducts,
    Stack,
    by_chunks,
    chunk_rows,
    rows_below_grain,
)
from skae._mlp import MLP
from skae._random import PrivateRandomness


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


class _Method(nn.Module):
    """One method of a module as a module of its own."""

    def __init__(self, module, name):
        super().__init__()
        self.module = module
        self.name = name

    def forward(self, X):
        return getattr(self.module, self.name)(X)


def _encoder(module):
    """What encodes, as a module; without the decoder where they come apart."""
    if isinstance(module, CodedModule):
        return nn.Sequential(_encoder(module.module), module.code_map)
    if isinstance(module, EncoderDecoder):
        return module.encoder
    return _Method(module, "encode")


def _decoder(module):
    """What decodes, as a module."""
    inner = bare(module)
    return (
        inner.decoder if isinstance(inner, EncoderDecoder) else _Method(inner, "decode")
    )


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
        encode, decode = _encoder(module), _decoder(module)
        untie(decode)
        own_units = getattr(module, "has_own_units", False)
        units = self.shift, self.scale, 1.0 if own_units else self.scale
        encoder_units, decoder_units = (
            [torch.tensor(value, dtype=torch.float64) for value in units]
            for _ in range(2)
        )
        encoder = Encoder(encode, *encoder_units)
        decoder = Decoder(decode, *decoder_units, self.loss)
        return encoder.eval(), decoder.eval()

    def encode(self, X, device):
        """Codes (n, n_components) of rows (n, n_features)."""
        ready = self._on(device)

        def codes(rows):
            return ready.encode(rows).cpu().double().mul_(ready.code_scale)

        # Maps of codes are further element-wise functions.
        width = self.n_components if ready.code_is_mapped else None
        sizes = ready.chunk_rows([ready.encode], width)
        shape = (self.n_components,)
        return self._by_chunks(ready, codes, X, shape, sizes)

    def decode(self, code, device):
        """Rows (n, n_features) of codes (n, n_components)."""
        ready = self._on(device)
        sizes = ready.chunk_rows([ready.decode], self.n_features)
        mode, units = ready.mode, (0.0, ready.code_scale)
        function, shape = self._to_data(ready.decode), (self.n_features,)
        return by_chunks(function, code, *units, shape, sizes, device, mode)

    def reconstruct(self, X, device):
        """Decoded codes (n, n_features) of rows (n, n_features)."""
        ready = self._on(device)
        function = self._to_data(lambda rows: ready.decode(ready.encode(rows)))
        sizes = ready.chunk_rows([ready.encode, ready.decode], self.n_features)
        return self._by_chunks(ready, function, X, (self.n_features,), sizes)

    def losses(self, X, device):
        """Loss (n,) of each row, in the units of the data."""
        ready = self._on(device)
        shift, scale = (
            torch.tensor(value, dtype=torch.float32, device=device)
            for value in (self.shift, self.scale)
        )

        def losses(rows):
            target = self.loss.target(rows, shift, scale)
            loss = self.loss(ready.decode(ready.encode(rows)), target)
            return loss.cpu().double() * self.scale**self.loss.degree

        sizes = ready.chunk_rows([ready.encode, ready.decode], self.n_features)
        return self._by_chunks(ready, losses, X, (), sizes)

    def apply(self, function, X, shape, device):
        """What a function of a module and standardised rows gives for each row of X.

        Parameters
        ----------
        function : callable
            ``function(module, rows)`` returns a tensor of shape (len(rows), *shape).
        X : ndarray of shape (n, n_features)
        shape : tuple of ints
        device : str

        Returns
        -------
        result : ndarray of shape (n, *shape)
        """
        ready = Ready(self, device, takes_stacks=False)
        sizes = ready.chunk_rows([], self.n_features)
        return self._by_chunks(
            ready, lambda rows: function(ready.module, rows), X, shape, sizes
        )

    def _on(self, device):
        """The network, ready to be applied on a device; kept for later calls."""
        if self._ready is None or self._ready.device != device:
            self._ready = Ready(self, device)
        return self._ready

    def _to_data(self, function):
        """The function, its raw output turned into data."""
        shift = torch.tensor(self.shift, dtype=torch.float64)
        scale = torch.tensor(self.scale, dtype=torch.float64)
        return lambda rows: self.loss.to_data(function(rows).cpu(), shift, scale)

    def _by_chunks(self, ready, function, X, shape, sizes):
        units = self.shift, self.scale
        return by_chunks(function, X, *units, shape, sizes, ready.device, ready.mode)


class Ready:
    """A trained network, ready to be applied to chunks of rows on a device.

    Parameters
    ----------
    model : Model
    device : str
    takes_stacks : bool, default=True
        Whether networks of our own become products of full width, instead of staying
        modules.

    Attributes
    ----------
    module : Module
    encode, decode : callable
        Standardised rows to codes, and codes to raw output.
    code_scale : float
        Units of the data in one of the codes.
    code_is_mapped : bool
    mode : callable
        Makes the context to call them in.
    """

    def __init__(self, model, device, takes_stacks=True):
        module = model.build().eval().requires_grad_(False)
        own_units = getattr(module, "has_own_units", False)
        self.device = device
        self.code_scale = 1.0 if own_units else model.scale
        self.module = module.to(device)
        self.stacks = None
        inner = bare(module)
        self.code_is_mapped = inner is not module
        self.encode, self.decode = module.encode, module.decode
        if takes_stacks and type(bare(model.network)) is MLP:
            encode, self.decode = (
                _stack(half, device) for half in (inner.encoder, inner.decoder)
            )
            self.stacks = encode, self.decode
            self.encode = _through_maps(module, encode)
        widths = [shape for v in model.weights.values() for shape in v.shape]
        self.widest = max(widths, default=1)

    @property
    def mode(self):
        return AlignedProducts if self.stacks is None else nullcontext

    def chunk_rows(self, functions, width=None):
        """How many rows chunks have for `encode`, `decode` or both, descending."""
        if self.stacks is None:
            return (rows_below_grain(self.widest),)
        encode, decode = self.stacks
        used = {self.encode: encode, self.decode: decode}
        return chunk_rows([used[function] for function in functions], width)


def _through_maps(module, encode):
    """The function that encodes, followed by the maps of a module's codes."""
    if not isinstance(module, CodedModule):
        return encode
    inner = _through_maps(module.module, encode)
    return lambda rows: module.code_map(inner(rows))


def _stack(half, device):
    """A half of an MLP as a Stack, the linear path's factors within the weights."""
    network = half.network if isinstance(half, LinearPath) else half
    layers = [
        (layer.weight, layer.bias)
        for layer in network
        if isinstance(layer, nn.Linear | TiedLinear)
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
    if isinstance(network, CodeMap):
        # What is wrong with the inner network is said of that one.
        module = new_network(network.inner, n_features, n_components)
        return network.coded(module, n_components).float()
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
