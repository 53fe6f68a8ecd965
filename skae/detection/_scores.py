"""How unusual rows are: by errors, by distances to other rows, by random cuts."""

import numpy as np
from scipy.special import ndtri

from skae._utils.checks import array, count, instance, not_required, positive
from skae._utils.stored import stored, stored_base
from skae.detection._neighbors import SAME, Neighbors

# Sample size of an isolation tree.
_SAMPLE_SIZE = 256
# Reference rows kept of each fold: more cost time and memory, and change little.
_MOST_REFERENCES = 1024
# Trees in the isolation forest of each fold.
_TREES = 50
# Share of the largest squared errors that a usual error leaves out.
_TRIMMED = 0.1
# Least usual error, in global standard deviations: features that are reconstructed to
# the last digit would drown all others.
_LEAST_ERROR = 0.01
# Squared errors, in units of usual ones, that are no more than rounding.
ROUNDING = (SAME / _LEAST_ERROR) ** 2


def usual_errors(errors):
    """Usual size of each feature's errors, whatever a few of them are.

    The root of the mean of the squares without the largest tenth, as a standard
    deviation: for normal errors it is theirs.

    Parameters
    ----------
    errors : ndarray of shape (n, d)
        In global standard deviations of the data; NaN are left out.

    Returns
    -------
    usual : ndarray of shape (d,)
        In the same units; 1 where there are none.
    """
    missing = np.isnan(errors)
    if missing.any():
        known = [
            column[~gaps] for column, gaps in zip(errors.T, missing.T, strict=True)
        ]
        usual = [usual_errors(e[:, None])[0] if len(e) else 1.0 for e in known]
        return np.array(usual)
    n_kept = int(np.ceil((1 - _TRIMMED) * len(errors)))
    kept = np.sort(np.square(errors), axis=0)[:n_kept]
    variance = kept.mean(axis=0) / _trimmed_variance(_TRIMMED)
    return np.maximum(np.sqrt(variance), _LEAST_ERROR)


def _trimmed_variance(share):
    """Variance of a standard normal distribution without its outermost share."""
    edge = ndtri(1 - share / 2)
    density = np.exp(-(edge**2) / 2) / np.sqrt(2 * np.pi)
    return 1 - 2 * edge * density / (1 - share)


def surprisal(scores, usual):
    """Surprisal: minus the log of the share of usual scores at least as large.

    Parameters
    ----------
    scores : ndarray of shape (n,)
    usual : ndarray of shape (m,)
        Sorted.

    Returns
    -------
    surprisal : ndarray of shape (n,)
        In nats, up to log(m + 1).
    """
    as_large = len(usual) - np.searchsorted(usual, scores, side="left")
    return -np.log((1 + as_large) / (1 + len(usual)))


@stored_base()
class Score:
    """One answer to how unusual a row is; not to be instantiated."""

    # Whether `parts` tells what single features add.
    can_be_divided = False

    def fit(self, rows, errors, seed):
        """Learn from rows that an autoencoder has not seen.

        Parameters
        ----------
        rows : ndarray of shape (n, d)
            In global standard deviations and random order.
        errors : ndarray of shape (n, d)
            Of their reconstructions, in units of each feature's usual one. NaN where
            cells were missing, which are filled in the rows.
        seed : int

        Returns
        -------
        self : Score
        """
        return self

    def check(self, n_features):
        """Raise ValueError for arrays, read from a file, that don't fit together."""

    def of(self, rows, errors):
        """Scores (n,) of rows (n, d) and errors (n, d); higher is more unusual."""
        raise NotImplementedError

    def parts(self, rows, errors):
        """What features (n, d) make of the score: the shares by which it is divided."""
        raise NotImplementedError


@stored()
class MeanSquaredError(Score):
    """Mean over the features of the squared errors."""

    can_be_divided = True

    def of(self, rows, errors):
        return self.parts(rows, errors).mean(axis=1)

    def parts(self, rows, errors):
        return np.square(np.nan_to_num(errors))


@stored()
class LogErrors(Score):
    """Mean over the features of the surprise at their errors, however large these are.

    Of a cell it is the logarithm of one plus the squared error: up to a constant, minus
    the log likelihood of Cauchy's distribution. A few cells that are far off do not
    drown all others, as in a mean of squares.
    """

    can_be_divided = True

    def of(self, rows, errors):
        squares = self.parts(rows, errors)
        return np.log1p(np.where(squares > ROUNDING, squares, 0.0)).mean(axis=1)

    def parts(self, rows, errors):
        return np.square(np.nan_to_num(errors))


@stored(
    feature=array("i", 2),
    threshold=array("f", 2),
    left=array("i", 2),
    right=array("i", 2),
    length=array("f", 2),
    depth=lambda value: count(value) and value <= _SAMPLE_SIZE,
    normalizer=positive,
    usual=not_required(array("i", 2)),
)
class Isolation(Score):
    """How few random cuts tell a row from the others: an isolation forest [1]_.

    Missing cells are on the side of each cut that most rows are on.

    Attributes
    ----------
    usual : ndarray of shape (n_trees, n_nodes) or None
        The child that most rows went to; None in files from before it was kept, by
        which missing cells are as they were filled.

    References
    ----------
    .. [1] Liu, F. T., Ting, K. M., Zhou, Z.-H. (2008). Isolation forest. ICDM.
       :doi:`10.1109/ICDM.2008.17`
    """

    usual: np.ndarray | None = None

    def fit(self, rows, errors, seed):
        # Imported here: it slows down `import skae`.
        from sklearn.ensemble import IsolationForest

        size = min(_SAMPLE_SIZE, len(rows))
        forest = IsolationForest(
            n_estimators=_TREES, max_samples=size, random_state=seed
        )
        trees = [estimator.tree_ for estimator in forest.fit(rows).estimators_]
        shape = len(trees), max(tree.node_count for tree in trees)
        self.feature = np.zeros(shape, np.int64)
        self.threshold = np.zeros(shape)
        # Leaves are their own children, so that all walks are of one length.
        self.left = np.tile(np.arange(shape[1]), (shape[0], 1))
        self.right, self.usual = self.left.copy(), self.left.copy()
        self.length = np.zeros(shape)
        for k, tree in enumerate(trees):
            inner = np.flatnonzero(tree.children_left >= 0)
            leaves = np.flatnonzero(tree.children_left < 0)
            self.feature[k, inner] = tree.feature[inner]
            self.threshold[k, inner] = tree.threshold[inner]
            self.left[k, inner] = tree.children_left[inner]
            self.right[k, inner] = tree.children_right[inner]
            sides = np.c_[self.left[k, inner], self.right[k, inner]]
            most = tree.n_node_samples[sides].argmax(axis=1)
            self.usual[k, inner] = sides[np.arange(len(inner)), most]
            depths = tree.compute_node_depths()[leaves] - 1.0
            left_over = _mean_depth(tree.n_node_samples[leaves])
            self.length[k, leaves] = depths + left_over
        self.depth = max(tree.max_depth for tree in trees)
        self.normalizer = len(trees) * float(_mean_depth(np.array([size]))[0])
        return self

    def of(self, rows, errors):
        cells = rows.astype(np.float32).ravel()  # as trees read them
        missing = np.isnan(errors).ravel()
        has_holes = self.usual is not None and missing.any()
        row = np.arange(len(rows))[:, None] * rows.shape[1]
        tree = np.arange(len(self.feature)) * self.feature.shape[1]
        node = np.zeros((len(rows), len(tree)), np.int64)
        for _ in range(self.depth):
            at = node + tree
            cell = row + self.feature.take(at)
            is_left = cells.take(cell) <= self.threshold.take(at)
            node = np.where(is_left, self.left.take(at), self.right.take(at))
            if has_holes:
                node = np.where(missing.take(cell), self.usual.take(at), node)
        lengths = self.length.take(node + tree).sum(axis=1)
        return 2 ** -(lengths / self.normalizer)

    def check(self, n_features):
        shape = self.feature.shape
        usual = self.left if self.usual is None else self.usual
        arrays = self.threshold, self.left, self.right, self.length, usual
        if 0 in shape or any(values.shape != shape for values in arrays):
            raise ValueError("Its trees are not of one size.")
        for numbers, end in (
            (self.feature, n_features),
            (self.left, shape[1]),
            (self.right, shape[1]),
            (usual, shape[1]),
        ):
            if numbers.min() < 0 or numbers.max() >= end:
                raise ValueError("Its trees lead to what is not there.")


def _mean_depth(counts):
    """Mean depth of a leaf in trees of so many rows, cut until each is alone.

    Equation 1 of Liu et al.
    """
    counts = counts.astype(float)
    many = np.maximum(counts, 3)
    harmonic = np.log(many - 1.0) + np.euler_gamma
    of_many = 2.0 * harmonic - 2.0 * (many - 1.0) / many
    return np.select([counts <= 1, counts == 2], [0.0, 1.0], of_many)


@stored(neighbors=instance(Neighbors))
class RowDistance(Score):
    """Distance to the nearest rows, in the cells that are not missing."""

    can_be_divided = True

    def fit(self, rows, errors, seed):
        self.neighbors = Neighbors(rows[:_MOST_REFERENCES].astype(np.float32))
        return self

    def check(self, n_features):
        self.neighbors.check(n_features)

    def of(self, rows, errors):
        return self.neighbors.distances(_known(rows, errors), rows.shape[1])

    def parts(self, rows, errors):
        return self.neighbors.falls(_known(rows, errors), rows.shape[1])


@stored(neighbors=instance(Neighbors))
class JointDistance(Score):
    """Distance to the nearest rows, in rows and in their errors together."""

    can_be_divided = True

    def fit(self, rows, errors, seed):
        both = np.c_[rows, np.nan_to_num(errors)][:_MOST_REFERENCES]
        self.neighbors = Neighbors(both.astype(np.float32))
        return self

    def check(self, n_features):
        self.neighbors.check(2 * n_features)

    def of(self, rows, errors):
        both = np.c_[_known(rows, errors), errors]
        return self.neighbors.distances(both, rows.shape[1])

    def parts(self, rows, errors):
        return self.neighbors.falls(np.c_[_known(rows, errors), errors], rows.shape[1])


def _known(rows, errors):
    """Rows (n, d), with NaN for cells that were missing, which have no errors."""
    return np.where(np.isnan(errors), np.nan, rows)


# Scores by method; of several, the norm of the surprisals is taken.
SCORES = {
    "combined": (Isolation, RowDistance, JointDistance, LogErrors),
    "neighbors": (JointDistance,),
    "error": (MeanSquaredError,),
}
