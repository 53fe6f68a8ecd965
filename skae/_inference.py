"""Rows through a network so that no row's result depends on its neighbours.

A matrix product rounds differently for other numbers of rows, so that a row alone
would get other bits than in a batch. Three things make results bitwise equal on the
CPU: all chunks have one of a few fixed numbers of rows, matrices' widths are multiples
of what the processor's vectors hold, and element-wise functions get so few cells at a
time that they run in one thread, whose vectors then hold whole groups of rows; or else
one row.
"""

import functools
from contextlib import nullcontext
from itertools import pairwise

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F
from torch.utils._python_dispatch import TorchDispatchMode

# A multiple of the vector length in numbers, for any processor so far.
_VECTOR = 16
# torch splits element-wise functions of more cells among threads: GELU, that is, and
# others from twice as many.
_GRAIN_CELLS = 2**14
_FEWEST_ROWS, _MOST_ROWS = 16, 512
# Rows in a chunk of a Stack: many for speed, few for single rows.
_CHUNKS = 1024, 128, 16
_MOST_CELLS = 2**20


class Stack:
    """Linear layers with activations between them, as few products of full width.

    Computes ``linear(X) + network(X)``, where the linear map is optional. The first
    layer and the linear map read X in one product, and the last product adds to what
    the linear map gave. Widths are filled up with zeros to multiples of `_VECTOR`: in
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
        self.fill_in = -n_in % _VECTOR
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
        if hidden.numel() < _GRAIN_CELLS:
            self.activation(hidden)
            return
        # An even number of vectors in each part.
        for part in hidden.split(max(1, _GRAIN_CELLS // hidden.shape[1] - 1 & -2)):
            self.activation(part)


def _filled(value):
    """Weight or bias, its dimensions filled up to multiples of `_VECTOR`."""
    fill = [(0, -length % _VECTOR) for length in reversed(value.shape)]
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


class AlignedProducts(TorchDispatchMode):
    """Fills up the matrices of all products inside the context.

    As :class:`Stack`, for networks that may multiply in any other way; but weights
    are filled up again in each product. Element-wise functions that threads or vectors
    would share in the middle of a row are applied row by row.
    """

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        if func is torch.ops.aten.mm.default:
            return _aligned_product(*args)
        if func is torch.ops.aten.addmm.default and not kwargs:
            bias, left, right = args
            return _aligned_product(left, right) + bias
        kwargs = kwargs or {}
        if _is_shared_unevenly(func, *args, *kwargs.values()):
            X, *others = args
            rows = [func(row, *others, **kwargs) for row in X.split(1)]
            return X if func._schema.is_mutable else torch.cat(rows)
        return func(*args, **kwargs)


def _is_shared_unevenly(func, X=None, *others):
    """Whether rows of X would depend on where among the others they are."""
    if torch.Tag.pointwise not in func.tags or not isinstance(X, torch.Tensor):
        return False
    if X.dim() == 0 or len(X) < 2:
        return False
    # Functions of several tensors are sums and products, which round in one way.
    if any(isinstance(other, torch.Tensor) for other in others):
        return False
    # Loops take two vectors at a time.
    return X.numel() >= _GRAIN_CELLS or X.numel() % (2 * _VECTOR) > 0


def _aligned_product(left, right):
    fill_in, fill_out = -right.shape[0] % _VECTOR, -right.shape[1] % _VECTOR
    left = F.pad(left, (0, fill_in))
    product = torch.mm(left, F.pad(right, (0, fill_out, 0, fill_in)))
    return product[:, : right.shape[1]].contiguous()


def rows_below_grain(width):
    """How many rows of a width element-wise functions take in one thread."""
    rows = 2 ** int(np.log2(max(1, (_GRAIN_CELLS - 1) / width)))
    return min(max(rows, _FEWEST_ROWS), _MOST_ROWS)


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
    threads = torch.get_num_threads()
    if all(_alike(*stack.kind, sizes, threads) for stack in stacks):
        return sizes
    return (sizes[-2],)


@functools.cache
def _alike(widths, has_linear, activation, device, sizes, threads):
    """Whether rows come out the same of chunks of all sizes, with so many threads.

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


def by_chunks(function, X, shift, scale, shape, sizes, device, mode=nullcontext):
    """Apply a function of standardised rows to chunks of fixed row counts.

    Parameters
    ----------
    function : callable
        From a float32 tensor of rows on the device to a tensor of as many, anywhere.
    X : ndarray of shape (n, d), float32 or float64
    shift : ndarray of shape (d,) or float
        Subtracted from the rows.
    scale : float
        What the rows are then divided by.
    shape : tuple of ints
        Of the result for one row.
    sizes : tuple of ints
        Row counts, descending. The last one takes what is left by those before.
    device : str
    mode : callable, default=nullcontext
        Makes a context that the function runs in.

    Returns
    -------
    result : ndarray of shape (n, *shape), of the dtype of X
    """
    result = np.empty((len(X), *shape), X.dtype)
    # Not inference_mode, in which dispatch modes see no single products.
    with torch.no_grad(), mode(), np.errstate(over="ignore", invalid="ignore"):
        for part, rows in _standard_chunks(X, shift, scale, sizes):
            output = function(rows.to(device)).cpu().numpy()
            result[part] = output[: len(result[part])]
    return result


def _standard_chunks(X, shift, scale, sizes):
    """Slices of X, and each as a tensor of standardised rows with some to spare."""
    # Multiplying is quicker, but the inverse of the smallest numbers overflows.
    normal = scale >= np.finfo(float).tiny
    rescale, by = (np.multiply, 1 / scale) if normal else (np.divide, scale)
    start = 0
    for size in sizes:
        least = 1 if size == sizes[-1] else size // 2
        if len(X) - start < least:
            continue
        # Torch's memory is aligned, which products may depend on.
        rows = torch.zeros(size, X.shape[1], dtype=torch.float32)
        # In double precision: subtracting a large shift must not lose the data.
        exact = np.empty(rows.shape)
        while len(X) - start >= least:
            part = slice(start, min(start + size, len(X)))
            n = part.stop - start
            np.subtract(X[part], shift, out=exact[:n])
            rescale(exact[:n], by, out=exact[:n])
            rows.numpy()[:n] = exact[:n]
            yield part, rows
            start += size
