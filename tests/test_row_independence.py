"""A row's code doesn't depend on the rows beside it, whatever the network does."""

import functools
from contextlib import contextmanager

import numpy as np
import pytest
import torch
from hypothesis import example, given, settings
from hypothesis import strategies as st
from torch import nn
from torch.nn import functional as F

from skae import AutoencoderTransformer
from skae._inference.aligned import AlignedProducts
from skae._inference.dependence import find_dependence
from skae._inference.products import FUSED, PRODUCTS
from skae.networks import Convolutional, EncoderDecoder

# Few of whole vectors, in steps (see `steps`) of odd and even widths; the last one has
# more cells than one thread takes.
WIDTHS = 5, 33, 40, 105, 1050


@contextmanager
def threads(n_threads):
    before = torch.get_num_threads()
    torch.set_num_threads(n_threads)
    try:
        yield
    finally:
        torch.set_num_threads(before)


@functools.cache
def layer(cls, *args, **settings):
    """One layer in evaluation mode, the same for all calls."""
    with torch.random.fork_rng():
        torch.manual_seed(0)
        return cls(*args, **settings).eval().requires_grad_(False)


@functools.cache
def constant(*shape):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(0))


def steps(y):
    """Rows (n, width) as sequences (n, length, width), or images of one channel."""
    length = next(length for length in (5, 3, 7) if y.shape[1] % length == 0)
    return y.unflatten(1, (length, -1))


def image(y, channels=1):
    """Rows (n, width) as images (n, channels, height, width)."""
    s = steps(y)
    return s[:, None].expand(-1, channels, -1, -1) * constant(channels, 1, 1)


def heads(y):
    s = steps(y)
    return torch.stack([s, s.flip(1), s.flip(2), s.tanh()], 1)


UNARY = """
acos angle asinh atan cos cosh digamma erf erfc exp exp2 expm1 frac i0 lgamma log log10
log1p logit reciprocal rsqrt sigmoid sin sinc sinh sqrt square tan tanh
""".split()
ACTIVATIONS = """
celu elu gelu hardshrink hardsigmoid hardswish hardtanh leaky_relu logsigmoid mish relu
relu6 selu silu softplus softshrink softsign tanhshrink
""".split()
BINARY = {
    **{
        name: getattr(torch, name)
        for name in "add atan2 copysign div fmod hypot logaddexp logaddexp2 maximum "
        "mul remainder sub xlogy".split()
    },
    "add, two steps": lambda a, b: torch.add(a, b, alpha=0.37),
    "addcdiv": lambda a, b: torch.addcdiv(a, b, b.abs() + 1, value=0.3),
    "addcmul": lambda a, b: torch.addcmul(a, b, b.abs(), value=0.3),
    "div, floor": lambda a, b: torch.div(a, b, rounding_mode="floor"),
    "gammainc": lambda a, b: torch.special.gammainc(a.abs() + 0.1, b.abs()),
    "in place": lambda a, b: (a * torch.ones_like(b)).atan2_(b),
    "lerp": lambda a, b: torch.lerp(a, b, 0.3),
    "lerp, tensors": lambda a, b: torch.lerp(a, b, b.abs()),
    "out": lambda a, b: torch.logaddexp(a, b, out=torch.empty(0)),
    "pow": lambda a, b: a.abs() ** b,
    "where": lambda a, b: torch.where(a > b, a.exp(), b),
    "xlog1py": lambda a, b: torch.special.xlog1py(a, b.abs()),
}
REDUCTIONS = {
    "cumsum": lambda s, i: s.cumsum(i),
    "log_softmax": lambda s, i: s.log_softmax(i),
    "logcumsumexp": lambda s, i: s.logcumsumexp(i),
    "logsumexp": lambda s, i: s.logsumexp(i),
    "mean": lambda s, i: s.mean(i),
    "norm": lambda s, i: s.norm(dim=i),
    "norm of 3": lambda s, i: s.norm(3, dim=i),
    "normalize": lambda s, i: F.normalize(s, dim=i),
    "prod": lambda s, i: s.prod(i),
    "quantile": lambda s, i: s.quantile(0.3, i),
    "softmax": lambda s, i: s.softmax(i),
    "std": lambda s, i: s.std(i, correction=0),
    "sum": lambda s, i: s.sum(i, keepdim=True),
    "var": lambda s, i: s.var(i, correction=0),
}
FUNCTIONS = {
    **{name: getattr(torch, name) for name in UNARY},
    **{name: getattr(F, name) for name in ACTIVATIONS},
    "2 to the power": lambda y: 2**y,
    "bfloat16": lambda y: F.linear(y.bfloat16(), constant(5, y.shape[1]).bfloat16()),
    "complex": lambda y: torch.polar(y.exp(), y).exp().abs(),
    "double": lambda y: F.linear(y.double().tanh(), constant(5, y.shape[1]).double()),
    "frexp": lambda y: torch.frexp(y)[0],
    "gelu by tanh": lambda y: F.gelu(y, approximate="tanh"),
    "glu": lambda y: F.glu(torch.cat([y, y.flip(1)], 1)),
    "in place": lambda y: F.silu(y * 1, inplace=True),
    "inner dimension": lambda y: y.t().contiguous().tanh().t(),
    "out": lambda y: torch.exp(y, out=torch.empty(0)),
    "power": lambda y: y.abs() ** 2.5,
    "slices": lambda y: y[:, 1:-1].tanh(),
}
FUNCTIONS |= {
    f"{name} of {what}": functools.partial(lambda f, g, y: f(*g(y)), function, pair)
    for name, function in BINARY.items()
    for what, pair in {
        "rows": lambda y: (y, y.flip(1)),
        "rows and one": lambda y: (y, constant(y.shape[1])),
        "cells and rows": lambda y: (y[:, :1], y),
        "slices": lambda y: (y[:, :-1], y[:, 1:]),
    }.items()
}
FUNCTIONS |= {
    f"{name} of {what}": functools.partial(
        lambda f, g, i, y: f(g(steps(y)), i).flatten(1), function, arranged, i
    )
    for name, function in REDUCTIONS.items()
    for what, arranged, i in [
        ("steps", lambda s: s, 1),
        ("features", lambda s: s, 2),
        ("first steps", lambda s: s.transpose(0, 1).contiguous().transpose(0, 1), 1),
        ("outer features", lambda s: s.mT.contiguous().mT, 2),
    ]
}


def recurrent(cls, y, **settings):
    return layer(cls, steps(y).shape[2], 13, batch_first=True, **settings)(steps(y))[0]


def transformer(cls, y, **settings):
    s = torch.cat([steps(y), steps(y).cos()], 2)
    made = layer(cls, s.shape[2], 2, 17, batch_first=True, **settings)
    return made(s, s) if cls is nn.TransformerDecoderLayer else made(s)


def self_attention(y, **settings):
    s = torch.cat([steps(y), steps(y).cos()], 2)
    return layer(nn.MultiheadAttention, s.shape[2], 2, batch_first=True)(
        s, s, s, **settings
    )


def with_mask(y):
    length = steps(y).shape[1]
    mask = torch.eye(length, dtype=torch.bool) | (constant(length, length) > 0)
    return F.scaled_dot_product_attention(heads(y), heads(y), heads(y), attn_mask=mask)


def encoder_with_padding(y):
    s = torch.cat([steps(y), steps(y).cos()], 2)
    inner = layer(nn.TransformerEncoderLayer, s.shape[2], 2, 17, batch_first=True)
    padding = torch.zeros(s.shape[:2], dtype=torch.bool)
    padding[:, -1] = y[:, 0] > 0
    made = layer(nn.TransformerEncoder, inner, 2, enable_nested_tensor=False)
    return made(s, src_key_padding_mask=padding)


def experts(y):
    """Some rows through one layer, and the others through another one."""
    width, result = y.shape[1], torch.zeros(len(y), 9)
    which = y[:, 0] > 0
    result[which] = F.linear(y[which], constant(9, width))
    result[~which] = F.linear(y[~which], constant(9, width), constant(9)).tanh()
    return result


def convolution(cls, y, channels=1, **settings):
    X = image(y, channels) if "2d" in cls.__name__ else image(y, channels).flatten(2)
    size = min(3, *X.shape[2:])
    return layer(cls, channels, 2 * channels, size, **settings)(X)


def channels_last(y):
    X = image(y, 3).contiguous(memory_format=torch.channels_last)
    return F.gelu(layer(nn.Conv2d, 3, 7, 1)(X))


def row_by_row(y):
    return torch.stack([constant(5, y.shape[1]) @ row + row.tanh().sum() for row in y])


OLD_TORCH = tuple(map(int, torch.__version__.split(".")[:2])) < (2, 5)
LAYERS = {
    "addbmm": lambda y: torch.addbmm(
        torch.zeros(6), steps(y).transpose(0, 1), constant(*steps(y).shape[1:], 6)
    ),
    "addmm_": lambda y: y[:, :3].clone().addmm_(y, constant(y.shape[1], 3)),
    "addmv": lambda y: torch.addmv(y[:, 0], y, constant(y.shape[1]), alpha=0.3),
    "attention": lambda y: F.scaled_dot_product_attention(heads(y), heads(y), heads(y)),
    "attention to the past": lambda y: F.scaled_dot_product_attention(
        heads(y), heads(y), heads(y), is_causal=True, scale=0.2
    ),
    "attention with a mask": with_mask,
    "average pooling": lambda y: F.avg_pool1d(y[:, None], 3, 1, 1),
    "baddbmm": lambda y: torch.baddbmm(
        torch.ones(1), steps(y), steps(y).mT, beta=0.5, alpha=0.3
    ),
    "batch norm": lambda y: F.batch_norm(
        y, constant(y.shape[1]), constant(y.shape[1]).abs()
    ),
    "bilinear": lambda y: layer(nn.Bilinear, 5, 5, 4)(y[:, :5], y[:, -5:]),
    "cdist": lambda y: torch.cdist(y, constant(33, y.shape[1])),
    "cdist of few": lambda y: torch.cdist(y, constant(3, y.shape[1]), 3),
    "cdist of steps": lambda y: torch.cdist(steps(y), steps(y)),
    "channels last": channels_last,
    "convolution 1d": lambda y: convolution(nn.Conv1d, y),
    "convolution 1d of groups": lambda y: convolution(nn.Conv1d, y, 3, groups=3),
    "convolution 2d": lambda y: convolution(nn.Conv2d, y, 3, stride=2, padding=1),
    "convolution 2d of groups": lambda y: convolution(
        nn.Conv2d, y, 4, groups=4, padding=1
    ),
    "convolution 3d": lambda y: layer(nn.Conv3d, 1, 3, 1)(image(y)[:, None]),
    "cosine similarity": lambda y: F.cosine_similarity(steps(y), steps(y).flip(2), 2),
    "einsum": lambda y: torch.einsum("ntd,nsd->nts", steps(y), steps(y)),
    "einsum of three": lambda y: torch.einsum(
        "ni,nj,ijk->nk", y[:, :5], y[:, -5:], constant(5, 5, 3)
    ),
    "embedding bag": lambda y: F.embedding_bag(
        y.abs().long().clamp(0, 9), constant(10, 7), per_sample_weights=y, mode="sum"
    ),
    "experts": experts,
    "gru": lambda y: recurrent(nn.GRU, y),
    "gru both ways": lambda y: recurrent(nn.GRU, y, bidirectional=True),
    "group norm": lambda y: F.group_norm(steps(y), 1),
    "instance norm": lambda y: F.instance_norm(
        torch.cat([steps(y), steps(y).cos()], 2)
    ),
    "interpolation": lambda y: F.interpolate(y[:, None], scale_factor=1.7),
    "layer norm": lambda y: F.layer_norm(y, y.shape[1:]),
    "linear, first steps": lambda y: F.linear(
        steps(y).transpose(0, 1), constant(3, steps(y).shape[2]), constant(3)
    ).transpose(0, 1),
    "linear of steps": lambda y: F.linear(
        steps(y), constant(3, steps(y).shape[2]), constant(3)
    ),
    "lstm": lambda y: recurrent(nn.LSTM, y),
    "lstm both ways": lambda y: recurrent(nn.LSTM, y, bidirectional=True, num_layers=2),
    "lstm cell": lambda y: layer(nn.LSTMCell, y.shape[1], 13)(y)[0],
    "matmul 4d": lambda y: heads(y) @ heads(y).mT,
    "multihead attention": lambda y: self_attention(y, need_weights=False)[0],
    "multihead weights": lambda y: self_attention(y)[1],
    "mv": lambda y: y @ constant(y.shape[1]),
    "out": lambda y: torch.mm(y, constant(y.shape[1], 3), out=torch.empty(0)),
    "outer dimension": lambda y: (constant(7, y.shape[1]) @ y.T).T,
    "rms norm": lambda y: F.rms_norm(y, y.shape[1:]),
    "row by row": row_by_row,
    "transformer decoder": lambda y: transformer(nn.TransformerDecoderLayer, y),
    "transformer encoder": lambda y: transformer(nn.TransformerEncoderLayer, y),
    "transformer encoder, gelu": lambda y: transformer(
        nn.TransformerEncoderLayer, y, activation="gelu", norm_first=True
    ),
    "transformer encoder, padding": encoder_with_padding,
    "transposed 1d": lambda y: convolution(nn.ConvTranspose1d, y, stride=2),
    "transposed 2d": lambda y: convolution(nn.ConvTranspose2d, y, 3, stride=2),
    "transposed 2d of groups": lambda y: convolution(
        nn.ConvTranspose2d, y, 4, groups=4
    ),
    "transposed 3d": lambda y: layer(nn.ConvTranspose3d, 1, 3, 2)(image(y)[:, None]),
    "vmap": lambda y: torch.vmap(lambda row: torch.outer(row[:5], row[-5:]).exp())(y),
}


def check(function, width, n_threads, seed, n_rows=16):
    """Rows in other places, beside others and alone give the same, as of one thread."""
    generator = torch.Generator().manual_seed(seed)
    rows, others = (torch.randn(n_rows, width, generator=generator) for _ in range(2))
    order = torch.randperm(n_rows, generator=generator)
    others[: n_rows // 2] = rows[order[: n_rows // 2]]
    alone = torch.zeros(n_rows, width)
    alone[-1] = rows[1]
    with torch.no_grad(), AlignedProducts(n_rows):
        with threads(1):
            expected = function(rows.clone())
        with threads(n_threads):
            got = [function(X.clone()) for X in (rows, rows[order], others, alone)]
    expected, *got = (X.float().numpy() for X in (expected, *got))
    np.testing.assert_array_equal(got[0], expected)
    np.testing.assert_array_equal(got[1], expected[order])
    half = n_rows // 2
    np.testing.assert_array_equal(got[2][:half], expected[order[:half]])
    np.testing.assert_array_equal(got[3][-1], expected[1])


bounded = settings(max_examples=2, deadline=None, database=None, derandomize=True)
anything = given(
    width=st.sampled_from(WIDTHS),
    n_threads=st.sampled_from([2, 3, 5]),
    seed=st.integers(0, 99),
)


@pytest.mark.parametrize("name", FUNCTIONS)
@bounded
@anything
@example(width=1050, n_threads=3, seed=0)
def test_functions(name, width, n_threads, seed):
    check(FUNCTIONS[name], width, n_threads, seed)


@pytest.mark.skipif(OLD_TORCH, reason="torch shares heads since version 2.5")
@bounded
@anything
def test_shared_heads(width, n_threads, seed):
    def function(y):
        return F.scaled_dot_product_attention(
            heads(y), heads(y)[:, :2], heads(y)[:, 2:], enable_gqa=True
        )

    check(function, width, n_threads, seed)


@pytest.mark.parametrize("name", LAYERS)
@bounded
@anything
def test_layers(name, width, n_threads, seed):
    check(LAYERS[name], width, n_threads, seed)


@pytest.mark.parametrize("name", ["attention", "bilinear", "gru", "logaddexp of rows"])
def test_what_is_taken_apart_keeps_its_values(name):
    function = {**LAYERS, **FUNCTIONS}[name]
    rows = constant(32, 40)
    with torch.no_grad():
        expected = function(rows)
        with AlignedProducts(32):
            torch.testing.assert_close(function(rows), expected)


class Between(nn.Module):
    """Applies a function between two linear layers."""

    def __init__(self, n_features, n_components, function, width=33):
        super().__init__()
        self.function = function
        self.inner = nn.Linear(n_features, width)
        n_between = function(torch.zeros(16, width)).flatten(1).shape[1]
        self.code = nn.Linear(n_between, n_components)
        self.decode = nn.Linear(n_components, n_features)

    def encode(self, X):
        return self.code(self.function(self.inner(X)).flatten(1))


def perceptron(n_features, n_components):
    encoder = nn.Sequential(
        nn.Linear(n_features, 37), nn.BatchNorm1d(37), nn.GELU(), nn.Linear(37, 2)
    )
    return EncoderDecoder(encoder, nn.Linear(n_components, n_features))


X = np.random.default_rng(0).normal(size=(70, 20))


@functools.cache
def fitted(name):
    networks = {"perceptron": perceptron, "images": Convolutional((4, 5), (5, 7))}
    network = networks.get(name)
    if network is None:
        network = functools.partial(Between, function=LAYERS[name])
    with threads(1):
        return AutoencoderTransformer(
            2, network=network, max_iter=1, early_stopping=False, random_state=0
        ).fit(X)


@settings(max_examples=20, deadline=None, database=None, derandomize=True)
@given(
    name=st.sampled_from(
        "perceptron,images,attention,cdist,convolution 2d of groups,gru,lstm,"
        "multihead attention,transformer encoder".split(",")
    ),
    method=st.sampled_from(["transform", "reconstruct", "score_samples"]),
    dtype=st.sampled_from([np.float32, np.float64]),
    n_threads=st.sampled_from([1, 2, 3]),
    n_rows=st.sampled_from([1, 17, 70]),
    seed=st.integers(0, 99),
)
def test_estimators(name, method, dtype, n_threads, n_rows, seed):
    function = getattr(fitted(name), method)
    rng = np.random.default_rng(seed)
    order = rng.permutation(70)[:n_rows]
    rows = X.astype(dtype)
    with threads(1):
        expected = function(rows)
    with threads(n_threads):
        np.testing.assert_array_equal(function(rows[order]), expected[order])
        np.testing.assert_array_equal(function(rows[order[:1]]), expected[order[:1]])
        beside = np.vstack([rng.normal(size=(9, 20)).astype(dtype), rows[order]])
        np.testing.assert_array_equal(function(beside)[9:], expected[order])


def dependence(function, width=20):
    return find_dependence(
        lambda rows: (function(rows),), 32, width, lambda: AlignedProducts(32)
    )


def by_numpy(X):
    return X - torch.from_numpy(X.numpy().mean(0))


MIXING = {
    "aten::mean": lambda X: (X.tanh() - X.mean(0)).exp(),
    "aten::mm": lambda X: (X @ X.T).softmax(1) @ X,
    "aten::native_batch_norm": lambda X: F.batch_norm(X + 1, None, None, training=True),
    "aten::_softmax": lambda X: X.exp().softmax(0),
    "aten::_local_scalar_dense": lambda X: X * float(X[0, 0]),
    "aten::cumsum": lambda X: X.cumsum(0),
    "aten::linalg_vector_norm": lambda X: X / X.norm(),
    "aten::sub": by_numpy,
}


@pytest.mark.parametrize("name", MIXING)
def test_what_mixes_rows_is_found(name):
    found = dependence(MIXING[name])
    assert found.operation == name
    assert found.difference > 0.01


@pytest.mark.parametrize("name", ["gru", "transformer encoder", "convolution 1d"])
def test_what_keeps_rows_apart_is_not_found(name):
    before = torch.get_rng_state()
    assert dependence(LAYERS[name], 40) is None
    assert torch.equal(before, torch.get_rng_state())


def test_rounding_is_found():
    found = dependence(lambda X: X.exp() + 1e-6 * torch.arange(len(X))[:, None])
    assert found.operation == "aten::add"
    assert found.difference < 1e-4


def test_rows_in_other_dimensions_are_found_again():
    """The operation named is the first one that mixes rows, not one that moves them."""

    def function(X):
        X = X.T.contiguous() * 2
        X = X.unflatten(1, (4, 8)).permute(1, 2, 0).flatten(0, 1).tanh()
        X = torch.stack([X, -X], 1).flatten(0, 1).exp()  # (2 * n, d)
        return X.unflatten(0, (-1, 2)).sum(1).sort(0).values

    assert dependence(function).operation == "aten::sort"


def test_torch_has_what_this_stands_on():
    """All private or undocumented names in one place."""
    change = "torch has changed: look at AlignedProducts and find_dependence again, for"
    aten, names = torch.ops.aten, {*PRODUCTS, *FUSED, "hardswish", "equal"}
    names |= {"_softmax", "_log_softmax", "constant_pad_nd"}
    for name in names:
        assert hasattr(aten, name), f"{change} there is no aten::{name}."
    op, out = aten.tanh.default, aten.frexp.Tensor_out
    for name in ("_schema", "_overloadname", "py_kernels", "decompose", "is_view"):
        assert hasattr(op, name), f"{change} operations have no {name}."
    tagged = {"tanh", "gelu", "atan2", "logaddexp", "lerp", "addcmul", "frexp", "erf"}
    for name in tagged:
        packet = getattr(aten, name)
        tags = getattr(packet, packet.overloads()[0]).tags
        assert torch.Tag.pointwise in tags, f"{change} {name} has lost its tag."
    written = [argument.name for argument in out._schema.arguments if argument.is_out]
    assert written == ["mantissa", "exponent"], f"{change} out arguments."
    for name in ("DisableTorchFunction", "_dispatch_has_kernel_for_dispatch_key"):
        assert hasattr(torch._C, name), f"{change} there is no torch._C.{name}."
    assert hasattr(torch.overrides, "BaseTorchFunctionMode"), f"{change} them."


def test_layers_take_no_fast_path():
    """A mode of torch functions keeps them from it."""
    names = []

    class Names(torch.utils._python_dispatch.TorchDispatchMode):
        def __torch_dispatch__(self, func, types, args=(), kwargs=None):
            names.append(func.overloadpacket.__name__)
            return func(*args, **(kwargs or {}))

    for name in ("transformer encoder", "multihead attention"):
        with torch.no_grad(), AlignedProducts(16), Names():
            LAYERS[name](constant(16, 40))
    assert "addmm" in names
    assert not {"_transformer_encoder_layer_fwd", "_native_multi_head_attention"} & {
        *names
    }


def test_a_fit_says_that_rows_depend_on_each_other():
    X = np.random.default_rng(0).normal(size=(60, 7))

    class Mixing(nn.Module):
        def __init__(self, n_features, n_components):
            super().__init__()
            self.inner = nn.Linear(n_features, n_components)
            self.decode = nn.Linear(n_components, n_features)

        def encode(self, X):
            return self.inner(X - X.mean(0))

    mixing = AutoencoderTransformer(3, network=Mixing, max_iter=1, random_state=0)
    with pytest.warns(UserWarning, match=r"Mixing.*aten::mean gives a row another"):
        mixing.fit(X)
    mapped = AutoencoderTransformer(
        3, code_map=lambda n_components: nn.Linear(n_components, n_components)
    ).set_params(max_iter=1, random_state=0)
    code = mapped.fit(X).transform(X)
    np.testing.assert_array_equal(mapped.transform(X[7:8]), code[7:8])
