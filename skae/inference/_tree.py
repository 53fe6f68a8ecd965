"""A file's content as layers and functions: the one place that reads its tree.

Nothing in the tree is trusted, and nothing is allocated before the arrays in the file
are known to have the shapes that they are used with.
"""

from itertools import pairwise
from math import isfinite
from typing import NamedTuple

import numpy as np

from skae.exceptions import InvalidFileError
from skae.inference import _functions
from skae.inference._models import Autoencoder, Decoder, Encoder, Parts
from skae.inference._stack import ACTIVATIONS, Stack

_TRANSFORMERS = (
    "AutoencoderTransformer",
    "ContractiveAutoencoderTransformer",
    "DenoisingAutoencoderTransformer",
    "SparseAutoencoderTransformer",
    "VariationalAutoencoderTransformer",
)
_CODE_MAPS = "TopK", "SoftThreshold", "Sigmoid", "GaussianCode", "Quantization"
_HALVES = {"Encoder": Encoder, "Decoder": Decoder}


def interpreted(content, arrays):
    """The model that a file's content stands for.

    Parameters
    ----------
    content : JSON value
    arrays : dict of str to ndarray

    Returns
    -------
    model : Autoencoder, Encoder or Decoder

    Raises
    ------
    InvalidFileError
        If the content is not what a transformer has written.
    TypeError
        If it needs PyTorch.
    """
    # Numbers too large for single precision are found in the weights, as infinity.
    with np.errstate(over="ignore", invalid="ignore"):
        return _interpreted(content, arrays)


def _interpreted(content, arrays):
    top = whole = _object(content, *_TRANSFORMERS, *_HALVES)
    if top.name in _HALVES:
        whole = _object(_of(top.parameters, "transformer"), *_TRANSFORMERS)
    kind = _HALVES.get(top.name, Autoencoder)
    model = _object(_of(top.state, "model"), "Model").state
    recipe = _object(_of(model, "recipe"), "Recipe").state
    network, maps, loss = _of_package(recipe)
    scaling = _object(_of(model, "scaling"), "Scaling").state
    shift = _array(arrays, _tagged(_of(scaling, "shift"), "array", str), 1, np.float64)
    scale = _number(_of(scaling, "scale"))
    n_features, n_components = len(shift), _count(_of(model, "n_components"))
    _expect(n_features > 0 and np.isfinite(shift).all() and scale > 0, "scaling")
    sizes = [_of(top.state, name) for name in ("n_features_in_", "n_components_")]
    _expect(sizes == [n_features, n_components], "number of columns")
    names = None
    if "feature_names_in_" in top.state:
        names = _tagged(top.state["feature_names_in_"], "strings", list)
        are_text = all(isinstance(name, str) for name in names)
        _expect(are_text and len(names) == n_features, "list of names")
    code_maps, has_own_units = _code_maps(maps, n_components)
    weights = _tagged(_of(model, "weights"), "dict", dict)
    prefix = "network." if maps else ""
    stacks = _Stacks(network, weights, prefix, arrays, n_features, n_components)
    return kind(
        Parts(
            name=whole.name,
            n_features=n_features,
            n_components=n_components,
            feature_names=names,
            shift=shift,
            scale=scale,
            code_scale=1.0 if has_own_units else scale,
            code_maps=code_maps,
            loss=_loss(loss),
            encoder=None if kind is Decoder else stacks.encoder(),
            decoder=None if kind is Encoder else stacks.decoder(),
        )
    )


def _of_package(recipe):
    """Nodes of the parts that inference needs; files hold none of users' own."""
    for part in ("network", "code_maps", "loss"):
        node = _of(recipe, part)
        if isinstance(node, dict) and "given" in node:
            name, kind = (str(node.get(key))[:80] for key in ("given", "kind"))
            raise _needs_torch(f"a {name} of your own ({kind})")
    network = _object(recipe["network"], "MLP").parameters
    return network, _tagged(recipe["code_maps"], "tuple", list), recipe["loss"]


class _Stacks:
    """Makes stacks of an MLP's weights."""

    def __init__(self, mlp, weights, prefix, arrays, n_features, n_components):
        self.weights, self.prefix, self.arrays = weights, prefix, dict(arrays)
        hidden = _widths(_of(mlp, "hidden_layer_sizes"), arrays)
        self.widths = [n_features, *hidden, n_components]
        self.references: dict = {}  # names of weights by those of arrays
        self.activation = _of(mlp, "activation")
        _expect(self.activation in list(ACTIVATIONS), "activation")
        self.is_tied = _truth(_of(mlp, "tied_weights"))
        self.has_path = _truth(_of(mlp, "linear_path")) and bool(hidden)
        # Dropout is a module between two layers, by whose places weights are named.
        self.step = 3 if _number(_of(mlp, "dropout")) else 2

    def encoder(self):
        layers = self._layers("encoder", self.widths)
        if self.has_path:
            factor = self._array("out_factor", self.widths[-1])
            weight, bias = layers[-1]
            layers[-1] = weight * factor[:, None], bias * factor
        return self._stack("encoder", layers, self.widths)

    def decoder(self):
        widths = self.widths[::-1]
        layers = self._layers("decoder", widths)
        if self.has_path:
            weight, bias = layers[0]
            layers[0] = weight * self._array("in_factor", widths[0]), bias
        return self._stack("decoder", layers, widths)

    def _layers(self, half, widths):
        last = len(widths) - 2
        layers = []
        for i, (n_in, n_out) in enumerate(pairwise(widths)):
            if half == "decoder" and self.is_tied:
                weight = self._array(self._place("encoder", last - i), n_in, n_out).T
            else:
                weight = self._array(self._place(half, i), n_out, n_in)
            bias = self._array(self._place(half, i, "bias"), n_out)
            layers.append((weight, bias))
        return layers

    def _place(self, half, i, name="weight"):
        network = ".network" if self.has_path else ""
        return f"{half}{network}.{i * self.step}.{name}"

    def _stack(self, half, layers, widths):
        linear = None
        if self.has_path:
            n_in, n_out = widths[0], widths[-1]
            weight = self._array(f"{half}.linear.weight", n_out, n_in)
            linear = weight, self._array(f"{half}.linear.bias", n_out)
        stack = Stack(layers, linear, self.activation)
        parts = [part for layer in stack.layers for part in layer if part is not None]
        _expect(all(np.isfinite(part).all() for part in parts), "finite weights")
        return stack

    def _array(self, name, *shape):
        reference = _tagged(_of(self.weights, self.prefix + name), "array", str)
        found = _array(self.arrays, reference, len(shape), np.float32)
        used = self.references.setdefault(reference, name)
        _expect(used == name, f"array of its own for {name}")
        _expect(found.shape == shape, f"shape of {name}")
        return found


def _widths(node, arrays):
    """Widths of hidden layers from a number, a list, a tuple or an array."""
    if isinstance(node, dict) and "array" in node:
        node = _array(arrays, _tagged(node, "array", str), 1).tolist()
    if isinstance(node, dict):
        node = _tagged(node, "tuple", list)
    return [_count(width) for width in (node if isinstance(node, list) else [node])]


def _loss(node):
    names = "SquaredError", "AbsoluteError", "Huber", "LogLoss"
    loss = _object(node, *names)
    if loss.name != "Huber":
        return getattr(_functions, loss.name)()
    delta = _number(_of(loss.parameters, "delta"))
    _expect(delta > 0, "delta")
    return _functions.Huber(delta)


def _code_maps(nodes, n_components):
    """Functions of codes, and whether codes have units of their own."""
    functions, has_own_units = [], False
    for part in nodes:
        code_map = _object(part, *_CODE_MAPS)
        has_own_units |= code_map.name in ("Sigmoid", "GaussianCode")
        values = code_map.parameters
        if code_map.name == "TopK":
            k = _of(values, "k")
            k = max(1, n_components // 8) if k is None else _count(k)
            _expect(k <= n_components, "k")
            functions.append(_functions.top_k(k))
        elif code_map.name == "SoftThreshold":
            threshold = _number(_of(values, "threshold"))
            _expect(threshold >= 0, "threshold")
            functions.append(_functions.soft_threshold(threshold))
        elif code_map.name == "Sigmoid":
            start = _number(_of(values, "start"))
            _expect(0 < start < 1, "start")
            functions.append(_functions.logistic(start))
        # Gaussian codes are means, and codes are rounded while training alone.
    return functions, has_own_units


class _Object(NamedTuple):
    name: str
    parameters: dict
    state: dict


def _object(node, *known):
    """An object's node, of one of the known classes."""
    _expect(isinstance(node, dict), "object")
    name = node.get("class")
    _expect(isinstance(name, str), "class")
    if name not in known:
        raise _needs_torch(f"the class {name[:80]}, where {', '.join(known)} are known")
    parameters, state = (node.get(key) or {} for key in ("parameters", "state"))
    _expect(isinstance(parameters, dict) and isinstance(state, dict), name)
    return _Object(name, parameters, state)


def _needs_torch(what):
    return TypeError(
        f"Inference without PyTorch does not compute {what}. With PyTorch, skae.load "
        "reads the file; skae.to_onnx writes transformers and detectors of rows for "
        "ONNX Runtime."
    )


def _of(fields, name):
    _expect(name in fields, name)
    return fields[name]


def _tagged(node, tag, kind):
    """The value of a node such as {"tuple": [...]}."""
    _expect(isinstance(node, dict) and isinstance(node.get(tag), kind), tag)
    return node[tag]


def _array(arrays, name, n_dimensions, dtype=None):
    found = arrays.get(name)
    _expect(found is not None and found.ndim == n_dimensions, f"array {name!r}")
    _expect(dtype is None or found.dtype == dtype, f"dtype of {name!r}")
    return found


def _count(value):
    _expect(type(value) is int and 0 < value < 2**53, "positive integer")
    return value


def _number(value):
    is_number = type(value) is float or (type(value) is int and abs(value) < 2**53)
    _expect(is_number and isfinite(value), "number")
    return float(value)


def _truth(value):
    _expect(isinstance(value, bool), "truth value")
    return value


def _expect(is_so, what):
    if not is_so:
        raise InvalidFileError(
            f"The file's content lacks a valid {what}: it is not what skae has written."
        )
