"""Rows through a network, a chunk of a fixed number of rows at a time."""

from contextlib import nullcontext

import numpy as np
import torch

from skae._utils.torch_state import undisturbed


def by_chunks(function, X, scaling, shape, sizes, device, mode=nullcontext):
    """Apply a function of standardised rows to chunks of fixed row counts.

    Parameters
    ----------
    function : callable
        From a float32 tensor of rows on the device to a tensor of as many, anywhere.
    X : ndarray of shape (n, d), float32 or float64
    scaling : Scaling
        Of the rows.
    shape : tuple of ints
        Of the result for one row.
    sizes : tuple of ints
        Row counts, descending. The last one takes what is left by those before.
    device : str
    mode : callable, default=nullcontext
        Makes a context that the function runs in.

    Returns
    -------
    result : ndarray of shape (n, *shape), of the dtype of X
    """
    result = np.empty((len(X), *shape), X.dtype)
    quiet = np.errstate(over="ignore", invalid="ignore")
    with undisturbed(device), torch.no_grad(), mode(), quiet:
        for part, rows in _standard_chunks(X, scaling, sizes):
            output = function(rows.to(device)).cpu().numpy()
            result[part] = output[: len(result[part])]
    return result


def _standard_chunks(X, scaling, sizes):
    """Slices of X, and each as a tensor of standardised rows with some to spare."""
    shift, scale = scaling.shift, scaling.scale
    # Multiplying is quicker, but the inverse of the smallest numbers overflows.
    normal = scale >= np.finfo(float).tiny
    rescale, by = (np.multiply, 1 / scale) if normal else (np.divide, scale)
    start = 0
    for size in sizes:
        least = 1 if size == sizes[-1] else size // 2
        if len(X) - start < least:
            continue
        # Torch's memory is aligned, which products may depend on.
        rows = torch.zeros(size, X.shape[1], dtype=torch.float32)
        # In double precision: subtracting a large shift must not lose the data.
        exact = np.empty(rows.shape)
        while len(X) - start >= least:
            part = slice(start, min(start + size, len(X)))
            n = part.stop - start
            np.subtract(X[part], shift, out=exact[:n])
            rescale(exact[:n], by, out=exact[:n])
            rows.numpy()[:n] = exact[:n]
            yield part, rows
            start += size
