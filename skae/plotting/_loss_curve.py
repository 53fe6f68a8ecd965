"""The loss by epoch, beside that of PCA."""

import numpy as np

from skae.plotting._display import (
    COLORS,
    Display,
    plain_log,
    spans_decades,
    text_color,
    wrapped,
)
from skae.plotting._given import Fitted, loss_label


class LossCurveDisplay(Display):
    """Shows how a training went: is the network worth it, and was it long enough?

    The loss of training and of held-out rows by epoch, the loss of PCA as the line to
    beat, and the epoch that was kept. The scale is logarithmic where losses span more
    than a factor of 20.

    Parameters
    ----------
    loss_curve : array-like of shape (n_iter,)
        Training loss of each epoch.
    validation_loss_curve : array-like of shape (n_iter,), default=None
        Loss of held-out rows after each epoch.
    pca_loss : float, default=None
        Loss of PCA on the same rows.
    best_iter : int, default=None
        The epoch that was kept, counted from 1; 0 is PCA.
    loss_name : str, default="loss"
        What the loss is, with its units.
    training_name : str, default="training"
        What the first curve is called.

    Attributes
    ----------
    ax_ : Axes
        What was drawn on.
    figure_ : Figure
        What that is in.
    lines_ : list of Line2D
        The curves, training first.
    pca_line_ : Line2D or None
        The line to beat.

    See Also
    --------
    CodeSizeDisplay : The loss by the size of the code.

    Examples
    --------
    >>> from sklearn.datasets import load_digits
    >>> from skae import AutoencoderTransformer
    >>> from skae.plotting import LossCurveDisplay
    >>> X, _ = load_digits(return_X_y=True)
    >>> autoencoder = AutoencoderTransformer(8, max_iter=5, random_state=0).fit(X)
    >>> display = LossCurveDisplay.from_estimator(autoencoder)
    >>> display.ax_.get_xlabel()
    'epoch'
    """

    def __init__(
        self,
        loss_curve,
        *,
        validation_loss_curve=None,
        pca_loss=None,
        best_iter=None,
        loss_name="loss",
        training_name="training",
    ):
        self.loss_curve = loss_curve
        self.validation_loss_curve = validation_loss_curve
        self.pca_loss = pca_loss
        self.best_iter = best_iter
        self.loss_name = loss_name
        self.training_name = training_name

    @classmethod
    def from_estimator(cls, estimator, *, ax=None, **kwargs) -> "LossCurveDisplay":
        """Draw the losses of a fitted transformer.

        Parameters
        ----------
        estimator : estimator or Pipeline
            A fitted transformer of this package, an imputer, or a Pipeline that ends in
            one. Of a detector, pass one of its `autoencoders_`.
        ax : Axes, default=None
            What to draw on; None makes a figure.
        **kwargs : dict
            For :meth:`plot`.

        Returns
        -------
        display : LossCurveDisplay

        Raises
        ------
        NotFittedError
            If the estimator was not fitted.
        TypeError
            If it has no `loss_curve_`.
        ImportError
            If matplotlib is not installed.
        """
        cls._check_matplotlib()
        advice = "a transformer of skae, such as one of a detector's autoencoders_"
        fitted = Fitted.of(estimator, cls, ["loss_curve_"], advice)
        last = fitted.last
        display = cls(
            last.loss_curve_,
            validation_loss_curve=getattr(last, "validation_loss_curve_", None),
            pca_loss=getattr(last, "pca_loss_", None),
            best_iter=getattr(last, "best_iter_", None),
            loss_name=loss_label(last, fitted.steps),
            training_name=_training_name(last),
        )
        return display.plot(ax=ax, **kwargs)

    def plot(self, *, ax=None, legend=True, **kwargs) -> "LossCurveDisplay":
        """Draw the losses.

        Parameters
        ----------
        ax : Axes, default=None
            What to draw on; None makes a figure.
        legend : bool, default=True
            Whether to draw the legend.
        **kwargs : dict
            For ``Axes.plot``, of both curves.

        Returns
        -------
        display : LossCurveDisplay
        """
        ax = self._start(ax, 6.4, 4.2)
        training, held_out = np.asarray(self.loss_curve), self.validation_loss_curve
        epochs = np.arange(1, len(training) + 1)
        first = {"color": COLORS[1], "linestyle": "--", "label": self.training_name}
        marker = "o" if len(epochs) == 1 else None
        self.lines_ = ax.plot(epochs, training, **{"marker": marker, **first, **kwargs})
        kept_curve = training
        if held_out is not None:
            kept_curve = np.asarray(held_out)
            second = {"color": COLORS[0], "label": "held-out rows", "linewidth": 2}
            self.lines_ += ax.plot(
                epochs, kept_curve, **{"marker": marker, **second, **kwargs}
            )
        self.pca_line_ = None
        if self.pca_loss is not None:
            said = "PCA" if self.best_iter != 0 else "kept: PCA"
            self.pca_line_ = ax.axhline(
                self.pca_loss,
                color=text_color(),
                linestyle=":" if self.best_iter != 0 else "-",
                label=said,
            )
        if self.best_iter:
            self._mark(ax, kept_curve[self.best_iter - 1])
        drawn = [line.get_ydata() for line in self.lines_]
        drawn += [] if self.pca_line_ is None else [[self.pca_loss]]
        losses = np.concatenate(drawn)
        if spans_decades(losses):
            plain_log(ax.yaxis, losses[np.isfinite(losses)])
        ax.xaxis.get_major_locator().set_params(integer=True)
        ax.set(xlabel="epoch", ylabel=wrapped(self.loss_name, ax))
        if legend:
            ax.legend()
        return self

    def _mark(self, ax, loss):
        """Mark the epoch that was kept."""
        said = f"kept: epoch {self.best_iter}"
        if self.pca_loss and np.isfinite(loss):
            gain = 1 - loss / self.pca_loss
            side = "below" if gain >= 0 else "above"
            said += f", {abs(gain):.0%} {side} PCA"
        place = {"linestyle": "none", "marker": "D", "markersize": 8, "zorder": 3}
        colors = {"color": COLORS[0], "markeredgecolor": text_color()}
        ax.plot([self.best_iter], [loss], **place, **colors, label=said)


def _training_name(estimator):
    """What the training loss is of, which may have more in it than the other one."""
    params = estimator.get_params(deep=False)
    is_penalised = (
        params.get("penalty") is not None
        or "beta" in params
        or "n_projections" in params
        or params.get("sparsity", "top_k") != "top_k"
    )
    extras = ["penalty"] if is_penalised else []
    if params.get("corruption") is not None or "noise" in params:
        extras.append("corruption")
    return " with ".join(["training", " and ".join(extras)] if extras else ["training"])
