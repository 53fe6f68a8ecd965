"""Whether a network's results for a row depend on the rows beside it."""

from typing import NamedTuple

import torch
from torch.utils._python_dispatch import TorchDispatchMode


class Dependence(NamedTuple):
    """What makes rows depend on each other.

    Attributes
    ----------
    operation : str
        The first one whose result differs, such as "aten::mean".
    difference : float
        The largest one between results, in standard deviations of these.
    """

    operation: str
    difference: float


def find_dependence(function, n_rows, n_features, mode, device="cpu"):
    """What makes results of rows depend on where and beside which others they are.

    Random rows are taken through the function twice, half of them in other places and
    beside other rows the second time. Draws from no global generator.

    Parameters
    ----------
    function : callable
        From rows (n_rows, n_features) to tensors of as many rows.
    n_rows, n_features : int
    mode : callable
        Makes the context that the function runs in.
    device : str

    Returns
    -------
    dependence : Dependence or None
        None if all results are equal.
    """
    generator = torch.Generator().manual_seed(0)
    shape = n_rows, n_features
    # Several rows take each other's places, and several leave.
    order = torch.randperm(n_rows, generator=generator)
    moved = _Moved(n_rows, order[: (n_rows + 1) // 2].to(device))
    rows, others = (
        torch.randn(shape, generator=generator, dtype=torch.float32).to(device)
        for _ in range(2)
    )
    others[: len(moved.order)] = rows[moved.order]
    with torch.no_grad(), mode():
        results = zip(function(rows.clone()), function(others.clone()), strict=True)
        pairs = [moved.pair(*pair, 0, 0) for pair in results]
    if all(_are_equal(*pair) for pair in pairs):
        return None
    before, after = _Record(), _Record()
    for record, given in ((before, rows), (after, others)):
        with torch.no_grad(), mode(), record:
            function(given.clone())
    difference = max(_difference(*pair) for pair in pairs)
    return Dependence(moved.first_change(before.steps, after.steps), difference)


class _Moved:
    """Which of n_rows rows are the first ones afterwards, in this order."""

    def __init__(self, n_rows, order):
        self.n_rows = n_rows
        self.order = order

    def first_change(self, before, after):
        """Name of the first operation with other results afterwards."""
        for (name, results), (new_name, new_results) in zip(
            before, after, strict=False
        ):
            alike = name == new_name and len(results) == len(new_results)
            if not alike or not all(map(self.agree, results, new_results)):
                return new_name
        return "an operation outside of torch"

    def agree(self, before, after):
        """Whether results are the same but for the moves of rows, along any dimension.

        Of others, such as those of rows that meet a condition, nothing is known.
        """
        if not isinstance(before, torch.Tensor):
            return before == after
        if before.shape != after.shape or _are_equal(before, after):
            return True
        return any(
            _are_equal(*self.pair(before, after, dim, within))
            for dim, length in enumerate(before.shape)
            if length % self.n_rows == 0
            for within in ((0, 1) if length > self.n_rows else (0,))
        )

    def pair(self, before, after, dim, within):
        """Results for the same rows, the outer or inner part of a dimension."""
        shape = [self.n_rows, -1] if within == 0 else [-1, self.n_rows]
        before, after = (X.unflatten(dim, shape) for X in (before, after))
        dim += within
        kept = before.index_select(dim, self.order)
        return kept, after.narrow(dim, 0, len(self.order))


class _Record(TorchDispatchMode):
    """Keeps names and results of all operations in the context."""

    def __init__(self):
        super().__init__()
        self.steps = []

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        result = func(*args, **(kwargs or {}))
        name = func.name().partition(".")[0]
        # New memory is not written yet; views have the numbers that they had.
        if not (func.is_view or "empty" in name):
            results = result if isinstance(result, tuple | list) else [result]
            kept = [r.clone() if isinstance(r, torch.Tensor) else r for r in results]
            self.steps.append((name, kept))
        return result


def _are_equal(left, right):
    """Whether numbers are equal, where NaN equals itself."""
    if left.shape != right.shape:
        return False
    same = left == right
    return bool(same.all() or (same | ((left != left) & (right != right))).all())


def _difference(left, right):
    """The largest one, in standard deviations; infinite where there are no numbers."""
    largest = (left - right).abs().max() / left.std(correction=0)
    return float(largest.nan_to_num(torch.inf, posinf=torch.inf))
