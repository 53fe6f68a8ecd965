"""Penalties: what constrains the code, added to the loss while training."""

from abc import abstractmethod
from numbers import Real

from skae._compat import Interval
from skae._part import Part

__all__ = ["L1", "Penalty"]


class Penalty(Part):
    """Base of all penalties: one number for a batch, added to its mean loss.

    Inputs, codes and outputs are in the network's units: divided by the data's
    global standard deviation, so that a penalty's strength does not depend on the
    scale of the data.
    """

    @abstractmethod
    def __call__(self, network, X, code, output):
        """Penalty of a batch.

        Parameters
        ----------
        network : torch.nn.Module
            With ``encode`` and ``decode``.
        X : Tensor of shape (n_samples, n_features)
            What the network read: standardised and, where the estimator has a
            corruption, corrupted rows.
        code : Tensor of shape (n_samples, n_components)
            ``network.encode(X)``.
        output : Tensor of shape (n_samples, n_features)
            ``network.decode(code)``.

        Returns
        -------
        penalty : Tensor of shape ()
            The mean over the batch.
        """


class L1(Penalty):
    """Mean absolute value of the code, which pulls its components to zero.

    Parameters
    ----------
    alpha : float, default=0.01
        Strength. 0 is no penalty at all.

    Examples
    --------
    >>> import torch
    >>> from skae.penalties import L1
    >>> L1(alpha=0.5)(None, None, torch.tensor([[1.0, -3.0]]), None)
    tensor(1.)
    """

    _parameter_constraints = {"alpha": [Interval(Real, 0, None, closed="left")]}

    def __init__(self, alpha=0.01):
        self.alpha = alpha

    def __call__(self, network, X, code, output):
        return self.alpha * code.abs().mean()
