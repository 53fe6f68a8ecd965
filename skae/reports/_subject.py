"""What a report is about: a fitted estimator, and rows of which it makes something."""

from functools import cached_property

import numpy as np

from skae._tables.compared import Columns, column_means
from skae._tables.frames import frame_of, is_table
from skae._tables.rows import check_one_for_each, names_of, sampled, taken
from skae._utils.outliers import known_outliers
from skae._utils.sparse import dense
from skae._utils.validation import without_torch
from skae._utils.warnings import kept_warnings
from skae.plotting._given import images, numbers, refuse_images
from skae.reports._words import counted, percent

# Rows, cells and times, beyond which some stand for all.
_MOST_ROWS, _MOST_CELLS, _LEAST_ROWS = 10_000, 2_000_000, 200
_MOST_TIMES = 5000
# Worst rows, reasons for each, and rows that they are told beside.
_WORST, _REASONS, _BESIDE = 10, 3, 100


class Subject:
    """A fitted estimator, and rows of which it makes something.

    Parameters
    ----------
    estimator : estimator
        Fitted.
    X : array-like or sparse of shape (n_samples, n_features)
    y : array-like of shape (n_samples,) or None
    image_shape : tuple of int or None
        Of rows that are images.

    Attributes
    ----------
    X : DataFrame or ndarray of shape (n, n_features)
        The rows that are looked at.
    y : ndarray of shape (n,) or None
    labels : list of length n
        Of the rows.
    n_given : int
        Rows that were passed.
    """

    def __init__(self, estimator, X, y, image_shape):
        self.estimator = estimator
        refuse_images(self.model, image_shape)
        network = getattr(self.model, "network", None)
        self.image_shape = image_shape or getattr(network, "image_shape", None)
        X = without_torch(X)
        X = X if hasattr(X, "shape") or is_table(X) else frame_of(X).X
        if not is_table(X) and X.dtype.kind == "b" and not self.of_table:
            X = X.astype(np.float64)  # as truth values are read
        self.n_given = X.shape[0]
        if y is not None:
            y = np.asarray(y)
            check_one_for_each("y", y, self.n_given)
            # Before some rows stand for all, which may be outliers alone.
            y = known_outliers(y) if self.detects else y
        if self.n_given == 0:
            raise ValueError("X has no rows: a report needs some.")
        chosen = self._chosen(*X.shape)
        self.X = dense(taken(X, chosen))
        if image_shape is not None:
            images(numbers(self.X[:1]), image_shape)  # or an error that says why not
        self.y = None if y is None else y[chosen]
        index = getattr(X, "index", None)
        labels = np.arange(self.n_given) if index is None else index.to_flat_index()
        self.labels = [str(label) for label in np.asarray(labels)[chosen]]

    @property
    def is_series(self):
        """Whether rows are times that follow each other."""
        return hasattr(self.estimator, "detector_")

    @property
    def detects(self):
        """Whether the estimator raises alarms."""
        return hasattr(self.estimator, "offset_")

    @property
    def fills(self):
        """Whether the estimator fills cells."""
        return hasattr(self.estimator, "autoencoder_")

    @property
    def model(self):
        """What reconstructs rows: the estimator, or the autoencoder that fills."""
        return getattr(self.estimator, "autoencoder_", self.estimator)

    @property
    def of_table(self):
        """Whether columns of other kinds were fitted, which count for as much each."""
        return getattr(self.model, "_columns", None) is not None

    @property
    def encodes(self):
        """Whether the model has codes."""
        return hasattr(self.model, "inverse_transform")

    @cached_property
    def names(self):
        """Names of the columns."""
        names = names_of(self.X, getattr(self.estimator, "feature_names_in_", None))
        n_columns = self.estimator.n_features_in_
        return names or [f"column {j}" for j in range(n_columns)]

    @cached_property
    def columns(self):
        """Columns of the rows."""
        return Columns(self.X)

    @cached_property
    def made(self):
        """Columns of what was reconstructed."""
        return Columns(self.model.reconstruct(self.X))

    @cached_property
    def errors(self):
        """Errors (n, d) of what was reconstructed."""
        return self.columns.errors(self.made)

    @cached_property
    def relative(self):
        """Errors (n, d) over the columns' variances: 1 is no better than the mean."""
        return self.columns.relative(self.errors)

    @cached_property
    def scores(self):
        """Scores (n,) of the rows; higher is more normal, NaN where there is none."""
        return np.asarray(self.model.score_samples(self.X), np.float64)

    @cached_property
    def codes(self):
        """Codes (n, n_components), float64."""
        codes = self.model.transform(self.X)
        return np.asarray(dense(codes), np.float64)

    @cached_property
    def is_alarm(self):
        """Which rows (n,) are alarms."""
        if not self.is_series:
            return self.scores < self.estimator.offset_
        return np.asarray(self.estimator.predict(self.X)) == -1

    @property
    def alarm_share(self):
        """Share of the rows with a score that are alarms."""
        n_judged = np.count_nonzero(~np.isnan(self.scores))
        return float(self.is_alarm.sum() / max(n_judged, 1))

    @cached_property
    def intervals(self):
        """Alarms of a series, as a DataFrame."""
        return self.estimator.alarms(self.X)

    @cached_property
    def worst(self):
        """Numbers of the rows of the lowest scores, the lowest first."""
        scores = np.where(np.isnan(self.scores), np.inf, self.scores)
        return np.argsort(scores, kind="stable")[:_WORST]

    @cached_property
    def reasons(self):
        """What a detector says of the worst rows, and what it warns of.

        Returns
        -------
        messages : list of list of str
            Of each of the worst rows.
        warnings : list of (str, type)
        """
        # Rows beside them tell whether all are beyond what was fitted, or these alone.
        rng, n_rows = np.random.default_rng(0), len(self.labels)
        others = rng.choice(n_rows, min(n_rows, _BESIDE), replace=False)
        rows = taken(self.X, np.concatenate([self.worst, others]))
        rows = rows.reset_index(drop=True) if hasattr(rows, "reset_index") else rows
        with kept_warnings() as warnings:
            found = self.estimator.explain(rows, _REASONS)
        messages = [[] for _ in self.worst]
        for row, message in zip(found["row"], found["message"], strict=True):
            if row < len(messages):
                messages[row].append(message)
        return messages, warnings

    def notes(self):
        """Which rows are shown, and how it went: a list of sentences."""
        n_shown, rows = len(self.labels), "row"
        if self.is_series:
            rows = "time"
        shown = f"Shown here: {counted(n_shown, rows)}"
        if n_shown < self.n_given and self.is_series:
            shown += f", the latest of the {self.n_given:,} given"
        elif n_shown < self.n_given:
            shown += f", a random sample of the {self.n_given:,} given"
        if self.detects:
            # The first times of a series have no score.
            n_judged = int(np.count_nonzero(~np.isnan(self.scores)))
            them = "them" if n_judged == n_shown else f"the {n_judged:,} with a score"
            n_alarms, share = int(self.is_alarm.sum()), percent(self.alarm_share)
            return [f"{shown}; {n_alarms:,} of {them} ({share}) are alarms."]
        if self.fills:
            share = percent(float(self.columns.missing.mean()))
            return [f"{shown}; {share} of their cells are missing."]
        explained = self.explained
        if np.isnan(explained):
            return [f"{shown}."]
        if explained < 0:
            return [f"{shown}; they are reconstructed worse than by their means."]
        return [
            f"{shown}; their reconstructions explain {percent(explained)} of their "
            "variance."
        ]

    @cached_property
    def explained(self):
        """Share of the variance that comes back; NaN if nothing varies.

        Of a table with categories or dates it is the mean over the columns.
        """
        columns = self.columns
        if self.of_table:
            lost, varies = column_means(self.relative), ~columns.are_constant
            return 1 - float(lost[varies].mean()) if varies.any() else np.nan
        total = float(columns.variances.sum())
        lost = float(np.nansum(column_means(self.errors)))
        return 1 - lost / total if total > 0 else np.nan

    def _chosen(self, n_rows, width=1):
        if self.is_series:
            return np.arange(max(n_rows - _MOST_TIMES, 0), n_rows)
        most = min(_MOST_ROWS, max(_LEAST_ROWS, _MOST_CELLS // width))
        return sampled(n_rows, most)
