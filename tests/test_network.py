"""The user's own network, with every method and every setting."""

import copy
import functools
import itertools
import pickle

import numpy as np
import pytest
import torch
from sklearn.base import clone
from sklearn.decomposition import PCA
from torch import nn
from torch.nn.utils import prune

import skae
from skae._training.finish import map_codes
from skae._utils.random import PrivateRandomness
from skae.corruptions import Masking
from skae.networks import MLP, Autoencoder, Convolutional, EncoderDecoder, LinearPath
from skae.networks._layers import ACTIVATIONS
from skae.penalties import BernoulliKL, GaussianKL


class Own(nn.Module):
    """A module class as a user would write it, with names of its own."""

    def __init__(self, n_features, n_components, width=12):
        super().__init__()
        self.down = nn.Sequential(
            nn.Linear(n_features, width), nn.BatchNorm1d(width), nn.ReLU()
        )
        self.code = nn.Linear(width, n_components)
        self.up = nn.Sequential(nn.Linear(n_components, width), nn.ReLU())
        self.out = nn.Linear(width, n_features)

    def encode(self, X):
        return self.code(self.down(X))

    def decode(self, code):
        return self.out(self.up(code))


class Tied(nn.Module):
    """Decodes with the encoder's weight."""

    def __init__(self, n_features, n_components):
        super().__init__()
        self.linear = nn.Linear(n_features, n_components)

    def encode(self, X):
        return self.linear(X)

    def decode(self, code):
        return code @ self.linear.weight


class Conv(nn.Module):
    """Rows are flattened images of 8 x 8."""

    def __init__(self, n_features, n_components):
        super().__init__()
        self.conv = nn.Conv2d(1, 4, 3, stride=2, padding=1)
        self.code = nn.Linear(64, n_components)
        self.expand = nn.Linear(n_components, 64)
        self.deconv = nn.ConvTranspose2d(4, 1, 4, stride=2, padding=1)

    def encode(self, X):
        return self.code(self.conv(X.reshape(-1, 1, 8, 8)).relu().flatten(1))

    def decode(self, code):
        maps = self.expand(code).relu().reshape(-1, 4, 4, 4)
        return self.deconv(maps).flatten(1)


class Recurrent(nn.Module):
    """Rows are sequences of 8 steps."""

    def __init__(self, n_features, n_components):
        super().__init__()
        self.inner = nn.GRU(n_features // 8, 13, batch_first=True)
        self.code = nn.Linear(13, n_components)
        self.outer = nn.Linear(n_components, n_features)

    def encode(self, X):
        return self.code(self.inner(X.reshape(len(X), 8, -1))[1][-1])

    def decode(self, code):
        return self.outer(code)


class Attentive(nn.Module):
    """Steps of a sequence that look at each other, with dropout."""

    def __init__(self, n_features, n_components):
        super().__init__()
        self.layer = nn.TransformerEncoderLayer(8, 2, 17, 0.1, batch_first=True)
        self.code = nn.Linear(n_features, n_components)
        self.outer = nn.Linear(n_components, n_features)

    def encode(self, X):
        return self.code(self.layer(X.reshape(len(X), -1, 8)).flatten(1))

    def decode(self, code):
        return self.outer(code)


class Normed(nn.Module):
    """Weights that are functions of the parameters, and a bare parameter."""

    def __init__(self, n_features, n_components):
        super().__init__()
        layer = nn.Linear(n_features, 17)
        self.inner = nn.utils.parametrizations.weight_norm(layer)
        self.code = nn.Parameter(torch.randn(17, n_components) / 4)
        self.rrelu = nn.RReLU()
        self.outer = nn.Linear(n_components, n_features)

    def encode(self, X):
        return self.rrelu(self.inner(X)) @ self.code

    def decode(self, code):
        return self.outer(code)


class Lazy(nn.Module):
    """Finds out its widths by itself."""

    def __init__(self, n_features, n_components):
        super().__init__()
        self.inner, self.outer = nn.LazyLinear(n_components), nn.LazyLinear(n_features)

    def encode(self, X):
        return self.inner(X)

    def decode(self, code):
        return self.outer(code)


def by_function(n_features, n_components):
    return Own(n_features, n_components, width=5)


NETWORKS = {
    "class": Own,
    "function": by_function,
    "partial": functools.partial(Own, width=7),
    "tied": Tied,
    "convolutional": Conv,
    "recurrent": Recurrent,
    "attentive": Attentive,
    "normed": Normed,
    "lazy": Lazy,
    "part": MLP((8, 6), activation="tanh", linear_path=False),
    "tied part": MLP((8, 6), tied_weights=True, dropout=0.1),
    "images": Convolutional((8, 8), (4, 7)),
    "images in colour": Convolutional((2, 8, 4), 5, "tanh", linear_path=False),
}


@pytest.mark.parametrize("name", NETWORKS)
def test_every_method_works(make, digits, name):
    X = digits[:300]
    estimator = make(network=NETWORKS[name], max_iter=4).fit(X)
    code = estimator.transform(X)
    assert code.shape == (300, 4)
    rows = estimator.reconstruct(X)
    np.testing.assert_allclose(estimator.inverse_transform(code), rows, atol=1e-3)
    np.testing.assert_allclose(
        estimator.score_samples(X), -np.square(rows - X).mean(1), rtol=1e-3
    )
    torch_rows = estimator.decoder_(estimator.encoder_(torch.tensor(X)))
    np.testing.assert_allclose(torch_rows.numpy(), rows, atol=1e-3)
    again = pickle.loads(pickle.dumps(estimator))
    np.testing.assert_array_equal(again.transform(X), code)
    estimator.partial_fit(X)
    assert estimator.n_iter_ == 5
    assert clone(estimator).fit(X).n_iter_ == 4


@pytest.mark.parametrize("name", NETWORKS)
def test_rows_do_not_depend_on_their_neighbours(make, digits, name):
    X = digits[:300].astype(np.float32)
    estimator = make(network=NETWORKS[name]).fit(X)
    code = estimator.transform(X)
    order = np.random.default_rng(0).permutation(300)
    np.testing.assert_array_equal(estimator.transform(X[order]), code[order])
    for i in (0, 1, 17, 299):
        np.testing.assert_array_equal(estimator.transform(X[[i]]), code[[i]])


@pytest.mark.parametrize("n_threads", [1, 3, 5])
@pytest.mark.parametrize(
    ("shape", "channels"), [((9, 7), (32, 8)), ((1, 5, 3), 4), ((28, 28), (16, 33))]
)
def test_images_do_not_depend_on_their_neighbours(shape, channels, n_threads):
    """With numbers of threads that don't divide a chunk of rows either."""
    X = np.random.default_rng(0).uniform(size=(70, np.prod(shape))).astype(np.float32)
    estimator = skae.AutoencoderTransformer(
        3,
        network=Convolutional(shape, channels),
        max_iter=1,
        early_stopping=False,
        random_state=0,
    ).fit(X)
    before = torch.get_num_threads()
    torch.set_num_threads(n_threads)
    try:
        for method in ("transform", "reconstruct", "score_samples"):
            function = getattr(estimator, method)
            whole = function(X)
            order = np.random.default_rng(1).permutation(70)
            np.testing.assert_array_equal(function(X[order]), whole[order])
            for i in (0, 1, 17, 69):
                np.testing.assert_array_equal(function(X[[i]]), whole[[i]])
    finally:
        torch.set_num_threads(before)


def test_images_are_squares_unless_told():
    module = Convolutional(channels=3)(49, 2)
    assert module.decode(module.encode(torch.randn(4, 49))).shape == (4, 49)
    with pytest.raises(
        ValueError, match=r"\(7, 7\) is 49 cells, but X has 50 features"
    ):
        Convolutional()(50, 2)


@pytest.mark.parametrize("linear_path", [True, False])
@pytest.mark.parametrize("shape", [(1, 1), (1, 6), (5, 1, 2), (4, 8), (7, 5, 3)])
@pytest.mark.parametrize("channels", [3, (3,), (2, 4, 3)])
def test_convolutions_fit_images_of_any_size(shape, channels, linear_path):
    n_features = int(np.prod(shape))
    network = Convolutional(shape, channels, linear_path=linear_path)
    module = network(n_features, n_components=2)
    rows = torch.randn(4, n_features)
    assert module.encode(rows).shape == (4, 2)
    assert module.decode(module.encode(rows)).shape == rows.shape


def test_convolutions_see_images_channels_last():
    """A cell changes what lies around it, in all channels."""
    images = torch.zeros(2, 9, 9, 2)
    images[1, 0, 0, 1] = 1
    rows = images.flatten(1)
    encoder = Convolutional((9, 9, 2), (3,), linear_path=False)(162, 2).encoder
    with torch.no_grad():
        maps = encoder[:2](rows)  # (n, channel, height, width)
    changed = (maps[0] != maps[1]).any(0).nonzero().tolist()
    assert changed == [[0, 0]]
    torch.testing.assert_close(encoder[0](rows), images.permute(0, 3, 1, 2))


@pytest.mark.parametrize(
    ("network", "message"),
    [
        (Convolutional((8, 9)), r"\(8, 9\) is 72 cells, but X has 64 features"),
        (Convolutional((64,)), r"image_shape=\(64,\), but positive integers"),
        (Convolutional((8, 8, 0)), r"image_shape=\(8, 8, 0\), but positive"),
        (Convolutional((8, 8), ()), r"channels=\(\), but positive integers"),
        (Convolutional((8, 8), (2, 0.5)), "channels=.*but positive integers"),
    ],
)
def test_convolutions_of_other_shapes_are_refused(digits, network, message):
    with pytest.raises(ValueError, match=message):
        skae.AutoencoderTransformer(4, network=network, max_iter=1).fit(digits)


def test_convolutions_start_at_pca(digits):
    estimator = skae.AutoencoderTransformer(
        4,
        network=Convolutional((8, 8), (4,)),
        init="pca",
        learning_rate=1e-12,
        max_iter=1,
        early_stopping=False,
    ).fit(digits)
    assert -estimator.score(digits) == pytest.approx(estimator.pca_loss_, rel=1e-3)
    scores = PCA(4).fit_transform(digits)
    np.testing.assert_allclose(estimator.transform(digits), scores, atol=1e-2)


def test_convolutions_are_left_for_pca_and_beat_it(digits):
    network = Convolutional((8, 8), (8, 16))
    few = skae.AutoencoderTransformer(2, network=network, max_iter=1, random_state=0)
    assert few.fit(digits[:20]).best_iter_ == 0
    many = skae.AutoencoderTransformer(8, network=network, random_state=0).fit(digits)
    assert min(many.validation_loss_curve_) < 0.8 * many.pca_loss_


class Hooked(Own):
    """Its layers do more than their classes say."""

    def __init__(self, n_features, n_components):
        super().__init__(n_features, n_components)
        self.code.register_forward_hook(lambda module, X, code: torch.tanh(code) * 5)


def test_what_hooks_do_is_not_lost(make, digits):
    estimator = make(network=Hooked).fit(digits)
    code = estimator.transform(digits) / estimator._model.scaling.scale
    assert np.abs(code).max() <= 5
    torch_code = (
        estimator.encoder_(torch.tensor(digits)) / estimator._model.scaling.scale
    )
    np.testing.assert_allclose(code, torch_code.numpy(), atol=1e-5)


def test_public_parts_make_networks(make, digits):
    def network(n_features, n_components):
        down, up = nn.Linear(n_features, n_components), nn.Linear(n_components, 64)
        return EncoderDecoder(nn.Sequential(down), nn.Sequential(up, nn.Tanh()))

    def biasless(n_features, n_components):
        down = nn.Linear(n_features, n_components, bias=False)
        return EncoderDecoder(down, nn.Linear(n_components, n_features))

    for function in (network, biasless):
        assert make(network=function).fit(digits).transform(digits).shape[1] == 4


def test_a_network_learns(digits):
    autoencoder = skae.AutoencoderTransformer(
        16, network=functools.partial(Own, width=64), random_state=0
    ).fit(digits)
    assert -autoencoder.score(digits) < 0.5 * digits.var(0).mean()


def test_it_works_with_log_loss_and_a_corruption(digits):
    autoencoder = skae.AutoencoderTransformer(
        8,
        network=Conv,
        loss="log_loss",
        corruption=Masking(0.2),
        max_iter=5,
        random_state=0,
    ).fit(digits / 16)
    rows = autoencoder.reconstruct(digits / 16)
    assert 0 <= rows.min() < rows.max() <= 1


def test_settings_of_a_part_are_grid_keys():
    estimator = skae.AutoencoderTransformer(network=MLP())
    estimator.set_params(network__hidden_layer_sizes=(9,))
    assert estimator.network.hidden_layer_sizes == (9,)


@pytest.mark.parametrize("activation", ACTIVATIONS)
@pytest.mark.parametrize("init", ["pca", "random"])
def test_every_activation(make, digits, activation, init):
    estimator = make(activation=activation, init=init, linear_path=True).fit(digits)
    assert np.isfinite(estimator.reconstruct(digits)).all()
    names = [type(module).__name__ for module in estimator.encoder_.modules()]
    assert ACTIVATIONS[activation].__name__ in names


@pytest.mark.parametrize("widths", [(), 7, (7,), [7, 5], np.array([7, 5, 3])])
def test_the_decoder_mirrors_the_encoder(make, digits, widths):
    estimator = make(hidden_layer_sizes=widths).fit(digits)
    expected = [64, *np.atleast_1d(np.array(widths, dtype=int)).tolist(), 4]

    def shapes(half):
        layers = [module for module in half.modules() if type(module) is nn.Linear]
        linear = {(64, 4), (4, 64)} if len(expected) > 2 else set()
        shapes = [(layer.in_features, layer.out_features) for layer in layers]
        return [shape for shape in shapes if shape not in linear]

    pairs = list(itertools.pairwise(expected))
    assert shapes(estimator.encoder_) == pairs
    mirrored = [pair[::-1] for pair in pairs[::-1]]
    assert shapes(estimator.decoder_) == mirrored


def test_without_linear_path_there_are_no_linear_maps(make, digits):
    estimator = make(linear_path=False).fit(digits)
    names = [type(module).__name__ for module in estimator.encoder_.modules()]
    assert "LinearPath" not in names
    assert estimator.best_iter_ > 0


def test_init_pca_needs_linear_maps(make, digits):
    with pytest.raises(ValueError, match="linear_path=True or init='random'"):
        make(init="pca", linear_path=False).fit(digits)


@pytest.mark.parametrize("network", [None, Convolutional((8, 8), (4,))])
@pytest.mark.parametrize(
    "cls", [skae.AutoencoderTransformer, skae.DenoisingAutoencoderTransformer]
)
def test_distances_of_codes_are_those_of_reconstructions(cls, digits, network):
    """In least squares: regressing reconstructions on codes is an isometry."""
    estimator = cls(4, hidden_layer_sizes=(16,), max_iter=10, early_stopping=False)
    estimator.set_params(network=network, random_state=0).fit(digits)
    code, rows = estimator.transform(digits), estimator.reconstruct(digits)
    code, rows = code - code.mean(0), rows - rows.mean(0)
    slopes = np.linalg.lstsq(code, rows, rcond=None)[0]  # (k, d)
    np.testing.assert_allclose(slopes @ slopes.T, np.eye(4), atol=0.1)


@pytest.mark.parametrize("linear_path", [True, False])
@pytest.mark.parametrize("network", [MLP(()), MLP((9, 7)), Convolutional((2, 3), 4)])
def test_mapping_codes_leaves_the_reconstruction(network, linear_path):
    module = clone(network).set_params(linear_path=linear_path)(6, 3)
    rows, matrix = torch.randn(20, 6), torch.eye(3) + 0.3 * torch.ones(3, 3)
    with torch.no_grad():
        code = module.encode(rows)
        output = module.decode(code)
        map_codes(module, matrix)
        torch.testing.assert_close(module.encode(rows), code @ matrix.T)
        torch.testing.assert_close(module.decode(module.encode(rows)), output)


@pytest.mark.parametrize("linear_path", [True, False])
@pytest.mark.parametrize("widths", [(), (9,), (16, 7)])
def test_tied_weights_stay_tied(digits, widths, linear_path):
    network = MLP(widths, linear_path=linear_path, tied_weights=True)
    estimator = skae.AutoencoderTransformer(
        4, network=network, early_stopping=False, max_iter=3, random_state=0
    ).fit(digits)
    for fitted in (estimator, pickle.loads(pickle.dumps(estimator))):
        module = fitted.net_.module_
        down, up = (
            [
                layer
                for layer in getattr(half, "network", half)
                if len(layer._parameters)
            ]
            for half in (module.encoder, module.decoder)
        )
        assert len(down) == len(widths) + 1
        for layer, tied in zip(down, up[::-1], strict=True):
            assert torch.equal(layer.weight.T, tied.weight)
    code = estimator.transform(digits[:5])
    torch_code = estimator.encoder_(torch.tensor(digits[:5]))
    np.testing.assert_allclose(code, torch_code.numpy(), rtol=1e-4, atol=1e-4)
    # The decoder alone can be moved.
    rows = copy.deepcopy(estimator.decoder_).to("meta")(torch_code.to("meta"))
    assert rows.shape == (5, 64)


def test_tied_weights_are_counted_once():
    def count(module):
        return sum(parameter.numel() for parameter in module.parameters())

    shared = 6 * 9 + 9 * 2
    network = MLP((9,), linear_path=False)
    free, tied = network(6, 2), MLP((9,), "gelu", False, tied_weights=True)(6, 2)
    assert count(tied) == count(free) - shared
    state = tied.state_dict()
    assert sum(value.numel() for value in state.values()) == count(tied)
    again = copy.deepcopy(tied)
    with torch.no_grad():
        again.encoder[0].weight.fill_(7)
    assert (again.decoder[-1].weight == 7).all()
    assert not (tied.decoder[-1].weight == 7).any()


def test_tied_weights_are_left_for_pca_and_beat_it(digits):
    network = MLP((32,), tied_weights=True)
    few = skae.AutoencoderTransformer(2, network=network, max_iter=1, random_state=0)
    few.fit(digits[:20])
    assert few.best_iter_ == 0
    scores = PCA(2).fit_transform(digits[:20])
    np.testing.assert_allclose(few.transform(digits[:20]), scores, atol=1e-2)
    many = skae.AutoencoderTransformer(8, network=network, random_state=0).fit(digits)
    assert min(many.validation_loss_curve_) < 0.9 * many.pca_loss_


@pytest.mark.parametrize("linear_path", [True, False])
def test_tied_weights_cannot_start_at_pca(make, digits, linear_path):
    network = MLP((8,), linear_path=linear_path, tied_weights=True)
    with pytest.raises(ValueError, match="init='random' or tied_weights=False"):
        make(network=network, init="pca").fit(digits)


def test_dropout_zeroes_hidden_cells_in_training_only():
    module = MLP((400,), "relu", False, dropout=0.25)(6, 2)
    rows = torch.ones(50, 6)
    hidden = module.encoder[:-1]
    assert torch.equal(hidden.eval()(rows), module.encoder[:2](rows))
    active = module.encoder[:2](rows) > 0
    dropped = (hidden.train()(rows) == 0)[active].float().mean()
    assert 0.2 < dropped < 0.3
    layers = [type(layer) for layer in module.decoder]
    assert layers == [nn.Linear, nn.ReLU, nn.Dropout, nn.Linear]


def test_dropout_is_reproducible_and_private(make, digits):
    before = torch.get_rng_state()
    first, second, other = (
        make(network=MLP((16,), dropout=0.5), early_stopping=False, random_state=seed)
        .fit(digits)
        .transform(digits)
        for seed in (0, 0, 1)
    )
    np.testing.assert_array_equal(first, second)
    assert not np.allclose(first, other)
    assert torch.equal(before, torch.get_rng_state())


def test_without_ties_and_dropout_layers_are_plain_ones():
    def by_hand():
        down = nn.Sequential(nn.Linear(6, 9), nn.GELU(), nn.Linear(9, 2))
        up = nn.Sequential(nn.Linear(2, 9), nn.GELU(), nn.Linear(9, 6))
        return EncoderDecoder(LinearPath(down), LinearPath(up))

    network = functools.partial(MLP((9,), tied_weights=False, dropout=0.0), 6, 2)
    states = []
    for function in (by_hand, network):
        with PrivateRandomness(torch.Generator().manual_seed(0)):
            states.append(function().state_dict())
    assert list(states[0]) == list(states[1])
    assert all(
        torch.equal(*pair)
        for pair in zip(*(state.values() for state in states), strict=True)
    )


def test_dropout_changes_the_training(make, digits):
    plain, dropped = (
        make(network=MLP((16,), dropout=dropout), early_stopping=False).fit(digits)
        for dropout in (0.0, 0.5)
    )
    assert plain.loss_curve_[-1] < dropped.loss_curve_[-1]
    names = [type(layer) for layer in plain.net_.module_.modules()]
    assert nn.Dropout not in names


@pytest.mark.parametrize("linear_path", [True, False])
def test_halves_of_tied_weights_are_made_without_drawing(digits, linear_path):
    network = MLP((8,), tied_weights=True, linear_path=linear_path)
    estimator = skae.AutoencoderTransformer(3, network=network, max_iter=1).fit(digits)
    before = torch.get_rng_state()
    _ = estimator.encoder_, estimator.decoder_, estimator.net_
    assert torch.equal(before, torch.get_rng_state())


# What a network declares


def test_modules_of_the_user_s_are_reached_through_the_net(digits):
    module = skae.AutoencoderTransformer(3, network=Own, max_iter=1).fit(digits)
    assert type(module.net_.module_.module) is Own


class Declared(Autoencoder):
    """Codes between 0 and 1, and declared to be so."""

    code_bounds, has_own_units = (0.0, 1.0), True

    def __init__(self, n_features, n_components):
        super().__init__()
        self.down = nn.Linear(n_features, n_components)
        self.up = nn.Linear(n_components, n_features)

    def encode(self, X):
        return torch.sigmoid(self.down(X))

    def decode(self, code):
        return self.up(code)


class DeclaredGaussian(Autoencoder):
    """Codes that are distributions of one and the same width."""

    is_gaussian = has_own_units = True
    log_variances = 0.0

    def __init__(self, n_features, n_components):
        super().__init__()
        self.down = nn.Linear(n_features, n_components)
        self.up = nn.Linear(n_components, n_features)

    def encode(self, X):
        return self.down(X)

    def decode(self, code):
        return self.up(code)

    def log_variance(self, mean):
        return torch.full_like(mean, self.log_variances)


class Certain(DeclaredGaussian):
    log_variances = -40.0


@pytest.mark.parametrize("network", [Declared, DeclaredGaussian])
def test_codes_with_units_of_their_own_do_not_follow_the_data(digits, network):
    params = {"network": network, "max_iter": 3, "random_state": 0}
    codes = [
        skae.AutoencoderTransformer(4, **params).fit_transform(factor * digits)
        for factor in (1, 8)
    ]
    np.testing.assert_array_equal(*codes)


def test_a_network_that_declares_its_bounds_may_be_penalised_by_them(digits):
    params = {"max_iter": 10, "random_state": 0}
    penalised = {**params, "penalty": BernoulliKL(alpha=10.0, rho=0.05)}
    free, few = (
        skae.AutoencoderTransformer(4, network=Declared, **given).fit_transform(digits)
        for given in (params, penalised)
    )
    assert ((few > 0) & (few < 1)).all()
    assert few.mean() < 0.7 * free.mean()
    with pytest.raises(ValueError, match="needs codes between 0 and 1"):
        skae.AutoencoderTransformer(4, network=Own, **penalised).fit(digits)


def test_a_network_that_declares_distributions_is_trained_on_draws(digits):
    params = {"max_iter": 5, "random_state": 0}
    noisy, certain = (
        skae.AutoencoderTransformer(4, network=network, **params).fit(digits)
        for network in (DeclaredGaussian, Certain)
    )
    assert noisy.loss_curve_[-1] > 1.03 * certain.loss_curve_[-1]
    penalty = GaussianKL()
    shrunk = skae.AutoencoderTransformer(
        4, network=DeclaredGaussian, penalty=penalty, **params
    ).fit(digits)
    assert np.isfinite(shrunk.score_samples(digits)).all()
    for network in (Own, Declared):
        with pytest.raises(ValueError, match="Gaussian distributions, but"):
            skae.AutoencoderTransformer(4, network=network, penalty=penalty).fit(digits)


class Squashed(EncoderDecoder):
    """Made of parts of ours, but its layers are not what they seem."""

    def __init__(self, n_features, n_components):
        encoder = nn.Linear(n_features, n_components)
        super().__init__(encoder, nn.Linear(n_components, n_features))

    def encode(self, X):
        return torch.tanh(self.encoder(X))


class Extended(MLP):
    """A subclass of ours with a layer more."""

    def _layers(self, widths):
        first, activation, *others = super()._layers(widths)
        return nn.Sequential(first, activation, nn.LayerNorm(widths[1]), *others)


@pytest.mark.parametrize("network", [Squashed, Extended((8,), linear_path=False)])
def test_own_networks_stay_what_they_were_trained_to_be(digits, network):
    estimator = skae.AutoencoderTransformer(
        4, network=network, max_iter=3, early_stopping=False, random_state=0
    ).fit(digits)
    module = estimator.net_.module_
    rows = (digits - digits.mean(0)) / estimator._model.scaling.scale
    with torch.no_grad():
        code = module.encode(torch.from_numpy(rows).float()).double().numpy()
    code *= estimator._model.scaling.scale
    np.testing.assert_allclose(estimator.transform(digits), code, atol=1e-4)
    loss = -estimator.score(digits)
    assert loss <= 1.2 * estimator.loss_curve_[-1]


def test_init_random_leaves_the_weights_of_own_networks(digits):
    def network(n_features, n_components):
        halves = (n_features, n_components), (n_components, n_features)
        module = EncoderDecoder(*(nn.Linear(*widths) for widths in halves))
        for parameter in module.parameters():
            nn.init.constant_(parameter, 0.125)
        return module

    estimator = skae.AutoencoderTransformer(
        2, network=network, learning_rate=1e-12, max_iter=1, early_stopping=False
    ).fit(digits)
    for value in estimator._model.weights.values():
        np.testing.assert_allclose(value, 0.125)


def test_a_linear_start_is_drawn_in_one_order(digits):
    """Not in that of a set, which depends on where the halves lie in memory."""
    codes = []
    for i in range(8):
        kept = [bytearray(1000 * i)]  # noqa: F841
        estimator = skae.AutoencoderTransformer(
            2, hidden_layer_sizes=(), max_iter=1, early_stopping=False, random_state=0
        )
        codes.append(estimator.fit(digits[:50]).transform(digits[:1]))
    assert all((code == codes[0]).all() for code in codes)


def test_codes_of_fewer_directions_than_components_keep_their_scale():
    """Regressing on the rounding errors of the others would blow those up."""
    rng = np.random.default_rng(0)
    X = rng.normal(size=(300, 2)) @ rng.normal(size=(2, 6))
    estimator = skae.AutoencoderTransformer(
        4, linear_path=False, max_iter=20, early_stopping=False, random_state=0
    ).fit(X)
    assert estimator.transform(X).std(0).max() < 10 * X.std()


@pytest.mark.parametrize(
    "computed",
    [
        nn.utils.parametrizations.weight_norm,
        nn.utils.parametrizations.spectral_norm,
        lambda layer: prune.l1_unstructured(layer, "weight", 0.2),
    ],
    ids=["weight_norm", "spectral_norm", "pruned"],
)
def test_a_linear_path_needs_a_last_layer_that_can_be_silenced(computed):
    layers = nn.Linear(4, 9), nn.SiLU(), computed(nn.Linear(9, 2))
    with pytest.raises(TypeError, match="computes it from other parameters"):
        LinearPath(nn.Sequential(*layers))


SHARED = nn.Sequential(nn.Linear(4, 4), nn.Tanh())
NORM = nn.BatchNorm1d(64, affine=False)


class Normalised(Own):
    """All of its modules share the statistics of one layer."""

    def __init__(self, n_features, n_components):
        super().__init__(n_features, n_components)
        self.norm = NORM

    def encode(self, X):
        return super().encode(self.norm(X))


class Cached(MLP):
    """Makes one module for all calls."""

    def __call__(self, n_features, n_components):
        if not hasattr(Cached, "module"):
            Cached.module = super().__call__(n_features, n_components)
        return Cached.module


@pytest.mark.parametrize(
    "params",
    [{"code_map": lambda n: SHARED}, {"network": Normalised}, {"network": Cached()}],
    ids=["code map", "buffers", "subclass"],
)
def test_layers_that_fits_would_share_are_refused(digits, params):
    estimator = skae.AutoencoderTransformer(4, max_iter=1, **params)
    with pytest.raises(ValueError, match="make new layers in each call"):
        estimator.fit(digits)
    assert all(parameter.requires_grad for parameter in SHARED.parameters())


class Undeclared(skae.networks.Autoencoder):
    """Declares that it draws nothing, and does."""

    draws = False

    def __init__(self, n_features, n_components):
        super().__init__()
        self.down = nn.Linear(n_features, n_components)
        self.up = nn.Linear(n_components, n_features)

    def encode(self, X):
        return nn.functional.dropout(self.down(X), 0.1, self.training)

    def decode(self, code):
        return self.up(code)


class NoVariance(Undeclared):
    is_gaussian = draws = True


def test_what_a_network_declares_is_tried(digits):
    with pytest.raises(ValueError, match="declares draws = False, but draws"):
        skae.AutoencoderTransformer(4, network=Undeclared).fit(digits)
    with pytest.raises(TypeError, match="NoVariance has no method log_variance"):
        skae.AutoencoderTransformer(4, network=NoVariance).fit(digits)
