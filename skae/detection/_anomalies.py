"""How unusual rows are, next to rows that autoencoders had not seen."""

import numpy as np
from sklearn.utils import gen_batches

from skae._utils.checks import array, instance, list_of
from skae._utils.scaling import Scaling
from skae._utils.stored import stored
from skae.detection._scores import Score, surprisal, usual_errors

# Rows that are compared with all references at once.
_CHUNK_ROWS = 1024
# Standard deviations beyond which rows are all equally far away: squares of more
# would overflow.
REACH = 1e12


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
    reach = REACH * scaling.scale
    return np.clip(X, scaling.shift - reach, scaling.shift + reach)


@stored(
    scaling=instance(Scaling),
    usual_errors=array("f", 1),
    fitted_scores=list_of(list_of(instance(Score))),
    usual_scores=array("f", 2),
)
class Anomalies:
    """How unusual rows are, by one or several scores.

    Rows come in folds, each with the errors of an autoencoder that was fitted without
    it. A row is compared with each fold, by the errors that the fold's autoencoder
    makes with it, and the results are averaged; rows of a fold with that fold alone,
    but without themselves.

    Parameters
    ----------
    scaling : Scaling
        Of the rows.
    """

    def __init__(self, scaling):
        self.scaling = scaling

    def fit(self, score_classes, folds, seed):
        """Learn from rows held out.

        Parameters
        ----------
        score_classes : sequence of classes
            Subclasses of Score.
        folds : sequence of (X, errors) of shape (n_rows, d) each
            In the units of the data, in random order. Missing cells of rows are filled,
            and have the error NaN.
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
            fitted = [cls().fit(rows, errors, seed) for cls in score_classes]
            self.fitted_scores.append(fitted)
            held_out.append(_scores_of(fitted, rows, errors))
        held_out = np.concatenate(held_out)
        self.usual_scores = np.sort(held_out, axis=0)
        return self._combined(held_out)

    def check(self, n_features, n_folds):
        """Raise ValueError for parts, read from a file, that don't fit together."""
        widths = len(self.scaling.shift), len(self.usual_errors)
        kinds = {tuple(map(type, fitted)) for fitted in self.fitted_scores}
        n_scores = {len(fitted) for fitted in self.fitted_scores}
        if set(widths) != {n_features} or (self.usual_errors <= 0).any():
            raise ValueError("Its usual errors are not possible.")
        if len(self.fitted_scores) != n_folds or len(kinds) != 1:
            raise ValueError("Its scores are not those of its folds.")
        if n_scores != {self.usual_scores.shape[1]} or 0 in self.usual_scores.shape:
            raise ValueError("Its usual scores are not those of its scores.")
        for fitted in self.fitted_scores:
            for score in fitted:
                score.check(n_features)

    def scores(self, folds):
        """How unusual rows are; higher is more unusual.

        Parameters
        ----------
        folds : sequence of (X, errors) of shape (n, d) each
            Rows, with missing cells as the fold fills them, and the errors that its
            autoencoder makes, NaN where cells were missing.

        Returns
        -------
        scores : ndarray of shape (n,)
        """
        of_folds = [
            _scores_of(fitted, self.scaling.standardise(rows), self.relative(errors))
            for fitted, (rows, errors) in zip(self.fitted_scores, folds, strict=True)
        ]
        return self._combined(np.mean(of_folds, axis=0))

    def relative(self, errors):
        """Errors (..., n, d) in units of each feature's usual one; of none, 0."""
        relative = errors / self.usual_errors
        return np.where(np.isnan(errors), 0.0, relative)

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
