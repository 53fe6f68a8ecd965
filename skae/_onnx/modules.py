"""What estimators compute, as torch modules in the units of the data."""

from collections.abc import Callable
from typing import NamedTuple

import torch
from torch import nn

from skae.networks._holes import ReadHoles

# How often what knows of no missing cells reconstructs rows that it fills: as models
# do, and once more for what is then expected.
_N_FILLINGS = 11


class Reconstruct(nn.Module):
    """Rows (n, n_features) to their reconstructions (n, n_features).

    Parameters
    ----------
    encoder, decoder : Modules
        As a transformer has them.
    """

    def __init__(self, encoder, decoder):
        super().__init__()
        self.encoder = encoder
        self.decoder = decoder

    def forward(self, X):
        return self.decoder(self.encoder(X))


class Score(nn.Module):
    """Rows (n, n_features) to minus the loss (n,) of each, as `score_samples`.

    Where cells may be missing, of what is there.

    Parameters
    ----------
    encoder, decoder : Modules
        As a transformer has them.
    """

    def __init__(self, encoder, decoder):
        super().__init__()
        self.encode, self.decode = encoder.encode, decoder.decode
        self.loss = decoder.loss
        self.reads_holes = _reads_holes(encoder)
        self.register_buffer("shift", encoder.shift)
        self.register_buffer("scale", encoder.scale)

    def forward(self, X):
        rows = ((X - self.shift) / self.scale).float()
        units = self.shift.float(), self.scale.float()
        output, missing = self.decode(self.encode(rows)), rows.isnan()
        if self.reads_holes:
            target = self.loss.target(rows.masked_fill(missing, 0.0), *units)
            cells = self.loss.cells(output, target).double().masked_fill(missing, 0.0)
            losses = cells.sum(1) / (~missing).double().sum(1).clamp(min=1.0)
        else:
            losses = self.loss(output, self.loss.target(rows, *units))
        return (-losses.double() * self.scale**self.loss.degree).to(X.dtype)


class Fill(nn.Module):
    """Rows (n, n_features) with NaN in missing cells to filled ones (n, n_kept).

    Parameters
    ----------
    encoder, decoder : Modules
        As a transformer has them.
    kept : sequence of ints
        Columns that are returned.
    empty : sequence of ints, default=()
        Columns in which missing cells are 0.
    """

    def __init__(self, encoder, decoder, kept, empty=()):
        super().__init__()
        self.encoder, self.decoder = encoder, decoder
        self.reads_holes = _reads_holes(encoder)
        self.register_buffer("kept", torch.tensor(list(kept)))
        is_empty = torch.zeros(len(encoder.shift), dtype=torch.bool)
        is_empty[list(empty)] = True
        self.register_buffer("is_empty", is_empty)

    def forward(self, X):
        missing = X.isnan()
        rows = X if self.reads_holes else torch.where(missing, self.encoder.shift, X)
        for _ in range(1 if self.reads_holes else _N_FILLINGS):
            expected = self.decoder(self.encoder(rows.to(X.dtype)))
            rows = torch.where(missing, expected, X)
        rows = rows.masked_fill(missing & self.is_empty, 0.0)
        return rows.index_select(1, self.kept)


def _reads_holes(encoder):
    return any(isinstance(module, ReadHoles) for module in encoder.modules())


class Part(NamedTuple):
    """What a part of an estimator reads and returns, and what makes its module.

    Attributes
    ----------
    make : callable
        Without arguments; returns a torch module in the units of the data.
    n_columns : int
        Of what it reads.
    input_name : str
    output_names : tuple of str
    """

    make: Callable
    n_columns: int
    input_name: str
    output_names: tuple[str, ...]


def part_of(estimator, name=None):
    """A part of a fitted estimator, and its name.

    Parameters
    ----------
    estimator : OnnxConvertible
    name : str, default=None
        None is the first that it has.

    Returns
    -------
    name : str
    part : Part

    Raises
    ------
    TypeError
        If it was fitted to a table with categories or dates.
    ValueError
        If there is no such part.
    """
    parts = estimator._onnx_parts()
    name = next(iter(parts)) if name is None else name
    if name not in parts:
        raise ValueError(
            f"part={name!r}, but {type(estimator).__name__} has "
            f"{' | '.join(map(repr, parts))}."
        )
    return name, parts[name]
