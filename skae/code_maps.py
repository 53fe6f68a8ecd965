"""Code maps: what codes pass through, to be sparse, bounded or random."""

import math
from abc import abstractmethod
from numbers import Integral, Real

import torch
from torch import nn

from skae._utils.compat import Interval
from skae._utils.part import FunctionPart, Part, own_copy

__all__ = [
    "CodeMap",
    "GaussianCode",
    "Quantization",
    "Sigmoid",
    "SoftThreshold",
    "TopK",
]

# Steps without any row after which a unit counts as dead while training.
_IDLE_STEPS = 20
# Width of the layer between a mean and its variance.
_HEAD_WIDTH = 64
# Standard deviations stay between e^-5 and e^2 of the prior's.
_LOG_VARIANCES = -10.0, 4.0


class CodeMap(Part):
    """Base of all code maps: called with a code size, they make a module.

    The module maps codes (n, n_components) to codes of the same shape, row by row, and
    stands between encoder and decoder. It may have parameters, which are trained.

    Attributes
    ----------
    bounds : tuple of two floats or None
        Range of each component.
    has_own_units : bool
        Whether codes keep their size where the data are multiplied by a constant.
    is_gaussian : bool
        Whether codes are means of Gaussian distributions, from which the decoder reads
        draws while training. The module then has a method ``log_variance(mean)``.
    moves_codes : bool
        Whether the module changes codes, and does not only say something about them.
    """

    bounds: tuple[float, float] | None = None
    has_own_units = False
    is_gaussian = False
    moves_codes = True

    @property
    def is_neutral(self):
        """Whether codes of any size stay as they are."""
        return False

    def changes(self, n_components):
        """Whether codes of a size don't stay as they are."""
        return not self.is_neutral

    def bounds_after(self, bounds):
        """Range of components that were in a range before, or None."""
        return self.bounds

    @abstractmethod
    def __call__(self, n_components):
        """A module that maps codes.

        Parameters
        ----------
        n_components : int

        Returns
        -------
        module : torch.nn.Module
        """


class TopK(CodeMap):
    """Keeps the largest components of each code and zeroes the others.

    A k-sparse autoencoder [1]_. Largest is meant in magnitude, so that with as many
    as there are components nothing changes. Components that are zero for all rows of
    20 training steps are dead: nothing would train them again. They get the
    gradients that they would have if they were kept, of what the code leaves
    unexplained, until they are among the largest of some row, which is what the
    auxiliary loss of [2]_ does for linear decoders.

    Parameters
    ----------
    k : int, default=None
        Nonzero components of each code, at the most n_components. None is an eighth
        of them, at least one.

    References
    ----------
    .. [1] Makhzani, A., Frey, B. (2014). k-Sparse autoencoders. ICLR.
       https://arxiv.org/abs/1312.5663
    .. [2] Gao, L. et al. (2025). Scaling and evaluating sparse autoencoders. ICLR.
       https://arxiv.org/abs/2406.04093

    Examples
    --------
    >>> import torch
    >>> from skae.code_maps import TopK
    >>> TopK(k=2)(n_components=4)(torch.tensor([[3.0, -5.0, 1.0, 2.0]]))
    tensor([[ 3., -5.,  0.,  0.]])
    """

    _parameter_constraints = {"k": [Interval(Integral, 1, None, closed="left"), None]}

    def __init__(self, k=None):
        self.k = k

    def bounds_after(self, bounds):
        return bounds if bounds and bounds[0] <= 0 <= bounds[1] else None

    def changes(self, n_components):
        return self._kept(n_components) != n_components

    def _kept(self, n_components):
        return max(1, n_components // 8) if self.k is None else int(self.k)

    def __call__(self, n_components):
        k = self._kept(n_components)
        if k > n_components:
            raise ValueError(
                f"k={k} components of each code are to be kept, but the code has "
                f"{n_components}: use a smaller k or more components."
            )
        return _Largest(k, n_components)


class _Largest(nn.Module):
    """Keeps the k components that are largest in magnitude."""

    def __init__(self, k, n_components):
        super().__init__()
        self.k = k
        self.register_buffer("idle", torch.zeros(n_components))  # steps

    def forward(self, code):
        kept = code.abs().topk(self.k, dim=1).indices  # (n, k)
        sparse = torch.zeros_like(code).scatter(1, kept, code.gather(1, kept))
        if self.training and torch.is_grad_enabled():
            with torch.no_grad():
                is_used = (sparse != 0).any(0)
                self.idle = torch.where(is_used, 0.0, self.idle + 1)
            is_dead = self.idle >= _IDLE_STEPS
            # Adds zero, but lets gradients through.
            sparse = sparse + is_dead * (code - code.detach())
        return sparse


class SoftThreshold(CodeMap):
    """Moves codes towards zero by a threshold, where they stop.

    What a step of iterative soft-thresholding, the usual method for L1 penalties, does
    to a code [1]_. A threshold of 0 changes nothing.

    Parameters
    ----------
    threshold : float, default=0.1
        In global standard deviations of the data.

    References
    ----------
    .. [1] Gregor, K., LeCun, Y. (2010). Learning fast approximations of sparse
       coding. ICML. https://icml.cc/Conferences/2010/papers/449.pdf

    Examples
    --------
    >>> import torch
    >>> from skae.code_maps import SoftThreshold
    >>> SoftThreshold(1.0)(n_components=3)(torch.tensor([[3.0, 0.5, -2.0]]))
    tensor([[ 2.,  0., -1.]])
    """

    _parameter_constraints = {"threshold": [Interval(Real, 0, None, closed="left")]}

    def __init__(self, threshold=0.1):
        self.threshold = threshold

    @property
    def is_neutral(self):
        return self.threshold == 0

    def __call__(self, n_components):
        return nn.Softshrink(self.threshold)


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


class FunctionCodeMap(FunctionPart, CodeMap):
    """A user's function ``n_components -> module`` as a code map."""

    def __call__(self, n_components):
        return self.function(n_components)


def as_code_maps(code_map):
    """A tuple of code maps from what the parameter `code_map` holds."""
    if code_map is None:
        return ()
    given = code_map if isinstance(code_map, list | tuple) else [code_map]
    maps = [own_copy(part) for part in given]
    for part in maps:
        if isinstance(part, nn.Module):
            raise TypeError(
                f"code_map holds a {type(part).__name__}: pass what makes it, such as "
                f"lambda n_components: {part!r}, so that each fit starts anew."
            )
        if not callable(part):
            raise TypeError(
                f"code_map holds {part!r}, but code maps, such as those of "
                "skae.code_maps, or callables n_components -> module were expected."
            )
    maps = [p if isinstance(p, CodeMap) else FunctionCodeMap(p) for p in maps]
    return tuple(part for part in maps if not part.is_neutral)
