"""A trained network on a device, ready to be applied to chunks of rows."""

from contextlib import nullcontext
from functools import partial

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F

from skae._inference.aligned import AlignedProducts
from skae._inference.chunks import by_chunks
from skae._inference.dependence import find_dependence
from skae._inference.stack import Stack, chunk_rows
from skae._utils.grain import rows_below_grain
from skae._utils.scaling import Scaling
from skae._utils.threads import threads
from skae._utils.torch_state import undisturbed
from skae.networks._layers import LinearPath, TiedLinear


class Engine:
    """A trained network, ready to be applied to chunks of rows on a device.

    Parameters
    ----------
    model : Model
    device : str
    folds : bool
        Whether dense networks of ours become products of full width, instead of
        staying modules.

    Attributes
    ----------
    module : Autoencoder
    encode, decode : callable
        Standardised rows to codes, and codes to raw output.
    code_scaling : Scaling
        Of the codes: units of the data in one of them.
    """

    def __init__(self, model, device, folds):
        with undisturbed(device):
            module = model.build().eval().requires_grad_(False).to(device)
            self.device = device
            self.module = module
            self.code_scaling = Scaling(np.zeros(()), model.code_scale(module))
            self.encode, self.decode = module.encode, module.decode
            self._stacks = None
            if folds and model.recipe.can_be_folded:
                self._fold()
            with threads(1):  # sums in others might round differently
                refiner = module.refiner()
            if refiner is not None:
                self.encode = self._refined(refiner)
        widths = [width for v in model.weights.values() for width in v.shape]
        self._widest = max(widths, default=1)

    def _fold(self):
        module = self.module.bare
        maps = getattr(self.module, "maps", ())
        encode = _stack(module.encoder, self.device, out_factor=module.out_factor)
        decode = _stack(module.decoder, self.device, in_factor=module.in_factor)
        self._stacks = (encode,), (decode,)  # what rows and codes go through
        self.encode, self.decode = _through(self.module.reader, encode, maps), decode

    def _refined(self, refiner):
        """The function that encodes, its codes refined."""
        encode, decode = self.encode, self.decode
        find_products = partial(F.linear, weight=refiner.unit, bias=refiner.offset)
        if self._stacks is not None:
            layer = refiner.unit, refiner.offset
            find_products = Stack([layer], None, nn.Identity(), self.device)
            # What encodes and fills also goes through the decoder's.
            first, *others = self._stacks
            self._stacks = (*first, find_products, *others[0]), others[0]

        def refined(rows):
            code = encode(rows)
            rows = torch.where(rows.isnan(), decode(code), rows)
            return refiner.by_parts(code, find_products(rows))

        return refined

    def reconstruct(self, rows):
        """Raw output (n, n_features) of standardised rows (n, n_features)."""
        return self.decode(self.encode(rows))

    def chunk_rows(self, encodes=False, decodes=False, width=None):
        """How many rows chunks have, descending.

        Parameters
        ----------
        encodes, decodes : bool, default=False
            What the rows go through.
        width : int, default=None
            Of what further element-wise functions are applied to.
        """
        if self._stacks is None:
            return (rows_below_grain(self._widest),)
        encode, decode = self._stacks
        return chunk_rows(encode * encodes + decode * decodes, width)

    def by_chunks(self, function, X, scaling, shape, sizes):
        """A function of standardised rows, applied to X: see :func:`by_chunks`."""
        # What a network of the user's does in several threads at once is not known.
        is_folded = self._stacks is not None
        mode = self._mode(sizes[-1])
        return by_chunks(
            function, X, scaling, shape, sizes, self.device, mode, in_threads=is_folded
        )

    def _mode(self, n_rows):
        """Makes the context in which so many rows don't depend on each other."""
        if self._stacks is not None:
            return nullcontext
        return partial(AlignedProducts, n_rows)

    def find_dependence(self, n_features):
        """What makes rows depend on each other nevertheless: see there."""
        n_rows = self.chunk_rows(encodes=True, decodes=True)[-1]

        def both(rows):
            code = self.encode(rows)
            return code, self.decode(code)

        with threads(1), undisturbed(self.device):
            mode = self._mode(n_rows)
            return find_dependence(both, n_rows, n_features, mode, self.device)


def _through(reader, encode, maps):
    """The function that encodes, after what rows and before what codes pass through."""
    if not maps and reader is None:
        return encode

    def mapped(rows):
        code = encode(rows if reader is None else reader(rows))
        for code_map in maps:
            code = code_map(code)
        return code

    return mapped


def _stack(half, device, in_factor=None, out_factor=None):
    """A half of an MLP as a Stack, the linear path's factors within the weights."""
    network = half.network if isinstance(half, LinearPath) else half
    layers = [
        (layer.weight, layer.bias)
        for layer in network
        if isinstance(layer, nn.Linear | TiedLinear)
    ]
    activation = network[1] if len(network) > 1 else nn.Identity()
    if not isinstance(half, LinearPath):
        return Stack(layers, None, activation, device)
    if in_factor is not None:
        weight, bias = layers[0]
        layers[0] = weight * in_factor, bias
    if out_factor is not None:
        weight, bias = layers[-1]
        layers[-1] = weight * out_factor[:, None], bias * out_factor
    return Stack(layers, (half.linear.weight, half.linear.bias), activation, device)
