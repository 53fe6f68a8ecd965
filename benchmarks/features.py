"""Are codes better features than PCA's, for classifiers with few labels and many?"""

from dataclasses import replace
from statistics import fmean

import numpy as np
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import StratifiedShuffleSplit
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from benchmarks import data
from benchmarks.peers import denoising_skae, pca, skae
from benchmarks.report import Report
from benchmarks.scarf import Scarf

SEEDS = (0, 1, 2)
FEW_ROWS = 1000
FEW_LABELS, DRAWS = 100, 10
TABLE_COMPONENTS, TABLE_LABELS = 16, 200
PIXELS = "pixels"
# How 5-NN gets the codes; logistic regression always gets them standardised.
VARIANTS = ("5-NN on codes as they come", "5-NN on standardised codes")


def run(directory, quick):
    """The report on features."""
    report = Report("Are codes better features than those of PCA?")
    of_sets = {}
    for dataset in _image_sets(directory):
        if quick:
            dataset = dataset.capped(2 * data.QUICK_ROWS)
        scores = _scores(dataset, SEEDS[:1] if quick else SEEDS)
        _report_scores(report, dataset, scores)
        of_sets[dataset.name] = scores
    _add_means(report, of_sets)
    table = data.census(directory)
    if table is not None:
        n_rows = data.QUICK_ROWS if quick else data.MAX_ROWS
        _add_table(report, table.capped(n_rows), SEEDS[:1] if quick else SEEDS)
    return report


def _image_sets(directory):
    """Images, and few of them: some of the largest set alone, and faces."""
    sets = data.images(directory)
    if len(sets[-1].X) > FEW_ROWS:
        few = sets[-1].capped(FEW_ROWS)
        sets.append(replace(few, name=f"{few.name}, {FEW_ROWS:,} rows"))
    faces = data.faces(directory)
    return sets if faces is None else [*sets, faces]


def _coders():
    return pca(), skae(), denoising_skae(), Scarf()


def _scores(dataset, seeds):
    """Accuracies by method: of each seed a table of classifiers by labels."""
    coders = _coders()
    scores = {coder.name: [] for coder in coders} | {PIXELS: []}
    for seed in seeds:
        train, test, y_train, y_test = dataset.split(seed)
        codes = {PIXELS: (train, test)}
        for coder in coders:
            coder.fit(train, dataset.code_size, seed)
            codes[coder.name] = coder.encode(train), coder.encode(test)
        for name, (of_train, of_test) in codes.items():
            scores[name].append(_accuracies(of_train, of_test, y_train, y_test, seed))
    return {name: np.mean(tables, axis=0) for name, tables in scores.items()}


def _add_means(report, of_sets):
    """What a single figure says: accuracies of both classifiers, few labels and all."""
    names = list(next(iter(of_sets.values())))
    rows = [
        [name, *(float(scores[m][:2].mean()) for m in names)]
        for name, scores in of_sets.items()
    ]
    means = [fmean(row[1 + i] for row in rows) for i in range(len(names))]
    report.table(
        "Mean accuracy of both classifiers, few labels and all",
        ["", *names],
        [*rows, ["mean", *means]],
        "Logistic regression on standardised codes, 5-NN on codes as they come.",
    )
    by_name = dict(zip(names, means, strict=True))
    for name, reference, limit in (
        ("skae", "PCA", 0.009),
        ("skae, denoising", "PCA", 0.029),
        ("skae, denoising", PIXELS, 0.031),
    ):
        gain = by_name[name] - by_name[reference]
        bar = f"mean over image sets: gain of {name} over {reference}"
        report.bar(bar, gain, limit, at_most=False)


def _add_table(report, table, seeds):
    """What codes of a table of categories and numbers are good for."""
    coders = _coders()
    areas = {name: [] for name in ("columns", *(coder.name for coder in coders))}
    for seed in seeds:
        train, test, y_train, y_test = table.split(seed)
        codes = {"columns": (train, test)}
        for coder in coders:
            coder.fit(train, TABLE_COMPONENTS, seed)
            codes[coder.name] = coder.encode(train), coder.encode(test)
        for name, (of_train, of_test) in codes.items():
            areas[name].append(_areas(of_train, of_test, y_train, y_test, seed))
    report.table(
        f"Area under the ROC curve on {table.name}, codes of {TABLE_COMPONENTS}",
        ["", f"{TABLE_LABELS} labels", "all labels"],
        [[name, *map(float, np.mean(of, axis=0))] for name, of in areas.items()],
        f"Logistic regression on standardised codes of {len(table.X):,} x "
        f"{table.X.shape[1]}, categories as zeros and ones; means over {DRAWS} draws "
        "of labels and over splits, a quarter of the rows held out.",
    )


def _areas(train, test, y_train, y_test, seed):
    """Areas under the ROC curve, with few labels and with all."""
    learner = make_pipeline(StandardScaler(), LogisticRegression(max_iter=1000))
    splitter = StratifiedShuffleSplit(DRAWS, train_size=TABLE_LABELS, random_state=seed)
    draws = [few for few, _ in splitter.split(train, y_train)]

    def area(rows):
        learner.fit(train[rows], y_train[rows])
        return roc_auc_score(y_test, learner.decision_function(test))

    return fmean(area(rows) for rows in draws), area(slice(None))


def _accuracies(train, test, y_train, y_test, seed):
    """Accuracies (3, 2): logistic regression and both 5-NN, by few and all labels."""
    scaler = StandardScaler().fit(train)
    scaled = scaler.transform(train), scaler.transform(test)
    learners = [
        (LogisticRegression(max_iter=1000), scaled),
        (KNeighborsClassifier(), (train, test)),
        (KNeighborsClassifier(), scaled),
    ]
    splitter = StratifiedShuffleSplit(DRAWS, train_size=FEW_LABELS, random_state=seed)
    draws = [few for few, _ in splitter.split(train, y_train)]
    accuracies = []
    for learner, (X_train, X_test) in learners:
        few = fmean(
            learner.fit(X_train[rows], y_train[rows]).score(X_test, y_test)
            for rows in draws
        )
        accuracies.append([few, learner.fit(X_train, y_train).score(X_test, y_test)])
    return accuracies


def _report_scores(report, dataset, scores):
    few = f"{FEW_LABELS} labels"
    means = {}
    for neighbours, variant in enumerate(VARIANTS, start=1):
        rows = []
        for name, table in scores.items():
            cells = table[[0, neighbours]]
            means[name, variant] = cells.mean(0)
            rows.append([name, *map(float, cells.T.ravel()), float(cells.mean())])
        report.table(
            f"Accuracy on {dataset.name}, code of {dataset.code_size}, {variant}",
            ["", f"LR, {few}", f"5-NN, {few}", "LR, all", "5-NN, all", "mean"],
            rows,
            f"Means over {DRAWS} draws of {few} and over splits; a quarter of the rows "
            "is held out; pixels are in [0, 1]. LR: logistic regression on "
            "standardised codes.",
        )
        _add_bars(report, dataset.name, variant, means)


def _add_bars(report, set_name, variant, means):
    """Gains in mean accuracy; `means` has few labels and all labels."""

    def gain(name, reference, labels=slice(None)):
        difference = means[name, variant] - means[reference, variant]
        return float(np.mean(difference[labels]))

    of_set = f"{set_name}, {variant}: gain of"
    for name, reference, limit in (
        ("skae", "PCA", 0.01),
        ("skae, denoising", "PCA", 0.04),
        ("skae, denoising", PIXELS, 0.0),
    ):
        bar = f"{of_set} {name} over {reference}"
        report.bar(bar, gain(name, reference), limit, at_most=False)
    for name in ("skae", "skae, denoising"):
        bar = f"{of_set} {name} over PCA, {FEW_LABELS} labels"
        report.bar(bar, gain(name, "PCA", 0), 0.0, at_most=False)
