"""Losses, penalties and corruptions, found by discovery."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.special import xlogy
from sklearn.base import clone

from skae import code_maps, corruptions, losses, networks, penalties
from skae._utils.part import Part
from skae._utils.random import PrivateRandomness
from skae.losses._losses import LOSSES

CORRUPTIONS = [
    getattr(corruptions, name)
    for name in corruptions.__all__
    if name not in ("Corruption", "LevelCorruption")
]
PARTS = [
    cls
    for module in (losses, penalties, corruptions, code_maps, networks)
    for cls in map(vars(module).get, module.__all__)
    if issubclass(cls, Part)
    and Part not in cls.__bases__  # no abstract bases
    and cls is not corruptions.LevelCorruption
]
matrices = arrays(np.float32, (5, 3), elements=st.floats(-10, 10, width=16))


def test_parts_are_found():
    assert len(PARTS) == len(set(PARTS)) >= 18


@pytest.mark.parametrize("cls", PARTS)
def test_parts_are_cloned_shown_and_set(cls):
    part = cls()
    assert repr(clone(part)) == repr(part)
    part._validate_params()
    for name in part.get_params():
        assert cls(**{name: 0.123}).get_params()[name] == 0.123
        # A negative value is one like any other.
        wrong = np.inf if name == "value" else -1.0
        with pytest.raises(ValueError, match=f"'{name}' parameter of {cls.__name__}"):
            cls(**{name: wrong})._validate_params()


# Losses, against numpy

IN_NUMPY = {
    "squared_error": lambda output, X: np.square(output - X),
    "absolute_error": lambda output, X: np.abs(output - X),
    "huber": lambda output, X: np.where(
        np.abs(output - X) < 0.5,
        0.5 * np.square(output - X),
        0.5 * (np.abs(output - X) - 0.25),
    ),
    "log_loss": lambda output, X: (
        -xlogy(X, 1 / (1 + np.exp(-output))) - xlogy(1 - X, 1 / (1 + np.exp(output)))
    ),
}


@pytest.mark.parametrize("name", LOSSES)
@settings(deadline=None, max_examples=30)
@given(output=matrices, X=matrices)
def test_losses_are_means_over_the_features(name, output, X):
    if name == "log_loss":
        X = 1 / (1 + np.exp(-X))
    loss = LOSSES[name]()(torch.from_numpy(output), torch.from_numpy(X))
    expected = IN_NUMPY[name](output.astype(float), X.astype(float)).mean(1)
    np.testing.assert_allclose(loss, expected, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("name", LOSSES)
@settings(deadline=None, max_examples=20)
@given(X=arrays(np.float32, (5, 3), elements=st.floats(1 / 64, 63 / 64, width=32)))
def test_link_and_to_data_are_inverse(name, X):
    loss, rows = LOSSES[name](), torch.from_numpy(X)
    shift, scale = torch.full((3,), 0.25), torch.tensor(2.0)
    standardised = (rows - shift) / scale
    output = loss.link(standardised, shift, scale)
    np.testing.assert_allclose(loss.to_data(output, shift, scale), X, atol=1e-5)


@pytest.mark.parametrize("name", LOSSES)
@settings(deadline=None, max_examples=20)
@given(factor=st.floats(0.01, 100))
def test_degree_is_how_the_loss_scales(name, factor):
    loss = LOSSES[name]()
    X, output = torch.zeros(4, 3), torch.linspace(-3, 3, 12).reshape(4, 3)
    if loss.degree == 0:
        return
    plain = loss(output, X)
    if name == "huber":
        loss.delta *= factor
    scaled = loss(factor * output, factor * X)
    np.testing.assert_allclose(scaled, plain * factor**loss.degree, rtol=1e-3)


# Corruptions


@pytest.mark.parametrize("cls", CORRUPTIONS)
@settings(deadline=None, max_examples=30)
@given(X=matrices, level=st.floats(0, 1), seed=st.integers(0, 99))
def test_corruptions_draw_from_their_generator_alone(cls, X, level, seed):
    X = torch.from_numpy(X)
    before, state = X.clone(), torch.get_rng_state()
    first, second = (
        cls(level)(X, torch.Generator().manual_seed(seed)) for _ in range(2)
    )
    assert torch.equal(first.isnan(), second.isnan())
    assert torch.equal(first.nan_to_num(), second.nan_to_num())
    assert torch.equal(X, before)
    assert torch.equal(torch.get_rng_state(), state)
    assert first.shape == X.shape
    assert first.dtype == X.dtype


@pytest.mark.parametrize("cls", CORRUPTIONS)
@settings(deadline=None, max_examples=20)
@given(X=matrices)
def test_level_0_changes_nothing(cls, X):
    X = torch.from_numpy(X)
    assert torch.equal(cls(0.0)(X, torch.Generator()), X)


@pytest.mark.parametrize(
    "cls",
    [c for c in CORRUPTIONS if c.__name__ not in ("Gaussian", "NoisyMasking")],
)
def test_level_is_the_share_of_the_cells(cls):
    X = torch.randn(3000, 10, generator=torch.Generator().manual_seed(0))
    corrupted = cls(0.3)(X, torch.Generator().manual_seed(1))
    # The rate of missing cells is drawn for each row, up to the level.
    share = 0.15 if cls is corruptions.Missing else 0.3
    assert (corrupted != X).float().mean() == pytest.approx(share, abs=0.02)


def test_noisy_masking_masks_and_adds_noise_of_one_strength():
    X = torch.randn(3000, 10, generator=torch.Generator().manual_seed(0))
    seen = corruptions.NoisyMasking(0.3)(X, torch.Generator().manual_seed(1))
    masked = seen == 0
    assert masked.float().mean() == pytest.approx(0.3, abs=0.02)
    assert (seen - X)[~masked].std() == pytest.approx(0.6, abs=0.02)


def test_swap_takes_values_of_the_same_column_from_other_rows():
    X = torch.arange(40.0).reshape(8, 5)
    swapped = corruptions.Swap(1.0)(X, torch.Generator().manual_seed(0))
    assert (swapped != X).all()
    assert torch.equal(swapped % 5, X % 5)
    alone = X[:1]
    assert torch.equal(corruptions.Swap(1.0)(alone, torch.Generator()), alone)


def test_salt_and_pepper_stay_in_the_range_of_the_data():
    """However far the means of the features lie apart."""
    X = torch.rand(200, 3, generator=torch.Generator().manual_seed(0))
    X[:, 1] *= 0.1
    mean = X.mean(0)
    noise = corruptions.SaltAndPepper(1.0).prepared(mean)
    noisy = noise(X - mean, torch.Generator().manual_seed(1)) + mean
    values = torch.tensor([float(X.min()), float(X.max())])
    np.testing.assert_allclose(np.unique(noisy.numpy().round(5)), values, atol=1e-4)


@pytest.mark.parametrize("shift", [1e3, 1e6, 1e8, 1e9])
def test_salt_and_pepper_are_the_same_at_any_common_shift(shift):
    rows = torch.randn(50, 4, generator=torch.Generator().manual_seed(0))
    mean = torch.tensor([0.0, 1.0, -2.0, 5.0])

    def noisy(mean):
        noise = corruptions.SaltAndPepper(0.5).prepared(mean)
        return noise(rows, torch.Generator().manual_seed(1))

    assert torch.equal(noisy(torch.full((4,), shift)), noisy(torch.zeros(4)))
    # As far as single precision knows of the differences between means.
    unit = float(torch.tensor(shift).nextafter(torch.tensor(torch.inf)) - shift)
    torch.testing.assert_close(noisy(mean + shift), noisy(mean), rtol=0, atol=2 * unit)


def test_salt_and_pepper_are_as_frequent():
    X = torch.rand(2000, 10, generator=torch.Generator().manual_seed(0))
    noisy = corruptions.SaltAndPepper(0.4)(X, torch.Generator().manual_seed(1))
    assert (noisy == X.max()).float().mean() == pytest.approx(0.2, abs=0.02)
    assert (noisy == X.min()).float().mean() == pytest.approx(0.2, abs=0.02)


# Private randomness

DRAWS = {
    "rand": lambda: torch.rand(3),
    "randn": lambda: torch.randn(3),
    "randint": lambda: torch.randint(9, (3,)),
    "randint between": lambda: torch.randint(2, 9, (3,)),
    "randperm": lambda: torch.randperm(9),
    "randn_like": lambda: torch.randn_like(torch.ones(3)),
    "rand_like": lambda: torch.rand_like(torch.ones(3)),
    "uniform_": lambda: torch.empty(3).uniform_(),
    "exponential_": lambda: torch.empty(3).exponential_(),
    "normal": lambda: torch.normal(torch.zeros(3), torch.ones(3)),
    "bernoulli": lambda: torch.bernoulli(torch.full((9,), 0.5)),
    "multinomial": lambda: torch.multinomial(torch.ones(9), 4),
    "poisson": lambda: torch.poisson(torch.full((9,), 5.0)),
    "dropout": lambda: torch.nn.functional.dropout(torch.ones(50)),
    "native dropout": lambda: torch.native_dropout(torch.ones(50), 0.5, True)[0],
    "alpha dropout": lambda: torch.nn.functional.alpha_dropout(
        torch.ones(50), training=True
    ),
    "rrelu": lambda: torch.nn.functional.rrelu(-torch.ones(9), training=True),
    "linear": lambda: torch.nn.Linear(3, 2).weight.detach(),
    "orthogonal": lambda: torch.nn.init.orthogonal_(torch.empty(4, 4)),
    "rsample": lambda: torch.distributions.Normal(0.0, 1.0).rsample((3,)),
}


@pytest.mark.parametrize("name", DRAWS)
def test_private_randomness(name):
    def draw(seed):
        with PrivateRandomness(torch.Generator().manual_seed(seed)) as mode:
            drawn = DRAWS[name]()
        assert mode.used
        return drawn

    before = torch.get_rng_state()
    assert torch.equal(draw(0), draw(0))
    assert any(not torch.equal(draw(0), draw(seed)) for seed in range(1, 9))
    assert torch.equal(torch.get_rng_state(), before)


def test_private_randomness_keeps_dropout_s_mean_and_gradient():
    X = torch.ones(20_000, requires_grad=True)
    with PrivateRandomness(torch.Generator().manual_seed(0)):
        kept = torch.native_dropout(X, 0.25, True)[0]
    kept.sum().backward()
    assert kept.mean().item() == pytest.approx(1, abs=0.02)
    assert torch.equal(X.grad, kept.detach())


def test_nothing_drawn_is_nothing_used():
    with PrivateRandomness(torch.Generator()) as mode:
        torch.nn.functional.dropout(torch.ones(3), training=False)
        torch.ones(3).sum()
    assert not mode.used
