"""Distributions of single columns: those of samples, and those of the data."""

from dataclasses import dataclass, replace

import numpy as np

from skae._utils.checks import array
from skae._utils.stored import stored

# Quantiles kept of each column.
N_QUANTILES = 256


@stored(observed=array("f", 2, finite=False), sampled=array("f", 2, finite=False))
@dataclass(frozen=True, eq=False)
class Marginals:
    """What maps a model's samples, column by column, to numbers that there are.

    Attributes
    ----------
    observed : ndarray of shape (n_numbers, n_quantiles), float64
        Numbers of the data, to the bit, each as frequent as the others; NaN in columns
        without any.
    sampled : ndarray of shape (n_numbers, n_quantiles), float64
        Ascending quantiles of samples, from the least to the largest.
    """

    observed: np.ndarray
    sampled: np.ndarray

    @classmethod
    def of(cls, numbers):
        """Those of data (n, n_numbers), NaN where cells are missing."""
        observed = np.full((numbers.shape[1], N_QUANTILES), np.nan)
        levels = (np.arange(N_QUANTILES) + 0.5) / N_QUANTILES
        for j, quantiles in enumerate(observed):
            known = np.sort(numbers[~np.isnan(numbers[:, j]), j])
            if len(known):
                quantiles[:] = known[(levels * len(known)).astype(int)]
        return cls(observed, observed)

    def of_samples(self, samples):
        """The same with those of samples (n, n_numbers)."""
        levels = np.linspace(0, 1, N_QUANTILES)
        return replace(self, sampled=np.quantile(samples, levels, axis=0).T)

    def mapped(self, samples):
        """For samples (n, n_numbers), the numbers of the same rank in the data."""
        mapped, levels = np.empty(samples.shape), np.linspace(0, 1, N_QUANTILES)
        for j, (known, observed) in enumerate(
            zip(self.sampled, self.observed, strict=True)
        ):
            rank = np.interp(samples[:, j], known, levels)
            place = (rank * N_QUANTILES).astype(int).clip(max=N_QUANTILES - 1)
            mapped[:, j] = observed[place]
        return mapped

    def _check_loaded(self):
        if self.observed.shape != self.sampled.shape:
            raise ValueError("Its samples are not those of its columns.")
        if self.observed.shape[1] != N_QUANTILES:
            raise ValueError("It has another number of quantiles than are kept.")
