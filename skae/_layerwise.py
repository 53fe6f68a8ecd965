"""Greedy pretraining: one pair of mirrored layers after the other."""

from dataclasses import replace

import numpy as np
import torch
from sklearn.base import clone
from torch import nn

from skae._codes import bare
from skae._halves import EncoderDecoder, TiedLinear, layers_of
from skae._mlp import MLP
from skae._net import train
from skae._objective import CHUNK_ROWS, Objective
from skae.corruptions import Corruption
from skae.losses import SquaredError

# Of the epochs of the training after it, for each pair.
_EPOCHS_SHARE = 1 / 3


def check_is_layered(network):
    """Raise for a network of which no pairs of mirrored layers are known."""
    if type(bare(network)) is not MLP:
        raise ValueError(
            "init='layerwise' trains pairs of mirrored layers, which are not known of "
            f"network={network!r}: use skae.networks.MLP or init='random'."
        )


def pretrain(module, train_rows, valid_rows, objective, training):
    """Train pairs of mirrored layers, from the outermost one, in place.

    Each pair is an autoencoder of what the layers before it make of the rows [1]_. The
    first one has the objective's loss, the others the squared error of hidden cells. A
    corruption takes part in all of them, on hidden cells in global standard deviations
    around their means, as on rows [2]_; callables other than :class:`Corruption`, which
    may know the features, in the first one only. A network of one pair is left as it
    is.

    Parameters
    ----------
    module : Module
        Of an :class:`MLP`, whose codes may pass through maps.
    train_rows : Tensor of shape (n, n_features)
        Standardised, on the device.
    valid_rows : Tensor of shape (n_valid, n_features) or None
    objective : Objective
        Of the first pair; without a penalty, which is for codes.
    training : Training
        Of all layers together.

    Raises
    ------
    DivergenceError, KeyboardInterrupt
        As for :func:`skae._net.train`; the latter whenever the user interrupts, since
        no layers are of use before they are trained together.

    References
    ----------
    .. [1] Bengio, Y., Lamblin, P., Popovici, D., Larochelle, H. (2007). Greedy
       layer-wise training of deep networks. NIPS 19.
       :doi:`10.7551/mitpress/7503.003.0024`
    .. [2] Vincent, P., Larochelle, H., Lajoie, I., Bengio, Y., Manzagol, P.-A. (2010).
       Stacked denoising autoencoders. JMLR 11.
       https://jmlr.org/papers/v11/vincent10a.html
    """
    pairs = _pairs(bare(module))
    if len(pairs) == 1:
        return
    corruption = objective.corruption
    for i, pair in enumerate(pairs):
        stage = replace(
            training,
            max_iter=max(1, round(_EPOCHS_SHARE * training.max_iter)),
            goes_on=False,
            callbacks=[],
            seeds=np.random.SeedSequence((*training.seeds, i))
            .generate_state(3)
            .tolist(),
        )
        trained = train(pair, train_rows, valid_rows, objective, stage)
        if trained.interrupted:
            raise KeyboardInterrupt
        state = {name: torch.tensor(value) for name, value in trained.weights.items()}
        pair.load_state_dict(state)
        train_rows = _codes(pair, train_rows)
        valid_rows = None if valid_rows is None else _codes(pair, valid_rows)
        objective = _inner_objective(corruption, train_rows)


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
def _codes(pair, rows):
    pair.eval()
    return torch.cat([pair.encode(part) for part in rows.split(CHUNK_ROWS)])


def _inner_objective(corruption, cells):
    """Squared error of hidden cells (n, width), with the corruption in their units."""
    width = cells.shape[1]
    corrupt = None
    if isinstance(corruption, Corruption):
        mean = cells.mean(0)
        scale = (cells - mean).std().clamp(min=torch.finfo(cells.dtype).tiny)
        # Levels of single features say nothing of hidden cells.
        level = float(np.mean(corruption.level))
        standard = clone(corruption).set_params(level=level).prepared(mean / scale)

        def corrupt(X, generator):
            return standard((X - mean) / scale, generator) * scale + mean

    objective = Objective(SquaredError(), None, corrupt, np.zeros(width), 1.0)
    return objective.to(cells.device)
