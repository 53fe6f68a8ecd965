"""Units of the data, for rows that are preprocessed before the detector sees them."""

import numpy as np


class Units:
    """Rows in the units of the data and in those of a detector.

    Parameters
    ----------
    preprocessing : fitted transformer or None
        Makes the second of the first, column by column. None if they are the same.
    detector : AutoencoderOutlierDetector
        Fitted.

    Attributes
    ----------
    names : ndarray of shape (n_features,)
        Of the columns of the data.
    columns : Columns or None
        Of a table with categories or dates.

    Raises
    ------
    TypeError, ValueError
        If `preprocessing` can't be undone, or is of a table with categories or dates.
    """

    def __init__(self, preprocessing, detector):
        self._preprocessing, self._detector = preprocessing, detector
        self.names, self.columns = detector.get_feature_names_out(), detector._columns
        if preprocessing is None:
            return
        if self.columns is not None:
            raise ValueError(
                "preprocessing was given, but the detector was fitted to a table with "
                "categories or dates, which it explains in the table's own units: pass "
                "rows as they were fitted, without preprocessing."
            )
        if not hasattr(preprocessing, "inverse_transform"):
            raise TypeError(
                f"preprocessing={preprocessing!r} has no inverse_transform, which "
                "brings what is expected back to the units of the data: leave out its "
                "steps that can't be undone, and apply them to X before."
            )
        width = getattr(preprocessing, "n_features_in_", len(self.names))
        if width != len(self.names):
            raise ValueError(
                f"preprocessing={preprocessing!r} takes {width} columns, but the "
                f"detector {len(self.names)} features: one for each is expected, so "
                "that features are columns of the data."
            )
        self.names = getattr(preprocessing, "feature_names_in_", self.names)

    def of_detector(self, X):
        """Rows of the data (n, n_features), in units of the detector."""
        rows = X
        if self._preprocessing is not None:
            # Transformers of scikit-learn take no empty tables.
            if not len(X):
                return np.empty((0, len(self.names)))
            rows = self._preprocessing.transform(X)
        return self._detector._applied(rows, min_samples=0)

    def of_data(self, rows):
        """Rows (n, n_features) in units of the detector, in those of the data."""
        if self._preprocessing is None or not len(rows):
            return rows
        return np.asarray(self._preprocessing.inverse_transform(rows))
