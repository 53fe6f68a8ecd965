"""Parquet files and datasets of pyarrow."""

from functools import partial
from glob import glob
from os import PathLike, fspath
from pathlib import Path

from skae._sources.source import RowSource, block_rows


class ParquetSource(RowSource):
    """A dataset of pyarrow, read in batches.

    Parameters
    ----------
    X : pyarrow.dataset.Dataset, str, PathLike or list of these
        Paths are of Parquet files, of directories of them, or patterns of such.

    Raises
    ------
    ImportError
        If pyarrow is not installed.
    FileNotFoundError
        If there is no such file.
    """

    def __init__(self, X):
        self.dataset = _dataset(X)
        self.title = X if isinstance(X, str) else repr(X)

    def head(self):
        return self.dataset.schema.empty_table().to_pandas()

    def blocks(self):
        n_columns = len(self.dataset.schema.names)
        options = {"batch_size": block_rows(n_columns), "batch_readahead": 1}
        for scan in self._scans():
            for batch in scan(**options):
                yield batch.to_pandas(split_blocks=True, self_destruct=True)

    def _scans(self):
        """Yield what reads a group of rows, one after the other.

        A scanner of all groups would read on ahead, far beyond what is asked for.
        """
        try:
            fragments = list(self.dataset.get_fragments())
        except ValueError:  # rows or columns were selected
            yield partial(self.dataset.to_batches, fragment_readahead=1)
            return
        for fragment in fragments:
            for group in fragment.split_by_row_group():
                yield partial(group.to_batches, schema=self.dataset.schema)


def _expanded(path):
    """The paths that a pattern stands for, sorted; what is none stands for itself."""
    if "://" in path or Path(path).exists():
        return [path]
    return sorted(glob(path)) or [path]


def _dataset(X):
    try:
        from pyarrow import dataset
    except ImportError as error:
        raise ImportError(
            f"X={X!r} is read by pyarrow, which is not installed: pip install pyarrow."
        ) from error
    if isinstance(X, dataset.Dataset):
        return X
    paths = [X] if isinstance(X, str | PathLike) else X
    paths = [found for path in paths for found in _expanded(fspath(path))]
    for path in paths:
        if "://" not in path and not Path(path).exists():
            raise FileNotFoundError(
                f"X={path!r}, which is taken for Parquet, does not exist."
            )
    return dataset.dataset(paths[0] if len(paths) == 1 else paths, format="parquet")
