"""How much memory and time does a fit take as rows become many?"""

import json
import resource
import subprocess
import sys
from time import perf_counter

from benchmarks.report import Report

ROWS = (10_000, 100_000, 1_000_000)
QUICK_ROWS = (10_000, 50_000)
COLUMNS, EPOCHS = 100, 2
CHUNK_ROWS = 10_000
LIMIT_GB = 1.5


def run(directory, quick):
    """The report on memory; the rows are made up."""
    report = Report("How much memory and time does a fit take as rows become many?")
    report.notes.append(f"Made-up rows of {COLUMNS} columns in float32.")
    sizes = QUICK_ROWS if quick else ROWS
    fits = {
        (name, n_rows): _in_new_process(name, n_rows)
        for n_rows in sizes
        for name in ("skae", "PCA")
    }
    report.table(
        "A fit in a process of its own",
        ["", "rows", "GB of rows", "peak GB", "seconds", "microseconds per row"],
        [_row(name, n_rows, fit) for (name, n_rows), fit in fits.items()],
        f"Peak of resident memory, with imports and rows; {EPOCHS} epochs.",
    )
    largest = fits["skae", sizes[-1]]
    name = f"peak GB, fit of {sizes[-1]:,} x {COLUMNS}"
    report.bar(name, largest["peak"] / 1e9, LIMIT_GB)
    growth = largest["seconds"] / fits["skae", sizes[0]]["seconds"]
    report.bar(
        f"seconds per row, {sizes[-1]:,} rows over {sizes[0]:,}",
        growth * sizes[0] / sizes[-1],
        1.0,
    )
    return report


def _row(name, n_rows, fit):
    size, time = n_rows * COLUMNS * 4 / 1e9, fit["seconds"]
    return [name, n_rows, size, fit["peak"] / 1e9, time, 1e6 * time / n_rows]


def _in_new_process(name, n_rows):
    """Peak memory in bytes and seconds of a fit, from a process that did only that."""
    command = [sys.executable, "-m", "benchmarks.memory", name, str(n_rows)]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE)
    return json.loads(done.stdout)


def _fit(name, n_rows):
    """Fit made-up rows, and print what it took."""
    estimator = _estimator(name)
    X = _rows(n_rows)
    estimator.fit(X[:100])  # the first fit imports more
    start = perf_counter()
    estimator.fit(X)
    took = perf_counter() - start
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    unit = 1 if sys.platform == "darwin" else 1024
    print(json.dumps({"peak": peak * unit, "seconds": took}))


def _estimator(name):
    if name == "PCA":
        from sklearn.decomposition import PCA

        return PCA(32)
    from skae import AutoencoderTransformer

    return AutoencoderTransformer(32, max_iter=EPOCHS, random_state=0)


def _rows(n_rows):
    """Rows of rank 40 and noise, made in parts that take no room."""
    import numpy as np

    rng = np.random.default_rng(0)
    mixing = rng.standard_normal((40, COLUMNS), np.float32)
    X = np.empty((n_rows, COLUMNS), np.float32)
    for part in np.split(X, range(CHUNK_ROWS, n_rows, CHUNK_ROWS)):
        part[:] = rng.standard_normal(part.shape, np.float32)
        part += np.tanh(rng.standard_normal((len(part), 40), np.float32)) @ mixing
    return X


if __name__ == "__main__":
    _fit(sys.argv[1], int(sys.argv[2]))
