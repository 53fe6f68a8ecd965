"""What a network's codes pass through: sparse, bounded or random codes."""

from abc import abstractmethod
from numbers import Integral, Real

import torch
from sklearn.base import clone
from torch import nn

from skae._compat import Interval
from skae._mlp import MLP
from skae._part import Part

# Steps without any row after which a unit counts as dead while training.
_IDLE_STEPS = 20
# Width of the layer between a mean and its variance.
_HEAD_WIDTH = 64
# Standard deviations stay between e^-5 and e^2 of the prior's.
_LOG_VARIANCES = -10.0, 4.0


class CodedModule(nn.Module):
    """A module whose codes pass through a map.

    Parameters
    ----------
    module : Module
        With ``encode`` and ``decode``.
    code_map : Module
        From codes (n, n_components) to codes (n, n_components), row by row.
    """

    code_bounds = None
    has_own_units = False

    def __init__(self, module, code_map):
        super().__init__()
        self.module = module
        self.code_map = code_map
        self.has_own_units = self.has_own_units or getattr(
            module, "has_own_units", False
        )

    def encode(self, X):
        return self.code_map(self.module.encode(X))

    def decode(self, code):
        return self.module.decode(code)


class CodeMap(Part):
    """Base of networks whose codes pass through a map.

    Parameters
    ----------
    network : callable, default=None
        ``(n_features, n_components) -> module``; None is :class:`MLP`.
    """

    _parameter_constraints = {"network": [callable, None]}

    def __init__(self, network=None):
        self.network = network

    @property
    def is_neutral(self):
        """Whether codes stay as they are, for any network."""
        return False

    @property
    def inner(self):
        """The network whose codes are mapped."""
        return MLP() if self.network is None else self.network

    def __call__(self, n_features, n_components):
        return self.coded(self.inner(n_features, n_components), n_components)

    @abstractmethod
    def coded(self, module, n_components):
        """The module with its codes mapped; itself where the map does nothing."""


def bare(network):
    """A network, or a module, without what its codes pass through."""
    while isinstance(network, CodeMap | CodedModule):
        network = network.inner if isinstance(network, CodeMap) else network.module
    return network


def with_maps_of(network, earlier):
    """An earlier network with its codes mapped as those of another one.

    Raises
    ------
    ValueError
        If they are mapped in another way, so that the weights mean something else.
    """
    if type(network) is not type(earlier) and (
        isinstance(network, CodeMap) or isinstance(earlier, CodeMap)
    ):
        raise ValueError(
            f"network={network!r} cannot go on from a fit with {earlier!r}, whose "
            "codes mean something else: set warm_start=False."
        )
    if not isinstance(network, CodeMap):
        return earlier
    inner = with_maps_of(network.inner, earlier.inner)
    return clone(network, safe=False).set_params(network=inner)


class TopK(CodeMap):
    """A network that keeps the largest components of each code and zeroes the others.

    A k-sparse autoencoder [1]_. Largest is meant in magnitude, so that with as many
    as there are components nothing changes. Components that are zero for all rows of
    20 training steps are dead: nothing would train them again. They get the
    gradients that they would have if they were kept, of what the code leaves
    unexplained, until they are among the largest of some row, which is what the
    auxiliary loss of [2]_ does for linear decoders.

    Parameters
    ----------
    network : callable, default=None
        ``(n_features, n_components) -> module``; None is :class:`MLP`.
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
    >>> from skae.networks import MLP, TopK
    >>> module = TopK(MLP((32,)), k=3)(n_features=8, n_components=20)
    >>> (module.encode(torch.ones(5, 8)) != 0).sum(1)
    tensor([3, 3, 3, 3, 3])
    """

    _parameter_constraints = {
        **CodeMap._parameter_constraints,
        "k": [Interval(Integral, 1, None, closed="left"), None],
    }

    def __init__(self, network=None, k=None):
        super().__init__(network)
        self.k = k

    def coded(self, module, n_components):
        k = max(1, n_components // 8) if self.k is None else self.k
        if k > n_components:
            raise ValueError(
                f"k={k} components of each code are to be kept, but the code has "
                f"{n_components}: use a smaller k or more components."
            )
        if k == n_components:
            return module
        return CodedModule(module, _Largest(k, n_components))


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
            # Adds zeros that have gradients.
            sparse = sparse + is_dead * (code - code.detach())
        return sparse


class SoftThreshold(CodeMap):
    """A network whose codes come nearer to zero by a threshold, or become zero.

    What a step of iterative soft-thresholding, the usual method for L1 penalties, does
    to a code [1]_. A threshold of 0 changes nothing.

    Parameters
    ----------
    network : callable, default=None
        ``(n_features, n_components) -> module``; None is :class:`MLP`.
    threshold : float, default=0.1
        In global standard deviations of the data.

    References
    ----------
    .. [1] Gregor, K., LeCun, Y. (2010). Learning fast approximations of sparse
       coding. ICML. https://icml.cc/Conferences/2010/papers/449.pdf

    Examples
    --------
    >>> import torch
    >>> from skae.networks import MLP, SoftThreshold
    >>> network = SoftThreshold(MLP((32,)), threshold=100.0)
    >>> module = network(n_features=8, n_components=3)
    >>> bool((module.encode(torch.ones(2, 8)) == 0).all())
    True
    """

    _parameter_constraints = {
        **CodeMap._parameter_constraints,
        "threshold": [Interval(Real, 0, None, closed="left")],
    }

    def __init__(self, network=None, threshold=0.1):
        super().__init__(network)
        self.threshold = threshold

    @property
    def is_neutral(self):
        return self.threshold == 0

    def coded(self, module, n_components):
        return CodedModule(module, nn.Softshrink(self.threshold))


class Bounded(CodeMap):
    """A network whose codes lie between 0 and 1, by a logistic function.

    Such codes have a scale of their own: multiplying the data by a constant leaves
    them.

    Parameters
    ----------
    network : callable, default=None
        ``(n_features, n_components) -> module``; None is :class:`MLP`.
    start : float in (0, 1), default=0.5
        The code of what the network has at zero, about which training starts.

    Examples
    --------
    >>> import torch
    >>> from skae.networks import Bounded, MLP
    >>> module = Bounded(MLP((32,)))(n_features=8, n_components=3)
    >>> code = module.encode(torch.randn(5, 8))
    >>> bool(((code > 0) & (code < 1)).all())
    True
    """

    _parameter_constraints = {
        **CodeMap._parameter_constraints,
        "start": [Interval(Real, 0, 1, closed="neither")],
    }

    def __init__(self, network=None, start=0.5):
        super().__init__(network)
        self.start = start

    def coded(self, module, n_components):
        module = CodedModule(module, _Logistic(self.start))
        module.code_bounds, module.has_own_units = (0.0, 1.0), True
        return module


class _Logistic(nn.Module):
    """The logistic function, moved to be `start` at zero."""

    def __init__(self, start):
        super().__init__()
        self.offset = float(torch.logit(torch.tensor(start, dtype=torch.float64)))

    def forward(self, code):
        return torch.sigmoid(code + self.offset)


class GaussianCode(CodeMap):
    """A network whose codes are means of Gaussian distributions.

    What the decoder reads while training is drawn from them. Otherwise codes are the
    means. Variances are a function of the mean, by a small network of its own: what
    the best variance is depends on how fast the decoder changes there. Such codes have
    the scale of the prior and not of the data.

    Parameters
    ----------
    network : callable, default=None
        ``(n_features, n_components) -> module``; None is :class:`MLP`.

    Examples
    --------
    >>> import torch
    >>> from skae.networks import GaussianCode, MLP
    >>> module = GaussianCode(MLP((32,)))(n_features=8, n_components=3)
    >>> mean = module.encode(torch.ones(5, 8))
    >>> module.log_variance(mean).shape
    torch.Size([5, 3])
    """

    def coded(self, module, n_components):
        return GaussianModule(module, n_components)


class GaussianModule(CodedModule):
    """A module whose codes are means; draws from their distributions.

    Parameters
    ----------
    module : Module
        With ``encode`` and ``decode``.
    n_components : int
    """

    has_own_units = True

    def __init__(self, module, n_components):
        super().__init__(module, nn.Identity())
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

    def draw(self, mean, generator):
        """Codes (n, n_components) drawn around means."""
        noise = torch.empty_like(mean).normal_(generator=generator)
        return mean + torch.exp(0.5 * self.log_variance(mean)) * noise


def gaussian_kl(mean, log_variance):
    """Divergence from the standard normal prior, of each component, in nats."""
    return 0.5 * (mean.square() + log_variance.exp() - 1 - log_variance)
