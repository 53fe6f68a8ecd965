"""Codes in CSR format, out of an estimator and into it."""

import numpy as np
from scipy.sparse import csr_array, issparse

from skae._estimators.coding import Decoding, Encoding
from skae._sources.by_blocks import by_blocks
from skae._utils.typing import Rows


class SparseOutput(Encoding, Decoding):
    """Mixin of estimators whose codes may be sparse arrays.

    Attributes
    ----------
    sparse_output : bool
        Whether `transform` returns them.
    """

    sparse_output: bool

    @by_blocks
    def transform(self, X) -> np.ndarray | csr_array:
        """Encode rows.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Rows in the units that the transformer was fitted on.

        Returns
        -------
        X_new : ndarray or CSR array of shape (n_samples, `n_components_`)
            Codes, float32 for float32 rows and float64 for others; sparse with
            ``sparse_output=True``, but in blocks. A row's code does not depend on the
            rows beside it.

        Raises
        ------
        NotFittedError
            If the transformer was not fitted.
        ValueError
            If X has another width than in `fit`, missing or infinite values.
        """
        codes = super().transform(X)
        return csr_array(codes) if self.sparse_output else codes

    @by_blocks
    def inverse_transform(self, X) -> Rows:
        """Decode codes.

        Parameters
        ----------
        X : array-like or sparse of shape (n_samples, `n_components_`)
            Codes, as :meth:`transform` returns them.

        Returns
        -------
        X_original : ndarray or DataFrame of shape (n_samples, `n_features_in_`)
            Rows in the units of the data; a table, if one with categories or dates was
            fitted.

        Raises
        ------
        NotFittedError
            If the transformer was not fitted.
        ValueError
            If X has not `n_components_` columns.
        """
        return super().inverse_transform(X.toarray() if issparse(X) else X)
