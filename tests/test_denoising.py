"""The denoising autoencoder, and what its corruptions are told of the data's units."""

import numpy as np
import pandas as pd
import pytest
import torch
from sklearn.datasets import load_digits
from sklearn.utils._param_validation import InvalidParameterError
from torch import nn

import skae
import skae.inference
from skae import AutoencoderTransformer, DenoisingAutoencoderTransformer
from skae.corruptions import Gaussian, Masking, NoisyMasking, Swap
from skae.corruptions._noises import NOISES
from skae.networks import MLP, LinearPath

SHORT = {
    "hidden_layer_sizes": (8,),
    "max_iter": 2,
    "early_stopping": False,
    "random_state": 0,
}


@pytest.fixture(scope="module")
def X():
    return load_digits().data[:200, 16:32]


def seen_in_training(X, corruption, **params):
    """Rows as networks read them in training, in the units of the data."""
    seen = []

    def note(rows, generator):
        seen.append(rows.numpy().copy())
        return rows

    AutoencoderTransformer(3, corruption=[corruption, note], **SHORT, **params).fit(X)
    mean = X.mean(axis=0)
    return np.vstack(seen) * np.sqrt(np.square(X - mean).mean()) + mean


@pytest.mark.parametrize("shift", [0.0, 1e6])
@pytest.mark.parametrize("value", [0.0, 16, -3.5])
def test_masked_cells_have_the_value_in_the_units_of_the_data(X, value, shift):
    seen = seen_in_training(X + shift, Masking(1.0, value=value + shift))
    np.testing.assert_allclose(seen, value + shift, rtol=1e-6, atol=1e-4)


def test_masked_cells_have_their_mean(X):
    seen = seen_in_training(X, Masking(1.0))
    np.testing.assert_allclose(seen, np.broadcast_to(X.mean(0), seen.shape))


@pytest.mark.parametrize("shift", [0.0, 1e6])
def test_noise_is_cut_off_in_the_units_of_the_data(X, shift):
    bounds = (2.0 + shift, 9.0 + shift)
    seen = seen_in_training(X + shift, Gaussian(2.0, bounds=bounds)) - shift
    assert seen.min() == pytest.approx(2.0, abs=0.01)
    assert seen.max() == pytest.approx(9.0, abs=0.01)
    assert 0.1 < (seen < 2.01).mean() < 0.9


@pytest.mark.parametrize(
    "bounds", [(1.0,), (2, 1), (1, 1), (0, np.inf), ("0", "1"), (np.nan, 1)]
)
def test_bounds_are_two_numbers(X, bounds):
    corruption = Gaussian(bounds=bounds)
    with pytest.raises(ValueError, match="two finite numbers were expected, the lower"):
        DenoisingAutoencoderTransformer(3, corruption=corruption, **SHORT).fit(X)


def test_bounds_are_for_numbers_and_for_the_rows_alone(X):
    table = pd.DataFrame({"a": ["x", "y"] * 20, "b": np.arange(40.0)})
    corruption = Gaussian(0.5, bounds=(0, 16))
    denoiser = DenoisingAutoencoderTransformer(2, corruption=corruption, **SHORT)
    with pytest.raises(ValueError, match="categories have none: use bounds=None"):
        denoiser.fit(table)
    assert corruption.for_hidden_cells().bounds is None
    params = {**SHORT, "init": "layerwise", "hidden_layer_sizes": (8, 6)}
    AutoencoderTransformer(3, corruption=corruption, **params).fit(X)


@pytest.mark.parametrize("noise", [{"noise": "gaussian"}, {"corruption": Masking()}])
def test_pca_has_to_be_beaten_where_damage_is_named(X, noise):
    fitted = DenoisingAutoencoderTransformer(3, **SHORT, **noise).fit(X)
    both = fitted.set_params(linear_path=True).fit(X).transform(X)
    auto = fitted.set_params(linear_path="auto").fit(X).transform(X)
    np.testing.assert_array_equal(auto, both)


def test_codes_for_features_have_a_linear_map_beside_the_encoder_alone(X):
    fitted = DenoisingAutoencoderTransformer(3, **SHORT).fit(X)
    auto = fitted.transform(X)
    other = fitted.set_params(linear_path="encoder").fit(X).transform(X)
    np.testing.assert_array_equal(auto, other)
    assert not np.array_equal(
        fitted.set_params(linear_path=True).fit(X).transform(X), auto
    )


def test_a_value_for_some_features_alone(X):
    level = np.repeat([0.0, 1.0], 8)
    seen = seen_in_training(X, Masking(level, value=-1.0))
    np.testing.assert_allclose(seen[:, 8:], -1.0, atol=1e-5)
    assert (seen[:, :8] > -0.1).all()


def test_a_value_that_moves_with_the_data_changes_nothing(X):
    plain, moved = (
        DenoisingAutoencoderTransformer(
            3, corruption=Masking(0.5, value=value), **SHORT
        )
        for value in (0.0, 10.0)
    )
    codes = plain.fit_transform(X)
    np.testing.assert_allclose(moved.fit_transform(4 * X + 10), 4 * codes, rtol=1e-3)


def test_a_value_takes_part(X):
    by_mean, by_value = (
        DenoisingAutoencoderTransformer(
            3, corruption=Masking(0.5, value=value), **SHORT
        ).fit_transform(X)
        for value in ("mean", 0.0)
    )
    assert not np.array_equal(by_mean, by_value)


def test_hidden_layers_are_masked_by_their_mean(X):
    assert Masking([0.2, 0.4], value=7.0).for_hidden_cells().value == "mean"
    params = {**SHORT, "hidden_layer_sizes": (8, 6), "init": "layerwise"}
    AutoencoderTransformer(3, corruption=Masking(0.5, value=0), **params).fit(X)


@pytest.mark.parametrize("value", ["median", None, np.nan, np.inf])
def test_a_value_is_a_number_or_the_mean(X, value):
    with pytest.raises(InvalidParameterError, match="'value' parameter of Masking"):
        AutoencoderTransformer(3, corruption=Masking(value=value)).fit(X)


def test_categories_have_no_value(X):
    frame = pd.DataFrame({"number": X[:, 2], "category": X[:, 3].astype(int)})
    frame["category"] = frame["category"].astype("category")
    denoiser = DenoisingAutoencoderTransformer(2, corruption=Masking(value=0), **SHORT)
    with pytest.raises(ValueError, match=r"value=0.* categories have none: use Swap"):
        denoiser.fit(frame)


def test_a_value_is_kept_in_a_file(X, tmp_path):
    corruption = [Gaussian(0.1), Masking(0.5, value=2.0)]
    fitted = AutoencoderTransformer(3, corruption=corruption, **SHORT).fit(X)
    fitted.save(tmp_path / "fitted.skae")
    loaded = skae.load(tmp_path / "fitted.skae")
    assert loaded.corruption[1].value == 2.0
    np.testing.assert_array_equal(loaded.transform(X), fitted.transform(X))


@pytest.mark.parametrize("noise", NOISES)
def test_a_noise_is_a_corruption_by_name(X, noise):
    by_name = DenoisingAutoencoderTransformer(3, noise=noise, **SHORT)
    by_object = DenoisingAutoencoderTransformer(3, corruption=NOISES[noise](), **SHORT)
    np.testing.assert_array_equal(by_name.fit_transform(X), by_object.fit_transform(X))


def test_the_default_is_noisy_masking(X):
    default = DenoisingAutoencoderTransformer(3, **SHORT)
    named = DenoisingAutoencoderTransformer(3, corruption=NoisyMasking(), **SHORT)
    np.testing.assert_array_equal(default.fit_transform(X), named.fit_transform(X))


def test_without_noise_it_is_the_plain_autoencoder(X):
    params = {**SHORT, "learning_rate": 5e-3, "linear_path": True}
    denoiser = DenoisingAutoencoderTransformer(3, noise_level=0, **params)
    plain = AutoencoderTransformer(3, **params)
    np.testing.assert_array_equal(denoiser.fit_transform(X), plain.fit_transform(X))


def test_a_linear_map_beside_the_encoder_alone():
    module = MLP((8,), linear_path="encoder")(6, 3)
    assert isinstance(module.encoder, LinearPath)
    assert not isinstance(module.decoder, LinearPath)
    assert not module.can_be_pca
    X = torch.randn(5, 6)
    with torch.no_grad():
        assert torch.equal(module.encode(X), module.encoder.network(X))
        nn.init.eye_(module.encoder.linear.weight)
        added = module.encode(X) - module.encoder.network(X)
    torch.testing.assert_close(added, X[:, :3])


@pytest.mark.parametrize("tied_weights", [True, False])
def test_what_is_beside_the_encoder_is_in_files_graphs_and_numpy(
    X, tied_weights, tmp_path
):
    network = MLP((8, 5), linear_path="encoder", tied_weights=tied_weights)
    fitted = DenoisingAutoencoderTransformer(
        3, network=network, max_iter=5, early_stopping=False, random_state=0
    ).fit(X)
    fitted.save(tmp_path / "fitted.skae")
    loaded = skae.load(tmp_path / "fitted.skae")
    np.testing.assert_array_equal(loaded.reconstruct(X), fitted.reconstruct(X))
    in_numpy = skae.inference.load(tmp_path / "fitted.skae")
    np.testing.assert_allclose(
        in_numpy.reconstruct(X), fitted.reconstruct(X), rtol=1e-3, atol=1e-3
    )


def test_without_hidden_layers_there_is_nothing_beside_the_encoder():
    module = MLP((), linear_path="encoder")(6, 3)
    assert not isinstance(module.encoder, LinearPath)
    assert module.can_be_pca


def test_whole_columns_of_a_table_are_masked():
    of_column = torch.tensor([0, 1, 1, 1])
    X = torch.ones(200, 4)
    corruption = NoisyMasking(0.5).for_columns(of_column).prepared(torch.zeros(4))
    masked = corruption(X, torch.Generator().manual_seed(0)) == 0
    assert torch.equal(masked[:, 1], masked[:, 2])
    assert torch.equal(masked[:, 1], masked[:, 3])
    assert not torch.equal(masked[:, 0], masked[:, 1])
    level = Swap(np.array([0.0, 1.0])).for_columns(of_column).prepared(torch.zeros(4))
    assert level.level.tolist() == [0.0, 1.0]
