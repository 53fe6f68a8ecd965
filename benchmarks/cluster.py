"""Do two workers of a Dask cluster search twice as fast as one process?"""

from statistics import median
from time import perf_counter, process_time

import joblib
import numpy as np
from sklearn.model_selection import GridSearchCV, ParameterGrid

from benchmarks.report import Report
from benchmarks.scale import made
from skae import AutoencoderTransformer

ROWS, QUICK_ROWS, REPEATS = 10_000, 500, 5
GRID = {"n_components": [2, 5, 10, 20], "weight_decay": [0.0, 0.01]}
FOLDS = 2
HERE, JOBS, WORKERS = "this process", "2 processes of joblib", "2 workers of Dask"


def run(directory, quick):
    """The report on searches; the rows are made up, the workers are of this machine."""
    report = Report("Do two workers of a Dask cluster search twice as fast?")
    rows = made(QUICK_ROWS if quick else ROWS, 0)
    repeats = 1 if quick else REPEATS
    n_fits = FOLDS * len(ParameterGrid(GRID))
    report.notes.append(
        f"GridSearchCV with {n_fits} fits to {len(rows) // FOLDS:,} of {len(rows):,} "
        f"rows of {rows.shape[1]} columns, without refit; workers are processes of "
        f"this machine with one thread each. Medians of {repeats} searches of each "
        "kind, in turn, after one that is not counted."
    )
    with _cluster() as client:
        kinds = (HERE, None), (JOBS, None), (WORKERS, client)
        first = {kind: _search(rows, kind, client)[0] for kind, client in kinds}
        found = {kind: [] for kind, _ in kinds}
        for _ in range(repeats):
            for kind, client in kinds:
                found[kind].append(_search(rows, kind, client)[1:])
    found = {
        kind: [None if None in v else median(v) for v in zip(*runs, strict=True)]
        for kind, runs in found.items()
    }
    report.table(
        "Seconds of a search",
        ["fits are made by", "seconds", "of processor time", "the busiest worker's"],
        [[kind, *values] for kind, values in found.items()],
        "Where other processes have the cores, the busiest worker's processor time is "
        "what a search would take without them. It grows where cores share what they "
        "compute with.",
    )
    differing = sum(not np.array_equal(first[HERE], of) for of in first.values())
    report.bar("searches with other scores than in this process", differing, 0)
    names = "seconds", "processor time", "the busiest worker's processor time"
    for i, limit in ((0, 0.6), (2, 0.6), (1, 1.1)):
        ratio = found[WORKERS][i] / found[HERE][i]
        report.bar(f"{names[i]}, 2 workers over this process", ratio, limit)
    ratio = found[WORKERS][0] / found[JOBS][0]
    report.bar("seconds, 2 workers over 2 processes of joblib", ratio, 1.1)
    return report


def _cluster():
    from distributed import Client

    return Client(n_workers=2, threads_per_worker=1, dashboard_address=":0")


def _search(rows, kind, client):
    """Scores of a search, its seconds, those of all workers and of the busiest."""
    estimator = AutoencoderTransformer(max_iter=5, random_state=0)
    search = GridSearchCV(estimator, GRID, cv=FOLDS, refit=False)
    context = {"backend": "dask", "client": client} if client else {"backend": "loky"}
    n_jobs = 1 if kind == HERE else 2
    before, start = _processor_times(client), perf_counter()
    with joblib.parallel_config(n_jobs=n_jobs, **context):
        search.fit(rows)
    seconds, after = perf_counter() - start, _processor_times(client)
    spent = [after[worker] - before[worker] for worker in before]
    if kind == JOBS:
        return search.cv_results_["mean_test_score"], seconds, None, None
    return search.cv_results_["mean_test_score"], seconds, sum(spent), max(spent)


def _processor_times(client):
    return client.run(process_time) if client else {HERE: process_time()}
