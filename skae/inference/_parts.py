"""What a file holds, as arrays and functions, and rows through them."""

from dataclasses import dataclass

import numpy as np

from skae._tables.columns import Columns
from skae.inference._functions import Loss
from skae.inference._holes import ReadHoles
from skae.inference._refiner import Refiner
from skae.inference._stack import Stack
from skae.inference._threads import for_each_chunk

# How often what knows of no missing cells reconstructs rows that it fills.
_N_FILLINGS = 10


@dataclass(frozen=True, eq=False)
class Parts:
    """What a file holds, as arrays and functions.

    Attributes
    ----------
    name : str
        Of the transformer's class.
    n_features, n_components : int
        Cells of rows and of codes, as networks have them.
    feature_names : list of str or None
    shift : ndarray of shape (n_features,), float64
    scale, code_scale : float
        Units of the data in a standard one, and in one of the codes.
    code_maps : list of callables
        What codes (n_components, n) pass through. They may write over them.
    loss : Loss
    encoder, decoder : Stack or None
    reader : ReadHoles or None
        What standardised rows pass through first.
    columns : Columns or None
        Of a table with categories or dates.
    refiner : Refiner or None
        What solves for codes, where the encoder has begun.
    """

    name: str
    n_features: int
    n_components: int
    feature_names: list[str] | None
    shift: np.ndarray
    scale: float
    code_scale: float
    code_maps: list
    loss: Loss
    encoder: Stack | None = None
    decoder: Stack | None = None
    reader: ReadHoles | None = None
    columns: Columns | None = None
    refiner: Refiner | None = None

    @property
    def n_columns(self):
        """Columns of rows as users pass them."""
        return self.n_features if self.columns is None else self.columns.n_columns

    @property
    def fills(self):
        """Whether rows may have missing cells: halves alone cannot fill them."""
        has_both = self.encoder is not None and self.decoder is not None
        return self.reader is not None or has_both

    def encode(self, rows):
        """Codes (n_components, n) of standardised rows (n, n_features)."""
        code = self.encoder((rows if self.reader is None else self.reader(rows)).T)
        for code_map in self.code_maps:
            code = code_map(code)
        return code if self.refiner is None else self.refiner(rows, code)

    def output(self, rows):
        """Raw output (n_features, n) for standardised rows (n, n_features)."""
        return self.decoder(self.encode(rows))

    def reconstruct(self, X):
        """Rows (n, n_features) in the units of the data, of such rows."""
        return self.to_data(self.output(self.standardised(X)))

    def losses(self, X):
        """Loss (n,) of each row of X, in its units; of what is there of it."""
        cells, missing = self._cells(X)
        if missing.any():
            return mean_of_known(self._of_known(cells, missing))
        return cells.mean(axis=0, dtype=np.float64) * self._unit

    def cell_losses(self, X):
        """Loss (n, n_columns) of each column of rows; NaN where it is missing."""
        return self._of_known(*self._cells(X))

    def _cells(self, X):
        """Losses (n_columns, n), and which cells (n, n_features) are missing."""
        missing, rows = np.isnan(X), self.standardised(X)
        known = np.where(np.isnan(rows), np.float32(0), rows)
        target = self.loss.target(known, self.shift, self.scale)
        return self.loss.cells(self.output(rows), target.T), missing

    def _of_known(self, cells, missing):
        losses = as_rows(cells) * self._unit
        first = slice(None) if self.columns is None else self.columns.layout.first
        losses[missing[:, first]] = np.nan
        return losses

    @property
    def _unit(self):
        return np.float64(self.scale) ** self.loss.degree

    def standardised(self, X):
        # In double precision: subtracting a large shift must not lose the data.
        exact = self._readable(X) - self.shift
        exact /= self.scale
        return exact.astype(np.float32)

    def to_data(self, output):
        """Raw output (n_features, n) as rows in the units of the data."""
        return self.loss.to_data(as_rows(output), self.shift, self.scale)

    def _readable(self, X):
        """Rows with missing cells filled, if the network knows of none.

        By what it makes of their rows, again and again.
        """
        if self.reader is not None:
            return X
        missing = np.isnan(X)
        holed = missing.any(axis=1)
        if not holed.any():
            return X
        X = np.where(missing, self.shift.astype(X.dtype), X)
        rows, where = X[holed], missing[holed]
        for _ in range(_N_FILLINGS):
            rows = np.where(where, self.reconstruct(rows).astype(X.dtype), rows)
        X[holed] = rows
        return X


def as_rows(columns):
    """Columns as rows of double precision."""
    return columns.T.astype(np.float64, order="C")


def mean_of_known(cells):
    """Mean (n,) over what is known of losses (n, n_columns); 0 where nothing is."""
    known = ~np.isnan(cells)
    total = np.where(known, cells, 0).sum(axis=1)
    return total / np.maximum(known.sum(axis=1), 1)


def by_chunks(function, X, shape, *stacks):
    """What a function of some rows of X returns, for all of them, in X's dtype."""
    result = np.empty((len(X), *shape), X.dtype)

    def fill(part):
        with np.errstate(over="ignore", under="ignore", invalid="ignore"):
            result[part] = function(X[part])

    for_each_chunk(fill, len(X), min(stack.n_columns for stack in stacks))
    return result
