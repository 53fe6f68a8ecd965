"""Inference without PyTorch gives what the estimators give, and trusts no file."""

import copy
import io
import subprocess
import sys
import threading
import tracemalloc
import venv
import warnings
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import polars as pl
import polars.testing
import pytest
import safetensors
import torch
from conftest import transformer_classes
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.sparse import csr_array
from sklearn.datasets import make_blobs
from torch import nn

import skae
import skae.inference
from skae import (
    AutoencoderImputer,
    AutoencoderOutlierDetector,
    AutoencoderTransformer,
)
from skae._files.container import read
from skae._inference.model import Model
from skae._utils.scaling import Scaling
from skae.code_maps import GaussianCode, Sigmoid, SoftThreshold, TopK
from skae.exceptions import InvalidFileError
from skae.inference import _stack, _threads
from skae.inference._tree import interpreted
from skae.losses import AbsoluteError, Huber, LogLoss, SquaredError
from skae.networks import MLP, Convolutional
from skae.networks._layers import ACTIVATIONS

AUTOENCODERS = [cls for cls in transformer_classes() if hasattr(cls, "partial_fit")]
METHODS = {
    "save": {"transform", "inverse_transform", "reconstruct", "score_samples"},
    "save_encoder": {"transform"},
    "save_decoder": {"inverse_transform"},
}


def with_random_weights(X, seed=0, code_maps=(), **params):
    """An estimator whose layers all do something, other than after a short training."""
    rng = np.random.default_rng(seed)
    made = AutoencoderTransformer(**params)
    width, n_components = X.shape[1], made.n_components
    recipe = replace(made._recipe(), code_maps=tuple(code_maps))
    recipe = recipe.for_codes_of(n_components)
    state = recipe.new_module(width, n_components).state_dict()
    weights = {
        name: rng.normal(size=v.shape, scale=v.shape[-1] ** -0.5).astype(np.float32)
        for name, v in state.items()
    }
    made._model = Model(recipe, n_components, Scaling.of(X), seed, weights)
    made.n_features_in_, made.n_components_ = width, n_components
    return made


def written(fitted, save="save"):
    """What is in a file of an estimator."""
    file = io.BytesIO()
    getattr(fitted, save)(file)
    file.seek(0)
    return read(file)[:2]


def assert_close(found, expected, unit=0.0):
    """Results are equal up to 1e-5 of the largest one, or of the data's unit."""
    assert found.dtype == expected.dtype
    assert found.shape == expected.shape
    assert np.abs(found - expected).max() <= 1e-5 * max(np.abs(expected).max(), unit)


def assert_same_results(model, fitted, X):
    inner, codes = fitted._model, fitted.transform(X)
    unit, code_unit = inner.scaling.scale, inner.code_scaling("cpu").scale
    assert_close(model.transform(X), codes, code_unit)
    assert_close(model.reconstruct(X), fitted.reconstruct(X), unit)
    rows = fitted.inverse_transform(codes)
    assert_close(model.inverse_transform(codes), rows, unit)
    scores = fitted.score_samples(X)
    assert_close(model.score_samples(X), scores, unit**inner.loss.degree)


@settings(max_examples=60, deadline=None, database=None, derandomize=True)
@given(
    hidden=st.lists(st.integers(1, 40), max_size=3).map(tuple),
    n_features=st.integers(1, 20),
    n_components=st.integers(1, 10),
    activation=st.sampled_from(sorted(ACTIVATIONS)),
    linear_path=st.sampled_from([True, False, "encoder"]),
    tied_weights=st.booleans(),
    dropout=st.sampled_from([0.0, 0.2]),
    loss=st.sampled_from([SquaredError(), AbsoluteError(), Huber(0.2), LogLoss()]),
    maps=st.lists(
        st.sampled_from([TopK(), TopK(1), SoftThreshold(0.3), Sigmoid(0.2)]), max_size=2
    ),
    is_gaussian=st.booleans(),
    dtype=st.sampled_from([np.float32, np.float64]),
    units=st.sampled_from([(1, 0), (1e-6, 0), (1e-3, 1), (1e6, 1e7)]),
    n_rows=st.sampled_from([1, 7, 1100]),
    seed=st.integers(0, 9),
)
def test_results_are_those_of_the_estimator(
    hidden,
    n_features,
    n_components,
    activation,
    linear_path,
    tied_weights,
    dropout,
    loss,
    maps,
    is_gaussian,
    dtype,
    units,
    n_rows,
    seed,
):
    rng = np.random.default_rng(seed)
    X = rng.uniform(size=(n_rows, n_features))
    if loss.bounds is None:
        X = X * units[0] + units[1]
    X = X.astype(dtype)
    fitted = with_random_weights(
        X,
        seed,
        [*maps, GaussianCode()] if is_gaussian else maps,
        n_components=n_components,
        network=MLP(hidden, activation, linear_path, tied_weights, dropout),
        loss=loss,
    )
    assert_same_results(interpreted(*written(fitted)), fitted, X)


@pytest.fixture(scope="module", params=AUTOENCODERS, ids=lambda c: c.__name__)
def fitted(request):
    """Each public transformer, fitted to a table."""
    X, _ = make_blobs(60, 6, random_state=0)
    table = pd.DataFrame(X, columns=[f"column {i}" for i in range(6)])
    made = request.param(4, hidden_layer_sizes=(8,), max_iter=2, random_state=0)
    return made.fit(table)


@pytest.fixture
def table():
    X, _ = make_blobs(40, 6, random_state=1)
    return pd.DataFrame(X, columns=[f"column {i}" for i in range(6)])


def test_every_transformer(fitted, table, tmp_path):
    fitted.save(tmp_path / "whole")
    model = skae.inference.load(tmp_path / "whole")
    assert_same_results(model, fitted, table)
    np.testing.assert_array_equal(model.feature_names_in_, fitted.feature_names_in_)
    names = model.get_feature_names_out()
    np.testing.assert_array_equal(names, fitted.get_feature_names_out())
    found = model.n_features_in_, model.n_components_
    assert found == (fitted.n_features_in_, fitted.n_components_)


@pytest.mark.parametrize("save", METHODS)
def test_a_file_gives_what_it_suffices_for_and_no_more(fitted, table, save):
    model = interpreted(*written(fitted, save))
    codes = fitted.transform(table)
    for name in METHODS["save"]:
        assert hasattr(model, name) == (name in METHODS[save])
    for name in METHODS[save]:
        X = codes if name == "inverse_transform" else table
        assert_close(getattr(model, name)(X), getattr(fitted, name)(X))
    assert hasattr(model, "get_feature_names_out") == hasattr(model, "transform")


def test_a_tied_decoder_alone():
    X, _ = make_blobs(40, 6, random_state=1)
    network = MLP((8, 5), tied_weights=True)
    whole = with_random_weights(X, n_components=2, network=network)
    model = interpreted(*written(whole, "save_decoder"))
    codes = whole.transform(X)
    assert_close(model.inverse_transform(codes), whole.inverse_transform(codes))


@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_activations_are_those_of_torch(activation):
    one, zero = np.ones((1, 1), np.float32), np.zeros(1, np.float32)
    stack = _stack.Stack([(one, zero), (one, zero)], None, activation)
    parts = np.linspace(-20, 20, 200_001), np.geomspace(1e-30, 1e15, 1001)
    x = np.concatenate([*parts, -parts[1]]).astype(np.float32)
    expected = ACTIVATIONS[activation]()(torch.from_numpy(x).double()).numpy()
    with np.errstate(over="ignore"):
        error = np.abs(stack(x[None])[0] - expected) / np.maximum(1, np.abs(x))
    assert error.max() < 3e-7


class Own(nn.Module):
    def __init__(self, n_features, n_components):
        super().__init__()
        self.encode = nn.Linear(n_features, n_components)
        self.decode = nn.Linear(n_components, n_features)


@pytest.mark.parametrize(
    "make, name",
    [
        (lambda: AutoencoderTransformer(2, network=Own, max_iter=1), "Own"),
        (
            lambda: AutoencoderTransformer(
                2, network=Convolutional((4, 4), (2,)), max_iter=1
            ),
            "Convolutional",
        ),
        (
            lambda: AutoencoderOutlierDetector(
                AutoencoderTransformer(2, hidden_layer_sizes=(), max_iter=1)
            ),
            "AutoencoderOutlierDetector",
        ),
    ],
)
@pytest.mark.filterwarnings("ignore:.*:UserWarning")  # of trainings so short
def test_what_needs_torch_is_refused_by_name(make, name):
    X, _ = make_blobs(60, 16, random_state=0)
    content, arrays = written(make().fit(X))
    with pytest.raises(TypeError, match=rf"{name}\b.*skae\.load.*skae\.to_onnx"):
        interpreted(content, arrays)


def paths(node, path=()):
    """Where all values in a tree are."""
    yield path
    if isinstance(node, list | dict):
        keys = range(len(node)) if isinstance(node, list) else node
        for key in keys:
            yield from paths(node[key], (*path, key))


def changed(content, path, value):
    """The tree with another value at a path."""
    if not path:
        return value
    content = copy.deepcopy(content)
    node = content
    for key in path[:-1]:
        node = node[key]
    if value is paths:  # a value that nobody writes
        del node[path[-1]]
    else:
        node[path[-1]] = value
    return content


JUNK = [
    *(paths, None, True, 0, -1, 2**40, 10**400, 1e300, "x", [], [0], {}, {"tuple": 3}),
    *({"array": "none"}, {"strings": [1]}, {"class": "MLP"}, {"tuple": [2**40] * 3}),
    {"float": "nan"},
]


@pytest.fixture(scope="module", params=[*METHODS, "table", "imputer"])
def hostile(request):
    """Content and arrays of a file, to be changed."""
    if request.param in ("table", "imputer"):
        fitted = AutoencoderTransformer(2, hidden_layer_sizes=(4,), max_iter=1)
        if request.param == "imputer":
            fitted = AutoencoderImputer(fitted)
        table = mixed_table(40, 0)[["n", "text", "day"]]
        return written(fitted.fit(table))
    X, _ = make_blobs(40, 6, random_state=1)
    maps = TopK(2), SoftThreshold(0.1), Sigmoid()
    network = MLP((8, 5), "logistic", tied_weights=True)
    whole = with_random_weights(
        X, code_maps=maps, n_components=3, network=network, loss=Huber()
    )
    return written(whole, request.param)


def test_any_other_content_is_read_or_refused(hostile):
    content, arrays = hostile
    interpreted(content, arrays)
    tracemalloc.start()
    n_refused = 0
    for path in list(paths(content)):
        for value in JUNK:
            try:
                interpreted(changed(content, path, value), arrays)
            except (InvalidFileError, TypeError) as error:
                assert isinstance(error, InvalidFileError) or "skae.load" in str(error)
                n_refused += 1
    assert n_refused > 300
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 2**21


def test_any_other_array_is_read_or_refused(hostile):
    content, arrays = hostile
    # What only training reads, and what columns of tables imply, is not looked at.
    idle = "optimizer", "donors", "layout"
    used = [name for name in arrays if not any(part in name for part in idle)]
    refused = set()
    for name in used:
        array = arrays[name]
        half = array.astype(np.float16)
        for value in (np.full_like(array, np.nan), array[:-1], array[None], half):
            try:
                interpreted(content, {**arrays, name: value})
            except InvalidFileError:
                refused.add(name)
    # Nor is what only the other half reads.
    assert {name for name in used if not name.endswith(("idle", "factor"))} <= refused


def test_arrays_are_used_once(tables):
    """Or a small file could stand for large weights."""
    hidden = (6, 6, 6)
    fitted = skae.AutoencoderTransformer(6, hidden_layer_sizes=hidden, max_iter=1)
    content, arrays = written(fitted.fit(tables))
    weights = content["state"]["model"]["state"]["weights"]["dict"]
    weights["encoder.network.2.weight"] = weights["encoder.network.0.weight"]
    with pytest.raises(InvalidFileError, match="array of its own"):
        interpreted(content, arrays)


@pytest.mark.parametrize(
    "X, error",
    [
        (np.zeros(6), "Expected 2D array, got 1D array instead"),
        (np.zeros((2, 5)), "X has 5 features, but Autoenc.* is expecting 6 features"),
        (np.zeros((0, 6)), "Found array with 0 sample"),
        (np.full((2, 6), -np.inf, np.float32), "Input X contains infinity"),
        (np.full((2, 6), 1e16), "1e\\+16 in magnitude, but .* takes at the most 1e"),
        (np.zeros((2, 6), complex), "complex128"),
        (np.zeros((2, 6), "M8[D]"), "datetime64"),
        ([["a"] * 6], "could not convert string to float"),
    ],
)
def test_rows_are_checked_in_the_words_of_the_estimator(X, error):
    rows, _ = make_blobs(40, 6, random_state=1)
    fitted = with_random_weights(rows, n_components=2, hidden_layer_sizes=(8,))
    model = interpreted(*written(fitted))
    for name in METHODS["save"] - {"inverse_transform"}:
        with pytest.raises(ValueError, match=error):
            getattr(model, name)(X)
    if not np.iscomplexobj(X):
        with pytest.raises(ValueError):
            fitted.transform(X)


def holed(X, seed=0):
    """Rows of which cells are missing, and the first one as a whole."""
    X = X.copy()
    X[np.random.default_rng(seed).random(X.shape) < 0.2] = np.nan
    X[0] = np.nan
    return X


def mixed_table(n_rows, seed):
    """A table of numbers, categories and dates, with some cells missing."""
    rng = np.random.default_rng(seed)
    X = holed(rng.normal(size=(n_rows, 3)), seed) * 50 + 1000
    texts = rng.choice(np.array(["a", "b", "c", None], object), n_rows)
    columns = {
        "n": X[:, 0],
        "text": texts,
        "m": X[:, 1],
        "truth": rng.random(n_rows) > 0.5,
    }
    day = pd.Timestamp("2020-01-01") + pd.to_timedelta(
        rng.integers(0, 900, n_rows), "D"
    )
    return pd.DataFrame({**columns, "day": day, "k": rng.integers(0, 9, n_rows)})


def in_polars(X):
    parts = {name: X[name].to_numpy() for name in X}
    parts["text"] = [v if isinstance(v, str) else None for v in parts["text"]]
    return pl.DataFrame(parts, nan_to_null=True)


def assert_same_tables(found, expected):
    assert type(found) is type(expected)
    if isinstance(found, pl.DataFrame):
        pl.testing.assert_frame_equal(found, expected, rel_tol=1e-5)
    else:
        pd.testing.assert_frame_equal(found, expected, rtol=1e-5, atol=1e-5)


@settings(max_examples=8, deadline=None, database=None, derandomize=True)
@given(
    hidden=st.lists(st.integers(1, 12), max_size=2).map(tuple),
    n_features=st.sampled_from([1, 2, 7, 40, 70]),
    tied_weights=st.booleans(),
    linear_path=st.sampled_from([True, False, "encoder"]),
    maps=st.lists(st.sampled_from([TopK(1), Sigmoid(0.2)]), max_size=1),
    loss=st.sampled_from([SquaredError(), Huber(0.2), LogLoss()]),
    dtype=st.sampled_from([np.float32, np.float64]),
    seed=st.integers(0, 9),
)
def test_rows_with_missing_cells(
    hidden, n_features, tied_weights, linear_path, maps, loss, dtype, seed
):
    """Whether the network was trained with such or not."""
    rng = np.random.default_rng(seed)
    X = rng.uniform(size=(60, n_features)).astype(dtype)
    network = MLP(hidden, "gelu", linear_path, tied_weights)
    for rows in (holed(X, seed), X):
        fitted = AutoencoderTransformer(
            2, network=network, loss=loss, code_map=maps, max_iter=1, random_state=seed
        )
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # trainings so short, codes so wide
            fitted.fit(rows)
        model, new = interpreted(*written(fitted)), holed(X, seed + 1)
        assert_same_results(model, fitted, new)
        assert_close(model.impute(new), fitted.impute(new), 1.0)
        encoder = interpreted(*written(fitted, "save_encoder"))
        if rows is X:
            with pytest.raises(ValueError, match=r"NaN.*only whole transformers do"):
                encoder.transform(new)
        else:
            assert_close(encoder.transform(new), fitted.transform(new), 1.0)


@pytest.mark.parametrize(
    "cls, library",
    [*((cls, pd) for cls in AUTOENCODERS), (AutoencoderTransformer, pl)],
    ids=lambda value: value.__name__,
)
@pytest.mark.parametrize("is_whole", [True, False])
def test_mixed_tables(cls, library, is_whole):
    X, new = mixed_table(80, 0), mixed_table(30, 1)
    if library is pl:
        X, new = in_polars(X), in_polars(new)
    if is_whole:  # the network then knows of no missing cells
        X = X.dropna() if isinstance(X, pd.DataFrame) else X.drop_nulls()
    fitted = cls(2, hidden_layer_sizes=(8,), max_iter=2, random_state=0).fit(X)
    model = interpreted(*written(fitted))
    assert model.n_features_in_ == 6
    codes = fitted.transform(new)
    assert_close(model.transform(new), codes)
    assert_close(model.score_samples(new), fitted.score_samples(new))
    assert_same_tables(model.reconstruct(new), fitted.reconstruct(new))
    assert_same_tables(model.impute(new), fitted.impute(new))
    decoder = interpreted(*written(fitted, "save_decoder"))
    expected = fitted.inverse_transform(codes)
    for part in (model, decoder):
        assert_same_tables(part.inverse_transform(codes), expected)
    encoder = interpreted(*written(fitted, "save_encoder"))
    if is_whole:
        with pytest.raises(ValueError, match="missing cells, or unknown levels"):
            encoder.transform(new)
    else:
        assert_close(encoder.transform(new), codes)
    for wrong, message in ((new[:0], "0 sample"), (new[["n"]], "missing")):
        with pytest.raises(ValueError, match=message):
            model.transform(wrong)


@pytest.mark.filterwarnings("ignore:Skipping features")
@pytest.mark.parametrize("keep_empty_features", [True, False])
def test_imputers(keep_empty_features):
    inner = AutoencoderTransformer(2, hidden_layer_sizes=(8,), max_iter=2)
    imputer = AutoencoderImputer(inner, keep_empty_features=keep_empty_features)
    table = mixed_table(80, 0)
    model = interpreted(*written(imputer.fit(table)))
    assert_same_tables(model.transform(table), imputer.transform(table))
    X = holed(np.random.default_rng(0).normal(size=(60, 5)))
    X[:, 3] = np.nan
    model = interpreted(*written(imputer.fit(X)))
    assert_close(model.transform(X), imputer.transform(X))
    names = model.get_feature_names_out()
    np.testing.assert_array_equal(names, imputer.get_feature_names_out())


def test_the_smallest_units_are_checked():
    rows = np.random.default_rng(0).normal(size=(40, 6)) * 1e-20
    fitted = with_random_weights(rows, n_components=2, hidden_layer_sizes=(8,))
    for model in (fitted, interpreted(*written(fitted))):
        with pytest.raises(ValueError, match="are the units the same"):
            model.transform(rows + 1)
        with pytest.raises(ValueError, match="are the units the same"):
            model.inverse_transform(np.ones((1, 2)))


def test_sparse_rows_are_refused(fitted, table):
    model = interpreted(*written(fitted))
    with pytest.raises(TypeError, match="Sparse data"):
        model.transform(csr_array(table.to_numpy()))


def test_tables(fitted, table):
    model = interpreted(*written(fitted))
    expected = model.transform(table.to_numpy())
    for same in (table, pl.DataFrame(table.to_dict("list")), table.to_numpy().tolist()):
        np.testing.assert_array_equal(model.transform(same), expected)
    with pytest.raises(ValueError, match="must be in the same order"):
        model.transform(table[table.columns[::-1]])
    with pytest.raises(
        ValueError, match=r"unseen at fit time:\n- other\n(.|\n)*missing"
    ):
        model.transform(table.rename(columns={"column 2": "other"}))


def test_scores_need_rows_in_the_bounds_of_the_loss():
    X = np.random.default_rng(0).uniform(size=(40, 6))
    model = interpreted(
        *written(with_random_weights(X, n_components=2, loss="log_loss"))
    )
    model.score_samples(np.ones((1, 6)))
    with pytest.raises(ValueError, match=r"up to 1\.5, but loss='log_loss' needs X in"):
        model.score_samples(np.full((1, 6), 1.5))
    with pytest.raises(ValueError, match=r"down to -0\.5, but loss='log_loss'"):
        model.score_samples(np.full((1, 6), -0.5))


@pytest.mark.parametrize("n_threads", [1, 2, 5])
@pytest.mark.parametrize("n_rows", [1, 8, 65])
def test_chunks_are_all_rows_once(monkeypatch, n_threads, n_rows):
    monkeypatch.setattr(_threads, "_n_cores", lambda: n_threads)
    monkeypatch.setattr(_threads, "one_thread", OfManyThreads())
    times = np.zeros(n_rows, int)

    def count(part):
        times[part] += 1

    _threads.for_each_chunk(count, n_rows, 8)
    np.testing.assert_array_equal(times, 1)

    def fail(part):
        raise MemoryError

    with pytest.raises(MemoryError):
        _threads.for_each_chunk(fail, n_rows, 8)


class OfManyThreads(_threads.OneThread):
    """A BLAS that has five threads."""

    def __init__(self):
        self.n_threads = 5
        self._get, self._set = lambda: self.n_threads, self._change
        self._begin()

    def _change(self, n_threads):
        self.n_threads = n_threads


def test_the_number_of_threads_is_set_back():
    context = OfManyThreads()
    inside, left = threading.Event(), threading.Event()

    def other():
        with context:
            inside.set()
            left.wait()

    thread = threading.Thread(target=other)
    with pytest.raises(KeyError), context as n_outside:
        assert (n_outside, context.n_threads) == (5, 1)
        thread.start()
        inside.wait()
        raise KeyError
    assert context.n_threads == 1  # the other is still inside
    left.set()
    thread.join()
    assert context.n_threads == 5
    context.__enter__()
    context._begin_anew()  # in a process that was forked meanwhile
    assert context.n_threads == 5


ALONE = """
import importlib.util, sys
import numpy as np
import skae.inference

for name in ("torch", "sklearn", "pandas", "scipy"):
    assert importlib.util.find_spec(name) is None, name
with np.load("expected.npz") as expected:
    X, codes = expected["X"], expected["codes"]
    whole = skae.inference.load("whole")
    encoder, decoder = map(skae.inference.load, ("encoder", "decoder"))
    for model in (whole, encoder):
        np.testing.assert_allclose(model.transform(X), codes, atol=1e-5)
    for model in (whole, decoder):
        found = model.inverse_transform(codes)
        np.testing.assert_allclose(found, expected["rows"], atol=1e-5)
    np.testing.assert_allclose(whole.reconstruct(X), expected["rows"], atol=1e-5)
    np.testing.assert_allclose(whole.score_samples(X), expected["scores"], atol=1e-5)
    holed, imputer = expected["holed"], skae.inference.load("imputer")
    found = imputer.transform(holed)
    np.testing.assert_allclose(found, expected["filled"], atol=1e-5)
try:
    skae.inference.load("table")
except ImportError as error:
    assert "pandas, which is not installed" in str(error), error
else:
    raise AssertionError
print("all the same")
"""


def test_nothing_but_numpy_and_safetensors_is_needed(tmp_path):
    X = np.random.default_rng(0).normal(size=(40, 6))
    fitted = with_random_weights(X, n_components=2, hidden_layer_sizes=(8,))
    for save, name in zip(METHODS, ("whole", "encoder", "decoder"), strict=True):
        getattr(fitted, save)(tmp_path / name)
    short = {"hidden_layer_sizes": (8,), "max_iter": 2, "random_state": 0}
    AutoencoderTransformer(2, **short).fit(mixed_table(40, 0)).save(tmp_path / "table")
    imputer = AutoencoderImputer(AutoencoderTransformer(2, **short)).fit(holed(X))
    imputer.save(tmp_path / "imputer")
    np.savez(
        tmp_path / "expected.npz",
        X=X,
        holed=holed(X),
        filled=imputer.transform(holed(X)),
        codes=fitted.transform(X),
        rows=fitted.reconstruct(X),
        scores=fitted.score_samples(X),
    )
    venv.create(tmp_path / "venv", with_pip=False, symlinks=True)
    (site,) = (tmp_path / "venv").glob("[Ll]ib/**/site-packages")
    packages = [Path(package.__file__).parent for package in (np, safetensors, skae)]
    libraries = packages[0].with_name("numpy.libs")
    for package in [*packages, *([libraries] if libraries.exists() else [])]:
        (site / package.name).symlink_to(package, target_is_directory=True)
    python = tmp_path / "venv" / ("Scripts" if sys.platform == "win32" else "bin")
    done = subprocess.run(
        [python / "python", "-I", "-W", "error", "-c", ALONE],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.stdout == "all the same\n", done.stderr
