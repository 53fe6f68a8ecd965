"""What a file is loaded as: the methods of an estimator that it suffices for."""

from dataclasses import dataclass
from types import SimpleNamespace

import numpy as np

from skae.inference._functions import Loss
from skae.inference._rows import checked
from skae.inference._stack import Stack
from skae.inference._threads import for_each_chunk


@dataclass(frozen=True, eq=False)
class Parts:
    """What a file holds, as arrays and functions.

    Attributes
    ----------
    name : str
        Of the transformer's class.
    n_features, n_components : int
    feature_names : list of str or None
    shift : ndarray of shape (n_features,), float64
    scale, code_scale : float
        Units of the data in a standard one, and in one of the codes.
    code_maps : list of callables
        What codes (n_components, n) pass through. They may write over them.
    loss : Loss
    encoder, decoder : Stack or None
    """

    name: str
    n_features: int
    n_components: int
    feature_names: list[str] | None
    shift: np.ndarray
    scale: float
    code_scale: float
    code_maps: list
    loss: Loss
    encoder: Stack | None = None
    decoder: Stack | None = None

    def encode(self, rows):
        """Codes (n_components, n) of standardised rows (n, n_features)."""
        code = self.encoder(rows.T)
        for code_map in self.code_maps:
            code = code_map(code)
        return code

    def standardised(self, X):
        # In double precision: subtracting a large shift must not lose the data.
        exact = X - self.shift
        exact /= self.scale
        return exact.astype(np.float32)

    def to_data(self, output):
        """Raw output (n_features, n) as rows in the units of the data."""
        return self.loss.to_data(_rows(output), self.shift, self.scale)


def _rows(columns):
    """Columns as rows of double precision."""
    return columns.T.astype(np.float64, order="C")


def _by_chunks(function, X, shape, *stacks):
    """What a function of some rows of X returns, for all of them, in X's dtype."""
    result = np.empty((len(X), *shape), X.dtype)

    def fill(part):
        with np.errstate(over="ignore", under="ignore", invalid="ignore"):
            result[part] = function(X[part])

    for_each_chunk(fill, len(X), min(stack.n_columns for stack in stacks))
    return result


class _Model:
    """Base of what is loaded, and the attributes that all have."""

    def __init__(self, parts):
        self._parts = parts
        self.n_features_in_ = parts.n_features
        self.n_components_ = parts.n_components
        if parts.feature_names is not None:
            self.feature_names_in_ = np.array(parts.feature_names, object)

    def __repr__(self):
        of = self._parts.name
        sizes = f"{self.n_features_in_} features, {self.n_components_} components"
        return f"<skae.inference.{type(self).__name__} of {of}: {sizes}>"

    def _checked(self, X):
        parts = self._parts
        return checked(X, parts.n_features, parts, parts.name, parts.feature_names)


class _Encoding(_Model):
    def transform(self, X) -> np.ndarray:
        """Encode rows.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Rows in the units that the transformer was fitted on. A table needs the
            columns that it was fitted on, in their order; arrays have no names.

        Returns
        -------
        X_new : ndarray of shape (n_samples, `n_components_`)
            Codes, float32 for float32 rows and float64 for others.

        Raises
        ------
        TypeError, ValueError
            If X has another width or other names than in `fit`, missing, infinite or
            far too large values; as all methods do that take rows.
        """
        parts, X = self._parts, self._checked(X)

        def codes(X):
            return _rows(parts.encode(parts.standardised(X))) * parts.code_scale

        return _by_chunks(codes, X, (parts.n_components,), parts.encoder)

    def get_feature_names_out(self, input_features=None) -> np.ndarray:
        """Names of the components, as the transformer has them.

        Parameters
        ----------
        input_features : object
            Ignored.

        Returns
        -------
        names : ndarray of shape (`n_components_`,)
        """
        prefix = self._parts.name.lower()
        return np.array([f"{prefix}{i}" for i in range(self.n_components_)], object)


class _Decoding(_Model):
    def inverse_transform(self, X) -> np.ndarray:
        """Decode codes.

        Parameters
        ----------
        X : array-like of shape (n_samples, `n_components_`)
            Codes, as `transform` returns them.

        Returns
        -------
        X_original : ndarray of shape (n_samples, `n_features_in_`)
            Rows in the units of the data.

        Raises
        ------
        TypeError, ValueError
            If X has not `n_components_` columns of finite numbers.
        """
        parts = self._parts
        scaling = SimpleNamespace(shift=0.0, scale=parts.code_scale)
        X = checked(X, parts.n_components, scaling, f"{parts.name}'s decoder")

        def rows(X):
            code = (X.T / parts.code_scale).astype(np.float32, order="C")
            return parts.to_data(parts.decoder(code))

        return _by_chunks(rows, X, (parts.n_features,), parts.decoder)


class Encoder(_Encoding):
    """The encoder of a transformer: rows to codes.

    Attributes
    ----------
    n_features_in_ : int
        Columns of rows.
    n_components_ : int
        Columns of codes.
    feature_names_in_ : ndarray of shape (`n_features_in_`,)
        Names of the rows' columns, if they had some in `fit`.
    """


class Decoder(_Decoding):
    """The decoder of a transformer: codes to rows.

    Attributes
    ----------
    n_features_in_ : int
        Columns of rows.
    n_components_ : int
        Columns of codes.
    feature_names_in_ : ndarray of shape (`n_features_in_`,)
        Names of the rows' columns, if they had some in `fit`.
    """


class Autoencoder(_Encoding, _Decoding):
    """A whole transformer: rows to codes, to rows again, and their losses.

    Attributes
    ----------
    n_features_in_ : int
        Columns of rows.
    n_components_ : int
        Columns of codes.
    feature_names_in_ : ndarray of shape (`n_features_in_`,)
        Names of the rows' columns, if they had some in `fit`.
    """

    def reconstruct(self, X) -> np.ndarray:
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
        parts, X = self._parts, self._checked(X)

        def rows(X):
            return parts.to_data(parts.decoder(parts.encode(parts.standardised(X))))

        stacks = parts.encoder, parts.decoder
        return _by_chunks(rows, X, (parts.n_features,), *stacks)

    def score_samples(self, X) -> np.ndarray:
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
        parts, X = self._parts, self._checked(X)
        loss = parts.loss
        loss.check(X)
        unit = np.float64(parts.scale) ** loss.degree

        def scores(X):
            rows = parts.standardised(X)
            target = loss.target(rows, parts.shift, parts.scale).T
            cells = loss.cells(parts.decoder(parts.encode(rows)), target)
            return cells.mean(axis=0, dtype=np.float64) * -unit

        return _by_chunks(scores, X, (), parts.encoder, parts.decoder)
