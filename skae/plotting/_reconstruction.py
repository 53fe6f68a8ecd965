"""Rows and images, and what the autoencoder made of them."""

import numpy as np

from skae._tables.compared import Columns
from skae._tables.rows import names_of, taken
from skae._utils.sparse import dense
from skae.plotting._cells import scale_of, write
from skae.plotting._display import (
    FAULTS,
    SEQUENTIAL,
    Display,
    color_bar,
    diverging,
    frame,
    height_of,
    name_ticks,
    tile,
    value_range,
    wrapped,
)
from skae.plotting._given import (
    Fitted,
    check_count,
    images,
    in_memory,
    n_rows_of,
    numbers,
    of_table,
    refuse_images,
    sample,
)
from skae.plotting._tiles import GAP, image_grid, stacked_maps

# Columns of a table whose cells are written out.
_MOST_WRITTEN = 14
# Rows whose standard deviations are taken.
_MOST_ROWS = 10_000


class ReconstructionDisplay(Display):
    """Shows rows beside their reconstructions: what the code kept, and what it lost.

    From top to bottom: the rows, what the autoencoder read if that is something else,
    what it made of it, and the error, which is the reconstruction minus the rows.
    Colours of errors are symmetric about 0. Missing cells stay empty.

    Images have one scale of brightness for all but the error. Rows of numbers are a
    heat map, in standard deviations of each feature, so that features of other units
    can be compared. Of a table with categories or dates, cells are written out, and
    the colour is the error: in standard deviations of numbers, and 1 where another
    level came back.

    Parameters
    ----------
    X : array-like of shape (n_rows, n_features)
        Rows, in the units of the data.
    X_reconstructed : array-like of shape (n_rows, n_features)
        What was made of them.
    X_read : array-like of shape (n_rows, n_features), default=None
        What the autoencoder read, if not `X`.
    image_shape : tuple of int, default=None
        Height and width, and channels if there are any, of rows that are images.
    feature_names : list of str, default=None
        None numbers the features.
    center : array-like of shape (n_features,), default=None
        Means of the features, for heat maps; None are those of `X`.
    spread : array-like of shape (n_features,), default=None
        Their standard deviations, for heat maps and tables; None are those of `X`.

    Attributes
    ----------
    ax_ : Axes
        What was drawn on.
    figure_ : Figure
        What that is in.
    images_ : ndarray of AxesImage
        Of shape (n_blocks, n_rows) for images: the originals first, the errors last.
        Of shape (n_blocks,) for heat maps, each of all rows. Of shape (1,) for tables.

    Examples
    --------
    >>> from sklearn.datasets import load_digits
    >>> from skae import AutoencoderTransformer
    >>> from skae.plotting import ReconstructionDisplay
    >>> X, _ = load_digits(return_X_y=True)
    >>> autoencoder = AutoencoderTransformer(8, max_iter=5, random_state=0).fit(X)
    >>> display = ReconstructionDisplay.from_estimator(
    ...     autoencoder, X, image_shape=(8, 8)
    ... )
    >>> display.images_.shape  # originals, reconstructions and errors of six digits
    (3, 6)
    """

    def __init__(
        self,
        X,
        X_reconstructed,
        *,
        X_read=None,
        image_shape=None,
        feature_names=None,
        center=None,
        spread=None,
    ):
        self.X = X
        self.X_reconstructed = X_reconstructed
        self.X_read = X_read
        self.image_shape = image_shape
        self.feature_names = feature_names
        self.center = center
        self.spread = spread

    @classmethod
    def from_estimator(
        cls,
        estimator,
        X,
        *,
        X_read=None,
        image_shape=None,
        n_rows=6,
        feature_names=None,
        ax=None,
        **kwargs,
    ) -> "ReconstructionDisplay":
        """Draw rows and what a fitted transformer or detector makes of them.

        Parameters
        ----------
        estimator : estimator or Pipeline
            With `reconstruct`, or a Pipeline that ends in one. If its steps can be
            undone, all is drawn in the units of X, and else in those that the last step
            reads.
        X : array-like of shape (n_samples, n_features)
            Clean rows. The first `n_rows` are drawn; units of heat maps are standard
            deviations over all of them, or 10,000 if there are more.
        X_read : array-like of shape (n_samples, n_features), default=None
            What the autoencoder reads instead of X, such as corrupted rows. None is X.
        image_shape : tuple of int, default=None
            ``(height, width)`` or ``(height, width, channels)`` if rows are images.
        n_rows : int, default=6
            How many rows to draw, at the most.
        feature_names : list of str, default=None
            None are the names of the columns of X, if it has some. Up to 30 names are
            written.
        ax : Axes, default=None
            What to draw on; None makes a figure.
        **kwargs : dict
            For :meth:`plot`.

        Returns
        -------
        display : ReconstructionDisplay

        Raises
        ------
        NotFittedError
            If the estimator was not fitted.
        TypeError
            If it has no `reconstruct`, if rows are read in blocks, or if a table with
            categories is to be images.
        ValueError
            If `image_shape` does not multiply to the number of features, if `X_read`
            has other rows than X, or if `n_rows` is below 1.
        ImportError
            If matplotlib is not installed.
        """
        cls._check_matplotlib()
        advice = "a transformer or outlier detector of skae"
        fitted = Fitted.of(estimator, cls, ["reconstruct"], advice)
        X = in_memory(X, cls)
        corrupted = None if X_read is None else in_memory(X_read, cls)
        if corrupted is not None and n_rows_of(corrupted) != n_rows_of(X):
            raise ValueError(
                f"X_read has {n_rows_of(corrupted)} rows, but X has {n_rows_of(X)}: "
                "pass the same rows, as they are and as they are read."
            )
        refuse_images(fitted.last, image_shape)
        check_count("n_rows", n_rows)
        names = names_of(X, feature_names)
        chosen = np.arange(min(n_rows, n_rows_of(X)))
        given = [part for part in (X, corrupted) if part is not None]
        parts = [dense(taken(part, chosen)) for part in given]
        read = [fitted.through(part) for part in parts]
        made = fitted.last.reconstruct(read[-1])
        whole = sample(X, _MOST_ROWS)
        if of_table(fitted.last):
            scale = {"spread": Columns(fitted.through(whole)).deviations}
        else:
            if fitted.steps and fitted.is_undone:
                made, read = fitted.back(made), parts
            elif fitted.steps:
                whole = fitted.through(whole)
            if names is None or len(names) != made.shape[1]:
                names = names_of(
                    read[0], getattr(fitted.last, "feature_names_in_", None)
                )
            scale = {} if image_shape is not None else scale_of(numbers(whole))
        display = cls(
            read[0],
            made,
            X_read=None if corrupted is None else read[1],
            image_shape=image_shape,
            feature_names=names,
            **scale,
        )
        return display.plot(ax=ax, **kwargs)

    def plot(self, *, ax=None, cmap=None) -> "ReconstructionDisplay":
        """Draw the rows.

        Parameters
        ----------
        ax : Axes, default=None
            What to draw on; None makes a figure.
        cmap : str or Colormap, default=None
            Of images and rows, or of the errors of a table. None is "gray" for images,
            "magma_r" for tables and "viridis" for others.

        Returns
        -------
        display : ReconstructionDisplay
        """
        if self.image_shape is not None:
            return self._plot_images(ax, cmap or "gray")
        # Truth values that a model read as numbers come back as these.
        if Columns(self.X_reconstructed).are_mixed:
            return self._plot_table(ax, cmap or FAULTS)
        return self._plot_rows(ax, cmap or SEQUENTIAL)

    @property
    def _said(self):
        middle = [] if self.X_read is None else ["as read"]
        return ["original", *middle, "reconstructed", "error"]

    def _blocks(self):
        """Rows (n, n_features) as they are, as read and as they came back."""
        given = [self.X, self.X_read, self.X_reconstructed]
        return [numbers(part) for part in given if part is not None]

    def _plot_images(self, ax, cmap):
        blocks = [images(part, self.image_shape) for part in self._blocks()]
        errors = blocks[-1] - blocks[0]
        n_rows, (height, width) = len(errors), errors.shape[1:3]
        size = (1 + GAP) * n_rows, (1 + GAP) * (len(blocks) + 1) * height / width
        inch = min(1.1, 10 / size[0], 9 / size[1])
        ax = self._start(ax, inch * size[0] + 2.2, inch * size[1] + 0.3, "compressed")
        norm = value_range(blocks[0])
        if errors.ndim == 4:  # colours are no numbers on a scale
            blocks = [
                np.clip((b - norm["vmin"]) / (norm["vmax"] - norm["vmin"]), 0, 1)
                for b in blocks
            ]
            errors, norm = errors[..., :3].mean(axis=-1), {}
        else:
            norm["cmap"] = cmap
        colors, extend = diverging(errors)
        options = [norm] * len(blocks) + [colors]
        shown, _, tops = image_grid(ax, [*blocks, errors], options)
        self.images_ = np.array(shown, object).reshape(len(options), n_rows)
        ax.set_yticks(tops + height / 2, self._said)
        self._inset_bar(self.images_[-1, 0], 0.0, "error", extend)
        if norm:
            self._inset_bar(self.images_[0, 0], 0.55, "value", "neither")
        return self

    def _inset_bar(self, image, bottom, what, extend):
        """A colour bar as tall as nearly one half of the axes."""
        inset = self.ax_.inset_axes((1.02, bottom, 0.018, 0.45))
        bar = self.figure_.colorbar(image, cax=inset, extend=extend)
        bar.set_label(f"{what}\n(data units)")
        bar.outline.set_visible(False)

    def _plot_rows(self, ax, cmap):
        blocks = self._blocks()
        center, spread = self.center, self.spread
        if spread is None:
            center, spread = scale_of(blocks[0]).values()
        blocks = [(block - center) / spread for block in blocks]
        errors = blocks[-1] - blocks[0]
        n_rows, width = errors.shape
        gap = max(0.35, 0.1 * n_rows)
        n_blocks = len(blocks) + 1
        few = width <= 30
        ax = self._start(
            ax,
            np.clip(0.32 * width + 3.2, 5.5, 11) if few else 9.5,
            np.clip(0.24 * n_blocks * (n_rows + gap) + 1, 2.6, 11)
            + height_of(self.feature_names),
        )
        norm = value_range(np.concatenate(blocks))
        colors, extend = diverging(errors)
        options = [{"cmap": cmap, **norm}] * len(blocks) + [colors]
        maps = [*blocks, errors]
        shown = stacked_maps(ax, maps, options, self._said, self.feature_names, gap)
        self.images_ = np.array(shown, object)
        unit = "standard deviations"
        color_bar(shown[-1], ax, f"error ({unit})", extend)
        color_bar(shown[0], ax, f"value ({unit} from the mean)")
        return self

    def _plot_table(self, ax, cmap):
        blocks = [self.X, self.X_read, self.X_reconstructed]
        blocks = [Columns(block) for block in blocks if block is not None]
        given, made = blocks[0], blocks[-1]
        spread = given.deviations if self.spread is None else np.asarray(self.spread)
        errors = np.sqrt(given.errors(made)) / spread
        n_rows, width = errors.shape
        names = self.feature_names or [str(j) for j in range(width)]
        is_written = width <= _MOST_WRITTEN
        ax = self._start(
            ax,
            min(1.3 * width + 1.8, 15),
            (0.55 if is_written else 0.3) * n_rows + 1.2,
        )
        options = {"cmap": cmap, "vmin": 0, "vmax": 1}
        self.images_ = np.array([tile(ax, errors, 0, 0, **options)], object)
        frame(ax, width, n_rows)
        if is_written:
            write(ax, blocks, errors)
        name_ticks(ax.xaxis, np.arange(width) + 0.5, names, "feature")
        ax.xaxis.tick_top()
        ax.hlines(np.arange(1, n_rows), 0, width, color="white", linewidth=2)
        label = "error (standard deviations; 1 for another category)"
        color_bar(
            self.images_[0], ax, label, "max" if np.nanmax(errors) > 1 else "neither"
        )
        if is_written:
            said = " → ".join(self._said[:-1])
            said = f"each cell: {said}; ? is missing"
            ax.set_xlabel(wrapped(said, ax, is_x=True))
        return self
