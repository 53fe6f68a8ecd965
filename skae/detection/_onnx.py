"""A fitted detector of outliers as a torch module, to be exported."""

import torch
from torch import nn

from skae.detection._anomalies import REACH
from skae.detection._neighbors import SAME
from skae.detection._scores import (
    ROUNDING,
    Isolation,
    JointDistance,
    LogErrors,
    MeanSquaredError,
    RowDistance,
)

# Relative differences of scores that are rounding: sums add up in another order.
_ROUNDING = 1e-12


class Detector(nn.Module):
    """Rows (n, d) to scores (n,) and labels (n,), 1 for normal and -1 for outlying.

    Parameters
    ----------
    detector : AutoencoderOutlierDetector
        Fitted.

    Raises
    ------
    TypeError
        If its autoencoders have no torch modules.
    """

    def __init__(self, detector):
        super().__init__()
        models, anomalies = detector._models, detector._models._anomalies
        folds = zip(
            detector.autoencoders_,
            models._scalings,
            anomalies.fitted_scores,
            strict=True,
        )
        self.folds = nn.ModuleList(_Fold(*fold) for fold in folds)
        self.bounds = _Bounds(anomalies.scaling)
        self.tails = nn.ModuleList(map(_Tail, anomalies.tails))
        self.power = anomalies.power
        self.register_buffer("shift", _double(anomalies.scaling.shift))
        self.register_buffer("scale", _double(anomalies.scaling.scale))
        self.register_buffer("usual_errors", _double(anomalies.usual_errors))
        self.register_buffer("offset", _double(detector.offset_))

    def forward(self, X):
        near = self.bounds(X.double())
        units = self.shift, self.scale, self.usual_errors
        of_folds = [fold(near, *units) for fold in self.folds]
        scores = -self._combined(torch.stack(of_folds).mean(0))
        # NaN stays what it is: that of networks that know of no missing cells.
        scores = torch.where(X.isnan().all(1), scores * 0.0, scores)
        label = torch.where(scores - self.offset < 0, -1, 1)
        return scores.to(X.dtype), label

    def _combined(self, scores):
        """One score (n,) out of n_scores (n, n_scores): the norm of the surprisals."""
        if scores.shape[1] == 1:
            return scores[:, 0]
        pairs = zip(self.tails, scores.unbind(1), strict=True)
        powers = torch.stack([tail(of_rows) ** self.power for tail, of_rows in pairs])
        return powers.sum(0) ** (1 / self.power)


class _Tail(nn.Module):
    """Surprisals (n,) of scores (n,)."""

    def __init__(self, tail):
        super().__init__()
        self.register_buffer("usual", _double(tail.usual))
        self.edge, self.size = tail.edge, tail.size

    def forward(self, scores):
        # Usual scores that are equal but for rounding count as equal.
        least = scores - scores.abs() * _ROUNDING
        as_large = (self.usual >= least[:, None]).sum(1)
        shares = (1 + as_large.double()) / (1 + len(self.usual))
        beyond = torch.where(scores > self.edge, scores - self.edge, 0.0) / self.size
        # Of rows with missing cells that no network fills nothing is known.
        return torch.where(scores.isnan(), scores, beyond - torch.log(shares))


class _Bounds(nn.Module):
    """Rows (n, d), none farther away than can be computed with."""

    def __init__(self, scaling):
        super().__init__()
        reach = REACH * scaling.scale
        self.register_buffer("low", _double(scaling.shift - reach))
        self.register_buffer("high", _double(scaling.shift + reach))

    def forward(self, X):
        # Not by minimum and maximum, whose graphs fail for a single column.
        X = torch.where(X < self.low, self.low, X)
        return torch.where(X > self.high, self.high, X)


class _Fold(nn.Module):
    """Scores (n, n_scores) of rows by an autoencoder that had not seen a fold.

    Parameters
    ----------
    autoencoder : estimator
    scaling : Scaling
        Of the rows that it was fitted to.
    fitted : list of Score
    """

    def __init__(self, autoencoder, scaling, fitted):
        super().__init__()
        if not hasattr(autoencoder, "encoder_"):
            raise TypeError(
                f"The detector has a {type(autoencoder).__name__} as autoencoder, "
                "which has no modules to be exported: fit it with a transformer of "
                "this package."
            )
        self.encoder, self.decoder = autoencoder.encoder_, autoencoder.decoder_
        self.bounds = _Bounds(scaling)
        self.scores = nn.ModuleList(_MODULES[type(score)](score) for score in fitted)

    def forward(self, near, shift, scale, usual_errors):
        reconstructed = self.decoder(self.encoder(self.bounds(near))).double()
        known = ~near.isnan()
        near = torch.where(known, near, reconstructed)
        rows = (near - shift) / scale
        errors = (near - reconstructed) / usual_errors  # 0 where cells were missing
        known = known.double()
        return torch.stack([score(rows, errors, known) for score in self.scores], 1)


class _MeanSquaredError(nn.Module):
    """Mean over the features of the squared errors."""

    def __init__(self, score):
        super().__init__()

    def forward(self, rows, errors, known):
        return errors.square().mean(1)


class _LogErrors(nn.Module):
    """Mean over the features of the surprise at their errors."""

    def __init__(self, score):
        super().__init__()

    def forward(self, rows, errors, known):
        squares = errors.square()
        return torch.where(squares > ROUNDING, squares, 0.0).log1p().mean(1)


class _Isolation(nn.Module):
    """How few random cuts tell a row from the others: all trees walked at once."""

    def __init__(self, score):
        super().__init__()
        n_trees, n_nodes = score.feature.shape
        # Nodes of all trees in one row: each tree's first one, and children from there.
        first = torch.arange(n_trees)[:, None] * n_nodes
        self.register_buffer("first", first.T.contiguous())
        self.knows_usual = score.usual is not None
        for name in ("left", "right", "usual")[: 2 + self.knows_usual]:
            self.register_buffer(
                name, (torch.tensor(getattr(score, name)) + first).ravel()
            )
        self.register_buffer("feature", torch.tensor(score.feature).ravel())
        self.register_buffer("threshold", _double(score.threshold).ravel())
        self.register_buffer("length", _double(score.length).ravel())
        self.depth, self.normalizer = score.depth, score.normalizer

    def forward(self, rows, errors, known):
        cells = rows.float().double()  # as trees read them
        node = self.first.expand(rows.shape[0], -1)  # (n, n_trees)
        for _ in range(self.depth):
            feature, at = self.feature[node], node
            is_left = cells.gather(1, feature) <= self.threshold[at]
            node = torch.where(is_left, self.left[at], self.right[at])
            if self.knows_usual:
                node = torch.where(known.gather(1, feature) > 0, node, self.usual[at])
        return 2 ** -(self.length[node].sum(1) / self.normalizer)


class _RowDistance(nn.Module):
    """Mean distance to the nearest of so many rows drawn from the references.

    Distances to all references come from products, and tell which are the nearest;
    distances to these are then computed as they are defined, which rounds less and is
    zero for equal rows.
    """

    def __init__(self, score):
        super().__init__()
        references = score.neighbors.references
        count = min(len(score.neighbors.weights), len(references) - 1)
        weights = _double(score.neighbors.weights[:count])
        self.register_buffer("weights", weights / weights.sum())
        self.register_buffer("references", torch.tensor(references))  # float32

    def forward(self, rows, errors, known):
        return self.distances(rows, known, rows.shape[1])

    def distances(self, rows, known, n_exact):
        """Distance (n,) of rows (n, d), none of which is a reference for itself.

        One reference is left out that equals the row but for rounding, in its first
        columns.

        Parameters
        ----------
        rows : Tensor of shape (n, d)
        known : Tensor of shape (n, d)
            1 where cells were there, 0 where they were missing.
        n_exact : int
            Columns that tell whether rows are the same.
        """
        rows, references = rows.float().double() * known, self.references.double()
        # Up to the squared length of each row.
        squared = known @ references.square().T - 2 * (rows @ references.T)  # (n, m)
        nearest = squared.topk(len(self.weights) + 1, largest=False).indices
        apart = rows[:, None] - self.references[nearest].double() * known[:, None]
        squares = apart.square()
        size = 1 + rows[:, :n_exact].square().mean(1, keepdim=True)
        is_same = squares[:, :, :n_exact].mean(2) <= SAME**2 * size
        is_same = is_same.any(1, keepdim=True)
        squared = squares.sum(2).sort(1).values
        squared = torch.where(is_same, squared[:, 1:], squared[:, :-1])
        return (squared.sqrt() * self.weights).sum(1)


class _JointDistance(_RowDistance):
    """The same, in rows and in their errors together."""

    def forward(self, rows, errors, known):
        both = torch.cat([rows, errors], 1), torch.cat([known, known], 1)
        return self.distances(*both, rows.shape[1])


_MODULES = {
    MeanSquaredError: _MeanSquaredError,
    LogErrors: _LogErrors,
    Isolation: _Isolation,
    RowDistance: _RowDistance,
    JointDistance: _JointDistance,
}


def _double(value):
    return torch.tensor(value, dtype=torch.float64)
