"""Codes of rows by few columns of a dictionary, for arrays of numpy and torch alike.

All steps are additions, multiplications, divisions and roots of single numbers, so that
a row's code has the same bits wherever the row stands.
"""

# Cells of what is searched at once: few enough to stay near the processor.
_CELLS = 2**15
_FEWEST_ROWS = 16
# A column of which the others leave less than this share of its square depends on them.
_LEAST_FREE = 1e-4
# How often negative coefficients are dropped and the others solved for again.
_ROUNDS = 3


def rows_at_once(method, n_components, n_nonzeros):
    """How many rows are best taken together.

    Parameters
    ----------
    method : {"least_squares", "omp"}
    n_components : int
    n_nonzeros : int or None
        Of each code, if it is known.
    """
    width = n_components
    if method == "least_squares":
        width = (n_nonzeros or n_components) ** 2
    return max(_FEWEST_ROWS, _CELLS // width)


def of_support(products, gram, atoms, is_used, numbers):
    """Coefficients of chosen columns, by least squares.

    Parameters
    ----------
    products : array of shape (n, m)
        Inner products of rows and columns of unit length.
    gram : array of shape (m, m)
        Inner products of these columns.
    atoms : array of shape (n, k), int
        Which columns are chosen for each row.
    is_used : array of shape (n, k), bool
        Which of them count.
    numbers : array of shape (n,), int
        Those of the rows, from 0 on.

    Returns
    -------
    coefficients : array of shape (n, k)
        0 for those that don't count, and for columns that depend on earlier ones.
    """
    left = gram[atoms[:, :, None], atoms[:, None, :]]  # (n, k, k)
    rest = products[numbers[:, None], atoms]  # (n, k)
    n_steps = atoms.shape[1]
    factors, found = 0 * left, 0 * rest
    # The Gram matrix becomes triangular, column by column.
    for step in range(n_steps):
        pivot, row = left[:, 0, 0], left[:, 0, 1:]
        is_free = is_used[:, step] & (pivot > _LEAST_FREE)
        share = is_free / pivot.clip(_LEAST_FREE)
        part, factor = rest[:, 0] * share, row * share[:, None]
        rest = rest[:, 1:] - part[:, None] * row
        left = left[:, 1:, 1:] - row[:, :, None] * factor[:, None, :]
        factors[:, step, step + 1 :] = factor
        found[:, step] = part
    for step in reversed(range(1, n_steps)):
        found[:, :step] = found[:, :step] - (
            factors[:, :step, step] * found[:, step : step + 1]
        )
    return found


def without_negatives(found, products, gram, atoms, numbers):
    """Coefficients of chosen columns by least squares, none of them negative.

    Columns whose coefficients come out negative are dropped, and the others solved for
    again, a few times; what is negative then is zero.

    Parameters
    ----------
    found : array of shape (n, k)
        Coefficients of either sign.
    products, gram, atoms, numbers : arrays, as for :func:`of_support`

    Returns
    -------
    coefficients : array of shape (n, k)
    """
    for _ in range(_ROUNDS):
        found = of_support(products, gram, atoms, found > 0, numbers)
    return found.clip(0)


def of_any(products, gram, n_steps, counts, numbers, is_positive=False):
    """Columns and their coefficients, by orthogonal matching pursuit.

    Each step adds the column after which least squares leave the smallest error
    (Rebollo-Neira, L., Lowe, D., 2002: Optimized orthogonal matching pursuit approach.
    IEEE Signal Processing Letters 9(4), doi:10.1109/LSP.2002.1001652).

    Parameters
    ----------
    products, gram, numbers : arrays, as for :func:`of_support`
    n_steps : int
        The most that counts.
    counts : array of shape (n,), int
        How many columns each row has at the most.
    is_positive : bool, default=False
        Whether columns are only added, and not taken away, when they are chosen. Later
        ones may turn the coefficients of earlier ones.

    Returns
    -------
    atoms : list of n_steps arrays of shape (n,), int
    coefficients : list of n_steps arrays of shape (n,)
    """
    search = _Search(products, numbers, is_positive)
    for step in range(n_steps):
        gains = search.gains()
        atom = gains.argmax(1)
        is_gain = gains[numbers, atom] > 0
        search.add(atom, gram[atom], is_gain & (step < counts))
    return search.atoms, search.coefficients()


class _Search:
    """What is left of rows, while columns are made orthogonal one after the other.

    Parameters
    ----------
    products : array of shape (n, m)
        Inner products of the rows and of columns of unit length.
    numbers : array of shape (n,), int
    is_positive : bool
    """

    def __init__(self, products, numbers, is_positive):
        self.numbers = numbers
        self.is_positive = is_positive
        self.left = products  # inner products of columns and of what is left of a row
        self.free = 0 * products + 1  # squared lengths of what is left of columns
        self.atoms, self.directions, self.parts, self.lengths = [], [], [], []
        self.shares = []  # of each column, along the directions before its own

    def gains(self):
        """By how much each column would lower the squared error (n, m)."""
        is_free = self.free > _LEAST_FREE
        left = self.left.clip(0) if self.is_positive else self.left
        return is_free * (left * left / self.free.clip(_LEAST_FREE))

    def add(self, atom, inner, counts):
        """Add a column to each row, where it counts.

        Parameters
        ----------
        atom : array of shape (n,), int
        inner : array of shape (n, m)
            Inner products of the column and all others.
        counts : array of shape (n,), bool
        """
        numbers = self.numbers
        free = self.free[numbers, atom]
        counts = counts & (free > _LEAST_FREE)
        length = free.clip(_LEAST_FREE) ** 0.5
        shares = [direction[numbers, atom] for direction in self.directions]
        for share, direction in zip(shares, self.directions, strict=True):
            inner = inner - share[:, None] * direction
        direction = inner * (counts / length)[:, None]
        part = counts * (self.left[numbers, atom] / length)
        self.left = self.left - part[:, None] * direction
        self.free = self.free - direction * direction
        self.atoms.append(atom)
        self.directions.append(direction)
        self.parts.append(part)
        self.lengths.append(length)
        self.shares.append(shares)

    def coefficients(self):
        """Those of the columns, by back substitution."""
        parts, found = list(self.parts), []
        for i in reversed(range(len(parts))):
            found.append(parts[i] / self.lengths[i])
            for j, share in enumerate(self.shares[i]):
                parts[j] = parts[j] - share * found[-1]
        return found[::-1]
