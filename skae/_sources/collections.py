"""Collections of Dask, a partition at a time."""

from functools import partial

import numpy as np

from skae._sources.source import RowSource


class DaskSource(RowSource):
    """An array or a DataFrame of Dask, computed a partition at a time.

    Parameters
    ----------
    X : dask.array.Array or dask.dataframe.DataFrame
    """

    def __init__(self, X):
        self.title = repr(X).splitlines()[0].rstrip(":")
        if len(X.shape) != 2:
            raise ValueError(f"Expected 2D array, got {len(X.shape)}D: {self.title}.")
        # Chunks of columns would have to be put together again.
        has_columns = len(getattr(X, "chunks", ((), ()))[1:2][0]) > 1
        self.X = X.rechunk({1: -1}) if has_columns else X

    def head(self):
        return self.X._meta if hasattr(self.X, "_meta_nonempty") else None

    def applied(self, function, names, n_rows=None):
        """A collection that is computed when it is asked for.

        Of an array one of Dask, of a DataFrame a Series or a DataFrame of Dask. The
        function gets whole partitions.
        """
        if hasattr(self.X, "_meta_nonempty"):
            of_frame = partial(_of_frame, function, names)
            meta = of_frame(self.X._meta_nonempty).iloc[:0]
            return self.X.map_partitions(of_frame, meta=meta)
        sample = function(np.ones((1, self.X.shape[1]), self.X.dtype))
        if sample.ndim == 1:
            return self.X.map_blocks(function, dtype=sample.dtype, drop_axis=1)
        chunks = self.X.chunks[0], (sample.shape[1],)
        return self.X.map_blocks(function, dtype=sample.dtype, chunks=chunks)

    def blocks(self):
        for part in np.ravel(self.X.to_delayed()):
            yield part.compute()


def _of_frame(function, names, frame):
    """What a function makes of a partition, with its index."""
    import pandas as pd

    made = function(frame)
    if hasattr(made, "columns"):
        return made
    if made.ndim == 1:
        return pd.Series(made, index=frame.index)
    return pd.DataFrame(made, index=frame.index, columns=names)
