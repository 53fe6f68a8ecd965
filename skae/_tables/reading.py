"""Columns of a table as users pass it, read and checked."""

import numpy as np

from skae._tables.categories import CategoryColumn
from skae._tables.dates import DateColumn
from skae._tables.numbers import NumberColumn, is_number
from skae._tables.values import Dates, Levels, Numbers
from skae._utils.warnings import warn

# Text of so many levels, of which so few are no numbers, was meant to be numbers.
_FEWEST_LEVELS = 5
_MOST_OTHERS = 0.1


def read_column(frame, j, is_category):
    """The kind of a column, and its values.

    Parameters
    ----------
    is_category : bool or None
        What the user says; None leaves it to the dtype.
    """
    values = checked(frame, j, frame.read(j))
    called = title_of(frame, j)
    if is_category is None:
        is_category = isinstance(values, Levels)
    if is_category:
        if isinstance(values, Dates):
            raise ValueError(
                f"{called} holds {frame.holds(j)}, but categorical_features has it "
                "among the categories: leave it out, dates are read as numbers."
            )
        refusal = CategoryColumn(None, [], [], 0).refusal(values)
        if refusal is not None:
            raise ValueError(
                f"{called} holds {frame.holds(j)}, but {refusal}: turn "
                f"other ones into text, {frame.to_text(j)}."
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
        f"{called} holds {kind}, but categorical_features does not have it among the "
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
        if observed.dtype.kind == "f" and not _are_finite(observed):
            raise ValueError(
                f"{title_of(frame, j)} holds infinite numbers, but finite or missing "
                "ones were expected."
            )
    return values


def _are_finite(values):
    with np.errstate(over="ignore"):  # of longer floats than these
        return np.isfinite(values.astype(np.float64)).all()


def warn_of_numbers(levels, frame, j):
    """Warn of a column of a frame whose levels are numbers but for few."""
    if frame.is_declared(j) or not all(isinstance(level, str) for level in levels):
        return
    others = [level for level in levels if not is_number(level)]
    most = _MOST_OTHERS * len(levels)
    if len(levels) < _FEWEST_LEVELS or not 0 < len(others) <= most:
        return
    # Codes are text for a reason: their leading zeros.
    if any(level[:1] == "0" and level[1:2].isdigit() for level in levels):
        return
    warn(
        f"{title_of(frame, j)} is read as categories, since it holds text, but nearly "
        f"all of its levels are numbers, and {others[0]!r} is none: "
        f"{frame.to_numbers(j)} makes it a column of numbers, with such cells missing. "
        "If these are codes, name the column in categorical_features, or make it one "
        "of categories."
    )


def title_of(frame, j, names=None):
    return title(frame.names or names, j)


def title(names, j):
    """What to call a column, by the names of all, or None."""
    return f"Column {j if names is None else names[j]!r} of X"


def plain_names(names):
    """Names as plain values."""
    return None if names is None else [_plain_name(name) for name in names]


def _plain_name(name):
    if isinstance(name, tuple):
        return tuple(_plain_name(part) for part in name)
    return name if isinstance(name, str | int | float) else str(name)
