"""What do checkpoints cost, and what do they save a search by halving?"""

import shutil
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from time import perf_counter, process_time

import numpy as np
from sklearn.model_selection import ParameterGrid

from benchmarks.report import Report
from benchmarks.scale import made
from skae import AutoencoderTransformer
from skae.checkpoints import Checkpoints

GRID = {
    "n_components": [2, 5, 10],
    "hidden_layer_sizes": [(32,), (64,), (100,)],
    "weight_decay": [0.0, 0.01, 0.1],
}
ROWS, FOLDS, SEEDS = 4_000, 2, 1
# Factors, and epochs of the first rung and of the last.
HALVINGS = {2: (2, 32), 3: (1, 27)}
ON, ANEW, PLAIN = "go on", "begin anew", "have schedules of their own"
# Rows, columns and epochs of fits with a checkpoint.
FITS = ((500, 10, 50), (5_000, 50, 20), (20_000, 100, 10))
REPEATS = 3


class Forgetful(AutoencoderTransformer):
    """An autoencoder for which there is no checkpoint of an earlier fit."""

    def fit(self, X, y=None):
        shutil.rmtree(self.checkpoint.folder, ignore_errors=True)
        return super().fit(X, y)


def run(directory, quick):
    """The report on checkpoints; the rows are made up."""
    report = Report("What do checkpoints cost, and what do they save?")
    _halving(report, quick)
    _cost(report, FITS[:1] if quick else FITS, 1 if quick else REPEATS)
    return report


def _halving(report, quick):
    X = made(1_000 if quick else ROWS, 0)
    halvings = {2: (1, 2)} if quick else HALVINGS
    grid = {"n_components": [2, 5]} if quick else GRID
    seeds = range(1 if quick else SEEDS)
    lines, others = [], []
    for factor, epochs in halvings.items():
        runs = {kind: [] for kind in (ANEW, ON, PLAIN)}
        for seed in seeds:
            for kind, found in runs.items():
                found.append(_search(kind, grid, X, factor, epochs, seed))
        searches = {kind: [run[0] for run in found] for kind, found in runs.items()}
        seconds = {k: [run[1] for run in found] for k, found in runs.items()}
        anew, least = _epochs(searches[ANEW][0])
        for kind, times in seconds.items():
            ratio = median(
                t / of_anew for t, of_anew in zip(times, seconds[ANEW], strict=True)
            )
            same = sum(
                s.best_params_ == of_anew.best_params_
                for s, of_anew in zip(searches[kind], searches[ANEW], strict=True)
            )
            trained = least if kind == ON else anew
            lines.append(
                [factor, kind, median(times), ratio, trained / anew, same, len(times)]
            )
        others += [
            not np.array_equal(*(s.cv_results_["mean_test_score"] for s in pair))
            for pair in zip(searches[ON], searches[ANEW], strict=True)
        ]
    report.notes.append(
        f"HalvingGridSearchCV of {len(ParameterGrid(grid))} candidates, "
        f"{FOLDS} folds of {len(X):,} made-up rows of {X.shape[1]} columns, without "
        "refit. Epochs of the first rung and of the last: "
        + "; ".join(f"{a} and {b} by factor {f}" for f, (a, b) in halvings.items())
        + "."
    )
    report.table(
        "Searches whose resource is max_iter",
        ["factor", "fits", "processor seconds", "over anew", "epochs over anew",
         "same winner", "of"],
        lines,
        "Anew: of the same schedule, without what had been trained. Epochs are all "
        "that is planned, some of which early stopping saves.",
    )  # fmt: skip
    report.bar("searches that go on with other scores than anew", sum(others), 0)
    for factor, kind, _, ratio, *_ in lines:
        if kind == ON:
            report.bar(f"processor time over anew, factor {factor}", ratio, 0.6)


def _search(kind, grid, X, factor, epochs, seed):
    """A search and its processor time."""
    from sklearn.experimental import enable_halving_search_cv  # noqa: F401
    from sklearn.model_selection import HalvingGridSearchCV

    with TemporaryDirectory() as folder:
        make = Forgetful if kind == ANEW else AutoencoderTransformer
        kept = None if kind == PLAIN else Checkpoints(Path(folder) / "fits", epochs[1])
        search = HalvingGridSearchCV(
            make(random_state=seed, checkpoint=kept), grid, cv=FOLDS, factor=factor,
            resource="max_iter", min_resources=epochs[0], max_resources=epochs[1],
            refit=False, random_state=0,
        )  # fmt: skip
        start = process_time()
        search.fit(X)
        return search, process_time() - start


def _epochs(search):
    """Epochs of all rungs, and those that are new in each."""
    resources = np.array(search.n_resources_)
    candidates = np.array(search.n_candidates_)
    return candidates @ resources, candidates @ np.diff(resources, prepend=0)


def _cost(report, fits, repeats):
    lines = []
    for n_rows, n_columns, epochs in fits:
        X = made(n_rows, 0)[:, :n_columns]
        ratios, plain = [], []
        for _ in range(repeats + 1):
            without, with_one = _fit(X, epochs, None), _kept_fit(X, epochs)
            plain.append(without)
            ratios.append(np.divide(with_one, without))
        # The first fits import more.
        lines.append(
            [n_rows, n_columns, epochs, *np.median(plain[1:], axis=0).tolist(),
             *np.median(ratios[1:], axis=0).tolist()]
        )  # fmt: skip
    report.table(
        "Fits with a checkpoint over those without",
        ["rows", "columns", "epochs", "seconds without", "of processor time",
         "ratio of seconds", "of processor time"],
        lines,
        f"Medians of {repeats} fits, in turn.",
    )  # fmt: skip
    worst = max(line[-1] for line in lines)
    report.bar("processor time with a checkpoint, over that without", worst, 1.05)


def _kept_fit(X, epochs):
    with TemporaryDirectory() as folder:
        return _fit(X, epochs, Path(folder) / "fit.ckpt")


def _fit(X, epochs, checkpoint):
    """Seconds of a fit and its processor time."""
    model = AutoencoderTransformer(5, max_iter=epochs, early_stopping=False)
    model.set_params(checkpoint=checkpoint, random_state=0)
    start, cpu_start = perf_counter(), process_time()
    model.fit(X)
    return perf_counter() - start, process_time() - cpu_start
