"""How unusual rows are: errors, neighbours, isolation, and tails to add them by."""

import numpy as np
from scipy.spatial.distance import cdist
from sklearn.utils import gen_batches

# Rows that a neighbour is looked for among, as an isolation tree has them.
SAMPLE_SIZE = 256
# Of each part; more would cost time and memory, and change little.
_MOST_REFERENCES = 1024
# Rows that are compared with all references at once.
_CHUNK_ROWS = 1024
# In the forest of each part.
_TREES = 50
_TRIMMED = 0.1
# Least usual error, in global standard deviations: features that are reconstructed to
# the last digit would drown all others.
_LEAST_ERROR = 0.01


def usual_errors(residuals):
    """Usual size (d,) of each feature's residuals (n, d), whatever a few of them are.

    Residuals and the result are in global standard deviations of the data.

    The root of the mean of the squares without the largest tenth, as a standard
    deviation: for normal residuals it is theirs.
    """
    n = len(residuals)
    kept = np.sort(np.square(residuals), axis=0)[: int(np.ceil((1 - _TRIMMED) * n))]
    # What is left of a normal distribution without its outer tenth has 0.62 of its
    # variance.
    return np.maximum(np.sqrt(kept.mean(axis=0) / 0.62), _LEAST_ERROR)


class Neighbours:
    """Mean distance to the nearest of so many rows drawn from the references.

    The mean over all draws in closed form: a sum over all references, the j-th nearest
    weighed by the probability that it is the nearest of those drawn. The number of
    references then doesn't matter, only their distribution, and one outlying reference
    hides another only as often as it is drawn [1]_.

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
        self.weights = _nearest_probabilities(len(references), SAMPLE_SIZE)

    def distances(self, rows):
        """Mean distance (n,) of rows (n, d); no row is a reference for itself.

        That is, one reference that equals it is left out.
        """
        rows = rows.astype(self.references.dtype)
        squared = cdist(rows, self.references, "sqeuclidean")  # (n, m)
        nearest = squared.argmin(axis=1)
        same = np.flatnonzero(squared.min(axis=1) == 0)
        squared[same, nearest[same]] = np.inf
        count = min(len(self.weights), squared.shape[1] - 1)
        squared = np.partition(squared, count - 1, axis=1)[:, :count]
        weights = self.weights[:count] / self.weights[:count].sum()
        return (np.sqrt(np.sort(squared, axis=1)) * weights).sum(axis=1)


def _nearest_probabilities(n, drawn):
    """Probability that the j-th nearest of n is the nearest of so many drawn ones.

    Without the last ones, that together are less than one in a million.
    """
    drawn = min(n, drawn)
    # All nearer ones are left out, and this one is not.
    j = np.arange(n)
    left_out = np.cumprod(np.r_[1.0, 1 - drawn / (n - j[:-1])].clip(0))
    weights = left_out * np.minimum(drawn / (n - j), 1)
    count = int(np.searchsorted(np.cumsum(weights), 1 - 1e-6)) + 1
    return weights[:count] / weights[:count].sum()


def surprise(values, usual):
    """Minus the logarithm of how often usual values are as large.

    Parameters
    ----------
    values : ndarray of shape (n,)
    usual : ndarray of shape (m,)
        Sorted.

    Returns
    -------
    surprise : ndarray of shape (n,)
        In nats, up to log(m + 1).
    """
    as_large = len(usual) - np.searchsorted(usual, values, side="left")
    return -np.log((1 + as_large) / (1 + len(usual)))


class Errors:
    """Mean over the features of the squared errors."""

    def __init__(self, rows, errors, seed):
        pass

    def of(self, rows, errors):
        return np.square(errors).mean(axis=1)


class Isolation:
    """How few random cuts tell a row from the others: an isolation forest [1]_.

    References
    ----------
    .. [1] Liu, F. T., Ting, K. M., Zhou, Z.-H. (2008). Isolation forest. ICDM.
       :doi:`10.1109/ICDM.2008.17`
    """

    def __init__(self, rows, errors, seed):
        # Its import would be felt in that of the package.
        from sklearn.ensemble import IsolationForest

        size = min(SAMPLE_SIZE, len(rows))
        forest = IsolationForest(
            n_estimators=_TREES, max_samples=size, random_state=seed
        )
        self.forest = forest.fit(rows)

    def of(self, rows, errors):
        return -self.forest.score_samples(rows)


class NeighboursOfRows(Neighbours):
    """Distance to the nearest rows."""

    def __init__(self, rows, errors, seed):
        super().__init__(rows[:_MOST_REFERENCES].astype(np.float32))

    def of(self, rows, errors):
        return self.distances(rows)


class NeighboursOfBoth(Neighbours):
    """Distance to the nearest rows, in rows and in their errors together."""

    def __init__(self, rows, errors, seed):
        both = np.c_[rows, errors][:_MOST_REFERENCES]
        super().__init__(both.astype(np.float32))

    def of(self, rows, errors):
        return self.distances(np.c_[rows, errors])


# What each score is made of; of several, the surprises are added.
SCORES = {
    "combined": (Isolation, NeighboursOfRows, NeighboursOfBoth),
    "neighbors": (NeighboursOfBoth,),
    "error": (Errors,),
}


class Anomalies:
    """How unusual rows are, among rows that autoencoders had not seen.

    Rows come in parts, each with the errors of an autoencoder that was fitted without
    it. A row is compared with each part, by the errors that the part's autoencoder
    makes with it, and the results are averaged; rows of a part with that part alone,
    but without themselves.

    Parameters
    ----------
    kinds : sequence of classes
        What the score is made of.
    scaling : Scaling
        Of the rows.
    """

    def __init__(self, kinds, scaling):
        self.kinds = kinds
        self.scaling = scaling

    def fit(self, parts, seed):
        """Learn from rows held out.

        Parameters
        ----------
        parts : sequence of (X, errors) of shape (n_rows, d) each
            In the units of the data, in random order.
        seed : int

        Returns
        -------
        scores : ndarray of shape (n_samples,)
            Of all rows.
        """
        errors = np.concatenate([errors for _, errors in parts])
        self.usual_errors = (
            usual_errors(errors / self.scaling.scale) * self.scaling.scale
        )
        self.pieces, values = [], []
        for X, errors in parts:
            rows, errors = self._rows(X), self.relative(errors)
            pieces = [kind(rows, errors, seed) for kind in self.kinds]
            values.append(_values(pieces, rows, errors))
            self.pieces.append(pieces)
        values = np.concatenate(values)
        self.usual_values = np.sort(values, axis=0)
        return self._added(values)

    def scores(self, X, errors):
        """How unusual rows are; higher is more unusual.

        Parameters
        ----------
        X : ndarray of shape (n, d)
        errors : sequence of ndarrays of shape (n, d)
            Those that the autoencoder of each part makes.

        Returns
        -------
        scores : ndarray of shape (n,)
        """
        rows = self._rows(X)
        pairs = zip(self.pieces, errors, strict=True)
        values = [_values(pieces, rows, self.relative(e)) for pieces, e in pairs]
        return self._added(np.mean(values, axis=0))

    def relative(self, errors):
        """Errors (n, d) in units of each feature's usual one."""
        return errors / self.usual_errors

    def _rows(self, X):
        return self.scaling.standardise(X)

    def _added(self, values):
        """One score (n,) of several values (n, p): the sum of their surprises."""
        if values.shape[1] == 1:
            return values[:, 0]
        pairs = zip(values.T, self.usual_values.T, strict=True)
        return sum(surprise(of_rows, usual) for of_rows, usual in pairs)


def _values(pieces, rows, errors):
    """What each of p pieces says of rows and their errors: (n, p)."""
    values = np.empty((len(rows), len(pieces)))
    for part in gen_batches(len(rows), _CHUNK_ROWS):
        for j, piece in enumerate(pieces):
            values[part, j] = piece.of(rows[part], errors[part])
    return values
