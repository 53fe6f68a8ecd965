"""Missing cells filled by common factors: what networks see, and are to beat."""

import torch
from torch import nn

from skae.networks._holes import LEAST_SPREAD, filled, n_factors_for

# Rows that the factors are found on, and their cells; all rows are filled by them.
FILLED_ROWS = 2048
_MOST_CELLS = 2**21
_N_ITERATIONS = 10
# Rows that each factor takes at the least, and that a prior weighs as much as.
_ROWS_OF_A_FACTOR = 8
_WEIGHT = 0.3
# Least share of a column's variance that is its own.
_LEAST_NOISE = 1e-3


def completed(rows, mask, filling):
    """Rows whose missing cells are what is expected of them by factor analysis.

    Columns are sums of common factors and of noise, each of its own variance. The EM
    algorithm [1]_ finds them from the cells that are there [2]_. What is expected of a
    missing cell is then a linear regression on all cells of its row that are there.

    Parameters
    ----------
    rows : Tensor of shape (n, d)
        With 0 in missing cells.
    mask : Tensor of shape (n, d), bool
        Cells that are there.
    filling : tuple of four Tensors
        As :func:`factors_that_fill` finds them.

    Returns
    -------
    rows : Tensor of shape (n, d)
        A copy.

    References
    ----------
    .. [1] Rubin, D. B., Thayer, D. T. (1982). EM algorithms for ML factor analysis.
       Psychometrika 47(1). :doi:`10.1007/BF02293851`
    .. [2] Little, R. J. A., Rubin, D. B. (2019). Statistical analysis with missing
       data, 3rd edition, chapter 11. :doi:`10.1002/9781119482260`
    """
    parts = rows.split(FILLED_ROWS), mask.split(FILLED_ROWS)
    parts = [filled(part, ~there, *filling) for part, there in zip(*parts, strict=True)]
    return torch.cat(parts)


def factors_that_fill(rows, mask=None):
    """What :func:`completed` fills missing cells by; a mask of None is all of them."""
    n, d = rows.shape
    n = min(n, FILLED_ROWS, max(_MOST_CELLS // d, 1))
    head = rows[:n].double()
    there = torch.ones_like(head) if mask is None else mask[:n].double()
    counts = there.sum(0).clamp(min=1)
    mean = (head * there).sum(0) / counts
    head = (head - mean) * there
    scale = (head.square().sum(0) / counts).sqrt()
    # Less is what rounding leaves of a constant.
    varies = scale > LEAST_SPREAD
    head, scale = head * varies, torch.where(varies, scale, 1.0)
    loadings, noise = _factors(head / scale, there, counts)
    # The precision of rows: a diagonal minus a product of what has few columns.
    shared = loadings / noise[:, None]
    inner = torch.eye(loadings.shape[1]).to(shared) + loadings.T @ shared
    half = torch.linalg.cholesky(inner)
    shared = torch.linalg.solve_triangular(half, shared.T, upper=False).T
    shared = nn.functional.pad(shared, (0, n_factors_for(d) - shared.shape[1]))
    return tuple(part.to(rows.dtype) for part in (mean, scale, 1 / noise, shared))


def _factors(rows, there, counts):
    """Loadings (d, k) and variances (d,) of the noise, of rows in standard units."""
    loadings, noise = _leading(rows)
    n, k = len(rows), loadings.shape[1]
    prior = torch.eye(k).to(rows)
    for _ in range(_N_ITERATIONS if k else 0):
        weighted = loadings / noise[:, None]
        products = weighted[:, :, None] * loadings[:, None, :]  # (d, k, k)
        inner = (there @ products.flatten(1)).view(n, k, k) + prior
        spread = torch.cholesky_inverse(torch.linalg.cholesky(inner))
        factors = (spread @ (rows @ weighted)[:, :, None])[:, :, 0]  # (n, k)
        moments = spread + factors[:, :, None] * factors[:, None, :]
        # A prior of no loadings keeps columns of few cells near their means.
        normal = (there.T @ moments.flatten(1)).view(-1, k, k) + _WEIGHT * prior
        right = rows.T @ factors
        loadings = torch.linalg.solve(normal, right[:, :, None])[:, :, 0]
        left = rows.square().sum(0) - (loadings * right).sum(1)
        noise = (left / counts).clamp(min=_LEAST_NOISE)
        # Factors of variance 1 again, which takes fewer iterations.
        loadings = loadings @ torch.linalg.cholesky(moments.mean(0))
    return loadings, noise


def _leading(rows):
    """Loadings and noise to start with: principal components, by subspace iteration."""
    n, d = rows.shape
    generator = torch.Generator().manual_seed(0)
    shape = d, min(n_factors_for(d), max(1, n // _ROWS_OF_A_FACTOR))
    basis = torch.randn(shape, generator=generator, dtype=rows.dtype).to(rows.device)
    for _ in range(5):
        basis, _ = torch.linalg.qr(rows.T @ (rows @ basis))
    scores = rows @ basis
    values, turn = torch.linalg.eigh(scores.T @ scores / n)
    loadings = basis @ turn * values.clamp(min=0).sqrt()
    return loadings, (1 - loadings.square().sum(1)).clamp(min=0.05)
