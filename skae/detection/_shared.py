"""Rows as one fold encodes them, in the encoding of all rows."""

import numpy as np

from skae._tables.categories import CategoryColumn
from skae._tables.dates import DateColumn
from skae._tables.values import UNITS


def shared(cells, columns, of_all):
    """Encoded rows in another encoding of the same columns.

    Parameters
    ----------
    cells : ndarray of shape (n, width)
        Numbers in standard units, and dummies or their expectations.
    columns : Columns
        That encode so, of some of the rows.
    of_all : Columns
        Of all rows, with all of their levels.

    Returns
    -------
    cells : ndarray of shape (n, width)
        Of the other width.
    """
    found = np.zeros((len(cells), of_all.layout.width))
    starts = columns.layout.first, of_all.layout.first
    for j, pair in enumerate(zip(columns.columns, of_all.columns, strict=True)):
        source, target = starts[0][j], starts[1][j]
        if isinstance(pair[1], CategoryColumn):
            for i, place in enumerate(_places(*pair)):
                share = cells[:, source + i] / pair[0].factor
                found[:, target + place] += share * pair[1].factor
        else:
            found[:, target] = _number(cells[:, source], *pair)
    return found


def _places(column, of_all):
    """Where the levels of one column are among those of another; pools in pools."""
    places = {level: i for i, level in enumerate(of_all.levels)}
    other = of_all.width - 1
    return [places.get(level, other) for level in column.levels]


def _number(cells, column, of_all):
    if column.is_empty:
        return np.zeros(len(cells))  # the mean
    values = cells * column.scale + column.shift
    if isinstance(column, DateColumn):
        ratio = UNITS[column.unit] / UNITS[of_all.unit]
        values = values * ratio + (column.start * ratio - of_all.start)
    return (values - of_all.shift) / of_all.scale
