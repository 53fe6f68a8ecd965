"""What do rows cost that are more than memory, and do they teach as much?"""

import json
import resource
import subprocess
import sys
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from time import perf_counter, process_time

import numpy as np

from benchmarks.report import Report

ROWS = (100_000, 1_000_000, 10_000_000)
# In memory as well, and so many are compared.
COMPARED, REPEATS, QUICK_ROWS = 1_000_000, 3, (20_000, 50_000)
COLUMNS, LATENT, GROUPS, EPOCHS = 100, 10, 100, 2
PART_ROWS, TEST_ROWS = 100_000, 20_000
LIMIT = 2**28
MEMORY, STREAM = "in memory", "streamed"
ORDERS = ("sorted", "clustered")


def run(directory, quick):
    """The report on scale; the rows are made up."""
    report = Report("What do rows cost that are more than memory?")
    sizes = QUICK_ROWS if quick else ROWS
    compared = sizes[-1] if quick else COMPARED
    repeats = 1 if quick else REPEATS
    report.notes.append(
        f"Made-up rows of {COLUMNS} columns in float32, in files of Parquet, which a "
        f"fit in memory reads at once; {EPOCHS} epochs, memory_limit={LIMIT:,}, one "
        "thread. Each fit has a process of its own; peaks of resident memory are with "
        "imports and, in memory, rows. Seconds are without those in which other "
        "processes had the cores. Processor time is that of all threads of a process. "
        f"Of {compared:,} rows: medians of {repeats} fits of each kind, in turn."
    )
    with TemporaryDirectory() as folder:
        fits, orders = _measured(
            Path(folder) / "rows.parquet", sizes, compared, repeats
        )
    report.table(
        "Fits",
        ["rows", "are", "GB of rows", "peak GB", "seconds", "with waiting for a core",
         "microseconds per row", "of processor time"],
        [
            [n, kind, n * COLUMNS * 4 / 1e9, fit["peak"] / 1e9, fit["seconds"],
             fit["all"], 1e6 * fit["seconds"] / n, 1e6 * fit["cpu"] / n]
            for (kind, n), fit in fits.items()
        ],
        f"Of up to {LIMIT // 2:,} bytes, streamed rows are read whole.",
    )  # fmt: skip
    of_memory = fits[MEMORY, compared]
    report.table(
        f"Mean squared error of {TEST_ROWS:,} new rows, {compared:,} rows fitted",
        ["rows", "error", "over that in memory"],
        [[MEMORY, of_memory["error"], 1.0]]
        + [
            [f"streamed, {order}", fit["error"], fit["error"] / of_memory["error"]]
            for order, fit in orders.items()
        ],
        f"Sorted: by a column, {PART_ROWS:,} rows at a time. Clustered: by what the "
        f"rows are made of, in {GROUPS} groups.",
    )
    largest, first = fits[STREAM, sizes[-1]], fits[STREAM, sizes[0]]
    report.bar(f"peak GB, {sizes[-1]:,} rows", largest["peak"] / 1e9, 1.5)
    worst = max(fit["error"] for fit in orders.values()) / of_memory["error"]
    report.bar("error of new rows over that in memory, worst order", worst, 1.02)
    for name, key in (("seconds", "seconds"), ("processor time", "cpu")):
        per_row = fits[STREAM, compared][key] / of_memory[key]
        report.bar(f"{name} per row over that in memory", per_row, 1.3)
        growth = largest[key] / sizes[-1] / (first[key] / sizes[0])
        report.bar(f"{name} per row, {sizes[-1]:,} over {sizes[0]:,}", growth, 1.2)
    return report


def _measured(path, sizes, compared, repeats):
    """Fits by kind and number of rows, and those of some rows by their order."""
    fits = {}
    for n_rows in sizes:
        write(path, n_rows, "shuffled")
        if n_rows == compared:
            made = {STREAM: [], MEMORY: []}
            for seed in range(repeats):
                for kind, found in made.items():
                    found.append(_in_new_process(kind, path, seed))
            fits |= {(kind, n_rows): _median(found) for kind, found in made.items()}
        else:
            fits[STREAM, n_rows] = _in_new_process(STREAM, path)
    orders = {"shuffled": fits[STREAM, compared]}
    for order in ORDERS:
        orders[order] = _in_new_process(STREAM, write(path, compared, order))
    return fits, orders


def _median(fits):
    return {key: median(fit[key] for fit in fits) for key in fits[0]}


def write(path, n_rows, order):
    """Write rows to a file, in an order; return its path."""
    import pyarrow as pa
    from pyarrow import parquet

    names = [f"x{j}" for j in range(COLUMNS)]
    schema = pa.schema([(name, pa.float32()) for name in names])
    with parquet.ParquetWriter(path, schema) as writer:
        for part in range(0, n_rows, PART_ROWS):
            size = min(PART_ROWS, n_rows - part)
            group = np.arange(part, part + size) * GROUPS // n_rows
            rows = made(size, 1 + part, order, group)
            writer.write_table(pa.table(dict(zip(names, rows.T, strict=True))))
    return path


def made(n_rows, seed, order="shuffled", group=None):
    """Curved rows of few numbers in groups, and noise.

    Parameters
    ----------
    n_rows, seed : int
    order : {"shuffled", "sorted", "clustered"}
        Sorted are these rows alone.
    group : ndarray of shape (n_rows,), int, default=None
        Of clustered rows.
    """
    rng, fixed = np.random.default_rng(seed), np.random.default_rng(0)
    mixing = fixed.normal(size=(LATENT, 2 * COLUMNS))
    out = fixed.normal(size=(2 * COLUMNS, COLUMNS)) / (2 * COLUMNS) ** 0.5
    if order != "clustered":
        group = rng.integers(0, GROUPS, n_rows)
    centres = fixed.normal(size=(GROUPS, LATENT))
    latent = centres[group] + 0.5 * rng.normal(size=(n_rows, LATENT))
    rows = np.tanh(latent @ mixing * 0.5) @ out
    rows += 0.1 * rng.normal(size=rows.shape)
    if order == "sorted":
        rows = rows[np.argsort(rows[:, 0])]
    return rows.astype(np.float32)


def _in_new_process(kind, path, seed=0):
    command = [sys.executable, "-m", "benchmarks.scale", kind, str(path), str(seed)]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE)
    return json.loads(done.stdout)


def _fit(kind, path, seed):
    """Fit the rows of a file, and print what it took."""
    import pandas as pd
    import torch

    from skae import AutoencoderTransformer

    torch.set_num_threads(1)
    params = {"max_iter": EPOCHS, "random_state": int(seed), "memory_limit": LIMIT}
    estimator = AutoencoderTransformer(LATENT, **params)
    test = pd.DataFrame(made(TEST_ROWS, 0))
    test.columns = [f"x{j}" for j in range(COLUMNS)]
    estimator.fit(test[:2000])  # the first fit imports more
    start, cpu_start, wait_start = perf_counter(), process_time(), _waited()
    estimator.fit(pd.read_parquet(path) if kind == MEMORY else path)
    took, cpu_took = perf_counter() - start, process_time() - cpu_start
    waited = _waited() - wait_start
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    unit = 1 if sys.platform == "darwin" else 1024
    found = {"peak": peak * unit, "all": took, "seconds": took - waited}
    found["cpu"] = cpu_took
    print(json.dumps({**found, "error": -estimator.score(test)}))


def _waited():
    """Seconds in which this thread was ready but had no core, where Linux tells."""
    path = Path("/proc/thread-self/schedstat")
    return int(path.read_text().split()[1]) / 1e9 if path.exists() else 0.0


if __name__ == "__main__":
    _fit(*sys.argv[1:])
