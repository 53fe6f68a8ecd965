"""Chunks of rows shared among threads, each with one thread of the BLAS."""

import ctypes
import os
from collections import deque
from itertools import product
from threading import Lock

# A tenth of a chunk's time is spent in Python, where one thread runs at a time.
_MOST_THREADS = 8


class OneThread:
    """Context in which products take one thread, if numpy's BLAS is OpenBLAS.

    Its threads wait for each other in every product, which costs a multiple of the
    time where other processes have the cores, while ours never wait. The number
    belongs to the process, so that the first one in sets it and the last one out sets
    it back. On entry, the context returns how many threads products had outside.
    """

    def __init__(self):
        self._get = self._set = None
        self._begin()

    def _load(self):
        """Look for the functions when they are first needed."""
        self._get, self._set = _openblas()
        if hasattr(os, "register_at_fork"):
            os.register_at_fork(after_in_child=self._begin_anew)

    def _begin(self):
        self._lock, self._depth, self._outside = Lock(), 0, 1

    def _begin_anew(self):
        """In a forked process, where no other thread is inside any more."""
        if self._depth:
            self._set(self._outside)
        self._begin()

    def __enter__(self):
        with self._lock:
            if self._get is None:
                self._load()
            if self._depth == 0:
                self._outside = self._get()
                self._set(1)
            self._depth += 1
            return self._outside

    def __exit__(self, *error):
        with self._lock:
            self._depth -= 1
            if self._depth == 0:
                self._set(self._outside)


def _openblas():
    """Functions that get and set OpenBLAS' number of threads."""
    try:
        from numpy.linalg import _umath_linalg

        # Symbols of the libraries that it is linked to are found as well.
        library = ctypes.PyDLL(_umath_linalg.__file__)
    except (ImportError, OSError):
        library = None
    for start, end in product(("scipy_", ""), ("64_", "")):
        pair = [f"{start}openblas_{verb}_num_threads{end}" for verb in ("get", "set")]
        if all(hasattr(library, name) for name in pair):
            return [getattr(library, name) for name in pair]
    return (lambda: 1), int


one_thread = OneThread()


def for_each_chunk(function, n_rows, size):
    """Call a function with slices of so many rows, in some threads if it pays.

    Parameters
    ----------
    function : callable
        ``function(part)`` may run in several threads at once.
    n_rows, size : int
        In all, and in a slice at the most.
    """
    with one_thread as n_outside:
        if n_rows <= size:
            function(slice(0, n_rows))
            return
        starts = deque(range(0, n_rows, size))
        n_threads = min(n_outside, _n_cores(), len(starts), _MOST_THREADS)

        def work():
            while starts:
                try:
                    start = starts.popleft()
                except IndexError:
                    return  # another thread was quicker
                function(slice(start, min(start + size, n_rows)))

        if n_threads == 1:
            work()
            return
        _in_threads(work, starts, n_threads)


def _in_threads(work, starts, n_threads):
    from concurrent.futures import ThreadPoolExecutor  # slow to import

    with ThreadPoolExecutor(n_threads - 1) as pool:
        others = [pool.submit(work) for _ in range(n_threads - 1)]
        try:
            work()
        finally:
            starts.clear()  # what failed here, or was interrupted, ends there
    for other in others:
        other.result()


def _n_cores():
    """Cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
