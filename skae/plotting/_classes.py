"""What points are coloured by: classes, numbers, or dates as days."""

import numpy as np
import pandas as pd

from skae.plotting._display import short

# Classes with a colour and a marker of their own, in the legend.
_MOST_CLASSES = 20
_DAY = pd.Timedelta(1, "D")
# Whole numbers below it are exact as floats.
_EXACT = 2.0**53


def series(y):
    """y (n,) as a Series, whose index is that of the rows drawn."""
    if not isinstance(y, pd.Series):
        y = np.asarray(y)
        y = pd.Series(y.astype(object) if y.dtype.kind == "S" else y)
    if pd.api.types.is_complex_dtype(y):
        raise TypeError(
            "y is of complex numbers, which have no order: pass their sizes, "
            "numpy.abs(y), or their angles."
        )
    return y.reset_index(drop=True)


def in_days(y, name):
    """Dates as days since the first, spans as days, and their name."""
    kinds = pd.api.types
    if kinds.is_timedelta64_dtype(y):
        return y / _DAY, f"{name or 'y'}: days"
    if not kinds.is_datetime64_any_dtype(y):
        return y, name
    first = y.min()
    since = "" if pd.isna(first) else f" since {first:%Y-%m-%d %H:%M}"
    return (y - first) / _DAY, f"{name or 'y'}: days{since}"


def classes_of(y):
    """Classes of y (n,), a Series, or None if it is of numbers.

    Returns
    -------
    names : list of str
    numbers_of_classes : ndarray of shape (n,)
        Of each row's.
    n_own : int
        How many classes stand for one value: those after are rare, or missing.
    """
    is_number = pd.api.types.is_numeric_dtype(y) and not pd.api.types.is_bool_dtype(y)
    found = y.dropna()
    if is_number and (found.nunique() > _MOST_CLASSES or any(found % 1)):
        return None
    if pd.api.types.is_float_dtype(y) and (found.abs() < _EXACT).all():
        y = y.astype("Int64")
    counts = y.value_counts(sort=True)
    names = list(counts.index[counts > 0])
    n_others = max(len(names) - _MOST_CLASSES, 0)
    kept = names[:_MOST_CLASSES]
    # In their own order, where they have one.
    if not isinstance(y.dtype, pd.CategoricalDtype):
        kept = sorted(kept, key=lambda name: (type(name).__name__, name))
    else:
        kept = [name for name in y.cat.categories if name in set(kept)]
    places = {name: i for i, name in enumerate(kept)}
    others = len(kept)
    numbers_of_classes = np.array(
        [others + 1 if pd.isna(c) else places.get(c, others) for c in y]
    )
    said = [short(name) for name in kept]
    if n_others:
        said.append(f"{n_others} rarer classes")
    if y.isna().any():
        numbers_of_classes[numbers_of_classes == others + 1] = len(said)
        said.append("no label")
    return said, numbers_of_classes, len(kept)
