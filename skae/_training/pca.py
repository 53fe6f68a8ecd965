"""Principal components of standardised rows: where training starts."""

from dataclasses import dataclass

import torch
from sklearn.utils.extmath import randomized_svd

# Above this size a full eigendecomposition costs more than the training after it.
_LARGEST_EIGH = 2000
_CHUNK_CELLS = 2**18


@dataclass(frozen=True)
class PrincipalComponents:
    """The leading principal components of standardised rows.

    Attributes
    ----------
    mean : Tensor of shape (d,)
    components : Tensor of shape (k, d)
        Orthonormal rows by falling variance, their signs as scikit-learn's PCA sets
        them.
    """

    mean: torch.Tensor
    components: torch.Tensor

    def encode(self, rows):
        return (rows - self.mean) @ self.components.T  # (n, k)

    def reconstruct(self, rows):
        return self.encode(rows) @ self.components + self.mean  # (n, d)


def principal_components(rows, n_components, seed):
    """Fit principal components without a second copy of the rows.

    Parameters
    ----------
    rows : Tensor of shape (n, d), float32
    n_components : int or float in (0, 1)
        How many, at the most min(n, d); or the share of the variance to reach.
    seed : int
        Of the randomised decomposition that very large problems get.

    Returns
    -------
    PrincipalComponents
    """
    n, d = rows.shape
    share = None if n_components >= 1 else n_components
    mean = torch.zeros(d, dtype=torch.float64, device=rows.device)
    for chunk in _chunks(rows):
        mean += chunk.sum(0)
    mean /= n
    wanted = min(n, d) if share is not None else min(n_components, n, d)
    if share is None and min(n, d) > _LARGEST_EIGH:
        variance, components = _randomized(rows, wanted, seed)
    elif d <= n:
        variance, components = _from_covariance(rows, mean, wanted)
    else:
        variance, components = _from_gram(rows, mean, wanted)
    if share is not None:
        total = variance.sum()
        below = torch.cumsum(variance, 0) <= share * total
        count = min(int(below.sum()) + 1, wanted) if total > 0 else 1
        variance, components = variance[:count], components[:count]
    largest = components.abs().argmax(1, keepdim=True)
    components = components * components.gather(1, largest).sign()
    return PrincipalComponents(mean.float(), components.float())


def _chunks(rows):
    """The rows in double precision, a chunk at a time."""
    for chunk in rows.split(max(1, _CHUNK_CELLS // rows.shape[1])):
        yield chunk.double()


def _leading(matrix, count):
    """Largest eigenvalues (count,) and their eigenvectors (count, m) of a matrix."""
    values, vectors = torch.linalg.eigh(matrix)
    return values.flip(0)[:count], vectors.T.flip(0)[:count]


def _from_covariance(rows, mean, count):
    n, d = rows.shape
    covariance = rows.new_zeros(d, d, dtype=torch.float64)
    for chunk in _chunks(rows):
        chunk -= mean
        covariance += chunk.T @ chunk
    return _leading(covariance / n, count)


def _from_gram(rows, mean, count):
    """As from the covariance, for rows that are fewer than their features."""
    n = len(rows)
    centred = rows.double() - mean
    variance, scores = _leading(centred @ centred.T / n, count)
    # Null directions have no scores to be recovered from: QR completes them to an
    # orthonormal set.
    directions = centred.T @ scores.T  # (d, count), length sqrt(n * variance)
    components, _ = torch.linalg.qr(directions)
    return variance, components.T


def _randomized(rows, count, seed):
    # Standardised rows are centred but for rounding.
    _, values, components = randomized_svd(rows.cpu().numpy(), count, random_state=seed)
    variance = torch.as_tensor(values, device=rows.device).double() ** 2 / len(rows)
    return variance, torch.as_tensor(components, device=rows.device).double()
