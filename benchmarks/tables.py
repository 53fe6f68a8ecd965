"""Are holes filled well, in tables of numbers and categories and in numbers alone?"""

import warnings
from functools import partial
from math import exp, log
from statistics import fmean, geometric_mean, median

import numpy as np
from sklearn.ensemble import (
    HistGradientBoostingClassifier,
    HistGradientBoostingRegressor,
)
from sklearn.exceptions import ConvergenceWarning
from sklearn.experimental import enable_iterative_imputer  # noqa: F401
from sklearn.impute import IterativeImputer, KNNImputer

from benchmarks import table_data
from benchmarks.report import Report
from benchmarks.table_data import Dummies, is_number, with_holes
from benchmarks.timing import interleaved, median_ratio, seconds
from skae import AutoencoderImputer, AutoencoderTransformer

SEEDS = (0, 1)
SHARE = 0.2  # of the cells, hidden
# Columns whose mean or mode is hardly ever wrong say nothing; those that another
# column gives away should not decide all alone.
FEWEST_WRONG, FLOOR = 5, 0.05
# Iterative imputation of more encoded columns than these takes an hour.
MOST_COLUMNS = 200
QUICK_ROWS, QUICK_TABLES = 300, 2
TIMED_FITS = 2
SKAE, BOOSTING = "skae", "gradient boosting per column"
KNN, ITERATIVE, MEAN = "KNNImputer", "IterativeImputer", "mean or mode"


class Skae:
    """AutoencoderImputer at its defaults."""

    def __init__(self, seed):
        self.seed = seed

    def fit(self, train):
        self.fitted_ = AutoencoderImputer(random_state=self.seed).fit(train)
        return self

    def fill(self, test):
        return self.fitted_.transform(test)


class OnDummies:
    """An imputer of scikit-learn, on standardised numbers and dummies."""

    def __init__(self, imputer):
        self.imputer = imputer

    def fit(self, train):
        self.dummies_ = Dummies().fit(train)
        self.imputer.fit(self.dummies_.transform(train))
        return self

    def fill(self, test):
        filled = self.imputer.transform(self.dummies_.transform(test))
        return self.dummies_.inverse_transform(filled, test.columns)


class Constant:
    """The mean of numbers and the most frequent category."""

    def fit(self, train):
        self.of_ = {
            name: train[name].mean() if numeric else train[name].mode()[0]
            for name, numeric in zip(train, is_number(train), strict=True)
        }
        return self

    def fill(self, test):
        return test.fillna(self.of_)


class Boosting:
    """A model per column by gradient boosting, which takes the others' holes."""

    def __init__(self, seed):
        self.seed = seed

    def fit(self, train):
        numeric = is_number(train)
        self.levels_ = {
            name: {
                level: i
                for i, level in enumerate(sorted(train[name].dropna().unique()))
            }
            for name in train.columns[~numeric]
        }
        cells = self._as_numbers(train)
        self.models_ = {}
        for j, name in enumerate(train):
            known = ~np.isnan(cells[:, j])
            others = np.arange(cells.shape[1]) != j
            make = (
                HistGradientBoostingRegressor
                if numeric[j]
                else HistGradientBoostingClassifier
            )
            model = make(categorical_features=~numeric[others], random_state=self.seed)
            if len(np.unique(cells[known, j])) > 1:
                self.models_[name] = model.fit(cells[known][:, others], cells[known, j])
        self.constant_ = Constant().fit(train)
        return self

    def fill(self, test):
        cells, filled = self._as_numbers(test), test.copy()
        for j, (name, column) in enumerate(test.items()):
            holes = column.isna().to_numpy()
            if name not in self.models_ or not holes.any():
                continue
            others = np.arange(cells.shape[1]) != j
            found = self.models_[name].predict(cells[holes][:, others])
            if name in self.levels_:
                found = np.array(list(self.levels_[name]), object)[found.astype(int)]
            filled.loc[holes, name] = found
        return self.constant_.fill(filled)

    def _as_numbers(self, frame):
        columns = [
            frame[name].map(self.levels_[name]) if name in self.levels_ else frame[name]
            for name in frame
        ]
        return np.stack([column.to_numpy(np.float64) for column in columns], axis=1)


def run(directory, quick):
    """The report on tables with holes."""
    report = Report("Are holes in tables filled well?")
    parts = (
        (
            "Mixed tables",
            table_data.mixed_tables(directory),
            {SKAE: 0.55},
            column_errors,
            "Geometric means over columns of the error in held-out hidden cells over "
            "that of the mean or mode of the training rows: squared error of numbers, "
            f"share of wrong categories. A column counts as {FLOOR} at the least.",
        ),
        (
            "Numeric tables",
            table_data.numeric_tables(directory),
            {SKAE: 0.56},
            pooled_error,
            "Root of the mean squared error in held-out hidden cells, columns "
            "standardised and pooled, over that of the training rows' means.",
        ),
    )
    for title, tables, limits, error, note in parts:
        if quick:
            tables = [table.capped(QUICK_ROWS) for table in tables[:QUICK_TABLES]]
        if tables:
            seeds = SEEDS[:1] if quick else SEEDS
            found = {table.name: _measured(table, seeds, error) for table in tables}
            _report(report, title, found, limits, note)
    if census := table_data.census_table(directory):
        _report_time(report, census.capped(QUICK_ROWS) if quick else census)
    return report


def methods(seed, n_columns, has_categories):
    """Imputers by name; without those that take too long for so many columns."""
    found = {
        SKAE: Skae(seed),
        BOOSTING: Boosting(seed),
        ITERATIVE: OnDummies(
            IterativeImputer(random_state=seed, keep_empty_features=True)
        ),
        KNN: OnDummies(KNNImputer(keep_empty_features=True)),
        MEAN: Constant(),
    }
    if n_columns > MOST_COLUMNS:
        del found[ITERATIVE]
    if not has_categories:
        # A model each of hundreds of columns: hours for all numeric tables.
        del found[BOOSTING]
    return found


def column_errors(true, filled, hidden, reference):
    """Geometric mean over columns of errors over those of the reference.

    Parameters
    ----------
    true, filled, reference : DataFrame
        The cells as they were, and as two methods fill them.
    hidden : ndarray of bool, of their shape
    """
    ratios = []
    for j, (name, numeric) in enumerate(zip(true, is_number(true), strict=True)):
        cells, *guesses = (
            frame[name].to_numpy()[hidden[:, j]] for frame in (true, filled, reference)
        )
        if numeric:
            error, of_mean = (((cells - guess) ** 2).sum() for guess in guesses)
            counts = of_mean > 0
        else:
            error, of_mean = ((cells != guess).sum() for guess in guesses)
            counts = of_mean >= FEWEST_WRONG
        if counts:
            ratios.append(max(error / of_mean, FLOOR))
    return exp(fmean(map(log, ratios)))


def pooled_error(true, filled, hidden, reference):
    """Root of the squared errors of all cells over that of the reference."""
    cells, guess, of_mean = (
        frame.to_numpy()[hidden] for frame in (true, filled, reference)
    )
    return float(np.sqrt(((cells - guess) ** 2).sum() / ((cells - of_mean) ** 2).sum()))


def _measured(table, seeds, error):
    """By method the mean error and the seconds of a fit and a filling."""
    errors, times = {}, {}
    for seed in seeds:
        train, test = table.split(seed)
        train, _ = with_holes(train, SHARE, 2 * seed)
        has_categories = not is_number(train).all()
        if not has_categories:
            spread = train.std(ddof=0)
            spread = spread.where(spread > 0, 1.0)
            train, test = ((part - train.mean()) / spread for part in (train, test))
        holed, hidden = with_holes(test, SHARE, 2 * seed + 1)
        reference = Constant().fit(train).fill(holed)
        for name, imputer in methods(seed, _width(train), has_categories).items():
            with warnings.catch_warnings():
                # Ten rounds are the default of IterativeImputer, and often too few.
                warnings.simplefilter("ignore", ConvergenceWarning)
                took, filled = seconds(_filled, imputer, train, holed)
            errors.setdefault(name, []).append(error(test, filled, hidden, reference))
            times.setdefault(name, []).append(took)
    return {name: (fmean(errors[name]), fmean(times[name])) for name in errors}


def _filled(imputer, train, test):
    return imputer.fit(train).fill(test)


def _width(frame):
    return Dummies().fit(frame).transform(frame.head(1)).shape[1]


def _report_time(report, table):
    """How much longer fits take that read categories and holes beside numbers."""
    mixed = table.frame
    numbers = mixed.loc[:, is_number(mixed)]
    numbers = (numbers - numbers.mean()) / numbers.std(ddof=0)
    frames = {"all columns": mixed, "numbers alone": numbers}
    fits = {
        name: partial(AutoencoderTransformer(random_state=0).fit, frame)
        for name, frame in frames.items()
    }
    times = interleaved(fits, TIMED_FITS)
    rows = [[n, frame.shape[1], median(times[n])] for n, frame in frames.items()]
    title = f"{table.name}, {len(mixed):,} rows: seconds of a fit"
    note = f"AutoencoderTransformer at its defaults, median of {TIMED_FITS} fits."
    report.table(title, ["", "columns", "seconds"], rows, note)
    ratio = median_ratio(times, *frames)
    report.bar(f"{table.name}: fit of all columns over that of numbers", ratio, 3.0)


def _report(report, title, found, limits, note):
    names = list(max(found.values(), key=len))
    rows = [
        [table, *(of[name][0] if name in of else None for name in names)]
        for table, of in found.items()
    ]
    # Means are over the tables that every method was given.
    whole = [of for of in found.values() if len(of) == len(names)]
    means = {name: geometric_mean(of[name][0] for of in whole) for name in names}
    times = {name: sum(of[name][1] for of in whole) for name in names}
    rows += [["geometric mean", *means.values()], ["seconds", *times.values()]]
    report.table(f"{title}: error", ["", *names], rows, note)
    of = title.lower()
    report.bar(f"{of}: error of skae", means[SKAE], limits[SKAE])
    worst = max(of_table[SKAE][0] for of_table in found.values())
    report.bar(f"{of}: error of skae, worst table", worst, 1.0)
    if BOOSTING in names:
        share = times[SKAE] / times[BOOSTING]
        report.bar(f"{of}: seconds of skae over those of boosting", share, 0.2)
    against = max(
        of_table[SKAE][0] / min(of_table[KNN][0], of_table[ITERATIVE][0])
        for of_table in whole
    )
    report.bar(
        f"{of}: skae over the better of both imputers, worst table", against, 1.05
    )
