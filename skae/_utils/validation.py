"""Rows as users pass them: checked, with errors in the users' words."""

import numpy as np
import torch
from scipy.sparse import issparse
from sklearn.utils.validation import validate_data

from skae._utils.ranges import check_magnitude, has_holes, is_bounded
from skae._utils.sparse import canonical


def validated(estimator, X, *, reset, min_samples=1, accepts_sparse=False):
    """Rows as an array, or as a sparse matrix, of float32 or float64.

    Parameters
    ----------
    estimator : BaseEstimator
        Gets `n_features_in_` and `feature_names_in_`, or is asked for them.
    X : array-like or sparse of shape (n_samples, n_features)
    reset : bool
        Whether X is what the estimator is fitted to.
    min_samples : int, default=1
    accepts_sparse : bool, default=False

    Returns
    -------
    X : ndarray or CSR matrix of shape (n_samples, n_features)
        The latter for sparse X, each cell stored once and none of them missing.

    Raises
    ------
    TypeError, ValueError
        If X holds anything but finite numbers of a sensible size and NaN for missing
        ones, or has another shape or other names than expected; if it is sparse and
        has missing cells, or is not to be sparse.
    """
    name = type(estimator).__name__
    X = without_torch(X)
    _refuse_dtypes(X, name)
    is_sparse = issparse(X)
    if is_sparse and accepts_sparse:
        _check_sparse(X)
    try:
        X = validate_data(
            estimator,
            X,
            reset=reset,
            accept_sparse="csr" if accepts_sparse else False,
            dtype=(np.float64, np.float32),
            ensure_all_finite="allow-nan",
            ensure_min_samples=min_samples,
        )
    except (TypeError, ValueError) as error:
        advice = next((a for text, a in _ADVICE.items() if text in str(error)), None)
        if advice is None:
            raise
        said = str(error).rstrip(".")
        raise type(error)(f"{said}. {name} takes numbers only: {advice}") from error
    check_magnitude(X, name)
    if is_sparse:
        if has_holes(X):
            raise ValueError(
                f"X is sparse and holds NaN, but {name} takes missing cells in dense "
                "rows only: pass X.toarray(), or fill them first."
            )
        return canonical(X)
    return X


def without_torch(X):
    """X itself, or a tensor as an array.

    What scikit-learn's support of array APIs would keep a tensor is computed in numpy.
    """
    return X.detach().cpu().numpy() if isinstance(X, torch.Tensor) else X


_DATES = "turn dates into numbers first, such as days since a first one."
# What to do about errors of scikit-learn and numpy, by a part of their texts.
_ADVICE = {
    "could not convert string to float": "encode columns of text first, for example "
    "with OneHotEncoder. A DataFrame's columns of text are read as categories, by "
    "transformers that are fitted to it.",
    "Sparse data was passed": "in a dense array, as OneHotEncoder(sparse_output=False) "
    "or ColumnTransformer(..., sparse_threshold=0) make it.",
    "datetime": _DATES,
}


def _check_sparse(X):
    """Raise for sparse cells that are no numbers in rows and columns."""
    if X.ndim != 2:
        raise ValueError(
            f"Expected 2D array, got a sparse one of shape {X.shape} instead: a single "
            "row is X[None], or X.reshape(1, -1)."
        )
    if X.dtype.kind == "c":
        raise ValueError(f"Complex data not supported: X holds {X.dtype}.")


def _refuse_dtypes(X, name):
    """Raise for dates, which would become nanoseconds without a word.

    And for what is numbers, but of no dtype of numpy.
    """
    if not hasattr(X, "columns"):
        columns = [("X", getattr(X, "dtype", None))]
    else:
        pairs = zip(X.columns, X.dtypes, strict=True)
        columns = [(f"Column {column!r} of X", dtype) for column, dtype in pairs]
    for column, dtype in columns:
        if str(dtype).lower().startswith(("date", "time", "duration")):
            raise ValueError(
                f"{column} holds {dtype}. {name} takes numbers only: {_DATES}"
            )
        if str(dtype) in ("Int128", "UInt128"):
            raise ValueError(
                f"{column} holds {dtype}, but numbers of at the most 64 bits were "
                "expected: cast it to Int64 or Float64."
            )


def needs_no_validation(estimator, X):
    """Whether X is what validation would return, without a warning.

    Validation would take most of the time of a single row.
    """
    return (
        type(X) is np.ndarray
        and X.dtype in (np.float64, np.float32)
        and X.ndim == 2
        and X.shape[1] == estimator.n_features_in_
        and len(X) > 0
        and not hasattr(estimator, "feature_names_in_")
        and is_bounded(X)
    )
