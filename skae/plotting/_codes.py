"""Maps of codes."""

import numpy as np
from sklearn.decomposition import PCA

from skae._tables.rows import check_one_for_each, sampled, taken
from skae.plotting._classes import classes_of, in_days, series
from skae.plotting._display import (
    COLORS,
    MARKERS,
    SEQUENTIAL,
    Display,
    color_bar,
    literal,
    wrapped,
)
from skae.plotting._given import (
    Fitted,
    in_memory,
    loss_label,
    n_rows_of,
    numbers,
    unit_of,
)

# Points of a map, which hides most of more of them.
_MOST_POINTS = 10_000
# Numbers beyond it have no scale of colours, as differences overflow.
_LARGEST = 1e300


class CodeDisplay(Display):
    """Shows a map of codes, coloured by classes, by numbers or by error.

    Codes of two components are drawn as they are. More of them are projected onto their
    two principal axes, and the axes say which share of the codes' variance these have.
    One component is drawn along x, and points are spread along y at random.

    Each class has a colour and a marker, so that prints in black and white can be read.
    Of more than 20 classes the rarest are drawn as one. Colours of numbers end at
    their 1st and 99th percentiles. At most 10,000 points are drawn, random ones but
    always the same.

    Parameters
    ----------
    codes : array-like of shape (n_samples, n_components)
        Codes.
    y : array-like of shape (n_samples,), default=None
        Classes or numbers: text, truth values, and whole numbers of at most 20 values
        are classes.
    y_name : str, default=None
        What `y` is, for the legend or the colour bar.

    Attributes
    ----------
    ax_ : Axes
        What was drawn on.
    figure_ : Figure
        What that is in.
    points_ : ndarray of shape (n_samples, 2)
        Where points are.
    scatters_ : list of PathCollection
        One for each class, in the order of the legend, or one for all points.

    Examples
    --------
    >>> from sklearn.datasets import load_digits
    >>> from skae import AutoencoderTransformer
    >>> from skae.plotting import CodeDisplay
    >>> X, y = load_digits(return_X_y=True)
    >>> autoencoder = AutoencoderTransformer(8, max_iter=5, random_state=0).fit(X)
    >>> display = CodeDisplay.from_estimator(autoencoder, X, y)
    >>> display.points_.shape, len(display.scatters_)
    ((1797, 2), 10)
    """

    def __init__(self, codes, *, y=None, y_name=None):
        self.codes = codes
        self.y = y
        self.y_name = y_name

    @classmethod
    def from_estimator(
        cls, estimator, X, y=None, *, color_by=None, ax=None, **kwargs
    ) -> "CodeDisplay":
        """Draw the codes of rows.

        Parameters
        ----------
        estimator : estimator or Pipeline
            Any fitted transformer, such as one of this package or PCA, or a Pipeline
            that ends in one.
        X : array-like of shape (n_samples, n_features)
            Rows.
        y : array-like of shape (n_samples,), default=None
            Classes or numbers to colour points by; of dates, days since the first.
        color_by : {"error"}, default=None
            "error" colours points by what :meth:`score_samples` says of the row,
            negated: the reconstruction error. Of transformers that have no
            `reconstruct`, by the mean squared error of `inverse_transform`.
        ax : Axes, default=None
            What to draw on; None makes a figure.
        **kwargs : dict
            For :meth:`plot`.

        Returns
        -------
        display : CodeDisplay

        Raises
        ------
        NotFittedError
            If the estimator was not fitted.
        TypeError
            If it has no `transform`, or rows are read in blocks.
        ValueError
            If `y` is not one value for each row, or given beside `color_by`; if
            `color_by` is none of those named; if codes can't be decoded.
        ImportError
            If matplotlib is not installed.
        """
        cls._check_matplotlib()
        advice = "a transformer, such as one of skae or a detector's autoencoders_[0]"
        fitted = Fitted.of(estimator, cls, ["transform"], advice)
        if color_by not in (None, "error"):
            raise ValueError(
                f"color_by={color_by!r}, but 'error' or None was expected: what rows "
                "are coloured by otherwise is y."
            )
        if color_by is not None and y is not None:
            raise ValueError(
                "y was given, and color_by='error' as well, but points have one colour "
                "each: draw two maps."
            )
        X = in_memory(X, cls, fitted.steps)
        n_rows = n_rows_of(X)
        if y is not None:
            check_one_for_each("y", y, n_rows)
        chosen = sampled(n_rows, _MOST_POINTS)
        rows, name = fitted.through(taken(X, chosen)), getattr(y, "name", None)
        codes = fitted.last.transform(rows)
        colors = None if y is None else series(y).iloc[chosen]
        if color_by == "error":
            colors = _errors(fitted.last, rows, codes)
            name = _error_label(fitted)
        display = cls(numbers(codes), y=colors, y_name=name)
        return display.plot(ax=ax, **kwargs)

    def plot(self, *, ax=None, legend=True, **kwargs) -> "CodeDisplay":
        """Draw the map.

        Parameters
        ----------
        ax : Axes, default=None
            What to draw on; None makes a figure.
        legend : bool, default=True
            Whether to draw the legend of classes, or the colour bar of numbers.
        **kwargs : dict
            For ``Axes.scatter``.

        Returns
        -------
        display : CodeDisplay

        Raises
        ------
        TypeError
            If `y` is of complex numbers.
        ValueError
            If `y` is not one value for each row.
        """
        codes = numbers(self.codes)
        classes = None
        if self.y is not None:
            check_one_for_each("y", self.y, len(codes))
            y, name = in_days(series(self.y), self.y_name)
            classes = classes_of(y)
        self.points_, labels = _map_of(codes)
        self._check_matplotlib()
        from matplotlib.cm import ScalarMappable

        ax = self._start(ax, 6.4 if self.y is None else 7.2, 5)
        size = np.clip(25_000 / max(len(codes), 1), 5, 32)
        options = {"s": size, "alpha": 0.8, "linewidths": 0, **kwargs}
        if self.y is None:
            options = {"color": COLORS[0], **options}
            self.scatters_ = [ax.scatter(*self.points_.T, **options)]
        elif classes is None:
            shown, extend = self._numbers(ax, y, options)
            self.scatters_ = [shown]
            if legend:
                opaque = ScalarMappable(shown.norm, shown.cmap)
                color_bar(opaque, ax, literal(name or "y"), extend)
        else:
            self.scatters_ = self._classes(ax, classes, options)
            if legend:
                _legend(ax, name, options["s"])
        ax.set(xlabel=wrapped(labels[0], ax, is_x=True), ylabel=wrapped(labels[1], ax))
        if codes.shape[1] > 1:
            ax.set_aspect("equal", adjustable="datalim")
        else:
            ax.set_yticks([])
        return self

    def _numbers(self, ax, y, options):
        values = y.to_numpy(np.float64, na_value=np.nan)
        is_there = np.isfinite(values)
        tame = np.clip(values[is_there], -_LARGEST, _LARGEST)
        low, high = np.quantile(tame, [0.01, 0.99]) if any(is_there) else (0, 1)
        extends = ["neither", "min", "max", "both"]
        ends = any(values[is_there] < low), any(values[is_there] > high)
        ax.scatter(*self.points_[~is_there].T, **{**options, "color": "0.7"})
        order = np.argsort(np.where(is_there, values, np.inf), kind="stable")
        order = order[: is_there.sum()]  # largest on top
        colors = {"c": values[order], "cmap": SEQUENTIAL, "vmin": low, "vmax": high}
        shown = ax.scatter(*self.points_[order].T, **{**colors, **options})
        return shown, extends[ends[0] + 2 * ends[1]]

    def _classes(self, ax, classes, options):
        names, numbers_of_classes, n_own = classes
        shown = []
        for i, name in enumerate(names):
            is_own = numbers_of_classes == i
            color, marker = COLORS[i % len(COLORS)], MARKERS[(i + i // 10) % 10]
            own = {"color": color, "marker": marker, "label": _label(name)}
            if i >= n_own:
                own |= {"color": "0.75", "marker": ".", "zorder": 0.9}
            shown.append(ax.scatter(*self.points_[is_own].T, **{**own, **options}))
        return shown


def _legend(ax, title, size):
    """A legend of classes, whose markers are seen."""
    legend = ax.legend(
        title=None if title is None else literal(title),
        loc="center left",
        bbox_to_anchor=(1.0, 0.5),
        frameon=False,
        markerscale=np.sqrt(30 / size) if np.ndim(size) == 0 else 1,
    )
    for handle in legend.legend_handles:
        handle.set_alpha(1)


def _label(name):
    """A class in the legend, which leaves out labels that are "" or begin with "_"."""
    label = literal(name)
    return label if label and label[0] != "_" else f"\u200b{label}"


def _error_label(fitted):
    """What errors are, with their units."""
    if hasattr(fitted.last, "reconstruct"):
        return f"reconstruction error: {loss_label(fitted.last, fitted.steps)}"
    return f"reconstruction error (mean of squared {unit_of(fitted.steps)})"


def _errors(estimator, rows, codes):
    """Reconstruction errors (n,) of rows."""
    if hasattr(estimator, "reconstruct"):
        return -np.asarray(estimator.score_samples(rows))
    if not hasattr(estimator, "inverse_transform"):
        raise ValueError(
            "color_by='error' needs codes to be decoded, but "
            f"{type(estimator).__name__} has no inverse_transform: leave it out."
        )
    made = numbers(estimator.inverse_transform(codes))
    return np.square(made - numbers(rows)).mean(axis=1)


def _map_of(codes):
    """Points (n, 2) of codes (n, n_components), and what the axes say."""
    n_components = codes.shape[1]
    if n_components == 1:
        jitter = np.random.default_rng(0).random(len(codes))
        return np.column_stack([codes[:, 0], jitter]), [
            "component 0",
            "spread at random, to tell points apart",
        ]
    if n_components == 2:
        return codes, ["component 0", "component 1"]
    if len(codes) < 2:
        return codes[:, :2], ["component 0", "component 1"]
    pca = PCA(2, svd_solver="full").fit(codes)
    shares = np.nan_to_num(pca.explained_variance_ratio_)
    labels = [
        f"{which} principal axis of the {n_components} components "
        f"({share:.0%} of their variance)"
        for which, share in zip(("first", "second"), shares, strict=True)
    ]
    return numbers(pca.transform(codes)), labels
