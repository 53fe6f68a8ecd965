"""An autoencoder's parameters, and what they stand for: its parts and settings."""

from numbers import Integral, Real
from os import PathLike

import numpy as np
from sklearn.base import BaseEstimator

from skae._recipe import Recipe
from skae._training.settings import Settings
from skae._utils.compat import Interval, RealNotInt, StrOptions
from skae.checkpoints import Checkpoints
from skae.losses import Loss
from skae.losses._losses import LOSSES
from skae.networks import MLP
from skae.networks._layers import ACTIVATIONS


class AutoencoderParameters(BaseEstimator):
    """The parameters that all autoencoder transformers share.

    What else a subclass is trained with, it says through the hooks ``_make_penalty``,
    ``_make_corruption`` and ``_make_code_map``, and for how many epochs if nothing
    else is asked for, through ``_n_passes``.
    """

    _n_passes = 30

    _parameter_constraints = {
        "n_components": [
            Interval(Integral, 1, None, closed="left"),
            Interval(RealNotInt, 0, 1, closed="neither"),
        ],
        "hidden_layer_sizes": [
            "array-like",
            Interval(Integral, 1, None, closed="left"),
        ],
        "activation": [StrOptions(set(ACTIVATIONS))],
        "network": [callable, None],
        "linear_path": ["boolean", StrOptions({"encoder", "auto"})],
        "init": [StrOptions({"pca", "random", "layerwise"})],
        "categorical_features": ["array-like", StrOptions({"from_dtype"}), None],
        "loss": [StrOptions(set(LOSSES)), Loss],
        "learning_rate": [
            Interval(Real, 0, None, closed="neither"),
            StrOptions({"auto"}),
        ],
        "weight_decay": [Interval(Real, 0, None, closed="left")],
        "batch_size": [
            Interval(Integral, 1, None, closed="left"),
            StrOptions({"auto"}),
        ],
        "max_iter": [Interval(Integral, 1, None, closed="left"), StrOptions({"auto"})],
        "early_stopping": ["boolean"],
        "validation_fraction": [
            Interval(Real, 0, 1, closed="neither"),
            StrOptions({"auto"}),
        ],
        "n_iter_no_change": [Interval(Integral, 1, None, closed="left")],
        "tol": [Interval(Real, 0, None, closed="left")],
        "warm_start": ["boolean"],
        "callbacks": [list, None],
        "checkpoint": [str, PathLike, Checkpoints, None],
        "device": [str],
        "memory_limit": [Interval(Integral, 1, None, closed="left")],
        "random_state": ["random_state"],
        "verbose": ["verbose"],
    }

    def __init__(
        self,
        n_components,
        *,
        hidden_layer_sizes,
        activation,
        network,
        linear_path,
        init,
        loss,
        categorical_features,
        learning_rate,
        weight_decay,
        batch_size,
        max_iter,
        early_stopping,
        validation_fraction,
        n_iter_no_change,
        tol,
        warm_start,
        callbacks,
        checkpoint,
        device,
        memory_limit,
        random_state,
        verbose,
    ):
        self.n_components = n_components
        self.hidden_layer_sizes = hidden_layer_sizes
        self.activation = activation
        self.network = network
        self.linear_path = linear_path
        self.init = init
        self.loss = loss
        self.categorical_features = categorical_features
        self.learning_rate = learning_rate
        self.weight_decay = weight_decay
        self.batch_size = batch_size
        self.max_iter = max_iter
        self.early_stopping = early_stopping
        self.validation_fraction = validation_fraction
        self.n_iter_no_change = n_iter_no_change
        self.tol = tol
        self.warm_start = warm_start
        self.callbacks = callbacks
        self.checkpoint = checkpoint
        self.device = device
        self.memory_limit = memory_limit
        self.random_state = random_state
        self.verbose = verbose

    def _make_penalty(self):
        """The penalty to train with, or None."""
        return None

    def _make_corruption(self):
        """The corruption to train with, or None."""
        return None

    def _make_code_map(self):
        """What codes pass through: a code map, several of them, or None."""
        return None

    @property
    def _linear_path(self):
        """Beside which networks linear maps run."""
        return True if self.linear_path == "auto" else self.linear_path

    def _recipe(self):
        """What the parameters say that is to be trained."""
        network = self.network
        if network is None:
            widths = self.hidden_layer_sizes
            if isinstance(widths, np.ndarray):
                widths = widths.tolist()  # a model holds plain values
            network = MLP(widths, self.activation, self._linear_path)
        return Recipe.of(
            network,
            self._make_code_map(),
            self.loss,
            self._make_penalty(),
            self._make_corruption(),
        )

    def _settings(self, is_incremental):
        """What the parameters say about how to train."""
        named = {name: getattr(self, name) for name in Settings.parameters()}
        kind = {"is_incremental": is_incremental, "n_passes": self._n_passes}
        if isinstance(self.checkpoint, Checkpoints):
            kind["planned_iter"] = self.checkpoint.max_iter
        return Settings(**named, **kind)
