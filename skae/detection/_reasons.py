"""Reasons: the features that make rows unusual, in numbers and in words."""

from numbers import Integral

import numpy as np
import pandas as pd

from skae._tables.column import in_words


def reasons(observed, expected, errors, names, n_features, labels=None):
    """The features of each row with the largest errors, the largest first.

    Parameters
    ----------
    observed, expected : ndarray of shape (n, d)
        In the units of the data; NaN where cells are missing.
    errors : ndarray of shape (n, d)
        In units of each feature's usual one.
    names : ndarray of shape (d,)
        Of the features.
    n_features : int
        Features for each row.
    labels : Index of length n, default=None
        Of the rows. None numbers them.

    Returns
    -------
    reasons : DataFrame
        As :meth:`AutoencoderOutlierDetector.explain` returns it.
    """
    _check(n_features)
    i, j = _largest(np.abs(errors), n_features)
    cells = [cells[i, j].astype(float) for cells in (observed, expected, errors)]
    messages = [_message(*cell) for cell in zip(names[j], *cells, strict=True)]
    return pd.DataFrame(
        {
            "row": _labels(labels, len(errors)).take(i),
            "feature": names[j],
            "observed": cells[0],
            "expected": cells[1],
            "standardized_error": cells[2],
            "message": np.array(messages, object),
        }
    )


def reasons_of_cells(
    X, columns, expected, scores, errors, names, n_features, labels=None
):
    """The columns of each row of a table with the highest scores, the highest first.

    Parameters
    ----------
    X : DataFrame or ndarray of shape (n, n_columns)
    columns : Columns
    expected : ndarray of shape (n, width)
        By the other columns; encoded.
    scores : ndarray of shape (n, n_columns)
        Log ratios, in nats.
    errors : ndarray of shape (n, n_columns)
        In units of each column's usual one; NaN where there are none.
    names : ndarray of shape (n_columns,)
    n_features : int
        Columns for each row.
    labels : Index of length n, default=None
        Of the rows. None numbers them.

    Returns
    -------
    reasons : DataFrame
        As :meth:`AutoencoderOutlierDetector.explain` returns it.
    """
    _check(n_features)
    i, j = _largest(scores, n_features)
    found = columns.values_of(X), columns.values_of(columns.restore(expected))
    observed, values = (cells[i, j] for cells in found)
    unseen = columns.unseen(X)[i, j]
    messages = np.empty(len(i), object)
    for line, (row, column) in enumerate(zip(i, j, strict=True)):
        kind = columns.columns[column]
        messages[line] = names[column] + _said(
            kind,
            observed[line],
            kind.told(values[line], expected[row, columns.parts[column]]),
            unseen[line],
            scores[row, column],
            errors[row, column],
        )
    return pd.DataFrame(
        {
            "row": _labels(labels, len(scores)).take(i),
            "feature": names[j],
            "observed": pd.Series(observed, dtype=object),
            "expected": pd.Series(values, dtype=object),
            "standardized_error": errors[i, j].astype(float),
            "score": scores[i, j].astype(float),
            "message": messages,
        }
    )


def _check(n_features):
    if not isinstance(n_features, Integral) or n_features < 1:
        raise ValueError(
            f"n_features={n_features!r}, but a whole number of at least 1 was expected."
        )


def _largest(sizes, n_features):
    """Rows and columns of each row's largest cells, the largest first."""
    largest = np.argsort(-sizes, axis=1, kind="stable")[:, :n_features]
    return np.repeat(np.arange(len(sizes)), largest.shape[1]), largest.ravel()


def _labels(labels, n):
    return (pd.RangeIndex(n) if labels is None else labels).to_flat_index()


def _message(name, observed, expected, error):
    if np.isnan(observed):
        return f"{name} is missing; expected {expected:.4g}"
    side = "above" if error > 0 else "below"
    return (
        f"{name} is {observed:.4g}, {abs(error):.1f} usual errors {side} "
        f"the expected {expected:.4g}"
    )


def _said(kind, observed, expected, unseen, score, error):
    """What is said of a cell of a table, after its name."""
    if observed is None:
        return f" is missing; expected {expected}"
    if kind.is_category:
        if unseen:
            return f" is {observed!r}, as in no row of fit; expected {expected}"
        times, rate = np.exp(abs(score)), "less" if score > 0 else "more"
        times = f"{times:.0f}" if times >= 10 else f"{times:.1f}"
        return (
            f" is {observed!r}, {times} times {rate} likely here than in general; "
            f"expected {expected}"
        )
    side = kind.sides[0 if error > 0 else 1]
    return (
        f" is {in_words(observed)}, {abs(error):.1f} usual errors {side} the expected "
        f"{expected}"
    )
