"""What each component of a code stands for."""

import numpy as np

from skae._tables.rows import names_of
from skae.plotting._display import (
    Display,
    color_bar,
    diverging,
    height_of,
)
from skae.plotting._given import (
    Fitted,
    check_count,
    images,
    in_memory,
    numbers,
    of_table,
    refuse_images,
    sample,
    unit_of,
)
from skae.plotting._tiles import GAP, image_grid, stacked_maps
from skae.plotting._walks import SIGMAS, as_numbers, atoms, order_of, walks

# Rows that quantiles of codes are of.
_MOST_ROWS = 10_000


class ComponentDisplay(Display):
    """Shows what each component of the code stands for.

    Of sparse codes, the atoms: what a component adds to a row. Of others, walks: one
    component goes from low to high, while the others stay where they are in the middle,
    and each step is decoded. Walks through variational codes go from -2 to 2 standard
    deviations of the prior; others from the 2nd to the 98th percentile of the codes of
    `X`, about their median. Components that change rows the most come first.

    Atoms, and walks that are drawn as heat maps, are differences: from what a code of
    zeros decodes to, and from the middle of the walk. Walks through images are images.

    Parameters
    ----------
    decoded : ndarray of shape (n_components, n_steps, n_features)
        What steps of walks decode to, low ones first, or differences that atoms make,
        with one step.
    components : array-like of int of shape (n_components,)
        Number of each component in the code.
    image_shape : tuple of int, default=None
        Height and width, and channels if there are any, of rows that are images.
    feature_names : list of str, default=None
        None numbers the features.
    unit : str, default="units of the data"
        Of what was decoded.
    ends : tuple of two str, default=("low", "high")
        What the first and last steps of walks are.

    Attributes
    ----------
    ax_ : Axes
        What was drawn on.
    figure_ : Figure
        What that is in.
    images_ : ndarray of AxesImage
        Of shape (n_components, n_steps) for images, of shape (n_components,) for heat
        maps of walks, and of shape (1,) for one of atoms.

    Examples
    --------
    >>> from sklearn.datasets import load_digits
    >>> from skae import VariationalAutoencoderTransformer
    >>> from skae.plotting import ComponentDisplay
    >>> X, _ = load_digits(return_X_y=True)
    >>> variational = VariationalAutoencoderTransformer(4, max_iter=5, random_state=0)
    >>> display = ComponentDisplay.from_estimator(
    ...     variational.fit(X), image_shape=(8, 8)
    ... )
    >>> display.images_.shape  # four walks of seven steps
    (4, 7)
    """

    def __init__(
        self,
        decoded,
        components,
        *,
        image_shape=None,
        feature_names=None,
        unit="units of the data",
        ends=("low", "high"),
    ):
        self.decoded = decoded
        self.components = components
        self.image_shape = image_shape
        self.feature_names = feature_names
        self.unit = unit
        self.ends = ends

    @classmethod
    def from_estimator(
        cls,
        estimator,
        X=None,
        *,
        image_shape=None,
        n_components=None,
        feature_names=None,
        ax=None,
        **kwargs,
    ) -> "ComponentDisplay":
        """Draw the components of a fitted transformer.

        Parameters
        ----------
        estimator : estimator or Pipeline
            With `transform` and `inverse_transform`, or a Pipeline that ends in one. If
            its steps can be inverted, components are decoded into the units of X.
        X : array-like of shape (n_samples, n_features), default=None
            Rows whose codes say what is low and high, and how much each component is
            used; 10,000 of them, if there are more. Only atoms and walks through
            variational codes do without. Where there are no images, features are drawn
            in their standard deviations over these rows.
        image_shape : tuple of int, default=None
            ``(height, width)`` or ``(height, width, channels)`` if rows are images.
        n_components : int, default=None
            How many components to draw, at the most. None is 64 atoms that are images,
            16 other atoms, and 8 walks.
        feature_names : list of str, default=None
            None are the names of the columns of X, if it has some. Up to 30 names are
            written.
        ax : Axes, default=None
            What to draw on; None makes a figure.
        **kwargs : dict
            For :meth:`plot`.

        Returns
        -------
        display : ComponentDisplay

        Raises
        ------
        NotFittedError
            If the estimator was not fitted.
        TypeError
            If it has no `inverse_transform`, if rows are read in blocks, or if a table
            with categories is to be images.
        ValueError
            If X is needed and not given, or if `image_shape` does not multiply to the
            number of features.
        ImportError
            If matplotlib is not installed.
        """
        cls._check_matplotlib()
        advice = "a whole transformer of skae"
        needs = ["transform", "inverse_transform"]
        fitted = Fitted.of(estimator, cls, needs, advice)
        last, is_sparse = fitted.last, hasattr(fitted.last, "dead_fraction_")
        has_prior = hasattr(last, "kl_per_component_")
        if X is None and not (is_sparse or has_prior):
            raise ValueError(
                "X is None, but walks go between quantiles of codes, which rows have: "
                "pass some, such as those of fit."
            )
        is_table = of_table(last)
        refuse_images(last, image_shape)
        names = names_of(X, feature_names)
        if names is None and hasattr(estimator, "feature_names_in_"):
            names = [str(name) for name in estimator.feature_names_in_]
        codes = rows = None
        if X is not None:
            X = in_memory(X, cls)
            rows = sample(X, _MOST_ROWS)
            read = fitted.through(rows)
            codes = numbers(last.transform(read))
            rows = rows if fitted.is_undone else read
        size = last.n_components_ if codes is None else codes.shape[1]
        steps = atoms(codes, size) if is_sparse else walks(codes, size, has_prior)
        flat = np.vstack([steps.reshape(-1, size), np.zeros((1, size))])
        made = last.inverse_transform(flat)
        if fitted.is_undone:
            made = fitted.back(made)
        made, spread, names = as_numbers(made, rows, names, is_table)
        decoded = made[:-1].reshape(size, steps.shape[1], -1)
        if is_sparse:
            decoded = decoded - made[-1]
        is_scaled = image_shape is None and spread is not None
        if is_scaled:
            decoded = decoded / spread
        order = order_of(decoded, codes if is_sparse else None, steps)
        if n_components is not None:
            check_count("n_components", n_components)
        else:
            n_components = (16 if image_shape is None else 64) if is_sparse else 8
        order = order[:n_components]
        unit = unit_of([] if fitted.is_undone else fitted.steps)
        unit = "standard deviations" if is_scaled else unit
        ends = ("2nd percentile", "98th percentile")
        if has_prior:
            ends = (f"{-SIGMAS:g} SD", f"{SIGMAS:g} SD")
        display = cls(
            decoded[order],
            order,
            image_shape=image_shape,
            feature_names=names,
            unit=unit + (", 0 or 1 of levels" if is_table else ""),
            ends=ends,
        )
        return display.plot(ax=ax, **kwargs)

    def plot(self, *, ax=None, cmap=None) -> "ComponentDisplay":
        """Draw the components.

        Parameters
        ----------
        ax : Axes, default=None
            What to draw on; None makes a figure.
        cmap : str or Colormap, default=None
            None is "gray" for walks through images, and "RdBu_r" for differences.

        Returns
        -------
        display : ComponentDisplay
        """
        decoded = np.asarray(self.decoded, dtype=np.float64)
        are_atoms = decoded.shape[1] == 1
        if self.image_shape is None:
            return self._plot_maps(ax, cmap, decoded, are_atoms)
        n, n_steps = decoded.shape[:2]
        tiles = images(decoded.reshape(n * n_steps, -1), self.image_shape)
        height, width = tiles.shape[1:3]
        options, extend = {}, "neither"
        if are_atoms and tiles.ndim == 3:
            options, extend = diverging(tiles)
        elif tiles.ndim == 3:
            low, high = np.quantile(tiles, [0.01, 0.99])
            options = {"cmap": "gray", "vmin": low, "vmax": high}
        else:
            tiles = np.clip((tiles - tiles.min()) / np.ptp(tiles), 0, 1)
        options |= {} if cmap is None else {"cmap": cmap}
        n_columns = int(np.ceil(np.sqrt(1.6 * n))) if are_atoms else n_steps
        n_lines = -(-len(tiles) // n_columns)
        above = 0.28 if are_atoms else GAP  # room for the number of each atom
        inch = min(0.85, 10 / n_columns, 9 * width / height / n_lines)
        size = (
            inch * (1 + GAP) * n_columns,
            inch * (1 + above) * n_lines * height / width,
        )
        ax = self._start(ax, size[0] + 2, size[1] + 0.8, "compressed")
        lines = [tiles[i : i + n_columns] for i in range(0, len(tiles), n_columns)]
        first = above if are_atoms else 0.0
        shown, lefts, tops = image_grid(ax, lines, [options] * n_lines, above, first)
        self.images_ = np.array(shown, object).reshape(n, n_steps)
        if are_atoms:
            text = {"ha": "center", "va": "bottom", "fontsize": "x-small"}
            for i, j in enumerate(self.components):
                place = lefts[i % n_columns] + width / 2, tops[i // n_columns]
                ax.text(*place, j, **text)
        if are_atoms:
            ax.set_xlabel("above each: the number of the component")
            if tiles.ndim == 3:
                label = f"what the component adds ({self.unit})"
                color_bar(shown[0], ax, label, extend, shrink=0.7)
            return self
        ax.set_yticks(tops + height / 2, self._names_of_components())
        middles = lefts + width / 2
        ax.set_xticks(middles[[0, -1]], self.ends)
        ax.set_xlabel("the component, from low to high")
        if tiles.ndim == 3:
            color_bar(shown[0], ax, f"value ({self.unit})", shrink=0.5)
        return self

    def _names_of_components(self):
        return [f"component {j}" for j in self.components]

    def _plot_maps(self, ax, cmap, decoded, are_atoms):
        n, n_steps, width = decoded.shape
        maps = decoded if are_atoms else decoded - decoded[:, [n_steps // 2]]
        options, extend = diverging(maps)
        options |= {} if cmap is None else {"cmap": cmap}
        ax = self._start(
            ax,
            np.clip(0.32 * width + 3.4, 5.5, 11) if width <= 30 else 9.5,
            np.clip(n * (0.26 if are_atoms else 0.62) + 1.2, 2.6, 10)
            + height_of(self.feature_names),
        )
        blocks = [maps[:, 0]] if are_atoms else list(maps)
        shown = stacked_maps(
            ax,
            blocks,
            [options] * len(blocks),
            self._names_of_components(),
            self.feature_names,
            gap=1,
        )
        self.images_ = np.array(shown, object)
        what = "what it adds" if are_atoms else "change along the walk"
        if not are_atoms:
            said = f"each walk goes down, from {self.ends[0]} to {self.ends[1]}"
            ax.set_title(said, fontsize="medium", loc="left")
        color_bar(shown[0], ax, f"{what} ({self.unit})", extend)
        return self
