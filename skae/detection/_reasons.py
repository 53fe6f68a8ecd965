"""Reasons: the features that make rows unusual, in numbers and in words."""

from numbers import Integral

import numpy as np
import pandas as pd

from skae._tables.column import in_words

# More times than these are not counted: probabilities are not known as well.
_MOST_TIMES = 1000
# Decimal places more than those of a column that expected numbers get at the most.
_MOST_PLACES = 3


def reasons(names, observed, expected, errors, scores, said, n_features, labels):
    """The features of each row with the highest scores, the highest first.

    Parameters
    ----------
    names : ndarray of shape (d,)
        Of the features.
    observed, expected : ndarray of shape (n, d), float or object
        In the units of the data; NaN or None where cells are missing.
    errors : ndarray of shape (n, d)
        In units of each feature's usual one; NaN where there are none.
    scores : ndarray of shape (n, d)
        How much each feature makes a row unusual. Where it is not above 0 it does not,
        and is no reason; but one is given for each row.
    said : callable
        ``(i, j) -> str``: what is said of a cell, after its name.
    n_features : int
        Features for each row, at the most.
    labels : Index of length n or None
        Of the rows. None numbers them.

    Returns
    -------
    reasons : DataFrame
        As :meth:`AutoencoderOutlierDetector.explain` returns it.
    """
    if not isinstance(n_features, Integral) or n_features < 1:
        raise ValueError(
            f"n_features={n_features!r}, but a whole number of at least 1 was expected."
        )
    order = np.argsort(-scores, axis=1, kind="stable")[:, :n_features]
    is_reason = np.take_along_axis(scores, order, axis=1) > 0
    is_reason[:, :1] = True
    i, place = np.nonzero(is_reason)
    j = order[i, place]
    labels = pd.RangeIndex(len(scores)) if labels is None else labels
    messages = [f"{names[b]}{said(a, b)}" for a, b in zip(i, j, strict=True)]
    return pd.DataFrame(
        {
            "row": labels.to_flat_index().take(i),
            "feature": names[j],
            "observed": pd.Series(observed[i, j], dtype=observed.dtype),
            "expected": pd.Series(expected[i, j], dtype=expected.dtype),
            "standardized_error": errors[i, j].astype(float),
            "score": scores[i, j].astype(float),
            "message": np.array(messages, object),
        }
    )


def in_places(expected, observed, places):
    """An expected number in words, apart from what was observed.

    Parameters
    ----------
    expected : float
    observed : number or None
    places : int
        Decimal places of the column. There are more where a number rounded to these
        would be nearer to what was observed, or farther, by a tenth.
    """
    apart = np.inf if observed is None else abs(float(observed) - expected)
    rounded = [round(expected, places + more) for more in range(_MOST_PLACES + 1)]
    is_close = [abs(number - expected) <= apart / 10 for number in rounded]
    more = is_close.index(True) if any(is_close) else _MOST_PLACES
    return f"{rounded[more] + 0.0:.{places + more}f}"


def of_number(observed, expected, error, sides=("above", "below"), score=None):
    """What is said of a number or a date.

    Parameters
    ----------
    observed : object
        NaN or None where it is missing.
    expected : str
        In words.
    error : float
        In units of the usual one.
    sides : tuple of two str, default=("above", "below")
    score : float, default=None
        Log ratio, in nats, if there is one.
    """
    if pd.isna(observed):
        return f" is missing; expected {expected}"
    side = sides[0 if error > 0 else 1]
    likely = "" if score is None else f", {_times(score)}"
    return (
        f" is {in_words(observed)}, {abs(error):.1f} usual errors {side} the expected "
        f"{expected}{likely}"
    )


def of_level(observed, expected, unseen, score):
    """What is said of a level of a category.

    Parameters
    ----------
    observed : object
        None where it is missing.
    expected : str or None
        In words; None if it is what was observed.
    unseen : bool
        Whether it was not there in `fit`.
    score : float
        Log ratio, in nats.
    """
    if observed is None:
        return f" is missing; expected {expected}"
    if unseen:
        return f" is {observed!r}, as in no row of fit; expected {expected}"
    said = f" is {observed!r}, {_times(score)}"
    return said if expected is None else f"{said}; expected {expected}"


def _times(score):
    times = np.exp(min(abs(score), np.log(_MOST_TIMES)))
    number = f"{times:.0f}" if times >= 10 else f"{times:.1f}"
    if abs(score) > np.log(_MOST_TIMES):
        number = f"over {_MOST_TIMES}"
    rate = "less" if score > 0 else "more"
    return f"{number} times {rate} likely here than in general"
