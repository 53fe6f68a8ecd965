"""What estimators compute, as torch modules in the units of the data."""

from typing import NamedTuple

from torch import nn

from skae._onnx.detector import Detector
from skae._utils.torch_state import undisturbed


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
    """A part of an estimator as a module, and what it reads and returns."""

    name: str
    module: nn.Module
    n_columns: int  # of what it reads
    input_name: str
    output_names: tuple[str, ...]


# What a part stands for, what makes its module, and what that reads and returns.
_PARTS = {
    "encoder": ("transform", lambda encoder, decoder: encoder, "X", "codes"),
    "decoder": ("inverse_transform", lambda encoder, decoder: decoder, "codes", "X"),
    "reconstruct": ("reconstruct", Reconstruct, "X", "X_reconstructed"),
    "score": ("score_samples", Score, "X", "scores"),
}


def output_names(estimator):
    """Names of what an estimator's first part returns: codes, rows, or scores."""
    if _is_detector(estimator):
        return "scores", "label"
    return tuple(_PARTS[_known_parts(estimator)[0]][3:])


def part_of(estimator, name=None):
    """A part of a fitted estimator.

    Parameters
    ----------
    estimator : estimator
        A transformer, a half of one, or the detector of outliers.
    name : str, default=None
        None is the first that it has.

    Returns
    -------
    part : Part

    Raises
    ------
    ValueError
        If there is no such part.
    """
    known = _known_parts(estimator)
    name = known[0] if name is None else name
    if name not in known:
        raise ValueError(
            f"part={name!r}, but {type(estimator).__name__} has "
            f"{' | '.join(map(repr, known))}."
        )
    with undisturbed():
        if _is_detector(estimator):
            module, reads = Detector(estimator), "X"
            returns = output_names(estimator)
        else:
            _, make, reads, *returns = _PARTS[name]
            module = make(*estimator._model.halves())
    width = estimator.n_features_in_ if reads == "X" else estimator.n_components_
    return Part(name, module, width, reads, tuple(returns))


def _known_parts(estimator):
    if _is_detector(estimator):
        return ["score"]
    return [name for name, (method, *_) in _PARTS.items() if hasattr(estimator, method)]


def _is_detector(estimator):
    return hasattr(estimator, "autoencoders_")
