"""What codes are like in all: a mixture of normal distributions, to draw from."""

from dataclasses import dataclass

import numpy as np
from sklearn import config_context
from sklearn.mixture import GaussianMixture

from skae._utils.checks import array
from skae._utils.stored import stored

# Distributions at the most, and rows for each component that one of them takes.
_MOST, _LEAST_ROWS = 10, 5
# Nats that an iteration gains for each row, or is the last one.
_GAIN = 0.01
# Added to variances, of codes whose own are 1 in all.
_LEAST_VARIANCE = 1e-3


@stored(weights=array("f", 1), means=array("f", 2), roots=array("f", 3))
@dataclass(frozen=True, eq=False)
class CodeMixture:
    """A mixture of normal distributions of codes.

    Attributes
    ----------
    weights : ndarray of shape (m,)
        Which add up to 1.
    means : ndarray of shape (m, n_components)
    roots : ndarray of shape (m, n_components, n_components)
        What standard normal rows are multiplied by.
    """

    weights: np.ndarray
    means: np.ndarray
    roots: np.ndarray

    @classmethod
    def of(cls, codes, n_rows, seed):
        """That of draws of codes (n, n_components) of so many rows.

        None where rows are too few to tell it from a single distribution.
        """
        count = min(_MOST, n_rows // (_LEAST_ROWS * codes.shape[1]))
        if count < 2:
            return None
        mixture = GaussianMixture(
            count,
            reg_covar=_LEAST_VARIANCE,
            init_params="k-means++",
            random_state=seed,
            # Close to the likeliest will do. Likelihoods are bounded, so that there
            # are no more iterations that gain as much.
            tol=_GAIN,
            max_iter=10_000,
        )
        # Dispatching to other arrays than numpy's would refuse the start.
        with config_context(array_api_dispatch=False):
            mixture.fit(codes)
        roots = np.linalg.cholesky(mixture.covariances_).transpose(0, 2, 1)
        return cls(mixture.weights_, mixture.means_, np.ascontiguousarray(roots))

    def draw(self, n_samples, rng):
        """Codes (n_samples, n_components); the first of many are those of few."""
        of_choice, of_codes = rng.spawn(2)
        ends = np.cumsum(self.weights)
        chosen = np.searchsorted(ends, ends[-1] * of_choice.random(n_samples))
        codes = of_codes.normal(size=(n_samples, self.means.shape[1]))
        for i, (mean, root) in enumerate(zip(self.means, self.roots, strict=True)):
            codes[chosen == i] = codes[chosen == i] @ root + mean
        return codes

    def _check_loaded(self):
        m, k = self.means.shape
        if self.weights.shape != (m,) or self.roots.shape != (m, k, k):
            raise ValueError("Its distributions are not those of its codes.")
        if not len(self.weights) or (self.weights < 0).any() or not self.weights.sum():
            raise ValueError("Its weights are none of a mixture.")
