"""How the processor and torch share cells out: what rows' independence rests on.

A matrix product rounds differently for other numbers of rows, so that a row alone
would get other bits than in a batch. Three things make results bitwise equal on the
CPU: all chunks have one of a few fixed numbers of rows, matrices' widths are multiples
of what the processor's vectors hold, and element-wise functions get whole vectors of
cells, filled up, and so few at a time that they run in one thread.
"""

import numpy as np

# A multiple of the vector length in numbers, for any processor so far.
VECTOR = 16
# torch splits element-wise functions of more cells among threads: GELU, that is, and
# others from twice as many.
GRAIN_CELLS = 2**14
_FEWEST_ROWS, _MOST_ROWS = 16, 512


def rows_below_grain(width):
    """How many rows of a width element-wise functions take in one thread."""
    rows = 2 ** int(np.log2(max(1, (GRAIN_CELLS - 1) / width)))
    return min(max(rows, _FEWEST_ROWS), _MOST_ROWS)
