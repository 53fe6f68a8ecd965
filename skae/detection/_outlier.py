"""The outlier detector: rows that are not like the others, and what makes them so."""

from functools import partial
from numbers import Integral, Real
from typing import TYPE_CHECKING

import numpy as np
from sklearn.base import BaseEstimator, OneToOneFeatureMixin, OutlierMixin
from sklearn.utils.validation import check_is_fitted

from skae._files.saving import Saving
from skae._onnx.hooks import OnnxConvertible
from skae._onnx.modules import Part
from skae._sources.by_blocks import by_blocks
from skae._sources.door import limit_of
from skae._tables.choice import categories
from skae._utils.checks import OF_ROWS, check_names, instance, number, partly_known
from skae._utils.compat import HasMethods, Interval, StrOptions, fit_context
from skae._utils.random import new_seed
from skae._utils.stored import stored
from skae._utils.twin import all_or_nothing
from skae.detection._default import new_autoencoder
from skae.detection._explaining import Explaining
from skae.detection._folds import FoldModels, splits
from skae.detection._onnx import Detector
from skae.detection._scores import SCORES
from skae.detection._tables import TableModels
from skae.detection._threshold import threshold
from skae.reports._reporting import Reporting

if TYPE_CHECKING:
    from typing import Self

# Fewest rows to fit to.
_LEAST_ROWS = 8


@stored(
    prefixes={"_models": "autoencoder__"},
    **OF_ROWS,
    _models=instance(FoldModels, TableModels),
    held_out_scores_=partly_known,
    offset_=number,
)
class AutoencoderOutlierDetector(
    Explaining,
    OnnxConvertible,
    OneToOneFeatureMixin,
    OutlierMixin,
    Saving,
    Reporting,
    BaseEstimator,
):
    """Finds rows that are not like the others, and the features that make them so.

    An autoencoder learns what rows are like. A row is scored by its reconstruction
    error and by its distance to other rows. Fitted to normal rows it is a detector of
    novelties; fitted to rows of which a few are not normal, of outliers. Scale features
    of different units first, by :class:`~sklearn.preprocessing.StandardScaler`.

    Tables with categories or dates are read as they are: each column is expected from
    the others of its row, and a cell is scored by how many times less likely it is
    there than in general. Cells may be missing, in tables and in arrays; of what is
    missing nothing is unusual.

    Parameters
    ----------
    autoencoder : estimator, default=None
        Any transformer of this package, such as
        :class:`skae.VariationalAutoencoderTransformer`. None is a small denoising one.
        Its `memory_limit` holds where there is none beside it.
    method : {"combined", "neighbors", "error"}, default="combined"
        What rows are scored by. "error" is the mean over the features of the squared
        error, each in units of that feature's usual error. "neighbors" is the distance
        to the nearest of 256 rows, the mean over all draws of them, in rows and their
        errors together [1]_. "combined" is how rare four answers are: such distances,
        this one and that of the rows alone; the errors, by the mean over the features
        of the logarithm of one plus their squares; and how soon random cuts isolate the
        row. Each is turned into surprisal, minus the logarithm of the share of rows
        held out that are as unusual, and of the surprisals the norm of power 4 is
        taken: about the largest, and more where others agree.
        Of tables with categories or dates, "combined" is how rare the sum of what
        :meth:`feature_scores` returns is, or its largest, whichever is rarer; "error"
        is the mean loss of the columns, which are all seen; "neighbors" is the distance
        in encoded rows and their errors.
    contamination : "auto" or float in (0, 0.5], default="auto"
        Share of the training rows that are outliers. "auto" sets the threshold by
        `alpha` instead.
    alpha : float in (0, 1), default=0.01
        False-alarm rate: share of normal rows that are to be found outlying, estimated
        on rows held out [2]_. Only used with ``contamination="auto"``.
    cv : int, cross-validation generator or iterable, default=2
        How rows are held out: in so many folds, in turn, each of which an autoencoder
        is fitted without. Usual errors, usual scores and the threshold are those of
        rows held out. An int shuffles the rows, as ``KFold(cv, shuffle=True)`` does.
        For a series cut into windows, which overlap, ``KFold(2)`` holds out whole
        stretches of time. Splitters that need y or groups are refused.
    categorical_features : "from_dtype", array-like of str, int or bool, or None, \
            default="from_dtype"
        Which columns are categories: names, positions or a mask. "from_dtype" is what
        the autoencoder says, whose own default takes a DataFrame's columns of
        categories, text and truth values. Anything else goes before what it says.
    memory_limit : int, default=None
        Bytes of rows that are held in memory at once, about, where X is not in memory;
        see :doc:`/scale`. Half as many are read whole.
    random_state : int, RandomState instance or None, default=None
        Determines the folds, and all that is random about the score and about the
        autoencoder, if that has no `random_state` of its own.

    Attributes
    ----------
    autoencoders_ : list of estimators
        Each fitted to all rows but those of a fold; what they reconstruct is averaged.
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
    skae.detection.WindowedDetector : For series of readings.
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
    >>> int(detector.feature_scores(X_new).argmax(axis=1)[1])
    0
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
        "categorical_features": ["array-like", StrOptions({"from_dtype"}), None],
        "memory_limit": [Interval(Integral, 1, None, closed="left"), None],
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
        categorical_features="from_dtype",
        memory_limit=None,
        random_state=None,
    ):
        self.autoencoder = autoencoder
        self.method = method
        self.contamination = contamination
        self.alpha = alpha
        self.cv = cv
        self.categorical_features = categorical_features
        self.memory_limit = memory_limit
        self.random_state = random_state

    @fit_context(prefer_skip_nested_validation=False)
    def fit(self, X, y=None) -> "Self":
        """Learn what rows are like, and set the threshold.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            At least eight rows, most of them normal. NaN, None and pd.NA stand for
            missing cells. A DataFrame of pandas or polars may have categories and dates
            beside numbers. All rows may be more than memory: see :doc:`/scale`. Usual
            errors, other rows to be near to and cuts are then those of a sample, of up
            to 16,384 rows that each fold holds out; the threshold is that of all.
        y : object
            Ignored.

        Returns
        -------
        self : object

        Raises
        ------
        ValueError
            If X is not what the parameters need. An earlier fit is kept.
        TypeError
            If X has categories or dates, or is read in blocks, and the autoencoder is
            none of this package's.
        """
        with all_or_nothing(self) as twin:
            chosen = categories(twin.categorical_features, twin.autoencoder)
            limit = limit_of(twin)
            rows = twin._rows_to_fit(X, chosen, limit, _LEAST_ROWS)
            seed, is_table = new_seed(twin.random_state), twin._columns is not None
            width = None if is_table else twin.n_features_in_
            params = {"categorical_features": chosen, "memory_limit": limit}
            new = partial(new_autoencoder, twin.autoencoder, width, seed, **params)
            folds = splits(twin.cv, rows.index, seed)
            models = TableModels() if is_table else FoldModels()
            twin.held_out_scores_ = -models.fit(rows, folds, new, twin.method, seed)
            twin._models = models
            if twin.contamination == "auto":
                twin.offset_ = twin.threshold(twin.alpha)
            else:
                scores = -rows.made(models.scores)
                twin.offset_ = float(np.percentile(scores, 100 * twin.contamination))
        return self

    @property
    def autoencoders_(self):
        """The fitted autoencoders, one for each fold."""
        check_is_fitted(self)
        return self._models.autoencoders

    def threshold(self, alpha) -> float:
        """Score that normal rows fall below at a given rate.

        A new row that is like those held out does so with this probability.

        Parameters
        ----------
        alpha : float in (0, 1)
            False-alarm rate.

        Returns
        -------
        threshold : float
            For scores of :meth:`score_samples`. With fewer than 1 / alpha - 1 rows
            held out it is just below the lowest of their scores: false alarms are
            then more frequent than requested.

        Warns
        -----
        UserWarning
            If not even a tenth of so many rows are held out.
        """
        check_is_fitted(self)
        return threshold(self.held_out_scores_, alpha)

    @by_blocks
    def score_samples(self, X) -> np.ndarray:
        """How normal rows are; higher is more normal.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Rows in the units that the detector was fitted on.

        Returns
        -------
        scores : ndarray of shape (n_samples,), float64
            For "combined" minus the nats of surprisal, for "neighbors" minus the mean
            distance, for "error" minus the mean squared error; of arrays, always minus
            the sum of :meth:`feature_scores`. Beyond all rows held out surprisals grow
            on with what they are of. A row's score does not depend on the rows beside
            it. Beyond 1e12 standard deviations, all rows are equally far away. For
            tables, results of the autoencoders are combined so that the most unusual
            ones count most.
        """
        X = self._applied(X)
        return 0.0 - self._models.scores(X)  # no minus zero

    @by_blocks
    def decision_function(self, X) -> np.ndarray:
        """Score above the threshold; below 0 is outlying.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Rows in the units that the detector was fitted on.

        Returns
        -------
        scores : ndarray of shape (n_samples,), float64
            ``score_samples(X) - offset_``.
        """
        return self.score_samples(X) - self.offset_

    @by_blocks
    def predict(self, X) -> np.ndarray:
        """Whether rows are normal.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Rows in the units that the detector was fitted on.

        Returns
        -------
        is_normal : ndarray of shape (n_samples,)
            1 for normal rows, -1 for outlying ones.
        """
        return np.where(self.decision_function(X) < 0, -1, 1)

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = True
        return tags

    def _onnx_parts(self):
        if self._columns is not None:
            raise TypeError(
                "The detector was fitted to a table with categories or dates, which "
                "graphs of ONNX can't read: save it by save() and load it by "
                "skae.load(), or fit it to encoded columns of numbers."
            )
        reads = self.n_features_in_, "X", ("scores", "label")
        return {"score": Part(lambda: Detector(self), *reads)}

    def _check_loaded(self):
        """Raise ValueError if what was read from a file doesn't fit together."""
        if hasattr(self, "_models"):
            self._models.check(self.n_features_in_, self._columns)
            check_names(self)
