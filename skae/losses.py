"""Losses: what an autoencoder minimises, and how its raw output becomes data."""

from abc import abstractmethod
from numbers import Real

import torch
from torch.nn import functional as F

from skae._compat import Interval
from skae._part import Part

__all__ = ["AbsoluteError", "Huber", "LogLoss", "Loss", "SquaredError"]


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
    bounds = None

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

    def link(self, rows, shift, scale):
        """Raw output whose reconstruction is the given standardised rows (n, d)."""
        return rows

    def to_data(self, output, shift, scale):
        """Raw output (n, d) in the units of the data, in double precision."""
        return output.double() * scale + shift

    def per_nat(self, loss, n_features):
        """How much of a sample's mean loss weighs as much as a nat of probability.

        For noise of a scale at which losses as large as these are most likely.
        """
        return loss * self.degree / n_features if self.degree else 1 / n_features

    def linear_decoder(self, code, target, pca):
        """Weight (d, k) and bias (d,) of a linear decoder for PCA's codes.

        PCA's own, unless the loss has a link.
        """
        return pca.components.T, pca.mean


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

    def cells(self, output, target):
        return F.binary_cross_entropy_with_logits(output, target, reduction="none")

    def target(self, rows, shift, scale):
        return (rows * scale + shift).clamp(*self.bounds)

    def link(self, rows, shift, scale):
        # A linear reconstruction may leave [0, 1], where log-odds are infinite.
        return torch.logit(rows * scale + shift, eps=1e-3)

    def to_data(self, output, shift, scale):
        return torch.sigmoid(output.double())

    def linear_decoder(self, code, target, pca):
        # Logistic regression of every feature on the codes. The Hessian is at most
        # a quarter of the design's Gram matrix, so that stepping with four times its
        # inverse never raises the loss, and one inverse serves all features
        # (Boehning and Lindsay, 1988, doi:10.1007/BF00049423).
        design = torch.cat([code, code.new_ones(len(code), 1)], 1)  # (n, k + 1)
        gram = design.double().T @ design.double()
        step = 4 * torch.linalg.pinv(gram, hermitian=True).to(code.dtype)
        beta = code.new_zeros(design.shape[1], target.shape[1])  # (k + 1, d)
        for _ in range(100):
            beta += step @ (design.T @ (target - torch.sigmoid(design @ beta)))
        return beta[:-1].T, beta[-1]


LOSSES = {
    "squared_error": SquaredError,
    "absolute_error": AbsoluteError,
    "huber": Huber,
    "log_loss": LogLoss,
}
