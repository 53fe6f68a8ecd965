"""Tables as numbers that can be drawn: cells, their spread, and their differences."""

from typing import NamedTuple

import numpy as np

from skae._tables.column import in_words
from skae._tables.frames import frame_of
from skae._tables.values import Dates, Levels
from skae.plotting._display import inches_of, short, text_color

# That fit into a cell.
_MOST_LETTERS = 12
# Points of the largest letters.
_FONT = 9.0
# Errors whose colour is dark.
_DARK = 0.5


class Cells(NamedTuple):
    """Some rows of a table or array.

    Attributes
    ----------
    values : list of ndarray of shape (n,)
        Of each column: float64 of numbers and dates, NaN where a cell is missing;
        objects of categories, None where it is missing.
    are_levels : ndarray of shape (n_columns,), bool
    are_mixed : bool
        Whether there are categories or dates.
    words : ndarray of shape (n, n_columns), object
        Cells in words.
    """

    values: list
    are_levels: np.ndarray
    are_mixed: bool
    words: np.ndarray

    @classmethod
    def of(cls, X):
        """Cells of X (n, n_columns), a table of numbers, categories and dates."""
        frame = frame_of(X)
        columns = [frame.read(j) for j in range(frame.shape[1])]
        are_levels = np.array([isinstance(column, Levels) for column in columns])
        words = [_in_words(cell) for cell in frame.objects().ravel()]
        words = np.array(words, object).reshape(frame.shape)
        values = [_values(column) for column in columns]
        are_mixed = any(isinstance(column, Levels | Dates) for column in columns)
        return cls(values, are_levels, are_mixed, words)

    def spreads(self):
        """Standard deviations (n_columns,) of numbers, 1 of categories."""
        pairs = zip(self.values, self.are_levels, strict=True)
        found = [1.0 if is_level else _spread(values) for values, is_level in pairs]
        return np.array(found)

    def errors(self, other, spreads):
        """By how many of their spreads other cells are away (n, n_columns).

        1 where another level of a category is, and 0 where the same is; NaN where cells
        are missing.
        """
        pairs = zip(self.values, other.values, strict=True)
        errors = [
            _differ(mine, theirs) if is_level else np.abs(theirs - mine) / spread
            for (mine, theirs), is_level, spread in zip(
                pairs, self.are_levels, spreads, strict=True
            )
        ]
        return np.column_stack(errors)


def _values(column):
    if isinstance(column, Levels):
        return column.as_objects()
    if isinstance(column, Dates):
        values = column.values.astype(np.float64)
    else:
        values = np.asarray(column.values, np.float64)
    return np.where(column.missing, np.nan, values)


def _spread(values):
    spread = np.std(values[np.isfinite(values)]) if np.isfinite(values).any() else 0.0
    return float(spread) or 1.0


def _differ(mine, theirs):
    is_missing = np.equal(mine, None) | np.equal(theirs, None)
    return np.where(is_missing, np.nan, (mine != theirs).astype(float))


def _in_words(cell):
    if cell is None or cell != cell:
        return "?"
    return f"{cell:.4g}" if isinstance(cell, float) else in_words(cell)


def scale_of(X):
    """Means and standard deviations of features, without what is missing."""
    is_there = np.isfinite(X)
    counts = np.maximum(is_there.sum(axis=0), 1)
    center = np.where(is_there, X, 0).sum(axis=0) / counts
    squares = np.where(is_there, np.square(X - center), 0).sum(axis=0) / counts
    return {"center": center, "spread": np.sqrt(np.where(squares > 0, squares, 1))}


def write(ax, lines, errors):
    """Write cells of a table into a heat map of their errors.

    Parameters
    ----------
    ax : Axes
    lines : list of ndarray of shape (n, n_columns)
        Words, which are written below each other where they are not the same.
    errors : ndarray of shape (n, n_columns)
    """
    width, height = inches_of(ax) * 72 / errors.shape[::-1]
    size = min(_FONT, width / (0.62 * (_MOST_LETTERS + 2)), height / (1.4 * len(lines)))
    for i, j in np.ndindex(errors.shape):
        words = [short(part[i, j])[:_MOST_LETTERS] for part in lines]
        said = words[0] if len(set(words)) == 1 else "\n→ ".join(words)
        color = "white" if errors[i, j] > _DARK else "black"
        if np.isnan(errors[i, j]):
            color = text_color()
        options = {"ha": "center", "va": "center", "fontsize": size}
        ax.text(j + 0.5, i + 0.5, said, color=color, clip_on=True, **options)
