"""Greedy pretraining: one pair of mirrored layers after the other."""

from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import nn

from skae._training.data import CHUNK_ROWS, Batch, TrainingData
from skae._training.loop import train
from skae._training.objective import Objective
from skae._utils.scaling import Scaling
from skae._utils.torch_state import as_tensors
from skae.corruptions import Corruption
from skae.losses import SquaredError
from skae.networks import EncoderDecoder
from skae.networks._holes import HolesAutoencoder
from skae.networks._layers import TiedLinear, layers_of
from skae.penalties import NoPenalty

# Epochs for each pair, as a share of those of the training after it.
_EPOCHS_SHARE = 1 / 3


def check_is_layered(network):
    """Raise for a network of which no pairs of mirrored layers are known."""
    if not network.is_dense:
        raise ValueError(
            "init='layerwise' trains pairs of mirrored layers, which are not known of "
            f"network={network!r}: use skae.networks.MLP or init='random'."
        )


@dataclass(frozen=True)
class _Pair:
    """A pair of layers before its training, as :func:`train` takes it."""

    module: nn.Module
    optimizer_state: None = None
    pca_weights: None = None
    is_resumed: bool = False


def pretrain(module, data, recipe, settings, seeds, journal):
    """Train pairs of mirrored layers, from the outermost one, in place.

    Each pair is an autoencoder of what the layers before it make of the rows [1]_. The
    first one has the recipe's loss, the others the squared error of hidden cells. A
    corruption takes part in all of them, on hidden cells in global standard deviations
    around their means, as on rows [2]_; functions, which may know the features, in the
    first one only. A network of one pair is left as it is.

    Parameters
    ----------
    module : Autoencoder
        Of an :class:`MLP`, whose codes pass through nothing.
    data : TrainingData
    recipe : Recipe
        Its penalty, which is for codes, takes no part.
    settings : Settings
        Of the training of all layers together.
    seeds : tuple of ints
        Likewise.
    journal : Journal
        In which the trainings are kept.

    Raises
    ------
    DivergenceError, KeyboardInterrupt
        As for :func:`train`; the latter whenever the user interrupts, since no layers
        are of use before they are trained together.

    References
    ----------
    .. [1] Bengio, Y., Lamblin, P., Popovici, D., Larochelle, H. (2007). Greedy
       layer-wise training of deep networks. NIPS 19.
       :doi:`10.7551/mitpress/7503.003.0024`
    .. [2] Vincent, P., Larochelle, H., Lajoie, I., Bengio, Y., Manzagol, P.-A. (2010).
       Stacked denoising autoencoders. JMLR 11.
       https://jmlr.org/papers/v11/vincent10a.html
    """
    pairs = _pairs(module.bare)
    if len(pairs) == 1:
        return
    if module.reader is not None:
        pairs[0] = HolesAutoencoder(pairs[0], module.reader)
    n_epochs = max(1, round(_EPOCHS_SHARE * settings.n_epochs))
    settings = replace(settings, max_iter=n_epochs, planned_iter=None, callbacks=None)
    recipe = replace(recipe, penalty=NoPenalty())
    for i, pair in enumerate(pairs):
        pair_seeds = np.random.SeedSequence((*seeds, i)).generate_state(3).tolist()
        objective = Objective(recipe, data.scaling).to(data.device)
        result = train(
            _Pair(pair), data, objective, settings, pair_seeds, journal.entry()
        )
        if result.interrupted:
            raise KeyboardInterrupt
        pair.load_state_dict(as_tensors(result.weights))
        data = _hidden(pair, data, objective)
        corruption = HiddenCorruption(recipe.corruption, data.train.rows)
        recipe = replace(
            recipe, loss=SquaredError(), corruption=corruption, reads_holes=False
        )


def _pairs(module):
    """Autoencoders of one layer of the encoder and its mirror image, outermost first.

    With what follows each layer: activation and dropout.
    """
    encoder, decoder = (_groups(layers_of(h)) for h in (module.encoder, module.decoder))
    return [
        EncoderDecoder(nn.Sequential(*down), nn.Sequential(*up))
        for down, up in zip(encoder, reversed(decoder), strict=True)
    ]


def _groups(layers):
    """Linear layers, each with what follows it before the next."""
    groups = []
    for layer in layers:
        if isinstance(layer, nn.Linear | TiedLinear):
            groups.append([])
        groups[-1].append(layer)
    return groups


@torch.no_grad()
def _hidden(pair, data, objective):
    """What a pair's encoder makes of the rows, as rows of their own."""
    own = None if data.own is None else _hidden(pair, data.own, objective)
    pair.eval()
    parts = data.all.split(CHUNK_ROWS)
    cells = [pair.encode(objective.seen(part.dense())) for part in parts]
    cells = torch.cat(cells)  # (n, width)
    scaling = Scaling(np.zeros(cells.shape[1]), 1.0)
    batch = Batch(cells)
    parts = scaling, batch, data.n_held_out, data.order, own, data.group
    return TrainingData(*parts, data.n_trained)


class HiddenCorruption(Corruption):
    """A corruption of rows on hidden cells, in global standard deviations of those.

    Parameters
    ----------
    corruption : Corruption
        Of rows, or of the hidden cells before these.
    cells : Tensor of shape (n, width)
    """

    is_lasting = False

    def __init__(self, corruption, cells):
        self.corruption = corruption.for_hidden_cells()
        self.mean = cells.mean(0)
        deviation = (cells - self.mean).std(correction=0)
        self.scale = deviation.clamp(min=torch.finfo(cells.dtype).tiny)
        self._standard = self.corruption.prepared(self.mean / self.scale)

    @property
    def is_neutral(self):
        return self.corruption.is_neutral

    @property
    def draws(self):
        return self.corruption.draws

    def for_hidden_cells(self):
        return self.corruption

    def __repr__(self):
        return repr(self.corruption)

    def __call__(self, X, generator):
        standard = (X - self.mean) / self.scale
        return self._standard(standard, generator) * self.scale + self.mean
