"""Rows with missing cells, as networks read them, in numpy."""

import numpy as np

# How often missing cells are filled: by components, or by what a network that knows of
# none makes of their rows.
N_FILLINGS = 10


class ReadHoles:
    """As :class:`skae.networks._holes.ReadHoles`.

    Parameters
    ----------
    mean : ndarray of shape (n_features,)
    down, up : ndarrays of shape (n_features, k) and (k, n_features)
        Centred rows times both are what fills them.
    told : ndarray of ints
        Cells of which the network is told whether they are missing.
    low, inverse, centre : ndarrays of shape (n_binned, n_bins)
        Where bins begin, one over their widths, and the mean of what is told of them.
    """

    def __init__(self, mean, down, up, told, low, inverse, centre):
        self.mean, self.down, self.up = mean, down, up
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
        rows = np.where(missing, self.mean, rows)
        for _ in range(N_FILLINGS):
            guess = ((rows - self.mean) @ self.down) @ self.up + self.mean
            rows = np.where(missing, guess, rows)
        return rows
