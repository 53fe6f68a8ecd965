"""Encoding and decoding as scikit-learn has it: what wholes and halves share."""

import numpy as np
from sklearn.base import ClassNamePrefixFeaturesOutMixin, TransformerMixin
from sklearn.utils import check_array
from sklearn.utils.validation import check_is_fitted

from skae._estimators.rows import OfRows
from skae._inference.model import Model
from skae._onnx.hooks import OnnxConvertible
from skae._onnx.modules import Part
from skae._sources.by_blocks import by_blocks
from skae._utils.checks import check_names
from skae._utils.device import inference_device
from skae._utils.layout import same_layout
from skae._utils.ranges import check_distance, check_magnitude
from skae._utils.typing import Rows
from skae._utils.validation import needs_no_validation, without_torch


def check_of_rows(estimator):
    """Raise ValueError for attributes, read from a file, that are not the model's."""
    model, columns = estimator._model, estimator._columns
    found = estimator.n_features_in_, estimator.n_components_
    if found != (model.recipe.n_columns(model.n_features), model.n_components):
        raise ValueError(f"Its sizes {found} are not those of its model.")
    layouts = model.recipe.layout, None if columns is None else columns.layout
    if not same_layout(*layouts):
        raise ValueError("Its columns are not those of its model.")
    check_names(estimator)


class Encoding(
    OfRows, OnnxConvertible, ClassNamePrefixFeaturesOutMixin, TransformerMixin
):
    """Mixin of estimators with a model whose encoder is there, and a device."""

    _model: Model
    device: str
    n_components_: int

    @by_blocks
    def transform(self, X) -> np.ndarray:
        """Encode rows.

        Parameters
        ----------
        X : array-like or sparse of shape (n_samples, n_features)
            Rows in the units that the transformer was fitted on, NaN where cells are
            missing; a table, if it was fitted to one.

        Returns
        -------
        X_new : ndarray of shape (n_samples, `n_components_`)
            Codes, float32 for float32 rows and float64 for others. A row's code does
            not depend on the rows beside it. Of rows that are more than memory, here
            and in other methods, blocks to go through: see :doc:`/scale`.

        Raises
        ------
        NotFittedError
            If the transformer was not fitted; as all methods but `fit` do.
        ValueError
            If X has another width than in `fit`, infinite or far too large values; as
            all methods do that take rows.
        """
        X = self._checked(X)
        return self._model.encode(X, inference_device(self.device))

    def _onnx_parts(self):
        self._check_graphs_read()
        reads = self._model.n_features, "X", ("codes",)
        return {"encoder": Part(lambda: self._model.halves()[0], *reads)}

    @property
    def _n_features_out(self):
        return self.n_components_

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.transformer_tags.preserves_dtype = ["float64", "float32"]
        tags.input_tags.allow_nan = tags.input_tags.sparse = True
        return tags

    def _checked(self, X):
        """Rows to apply a fitted model to, as an array."""
        return self._judged(X)[0]

    def _judged(self, X):
        """The same, and where a table has unseen levels; None of rows of numbers."""
        check_is_fitted(self)
        if self._columns is not None:
            return self._encoded(X, False, 1)
        if not needs_no_validation(self, X):
            X = self._read(X)
        check_distance(X, self._model.scaling, type(self).__name__)
        return X, None


class Decoding(OfRows, OnnxConvertible):
    """Mixin of estimators with a model whose decoder is there, and a device."""

    _model: Model
    device: str
    n_components_: int

    def _onnx_parts(self):
        self._check_graphs_read()
        reads = self._model.n_components, "codes", ("X",)
        return {"decoder": Part(lambda: self._model.halves()[1], *reads)}

    @by_blocks
    def inverse_transform(self, X) -> Rows:
        """Decode codes.

        Parameters
        ----------
        X : array-like of shape (n_samples, `n_components_`)
            Codes, as :meth:`transform` returns them.

        Returns
        -------
        X_original : ndarray or DataFrame of shape (n_samples, `n_features_in_`)
            Rows in the units of the data. Of a table with categories or dates, one of
            the library, names, dtypes and categories that were fitted.

        Raises
        ------
        ValueError
            If X has not `n_components_` columns.
        """
        check_is_fitted(self)
        given = X
        X = check_array(
            without_torch(X), dtype=(np.float64, np.float32), input_name="X"
        )
        if X.shape[1] != self.n_components_:
            raise ValueError(
                f"X has {X.shape[1]} columns, but {type(self).__name__} was fitted "
                f"with {self.n_components_} components: pass codes as transform "
                "returns them."
            )
        name, device = type(self).__name__, inference_device(self.device)
        check_magnitude(X, name)
        check_distance(X, self._model.code_scaling(device), name)
        return self._as_given(self._model.decode(X, device), given)
