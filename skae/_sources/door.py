"""Which source reads what users pass."""

from importlib import import_module
from os import PathLike

import numpy as np

from skae._sources.source import KeptBlocks, RowSource

# Rows that are held out in turn, if there are no more.
_FEW = 1000


def source_of(X):
    """The source that reads X a block at a time, or None for rows in memory.

    Parameters
    ----------
    X : object
        np.memmap; a path of Parquet files, or several; a dataset of pyarrow; a
        LazyFrame of polars; a collection of Dask; a function that returns an iterator
        of blocks; what methods return of these.
    """
    if isinstance(X, RowSource):
        return X
    for is_kind, module, name in _KINDS:
        if is_kind(X):
            return getattr(import_module(f"skae._sources.{module}"), name)(X)
    return None


def refuse_sources(X, method, advice):
    """Raise TypeError for what is read in blocks, of methods that need all at once.

    Parameters
    ----------
    X : object
    method : str
        In messages.
    advice : str
        What to do instead.
    """
    is_source = isinstance(X, RowSource) or any(is_kind(X) for is_kind, *_ in _KINDS)
    if is_source and not isinstance(X, np.ndarray):
        raise TypeError(
            f"{method} takes rows in memory, but X is a {type(X).__name__}, which is "
            f"read in blocks: {advice}."
        )


def limit_of(estimator):
    """Bytes of rows that are held at once, as an estimator says, or what is in it."""
    own = getattr(estimator, "memory_limit", None)
    if own is not None:
        return own
    parts = (getattr(estimator, name, None) for name in ("detector", "autoencoder"))
    inner = next((part for part in parts if part is not None), None)
    return 1_000_000_000 if inner is None else limit_of(inner)


def whole(source, memory_limit):
    """The blocks of a source, if they take no more than half of some bytes, or None.

    Few rows are read whole in any case: they are held out in turn.

    Returns
    -------
    kept : KeptBlocks or None
    """
    blocks, n_bytes, n_rows = [], 0, 0
    for block in source.mapped(lambda block: block):
        blocks.append(block)
        n_bytes += _bytes_of(block)
        n_rows += block.shape[0]
        if n_bytes > memory_limit / 2 and n_rows >= _FEW:
            return None
    if not blocks:
        raise ValueError(f"{source.title} has no rows.")
    return KeptBlocks(source, blocks)


def _bytes_of(block):
    if hasattr(block, "estimated_size"):  # of polars
        return block.estimated_size()
    if hasattr(block, "memory_usage"):  # of pandas
        return int(block.memory_usage(deep=True).sum())
    return np.asarray(block).nbytes


def _is_path(X):
    return isinstance(X, str | PathLike)


def _are_paths(X):
    return _is_path(X) or (
        isinstance(X, list | tuple) and len(X) > 0 and all(map(_is_path, X))
    )


def _is_of(library, *names):
    """Whether the class of an object, or one that it derives from, is of a library."""

    def is_of(X):
        return any(
            cls.__module__.partition(".")[0] == library and cls.__name__ in names
            for cls in type(X).__mro__
        )

    return is_of


def _is_function(X):
    return callable(X) and not hasattr(X, "shape")


is_collection = _is_of("dask", "Array", "DataFrame")

_KINDS = (
    (lambda X: isinstance(X, np.memmap), "arrays", "ArraySource"),
    (_are_paths, "parquet", "ParquetSource"),
    (_is_of("pyarrow", "Dataset"), "parquet", "ParquetSource"),
    (_is_of("polars", "LazyFrame"), "lazy_frames", "LazySource"),
    (is_collection, "collections", "DaskSource"),
    (_is_function, "functions", "FunctionSource"),
)
