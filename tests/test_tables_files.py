"""Files of what was fitted to tables and to rows with missing cells."""

import io
import tracemalloc

import numpy as np
import pandas as pd
import polars as pl
import pytest
from conftest import transformer_classes
from pandas.testing import assert_frame_equal
from polars.testing import assert_frame_equal as assert_polars_equal

import skae
import skae.inference
from skae._files import container
from skae.corruptions import Missing
from skae.exceptions import InvalidFileError
from skae.losses import SquaredError
from skae.networks import MLP

AUTOENCODERS = [cls for cls in transformer_classes() if hasattr(cls, "partial_fit")]
SHORT = {"hidden_layer_sizes": (8,), "max_iter": 2, "random_state": 0}
METHODS = "transform", "reconstruct", "score_samples", "impute"


def rows():
    rng = np.random.default_rng(0)
    return rng.normal(size=(60, 3)) @ rng.normal(size=(3, 4))


def holed():
    X = rows()
    X[np.random.default_rng(1).random(X.shape) < 0.15] = np.nan
    return X


def table():
    X = rows()
    texts = np.array(["a", "b", "c"], object)[np.digitize(X[:, 1], [-0.5, 0.5])]
    texts[::7] = None
    return pd.DataFrame(
        {
            "number": holed()[:, 0],
            "text": texts,
            "day": pd.date_range("2021-03-01", periods=60, tz="UTC"),
            "truth": X[:, 2] > 0,
            "level": pd.Categorical.from_codes(np.arange(60) % 3, [10, 20, 30]),
        }
    )


def of_polars():
    X = table()
    texts = [text if isinstance(text, str) else None for text in X["text"]]
    columns = {"text": texts, "truth": X["truth"].tolist()}
    number = X["number"].to_numpy()
    return pl.DataFrame({"number": number, **columns}, nan_to_null=True)


KINDS = {"holed": holed, "pandas": table, "polars": of_polars}


def saved(save):
    save(file := io.BytesIO())
    return file.getvalue()


def loaded(data, **given):
    return skae.load(io.BytesIO(data), **given)


def assert_equal(first, second):
    assert type(first) is type(second)
    if isinstance(first, list):
        for pair in zip(first, second, strict=True):
            assert_equal(*pair)
    elif isinstance(first, pd.DataFrame):
        assert_frame_equal(first, second)
    elif isinstance(first, pl.DataFrame):
        assert_polars_equal(first, second)
    else:
        np.testing.assert_array_equal(first, second)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("cls", AUTOENCODERS)
def test_every_transformer_comes_back_to_the_bit(cls, kind):
    X = KINDS[kind]()
    fitted = cls(2, **SHORT).fit(X)
    other = loaded(saved(fitted.save))
    assert vars(other).keys() == vars(fitted).keys()
    for name in METHODS:
        assert_equal(getattr(fitted, name)(X), getattr(other, name)(X))
    draws = [e.impute(X, draws=2, random_state=0) for e in (fitted, other)]
    assert_equal(*draws)
    codes = fitted.transform(X)
    assert_equal(fitted.inverse_transform(codes), other.inverse_transform(codes))
    assert_equal(*(e.partial_fit(X).transform(X) for e in (fitted, other)))


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("network", [MLP((8,)), MLP((8,), tied_weights=True)])
def test_halves_are_the_whole_apart(network, kind):
    X = KINDS[kind]()
    whole = skae.AutoencoderTransformer(2, network=network, max_iter=2).fit(X)
    encoder, decoder = (
        loaded(saved(s)) for s in (whole.save_encoder, whole.save_decoder)
    )
    codes = whole.transform(X)
    assert_equal(encoder.transform(X), codes)
    assert_equal(decoder.inverse_transform(codes), whole.inverse_transform(codes))
    assert_equal(loaded(saved(encoder.save)).transform(X), codes)
    arrays = {
        save: list(container.loads(saved(getattr(whole, save))).arrays)
        for save in ("save_encoder", "save_decoder")
    }
    assert any("holes.mean" in name for name in arrays["save_encoder"])
    assert not any("holes." in name for name in arrays["save_decoder"])


def test_encoders_alone_say_that_they_cannot_fill():
    whole = skae.AutoencoderTransformer(2, **SHORT).fit(rows())
    encoder = loaded(saved(whole.save_encoder))
    assert_equal(encoder.transform(rows()), whole.transform(rows()))
    with pytest.raises(ValueError, match="only the whole transformer fills"):
        encoder.transform(holed())


@pytest.mark.filterwarnings("ignore:Skipping features")
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("keep_empty_features", [False, True])
def test_imputers_come_back(kind, keep_empty_features):
    X = KINDS[kind]()
    if kind == "holed":
        X[:, 1] = np.nan
    inner = skae.AutoencoderTransformer(2, **SHORT)
    fitted = skae.AutoencoderImputer(inner, keep_empty_features=keep_empty_features)
    fitted.fit(X)
    other = loaded(saved(fitted.save))
    assert_equal(fitted.transform(X), other.transform(X))
    names = [list(e.get_feature_names_out()) for e in (fitted, other)]
    assert names[0] == names[1]


INTEGERS = pd.DataFrame((10 * holed()).round(), columns=list("abcd"))
WITH_NA = {
    "nullable": INTEGERS.astype("Int64"),
    "nullable and others": INTEGERS.astype({"a": "Float32", "b": "Int16"}),
    "objects": INTEGERS.astype(object).where(INTEGERS.notna(), None),
    "polars": pl.DataFrame(
        {
            name: [None if v != v else int(v) for v in INTEGERS[name]]
            for name in INTEGERS
        }
    ),
}


@pytest.mark.parametrize("name", WITH_NA)
def test_files_of_numbers_read_what_libraries_have_for_missing_cells(name):
    X = WITH_NA[name]
    fitted = skae.AutoencoderTransformer(2, **SHORT).fit(X)
    file = io.BytesIO(saved(fitted.save))
    model = skae.inference.load(file)
    for method in ("transform", "score_samples", "reconstruct"):
        found = (getattr(e, method)(X) for e in (model, fitted))
        np.testing.assert_allclose(*found, rtol=1e-4, atol=1e-4)


class Own(SquaredError):
    """A loss of one's own."""


def own_noise(X, generator):
    return 0.9 * X


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    "given", [{"loss": Own()}, {"corruption": own_noise}], ids=["loss", "corruption"]
)
def test_what_users_wrote_is_asked_for_by_one_name(given, kind):
    """Though what they wrote is a part of what was made for tables and holes."""
    X = KINDS[kind]()
    cls = skae.DenoisingAutoencoderTransformer
    fitted = cls(2, **SHORT | given).fit(X)
    data, (name,) = saved(fitted.save), given
    with pytest.raises(TypeError, match=rf"load\(file, \.\.\.\) {name}= \("):
        loaded(data)
    other = loaded(data, **given)
    assert_equal(fitted.score_samples(X), other.score_samples(X))
    assert repr(other._model.recipe) == repr(fitted._model.recipe)
    assert other.net_.history == fitted.net_.history
    assert_equal(*(e.partial_fit(X).transform(X) for e in (fitted, other)))


# Hostile files


@pytest.fixture(scope="module")
def valid():
    params = SHORT | {"corruption": Missing(0.5)}
    fitted = skae.DenoisingAutoencoderTransformer(2, **params).fit(table())
    return saved(fitted.save)


def model_of(content):
    return content["state"]["model"]["state"]


def loss_of(content):
    return model_of(content)["recipe"]["state"]["loss"]["parameters"]


def columns_of(content):
    return content["state"]["columns"]["state"]


def layout_with(name, value):
    """Another array in the layout."""

    def edit(content, arrays):
        node = loss_of(content)["layout"]["state"][name]
        arrays[node["array"]] = value(arrays[node["array"]])

    return edit


def donors_with(name, value):
    """Another array in the donors."""

    def edit(content, arrays):
        node = content["state"]["donors"]["state"][name]
        arrays[node["array"]] = value(arrays[node["array"]])

    return edit


def fewer_donors(content, arrays):
    """Donors of a column less than the model has."""
    for node in content["state"]["donors"]["state"].values():
        arrays[node["array"]] = arrays[node["array"]][1:]


def set_to(place, name, value):
    def edit(content, arrays):
        place(content)[name] = value

    return edit


def without_layout(content, arrays):
    """A loss of numbers alone."""
    for node in loss_of(content)["layout"]["state"].values():
        del arrays[node["array"]]
    recipe = model_of(content)["recipe"]["state"]
    recipe["loss"] = {"class": "SquaredError", "parameters": {}}


def other_dtype(content, arrays):
    columns_of(content)["dtypes"][4]["dict"]["categories"] = [10, 20]


def wrapped(widths):
    """Widths whose sum is that of these, once integers have overflowed."""
    half = np.int64(2**62)
    return np.array([half, half, half, half + widths.sum()])[: len(widths)]


EDITS = {
    "huge_widths": layout_with("widths", lambda w: np.full_like(w, 2**40)),
    "wrapped_widths": layout_with("widths", wrapped),
    "no_widths": layout_with("widths", np.zeros_like),
    "order": layout_with("order", lambda order: order[::-1].copy()),
    "factors": layout_with("factors", lambda factors: -factors),
    "entropies": layout_with("entropies", lambda entropies: 2 * entropies),
    "numbers": set_to(loss_of, "numbers", "squared_error"),
    "of_no_layout": without_layout,
    "library": set_to(columns_of, "library", "os"),
    "names": set_to(columns_of, "names", ["a"]),
    "dtype": set_to(columns_of, "dtypes", [{"dict": {"name": "object"}}] * 5),
    "levels": other_dtype,
    "columns": set_to(columns_of, "columns", []),
    "no_columns": set_to(lambda c: c["state"], "columns", None),
    "donors": set_to(lambda c: c["state"], "donors", 3),
    "donors_of_nothing": donors_with("observed", np.zeros_like),
    "donors_in_no_order": donors_with("expected", lambda part: part[:, ::-1].copy()),
    "donors_of_few": donors_with("expected", lambda part: part[:, 1:]),
    "donors_of_other_columns": fewer_donors,
    "holes": set_to(lambda c: model_of(c)["recipe"]["state"], "reads_holes", False),
    "holes_of_no_kind": set_to(
        lambda c: model_of(c)["recipe"]["state"], "reads_holes", 1
    ),
}


@pytest.mark.parametrize("edit", EDITS.values(), ids=EDITS)
def test_sealed_but_wrong_files_are_refused(edit, valid):
    content, arrays, _ = container.loads(valid)
    edit(content, arrays)
    data = container.dumps(content, arrays, {})
    tracemalloc.start()
    with pytest.raises(InvalidFileError):
        loaded(data)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 20 * len(data) + 2**23


@pytest.mark.parametrize("change", ["rows", "quantiles", "none"])
def test_samples_of_other_columns_are_refused(change):
    fitted = skae.VariationalAutoencoderTransformer(2, **SHORT).fit(table())
    content, arrays, _ = container.loads(saved(fitted.save))
    for node in content["state"]["marginals"]["state"].values():
        part = arrays[node["array"]]
        arrays[node["array"]] = part[1:] if change == "rows" else part[:, 1:]
    if change == "none":
        for node in content["state"].pop("marginals")["state"].values():
            del arrays[node["array"]]
    with pytest.raises(InvalidFileError, match=r"samples|quantiles"):
        loaded(container.dumps(content, arrays, {}))


def test_columns_of_another_machine_are_those_of_the_model(valid):
    """Of which logarithms and powers may differ in their last digits."""
    content, arrays, _ = container.loads(valid)
    for name in ("entropies", "factors"):
        layout_with(name, lambda v: v * (1 + 1e-15))(content, arrays)
    other = loaded(container.dumps(content, arrays, {}))
    assert_equal(other.transform(table()), loaded(valid).transform(table()))
