"""How many components are needed."""

import numpy as np
from sklearn.base import clone
from sklearn.decomposition import PCA
from sklearn.model_selection import train_test_split

from skae._tables.rows import taken
from skae._utils.loss_names import loss_of
from skae._utils.warnings import warn
from skae.plotting._display import (
    COLORS,
    Display,
    plain_log,
    spans_decades,
    text_color,
    wrapped,
)
from skae.plotting._given import (
    check_count,
    in_memory,
    loss_label,
    n_rows_of,
    numbers,
    of_table,
    steps_of,
)

_SIZES = (1, 2, 4, 8, 16, 32)
# Times an error that is the same but for rounding.
_ALIKE = 1.001
_POWERS = {"mean squared error": 2, "mean absolute error": 1}


class CodeSizeDisplay(Display):
    """Shows how many components are needed: the held-out error by the size of the code.

    PCA's error on the same rows is drawn beside it, of every size that is worth it. The
    legend says how many components PCA needs for as low an error.

    Parameters
    ----------
    n_components : array-like of int of shape (n_sizes,)
        Sizes of the code.
    errors : array-like of shape (n_sizes,)
        The held-out error of each.
    pca_components : array-like of int of shape (n_pca_sizes,), default=None
        Sizes of PCA.
    pca_errors : array-like of shape (n_pca_sizes,), default=None
        The error of each.
    loss_name : str, default="loss"
        What errors are, with their units.
    name : str, default="autoencoder"
        What the estimator is called.
    pca_name : str, default="PCA"
        What the other curve is called.

    Attributes
    ----------
    ax_ : Axes
        What was drawn on.
    figure_ : Figure
        What that is in.
    lines_ : list of Line2D
        The estimator's curve, and PCA's, if there is one.

    Examples
    --------
    >>> from sklearn.datasets import load_digits
    >>> from skae import AutoencoderTransformer
    >>> from skae.plotting import CodeSizeDisplay
    >>> X, _ = load_digits(return_X_y=True)
    >>> autoencoder = AutoencoderTransformer(max_iter=5, random_state=0)
    >>> display = CodeSizeDisplay.from_estimator(
    ...     autoencoder, X, n_components=(2, 4, 8), random_state=0
    ... )
    >>> display.n_components
    [2, 4, 8]
    """

    def __init__(
        self,
        n_components,
        errors,
        *,
        pca_components=None,
        pca_errors=None,
        loss_name="loss",
        name="autoencoder",
        pca_name="PCA",
    ):
        self.n_components = n_components
        self.errors = errors
        self.pca_components = pca_components
        self.pca_errors = pca_errors
        self.loss_name = loss_name
        self.name = name
        self.pca_name = pca_name

    @classmethod
    def from_estimator(
        cls,
        estimator,
        X,
        *,
        n_components=_SIZES,
        validation_fraction=0.25,
        random_state=None,
        ax=None,
        **kwargs,
    ) -> "CodeSizeDisplay":
        """Fit clones with codes of several sizes, and draw their errors.

        Parameters
        ----------
        estimator : estimator or Pipeline
            A transformer of this package, fitted or not, or a Pipeline that ends in
            one, whose other steps are fitted to the training rows once.
        X : array-like of shape (n_samples, n_features)
            Rows.
        n_components : array-like of int, default=(1, 2, 4, 8, 16, 32)
            Sizes of the code. Those that are not smaller than the number of features
            are left out, but of sparse codes.
        validation_fraction : float in (0, 1), default=0.25
            Share of the rows that no clone is fitted to, on which errors are measured.
        random_state : int, RandomState instance or None, default=None
            Determines which rows these are. Clones have the `random_state` of the
            estimator.
        ax : Axes, default=None
            What to draw on; None makes a figure.
        **kwargs : dict
            For :meth:`plot`.

        Returns
        -------
        display : CodeSizeDisplay

        Raises
        ------
        TypeError
            If the estimator has no `n_components` or no `score`, or rows are read in
            blocks.
        ValueError
            If no size is smaller than the number of features, or if one is no whole
            number of at least 1.
        ImportError
            If matplotlib is not installed.

        Warns
        -----
        UserWarning
            If sizes are left out that were asked for.

        Notes
        -----
        PCA's errors are those of held-out rows, too, for "squared_error" and
        "absolute_error" of complete rows of numbers. For other losses, for tables and
        for rows with missing cells they are `pca_loss_`, which is of the rows that each
        training held out.
        """
        cls._check_matplotlib()
        n_components = tuple(n_components)
        for size in n_components:
            check_count("n_components", size)
        steps, last = _unfitted(estimator)
        X = in_memory(X, cls)
        rows = np.arange(n_rows_of(X))
        train, held_out = train_test_split(
            rows, test_size=validation_fraction, random_state=random_state
        )
        train, held_out = taken(X, np.sort(train)), taken(X, np.sort(held_out))
        for step in steps:
            train, held_out = step.fit_transform(train), step.transform(held_out)
        sizes = _sizes(n_components, train.shape[1], last)
        models = [clone(last).set_params(n_components=k).fit(train) for k in sizes]
        errors = [-float(model.score(held_out)) for model in models]
        pca_sizes, pca_errors, said = _errors_of_pca(
            models, train, held_out, min(errors)
        )
        display = cls(
            sizes,
            errors,
            pca_components=pca_sizes,
            pca_errors=pca_errors,
            loss_name=f"held-out {loss_label(models[0], steps)}",
            name=type(last).__name__,
            pca_name=said,
        )
        return display.plot(ax=ax, **kwargs)

    def plot(self, *, ax=None, **kwargs) -> "CodeSizeDisplay":
        """Draw the errors.

        Parameters
        ----------
        ax : Axes, default=None
            What to draw on; None makes a figure.
        **kwargs : dict
            For ``Axes.plot``, of the estimator's curve.

        Returns
        -------
        display : CodeSizeDisplay
        """
        ax = self._start(ax, 6.4, 4.4)
        sizes, errors = np.asarray(self.n_components), np.asarray(self.errors)
        style = {"color": COLORS[0], "marker": "o", "linewidth": 2, "zorder": 3}
        style["label"] = self.name
        self.lines_ = ax.plot(sizes, errors, **{**style, **kwargs})
        everything = errors
        if self.pca_components is not None and len(self.pca_components):
            label = self.pca_name
            compared = self._compared(sizes, errors)
            if compared is not None:
                k, n, level = compared
                label += f"\nneeds {n} components to be as good as {k}"
                arrow = {"arrowstyle": "<->", "color": text_color(), "shrinkA": 5}
                if n > 1.2 * k:  # an arrow needs room
                    ax.annotate("", (n, level), (k, level), arrowprops=arrow)
            pca = {"color": text_color(), "linestyle": "--", "label": label}
            pca["marker"] = "s" if len(self.pca_components) <= len(sizes) else None
            self.lines_ += ax.plot(self.pca_components, self.pca_errors, **pca)
            everything = np.concatenate([errors, self.pca_errors])
        from matplotlib.ticker import NullFormatter, NullLocator

        ax.set_xscale("log", base=2)
        shown = sizes if len(sizes) <= 10 else sizes[:: -(-len(sizes) // 10)]
        ax.set_xticks(shown, [str(k) for k in shown])
        ax.xaxis.set_minor_locator(NullLocator())
        ax.xaxis.set_minor_formatter(NullFormatter())
        if spans_decades(everything, 8.0):
            plain_log(ax.yaxis, everything)
        else:
            ax.set_ylim(bottom=0)
        ax.set(xlabel="components of the code", ylabel=wrapped(self.loss_name, ax))
        ax.legend()
        return self

    def _compared(self, sizes, errors):
        """A size, how many more components PCA needs for its error, and that error.

        Of several the size for which most are saved; None if there is none.
        """
        pca_sizes, pca_errors = map(np.asarray, (self.pca_components, self.pca_errors))
        if np.any(np.diff(pca_sizes) != 1):
            return None
        # Where PCA was kept, errors differ by rounding.
        needed = [pca_sizes[pca_errors <= _ALIKE * error] for error in errors]
        found = [
            (int(n[0]) - int(k), int(k), int(n[0]), error)
            for k, n, error in zip(sizes, needed, errors, strict=True)
            if len(n) and n[0] > k
        ]
        return max(found)[1:] if found else None


def _unfitted(estimator):
    """Clones of the steps before the last one, and the last one."""
    steps, last = steps_of(estimator)
    has_size = hasattr(last, "get_params") and "n_components" in last.get_params()
    if not has_size or not hasattr(last, "score") or not hasattr(last, "reconstruct"):
        raise TypeError(
            f"CodeSizeDisplay was given {estimator!r}, but a transformer of skae, with "
            "n_components, reconstruct and score, or a Pipeline that ends in one was "
            "expected."
        )
    return [clone(step) for step in steps], last


def _sizes(n_components, n_features, estimator):
    """The sizes to fit, in order."""
    sizes = sorted({int(k) for k in n_components})
    is_sparse = "sparsity" in estimator.get_params(deep=False)
    kept = [k for k in sizes if k < n_features or is_sparse]
    if not kept:
        raise ValueError(
            f"n_components={tuple(sizes)}, but X has {n_features} features, and a code "
            "is to be smaller: pass sizes below that."
        )
    if len(kept) < len(sizes) and n_components != _SIZES:
        warn(
            f"n_components={sizes[len(kept) :]} are left out: X has {n_features} "
            "features, and a code is to be smaller."
        )
    return kept


def _errors_of_pca(models, train, held_out, lowest):
    """Sizes of PCA, the error of each, and what they are called."""
    sizes = [model.n_components_ for model in models]
    power = _POWERS.get(loss_of(models[0])[0])
    if of_table(models[0]) or power is None:
        return _recorded(models, sizes)
    train, held_out = numbers(train), numbers(held_out)
    if not (np.isfinite(train).all() and np.isfinite(held_out).all()):
        return _recorded(models, sizes)
    most = min(len(train), train.shape[1])
    n = min(most, 8 * max(sizes))
    pca = PCA(n, random_state=0).fit(train)
    codes, left = numbers(pca.transform(held_out)), held_out - pca.mean_
    errors = []
    for k in range(n):
        left = left - np.outer(codes[:, k], pca.components_[k])
        errors.append(np.mean(np.abs(left) ** power))
        if errors[-1] <= lowest and k + 1 >= max(sizes):
            break
    first = min(sizes) - 1
    pca_sizes = list(range(1, len(errors) + 1))
    return pca_sizes[first:], errors[first:], "PCA"


def _recorded(models, sizes):
    found = [
        (k, getattr(m, "pca_loss_", None)) for k, m in zip(sizes, models, strict=True)
    ]
    found = [(k, loss) for k, loss in found if loss is not None]
    name = "PCA, on the rows held out in training"
    return [k for k, _ in found], [loss for _, loss in found], name
