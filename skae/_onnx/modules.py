"""What estimators compute, as torch modules in the units of the data."""

from collections.abc import Callable
from typing import NamedTuple

from torch import nn


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

    Parameters
    ----------
    encoder, decoder : Modules
        As a transformer has them.
    """

    def __init__(self, encoder, decoder):
        super().__init__()
        self.encode, self.decode = encoder.encode, decoder.decode
        self.loss = decoder.loss
        self.register_buffer("shift", encoder.shift)
        self.register_buffer("scale", encoder.scale)

    def forward(self, X):
        rows = ((X - self.shift) / self.scale).float()
        target = self.loss.target(rows, self.shift.float(), self.scale.float())
        losses = self.loss(self.decode(self.encode(rows)), target)
        return (-losses.double() * self.scale**self.loss.degree).to(X.dtype)


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
