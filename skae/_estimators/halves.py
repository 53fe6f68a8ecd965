"""Encoders and decoders alone, to be saved apart from each other."""

import re
from copy import copy

import numpy as np
from sklearn.base import BaseEstimator, clone

from skae._estimators.coding import Decoding, Encoding, check_of_rows
from skae._estimators.parameters import AutoencoderParameters
from skae._files.saving import Saving
from skae._inference.loaded import checked, needed_for
from skae._inference.model import Model
from skae._utils.checks import OF_ROWS, count, instance
from skae._utils.ranges import has_holes
from skae._utils.stored import stored, stored_base


def _is_id(value):
    return isinstance(value, str) and re.fullmatch("[0-9a-f]{16}", value) is not None


@stored_base(
    prefixes={"transformer": ""},
    _model=instance(Model),
    n_components_=count,
    pairing_id_=_is_id,
    **OF_ROWS,
)
class Half(Saving, BaseEstimator):
    """Base of halves of a fitted transformer; not to be instantiated.

    Parameters
    ----------
    transformer : estimator
        Of the fitted one's class, with its parameters.

    Attributes
    ----------
    pairing_id_ : str
        Sixteen hexadecimal digits, the same in the two halves of one fit.
    """

    _parameter_constraints = {"transformer": [AutoencoderParameters]}
    _method = ""

    def __init__(self, transformer):
        self.transformer = transformer

    @classmethod
    def of(cls, fitted):
        """The half of a fitted transformer.

        Parameters
        ----------
        fitted : estimator

        Returns
        -------
        half : Half
        """
        half = cls(clone(fitted).set_params(callbacks=None))
        of_rows = *OF_ROWS, "_columns"
        kept = {name: v for name, v in vars(fitted).items() if name in of_rows}
        vars(half).update(kept, n_components_=fitted.n_components_)
        half.pairing_id_ = fitted._model.pairing_id
        half._model = half._alone(fitted._model)
        return half

    def set_params(self, **params):
        """Set the device; nothing else can be set any more.

        Parameters
        ----------
        **params : dict
            ``transformer__device``, as for the transformer.

        Returns
        -------
        self : object
        """
        wrong = sorted(set(params) - {"transformer__device"})
        if wrong:
            raise ValueError(
                f"{type(self).__name__} was given {wrong}, but is fitted: only "
                "'transformer__device' can be set."
            )
        return super().set_params(**params)

    def fit(self, X=None, y=None):
        """Do nothing: what was fitted stays.

        Parameters
        ----------
        X, y : object
            Ignored.

        Returns
        -------
        self : object
        """
        return self

    @property
    def device(self):
        return self.transformer.device

    def _alone(self, model):
        """The model without weights that the half does not need.

        Of a network of the user's, all are kept: what it reads may depend on rows.
        """
        if model.recipe.is_known:
            needed = needed_for(model.build(), self._method, model)
            weights = {name: v for name, v in model.weights.items() if name in needed}
            model = model.replaced(weights=weights)
        return model.replaced(optimizer_state=None)

    def _check_loaded(self):
        if not hasattr(self, "_model"):
            raise ValueError("It has no model.")
        self._model = checked(self._model, self._method)
        check_of_rows(self)

    def __sklearn_clone__(self):
        # Fitted as it is, with a device and a form of output of its own.
        other = copy(self)
        other.transformer = clone(self.transformer)
        return other

    def __sklearn_is_fitted__(self):
        return hasattr(self, "_model")


@stored()
class Encoder(Encoding, Half):
    """The encoder of a fitted transformer: `transform` alone.

    What :meth:`save_encoder` saves; in a Pipeline it stays as it is.
    """

    _method = "encode"

    def _checked(self, X):
        X, recipe = super()._checked(X), self._model.recipe
        if recipe.is_known and not recipe.reads_holes and has_holes(X):
            raise ValueError(
                "X has missing cells, or levels that were not there in fit, and this "
                "encoder was trained without such: only the whole transformer fills "
                "them, with what it decodes. Save it whole, or train it with "
                "corruption=skae.corruptions.Missing()."
            )
        return X

    def get_feature_names_out(self, input_features=None):
        """Names of the components, as the whole transformer has them.

        Parameters
        ----------
        input_features : object
            Ignored.

        Returns
        -------
        names : ndarray of shape (`n_components_`,)
        """
        prefix = type(self.transformer).__name__.lower()
        return np.array([f"{prefix}{i}" for i in range(self.n_components_)], object)


@stored()
class Decoder(Decoding, Half):
    """The decoder of a fitted transformer: `inverse_transform` alone.

    What :meth:`save_decoder` saves; as the last step of a Pipeline it stays as it is.
    """

    _method = "decode"
