"""Contraction is measured by the codes' own spread."""

from pathlib import Path

import numpy as np
import pytest
import torch

import skae
from skae.networks import MLP
from skae.penalties import Contractive, squared_jacobian_norms

DATA = Path(__file__).parent / "data"
STRENGTHS = 0.0, 0.1, 1.0


@pytest.fixture
def network():
    torch.manual_seed(0)
    return MLP((12,), activation="tanh", linear_path=False)(6, 4).double()


@pytest.fixture
def rows():
    return torch.randn(
        50, 6, dtype=torch.float64, generator=torch.Generator().manual_seed(1)
    )


@pytest.mark.parametrize("n_projections", [None, 3])
def test_codes_of_another_size_are_penalised_alike(n_projections, network, rows):
    found = []
    penalty = Contractive(1.0, n_projections)
    for factors in (1.0, 0.3, torch.tensor([[1.0], [9.0], [0.5], [30.0]])):
        last = network.encoder[-1]
        last.weight.data.mul_(factors)
        last.bias.data.mul_(torch.as_tensor(factors).ravel())
        torch.manual_seed(0)
        found.append(penalty(network, rows, network.encode(rows), None))
    torch.testing.assert_close(found[1:], 2 * found[:1])


def test_the_penalty_is_the_movement_under_little_noise(network, rows):
    """The mean square over components, each by its standard deviation."""
    step = 1e-4
    noise = step * torch.randn(4000, *rows.shape, dtype=torch.float64)
    with torch.no_grad():
        code = network.encode(rows)
        moved = (network.encode(rows + noise) - code).square().mean((0, 1)) / step**2
    expected = (moved / code.var(0, correction=0)).mean()
    found = Contractive(1.0, None)(network, rows, code, None)
    torch.testing.assert_close(found, expected, rtol=0.02, atol=0.0)


def test_random_sums_agree_in_expectation_with_the_exact_sum(network, rows):
    torch.manual_seed(0)
    code = network.encode(rows)
    exact = Contractive(1.0, None)(network, rows, code, None)
    estimate = Contractive(1.0, 4000)(network, rows, code, None)
    torch.testing.assert_close(estimate, exact, rtol=0.02, atol=0.0)


def test_a_single_row_has_no_spread(network, rows):
    code = network.encode(rows[:1])
    assert Contractive(1.0)(network, rows[:1], code, None) == 0
    X = np.random.default_rng(0).normal(size=(30, 6))
    estimator = skae.ContractiveAutoencoderTransformer(
        2, hidden_layer_sizes=(8,), max_iter=2, random_state=0
    ).fit(X)
    assert np.isfinite(estimator.partial_fit(X[:1]).transform(X)).all()


def movement(model, X):
    """How far noise of a quarter of a standard deviation moves codes, in theirs."""
    noise = 0.25 * X.std() * np.random.default_rng(0).normal(size=X.shape)
    codes, moved = model.transform(X), model.transform(X + noise)
    return np.mean(np.square(moved - codes).mean(axis=0) / codes.var(axis=0)) ** 0.5


def test_codes_move_less_by_their_spread_and_do_not_shrink(digits):
    models = [
        skae.ContractiveAutoencoderTransformer(
            6, alpha=alpha, n_projections=2, max_iter=10, random_state=0
        ).fit(digits[:600])
        for alpha in STRENGTHS
    ]
    moved = [movement(model, digits[800:]) for model in models]
    assert moved == sorted(moved, reverse=True)
    assert moved[1] < 0.85 * moved[0]
    told = [model.jacobian_norm(digits[800:], relative=True) for model in models]
    means = [float(np.square(norms).mean()) for norms in told]
    assert means == sorted(means, reverse=True)
    assert models[1].code_spread_.mean() > 0.5 * models[0].code_spread_.mean()


def fitted(X):
    return skae.ContractiveAutoencoderTransformer(
        3, init="pca", learning_rate=1e-12, max_iter=1, random_state=0
    ).fit(X)


def test_relative_norm_of_pca_is_told_by_its_variances(tables):
    model = fitted(tables)
    spread = model.transform(tables).std(axis=0)
    np.testing.assert_allclose(model.code_spread_, spread, rtol=1e-5)
    expected = np.mean(1 / spread**2) ** 0.5
    norms = model.jacobian_norm(tables, relative=True)
    np.testing.assert_allclose(norms, expected, rtol=1e-3)
    larger = fitted(8 * tables).jacobian_norm(8 * tables, relative=True)
    np.testing.assert_allclose(larger, norms / 8, rtol=1e-3)


def test_relative_norm_of_data_of_any_scale(tables):
    norms = fitted(tables).jacobian_norm(tables, relative=True)
    for scale in (1e-27, 1e12):
        X = scale * tables
        found = fitted(X).jacobian_norm(X, relative=True)
        np.testing.assert_allclose(found * scale, norms, rtol=1e-3)


def test_a_component_that_never_varies_has_no_part(tables):
    model = fitted(tables)
    model.code_spread_ = model.code_spread_ * [1, 1, 0]
    expected = np.sum(1 / model.code_spread_[:2] ** 2 / 3) ** 0.5
    norms = model.jacobian_norm(tables, relative=True)
    np.testing.assert_allclose(norms, expected, rtol=1e-3)


def test_the_spread_is_stored(tmp_path, tables):
    model = fitted(tables)
    model.save(tmp_path / "model.skae")
    loaded = skae.load(tmp_path / "model.skae")
    np.testing.assert_array_equal(
        loaded.jacobian_norm(tables, relative=True),
        model.jacobian_norm(tables, relative=True),
    )
    model.code_spread_ = model.code_spread_[:2]
    model.save(tmp_path / "wrong.skae")
    with pytest.raises(ValueError, match="spread of its codes"):
        skae.load(tmp_path / "wrong.skae")


def test_a_transformer_without_spread_says_so():
    model = skae.load(DATA / "contractive_1.skae")
    X = np.zeros((2, model.n_features_in_))
    assert model.jacobian_norm(X).shape == (2,)
    with pytest.raises(ValueError, match=r"relative=True.*earlier version.*again"):
        model.jacobian_norm(X, relative=True)


def test_units_multiply_components(network, rows):
    units = torch.tensor([2.0, 0.0, 0.0, 0.0], dtype=torch.float64)
    alone = torch.tensor([1.0, 0.0, 0.0, 0.0], dtype=torch.float64)
    torch.testing.assert_close(
        squared_jacobian_norms(network, rows, units),
        4 * squared_jacobian_norms(network, rows, alone),
    )
