"""What all autoencoder transformers share: scikit-learn's semantics, once."""

import warnings
from contextlib import contextmanager
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
from sklearn.utils.validation import check_is_fitted, validate_data

from skae._compat import Interval, RealNotInt, StrOptions, fit_context
from skae._device import inference_device
from skae._fitting import Fitting
from skae._halves import ACTIVATIONS
from skae._net import fitted_net
from skae._rows import check_bounds, check_magnitude, is_bounded
from skae.losses import LOSSES, Loss


@contextmanager
def kept_on_failure(estimator):
    """Leave an estimator as it was if the block raises."""
    before = vars(estimator).copy()
    try:
        yield
    except BaseException:
        vars(estimator).clear()
        vars(estimator).update(before)
        raise


class BaseAutoencoder(ClassNamePrefixFeaturesOutMixin, TransformerMixin, BaseEstimator):
    """Base of all autoencoder transformers; not to be instantiated.

    A subclass has a constructor that names its parameters, and says through the hooks
    ``_make_penalty``, ``_make_corruption`` and ``_make_network`` what sets it apart.
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

    def _assign(self, values):
        """Set the parameters; to be called as ``self._assign(locals())``.

        The whole of a subclass's constructor, which names them all.
        """
        for name in self._get_param_names():
            setattr(self, name, values[name])

    def _make_penalty(self):
        """The penalty to train with, or None."""
        return None

    def _make_corruption(self):
        """The corruption to train with, or None."""
        return None

    def _make_network(self, network):
        """The network to train, from the one that the parameters describe."""
        return network

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
            If X is not what the parameters need, or if the training diverges. An
            earlier fit is kept.

        Warns
        -----
        ConvergenceWarning
            If the user interrupts the training; the best epoch so far is kept.
        """
        self._train(X, goes_on=self.warm_start, incremental=False)
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
        self._train(X, goes_on=True, incremental=True)
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
            Fitting(self).objective(model.loss, model.shift, model.scale),
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

    def _checked(self, X):
        """Rows to apply a fitted model to, as an array."""
        check_is_fitted(self)
        if self._needs_no_validation(X):
            return X
        return self._validated(X, reset=False)

    def _needs_no_validation(self, X):
        """Whether X is what validation would return, without a word.

        Validation would take most of the time of a single row.
        """
        return (
            type(X) is np.ndarray
            and X.dtype in (np.float64, np.float32)
            and X.ndim == 2
            and X.shape[1] == self.n_features_in_
            and len(X) > 0
            and not hasattr(self, "feature_names_in_")
            and is_bounded(X)
        )

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

    def _train(self, X, *, goes_on, incremental):
        """Train, and store the result.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
        goes_on : bool
            Whether an earlier fit, if there is one, is where training starts.
        incremental : bool
            One epoch on all rows, instead of a whole training.
        """
        earlier = getattr(self, "_model", None) if goes_on else None
        done = 0 if earlier is None else self.n_iter_
        with kept_on_failure(self):
            first = earlier is None
            X = self._validated(X, reset=first, min_samples=2 if first else 1)
            fitting = Fitting(self, incremental)
            self._model, trained, pca_loss = fitting.run(X, earlier, done)
            self.n_components_ = self._model.n_components
            self.n_iter_ = done + trained.n_iter
            self.best_iter_ = done + trained.best_iter
            curve = self.loss_curve_ if done else []
            self.loss_curve_ = curve + trained.loss_curve
            curve = self.validation_loss_curve_ if done else None
            new = trained.validation_loss_curve
            if curve is not None or new is not None:
                # Epochs without validation rows, in partial_fit, have no such loss.
                curve = [np.nan] * done if curve is None else curve
                curve = curve + ([np.nan] * trained.n_iter if new is None else new)
            self.validation_loss_curve_ = curve
            if pca_loss is not None:
                self.pca_loss_ = pca_loss
            self._describe(X)
        if trained.interrupted:
            warnings.warn(
                "Training interrupted by user.", ConvergenceWarning, stacklevel=4
            )
