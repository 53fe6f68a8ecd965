"""What makes rows unusual: the detector's reasons, in numbers and in words."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
from sklearn.utils.validation import check_is_fitted

from skae._estimators.base import BaseAutoencoder
from skae._estimators.rows import OfRows
from skae._sources.by_blocks import by_blocks
from skae._sources.door import refuse_sources, source_of, whole
from skae._sources.source import Blocks, RowSource, block_rows
from skae._tables.columns import Columns
from skae._tables.frames import frame_of, index_of, refuse_others
from skae._utils.typing import Rows
from skae._utils.validation import validated, without_torch
from skae.detection._rows import RowsInMemory, RowsOfSource
from skae.detection._units import Units


class Explaining(OfRows):
    """Mixin of a detector with models of arrays or of tables."""

    _models: Any
    get_feature_names_out: Callable

    @by_blocks
    def feature_scores(self, X) -> np.ndarray:
        """How much each feature makes a row unusual.

        What the score says, divided among the features: they add up to minus
        the score. Of ``method="error"`` they are the squared errors, in units of each
        feature's usual error, over the number of features, in the mean over the
        autoencoders. Of "neighbors" they are in proportion to how much nearer the
        nearest row would be without the feature. Of "combined" they are the mean of the
        shares that features have in four things: the squared errors, the fall of both
        distances, and, for random cuts, what is left of each cell after a linear
        regression on the others, squared and in units of what usually is [1]_. Rows of
        which nothing is there have 0 in all features.

        Of tables with categories or dates: how many times less likely a value is beside
        the others of its row than in general, as a logarithm in nats. A number at an
        end of its column, where one row in 64 is, has the log of two in addition for
        each halving of the rows that are as far out, and a nat for each twentieth of
        the range that it is beyond it. A level that no row of `fit` had is as one in so
        many rows, and one more. For ``method="combined"`` the score is of their sum or
        of the largest, whichever is rarer.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Rows in the units that the detector was fitted on.

        Returns
        -------
        scores : ndarray of shape (n_samples, n_features)
            Higher is more unusual, and 0 where a cell is missing. Columns are those of
            `get_feature_names_out`.

        References
        ----------
        .. [1] Lauritzen, S. L. (1996). Graphical models, chapter 5. Oxford University
           Press.
        """
        X = self._applied(X)
        return self._models.feature_scores(X)

    @by_blocks
    def reconstruct(self, X) -> Rows:
        """What rows would be like if they were normal.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Rows in the units that the detector was fitted on.

        Returns
        -------
        X_reconstructed : ndarray or DataFrame of shape (n_samples, n_features)
            The mean of what the autoencoders make of them; of categories the likeliest
            level. A table, if one with categories or dates was fitted.
        """
        rows = self._models.reconstruct(self._applied(X), self._columns)
        return self._as_given(rows, X)

    def explain(
        self, X, n_features=5, *, preprocessing=None, groups=None
    ) -> pd.DataFrame:
        """The features that make rows unusual, in numbers and in words.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Rows in the units that the detector was fitted on. May have no rows, as
            ``X[detector.predict(X) == -1]`` where nothing is unusual.
        n_features : int, default=5
            How many features to name for each row, at the most. Those that fit it, of
            which the score is not above 0, are left out, but for one where all do.
        preprocessing : fitted transformer or Pipeline, default=None
            What rows have still to go through before the detector, such as
            ``pipeline[:-1]``. X is then in the units from before it, and so are
            `observed`, `expected` and the names. It needs `inverse_transform`, and as
            many columns as features.
        groups : array-like of shape (n_features,), default=None
            The group of each feature, whose features may be faulty together: what is
            expected of them is expected given those of other groups alone. None is a
            group for each feature. Not for tables with categories or dates.

        Returns
        -------
        reasons : DataFrame
            A line for each row and feature, the most unusual first: `row` (its label in
            a DataFrame, or number), `feature`, `observed`, `expected` (given the other
            cells of the row), `standardized_error` (by how many usual errors of what is
            expected the one is above the other), `score` (that of
            :meth:`feature_scores`) and `message`. Of arrays, `expected` is by linear
            regression, and within the range of the rows of `fit`. `standardized_error`
            is NaN for categories and for what is missing.

        Raises
        ------
        TypeError
            If `preprocessing` has no `inverse_transform`.
        ValueError
            If `preprocessing` makes other columns of the features; if it or `groups` is
            given though a table with categories or dates was fitted, whose units are
            its own; or if `groups` is not one for each feature.

        Warns
        -----
        UserWarning
            If most rows are beyond all that was fitted in most of their features, and
            `preprocessing` is None: it may have been forgotten.

        Examples
        --------
        >>> from sklearn.datasets import load_wine
        >>> from sklearn.pipeline import make_pipeline
        >>> from sklearn.preprocessing import StandardScaler
        >>> from skae import AutoencoderOutlierDetector
        >>> X = load_wine(as_frame=True).data
        >>> detector = AutoencoderOutlierDetector(random_state=0)
        >>> pipeline = make_pipeline(StandardScaler(), detector).fit(X)
        >>> odd = X[:1].assign(alcohol=4.2)
        >>> reasons = detector.explain(odd, 1, preprocessing=pipeline[:-1])
        >>> reasons["message"][0]
        'alcohol is 4.2, ... usual errors below the expected ...'
        """
        check_is_fitted(self)
        refuse_sources(X, "explain", "pass the rows that predict says are outlying")
        units = Units(preprocessing, self, X)
        given = units.rows, units, n_features, index_of(X)
        if self._columns is None:
            return self._models.reasons(*given, _numbered(groups, len(units.names)))
        if groups is not None:
            raise ValueError(
                "groups was given, but the detector was fitted to a table with "
                "categories or dates, of which each column is expected given all "
                "others: leave it out."
            )
        return self._models.reasons(*given)

    def _rows_to_fit(self, X, choice, memory_limit, min_samples):
        """The rows to fit to, once their columns are known.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features), or what is read in blocks
        choice : "from_dtype", array-like of str, int or bool, or None
            Which columns are categories.
        memory_limit, min_samples : int

        Returns
        -------
        rows : RowsInMemory or RowsOfSource
        """
        source = source_of(X)
        if source is None:
            self._columns = Columns.of(without_torch(X), choice)
            X = self._validated(X, reset=True, min_samples=min_samples)
            return RowsInMemory(X)
        check_reads_sources(self.autoencoder, source, "autoencoder")
        kept = whole(source, memory_limit)
        self._learn_blocks(kept or source, choice, memory_limit)
        if kept is not None and self._columns is None:
            rows = np.concatenate(list(kept.mapped(self._applied_block)))
            self._check_count(rows.shape, min_samples)
            return RowsInMemory(rows)
        width = self.n_features_in_
        if self._columns is not None:  # much wider once they are encoded
            width = self._columns.layout.width
        source = kept or source.finer(block_rows(width))
        # Autoencoders get arrays of numbers, and tables as they are.
        blocks = Blocks(source, self._applied_block, None)
        most = None if kept is not None else memory_limit // (8 * width)
        rows = RowsOfSource(blocks, most)
        self._check_count((len(rows), width), min_samples)
        return rows

    def _applied_block(self, X):
        """Rows of a block whose columns are known."""
        return self._validated(X, reset=False, min_samples=1)

    def _applied(self, X, min_samples=1):
        """Rows to apply what was fitted to: an array, or a table as it is."""
        check_is_fitted(self)
        return self._validated(X, reset=False, min_samples=min_samples)

    def _validated(self, X, reset, min_samples):
        if self._columns is None:
            refuse_others(X)
            return validated(self, X, reset=reset, min_samples=min_samples)
        X = frame_of(without_torch(X)).X
        self._encoded(X, reset, min_samples)
        return X


def check_reads_sources(estimator, X, name):
    """Raise TypeError for rows of a source, if an estimator to fit reads none.

    Parameters
    ----------
    estimator : estimator or None
        None reads them.
    X : object
    name : str
        Of the parameter that the estimator is.
    """
    reads = estimator is None or isinstance(estimator, BaseAutoencoder | Explaining)
    if isinstance(X, RowSource) and not reads:
        raise TypeError(
            f"X is read in blocks ({X.title}), but {name}={estimator!r} is none of "
            "this package's, which alone are fitted to blocks: pass one of them, or "
            "rows in memory."
        )


def _numbered(groups, n_features):
    """The number (n_features,) of the group of each feature."""
    groups = np.arange(n_features) if groups is None else np.asarray(groups)
    if groups.shape != (n_features,):
        raise ValueError(
            f"groups has shape {groups.shape}, but one group for each of "
            f"{n_features} features was expected."
        )
    return np.unique(groups, return_inverse=True)[1]
