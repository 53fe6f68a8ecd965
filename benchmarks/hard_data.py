"""Data that autoencoders fail on: few rows, wide rows, wild scales, constants."""

import warnings
from statistics import geometric_mean

import numpy as np

from benchmarks.peers import held_out, skae

FEW_ROWS = (100, 200, 300)
FEWER_THAN_COLUMNS = 40  # of the digits' 64


def add(report, sets, faces, seeds):
    """Add what became of such data to a report on quality."""
    _add_few_rows(report, sets, faces, seeds)
    _add_wild_scales(report)


def _add_few_rows(report, sets, faces, seeds):
    cases = {
        f"{n_rows} rows of each set": _ratios(sets, n_rows, seeds)
        for n_rows in FEW_ROWS
    }
    digits = [dataset for dataset in sets if dataset.name == "digits"]
    cases["digits, fewer rows than columns"] = _ratios(
        digits, FEWER_THAN_COLUMNS, seeds
    )
    if faces is not None:
        n_rows = len(faces.X) * 3 // 4
        cases["faces, fewer rows than columns"] = _ratios([faces], n_rows, seeds)
    rows = []
    for name, ratios in cases.items():
        if ratios:
            worst = max(ratios, key=ratios.get)
            mean = geometric_mean(ratios.values())
            rows.append([name, len(ratios), mean, ratios[worst], worst[0]])
    report.table(
        "Few rows and wide rows: held-out squared error over PCA's",
        ["training rows", "fits", "geometric mean", "worst", "on"],
        rows,
        "Worst of all fits, without a median over splits.",
    )
    worst = max((row[3] for row in rows), default=None)
    report.bar("error over PCA's, few or wide rows, worst fit", worst, 1.0)


def _ratios(sets, n_rows, seeds):
    """Error over PCA's by set and seed, of the sets that have as many rows."""
    ratios = {}
    for dataset in sets:
        for seed in seeds:
            train, test, *_ = dataset.split(seed)
            if len(train) >= n_rows:
                fit = held_out(skae(), train[:n_rows], test, dataset.code_size, seed)
                ratios[dataset.name, seed] = fit.ratio
    return ratios


def _add_wild_scales(report):
    """Warnings and numbers that are not finite, of rows as people bring them."""
    rng = np.random.default_rng(0)
    scales = 10.0 ** np.linspace(-6, 6, 13)
    constants = np.full((500, 2), (0.0, 1e6))
    X = np.hstack([rng.normal(size=(500, len(scales))) * scales, constants])
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        method = skae().fit(X, 4, 0)
        results = (method.encode(X), method.reconstruct(X))
    not_finite = sum(np.count_nonzero(~np.isfinite(result)) for result in results)
    case = "columns of scales from 1e-6 to 1e6 and constant ones"
    report.bar(f"warnings, {case}", len(caught), 0)
    report.bar(f"NaN and infinite results, {case}", int(not_finite), 0)
