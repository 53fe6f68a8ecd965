"""Memory that a training frees and needs again in the next step."""

import ctypes
import os
import sys
from contextlib import contextmanager
from threading import Lock

# Of glibc's mallopt, and what it reaches by itself where nothing is configured.
_TRIM, _MMAP = -1, -3
_MOST_MMAP = 2**25
_USUAL_MMAP = 2**17

_LOCK = Lock()
_N_USERS = 0


@contextmanager
def kept_memory():
    """A context in which freed memory stays with the process, as is usual.

    Dask starts workers with MALLOC_TRIM_THRESHOLD_, which also keeps glibc from
    learning what sizes are freed and needed again: then every large tensor of every
    step is asked from the system, which clears it, for up to half of the time. When
    the last context of the process ends, all is given back, and as it was.
    """
    trim = os.environ.get("MALLOC_TRIM_THRESHOLD_", "")
    library = ctypes.CDLL(None) if sys.platform == "linux" else None
    # Who sets the other threshold as well has chosen both.
    is_changed = trim.isdecimal() and "MALLOC_MMAP_THRESHOLD_" not in os.environ
    if not is_changed or not hasattr(library, "mallopt"):
        yield
        return
    _count(1, library, 2 * _MOST_MMAP, _MOST_MMAP)
    try:
        yield
    finally:
        if _count(-1, library, int(trim), _USUAL_MMAP):
            library.malloc_trim(0)


def _count(change, library, trim, mmap):
    """Set thresholds if it is the first context that begins, or the last that ends."""
    global _N_USERS
    with _LOCK:
        decides = _N_USERS == (0 if change > 0 else 1)
        _N_USERS += change
        if decides:
            library.mallopt(_TRIM, trim)
            library.mallopt(_MMAP, mmap)
    return decides
