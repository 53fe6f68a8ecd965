"""How unusual rows are, next to rows that autoencoders had not seen."""

import numpy as np
from sklearn.utils import gen_batches

from skae._utils.checks import (
    array,
    instance,
    list_of,
    not_required,
    optional,
    positive,
)
from skae._utils.scaling import Scaling
from skae._utils.stored import stored
from skae.detection._given import GivenOthers
from skae.detection._scores import Score, usual_errors
from skae.detection._tails import Tail

# Rows that are compared with all references at once.
_CHUNK_ROWS = 1024
# Standard deviations beyond which rows are all equally far away: squares of more
# would overflow.
REACH = 1e12
# Power of the norm of several surprisals: the largest count most.
_POWER = 4.0
# Least size of the tail of scores: standard deviations, and the like.
_LEAST_TAIL = 1e-3


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
    tails=not_required(list_of(instance(Tail))),
    power=not_required(positive),
    given_others=not_required(optional(instance(GivenOthers))),
    usual_scores=not_required(array("f", 2)),  # of format 2
)
class Anomalies:
    """How unusual rows are, by one or several scores.

    Rows come in folds, each with the errors of an autoencoder that was fitted without
    it. A row is compared with each fold, by the errors that the fold's autoencoder
    makes with it, and the results are averaged; rows of a fold with that fold alone,
    but without themselves.

    Of several scores the norm of the surprisals is taken: a row is about as unusual as
    by the score that finds it the rarest, and a little more if others agree.

    Parameters
    ----------
    scaling : Scaling
        Of the rows.

    Attributes
    ----------
    tails : list of Tail
        How rare each score is.
    power : float
        Of the norm; 1 is the sum.
    given_others : GivenOthers or None
        What is expected of cells, and what divides scores among the features that
        don't say how; None in files that have none.
    """

    def __init__(self, scaling):
        self.scaling = scaling

    def __setstate__(self, state):
        # Also of what files hold, of earlier formats too.
        later = {"tails", "power", "given_others"} & set(state)
        if not later:
            state = _of_format_2(state)
        elif len(later) < 3 or "usual_scores" in state:
            raise ValueError("Its usual scores are those of two formats.")
        vars(self).update(state)

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
        answers : ndarray of shape (n_samples, n_scores)
            What each score says of them, fold by fold, for :meth:`rank`.
        """
        scale = self.scaling.scale
        all_errors = np.concatenate([errors for _, errors in folds])
        self.usual_errors = usual_errors(all_errors / scale) * scale
        self.fitted_scores, held_out = [], []
        for X, errors in folds:
            rows, errors = self.scaling.standardise(X), self.relative(errors)
            fitted = [cls().fit(rows, errors, seed) for cls in score_classes]
            self.fitted_scores.append(fitted)
            held_out.append(_scores_of(fitted, rows, errors))
        rows = np.concatenate([self.scaling.standardise(X) for X, _ in folds])
        order = np.random.default_rng(seed).permutation(len(rows))
        self.given_others = GivenOthers(rows[order])
        return np.concatenate(held_out)

    def answers(self, k, rows, errors):
        """What each score (n, n_scores) of a fold says of rows that it held out."""
        rows, errors = self.scaling.standardise(rows), self.relative(errors)
        return _scores_of(self.fitted_scores[k], rows, errors)

    def rank(self, answers, is_known):
        """Learn how rare answers are.

        Parameters
        ----------
        answers : ndarray of shape (n_samples, n_scores)
            Of all rows held out.
        is_known : ndarray of shape (n_samples,), bool
            Whether anything is known of them.

        Returns
        -------
        scores : ndarray of shape (n_samples,)
        """
        self.tails = [Tail.beyond_all(usual, _LEAST_TAIL) for usual in answers.T]
        self.power = _POWER
        return np.where(is_known, self._combined(answers), 0.0)

    def check(self, n_features, n_folds):
        """Raise ValueError for parts, read from a file, that don't fit together."""
        widths = len(self.scaling.shift), len(self.usual_errors)
        kinds = {tuple(map(type, fitted)) for fitted in self.fitted_scores}
        n_scores = {len(fitted) for fitted in self.fitted_scores}
        if set(widths) != {n_features} or (self.usual_errors <= 0).any():
            raise ValueError("Its usual errors are not possible.")
        if len(self.fitted_scores) != n_folds or len(kinds) != 1:
            raise ValueError("Its scores are not those of its folds.")
        if n_scores != {len(self.tails)} or not self.tails:
            raise ValueError("Its usual scores are not those of its scores.")
        for tail in self.tails:
            tail.check()
        if self.given_others is not None:
            self.given_others.check(n_features)
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
            0 for rows of which nothing is known.
        """
        scores = self._combined(self._mean_over(folds, _scores_of))
        return _of_known(scores, folds[0][1])

    def feature_scores(self, folds):
        """How unusual each feature makes rows; higher is more unusual.

        The score, divided among the features: in the mean of the shares that they have
        in what each of its parts says.

        Parameters
        ----------
        folds : sequence of (X, errors) of shape (n, d) each
            As above.

        Returns
        -------
        scores : ndarray of shape (n, d)
            They add up to the scores; 0 where cells were missing.
        """
        known = ~np.isnan(folds[0][1])
        parts = self._mean_over(folds, self._parts_of) * known  # (n_parts, n, d)
        whole = parts.sum(axis=2, keepdims=True)
        even = known / np.maximum(known.sum(axis=1, keepdims=True), 1)
        even = np.broadcast_to(even, parts.shape).copy()
        shares = np.divide(parts, whole, out=even, where=whole > 0).mean(axis=0)
        return shares * self.scores(folds)[:, None]

    def _mean_over(self, folds, function):
        """Mean over the folds of a function of fitted scores, rows and errors."""
        of_folds = [
            function(fitted, self.scaling.standardise(rows), self.relative(errors))
            for fitted, (rows, errors) in zip(self.fitted_scores, folds, strict=True)
        ]
        return np.mean(of_folds, axis=0)

    def _parts_of(self, fitted, rows, errors):
        """What features add to each of the scores, up to factors: (n_parts, n, d)."""
        divided = [score.parts for score in fitted if score.can_be_divided]
        if len(divided) < len(fitted) and self.given_others is not None:
            divided.append(lambda rows, errors: self.given_others(rows))
        parts = np.empty((len(divided), *rows.shape))
        for chunk in gen_batches(len(rows), _CHUNK_ROWS):
            for part, parts_of in zip(parts, divided, strict=True):
                part[chunk] = parts_of(rows[chunk], errors[chunk])
        return parts

    def relative(self, errors):
        """Errors (..., n, d) in units of each feature's usual one."""
        return errors / self.usual_errors

    def expected(self, rows, groups):
        """What is expected of cells, given those of the features of other groups.

        Parameters
        ----------
        rows : ndarray of shape (n, d)
            Their missing cells filled.
        groups : ndarray of shape (d,)

        Returns
        -------
        expected : ndarray of shape (n, d)
        errors : ndarray of shape (n, d)
            Of what is expected, in units of each feature's usual one.
        """
        standard = self.scaling.standardise(rows)
        expected, usual = self.given_others.expected(standard, groups)
        errors = (standard - expected) / usual
        return self.scaling.shift + expected * self.scaling.scale, errors

    def are_beyond(self, rows):
        """Which cells (n, d) are beyond all that was fitted, where that is known."""
        if self.given_others is None:
            return np.zeros(rows.shape, bool)
        return self.given_others.are_beyond(self.scaling.standardise(rows))

    def _combined(self, scores):
        """One score (n,) out of n_scores (n, n_scores): the norm of the surprisals."""
        if scores.shape[1] == 1:
            return scores[:, 0]
        pairs = zip(self.tails, scores.T, strict=True)
        powers = sum(tail(of_rows) ** self.power for tail, of_rows in pairs)
        return powers ** (1 / self.power)


def _of_format_2(state):
    """State of what added up the shares of several scores, as it would be today."""
    state = dict(state)
    usual = state.pop("usual_scores", np.empty((0, 0)))
    if not usual.size:
        raise ValueError("Its usual scores are not possible.")
    tails = [Tail.of_shares(of_score) for of_score in usual.T]
    return state | {"tails": tails, "power": 1.0, "given_others": None}


def _scores_of(fitted, rows, errors):
    """What each fitted score says of rows and their errors: (n, n_scores)."""
    scores = np.empty((len(rows), len(fitted)))
    for chunk in gen_batches(len(rows), _CHUNK_ROWS):
        for j, score in enumerate(fitted):
            scores[chunk, j] = score.of(rows[chunk], errors[chunk])
    return scores


def _of_known(scores, errors):
    """Scores (n,), 0 for rows without a known cell, which have no errors (n, d)."""
    return np.where(np.isnan(errors).all(axis=1), 0.0, scores)
