"""Noise of the likeliest scale, rows drawn with it, and what files tell of it."""

from pathlib import Path

import numpy as np
import pytest
import torch
from scipy.integrate import quad
from scipy.optimize import minimize_scalar
from sklearn.decomposition import PCA

import skae
from skae._utils.layout import Layout
from skae.code_maps import GaussianCode
from skae.losses import AbsoluteError, Huber, LogLoss, SquaredError
from skae.losses._table import TableLoss

DATA = Path(__file__).parent / "data"


def likeliest_unit(loss, observed):
    """The unit at which noise of density exp(-loss / unit) makes a mean loss likely."""

    def cell(residual):
        zero = torch.zeros(1, 1, dtype=torch.float64)
        return float(loss.cells(zero + residual, zero))

    def surprise(log_unit):
        unit = np.exp(log_unit)
        mass = 2 * quad(lambda r: np.exp(-cell(r) / unit), 0, np.inf)[0]
        return observed / unit + np.log(mass)

    found = minimize_scalar(surprise, bounds=(-6, 3), method="bounded")
    return np.exp(found.x)


@pytest.mark.parametrize("observed", [0.01, 0.1, 0.3, 1.4])
@pytest.mark.parametrize(
    "loss", [SquaredError(), AbsoluteError(), Huber(), Huber(delta=2.0)], ids=str
)
def test_a_nat_weighs_as_much_as_by_the_profile_likelihood(loss, observed):
    found = loss.per_nat(torch.tensor(observed, dtype=torch.float64), 1)
    assert float(found) == pytest.approx(likeliest_unit(loss, observed), rel=1e-3)
    tenth = loss.per_nat(torch.tensor(observed, dtype=torch.float64), 10)
    assert float(tenth) == pytest.approx(float(found) / 10)


def test_huber_is_the_squared_error_of_small_residuals_and_the_absolute_of_large_ones():
    small, large = torch.tensor(1e-4), torch.tensor(1e4)
    torch.testing.assert_close(Huber().per_nat(small, 3), 2 * small / 3)
    torch.testing.assert_close(
        Huber().per_nat(large, 3), large / 3, rtol=1e-2, atol=0.0
    )
    assert Huber().per_nat(torch.tensor(0.0), 3) == 0
    assert LogLoss().per_nat(torch.tensor(0.7), 4) == 0.25


@pytest.mark.parametrize("numbers", [SquaredError(), AbsoluteError(), Huber()], ids=str)
def test_numbers_of_a_table_have_the_noise_of_their_loss(numbers):
    loss = torch.tensor(0.3, dtype=torch.float64)
    layout = Layout(np.arange(5), np.zeros(0, int), np.zeros(0), np.zeros(0))
    found = TableLoss(numbers, layout).per_nat(loss, 5)
    torch.testing.assert_close(found, numbers.per_nat(loss, 5))


@pytest.fixture(scope="module")
def noisy_rows():
    """Rows (400, 8) about a plane, with noise of another size in each column."""
    rng = np.random.default_rng(0)
    plane = rng.normal(size=(400, 2)) @ rng.normal(size=(2, 8))
    return plane + rng.normal(size=(400, 8)) * np.linspace(0.1, 0.9, 8)


def fitted(X, **params):
    given = {"hidden_layer_sizes": (16,), "max_iter": 30, "random_state": 0, **params}
    return skae.VariationalAutoencoderTransformer(2, **given).fit(X)


def test_samples_with_noise_vary_as_much_as_new_rows(noisy_rows):
    model = fitted(noisy_rows[:200])
    bare, noisy = (
        model.sample(2000, random_state=0, noise=noise) for noise in (False, True)
    )
    of_new = noisy_rows[200:].var(axis=0)
    assert bare.var(axis=0).sum() < 0.9 * of_new.sum()
    assert noisy.var(axis=0).sum() == pytest.approx(of_new.sum(), rel=0.25)
    np.testing.assert_allclose((noisy - bare).std(axis=0), model.noise_scale_, rtol=0.1)


def test_noise_is_that_of_draws_of_rows_held_out(noisy_rows):
    """Not of means of codes of rows that were trained on, which is less."""
    model = fitted(noisy_rows)
    errors = np.square(model.reconstruct(noisy_rows) - noisy_rows).mean(axis=0) ** 0.5
    assert (model.noise_scale_ > errors).all()
    alone = fitted(noisy_rows, early_stopping=False)
    rng = np.random.default_rng(0)
    mean, deviation = (
        np.tile(part, (20, 1)) for part in alone.transform_distribution(noisy_rows)
    )
    drawn = alone.inverse_transform(mean + deviation * rng.normal(size=mean.shape))
    expected = np.square(drawn - np.tile(noisy_rows, (20, 1))).mean(axis=0) ** 0.5
    np.testing.assert_allclose(alone.noise_scale_, expected, rtol=0.1)


@pytest.mark.parametrize("loss", ["absolute_error", "huber", "log_loss"])
def test_noise_has_the_units_of_the_data(loss, noisy_rows):
    X = noisy_rows - noisy_rows.min()
    X = X / X.max()
    model = fitted(X, loss=loss, max_iter=3)
    assert model.noise_scale_.shape == (8,)
    assert ((model.noise_scale_ > 0) & (model.noise_scale_ < 1)).all()
    if loss != "log_loss":
        larger = fitted(64 * X, loss=loss, max_iter=3)
        np.testing.assert_allclose(
            larger.noise_scale_, 64 * model.noise_scale_, rtol=1e-3
        )


def test_noise_of_rows_with_holes_and_of_constant_ones(noisy_rows):
    holed = np.where(
        np.random.default_rng(0).random(noisy_rows.shape) < 0.1, np.nan, noisy_rows
    )
    noise = fitted(holed, max_iter=3).noise_scale_
    assert np.isfinite(noise).all()
    with pytest.warns(match="Posterior collapse"):
        constant = fitted(np.ones((40, 3)), max_iter=3)
    assert np.isfinite(constant.sample(5, random_state=0, noise=True)).all()


def test_a_transformer_without_noise_says_so():
    """Of the first files, which had none."""
    model = skae.load(DATA / "variational_1.skae")
    assert model.sample(3, random_state=0).shape == (3, model.n_features_in_)
    with pytest.raises(ValueError, match=r"noise=True.*earlier version.*fit it again"):
        model.sample(3, random_state=0, noise=True)


def linear(X, n_components, **params):
    """A fit that cannot leave probabilistic PCA."""
    given = {"hidden_layer_sizes": (8,), "max_iter": 1, "learning_rate": 1e-12}
    return skae.VariationalAutoencoderTransformer(
        n_components, init="pca", random_state=0, **given, **params
    ).fit(X)


def test_at_the_start_pca_is_probabilistic_pca(noisy_rows):
    """Its codes have the posterior's means and variances."""
    pca = PCA(2).fit(noisy_rows)
    model = linear(noisy_rows, 2, early_stopping=False)
    mean, deviation = model.transform_distribution(noisy_rows)
    n = len(noisy_rows)
    variance = pca.explained_variance_ * (n - 1) / n
    noise = pca.noise_variance_ * (n - 1) / n
    scores = pca.transform(noisy_rows)
    expected = scores * np.sqrt(variance - noise) / variance
    signs = np.sign((mean * expected).sum(axis=0))
    np.testing.assert_allclose(mean * signs, expected, atol=1e-3)
    np.testing.assert_allclose(
        deviation, np.sqrt(noise / variance)[None] + 0 * mean, rtol=1e-3
    )
    drawn = model.sample(20000, random_state=0, noise=True)
    np.testing.assert_allclose(np.cov(drawn.T), pca.get_covariance(), atol=0.5)


def test_probabilistic_pca_is_kept_where_nothing_beats_it():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(60, 2)) @ rng.normal(size=(2, 8)) + rng.normal(size=(60, 8))
    model = fitted(X, max_iter=10, learning_rate=1e-12)
    assert model.best_iter_ == 0
    kept = linear(X, 2)
    np.testing.assert_allclose(model.transform(X), kept.transform(X), atol=1e-4)
    np.testing.assert_allclose(model.noise_scale_, kept.noise_scale_, rtol=0.1)


def test_components_without_variance_are_those_of_the_prior(noisy_rows):
    """More than there are columns with any."""
    X = noisy_rows[:, [0, 1, 0, 1]]
    mean, deviation = linear(X, 4).transform_distribution(X)
    assert np.isfinite(mean).all()
    np.testing.assert_allclose(mean[:, 2:], 0, atol=0.05)
    np.testing.assert_allclose(deviation[:, 2:], 1, atol=0.05)


@pytest.mark.parametrize("linear_path", [False, True, "encoder"])
def test_codes_have_the_second_moments_of_the_prior(linear_path, digits):
    model = skae.VariationalAutoencoderTransformer(
        4,
        hidden_layer_sizes=(32,),
        linear_path=linear_path,
        early_stopping=False,
        max_iter=5,
        random_state=0,
    ).fit(digits[:400])
    mean, deviation = model.transform_distribution(digits[:400])
    moments = np.square(mean).mean(axis=0) + np.square(deviation).mean(axis=0)
    np.testing.assert_allclose(moments, 1, atol=0.05)


def test_codes_that_are_scaled_keep_their_shares_of_variance():
    torch.manual_seed(0)
    module, factors = GaussianCode()(3), torch.tensor([0.5, 1.0, 1.3])
    mean = torch.randn(20, 3)
    before = module.log_variance(mean)
    module.scale_codes(factors)
    after = module.log_variance(factors * mean)
    torch.testing.assert_close(after, before + 2 * factors.log(), atol=0.3, rtol=0.0)
    module.become_constant(torch.tensor([-3.0, -1.0, 0.0]))
    expected = torch.tensor([-3.0, -1.0, 0.0]).expand(20, 3)
    torch.testing.assert_close(module.log_variance(mean), expected)
