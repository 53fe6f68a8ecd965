"""The imputer: tables in, the same tables without holes out."""

from numbers import Integral
from typing import TYPE_CHECKING

import numpy as np
from sklearn import get_config
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.utils.validation import check_is_fitted

from skae._estimators.base import BaseAutoencoder
from skae._estimators.denoising import DenoisingAutoencoderTransformer
from skae._files.saving import Saving
from skae._onnx.hooks import OnnxConvertible
from skae._onnx.modules import Fill, Part
from skae._sources.by_blocks import by_blocks
from skae._sources.door import limit_of, refuse_sources
from skae._tables.choice import categories
from skae._tables.filled import in_library, without_empty
from skae._utils.checks import OF_ROWS, array, check_names, fitted
from skae._utils.compat import (
    HasMethods,
    Interval,
    StrOptions,
    check_feature_names_in,
    fit_context,
)
from skae._utils.random import new_seed, seeded_clone
from skae._utils.sparse import refuse_sparse
from skae._utils.stored import stored
from skae._utils.twin import all_or_nothing
from skae._utils.typing import Rows
from skae._utils.validation import without_torch
from skae._utils.warnings import warn
from skae.corruptions import Missing
from skae.reports._reporting import Reporting

if TYPE_CHECKING:
    from typing import Self

# The default autoencoder: what it hides counts for more than what it sees.
_DEFAULTS = {
    "n_components": 64,
    "corruption": Missing(0.6, seen_weight=0.2),
    "linear_path": True,
    "batch_size": 256,
    "max_iter": 100,
    "n_iter_no_change": 20,
}
# What an autoencoder has seen of its rows.
_SEEN = "n_features_in_", "feature_names_in_"


@stored(
    prefixes={"autoencoder_": "autoencoder__"},
    **OF_ROWS,
    autoencoder_=fitted(BaseAutoencoder),
    _kept=array("b", 1),
)
class AutoencoderImputer(
    OnnxConvertible, TransformerMixin, Saving, Reporting, BaseEstimator
):
    """Fills missing cells of arrays and of tables, in one step of a Pipeline.

    Each cell is what an autoencoder expects there, given the others of its row: a
    number for numbers, the likeliest level for categories. All others stay as they
    are, and so does what holds them: of a DataFrame comes one of its library, with its
    names, dtypes and categories, and of an array an array. See `set_output` for others.

    Parameters
    ----------
    autoencoder : estimator, default=None
        Any transformer of this package. None is a denoising one that learns to fill
        hidden cells, :class:`skae.corruptions.Missing`. Its `memory_limit` holds where
        there is none beside it.
    categorical_features : "from_dtype", array-like of str, int or bool, or None, \
            default="from_dtype"
        Which columns are categories: names, positions or a mask. "from_dtype" is what
        the autoencoder says, whose own default takes a DataFrame's columns of
        categories, text and truth values. Anything else goes before what it says.
    keep_empty_features : bool, default=False
        Whether columns without any value in `fit` stay, with zeros where they are
        missing; in tables with categories or dates missing cells stay. If False, they
        are left out, as by scikit-learn's imputers.
    memory_limit : int, default=None
        Bytes of rows that are held in memory at once, about, where X is not in memory;
        see :doc:`/scale`. Half as many are read whole.
    random_state : int, RandomState instance or None, default=None
        Determines initial weights, the rows held out, their order and all noise. Global
        random generators are neither used nor changed.

    Attributes
    ----------
    autoencoder_ : estimator
        Fitted; its :meth:`impute` draws several fillings.
    n_features_in_ : int
        Number of features seen in `fit`.
    feature_names_in_ : ndarray of shape (`n_features_in_`,)
        Names of the features, where X had names that are all strings.

    See Also
    --------
    sklearn.impute.IterativeImputer : A regression for each column, of numbers alone.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.datasets import load_wine
    >>> from skae import AutoencoderImputer
    >>> X = load_wine().data
    >>> X[::3, 5] = np.nan
    >>> X_filled = AutoencoderImputer(random_state=0).fit_transform(X)
    >>> bool(np.isnan(X_filled).any()), X_filled.shape
    (False, (178, 13))
    """

    _parameter_constraints = {
        "autoencoder": [HasMethods(["fit"]), None],
        "categorical_features": ["array-like", StrOptions({"from_dtype"}), None],
        "keep_empty_features": ["boolean"],
        "memory_limit": [Interval(Integral, 1, None, closed="left"), None],
        "random_state": ["random_state"],
    }

    def __init__(
        self,
        autoencoder=None,
        *,
        categorical_features="from_dtype",
        keep_empty_features=False,
        memory_limit=None,
        random_state=None,
    ):
        self.autoencoder = autoencoder
        self.categorical_features = categorical_features
        self.keep_empty_features = keep_empty_features
        self.memory_limit = memory_limit
        self.random_state = random_state

    @fit_context(prefer_skip_nested_validation=False)
    def fit(self, X, y=None) -> "Self":
        """Learn what is expected where.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            At least two rows. NaN, None and pd.NA stand for missing cells. All rows
            may be more than memory: see :doc:`/scale`.
        y : object
            Ignored.

        Returns
        -------
        self : object

        Raises
        ------
        TypeError
            If the autoencoder is none of this package's.
        ValueError
            If X is not what the autoencoder can be fitted to. An earlier fit is kept.

        Warns
        -----
        UserWarning
            If columns without any value are left out; else as the autoencoder's own
            `fit`.
        """
        with all_or_nothing(self) as twin:
            refuse_sparse(X)
            X = without_torch(X)
            autoencoder = twin._new_autoencoder().fit(X)
            twin.autoencoder_ = autoencoder
            vars(twin).pop("feature_names_in_", None)
            seen = {name: v for name, v in vars(autoencoder).items() if name in _SEEN}
            vars(twin).update(seen)
            twin._kept = autoencoder._has_values(X)
        if not (self.keep_empty_features or self._kept.all()):
            names = getattr(self, "feature_names_in_", range(len(self._kept)))
            skipped = [names[j] for j in np.flatnonzero(~self._kept)]
            warn(
                f"Skipping features without any observed values: {skipped}. "
                "keep_empty_features=True keeps them."
            )
        return self

    @by_blocks
    def transform(self, X) -> Rows:
        """Fill missing cells.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Rows in the units that the imputer was fitted on.

        Returns
        -------
        X_filled : ndarray or DataFrame of shape (n_samples, n_features_out)
            X, of its own type, with all observed cells as they were. Only columns
            without any value in `fit` are left out, if `keep_empty_features` is False.
            Names of columns are those of :meth:`get_feature_names_out`. Of rows that
            are more than memory, blocks to go through: see :doc:`/scale`.
        """
        X = self.impute(X)
        own = getattr(self, "_sklearn_output_config", {})
        # What scikit-learn makes of another library's table has other dtypes, or none.
        return in_library(X, own.get("transform", get_config()["transform_output"]))

    def impute(self, X, draws=None, random_state=None) -> Rows | list[Rows]:
        """Fill missing cells, once or several times.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Rows in the units that the imputer was fitted on.
        draws : int, default=None
            How many fillings to draw, for multiple imputation, as the autoencoder's
            own :meth:`impute <skae.DenoisingAutoencoderTransformer.impute>` does. None
            is the one that is expected.
        random_state : int, RandomState instance or None, default=None
            Determines the draws.

        Returns
        -------
        X_filled : ndarray or DataFrame of shape (n_samples, n_features_out), or list
            As :meth:`transform` returns it, of X's own type whatever `set_output` says.
            A list of as many as `draws`, where these are wanted.

        Raises
        ------
        NotFittedError
            If the imputer was not fitted.
        ValueError
            If X is not what the autoencoder reads; if draws are wanted of one that was
            trained without missing cells.

        Examples
        --------
        >>> import numpy as np
        >>> from skae import AutoencoderImputer, AutoencoderTransformer
        >>> X = np.random.default_rng(0).normal(size=(99, 1)) * [1, 2, 3]
        >>> X[::3, 1] = np.nan
        >>> imputer = AutoencoderImputer(AutoencoderTransformer(1), random_state=0)
        >>> tables = imputer.fit(X).impute(X, draws=5, random_state=0)
        >>> len(tables), tables[0].shape
        (5, (99, 3))
        """
        check_is_fitted(self)
        if draws is None:
            return self._imputed(X)
        refuse_sources(X, "impute with draws", "call it with one block after the other")
        return self._filled(X, draws, random_state)

    @by_blocks
    def _imputed(self, X):
        """X, missing cells filled by what is expected there."""
        return self._filled(X, None, None)

    def _filled(self, X, draws, random_state):
        X = without_torch(X)
        filled = self.autoencoder_.impute(X, draws, random_state)
        given = self.autoencoder_._columns, self._kept, self.keep_empty_features
        names = self.get_feature_names_out().tolist()
        tables = [filled] if draws is None else filled
        tables = [without_empty(X, table, *given, names) for table in tables]
        return tables[0] if draws is None else tables

    def get_feature_names_out(self, input_features=None) -> np.ndarray:
        """Names of the columns that are left.

        Parameters
        ----------
        input_features : array-like of str, default=None
            Of the columns that come in, where `fit` saw none.

        Returns
        -------
        names : ndarray of str
        """
        check_is_fitted(self)
        names = check_feature_names_in(self, input_features)
        return names if self.keep_empty_features else names[self._kept]

    @property
    def _names_of_rows(self):
        return self.get_feature_names_out().tolist()

    @property
    def _columns(self):
        return self.autoencoder_._columns

    def _onnx_parts(self):
        self.autoencoder_._check_graphs_read()
        model = self.autoencoder_._model
        kept = np.ones_like(self._kept) if self.keep_empty_features else self._kept

        def make():
            places = np.flatnonzero(kept), np.flatnonzero(kept & ~self._kept)
            return Fill(*model.halves(), *(part.tolist() for part in places))

        return {"impute": Part(make, model.n_features, "X", ("X_filled",))}

    def _new_autoencoder(self):
        given = self.autoencoder
        if given is None:
            given = DenoisingAutoencoderTransformer(**_DEFAULTS)
        elif not isinstance(given, BaseAutoencoder):
            raise TypeError(
                f"autoencoder={given!r}, but a transformer of this package alone was "
                "expected, such as skae.DenoisingAutoencoderTransformer(): what other "
                "steps do, do in a Pipeline before the AutoencoderImputer."
            )
        chosen = categories(self.categorical_features, given)
        seed = new_seed(self.random_state)
        params = {"categorical_features": chosen, "memory_limit": limit_of(self)}
        return seeded_clone(given, seed, **params)

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = True
        tags.transformer_tags.preserves_dtype = ["float64", "float32"]
        return tags

    def _check_loaded(self):
        """Raise ValueError if what was read from a file doesn't fit together."""
        if hasattr(self, "autoencoder_"):
            if self.autoencoder_.n_features_in_ != self.n_features_in_:
                raise ValueError("Its columns are not those of its autoencoder.")
            if len(self._kept) != self.n_features_in_:
                raise ValueError("Its columns are not those that it keeps.")
            check_names(self)
