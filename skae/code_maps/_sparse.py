"""Code maps of sparse codes."""

from numbers import Integral, Real

import torch
from torch import nn
from torch.nn import functional as F

from skae._utils.compat import Interval, StrOptions
from skae.code_maps._code_map import CodeMap

# Steps without any row after which a unit counts as dead while training.
_IDLE_STEPS = 20
# Components for each that is kept, from which on the positive ones say more.
_MANY = 16


class TopK(CodeMap):
    """Keeps the largest components of each code and zeroes the others.

    A k-sparse autoencoder [1]_. Components that are zero for all rows of 20 training
    steps are dead: nothing would train them again. Their encoder's weights get the
    gradients that they would have if the components were kept, of what the code leaves
    unexplained, until they are among the largest of some row. Their part in the
    decoder stays as it is meanwhile, other than with the auxiliary loss of [2]_, which
    trains both and left more of them dead.

    Parameters
    ----------
    k : int, default=None
        Nonzero components of each code, at the most n_components. None is an eighth
        of them, at least one.
    positive : bool or "auto", default=False
        Whether largest is meant by value, and of these only the positive ones are kept
        [2]_, rather than in magnitude, so that with as many as there are components
        nothing changes. "auto" is True where there are 16 components or more for each
        that is kept.

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

    _parameter_constraints = {
        "k": [Interval(Integral, 1, None, closed="left"), None],
        "positive": ["boolean", StrOptions({"auto"})],
    }
    is_exact = True

    def __init__(self, k=None, positive=False):
        self.k = k
        self.positive = positive

    def bounds_after(self, bounds):
        return bounds if bounds and bounds[0] <= 0 <= bounds[1] else None

    def changes(self, n_components):
        keeps_all = self.nonzeros(n_components) == n_components
        return self._is_positive(n_components) or not keeps_all

    def _is_positive(self, n_components):
        if self.positive == "auto":
            return n_components >= _MANY * self.nonzeros(n_components)
        return self.positive

    def nonzeros(self, n_components):
        return max(1, n_components // 8) if self.k is None else int(self.k)

    def __call__(self, n_components):
        k = self.nonzeros(n_components)
        if k > n_components:
            raise ValueError(
                f"k={k} components of each code are to be kept, but the code has "
                f"{n_components}: use a smaller k or more components."
            )
        return _Largest(k, n_components, self._is_positive(n_components))


class _Reviving(nn.Module):
    """Base of modules that zero components, without losing them while training.

    Parameters
    ----------
    n_components : int
    is_kept : bool
        Whether `idle` is part of the module's state.

    Attributes
    ----------
    idle : Tensor of shape (n_components,)
        Training steps since each component was last used.
    """

    def __init__(self, n_components, is_kept):
        super().__init__()
        idle = torch.zeros(n_components)
        self.register_buffer("idle", idle, persistent=is_kept)

    def revived(self, sparse, code):
        """Sparse codes of a batch, through which idle components have gradients."""
        if not (self.training and torch.is_grad_enabled()):
            return sparse
        with torch.no_grad():
            is_used = (sparse != 0).any(0)
            self.idle = torch.where(is_used, 0.0, self.idle + 1)
        is_dead = self.idle >= _IDLE_STEPS
        # Adds zero, but lets gradients through.
        return sparse + is_dead * (code - code.detach())


class _Largest(_Reviving):
    """Keeps the k components that are largest, in magnitude or if positive."""

    def __init__(self, k, n_components, is_positive):
        super().__init__(n_components, is_kept=True)
        self.k = k
        self.is_positive = is_positive

    def forward(self, code):
        sizes = code.relu() if self.is_positive else code.abs()
        kept = sizes.topk(self.k, dim=1).indices  # (n, k)
        values = (sizes if self.is_positive else code).gather(1, kept)
        sparse = torch.zeros_like(code).scatter(1, kept, values)
        return self.revived(sparse, code)


class SoftThreshold(CodeMap):
    """Moves codes towards zero by a threshold, where they stop.

    What a step of iterative soft-thresholding, the usual method for L1 penalties, does
    to a code [1]_. A threshold of 0 changes nothing. Components that are zero for all
    rows of 20 training steps get gradients all the same, as in :class:`TopK`.

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

    # Single precision ends at 3.4e38.
    _parameter_constraints = {"threshold": [Interval(Real, 0, 1e30, closed="both")]}
    is_exact = True

    def __init__(self, threshold=0.1):
        self.threshold = threshold

    @property
    def is_neutral(self):
        return self.threshold == 0

    def __call__(self, n_components):
        return _Shrunk(float(self.threshold), n_components)


class _Shrunk(_Reviving):
    """Moves components towards zero by a threshold, where they stop."""

    def __init__(self, threshold, n_components):
        super().__init__(n_components, is_kept=False)  # as files have it
        self.threshold = threshold

    def forward(self, code):
        return self.revived(F.softshrink(code, self.threshold), code)
