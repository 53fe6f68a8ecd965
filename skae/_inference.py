"""Rows through a module so that no row's result depends on its neighbours.

A matrix product rounds differently for other numbers of rows, so that a row alone
would get other bits than in a batch. Three things make results bitwise equal on the
CPU: all chunks have one fixed number of rows, widths are multiples of what the
processor's vectors hold, and a chunk is small enough that element-wise functions run
in one thread, whose vectors then hold whole groups of rows.
"""

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F

# A multiple of the vector length in numbers, for any processor so far.
_VECTOR = 16
# torch splits element-wise functions of more cells than this among threads.
_GRAIN_CELLS = 2**15
_FEWEST_ROWS, _MOST_ROWS = 16, 512


class AlignedLinear(nn.Linear):
    """A Linear layer that computes with widths that are multiples of `_VECTOR`.

    In other shapes the last rows and columns go through different code, which rounds
    differently. The filled-up weight is a second one: networks may use `weight` for
    something else besides, such as a tied decoder.
    """

    def __init__(self, linear):
        nn.Module.__init__(self)
        self.in_features, self.out_features = linear.in_features, linear.out_features
        self.weight, self.bias = linear.weight, linear.bias
        fill_out = -self.out_features % _VECTOR
        self.fill_in = -self.in_features % _VECTOR
        self.wide_weight = F.pad(linear.weight, (0, self.fill_in, 0, fill_out))
        self.wide_bias = None
        if linear.bias is not None:
            self.wide_bias = F.pad(linear.bias, (0, fill_out))

    def forward(self, X):
        if self.fill_in:
            X = F.pad(X, (0, self.fill_in))
        X = F.linear(X, self.wide_weight, self.wide_bias)
        return X[..., : self.out_features].contiguous()


def aligned(module):
    """The module with aligned Linear layers, changed in place."""
    if type(module) is nn.Linear:
        return AlignedLinear(module)
    for name, child in module.named_children():
        setattr(module, name, aligned(child))
    return module


def chunk_rows(weights):
    """How many rows each chunk has, for a network with the given weights."""
    widest = max(max(value.shape, default=1) for value in weights)
    rows = 2 ** int(np.log2(max(1, (_GRAIN_CELLS - 1) / widest)))
    return min(max(rows, _FEWEST_ROWS), _MOST_ROWS)


def by_chunks(function, X, shape, size, device):
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

    Returns
    -------
    result : ndarray of shape (n, *shape), of the dtype of X
    """
    result = np.empty((len(X), *shape), X.dtype)
    chunk = np.empty((size, X.shape[1]), X.dtype)
    chunk[:] = X[0]
    with torch.inference_mode():
        for start in range(0, len(X), size):
            part = X[start : start + size]
            chunk[: len(part)] = part
            output = function(torch.from_numpy(chunk).to(device))
            result[start : start + size] = output[: len(part)].cpu().numpy()
    return result
