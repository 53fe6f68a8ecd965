"""Corruptions: what is done to the rows that a denoising autoencoder reads."""

from abc import abstractmethod
from copy import copy
from functools import partial
from numbers import Real

import numpy as np
import torch
from sklearn.base import clone

from skae._utils.compat import Interval
from skae._utils.part import FunctionPart, Part, check_takes, own_copy

__all__ = [
    "Corruption",
    "Gaussian",
    "LevelCorruption",
    "Masking",
    "SaltAndPepper",
    "Swap",
]


class Corruption(Part):
    """Base of all corruptions: standardised rows in, corrupted rows out.

    A corruption takes part in the training step only: it is never in the network, so
    that ``transform``, ``inverse_transform`` and saved weights are free of noise.
    """

    is_neutral = False

    def prepared(self, mean):
        """This corruption for rows that were shifted to mean 0.

        Parameters
        ----------
        mean : Tensor of shape (n_features,)
            What was subtracted from the rows, in the same units and on the same
            device: ``X + mean`` are the rows as they were, but for their scale and
            one constant that is the same for all features.

        Returns
        -------
        corruption : callable
            Most corruptions don't depend on the mean, and return themselves.
        """
        return self

    def for_hidden_cells(self):
        """This corruption for the cells of a hidden layer."""
        return self

    @abstractmethod
    def __call__(self, X, generator):
        """Corrupted copy of X.

        Parameters
        ----------
        X : Tensor of shape (n_samples, n_features)
            Rows in global standard deviations around each feature's mean.
        generator : torch.Generator
            Where all random numbers come from; on the device of X.

        Returns
        -------
        X_corrupted : Tensor of shape (n_samples, n_features)
            X itself is left as it is.
        """


class LevelCorruption(Corruption):
    """Base of corruptions of a level: how much, or how often.

    Parameters
    ----------
    level : float or array-like of shape (n_features,)
        How much, or how often; for all features or for each. 0 leaves the rows as they
        are.
    """

    _parameter_constraints = {
        "level": [Interval(Real, 0, 1, closed="both"), "array-like"]
    }
    _highest = 1.0

    def __init__(self, level):
        self.level = level

    @property
    def is_neutral(self):
        """Whether it changes nothing."""
        return not np.any(self.level)

    def prepared(self, mean):
        """The same with its level as a tensor, where there is one for each feature.

        Raises
        ------
        ValueError
            If there are levels for another number of features, or out of range.
        """
        if isinstance(self.level, Real):
            return self
        level = torch.as_tensor(np.asarray(self.level, float), dtype=torch.float32)
        if level.shape != mean.shape:
            raise ValueError(
                f"level has shape {tuple(level.shape)}, but X has {len(mean)} "
                "features: give one level for all features or one for each."
            )
        if not bool(((level >= 0) & (level <= self._highest)).all()):
            raise ValueError(
                f"level has values from {float(level.min()):g} to "
                f"{float(level.max()):g}, but they must be from 0 to {self._highest:g}."
            )
        prepared = copy(self)
        prepared.level = level.to(mean.device)
        return prepared

    def for_hidden_cells(self):
        # Levels of single features say nothing of hidden cells: theirs is the mean.
        return clone(self).set_params(level=float(np.mean(self.level)))


def _chosen(X, level, generator):
    """Mask (n, d) that is True for a share `level` of the cells."""
    return torch.empty_like(X).uniform_(generator=generator) < level


class Gaussian(LevelCorruption):
    """Additive Gaussian noise.

    Parameters
    ----------
    level : float or array-like of shape (n_features,), default=1.0
        Standard deviation, in global standard deviations of the data; for all
        features or for each.

    Examples
    --------
    >>> import torch
    >>> from skae.corruptions import Gaussian
    >>> rng = torch.Generator().manual_seed(0)
    >>> Gaussian(0.1)(torch.zeros(1000, 2), rng).std().round(decimals=2)
    tensor(0.1000)
    """

    _parameter_constraints = {
        "level": [Interval(Real, 0, None, closed="left"), "array-like"]
    }
    _highest = float("inf")

    def __init__(self, level=1.0):
        super().__init__(level)

    def __call__(self, X, generator):
        return torch.empty_like(X).normal_(generator=generator).mul_(self.level).add_(X)


class Masking(LevelCorruption):
    """Cells replaced by the mean of their feature.

    The corruption of the first denoising autoencoders [1]_: missing values.

    Parameters
    ----------
    level : float or array-like of shape (n_features,), default=0.5
        Share of the cells, in [0, 1], of all features or of each.

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

    def __init__(self, level=0.5):
        super().__init__(level)

    def __call__(self, X, generator):
        return X.masked_fill(_chosen(X, self.level, generator), 0.0)


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
        step = torch.randint(1, n, X.shape, generator=generator, device=X.device)
        donor = (torch.arange(n, device=X.device)[:, None] + step) % n  # (n, d)
        return torch.where(_chosen(X, self.level, generator), X.gather(0, donor), X)


NOISES = {
    "gaussian": Gaussian,
    "masking": Masking,
    "salt_and_pepper": SaltAndPepper,
    "swap": Swap,
}


class NoCorruption(Corruption):
    """Rows as they are: what ``corruption=None`` stands for."""

    is_neutral = True

    def __call__(self, X, generator):
        return X


class FunctionCorruption(FunctionPart, Corruption):
    """A user's function ``(X, generator) -> X`` as a corruption."""

    def for_hidden_cells(self):
        return NoCorruption()  # the function may know the features

    def __call__(self, X, generator):
        return self.function(X, generator)


def as_corruption(corruption):
    """A corruption from what the parameter `corruption` holds."""
    if corruption is None:
        return NoCorruption()
    corruption = own_copy(corruption)
    if not isinstance(corruption, Corruption):
        check_takes(corruption, "corruption", "X, generator")
        return FunctionCorruption(corruption)
    return NoCorruption() if corruption.is_neutral else corruption
