"""Bad input: an error in plain words, and the earlier fit is kept."""

import numpy as np
import pandas as pd
import polars as pl
import pytest
import torch
from conftest import transformer_classes
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.preprocessing import MinMaxScaler

from skae import (
    AutoencoderTransformer,
    DenoisingAutoencoderTransformer,
    VariationalAutoencoderTransformer,
)
from skae.code_maps import CodeMap, TopK
from skae.corruptions import Masking
from skae.exceptions import DivergenceError
from skae.losses import Huber, Loss
from skae.networks import MLP, LinearPath
from skae.penalties import L1


def with_cell(X, value):
    X = np.array(X)
    X[3, 2] = value
    return X


def dates(X):
    """One hour for each row."""
    return pd.date_range("2021-03-04", periods=len(X), freq="h")


# What is given to fit, made from good rows of shape (60, 6), and what the error says.
BAD_ROWS = {
    "all missing": (
        lambda X: np.full_like(X, np.nan),
        "X has 60 rows, and all of their cells are missing",
    ),
    "inf": (lambda X: with_cell(X, np.inf), "contains infinity"),
    "1e30": (lambda X: with_cell(X, 1e30), r"values up to 1e\+30 in magnitude.*divide"),
    "no rows": (lambda X: X[:0], "0 sample"),
    "one row": (lambda X: X[:1], "1 sample.*minimum of 2"),
    "no columns": (lambda X: X[:, :0], "0 feature"),
    "one dimension": (lambda X: X[0], "Expected 2D array"),
    "three dimensions": (lambda X: X[None], "dim 3"),
    "complex": (lambda X: X + 1j, "Complex data not supported"),
    "strings": (
        lambda X: np.char.add(X.astype(str), "a"),
        "takes numbers only: encode",
    ),
    "array of datetimes": (
        lambda X: np.stack([dates(X)] * 6, axis=1),
        "X holds datetime64.*takes numbers only: turn dates into numbers",
    ),
    "lists": (
        lambda X: pd.DataFrame({"a": X[:, 0], "b": [[1.0, 2.0]] * len(X)}),
        "Column 'b' of X holds .*convert the column",
    ),
    "text among numbers": (
        lambda X: pd.DataFrame({"a": X[:, 0], "b": ["Oslo", 3] * (len(X) // 2)}),
        "Column 'b' of X holds values of several kinds.*convert the column",
    ),
}
# Tables of another kind than the array that was fitted.
TABLES = {
    "text column": (
        lambda X: pd.DataFrame([[*row[:5], "Oslo"] for row in X]),
        "takes numbers only: encode columns of text",
    ),
    "datetime column": (
        lambda X: pd.DataFrame(X[:, :5]).assign(when=dates(X)),
        "'when' of X holds datetime.*takes numbers only: turn dates into numbers",
    ),
    "datetimes": (
        lambda X: pd.DataFrame({name: dates(X) for name in "abcdef"}),
        "'a' of X holds datetime.*takes numbers only: turn dates into numbers",
    ),
    "durations": (
        lambda X: pd.DataFrame(X[:, :5]).assign(took=dates(X) - dates(X[:1])[0]),
        "'took' of X holds timedelta.*takes numbers only: turn dates into numbers",
    ),
    "datetime column of polars": (
        lambda X: pl.DataFrame(X[:, :5]).with_columns(pl.Series("when", dates(X))),
        "'when' of X holds .*takes numbers only: turn dates into numbers",
    ),
    "datetimes of polars": (
        lambda X: pl.DataFrame({name: dates(X) for name in "abcdef"}),
        "'a' of X holds .*takes numbers only: turn dates into numbers",
    ),
    "dates of polars": (
        lambda X: pl.DataFrame({name: dates(X).date for name in "abcdef"}),
        "takes numbers only: turn dates into numbers",
    ),
}
NOT_LATER = "one row", "all missing", "lists", "text among numbers"
BAD_LATER = {name: BAD_ROWS[name] for name in BAD_ROWS if name not in NOT_LATER} | {
    "too narrow": (lambda X: X[:, :-1], "X has 5 features, but .* is expecting 6"),
    **TABLES,
}


# Frames, where the earlier rows were an array.
NAMED = pytest.mark.filterwarnings("ignore:X has feature names, but")


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
    with pytest.raises(ValueError, match=message):
        estimator.fit(spoil(tables))
    assert vars(estimator) == before


@NAMED
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
    if warm_start and name in ("lists", "text among numbers"):
        message = None  # that fit goes on with numbers alone
    with pytest.raises((ValueError, TypeError), match=message):
        estimator.fit(spoil(tables))
    check(tables, code)


@NAMED
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


def all_numbers(estimator, X):
    """What methods say of rows, in one array."""
    found = estimator.transform(X), estimator.reconstruct(X), estimator.score_samples(X)
    return np.column_stack(found)


@settings(max_examples=60, deadline=None)
@given(
    power=st.floats(1, 37),
    n_rows=st.integers(2, 40),
    max_iter=st.integers(1, 3),
    depth=st.integers(0, 3),
    linear_path=st.booleans(),
    init=st.sampled_from(["random", "layerwise"]),
    cls=st.sampled_from(transformer_classes()),
)
@pytest.mark.filterwarnings("ignore:Posterior collapse")
def test_a_learning_rate_that_is_too_high_raises_or_gives_numbers(
    power, n_rows, max_iter, depth, linear_path, init, cls
):
    X = np.random.default_rng(0).normal(size=(n_rows, 6))
    estimator = cls(
        2,
        hidden_layer_sizes=(8,) * depth,
        linear_path=linear_path,
        init=init,
        learning_rate=10**power,
        max_iter=max_iter,
        early_stopping=False,
        random_state=0,
    )
    for method in (estimator.fit, estimator.partial_fit):
        try:
            method(X)
        except DivergenceError as error:
            assert "learning_rate=" in str(error)
        else:
            assert np.isfinite(all_numbers(estimator, X)).all()


@pytest.mark.parametrize("early_stopping", [True, False])
@pytest.mark.parametrize("learning_rate", [1e3, 1e4, 1e10, 1e20])
def test_one_step_of_a_deep_network_raises_or_gives_numbers(
    capfd, tables, learning_rate, early_stopping
):
    """And nothing that a library prints reaches the terminal."""
    estimator = AutoencoderTransformer(
        2,
        hidden_layer_sizes=(8, 8, 8),
        linear_path=False,
        max_iter=1,
        early_stopping=early_stopping,
        learning_rate=learning_rate,
        random_state=0,
    )
    try:
        estimator.fit(tables[:5])
    except DivergenceError:
        assert not hasattr(estimator, "n_iter_")
    else:
        assert np.isfinite(all_numbers(estimator, tables)).all()
    assert capfd.readouterr() == ("", "")


FAR = {
    "transform": 1e15,
    "reconstruct": 1e15,
    "score_samples": 1e15,
    "score": 1e15,
    "partial_fit": 1e15,
    "inverse_transform": 1e15,
    "jacobian_norm": -1e14,
    "transform_distribution": -1e14,
}


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("method", FAR)
def test_rows_that_are_too_far_away_are_refused(make, tables, method):
    """In units of what was fitted, single precision would overflow."""
    X = tables * 1e-30
    estimator = make().fit(X)
    if not hasattr(estimator, method):
        return
    check, code = kept(estimator), estimator.transform(X)
    if method == "inverse_transform" and estimator.net_.module_.has_own_units:
        return
    width = 4 if method == "inverse_transform" else 6
    far = np.full((1, width), FAR[method])
    with pytest.raises(ValueError, match="standard deviations"):
        getattr(estimator, method)(far)
    check(X, code)


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


class FlatLoss(Loss):
    def cells(self, output, target):
        return (output - target).square().mean(1)


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"penalty": L1}, r"L1 was given as a class.*such as L1\(\)"),
        ({"corruption": Masking}, r"Masking was given as a class"),
        ({"network": MLP}, r"MLP was given as a class"),
        ({"code_map": TopK}, r"TopK was given as a class.*such as TopK\(\)"),
        ({"code_map": [TopK(1), TopK]}, r"TopK was given as a class"),
        ({"code_map": [3]}, r"code_map holds 3, but code maps"),
        ({"code_map": lambda n: torch.nn.Linear(n, n + 1)},
         r"code map .* returned shape \(2, 3\).* but shape \(2, 2\) was expected"),
        ({"loss": FlatLoss()}, r"The loss FlatLoss\(\) returned a tensor of shape "
         r"\(\d+,\).*loss for each cell was expected"),
        ({"corruption": lambda X, generator: X.double()},
         r"corruption .* returned a tensor of shape \(60, 6\) and torch.float64.*"
         "expected.*float32"),
        ({"corruption": lambda X, generator: X.numpy()},
         r"corruption .* returned a ndarray.*but a tensor of that shape was expected"),
        ({"corruption": lambda X, generator: X.mul_(0.5)},
         r"corruption .* writes to the rows that it reads.*X.clone\(\)"),
        ({"corruption": lambda X, generator: X[:, 1:]},
         r"shape \(60, 5\).* for rows of shape \(60, 6\)"),
        ({"penalty": lambda *parts: None}, "returned a NoneType, but a tensor"),
        ({"penalty": lambda network, X, code, output: code.mean(1)},
         r"tensor of shape \(\d+,\).*but a tensor of shape \(\)"),
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


def test_a_message_names_the_loss_that_was_fitted():
    X = np.linspace(0, 1, 60).reshape(20, 3)
    estimator = AutoencoderTransformer(2, loss="log_loss", max_iter=1).fit(X)
    estimator.set_params(loss="huber")
    with pytest.raises(ValueError, match="loss='log_loss' needs X in"):
        estimator.score(2 * X)


def test_warm_start_with_codes_that_mean_something_else(tables):
    estimator = AutoencoderTransformer(2, max_iter=1, warm_start=True).fit(tables)
    check = kept(estimator.set_params(code_map=TopK(1)))
    code = estimator.transform(tables)
    with pytest.raises(ValueError, match=r"through \[TopK\(k=1\)\] cannot go on"):
        estimator.fit(tables)
    check(tables, code)


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


class Overwriting(Module):
    def encode(self, X):
        X *= 0.5
        return self.inner(X)


class InPlaceFirst(Module):
    def __init__(self, n_features, n_components):
        super().__init__(n_features, n_components)
        self.inner = torch.nn.Sequential(torch.nn.ReLU(inplace=True), self.inner)


class OverwritingCode(Module):
    def decode(self, code):
        return self.outer(code.clamp_(min=0))


class Detached(Module):
    @torch.no_grad()
    def encode(self, X):
        return self.inner(X)

    @torch.no_grad()
    def decode(self, code):
        return self.outer(code)


class ExtraState(Module):
    def get_extra_state(self):
        return {"a": 1}

    def set_extra_state(self, state):
        pass


MADE = Module(6, 4)


def always_the_same(n_features, n_components):
    return MADE


def with_a_shared_layer(n_features, n_components):
    module = Module(n_features, n_components)
    module.inner = MADE.inner
    return module


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
        (Overwriting, ValueError, r"Overwriting.encode writes to its input.*clone\(\)"),
        (InPlaceFirst, ValueError, "InPlaceFirst.encode writes to its input.*"
         "inplace=False"),
        (OverwritingCode, ValueError, "OverwritingCode.decode writes to its input"),
        (Detached, ValueError, "Detached has no gradient.*remove torch.no_grad"),
        (ExtraState, ValueError, "ExtraState has '.*_extra_state', a dict, in its "
         "state_dict.*use register_buffer"),
        (always_the_same, ValueError, "the same Module twice.*new layers in each call"),
        (with_a_shared_layer, ValueError, "shares layers.*new layers in each call"),
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


class Speechless(CodeMap):
    is_gaussian = True

    def __call__(self, n_components):
        return torch.nn.Identity()


def test_a_gaussian_code_map_has_to_say_its_variance(tables):
    estimator = AutoencoderTransformer(2, code_map=Speechless())
    with pytest.raises(TypeError, match=r"Speechless\(\).*no method log_variance"):
        estimator.fit(tables)


class Normalising(torch.nn.Module):
    def __init__(self, n_features, n_components):
        super().__init__()
        self.encode = torch.nn.Sequential(
            torch.nn.Linear(n_features, n_components),
            torch.nn.BatchNorm1d(n_components),
        )
        self.decode = torch.nn.Linear(n_components, n_features)


def test_batches_of_one_row_cannot_be_normalised(make, tables):
    estimator = make(network=Normalising).fit(tables)
    check = kept(estimator.set_params(batch_size=1))
    code = estimator.transform(tables)
    with pytest.raises(ValueError, match=r"batch_size=1.*use a larger batch_size"):
        estimator.fit(tables)
    check(tables, code)
    with pytest.raises(ValueError, match="batch"):
        estimator.partial_fit(tables[:1])
    check(tables, code)


def test_a_factory_of_one_module_makes_no_two_fits(tables):
    """Or the second fit would overwrite the weights of the first one."""
    module = Module(6, 2)
    factory = {"network": lambda n_features, n_components: module}
    before = {name: value.clone() for name, value in module.state_dict().items()}
    with pytest.raises(ValueError, match="overwrite each other's weights"):
        AutoencoderTransformer(2, **factory, max_iter=1).fit(tables)
    for name, value in module.state_dict().items():
        assert torch.equal(value, before[name])


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
    with pytest.raises(
        ValueError, match=r"noise_level=\[\], but a number was expected"
    ):
        DenoisingAutoencoderTransformer(noise="masking", noise_level=[]).fit(tables)
    with pytest.raises(ValueError, match="'penalty' parameter of Autoencoder"):
        AutoencoderTransformer(penalty=0.1).fit(tables)


def test_sample_takes_whole_numbers(tables):
    estimator = VariationalAutoencoderTransformer(2, max_iter=1).fit(tables)
    for n_samples in (2.5, 0, -1, "3"):
        with pytest.raises(ValueError, match=f"n_samples={n_samples!r}.*an integer"):
            estimator.sample(n_samples)


@pytest.mark.parametrize("cls", transformer_classes())
def test_an_argument_that_there_is_not_is_no_matter_of_private_classes(cls, tables):
    for method in (cls().fit, cls().partial_fit):
        with pytest.raises(TypeError, match=r"argument 'sample_weight'") as caught:
            method(tables, sample_weight=np.ones(60))
        assert "Base" not in str(caught.value)


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"penalty": lambda code: 0.0}, r"penalty=.* \(network, X, code, output\)"),
        ({"corruption": lambda X: X}, r"corruption=.* cannot be called with \(X, gen"),
        ({"code_map": torch.nn.ReLU()}, "holds a ReLU: pass what makes it, such as la"),
        ({"code_map": torch.relu}, "called with n_components=2 and failed"),
    ],
    ids=["penalty", "corruption", "module", "function"],
)
def test_functions_that_cannot_be_called(tables, params, message):
    with pytest.raises(TypeError, match=message):
        AutoencoderTransformer(2, **params).fit(tables)


@pytest.mark.parametrize("method", ["fit", "partial_fit"])
def test_another_code_size_cannot_go_on(make, tables, method):
    estimator = make(warm_start=True).fit(tables)
    check = kept(estimator.set_params(n_components=3))
    code = estimator.transform(tables)
    with pytest.raises(
        ValueError, match="n_components=3 cannot go on from a fit with 4"
    ):
        getattr(estimator, method)(tables)
    check(tables, code)
