"""Noise of the likeliest scale, rows drawn with it, and what files tell of it."""

import io
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from scipy.integrate import quad
from scipy.optimize import minimize_scalar
from sklearn.decomposition import PCA

import skae
from skae._inference.mixture import CodeMixture
from skae._recipe import Recipe
from skae._training.data import Batch
from skae._training.objective import Objective
from skae._utils.layout import Layout
from skae._utils.random import new_seed
from skae._utils.scaling import Scaling
from skae.code_maps import GaussianCode
from skae.losses import AbsoluteError, Huber, LogLoss, SquaredError
from skae.losses._table import TableLoss
from skae.networks import MLP
from skae.penalties import GaussianKL, Penalty, gaussian_kl

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


@pytest.mark.parametrize(
    "loss", [SquaredError(), AbsoluteError(), Huber(), Huber(delta=2.0)], ids=str
)
def test_surprise_is_minus_the_log_likelihood(loss):
    """Of rows of three columns, by noise that has a density, and is the likeliest."""
    residuals = torch.tensor(np.random.default_rng(0).normal(size=(20, 3)))
    cells = loss.cells(residuals, torch.zeros_like(residuals))
    unit = float(loss.per_nat(cells.mean(), 1))

    def density(residual):
        cell = torch.tensor([[residual]], dtype=torch.float64)
        return np.exp(-float(loss.cells(cell, torch.zeros_like(cell))) / unit)

    mass = 2 * quad(density, 0, np.inf)[0]
    expected = (cells / unit + np.log(mass)).sum(1)
    found = loss.surprise(cells.sum(1), torch.full((20,), 3.0))
    torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-4)
    none = loss.surprise(torch.zeros(4), torch.full((4,), 3.0))
    assert none.isfinite().all() and (none < found.min()).all()


def in_nats(loss, penalty, layout=None, n_features=6):
    """An objective of Gaussian codes, and a module."""
    torch.manual_seed(0)
    recipe = Recipe.of(MLP((8,)), GaussianCode(), loss, penalty, None)
    recipe = recipe.of_rows(layout, False)
    scaling = Scaling(np.zeros(n_features), 1.0)
    module = recipe.new_module(n_features, 3)
    return Objective(recipe, scaling).eval(), module.eval()


def of_rows(objective, module, X):
    """What they are judged by, their divergence, and raw output, by the same draws."""
    draws = (torch.Generator().manual_seed(1) for _ in range(2))
    judged = objective.judged(objective.lost(module, X, Batch(X), next(draws)))
    mean = module.encode(X)
    divergence = gaussian_kl(mean, module.log_variance(mean)).sum(1)
    return judged.detach(), divergence.detach(), module(X, next(draws))[1].detach()


@pytest.mark.parametrize("beta", [1.0, 0.3])
@pytest.mark.parametrize("loss", ["squared_error", "absolute_error", "log_loss"])
def test_held_out_rows_are_judged_by_their_evidence_lower_bound(loss, beta):
    X = torch.rand(50, 6)
    judged, divergence, output = of_rows(*in_nats(loss, GaussianKL(beta)), X)
    if loss == "squared_error":
        variance = (output - X).square().mean()
        density = torch.distributions.Normal(output, variance.sqrt())
    elif loss == "absolute_error":
        density = torch.distributions.Laplace(output, (output - X).abs().mean())
    else:
        density = torch.distributions.ContinuousBernoulli(logits=output)
        rescaled = density._cont_bern_log_norm()  # of the continuous one alone
    surprise = -density.log_prob(X)
    if loss == "log_loss":
        surprise += rescaled
    torch.testing.assert_close(judged, surprise.sum(1) + beta * divergence)
    assert divergence.std() > 0


def test_rows_of_tables_are_judged_by_the_sum_of_their_parts():
    """Numbers by their noise, categories by their probabilities."""
    layout = Layout(np.array([2, 0, 1]), np.array([4]), np.array([0.02]), np.ones(1))
    objective, module = in_nats("squared_error", GaussianKL(), layout)
    level = torch.arange(30) % 4
    X = torch.cat([torch.randn(30, 2), torch.eye(4)[level]], 1)
    judged, divergence, output = of_rows(objective, module, X)
    variance = (output - X)[:, :2].square().mean()
    numbers = torch.distributions.Normal(output[:, :2], variance.sqrt())
    levels = torch.distributions.Categorical(logits=output[:, 2:])
    surprise = -numbers.log_prob(X[:, :2]).sum(1) - levels.log_prob(level)
    torch.testing.assert_close(judged, surprise + divergence)


def test_the_prior_of_a_batch_judges_rows_by_their_share():
    rng = np.random.default_rng(0)
    mean, log_variance = (torch.tensor(rng.normal(size=(50, 3))) for _ in range(2))

    class Network:
        def log_variance(self, code):
            return log_variance

    penalty = GaussianKL(beta=0.5, prior="batch")
    rows = penalty.rows(Network(), None, mean, None)
    spread = mean.var(0, correction=0) + log_variance.exp().mean(0)
    expected = 0.25 * (spread.log() - log_variance.mean(0)).sum()
    torch.testing.assert_close(rows.mean(), expected)
    torch.testing.assert_close(penalty(Network(), None, mean, None), rows.mean())
    assert rows.std() > 0


def test_penalties_of_users_in_nats_are_the_same_for_each_row():
    class Own(Penalty):
        in_nats = True

        def __call__(self, network, X, code, output):
            return 0.1 * code.square().mean()

    class Wrong(Own):
        def rows(self, network, X, code, output):
            return code

    X = torch.rand(20, 6)
    objective, module = in_nats("log_loss", Own())
    parts = objective.lost(module, X, Batch(X), torch.Generator())
    assert parts.shape == (4, 20) and parts[3].unique().numel() == 1
    objective, module = in_nats("log_loss", Wrong())
    with pytest.raises(ValueError, match=r"shape \(20, 3\).*shape \(20,\) was exp"):
        objective.lost(module, X, Batch(X), torch.Generator())


def test_bounds_below_zero_are_recorded_in_nats():
    """Losses of rows that are reconstructed well have them, whatever their units."""
    t = np.random.default_rng(0).uniform(-1, 1, (1100, 1))
    X = np.tile(np.c_[t, t**2, t**3, -t], 4)
    small, large = (
        fitted(scale * X, max_iter=12).net_.history[:, "valid_objective"]
        for scale in (1, 64)
    )
    np.testing.assert_allclose(small, large, rtol=1e-3, atol=1e-2)
    assert small[-1] < 0


@pytest.mark.filterwarnings("ignore:Posterior collapse")
@pytest.mark.parametrize("linear_path", [True, False])
def test_columns_that_tell_nothing_can_be_fitted(linear_path):
    """Identifiers, all of whose levels are rare, and one level alone."""
    for levels in ([f"v{i}" for i in range(20)], ["a"] * 20):
        X = pd.DataFrame({"id": levels})
        model = skae.VariationalAutoencoderTransformer(
            1, hidden_layer_sizes=(8,), max_iter=2, linear_path=linear_path
        ).fit(X)
        assert np.isfinite(model.loss_curve_).all()
        assert len(model.sample(3, noise=True)) == 3


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


@pytest.mark.parametrize(
    "noise", [[1.0, 1.0], [1.0] * 4, [1.0, np.nan, 1.0], [1.0, np.inf, 1], [1.0, -1, 1]]
)
def test_files_with_noise_of_other_columns_are_refused(noise):
    X = np.random.default_rng(0).normal(size=(40, 3))
    model, file = fitted(X, max_iter=2), io.BytesIO()
    model.noise_scale_ = np.array(noise)
    model.save(file)
    file.seek(0)
    with pytest.raises(skae.InvalidFileError, match="Its noise is not that"):
        skae.load(file)


def test_tables_have_noise_of_their_numbers_alone():
    rng = np.random.default_rng(0)
    X = pd.DataFrame({"a": rng.normal(size=40), "b": list("xy") * 20})
    model, file = fitted(X, max_iter=2), io.BytesIO()
    np.testing.assert_array_equal(np.isnan(model.noise_scale_), [False, True])
    model.save(file)
    file.seek(0)
    assert (
        skae.load(file).sample(4, 0, noise=True).equals(model.sample(4, 0, noise=True))
    )


def test_draws_are_of_the_codes_that_there_are():
    """Of a circle, whose codes leave the middle of the prior empty."""
    angle = np.random.default_rng(0).uniform(0, 2 * np.pi, 600)
    X = np.c_[np.cos(angle), np.sin(angle)] @ np.eye(2, 6)
    model = fitted(X, max_iter=10)
    drawn = model.sample(500, random_state=0)
    radius = np.hypot(*drawn[:, :2].T)
    decoded = model.inverse_transform(np.random.default_rng(0).normal(size=(500, 2)))
    of_prior = np.hypot(*decoded[:, :2].T)
    assert np.abs(radius - 1).mean() < 0.7 * np.abs(of_prior - 1).mean()
    assert drawn.var(axis=0).sum() == pytest.approx(X.var(axis=0).sum(), rel=0.15)
    np.testing.assert_array_equal(model.sample(5, random_state=0), drawn[:5])
    file = io.BytesIO()
    model.save(file)
    file.seek(0)
    np.testing.assert_array_equal(skae.load(file).sample(500, random_state=0), drawn)
    model.partial_fit(X)
    assert model._mixture is None
    expected = np.random.default_rng(new_seed(0)).normal(size=(9, 2))
    expected = model.inverse_transform(expected)
    np.testing.assert_allclose(model.sample(9, random_state=0), expected, rtol=1e-5)


def test_a_mixture_has_the_moments_of_codes():
    rng = np.random.default_rng(0)
    codes = rng.normal(size=(4000, 3)) @ rng.normal(size=(3, 3))
    codes[::2] += 4
    assert CodeMixture.of(codes, 29, 0) is None
    mixture = CodeMixture.of(codes, 4000, 0)
    drawn = mixture.draw(200_000, rng)
    np.testing.assert_allclose(drawn.mean(axis=0), codes.mean(axis=0), atol=0.05)
    np.testing.assert_allclose(np.cov(drawn.T), np.cov(codes.T), atol=0.1)


@pytest.mark.parametrize(
    "change",
    [
        {"weights": np.ones(3)},
        {"weights": np.array([1.0, -1.0])},
        {"means": np.ones((2, 3))},
        {"means": np.ones((2, 3)), "roots": np.ones((2, 3, 3))},
    ],
)
def test_files_with_a_mixture_of_other_codes_are_refused(change, noisy_rows):
    model, file = fitted(noisy_rows[:60], max_iter=2), io.BytesIO()
    parts = {"weights": np.ones(2) / 2, "means": np.ones((2, 2))}
    parts |= {"roots": np.ones((2, 2, 2))} | change
    model._mixture = CodeMixture(**parts)
    model.save(file)
    file.seek(0)
    with pytest.raises(skae.InvalidFileError, match=r"Its (distr|weights|mixture)"):
        skae.load(file)


def test_noise_is_passed_by_name(noisy_rows):
    model = fitted(noisy_rows[:60], max_iter=2)
    with pytest.raises(ValueError, match=r"random_state=True.*noise=True"):
        model.sample(3, True)
    with pytest.raises(TypeError, match="positional"):
        model.sample(3, 0, True)
    with pytest.raises(ValueError, match="noise=1, but True or False"):
        model.sample(3, 0, noise=1)
    assert isinstance(
        fitted(pd.DataFrame(noisy_rows[:60]), max_iter=2).sample(), np.ndarray
    )


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
