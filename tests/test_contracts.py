"""What must hold for every estimator, whatever it is trained on."""

import copy
import functools
import inspect
import io
import pickle
import threading
from pathlib import Path

import joblib
import numpy as np
import pytest
import torch
from conftest import code_units, transformer_classes
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.base import clone
from sklearn.utils.validation import check_is_fitted

import skae
from skae._inference import stack
from skae._utils.warnings import warn
from skae.code_maps import SoftThreshold
from skae.corruptions import Masking
from skae.losses import Huber, SquaredError
from skae.networks import MLP, Convolutional
from skae.penalties import L1, Penalty

METHODS = ["transform", "reconstruct", "score_samples"]


def results(estimator, X):
    return [getattr(estimator, method)(X) for method in METHODS]


def assert_same(first, second):
    """Bitwise equal results."""
    for a, b in zip(first, second, strict=True):
        np.testing.assert_array_equal(a, b)


class Noisy(torch.nn.Module):
    """A network of the user's that draws random numbers: weights, dropout, noise."""

    def __init__(self, n_features, n_components):
        super().__init__()
        self.inner = torch.nn.Linear(n_features, n_components)
        self.outer = torch.nn.Linear(n_components, n_features)
        self.dropout = torch.nn.Dropout(0.2)

    def encode(self, X):
        code = self.dropout(self.inner(X))
        return code + 0.1 * torch.randn_like(code) if self.training else code

    def decode(self, code):
        return self.outer(code)


NETWORKS = pytest.mark.parametrize("network", [None, Noisy], ids=["mlp", "own"])


# Equivariance


@settings(max_examples=8, deadline=None)
@given(
    factor=st.floats(1e-6, 1e6),
    shift=st.floats(-1e4, 1e4),
    start=st.sampled_from([("pca", True), ("random", True), ("random", False)]),
    cls=st.sampled_from(transformer_classes()),
    loss=st.sampled_from(["squared_error", "absolute_error", "huber"]),
)
def test_equivariance_to_shift_and_scale(factor, shift, start, cls, loss):
    init, linear_path = start
    X = np.random.default_rng(0).normal(size=(50, 5)) * [1, 2, 3, 4, 5]
    moved = factor * (X + shift)
    params = {"n_components": 2, "hidden_layer_sizes": (8,), "max_iter": 3}
    estimator = cls(
        init=init, linear_path=linear_path, loss=loss, random_state=0, **params
    )
    before, after = clone(estimator).fit(X), clone(estimator).fit(moved)
    code = before.transform(X)
    np.testing.assert_allclose(
        after.transform(moved) / code_units(after, factor), code, rtol=1e-3, atol=1e-4
    )
    np.testing.assert_allclose(
        after.reconstruct(moved) / factor - shift,
        before.reconstruct(X),
        rtol=1e-3,
        atol=1e-4,
    )
    degree = {"squared_error": 2, "absolute_error": 1, "huber": 2}[loss]
    np.testing.assert_allclose(
        after.score_samples(moved) / factor**degree,
        before.score_samples(X),
        rtol=1e-3,
        atol=1e-4,
    )


@pytest.mark.parametrize("factor", [1e-200, 1e-60, 1e-30, 1e12])
def test_extreme_scales_lose_nothing(make, tables, factor):
    plain, moved = make().fit(tables), make().fit(tables * factor)
    X = tables * factor
    close = functools.partial(np.testing.assert_allclose, rtol=1e-3, atol=1e-3)
    close(moved.transform(X) / code_units(moved, factor), plain.transform(tables))
    close(moved.reconstruct(X) / factor, plain.reconstruct(tables))
    if factor > 1e-100:  # squares of less are less than float64 holds
        scores = moved.score_samples(X) / factor**2
        close(scores, plain.score_samples(tables))


def test_a_large_shift_loses_nothing(make, tables):
    """Subtracted in double precision, before single precision would round it off."""
    shift = 1e6
    plain, moved = make().fit(tables), make().fit(tables + shift)
    np.testing.assert_allclose(
        moved.transform(tables + shift), plain.transform(tables), rtol=1e-3, atol=1e-3
    )


# Rows


@settings(max_examples=25, deadline=None)
@given(
    n_features=st.integers(1, 70),
    n_components=st.integers(1, 40),
    widths=st.lists(st.integers(1, 90), max_size=2),
    activation=st.sampled_from(["relu", "silu", "tanh", "gelu", "logistic", "elu"]),
    dtype=st.sampled_from([np.float32, np.float64]),
    loss=st.sampled_from(["squared_error", "log_loss"]),
    data=st.data(),
)
def test_rows_do_not_depend_on_their_neighbours(
    n_features, n_components, widths, activation, dtype, loss, data
):
    X = np.random.default_rng(0).uniform(size=(600, n_features)).astype(dtype)
    estimator = skae.AutoencoderTransformer(
        min(n_components, n_features),
        hidden_layer_sizes=tuple(widths),
        activation=activation,
        loss=loss,
        max_iter=1,
        random_state=0,
    ).fit(X)
    chosen = data.draw(st.lists(st.integers(0, 599), min_size=1, max_size=40))
    whole, part = results(estimator, X), results(estimator, X[chosen])
    assert_same([result[chosen] for result in whole], part)
    order = np.random.default_rng(1).permutation(600)
    assert_same([result[order] for result in whole], results(estimator, X[order]))
    alone = [results(estimator, X[[i]]) for i in chosen[:5]]
    for i, result in zip(chosen, alone, strict=False):
        assert_same([whole_result[[i]] for whole_result in whole], result)


@pytest.mark.parametrize("n_threads", [3, 5])
def test_rows_do_not_depend_on_how_threads_share_them(digits, n_threads):
    """Where threads would share the cells of a row."""
    estimator = skae.AutoencoderTransformer(5, max_iter=1, random_state=0).fit(digits)
    before = torch.get_num_threads()
    torch.set_num_threads(n_threads)
    try:
        whole = results(estimator, digits)
        part = results(estimator, digits[17:])
    finally:
        torch.set_num_threads(before)
    assert_same([result[17:] for result in whole], part)


@pytest.mark.parametrize("alike", [True, False])
@pytest.mark.parametrize(
    "params", [{}, {"linear_path": False}, {"activation": "logistic"}]
)
def test_chunks_of_all_sizes_agree(monkeypatch, digits, alike, params):
    """Also where a processor makes rows differ, so that one size is used."""
    if not alike:
        monkeypatch.setattr(stack, "_alike", lambda *args: False)
    X = np.repeat(digits, 2, axis=0)[:3000].astype(np.float32)
    estimator = skae.AutoencoderTransformer(
        7, hidden_layer_sizes=(256, 50), max_iter=1, random_state=0, **params
    ).fit(X[:200])
    whole = results(estimator, X)
    for start, stop in [(0, 1), (1, 17), (5, 605), (0, 1025), (1500, 3000)]:
        part = results(estimator, X[start:stop])
        assert_same([result[start:stop] for result in whole], part)


def test_plain_arrays_are_treated_as_validated_ones(make, tables):
    """The short cut for arrays that validation would return as they are."""
    estimator = make().fit(tables)
    expected = estimator.transform(tables)
    np.testing.assert_array_equal(estimator.transform(tables.tolist()), expected)
    large = tables * 5e12  # in sum beyond what the quick check passes
    np.testing.assert_array_equal(
        estimator.transform(large), estimator.transform(large.tolist())
    )
    read_only = tables.copy()
    read_only.flags.writeable = False
    np.testing.assert_array_equal(estimator.transform(read_only), expected)


def test_subnormal_data_lose_no_scale(make, tables):
    X = tables * 1e-311
    estimator = make().fit(X)
    plain = make().fit(tables)
    np.testing.assert_allclose(
        estimator.transform(X)
        / code_units(estimator, 1e-300)
        * code_units(plain, 1e11),
        plain.transform(tables),
        rtol=0.1,
        atol=1,
    )


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_dtypes_come_back(make, digits, dtype):
    X = digits[:200].astype(dtype)
    estimator = make().fit(X)
    assert all(result.dtype == dtype for result in results(estimator, X))
    code = estimator.transform(X)
    assert estimator.inverse_transform(code).dtype == dtype


@pytest.mark.parametrize(
    "dtype", ["float16", "int8", "uint8", "int64", "bool", "longdouble", ">f8"]
)
def test_any_real_dtype(make, digits, dtype):
    X = (digits[:100] > 8).astype(dtype)
    code = make().fit(X).transform(X)
    np.testing.assert_array_equal(code, make().fit(X.astype(float)).transform(X))
    assert code.dtype == np.float64


def test_any_container_and_memory_order(make, tables, tmp_path):
    import pandas as pd
    import polars as pl

    path = tmp_path / "rows.npy"
    np.save(path, tables)
    names = [f"x{i}" for i in range(tables.shape[1])]
    containers = [
        np.asfortranarray(tables),
        np.repeat(tables, 2, axis=0)[::2],
        tables.tolist(),
        np.load(path, mmap_mode="r"),
        pd.DataFrame(tables, columns=names),
        pl.DataFrame(tables, schema=names),
    ]
    expected = make().fit_transform(tables)
    for X in containers:
        np.testing.assert_allclose(make().fit_transform(X), expected, rtol=1e-5)


# Randomness


@NETWORKS
def test_same_random_state_same_result(make, tables, network):
    first, second = (make(network=network).fit(tables) for _ in range(2))
    assert_same(results(first, tables), results(second, tables))
    assert first.loss_curve_ == second.loss_curve_


@NETWORKS
def test_other_random_state_other_result(make, tables, network):
    first, second = (
        make(network=network, random_state=seed, early_stopping=False).fit(tables)
        for seed in range(2)
    )
    assert not np.allclose(first.transform(tables), second.transform(tables))


@NETWORKS
def test_same_result_in_threads_at_once(make, digits, network):
    expected = make(network=network).fit(digits).transform(digits)
    codes = [None] * 4

    def fit(i):
        codes[i] = make(network=network).fit(digits).transform(digits)

    threads = [threading.Thread(target=fit, args=(i,)) for i in range(len(codes))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for code in codes:
        np.testing.assert_array_equal(code, expected)


@NETWORKS
@pytest.mark.parametrize("random_state", [0, None])
def test_global_generators_are_left_as_found(make, tables, network, random_state):
    numpy_before = np.random.get_state()  # noqa: NPY002
    torch_before = torch.get_rng_state()
    estimator = make(network=network, random_state=random_state)
    estimator.fit(tables).partial_fit(tables)
    results(estimator, tables)
    assert estimator.encoder_ is not estimator.encoder_
    numpy_after = np.random.get_state()  # noqa: NPY002
    for before, after in zip(numpy_before, numpy_after, strict=True):
        np.testing.assert_array_equal(before, after)
    assert torch.equal(torch_before, torch.get_rng_state())


def test_random_state_none_differs_even_under_one_global_seed(make, tables):
    np.random.seed(0)  # noqa: NPY002
    first = make(random_state=None, early_stopping=False).fit(tables)
    np.random.seed(0)  # noqa: NPY002
    second = make(random_state=None, early_stopping=False).fit(tables)
    assert not np.allclose(first.transform(tables), second.transform(tables))


def shaken(network, X, code, output):
    return (torch.randn_like(code) * code).square().mean()


class Shaken(Penalty):
    def __call__(self, network, X, code, output):
        return shaken(network, X, code, output)


class ShakenLater(Penalty):
    """Draws from its second epoch on."""

    def during(self, epoch):
        return Shaken() if epoch > 1 else self

    def __call__(self, network, X, code, output):
        return code.square().mean()


class Jittered(SquaredError):
    """A loss that draws."""

    def cells(self, output, target):
        return super().cells(output, target) * torch.rand_like(target)


def dropped(X, generator):
    """A corruption that ignores the generator it is given."""
    return torch.nn.functional.dropout(X, 0.3)


@pytest.mark.parametrize(
    "params",
    [
        {"penalty": shaken},
        {"penalty": ShakenLater()},
        {"corruption": dropped},
        {"corruption": dropped, "init": "layerwise", "hidden_layer_sizes": (8, 6)},
        {"code_map": lambda n_components: torch.nn.Dropout(0.2)},
        {"network": MLP((8,), linear_path=False, dropout=0.2)},
    ],
    ids=[
        "penalty",
        "penalty from epoch 2",
        "corruption",
        "corruption of layers",
        "code map",
        "dropout",
    ],
)
@pytest.mark.parametrize("early_stopping", [True, False])
def test_parts_that_draw_are_private_too(tables, params, early_stopping):
    params = {"max_iter": 3, "early_stopping": early_stopping, **params}
    estimators = [
        skae.AutoencoderTransformer(2, random_state=seed, linear_path=False, **params)
        for seed in (0, 0, 1)
    ]
    before = torch.get_rng_state()
    first, second, other = (e.fit(tables).transform(tables) for e in estimators)
    np.testing.assert_array_equal(first, second)
    assert not np.allclose(first, other)
    assert torch.equal(before, torch.get_rng_state())


def test_a_loss_that_draws_is_refused(make, tables):
    """Equal rows would have different losses."""
    before = torch.get_rng_state()
    with pytest.raises(ValueError, match="draws random numbers, so that equal rows"):
        make(loss=Jittered()).fit(tables)
    assert torch.equal(before, torch.get_rng_state())


CONTEXTS = {
    "inference mode": torch.inference_mode,
    "no_grad": torch.no_grad,
    "autocast": functools.partial(torch.autocast, "cpu", dtype=torch.bfloat16),
}
OWN_METHODS = "transform_distribution", "jacobian_norm"


def all_results(estimator, X):
    """What all methods say of rows, those of single classes too."""
    own = [name for name in OWN_METHODS if hasattr(estimator, name)]
    found = [getattr(estimator, name)(X) for name in own]
    code = estimator.transform(X)
    found = [part for f in found for part in (f if isinstance(f, tuple) else [f])]
    return [*found, *results(estimator, X), estimator.inverse_transform(code)]


@pytest.mark.parametrize("context", CONTEXTS.values(), ids=CONTEXTS)
@pytest.mark.parametrize(
    "network",
    [None, Noisy, Convolutional((2, 3), (5,))],
    ids=["mlp", "own", "convolutional"],
)
def test_contexts_of_torch_do_not_matter(make, tables, network, context):
    expected = make(network=network).fit(tables)
    before = all_results(expected, tables)
    with context():
        inside = make(network=network).fit(tables)
        assert_same(all_results(inside, tables), before)
        assert_same(all_results(expected, tables), before)
        again = pickle.loads(pickle.dumps(expected))
        assert_same(all_results(again, tables), before)
        alone = [all_results(again, row[None]) for row in tables[:5]]
        inside.partial_fit(tables)
    for parts, whole in zip(zip(*alone, strict=True), before, strict=True):
        np.testing.assert_array_equal(np.concatenate(parts), whole[:5])
    assert_same(
        all_results(inside, tables), all_results(expected.partial_fit(tables), tables)
    )


@pytest.fixture
def double_precision():
    torch.set_default_dtype(torch.float64)
    yield
    torch.set_default_dtype(torch.float32)


@NETWORKS
def test_the_default_dtype_does_not_matter(make, tables, network, request):
    expected = make(network=network).fit(tables)
    before = all_results(expected, tables)
    request.getfixturevalue("double_precision")
    double = make(network=network).fit(tables)
    assert double.loss_curve_ == expected.loss_curve_
    assert_same(all_results(double, tables), before)
    assert_same(all_results(expected, tables), before)


@pytest.mark.filterwarnings("ignore:Posterior collapse")
def test_constant_data_fit_in_any_default_dtype(make, double_precision):
    estimator = make(n_components=2, linear_path=False, early_stopping=False)
    assert np.isfinite(estimator.fit_transform(np.ones((20, 4)))).all()


def test_training_keeps_the_number_of_threads_and_the_grad_mode(make, tables):
    before = torch.get_num_threads(), torch.is_grad_enabled()
    results(make().fit(tables), tables)
    assert (torch.get_num_threads(), torch.is_grad_enabled()) == before


# State


# A value for every parameter of every class that is not its default.
OTHER_VALUES = {
    "n_components": 2,
    "hidden_layer_sizes": [8, 4],
    "activation": "tanh",
    "network": MLP((8,)),
    "init": "pca",
    "loss": Huber(delta=0.3),
    "categorical_features": [0],
    "learning_rate": 1e-3,
    "weight_decay": 0.05,
    "batch_size": 16,
    "max_iter": 2,
    "early_stopping": False,
    "validation_fraction": 0.2,
    "n_iter_no_change": 3,
    "tol": 1e-3,
    "warm_start": True,
    "callbacks": [],
    "checkpoint": "fit.ckpt",
    "device": "cpu",
    "memory_limit": 10**8,
    "random_state": 3,
    "verbose": 2,
    "penalty": L1(0.02),
    "corruption": Masking(0.2),
    "code_map": [SoftThreshold(0.05)],
    "noise": "masking",
    "noise_level": 0.3,
    "sparsity": "l1",
    "alpha": 0.02,
    "rho": 0.1,
    "k": 2,
    "positive": True,
    "refine": None,
    "sparse_output": True,
    "n_projections": 2,
    "beta": 0.5,
    "warm_up": 2,
}


def fully_set(make):
    """An estimator with a value of its own for every parameter."""
    parameters = inspect.signature(type(make())).parameters
    values = {name: OTHER_VALUES[name] for name in parameters if name != "linear_path"}
    values["linear_path"] = not parameters["linear_path"].default
    for name, value in values.items():
        default = parameters[name].default
        assert type(value) is not type(default) or value != default, name
    return make(**copy.deepcopy(values))


def test_clone_of_default_and_fully_set_objects(make, tables):
    for estimator in (make(), fully_set(make)):
        cloned = clone(estimator.fit(tables))
        assert str(cloned.get_params()) == str(estimator.get_params())
        with pytest.raises(Exception, match="not fitted yet"):
            check_is_fitted(cloned)
        cloned.fit(tables)


def joblib_round_trip(estimator):
    file = io.BytesIO()
    joblib.dump(estimator, file)
    file.seek(0)
    return joblib.load(file)


ROUND_TRIPS = {
    "pickle": lambda estimator: pickle.loads(pickle.dumps(estimator)),
    "joblib": joblib_round_trip,
    "deepcopy": copy.deepcopy,
    "copy": copy.copy,
}


@NETWORKS
@pytest.mark.parametrize(
    "round_trip",
    [*ROUND_TRIPS.values(), joblib_round_trip],
    ids=[*ROUND_TRIPS, "joblib"],
)
def test_round_trips_are_bitwise_equal(make, tables, round_trip, network):
    estimator = make(network=network).fit(tables)
    expected = results(estimator, tables)
    again = round_trip(estimator)
    assert_same(results(again, tables), expected)
    assert_same(
        results(round_trip(make(network=network).fit(tables)), tables), expected
    )
    assert again.loss_curve_ == estimator.loss_curve_


def test_pickles_are_small_and_hold_no_machinery(digits):
    estimator = skae.AutoencoderTransformer(
        16, hidden_layer_sizes=(256,), random_state=0, max_iter=100, tol=0
    ).fit(digits)
    results(estimator, digits)  # with a network kept ready
    pickled = pickle.dumps(estimator)
    weights = sum(value.nbytes for value in estimator._model.weights.values())
    assert len(pickled) < 1.2 * weights
    for word in (b"skorch", b"torch.", b"AdamW", b"exp_avg", b"History"):
        assert word not in pickled


def modules_in(pickled):
    """The packages of all that a pickle imports."""
    found = set()

    class Recording(pickle.Unpickler):
        def find_class(self, module, name):
            found.add(module.partition(".")[0])
            return super().find_class(module, name)

    Recording(io.BytesIO(pickled)).load()
    return found


@NETWORKS
def test_pickles_import_no_torch(make, tables, network):
    """Nor do those in which the optimiser's state is kept, to go on from."""
    network = network and MLP((8,), dropout=0.1)
    for method in ("fit", "partial_fit"):
        estimator = getattr(make(network=network), method)(tables)
        results(estimator, tables)
        assert modules_in(pickle.dumps(estimator)) <= {"skae", "numpy", "builtins"}


def plain(value):
    """Whether a value is made of arrays, plain values and skae's own classes only."""
    if isinstance(value, dict):
        return all(plain(part) for pair in value.items() for part in pair)
    if isinstance(value, list | tuple):
        return all(map(plain, value))
    if type(value).__module__.startswith("skae"):
        # As pickle has it: objects have __getstate__ since Python 3.11.
        return plain(value.__reduce_ex__(2)[2])
    return type(value) in (np.ndarray, str, int, float, bool, type(None))


def test_state_is_arrays_and_plain_values(make, tables):
    estimator = make(n_components=np.int64(3), hidden_layer_sizes=np.array([8]))
    estimator.partial_fit(tables)
    results(estimator, tables)
    parameters = estimator.get_params()
    state = estimator.__getstate__()
    assert all(plain(state[name]) for name in state if name not in parameters)


def test_pickles_of_callbacks_hold_their_parameters_only(make, tables):
    from skorch.callbacks import EarlyStopping, LRScheduler

    callbacks = [EarlyStopping(patience=2), LRScheduler("StepLR", step_size=1)]
    plain = pickle.dumps(make().fit(tables))
    pickled = pickle.dumps(make(callbacks=callbacks).fit(tables))
    assert len(pickled) < len(plain) + 2000
    for word in (b"torch.", b"AdamW", b"History"):
        assert word not in pickled
    pickle.loads(pickled).fit(tables)


def test_using_an_estimator_does_not_change_it(make, tables):
    estimator = make().fit(tables)
    before = vars(estimator).copy()
    results(estimator, tables)
    estimator.inverse_transform(estimator.transform(tables))
    _ = estimator.encoder_, estimator.decoder_, estimator.net_, repr(estimator)
    assert vars(estimator) == before


def test_fitting_does_not_change_parameters_or_data(make, tables):
    estimator = fully_set(make)
    params, X = estimator.get_params(), tables.copy()
    estimator.fit(tables).partial_fit(tables)
    assert estimator.get_params() == params
    np.testing.assert_array_equal(tables, X)


def test_a_fitted_model_does_not_follow_its_parameters(make, tables):
    estimator = make(network=MLP((8,)), loss=Huber()).fit(tables)
    expected = results(estimator, tables)
    estimator.set_params(network__hidden_layer_sizes=(3,), loss__delta=9.0)
    assert_same(results(estimator, tables), expected)
    assert_same(results(copy.deepcopy(estimator), tables), expected)


def test_y_is_ignored_whatever_it_holds(make, tables):
    expected = make().fit(tables).transform(tables)
    for y in ("nonsense", [np.nan] * 7, object()):
        np.testing.assert_array_equal(make().fit(tables, y).transform(tables), expected)
        assert make().fit(tables).score(tables, y) <= 0


# The halves as modules


@NETWORKS
def test_encoder_and_decoder_are_modules_in_data_units(make, tables, network):
    estimator = make(network=network).fit(tables)
    X = torch.from_numpy(tables)
    with torch.no_grad():
        code = estimator.encoder_(X)
        rows = estimator.decoder_(code)
    close = functools.partial(np.testing.assert_allclose, rtol=1e-5, atol=1e-5)
    close(code.numpy(), estimator.transform(tables))
    close(rows.numpy(), estimator.reconstruct(tables))
    assert isinstance(estimator.encoder_, torch.nn.Module)
    assert not estimator.encoder_.training


def test_the_halves_share_no_weights(make, tables):
    estimator = make().fit(tables)
    expected = results(estimator, tables)
    names = [name for name, _ in estimator.encoder_.named_parameters()]
    assert not any("decoder" in name for name in names)
    for parameter in estimator.encoder_.parameters():
        parameter.zero_()
    assert_same(results(estimator, tables), expected)


def test_net_is_a_skorch_net_with_the_history(make, tables):
    import skorch

    estimator = make().fit(tables)
    net = estimator.net_
    assert isinstance(net, skorch.NeuralNet)
    assert net.history[:, "train_loss"] == estimator.loss_curve_
    assert net.history[:, "valid_loss"] == estimator.validation_loss_curve_


@NETWORKS
def test_net_predicts_reconstructions(make, tables, network):
    estimator = make(network=network).fit(tables)
    expected = estimator.reconstruct(tables)
    for X in (tables, tables.astype(np.float32)):
        np.testing.assert_allclose(
            estimator.net_.predict(X), expected, rtol=1e-4, atol=1e-4
        )


def test_net_stays_that_of_the_fit(make, tables):
    estimator = make().fit(tables)
    before = estimator.net_
    estimator.set_params(network=Noisy, init="layerwise", loss="log_loss")
    after = estimator.net_
    assert after.history == before.history
    np.testing.assert_array_equal(after.predict(tables), before.predict(tables))


# Overhead


def test_a_training_step_runs_what_a_hand_written_one_does(digits):
    """Counted in torch operations, since seconds are noise on a shared machine."""
    from torch.utils._python_dispatch import TorchDispatchMode

    class Count(TorchDispatchMode):
        counts = 0
        waits = 0

        def __torch_dispatch__(self, func, types, args=(), kwargs=None):
            self.counts += 1
            self.waits += func is torch.ops.aten._local_scalar_dense.default
            return func(*args, **(kwargs or {}))

    X = digits[:1024].astype(np.float32)
    n_batches, extra_epochs = 1024 // 128, 3

    def count_fit(max_iter):
        estimator = skae.AutoencoderTransformer(
            16, batch_size=128, early_stopping=False, max_iter=max_iter, random_state=0
        )
        with Count() as count:
            estimator.fit(X)
        return np.array([count.counts, count.waits])

    module = MLP()(64, 16)
    optimizer = torch.optim.AdamW(module.parameters(), fused=True)
    rows = torch.from_numpy((X - X.mean(0)) / X.std())
    with Count() as by_hand:
        order = torch.randperm(len(rows))
        for chosen in order.split(128):
            batch = rows[chosen]
            optimizer.zero_grad()
            output = module.decode(module.encode(batch))
            (output - batch).square().mean().backward()
            torch.nn.utils.clip_grad_norm_(module.parameters(), 0.1)
            optimizer.step()
    operations, waits = (count_fit(1 + extra_epochs) - count_fit(1)) / extra_epochs
    kept = len(module.state_dict())  # copied once an epoch: detached and cloned
    assert operations - 2 * kept - 10 <= 1.1 * by_hand.counts
    assert waits < n_batches


def test_torch_s_default_device_does_not_matter(make, tables):
    estimator = make().fit(tables)
    expected = results(estimator, tables)
    torch.set_default_device("meta")
    try:
        assert_same(results(estimator, tables), expected)
        assert_same(results(make().fit(tables), tables), expected)
        estimator.net_.predict(tables)
    finally:
        torch.set_default_device(None)


def test_warnings_point_into_files_beside_the_package(tmp_path):
    """Whose paths begin as those of the package do."""
    package = Path(skae.__file__).parent
    path = str(package) + "_demo.py"
    code = compile("warn('here')", path, "exec")
    with pytest.warns(UserWarning, match="here") as caught:
        exec(code, {"warn": warn})
    assert caught[0].filename == path
