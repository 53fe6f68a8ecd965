"""Columns of a table as users pass it, read and checked."""

import numpy as np

from skae._tables.categories import CategoryColumn
from skae._tables.dates import DateColumn
from skae._tables.numbers import NumberColumn
from skae._tables.values import Dates, Levels, Numbers


def read_column(frame, j, is_category):
    """The kind of a column, and its values.

    Parameters
    ----------
    is_category : bool or None
        What the user says; None leaves it to the dtype.
    """
    values = checked(frame, j, frame.read(j))
    title = title_of(frame, j)
    if is_category is None:
        is_category = isinstance(values, Levels)
    if is_category:
        if isinstance(values, Dates):
            raise ValueError(
                f"{title} holds {frame.holds(j)}, but categorical_features has it "
                "among the categories: leave it out, dates are read as numbers."
            )
        refusal = CategoryColumn(None, [], [], 0).refusal(values)
        if refusal is not None:
            raise ValueError(
                f"{title} holds {frame.holds(j)}, but {refusal}: turn "
                "other ones into text."
            )
        return CategoryColumn, values
    if isinstance(values, Dates):
        return DateColumn, values
    if isinstance(values, Levels) and frame.dtype(j)["name"] == "category":
        kind = "category"
    elif isinstance(values, Levels) and values.kind() == "text":
        kind = frame.holds(j)
    else:
        return NumberColumn, values
    raise ValueError(
        f"{title} holds {kind}, but categorical_features does not have it among the "
        "categories: add it, leave out the column, or turn it into numbers."
    )


def checked(frame, j, values):
    """Values of a column, if a table may hold them."""
    if values is None:
        raise ValueError(
            f"{title_of(frame, j)} holds {frame.holds(j)}, but numbers, dates, text, "
            "truth values or categories were expected: convert the column, or leave "
            "it out."
        )
    if isinstance(values, Numbers):
        observed = values.values[~values.missing]
        if observed.dtype.kind == "f" and not np.isfinite(observed).all():
            raise ValueError(
                f"{title_of(frame, j)} holds infinite numbers, but finite or missing "
                "ones were expected."
            )
    return values


def title_of(frame, j, names=None):
    names = frame.names or names
    return f"Column {j if names is None else names[j]!r} of X"


def plain_names(names):
    """Names as plain values."""
    if names is None:
        return None
    return [n if isinstance(n, str | int | float | tuple) else str(n) for n in names]
