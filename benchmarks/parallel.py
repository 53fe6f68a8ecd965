"""Do two processes train twice as fast as one, and as well?"""

from math import exp, log
from statistics import mean
from time import perf_counter, process_time

import numpy as np

from benchmarks import data
from benchmarks.report import Report
from benchmarks.scale import made
from skae import AutoencoderTransformer

COLUMNS, ROWS, QUICK_ROWS, REPEATS = 256, 10_240, 2_048, 3
LARGE = {
    "n_components": 64, "hidden_layer_sizes": (1024, 512), "batch_size": 1024,
    "early_stopping": False, "learning_rate": 1e-4, "random_state": 0,
}  # fmt: skip
# The difference of two fits is training alone.
EPOCHS = (1, 3)
ONE, TWO = "one process", "2 workers"
# Of the rows, those that each process has; all take the same number in a step.
SHARES = {"2": (1, 1), "3": (1, 1, 1), "2, of 1 : 4": (1, 4)}
SEEDS, MAX_ITER = 2, 15
MADE_ROWS, NEW_ROWS = (5_000, 20_000), 5_000
# Of real sets.
FEWEST_ROWS, MOST_ROWS = 12_000, 20_000


def run(directory, quick):
    """The report on training together; the workers are of this machine."""
    report = Report("Do two processes train twice as fast as one, and as well?")
    repeats, seeds = (1, 1) if quick else (REPEATS, SEEDS)
    with _cluster(2) as client:
        _speed(report, client, QUICK_ROWS if quick else ROWS, repeats)
        sets = _sets(directory, quick)
        found = {
            (name, seed): _errors(client, rows, new, seed, ["2", "2, of 1 : 4"])
            for name, rows, new in sets
            for seed in range(seeds)
        }
    with _cluster(3) as client:
        for name, rows, new in sets:
            for seed in range(seeds):
                found[name, seed] |= _errors(client, rows, new, seed, ["3"])
    for name, rows, new in sets:
        for seed in range(seeds):
            alone = [_error(rows, new, seed + s) for s in (0, SEEDS)]
            errors = found[name, seed]
            errors["1, another seed"] = alone[1]
            found[name, seed] = {k: e / alone[0] for k, e in errors.items()}
    kinds = [*SHARES, "1, another seed"]
    rows = [
        [name, len(X), X.shape[1]]
        + [exp(mean(log(found[name, s][kind]) for s in range(seeds))) for kind in kinds]
        for name, X, _ in sets
    ]
    report.table(
        "Mean squared error of new rows, over that of one process",
        ["rows", "fitted", "columns", *kinds],
        rows,
        f"Geometric means over {seeds} seeds of {MAX_ITER} epochs; other parameters "
        "are the defaults. The last column is what another seed makes of it.",
    )
    for i, kind in enumerate(SHARES, start=3):
        ratio = exp(mean(log(row[i]) for row in rows))
        report.bar(f"error over that of one process, {kind}", ratio, 1.02)
    return report


def _cluster(n_workers):
    from distributed import Client

    return Client(n_workers=n_workers, threads_per_worker=1, dashboard_address=":0")


def _speed(report, client, n_rows, repeats):
    X = np.random.default_rng(0).normal(size=(n_rows, COLUMNS)).astype(np.float32)
    kinds = {ONE: X, TWO: _divided(client, X, (1, 1))}
    found = {kind: [] for kind in kinds}
    for kind, rows in kinds.items():
        _times(client, kind, rows, 1)  # the first fit imports more
    for _ in range(repeats):
        for kind, rows in kinds.items():
            times = [_times(client, kind, rows, epochs) for epochs in EPOCHS]
            found[kind].append(np.subtract(times[1], times[0]))
    found = {kind: np.median(times, axis=0) for kind, times in found.items()}
    n_trained = (EPOCHS[1] - EPOCHS[0]) * n_rows
    model = AutoencoderTransformer(**LARGE, max_iter=1).fit(X[:2000])
    n_bytes = 4 * sum(p.numel() for p in model.net_.module_.parameters())
    report.notes.append(
        f"{n_rows:,} rows of {COLUMNS} columns, hidden layers "
        f"{LARGE['hidden_layer_sizes']}, {LARGE['batch_size']:,} rows in a step of all "
        "processes, one thread each, on this machine. Medians of "
        f"{repeats} differences of fits of {EPOCHS[1]} and of {EPOCHS[0]} epochs, in "
        f"turn. The gradients of a step are {n_bytes / 1e6:.1f} MB."
    )
    report.table(
        "Rows a second",
        ["trained by", "by the clock", "by the busiest one's processor time"],
        [[kind, *(n_trained / found[kind])] for kind in kinds],
        "Where other processes have the cores, the processor time of the busiest "
        "process, all of its threads, is what training would take without them.",
    )
    speed_up = found[ONE] / found[TWO]
    report.bar("speed-up, by processor time", speed_up[1], 1.6, at_most=False)
    report.bar("speed-up, by the clock", speed_up[0], 1.6, at_most=False)


def _times(client, kind, rows, epochs):
    """Seconds of a fit, and the processor time of the busiest process."""

    def spent():
        return client.run(process_time) if kind == TWO else {ONE: process_time()}

    before, start = spent(), perf_counter()
    AutoencoderTransformer(**LARGE, max_iter=epochs).fit(rows)
    seconds, after = perf_counter() - start, spent()
    return seconds, max(after[worker] - before[worker] for worker in before)


def _divided(client, X, shares):
    """Rows of which each worker holds a share."""
    import dask.array as da

    ends = np.cumsum(shares[:-1]) * len(X) // sum(shares)
    parts = client.scatter([np.ascontiguousarray(p) for p in np.split(X, ends)])
    sizes = np.diff([0, *ends, len(X)])
    return da.concatenate(
        [
            da.from_delayed(part, (size, X.shape[1]), X.dtype)
            for part, size in zip(map(_delayed, parts), sizes, strict=True)
        ]
    )


def _delayed(future):
    from dask import delayed

    return delayed(future)


def _sets(directory, quick):
    """Names, rows to fit and new rows."""
    found = [
        (f"made up, {n:,}", made(n, 1), made(NEW_ROWS, 2))
        for n in (MADE_ROWS[:1] if quick else MADE_ROWS)
    ]
    if quick or directory is None:
        return found
    real = [*data.tables(directory), data.census(directory)]
    for dataset in real:
        if dataset is not None and len(dataset.X) >= FEWEST_ROWS:
            train, new, *_ = dataset.capped(MOST_ROWS).split(0)
            found.append((dataset.name, train, new))
    return found


def _errors(client, rows, new, seed, kinds):
    return {
        kind: _error(_divided(client, rows, SHARES[kind]), new, seed) for kind in kinds
    }


def _error(rows, new, seed):
    model = AutoencoderTransformer(data.code_size(new.shape[1]), max_iter=MAX_ITER)
    return -model.set_params(random_state=seed).fit(rows).score(new)
