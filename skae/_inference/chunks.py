"""Rows through a network, a chunk of a fixed number of rows at a time."""

from collections import deque
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext

import numpy as np
import torch

from skae._utils.sparse import dense
from skae._utils.threads import threads, usable_threads
from skae._utils.torch_state import undisturbed


def by_chunks(
    function, X, scaling, shape, sizes, device, mode=nullcontext, in_threads=False
):
    """Apply a function of standardised rows to chunks of fixed row counts.

    Parameters
    ----------
    function : callable
        From a float32 tensor of rows on the device to a tensor of as many, anywhere.
    X : ndarray or CSR matrix of shape (n, d), float32 or float64
    scaling : Scaling
        Of the rows.
    shape : tuple of ints
        Of the result for one row.
    sizes : tuple of ints
        Row counts, descending. The last one takes what is left by those before.
    device : str
    mode : callable, default=nullcontext
        Makes a context that the function runs in.
    in_threads : bool, default=False
        Whether the function may be called in several threads at once.

    Returns
    -------
    result : ndarray of shape (n, *shape), of the dtype of X
    """
    result = np.empty((X.shape[0], *shape), X.dtype)
    chunks = list(_slices(X.shape[0], sizes))
    remaining = deque(chunks)

    def work():
        """Take chunks as long as there are any, with one thread for torch."""
        quiet = np.errstate(over="ignore", invalid="ignore")
        with threads(1), undisturbed(device), torch.no_grad(), mode(), quiet:
            standardise = _Standardised(X, scaling)
            for part, size in _taken(remaining):
                output = function(standardise(part, size).to(device)).cpu().numpy()
                result[part] = output[: part.stop - part.start]

    n_large = sum(part.stop - part.start > sizes[-1] for part, _ in chunks)
    if in_threads and n_large > 1 and device == "cpu":
        _in_threads(work, remaining, min(usable_threads(), n_large))
    else:
        work()
    return result


def _in_threads(work, remaining, n_threads):
    """Call a function that works through what remains, in so many threads at once.

    None waits for another, as torch's own threads do in each product, which costs a
    multiple of the time where other processes have the cores.
    """
    if n_threads == 1:
        work()
        return
    with ThreadPoolExecutor(n_threads - 1) as pool:
        others = [pool.submit(work) for _ in range(n_threads - 1)]
        try:
            work()
        finally:
            remaining.clear()  # what failed here, or was interrupted, ends there
    for other in others:
        other.result()


def _taken(remaining):
    """What remains, one after the other, shared with other threads."""
    while True:
        try:
            yield remaining.popleft()
        except IndexError:
            return


def _slices(n_rows, sizes):
    """Slices of the rows, and the number of rows that each is filled up to."""
    start = 0
    for size in sizes:
        least = 1 if size == sizes[-1] else size // 2
        while n_rows - start >= least:
            yield slice(start, min(start + size, n_rows)), size
            start += size


class _Standardised:
    """Makes chunks of X tensors of standardised rows with some to spare.

    Parameters
    ----------
    X : ndarray or CSR matrix of shape (n, d)
    scaling : Scaling
    """

    def __init__(self, X, scaling):
        self.X, self.shift = X, scaling.shift
        # Multiplying is quicker, but the inverse of the smallest numbers overflows.
        is_normal = scaling.scale >= np.finfo(float).tiny
        self.rescale = np.multiply if is_normal else np.divide
        self.by = 1 / scaling.scale if is_normal else scaling.scale
        self.rows = torch.zeros(0)

    def __call__(self, part, size):
        """The rows of a slice, in memory that the next one takes as well."""
        if len(self.rows) != size:
            # Torch's memory is aligned, which products may depend on.
            self.rows = torch.zeros(size, self.X.shape[1], dtype=torch.float32)
            # In double precision: subtracting a large shift must not lose the data.
            self.exact = np.empty(self.rows.shape)
        exact = self.exact[: part.stop - part.start]
        np.subtract(dense(self.X[part]), self.shift, out=exact)
        self.rescale(exact, self.by, out=exact)
        self.rows.numpy()[: len(exact)] = exact
        return self.rows
