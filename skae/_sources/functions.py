"""Functions that return iterators of blocks."""

from skae._sources.source import RowSource


class FunctionSource(RowSource):
    """A function that returns blocks, the same ones each time.

    Parameters
    ----------
    X : callable
        Without arguments; returns an iterable of arrays (m, n_features) or DataFrames.
    """

    def __init__(self, X):
        self.X = X
        self.title = getattr(X, "__name__", repr(X))

    def blocks(self):
        blocks = self.X()
        if not hasattr(blocks, "__iter__"):
            raise TypeError(
                f"{self.title}() returned a {type(blocks).__name__}, but an iterator "
                "of blocks of rows was expected."
            )
        yield from blocks
