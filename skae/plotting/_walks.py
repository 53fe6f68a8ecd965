"""Codes that show what a component stands for, and what they decode to."""

import numpy as np

from skae._tables.compared import Columns, as_floats
from skae._tables.rows import names_of
from skae._tables.values import Levels
from skae.plotting._cells import scale_of
from skae.plotting._given import numbers

_N_STEPS = 7
# The ends of walks: quantiles of codes, or standard deviations of the prior.
_QUANTILES, SIGMAS = (0.02, 0.5, 0.98), 2.0


def atoms(codes, size):
    """Codes (n_components, 1, n_components) of one component each.

    As large as they usually are where they are there; 1 without rows.
    """
    sizes = np.ones(size)
    if codes is not None:
        for j in range(size):
            used = codes[:, j][codes[:, j] != 0]
            sizes[j] = np.median(used) if len(used) else 0.0
    return np.diag(sizes)[:, None]


def walks(codes, size, has_prior):
    """Codes (n_components, n_steps, n_components) along each component."""
    if has_prior:
        middle = np.zeros(size)
        low, high = np.full((2, size), [[-SIGMAS], [SIGMAS]])
    else:
        low, middle, high = np.quantile(codes, _QUANTILES, axis=0)
    half = _N_STEPS // 2
    walks = np.tile(middle, (size, _N_STEPS, 1))
    for j in range(size):
        up = np.linspace(middle[j], high[j], half + 1)
        down = np.linspace(low[j], middle[j], half + 1)
        walks[j, :, j] = np.concatenate([down[:-1], up])
    return walks


def order_of(decoded, codes, steps):
    """Components by how much they change rows, the most first."""
    effects = np.square(decoded - decoded.mean(axis=1, keepdims=True)).sum(axis=(1, 2))
    if decoded.shape[1] == 1:
        effects = np.square(decoded).sum(axis=(1, 2))
    if codes is not None:
        sizes = np.square(steps[:, 0]).sum(axis=1)
        use = np.square(codes).mean(axis=0)
        effects = effects * use / np.where(sizes > 0, sizes, 1)
    return np.argsort(-effects, kind="stable")


def as_numbers(made, rows, names, is_table):
    """Decoded rows (n, width) as numbers, standard deviations, and names.

    Of categories a column for each level, 0 or 1.
    """
    if not is_table:
        spread = None
        if rows is not None:
            spread = scale_of(numbers(rows))["spread"]
        made = numbers(made)
        fits = names is not None and len(names) == made.shape[1]
        return made, spread, names if fits else None
    columns = Columns(made).columns
    spreads = np.ones(len(columns)) if rows is None else Columns(rows).deviations
    values, widths, said = [], [], []
    names = names or names_of(made) or [str(j) for j in range(len(columns))]
    for name, column, spread in zip(names, columns, spreads, strict=True):
        if not isinstance(column, Levels):
            values.append(as_floats(column)), widths.append(spread), said.append(name)
            continue
        for level in sorted(column.observed()[0], key=str):
            values.append((column.as_objects() == level).astype(float))
            widths.append(1.0), said.append(f"{name}={level}")
    return np.column_stack(values), np.array(widths), said
