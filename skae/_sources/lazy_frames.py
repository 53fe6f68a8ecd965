"""Lazy frames of polars."""

import weakref
from tempfile import NamedTemporaryFile

import polars as pl

from skae._sources.source import RowSource, block_rows


class LazySource(RowSource):
    """A lazy frame of polars, a slice at a time.

    What it computes is written to a temporary file once, so that all passes see the
    same rows, and no slice is computed from the beginning.

    Parameters
    ----------
    X : polars.LazyFrame
    """

    def __init__(self, X):
        self.X = X
        self.title = "LazyFrame"
        self._file = None

    def head(self):
        return pl.DataFrame(schema=self.X.collect_schema())

    def blocks(self):
        if self._file is None:
            file = NamedTemporaryFile(prefix="skae-", suffix=".parquet")
            weakref.finalize(self, file.close)
            self.X.sink_parquet(file.name)
            self._file = file
        scanned = pl.scan_parquet(self._file.name)
        n_rows = scanned.select(pl.len()).collect().item()
        size = block_rows(len(scanned.collect_schema()))
        for start in range(0, n_rows, size):
            yield scanned.slice(start, size).collect()
