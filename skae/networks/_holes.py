"""Rows with missing cells, as networks read them."""

import torch
from torch import nn

from skae._utils.grain import VECTOR
from skae.networks._autoencoder import Autoencoder

# Common factors at the most that missing cells are filled by, and steps that find what
# is expected: as many as missing cells are enough, and mostly fewer.
_MOST_FACTORS = 32
_N_STEPS = 8
# Spread of a column, or width of a bin, that is rounding, in units of the rows.
LEAST_SPREAD = 1e-9
# Squared errors, in standard units, that are no more than those of rounding.
_LEAST_LEFT = 1e-13
# Bins of each number.
N_BINS = 16
_FILLING = ("mean", "scale", "own", "shared")


def n_factors_for(n_features):
    """How many common factors columns have at the most."""
    return min(n_features - 1, _MOST_FACTORS)


def filled(rows, missing, mean, scale, own, shared):
    """Rows with missing cells filled by what is expected, given the others.

    Of rows that are normally distributed, that solves a linear system of the precision
    matrix, here by conjugate gradients, preconditioned by its diagonal.

    Parameters
    ----------
    rows : Tensor of shape (n, d)
        With finite numbers in missing cells.
    missing : Tensor of shape (n, d), bool
    mean, scale : Tensors of shape (d,)
        Of the columns.
    own : Tensor of shape (d,)
    shared : Tensor of shape (d, k)
        The precision of columns in standard units is ``diag(own) - shared @ shared.T``.

    Returns
    -------
    rows : Tensor of shape (n, d)
    """
    # Units in which the precision has a diagonal of ones.
    root = (own - shared.square().sum(1)).sqrt()
    units = root / scale
    # Products of other widths are added up in an order that depends on the rows beside.
    width, n_factors = (-size % VECTOR for size in shared.shape)
    shared = nn.functional.pad(shared / root[:, None], (0, n_factors, 0, width))
    back, own = (
        shared.T.contiguous(),
        nn.functional.pad(own / root.square(), (0, width)),
    )
    known = nn.functional.pad(
        ((rows - mean) * units).masked_fill(missing, 0), (0, width)
    )
    unknown = nn.functional.pad(missing.to(rows.dtype), (0, width))

    def pulled(values):
        return torch.addcmul((values @ shared) @ back, values, -own) * -unknown

    # All is linear in a row. Squares of far ones would overflow.
    size = known.abs().amax(1, keepdim=True).clamp(min=1.0)
    step = left = -pulled(known / size)
    filling, along = torch.zeros_like(step), _dots(left, left)
    for _ in range(_N_STEPS):
        made = pulled(step)
        length = _over(along, _dots(step, made))
        filling = torch.addcmul(filling, length, step)
        left = torch.addcmul(left, length, made, value=-1)
        before, along = along, _dots(left, left)
        step = torch.addcmul(left, _over(along, before), step)
    filling = (filling * size)[:, : len(mean)] / units + mean
    return torch.where(missing, filling, rows)


def _dots(left, right):
    return (left * right).sum(1, keepdim=True)


def _over(part, whole):
    """Ratios; 0 once nothing is left but errors of rounding."""
    is_left = whole > _LEAST_LEFT
    return torch.where(is_left, part / torch.where(is_left, whole, 1.0), 0.0)


class ReadHoles(nn.Module):
    """Rows with NaN in missing cells, as networks read them.

    Cells are filled by a linear regression on the others. A network that
    takes further inputs is told what was missing, and where numbers lie in bins of
    their columns: how far each one is passed, from 0 to 1 [1]_.

    Parameters
    ----------
    n_features : int
    told : sequence of ints
        Cells, one of each column, of which the network is told whether they are
        missing, 1 or 0.
    n_binned : int
        Of the first cells so many are told in bins as well.

    References
    ----------
    .. [1] Gorishniy, Y., Rubachev, I., Babenko, A. (2022). On embeddings for numerical
       features in tabular deep learning. NeurIPS 35. https://arxiv.org/abs/2203.05556
    """

    def __init__(self, n_features, told, n_binned):
        super().__init__()
        self.n_told = len(told)
        positions = torch.tensor(list(told), dtype=torch.int64)
        self.register_buffer("told", positions, persistent=False)
        n_factors = n_factors_for(n_features)
        # What fills cells: see `filled`.
        self.register_buffer("mean", torch.zeros(n_features))
        self.register_buffer("scale", torch.ones(n_features))
        self.register_buffer("own", torch.ones(n_features))
        self.register_buffer("shared", torch.zeros(n_features, n_factors))
        # Where bins begin, one over their widths, and the mean of what is told.
        for name in ("low", "inverse", "centre"):
            self.register_buffer(name, torch.zeros(n_binned, N_BINS))

    @property
    def n_inputs(self):
        """Inputs beyond the rows."""
        return self.n_told + self.low.numel()

    @torch.no_grad()
    def learn(self, filling, cells):
        """Take what fills missing cells, and bins of equally many cells each.

        Parameters
        ----------
        filling : tuple of four Tensors
            See :func:`filled`.
        cells : Tensor of shape (n, n_features)
            Rows, NaN where cells are missing.
        """
        for name, part in zip(_FILLING, filling, strict=True):
            getattr(self, name).copy_(part)
        cells = cells[:, : len(self.low)].to(self.low.device)
        if not cells.numel():
            return
        shares = torch.linspace(0, 1, N_BINS + 1, device=cells.device)
        edges = cells.nanquantile(shares, dim=0).T
        self.low.copy_(edges[:, :-1])
        widths = edges.diff(dim=1)
        # Nothing is told of bins without any width, where many cells are alike.
        self.inverse.copy_(torch.where(widths > LEAST_SPREAD, 1 / widths, 0.0))
        self.centre.copy_(self._passed(cells).nanmean(0).nan_to_num(0.0))
        self.low.nan_to_num_(0.0)

    def forward(self, X):
        missing = X.isnan()
        rows = torch.where(missing, self.mean, X)
        rows = filled(rows, missing, *(getattr(self, name) for name in _FILLING))
        if self.n_inputs == 0:
            return rows
        told = missing.index_select(1, self.told).to(X.dtype)
        n_binned = len(self.low)
        bins = self._passed(rows[:, :n_binned]) - self.centre
        bins = bins.masked_fill(missing[:, :n_binned, None], 0.0)
        return torch.cat([rows, told, bins.flatten(1)], 1)

    def _passed(self, cells):
        """How far each bin is passed (n, n_binned, N_BINS), by cells (n, n_binned)."""
        return ((cells[:, :, None] - self.low) * self.inverse).clamp(0, 1)

    def extra_repr(self):
        return f"n_told={self.n_told}, n_binned={len(self.low)}"


class HolesAutoencoder(Autoencoder):
    """A network that reads rows with missing cells.

    Parameters
    ----------
    network : Autoencoder
        Its encoder reads what `holes` returns.
    holes : ReadHoles
    """

    def __init__(self, network, holes):
        super().__init__()
        self.network = network
        self.holes = holes
        self.code_bounds = network.code_bounds
        self.has_own_units = network.has_own_units
        self.is_gaussian, self.is_tied = network.is_gaussian, network.is_tied
        self.draws = network.draws

    def encode(self, X):
        return self.network.encode(self.holes(X))

    def decode(self, code):
        return self.network.decode(code)

    def log_variance(self, mean):
        return self.network.log_variance(mean)

    @property
    def reader(self):
        return self.holes

    @property
    def bare(self):
        return self.network

    def halves(self):
        encoder, decoder = self.network.halves()
        return nn.Sequential(self.holes, encoder), decoder
