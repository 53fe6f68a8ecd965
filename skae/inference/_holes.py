"""Rows with missing cells, as networks read them, in numpy."""

import numpy as np

# Steps that find what is expected of missing cells.
_N_STEPS = 8
# Squared errors, in standard units, that are no more than those of rounding.
_LEAST_LEFT = 1e-13


class ReadHoles:
    """As :class:`skae.networks._holes.ReadHoles`.

    Parameters
    ----------
    mean, scale, own : ndarrays of shape (n_features,)
    shared : ndarray of shape (n_features, k)
        What fills missing cells.
    told : ndarray of ints
        Cells of which the network is told whether they are missing.
    low, inverse, centre : ndarrays of shape (n_binned, n_bins)
        Where bins begin, one over their widths, and the mean of what is told of them.
    """

    def __init__(self, mean, scale, own, shared, told, low, inverse, centre):
        self.mean, self.scale, self.own, self.shared = mean, scale, own, shared
        self.told = told
        self.low, self.inverse, self.centre = low, inverse, centre

    @property
    def n_inputs(self):
        """Inputs beyond the rows."""
        return len(self.told) + self.low.size

    def __call__(self, rows):
        """What the network reads (n, n_features + n_inputs), of standardised rows."""
        missing = np.isnan(rows)
        holed = missing.any(axis=1)
        if holed.any():
            rows = rows.copy()
            rows[holed] = self._filled(rows[holed], missing[holed])
        if self.n_inputs == 0:
            return rows
        n_binned = len(self.low)
        bins = (rows[:, :n_binned, None] - self.low) * self.inverse
        np.clip(bins, np.float32(0), np.float32(1), out=bins)
        bins -= self.centre
        bins[missing[:, :n_binned]] = 0
        parts = rows, missing[:, self.told], bins.reshape(len(rows), -1)
        return np.concatenate(parts, axis=1, dtype=np.float32)

    def _filled(self, rows, missing):
        """Conjugate gradients, as :func:`skae.networks._holes.filled`."""
        root = np.sqrt(self.own - np.square(self.shared).sum(axis=1))
        units = root / self.scale
        shared, own = self.shared / root[:, None], self.own / np.square(root)

        def pulled(values):
            return (values * own - (values @ shared) @ shared.T) * missing

        known = np.where(missing, np.float32(0), (rows - self.mean) * units)
        size = np.abs(known).max(axis=1, keepdims=True).clip(min=1)
        step = left = -pulled(known / size)
        filling, along = np.zeros_like(step), _dots(left, left)
        for _ in range(_N_STEPS):
            made = pulled(step)
            length = _over(along, _dots(step, made))
            filling, left = filling + length * step, left - length * made
            before, along = along, _dots(left, left)
            step = left + _over(along, before) * step
        return np.where(missing, filling * size / units + self.mean, rows)


def _dots(left, right):
    return (left * right).sum(axis=1, keepdims=True)


def _over(part, whole):
    """Ratios; 0 once nothing is left but errors of rounding."""
    return np.divide(part, whole, out=np.zeros_like(part), where=whole > _LEAST_LEFT)
