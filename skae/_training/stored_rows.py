"""The base of rows that are no tensor, and become one in batches and chunks."""

# Cells that are made dense at once where no batch is asked for, and rows at the least.
_CHUNK_CELLS, _LEAST_ROWS = 2**23, 256


class StoredRows:
    """Base of standardised rows (n, d) that are made dense as they are needed.

    Attributes
    ----------
    shape : tuple of two int
    has_holes : bool
        Whether cells are missing.
    """

    shape: tuple
    has_holes = False

    @property
    def chunk_rows(self):
        """How many rows take moderate memory when they are dense."""
        return max(_LEAST_ROWS, _CHUNK_CELLS // self.shape[1])

    def split(self, size):
        """Yield so many rows at a time as tensors."""
        for start in range(0, self.shape[0], size):
            yield self[start : start + size].dense()

    def var(self, dim, correction):
        """Variance (d,) of each column, as of a tensor."""
        mean = self.mean()
        parts = self.split(self.chunk_rows)
        squares = sum((rows - mean).square().sum(dim) for rows in parts)
        return squares / (self.shape[0] - correction)
