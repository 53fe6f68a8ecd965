"""Units of the data, for rows that are preprocessed before the detector sees them."""

import numpy as np
from sklearn.preprocessing import FunctionTransformer
from sklearn.utils import check_array


class Units:
    """Rows in the units of the data and in those of a detector.

    Parameters
    ----------
    preprocessing : fitted transformer or None
        Makes the second of the first, column by column. None if they are the same.
    detector : AutoencoderOutlierDetector
        Fitted.
    X : array-like of shape (n, n_features)
        Rows of the data.

    Attributes
    ----------
    rows : ndarray of shape (n, n_features), or the table itself
        X in units of the detector.
    observed : ndarray of shape (n, n_features), or the table itself
        X as it came.
    names : ndarray of shape (n_features,)
        Of the columns of the data.
    columns : Columns or None
        Of a table with categories or dates.
    are_those_of_fit : bool
        Whether rows come as the detector was fitted to them: without `preprocessing`.

    Raises
    ------
    TypeError, ValueError
        If `preprocessing` can't be undone, or is of a table with categories or dates.
    """

    def __init__(self, preprocessing, detector, X):
        self._preprocessing, self._detector = preprocessing, detector
        self.names, self.columns = detector.get_feature_names_out(), detector._columns
        self.are_those_of_fit = preprocessing is None
        if not self.are_those_of_fit:
            self._check()
        self.rows, self.observed = self._read(X)

    def _check(self):
        preprocessing = self._preprocessing
        if self.columns is not None:
            raise ValueError(
                "preprocessing was given, but the detector was fitted to a table with "
                "categories or dates, which it explains in the table's own units: pass "
                "rows as they were fitted, without preprocessing."
            )
        if not _can_be_undone(preprocessing):
            raise TypeError(
                f"preprocessing={preprocessing!r} has no inverse_transform or "
                "inverse_func, which brings what is expected back to the units of the "
                "data: leave out its steps that can't be undone, and apply them to X "
                "before."
            )
        width = getattr(preprocessing, "n_features_in_", len(self.names))
        if width != len(self.names):
            raise ValueError(
                f"preprocessing={preprocessing!r} takes {width} columns, but the "
                f"detector {len(self.names)} features: one for each is expected, so "
                "that features are columns of the data."
            )
        self.names = getattr(preprocessing, "feature_names_in_", self.names)

        made = _names_made(preprocessing)
        if made is not None and list(made) != list(self.names):
            raise ValueError(
                f"preprocessing={preprocessing!r} makes the columns {list(made)[:5]} "
                f"of {list(self.names)[:5]}, but one for each is expected, so that "
                "features are columns of the data."
            )

    def _read(self, X):
        """Rows of the data (n, n_features), in units of the detector and as given."""
        if self.are_those_of_fit:
            rows = self._detector._applied(X, min_samples=0)
            return rows, rows
        # Transformers of scikit-learn take no empty tables.
        if not len(X):
            return (np.empty((0, len(self.names))),) * 2
        rows = self._detector._applied(self._preprocessing.transform(X), min_samples=0)
        # As they came: what a transformer clips can't be brought back.
        return rows, check_array(
            X, dtype=np.float64, ensure_all_finite="allow-nan", copy=True
        )

    def of_data(self, rows):
        """Rows (n, n_features) in units of the detector, in those of the data."""
        if self.are_those_of_fit or not len(rows):
            return rows
        return np.asarray(self._preprocessing.inverse_transform(rows))


def _can_be_undone(preprocessing):
    """Whether `inverse_transform` undoes `transform`, in all steps of a Pipeline."""
    if not hasattr(preprocessing, "inverse_transform"):
        return False
    steps = getattr(preprocessing, "steps", [(None, preprocessing)])
    # Without an inverse, a function's is to change nothing.
    return not any(
        isinstance(step, FunctionTransformer) and step.func and not step.inverse_func
        for _, step in steps
    )


def _names_made(preprocessing):
    """Names of the columns that a transformer makes; None where it knows of none."""
    try:
        return preprocessing.get_feature_names_out()
    except (AttributeError, ValueError):
        # Of a Pipeline, a step may not know; without names in fit, some want them.
        return None
