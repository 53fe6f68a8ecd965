"""The outlier detector: rows that are not like the others, and what makes them so."""

from numbers import Integral, Real

import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator, OneToOneFeatureMixin, OutlierMixin, clone
from sklearn.model_selection import KFold, check_cv
from sklearn.utils import gen_batches
from sklearn.utils.validation import check_is_fitted

from skae._estimators.denoising import DenoisingAutoencoderTransformer
from skae._utils.compat import (
    HasMethods,
    Interval,
    StrOptions,
    fit_context,
)
from skae._utils.random import new_seed
from skae._utils.scaling import Scaling
from skae._utils.twin import all_or_nothing
from skae._utils.validation import validated
from skae.detection._scores import SCORES, Anomalies

# Rows that are scored at once.
_CHUNK_ROWS = 2048
# Of the default autoencoder: small, since neighbours and cuts see what it misses.
_DEFAULTS = {
    "hidden_layer_sizes": (64,),
    "noise_level": 0.5,
    "linear_path": True,
    "init": "pca",
    "learning_rate": 0.015,
    "max_iter": 15,
}


class AutoencoderOutlierDetector(OneToOneFeatureMixin, OutlierMixin, BaseEstimator):
    """Finds rows that are not like the others, and the features that make them so.

    An autoencoder learns what rows are like. How badly it reconstructs a new one tells
    part of what is unusual about it, and where the row lies among the others the rest.
    Fitted to normal rows it is a detector of novelties; fitted to rows of which a few
    are not normal, of outliers. Features of different units should be scaled first,
    for example by :class:`~sklearn.preprocessing.StandardScaler`.

    Parameters
    ----------
    autoencoder : estimator, default=None
        Any transformer of this package, such as
        :class:`skae.VariationalAutoencoderTransformer`. None is a small denoising
        autoencoder.
    method : {"combined", "neighbors", "error"}, default="combined"
        What rows are scored by. "error" is the mean over the features of the squared
        error, each in units of that feature's usual error: it alone is a sum over the
        features. "neighbors" is the distance to the nearest of 256 rows, the mean over
        all draws of them, in rows and their errors together [1]_. "combined" adds up
        how rare such distances are, this one and that of the rows alone, and how rare
        it is to be isolated as soon by random cuts: the logarithms of the shares of
        rows held out that are as unusual.
    contamination : "auto" or float in (0, 0.5], default="auto"
        Share of the training rows that are outliers. "auto" sets the threshold by
        `alpha` instead.
    alpha : float in (0, 1), default=0.01
        False-alarm rate: share of normal rows that are to be found outlying, estimated
        on rows held out [2]_. Only used with ``contamination="auto"``.
    cv : int, cross-validation generator or iterable, default=2
        How rows are held out: in so many parts, in turn, each of which an autoencoder
        is fitted without. Usual errors, usual scores and the threshold are those of
        rows held out. For a series cut into windows, which overlap, ``KFold(2)`` holds
        out whole stretches of time.
    random_state : int, RandomState instance or None, default=None
        Determines the parts held out, and all that is random about the score and about
        the autoencoder, if that has no `random_state` of its own.

    Attributes
    ----------
    autoencoders_ : list of estimators
        Each fitted to all rows but those of a part; what they reconstruct is averaged.
    offset_ : float
        Scores below it are outlying.
    held_out_scores_ : ndarray of shape (n_samples,)
        Scores of the training rows by what was fitted without them; NaN for rows that
        `cv` never holds out.
    n_features_in_ : int
        Number of features seen in `fit`.
    feature_names_in_ : ndarray of shape (`n_features_in_`,)
        Names of the features, where X had names that are all strings.

    See Also
    --------
    skae.detection._windows.WindowedDetector : For series of readings.
    sklearn.ensemble.IsolationForest : Outliers without a model of the rows.

    References
    ----------
    .. [1] Sugiyama, M., Borgwardt, K. M. (2013). Rapid distance-based outlier
       detection via sampling. NeurIPS 26.
       https://papers.nips.cc/paper/5127-rapid-distance-based-outlier-detection-via-sampling
    .. [2] Vovk, V. (2015). Cross-conformal predictors. Annals of Mathematics and
       Artificial Intelligence 74. :doi:`10.1007/s10472-013-9368-4`

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.datasets import load_digits
    >>> from skae import AutoencoderOutlierDetector
    >>> X = load_digits().data
    >>> detector = AutoencoderOutlierDetector(random_state=0).fit(X[:1000])
    >>> X_new = X[1000:1003].copy()
    >>> X_new[1, 0] = 16  # a burnt-out pixel
    >>> detector.predict(X_new)
    array([ 1, -1,  1])
    >>> detector.feature_scores(X_new).argmax(axis=1)[1]
    np.int64(0)
    """

    _parameter_constraints = {
        "autoencoder": [HasMethods(["fit", "reconstruct"]), None],
        "method": [StrOptions(set(SCORES))],
        "contamination": [
            StrOptions({"auto"}),
            Interval(Real, 0, 0.5, closed="right"),
        ],
        "alpha": [Interval(Real, 0, 1, closed="neither")],
        "cv": ["cv_object"],
        "random_state": ["random_state"],
    }

    def __init__(
        self,
        autoencoder=None,
        *,
        method="combined",
        contamination="auto",
        alpha=0.01,
        cv=2,
        random_state=None,
    ):
        self.autoencoder = autoencoder
        self.method = method
        self.contamination = contamination
        self.alpha = alpha
        self.cv = cv
        self.random_state = random_state

    @fit_context(prefer_skip_nested_validation=False)
    def fit(self, X, y=None):
        """Learn what rows are like, and set the threshold.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            At least eight rows, without missing values, most of them normal.
        y : object
            Ignored.

        Returns
        -------
        self : object
            The fitted detector.

        Raises
        ------
        ValueError
            If X is not what the parameters need. An earlier fit is kept.
        """
        with all_or_nothing(self) as twin:
            X = twin._validated(X, reset=True)
            seed = new_seed(twin.random_state)
            twin.autoencoders_, parts, order = [], [], []
            for train, test in twin._splitter(seed).split(X):
                autoencoder = twin._new_autoencoder(X.shape[1], seed).fit(X[train])
                if len(test) < 2:
                    raise ValueError(
                        f"cv={self.cv!r} holds out parts of {len(test)} rows, but "
                        "rows are compared within parts: use fewer parts."
                    )
                order.append(np.random.default_rng(seed).permutation(test))
                rows = X[order[-1]]
                parts.append((rows, rows - autoencoder.reconstruct(rows)))
                twin.autoencoders_.append(autoencoder)
            if not parts:
                raise ValueError(
                    f"cv={self.cv!r} gives no parts: a generator gives them once; pass "
                    "a splitter, such as KFold(2), or a list."
                )
            twin._anomalies = Anomalies(SCORES[twin.method], Scaling.of(X))
            twin.held_out_scores_ = np.full(len(X), np.nan)
            order, scores = np.concatenate(order), twin._anomalies.fit(parts, seed)
            twin.held_out_scores_[order] = -scores
            if twin.contamination == "auto":
                twin.offset_ = twin.threshold(twin.alpha)
            else:
                scores = twin._scores(X)
                twin.offset_ = float(np.percentile(scores, 100 * twin.contamination))
        return self

    def threshold(self, alpha):
        """Score that normal rows fall below at a given rate.

        A new row that is like those held out does so with this probability.

        Parameters
        ----------
        alpha : float in (0, 1)
            False-alarm rate.

        Returns
        -------
        threshold : float
            For scores of :meth:`score_samples`.

        Raises
        ------
        NotFittedError
            If the detector was not fitted.
        ValueError
            If alpha is not between 0 and 1.
        """
        check_is_fitted(self)
        if not 0 < alpha < 1:
            raise ValueError(f"alpha={alpha}, but a rate between 0 and 1 was expected.")
        scores = np.sort(self.held_out_scores_[np.isfinite(self.held_out_scores_)])
        rank = int(alpha * (len(scores) + 1))
        return float(scores[rank - 1] if rank else np.nextafter(scores[0], -np.inf))

    def score_samples(self, X):
        """How normal rows are; higher is more normal.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Rows in the units that the detector was fitted on.

        Returns
        -------
        scores : ndarray of shape (n_samples,), float64
            For "combined" minus the nats of surprise, for "neighbors" minus the mean
            distance, for "error" minus the sum of :meth:`feature_scores`. A row's
            score does not depend on the rows beside it.

        Raises
        ------
        NotFittedError
            If the detector was not fitted.
        ValueError
            If X has another width than in `fit`, missing or infinite values.
        """
        return self._scores(self._validated(X))

    def decision_function(self, X):
        """Score above the threshold; below 0 is outlying.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Rows in the units that the detector was fitted on.

        Returns
        -------
        scores : ndarray of shape (n_samples,), float64
            ``score_samples(X) - offset_``.

        Raises
        ------
        NotFittedError, ValueError
            As for :meth:`score_samples`.
        """
        return self.score_samples(X) - self.offset_

    def predict(self, X):
        """Whether rows are normal.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Rows in the units that the detector was fitted on.

        Returns
        -------
        is_normal : ndarray of shape (n_samples,)
            1 for normal rows, -1 for outlying ones.

        Raises
        ------
        NotFittedError, ValueError
            As for :meth:`score_samples`.
        """
        return np.where(self.decision_function(X) < 0, -1, 1)

    def feature_scores(self, X):
        """How much each feature makes a row unusual, by its error.

        The squared error of its reconstruction, in units of the feature's usual error,
        over the number of features; the mean over the autoencoders. For
        ``method="error"`` they add up to minus the score.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Rows in the units that the detector was fitted on.

        Returns
        -------
        scores : ndarray of shape (n_samples, n_features)
            Higher is more unusual.

        Raises
        ------
        NotFittedError, ValueError
            As for :meth:`score_samples`.
        """
        X = self._validated(X)
        squares = [
            np.square(self._anomalies.relative(X - a.reconstruct(X)))
            for a in self.autoencoders_
        ]
        return np.mean(squares, axis=0) / X.shape[1]

    def explain(self, X, n_features=5):
        """The features that make rows unusual, in numbers and in words.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Rows in the units that the detector was fitted on.
        n_features : int, default=5
            How many features to name for each row.

        Returns
        -------
        reasons : DataFrame
            A line for each row and feature, the most unusual first: `row` (its label in
            a DataFrame, or number), `feature`, `observed`, `expected`, `usual_errors`
            (by how many usual errors the one is above the other) and `words`.

        Raises
        ------
        NotFittedError, ValueError
            As for :meth:`score_samples`.
        """
        labels = X.index if isinstance(X, pd.DataFrame) else None
        X = self._validated(X)
        expected = self._expected(X)
        errors = self._anomalies.relative(X - expected)
        names = self.get_feature_names_out()
        lines = []
        for i, row in enumerate(np.argsort(-np.abs(errors), axis=1, kind="stable")):
            for j in row[:n_features]:
                cell = X[i, j], expected[i, j], errors[i, j]
                label = i if labels is None else labels[i]
                lines.append(
                    [label, names[j], *map(float, cell), _words(names[j], *cell)]
                )
        columns = "row", "feature", "observed", "expected", "usual_errors", "words"
        return pd.DataFrame(lines, columns=columns)

    def _validated(self, X, reset=False):
        if not reset:
            check_is_fitted(self)
        return validated(self, X, reset=reset, min_samples=8 if reset else 1)

    def _splitter(self, seed):
        if isinstance(self.cv, Integral):
            return KFold(self.cv, shuffle=True, random_state=seed)
        return check_cv(self.cv)

    def _new_autoencoder(self, n_features, seed):
        if self.autoencoder is None:
            return DenoisingAutoencoderTransformer(
                max(1, round(n_features / 2)), **_DEFAULTS, random_state=seed
            )
        autoencoder = clone(self.autoencoder)
        if autoencoder.get_params().get("random_state", 0) is None:
            autoencoder.set_params(random_state=seed)
        return autoencoder

    def _scores(self, X):
        scores = np.empty(len(X))
        for part in gen_batches(len(X), _CHUNK_ROWS):
            errors = [X[part] - a.reconstruct(X[part]) for a in self.autoencoders_]
            scores[part] = -self._anomalies.scores(X[part], errors)
        return scores

    def reconstruct(self, X):
        """What rows would be like if they were normal.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Rows in the units that the detector was fitted on.

        Returns
        -------
        X_reconstructed : ndarray of shape (n_samples, n_features)
            The mean of what the autoencoders make of them.

        Raises
        ------
        NotFittedError, ValueError
            As for :meth:`score_samples`.
        """
        return self._expected(self._validated(X))

    def _expected(self, X):
        return np.mean([a.reconstruct(X) for a in self.autoencoders_], axis=0)


def _words(name, observed, expected, errors):
    side = "above" if errors > 0 else "below"
    return (
        f"{name} is {observed:.4g}, {abs(errors):.1f} usual errors {side} "
        f"the expected {expected:.4g}"
    )
