"""Sets to measure on: from a directory of real data, and from scikit-learn."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from sklearn import datasets
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import StandardScaler

# Rows used of a set at the most, drawn once for all seeds, so that everything can be
# measured in twenty minutes.
MAX_ROWS = 6000
QUICK_ROWS = 400
MNIST = "mnist/mnist_t10k.npz"
CENSUS = "adult/adult.csv.gz"


class DataError(Exception):
    """The directory does not hold what was expected."""


@dataclass(frozen=True)
class Dataset:
    """Rows, labels where there are any, and whether columns have units of their own.

    Tables are standardised by their training rows; pixels are in [0, 1] and stay.
    """

    name: str
    X: np.ndarray
    y: np.ndarray | None = None
    is_table: bool = True

    @property
    def code_size(self):
        return code_size(self.X.shape[1])

    def capped(self, n_rows):
        """The same set with at most so many rows."""
        if len(self.X) <= n_rows:
            return self
        kept = np.random.default_rng(0).permutation(len(self.X))[:n_rows]
        y = None if self.y is None else self.y[kept]
        return Dataset(self.name, self.X[kept], y, self.is_table)

    def split(self, seed):
        """Training rows, held-out rows (25 %) and the labels of both, or None."""
        rows = np.arange(len(self.X))
        train, test = train_test_split(rows, test_size=0.25, random_state=seed)
        X_train, X_test = self.X[train], self.X[test]
        if self.is_table:
            scaler = StandardScaler().fit(X_train)
            X_train, X_test = scaler.transform(X_train), scaler.transform(X_test)
        y_train, y_test = (None if self.y is None else self.y[i] for i in (train, test))
        as_float32 = (np.ascontiguousarray(X, np.float32) for X in (X_train, X_test))
        return *as_float32, y_train, y_test


def code_size(n_columns):
    """A quarter of the columns, between 2 and 32."""
    return max(2, min(n_columns // 4, 32))


def labelled_tables(directory):
    """All rows of the tables ``adbench/*.npz``: X, and y where 1 is an anomaly.

    Without a directory, tables that come with scikit-learn, of which a class is taken
    for anomalies.
    """
    if directory is None:
        cancer, wine = datasets.load_breast_cancer(), datasets.load_wine()
        return [
            Dataset("breast_cancer", cancer.data, (cancer.target == 0).astype(int)),
            Dataset("wine", wine.data, (wine.target == 2).astype(int)),
        ]
    found = []
    for path in _table_paths(directory):
        arrays = _arrays(path)
        X, y = arrays["X"].astype(np.float64), arrays["y"].astype(int)
        found.append(Dataset(path.stem, X, y))
    return found


def tables(directory):
    """Normal rows of the tables ``adbench/*.npz``: X, and y where 1 is an anomaly.

    Without a directory, tables that come with scikit-learn.
    """
    if directory is None:
        loaders = (datasets.load_breast_cancer, datasets.load_diabetes)
        bundled = {
            loader.__name__.removeprefix("load_"): loader() for loader in loaders
        }
        return [Dataset(name, bunch.data) for name, bunch in bundled.items()]
    found = []
    for path in _table_paths(directory):
        arrays = _arrays(path)
        X = arrays["X"][arrays["y"] == 0].astype(np.float64)
        found.append(Dataset(path.stem, X))
    return found


def images(directory):
    """Labelled images as rows of pixels: digits, and MNIST where it is at hand."""
    bunch = datasets.load_digits()
    found = [Dataset("digits", bunch.data / 16, bunch.target, is_table=False)]
    path = _optional(directory, MNIST)
    if path:
        found.append(_pixels("MNIST", _arrays(path)))
    return found


def faces(directory):
    """Faces of 32 x 32 pixels, fewer rows than columns, or None without the file."""
    path = _optional(directory, "olivetti/olivetti.npz")
    if path is None:
        return None
    arrays = _arrays(path)
    halved = arrays["X"].reshape(-1, 32, 2, 32, 2).mean((2, 4))
    return _pixels("faces", {**arrays, "X": halved})


def census(directory):
    """A census, categories as columns of zeros and ones, or None without the file."""
    path = _optional(directory, CENSUS)
    if path is None:
        return None
    frame = pd.read_csv(path, skipinitialspace=True, na_values="?")
    frame.columns = frame.columns.str.strip()
    y = (frame.pop("Salary") == ">50K").astype(int).to_numpy()
    return Dataset("Adult", pd.get_dummies(frame, dtype=float).to_numpy(), y)


def check_directory(directory):
    """Raise DataError, in words that help, if there is nothing to measure on."""
    if directory is None:
        return
    if not Path(directory).is_dir():
        raise DataError(f"{directory} is not a directory.")
    if not _table_paths(directory) and not _optional(directory, MNIST):
        raise DataError(f"{directory} has neither tables adbench/*.npz nor {MNIST}.")


def described(directory):
    """What was measured on, in a sentence."""
    if directory is None:
        return "Without a data directory: sets that come with scikit-learn alone."
    of_images = "digits and MNIST" if _optional(directory, MNIST) else "digits"
    return (
        f"Normal rows of {len(_table_paths(directory))} tables, at most {MAX_ROWS:,} "
        f"of each; {of_images}."
    )


def _table_paths(directory):
    return sorted(Path(directory, "adbench").glob("*.npz"))


def _optional(directory, name):
    path = directory and Path(directory, name)
    return path if path and path.exists() else None


def _arrays(path):
    with np.load(path) as arrays:
        missing = {"X", "y"} - set(arrays)
        if missing:
            raise DataError(f"{path} has no array {min(missing)!r}.")
        return dict(arrays)


def _pixels(name, arrays):
    X = arrays["X"].reshape(len(arrays["X"]), -1) / 255
    return Dataset(name, X, arrays["y"], is_table=False)
