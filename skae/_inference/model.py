"""A trained network and what its weights mean, as arrays and plain values."""

import hashlib
from dataclasses import dataclass, field, replace

import numpy as np
import torch
from scipy.sparse import issparse
from sklearn.utils import gen_batches

from skae._inference.engine import Engine
from skae._inference.modules import halves_in_data_units
from skae._recipe import Recipe
from skae._utils.checks import array, count, dict_of, instance, optional
from skae._utils.random import PrivateRandomness
from skae._utils.ranges import has_holes
from skae._utils.scaling import Scaling
from skae._utils.sparse import dense
from skae._utils.stored import stored
from skae._utils.torch_state import undisturbed

# How often missing cells are filled by a network that knows of none.
_FILLINGS = 10
# Rows that are reconstructed at once, to be compared with themselves.
_CHUNK_ROWS = 4096
# Sparse rows that have losses of cells at once.
_SPARSE_ROWS = 1024


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
        X = self._readable(X, device)
        engine = self._engine(device)
        # Maps of codes are further element-wise functions; some round no number.
        is_exact = all(part.is_exact for part in self.recipe.code_maps)
        width = None if is_exact else self.n_components
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
        return self._reconstruct(self._readable(X, device), device)

    def _reconstruct(self, X, device):
        engine = self._engine(device)
        function = self._to_data(engine.reconstruct)
        sizes = engine.chunk_rows(encodes=True, decodes=True, width=self.n_features)
        return engine.by_chunks(function, X, self.scaling, (self.n_features,), sizes)

    def losses(self, X, device):
        """Loss (n,) of each row, in the units of the data; of what is there of it."""
        if self.recipe.reads_holes:
            return self._mean_losses(X, device)
        losses = self._losses(self._readable(X, device), (), device, self.loss)
        if has_holes(X):  # other rows have the loss that they have without these
            holed = np.isnan(X).any(axis=1)
            losses[holed] = mean_of_known(self.cell_losses(X[holed], device))
        return losses

    def _mean_losses(self, X, device):
        """Mean (n,) of the losses of cells; of sparse rows, some rows at a time."""
        size = _SPARSE_ROWS if issparse(X) else len(X)
        parts = (X[i : i + size] for i in range(0, X.shape[0], size))
        losses = [mean_of_known(self.cell_losses(dense(p), device)) for p in parts]
        return np.concatenate(losses)

    def cell_losses(self, X, device):
        """Loss (n, n_columns) of each column of rows (n, n_features).

        NaN where it is missing.
        """
        shape = (self.recipe.n_columns(self.n_features),)
        losses = self._losses(self._readable(X, device), shape, device, self.loss.cells)
        missing = np.isnan(X)
        if self.recipe.layout is not None:
            missing = missing[:, self.recipe.layout.first]
        losses[missing] = np.nan
        return losses

    def _losses(self, X, shape, device, function):
        """A function of raw output and target, in the units of the data."""
        engine = self._engine(device)
        shift, scale = self.scaling.tensors(torch.float32, device)
        unit = self.scaling.scale**self.loss.degree

        def losses(rows):
            target = self.loss.target(rows.nan_to_num(0.0), shift, scale)
            return function(engine.reconstruct(rows), target).cpu().double() * unit

        sizes = engine.chunk_rows(encodes=True, decodes=True, width=self.n_features)
        return engine.by_chunks(losses, X, self.scaling, shape, sizes)

    def _readable(self, X, device):
        """Rows as the network reads them: with missing cells, if it knows of such.

        If it does not, they are filled by what it makes of their rows, again and again:
        for linear maps that is what fits the other cells best.
        """
        if self.recipe.reads_holes or not has_holes(X):
            return X
        missing = np.isnan(X)
        X = np.where(missing, self.scaling.shift.astype(X.dtype), X)
        holed = missing.any(axis=1)
        rows, where = X[holed], missing[holed]
        for _ in range(_FILLINGS):
            rows = np.where(where, self._reconstruct(rows, device), rows)
        X[holed] = rows
        return X

    def usual_errors(self, X, device):
        """Root mean squared error (n_features,) of the reconstruction of rows X."""
        squares, counts = np.zeros(X.shape[1]), np.zeros(X.shape[1])
        for part in gen_batches(X.shape[0], _CHUNK_ROWS):
            rows = dense(X[part])
            errors = (rows - self.reconstruct(rows, device)).astype(np.float64)
            squares += np.nansum(np.square(errors), axis=0)
            counts += np.count_nonzero(~np.isnan(errors), axis=0)
        return np.sqrt(squares / np.maximum(counts, 1))

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

        X = self._readable(X, device)

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


def mean_of_known(cells):
    """Mean (n,) over what is known of losses (n, n_columns); 0 where nothing is."""
    known = ~np.isnan(cells)
    total = np.where(known, cells, 0).sum(axis=1, dtype=np.float64)
    return (total / np.maximum(known.sum(axis=1), 1)).astype(cells.dtype)
