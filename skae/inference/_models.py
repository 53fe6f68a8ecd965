"""What a file is loaded as: the methods of an estimator that it suffices for."""

from types import SimpleNamespace

import numpy as np

from skae._tables.filled import fill, imputed
from skae._tables.frames import index_of
from skae._utils.typing import Rows
from skae.inference._parts import as_rows, by_chunks, mean_of_known
from skae.inference._rows import checked, encoded


class _Model:
    """Base of what is loaded, and the attributes that all have."""

    def __init__(self, parts):
        self._parts = parts
        self.n_features_in_ = parts.n_columns
        self.n_components_ = parts.n_components
        if parts.feature_names is not None:
            self.feature_names_in_ = np.array(parts.feature_names, object)

    def __repr__(self):
        of = self._parts.name
        sizes = f"{self.n_features_in_} features, {self.n_components_} components"
        return f"<skae.inference.{type(self).__name__} of {of}: {sizes}>"

    def _checked(self, X):
        """Rows (n, n_features) as the network has them."""
        parts = self._parts
        known = parts.name, parts.feature_names, parts.fills
        if parts.columns is not None:
            return encoded(X, parts.columns, *known)
        return checked(X, parts.n_features, parts, *known)

    def _as_given(self, rows, X):
        """Rows (n, n_features) as users get them back: those of a table as one."""
        columns = self._parts.columns
        if columns is None:
            return rows
        return columns.restore(rows, index_of(X))


class _Encoding(_Model):
    def transform(self, X) -> np.ndarray:
        """Encode rows.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Rows in the units that the transformer was fitted on, NaN where cells are
            missing. A table needs the columns that it was fitted on, in their order;
            arrays have no names.

        Returns
        -------
        X_new : ndarray of shape (n_samples, `n_components_`)
            Codes, float32 for float32 rows and float64 for others.

        Raises
        ------
        TypeError, ValueError
            If X has another width or other names than in `fit`, infinite or far too
            large values; as all methods do that take rows. For missing cells, if the
            file has the encoder alone, and its training had none.
        """
        parts, X = self._parts, self._checked(X)

        def codes(X):
            return as_rows(parts.encode(parts.standardised(X))) * parts.code_scale

        return by_chunks(codes, X, (parts.n_components,), parts.encoder)

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
    def inverse_transform(self, X) -> Rows:
        """Decode codes.

        Parameters
        ----------
        X : array-like of shape (n_samples, `n_components_`)
            Codes, as `transform` returns them.

        Returns
        -------
        X_original : ndarray or DataFrame of shape (n_samples, `n_features_in_`)
            Rows in the units of the data; a table, if one with categories or dates was
            fitted.

        Raises
        ------
        TypeError, ValueError
            If X has not `n_components_` columns of finite numbers.
        """
        parts, given = self._parts, X
        scaling = SimpleNamespace(shift=0.0, scale=parts.code_scale)
        X = checked(X, parts.n_components, scaling, f"{parts.name}'s decoder")

        def rows(X):
            code = (X.T / parts.code_scale).astype(np.float32, order="C")
            return parts.to_data(parts.decoder(code))

        decoded = by_chunks(rows, X, (parts.n_features,), parts.decoder)
        return self._as_given(decoded, given)


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

    def reconstruct(self, X) -> Rows:
        """Encode rows and decode them again.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Rows in the units that the transformer was fitted on.

        Returns
        -------
        X_reconstructed : ndarray or DataFrame of shape (n_samples, n_features)
            What the code kept of them, in the units of the data; of missing cells,
            what is expected there. A table, if one with categories or dates was fitted.
        """
        return self._as_given(self._expected(X), X)

    def impute(self, X) -> Rows:
        """Fill missing cells by what is expected there, given the others of the row.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Rows in the units that the transformer was fitted on, NaN, None or pd.NA
            where cells are missing.

        Returns
        -------
        X_filled : array or DataFrame of shape (n_samples, n_features)
            X, of its own type, with all observed cells as they were.
        """
        return fill(X, self._expected(X), self._parts.columns)

    def _expected(self, X):
        """Reconstructions (n, n_features) of rows."""
        parts, X = self._parts, self._checked(X)
        stacks = parts.encoder, parts.decoder
        return by_chunks(parts.reconstruct, X, (parts.n_features,), *stacks)

    def score_samples(self, X) -> np.ndarray:
        """Minus the reconstruction loss of each row; higher is more normal.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Rows in the units that the transformer was fitted on.

        Returns
        -------
        scores : ndarray of shape (n_samples,)
            Minus the mean over the observed features of the loss; for "squared_error"
            in squared units of the data. Of tables with categories or dates, minus the
            mean share of the columns' own uncertainty that is left.

        Raises
        ------
        ValueError
            For rows outside of the range that the loss needs.
        """
        parts, rows = self._parts, self._checked(X)
        columns, stacks = parts.columns, (parts.encoder, parts.decoder)
        parts.loss.check(rows)
        if columns is None:
            return -by_chunks(parts.losses, rows, (), *stacks)
        cells = by_chunks(parts.cell_losses, rows, (parts.n_columns,), *stacks)
        cells = np.where(columns.unseen(X), columns.surprises, cells)
        return -mean_of_known(cells)


class Imputer:
    """An imputer: rows with missing cells to filled ones.

    Attributes
    ----------
    autoencoder_ : Autoencoder
        What fills them.
    n_features_in_ : int
        Columns of rows.
    """

    def __init__(self, autoencoder, has_values, keep_empty_features):
        self.autoencoder_ = autoencoder
        self.n_features_in_ = autoencoder.n_features_in_
        self._has_values = has_values
        self._keep_empty_features = keep_empty_features

    def transform(self, X) -> Rows:
        """Fill missing cells.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Rows in the units that the imputer was fitted on.

        Returns
        -------
        X_filled : array or DataFrame of shape (n_samples, n_features_out)
            Of X's own type, with all observed cells as they were; without the columns
            that the imputer leaves out.
        """
        autoencoder = self.autoencoder_
        given = autoencoder._expected(X), autoencoder._parts.columns
        names = self.get_feature_names_out().tolist()
        return imputed(X, *given, self._has_values, self._keep_empty_features, names)

    def get_feature_names_out(self, input_features=None) -> np.ndarray:
        """Names of the columns that are left.

        Parameters
        ----------
        input_features : object
            Ignored.

        Returns
        -------
        names : ndarray of str
        """
        numbered = [f"x{i}" for i in range(self.n_features_in_)]
        names = getattr(self.autoencoder_, "feature_names_in_", numbered)
        names = np.array(names, object)
        return names if self._keep_empty_features else names[self._has_values]
