"""Integers as bytes: frequency tables of each component, for an entropy coder."""

from dataclasses import dataclass

import numpy as np
from scipy.ndimage import gaussian_filter1d

from skae._utils.checks import array
from skae._utils.stored import stored

# What the frequencies of a component add up to, about. The coder's own probabilities
# are of 24 bits, and its arithmetic is exact for integers of as many.
_TOTAL = 2**20
_LARGEST_TOTAL = 2**24 - 1
# Deviations of the kernels that histograms may be smoothed by, in symbols; the first is
# none at all.
_WIDTHS = 0.1, 0.3, 0.5, 1, 2, 4, 8, 16, 32, 64, 128
# Widths of the kernel that a table reaches beyond the values that were seen.
_REACH = 3
# Escaped values are written in limbs of 16 bits, three at the most.
_LIMB_BITS, _MOST_LIMBS = 16, 3
# The largest magnitude of an integer that can be written.
LARGEST = 2 ** (_LIMB_BITS * _MOST_LIMBS - 3)


@stored(lows=array("i", 1), sizes=array("i", 1), frequencies=array("i", 1))
@dataclass(frozen=True, eq=False)
class Tables:
    """Frequencies of integers, of each component.

    Integers outside of a component's table are escaped: what stands for them is the
    table's last symbol, and they follow at the end.

    Attributes
    ----------
    lows : ndarray of shape (k,), int64
        The smallest integer of each table.
    sizes : ndarray of shape (k,), int64
        Symbols in each table, the escape included.
    frequencies : ndarray of shape (sizes.sum(),), int64
        All positive; the tables one after the other.
    """

    lows: np.ndarray
    sizes: np.ndarray
    frequencies: np.ndarray

    @classmethod
    def of(cls, integers):
        """Tables of what was seen, smoothed as far as makes each value likeliest.

        Parameters
        ----------
        integers : ndarray of shape (n, k), int64
        """
        found = [_table(column) for column in integers.T]
        lows, tables = zip(*found, strict=True)
        sizes = [len(table) for table in tables]
        return cls(np.array(lows), np.array(sizes), np.concatenate(tables))

    def _check_loaded(self):
        n, k = len(self.frequencies), len(self.lows)
        is_size = (self.sizes >= 2) & (self.sizes <= n)
        if len(self.sizes) != k or not is_size.all() or self.sizes.sum() != n:
            raise ValueError("Its tables have impossible sizes.")
        if not ((self.lows >= -LARGEST) & (self.lows <= LARGEST)).all():
            raise ValueError("Its tables begin at impossible integers.")
        is_frequency = (self.frequencies >= 1) & (self.frequencies <= _LARGEST_TOTAL)
        totals = [int(table.sum()) for table in self._split()]
        if not is_frequency.all() or max(totals) > _LARGEST_TOTAL:
            raise ValueError("Its tables have impossible frequencies.")

    def as_bytes(self):
        """The same bytes for the same tables on every machine."""
        parts = self.lows, self.sizes, self.frequencies
        return b"".join(part.astype("<i8").tobytes() for part in parts)

    def encode(self, integers):
        """Bytes of integers (n, k), n at least 1, of magnitudes up to `LARGEST`."""
        stream = _stream()
        symbols = integers - self.lows
        escapes = self.sizes - 1
        is_escaped = (symbols < 0) | (symbols >= escapes)
        rest = _folded(symbols[is_escaped])
        symbols = np.where(is_escaped, escapes, symbols).astype(np.int32)
        coder = stream.queue.RangeEncoder()
        for column, model in zip(symbols.T, self._models(stream), strict=True):
            coder.encode(np.ascontiguousarray(column), model)
        if len(rest):
            _encode_limbs(rest, coder, stream)
        return self._shortest(coder.get_compressed(), integers)

    def _shortest(self, words, integers):
        """The fewest bytes that begin with the words and are decoded as integers."""
        whole = words.astype(">u4").tobytes()
        for n in range(max(0, len(whole) - 4), len(whole)):
            number = int.from_bytes(whole[:n], "big") + 1  # rounded up
            if number >= 256**n:
                continue
            shorter = number.to_bytes(n, "big")
            if np.array_equal(self._decoded(shorter, len(integers)), integers):
                return shorter
        return whole

    def decode(self, data, n_rows):
        """Integers (n_rows, k) of bytes.

        Raises
        ------
        ValueError
            If the bytes stand for none.
        """
        integers = self._decoded(data, n_rows)
        if integers is None:
            raise ValueError("The bytes stand for no integers.")
        return integers

    def _decoded(self, data, n_rows):
        """Integers (n_rows, k), or None for bytes that stand for none."""
        stream = _stream()
        padded = data + bytes(-len(data) % 4)
        words = np.frombuffer(padded, ">u4").astype(np.uint32)
        coder = stream.queue.RangeDecoder(words)
        try:
            columns = [coder.decode(model, n_rows) for model in self._models(stream)]
            symbols = np.stack(columns, 1).astype(np.int64)  # (n_rows, k)
            is_escaped = symbols == self.sizes - 1
            if is_escaped.any():
                limbs = _decode_limbs(int(is_escaped.sum()), coder, stream)
                symbols[is_escaped] = _unfolded(limbs)
        except AssertionError:  # of the library, for bytes that it never writes
            return None
        return symbols + self.lows

    def _models(self, stream):
        for table in self._split():
            yield stream.model.Categorical(table.astype(np.float32), perfect=False)

    def _split(self):
        return np.split(self.frequencies, np.cumsum(self.sizes)[:-1])


def _table(column):
    """The smallest integer of a table, and its frequencies with that of escapes."""
    n, low = len(column), int(column.min())
    counts = np.bincount(column - low).astype(np.float64)
    widths = [w for w in _WIDTHS if w == _WIDTHS[0] or w < len(counts)]
    width = max(widths, key=lambda width: _likelihood(counts, width))
    beyond = round(_REACH * width)
    smooth = _smoothed(np.pad(counts, beyond), width)
    table = np.append(smooth, 1.0)  # an escape in as many values as were seen
    table *= _TOTAL / (n + 1)
    return low - beyond, np.rint(table).astype(np.int64) + 1


def _smoothed(counts, width):
    return gaussian_filter1d(counts, width, mode="constant", truncate=_REACH)


def _likelihood(counts, width):
    """Of values given all others, which are smoothed by a kernel of a width."""
    reach = round(_REACH * width)
    kernel = _smoothed(np.eye(1, 2 * reach + 1, reach)[0], width)
    others = _smoothed(counts, width) - kernel.max() * (counts > 0)
    # As the table has it, of which no frequency is 0.
    share = np.maximum(others, 0) / counts.sum() + 1 / _TOTAL
    return float((counts * np.log(share)).sum())


def _folded(values):
    """Integers as ones that are not negative: 0, 1, -1, 2 become 0, 2, 1, 4."""
    return np.where(values < 0, -2 * values - 1, 2 * values)


def _unfolded(values):
    return np.where(values % 2, -(values + 1) // 2, values // 2)


def _encode_limbs(values, coder, stream):
    """Write how many limbs values have, and these, the lowest ones first."""
    n_limbs = 1 + (values >= 2**_LIMB_BITS) + (values >= 2 ** (2 * _LIMB_BITS))
    count, limb = (stream.model.Uniform(m) for m in (_MOST_LIMBS, 2**_LIMB_BITS))
    coder.encode((n_limbs - 1).astype(np.int32), count)
    for i in range(n_limbs.max()):
        part = values[n_limbs > i] >> (_LIMB_BITS * i)
        coder.encode((part % 2**_LIMB_BITS).astype(np.int32), limb)


def _decode_limbs(n, coder, stream):
    count, limb = (stream.model.Uniform(m) for m in (_MOST_LIMBS, 2**_LIMB_BITS))
    n_limbs = coder.decode(count, n) + 1
    values = np.zeros(n, np.int64)
    for i in range(n_limbs.max()):
        has_limb = n_limbs > i
        part = coder.decode(limb, int(has_limb.sum())).astype(np.int64)
        values[has_limb] += part << (_LIMB_BITS * i)
    return values


def _stream():
    try:
        from constriction import stream
    except ImportError as error:
        raise ImportError(
            "Compression needs the package constriction: pip install constriction, or "
            "skae with its extra 'compression'."
        ) from error
    return stream
