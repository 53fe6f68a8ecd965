"""Files: what is saved comes back to the bit, and nothing else is ever loaded."""

import io
import json
import os
import pickle
import random
import re
import subprocess
import sys
import time
import tracemalloc
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from conftest import estimator_classes, make_default, tool, transformer_classes
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.model_selection import KFold, TimeSeriesSplit
from sklearn.neighbors import LocalOutlierFactor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from torch import nn

import skae
from skae._files import container
from skae._utils.stored import TABLE
from skae.code_maps import GaussianCode, Sigmoid, SoftThreshold, TopK
from skae.corruptions import Masking
from skae.detection import WindowedDetector
from skae.exceptions import InvalidFileError
from skae.losses import Huber
from skae.networks import MLP, Convolutional
from skae.penalties import L1

ROOT = Path(__file__).parents[1]
AUTOENCODERS = [cls for cls in transformer_classes() if hasattr(cls, "partial_fit")]
SHORT = {"hidden_layer_sizes": (8,), "max_iter": 2, "random_state": 0}
METHODS = (
    "transform",
    "reconstruct",
    "score_samples",
    "predict",
    "decision_function",
    "feature_scores",
)


def saved(save):
    save(file := io.BytesIO())
    return file.getvalue()


def loaded(data, **given):
    return skae.load(io.BytesIO(data), **given)


def again(fitted, **given):
    return loaded(saved(fitted.save), **given)


def results(fitted, X):
    found = {m: getattr(fitted, m)(X) for m in METHODS if hasattr(fitted, m)}
    if hasattr(fitted, "inverse_transform"):
        found["inverse_transform"] = fitted.inverse_transform(found["transform"])
    return found


def assert_same(first, second, X):
    ours, theirs = results(first, X), results(second, X)
    assert ours.keys() == theirs.keys()
    for name, value in ours.items():
        np.testing.assert_array_equal(value, theirs[name], err_msg=name)


def quick(cls):
    """An estimator of a class with a short training."""
    estimator = make_default(cls)
    names = estimator.get_params()
    short = {"n_components": 3, **SHORT}
    if hasattr(cls, "transform") and "autoencoder" in names:
        short["autoencoder"] = skae.AutoencoderTransformer(3, **SHORT)
    return estimator.set_params(**{k: v for k, v in short.items() if k in names})


class Codebook(nn.Module):
    """Codes are rounded to those of a buffer, which has no gradient."""

    def __init__(self, n_features, n_components):
        super().__init__()
        self.down = nn.Linear(n_features, n_components)
        self.up = nn.Linear(n_components, n_features)
        self.book = nn.Parameter(torch.arange(-3.0, 4.0))

    def encode(self, X):
        code = self.down(X)
        nearest = (code.detach()[..., None] - self.book).abs().argmin(-1)
        return code + (self.book[nearest] - code).detach()

    def decode(self, code):
        return self.up(code)


class Other(nn.Module):
    def __init__(self, n_features, n_components):
        super().__init__()
        self.inner = nn.Linear(n_features, n_components)
        self.outer = nn.Linear(n_components, n_features)

    def encode(self, X):
        return self.inner(X)

    def decode(self, code):
        return self.outer(code)


# What comes back


@pytest.mark.parametrize("cls", estimator_classes())
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_every_estimator_comes_back_to_the_bit(cls, dtype, tables):
    X = tables.astype(dtype)
    fitted = quick(cls).fit(X)
    other = again(fitted)
    assert type(other) is cls
    assert repr(other.get_params()) == repr(fitted.get_params())
    assert vars(other).keys() == vars(fitted).keys()
    assert_same(fitted, other, X)


@pytest.mark.parametrize("cls", AUTOENCODERS)
def test_training_goes_on_to_the_bit(cls, tables):
    fitted = quick(cls).fit(tables).partial_fit(tables)
    other = again(fitted)
    assert_same(fitted.partial_fit(tables), other.partial_fit(tables), tables)
    assert other.loss_curve_ == fitted.loss_curve_
    assert other.net_.history == fitted.net_.history


@pytest.mark.parametrize("cls", estimator_classes())
def test_names_and_output_come_back(cls, tables):
    X = pd.DataFrame(tables, columns=list("abcdef"))
    fitted = quick(cls).fit(X)
    if hasattr(fitted, "set_output"):
        fitted.set_output(transform="pandas")
    other = again(fitted)
    assert_same(fitted, other, X)
    assert list(other.feature_names_in_) == list(X.columns)
    if hasattr(other, "transform"):
        assert isinstance(other.transform(X), pd.DataFrame)
    with pytest.raises(ValueError, match="feature names"):
        results(other, X[X.columns[::-1]])


PARTS = {
    "tied": {"network": MLP((8,), tied_weights=True)},
    "dropout": {"network": MLP((8, 4), dropout=0.2, activation="relu")},
    "linear": {"hidden_layer_sizes": ()},
    "array": {"hidden_layer_sizes": np.array([8, 4])},
    "image": {"network": Convolutional((2, 3), channels=3)},
    "image_no_path": {"network": Convolutional((3, 2, 1), 3, linear_path=False)},
    "maps": {"code_map": [SoftThreshold(0.1), TopK(2)]},
    "neutral_map": {"code_map": TopK(3)},
    "sigmoid": {"code_map": Sigmoid(start=0.3)},
    "gaussian": {"code_map": GaussianCode()},
    "parts": {"loss": Huber(0.3), "penalty": L1(0.1), "corruption": Masking(0.3)},
    "infinite": {"tol": np.float64(0.0), "learning_rate": np.float32(0.01)},
    "random": {"random_state": np.random.RandomState(3)},
}


@pytest.mark.parametrize("params", PARTS.values(), ids=PARTS)
def test_every_part_comes_back(params, tables):
    fitted = skae.AutoencoderTransformer(3, **(SHORT | params)).fit(tables)
    other = again(fitted)
    assert_same(fitted, other, tables)
    assert_same(fitted.partial_fit(tables), other.partial_fit(tables), tables)
    refitted = [clone(e).fit(tables) for e in (fitted, other)]
    assert_same(*refitted, tables)


@pytest.mark.parametrize("method", ["combined", "neighbors", "error"])
@pytest.mark.parametrize("cv", [2, KFold(3), TimeSeriesSplit(3), "pairs"])
def test_detectors_come_back_with_their_folds(method, cv, tables):
    inner = skae.AutoencoderTransformer(2, **SHORT)
    cv = [tuple(np.arange(60).reshape(2, 30))] if cv == "pairs" else cv
    fitted = skae.AutoencoderOutlierDetector(inner, method=method, cv=cv).fit(tables)
    other = again(fitted)
    assert_same(fitted, other, tables)
    assert other.threshold(0.2) == fitted.threshold(0.2)


def test_state_after_changed_parameters_comes_back(tables):
    fitted = skae.AutoencoderTransformer(3, **SHORT).fit(tables)
    fitted.set_params(hidden_layer_sizes=(5,), n_components=2, loss="huber")
    assert_same(fitted, again(fitted), tables)


def test_the_same_fit_makes_the_same_bytes(tables):
    fitted = skae.AutoencoderTransformer(3, **SHORT).fit(tables)
    assert saved(fitted.save) == saved(again(fitted).save)


def test_unfitted_and_foreign_objects_are_not_saved(tables, tmp_path):
    path = tmp_path / "a.skae"
    for cls in estimator_classes():
        with pytest.raises(NotFittedError):
            make_default(cls).save(path)
    watch = WindowedDetector(LocalOutlierFactor(novelty=True), length=2).fit(tables)
    with pytest.raises(TypeError, match=r"LocalOutlierFactor.*skops"):
        watch.save(path)
    fitted = skae.AutoencoderTransformer(3, **SHORT).fit(tables)
    fitted.note_ = "mine"
    with pytest.raises(TypeError, match="'note_' of your own"):
        fitted.save(path)
    assert not list(tmp_path.iterdir())


# What users wrote


def test_networks_of_ones_own_are_passed_again(tables):
    fitted = skae.AutoencoderTransformer(3, network=Codebook, max_iter=2).fit(tables)
    data = saved(fitted.save)
    assert_same(fitted, loaded(data, network=Codebook), tables)
    with pytest.raises(TypeError, match=r"network= \(it was Codebook\)"):
        loaded(data)
    with pytest.raises(InvalidFileError, match="another one than was saved"):
        loaded(data, network=Other)
    with pytest.raises(TypeError, match="penalty"):
        loaded(data, network=Codebook, penalty=None)
    with pytest.raises(InvalidFileError):
        loaded(data, network=3)


def test_functions_and_callbacks_are_passed_again(tables):
    def penalty(network, X, code, output):
        return code.abs().mean()

    fitted = skae.AutoencoderTransformer(
        3,
        penalty=penalty,
        code_map=[TopK(2), lambda n_components: nn.Tanh()],
        **SHORT,
    ).fit(tables)
    given = {"penalty": penalty, "code_map": fitted.code_map}
    other = again(fitted, **given)
    assert_same(fitted, other, tables)
    assert_same(fitted.partial_fit(tables), other.partial_fit(tables), tables)
    with pytest.raises(TypeError, match=r"code_map= .*penalty= |penalty= .*code_map= "):
        again(fitted)


@pytest.mark.parametrize("later", [{"network": None}, {"network": MLP()}])
def test_what_was_fitted_is_asked_for_and_not_todays_parameters(later, tables):
    own = {"network": Other, "penalty": lambda network, X, code, output: code.mean()}
    fitted = skae.AutoencoderTransformer(3, max_iter=2, **own).fit(tables)
    fitted.set_params(penalty=None, **later)
    other = again(fitted, **own)
    assert_same(fitted, other, tables)
    assert other.penalty is None
    assert_same(fitted.partial_fit(tables), other.partial_fit(tables), tables)
    with pytest.raises(TypeError, match="network"):
        again(fitted)


def test_subclasses_of_ones_own_say_that_they_are_not_saved(tables):
    class Mine(skae.AutoencoderTransformer):
        pass

    fitted = Mine(3, **SHORT).fit(tables)
    with pytest.raises(TypeError, match="Mine is a class of your own"):
        fitted.save(io.BytesIO())


def test_names_of_what_is_missing_are_those_of_nested_parameters(tables):
    inner = skae.AutoencoderTransformer(2, network=Other, max_iter=2)
    detector = skae.AutoencoderOutlierDetector(inner, cv=KFold(2))
    watch = WindowedDetector(detector, length=2).fit(tables)
    given = {"detector__autoencoder__network": Other}
    assert_same(watch, again(watch, **given), tables)
    with pytest.raises(TypeError, match="detector__autoencoder__network="):
        again(watch)


# Halves


HALVES = {k: v for k, v in PARTS.items() if k not in ("random", "infinite")}


@pytest.mark.parametrize("params", HALVES.values(), ids=HALVES)
def test_halves_are_the_whole_apart(params, tables):
    whole = skae.AutoencoderTransformer(3, **(SHORT | params)).fit(tables)
    encoder = loaded(saved(whole.save_encoder))
    decoder = loaded(saved(whole.save_decoder))
    codes = encoder.transform(tables)
    np.testing.assert_array_equal(codes, whole.transform(tables))
    np.testing.assert_array_equal(
        decoder.inverse_transform(codes), whole.inverse_transform(codes)
    )
    assert not hasattr(encoder, "inverse_transform")
    assert not hasattr(decoder, "transform")
    assert encoder.pairing_id_ == decoder.pairing_id_
    other = loaded(saved(encoder.save))
    np.testing.assert_array_equal(other.transform(tables), codes)


@pytest.mark.parametrize("cls", AUTOENCODERS)
def test_halves_of_every_estimator(cls, tables):
    X = pd.DataFrame(tables.astype(np.float32), columns=list("abcdef"))
    whole = quick(cls).fit(X).set_output(transform="pandas")
    encoder = loaded(saved(whole.save_encoder))
    decoder = loaded(saved(whole.save_decoder))
    pd.testing.assert_frame_equal(encoder.transform(X), whole.transform(X))
    names = [list(part.get_feature_names_out()) for part in (encoder, whole)]
    assert names[0] == names[1]
    codes = encoder.transform(X).to_numpy()
    assert codes.dtype == np.float32
    np.testing.assert_array_equal(
        decoder.inverse_transform(codes), whole.inverse_transform(codes)
    )


def test_halves_hold_no_weights_of_the_other(tables):
    whole = skae.AutoencoderTransformer(3, **SHORT).fit(tables)
    for save, other in (
        (whole.save_encoder, "decoder."),
        (whole.save_decoder, "encoder."),
    ):
        arrays = container.loads(saved(save)).arrays
        assert any("weight" in name for name in arrays)
        assert not any(f"weights.{other}" in name for name in arrays)


class Rare(Other):
    """What it reads depends on the rows."""

    def __init__(self, n_features, n_components):
        super().__init__(n_features, n_components)
        self.rare = nn.Linear(n_features, n_components)

    def encode(self, X):
        is_far = X.abs().amax(1, keepdim=True) > 3
        if is_far.any():
            return torch.where(is_far, self.rare(X), self.inner(X))
        return self.inner(X)


@pytest.mark.parametrize("network", [Codebook, Rare])
def test_halves_of_networks_of_ones_own_keep_all_that_they_may_read(network, tables):
    whole = skae.AutoencoderTransformer(3, network=network, max_iter=5).fit(tables)
    X = np.r_[tables, 100 * tables]
    encoder = loaded(saved(whole.save_encoder), network=network)
    np.testing.assert_array_equal(encoder.transform(X), whole.transform(X))


def test_halves_of_other_fits_have_other_ids(tables):
    whole = skae.AutoencoderTransformer(3, **SHORT).fit(tables)
    first = loaded(saved(whole.save_encoder)).pairing_id_
    whole.partial_fit(tables)
    assert loaded(saved(whole.save_decoder)).pairing_id_ != first


def test_halves_work_in_pipelines(tables):
    scaler = StandardScaler().fit(tables)
    whole = skae.AutoencoderTransformer(3, **SHORT).fit(scaler.transform(tables))
    encoder = loaded(saved(whole.save_encoder))
    decoder = loaded(saved(whole.save_decoder))
    sender = make_pipeline(scaler, encoder).fit(tables)
    np.testing.assert_array_equal(
        sender.transform(tables), whole.transform(scaler.transform(tables))
    )
    receiver = make_pipeline(scaler, decoder)
    codes = sender.transform(tables)
    np.testing.assert_array_equal(
        receiver.inverse_transform(codes),
        scaler.inverse_transform(whole.inverse_transform(codes)),
    )
    other = clone(encoder).set_output(transform="pandas")
    other.set_params(transformer__device="cpu")
    np.testing.assert_array_equal(other.transform(tables), encoder.transform(tables))
    assert isinstance(encoder.transform(tables), np.ndarray)
    assert encoder.get_params()["transformer__device"] == "auto"
    with pytest.raises(ValueError, match="only 'transformer__device'"):
        encoder.set_params(transformer__n_components=2)
    assert "AutoencoderTransformer" in repr(encoder)


# Writing


WRITER = """
import sys
from skae._files.container import write_atomically
path, *sources = sys.argv[1:]
contents = [open(source, "rb").read() for source in sources]
print("ready", flush=True)
while True:
    for content in contents:
        write_atomically(path, content)
"""


def test_a_killed_save_leaves_one_file_or_the_other(tmp_path):
    rng = random.Random(0)
    contents = [bytes([i]) * 3_000_000 for i in (1, 2)]
    sources = [tmp_path / f"source{i}" for i in (1, 2)]
    for source, content in zip(sources, contents, strict=True):
        source.write_bytes(content)
    path = tmp_path / "model.skae"
    path.write_bytes(contents[0])
    for _ in range(12):
        command = [sys.executable, "-c", WRITER, path, *sources]
        with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
            assert process.stdout.readline() == b"ready\n"
            time.sleep(rng.uniform(0, 0.03))
            process.kill()
        assert path.read_bytes() in contents


def test_a_class_for_any_other_one_is_refused_or_works(valid):
    """Each object's class in a file, replaced by each one of the table."""
    fuzz, X = tool("fuzz"), np.random.default_rng(0).normal(size=(30, 4))
    content, arrays, _ = container.loads(valid)
    places = [place for place in fuzz.places(content) if place[1] == "class"]
    assert len(places) > 5
    for parent, key in places:
        own = parent[key]
        for name in TABLE:
            parent[key] = name
            data = container.dumps(content, arrays, {})
            assert fuzz.surprise(data, X, measures=False) is None, (own, name)
        parent[key] = own


FULL = """
import resource, signal, sys
from skae._files.container import write_atomically
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))
try:
    write_atomically(sys.argv[1], bytes(100_000))
except OSError:
    print("refused")
"""


@pytest.mark.skipif(sys.platform == "win32", reason="limits of files are of POSIX")
def test_a_full_disk_leaves_the_old_file(tmp_path):
    path = tmp_path / "model.skae"
    path.write_bytes(b"old")
    command = [sys.executable, "-c", FULL, path]
    done = subprocess.run(command, capture_output=True, text=True, timeout=100)
    assert done.stdout == "refused\n", done.stderr
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


INTERRUPTED = """
import signal, sys, time
from skae._files.container import write_atomically
def interrupt(*args): raise KeyboardInterrupt
signal.signal(signal.SIGALRM, interrupt)
write_atomically(sys.argv[1], bytes(1000))
end = time.monotonic() + 2
while time.monotonic() < end:
    try:
        signal.setitimer(signal.ITIMER_REAL, 0.0004)
        while True:
            write_atomically(sys.argv[1], bytes(1000))
    except KeyboardInterrupt:
        pass
"""


@pytest.mark.skipif(sys.platform == "win32", reason="timers are of POSIX")
def test_an_interrupted_save_leaves_nothing_behind(tmp_path):
    path = tmp_path / "model.skae"
    command = [sys.executable, "-c", INTERRUPTED, path]
    subprocess.run(command, check=True, capture_output=True, timeout=100)
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.skipif(sys.platform == "win32", reason="pipes with names are of POSIX")
def test_pipes_are_neither_read_nor_replaced(tables, tmp_path):
    path = tmp_path / "pipe"
    os.mkfifo(path)
    fitted = skae.AutoencoderTransformer(2, **SHORT).fit(tables)
    with pytest.raises(OSError, match="Not a file"):
        fitted.save(path)
    with pytest.raises(InvalidFileError, match="not a regular file"):
        skae.load(path)
    assert path.is_fifo()


def test_parameters_that_cannot_be_loaded_are_not_saved(tables):
    fitted = skae.AutoencoderTransformer(2, **SHORT).fit(tables)
    for save in (fitted.save, fitted.save_encoder):
        fitted.set_params(max_iter=-1)
        with pytest.raises(ValueError, match="max_iter"):
            save(io.BytesIO())


def test_files_in_the_wrong_mode_are_told_apart(tables, tmp_path):
    fitted = skae.AutoencoderTransformer(2, **SHORT).fit(tables)
    fitted.save(tmp_path / ("\U0001f600" * 60))  # of 240 bytes
    with pytest.raises(TypeError, match="mode 'rb'"):
        skae.load(io.StringIO("text"))
    with pytest.raises(InvalidFileError, match=r"seek\(0\)"):
        skae.load(io.BytesIO())


def test_paths_of_all_kinds(tables, tmp_path, monkeypatch):
    fitted = skae.AutoencoderTransformer(2, **SHORT).fit(tables)
    monkeypatch.chdir(tmp_path)
    fitted.save("plain.skae")
    os.chmod("plain.skae", 0o640)
    os.symlink("plain.skae", "link.skae")
    fitted.partial_fit(tables).save(Path("link.skae"))
    assert Path("link.skae").is_symlink()
    assert os.stat("plain.skae").st_mode & 0o777 == 0o640
    assert_same(fitted, skae.load("plain.skae"), tables)
    assert sorted(os.listdir()) == ["link.skae", "plain.skae"]
    for path in ("nowhere/a.skae", tmp_path):
        with pytest.raises(OSError):
            fitted.save(path)
    with pytest.raises(FileNotFoundError):
        skae.load("nowhere.skae")
    with pytest.raises(InvalidFileError, match="not a regular file"):
        skae.load(os.devnull)


# Hostile files


@pytest.fixture(scope="module")
def valid():
    X = np.random.default_rng(0).normal(size=(30, 4))
    return saved(skae.AutoencoderTransformer(2, **SHORT).fit(X).save)


def test_pickles_are_refused_and_not_run(tmp_path):
    class Harmful:
        def __reduce__(self):
            return os.mkdir, (str(tmp_path / "harm"),)

    for data in (pickle.dumps(Harmful()), saved(lambda f: torch.save(Harmful(), f))):
        with pytest.raises(InvalidFileError):
            loaded(data)
    with pytest.raises(InvalidFileError, match="a pickle, which is never loaded"):
        loaded(pickle.dumps(Harmful()))
    assert not list(tmp_path.iterdir())


def test_cut_off_files_are_refused(valid):
    for end in range(0, len(valid), 64):
        with pytest.raises(InvalidFileError):
            loaded(valid[:end])
    with pytest.raises(InvalidFileError):
        loaded(valid + b"\0")


def test_a_changed_byte_is_refused(valid):
    rng = random.Random(0)
    for at in [*range(300), *rng.sample(range(len(valid)), 500)]:
        changed = bytearray(valid)
        changed[at] ^= 1 << rng.randrange(8)
        with pytest.raises(InvalidFileError):
            loaded(bytes(changed))


def edited(valid, edit):
    """A file whose content and arrays were edited, and then sealed."""
    content, arrays, _ = container.loads(valid)
    edit(content, arrays)
    return container.dumps(content, arrays, {})


def model_of(content):
    return content["state"]["model"]["state"]


def set_to(place, name, value):
    def edit(content, arrays):
        place(content)[name] = value

    return edit


def first_weight(arrays):
    return next(name for name in arrays if "weights" in name)


def nan_weight(content, arrays):
    arrays[first_weight(arrays)].flat[0] = np.nan


def other_shape(content, arrays):
    arrays[first_weight(arrays)] = np.zeros((3, 3), np.float32)


def left_over(content, arrays):
    arrays["more"] = np.zeros(3)


def used_twice(content, arrays):
    weights = model_of(content)["weights"]["dict"]
    first, second, *_ = weights
    del arrays[weights[second]["array"]]
    weights[second] = weights[first]


def state_of(content):
    return content["state"]


def recipe_of(content):
    return model_of(content)["recipe"]["state"]


HUGE = {"class": "MLP", "parameters": {"hidden_layer_sizes": [10**12, 10**12]}}
LONG = {"class": "MLP", "parameters": {"hidden_layer_sizes": [1] * 100_000}}
EDITS = {
    "class": set_to(lambda c: c, "class", "os.system"),
    "abstract": set_to(recipe_of, "loss", {"class": "Loss", "parameters": {}}),
    "kind": set_to(recipe_of, "loss", {"class": "TopK", "parameters": {}}),
    "network": set_to(recipe_of, "network", {"class": "Network", "parameters": {}}),
    "huge": set_to(recipe_of, "network", HUGE),
    "long": set_to(recipe_of, "network", LONG),
    "components": set_to(model_of, "n_components", 10**15),
    "negative": set_to(model_of, "n_components", -1),
    "seed": set_to(model_of, "seed", 2**64),
    "scaling": set_to(model_of, "scaling", None),
    "parameter": set_to(lambda c: c["parameters"], "max_iter", "many"),
    "more_parameters": set_to(lambda c: c["parameters"], "command", "rm"),
    "attribute": set_to(state_of, "__class__", "Model"),
    "width": set_to(state_of, "n_features_in_", 5),
    "history": set_to(state_of, "history", 3),
    "names": set_to(state_of, "feature_names_in_", {"strings": ["a"]}),
    "not_texts": set_to(state_of, "feature_names_in_", {"strings": [1, 2, 3, 4]}),
    "number": set_to(state_of, "pca_loss_", {"float": "nan"}),
    "tag": set_to(state_of, "pca_loss_", {"import": "os"}),
    "missing": lambda content, arrays: content["state"].pop("model"),
    "nan": nan_weight,
    "shape": other_shape,
    "left_over": left_over,
    "twice": used_twice,
}


@pytest.mark.parametrize("edit", EDITS.values(), ids=EDITS)
def test_sealed_but_wrong_files_are_refused(edit, valid):
    data = edited(valid, edit)
    tracemalloc.start()
    with pytest.raises(InvalidFileError):
        loaded(data)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 20 * len(data) + 2**23


def with_header(valid, change):
    """A file with another header in safetensors' own form, sealed."""
    length = int.from_bytes(valid[:8], "little")
    text = change(valid[8 : 8 + length].decode().rstrip()).encode()
    return container.sealed(
        len(text).to_bytes(8, "little") + text + valid[8 + length :]
    )


def entry(change):
    """Changes the first array's entry in a header."""

    def changed(text):
        header = json.loads(text)
        name = next(name for name in header if name != "__metadata__")
        change(header, name)
        return json.dumps(header, separators=(",", ":"))

    return changed


HEADERS = {
    "negative": entry(lambda h, n: h[n].update(shape=[-1])),
    "huge": entry(lambda h, n: h[n].update(shape=[2**62, 2**62])),
    "mismatched": entry(lambda h, n: h[n].update(shape=[1, 1])),
    "overlapping": entry(lambda h, n: h[n].update(data_offsets=[0, 8])),
    "past_the_end": entry(lambda h, n: h[n].update(data_offsets=[0, 2**50])),
    "unknown_dtype": entry(lambda h, n: h[n].update(dtype="OBJ")),
    "no_dtype": entry(lambda h, n: h[n].pop("dtype")),
    "path_like": entry(lambda h, n: h.update({"../../etc/passwd": h.pop(n)})),
    "duplicate": lambda text: text[:-1] + "," + text[text.index('},"') + 2 :],
    "deep": lambda text: text[:-1] + ',"a":' + "[" * 20_000 + "]" * 20_000 + "}",
    "no_json": lambda text: text[:-1],
    "nan": lambda text: text[:-1] + ',"a":NaN}',
    "version": lambda text: text.replace(
        f'\\"format\\":{container.FORMAT}', f'\\"format\\":{container.FORMAT + 1}'
    ),
    "no_content": lambda text: text.replace('\\"content\\":', '\\"contents\\":'),
}


@pytest.mark.parametrize("change", HEADERS.values(), ids=HEADERS)
def test_sealed_files_with_wrong_headers_are_refused(change, valid):
    data = with_header(valid, change)
    assert data != valid
    with pytest.raises(InvalidFileError):
        loaded(data)


def test_a_header_longer_than_the_file_is_refused(valid):
    for length in (len(valid), 2**40, 2**63):
        changed = length.to_bytes(8, "little") + valid[8:]
        with pytest.raises(InvalidFileError):
            loaded(container.sealed(changed))


def test_versions_yet_unknown_are_told_what_to_do(valid):
    data = with_header(valid, HEADERS["version"])
    with pytest.raises(InvalidFileError, match="update skae"):
        loaded(data)


def test_mutated_files_are_refused_or_work():
    fuzz, rng = tool("fuzz"), random.Random(0)
    valid, X = fuzz.files(), fuzz.rows()
    for i in range(400):
        with np.errstate(all="ignore"):
            data = fuzz.mutated(rng.choice(valid), rng)
        assert fuzz.surprise(data, X, measures=i % 10 == 0) is None


def random_state_of(fitted):
    content, arrays, _ = container.loads(saved(fitted.save))
    return content, arrays, content["parameters"]["random_state"]


@pytest.mark.parametrize("pos", [-3, 625, 700, 2**31 - 1, -(2**31), 1.5, None])
def test_generators_read_no_memory_but_their_own(pos, tables):
    params = SHORT | {"random_state": np.random.RandomState(0)}
    fitted = skae.AutoencoderTransformer(2, **params).fit(tables)
    content, arrays, node = random_state_of(fitted)
    node["state"]["dict"]["state"]["dict"]["pos"] = pos
    with pytest.raises(InvalidFileError, match="RandomState"):
        loaded(container.dumps(content, arrays, {}))


ODD_NODES = [
    {"float": []},
    {"float": {}},
    {"class": "RandomState", "state": {"given": "x"}},
    {"class": "RandomState", "state": []},
    {"class": "RandomState", "state": {"dict": {"state": {"dict": {}}}}},
    [{"class": "SquaredError"}] * 20_000,
]


@pytest.mark.parametrize("node", ODD_NODES, ids=range(len(ODD_NODES)))
def test_odd_nodes_are_refused(node, valid):
    data = edited(valid, set_to(lambda c: c["parameters"], "random_state", node))
    with pytest.raises(InvalidFileError):
        loaded(data)


def test_state_that_would_fail_later_is_refused(tables):
    fitted = skae.AutoencoderTransformer(2, **SHORT).fit(tables).partial_fit(tables)
    data = saved(fitted.save)
    for edit in (
        lambda c, a: model_of(c)["optimizer_state"]["items"][0][1]["dict"].pop("step"),
        lambda c, a: state_of(c)["history"][0]["dict"].pop("train_loss"),
        lambda c, a: state_of(c)["history"][0]["dict"].update(valid_loss="low"),
    ):
        content, arrays, _ = container.loads(data)
        edit(content, arrays)
        kept = set(re.findall(r'"array": "([^"]*)"', json.dumps(content)))
        arrays = {name: array for name, array in arrays.items() if name in kept}
        with pytest.raises(InvalidFileError):
            loaded(container.dumps(content, arrays, {}))


# Files for ever


STORED = sorted((ROOT / "tests" / "data").glob("*.skae"))


@pytest.mark.parametrize("path", STORED, ids=lambda path: path.stem)
def test_files_of_earlier_versions_load(path):
    expected = np.load(path.with_suffix(".npz"))
    loaded, stored = skae.load(path), tool("stored_files")
    given = dict(expected) | {"X": stored.rows_for(loaded, expected["X"])}
    called = [name for name in expected.files if name in stored.METHODS]
    assert called
    for name in called:
        result = getattr(loaded, name)(given[stored.METHODS[name]])
        found = stored.as_numbers(loaded, result)
        np.testing.assert_allclose(found, expected[name], rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("number", range(1, container.FORMAT + 1))
def test_names_in_files_of_every_format_are_known(number):
    """All that they may hold is still there, and nothing new is required of them."""
    path = ROOT / "tests" / "data" / f"schema_{number}.json"
    earlier = json.loads(path.read_text())
    now = tool("stored_files").schema()
    for name, entry in earlier.items():
        assert set(entry["parameters"]) <= set(now[name]["parameters"]), name
        assert set(entry["state"]) <= set(now[name]["state"]), name
        required = {field for field, is_so in now[name]["state"].items() if is_so}
        assert required <= {f for f, is_so in entry["state"].items() if is_so}, name


def test_all_that_files_hold_is_in_the_schema():
    """Or it was added without a new format: run tools/stored_files.py for that."""
    latest = ROOT / "tests" / "data" / f"schema_{container.FORMAT}.json"
    assert json.loads(latest.read_text()) == tool("stored_files").schema()


def test_earlier_formats_are_read_by_way_of_later_ones(valid, monkeypatch):
    """A format in which the model was called network."""
    content, arrays, _ = container.loads(valid)
    content["state"]["network"] = content["state"].pop("model")
    earlier = container.dumps(content, arrays, {})

    def upgrade(content, arrays):
        content["state"]["model"] = content["state"].pop("network")
        return content, arrays

    monkeypatch.setitem(container._UPGRADES, container.FORMAT, upgrade)
    monkeypatch.setattr(container, "FORMAT", container.FORMAT + 1)
    X = np.random.default_rng(0).normal(size=(30, 4))
    assert loaded(earlier).transform(X).shape == (30, 2)


def test_newer_files_say_who_wrote_them(valid):
    def edit(content, arrays):
        content["parameters"]["new"] = 1

    content, arrays, versions = container.loads(edited(valid, edit))
    data = container.dumps(content, arrays, versions | {"skae": "9.0"})
    with pytest.raises(InvalidFileError, match=r"written by skae 9\.0.*update"):
        loaded(data)


def test_each_file_loads_first_in_a_fresh_process(tmp_path):
    code = "import sys, skae; print(type(skae.load(sys.argv[1])).__name__)"
    for name in ("codec", "windows"):
        path = ROOT / "tests" / "data" / f"{name}_1.skae"
        command = [sys.executable, "-c", code, path]
        done = subprocess.run(command, capture_output=True, text=True, timeout=200)
        assert done.returncode == 0, done.stderr


def test_every_estimator_has_a_file():
    classes = {type(skae.load(path)).__name__ for path in STORED}
    assert {cls.__name__ for cls in estimator_classes()} <= classes


# Whole Pipelines


def test_skops_saves_whole_pipelines_and_trusts_skae_alone(tables):
    io_of_skops = pytest.importorskip("skops.io")
    transformer = skae.AutoencoderTransformer(2, **SHORT)
    detector = skae.AutoencoderOutlierDetector(random_state=0)
    for last in (transformer, detector):
        pipeline = make_pipeline(StandardScaler(), last).fit(tables)
        data = io_of_skops.dumps(pipeline)
        unknown = io_of_skops.get_untrusted_types(data=data)
        assert all(name.startswith("skae.") for name in unknown)
        other = io_of_skops.loads(data, trusted=unknown)
        assert_same(pipeline, other, tables)
