"""Pretraining of one pair of layers after the other."""

import numpy as np
import pytest
import torch
from skorch.callbacks import Callback

from skae import AutoencoderTransformer, DenoisingAutoencoderTransformer
from skae.code_maps import TopK
from skae.corruptions import Masking, SaltAndPepper
from skae.exceptions import DivergenceError
from skae.networks import MLP, Convolutional

DEEP = {"hidden_layer_sizes": (24, 12), "init": "layerwise", "max_iter": 6}


class Start(Callback):
    """Keeps the losses of rows before the first step, each time training begins."""

    def __init__(self, losses):
        self.losses = losses

    def on_train_begin(self, net, X=None, **kwargs):
        rows = X[0].X[:500]
        _, losses = net.validation_losses([rows])
        self.losses.append(float(losses.mean()))


@pytest.mark.parametrize("linear_path", [True, False])
@pytest.mark.parametrize(
    "cls", [AutoencoderTransformer, DenoisingAutoencoderTransformer]
)
def test_it_starts_lower_than_at_random_and_calls_back_once(cls, digits, linear_path):
    """Where there is no penalty, of which the pairs know nothing."""
    starts = {}
    for init in ("random", "layerwise"):
        losses = []
        params = {**DEEP, "hidden_layer_sizes": (64, 32), "max_iter": 15}
        params |= {"init": init, "linear_path": linear_path, "learning_rate": 0.02}
        cls(8, **params, callbacks=[Start(losses)], random_state=0).fit(digits)
        (starts[init],) = losses
    assert starts["layerwise"] < 0.9 * starts["random"]


@pytest.mark.parametrize(
    "params",
    [
        {"loss": "log_loss"},
        {"corruption": SaltAndPepper(0.2)},
        {"corruption": Masking(np.linspace(0, 0.5, 64))},
        {"corruption": lambda X, generator: X * (torch.arange(64) != 63)},
        {"network": MLP((8, 6), tied_weights=True, dropout=0.1)},
        {"network": MLP((8, 6)), "code_map": TopK(k=2)},
        {"early_stopping": False},
        {"hidden_layer_sizes": (7,)},
    ],
    ids=lambda params: "-".join(params),
)
def test_it_goes_with(digits, params):
    X = digits[:300] / 16
    params = {**DEEP, "random_state": 0, **params}
    estimator = AutoencoderTransformer(4, **params).fit(X)
    assert estimator.n_iter_ == 6
    at_random = AutoencoderTransformer(4, **{**params, "init": "random"}).fit(X)
    assert -estimator.score(X) < at_random.loss_curve_[0]
    estimator.partial_fit(X)


@pytest.mark.parametrize("init", ["random", "layerwise"])
def test_one_pair_is_left_to_the_training_itself(make, digits, init):
    params = {"hidden_layer_sizes": (), "early_stopping": False}
    estimator = make(**params, init=init).fit(digits)
    expected = make(**params, init="random").fit(digits)
    np.testing.assert_array_equal(
        estimator.transform(digits), expected.transform(digits)
    )


def test_it_is_reproducible_and_private(make, digits):
    before = torch.get_rng_state()
    params = {**DEEP, "early_stopping": False}
    X = digits[:600]
    first, second, other = (
        make(**params, random_state=seed).fit(X).transform(X) for seed in (0, 0, 1)
    )
    np.testing.assert_array_equal(first, second)
    assert not np.allclose(first, other)
    assert torch.equal(before, torch.get_rng_state())


def test_warm_starts_go_on_from_the_earlier_fit(make, digits):
    X = digits[:600]
    estimator = make(**DEEP, warm_start=True, early_stopping=False).fit(X)
    before = estimator.loss_curve_[-1]
    estimator.set_params(learning_rate=1e-12).fit(X)
    assert estimator.loss_curve_[-1] < 1.2 * before


@pytest.mark.parametrize("network", [Convolutional((8, 8)), torch.nn.Linear])
def test_other_networks_are_refused(make, digits, network):
    with pytest.raises(ValueError, match=r"use skae\.networks\.MLP or init='random'"):
        make(network=network, init="layerwise").fit(digits)


def test_a_stage_that_diverges_keeps_the_earlier_fit(make, digits):
    estimator = make(**DEEP).fit(digits)
    code = estimator.transform(digits)
    with pytest.raises(DivergenceError, match=r"learning_rate=1e\+30"):
        estimator.set_params(learning_rate=1e30).fit(digits)
    np.testing.assert_array_equal(estimator.transform(digits), code)


@pytest.mark.parametrize("at", [3, 60])
def test_an_interrupted_stage_is_no_fit(digits, at):
    """Also once an epoch has ended: there is nothing yet to be kept."""
    calls = []

    def corruption(X, generator):
        calls.append(X)
        if len(calls) > at:
            raise KeyboardInterrupt
        return X

    params = {**DEEP, "max_iter": 60}
    estimator = AutoencoderTransformer(4, **params, corruption=corruption)
    before = vars(estimator).copy()
    with pytest.raises(KeyboardInterrupt):
        estimator.fit(digits)
    assert vars(estimator) == before
