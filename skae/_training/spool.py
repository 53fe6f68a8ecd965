"""Standardised rows in a file, shuffled as they are written."""

import tempfile
import weakref
from threading import Lock

import numpy as np

# Rows whose numbers are kept, at the least.
_NUMBERED = 4096


class Spool:
    """Rows (n, d) in a temporary file, in a random order, float32.

    Rows come in any order and are dealt out to buckets at random, as cards are. A full
    bucket is shuffled in memory. So every order of the rows is as likely as any other,
    and any slice of them is a random sample. The file has no name where the system
    allows that, and ends with the process.

    Parameters
    ----------
    n_rows, width : int
    bucket_rows : int
        How many rows are held in memory at once.
    seed : int
        Of the order.

    Attributes
    ----------
    numbers : ndarray of shape (n_numbered,), int
        Of the first rows of the file, in the order in which they came: of 4096 or more,
        or of all.
    """

    def __init__(self, n_rows, width, bucket_rows, seed):
        self.shape = n_rows, width
        self.bucket_rows = max(1, min(bucket_rows, n_rows))
        self._rng = np.random.default_rng(seed)
        self._next = np.arange(0, n_rows, self.bucket_rows)
        self.ends = np.minimum(self._next + self.bucket_rows, n_rows)
        n_numbered = self.ends[np.searchsorted(self.ends, min(_NUMBERED, n_rows))]
        self.numbers = np.empty(n_numbered, np.int64)
        self._n_added = 0
        self._file = tempfile.TemporaryFile(prefix="skae-", buffering=0)
        weakref.finalize(self, self._file.close)
        self._lock = Lock()

    def add(self, rows):
        """Write rows (m, d), float32, no more of them in all than there is room for."""
        left = self.ends - self._next
        counts = self._rng.multivariate_hypergeometric(
            left, len(rows), method="marginals"
        )
        order = self._rng.permutation(len(rows))
        parts = np.split(order, np.cumsum(counts)[:-1])
        for start, chosen in zip(self._next, parts, strict=True):
            if len(chosen):
                # In the order in which they came, which is faster to gather.
                chosen = np.sort(chosen)
                self._write(start, rows[chosen])
                if start < len(self.numbers):
                    numbered = slice(start, start + len(chosen))
                    self.numbers[numbered] = self._n_added + chosen
        self._next = self._next + counts
        self._n_added += len(rows)

    def shuffle(self):
        """Shuffle each bucket, once all rows were added."""
        for start, stop in zip([0, *self.ends[:-1]], self.ends, strict=True):
            order = self._rng.permutation(stop - start)
            if start < len(self.numbers):
                self.numbers[start:stop] = self.numbers[start:stop][order]
            self._write(start, self.read(start, stop)[order])

    def read(self, start, stop):
        """Rows (stop - start, d) as an array."""
        rows = np.empty((max(stop - start, 0), self.shape[1]), np.float32)
        view, done = memoryview(rows).cast("B") if rows.size else b"", 0
        with self._lock:
            self._seek(start)
            while done < len(view):
                n_read = self._file.readinto(view[done:])
                if not n_read:
                    raise OSError("The temporary file of the rows has become shorter.")
                done += n_read
        return rows

    def _write(self, start, rows):
        view = memoryview(np.ascontiguousarray(rows)).cast("B")
        with self._lock:
            self._seek(start)
            while view:
                view = view[self._file.write(view) :]

    def _seek(self, row):
        self._file.seek(int(row) * 4 * self.shape[1])
