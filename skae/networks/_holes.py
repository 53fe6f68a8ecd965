"""Rows with missing cells, as networks read them."""

import torch
from torch import nn

from skae.networks._autoencoder import Autoencoder

# Components at the most that missing cells are filled by, and how often: each time, by
# what the components make of rows whose missing cells were filled the time before.
MOST_COMPONENTS = 32
_N_FILLINGS = 10
# Bins of each number.
N_BINS = 16


def filled(rows, missing, mean, down, up, times=_N_FILLINGS):
    """Rows with missing cells filled by principal components.

    Parameters
    ----------
    rows : Tensor of shape (n, d)
        With finite numbers in missing cells.
    missing : Tensor of shape (n, d), bool
    mean : Tensor of shape (d,)
    down, up : Tensors of shape (d, k) and (k, d)
        Centred rows times both are what fills them.
    times : int, default=10

    Returns
    -------
    rows : Tensor of shape (n, d)
    """
    for _ in range(times):
        guess = torch.addmm(mean, (rows - mean) @ down, up)
        rows = torch.where(missing, guess, rows)
    return rows


class ReadHoles(nn.Module):
    """Rows with NaN in missing cells, as networks read them.

    Cells are filled by what principal components make of the others. A network that
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
        rank = min(n_features - 1, MOST_COMPONENTS)
        self.register_buffer("mean", torch.zeros(n_features))
        self.register_buffer("down", torch.zeros(n_features, rank))
        self.register_buffer("up", torch.zeros(rank, n_features))
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
        filling : tuple of three Tensors
            Mean and two matrices: see :func:`filled`.
        cells : Tensor of shape (n, n_features)
            Rows, NaN where cells are missing.
        """
        for name, part in zip(("mean", "down", "up"), filling, strict=True):
            getattr(self, name).copy_(part)
        cells = cells[:, : len(self.low)].to(self.low.device)
        if not cells.numel():
            return
        shares = torch.linspace(0, 1, N_BINS + 1, device=cells.device)
        edges = cells.nanquantile(shares, dim=0).T
        self.low.copy_(edges[:, :-1])
        widths = edges.diff(dim=1)
        # Nothing is told of bins without any width, where many cells are alike.
        self.inverse.copy_(torch.where(widths > 0, 1 / widths, 0.0))
        self.centre.copy_(self._passed(cells).nanmean(0).nan_to_num(0.0))
        self.low.nan_to_num_(0.0)

    def forward(self, X):
        missing = X.isnan()
        rows = torch.where(missing, self.mean, X)
        rows = filled(rows, missing, self.mean, self.down, self.up)
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
