"""How finely codes are rounded: for so many bits, or for an error."""

from numbers import Real

import numpy as np

from skae.compression._frames import FRAME_ROWS, write
from skae.compression._quantizer import Quantizer
from skae.compression._tables import Tables

# The most integers that components are divided into.
_MOST_STEPS = 4096
# Halvings of the range of steps, which spans about 12 powers of 2.
_HALVINGS = 14


def chosen(codes, decode, X, bits, error):
    """Steps and tables for a number of bits, or for an error.

    Parameters
    ----------
    codes : ndarray of shape (n, k), float64
        Of X.
    decode : callable
        Codes to rows.
    X : ndarray of shape (n, d)
    bits, error : float or None

    Returns
    -------
    quantizer : Quantizer
    tables : Tables
    bits : float
        Of a row of X, in the mean.
    error : float
        Mean squared error of X.
    """
    _check(bits, error)
    first = Quantizer.of(codes, decode)
    sizes = np.abs(codes - first.middles).max(axis=0) / first.steps  # in steps
    largest = float(sizes.max()) or 1.0
    finest, coarsest = 2 * largest / _MOST_STEPS, 2.1 * largest

    def size(factor):
        return _size(first.times(factor).integers(codes), X.dtype == np.float32)

    def loss(factor):
        quantizer = first.times(factor)
        rounded = quantizer.codes(quantizer.integers(codes))
        decoded = decode(rounded).astype(X.dtype)
        return float(np.square(decoded - X, dtype=np.float64).mean())

    if bits is None:
        factor = _bisected(loss, error, good=finest, bad=coarsest, name="error")
    else:
        factor = _bisected(size, bits, good=coarsest, bad=finest, name="bits")
    quantizer = first.times(factor)
    tables = Tables.of(quantizer.integers(codes))
    return quantizer, tables, size(factor), loss(factor)


def _check(bits, error):
    wanted = [value for value in (bits, error) if value is not None]
    if len(wanted) != 1:
        raise ValueError(
            f"bits={bits!r} and error={error!r}, but exactly one of them was expected."
        )
    if not isinstance(wanted[0], Real) or not 0 < wanted[0] < np.inf:
        raise ValueError(
            f"bits={bits!r} and error={error!r}, but a positive number was expected."
        )


def _bisected(function, wanted, good, bad, name):
    """The argument closest to `bad` of which the function is at most `wanted`."""
    least = function(good)
    if least > wanted:
        raise ValueError(
            f"{name}={wanted:g} is out of reach: with this transformer X has at least "
            f"{least:.4g}. Ask for more, or fit a transformer with "
            f"{'more components' if name == 'error' else 'fewer of them'}."
        )
    if function(bad) <= wanted:
        return bad
    for _ in range(_HALVINGS):
        middle = (good * bad) ** 0.5
        if function(middle) <= wanted:
            good = middle
        else:
            bad = middle
    return good


def _size(integers, is_single):
    """Bits of a row, in the mean, of all that is written."""
    data = encoded(integers, Tables.of(integers), is_single, "0" * 16)
    return 8 * len(data) / len(integers)


def encoded(integers, tables, is_single, pairing_id):
    """Bytes of integers (n, k)."""
    starts = range(0, len(integers), FRAME_ROWS)
    frames = [tables.encode(integers[i : i + FRAME_ROWS]) for i in starts]
    return write(frames, len(integers), is_single, pairing_id)
