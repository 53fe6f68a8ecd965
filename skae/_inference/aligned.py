"""Any network, applied so that rows don't depend on their neighbours."""

import functools
from itertools import repeat

import torch
from torch.overrides import BaseTorchFunctionMode
from torch.utils._python_dispatch import TorchDispatchMode

from skae._inference.products import FUSED, PRODUCTS, filled
from skae._utils.grain import GRAIN_CELLS, VECTOR

aten = torch.ops.aten

# Loops take two vectors at a time; of the smallest floats there are twice as many.
_CELLS = 4 * VECTOR
# Element-wise functions of one right result, which all code gives.
_EXACT = frozenset(
    "absolute ceil clamp clamp_max clamp_min clip clone copysign eq equal floor fmax "
    "fmin ge gt hardtanh heaviside isfinite isinf isnan isneginf isposinf le "
    "leaky_relu logical_and logical_not logical_or logical_xor lt masked_fill max "
    "maximum min minimum nan_to_num ne neg nextafter positive relu relu6 sign signbit "
    "threshold trunc where".split()
)
# Exact for real numbers, unless a factor or a rounding mode makes it two steps.
_MOSTLY_EXACT = frozenset(
    "abs add div mul reciprocal rsub sgn sqrt square sub true_divide".split()
)
# Operations along dimensions: where these aren't the last ones, vectors go across rows.
_ALONG = frozenset({"_log_softmax", "_softmax", "cumsum", "mean", "nansum", "sum"})
# Element-wise functions that torch doesn't tag so, or didn't yet in version 2.4.
_UNTAGGED = frozenset(
    "celu elu hardshrink hardsigmoid hardswish mish rad2deg selu softplus "
    "softshrink".split()
)


class AlignedProducts(TorchDispatchMode):
    """Applies operations in ways that don't depend on where a row is.

    Matrices of all products are filled up, as in :class:`Stack`. Element-wise functions
    get whole vectors of cells, as many as run in one thread. Sums run along memory.
    What torch fuses is taken apart.

    Parameters
    ----------
    n_rows : int, default=16
        How many rows there are. Products of some of them are of as many.
    """

    def __init__(self, n_rows=VECTOR):
        super().__init__()
        self.n_rows = n_rows
        self.filled_weights = {}
        # Layers don't take their fast paths while there is a mode of this kind.
        self.functions = BaseTorchFunctionMode()

    def __enter__(self):
        self.functions.__enter__()
        return super().__enter__()

    def __exit__(self, *error):
        super().__exit__(*error)
        self.functions.__exit__(*error)

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        kwargs = kwargs or {}
        way = _way(func)
        if way is None:
            return func(*args, **kwargs)
        with torch._C.DisableTorchFunction():
            return way(self, func, args, kwargs)

    def filled(self, X, *fill):
        """As `filled`, but once for all products by one parameter."""
        owner = X if X._base is None else X._base
        is_weight = isinstance(owner, torch.nn.Parameter) and not owner.is_inference()
        if not is_weight or not any(fill):
            return filled(X, *fill)
        # Keeps the owner alive: its id must not be reused.
        key = id(owner), owner._version, X.shape, X.stride(), X.storage_offset()
        if key not in self.filled_weights:
            self.filled_weights[key] = owner, filled(X, *fill)
        return self.filled_weights[key][1]


@functools.cache
def _way(func):
    """What applies an operation, ``way(mode, func, args, kwargs)``; None is itself."""
    if func.namespace != "aten":
        return _by_parts if _can_decompose(func) else None
    name = _name(func)
    ways = (PRODUCTS, _multiplied), (FUSED, _taken_apart), (_ALONG, _along_memory)
    for names, way in ways:
        if name in names:
            return _writing if func._schema.is_mutable else way
    if name in _EXACT:
        return None
    if name in _MOSTLY_EXACT:
        return _exactly
    packet = getattr(aten, name, func.overloadpacket)
    overloads = [getattr(packet, overload) for overload in packet.overloads()]
    if name in _UNTAGGED or any(torch.Tag.pointwise in op.tags for op in overloads):
        return _by_vectors
    return _by_parts if _can_decompose(func) else None


def _can_decompose(func):
    """Whether torch makes an operation of others."""
    key = torch._C.DispatchKey.CompositeImplicitAutograd
    if key in func.py_kernels:
        return True
    return torch._C._dispatch_has_kernel_for_dispatch_key(func.name(), key)


def _name(func):
    return func.overloadpacket.__name__.removesuffix("_")


def _multiplied(mode, func, args, kwargs):
    return PRODUCTS[_name(func)](mode, *args, **kwargs)


def _by_parts(mode, func, args, kwargs):
    """An operation that torch makes of others, which come back here one by one.

    They do by themselves, except in inference mode and below other operations.
    """
    with mode:
        return func.decompose(*args, **kwargs)


def _taken_apart(mode, func, args, kwargs):
    """An operation by way of others, or as it is where its way has none."""
    with mode:
        result = FUSED[_name(func)](*args, **kwargs)
    return func(*args, **kwargs) if result is NotImplemented else result


def _writing(mode, func, args, kwargs):
    """An operation that writes to its arguments, by way of the one that returns."""
    names = [argument.name for argument in func._schema.arguments if argument.is_out]
    given = {name: value for name, value in kwargs.items() if name not in names}
    with mode:
        results = getattr(aten, _name(func))(*args, **given)
    results = results if isinstance(results, tuple) else (results,)
    targets = tuple(kwargs[name] for name in names) or args[:1]
    for target, result in zip(targets, results, strict=True):
        if target.shape != result.shape:
            target.resize_(result.shape)
        target.copy_(result)
    return targets if len(targets) > 1 else targets[0]


def _along_memory(mode, func, args, kwargs):
    """An operation along dimensions of a tensor, which are moved to its end."""
    X, *others = args
    if not others or others[0] in (None, []) or X.dim() == 0:
        return func(*args, **kwargs)
    dim, *others = others
    dims = [i % X.dim() for i in (dim if isinstance(dim, list) else [dim])]
    ends = [*range(-len(dims), 0)]
    if X.is_contiguous() and sorted(dims) == [X.dim() + i for i in ends]:
        return func(*args, **kwargs)
    to = ends if isinstance(dim, list) else -1
    result = func(X.movedim(dims, ends).contiguous(), to, *others, **kwargs)
    return result.movedim(ends, dims) if result.dim() == X.dim() else result


def _exactly(mode, func, args, kwargs):
    """A function of one right result, unless it is of two steps or complex."""
    for value in args:
        if isinstance(value, torch.Tensor) and value.is_complex():
            return _by_vectors(mode, func, args, kwargs)
    if "alpha" in kwargs or "rounding_mode" in kwargs:
        return _by_vectors(mode, func, args, kwargs)
    return func(*args, **kwargs)


def _by_vectors(mode, func, args, kwargs):
    """An element-wise function of whole vectors of cells, in one thread."""
    if "out" in func._overloadname:
        return _writing(mode, func, args, kwargs)
    given = [*args, *kwargs.values()]
    # Tensors without dimensions are numbers.
    are_cells = [isinstance(v, torch.Tensor) and v.dim() > 0 for v in given]
    tensors = [v for v, is_tensor in zip(given, are_cells, strict=True) if is_tensor]
    if not all(v.layout is torch.strided and not v.is_nested for v in tensors):
        return func(*args, **kwargs)
    if not tensors or _are_whole_vectors(tensors):
        return func(*args, **kwargs)
    shape = torch.broadcast_shapes(*[v.shape for v in tensors])
    strides = [v.expand(shape).stride() for v in tensors]
    # Dimensions as they follow each other in memory.
    order = sorted(range(len(shape)), key=lambda i: [-step[i] for step in strides])
    if _are_alike(mode.n_rows, shape, strides, order):
        return func(*args, **kwargs)
    if func._schema.is_mutable:
        return _writing(mode, func, args, kwargs)
    parts = [
        _vectors(v.expand(shape).permute(order)) if is_tensor else repeat(v)
        for v, is_tensor in zip(given, are_cells, strict=True)
    ]
    results = []
    for part in zip(*parts, strict=False):
        named = zip(kwargs, part[len(args) :], strict=True)
        results.append(func(*part[: len(args)], **dict(named)))
    if not isinstance(results[0], tuple):
        return _joined(results, shape, order)
    return tuple(_joined(parts, shape, order) for parts in zip(*results, strict=True))


def _are_whole_vectors(tensors):
    """Whether one thread goes through all cells of tensors in whole vectors."""
    first, *others = tensors
    n_cells = first.numel()
    return (
        n_cells % _CELLS == 0
        and (n_cells < GRAIN_CELLS or torch.get_num_threads() == 1)
        and first.is_contiguous()
        and all(v.shape == first.shape and v.is_contiguous() for v in others)
    )


def _are_alike(n_rows, shape, strides, order):
    """Whether loops over strided cells begin and end alike in all rows."""
    are_few = shape.numel() < GRAIN_CELLS
    if not are_few and torch.get_num_threads() > 1:
        return False
    *outer, last = [i for i in order if shape[i] > 1 or i == 0]
    n_inner = shape[last]
    # Dimensions that follow each other in all tensors are one.
    for i in reversed(outer):
        if any(step[i] != step[last] * shape[last] for step in strides):
            # Cells of one row are alike wherever it is, if it is not cut.
            return n_inner % _CELLS == 0 or (are_few and n_inner % n_rows > 0)
        n_inner, last = n_inner * shape[i], i
    return n_inner % _CELLS == 0


def _vectors(X):
    """Cells in parts of whole vectors, filled up, as many as run in one thread."""
    *parts, last = X.reshape(-1).split(GRAIN_CELLS - _CELLS)
    return [*parts, filled(last, -len(last) % _CELLS, value=1)]


def _joined(parts, shape, order):
    """Parts of cells as a tensor of a shape whose dimensions are in another order."""
    cells = parts[0] if len(parts) == 1 else torch.cat(parts)
    ordered = [shape[i] for i in order]
    back = sorted(range(len(order)), key=order.__getitem__)
    return cells[: shape.numel()].view(ordered).permute(back)
