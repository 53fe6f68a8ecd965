"""ONNX files agree with the estimators that they were made of."""

import json
import logging
import random
import re
import sys
from functools import cache

import numpy as np
import onnx
import onnxruntime
import pandas as pd
import pytest
import skl2onnx
import torch
from conftest import SHORT, transformer_classes
from sklearn.compose import ColumnTransformer
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from torch import nn

import skae
from skae import code_maps, networks
from skae._onnx import graph
from skae.detection import WindowedDetector
from skae.losses._losses import LOSSES
from skae.networks._layers import ACTIVATIONS

AUTOENCODERS = [cls for cls in transformer_classes() if hasattr(cls, "partial_fit")]
METHODS = {
    "encoder": "transform",
    "decoder": "inverse_transform",
    "reconstruct": "reconstruct",
    "score": "score_samples",
}
SMALL = {**SHORT, "hidden_layer_sizes": (8,), "max_iter": 2, "random_state": 0}


@cache
def rows():
    """Rows (90, 6) in [0, 1], float32."""
    rng = np.random.default_rng(0)
    rows = rng.normal(size=(90, 3)) @ rng.normal(size=(3, 6))
    rows = rows + 0.3 * rng.normal(size=(90, 6))
    low, high = rows.min(axis=0), rows.max(axis=0)
    return ((rows - low) / (high - low)).astype(np.float32)


@cache
def fitted(cls=skae.AutoencoderTransformer, **params):
    """An estimator fitted to the rows, once for each choice of parameters."""
    params = {**SMALL, **params}
    if "network" in params:
        params.pop("hidden_layer_sizes")
    return cls(**params).fit(rows())


def session_of(model):
    return onnxruntime.InferenceSession(
        model.SerializeToString(), providers=["CPUExecutionProvider"]
    )


def computed(model, X):
    """All that a model returns for rows, or for codes."""
    session = session_of(model)
    return session.run(None, {session.get_inputs()[0].name: X})


def assert_agree(result, expected, tolerance=1e-5):
    """Equal up to a share of the size of the numbers."""
    assert result.shape == expected.shape
    np.testing.assert_allclose(
        result, expected, rtol=0, atol=tolerance * np.abs(expected).max()
    )


def assert_exports(estimator, part, X):
    """The part of an estimator agrees with the method that it stands for."""
    model = skae.to_onnx(estimator, part=part)
    assert_agree(computed(model, X)[0], getattr(estimator, METHODS[part])(X))
    return model


@pytest.mark.parametrize("part", METHODS)
@pytest.mark.parametrize("cls", AUTOENCODERS, ids=lambda cls: cls.__name__)
def test_every_part_of_every_transformer(cls, part):
    estimator = fitted(cls)
    X = estimator.transform(rows()) if part == "decoder" else rows()
    model = skae.to_onnx(estimator, part=part)
    onnx.checker.check_model(model, full_check=True)
    assert not any(len(tensor.external_data) for tensor in model.graph.initializer)
    session = session_of(model)
    [read], [returned] = session.get_inputs(), session.get_outputs()
    assert (read.name, read.shape[1]) == (
        "codes" if part == "decoder" else "X",
        X.shape[1],
    )
    for n_rows in (1, 2, 7, 90):
        [result] = session.run([returned.name], {read.name: X[:n_rows]})
        assert result.dtype == np.float32
        assert_agree(result, getattr(estimator, METHODS[part])(X[:n_rows]))
    properties = {entry.key: entry.value for entry in model.metadata_props}
    assert properties.pop("class") == f"skae.{cls.__name__}"
    assert properties == {
        "skae_version": skae.__version__,
        "part": part,
        "feature_names_in": json.dumps([f"x{i}" for i in range(6)]),
        "feature_names_out": json.dumps(list(estimator.get_feature_names_out())),
    }


@pytest.mark.parametrize(
    "name", sorted({*code_maps.__all__} - {"CodeMap", "Refinement"})
)
def test_every_code_map(name):
    code_map = getattr(code_maps, name)()
    assert_exports(fitted(code_map=code_map), "encoder", rows())


@pytest.mark.parametrize("loss", LOSSES)
def test_every_loss(loss):
    assert_exports(fitted(loss=loss), "score", rows())


def holed():
    """The rows, with some of their cells missing."""
    X = rows().copy()
    X[np.random.default_rng(0).random(X.shape) < 0.2] = np.nan
    return X


@pytest.mark.parametrize("tied_weights", [False, True])
def test_rows_with_missing_cells(tied_weights):
    network = networks.MLP((8,), tied_weights=tied_weights)
    estimator = skae.AutoencoderTransformer(2, network=network, max_iter=2)
    estimator.fit(holed())
    for part in ("encoder", "reconstruct", "score"):
        assert_exports(estimator, part, holed())
    [first] = computed(skae.to_onnx(estimator), holed()[:1])
    assert_agree(first, estimator.transform(holed()[:1]))


@pytest.mark.parametrize("reads_holes", [True, False])
@pytest.mark.parametrize("keep_empty_features", [True, False])
def test_imputers(reads_holes, keep_empty_features):
    imputer = skae.AutoencoderImputer(
        skae.AutoencoderTransformer(**SMALL), keep_empty_features=keep_empty_features
    )
    X = holed()
    imputer.fit(X if reads_holes else rows())
    model = skae.to_onnx(imputer)
    onnx.checker.check_model(model, full_check=True)
    assert_agree(computed(model, X)[0], imputer.transform(X))
    pipeline = make_pipeline(StandardScaler(), imputer).fit(X)
    [filled] = computed(skl2onnx.to_onnx(pipeline, X[:1]), X)
    assert_agree(filled, pipeline.transform(X))


@pytest.mark.filterwarnings("ignore:Skipping features")
def test_an_imputer_leaves_out_empty_columns():
    X = holed()
    X[:, 2] = np.nan
    imputer = skae.AutoencoderImputer(skae.AutoencoderTransformer(**SMALL)).fit(X)
    assert_agree(computed(skae.to_onnx(imputer), X)[0], imputer.transform(X))


def test_tables_with_categories_are_refused():
    texts = np.where(rows()[:, 1] > 0.5, "high", "low")
    table = pd.DataFrame({"a": rows()[:, 0], "b": texts})
    inner = skae.AutoencoderTransformer(**{**SMALL, "n_components": 1})
    for estimator in (inner, skae.AutoencoderImputer(inner)):
        with pytest.raises(TypeError, match="table with categories"):
            skae.to_onnx(estimator.fit(table))


class Certain(nn.Linear):
    """A network with very large log-odds."""

    def encode(self, X):
        return self(X)

    def decode(self, code):
        return 1000 * code


def test_very_large_log_odds():
    certain = skae.AutoencoderTransformer(
        6, network=Certain, loss="log_loss", max_iter=1, random_state=0
    )
    assert_exports(certain.fit(rows()), "score", rows())


class EveryActivation(nn.Module):
    """A network with all activations, one after the other."""

    def __init__(self, n_features, n_components):
        super().__init__()
        layers = [make() for make in ACTIVATIONS.values()]
        self.encode = nn.Sequential(nn.Linear(n_features, n_components), *layers)
        self.decode = nn.Linear(n_components, n_features)


@pytest.mark.parametrize(
    "network",
    [
        networks.MLP((8,), tied_weights=True, linear_path=False, dropout=0.3),
        networks.MLP(()),
        networks.Convolutional((3, 5, 2), channels=(3, 4), linear_path=False),
        EveryActivation,
    ],
    ids=lambda network: str(network)[:25],
)
def test_every_network(network):
    X = np.tile(rows(), 5) + np.linspace(0, 1, 30, dtype=np.float32)
    estimator = skae.AutoencoderTransformer(2, network=network, max_iter=2).fit(X)
    assert np.ptp(estimator.reconstruct(X), axis=0).all()
    assert_exports(estimator, "reconstruct", X)


def test_a_large_shift_is_subtracted_without_losing_the_data():
    X = rows() * 64 + np.float32(1e6)
    estimator = skae.AutoencoderTransformer(**SMALL).fit(X)
    assert_exports(estimator, "encoder", X)


def test_rows_and_results_may_be_of_double_precision():
    X, estimator = rows().astype(np.float64), fitted()
    [codes] = computed(skae.to_onnx(estimator, dtype=np.float64), X)
    assert codes.dtype == np.float64
    assert_agree(codes, estimator.transform(X))


def test_the_opset_is_that_asked_for():
    model = skae.to_onnx(fitted(), opset=18)
    assert [(e.domain, e.version) for e in model.opset_import] == [("", 18)]
    assert_agree(computed(model, rows())[0], fitted().transform(rows()))


def test_names_of_columns_are_in_the_file():
    table = pd.DataFrame(rows(), columns=list("abcdef"))
    model = skae.to_onnx(skae.AutoencoderTransformer(**SMALL).fit(table))
    properties = {entry.key: entry.value for entry in model.metadata_props}
    assert json.loads(properties["feature_names_in"]) == list("abcdef")


def test_halves_are_exported_alone(tmp_path):
    fitted().save_encoder(tmp_path / "encoder.skae")
    encoder = skae.load(tmp_path / "encoder.skae")
    assert_exports(encoder, "encoder", rows())
    with pytest.raises(ValueError, match="has 'encoder'\\."):
        skae.to_onnx(encoder, part="decoder")


def test_the_file_holds_the_model(tmp_path):
    path = tmp_path / "encoder.onnx"
    path.write_bytes(b"an earlier one")
    model = skae.to_onnx(fitted(), path)
    assert onnx.load(path) == model
    assert list(tmp_path.iterdir()) == [path]
    written = path.read_bytes()
    assert str(graph.__file__).rpartition("skae")[0].encode() not in written
    skae.to_onnx(fitted(), str(path))
    assert path.read_bytes() == written


def test_nothing_is_said_or_changed(capfd):
    def state():
        loggers = [logging.getLogger(), *map(logging.getLogger, graph._LOGGERS)]
        settings = [(log.level, log.propagate, list(log.handlers)) for log in loggers]
        numbers = str(np.random.get_state()), random.getstate()  # noqa: NPY002
        torch_state = torch.get_rng_state().tolist(), torch.get_default_dtype()
        return settings, numbers, torch_state, torch.is_grad_enabled()

    before, fit = state(), detector("error")
    model = skae.to_onnx(fit)
    torch.set_default_dtype(torch.float64)
    try:
        with torch.inference_mode(), torch.autocast("cpu"):
            again = skae.to_onnx(fit)
    finally:
        torch.set_default_dtype(torch.float32)
    assert state() == before
    assert capfd.readouterr() == ("", "")
    assert again == model


class Unusual(nn.Linear):
    """A network whose code has something to be replaced by a test."""

    unusual = staticmethod(lambda code: code)

    def encode(self, X):
        return self.unusual(self(X))

    def decode(self, code):
        return code


@pytest.mark.parametrize(
    ("unusual", "message"),
    [
        (torch.special.bessel_j0, "uses .*bessel_j0"),
        (lambda code: code if code.sum() > 0 else -code, "data-dependent"),
    ],
    ids=["operation", "decision"],
)
def test_what_onnx_cannot_do_is_named(unusual, message, monkeypatch, capfd):
    estimator = skae.AutoencoderTransformer(6, network=Unusual, max_iter=1).fit(rows())
    monkeypatch.setattr(Unusual, "unusual", staticmethod(unusual))
    with pytest.raises(ValueError, match=message):
        skae.to_onnx(estimator)
    assert capfd.readouterr() == ("", "")


@cache
def detector(method, autoencoder=None):
    autoencoder = autoencoder or skae.AutoencoderTransformer(**SMALL)
    return skae.AutoencoderOutlierDetector(
        autoencoder, method=method, alpha=0.1, random_state=0
    ).fit(rows())


@pytest.mark.parametrize("method", ["error", "neighbors", "combined"])
def test_detectors(method):
    fit = detector(method)
    new = np.random.default_rng(1).normal(0.5, size=(50, 6)).astype(np.float32)
    # References, some of them twice, and rows that are too far away to tell.
    X = np.concatenate([rows(), new, new * 1e3, new + np.float32(1e14)])
    model = skae.to_onnx(fit)
    onnx.checker.check_model(model, full_check=True)
    scores, label = computed(model, X)
    np.testing.assert_allclose(scores, fit.score_samples(X), rtol=1e-5)
    np.testing.assert_array_equal(label, fit.predict(X))
    assert set(label) == {1, -1}
    [score, _] = computed(model, X[:1])
    np.testing.assert_array_equal(score, scores[:1])


@pytest.mark.parametrize("method", ["error", "neighbors", "combined"])
def test_detectors_of_rows_with_missing_cells(method):
    inner = skae.AutoencoderTransformer(**SMALL)
    fit = skae.AutoencoderOutlierDetector(inner, method=method, random_state=0)
    X = holed().astype(np.float32)
    X[3] = np.nan
    scores, label = computed(skae.to_onnx(fit.fit(X)), X)
    np.testing.assert_allclose(scores, fit.score_samples(X), rtol=1e-5, atol=1e-6)
    np.testing.assert_array_equal(label, fit.predict(X))
    assert scores[3] == 0


@pytest.mark.parametrize("method", ["combined", "neighbors", "error"])
def test_detectors_of_a_single_feature(method):
    X = np.random.default_rng(0).normal(size=(60, 1)).astype(np.float32)
    inner = skae.AutoencoderTransformer(1, max_iter=2, random_state=0)
    fit = skae.AutoencoderOutlierDetector(inner, method=method, random_state=0).fit(X)
    scores, _ = computed(skae.to_onnx(fit), X)
    np.testing.assert_allclose(scores, fit.score_samples(X), rtol=1e-5)


def test_a_pipeline_is_converted_with_its_transformers():
    y = (rows()[:, 0] > 0.5).astype(int)
    codes = skae.VariationalAutoencoderTransformer(**SMALL)
    columns = ColumnTransformer(
        [
            ("codes", make_pipeline(StandardScaler(), codes), [0, 2, 4, 5]),
            ("others", "passthrough", [1, 3]),
        ]
    )
    last = skae.SparseAutoencoderTransformer(**SMALL)
    some = ColumnTransformer([("some", "passthrough", [3, 1])])
    pipeline = make_pipeline(columns, last, some, LogisticRegression())
    pipeline.fit(rows(), y)
    model = skl2onnx.to_onnx(pipeline, rows()[:1], options={"zipmap": False})
    onnx.checker.check_model(model, full_check=True)
    for n_rows in (1, 7):
        label, probabilities = computed(model, rows()[:n_rows])
        np.testing.assert_array_equal(label, pipeline.predict(rows()[:n_rows]))
        assert_agree(probabilities, pipeline.predict_proba(rows()[:n_rows]))


def test_a_subclass_may_be_the_last_step_of_a_pipeline():
    class Own(skae.AutoencoderTransformer):
        pass

    pipeline = make_pipeline(StandardScaler(), Own(**SMALL)).fit(rows())
    X = rows().astype(np.float64)
    [codes] = computed(skl2onnx.to_onnx(pipeline, X[:1], target_opset=18), X)
    assert codes.dtype == np.float64
    assert_agree(codes, pipeline.transform(X))


def test_a_pipeline_may_end_in_a_detector():
    pipeline = make_pipeline(StandardScaler(), detector("neighbors")).fit(rows())
    scores, label = computed(skl2onnx.to_onnx(pipeline, rows()[:1]), rows())
    assert_agree(scores, pipeline.score_samples(rows()))
    np.testing.assert_array_equal(label, pipeline.predict(rows()))


def test_unfitted_estimators_are_refused():
    for estimator in (skae.AutoencoderTransformer(), skae.AutoencoderOutlierDetector()):
        with pytest.raises(NotFittedError):
            skae.to_onnx(estimator)


@pytest.mark.parametrize(
    ("estimator", "message"),
    [
        (make_pipeline(StandardScaler()), r"skl2onnx\.to_onnx"),
        (WindowedDetector(), "export its detector_"),
        (StandardScaler(), "a transformer or an AutoencoderOutlierDetector"),
    ],
    ids=lambda value: type(value).__name__,
)
def test_what_is_not_exported_is_said(estimator, message):
    with pytest.raises(TypeError, match=message):
        skae.to_onnx(estimator)


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"part": "latent"}, "'encoder' | 'decoder' | 'reconstruct' | 'score'"),
        ({"dtype": np.int64}, "float32 or float64"),
        ({"opset": 17}, "from 18 to"),
        ({"opset": 10_000}, "from 18 to"),
    ],
    ids=str,
)
def test_wrong_parameters_are_named(params, message):
    with pytest.raises(ValueError, match=re.escape(message)):
        skae.to_onnx(fitted(), **params)


def test_a_detector_has_scores_only():
    with pytest.raises(ValueError, match="AutoencoderOutlierDetector has 'score'"):
        skae.to_onnx(detector("error"), part="encoder")


def test_a_detector_of_other_autoencoders_is_refused():
    class Other(skae.AutoencoderTransformer):
        encoder_ = property()

    other = Other(**SMALL)
    with pytest.raises(TypeError, match="has a Other as autoencoder"):
        skae.to_onnx(detector("error", other))


def test_too_many_weights_leave_the_file_as_it_was(tmp_path, monkeypatch):
    path = tmp_path / "model.onnx"
    path.write_bytes(b"an earlier one")
    monkeypatch.setattr(graph, "_MOST_BYTES", 100)
    with pytest.raises(ValueError, match="a file of ONNX holds 2 GiB"):
        skae.to_onnx(fitted(), path)
    assert path.read_bytes() == b"an earlier one"


def test_missing_packages_name_the_extra(monkeypatch):
    monkeypatch.setitem(sys.modules, "onnxscript", None)
    with pytest.raises(ImportError, match=r"onnxscript: install the extra 'onnx'"):
        skae.to_onnx(fitted())


def test_an_old_pytorch_is_named(monkeypatch):
    monkeypatch.setattr(torch, "__version__", "2.4.1+cpu")
    with pytest.raises(ImportError, match=r"PyTorch 2\.9 or newer, but 2\.4\.1"):
        skae.to_onnx(fitted())
