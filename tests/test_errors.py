"""Bad input: an error in plain words, and the earlier fit is kept."""

import numpy as np
import pandas as pd
import pytest
import scipy.sparse
import torch
from conftest import transformer_classes
from sklearn.preprocessing import MinMaxScaler

from skae import AutoencoderTransformer, DenoisingAutoencoderTransformer
from skae._training.settings import DivergenceError
from skae.corruptions import Masking
from skae.losses import Huber
from skae.networks import MLP, LinearPath
from skae.penalties import L1


def with_cell(X, value):
    X = np.array(X)
    X[3, 2] = value
    return X


# What is given to fit, made from good rows of shape (60, 6), and what the error says.
BAD_ROWS = {
    "nan": (lambda X: with_cell(X, np.nan), "contains NaN"),
    "inf": (lambda X: with_cell(X, np.inf), "contains infinity"),
    "1e30": (lambda X: with_cell(X, 1e30), r"values up to 1e\+30 in magnitude.*divide"),
    "no rows": (lambda X: X[:0], "0 sample"),
    "one row": (lambda X: X[:1], "1 sample.*minimum of 2"),
    "no columns": (lambda X: X[:, :0], "0 feature"),
    "one dimension": (lambda X: X[0], "Expected 2D array"),
    "three dimensions": (lambda X: X[None], "dim 3"),
    "sparse": (scipy.sparse.csr_array, "Sparse data was passed.*toarray"),
    "complex": (lambda X: X + 1j, "Complex data not supported"),
    "strings": (lambda X: X.astype(str) + "a", "takes numbers only: encode"),
    "text column": (
        lambda X: pd.DataFrame([[*row[:5], "Oslo"] for row in X]),
        "takes numbers only: encode columns of text",
    ),
}
BAD_LATER = {name: BAD_ROWS[name] for name in BAD_ROWS if name != "one row"} | {
    "too narrow": (lambda X: X[:, :-1], "X has 5 features, but .* is expecting 6"),
}


def kept(estimator):
    """A function that asserts that nothing about a fitted estimator has changed."""
    before = vars(estimator).copy()

    def check(X, code):
        assert vars(estimator) == before
        np.testing.assert_array_equal(estimator.transform(X), code)

    return check


@pytest.mark.parametrize("name", BAD_ROWS)
def test_fit_refuses_and_stays_unfitted(make, tables, name):
    spoil, message = BAD_ROWS[name]
    estimator = make()
    before = vars(estimator).copy()
    with pytest.raises(ValueError if name != "sparse" else TypeError, match=message):
        estimator.fit(spoil(tables))
    assert vars(estimator) == before


@pytest.mark.parametrize("warm_start", [False, True])
@pytest.mark.parametrize("name", BAD_ROWS)
def test_fit_refuses_and_keeps_the_earlier_fit(make, tables, name, warm_start):
    spoil, message = BAD_ROWS[name]
    estimator = make(warm_start=warm_start).fit(tables)
    check = kept(estimator)
    code = estimator.transform(tables)
    if warm_start and name == "one row":
        estimator.fit(spoil(tables))  # a continued fit needs no statistics
        return
    with pytest.raises((ValueError, TypeError), match=message):
        estimator.fit(spoil(tables))
    check(tables, code)


@pytest.mark.parametrize("name", BAD_LATER)
@pytest.mark.parametrize(
    "method", ["partial_fit", "transform", "reconstruct", "score_samples", "score"]
)
def test_later_methods_refuse_too(make, tables, name, method):
    spoil, message = BAD_LATER[name]
    estimator = make().fit(tables)
    check = kept(estimator)
    code = estimator.transform(tables)
    with pytest.raises((ValueError, TypeError), match=message):
        getattr(estimator, method)(spoil(tables))
    check(tables, code)


def test_wrong_column_names(make, tables):
    frame = pd.DataFrame(tables, columns=list("abcdef"))
    estimator = make().fit(frame)
    check = kept(estimator)
    code = estimator.transform(frame)
    for wrong in (frame[list("bacdef")], frame.rename(columns={"a": "z"})):
        with pytest.raises(ValueError, match="feature names should match"):
            estimator.transform(wrong)
        with pytest.raises(ValueError, match="feature names should match"):
            estimator.partial_fit(wrong)
    check(frame, code)


@pytest.mark.parametrize("early_stopping", [True, False])
def test_a_last_step_that_diverges_raises(make, tables, early_stopping):
    """Its own loss, taken before the step, is still finite."""
    params = {"max_iter": 1, "batch_size": 100, "early_stopping": early_stopping}
    estimator = make(init="random", learning_rate=1e38, **params)
    with pytest.raises(DivergenceError, match=r"learning_rate=1e\+38"):
        estimator.fit(tables)


def test_codes_of_another_width(make, tables):
    estimator = make().fit(tables)
    with pytest.raises(ValueError, match=r"X has 3 columns, but .* 4 components"):
        estimator.inverse_transform(np.zeros((2, 3)))
    with pytest.raises(ValueError, match="NaN"):
        estimator.inverse_transform(np.full((2, 4), np.nan))
    with pytest.raises(ValueError, match="magnitude"):
        estimator.inverse_transform(np.full((2, 4), 1e300))


@pytest.mark.parametrize("method", ["fit", "partial_fit", "score_samples", "score"])
@pytest.mark.parametrize(
    ("factor", "message"),
    [
        (255, r"values up to 255.0, but loss='log_loss' needs X in \[0, 1\]: divide"),
        (-1, r"values down to -1.0, but loss='log_loss' needs X in \[0, 1\]"),
    ],
)
def test_out_of_range_for_log_loss(make, factor, message, method):
    X = np.linspace(0, 1, 60).reshape(20, 3)
    estimator = make(n_components=2, loss="log_loss").fit(X)
    check = kept(estimator)
    code = estimator.transform(X)
    with pytest.raises(ValueError, match=message):
        getattr(estimator, method)(factor * X)
    check(X, code)


@pytest.mark.parametrize("early_stopping", [True, False])
@pytest.mark.parametrize("learning_rate", [1e3, 1e30])
def test_a_diverging_fit_raises(make, tables, learning_rate, early_stopping):
    estimator = make().fit(tables)
    check = kept(estimator)
    code = estimator.transform(tables)
    params = {"max_iter": 30, "early_stopping": early_stopping}
    before = estimator.get_params()
    estimator.set_params(learning_rate=learning_rate, **params)
    with pytest.raises(DivergenceError, match=r"learning_rate=.*Use a smaller one"):
        estimator.fit(tables)
    with pytest.raises(DivergenceError, match="learning_rate"):
        for _ in range(30):
            estimator.partial_fit(tables)
    if estimator.n_iter_ == before["max_iter"]:
        check = kept(estimator.set_params(**before))
        check(tables, code)


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"penalty": L1}, r"L1 was given as a class.*such as L1\(\)"),
        ({"corruption": Masking}, r"Masking was given as a class"),
        ({"network": MLP}, r"MLP was given as a class"),
        ({"corruption": lambda X, generator: X[:, 1:]}, r"shape \(60, 5\) for rows of "
         r"shape \(60, 6\)"),
        ({"penalty": lambda *parts: None}, "returned a NoneType, but a tensor"),
        ({"penalty": lambda network, X, code, output: code.mean(1)},
         r"tensor of shape \(2,\), but a tensor of shape \(\)"),
    ],
)  # fmt: skip
def test_parts_that_are_not_what_they_should_be(tables, params, message):
    estimator = AutoencoderTransformer(2, max_iter=1, random_state=0).fit(tables)
    check = kept(estimator.set_params(**params))
    code = estimator.transform(tables)
    with pytest.raises((TypeError, ValueError), match=message):
        estimator.fit(tables)
    check(tables, code)


def test_warm_start_with_a_loss_whose_output_means_something_else(tables):
    X = np.linspace(0, 1, 60).reshape(20, 3)
    estimator = AutoencoderTransformer(2, max_iter=1, warm_start=True).fit(X)
    with pytest.raises(ValueError, match="loss='log_loss' cannot go on from"):
        estimator.set_params(loss="log_loss").fit(X)


def test_scaling_to_the_bounds_of_log_loss_may_round(tables):
    X = MinMaxScaler().fit_transform(tables) * (1 + 1e-15)
    assert X.max() > 1
    estimator = AutoencoderTransformer(2, loss="log_loss", max_iter=1, random_state=0)
    assert np.isfinite(estimator.fit(X).score(X))


def test_unfitted(make, tables):
    estimator = make()
    for method in ("transform", "inverse_transform", "reconstruct", "score_samples"):
        with pytest.raises(ValueError, match="not fitted yet"):
            getattr(estimator, method)(tables)
    for attribute in ("encoder_", "decoder_", "net_"):
        with pytest.raises(AttributeError, match="not fitted yet"):
            getattr(estimator, attribute)


@pytest.mark.parametrize("device", ["gpu", "cuda:99"])
def test_a_device_that_is_not_there(make, tables, device):
    with pytest.raises(ValueError, match=f"device='{device}' cannot be used here"):
        make(device=device).fit(tables)


def test_a_model_from_a_device_that_is_not_here_runs_on_the_cpu(make, tables):
    estimator = make().fit(tables)
    code = estimator.transform(tables)
    estimator.set_params(device="cuda:99")
    np.testing.assert_array_equal(estimator.transform(tables), code)


def test_a_linear_path_needs_linear_ends():
    with pytest.raises(TypeError, match=r"has Tanh\(\) at an end"):
        LinearPath(torch.nn.Sequential(torch.nn.Linear(3, 2), torch.nn.Tanh()))


# The user's own network


class Module(torch.nn.Module):
    """Base of wrong networks: a right one."""

    def __init__(self, n_features, n_components):
        super().__init__()
        self.inner = torch.nn.Linear(n_features, n_components)
        self.outer = torch.nn.Linear(n_components, n_features)

    def encode(self, X):
        return self.inner(X)

    def decode(self, code):
        return self.outer(code)


class WideCode(Module):
    def encode(self, X):
        return torch.cat([self.inner(X), X], 1)


class NarrowOutput(Module):
    def decode(self, code):
        return self.outer(code)[:, 1:]


class FlatOutput(Module):
    def decode(self, code):
        return self.outer(code).flatten()


class Swapped(Module):
    def __init__(self, n_features, n_components):
        super().__init__(n_components, n_features)


class Tuple(Module):
    def encode(self, X):
        return self.inner(X), X


class Doubled(Module):
    def encode(self, X):
        return self.inner(X).double()


class NoDecoder(torch.nn.Module):
    def __init__(self, n_features, n_components):
        super().__init__()
        self.encode = torch.nn.Linear(n_features, n_components)


class NoArguments(torch.nn.Module):
    def __init__(self):
        super().__init__()


class AlwaysNoisy(Module):
    def encode(self, X):
        return self.inner(X) + torch.randn(1)


class Untrainable(torch.nn.Module):
    def __init__(self, n_features, n_components):
        super().__init__()
        self.shape = n_features, n_components

    def encode(self, X):
        return X[:, : self.shape[1]]

    def decode(self, code):
        return code.repeat(1, self.shape[0])[:, : self.shape[0]]


def no_module(n_features, n_components):
    return [n_features, n_components]


@pytest.mark.parametrize(
    ("network", "error", "message"),
    [
        (WideCode, ValueError, r"WideCode.encode returned shape \(2, 10\) for an input "
         r"of shape \(2, 6\), but shape \(2, 4\) was expected"),
        (NarrowOutput, ValueError, r"NarrowOutput.decode returned shape \(2, 5\) for "
         r"an input of shape \(2, 4\), but shape \(2, 6\) was expected"),
        (FlatOutput, ValueError, r"decode returned shape \(12,\)"),
        (Swapped, ValueError, r"Swapped.encode failed for an input of shape \(2, 6\), "
         r"from which shape \(2, 4\) was expected"),
        (Tuple, TypeError, "encode returned a tuple, but a tensor was expected"),
        (Doubled, ValueError, "returned torch.float64, but torch.float32"),
        (NoDecoder, TypeError, "NoDecoder has no method 'decode'"),
        (NoArguments, TypeError, "called with n_features=6 and n_components=4, and "
         "failed: .*3 were given"),
        (AlwaysNoisy, ValueError, "AlwaysNoisy draws random numbers in evaluation"),
        (Untrainable, ValueError, "Untrainable has no parameters to train"),
        (no_module, TypeError, r"returned \[6, 4\], but a torch.nn.Module"),
        (Module(6, 4), TypeError, "an instance of Module: pass the class"),
    ],
    ids=lambda value: getattr(value, "__name__", None),
)  # fmt: skip
def test_a_network_whose_shapes_are_wrong(make, tables, network, error, message):
    estimator = make().fit(tables)
    check = kept(estimator.set_params(network=network))
    code = estimator.transform(tables)
    with pytest.raises(error, match=message):
        estimator.fit(tables)
    check(tables, code)


@pytest.mark.parametrize("cls", transformer_classes())
@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"n_components": 0}, "'n_components' parameter"),
        ({"n_components": 1.5}, "'n_components' parameter"),
        ({"hidden_layer_sizes": (10, 0)}, r"hidden_layer_sizes=\(10, 0\).*positive"),
        ({"hidden_layer_sizes": (2.5,)}, r"hidden_layer_sizes=\(2.5,\).*integers"),
        ({"hidden_layer_sizes": [[3], [4]]}, "hidden_layer_sizes=.*integers"),
        ({"loss": "mse"}, "'loss' parameter"),
        ({"callbacks": [3]}, "callbacks holds 3, but skorch callbacks"),
        ({"loss": Huber(delta=-1)}, "'delta' parameter of Huber"),
    ],
    ids=str,
)
def test_bad_parameters(cls, tables, params, message):
    with pytest.raises((ValueError, TypeError), match=message):
        cls(**params).fit(tables)


@pytest.mark.parametrize(
    ("level", "message"),
    [
        (1.5, "'level' parameter of Masking"),
        ([0.1, 0.2], r"level has shape \(2,\), but X has 6 features"),
        ([0.5] * 5 + [1.5], "level has values from 0.5 to 1.5, but.*from 0 to 1"),
    ],
)
def test_bad_levels(tables, level, message):
    with pytest.raises(ValueError, match=message):
        AutoencoderTransformer(2, corruption=Masking(level)).fit(tables)


def test_errors_name_parameters_as_the_user_wrote_them(tables):
    with pytest.raises(ValueError, match="'noise' parameter of Denoising"):
        DenoisingAutoencoderTransformer(noise="pink").fit(tables)
    with pytest.raises(ValueError, match=r"noise_level=1.5.*share of the cells"):
        DenoisingAutoencoderTransformer(noise="masking", noise_level=1.5).fit(tables)
    with pytest.raises(ValueError, match="'penalty' parameter of Autoencoder"):
        AutoencoderTransformer(penalty=0.1).fit(tables)
