"""Times that can be compared on a noisy machine: medians of interleaved repeats."""

from statistics import median
from time import perf_counter


def seconds(function, *args):
    """How long a call takes, and what it returns."""
    start = perf_counter()
    result = function(*args)
    return perf_counter() - start, result


def interleaved(functions, repeats, calls=1):
    """Seconds of each function per call, in turn, so that all see the same noise.

    Parameters
    ----------
    functions : dict of str to callable
        Called once before, to warm up.
    repeats : int
    calls : int, default=1
        Calls in a row whose mean is one time, for functions that take microseconds.

    Returns
    -------
    times : dict of str to list of float of length `repeats`
    """

    def time_of(function):
        start = perf_counter()
        for _ in range(calls):
            function()
        return (perf_counter() - start) / calls

    for function in functions.values():
        function()
    times = {name: [] for name in functions}
    for _ in range(repeats):
        for name, function in functions.items():
            times[name].append(time_of(function))
    return times


def median_ratio(times, name, reference):
    """One function's median time over another's, as the tables show both."""
    return median(times[name]) / median(times[reference])
