"""Folds: rows held out in turn, and what is fitted without them."""

from functools import partial
from numbers import Integral

import numpy as np
from sklearn.model_selection import KFold, ShuffleSplit, TimeSeriesSplit, check_cv
from sklearn.utils import gen_batches

from skae._estimators.base import BaseAutoencoder
from skae._tables.column import in_words
from skae._utils.checks import fitted, instance, list_of
from skae._utils.scaling import Scaling
from skae._utils.stored import stored
from skae._utils.warnings import warn
from skae.detection._anomalies import Anomalies, within_reach
from skae.detection._reasons import of_number, reasons
from skae.detection._scores import SCORES

# Rows that are scored at once.
_CHUNK_ROWS = 2048
# Splitters that files may hold. Others are passed again when they are loaded.
for _cls in (KFold, ShuffleSplit, TimeSeriesSplit):
    stored(has_parameters=True)(_cls)


@stored(
    autoencoders=list_of(fitted(BaseAutoencoder)),
    _scalings=list_of(instance(Scaling)),
    _anomalies=instance(Anomalies),
)
class FoldModels:
    """Autoencoders that have not seen the rows of a fold each, and scores by them.

    Attributes
    ----------
    autoencoders : list of estimators
        One for each fold.
    """

    def fit(self, rows, folds, new_autoencoder, method, seed, stage):
        """Fit autoencoders to rows, and scores to what these make of rows held out.

        Parameters
        ----------
        rows : RowsInMemory or RowsOfSource
            Of numbers.
        folds : iterable of (train, held_out)
            As of :func:`splits`.
        new_autoencoder : callable
            Without arguments.
        method : {"combined", "neighbors", "error"}
        seed : int
        stage : NullStage
            Of which fits of autoencoders are stages.

        Returns
        -------
        scores : ndarray of shape (n,)
            Higher is more unusual. NaN for rows that are never held out.
        """
        self.autoencoders, self._scalings, pairs = [], [], []
        order, others = [], []
        for k, (train, held_out) in enumerate(folds):
            with stage.fitting(new_autoencoder(), "fold") as autoencoder:
                self.autoencoders.append(autoencoder.fit(rows.chosen(train)))
            # Next to the rows of other folds these may vary very little.
            self._scalings.append(rows.scaling(train))
            order.append(rows.kept(held_out))
            others.append(held_out[len(order[-1]) :])
            found = rows.taken(order[-1], partial(self._held_out, k))
            pairs.append((found[:, 0], found[:, 1]))
        self._anomalies = Anomalies(rows.scaling())
        answers = [self._anomalies.fit(SCORES[method], pairs, seed)]
        is_known = [~np.isnan(errors).all(axis=1) for _, errors in pairs]
        for k, numbers in enumerate(others):
            if len(numbers):
                found = rows.taken(numbers, partial(self._answers, k))
                answers.append(found[:, :-1])
                is_known.append(found[:, -1] == 1)
        scores = np.full(len(rows), np.nan)
        ranked = self._anomalies.rank(*map(np.concatenate, (answers, is_known)))
        scores[np.concatenate(order + others)] = ranked
        return scores

    def check(self, n_features, columns):
        """Raise ValueError for parts, read from a file, that don't fit together."""
        if columns is not None:
            raise ValueError("Its columns are not those of its folds.")
        widths = {a.n_features_in_ for a in self.autoencoders}
        widths |= {len(scaling.shift) for scaling in self._scalings}
        n_folds = len(self.autoencoders)
        if widths != {n_features} or len(self._scalings) != n_folds:
            raise ValueError("Its folds are not of one size.")
        self._anomalies.check(n_features, n_folds)

    def scores(self, X):
        """How unusual rows (n, d) are: (n,), higher is more unusual."""
        return self._by_chunks(X, self._anomalies.scores, ())

    def feature_scores(self, X):
        """How unusual each feature makes rows: (n, d), that add up to the scores."""
        return self._by_chunks(X, self._anomalies.feature_scores, X.shape[1:])

    def _by_chunks(self, X, function, shape):
        """What a function of rows and errors of each fold returns: (n, *shape)."""
        found = np.empty((len(X), *shape))
        for chunk in gen_batches(len(X), _CHUNK_ROWS):
            rows = self._near(X[chunk])
            made = self.reconstructions(rows)
            found[chunk] = function([_with_errors(rows, of_fold) for of_fold in made])
        return found

    def reconstructions(self, X):
        """What the autoencoder of each fold makes of rows (n, d): (n_folds, n, d)."""
        X = self._near(X)
        return np.array([self._reconstruct(k, X) for k in range(len(self._scalings))])

    def reconstruct(self, X, columns=None):
        """What the autoencoders make of rows (n, d), in the mean: (n, d).

        The columns of a table, which rows of numbers have none of, are not used.
        """
        return self.reconstructions(X).mean(axis=0).astype(X.dtype)

    def reasons(self, X, units, n_features, labels, groups):
        """Reasons, as :meth:`AutoencoderOutlierDetector.explain` returns them.

        Parameters
        ----------
        X : ndarray of shape (n, d)
        units : Units
            That reasons are given in.
        n_features : int
        labels : Index or None
        groups : ndarray of shape (d,)
            Features that may be faulty together.
        """
        # Autoencoders take no empty tables.
        expected, errors, scores = X, X, X
        if len(X):
            if units.are_those_of_fit:
                self._check_units(X)
            expected, errors = self._expected(X, groups)
            scores = self.feature_scores(X)
        observed = units.observed.astype(float)
        expected = units.of_data(expected).astype(float)

        def said(*cell):
            return of_number(observed[cell], in_words(expected[cell]), errors[cell])

        given = observed, expected, errors, scores, said
        return reasons(units.names, *given, n_features, labels)

    def _expected(self, X, groups):
        """What is expected of cells, given others, and its errors, in usual ones."""
        rows = self._near(X)
        made = self.reconstructions(rows).mean(axis=0)
        if self._anomalies.given_others is None:  # in files from before it was kept
            return made, self._anomalies.relative(rows - made)
        missing = np.isnan(rows)
        filled = np.where(missing, made, rows)
        expected, errors = self._anomalies.expected(filled, groups)
        return expected, np.where(missing, np.nan, errors)

    def _check_units(self, X):
        """Warn of rows that seem to be in other units than those fitted."""
        beyond = self._anomalies.are_beyond(X).mean(axis=1)
        n_beyond = np.count_nonzero(beyond > 0.5)
        if n_beyond > len(X) / 2:
            warn(
                f"{n_beyond} of {len(X)} rows are beyond all that was fitted in most "
                "of their features, as rows in other units are. If steps before the "
                "detector change units, such as a scaler, pass these steps too: "
                "preprocessing=pipeline[:-1]."
            )

    def _held_out(self, k, X):
        """Rows (n, 2, d) that the k-th fold held out, and their errors."""
        return np.stack(_with_errors(X, self._reconstruct(k, X)), axis=1)

    def _answers(self, k, X):
        """What scores say of rows that were held out: (n, n_scores + 1).

        The last one is whether anything is known of them.
        """
        rows, errors = _with_errors(X, self._reconstruct(k, X))
        is_known = ~np.isnan(errors).all(axis=1)
        return np.column_stack([self._anomalies.answers(k, rows, errors), is_known])

    def _near(self, X):
        return within_reach(X, self._anomalies.scaling)

    def _reconstruct(self, k, X):
        """What the autoencoder of the k-th fold makes of rows, however far away."""
        return self.autoencoders[k].reconstruct(within_reach(X, self._scalings[k]))


def _with_errors(rows, made):
    """Rows, their missing cells as reconstructed, and the errors of reconstructions.

    These are NaN where cells are missing.
    """
    missing = np.isnan(rows)
    return np.where(missing, made, rows) if missing.any() else rows, rows - made


def splits(cv, X, seed):
    """Numbers of the rows to fit to and of those held out, for each fold.

    Parameters
    ----------
    cv : int, cross-validation generator or iterable
    X : ndarray or DataFrame of shape (n, d)
    seed : int

    Yields
    ------
    train, held_out : ndarray of int
        Those held out are in random order.

    Raises
    ------
    ValueError
        If `cv` needs more than the rows, gives no folds, or folds of less than two
        rows.
    """
    if isinstance(cv, Integral):
        splitter = KFold(cv, shuffle=True, random_state=seed)
    else:
        splitter = check_cv(cv)
    count = 0
    for train, held_out in _split(splitter, X):
        count += 1
        held_out = np.arange(len(X))[held_out]
        if len(held_out) < 2:
            raise ValueError(
                f"cv={cv!r} holds out folds of {len(held_out)} rows, but rows are "
                "compared within folds, for which two are needed: use fewer folds."
            )
        train = np.arange(len(X))[train]
        yield train, np.random.default_rng(seed).permutation(held_out)
    if not count:
        raise ValueError(
            f"cv={cv!r} gives no folds: a generator gives them once; pass a splitter, "
            "such as KFold(2), or a list."
        )


def _split(splitter, X):
    try:
        yield from splitter.split(X)
    except (TypeError, ValueError) as error:
        raise ValueError(
            f"cv={splitter!r} could not split {len(X)} rows: {error}. It gets the rows "
            "alone, no y and no groups: pass a splitter that does without them, such "
            "as KFold(2), or a list of pairs (train, test)."
        ) from error
