"""Methods of rows that take sources too, and go through them block by block."""

from functools import partial, wraps

import numpy as np
from sklearn import get_config

from skae._sources.door import source_of


def by_blocks(method):
    """A method of an estimator's, from rows to as many, that takes sources as well.

    Of them come numbers of rows, (n,), as an array; of what has columns :class:`Blocks`
    to go through or to write; of a collection of Dask one that is as lazy.
    """

    @wraps(method)
    def of_any(self, X, *args, **kwargs):
        # What is mapped from a file is an array, of which nothing is copied.
        source = None if isinstance(X, np.ndarray) else source_of(X)
        if source is None:
            return method(self, X, *args, **kwargs)
        names = None
        if method.__name__ == "transform":
            _check_output(self)
            names = list(self.get_feature_names_out())
        elif hasattr(self, "feature_names_in_"):
            names = list(self.feature_names_in_)
        return source.applied(partial(_of_block, method, self, args, kwargs), names)

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
    return method(estimator, block, *args, **kwargs)
