"""Linear layers of a known network, folded into few products of full width."""

import functools
from itertools import pairwise

import torch
from torch import nn
from torch.nn import functional as F

from skae._utils.grain import GRAIN_CELLS, VECTOR, rows_below_grain
from skae._utils.threads import threads

# Rows in a chunk of a Stack: many for speed, few for single rows.
_CHUNKS = 1024, 128, 16
_MOST_CELLS = 2**20


class Stack:
    """Linear layers with activations between them, as few products of full width.

    Computes ``linear(X) + network(X)``, where the linear map is optional. The first
    layer and the linear map read X in one product, and the last product adds to what
    the linear map gave. Widths are filled up with zeros to multiples of `VECTOR`: in
    other shapes the last rows and columns go through code that rounds differently.

    Parameters
    ----------
    layers : list of (weight, bias)
        Tensors as in :class:`torch.nn.Linear`.
    linear : (weight, bias) or None
    activation : Module
    device : str
    """

    def __init__(self, layers, linear, activation, device="cpu"):
        n_in, self.n_out = layers[0][0].shape[1], layers[-1][0].shape[0]
        widths = n_in, *(weight.shape[0] for weight, _ in layers)
        # All that decides which code the processor runs.
        self.kind = widths, linear is not None, type(activation), device
        self.fill_in = -n_in % VECTOR
        self.activation = _in_place(activation)
        layers = [(_filled(weight).T, _filled(bias)) for weight, bias in layers]
        self.first_width = layers[0][0].shape[1]
        if linear is not None:
            weight, bias = _filled(linear[0]).T, _filled(linear[1])
            weight = torch.cat([layers[0][0], weight], 1)
            bias = torch.cat([layers[0][1], bias + layers[-1][1]])
            layers[0], layers[-1] = (weight, bias), (layers[-1][0], None)
        self.layers = [
            (weight.contiguous().to(device), None if bias is None else bias.to(device))
            for weight, bias in layers
        ]

    def __call__(self, X):
        """Results (n, n_out) of rows (n, n_in)."""
        if self.fill_in:
            X = F.pad(X, (0, self.fill_in))
        (weight, bias), *others = self.layers
        both = torch.addmm(bias, X, weight)  # (n, first_width + n_out)
        hidden, beside = both[:, : self.first_width], both[:, self.first_width :]
        for weight, bias in others:
            self._activate(hidden)
            hidden = torch.addmm(beside if bias is None else bias, hidden, weight)
        return hidden[:, : self.n_out]

    def _activate(self, hidden):
        if hidden.numel() < GRAIN_CELLS:
            self.activation(hidden)
            return
        # An even number of vectors in each part.
        for part in hidden.split(max(1, GRAIN_CELLS // hidden.shape[1] - 1 & -2)):
            self.activation(part)


def _filled(value):
    """Weight or bias, its dimensions filled up to multiples of `VECTOR`."""
    fill = [(0, -length % VECTOR) for length in reversed(value.shape)]
    return F.pad(value.detach(), sum(fill, ()))


def _in_place(activation):
    """The activation as a function that writes over what it reads.

    That is where a fifth of a chunk's time would go otherwise.
    """
    if isinstance(activation, nn.Tanh):
        return torch.tanh_
    if isinstance(activation, nn.Sigmoid):
        return torch.sigmoid_
    if hasattr(activation, "inplace"):
        return type(activation)(inplace=True)
    return lambda part: part.copy_(activation(part))


def chunk_rows(stacks, width=None):
    """How many rows the chunks have, descending.

    Several sizes, if rows come out the same of all of them.

    Parameters
    ----------
    stacks : sequence of Stack
        What the rows go through.
    width : int, default=None
        Of what further element-wise functions are applied to.
    """
    widest = max(max(stack.kind[0]) for stack in stacks)
    sizes = tuple(n for n in _CHUNKS if n * widest <= _MOST_CELLS) or _CHUNKS[-1:]
    if width is not None:
        many = rows_below_grain(width)
        # 32 rows fill the widest vectors at any width.
        sizes = (many, 32) if many > 32 else (many,)
    with threads(1):  # as chunks are computed
        if all(_alike(*stack.kind, sizes) for stack in stacks):
            return sizes
    return (sizes[-2],)


@functools.cache
def _alike(widths, has_linear, activation, device, sizes):
    """Whether rows come out the same of chunks of all sizes.

    They do on all processors that this was tried on, but no library promises it. What
    code a product takes depends on its shape, not on its numbers: random ones tell.
    """
    if len(sizes) == 1:
        return True
    generator = torch.Generator().manual_seed(0)

    def random(*shape):
        return torch.randn(*shape, generator=generator, dtype=torch.float32)

    def linear(n_in, n_out):
        return random(n_out, n_in) / n_in**0.5, random(n_out)

    layers = [linear(*pair) for pair in pairwise(widths)]
    beside = linear(widths[0], widths[-1]) if has_linear else None
    stack = Stack(layers, beside, activation(), device)
    rows = random(sizes[0], widths[0]).to(device)
    with torch.no_grad():
        results = [
            torch.cat([stack(part) for part in rows.split(size)]) for size in sizes
        ]
    return all(torch.equal(result, results[0]) for result in results)
