"""Missing cells filled by principal components: what networks see, and are to beat."""

import torch

from skae.networks._holes import MOST_COMPONENTS, filled

# Rows that the components are found on; all rows are filled by them.
FILLED_ROWS = 4096
_MOST_ITERATIONS = 100
# Change of the filled cells, in standard deviations, at which they are found.
_TOLERANCE = 1e-3


def completed(rows, mask):
    """Rows with missing cells filled by regularised iterative PCA [1]_.

    Components of the filled rows, shrunk by the variance of the noise, fill them anew
    until that changes nothing: the EM algorithm of a probabilistic PCA. There are as
    many as have more than the mean variance.

    Parameters
    ----------
    rows : Tensor of shape (n, d)
        With 0 in missing cells.
    mask : Tensor of shape (n, d), bool
        Cells that are there.

    Returns
    -------
    rows : Tensor of shape (n, d)
        A copy.
    filling : tuple of three Tensors
        Mean and two matrices, as :func:`skae.networks._holes.filled` takes them.

    References
    ----------
    .. [1] Josse, J., Husson, F. (2012). Handling missing values in exploratory
       multivariate data analysis methods. Journal de la Societe Francaise de
       Statistique 153(2). http://journal-sfds.fr/article/view/122
    """
    filling = components_that_fill(rows, mask)
    parts = rows.split(FILLED_ROWS), mask.split(FILLED_ROWS)
    parts = [filled(part, ~there, *filling) for part, there in zip(*parts, strict=True)]
    return torch.cat(parts), filling


def components_that_fill(rows, mask=None):
    """What :func:`completed` fills missing cells by; a mask of None is all of them."""
    head = rows[:FILLED_ROWS].double()
    missing = torch.zeros_like(head, dtype=torch.bool)
    if mask is not None:
        missing = ~mask[:FILLED_ROWS]
    basis, before = _random_basis(head), None
    for _ in range(_MOST_ITERATIONS):
        basis, filling = _filling(head, basis)
        mean, down, up = filling
        guess = torch.addmm(mean, (head - mean) @ down, up)
        head = torch.where(missing, guess, head)
        if before is not None and float((guess - before).std()) < _TOLERANCE:
            break
        before = guess
    return tuple(part.to(rows.dtype) for part in filling)


def _random_basis(rows):
    """Orthonormal directions (d, k) that subspace iteration starts with."""
    d = rows.shape[1]
    generator = torch.Generator().manual_seed(0)
    shape = d, min(d - 1, MOST_COMPONENTS)
    start = torch.randn(shape, generator=generator, dtype=rows.dtype)
    return torch.linalg.qr(start.to(rows.device))[0]


def _filling(rows, basis):
    """Directions (d, k) nearer to the leading components, and how they fill rows."""
    mean, d = rows.mean(0), rows.shape[1]
    centred = rows - mean
    basis, _ = torch.linalg.qr(centred.T @ (centred @ basis))
    scores = centred @ basis
    values, turn = torch.linalg.eigh(scores.T @ scores / len(rows))
    basis = basis @ turn
    total = centred.square().sum() / len(rows)
    is_kept = values > total / d
    noise = (total - values[is_kept].sum()) / (d - int(is_kept.sum()))
    share = torch.where(is_kept, 1 - noise.clamp(min=0) / values, 0.0)
    return basis, (mean, basis * share, basis.T)
