"""Rows through a module so that no row's result depends on its neighbours.

A matrix product rounds differently for other numbers of rows, so that a row alone
would get other bits than in a batch. Three things make results bitwise equal on the
CPU: all chunks have one fixed number of rows, matrices' widths are multiples of what
the processor's vectors hold, and a chunk is small enough that element-wise functions
run in one thread, whose vectors then hold whole groups of rows.
"""

from contextlib import nullcontext

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F
from torch.utils._python_dispatch import TorchDispatchMode

# A multiple of the vector length in numbers, for any processor so far.
_VECTOR = 16
# torch splits element-wise functions of more cells than this among threads.
_GRAIN_CELLS = 2**15
_FEWEST_ROWS, _MOST_ROWS = 16, 512


class AlignedLinear(nn.Module):
    """A Linear layer, its widths filled up with zeros to multiples of `_VECTOR`.

    In other shapes the last rows and columns go through different code, which rounds
    differently.
    """

    def __init__(self, linear):
        super().__init__()
        self.n_out, n_in = linear.weight.shape
        self.fill_in, fill_out = -n_in % _VECTOR, -self.n_out % _VECTOR
        weight = F.pad(linear.weight.detach(), (0, self.fill_in, 0, fill_out))
        self.register_buffer("weight", weight)
        self.register_buffer("bias", F.pad(linear.bias.detach(), (0, fill_out)))

    def forward(self, X):
        if self.fill_in:
            X = F.pad(X, (0, self.fill_in))
        return F.linear(X, self.weight, self.bias)[:, : self.n_out].contiguous()


class AlignedProducts(TorchDispatchMode):
    """Fills up the matrices of all products inside the context.

    As :class:`AlignedLinear`, for networks that may multiply in any other way; but
    weights are filled up again in each product.
    """

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        if func is torch.ops.aten.mm.default:
            return _aligned_product(*args)
        if func is torch.ops.aten.addmm.default and not kwargs:
            bias, left, right = args
            return _aligned_product(left, right) + bias
        return func(*args, **(kwargs or {}))


def _aligned_product(left, right):
    fill_in, fill_out = -right.shape[0] % _VECTOR, -right.shape[1] % _VECTOR
    left = F.pad(left, (0, fill_in))
    product = torch.mm(left, F.pad(right, (0, fill_out, 0, fill_in)))
    return product[:, : right.shape[1]].contiguous()


def align(module):
    """Replace the Linear layers of a module of ours by aligned ones."""
    for name, child in module.named_children():
        if type(child) is nn.Linear:
            setattr(module, name, AlignedLinear(child))
        else:
            align(child)


def chunk_rows(weights):
    """How many rows each chunk has, for a network with the given weights."""
    widest = max(max(value.shape, default=1) for value in weights)
    rows = 2 ** int(np.log2(max(1, (_GRAIN_CELLS - 1) / widest)))
    return min(max(rows, _FEWEST_ROWS), _MOST_ROWS)


def by_chunks(function, X, shape, size, device, mode=nullcontext):
    """Apply a function of rows to chunks of one fixed row count.

    Parameters
    ----------
    function : callable
        From a tensor of `size` rows to a tensor of as many.
    X : ndarray of shape (n, d), float32 or float64
    shape : tuple of ints
        Of the result for one row.
    size : int
    device : str
    mode : callable, default=nullcontext
        Makes a context that the function runs in.

    Returns
    -------
    result : ndarray of shape (n, *shape), of the dtype of X
    """
    result = np.empty((len(X), *shape), X.dtype)
    chunk = np.empty((size, X.shape[1]), X.dtype)
    chunk[:] = X[0]
    # Not inference_mode, in which dispatch modes see no single products.
    with torch.no_grad(), mode():
        for start in range(0, len(X), size):
            part = X[start : start + size]
            chunk[: len(part)] = part
            output = function(torch.from_numpy(chunk).to(device))
            result[start : start + size] = output[: len(part)].cpu().numpy()
    return result
