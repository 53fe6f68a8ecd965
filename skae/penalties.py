"""Penalties: what constrains the code, added to the loss while training."""

from abc import abstractmethod
from copy import copy
from numbers import Integral, Real

import torch

from skae._utils.compat import Interval, StrOptions
from skae._utils.gradients import squared_gradients
from skae._utils.part import FunctionPart, Part, check_takes, own_copy

__all__ = ["L1", "BernoulliKL", "Contractive", "GaussianKL", "Penalty"]

# Components up to which the Jacobian is worth its cost, and random directions beyond.
_FEW_COMPONENTS, _DIRECTIONS = 8, 4
_LEAST_VARIANCE = 1e-8  # of components that hardly vary in a batch
_AUTO = StrOptions({"auto"})


class Penalty(Part):
    """Base of all penalties: one number for a batch, added to its mean loss.

    Inputs, codes and outputs are in the network's units: divided by the data's
    global standard deviation, so that a penalty's strength does not depend on the
    scale of the data.

    Attributes
    ----------
    in_nats : bool
        Whether the penalty is a negative log-probability per sample, to be weighed
        against that of the reconstruction and not against the loss.
    """

    in_nats = False

    @property
    def is_neutral(self):
        """Whether it changes nothing."""
        return False

    def check(self, network):
        """Raise ValueError for a network whose codes the penalty makes no sense for."""

    def during(self, epoch):
        """The penalty to train with in an epoch, counted from 1."""
        return self

    @abstractmethod
    def __call__(self, network, X, code, output):
        """Penalty of a batch.

        Parameters
        ----------
        network : Autoencoder
        X : Tensor of shape (n_samples, n_features)
            What the network read: standardised and, where the estimator has a
            corruption, corrupted rows.
        code : Tensor of shape (n_samples, n_components)
            ``network.encode(X)``.
        output : Tensor of shape (n_samples, n_features)
            What the network made of the code.

        Returns
        -------
        penalty : Tensor of shape ()
            The mean over the batch.
        """

    def rows(self, network, X, code, output):
        """Penalty (n_samples,) of each row: all the same, unless rows differ in it."""
        return self(network, X, code, output).expand(len(code))


class ScaledPenalty(Penalty):
    """Base of penalties whose strength is a factor, `alpha`."""

    _parameter_constraints = {"alpha": [Interval(Real, 0, None, closed="left")]}

    def __init__(self, alpha):
        self.alpha = alpha

    @property
    def is_neutral(self):
        return self.alpha == 0


class L1(ScaledPenalty):
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

    def __init__(self, alpha=0.01):
        super().__init__(alpha)

    def __call__(self, network, X, code, output):
        return self.alpha * code.abs().mean()


class BernoulliKL(ScaledPenalty):
    """Divergence of each component's mean from a small target, for codes in (0, 1).

    Components are then close to 0 for most rows: a sparse autoencoder as in [1]_. The
    earlier penalty of [2]_ is the squared deviation from the target.

    Parameters
    ----------
    alpha : float, default=30.0
        Strength, of the mean over the components. 0 is no penalty at all.
    rho : float in (0, 1), default=0.05
        Target for the mean.

    References
    ----------
    .. [1] Ng, A. (2011). Sparse autoencoder. CS294A lecture notes, Stanford University.
       https://web.stanford.edu/class/cs294a/sparseAutoencoder_2011new.pdf
    .. [2] Lee, H., Ekanadham, C., Ng, A. Y. (2007). Sparse deep belief net model for
       visual area V2. NeurIPS 20.
       https://papers.nips.cc/paper/3313-sparse-deep-belief-net-model-for-visual-area-v2

    Examples
    --------
    >>> import torch
    >>> from skae.penalties import BernoulliKL
    >>> penalty = BernoulliKL(rho=0.25)
    >>> penalty(None, None, torch.tensor([[0.0, 0.5], [0.5, 0.0]]), None)
    tensor(0.)
    """

    _parameter_constraints = {
        **ScaledPenalty._parameter_constraints,
        "rho": [Interval(Real, 0, 1, closed="neither")],
    }

    def __init__(self, alpha=30.0, rho=0.05):
        super().__init__(alpha)
        self.rho = rho

    def check(self, network):
        if network.code_bounds != (0.0, 1.0):
            raise ValueError(
                f"{self!r} needs codes between 0 and 1, but those of the network are "
                "not bounded: pass code_map=skae.code_maps.Sigmoid(), or derive your "
                "network from skae.networks.Autoencoder, with code_bounds = (0.0, 1.0)."
            )

    def __call__(self, network, X, code, output):
        mean = code.mean(0).clamp(1e-6, 1 - 1e-6)  # (n_components,)
        target = torch.full_like(mean, self.rho)
        on = target * (target / mean).log()
        off = (1 - target) * ((1 - target) / (1 - mean)).log()
        return self.alpha * (on + off).mean()


class Contractive(ScaledPenalty):
    """Squared derivatives of the code, in units of its spread: codes that move little.

    A contractive autoencoder [1]_ whose penalty small codes don't escape: the square of
    how far noise of one global standard deviation moves a component, in those that it
    has in the batch; the mean over all components, or random sums of them [2]_.

    Parameters
    ----------
    alpha : float, default=0.1
        Strength. 0 is no penalty at all.
    n_projections : int, None or "auto", default="auto"
        How many random sums. None is the exact sum, of as many backward passes as there
        are components. "auto" is exact for up to 8 components, and 4 sums for more.

    References
    ----------
    .. [1] Rifai, S., Vincent, P., Muller, X., Glorot, X., Bengio, Y. (2011).
       Contractive auto-encoders: explicit invariance during feature extraction. ICML.
       https://icml.cc/2011/papers/455_icmlpaper.pdf
    .. [2] Hutchinson, M. F. (1990). A stochastic estimator of the trace of the
       influence matrix. Communications in Statistics 19(2).
       :doi:`10.1080/03610919008812866`

    Examples
    --------
    >>> import torch
    >>> from skae.networks import MLP
    >>> from skae.penalties import Contractive
    >>> network = MLP(())(n_features=3, n_components=2)
    >>> X = torch.eye(3)
    >>> Contractive()(network, X, network.encode(X), None).shape
    torch.Size([])
    """

    _parameter_constraints = {
        **ScaledPenalty._parameter_constraints,
        "n_projections": [Interval(Integral, 1, None, closed="left"), _AUTO, None],
    }

    def __init__(self, alpha=0.1, n_projections="auto"):
        super().__init__(alpha)
        self.n_projections = n_projections

    @property
    def draws(self):
        return super().draws or self.n_projections is not None

    def __call__(self, network, X, code, output):
        if len(code) == 1:  # which has no spread
            return code.new_zeros(())
        k, wanted = code.shape[1], self.n_projections
        units = code.var(0, correction=0).clamp(min=_LEAST_VARIANCE).rsqrt()
        if wanted == "auto":
            wanted = None if k <= _FEW_COMPONENTS else _DIRECTIONS
        if wanted is None:
            return self.alpha / k * squared_jacobian_norms(network, X, units).mean()
        # Signs: the least variance of all directions whose mean is right.
        signs = 2 * torch.randint(0, 2, (wanted, *code.shape), device=code.device) - 1
        squares = squared_gradients(network.encode, X, signs * units)
        return self.alpha / k * squares.mean()


def squared_jacobian_norms(network, X, units):
    """Squared norms (n,) of the Jacobian of codes times units (n_components,)."""
    directions = torch.diag(units)[:, None].expand(-1, len(X), -1)
    return squared_gradients(network.encode, X, directions).sum(0)


class GaussianKL(Penalty):
    """Divergence of Gaussian codes from a normal prior.

    Together with the loss this is the evidence lower bound of a variational
    autoencoder [1]_, weighed by `beta` [2]_: nats per sample on both sides, whatever
    the numbers of features and components. The noise of the observations is as large
    as it is likely to be: its scale is that of the batch's own residuals [3]_. For the
    log-loss, which is in nats itself, there is no noise.

    Parameters
    ----------
    beta : float, default=1.0
        Strength; 1 is the evidence lower bound.
    warm_up : int, default=0
        Epochs over which the strength grows to beta from zero.
    prior : {"standard", "batch"}, default="standard"
        Of mean 0 and variance 1; or of each component's mean and variance in the batch,
        so that the divergence, now in any units, is what codes tell at the most.

    References
    ----------
    .. [1] Kingma, D. P., Welling, M. (2014). Auto-encoding variational Bayes. ICLR.
       https://arxiv.org/abs/1312.6114
    .. [2] Higgins, I. et al. (2017). beta-VAE: learning basic visual concepts with a
       constrained variational framework. ICLR.
       https://openreview.net/forum?id=Sy2fzU9gl
    .. [3] Rybkin, O., Daniilidis, K., Levine, S. (2021). Simple and effective VAE
       training with calibrated decoders. ICML. https://arxiv.org/abs/2006.13202

    Examples
    --------
    >>> import torch
    >>> from skae.penalties import gaussian_kl
    >>> mean, log_variance = torch.tensor([[0.0, 2.0]]), torch.zeros(1, 2)
    >>> gaussian_kl(mean, log_variance)
    tensor([[0., 2.]])
    """

    _parameter_constraints = {
        "beta": [Interval(Real, 0, None, closed="left")],
        "warm_up": [Interval(Integral, 0, None, closed="left")],
        "prior": [StrOptions({"standard", "batch"})],
    }
    in_nats = True

    def __init__(self, beta=1.0, warm_up=0, prior="standard"):
        self.beta = beta
        self.warm_up = warm_up
        self.prior = prior

    @property
    def is_neutral(self):
        return self.beta == 0

    def check(self, network):
        if not network.is_gaussian:
            raise ValueError(
                f"{self!r} needs codes that are Gaussian distributions, but the "
                "network's are not: pass code_map=skae.code_maps.GaussianCode(), or "
                "derive your network from skae.networks.Autoencoder, with is_gaussian "
                "= True and a method log_variance(mean)."
            )

    def during(self, epoch):
        if epoch >= self.warm_up:
            return self
        warming = copy(self)
        warming.beta = self.beta * epoch / self.warm_up
        return warming

    def __call__(self, network, X, code, output):
        return self.rows(network, X, code, output).mean()

    def rows(self, network, X, code, output):
        log_variance = network.log_variance(code)  # (n, n_components)
        if self.prior == "batch":
            code = code - code.mean(0)
            spread = (code.square() + log_variance.exp()).mean(0)
            code, log_variance = code * spread.rsqrt(), log_variance - spread.log()
        return self.beta * gaussian_kl(code, log_variance).sum(1)


def gaussian_kl(mean, log_variance):
    """Divergence from the standard normal prior, of each component, in nats."""
    return 0.5 * (mean.square() + log_variance.exp() - 1 - log_variance)


class NoPenalty(Penalty):
    """No constraint on the code: what ``penalty=None`` stands for."""

    is_neutral = True

    def __call__(self, network, X, code, output):
        return code.new_zeros(())


class FunctionPenalty(FunctionPart, Penalty):
    """A user's function ``(network, X, code, output) -> scalar`` as a penalty."""

    def __call__(self, network, X, code, output):
        return self.function(network, X, code, output)


def as_penalty(penalty):
    """A penalty from what the parameter `penalty` holds."""
    if penalty is None:
        return NoPenalty()
    penalty = own_copy(penalty)
    if not isinstance(penalty, Penalty):
        check_takes(penalty, "penalty", "network, X, code, output")
        return FunctionPenalty(penalty)
    return NoPenalty() if penalty.is_neutral else penalty
