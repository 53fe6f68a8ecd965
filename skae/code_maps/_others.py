"""Code maps of codes between 0 and 1, and of random and rounded ones."""

import math
from numbers import Real

import torch
from torch import nn

from skae._utils.compat import Interval
from skae.code_maps._code_map import CodeMap

# Width of the layer between a mean and its variance.
_HEAD_WIDTH = 64
# Standard deviations stay between e^-5 and e^2 of the prior's.
_LOG_VARIANCES = -10.0, 4.0


class Sigmoid(CodeMap):
    """Codes between 0 and 1, by the logistic function.

    Such codes have own units: multiplying the data by a constant leaves them.

    Parameters
    ----------
    start : float in (0, 1), default=0.5
        The code of what the network has at zero, about which training starts.

    Examples
    --------
    >>> import torch
    >>> from skae.code_maps import Sigmoid
    >>> Sigmoid()(n_components=3)(torch.tensor([[-99.0, 0.0, 99.0]]))
    tensor([[0.0000, 0.5000, 1.0000]])
    """

    _parameter_constraints = {"start": [Interval(Real, 0, 1, closed="neither")]}
    bounds = (0.0, 1.0)
    has_own_units = True

    def __init__(self, start=0.5):
        self.start = start

    def __call__(self, n_components):
        return _Logistic(self.start)


class _Logistic(nn.Module):
    """The logistic function, moved to be `start` at zero."""

    def __init__(self, start):
        super().__init__()
        self.offset = math.log(start / (1 - start))

    def forward(self, code):
        return torch.sigmoid(code + self.offset)


class GaussianCode(CodeMap):
    """Codes that are means of Gaussian distributions.

    What the decoder reads while training is drawn from them. Otherwise codes are the
    means. Variances are a function of the mean, by a small network: the best one
    depends on how fast the decoder changes there. Codes have the prior's scale.

    Examples
    --------
    >>> import torch
    >>> from skae.code_maps import GaussianCode
    >>> module, mean = GaussianCode()(n_components=3), torch.zeros(5, 3)
    >>> torch.equal(module(mean), mean)
    True
    >>> module.log_variance(mean).shape
    torch.Size([5, 3])
    """

    has_own_units = True
    is_gaussian = True
    moves_codes = False

    def __call__(self, n_components):
        return _Gaussian(n_components)


class _Gaussian(nn.Identity):
    """Leaves means as they are, and says what varies around them."""

    def __init__(self, n_components):
        super().__init__()
        self.head = nn.Sequential(
            nn.Linear(n_components, _HEAD_WIDTH),
            nn.SiLU(),
            nn.Linear(_HEAD_WIDTH, n_components),
        )

    def log_variance(self, mean):
        """Logarithm of the variances (n, n_components) around means."""
        low, high = _LOG_VARIANCES
        middle, half = (high + low) / 2, (high - low) / 2
        # About the identity at zero, and bounded without losing its gradient.
        return middle + half * torch.tanh((self.head(mean) - middle) / half)

    @torch.no_grad()
    def become_constant(self, log_variance):
        """Make the logarithms of variances these (n_components,) around any mean."""
        low, high = _LOG_VARIANCES
        middle, half = (high + low) / 2, (high - low) / 2
        share = ((log_variance - middle) / half).clamp(-0.999, 0.999)
        self.head[-1].weight.zero_()
        self.head[-1].bias.copy_(middle + half * share.atanh())

    @torch.no_grad()
    def scale_codes(self, factors):
        """Follow codes that are multiplied by factors (n_components,).

        But for what the bounds of the logarithms bend.
        """
        self.head[0].weight /= factors
        self.head[-1].bias += 2 * factors.log()


class Quantization(CodeMap):
    """Codes that are to be rounded to multiples of a step, as :class:`skae.Codec` does.

    While training, the decoder reads codes with noise of the variance of rounding [1]_.
    Without ``GaussianKL(prior="batch")``, their size, they grow until that is nothing.

    Parameters
    ----------
    step : float, default=1.0
        In global standard deviations of the data.

    References
    ----------
    .. [1] Ballé, J., Laparra, V., Simoncelli, E. P. (2017). End-to-end optimized image
       compression. ICLR. https://arxiv.org/abs/1611.01704

    Examples
    --------
    >>> import torch
    >>> from skae.code_maps import Quantization
    >>> Quantization(step=6.0)(n_components=3).log_variance(torch.zeros(1, 3)).exp()
    tensor([[3., 3., 3.]])
    """

    _parameter_constraints = {"step": [Interval(Real, 0, None, closed="neither")]}
    is_gaussian = True
    moves_codes = False

    def __init__(self, step=1.0):
        self.step = step

    def __call__(self, n_components):
        return _Rounded(self.step)


class _Rounded(nn.Identity):
    """Leaves codes as they are, and says how much rounding moves them."""

    def __init__(self, step):
        super().__init__()
        self.variance = step**2 / 12

    def log_variance(self, code):
        return torch.full_like(code, self.variance).log()
