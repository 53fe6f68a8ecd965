"""A trained network and what its weights mean, as arrays and plain values."""

import hashlib
from dataclasses import dataclass, field, replace

import numpy as np
import torch

from skae._inference.engine import Engine
from skae._inference.modules import halves_in_data_units
from skae._recipe import Recipe
from skae._utils.checks import array, count, dict_of, instance, optional
from skae._utils.random import PrivateRandomness
from skae._utils.scaling import Scaling
from skae._utils.stored import stored
from skae._utils.torch_state import undisturbed


@stored(
    recipe=instance(Recipe),
    n_components=count,
    scaling=instance(Scaling),
    seed=lambda value: count(value) and value < 2**63,
    weights=dict_of(array("fiub", None, finite=False)),
    optimizer_state=optional(instance(dict)),
)
@dataclass(frozen=True, eq=False)
class Model:
    """A network and everything that its weights mean, as arrays and plain values.

    Attributes
    ----------
    recipe : Recipe
    n_components : int
    scaling : Scaling
        Of the rows.
    seed : int
        Of everything random about this model.
    weights : dict of str to ndarray or None
        The module's state; None stands for fresh weights.
    optimizer_state : dict of int to dict of str to ndarray or None
        Where training is to go on from it.
    """

    recipe: Recipe
    n_components: int
    scaling: Scaling
    seed: int
    weights: dict | None = None
    optimizer_state: dict | None = None
    _engines: dict = field(default_factory=dict, init=False, repr=False)

    def __getstate__(self):
        return {name: v for name, v in vars(self).items() if name != "_engines"}

    def __setstate__(self, state):
        vars(self).update({**state, "_engines": {}})

    @property
    def pairing_id(self):
        """Sixteen hexadecimal digits, others for what gives other results.

        Of parts of users' own they only know that there are some.
        """
        recipe = self.recipe
        parts = [
            (type(part).__name__, part.is_known and part.get_params(deep=False))
            for part in (recipe.network, *recipe.code_maps, recipe.loss)
        ]
        of_values = parts, self.n_components, self.scaling.scale
        digest = hashlib.sha256(repr(of_values).encode())
        arrays = {"shift": self.scaling.shift, **self.weights}
        for name, value in arrays.items():
            digest.update(f"{name} {value.dtype} {value.shape}".encode())
            digest.update(np.ascontiguousarray(value).tobytes())
        return digest.hexdigest()[:16]

    @property
    def loss(self):
        return self.recipe.loss

    @property
    def n_features(self):
        return len(self.scaling.shift)

    def replaced(self, **changes):
        """The same model with other fields."""
        return replace(self, **changes)

    def code_scale(self, module):
        """Units of the data in one of the codes, for a module of this model's."""
        return 1.0 if module.has_own_units else self.scaling.scale

    def build(self):
        """A new module with these weights, on the CPU."""
        widths = self.n_features, self.n_components
        with undisturbed(), PrivateRandomness(torch.Generator().manual_seed(self.seed)):
            if self.weights is None:
                return self.recipe.new_module(*widths)
            module = self.recipe.module(*widths)
            state = {name: torch.tensor(v) for name, v in self.weights.items()}
            # A half has weights of its own alone.
            module.load_state_dict({**module.state_dict(), **state})
        return module

    def halves(self):
        """New encoder and decoder in data units, in evaluation mode."""
        # Layers draw weights when they are made, also those that are then replaced.
        with undisturbed(), PrivateRandomness(torch.Generator()):
            return halves_in_data_units(self)

    def encode(self, X, device):
        """Codes (n, n_components) of rows (n, n_features)."""
        engine = self._engine(device)
        # Maps of codes are further element-wise functions.
        width = self.n_components if self.recipe.code_maps else None
        sizes = engine.chunk_rows(encodes=True, width=width)

        def codes(rows):
            return engine.encode(rows).cpu().double().mul_(engine.code_scaling.scale)

        return engine.by_chunks(codes, X, self.scaling, (self.n_components,), sizes)

    def decode(self, code, device):
        """Rows (n, n_features) of codes (n, n_components)."""
        engine = self._engine(device)
        sizes = engine.chunk_rows(decodes=True, width=self.n_features)
        function, shape = self._to_data(engine.decode), (self.n_features,)
        return engine.by_chunks(function, code, engine.code_scaling, shape, sizes)

    def code_scaling(self, device):
        """What codes are divided by before they are decoded, as a Scaling."""
        return self._engine(device).code_scaling

    def reconstruct(self, X, device):
        """Decoded codes (n, n_features) of rows (n, n_features)."""
        engine = self._engine(device)
        function = self._to_data(engine.reconstruct)
        sizes = engine.chunk_rows(encodes=True, decodes=True, width=self.n_features)
        return engine.by_chunks(function, X, self.scaling, (self.n_features,), sizes)

    def losses(self, X, device):
        """Loss (n,) of each row, in the units of the data."""
        engine = self._engine(device)
        shift, scale = self.scaling.tensors(torch.float32, device)
        unit = self.scaling.scale**self.loss.degree

        def losses(rows):
            target = self.loss.target(rows, shift, scale)
            return self.loss(engine.reconstruct(rows), target).cpu().double() * unit

        sizes = engine.chunk_rows(encodes=True, decodes=True, width=self.n_features)
        return engine.by_chunks(losses, X, self.scaling, (), sizes)

    def apply(self, function, X, shape, device):
        """What a function of a module and standardised rows gives for each row of X.

        Parameters
        ----------
        function : callable
            ``function(module, rows)`` returns a tensor of shape (len(rows), *shape).
        X : ndarray of shape (n, n_features)
        shape : tuple of ints
        device : str

        Returns
        -------
        result : ndarray of shape (n, *shape)
        """
        engine = self._engine(device, folds=False)

        def of_rows(rows):
            return function(engine.module, rows)

        sizes = engine.chunk_rows()
        return engine.by_chunks(of_rows, X, self.scaling, shape, sizes)

    def find_dependence(self, device):
        """What makes codes of rows depend on those beside them, or None."""
        return self._engine(device).find_dependence(self.n_features)

    def _engine(self, device, folds=True):
        """The network, ready to be applied on a device; kept for later calls."""
        key = device, folds
        if key not in self._engines:
            self._engines[key] = Engine(self, device, folds)
        return self._engines[key]

    def _to_data(self, function):
        """The function, its raw output turned into data."""
        shift, scale = self.scaling.tensors(torch.float64)
        return lambda rows: self.loss.to_data(function(rows).cpu(), shift, scale)
