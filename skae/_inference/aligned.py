"""Any network, applied so that rows don't depend on their neighbours."""

import torch
from torch.nn import functional as F
from torch.utils._python_dispatch import TorchDispatchMode

from skae._inference.grain import GRAIN_CELLS, VECTOR


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
    return X.numel() >= GRAIN_CELLS or X.numel() % (2 * VECTOR) > 0


def _aligned_product(left, right):
    fill_in, fill_out = -right.shape[0] % VECTOR, -right.shape[1] % VECTOR
    left = F.pad(left, (0, fill_in))
    product = torch.mm(left, F.pad(right, (0, fill_out, 0, fill_in)))
    return product[:, : right.shape[1]].contiguous()
