"""A file's content as layers and functions: the one place that reads its tree.

Nothing in the tree is trusted, and nothing is allocated before the arrays in the file
are known to have the shapes that they are used with.
"""

from itertools import pairwise

import numpy as np

from skae._files.values import Reader
from skae._tables.columns import Columns
from skae.inference import _functions
from skae.inference._holes import ReadHoles
from skae.inference._models import Autoencoder, Decoder, Encoder, Imputer
from skae.inference._nodes import (
    array_of,
    count,
    expect,
    node_of,
    number,
    part_of,
    refuse_own,
    tagged,
    truth,
)
from skae.inference._parts import Parts
from skae.inference._refiner import Refiner
from skae.inference._stack import ACTIVATIONS, Stack

_TRANSFORMERS = (
    "AutoencoderTransformer",
    "ContractiveAutoencoderTransformer",
    "DenoisingAutoencoderTransformer",
    "SparseAutoencoderTransformer",
    "VariationalAutoencoderTransformer",
)
_CODE_MAPS = (
    "TopK",
    "SoftThreshold",
    "Sigmoid",
    "GaussianCode",
    "Quantization",
    "Refinement",
)
_METHODS = "least_squares", "omp"
# Components for each that is kept, from which on only positive ones are.
_MANY = 16
_IMPUTER = "AutoencoderImputer"
_HALVES = {"Encoder": Encoder, "Decoder": Decoder}


def interpreted(content, arrays):
    """The model that a file's content stands for.

    Parameters
    ----------
    content : JSON value
    arrays : dict of str to ndarray

    Returns
    -------
    model : Autoencoder, Encoder, Decoder or Imputer

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
    top = whole = node_of(content, *_TRANSFORMERS, *_HALVES, _IMPUTER)
    if top.name == _IMPUTER:
        return _imputer(top, arrays)
    if top.name in _HALVES:
        whole = node_of(part_of(top.parameters, "transformer"), *_TRANSFORMERS)
    kind = _HALVES.get(top.name, Autoencoder)
    model = node_of(part_of(top.state, "model"), "Model").state
    recipe = node_of(part_of(model, "recipe"), "Recipe").state
    network, maps, loss = _of_package(recipe)
    scaling = node_of(part_of(model, "scaling"), "Scaling").state
    shift = array_of(arrays, part_of(scaling, "shift"), 1, np.float64)
    scale = number(part_of(scaling, "scale"))
    n_features, n_components = len(shift), count(part_of(model, "n_components"))
    expect(n_features > 0 and np.isfinite(shift).all() and scale > 0, "scaling")
    columns = _columns(top.state.get("columns"))
    layout = None if columns is None else columns.layout
    n_columns = n_features if layout is None else layout.n_columns
    if layout is not None:
        expect(layout.width == n_features, "width of encoded rows")
    sizes = [part_of(top.state, name) for name in ("n_features_in_", "n_components_")]
    expect(sizes == [n_columns, n_components], "number of columns")
    names = None
    if "feature_names_in_" in top.state:
        names = tagged(top.state["feature_names_in_"], "strings", list)
        are_text = all(isinstance(name, str) for name in names)
        expect(are_text and len(names) == n_columns, "list of names")
    code_maps, has_own_units, refining = _code_maps(maps, n_components)
    weights = tagged(part_of(model, "weights"), "dict", dict)
    prefix = "network." if maps else ""
    stacks = _Stacks(network, weights, prefix, arrays, n_features, n_components)
    reader = None
    if truth(recipe.get("reads_holes", False)):
        reader = stacks.reader(layout, kind is not Decoder)
    refiner = None
    if refining is not None and kind is not Decoder:
        refiner = stacks.refiner(*refining)
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
            loss=_loss(loss, layout),
            encoder=None if kind is Decoder else stacks.encoder(),
            decoder=None if kind is Encoder else stacks.decoder(),
            reader=reader,
            columns=columns,
            refiner=refiner,
        )
    )


def _imputer(top, arrays):
    inner = part_of(top.state, "autoencoder_")
    node_of(inner, *_TRANSFORMERS)
    autoencoder = _interpreted(inner, arrays)
    kept = array_of(arrays, part_of(top.state, "kept"), 1, np.bool_)
    expect(len(kept) == autoencoder.n_features_in_, "columns that are kept")
    keeps_all = truth(part_of(top.parameters, "keep_empty_features"))
    return Imputer(autoencoder, kept, keeps_all)


def _of_package(recipe):
    """Nodes of the parts that inference needs; files hold none of users' own."""
    network = node_of(part_of(recipe, "network"), "MLP").parameters
    maps, loss = part_of(recipe, "code_maps"), part_of(recipe, "loss")
    refuse_own(maps)
    return network, tagged(maps, "tuple", list), loss


class _Stacks:
    """Makes stacks of an MLP's weights."""

    def __init__(self, mlp, weights, prefix, arrays, n_features, n_components):
        self.weights, self.prefix, self.arrays = weights, prefix, dict(arrays)
        hidden = _widths(part_of(mlp, "hidden_layer_sizes"), arrays)
        self.widths = [n_features, *hidden, n_components]
        self.n_inputs = n_features  # of the encoder
        self.references: dict = {}  # names of weights by those of arrays
        self.activation = part_of(mlp, "activation")
        expect(self.activation in list(ACTIVATIONS), "activation")
        self.is_tied = truth(part_of(mlp, "tied_weights"))
        path = part_of(mlp, "linear_path")
        self.paths = ["encoder"] if path == "encoder" else []
        if not self.paths and truth(path):
            self.paths = ["encoder", "decoder"]
        if not hidden:
            self.paths = []
        # Dropout is a module between two layers, by whose places weights are named.
        self.step = 3 if number(part_of(mlp, "dropout")) else 2

    def reader(self, layout, is_read):
        """What rows with missing cells pass through; the network lies beside it.

        None where it is not read, as by decoders.
        """
        n_features, holes = self.widths[0], f"{self.prefix}holes."
        self.prefix += "network."
        if not is_read:
            return None
        n_factors = self._shape(f"{holes}shared")[1]
        n_binned, n_bins = self._shape(f"{holes}low")
        told, n_numbers = np.arange(n_features), n_features
        if layout is not None:
            told, n_numbers = layout.first, layout.n_numbers
        expect(n_binned in (0, n_numbers), "number of bins")
        shapes = dict.fromkeys(("mean", "scale", "own"), (n_features,))
        shapes |= {"shared": (n_features, n_factors)}
        shapes |= dict.fromkeys(("low", "inverse", "centre"), (n_binned, n_bins))
        parts = {name: self._array(holes + name, *s) for name, s in shapes.items()}
        expect(all(np.isfinite(p).all() for p in parts.values()), "finite weights")
        # Tied layers return what they read, and are told nothing.
        made = ReadHoles(told=told[:0] if self.is_tied else told, **parts)
        self.n_inputs += made.n_inputs
        return made

    def encoder(self):
        widths = [self.n_inputs, *self.widths[1:]]
        layers = self._layers("encoder", widths)
        if "encoder" in self.paths:
            factor = self._array(f"{self.prefix}out_factor", self.widths[-1])
            weight, bias = layers[-1]
            layers[-1] = weight * factor[:, None], bias * factor
        return self._stack("encoder", layers, widths)

    def decoder(self):
        widths = self.widths[::-1]
        layers = self._layers("decoder", widths)
        if "decoder" in self.paths:
            weight, bias = layers[0]
            factor = self._array(f"{self.prefix}in_factor", widths[0])
            layers[0] = weight * factor, bias
        return self._stack("decoder", layers, widths)

    def refiner(self, method, n_nonzeros, is_positive):
        is_linear = len(self.widths) == 2 and not self.is_tied
        expect(is_linear, "linear decoder that codes are refined with")
        [layer] = self._layers("decoder", self.widths[::-1])
        expect(all(np.isfinite(part).all() for part in layer), "finite weights")
        return Refiner(*layer, method, n_nonzeros, is_positive)

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
        network = ".network" if half in self.paths else ""
        return f"{self.prefix}{half}{network}.{i * self.step}.{name}"

    def _stack(self, half, layers, widths):
        linear = None
        if half in self.paths:
            n_in, n_out = widths[0], widths[-1]
            place = f"{self.prefix}{half}.linear"
            weight = self._array(f"{place}.weight", n_out, n_in)
            linear = weight, self._array(f"{place}.bias", n_out)
        stack = Stack(layers, linear, self.activation)
        parts = [part for layer in stack.layers for part in layer if part is not None]
        expect(all(np.isfinite(part).all() for part in parts), "finite weights")
        return stack

    def _shape(self, name):
        return array_of(self.arrays, part_of(self.weights, name), 2).shape

    def _array(self, name, *shape):
        node = part_of(self.weights, name)
        found = array_of(self.arrays, node, len(shape), np.float32)
        used = self.references.setdefault(node["array"], name)
        expect(used == name, f"array of its own for {name}")
        expect(found.shape == shape, f"shape of {name}")
        return found


def _widths(node, arrays):
    """Widths of hidden layers from a number, a list, a tuple or an array."""
    if isinstance(node, dict) and "array" in node:
        node = array_of(arrays, node, 1).tolist()
    if isinstance(node, dict):
        node = tagged(node, "tuple", list)
    return [count(width) for width in (node if isinstance(node, list) else [node])]


def _columns(node):
    """Columns of a table, which check themselves, or None."""
    if node is None:
        return None
    node_of(node, "Columns")
    found = Reader({}, {}).whole(node)
    expect(isinstance(found, Columns), "table")
    return found


def _loss(node, layout=None):
    if layout is not None:
        table = node_of(node, "TableLoss")
        return _functions.TableLoss(_loss(part_of(table.parameters, "numbers")), layout)
    names = "SquaredError", "AbsoluteError", "Huber", "LogLoss"
    loss = node_of(node, *names)
    if loss.name != "Huber":
        return getattr(_functions, loss.name)()
    delta = number(part_of(loss.parameters, "delta"))
    expect(delta > 0, "delta")
    return _functions.Huber(delta)


def _code_maps(nodes, n_components):
    """Functions of codes, whether codes have units of their own, and what refines them.

    That is a method, how many are nonzero, or None, and whether none is negative.
    """
    functions, has_own_units, refining, kept = [], False, None, []
    adds_only = False
    for part in nodes:
        expect(refining is None, "order of code maps")
        code_map = node_of(part, *_CODE_MAPS)
        has_own_units |= code_map.name in ("Sigmoid", "GaussianCode")
        values = code_map.parameters
        if code_map.name == "TopK":
            k = part_of(values, "k")
            k = max(1, n_components // 8) if k is None else count(k)
            expect(k <= n_components, "k")
            is_positive = values.get("positive", False)
            if is_positive == "auto":
                is_positive = n_components >= _MANY * k
            functions.append(_functions.top_k(k, truth(is_positive)))
            adds_only |= is_positive
            kept.append(k)
        elif code_map.name == "SoftThreshold":
            threshold = number(part_of(values, "threshold"))
            expect(0 <= threshold <= 1e30, "threshold")
            functions.append(_functions.soft_threshold(threshold))
        elif code_map.name == "Sigmoid":
            start = number(part_of(values, "start"))
            expect(0 < start < 1, "start")
            functions.append(_functions.logistic(start))
        elif code_map.name == "Refinement":
            method = part_of(values, "method")
            expect(method in _METHODS, "method of refinement")
            refining = method, min(kept, default=None), adds_only
        # Gaussian codes are means, and codes are rounded while training alone.
    return functions, has_own_units, refining
