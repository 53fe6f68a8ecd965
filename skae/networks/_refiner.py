"""Codes found by a linear decoder, where an encoder has begun."""

import torch
from torch import nn
from torch.nn import functional as F

from skae._utils import pursuit


class Refiner(nn.Module):
    """Solves for sparse codes of rows, by the columns of a linear decoder.

    Parameters
    ----------
    dictionary : Linear
        The decoder: codes (n, n_components) to rows (n, n_features).
    method : {"least_squares", "omp"}
        See :class:`skae.code_maps.Refinement`.
    n_nonzeros : int or None
        Of each code; None is as many as the encoder's has. More than there are features
        are never solved for: these determine no more.
    is_positive : bool, default=False
        Whether no component of a code is negative.
    """

    def __init__(self, dictionary, method, n_nonzeros, is_positive=False):
        super().__init__()
        self.method = method
        self.is_positive = is_positive
        self.most = dictionary.out_features
        self.n_nonzeros = None if n_nonzeros is None else min(n_nonzeros, self.most)
        weight, bias = dictionary.weight.detach(), dictionary.bias.detach()
        lengths = weight.norm(dim=0)
        lengths = torch.where(lengths > 0, lengths, 1.0)  # of unused columns
        unit = (weight / lengths).T
        self.register_buffer("weight", weight.clone())
        self.register_buffer("bias", bias.clone())
        self.register_buffer("lengths", lengths)
        self.register_buffer("unit", unit.contiguous())  # (n_components, n_features)
        self.register_buffer("offset", -unit @ bias)
        self.register_buffer("gram", unit @ unit.T)

    def forward(self, rows, code):
        """Refined codes (n, n_components) of rows (n, n_features) and their codes."""
        expected = F.linear(code, self.weight, self.bias)
        rows = torch.where(rows.isnan(), expected, rows)
        return self.solved(code, F.linear(rows, self.unit, self.offset))

    def of_rows(self, rows, code):
        """The same of rows without missing cells, some at a time."""
        return self.by_parts(code, F.linear(rows, self.unit, self.offset))

    def by_parts(self, code, products):
        """As :meth:`solved`, some rows at a time, which takes less memory."""
        size = pursuit.rows_at_once(self.method, code.shape[1], self.n_nonzeros)
        parts = zip(code.split(size), products.split(size), strict=True)
        return torch.cat([self.solved(*part) for part in parts])

    def solved(self, code, products):
        """Refined codes (n, n_components).

        Parameters
        ----------
        code : Tensor of shape (n, n_components)
            The encoder's.
        products : Tensor of shape (n, n_components)
            Inner products of rows, less the decoder's bias, and columns of unit length.
        """
        numbers = torch.arange(code.shape[0], device=code.device)
        counts, n_steps = (code != 0).sum(1), self.n_nonzeros
        if n_steps is None and torch.compiler.is_compiling():
            raise ValueError(
                "How many nonzeros refined codes have is up to each row, which graphs "
                "cannot tell: use refine=None, or sparsity='top_k'."
            )
        if n_steps is None:
            n_steps = min(max(1, int(counts.max())), self.most)
        if self.method == "omp":
            if self.n_nonzeros is not None:
                counts = 0 * counts + n_steps
            given = products, self.gram, n_steps, counts, numbers, self.is_positive
            atoms, values = (torch.stack(p, 1) for p in pursuit.of_any(*given))
        else:
            atoms = code.abs().topk(n_steps, dim=1).indices
            is_used = torch.arange(n_steps, device=code.device) < counts[:, None]
            values = pursuit.of_support(products, self.gram, atoms, is_used, numbers)
        if self.is_positive:
            given = values, products, self.gram, atoms, numbers
            values = pursuit.without_negatives(*given)
        # Added, since a component that no longer counts may be there already.
        refined = torch.zeros_like(code).scatter_add(1, atoms, values)
        return refined / self.lengths


class RefinedEncoder(nn.Module):
    """An encoder whose codes are refined.

    Parameters
    ----------
    encoder : Module
        Standardised rows (n, n_features) to codes (n, n_components).
    refiner : Refiner
    """

    def __init__(self, encoder, refiner):
        super().__init__()
        self.encoder = encoder
        self.refiner = refiner

    def forward(self, X):
        return self.refiner(X, self.encoder(X))
