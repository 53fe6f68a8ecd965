"""Products, and what torch fuses, so that rows don't depend on where they are."""

import torch

from skae._utils.grain import VECTOR

aten = torch.ops.aten

# Matrices of fewer products are multiplied number by number.
_FEW_PRODUCTS = 400


def filled(X, *fill, value=0):
    """A tensor with so many values more at the ends of its last dimensions."""
    if not any(fill):
        return X
    pad = [n for length in reversed(fill) for n in (0, length)]
    return aten.constant_pad_nd.default(X, pad, value)


def _product(mode, left, right):
    """Product of two matrices, or of two batches of them."""
    if not left.layout is right.layout is torch.strided:
        return left @ right
    (m, k), n = left.shape[-2:], right.shape[-1]
    multiply, few = aten.mm.default, mode.n_rows
    if left.dim() == 3:
        multiply, few = aten.bmm.default, VECTOR
        if m * k * n < _FEW_PRODUCTS:
            return multiply(left, right)
    left = filled(left, -m % few, -k % VECTOR)
    product = multiply(left, mode.filled(right, -k % VECTOR, -n % VECTOR))
    if product.shape[-2:] == (m, n):
        return product
    return product[..., :m, :n].contiguous()


def _added(mode, bias, left, right, *, beta=1, alpha=1):
    product = _product(mode, left, right)
    if alpha != 1:
        product = product * alpha
    if beta == 0:
        return product
    return product + (bias if beta == 1 else bias * beta)


def _added_batch(mode, bias, left, right, **factors):
    left, right = left.transpose(0, 1).flatten(1), right.flatten(0, 1)
    return _added(mode, bias, left, right, **factors)


def _by_vector(mode, X, vector):
    return _product(mode, X, vector[:, None])[:, 0]


def _added_by_vector(mode, bias, X, vector, **factors):
    return _added(mode, bias[:, None], X, vector[:, None], **factors)[:, 0]


def _inner_product(mode, left, right):
    return _product(mode, left[None], right[:, None])[0, 0]


def _attention(
    mode, q, k, v, dropout=0.0, is_causal=False, *, attn_mask=None, scale=None
):
    """Weighted means of v (n, heads, length, width), and the weights."""
    shared = q.shape[1] // k.shape[1]
    if shared > 1:
        k, v = k.repeat_interleave(shared, 1), v.repeat_interleave(shared, 1)
    q = q * (q.shape[-1] ** -0.5 if scale is None else scale)
    weights = _product(mode, q.flatten(0, 1), k.flatten(0, 1).mT)
    weights = weights.view(*q.shape[:-1], -1)
    if is_causal:
        future = torch.ones(weights.shape[-2:], dtype=torch.bool).triu(1)
        weights = weights.masked_fill(future.to(q.device), -torch.inf)
    if attn_mask is not None:
        weights = weights + attn_mask
    # Where all is hidden, softmax alone would give NaN.
    hidden = (weights == -torch.inf).all(-1, keepdim=True)
    weights = weights.softmax(-1).masked_fill(hidden, 0)
    means = _product(mode, weights.flatten(0, 1), v.flatten(0, 1))
    return means.view(*q.shape[:-1], -1), weights


def _log_sum_exp(X, dim, keepdim=False):
    top = X.amax(dim, keepdim=True)
    top = top.masked_fill(top.isinf(), 0)
    result = (X - top).exp().sum(dim, keepdim=True).log() + top
    return result if keepdim else result.squeeze(dim)


def _distances(left, right):
    squares = [X.square().sum(-1, keepdim=True) for X in (left, right)]
    ones = [torch.ones_like(X) for X in squares]
    left = torch.cat([-2 * left, squares[0], ones[0]], -1)
    right = torch.cat([right, ones[1], squares[1]], -1)
    return (left @ right.mT).clamp_min(0).sqrt()


def _many_distances(left, right, p, by_products):
    """Euclidean ones of many rows, which torch makes of products as well."""
    are_many = left.shape[-2] > 25 or right.shape[-2] > 25
    if p == 2 and (by_products == 1 or (by_products in (None, 0) and are_many)):
        return _distances(left, right)
    return NotImplemented


def _gated(X, dim=-1):
    half, gate = X.chunk(2, dim)
    return half * gate.sigmoid()


def _sum_of_products(one, two, three, fill_one, fill_two, fill_three, dims, unroll=1):
    """Three tensors with further dimensions, multiplied, and summed over some."""
    n = one.dim() + len(fill_one)
    names = [
        [i for i in range(n) if i not in fill]
        for fill in (fill_one, fill_two, fill_three)
    ]
    rest = [i for i in range(n) if i not in dims]
    return torch.einsum(one, names[0], two, names[1], three, names[2], rest)


def _ungrouped(
    X, weight, bias, stride, padding, dilation, transposed, output_padding, groups
):
    """Convolution of some groups at a time, the weights between them being zero.

    With some numbers of threads, those of groups depend on where an image is.
    """
    if groups == 1:
        return NotImplemented
    each = max(1, VECTOR // (X.shape[1] // groups))
    inputs = X.unflatten(1, (groups, -1)).split(each, 1)
    kernels = weight.unflatten(0, (groups, -1)).split(each)
    biases = [None] * len(inputs)
    if bias is not None:
        biases = [part.flatten() for part in bias.view(groups, -1).split(each)]
    settings = stride, padding, dilation, transposed, output_padding, 1
    parts = [
        aten.convolution(part.flatten(1, 2), _between_groups(kernel), offset, *settings)
        for part, kernel, offset in zip(inputs, kernels, biases, strict=True)
    ]
    return torch.cat(parts, 1)


def _between_groups(kernel):
    """Weights (groups, n, m, ...) as (groups * n, groups * m, ...)."""
    groups, n, m, *size = kernel.shape
    dense = kernel.new_zeros(groups, n, groups, m, *size)
    dense.diagonal(dim1=0, dim2=2).copy_(kernel.movedim(0, -1))
    return dense.view(groups * n, groups * m, *size)


# Operations by name, each called with the mode first.
PRODUCTS = {
    "_scaled_dot_product_flash_attention_for_cpu": _attention,
    "addbmm": _added_batch,
    "addmm": _added,
    "addmv": _added_by_vector,
    "baddbmm": _added,
    "bmm": _product,
    "dot": _inner_product,
    "mm": _product,
    "mv": _by_vector,
}
# Operations by name as functions of others; NotImplemented where they can stay.
FUSED = {
    "_cdist_forward": _many_distances,
    "_euclidean_dist": _distances,
    "_trilinear": _sum_of_products,
    "convolution": _ungrouped,
    "glu": _gated,
    "logsumexp": _log_sum_exp,
}
