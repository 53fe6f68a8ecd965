"""Principal components of standardised rows: where training starts."""

from dataclasses import dataclass
from functools import partial

import numpy as np
import torch
from scipy.linalg import eigh
from sklearn.utils.extmath import randomized_svd

from skae._training.sparse import SparseRows
from skae._utils.group import ALONE

# Above this size a full eigendecomposition costs more than the training after it.
_LARGEST_EIGH = 2000
# Of subspace iteration: directions beyond those wanted, and its steps, fewer where more
# than a share of all directions are wanted; as scikit-learn has them.
_MORE, _STEPS, _FEWER_STEPS, _SHARE = 10, 7, 4, 0.1
_CHUNK_CELLS = 2**18
# Into how many blocks the columns of a covariance are cut.
_BLOCKS = 4


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


@dataclass(frozen=True)
class Baseline:
    """PCA, which training has to beat, and the rows that it was fitted to.

    Attributes
    ----------
    pca : PrincipalComponents
    rows : Tensor or SparseRows of shape (n, d)
        All rows, what is missing filled by common factors.
    filling : tuple of four Tensors or None
        What fills missing cells, as :meth:`ReadHoles.learn` takes it; None where
        none are missing.
    """

    pca: PrincipalComponents
    rows: torch.Tensor | SparseRows
    filling: tuple | None = None

    def loss(self, data, objective):
        """Mean loss of the rows that are judged, in the units of the data."""
        n = data.n_held_out or len(self.rows)
        return objective.of_pca(self.pca, data.judged, self.rows[:n])


def principal_components(rows, n_components, seed, group=ALONE):
    """Fit principal components without a second copy of the rows.

    Parameters
    ----------
    rows : Tensor or SparseRows of shape (n, d), float32
    n_components : int or float in (0, 1)
        How many, at the most min(n, d); or the share of the variance to reach.
    seed : int
        Of the randomised decomposition that very large problems get.
    group : Alone, default=ALONE
        Of processes, each with rows of its own. Those of all have to be more than
        components are wanted.

    Returns
    -------
    PrincipalComponents

    Raises
    ------
    ValueError
        If a share is to be reached by sparse rows of very many columns.
    """
    d = rows.shape[1]
    n = int(group.sum(torch.tensor(len(rows))))
    share = None if n_components >= 1 else n_components
    is_stored = not isinstance(rows, torch.Tensor) or group.size > 1
    if is_stored and min(n, d) > _LARGEST_EIGH:
        if share is not None:
            raise ValueError(
                f"n_components={n_components}, a share of the variance, needs all "
                f"principal components, but X is sparse or streamed and has {n} rows "
                f"of {d} columns, more than {_LARGEST_EIGH}: pass a number of "
                "components, such as n_components=32."
            )
        mean = group.sum(_sum(rows)) / n if group.size > 1 else rows.mean()
    else:
        mean = group.sum(_sum(rows)) / n
    wanted = min(n, d) if share is not None else min(n_components, n, d)
    if share is None and min(n, d) > _LARGEST_EIGH:
        find = partial(_by_subspace_iteration, group) if is_stored else _randomized
        variance, components = find(rows, wanted, seed)
    elif d <= n or group.size > 1:
        variance, components = _from_covariance(rows, mean, wanted, n, group)
    else:
        variance, components = _from_gram(rows, mean, wanted)
    if share is not None:
        total = variance.sum()
        below = torch.cumsum(variance, 0) <= share * total
        count = min(int(below.sum()) + 1, wanted) if total > 0 else 1
        variance, components = variance[:count], components[:count]
    largest = components.abs().argmax(1, keepdim=True)
    components = components * components.gather(1, largest).sign()
    found = PrincipalComponents(mean.float(), components.float())
    group.share_(found.mean)
    group.share_(found.components)
    return found


def _sum(rows):
    total = torch.zeros(rows.shape[1], dtype=torch.float64, device=rows.device)
    for chunk in _chunks(rows):
        total += chunk.sum(0)
    return total


def _chunks(rows):
    """The rows in double precision, a chunk at a time."""
    for chunk in rows.split(max(1, _CHUNK_CELLS // rows.shape[1])):
        yield chunk.double()


def _leading(matrix, count):
    """Largest eigenvalues (count,) and their eigenvectors (count, m) of a matrix.

    Only what is on its diagonal and above it is read.
    """
    last = len(matrix) - 1
    wanted = (last + 1 - count, last) if count <= last else None
    found = eigh(matrix.cpu().numpy(), lower=False, subset_by_index=wanted)
    values, vectors = (torch.from_numpy(part).to(matrix.device) for part in found)
    return values.flip(0), vectors.T.flip(0)


def _from_covariance(rows, mean, count, n, group):
    d = rows.shape[1]
    covariance = torch.zeros(d, d, dtype=torch.float64, device=rows.device)
    # What is below the diagonal is above it as well.
    size = -(-d // _BLOCKS)
    for chunk in _chunks(rows):
        chunk -= mean
        for i in range(0, d, size):
            covariance[i : i + size, i:] += chunk[:, i : i + size].T @ chunk[:, i:]
    return _leading(group.sum(covariance) / n, count)


def _from_gram(rows, mean, count):
    """As from the covariance, for rows that are fewer than their features."""
    n = len(rows)
    if isinstance(rows, SparseRows):
        return _from_columns(rows, mean, count)
    if not isinstance(rows, torch.Tensor):
        rows = rows.dense()
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


def _from_columns(rows, mean, count):
    """As from the Gram matrix, of sparse rows some columns at a time."""
    n = len(rows)
    size = max(1, _CHUNK_CELLS // n)
    means = mean.split(size)
    gram = torch.zeros(n, n, dtype=torch.float64, device=rows.device)
    for columns, middle in zip(rows.by_columns(size), means, strict=True):
        centred = columns - middle
        gram += centred @ centred.T
    variance, scores = _leading(gram / n, count)
    directions = [
        (columns - middle).T @ scores.T
        for columns, middle in zip(rows.by_columns(size), means, strict=True)
    ]
    components, _ = torch.linalg.qr(torch.cat(directions))
    return variance, components.T


def _by_subspace_iteration(group, rows, count, seed):
    """As by the randomised decomposition [1]_ of scikit-learn, from the same start.

    Rows stay sparse: only products with their Gram matrix are taken.

    References
    ----------
    .. [1] Halko, N., Martinsson, P.-G., Tropp, J. A. (2011). Finding structure with
       randomness: probabilistic algorithms for constructing approximate matrix
       decompositions. SIAM Review 53(2). :doi:`10.1137/090771806`
    """
    n, d = rows.shape
    is_wide = n < d and group.size == 1
    times_gram = partial(_times_gram, group, rows)
    n_start = n if is_wide else d
    start = np.random.RandomState(seed).normal(size=(n_start, count + _MORE))
    basis = _orthonormal(rows.transposed_times(start)) if is_wide else start
    for _ in range(_STEPS if count < _SHARE * min(n, d) else _FEWER_STEPS):
        basis = _orthonormal(times_gram(basis))
    product = times_gram(basis)
    squares, turn = np.linalg.eigh(basis.T @ product)
    if is_wide:
        squares, components = squares[::-1], (basis @ turn).T[::-1]
    else:
        # Rows times the basis are the left side: one more half of a step.
        squares = squares.clip(min=1e-15 * max(squares[-1], 1e-300))
        inner = (turn / np.sqrt(squares)).T @ product.T  # (size, d)
        _, values, components = np.linalg.svd(inner, full_matrices=False)
        squares = values**2
    n = int(group.sum(torch.tensor(n)))
    found = squares[:count] / n, components[:count]
    return [torch.tensor(part.copy(), device=rows.device) for part in found]


def _times_gram(group, rows, matrix):
    """The product (d, k) of the Gram matrix of all rows and a matrix (d, k)."""
    if isinstance(rows, torch.Tensor):
        matrix = torch.from_numpy(np.ascontiguousarray(matrix)).to(rows.device)
        product = torch.zeros_like(matrix)
        for chunk in _chunks(rows):
            product += chunk.T @ (chunk @ matrix)
        product = product.cpu()
    else:
        product = torch.from_numpy(np.ascontiguousarray(rows.times_gram(matrix)))
    return group.sum(product).numpy()


def _orthonormal(matrix):
    return np.linalg.qr(matrix)[0]
