"""Codes found by a linear decoder, where an encoder has begun, in numpy."""

import numpy as np

from skae._utils import pursuit


class Refiner:
    """As :class:`skae.networks._refiner.Refiner`.

    Parameters
    ----------
    weight : ndarray of shape (n_features, n_components), float32
        Of the decoder, a linear map.
    bias : ndarray of shape (n_features,), float32
    method : {"least_squares", "omp"}
    n_nonzeros : int or None
        Of each code; None is as many as the encoder's has.
    is_positive : bool, default=False
        Whether no component of a code is negative.
    """

    def __init__(self, weight, bias, method, n_nonzeros, is_positive=False):
        self.weight, self.bias = weight, bias
        self.method = method
        self.is_positive = is_positive
        self.most = len(weight)
        self.n_nonzeros = None if n_nonzeros is None else min(n_nonzeros, self.most)
        lengths = np.sqrt(np.square(weight).sum(axis=0))
        self.lengths = np.where(lengths > 0, lengths, np.float32(1))
        self.unit = (weight / self.lengths).T.copy()
        self.gram = self.unit @ self.unit.T

    def __call__(self, rows, code):
        """Refined codes (n_components, n) of rows (n, n_features) and their codes."""
        expected = code.T @ self.weight.T + self.bias
        rows = np.where(np.isnan(rows), expected, rows)
        products = (rows - self.bias) @ self.unit.T
        code = np.ascontiguousarray(code.T)
        refined = np.zeros_like(code)
        size = pursuit.rows_at_once(self.method, code.shape[1], self.n_nonzeros)
        for start in range(0, len(code), size):
            part = slice(start, start + size)
            refined[part] = self._solved(code[part], products[part])
        return refined.T

    def _solved(self, code, products):
        numbers = np.arange(len(code))
        counts, n_steps = np.count_nonzero(code, axis=1), self.n_nonzeros
        if n_steps is None:
            n_steps = min(max(1, int(counts.max(initial=0))), self.most)
        if self.method == "omp":
            if self.n_nonzeros is not None:
                counts = np.full_like(counts, n_steps)
            given = products, self.gram, n_steps, counts, numbers, self.is_positive
            atoms, values = (np.stack(p, axis=1) for p in pursuit.of_any(*given))
        else:
            atoms = np.argsort(-np.abs(code), axis=1, kind="stable")[:, :n_steps]
            is_used = np.arange(n_steps) < counts[:, None]
            values = pursuit.of_support(products, self.gram, atoms, is_used, numbers)
        if self.is_positive:
            given = values, products, self.gram, atoms, numbers
            values = pursuit.without_negatives(*given)
        refined = np.zeros_like(code)
        # Added, since a component that no longer counts may be there already.
        np.add.at(refined, (numbers[:, None], atoms), values)
        return refined / self.lengths
