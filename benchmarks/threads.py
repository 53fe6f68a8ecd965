"""Does skae take the threads that pay, beside other processes and alone?

All processes stay for all repeats, and fit in turn when they are told to.
"""

import multiprocessing
import os
import subprocess
import sys
from contextlib import ExitStack, contextmanager
from functools import partial
from statistics import median
from time import perf_counter
from unittest.mock import patch

import numpy as np
import torch
from joblib.externals.loky import get_reusable_executor
from sklearn.datasets import load_digits
from sklearn.model_selection import GridSearchCV

from benchmarks.timing import median_ratio
from skae import AutoencoderTransformer
from skae._utils.threads import Threads, threads
from skae.networks import Convolutional

SKAE, ONE, ALL = "skae", "one thread", "all threads"
BUSY_LOOPS = 3
# Rows, columns, network, epochs and the most that skae may take of the better time.
CASES = {
    "digits": (1797, 64, None, 20, 1.5),
    "3,000 x 256": (3000, 256, None, 15, 1.5),
    "10,000 x 784": (10_000, 784, None, 6, 1.1),
    "10,000 x 784, convolutional": (10_000, 784, Convolutional, 3, 1.1),
}
BUSY_LIMIT = 1.3
# Beside busy loops everything takes several times as long.
BUSY_SHARE, BUSY_REPEATS = 3, 2
SEARCHED = {"learning_rate": [5e-4, 1e-3, 2e-3, 4e-3]}
SEARCH_EPOCHS = 200


def add(report, repeats):
    """Add the bars on threads to the report on speed."""
    repeats = min(repeats, 3)
    _add_alone(report, repeats)
    _add_busy(report, min(repeats, BUSY_REPEATS))
    _add_search(report)


def _add_alone(report, repeats):
    rows = []
    for case, (*_, epochs, limit) in CASES.items():
        times = _fit_times(case, epochs, (SKAE, ONE, ALL), repeats)
        means = {mode: median(of_mode) for mode, of_mode in times.items()}
        better = min((ONE, ALL), key=means.get)
        ratio = median_ratio(times, SKAE, better)
        rows.append([case, *means.values(), ratio])
        report.bar(f"fit over the better of one and all threads, {case}", ratio, limit)
    report.table(
        "Seconds to fit, nothing else running",
        ["rows", SKAE, ONE, ALL, "skae over the better"],
        rows,
        f"{os.cpu_count()} cores. skae with its own choice, held at one thread, and "
        "held at all in every training step.",
    )


def _add_busy(report, repeats):
    rows = []
    for case, (*_, epochs, _) in CASES.items():
        epochs = max(1, epochs // BUSY_SHARE)
        times = _fit_times(case, epochs, (SKAE, ONE), repeats, BUSY_LOOPS)
        ratio = median_ratio(times, SKAE, ONE)
        rows.append([case, *map(median, times.values()), ratio])
        report.bar(
            f"fit over one thread beside {BUSY_LOOPS} busy loops, {case}",
            ratio,
            BUSY_LIMIT,
        )
    report.table(
        f"Seconds to fit beside {BUSY_LOOPS} busy loops",
        ["rows", SKAE, ONE, "skae over one thread"],
        rows,
    )


def _add_search(report):
    """Fresh processes: the start of the workers counts."""
    times = {}
    for n_jobs in (1, 2):
        with _worker(partial(_search, n_jobs), SKAE) as seconds:
            times[n_jobs] = seconds()
    report.table(
        "Seconds of a grid search over digits",
        [f"n_jobs={n_jobs}" for n_jobs in times],
        [list(times.values())],
    )
    report.bar("GridSearchCV, n_jobs=2 over n_jobs=1", times[2] / times[1], 1.0)


def _fit_times(case, epochs, modes, repeats, busy_loops=0):
    """Seconds of each mode's fits, in turn."""
    with ExitStack() as stack:
        workers = {
            mode: stack.enter_context(_worker(partial(_fit, case, epochs), mode))
            for mode in modes
        }
        for _ in range(busy_loops):
            stack.enter_context(_busy_loop())
        times = {mode: [] for mode in modes}
        for _ in range(repeats):
            for mode, seconds in workers.items():
                times[mode].append(seconds())
    return times


@contextmanager
def _worker(function, mode):
    """A process that waits; what is given calls the function in it, for its time."""
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    # What is set here for all would be for skae's own choice as well.
    with patch.dict(os.environ):
        for name in ("OMP_NUM_THREADS", "MKL_NUM_THREADS"):
            os.environ.pop(name, None)
        process = context.Process(target=_serve, args=(theirs, function, mode))
        process.start()
    theirs.close()

    def seconds():
        ours.send(True)
        return ours.recv()

    try:
        ours.recv()  # all is imported
        yield seconds
    finally:
        ours.close()
        process.join(30)
        process.kill()


def _serve(connection, function, mode):
    if mode == ONE:
        torch.set_num_threads(1)
    if mode == ALL:
        Threads.run = Threads.run_once = _with_all
    _fit("digits", 1)
    connection.send(True)
    try:
        while connection.recv():
            start = perf_counter()
            function()
            connection.send(perf_counter() - start)
    except EOFError:
        # Nobody asks any more. joblib's processes would stay.
        get_reusable_executor().shutdown()


def _with_all(self, step, *args):
    with threads(self._counts[-1]):
        return step(*args)


@contextmanager
def _busy_loop():
    process = subprocess.Popen([sys.executable, "-c", "while True: pass"])
    try:
        yield
    finally:
        process.kill()
        process.wait()


def _fit(case, epochs):
    n_rows, n_columns, network, *_ = CASES[case]
    _estimator(epochs, network and network()).fit(_rows(n_rows, n_columns))


def _search(n_jobs):
    X = load_digits().data.astype(np.float32)
    search = GridSearchCV(_estimator(SEARCH_EPOCHS), SEARCHED, cv=2, n_jobs=n_jobs)
    search.fit(X)


def _estimator(epochs, network=None):
    return AutoencoderTransformer(
        16, network=network, max_iter=epochs, n_iter_no_change=epochs, random_state=0
    )


def _rows(n_rows, n_columns):
    """Rows with structure for 20 directions, and noise."""
    rng = np.random.default_rng(0)
    hidden = np.tanh(rng.standard_normal((n_rows, 20), np.float32))
    noise = 0.1 * rng.standard_normal((n_rows, n_columns), np.float32)
    return hidden @ rng.standard_normal((20, n_columns), np.float32) + noise
