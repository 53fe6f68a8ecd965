"""Methods of rows that take sources too, and go through them block by block."""

from functools import partial, wraps

import numpy as np
from scipy.sparse import issparse
from sklearn import get_config

from skae._sources.door import source_of
from skae._sources.source import block_rows


def by_blocks(method):
    """A method from rows to as many, of an estimator of rows, that takes sources too.

    Of them come numbers of rows, (n,), as an array; of what has columns :class:`Blocks`
    to go through or to write, dense ones; of a collection of Dask one that is as lazy.
    """

    @wraps(method)
    def of_any(self, X, *args, **kwargs):
        # What is mapped from a file is an array, of which nothing is copied.
        source = None if isinstance(X, np.ndarray) else source_of(X)
        if source is None:
            return method(self, X, *args, **kwargs)
        if method.__name__ == "transform":
            _check_output(self)
            names = list(self.get_feature_names_out())
        else:
            names = self._names_of_rows
        # Rows of a table are much wider once they are encoded.
        columns = self._columns
        n_rows = None if columns is None else block_rows(columns.layout.width)
        function = partial(_of_block, method, self, args, kwargs)
        return source.applied(function, names, n_rows)

    return of_any


def _check_output(estimator):
    """Raise TypeError where codes are to be tables, which blocks don't become."""
    own = getattr(estimator, "_sklearn_output_config", {}).get("transform")
    wanted = get_config()["transform_output"] if own is None else own
    if wanted != "default":
        raise TypeError(
            f"set_output(transform={wanted!r}) makes tables of rows in memory, but X "
            "is read in blocks: use set_output(transform='default'), or pass rows."
        )


def _of_block(method, estimator, args, kwargs, block):
    made = method(estimator, block, *args, **kwargs)
    return made.toarray() if issparse(made) else made
