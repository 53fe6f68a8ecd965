"""Cells of tables, written into a picture, and the scale of columns of numbers."""

import numpy as np

from skae.plotting._display import inches_of, literal, short, text_color

# That fit into a cell.
_MOST_LETTERS = 12
# Points of the largest letters.
_FONT = 9.0
# Errors whose colour is dark.
_DARK = 0.5


def scale_of(X):
    """Means and standard deviations of features, without what is missing."""
    is_there = np.isfinite(X)
    counts = np.maximum(is_there.sum(axis=0), 1)
    center = np.where(is_there, X, 0).sum(axis=0) / counts
    squares = np.where(is_there, np.square(X - center), 0).sum(axis=0) / counts
    return {"center": center, "spread": np.sqrt(np.where(squares > 0, squares, 1))}


def write(ax, tables, errors):
    """Write cells of a table into a heat map of their errors.

    Parameters
    ----------
    ax : Axes
    tables : list of Columns
        Cells are written below each other where they are not the same.
    errors : ndarray of shape (n, n_columns)
    """
    width, height = inches_of(ax) * 72 / errors.shape[::-1]
    lines = 1.4 * len(tables)
    size = min(_FONT, width / (0.62 * (_MOST_LETTERS + 2)), height / lines)
    for i, j in np.ndindex(errors.shape):
        words = [_word(table, i, j) for table in tables]
        said = words[0] if len(set(words)) == 1 else "\n→ ".join(words)
        said = literal(said)
        color = "white" if errors[i, j] > _DARK else "black"
        if np.isnan(errors[i, j]):
            color = text_color()
        options = {"ha": "center", "va": "center", "fontsize": size}
        ax.text(j + 0.5, i + 0.5, said, color=color, clip_on=True, **options)


def _word(table, i, j):
    return "?" if table.missing[i, j] else short(table.said(i, j))[:_MOST_LETTERS]
