"""Arrays in files, such as np.memmap."""

from skae._sources.source import RowSource, block_rows


class ArraySource(RowSource):
    """An array that lies in a file and is read in slices.

    Parameters
    ----------
    X : np.memmap, or another array of shape (n_samples, n_features)
    """

    def __init__(self, X):
        self.X = X
        self.title = f"{type(X).__name__} of shape {X.shape}"

    def blocks(self):
        size = block_rows(self.X.shape[1], self.X.dtype.itemsize)
        for start in range(0, self.X.shape[0], size):
            yield self.X[start : start + size]
