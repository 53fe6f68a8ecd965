"""The features that make rows unusual."""

import numpy as np
import pandas as pd
from sklearn.pipeline import make_pipeline

from skae._tables.frames import index_of
from skae._tables.rows import names_of, sampled, taken
from skae.plotting._display import (
    COLORS,
    FAULTS,
    MOST_NAMES,
    Display,
    color_bar,
    height_of,
    limit,
    literal,
    name_ticks,
    short,
    tile,
    width_of,
)
from skae.plotting._given import (
    Fitted,
    check_count,
    in_memory,
    n_rows_of,
    score_label,
)

_MOST_ROWS = 10_000


class ReasonDisplay(Display):
    """Shows which features are at fault.

    For one row a bar for each feature, with what was observed and what was expected
    beside the name. For several rows a heat map, of the features that have the most of
    the score over all of them. For a detector of windows, each alarm is a row, at its
    peak, and sensors are features.

    Parameters
    ----------
    scores : array-like of shape (n_rows, n_features)
        How much of the score of each row each feature has, features with the most
        first.
    names : list of str
        Of the features; of bars, with what was observed and expected.
    labels : list, default=None
        Of the rows. None numbers them.
    kind : {"auto", "bars", "heat map"}, default="auto"
        "auto" is bars for one row, and a heat map for several.
    score_name : str, default="anomaly score"
        What scores are, with their units.
    row_name : str, default="row"
        What rows are.

    Attributes
    ----------
    ax_ : Axes
        What was drawn on.
    figure_ : Figure
        What that is in.
    bars_ : BarContainer or None
        One for each feature.
    image_ : AxesImage or None
        Features by rows.

    Examples
    --------
    >>> from sklearn.datasets import load_wine
    >>> from sklearn.pipeline import make_pipeline
    >>> from sklearn.preprocessing import StandardScaler
    >>> from skae import AutoencoderOutlierDetector
    >>> from skae.plotting import ReasonDisplay
    >>> X = load_wine(as_frame=True).data
    >>> detector = AutoencoderOutlierDetector(random_state=0)
    >>> pipeline = make_pipeline(StandardScaler(), detector).fit(X)
    >>> odd = X[:1].assign(alcohol=4.2)
    >>> display = ReasonDisplay.from_estimator(pipeline, odd, n_features=4)
    >>> display.names[0]
    'alcohol: 4.2, expected ...'
    """

    def __init__(
        self,
        scores,
        names,
        *,
        labels=None,
        kind="auto",
        score_name="anomaly score",
        row_name="row",
    ):
        self.scores = scores
        self.names = names
        self.labels = labels
        self.kind = kind
        self.score_name = score_name
        self.row_name = row_name

    @classmethod
    def from_estimator(
        cls,
        detector,
        X,
        *,
        n_features=10,
        preprocessing=None,
        kind="auto",
        ax=None,
        **kwargs,
    ) -> "ReasonDisplay":
        """Draw what makes rows unusual, as :meth:`explain` of a detector says it.

        Parameters
        ----------
        detector : estimator or Pipeline
            A fitted detector of this package, or a Pipeline that ends in one, whose
            other steps are then the `preprocessing`. If these can't be inverted, or
            make other columns, features are those that the last step reads.
        X : array-like of shape (n_samples, n_features)
            The rows to explain, such as ``X[detector.predict(X) == -1]``; of a detector
            of windows, the series. Of more than 10,000 rows so many are drawn, random
            ones but always the same.
        n_features : int, default=10
            How many features to draw, at the most.
        preprocessing : fitted transformer or Pipeline, default=None
            What rows have still to go through before the detector. X is then in the
            units from before it, as are observed and expected values.
        kind : {"auto", "bars", "heat map"}, default="auto"
            "auto" is bars for one row, and a heat map for several.
        ax : Axes, default=None
            What to draw on; None makes a figure.
        **kwargs : dict
            For :meth:`plot`.

        Returns
        -------
        display : ReasonDisplay

        Raises
        ------
        NotFittedError
            If the detector was not fitted.
        TypeError
            If it has no `explain`, if `preprocessing` has no `inverse_transform`, or if
            rows are read in blocks.
        ValueError
            If `kind` is none of those named, or "bars" for several rows; if
            `n_features` is below 1.
        ImportError
            If matplotlib is not installed.
        """
        cls._check_matplotlib()
        check_count("n_features", n_features)
        needs = ["feature_scores", "explain"]
        fitted = Fitted.of(detector, cls, needs, "an outlier detector of skae")
        X, last = in_memory(X, cls), fitted.last
        given = {"score_name": score_label(last), "kind": kind}
        if hasattr(last, "alarms"):
            found = _of_series(last, fitted.through(X), n_features)
            return cls(**found, **given).plot(ax=ax, **kwargs)
        chosen = sampled(n_rows_of(X), _MOST_ROWS)
        X, n_rows = taken(X, chosen), len(chosen)
        if preprocessing is None and fitted.steps and n_rows:
            read = fitted.through(X)
            if fitted.is_undone and X.shape[1] == read.shape[1]:
                preprocessing = make_pipeline(*fitted.steps)
            else:
                X = read
        if n_rows == 1 and kind != "heat map":
            found = _of_row(last, X, n_features, preprocessing)
        else:
            found = _of_rows(last, X, n_features, preprocessing, chosen)
        return cls(**found, **given).plot(ax=ax, **kwargs)

    def plot(self, *, ax=None, **kwargs) -> "ReasonDisplay":
        """Draw the features.

        Parameters
        ----------
        ax : Axes, default=None
            What to draw on; None makes a figure.
        **kwargs : dict
            For ``Axes.barh``, or for ``Axes.imshow``.

        Returns
        -------
        display : ReasonDisplay
        """
        scores = np.asarray(self.scores, dtype=np.float64)
        n_rows = len(scores)
        if self.kind not in ("auto", "bars", "heat map"):
            raise ValueError(
                f"kind={self.kind!r}, but 'auto', 'bars' or 'heat map' was expected."
            )
        if self.kind == "bars" and n_rows > 1:
            raise ValueError(
                f"kind='bars', but there are {n_rows} rows, and bars are of one: pass "
                "one row, or kind='heat map'."
            )
        self.bars_ = self.image_ = None
        if not n_rows:
            ax = self._start(ax, 5, 1.5)
            said = {"ha": "center", "va": "center", "transform": ax.transAxes}
            ax.text(0.5, 0.5, "nothing to explain: no rows", **said)
            ax.set_axis_off()
            return self
        if n_rows == 1 and self.kind != "heat map":
            return self._plot_bars(ax, scores[0], kwargs)
        return self._plot_map(ax, scores, kwargs)

    def _plot_bars(self, ax, scores, kwargs):
        ax = self._start(ax, 4.5 + width_of(self.names), 0.36 * len(scores) + 1.2)
        places = np.arange(len(scores))
        self.bars_ = ax.barh(places, scores, **{"color": COLORS[0], **kwargs})
        ax.set_yticks(places, [literal(name) for name in self.names])
        ax.invert_yaxis()
        ax.tick_params(axis="y", length=0)
        ax.spines[["top", "right", "left"]].set_visible(False)
        ax.axvline(0, color="0.5", linewidth=0.8)
        ax.set_xlabel(f"part of the {self.score_name}")
        if self.labels:
            label = literal(_label(self.labels[0]))
            ax.set_title(f"{self.row_name} {label}", fontsize="medium")
        return self

    def _plot_map(self, ax, scores, kwargs):
        n_rows, width = scores.shape
        words = None
        if self.labels is not None and n_rows <= MOST_NAMES:
            words = [_label(label) for label in self.labels]
        ax = self._start(
            ax,
            np.clip(0.3 * n_rows + 1.5, 4, 8) + width_of(map(short, self.names)),
            max(0.3 * width + 1.4, 2.2) + height_of(words),
        )
        largest, is_beyond = limit(scores)
        options = {"cmap": FAULTS, "vmin": 0, "vmax": largest, **kwargs}
        self.image_ = tile(ax, scores.T, 0, 0, **options)
        ax.set(xlim=(0, n_rows), ylim=(width, 0))
        names = [literal(short(name)) for name in self.names]
        ax.set_yticks(np.arange(width) + 0.5, names)
        ax.tick_params(length=0)
        ax.set_xlabel(self.row_name)
        if words is not None:
            name_ticks(ax.xaxis, np.arange(n_rows) + 0.5, words, self.row_name)
            ax.set_xlabel(self.row_name)
        else:
            ax.set_xlabel(f"number of the {self.row_name}")
        label = f"part of the {self.score_name}"
        color_bar(self.image_, ax, label, "max" if is_beyond else "neither")
        return self


def _label(label):
    """A row's label in words, times without what they are not read to."""
    if isinstance(label, pd.Timestamp):
        return f"{label:%Y-%m-%d %H:%M}".removesuffix(" 00:00")
    return str(label)


_TOLD = ["feature", "observed", "expected"]


def _in_words(feature, observed, expected):
    """A feature, what was observed, and what was expected where that is known."""
    said = short(feature)
    parts = []
    for word, value in (("", observed), ("expected ", expected)):
        if value is None or value != value:
            parts += ["missing"] if not word else []
        else:
            text = f"{value:.4g}" if isinstance(value, float) else str(value)
            parts.append(f"{word}{short(text.removesuffix(' 00:00:00'))}")
    return f"{said}: {', '.join(parts)}"


def _of_series(watch, X, n_features):
    """Scores, names and labels of alarms at their peaks."""
    alarms = watch.alarms(X)
    scores = np.asarray(watch.feature_scores(X))[_peaks(watch, X, alarms)]
    found = _of_best(scores, list(watch.get_feature_names_out()), n_features)
    return {
        **found,
        "labels": list(alarms["peak"]),
        "row_name": "alarm, by the time of its peak",
    }


def _of_row(detector, X, n_features, preprocessing):
    """Scores, names in words, and the label of one row."""
    reasons = detector.explain(X, n_features, preprocessing=preprocessing)
    names = [_in_words(*line) for line in reasons[_TOLD].itertuples(index=False)]
    scores = reasons["score"].to_numpy()[None]
    return {"scores": scores, "names": names, "labels": list(reasons["row"][:1])}


def _of_rows(detector, X, n_features, preprocessing, chosen):
    """Scores, names and labels of rows, of which `chosen` are the numbers."""
    names = names_of(X)
    if names is None or len(names) != detector.n_features_in_:
        names = list(detector.get_feature_names_out())
    scores = np.zeros((0, len(names)))
    if len(chosen):
        rows = X if preprocessing is None else preprocessing.transform(X)
        scores = np.asarray(detector.feature_scores(rows))
    index = index_of(X)
    labels = chosen.tolist() if index is None else list(index)
    return {**_of_best(scores, names, n_features), "labels": labels}


def _of_best(scores, names, n_features):
    """Scores and names of the features that have the most of all rows' scores."""
    totals = np.clip(scores, 0, None).sum(axis=0)
    best = np.argsort(-totals, kind="stable")[:n_features]
    return {"scores": scores[:, best], "names": [str(names[j]) for j in best]}


def _peaks(watch, X, alarms):
    """Numbers of the times at which alarms have their peaks."""
    is_alarm = np.asarray(watch.predict(X)) == -1
    scores = np.asarray(watch.score_samples(X))
    peaks, stop = [], 0
    for n_readings in alarms["n_readings"]:
        start = stop + int(is_alarm[stop:].argmax())
        stop = start + int(n_readings)
        peaks.append(start + int(np.nanargmin(scores[start:stop])))
    return peaks
