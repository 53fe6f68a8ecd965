"""What all autoencoder transformers share: scikit-learn's semantics, once."""

import warnings
from contextlib import contextmanager
from numbers import Integral, Real

import numpy as np
import torch
from sklearn.base import (
    BaseEstimator,
    ClassNamePrefixFeaturesOutMixin,
    TransformerMixin,
    clone,
)
from sklearn.exceptions import ConvergenceWarning
from sklearn.utils import check_array, check_random_state
from sklearn.utils.validation import check_is_fitted, validate_data

from skae._compat import Interval, RealNotInt, StrOptions, fit_context
from skae._device import inference_device, training_device
from skae._model import Model
from skae._net import Training, fitted_net, train
from skae._objective import Objective
from skae._part import Part
from skae._pca import principal_components
from skae._random import PrivateRandomness
from skae._rows import check_bounds, check_magnitude, shift_and_scale, standardise
from skae.losses import LOSSES, Loss
from skae.networks import ACTIVATIONS, MLP

# Rows that the linear start of a loss with a link is fitted on.
_START_ROWS = 2048


class BaseAutoencoder(ClassNamePrefixFeaturesOutMixin, TransformerMixin, BaseEstimator):
    """Base of all autoencoder transformers; not to be instantiated.

    A subclass adds parameters of its own and says through :meth:`_make_penalty` and
    :meth:`_make_corruption` what sets it apart. Think twice before adding more here.
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
        "init": [StrOptions({"pca", "random"})],
        "loss": [StrOptions(set(LOSSES)), Loss],
        "learning_rate": [Interval(Real, 0, None, closed="neither")],
        "weight_decay": [Interval(Real, 0, None, closed="left")],
        "batch_size": [
            Interval(Integral, 1, None, closed="left"),
            StrOptions({"auto"}),
        ],
        "max_iter": [Interval(Integral, 1, None, closed="left")],
        "early_stopping": ["boolean"],
        "validation_fraction": [Interval(Real, 0, 1, closed="neither")],
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
        *,
        n_components,
        hidden_layer_sizes,
        activation,
        network,
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
            If X is not what the parameters need, or if the training diverges. An
            earlier fit is kept.

        Warns
        -----
        ConvergenceWarning
            If the user interrupts the training; the best epoch so far is kept.
        """
        model = getattr(self, "_model", None) if self.warm_start else None
        with self._kept_on_failure():
            self._train(X, model, incremental=False)
        return self

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

        Raises
        ------
        ValueError
            As for :meth:`fit`.
        """
        with self._kept_on_failure():
            self._train(X, getattr(self, "_model", None), incremental=True)
        return self

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

        Raises
        ------
        NotFittedError, ValueError
            As for :meth:`transform`.
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
        NotFittedError, ValueError
            As for :meth:`transform`; and ValueError for rows outside of the range
            that the loss needs.
        """
        X = self._checked(X)
        check_bounds(X, self._model.loss, self.loss)
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
        return fitted_net(
            model.build(),
            self._objective(model.loss, model.shift, model.scale),
            self.loss_curve_,
            self.validation_loss_curve_,
        )

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

    @contextmanager
    def _kept_on_failure(self):
        """Leave the estimator as it was if the block raises."""
        before = vars(self).copy()
        try:
            yield
        except BaseException:
            vars(self).clear()
            vars(self).update(before)
            raise

    def _checked(self, X):
        """Rows to apply a fitted model to, as an array."""
        check_is_fitted(self)
        return self._validated(X, reset=False)

    def _validated(self, X, reset, min_samples=1):
        name = type(self).__name__
        try:
            X = validate_data(
                self,
                X,
                reset=reset,
                dtype=(np.float64, np.float32),
                ensure_min_samples=min_samples,
            )
        except ValueError as error:
            if "could not convert string to float" in str(error):
                raise ValueError(
                    f"{error}. {name} takes numbers only: encode columns of text "
                    "first, for example with OneHotEncoder or OrdinalEncoder."
                ) from error
            raise
        check_magnitude(X, name)
        return X

    def _train(self, X, model, *, incremental):
        """Train a new model, or go on from a given one, and store the result."""
        first = model is None
        X = self._validated(X, reset=first, min_samples=2 if first else 1)
        loss = LOSSES[self.loss]() if isinstance(self.loss, str) else self.loss
        self._validate_parts(loss)
        check_bounds(X, loss, self.loss)
        device = training_device(self.device)
        seed = _new_seed(self.random_state) if first else model.seed
        done = 0 if first else self.n_iter_
        *seeds, order_seed = _spawned(seed, done)

        shift, scale = shift_and_scale(X) if first else (model.shift, model.scale)
        order = np.random.default_rng(order_seed).permutation(len(X))
        rows = standardise(X, shift, scale, order).to(device)
        n_valid = 0 if incremental else self._n_valid(len(X))
        train_rows, valid_rows = rows[n_valid:], rows[:n_valid] if n_valid else None

        objective = self._objective(loss, shift, scale).to(device)
        if first or not incremental:
            wanted = self.n_components if first else model.n_components
            pca = principal_components(rows, wanted, seed)
            pca_loss = objective.of_pca(pca, valid_rows if n_valid else train_rows)
        if first:
            n_components = wanted if wanted >= 1 else len(pca.components)
            self._warn_of_identity(n_components, X.shape[1])
            network = self._make_network()
            model = Model(network, n_components, loss, shift, scale, seed)
            module, start = self._new_module(model, pca, rows, objective)
        else:
            module, start = model.build(), "given"

        trained = train(
            module,
            train_rows,
            valid_rows,
            objective,
            self._training(len(train_rows), incremental, start, device, seeds),
            model.moments,
        )
        if trained.interrupted:
            warnings.warn(
                "Training interrupted by user.", ConvergenceWarning, stacklevel=3
            )
        continues = incremental or self.warm_start
        self._model = model.with_state(
            loss=loss,
            weights=trained.weights,
            moments=trained.moments if continues else None,
        )
        self._set_curves(trained, done)
        if first or not incremental:
            self.pca_loss_ = pca_loss

    def _validate_parts(self, loss):
        """Raise for parameters of the parts that are out of their ranges."""
        parts = [loss, self._make_penalty(), self._make_corruption(), self.network]
        for part in parts:
            if isinstance(part, Part):
                part._validate_params()
            if isinstance(part, torch.nn.Module):
                raise TypeError(
                    f"network is an instance of {type(part).__name__}: pass the class "
                    "or a function that makes it, so that each fit starts anew."
                )

    def _n_valid(self, n_samples):
        """How many rows are held out to choose the best epoch on."""
        if not self.early_stopping:
            return 0
        return min(max(1, round(self.validation_fraction * n_samples)), n_samples - 1)

    def _objective(self, loss, shift, scale):
        penalty, corruption = self._make_penalty(), self._make_corruption()
        return Objective(loss, penalty, corruption, shift, scale)

    def _make_network(self):
        if self.network is not None:
            return self.network
        widths = self.hidden_layer_sizes
        widths = [widths] if isinstance(widths, Integral) else list(widths)
        if not all(isinstance(width, Integral) and width > 0 for width in widths):
            raise ValueError(
                f"hidden_layer_sizes={self.hidden_layer_sizes!r}, but positive "
                "integers, one for each hidden layer, were expected."
            )
        return MLP(
            tuple(map(int, widths)), self.activation, linear_path=self.init == "pca"
        )

    def _new_module(self, model, pca, rows, objective):
        """A fresh module, and what it starts at."""
        module = model.build()
        if self.init != "pca" or not getattr(module, "can_start_at_pca", False):
            return module, None
        head = rows[:_START_ROWS]
        generator = torch.Generator(rows.device).manual_seed(model.seed)
        seen = objective.corrupt(head, generator)
        with PrivateRandomness(generator):
            module.to(rows.device).start_at_pca(
                pca, seen, objective.target(head), objective.loss
            )
        return module.cpu(), "pca"

    def _training(self, n_samples, incremental, start, device, seeds):
        return Training(
            max_iter=1 if incremental else self.max_iter,
            batch_size=_batch_size(self.batch_size, n_samples),
            learning_rate=self.learning_rate,
            weight_decay=self.weight_decay,
            one_cycle=not incremental,
            n_iter_no_change=self.n_iter_no_change,
            tol=self.tol,
            start=start,
            callbacks=self.callbacks or [],
            verbose=self.verbose,
            device=device,
            seeds=seeds,
        )

    def _warn_of_identity(self, n_components, n_features):
        constrained = self._make_penalty() or self._make_corruption()
        if n_components > n_features and not constrained:
            warnings.warn(
                f"n_components={n_components} is more than the {n_features} features "
                "of X and nothing else constrains the code: the network can learn "
                "the identity. Use fewer components, a corruption or a penalty.",
                UserWarning,
                stacklevel=4,
            )

    def _set_curves(self, trained, done):
        """Fitted attributes of a training that came after `done` epochs."""
        self.n_components_ = self._model.n_components
        self.n_iter_ = done + trained.n_iter
        self.best_iter_ = done + trained.best_iter
        earlier = self.loss_curve_ if done else []
        self.loss_curve_ = earlier + trained.loss_curve
        earlier = self.validation_loss_curve_ if done else None
        if trained.validation_loss_curve is None:
            self.validation_loss_curve_ = earlier
        else:
            self.validation_loss_curve_ = (
                earlier or []
            ) + trained.validation_loss_curve


def _new_seed(random_state):
    """A seed of our own; None neither reads nor changes numpy's global generator."""
    if random_state is None:
        return int(np.random.SeedSequence().generate_state(1)[0])
    return int(check_random_state(random_state).randint(2**31 - 1))


def _spawned(seed, done):
    """Seeds for a training that comes after `done` epochs."""
    return np.random.SeedSequence((seed, done)).generate_state(4).tolist()


def _batch_size(batch_size, n_samples):
    """The batch size; "auto" is the power of two nearest to 3 * sqrt(n_samples)."""
    if batch_size == "auto":
        return int(np.clip(2 ** round(np.log2(3 * n_samples**0.5)), 32, 4096))
    return batch_size
