"""How many threads torch takes: one, or as many as are faster just now.

torch would take all cores even for products too small to share, and its threads wait
for each other as soon as other processes run. Here results are those of one thread,
bit by bit, so that the number may change at any time.
"""

import ctypes
import functools
import os
import sys
from collections import deque
from contextlib import contextmanager
from statistics import median
from time import perf_counter, thread_time

import joblib
import torch

# Steps before another number is tried, and then in a row with that number.
_FIRST, _TRIED = 16, 5
# Steps that tell the usual time.
_RECENT = 9
# Share of the time that trials may cost.
_SHARE = 0.03
# More threads must take at most this share of the time that fewer take.
_GAIN = 0.95
# A step is slow at twice the usual time, if two in a row are, and stuck at four times.
_SLOW, _STUCK = 2, 4
# Share of the time in which a thread that never waits has a core to itself.
_ALONE = 0.9


def usable_threads():
    """How many threads the caller lets torch take, if there are cores for them.

    Affinity and the quotas of containers, of which torch knows nothing, count. So do
    the threads of a Dask worker, unless OMP_NUM_THREADS says what a process may take.
    """
    most = min(torch.get_num_threads(), joblib.cpu_count())
    distributed = sys.modules.get("distributed")
    if distributed is None or "OMP_NUM_THREADS" in os.environ:
        return most
    try:
        return min(most, distributed.get_worker().state.nthreads)
    except ValueError:  # this is no task of a worker
        return most


@contextmanager
def threads(n_threads):
    """So many threads for torch inside the context, in the calling thread alone.

    MKL's products have a number of their own; 0 stands for that of the loops.
    """
    set_loops, set_products = _setters()
    loops, products = torch.get_num_threads(), None
    try:
        set_loops(n_threads)
        products = set_products(n_threads)
        yield
    finally:
        # Ctrl-C may come between a number's being set and its being known.
        set_loops(loops)
        set_products(loops if products is None else products)


@functools.cache
def _setters():
    """Functions of OpenMP and MKL that concern the calling thread alone.

    torch's own sets also what threads begin with that have not used torch yet.
    """
    n_threads = torch.get_num_threads()
    try:
        library = ctypes.PyDLL(torch._C.__file__)
        set_loops = library.omp_set_num_threads
        set_loops(n_threads + 1)
        is_heard = torch.get_num_threads() == n_threads + 1
        set_loops(n_threads)
    except (OSError, AttributeError):
        is_heard = False
    if not is_heard:
        return torch.set_num_threads, int
    return set_loops, getattr(library, "MKL_Set_Num_Threads_Local", int)


class Threads:
    """Runs steps that are all alike with the number of threads that is fastest.

    One at first. Now and then a few steps get twice or half as many, and the faster
    number stays. More than one are taken only where a trial gives the same bits.

    Parameters
    ----------
    trial : callable
        Returns functions without arguments, one for each part of the work. Each does
        its part on copies and returns the resulting tensors, the same in every call.
        Where it raises, one thread stays.
    most : int
        Threads, at most; called inside of ``threads(1)``.
    clocks : tuple of two callables, default=None
        Seconds that have passed, and those that the calling thread had a core for.
    has_cores : callable, default=None
        ``has_cores(n_threads)`` tells whether so many cores have nothing else to do;
        None is :func:`are_free`.

    Attributes
    ----------
    n_threads : int
        How many threads steps get, unless another number is just tried.
    """

    def __init__(self, trial, most, *, clocks=None, has_cores=None):
        self.n_threads = 1
        self.most = most
        self._trial = trial
        self._counts = [2**i for i in range(most.bit_length()) if 2**i < most] + [most]
        self._clocks = clocks or (perf_counter, thread_time)
        self._has_cores = has_cores or are_free
        self._proven = {1}
        self._tried, self._climbs = None, False
        self._tried_times = []
        self._times = deque(maxlen=_RECENT)
        self._own_times = deque(maxlen=_RECENT)
        self._wait = _FIRST  # steps until another number may be tried
        self._spent = self._next_trial = 0.0

    def run(self, step, *args):
        """Call a step and return what it returns."""
        if len(self._counts) == 1:
            return step(*args)
        elapsed, own = self._clocks
        start, own_start = elapsed(), own()
        result = _with(self._tried or self.n_threads, step, *args)
        self._learn(elapsed() - start, own() - own_start)
        return result

    def run_once(self, function, *args):
        """Call a function that is part of the trial, but no step."""
        return _with(self.n_threads, function, *args)

    def _learn(self, seconds, own_seconds):
        self._spent += seconds
        if self._tried is not None:
            self._tried_times.append(seconds)
            self._judge()
            return
        self._times.append(seconds)
        self._own_times.append(own_seconds)
        self._wait -= 1
        if self.n_threads > 1 and self._is_slowed():
            self._settle(1, 2 * seconds)
        elif self._wait <= 0 and self._spent >= self._next_trial:
            self._try_another()

    def _is_slowed(self):
        """Whether other processes have come, so that threads wait for each other."""
        usual, (*_, before, last) = median(self._times), self._times
        return last > _STUCK * usual or min(before, last) > _SLOW * usual

    def _try_another(self):
        place = self._counts.index(self.n_threads)
        can_climb = place + 1 < len(self._counts)
        self._climbs = can_climb and (place == 0 or not self._climbs)
        other = self._counts[place + 1 if self._climbs else place - 1]
        if self._climbs and not self._is_fit(other):
            return
        self._tried, self._tried_times = other, []

    def _is_fit(self, n_threads):
        """Whether so many threads may be tried in a step."""
        if sum(self._own_times) < _ALONE * sum(self._times):
            return False  # at no cost: even what runs now has to share its cores
        elapsed, _ = self._clocks
        start = elapsed()
        fits = self._has_cores(n_threads) and self._is_proven(n_threads)
        if not fits:
            self._settle(self.n_threads, elapsed() - start)
        return fits

    def _is_proven(self, n_threads):
        """Whether the trial gives the same bits with so many threads as with one."""
        if n_threads in self._proven:
            return True
        try:
            is_same = all(
                _have_same_bits(part(), _with(n_threads, part))
                for part in self._trial()
            )
        except Exception:
            is_same = False  # what fails on copies alone is no reason to fail
        if is_same:
            self._proven.add(n_threads)
            return True
        self._counts = [n for n in self._counts if n < n_threads]
        return False

    def _judge(self):
        """Once it is clear, go on with the faster of two numbers."""
        times, usual = self._tried_times, median(self._times)
        is_slow = times[-1] > (_STUCK if len(times) == 1 else _SLOW) * usual
        if len(times) < _TRIED and not is_slow:
            return
        typical = median(times[1:] or times)  # threads wake up in the first step
        fewer, more = (usual, typical) if self._climbs else (typical, usual)
        is_chosen = (more < _GAIN * fewer) == self._climbs
        lost = sum(max(0.0, time - min(usual, typical)) for time in times)
        self._settle(self._tried if is_chosen else self.n_threads, lost)

    def _settle(self, n_threads, lost):
        """Go on with a number until the seconds that were lost are a small share."""
        if n_threads != self.n_threads:
            known = self._tried_times[1:] if n_threads == self._tried else []
            self._times = deque(known, maxlen=_RECENT)
            self._own_times = deque(known, maxlen=_RECENT)
        self.n_threads, self._tried = n_threads, None
        self._wait = _RECENT
        self._next_trial = self._spent + lost / _SHARE


def are_free(n_threads):
    """Whether so many cores are free: whether they share easy work as they should."""
    cells = torch.ones(2**16 * n_threads)  # tenths of a millisecond
    result = torch.empty_like(cells)

    def seconds(n):
        with threads(n):
            start = perf_counter()
            torch.sin(cells, out=result)
            return perf_counter() - start

    alone = min(seconds(1) for _ in range(4))
    seconds(n_threads)  # threads wake up
    spent = 0.0
    for _ in range(32):
        shared = seconds(n_threads)
        if shared > _STUCK * alone:
            return False  # soon, since it may have waited for long
        spent += shared
    return spent < _GAIN * 32 * alone


def _with(n_threads, function, *args):
    if n_threads == 1:
        return function(*args)
    with threads(n_threads):
        return function(*args)


def _have_same_bits(left, right):
    pairs = [
        [tensor.detach().reshape(-1).view(torch.uint8) for tensor in pair]
        for pair in zip(left, right, strict=True)
    ]
    return all(torch.equal(*pair) for pair in pairs)
