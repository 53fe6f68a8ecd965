"""Where training starts, and what that guarantees."""

import numpy as np
import pytest
import torch
from conftest import transformer_classes
from sklearn.datasets import (
    load_breast_cancer,
    load_diabetes,
    load_digits,
    load_wine,
    make_low_rank_matrix,
)
from sklearn.decomposition import PCA
from sklearn.metrics import pairwise_distances
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import StandardScaler

from skae import AutoencoderTransformer
from skae._training import pca as pca_module
from skae._training.pca import principal_components
from skae.corruptions import Gaussian
from skae.penalties import L1

SETS = {
    "digits": load_digits,
    "breast_cancer": load_breast_cancer,
    "wine": load_wine,
    "diabetes": load_diabetes,
}
# So small a step that the start is what is left after an epoch.
STANDING_STILL = {
    "init": "pca",
    "learning_rate": 1e-12,
    "max_iter": 1,
    "random_state": 0,
}


def squared_errors(model, X):
    return np.square(model.inverse_transform(model.transform(X)) - X).mean(axis=1)


def squared_error(model, X):
    return squared_errors(model, X).mean()


def is_worse(autoencoder, pca, X):
    """Whether errors of new rows are larger than PCA's, and not by chance.

    Of some hundred rows those to test on may be worse off by chance where those to
    train on gained. Where PCA is kept, errors are the same but for single precision.
    """
    of_pca = squared_errors(pca, X)
    worse = squared_errors(autoencoder, X) - of_pca
    chance = 2 * worse.std() / len(X) ** 0.5
    return worse.mean() > chance + 1e-5 * of_pca.mean()


@pytest.mark.parametrize("n_components", [2, 5, 8])
@pytest.mark.parametrize("name", SETS)
def test_not_worse_than_pca_on_held_out_rows(name, n_components):
    X = StandardScaler().fit_transform(SETS[name]().data)
    train, test = train_test_split(X, random_state=0)
    autoencoder = AutoencoderTransformer(n_components, random_state=0).fit(train)
    pca = PCA(n_components).fit(train)
    assert not is_worse(autoencoder, pca, test)


@pytest.mark.parametrize("seed", range(10))
@pytest.mark.parametrize("name", ["breast_cancer", "wine", "diabetes"])
def test_not_worse_than_pca_in_units_of_their_own(name, seed):
    """A few features and rows make up most of the error, and luck most of a gain."""
    X = SETS[name]().data
    train, test = train_test_split(X, random_state=seed)
    autoencoder = AutoencoderTransformer(3, random_state=seed).fit(train)
    pca = PCA(3).fit(train)
    assert not is_worse(autoencoder, pca, test)


@pytest.mark.parametrize("n_rows", [20, 60, 100])
def test_not_worse_than_pca_on_few_and_wide_rows(digits, n_rows):
    train, test = digits[:n_rows], digits[1000:]
    autoencoder = AutoencoderTransformer(8, random_state=0).fit(train)
    assert squared_error(autoencoder, test) <= 1.00001 * squared_error(
        PCA(8).fit(train), test
    )


def test_better_than_pca_on_digits(digits):
    autoencoder = AutoencoderTransformer(16, random_state=0).fit(digits[:1400])
    pca = PCA(16).fit(digits[:1400])
    test = digits[1400:]
    assert squared_error(autoencoder, test) < 0.7 * squared_error(pca, test)


@pytest.mark.parametrize("shape", [(300, 20), (30, 64)], ids=["tall", "wide"])
def test_training_starts_at_pca(digits, shape):
    X = digits[: shape[0], : shape[1]]
    autoencoder = AutoencoderTransformer(6, **STANDING_STILL).fit(X)
    pca = PCA(6, svd_solver="full").fit(X)
    scale = np.abs(X - X.mean(0)).max()
    np.testing.assert_allclose(
        autoencoder.transform(X), pca.transform(X), atol=1e-5 * scale
    )
    np.testing.assert_allclose(
        autoencoder.reconstruct(X),
        pca.inverse_transform(pca.transform(X)),
        atol=1e-5 * scale,
    )


def test_pca_loss_is_pca_s_loss_on_the_same_rows(digits):
    params = {"early_stopping": False, **STANDING_STILL}
    autoencoder = AutoencoderTransformer(6, **params).fit(digits)
    assert autoencoder.pca_loss_ == pytest.approx(
        squared_error(PCA(6).fit(digits), digits), rel=1e-4
    )
    assert autoencoder.pca_loss_ == pytest.approx(-autoencoder.score(digits), rel=1e-4)


@pytest.mark.parametrize("loss", ["squared_error", "absolute_error", "huber"])
def test_validation_loss_at_the_start_is_pca_s(digits, loss):
    autoencoder = AutoencoderTransformer(6, loss=loss, **STANDING_STILL).fit(digits)
    assert autoencoder.validation_loss_curve_[0] == pytest.approx(
        autoencoder.pca_loss_, rel=1e-4
    )


def test_log_loss_starts_better_than_pca_clipped_to_the_unit_interval(digits):
    X = digits / 16
    autoencoder = AutoencoderTransformer(8, loss="log_loss", **STANDING_STILL).fit(X)
    assert autoencoder.validation_loss_curve_[0] < autoencoder.pca_loss_
    codes = autoencoder.transform(X)
    np.testing.assert_allclose(codes, PCA(8).fit(X).transform(X), atol=1e-4)
    reconstructed = autoencoder.reconstruct(X)
    assert reconstructed.min() >= 0
    assert reconstructed.max() <= 1


@pytest.mark.parametrize("init", ["pca", "random"])
def test_linear_autoencoder_spans_pca_s_subspace(digits, init):
    X = digits[:, 10:30]
    autoencoder = AutoencoderTransformer(
        4,
        hidden_layer_sizes=(),
        init=init,
        max_iter=300,
        early_stopping=False,
        random_state=0,
    ).fit(X)
    decoder = autoencoder.decoder_
    with torch.no_grad():
        zero = decoder(torch.zeros(1, 4, dtype=torch.float64))
        span = (decoder(torch.eye(4, dtype=torch.float64)) - zero).numpy()
    components = PCA(4).fit(X).components_
    orthonormal = np.linalg.qr(span.T)[0]
    cosines = np.linalg.svd(components @ orthonormal, compute_uv=False)
    assert cosines.min() > 0.99


@pytest.mark.parametrize("share", [0.3, 0.5, 0.8, 0.95, 0.99])
def test_share_of_variance_is_pca_s(digits, share):
    autoencoder = AutoencoderTransformer(share, **STANDING_STILL).fit(digits)
    assert autoencoder.n_components_ == PCA(share).fit(digits).n_components_


def test_a_share_that_rounding_cannot_exceed_takes_all_components(digits):
    X = digits[:100, 18:22]
    share = np.nextafter(1, 0)
    assert AutoencoderTransformer(share, **STANDING_STILL).fit(X).n_components_ == 4


def test_one_component_by_one_feature_s_units_is_warned_of():
    X = load_breast_cancer().data
    autoencoder = AutoencoderTransformer(max_iter=2, random_state=0)
    with pytest.warns(UserWarning, match=r"single component.*StandardScaler"):
        autoencoder.fit(X)
    assert autoencoder.n_components_ == 1
    assert autoencoder.fit(StandardScaler().fit_transform(X)).n_components_ > 1


def test_codes_of_pca_are_not_whitened(digits):
    autoencoder = AutoencoderTransformer(6, **STANDING_STILL).fit(digits)
    deviations = autoencoder.transform(digits).std(0)
    assert (np.diff(deviations) < 0).all()


@pytest.mark.parametrize("solver", ["covariance", "gram", "randomized"])
def test_principal_components_by_each_way(solver, monkeypatch):
    shape = (25, 40) if solver == "gram" else (200, 40)
    X = make_low_rank_matrix(*shape, effective_rank=5, random_state=0)
    X = (X - X.mean(0)) / X.std()
    if solver == "randomized":
        monkeypatch.setattr(pca_module, "_LARGEST_EIGH", 10)
    ours = principal_components(torch.from_numpy(X).float(), 5, seed=0)
    theirs = PCA(5, svd_solver="full").fit(X)
    atol = 1e-2 if solver == "randomized" else 1e-4
    np.testing.assert_allclose(ours.components, theirs.components_, atol=atol)


@pytest.mark.parametrize("n_components", [13, 40, 64])
@pytest.mark.parametrize("init", ["pca", "random"])
def test_components_beyond_the_rows_are_zero_where_pca_is_kept(
    digits, n_components, init
):
    """And not random directions, which would dominate the distances of codes."""
    X, new = digits[:12], digits[100:200]
    autoencoder = AutoencoderTransformer(
        n_components, hidden_layer_sizes=(8,), init=init, max_iter=3, random_state=0
    )
    with pytest.warns(UserWarning, match=rf"{n_components} is more than the 12 rows"):
        autoencoder.fit(X)
    assert autoencoder.best_iter_ == 0
    codes = autoencoder.transform(new)
    assert (codes[:, 12:] == 0).all()
    np.testing.assert_allclose(
        pairwise_distances(codes),
        pairwise_distances(autoencoder.reconstruct(new)),
        rtol=1e-3,
        atol=1e-3,
    )


def test_components_beyond_the_rank_are_orthonormal():
    X = torch.zeros(6, 10)
    X[:, 0] = torch.arange(6.0) - 2.5
    components = principal_components(X, 6, seed=0).components
    np.testing.assert_allclose(components @ components.T, np.eye(6), atol=1e-5)


@pytest.mark.parametrize("constraint", ["none", "corruption", "penalty"])
def test_overcomplete_codes_need_a_constraint(digits, constraint):
    X = digits[:100, 10:18]
    chosen = {"corruption": {"corruption": Gaussian()}, "penalty": {"penalty": L1()}}
    autoencoder = AutoencoderTransformer(
        12, max_iter=2, random_state=0, **chosen.get(constraint, {})
    )
    if constraint == "none":
        with pytest.warns(UserWarning, match="more than the 8 features"):
            autoencoder.fit(X)
    else:
        autoencoder.fit(X)
    codes = autoencoder.transform(X)
    assert codes.shape == (100, 12)
    assert (codes[:, 8:].std(0) > 0).all()
    # PCA of full rank loses nothing, and neither does what starts at it.
    np.testing.assert_allclose(autoencoder.pca_loss_, 0, atol=1e-6)


# Of constant rows codes have nothing to tell.
@pytest.mark.filterwarnings("ignore:Posterior collapse")
@pytest.mark.parametrize("cls", transformer_classes())
@pytest.mark.filterwarnings("error")
def test_constant_columns_and_wild_scales(cls):
    rng = np.random.default_rng(0)
    X = rng.normal(size=(80, 5)) * [1e-6, 1, 1e3, 1e6, 0] + [0, 0, 0, 1e8, 7]
    estimator = cls(2, random_state=0, max_iter=5).fit(X)
    assert np.isfinite(estimator.transform(X)).all()
    assert np.isfinite(estimator.reconstruct(X)).all()
    at_pca = cls(2, linear_path=True, **STANDING_STILL).fit(X)
    np.testing.assert_allclose(at_pca.reconstruct(X)[:, 4], 7, rtol=1e-6)
    stamped = np.c_[np.full(80, 1.7e9), X[:, :2]].astype(np.float32)
    scale = cls(1, random_state=0, max_iter=1).fit(stamped)._model.scaling.scale
    assert scale == pytest.approx(X[:, :2].std() * (2 / 3) ** 0.5, rel=0.2)
    constant = cls(1, linear_path=True, random_state=0, max_iter=30)
    constant.fit(np.full((30, 3), 4.2))
    np.testing.assert_allclose(constant.reconstruct([[4.2] * 3]), [[4.2] * 3], atol=0.3)
    assert np.isfinite(constant.transform([[1.0, 2.0, 3.0]])).all()


@pytest.mark.parametrize("ratio", [1e-2, 1e-3, 1e-4])
def test_pca_of_a_steep_spectrum_is_exact(ratio):
    rng = np.random.default_rng(0)
    directions = np.linalg.qr(rng.normal(size=(10, 10)))[0]
    deviations = np.r_[1, ratio, np.full(8, ratio / 50)]
    X = rng.normal(size=(5000, 10)) * deviations @ directions.T
    params = {"early_stopping": False, "hidden_layer_sizes": (8,), **STANDING_STILL}
    autoencoder = AutoencoderTransformer(2, **params).fit(X)
    expected = squared_error(PCA(2).fit(X), X)
    assert autoencoder.pca_loss_ == pytest.approx(expected, rel=1e-3)
