"""Scores, the threshold and alarms: in time, or as a distribution."""

import numpy as np

from skae._tables.rows import check_one_for_each
from skae._utils.outliers import known_outliers
from skae.plotting._display import (
    COLORS,
    Display,
    inches_of,
    literal,
    plain_log,
    text_color,
    wrapped,
)
from skae.plotting._far import FarScale
from skae.plotting._given import (
    Fitted,
    in_memory,
    n_rows_of,
    score_label,
)
from skae.plotting._times import (
    concise_dates,
    read_times,
    stretches,
    times_of,
    with_gaps,
)

_N_BINS = 50
# Fewer rows are counted on a linear scale.
_MANY = 100
# Inches of axes above which a legend with two columns fits.
_WIDE = 4.5


class AlarmDisplay(Display):
    """Shows scores, the threshold, and what is beyond it.

    In time, if there are times: scores as a line, with a gap where times have one, and
    alarms shaded. Otherwise as a distribution, of which the part beyond the threshold
    is shaded. The legend counts the alarms. Scores are negated, so that higher is more
    unusual. Where a few are so large that the others would be squeezed, one half of
    the axis is linear, up to the threshold, and the other one logarithmic. Counts of
    100 rows and more are on a logarithmic scale.

    Parameters
    ----------
    scores : array-like of shape (n_samples,)
        How unusual each row is: higher is more unusual. NaN where there is no score.
    threshold : float
        Rows with scores above it are outlying.
    is_alarm : array-like of bool of shape (n_samples,), default=None
        Where there are alarms; None is where scores are above the threshold.
    y : array-like of shape (n_samples,), default=None
        Whether each row is known to be an outlier: truth values, 0 and 1, or 1 and -1
        as of `predict`, where -1 is an outlier. Of 1 alone, which
        is both, pass truth values.
    times : array-like of shape (n_samples,), default=None
        Dates, spans of time or numbers that grow.
    score_name : str, default="anomaly score"
        What scores are, with their units.

    Attributes
    ----------
    ax_ : Axes
        What was drawn on.
    figure_ : Figure
        What that is in.
    line_ : Line2D or None
        Scores in time.
    threshold_ : Line2D
        The threshold.
    alarms_ : PolyCollection or None
        Stretches of time with alarms.
    bars_ : list of BarContainer
        Of a distribution: all rows, or normal rows and known outliers.

    Examples
    --------
    >>> from sklearn.datasets import load_wine
    >>> from sklearn.preprocessing import StandardScaler
    >>> from skae import AutoencoderOutlierDetector
    >>> from skae.plotting import AlarmDisplay
    >>> X = StandardScaler().fit_transform(load_wine().data)
    >>> detector = AutoencoderOutlierDetector(random_state=0).fit(X)
    >>> display = AlarmDisplay.from_estimator(detector, X)
    >>> bool(display.threshold == -detector.offset_)
    True
    """

    def __init__(
        self,
        scores,
        threshold,
        *,
        is_alarm=None,
        y=None,
        times=None,
        score_name="anomaly score",
    ):
        self.scores = scores
        self.threshold = threshold
        self.is_alarm = is_alarm
        self.y = y
        self.times = times
        self.score_name = score_name

    @classmethod
    def from_estimator(
        cls, detector, X, *, y=None, times=None, ax=None, **kwargs
    ) -> "AlarmDisplay":
        """Draw the alarms that a fitted detector raises.

        Parameters
        ----------
        detector : estimator or Pipeline
            A detector of this package or of scikit-learn, with `score_samples`,
            `offset_` and `predict`, or a Pipeline that ends in one.
        X : array-like of shape (n_samples, n_features)
            Rows, or the readings of a series.
        y : array-like of shape (n_samples,), default=None
            Whether each row is known to be an outlier: truth values, 0 and 1, or 1 and
            -1 as of `predict`, where -1 is an outlier. Of 1 alone, which is
            both, pass truth values.
        times : array-like of shape (n_samples,), default=None
            Dates, spans of time or numbers that grow. None are those of X: its
            DatetimeIndex or the column of dates in a DataFrame of polars; of a detector
            of windows, the numbers of the readings, if X has no such times or goes back
            in time.
        ax : Axes, default=None
            What to draw on; None makes a figure.
        **kwargs : dict
            For :meth:`plot`.

        Returns
        -------
        display : AlarmDisplay

        Raises
        ------
        NotFittedError
            If the detector was not fitted.
        TypeError
            If it is no detector, or rows are read in blocks.
        ValueError
            If `y` or `times` are not one for each row, if y does not say which rows are
            outliers, or if times go back.
        ImportError
            If matplotlib is not installed.
        """
        cls._check_matplotlib()
        advice = "an outlier detector, such as AutoencoderOutlierDetector"
        needs = ["score_samples", "offset_", "predict"]
        fitted = Fitted.of(detector, cls, needs, advice)
        X = in_memory(X, cls)
        last, rows = fitted.last, fitted.through(X)
        if times is None:
            times = times_of(X)
            if times is None and hasattr(last, "alarms"):  # of windows
                times = np.arange(n_rows_of(X))
        display = cls(
            -np.asarray(last.score_samples(rows)),
            -float(last.offset_),
            is_alarm=np.asarray(last.predict(rows)) == -1,
            y=y,
            times=times,
            score_name=score_label(last),
        )
        return display.plot(ax=ax, **kwargs)

    def plot(self, *, ax=None, legend=True, **kwargs) -> "AlarmDisplay":
        """Draw the scores.

        Parameters
        ----------
        ax : Axes, default=None
            What to draw on; None makes a figure.
        legend : bool, default=True
            Whether to draw the legend.
        **kwargs : dict
            For ``Axes.plot`` of scores in time, or for ``Axes.hist``.

        Returns
        -------
        display : AlarmDisplay
        """
        scores = np.asarray(self.scores, dtype=np.float64)
        is_alarm = self.is_alarm
        is_alarm = scores > self.threshold if is_alarm is None else np.asarray(is_alarm)
        is_known = None
        if self.y is not None:
            check_one_for_each("y", self.y, len(scores))
            is_known = known_outliers(self.y)
        self.line_ = self.alarms_ = None
        self.bars_: list = []
        draw = self._plot_distribution if self.times is None else self._plot_times
        draw(ax, scores, is_alarm, is_known, kwargs)
        if legend:
            _legend(self.ax_)
        return self

    def _counted(self, is_alarm, what):
        n, of = int(is_alarm.sum()), len(is_alarm)
        share = f"{n / of:.1%}" if n < of else "all"
        return f"{n:,} of {of:,} {what} alarmed ({share})" if of else "no rows"

    def _plot_times(self, ax, scores, is_alarm, is_known, kwargs):
        ax = self._start(ax, 9, 4.2)
        places, label = read_times(self.times, len(scores))
        line = {"color": COLORS[0], "linewidth": 1.2, "label": "score"}
        xs, ys = with_gaps(places, scores)
        (self.line_,) = ax.plot(xs, ys, **{**line, **kwargs})
        said = self._counted(is_alarm[np.isfinite(scores)], "times")
        shade = {"facecolor": COLORS[2], "alpha": 0.25, "edgecolor": COLORS[2]}
        spans = stretches(ax, places, is_alarm)
        across = ax.get_xaxis_transform()
        options = {"linewidth": 0.8, "zorder": 0, "label": said, **shade}
        self.alarms_ = ax.broken_barh(spans, (0, 1), transform=across, **options)
        mark = {"linestyle": "none", "marker": ".", "color": COLORS[2], "markersize": 4}
        ax.plot(places[is_alarm], scores[is_alarm], **mark)
        if is_known is not None:
            spans = stretches(ax, places, is_known)
            options = {"facecolor": "none", "hatch": "////", "edgecolor": text_color()}
            options |= {"linewidth": 0.8, "label": "known outliers"}
            ax.broken_barh(spans, (0.95, 0.05), transform=across, **options)
        self._scale(ax.yaxis, scores[np.isfinite(scores)])
        self._draw_threshold(ax.axhline)
        if np.issubdtype(places.dtype, np.datetime64):
            concise_dates(ax.xaxis)
        ax.set_xlabel(literal(label))
        ax.margins(x=0.01)
        return self

    def _plot_distribution(self, ax, scores, is_alarm, is_known, kwargs):
        ax = self._start(ax, 6.8, 4.4)
        is_there = np.isfinite(scores)
        shown = scores[is_there]
        self._scale(ax.xaxis, shown)
        bins = _bins(ax, np.append(shown, self.threshold))
        groups = [("all rows", np.ones(len(shown), bool))]
        if is_known is not None:
            known = is_known[is_there]
            groups = [("normal rows", ~known), ("known outliers", known)]
        styles = (
            {"color": COLORS[0], "alpha": 0.75},
            {
                "color": COLORS[1],
                "alpha": 0.6,
                "hatch": "////",
                "edgecolor": text_color(),
            },
        )
        for (name, chosen), style in zip(groups, styles, strict=False):
            if is_known is not None:
                caught = is_alarm[is_there][chosen]
                name = f"{name}: {self._counted(caught, 'rows')}"
            values = shown[chosen]
            bars = ax.hist(values, bins, **{"label": name, **style, **kwargs})[2]
            self.bars_.append(bars)
        self._draw_threshold(ax.axvline)
        said = (
            self._counted(is_alarm[is_there], "rows") if is_known is None else "alarms"
        )
        left, right = ax.get_xlim()
        options = {"color": COLORS[2], "alpha": 0.12, "zorder": 0, "label": said}
        if right > self.threshold:
            ax.axvspan(self.threshold, right, **options)
        ax.set_xlim(left, right)
        if len(shown) >= _MANY:
            heights = [bar.get_height() for bars in self.bars_ for bar in bars]
            plain_log(ax.yaxis, [1, max(heights)])
            ax.set_ylim(bottom=0.7)
        else:
            ax.yaxis.get_major_locator().set_params(integer=True)
        ax.set_ylabel("number of rows")
        return self

    def _scale(self, axis, scores):
        """Give an axis a scale on which no scores (n,) are squeezed, and its label."""
        lines = [wrapped(self.score_name, axis.axes, axis.axis_name == "x")]
        scale = FarScale.of(scores, self.threshold)
        if scale is not None:
            scale.set(axis)
            lines.append("logarithmic beyond the threshold")
        axis.set_label_text("\n".join(lines))

    def _draw_threshold(self, draw):
        said = f"threshold: {self.threshold:.4g}"
        style = {"color": text_color(), "linestyle": "--", "linewidth": 1.5}
        self.threshold_ = draw(self.threshold, label=said, **style)


def _legend(ax):
    """A legend above the axes, where it hides nothing."""
    n_columns = 2 if inches_of(ax)[0] > _WIDE else 1
    options = {"loc": "lower left", "bbox_to_anchor": (0, 1.0), "frameon": False}
    ax.legend(ncols=n_columns, borderaxespad=0.3, **options)


def _bins(ax, values):
    """Edges of bins that are equally wide on the axis."""
    low, high = (values.min(), values.max()) if len(values) else (0.0, 1.0)
    if low == high:
        return np.array([low - 0.5, high + 0.5])
    transform = ax.xaxis.get_transform()
    ends = transform.transform(np.array([low, high], float))
    edges = transform.inverted().transform(np.linspace(*ends, _N_BINS + 1))
    edges[0], edges[-1] = low, high
    return edges
