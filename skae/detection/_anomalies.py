"""How unusual rows are, next to rows that autoencoders had not seen."""

import numpy as np
from sklearn.utils import gen_batches

from skae.detection._scores import surprisal, usual_errors

# Rows that are compared with all references at once.
_CHUNK_ROWS = 1024
# Standard deviations beyond which rows are all equally far away: squares of more
# would overflow.
_REACH = 1e12


def within_reach(X, scaling):
    """Rows (n, d) in double precision, none farther away than can be computed with.

    Parameters
    ----------
    X : ndarray of shape (n, d)
    scaling : Scaling
        Of the rows that they are compared with.

    Returns
    -------
    X : ndarray of shape (n, d), float64
    """
    reach = _REACH * scaling.scale
    return np.clip(X, scaling.shift - reach, scaling.shift + reach)


class Anomalies:
    """How unusual rows are, by one or several scores.

    Rows come in folds, each with the errors of an autoencoder that was fitted without
    it. A row is compared with each fold, by the errors that the fold's autoencoder
    makes with it, and the results are averaged; rows of a fold with that fold alone,
    but without themselves.

    Parameters
    ----------
    score_classes : sequence of classes
        Subclasses of Score.
    scaling : Scaling
        Of the rows.
    """

    def __init__(self, score_classes, scaling):
        self.score_classes = score_classes
        self.scaling = scaling

    def fit(self, folds, seed):
        """Learn from rows held out.

        Parameters
        ----------
        folds : sequence of (X, errors) of shape (n_rows, d) each
            In the units of the data, in random order.
        seed : int

        Returns
        -------
        scores : ndarray of shape (n_samples,)
            Of all rows, fold by fold.
        """
        scale = self.scaling.scale
        errors = np.concatenate([errors for _, errors in folds])
        self.usual_errors = usual_errors(errors / scale) * scale
        self.fitted_scores, held_out = [], []
        for X, errors in folds:
            rows, errors = self.scaling.standardise(X), self.relative(errors)
            fitted = [cls().fit(rows, errors, seed) for cls in self.score_classes]
            self.fitted_scores.append(fitted)
            held_out.append(_scores_of(fitted, rows, errors))
        held_out = np.concatenate(held_out)
        self.usual_scores = np.sort(held_out, axis=0)
        return self._combined(held_out)

    def scores(self, X, errors):
        """How unusual rows are; higher is more unusual.

        Parameters
        ----------
        X : ndarray of shape (n, d)
        errors : sequence of ndarrays of shape (n, d)
            Those that the autoencoder of each fold makes.

        Returns
        -------
        scores : ndarray of shape (n,)
        """
        rows = self.scaling.standardise(X)
        of_folds = [
            _scores_of(fitted, rows, self.relative(of_fold))
            for fitted, of_fold in zip(self.fitted_scores, errors, strict=True)
        ]
        return self._combined(np.mean(of_folds, axis=0))

    def relative(self, errors):
        """Errors (n, d) in units of each feature's usual one."""
        return errors / self.usual_errors

    def _combined(self, scores):
        """One score (n,) out of n_scores (n, n_scores): the sum of the surprisals."""
        if scores.shape[1] == 1:
            return scores[:, 0]
        pairs = zip(scores.T, self.usual_scores.T, strict=True)
        return sum(surprisal(of_rows, usual) for of_rows, usual in pairs)


def _scores_of(fitted, rows, errors):
    """What each fitted score says of rows and their errors: (n, n_scores)."""
    scores = np.empty((len(rows), len(fitted)))
    for chunk in gen_batches(len(rows), _CHUNK_ROWS):
        for j, score in enumerate(fitted):
            scores[chunk, j] = score.of(rows[chunk], errors[chunk])
    return scores
