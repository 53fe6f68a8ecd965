"""Linear layers with activations between them, as products of numpy."""

from typing import NamedTuple

import numpy as np

# Cells of an activation at a time, so that wide layers stay in the processor's cache.
_PIECE = 2**17
# Columns in a chunk, of which the widest layer has at most so many cells.
_MOST_COLUMNS, _MOST_CELLS = 512, 2**19


def _constant(value):
    # The quickest of what a scalar can be in an operation of float32.
    return np.array(value, np.float32)


_ZERO, _ONE, _LEAK = _constant(0), _constant(1), _constant(0.01)
# numpy has no erf. GELU(x) = x/2 (1 + tanh(P(x))), with an odd P of degree 13 that was
# fitted to the smallest largest error: with rounding, at most 2.1e-7 max(1, |x|).
# x comes multiplied by a factor that makes the polynomial's last coefficient 1.
_GELU_FACTOR = 0.2129043159247977
_GELU = [
    _constant(value)
    for value in (
        -3.3315948344739548,
        4.464441738284323,
        -2.8042378215973534,
        -0.07256098795593284,
        3.764754693432355,
        3.747623922630026,
    )
]


def _gelu(x):
    square = x * x
    p = square + _GELU[0]
    for coefficient in _GELU[1:]:
        np.multiply(p, square, p)
        np.add(p, coefficient, p)
    np.multiply(p, x, p)
    np.tanh(p, p)
    np.add(p, _ONE, p)
    np.multiply(x, p, x)


def _silu(x):
    gate = np.tanh(x)
    np.add(gate, _ONE, gate)
    np.multiply(x, gate, x)


def _elu(x):
    low = np.minimum(x, _ZERO)
    np.exp(low, low)
    np.subtract(low, _ONE, low)
    np.maximum(x, _ZERO, out=x)
    np.add(x, low, x)


class Activation(NamedTuple):
    """An activation ``f(x) = gain * g(factor * x) + offset``.

    All but g, which writes over what it reads, becomes a part of the weights.
    """

    in_place: object
    factor: float = 1.0
    gain: float = 1.0
    offset: float = 0.0


ACTIVATIONS = {
    "identity": Activation(lambda x: None),
    "logistic": Activation(lambda x: np.tanh(x, x), 0.5, 0.5, 0.5),
    "tanh": Activation(lambda x: np.tanh(x, x)),
    "relu": Activation(lambda x: np.maximum(x, _ZERO, out=x)),
    "silu": Activation(_silu, 0.5),  # x/2 (1 + tanh(x/2))
    "gelu": Activation(_gelu, _GELU_FACTOR, 0.5 / _GELU_FACTOR),
    "elu": Activation(_elu),
    "leaky_relu": Activation(lambda x: np.maximum(x, x * _LEAK, out=x)),
}


class Stack:
    """Linear layers with activations between them, applied to columns.

    Computes ``linear(X) + network(X)``, where the linear map is optional: the first
    layer and the linear map read X in one product. Columns, and not rows, are what is
    mapped, so that what the two give lies in memory one after the other.

    Parameters
    ----------
    layers : list of (weight, bias)
        Arrays of float32, as in ``torch.nn.Linear``.
    linear : (weight, bias) or None
        Only with two layers or more.
    activation : str

    Attributes
    ----------
    layers : list of (weight, bias)
        With all that could be folded into them.
    n_columns : int
        How many a chunk should have at most.
    """

    def __init__(self, layers, linear, activation):
        known = ACTIVATIONS[activation]
        self._in_place = known.in_place
        self._first_width = len(layers[0][0])
        last = len(layers) - 1
        self.layers = [
            _folded(weight, bias, known if i > 0 else None, known if i < last else None)
            for i, (weight, bias) in enumerate(layers)
        ]
        if linear is not None:
            (weight, bias), (last_weight, last_bias) = self.layers[0], self.layers[-1]
            beside = linear[1][:, None] + last_bias
            self.layers[0] = np.vstack([weight, linear[0]]), np.vstack([bias, beside])
            self.layers[-1] = last_weight, None
        widest = max(max(weight.shape) for weight, _ in self.layers)
        self.n_columns = min(_MOST_COLUMNS, max(1, _MOST_CELLS // widest))

    def __call__(self, X):
        """Results (n_out, n), a new array, of columns X (n_in, n)."""
        (weight, bias), *others = self.layers
        both, width = weight @ X, self._first_width  # (first_width + n_out, n)
        hidden, bias, beside = both[:width], bias[:width], (both[width:], bias[width:])
        for weight, next_bias in others:
            self._activate(hidden, bias)
            hidden, bias = weight @ hidden, next_bias
        if bias is None:
            hidden += beside[0]
            bias = beside[1]
        hidden += bias
        return hidden

    def _activate(self, hidden, bias):
        """Add a bias and apply the activation, some rows in the cache at a time."""
        step = max(1, _PIECE // hidden.shape[1])
        for start in range(0, len(hidden), step):
            part = hidden[start : start + step]
            part += bias[start : start + step]
            self._in_place(part)


def _folded(weight, bias, before, after):
    """A layer's weight and bias (n_out, 1) with parts of the activations around it."""
    if before is not None:
        if before.offset:
            bias = bias + before.offset * weight.sum(axis=1, dtype=np.float64)
        weight = weight * np.float32(before.gain)
    if after is not None:
        weight, bias = weight * np.float32(after.factor), bias * after.factor
    return np.ascontiguousarray(weight), bias.astype(np.float32)[:, None]
