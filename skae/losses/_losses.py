"""Losses of numbers, and what the parameter `loss` stands for."""

import math
from abc import abstractmethod
from numbers import Real

import numpy as np
import torch
from scipy.sparse import issparse
from torch.nn import functional as F

from skae._utils.compat import Interval
from skae._utils.part import Part, own_copy

_ROUNDING = 1e-6
# Each step leaves less than a quarter of the error, of 6 % after the first.
_UNIT_STEPS = 8


class Loss(Part):
    """Base of all losses: one number per cell, and their mean per sample.

    A network reads standardised rows (each feature shifted to mean 0, all of them
    divided by one global standard deviation) and its raw output is standardised too,
    unless the loss has a link of its own.

    Attributes
    ----------
    degree : int
        Multiplying the data by c > 0 multiplies the loss by ``c ** degree``.
    bounds : tuple of two floats or None
        The range that X must lie in; None means any finite value.
    """

    degree = 0
    bounds: tuple[float, float] | None = None
    # Raw output of another kind than rows: at most so much the loss is curved in it,
    # or in each of its columns.
    curvature: float | list[float] | None = None

    @abstractmethod
    def cells(self, output, target):
        """Loss of each cell, whose mean over the features is the loss of a sample.

        Parameters
        ----------
        output, target : Tensors of shape (n_samples, n_features)
            As for calls.

        Returns
        -------
        loss : Tensor of shape (n_samples, n_features)
        """

    def __call__(self, output, target):
        """Loss of each sample.

        Parameters
        ----------
        output : Tensor of shape (n_samples, n_features)
            Raw output of the decoder network.
        target : Tensor of shape (n_samples, n_features)
            What :meth:`target` made of the standardised rows.

        Returns
        -------
        loss : Tensor of shape (n_samples,)
            Lower is better.
        """
        return self.cells(output, target).mean(1)

    def target(self, rows, shift, scale):
        """What raw output is compared with, from standardised rows (n, d)."""
        return rows

    def expected(self, output):
        """The target (n, d) of which raw output says that it is the likeliest."""
        return output

    def link(self, rows, shift, scale):
        """Raw output whose reconstruction is the given standardised rows (n, d)."""
        return rows

    def to_data(self, output, shift, scale):
        """Raw output (n, d) in the units of the data, in double precision."""
        return output.double() * scale + shift

    def per_nat(self, loss, n_columns):
        """How much of a sample's mean loss weighs as much as a nat of probability.

        For noise of a scale at which losses as large as these are most likely.

        Parameters
        ----------
        loss : Tensor of shape ()
            The mean over the samples.
        n_columns : int or Tensor of shape ()
            Of which a sample's loss is the mean.
        """
        return loss * self.degree / n_columns if self.degree else 1 / n_columns

    def told(self, n_columns):
        """How many nats a loss of 1 is in each column (n_columns,).

        NaN where that depends on the noise, which is the likeliest one.
        """
        return torch.full((n_columns,), torch.nan if self.degree else 1.0)

    def surprise(self, losses, counts):
        """Minus the log-likelihood of rows (n,), with noise of the likeliest scale.

        Parameters
        ----------
        losses, counts : Tensors of shape (n,)
            The sum of a row's losses over columns with noise, and how many these are.
        """
        mean = losses.sum() / counts.sum().clamp(min=1)
        # No residual is known more exactly than single precision has it.
        mean = mean.clamp(min=torch.finfo(torch.float32).eps ** self.degree)
        unit = torch.as_tensor(self.per_nat(mean, 1))
        return losses / unit + counts * self._log_mass(unit)

    def _log_mass(self, unit):
        """The logarithm of what exp(-loss / unit) adds up to over all residuals."""
        if not self.degree:
            return 0.0
        return math.log(2 * math.gamma(1 + 1 / self.degree)) + unit.log() / self.degree


class SquaredError(Loss):
    """Squared error, the loss that PCA minimises.

    Examples
    --------
    >>> import torch
    >>> from skae.losses import SquaredError
    >>> SquaredError()(torch.tensor([[1.0, 3.0]]), torch.zeros(1, 2))
    tensor([5.])
    """

    degree = 2

    def cells(self, output, target):
        return F.mse_loss(output, target, reduction="none")


class AbsoluteError(Loss):
    """Absolute error, which outlying cells pull at less than at the squared error.

    Examples
    --------
    >>> import torch
    >>> from skae.losses import AbsoluteError
    >>> AbsoluteError()(torch.tensor([[1.0, -3.0]]), torch.zeros(1, 2))
    tensor([2.])
    """

    degree = 1

    def cells(self, output, target):
        return (output - target).abs()


class Huber(Loss):
    """Squared error for small residuals, absolute error for large ones.

    As smooth as the one and as robust as the other [1]_.

    Parameters
    ----------
    delta : float, default=0.5
        Where the one turns into the other, in global standard deviations of the
        data, so that rescaling the data changes nothing.

    References
    ----------
    .. [1] Huber, P. J. (1964). Robust estimation of a location parameter. Annals of
       Mathematical Statistics 35(1). :doi:`10.1214/aoms/1177703732`

    Examples
    --------
    >>> import torch
    >>> from skae.losses import Huber
    >>> Huber(delta=1.0)(torch.tensor([[1.0, 3.0]]), torch.zeros(1, 2))
    tensor([1.5000])
    """

    _parameter_constraints = {"delta": [Interval(Real, 0, None, closed="neither")]}
    degree = 2

    def __init__(self, delta=0.5):
        self.delta = delta

    def cells(self, output, target):
        return F.huber_loss(output, target, reduction="none", delta=self.delta)

    def per_nat(self, loss, n_columns):
        # Noise has the density exp(-loss / unit), normalised: of small residuals that
        # of a Gaussian, of large ones Laplace's. A cell tells half a nat of the one and
        # a whole one of the other, and in between what leaves the unit as it is.
        told = 0.5
        for _ in range(_UNIT_STEPS):
            tails, mass = self._masses(loss / told)
            told = 0.5 + tails / mass
        return loss / (told * n_columns)

    def _log_mass(self, unit):
        return (self._masses(unit)[1] * unit / self.delta).log()

    def _masses(self, unit):
        """Of a tail and in all, of the noise; in its units, times delta in them."""
        corner = self.delta / unit**0.5
        tail = torch.exp(-(corner**2) / 2)
        middle = corner * math.sqrt(2 * math.pi) * torch.erf(corner / math.sqrt(2))
        return tail, middle + 2 * tail


class LogLoss(Loss):
    """Binary cross-entropy, for data in [0, 1] such as pixels or probabilities.

    The raw output is a log-odds; the reconstruction is its logistic function.

    Examples
    --------
    >>> import torch
    >>> from skae.losses import LogLoss
    >>> LogLoss()(torch.zeros(1, 2), torch.tensor([[0.0, 1.0]]))
    tensor([0.6931])
    """

    bounds = (0.0, 1.0)
    curvature = 0.25

    def cells(self, output, target):
        return F.binary_cross_entropy_with_logits(output, target, reduction="none")

    def target(self, rows, shift, scale):
        return (rows * scale + shift).clamp(*self.bounds)

    def expected(self, output):
        return torch.sigmoid(output)

    def link(self, rows, shift, scale):
        # A linear reconstruction may leave [0, 1], where log-odds are infinite.
        return torch.logit(rows * scale + shift, eps=1e-3)

    def to_data(self, output, shift, scale):
        return torch.sigmoid(output.double())


LOSSES = {
    "squared_error": SquaredError,
    "absolute_error": AbsoluteError,
    "huber": Huber,
    "log_loss": LogLoss,
}


def as_loss(loss):
    """A loss from what the parameter `loss` holds: a name or an object."""
    return LOSSES[loss]() if isinstance(loss, str) else own_copy(loss)


def parameter_value(loss):
    """What the parameter `loss` would be for a loss, for messages."""
    names = [name for name, kind in LOSSES.items() if repr(kind()) == repr(loss)]
    return names[0] if names else loss


def check_bounds(X, loss):
    """Raise for values outside of the range that a loss needs."""
    if loss.bounds is None:
        return
    if issparse(X):
        ends = X.min(), X.max()
    else:  # of what is not missing
        ends = np.fmin.reduce(X, axis=None), np.fmax.reduce(X, axis=None)
    check_ends(*ends, loss)


def check_ends(smallest, largest, loss):
    """Raise where the least or the largest cell is outside of what a loss needs."""
    if loss.bounds is None:
        return
    low, high = loss.bounds
    smallest, largest = float(smallest), float(largest)
    # Scaling to the bounds may pass them by rounding.
    if smallest < low - _ROUNDING or largest > high + _ROUNDING:
        wrong = f"up to {largest!r}" if largest > high else f"down to {smallest!r}"
        raise ValueError(
            f"X has values {wrong}, but loss={parameter_value(loss)!r} needs X in "
            f"[{low:g}, {high:g}]: divide by the maximum or use "
            "MinMaxScaler(clip=True)."
        )
