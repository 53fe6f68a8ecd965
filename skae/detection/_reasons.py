"""Reasons: the features that make rows unusual, in numbers and in words."""

from numbers import Integral

import numpy as np
import pandas as pd


def reasons(observed, expected, errors, names, n_features, labels=None):
    """The features of each row with the largest errors, the largest first.

    Parameters
    ----------
    observed, expected : ndarray of shape (n, d)
        In the units of the data.
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
    if not isinstance(n_features, Integral) or n_features < 1:
        raise ValueError(
            f"n_features={n_features!r}, but a whole number of at least 1 was expected."
        )
    n = len(errors)
    labels = pd.RangeIndex(n) if labels is None else labels
    largest = np.argsort(-np.abs(errors), axis=1, kind="stable")[:, :n_features]
    i, j = np.repeat(np.arange(n), largest.shape[1]), largest.ravel()
    of_cells = names[j]
    cells = [cells[i, j].astype(float) for cells in (observed, expected, errors)]
    messages = [_message(*cell) for cell in zip(of_cells, *cells, strict=True)]
    return pd.DataFrame(
        {
            "row": labels.to_flat_index().take(i),
            "feature": of_cells,
            "observed": cells[0],
            "expected": cells[1],
            "standardized_error": cells[2],
            "message": np.array(messages, object),
        }
    )


def _message(name, observed, expected, error):
    side = "above" if error > 0 else "below"
    return (
        f"{name} is {observed:.4g}, {abs(error):.1f} usual errors {side} "
        f"the expected {expected:.4g}"
    )
