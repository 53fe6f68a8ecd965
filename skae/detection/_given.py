"""Which cells are unexpected, given the others of their rows."""

import numpy as np

from skae._utils.checks import array, not_required
from skae._utils.stored import stored

# Rows that are learned from, and directions in which they are told apart.
_MOST_ROWS, _MOST_DIRECTIONS = 1024, 64
# Share of the rows that are left out once, the farthest ones.
_TRIMMED = 0.1
# Least standard deviation of a feature, and of a direction, in standard units.
_LEAST_SCALE, _LEAST_VARIANCE = 0.01, 1e-3


@stored(
    centre=array("f", 1),
    scale=array("f", 1),
    directions=array("f", 2),
    weights=array("f", 1),
    low=not_required(array("f", 1)),
    high=not_required(array("f", 1)),
)
class GivenOthers:
    """What is expected of cells given others, and how unexpected they are.

    By linear regression on the others of their rows. Those of all features at once come
    from the precision matrix [1]_, here of the correlations, shrunk [2]_:
    ``I + V diag(w) V'`` up to a factor, with the leading directions V.

    Parameters
    ----------
    rows : ndarray of shape (n, d)
        In global standard deviations and random order.

    Attributes
    ----------
    low, high : ndarray of shape (d,) or None
        Range of the rows; None in files from before it was kept.

    References
    ----------
    .. [1] Lauritzen, S. L. (1996). Graphical models, chapter 5. Oxford University
       Press.
    .. [2] Ledoit, O., Wolf, M. (2004). A well-conditioned estimator for
       large-dimensional covariance matrices. Journal of Multivariate Analysis 88(2).
       :doi:`10.1016/S0047-259X(03)00096-4`
    """

    low: np.ndarray | None = None
    high: np.ndarray | None = None

    def __init__(self, rows):
        self.low, self.high = rows.min(axis=0), rows.max(axis=0)
        rows = rows[:_MOST_ROWS]
        self._learn(rows)
        # Outlying rows would make each other expected.
        away = (self._standard(rows) * self._pulled(rows)).sum(axis=1)
        self._learn(rows[away <= np.quantile(away, 1 - _TRIMMED)])

    def check(self, n_features):
        """Raise ValueError for arrays, read from a file, that don't fit together."""
        shape = n_features, len(self.weights)
        if self.directions.shape != shape or (self.weights <= -1).any():
            raise ValueError("Its directions are not those of its features.")
        if not len(self.centre) == len(self.scale) == n_features:
            raise ValueError("Its directions are not those of its features.")
        if (self.scale <= 0).any() or (self._diagonal() <= 0).any():
            raise ValueError("Its scales are not possible.")
        bounds = [bound for bound in (self.low, self.high) if bound is not None]
        if [len(bound) for bound in bounds] not in ([], [n_features] * 2):
            raise ValueError("Its range is not one of its features.")

    def __call__(self, rows):
        """Squares (n, d) of what is left of rows (n, d), up to a factor."""
        return np.square(self._pulled(rows)) / self._diagonal()

    def expected(self, rows, groups):
        """What is expected of cells, given those of the features of other groups.

        None of these says more than the farthest that was seen, and no more is
        expected.

        Parameters
        ----------
        rows : ndarray of shape (n, d)
            In global standard deviations.
        groups : ndarray of shape (d,)

        Returns
        -------
        expected : ndarray of shape (n, d)
        usual : ndarray of shape (d,)
            Standard deviations of what is left.
        """
        near = self._in_range(rows)
        left, variances = self._pulled(near), np.empty(rows.shape[1])
        for group in np.unique(groups):
            own = groups == group
            along = self.directions[own]
            own_precision = np.eye(len(along)) + (along * self.weights) @ along.T
            inverse = np.linalg.inv(own_precision)
            left[:, own] = np.einsum("nd,de->ne", left[:, own], inverse)
            variances[own] = np.diag(inverse)
        # Variances along the directions and all others add up to one for each feature.
        others = len(variances) - len(self.weights)
        factor = len(variances) / ((1 / (1 + self.weights)).sum() + others)
        expected = self._in_range(near - left * self.scale)
        return expected, np.sqrt(variances * factor) * self.scale

    def are_beyond(self, rows):
        """Which cells (n, d) are beyond all that was seen."""
        if self.low is None:
            return np.zeros(rows.shape, bool)
        return (rows < self.low) | (rows > self.high)

    def _in_range(self, rows):
        return rows if self.low is None else np.clip(rows, self.low, self.high)

    def _learn(self, rows):
        # Imported here: it slows down `import skae`.
        from sklearn.covariance import ledoit_wolf_shrinkage

        self.centre = rows.mean(axis=0)
        self.scale = np.maximum(rows.std(axis=0), _LEAST_SCALE)
        standard = self._standard(rows)
        shrinkage = ledoit_wolf_shrinkage(standard, assume_centered=True)
        _, sizes, directions = np.linalg.svd(standard, full_matrices=False)
        variances = np.zeros(rows.shape[1])
        variances[: len(sizes)] = np.square(sizes) / len(rows)
        variances = (1 - shrinkage) * variances + shrinkage * variances.mean()
        variances = np.maximum(variances, _LEAST_VARIANCE)
        count = min(len(sizes), _MOST_DIRECTIONS)
        rest = variances[count:].mean() if count < len(variances) else 1.0
        self.directions = directions[:count].T.copy()
        self.weights = rest / variances[:count] - 1

    def _standard(self, rows):
        return (rows - self.centre) / self.scale

    def _pulled(self, rows):
        """Rows (n, d) times the precision."""
        rows = self._standard(rows)
        # Not by products of matrices, which round by how many rows there are.
        along = np.einsum("nd,dk->nk", rows, self.directions) * self.weights
        return rows + np.einsum("nk,dk->nd", along, self.directions)

    def _diagonal(self):
        return 1 + np.square(self.directions) @ self.weights
