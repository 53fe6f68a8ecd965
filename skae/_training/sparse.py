"""Standardised rows of a sparse matrix, which become dense in batches and chunks."""

from dataclasses import dataclass, replace

import numpy as np
import torch
from scipy.sparse import csr_array

from skae._training.stored_rows import StoredRows

# Parts of the rows that are multiplied one after the other, each a copy.
_N_MATRICES = 16


@dataclass(frozen=True)
class SparseRows(StoredRows):
    """Standardised rows (n, d) of a CSR matrix, in an order of their own.

    Shift and scale would leave no cell 0, so that the matrix stays as it is: rows are
    standardised when they are made dense, exactly as dense ones are.

    Attributes
    ----------
    data : Tensor of shape (n_stored,), float32 or float64
    columns : Tensor of shape (n_stored,), int32 or int64
    ends : Tensor of shape (n_matrix + 1,), int32 or int64
        Where the matrix's rows begin and end.
    order : Tensor of shape (n,), int64
        The matrix's row that each row is.
    shift : Tensor of shape (d,), float64
    scale : Tensor of shape (), float64
    """

    data: torch.Tensor
    columns: torch.Tensor
    ends: torch.Tensor
    order: torch.Tensor
    shift: torch.Tensor
    scale: torch.Tensor

    @classmethod
    def of(cls, X, scaling, order, device):
        """Rows of a CSR matrix, whose memory they share on the CPU.

        Parameters
        ----------
        X : CSR matrix of shape (n, d), float32 or float64
            No cell of which is stored twice.
        scaling : Scaling
        order : ndarray of shape (n,), int
        device : str
        """
        parts = map(_as_tensor, (X.data, X.indices, X.indptr, order))
        parts = [part.to(device) for part in parts]
        return cls(*parts, *scaling.tensors(torch.float64, device))

    def __len__(self):
        return len(self.order)

    @property
    def shape(self):
        return len(self), len(self.shift)

    @property
    def device(self):
        return self.data.device

    def __getitem__(self, part):
        """The rows of a slice, which share their memory."""
        return replace(self, order=self.order[part])

    def index_select(self, dim, chosen):
        """The rows with the given numbers, as of a tensor."""
        return replace(self, order=self.order.index_select(dim, chosen))

    def dense(self):
        """Tensor (n, d), float32."""
        counts, columns, stored = self._stored()
        rows = torch.arange(len(self), device=self.device).repeat_interleave(counts)
        values = (stored - self.shift[columns]) / self.scale
        cells = (-self.shift / self.scale).float().repeat(len(self), 1)
        cells[rows, columns] = values.float()
        return cells

    def mean(self):
        """Mean (d,) of each column, float64."""
        total = sum(part.sum(axis=0) for part in self._matrices())
        total = torch.as_tensor(total, device=self.device)
        return (total / len(self) - self.shift) / self.scale

    def times_gram(self, matrix):
        """The product (d, k) of the Gram matrix (d, d) of the rows and a matrix (d, k).

        Parameters
        ----------
        matrix : ndarray of shape (d, k), float64
        """
        shifted = self.shift.cpu().numpy() @ matrix
        scale = float(self.scale)
        return self._sum_of_products(
            (part, (part @ matrix - shifted) / scale) for part in self._matrices()
        )

    def transposed_times(self, matrix):
        """The product (d, k) of the transposed rows and a matrix (n, k), float64."""
        factors = np.split(matrix, range(self._part, len(matrix), self._part))
        return self._sum_of_products(zip(self._matrices(), factors, strict=True))

    def _sum_of_products(self, pairs):
        """Sum (d, k) of products of matrices of rows, transposed, and of factors.

        What is stored is multiplied, and what the shift makes of it subtracted from
        the product: nothing else is computed of the cells that are 0.
        """
        shift, product = self.shift.cpu().numpy(), 0.0
        for part, factor in pairs:
            product += part.T @ factor
            product -= np.outer(shift, factor.sum(axis=0))
        return product / float(self.scale)

    def by_columns(self, size):
        """Yield so many columns (n, size) of all rows at a time, in double precision.

        For few rows, which are more than a chunk where they are very wide.
        """
        matrix = self._matrix().tocsc()
        shift, scale = self.shift.cpu().numpy(), float(self.scale)
        for start in range(0, len(shift), size):
            part = slice(start, start + size)
            cells = (matrix[:, part].toarray() - shift[part]) / scale
            # Rounded, as dense rows are.
            yield torch.from_numpy(cells.astype(np.float32)).to(self.device).double()

    def _stored(self):
        """What is stored of the rows, one after the other.

        Returns
        -------
        counts : Tensor of shape (n,), int64
            Of each row's cells.
        columns : Tensor of shape (n_cells,), int64
        values : Tensor of shape (n_cells,), float64
            Not standardised.
        """
        starts = self.ends[self.order].long()
        counts = self.ends[self.order + 1].long() - starts
        skipped = (starts - counts.cumsum(0) + counts).repeat_interleave(counts)
        places = skipped + torch.arange(len(skipped), device=self.device)
        return counts, self.columns[places].long(), self.data[places].double()

    def _matrix(self):
        """The rows as a CSR matrix, float64, not standardised."""
        counts, columns, values = (part.cpu().numpy() for part in self._stored())
        ends = np.concatenate([[0], counts.cumsum()])
        return csr_array((values, columns, ends), shape=self.shape)

    def _matrices(self):
        """Yield matrices of some of the rows at a time."""
        for start in range(0, len(self), self._part):
            yield self[start : start + self._part]._matrix()

    @property
    def _part(self):
        """How many rows such a matrix has; the last one may have fewer."""
        return -(-len(self) // _N_MATRICES)


def _as_tensor(array):
    """An array as a tensor, which shares its memory unless that is read-only."""
    return torch.from_numpy(array if array.flags.writeable else array.copy())
