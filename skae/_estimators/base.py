"""What all autoencoder transformers share: scikit-learn's semantics, once."""

from numbers import Integral, Real

import numpy as np
from sklearn.base import (
    BaseEstimator,
    ClassNamePrefixFeaturesOutMixin,
    TransformerMixin,
    clone,
)
from sklearn.exceptions import ConvergenceWarning
from sklearn.utils import check_array
from sklearn.utils.validation import check_is_fitted

from skae._recipe import Recipe
from skae._training.fit import fit
from skae._training.loop import fitted_net
from skae._training.objective import Objective
from skae._training.settings import Settings
from skae._utils.compat import Interval, RealNotInt, StrOptions, fit_context
from skae._utils.device import inference_device
from skae._utils.twin import all_or_nothing
from skae._utils.validation import (
    check_distance,
    check_magnitude,
    needs_no_validation,
    validated,
)
from skae._utils.warnings import warn
from skae.losses import LOSSES, Loss, check_bounds
from skae.networks import MLP
from skae.networks._layers import ACTIVATIONS


class BaseAutoencoder(ClassNamePrefixFeaturesOutMixin, TransformerMixin, BaseEstimator):
    """Base of all autoencoder transformers; not to be instantiated.

    A subclass has a constructor that names its parameters, and says through the hooks
    ``_make_penalty``, ``_make_corruption`` and ``_make_code_map`` what sets it apart.
    Think twice before adding more here.
    """

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
        "linear_path": ["boolean"],
        "init": [StrOptions({"pca", "random", "layerwise"})],
        "loss": [StrOptions(set(LOSSES)), Loss],
        "learning_rate": [Interval(Real, 0, None, closed="neither")],
        "weight_decay": [Interval(Real, 0, None, closed="left")],
        "batch_size": [
            Interval(Integral, 1, None, closed="left"),
            StrOptions({"auto"}),
        ],
        "max_iter": [Interval(Integral, 1, None, closed="left")],
        "early_stopping": ["boolean"],
        "validation_fraction": [
            Interval(Real, 0, 1, closed="neither"),
            StrOptions({"auto"}),
        ],
        "n_iter_no_change": [Interval(Integral, 1, None, closed="left")],
        "tol": [Interval(Real, 0, None, closed="left")],
        "warm_start": ["boolean"],
        "callbacks": [list, None],
        "device": [str],
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
        device,
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
        self.device = device
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

    def _describe(self, X):
        """Set fitted attributes of the class's own, from the rows trained on."""

    @fit_context(prefer_skip_nested_validation=True)
    def fit(self, X, y=None):
        """Train the autoencoder.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            At least two rows, without missing values.
        y : object
            Ignored.

        Returns
        -------
        self : object
            The fitted transformer.

        Raises
        ------
        ValueError
            If X is not what the parameters need, or if the training diverges
            (:class:`skae.exceptions.DivergenceError`). An earlier fit is kept.

        Warns
        -----
        ConvergenceWarning
            If the user interrupts the training; the best epoch so far is kept.
        UserWarning
            If rows of a network of one's own depend on each other; if the code is
            larger than the rows, or than there are rows.
        """
        earlier = getattr(self, "_model", None) if self.warm_start else None
        return self._fit(X, earlier, is_incremental=False)

    @fit_context(prefer_skip_nested_validation=True)
    def partial_fit(self, X, y=None):
        """Train for one epoch from where the autoencoder stands.

        The first call sets the widths, the shift and the scale of the data; later ones
        go on with them and with the optimiser's state. The learning rate is constant
        and no rows are held out for validation.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            The first call needs two rows.
        y : object
            Ignored.

        Returns
        -------
        self : object
            The fitted transformer.
        """
        return self._fit(X, getattr(self, "_model", None), is_incremental=True)

    def transform(self, X):
        """Encode rows.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Rows in the units that the transformer was fitted on.

        Returns
        -------
        X_new : ndarray of shape (n_samples, `n_components_`)
            Codes, float32 for float32 rows and float64 for others. A row's code does
            not depend on the rows beside it.

        Raises
        ------
        NotFittedError
            If the transformer was not fitted.
        ValueError
            If X has another width than in `fit`, missing or infinite values.
        """
        X = self._checked(X)
        return self._model.encode(X, inference_device(self.device))

    def inverse_transform(self, X):
        """Decode codes.

        Parameters
        ----------
        X : array-like of shape (n_samples, `n_components_`)
            Codes, as :meth:`transform` returns them.

        Returns
        -------
        X_original : ndarray of shape (n_samples, `n_features_in_`)
            Rows in the units of the data.

        Raises
        ------
        NotFittedError
            If the transformer was not fitted.
        ValueError
            If X has not `n_components_` columns.
        """
        check_is_fitted(self)
        X = check_array(X, dtype=(np.float64, np.float32), input_name="X")
        if X.shape[1] != self.n_components_:
            raise ValueError(
                f"X has {X.shape[1]} columns, but {type(self).__name__} was fitted "
                f"with {self.n_components_} components: pass codes as transform "
                "returns them."
            )
        check_magnitude(X, type(self).__name__)
        return self._model.decode(X, inference_device(self.device))

    def reconstruct(self, X):
        """Encode rows and decode them again.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Rows in the units that the transformer was fitted on.

        Returns
        -------
        X_reconstructed : ndarray of shape (n_samples, n_features)
            What the code kept of them, in the units of the data.
        """
        X = self._checked(X)
        return self._model.reconstruct(X, inference_device(self.device))

    def score_samples(self, X):
        """Minus the reconstruction loss of each row; higher is more normal.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Rows in the units that the transformer was fitted on.

        Returns
        -------
        scores : ndarray of shape (n_samples,)
            Minus the mean over the features of the loss; for "squared_error" in
            squared units of the data.

        Raises
        ------
        ValueError
            For rows outside of the range that the loss needs.
        """
        X = self._checked(X)
        check_bounds(X, self._model.loss)
        return -self._model.losses(X, inference_device(self.device))

    def score(self, X, y=None):
        """Minus the mean reconstruction loss; higher is better.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Rows in the units that the transformer was fitted on.
        y : object
            Ignored.

        Returns
        -------
        score : float
            The mean of :meth:`score_samples`.
        """
        return float(np.mean(self.score_samples(X), dtype=np.float64))

    @property
    def encoder_(self):
        """New torch module in data units: rows to codes."""
        check_is_fitted(self)
        return self._model.halves()[0]

    @property
    def decoder_(self):
        """New torch module in data units: codes to rows."""
        check_is_fitted(self)
        return self._model.halves()[1]

    @property
    def net_(self):
        """New skorch net around the trained network, with the history of losses."""
        check_is_fitted(self)
        model = self._model
        objective = Objective(model.recipe, model.scaling)
        return fitted_net(model.build(), objective, model.scaling, self._history)

    @property
    def _n_features_out(self):
        return self.n_components_

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.transformer_tags.preserves_dtype = ["float64", "float32"]
        return tags

    def __getstate__(self):
        # Callbacks that took part in a training hold nets and optimisers.
        state = {**super().__getstate__()}
        state["callbacks"] = clone(self.callbacks, safe=False)
        return state

    def _checked(self, X):
        """Rows to apply a fitted model to, as an array."""
        check_is_fitted(self)
        if not needs_no_validation(self, X):
            X = validated(self, X, reset=False)
        check_distance(X, self._model.scaling, type(self).__name__)
        return X

    def _recipe(self):
        """What the parameters say that is to be trained."""
        network = self.network
        if network is None:
            widths = self.hidden_layer_sizes
            if isinstance(widths, np.ndarray):
                widths = widths.tolist()  # a model holds plain values
            network = MLP(widths, self.activation, self.linear_path)
        return Recipe.of(
            network,
            self._make_code_map(),
            self.loss,
            self._make_penalty(),
            self._make_corruption(),
        )

    def _settings(self, is_incremental):
        """What the parameters say about how to train."""
        return Settings(
            n_components=self.n_components,
            init=self.init,
            learning_rate=self.learning_rate,
            weight_decay=self.weight_decay,
            batch_size=self.batch_size,
            max_iter=self.max_iter,
            early_stopping=self.early_stopping,
            validation_fraction=self.validation_fraction,
            n_iter_no_change=self.n_iter_no_change,
            tol=self.tol,
            callbacks=self.callbacks,
            device=self.device,
            random_state=self.random_state,
            verbose=self.verbose,
            is_incremental=is_incremental,
        )

    def _fit(self, X, earlier, is_incremental):
        """Train, and store the result: all of it, or nothing."""
        with all_or_nothing(self) as twin:
            first = earlier is None
            X = validated(twin, X, reset=first, min_samples=2 if first else 1)
            done = 0 if first else self.n_iter_
            recipe, settings = twin._recipe(), twin._settings(is_incremental)
            fitted = fit(recipe, settings, X, earlier, done)
            twin._store(fitted, done)
            twin._describe(X)
        if fitted.result.interrupted:
            warn("Training interrupted by user.", ConvergenceWarning)
        return self

    def _store(self, fitted, epochs_done):
        """Set the fitted attributes."""
        result = fitted.result
        self._model = fitted.model
        self._history = (self._history if epochs_done else []) + result.history
        self.n_components_ = fitted.model.n_components
        self.n_iter_ = epochs_done + result.n_iter
        self.best_iter_ = epochs_done + result.best_iter
        self.loss_curve_ = [row["train_loss"] for row in self._history]
        # Epochs without validation rows, in partial_fit, have no such loss.
        curve = [row.get("valid_loss", np.nan) for row in self._history]
        self.validation_loss_curve_ = None if np.isnan(curve).all() else curve
        if fitted.pca_loss is not None:
            self.pca_loss_ = fitted.pca_loss
