"""Is the autoencoder worth it where rows are few, and how long does it take on many?"""

import numpy as np
from sklearn.decomposition import PCA
from sklearn.preprocessing import StandardScaler

from benchmarks import data
from benchmarks.report import Report
from benchmarks.timing import seconds
from skae import AutoencoderTransformer

SIZES = 60, 110, 230, 750
SEEDS = range(2)
MOST_TEST_ROWS = 2000
# Rows that are farther away than this after scaling by few others tell nothing.
FARTHEST = 1e4
MANY, FEATURES, LATENT = 300_000, 30, 7
CONTENDERS = {
    "skae": {},
    "held out once": {"validation_fraction": 0.2},
    "nothing held out": {"early_stopping": False},
}
SCHEDULES = {
    "batches of 2048, 10 epochs": {"batch_size": 2048, "max_iter": 10},
    "batches of 2048, 30 epochs": {"batch_size": 2048, "max_iter": 30},
    "skae": {},
}


def run(directory, quick):
    """The report on few rows and on many."""
    report = Report("Is it worth it where rows are few, and how long do many take?")
    report.notes.append(data.described(directory))
    sets = [*data.tables(directory), *data.images(directory)]
    _add_few(report, sets[:3] if quick else sets, SIZES[1:2] if quick else SIZES)
    _add_many(report, 2000 if quick else MANY)
    return report


def few(dataset, n_rows, seed):
    """So many rows, standardised by themselves, and rows to test on; None if fewer."""
    train, test, *_ = dataset.split(seed)
    if len(train) < n_rows:
        return None
    chosen = np.random.default_rng(seed).permutation(len(train))[:n_rows]
    train = train[chosen]
    if dataset.is_table:
        scaler = StandardScaler().fit(train)
        train, test = scaler.transform(train), scaler.transform(test)
        test = test[np.abs(test).max(axis=1) < FARTHEST]
    return train, test[:MOST_TEST_ROWS]


def _add_few(report, sets, sizes):
    rows, found = [], []
    for n_rows in sizes:
        ratios = {name: [] for name in CONTENDERS}
        times = dict.fromkeys(CONTENDERS, 0.0)
        for dataset in sets:
            for seed in SEEDS:
                split = few(dataset, n_rows, seed)
                if split is None:
                    continue
                n_components = min(dataset.code_size, n_rows // 2)
                of_pca = _error(PCA(n_components, random_state=0), *split)
                for name, params in CONTENDERS.items():
                    fitted = AutoencoderTransformer(
                        n_components, random_state=seed, **params
                    )
                    time, error = seconds(_error, fitted, *split)
                    ratios[name].append(error / of_pca)
                    times[name] += time
        if not ratios["skae"]:
            continue
        found += ratios["skae"]
        of_each = [
            value
            for name in CONTENDERS
            for value in (
                np.exp(np.mean(np.log(ratios[name]))),
                max(ratios[name]),
                times[name] / len(ratios[name]),
            )
        ]
        rows.append([n_rows, len(ratios["skae"]), *of_each])
    titles = ("error over PCA's", "largest", "seconds")
    report.table(
        "Few rows",
        ["rows", "fits", *(f"{name}: {t}" for name in CONTENDERS for t in titles)],
        rows,
        "Error of new rows over PCA's of as many components, the geometric mean over "
        "sets, each standardised by the few rows. How rows are held out in turn, and "
        "what is then a gain, was chosen on these sets.",
    )
    report.bar(
        "error over PCA's, all sizes", float(np.exp(np.mean(np.log(found)))), 0.88
    )
    report.bar("share of fits above 1.01", float(np.mean(np.array(found) > 1.01)), 0.0)
    report.bar("largest of all fits", max(found), 1.01)


def _error(model, train, test):
    """Mean squared error of new rows, after fitting to others."""
    model.fit(train)
    made = model.inverse_transform(model.transform(test))
    return float(np.square(made - test, dtype=np.float64).mean())


def _add_many(report, n_rows):
    train, test = _made(n_rows)
    of_pca = _error(PCA(LATENT), train, test)
    rows = []
    for name, params in SCHEDULES.items():
        estimator = AutoencoderTransformer(LATENT, random_state=0, **params)
        time, error = seconds(_error, estimator, train, test)
        rows.append([name, estimator.n_iter_, time, error / of_pca])
    report.table(
        f"Many rows: {n_rows:,} x {FEATURES}, made",
        ["schedule", "epochs", "seconds", "error over PCA's"],
        rows,
        f"Sines of {LATENT} numbers and a tenth of noise. Batches of 2048 rows in 30 "
        "epochs were the default before.",
    )
    *_, (_, _, time, error) = rows
    before, longest = rows[0], rows[1]
    report.bar("many rows: seconds over those of 30 epochs before",
               time / longest[2], 60 / 162)  # fmt: skip
    report.bar("many rows: error over that of 30 epochs before",
               error / longest[3], 0.184 / 0.167)  # fmt: skip
    report.bar("many rows: error over that of 10 epochs before", error / before[3], 1.0)


def _made(n_rows):
    rng = np.random.default_rng(0)
    latent = rng.normal(size=(n_rows + 5000, LATENT))
    waves = np.sin(0.7 * latent @ rng.normal(size=(LATENT, 64)) + rng.normal(size=64))
    rows = waves @ rng.normal(size=(64, FEATURES))
    rows = rows / rows.std(axis=0) + 0.1 * rng.normal(size=rows.shape)
    rows = rows.astype(np.float32)
    return rows[:n_rows], rows[n_rows:]
