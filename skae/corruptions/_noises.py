"""Corruptions of cells: noise, and cells replaced or hidden."""

from copy import copy
from functools import partial
from numbers import Real

import numpy as np
import torch

from skae._utils.compat import Interval, StrOptions
from skae.corruptions._corruption import LevelCorruption


class Gaussian(LevelCorruption):
    """Additive Gaussian noise.

    Parameters
    ----------
    level : float or array-like of shape (n_features,), default=1.0
        Standard deviation, in global standard deviations of the data; for all
        features or for each.
    bounds : tuple of two floats, default=None
        The lowest and the highest value that noisy cells can have, in the units of the
        data: of pixels, what a camera cuts off. Fits to shifted or multiplied data are
        then the same only where the bounds are shifted or multiplied as well. Layers
        that are trained one after the other have no bounds.

    Examples
    --------
    >>> import torch
    >>> from skae.corruptions import Gaussian
    >>> rng = torch.Generator().manual_seed(0)
    >>> Gaussian(0.1)(torch.zeros(1000, 2), rng).std().round(decimals=2)
    tensor(0.1000)
    """

    _parameter_constraints = {
        "level": [Interval(Real, 0, None, closed="left"), "array-like"],
        "bounds": [tuple, list, None],
    }
    _highest = float("inf")
    _range: tuple | None = None  # lowest and highest cells (d,) in standard units

    def __init__(self, level=1.0, bounds=None):
        super().__init__(level)
        self.bounds = bounds

    def for_columns(self, of_column):
        if self.bounds is not None:
            raise ValueError(
                f"{self!r} cuts off numbers, but categories have none: use "
                "bounds=None for tables."
            )
        return super().for_columns(of_column)

    def in_units(self, shift, scale):
        if self.bounds is None:
            return self
        low, high = _checked_bounds(self)
        prepared = copy(self)
        ends = [torch.tensor((end - shift) / scale).float() for end in (low, high)]
        prepared._range = tuple(ends)
        return prepared

    def prepared(self, mean):
        prepared = copy(super().prepared(mean))
        if self._range is not None:
            prepared._range = tuple(end.to(mean.device) for end in self._range)
        return prepared

    def for_hidden_cells(self):
        return super().for_hidden_cells().set_params(bounds=None)

    def __call__(self, X, generator):
        noisy = self._noise(X, generator).add_(X)
        return noisy if self._range is None else noisy.clamp_(*self._range)


def _checked_bounds(noise):
    """The bounds of a noise as two floats, the lower one first."""
    bounds = noise.bounds
    is_pair = len(bounds) == 2 and all(isinstance(end, Real) for end in bounds)
    if not is_pair or not -np.inf < bounds[0] < bounds[1] < np.inf:
        raise ValueError(
            f"bounds={bounds!r}, but two finite numbers were expected, the lower one "
            "first, such as (0, 255) for pixels."
        )
    return float(bounds[0]), float(bounds[1])


class Masking(LevelCorruption):
    """Cells replaced by the mean of their feature, or by one value.

    The corruption of the first denoising autoencoders [1]_. The network is not told
    which cells they are: see :class:`Missing`. A value is that of cells which fail:
    dead pixels are dark, and the mean of their feature is not.

    Parameters
    ----------
    level : float or array-like of shape (n_features,), default=0.5
        Share of the cells, in [0, 1], of all features or of each.
    value : "mean" or float, default="mean"
        What cells are replaced by: the mean of their feature, or a value in the units
        of the data. With a value, fits to shifted or multiplied data are the same only
        where the value is shifted or multiplied as well. Layers that are trained one
        after the other mask hidden cells by their mean.

    References
    ----------
    .. [1] Vincent, P., Larochelle, H., Bengio, Y., Manzagol, P.-A. (2008). Extracting
       and composing robust features with denoising autoencoders. ICML.
       :doi:`10.1145/1390156.1390294`

    Examples
    --------
    >>> import torch
    >>> from skae.corruptions import Masking
    >>> rng = torch.Generator().manual_seed(0)
    >>> Masking(0.25)(torch.ones(1000, 2), rng).mean().round(decimals=1)
    tensor(0.7000)
    """

    _parameter_constraints = {
        **LevelCorruption._parameter_constraints,
        "value": [StrOptions({"mean"}), Interval(Real, None, None, closed="neither")],
    }
    _fill: torch.Tensor | None = None  # values in standard units; None are means

    def __init__(self, level=0.5, value="mean"):
        super().__init__(level)
        self.value = value

    def for_columns(self, of_column):
        if self.value != "mean":
            raise ValueError(
                f"{self!r} replaces cells by a number, but categories have none: use "
                "Swap, Missing, or Masking with value='mean'."
            )
        return super().for_columns(of_column)

    def in_units(self, shift, scale):
        if self.value == "mean":
            return self
        prepared = copy(self)
        prepared._fill = torch.tensor((self.value - shift) / scale).float()
        return prepared

    def prepared(self, mean):
        prepared = copy(super().prepared(mean))
        if self._fill is not None:
            prepared._fill = self._fill.to(mean.device)
        return prepared

    def for_hidden_cells(self):
        return super().for_hidden_cells().set_params(value="mean")

    def __call__(self, X, generator):
        chosen = self._chosen(X, generator)
        if self._fill is None:
            return X.masked_fill(chosen, 0.0)
        return torch.where(chosen, self._fill, X)


class Missing(LevelCorruption):
    """Cells hidden, and the network told which, as of those that are missing.

    What training on rows with missing cells adds, so that the network learns to fill
    them: at all rates, drawn for each row, so that rows of few and of many cells are
    understood. The loss counts hidden cells as it does the others.

    Parameters
    ----------
    level : float or array-like of shape (n_features,), default=0.6
        Highest share of the cells hidden, in [0, 1], of all features or of each: that
        of a row is drawn evenly from 0 to `level`.
    seen_weight : float, default=1.0
        What cells that are not hidden count for in the loss, hidden ones being 1. Less
        is for filling cells, more for the reconstruction of rows.

    Examples
    --------
    >>> import torch
    >>> from skae.corruptions import Missing
    >>> rng = torch.Generator().manual_seed(0)
    >>> hidden = Missing(0.6)(torch.ones(10_000, 2), rng).isnan()
    >>> hidden.float().mean().round(decimals=1)
    tensor(0.3000)
    """

    _parameter_constraints = {
        **LevelCorruption._parameter_constraints,
        "seen_weight": [Interval(Real, 0, None, closed="neither")],
    }
    hides = True

    def __init__(self, level=0.6, seen_weight=1.0):
        super().__init__(level)
        self.seen_weight = seen_weight

    def for_hidden_cells(self):
        # Hidden cells are always there: half of the level is its mean.
        return Masking(float(np.mean(self.level)) / 2)

    def __call__(self, X, generator):
        rate = X.new_empty(len(X), 1).uniform_(generator=generator)
        draw = self._per_column(X, lambda t: t.uniform_(generator=generator))
        return X.masked_fill(self._cells(draw < rate * self.level), float("nan"))


class NoisyMasking(LevelCorruption):
    """Cells replaced by the mean of their feature, and the others noisy.

    Masking and Gaussian noise at once, of one strength: neither the few cells that a
    feature stands out in nor its exact values can be relied on. Codes are features for
    images and tables alike, where either of the two alone serves some.

    Parameters
    ----------
    level : float or array-like of shape (n_features,), default=0.5
        Share of the cells masked, in [0, 1], of all features or of each. The noise of
        the others has a standard deviation of twice as many global standard deviations
        of the data.

    Examples
    --------
    >>> import torch
    >>> from skae.corruptions import NoisyMasking
    >>> rng = torch.Generator().manual_seed(0)
    >>> seen = NoisyMasking(0.4)(torch.ones(10_000, 2), rng)
    >>> (seen == 0).float().mean().round(decimals=1)
    tensor(0.4000)
    >>> seen[seen != 0].std().round(decimals=1)
    tensor(0.8000)
    """

    def __init__(self, level=0.5):
        super().__init__(level)

    def __call__(self, X, generator):
        noise = self._noise(X, generator).mul_(2)
        return noise.add_(X).masked_fill_(self._chosen(X, generator), 0.0)


class SaltAndPepper(LevelCorruption):
    """Cells replaced by the lowest or the highest value of the data.

    Burnt-out and saturated pixels, dead and overflowing sensors; see [1]_. Lowest and
    highest are those of the batch, over all features.

    Parameters
    ----------
    level : float or array-like of shape (n_features,), default=0.1
        Share of the cells, in [0, 1], of all features or of each; half of
        them low, half of them high.

    References
    ----------
    .. [1] Vincent, P., Larochelle, H., Lajoie, I., Bengio, Y., Manzagol, P.-A. (2010).
       Stacked denoising autoencoders. JMLR 11.
       https://jmlr.org/papers/v11/vincent10a.html

    Examples
    --------
    >>> import torch
    >>> from skae.corruptions import SaltAndPepper
    >>> rng = torch.Generator().manual_seed(0)
    >>> SaltAndPepper(1.0)(torch.tensor([[0.0, 1.0, 2.0]] * 2), rng).unique()
    tensor([0., 2.])
    """

    def __init__(self, level=0.1):
        super().__init__(level)

    def __call__(self, X, generator):
        return self._replace(torch.zeros(()), X, generator)

    def for_columns(self, of_column):
        raise ValueError(
            f"{self!r} replaces cells by the lowest or highest value of the data, but "
            "categories have none: use Swap, Masking or Missing."
        )

    def prepared(self, mean):
        # A common shift would only round off the data.
        return partial(super().prepared(mean)._replace, mean - mean.median())

    def _replace(self, mean, X, generator):
        unshifted = X + mean
        draw = torch.empty_like(X).uniform_(generator=generator)
        low, high = unshifted.amin(), unshifted.amax()
        extreme = torch.where(draw < self.level / 2, low, high) - mean
        return torch.where(draw < self.level, extreme, X)


class Swap(LevelCorruption):
    """Cells replaced by the same feature's value in another row of the batch.

    Keeps every feature's own distribution, so that it suits tables of mixed columns.

    Parameters
    ----------
    level : float or array-like of shape (n_features,), default=0.15
        Share of the cells, in [0, 1], of all features or of each.

    Examples
    --------
    >>> import torch
    >>> from skae.corruptions import Swap
    >>> rng = torch.Generator().manual_seed(0)
    >>> X = torch.arange(6.0).reshape(3, 2)
    >>> bool((Swap(1.0)(X, rng) != X).all())
    True
    """

    def __init__(self, level=0.15):
        super().__init__(level)

    def __call__(self, X, generator):
        n = len(X)
        if n == 1:
            return X.clone()
        # From another row: 1 to n - 1 rows further on, around the end of the batch.
        step = self._per_column(X, lambda t: _steps(t.shape, X.device, generator))
        donor = (torch.arange(n, device=X.device)[:, None] + self._cells(step)) % n
        return torch.where(self._chosen(X, generator), X.gather(0, donor), X)


def _steps(shape, device, generator):
    """How many rows further on donors are, from 1 to n - 1 of n."""
    return torch.randint(1, shape[0], shape, generator=generator, device=device)


NOISES = {
    "gaussian": Gaussian,
    "masking": Masking,
    "missing": Missing,
    "noisy_masking": NoisyMasking,
    "salt_and_pepper": SaltAndPepper,
    "swap": Swap,
}
