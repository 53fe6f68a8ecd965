"""Codes as integers: rounded to steps of each component."""

from dataclasses import dataclass, replace

import numpy as np

from skae._utils.checks import array
from skae._utils.stored import stored
from skae.compression._tables import LARGEST

# Rows that the decoder's slopes are measured at, and how far codes are moved for that,
# in their standard deviations.
_SLOPE_ROWS, _MOVED = 256, 0.1
# Steps of components that hardly matter, in those of the others.
_LONGEST = 100.0


@stored(middles=array("f", 1), steps=array("f", 1))
@dataclass(frozen=True, eq=False)
class Quantizer:
    """Rounds codes to multiples of steps.

    Attributes
    ----------
    middles : ndarray of shape (k,), float64
        Codes that become 0.
    steps : ndarray of shape (k,), float64
    """

    middles: np.ndarray
    steps: np.ndarray

    @classmethod
    def of(cls, codes, decode):
        """Steps that move rows by about one unit of the data each.

        Codes may have any units, and each component its own: what a step is worth is
        measured at the decoder.

        Parameters
        ----------
        codes : ndarray of shape (n, k), float64
        decode : callable
            Codes to rows.
        """
        kept = np.random.default_rng(0).permutation(len(codes))[:_SLOPE_ROWS]
        sample, k = codes[kept], codes.shape[1]
        # Most codes of a sparse component are 0, and are to stay it.
        middles = np.median(codes, axis=0)
        moved = _MOVED * codes.std(axis=0)
        moved[moved == 0] = _MOVED * (codes.std() or 1.0)
        rows, slopes = decode(sample), np.empty(k)
        for j in range(k):
            there = decode(sample + moved[j] * (np.arange(k) == j)) - rows
            slopes[j] = np.sqrt(np.square(there).sum(axis=1).mean()) / moved[j]
        largest = slopes.max()
        if not largest > 0:
            return cls(middles, np.ones(k))
        return cls(middles, 1 / np.maximum(slopes, largest / _LONGEST))

    def _check_loaded(self):
        if len(self.middles) != len(self.steps) or not (self.steps > 0).all():
            raise ValueError("Its steps are impossible.")

    def times(self, factor):
        """The same with steps that are longer by a factor."""
        return replace(self, steps=self.steps * factor)

    def as_bytes(self):
        """The same bytes for the same steps on every machine."""
        parts = self.middles, self.steps
        return b"".join(part.astype("<f8").tobytes() for part in parts)

    def integers(self, codes):
        """Codes (n, k) as integers (n, k).

        Raises
        ------
        ValueError
            If a row is too far away for that.
        """
        rounded = np.rint((codes - self.middles) / self.steps)
        sizes = np.abs(rounded).max(axis=1)
        if sizes.max() > LARGEST:
            i = int(sizes.argmax())
            raise ValueError(
                f"The code of row {i} is {sizes[i]:.2g} steps away from those that the "
                f"codec was made with, but at the most {LARGEST:.1e} can be written: "
                "are the units the same?"
            )
        return rounded.astype(np.int64)

    def codes(self, integers):
        """Integers (n, k) as codes (n, k)."""
        return integers * self.steps + self.middles
