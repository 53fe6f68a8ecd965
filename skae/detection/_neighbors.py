"""Distances to the nearest of rows that are drawn as references."""

import numpy as np
from scipy.spatial.distance import cdist

from skae._utils.checks import array
from skae._utils.stored import stored

# Reference rows drawn per score.
_SAMPLE_SIZE = 256
# Share of a row's size that is rounding, as where it was float32 for a while.
SAME = 1e-6


@stored(references=array("f", 2), weights=array("f", 1))
class Neighbors:
    """Mean distance to the nearest of so many rows drawn from the references.

    The mean over all draws in closed form: a sum over all references, the j-th nearest
    weighed by the probability that it is the nearest of those drawn. The number of
    references then doesn't matter, only their distribution, and one outlying reference
    hides another only as often as it is drawn [1]_. Cells that are NaN are as in each
    reference.

    Parameters
    ----------
    references : ndarray of shape (m, d)

    References
    ----------
    .. [1] Sugiyama, M., Borgwardt, K. M. (2013). Rapid distance-based outlier
       detection via sampling. NeurIPS 26.
       https://papers.nips.cc/paper/5127-rapid-distance-based-outlier-detection-via-sampling
    """

    def __init__(self, references):
        self.references = references
        self.weights = _nearest_probabilities(len(references), _SAMPLE_SIZE)

    def check(self, n_columns):
        """Raise ValueError for arrays, read from a file, that don't fit together."""
        n, width = self.references.shape
        if n < 2 or width != n_columns or not 0 < len(self.weights) <= n:
            raise ValueError("Its references are not possible.")
        if (self.weights < 0).any() or not self.weights[0] > 0:
            raise ValueError("Its weights are not possible.")

    def distances(self, rows, n_own):
        """Mean distance (n,) of rows (n, d); no row is a reference for itself.

        That is, the nearest one is left out if it equals the row but for rounding.

        Parameters
        ----------
        rows : ndarray of shape (n, d)
        n_own : int
            Columns that tell whether it does, the first ones.
        """
        squared = self._squared(rows, n_own)
        count = min(len(self.weights), squared.shape[1] - 1)
        squared = np.partition(squared, count - 1, axis=1)[:, :count]
        weights = self.weights[:count] / self.weights[:count].sum()
        return (np.sqrt(np.sort(squared, axis=1)) * weights).sum(axis=1)

    def falls(self, rows, n_own):
        """How much nearer the nearest reference is without each feature: (n, n_own).

        In squared distances; 0 where it is no nearer.

        Parameters
        ----------
        rows : ndarray of shape (n, d)
            Features come in turn, once or several times.
        n_own : int
            How many there are.
        """
        squared = self._squared(rows, n_own)
        nearest, falls = squared.min(axis=1), np.empty((len(rows), n_own))
        for j in range(n_own):
            columns = rows[:, j::n_own], self.references[:, j::n_own]
            alone = np.nan_to_num(cdist(*columns, "sqeuclidean"))
            without = (squared - alone).min(axis=1)
            falls[:, j] = nearest - np.maximum(without, 0.0)
        return np.maximum(falls, 0.0)

    def _squared(self, rows, n_own):
        """Squared distances (n, m) to references, infinite to the row itself."""
        rows = rows.astype(self.references.dtype)
        squared = self._to_all(rows)
        nearest = squared.argmin(axis=1)
        own = rows[:, :n_own].astype(np.float64)
        apart = np.nan_to_num(own - self.references[nearest, :n_own])
        apart = np.square(apart).mean(axis=1)
        size = 1 + np.square(np.nan_to_num(own)).mean(axis=1)
        same = np.flatnonzero(apart <= SAME**2 * size)
        squared[same, nearest[same]] = np.inf
        return squared

    def _to_all(self, rows):
        """Squared distances (n, m) to all references, in the cells that are known."""
        missing = np.isnan(rows)
        if not missing.any():
            return cdist(rows, self.references, "sqeuclidean")
        squared = np.zeros((len(rows), len(self.references)))
        patterns, which = np.unique(missing, axis=0, return_inverse=True)
        for k, pattern in enumerate(patterns):
            if not pattern.all():
                alike = which.ravel() == k
                columns = rows[alike][:, ~pattern], self.references[:, ~pattern]
                squared[alike] = cdist(*columns, "sqeuclidean")
        return squared


def _nearest_probabilities(n, n_drawn):
    """Probability that the j-th nearest of n rows is the nearest of those drawn.

    Without the last ones, that together are less than one in a million.
    """
    n_drawn = min(n, n_drawn)
    # All nearer ones are left out, and this one is not.
    j = np.arange(n)
    left_out = np.cumprod(np.r_[1.0, 1 - n_drawn / (n - j[:-1])].clip(0))
    weights = left_out * np.minimum(n_drawn / (n - j), 1)
    count = int(np.searchsorted(np.cumsum(weights), 1 - 1e-6)) + 1
    return weights[:count] / weights[:count].sum()
