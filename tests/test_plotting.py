"""Displays draw what estimators say: the data of artists are compared with it."""

import inspect
import re
import sys
from itertools import pairwise

import matplotlib

matplotlib.use("agg")

import numpy as np
import pandas as pd
import polars as pl
import pytest
from conftest import SHORT
from matplotlib import pyplot as plt
from matplotlib import rcParams
from matplotlib.figure import Figure
from scipy.sparse import csr_array
from sklearn import config_context
from sklearn.cluster import KMeans
from sklearn.compose import make_column_transformer
from sklearn.decomposition import PCA
from sklearn.exceptions import NotFittedError
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.model_selection import train_test_split
from sklearn.neighbors import LocalOutlierFactor
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler
from test_texts import entries

import skae.plotting
from skae import (
    AutoencoderImputer,
    AutoencoderOutlierDetector,
    AutoencoderTransformer,
    DenoisingAutoencoderTransformer,
    SparseAutoencoderTransformer,
    VariationalAutoencoderTransformer,
)
from skae.detection import WindowedDetector
from skae.losses import AbsoluteError, Huber, LogLoss, SquaredError
from skae.plotting import (
    AlarmDisplay,
    CodeDisplay,
    CodeSizeDisplay,
    ComponentDisplay,
    LossCurveDisplay,
    ReasonDisplay,
    ReconstructionDisplay,
)

SMALL = {**SHORT, "n_components": 3, "random_state": 0}
FEW = {**SMALL, "n_components": 1}
DISPLAYS = [getattr(skae.plotting, name) for name in skae.plotting.__all__]


def rows(n_features, n=120):
    rng = np.random.default_rng(0)
    mixed = rng.normal(size=(n, 2)) @ rng.normal(size=(2, n_features))
    return mixed + 0.3 * rng.normal(size=(n, n_features))


def table(n=80):
    """A table of pandas with numbers, categories, dates and missing cells."""
    rng = np.random.default_rng(0)
    size = rng.normal(10, 2, n)
    X = pd.DataFrame(
        {
            "size": size,
            "kind": np.where(size > 10, "large", "small"),
            "since": pd.Timestamp("2024-01-01")
            + pd.to_timedelta(rng.integers(50, size=n), unit="D"),
            "price": 3 * size + rng.normal(size=n),
        }
    )
    return X.mask(rng.random(X.shape) < 0.1)


def series(n=160):
    times = pd.date_range("2024-05-01", periods=n, freq="h", tz="Europe/Berlin")
    rng = np.random.default_rng(0)
    waves = [np.sin(np.arange(n) / 4 + j) + 0.1 * rng.normal(size=n) for j in range(2)]
    X = pd.DataFrame(np.transpose(waves), times, columns=["pressure", "flow"])
    X.iloc[130:140, 1] += 6
    return X


def tables_of(X):
    names = [f"f{j}" for j in range(X.shape[1])]
    return [X, pd.DataFrame(X, columns=names), pl.DataFrame(X, schema=names)]


@pytest.fixture(autouse=True)
def _left_as_found():
    """Displays leave matplotlib's settings as they are."""
    before = rcParams.copy()
    yield
    plt.close("all")
    assert rcParams == before


@pytest.fixture(scope="module")
def tallies():
    return np.random.default_rng(0).poisson(4, size=(120, 16)).astype(float)


@pytest.fixture(scope="module")
def fitted(tallies):
    """Fitted estimators, by name; none of them is changed."""
    X = tallies
    watch = WindowedDetector(LocalOutlierFactor(novelty=True), length=6, cv=3)
    own = WindowedDetector(
        AutoencoderOutlierDetector(AutoencoderTransformer(**FEW), random_state=0),
        length=4,
        cv=2,
    )
    scaled = make_pipeline(StandardScaler(), AutoencoderTransformer(**SMALL))
    simple = AutoencoderOutlierDetector(AutoencoderTransformer(**SMALL), random_state=0)
    return {
        "plain": AutoencoderTransformer(**SMALL).fit(X),
        "scaled": scaled.fit(X),
        "denoising": DenoisingAutoencoderTransformer(**SMALL).fit(X),
        "variational": VariationalAutoencoderTransformer(**SMALL).fit(X),
        "sparse": SparseAutoencoderTransformer(12, k=2, max_iter=3, random_state=0).fit(
            X
        ),
        "table": AutoencoderTransformer(**FEW).fit(table()),
        "imputer": AutoencoderImputer(AutoencoderTransformer(**SMALL)).fit(X),
        "detector": simple.fit(X),
        "detector of tables": AutoencoderOutlierDetector(
            AutoencoderTransformer(**FEW), random_state=0
        ).fit(table()),
        "watch": watch.fit(series()[:120]),
        "own watch": own.fit(series()[:120]),
    }


@pytest.fixture
def draw(fitted, tallies):
    """Draws a display of each class."""

    def draw(cls, **kwargs):
        arguments = {
            LossCurveDisplay: ("plain",),
            ReconstructionDisplay: ("plain", tallies),
            CodeDisplay: ("plain", tallies),
            ComponentDisplay: ("plain", tallies),
            AlarmDisplay: ("detector", tallies),
            ReasonDisplay: ("detector", tallies[:4]),
            CodeSizeDisplay: ("plain", tallies),
        }
        name, *others = arguments[cls]
        if cls is CodeSizeDisplay:
            kwargs["n_components"] = [1, 2]
        return cls.from_estimator(fitted[name], *others, **kwargs)

    return draw


@pytest.mark.parametrize("cls", DISPLAYS)
def test_displays_are_those_of_sklearn(cls, draw):
    assert cls.__name__.endswith("Display")
    assert {"ax"} <= set(inspect.signature(cls.plot).parameters)
    display = draw(cls)
    assert type(display) is cls
    assert display.ax_.figure is display.figure_ is plt.gcf()
    first = display.figure_
    assert display.plot() is display and display.figure_ is not first
    display.figure_.canvas.draw()


@pytest.mark.parametrize("cls", DISPLAYS)
def test_displays_are_documented(cls, draw):
    parameters = inspect.signature(cls).parameters
    documented = entries(cls, "Parameters")
    assert set(parameters) == {n for key in documented for n in key.split(", ")}
    for name in ("from_estimator", "plot"):
        doc = inspect.getdoc(getattr(cls, name))
        for parameter in inspect.signature(getattr(cls, name)).parameters:
            assert parameter == "self" or re.search(rf"^\W*{parameter} : ", doc, re.M)
    drawn = {name for name in vars(draw(cls)) if name.endswith("_")}
    assert drawn == set(entries(cls, "Attributes"))


@pytest.mark.parametrize("cls", DISPLAYS)
def test_given_axes_are_drawn_on_and_no_figure_is_made(cls, draw):
    figure = Figure(layout="constrained")
    ax = figure.subplots()
    display = draw(cls, ax=ax)
    assert display.ax_ is ax and display.figure_ is figure
    assert not plt.get_fignums()
    figure.canvas.draw()


@pytest.mark.parametrize("cls", DISPLAYS)
def test_without_matplotlib_the_extra_is_named(cls, draw, monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    with pytest.raises(ImportError, match=r"pip install 'skae\[plot\]'"):
        draw(cls)


@pytest.mark.parametrize("cls", DISPLAYS)
def test_an_estimator_that_is_not_fitted_or_unfit_is_refused(cls, tallies):
    X = [] if cls is LossCurveDisplay else [tallies]
    if cls is not CodeSizeDisplay:
        fresh = AutoencoderTransformer()
        for estimator in (fresh, make_pipeline(StandardScaler(), fresh)):
            with pytest.raises(NotFittedError):
                cls.from_estimator(estimator, *X)
    expected = {CodeDisplay: "transform", CodeSizeDisplay: "a transformer of skae"}
    other = (
        LocalOutlierFactor().fit(tallies)
        if cls is not AlarmDisplay
        else PCA(2).fit(tallies)
    )
    with pytest.raises(TypeError, match=expected.get(cls, "needs")):
        cls.from_estimator(other, *X)
    with pytest.raises(TypeError, match="expected"):
        cls.from_estimator(Pipeline([("last", "passthrough")]), *X)


@pytest.mark.parametrize("cls", sorted({*DISPLAYS} - {LossCurveDisplay}, key=str))
def test_rows_that_are_read_in_blocks_are_refused(cls, fitted, tallies):
    name = "detector" if cls in (AlarmDisplay, ReasonDisplay) else "plain"
    with pytest.raises(TypeError, match="rows in memory"):
        cls.from_estimator(fitted[name], lambda: iter([tallies]))


# --- losses ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    "name", ["plain", "scaled", "denoising", "variational", "table"]
)
def test_loss_curves_are_those_of_the_fit(name, fitted):
    display = LossCurveDisplay.from_estimator(fitted[name])
    last = fitted[name][-1] if name == "scaled" else fitted[name]
    epochs = np.arange(1, last.n_iter_ + 1)
    for line, curve in zip(
        display.lines_, [last.loss_curve_, last.validation_loss_curve_], strict=True
    ):
        np.testing.assert_array_equal(line.get_xdata(), epochs)
        np.testing.assert_array_equal(line.get_ydata(), curve)
    np.testing.assert_array_equal(display.pca_line_.get_ydata(), last.pca_loss_)
    said = [text.get_text() for text in display.ax_.get_legend().get_texts()]
    is_pca = last.best_iter_ == 0
    assert ("kept: PCA" in said) == is_pca
    assert any(f"kept: epoch {last.best_iter_}" in t for t in said) == (not is_pca)
    units = {"table": "uncertainty", "scaled": "squared units after preprocessing"}
    assert units.get(name, "squared units of the data") in display.loss_name


def test_losses_are_said_to_be_with_what_they_have_in_them(fitted, tallies):
    name = LossCurveDisplay.from_estimator(fitted["denoising"]).training_name
    assert name == "training with corruption"
    name = LossCurveDisplay.from_estimator(fitted["variational"]).training_name
    assert name == "training with penalty"
    params = {**SMALL, "loss": "absolute_error", "early_stopping": False}
    display = LossCurveDisplay.from_estimator(
        AutoencoderTransformer(**params).fit(tallies)
    )
    assert display.loss_name == "mean absolute error (units of the data)"
    assert display.training_name == "training" and len(display.lines_) == 1


def test_the_epoch_that_was_kept_is_marked_beside_pca():
    display = LossCurveDisplay(
        [4.0, 3.0, 2.0],
        validation_loss_curve=[5.0, 1.0, 2.0],
        pca_loss=2.0,
        best_iter=2,
    ).plot()
    mark = display.ax_.lines[-1]
    assert (mark.get_xdata(), mark.get_ydata()) == ([2], [1.0])
    assert "50% below PCA" in mark.get_label()
    assert display.ax_.get_yscale() == "linear"
    display = LossCurveDisplay([400.0, 3.0], pca_loss=1.0, best_iter=0).plot()
    assert display.pca_line_.get_label() == "kept: PCA"
    assert display.ax_.get_yscale() == "log"


def test_losses_of_an_imputer_are_those_of_its_autoencoder(fitted):
    display = LossCurveDisplay.from_estimator(fitted["imputer"])
    assert display.loss_curve == fitted["imputer"].autoencoder_.loss_curve_


# --- reconstructions ------------------------------------------------------------------


@pytest.mark.parametrize("name", ["plain", "scaled"])
def test_images_are_rows_reconstructions_and_errors(name, fitted, tallies):
    estimator = fitted[name]
    noisy = tallies + 1
    display = ReconstructionDisplay.from_estimator(
        estimator, tallies, X_read=noisy, image_shape=(4, 4), n_rows=3
    )
    made = fitted["plain"].reconstruct(noisy)
    if name == "scaled":
        made = estimator[-1].reconstruct(estimator[0].transform(noisy))
        made = estimator[0].inverse_transform(made)
    assert display.images_.shape == (4, 3)
    for i in range(3):
        blocks = [image.get_array() for image in display.images_[:, i]]
        expected = tallies[i], noisy[i], made[i], made[i] - tallies[i]
        for block, row in zip(blocks, expected, strict=True):
            np.testing.assert_allclose(block, row.reshape(4, 4))
    low, high = display.images_[-1, 0].get_clim()
    assert low == -high


def test_images_may_have_colours():
    X = rows(2 * 3 * 3)
    X = (X - X.min()) / np.ptp(X)
    estimator = AutoencoderTransformer(**SMALL).fit(X)
    display = ReconstructionDisplay.from_estimator(estimator, X, image_shape=(2, 3, 3))
    assert display.images_[0, 0].get_array().shape == (2, 3, 3)
    errors = (estimator.reconstruct(X[:1]) - X[:1]).reshape(2, 3, 3).mean(axis=-1)
    np.testing.assert_allclose(display.images_[-1, 0].get_array(), errors)
    display = ComponentDisplay.from_estimator(estimator, X, image_shape=(2, 3, 3))
    assert display.images_[0, 0].get_array().shape == (2, 3, 3)


@pytest.mark.parametrize("n_features", [2, 7, 2000])
@pytest.mark.parametrize("kind", [0, 1, 2])
def test_heat_maps_are_in_standard_deviations(n_features, kind):
    X = 100 + 5 * rows(n_features)
    given = tables_of(X)[kind]
    estimator = make_pipeline(StandardScaler(), AutoencoderTransformer(**FEW)).fit(
        given
    )
    display = ReconstructionDisplay.from_estimator(estimator, given, n_rows=4)
    first, _, errors = display.images_
    scaled = (X - X.mean(axis=0)) / X.std(axis=0)
    np.testing.assert_allclose(first.get_array(), scaled[:4], atol=1e-6)
    made = estimator[-1].reconstruct(scaled[:4]) - scaled[:4]
    np.testing.assert_allclose(errors.get_array(), made, atol=1e-5)
    said = [text.get_text() for text in display.ax_.get_xticklabels()]
    if n_features == 2000:
        assert len(said) < 15
    elif kind:
        assert said == [f"f{j}" for j in range(n_features)]
    else:
        assert said == [str(j) for j in range(n_features)]


def test_steps_that_cannot_be_undone_leave_rows_in_their_units(tallies):
    class OneWay(StandardScaler):
        inverse_transform = property()

    estimator = make_pipeline(OneWay(), AutoencoderTransformer(**SMALL)).fit(tallies)
    display = ReconstructionDisplay.from_estimator(estimator, tallies, n_rows=2)
    expected = StandardScaler().fit_transform(tallies)[:2]
    np.testing.assert_allclose(display.X, expected)


@pytest.mark.parametrize("library", ["pandas", "polars"])
@pytest.mark.parametrize("name", ["table", "detector of tables"])
def test_tables_are_written_out_with_the_error_of_each_cell(name, library, fitted):
    estimator, X = fitted[name], table()
    if library == "polars":
        X = pl.from_pandas(X)
        if name == "table":
            estimator = AutoencoderTransformer(**FEW).fit(X)
        else:
            estimator = AutoencoderOutlierDetector(
                AutoencoderTransformer(**FEW), random_state=0
            ).fit(X)
    display = ReconstructionDisplay.from_estimator(estimator, X, n_rows=5)
    errors = np.ma.filled(display.images_[0].get_array(), np.nan)
    given, made = table()[:5], estimator.reconstruct(X)[:5]
    made = made.to_pandas() if library == "polars" else made
    is_missing = given.isna().to_numpy()
    np.testing.assert_array_equal(np.isnan(errors), is_missing)
    expected = (made["size"] - given["size"]).abs() / table()["size"].std(ddof=0)
    np.testing.assert_allclose(errors[:, 0], expected, atol=1e-6)
    differs = np.where(is_missing[:, 1], np.nan, made["kind"] != given["kind"])
    np.testing.assert_array_equal(errors[:, 1], differs.astype(float))
    said = [text.get_text() for text in display.ax_.get_xticklabels()]
    assert said == list(given.columns)
    assert len(display.ax_.texts) == given.size


def test_numbers_of_features_are_thinned_where_they_would_touch():
    X = rows(30)
    for width, n_ticks in ((11, 30), (5, 10)):
        ax = Figure(figsize=(width, 4)).subplots()
        ReconstructionDisplay(X[:6], X[:6]).plot(ax=ax)
        said = [text.get_text() for text in ax.get_xticklabels()]
        assert said == [str(j) for j in range(0, 30, 30 // n_ticks)]


def test_what_cannot_be_images_is_refused(fitted, tallies):
    draw = ReconstructionDisplay.from_estimator
    with pytest.raises(ValueError, match="16 features"):
        draw(fitted["plain"], tallies, image_shape=(4, 5))
    with pytest.raises(ValueError, match="8 channels"):
        draw(fitted["plain"], tallies, image_shape=(2, 1, 8))
    with pytest.raises(ValueError, match="X_read has 3 rows"):
        draw(fitted["plain"], tallies, X_read=tallies[:3])
    for cls in (ReconstructionDisplay, ComponentDisplay):
        with pytest.raises(TypeError, match="no images"):
            cls.from_estimator(fitted["table"], table(), image_shape=(2, 2))


# --- codes ----------------------------------------------------------------------------


def test_two_components_are_drawn_as_they_are(tallies):
    estimator = AutoencoderTransformer(**{**SMALL, "n_components": 2}).fit(tallies)
    display = CodeDisplay.from_estimator(estimator, tallies)
    offsets = display.scatters_[0].get_offsets()
    np.testing.assert_array_equal(offsets, estimator.transform(tallies))
    assert display.ax_.get_xlabel() == "component 0"


@pytest.mark.parametrize("name", ["plain", "scaled", "sparse", "imputer"])
def test_more_components_are_projected_and_the_axes_say_so(name, fitted, tallies):
    estimator = fitted[name]
    display = CodeDisplay.from_estimator(estimator, tallies)
    codes = getattr(estimator, "autoencoder_", estimator).transform(tallies)
    expected = PCA(2, svd_solver="full").fit_transform(codes)
    np.testing.assert_allclose(display.points_, expected, atol=1e-6)
    assert f"the {codes.shape[1]} components" in display.ax_.get_xlabel()


def test_one_component_is_drawn_along_x(tallies):
    estimator = AutoencoderTransformer(**FEW).fit(tallies)
    display = CodeDisplay.from_estimator(estimator, tallies)
    np.testing.assert_array_equal(display.points_[:, :1], estimator.transform(tallies))


@pytest.mark.parametrize("make", [np.asarray, pd.Series, pl.Series, list])
@pytest.mark.parametrize("kind", ["text", "number", "truth"])
def test_classes_have_colours_and_markers_of_their_own(make, kind, tallies):
    label = {
        "text": lambda i: f"class {i % 3}",
        "number": lambda i: i % 3,
        "truth": lambda i: i % 2 == 0,
    }[kind]
    y = [label(i) for i in range(len(tallies))]
    pca = PCA(2).fit(tallies)
    display = CodeDisplay.from_estimator(pca, tallies, make(y))
    names = sorted(set(y))
    assert [s.get_label() for s in display.scatters_] == [str(name) for name in names]
    colors = {tuple(s.get_facecolor()[0]) for s in display.scatters_}
    shapes = {s.get_paths()[0].vertices.tobytes() for s in display.scatters_}
    assert len(colors) == len(shapes) == len(names)
    codes = pca.transform(tallies)
    for name, scatter in zip(names, display.scatters_, strict=True):
        is_own = np.array([value == name for value in y])
        np.testing.assert_array_equal(scatter.get_offsets(), codes[is_own])


def test_rare_classes_and_missing_labels_are_drawn_as_one():
    codes = rows(2, n=500)
    y = pd.Series([f"class {i % 25:02d}" for i in range(499)] + [None], name="kind")
    display = CodeDisplay(codes, y=y, y_name="kind").plot()
    labels = [scatter.get_label() for scatter in display.scatters_]
    assert labels[-2:] == ["5 rarer classes", "no label"] and len(labels) == 22
    drawn = [scatter.get_offsets() for scatter in display.scatters_]
    assert sum(map(len, drawn)) == 500 and len(drawn[-1]) == 1


def test_numbers_and_errors_are_colours_on_a_scale(fitted, tallies):
    estimator = fitted["plain"]
    display = CodeDisplay.from_estimator(estimator, tallies, color_by="error")
    shown = display.scatters_[0]
    errors = np.sort(-estimator.score_samples(tallies))
    np.testing.assert_array_equal(shown.get_array(), errors)
    assert shown.get_clim() == tuple(np.quantile(errors, [0.01, 0.99]))
    y = np.linspace(0, 1, len(tallies))
    y[3] = np.nan
    shown = CodeDisplay.from_estimator(estimator, tallies, y).scatters_[0]
    assert len(shown.get_array()) == len(tallies) - 1
    pca = PCA(2).fit(tallies)
    shown = CodeDisplay.from_estimator(pca, tallies, color_by="error").scatters_[0]
    made = pca.inverse_transform(pca.transform(tallies))
    errors = np.sort(np.square(made - tallies).mean(axis=1))
    np.testing.assert_allclose(shown.get_array(), errors)


@pytest.mark.parametrize("name", ["table", "detector of tables"])
def test_codes_of_tables(name, fitted):
    if name != "table":
        with pytest.raises(TypeError, match="autoencoders_"):
            CodeDisplay.from_estimator(fitted[name], table())
        return
    display = CodeDisplay.from_estimator(fitted[name], table(), color_by="error")
    assert len(display.points_) == len(table())


def test_many_rows_are_sampled(monkeypatch, tallies):
    monkeypatch.setattr("skae.plotting._codes._MOST_POINTS", 50)
    pca, y = PCA(2).fit(tallies), np.arange(len(tallies)) % 2
    first, again = (CodeDisplay.from_estimator(pca, tallies, y) for _ in range(2))
    assert len(first.points_) == 50
    np.testing.assert_array_equal(first.points_, again.points_)


def test_codes_that_cannot_be_coloured_are_refused(fitted, tallies):
    draw = CodeDisplay.from_estimator
    with pytest.raises(ValueError, match=r"y has shape \(3,\)"):
        draw(fitted["plain"], tallies, [1, 2, 3])
    with pytest.raises(ValueError, match="color_by='loss'"):
        draw(fitted["plain"], tallies, color_by="loss")
    with pytest.raises(ValueError, match="two maps"):
        draw(fitted["plain"], tallies, np.ones(len(tallies)), color_by="error")
    with pytest.raises(ValueError, match="no inverse_transform"):
        draw(KMeans(3, n_init=1).fit(tallies), tallies, color_by="error")


# --- components -----------------------------------------------------------------------


def test_atoms_are_what_components_add(fitted, tallies):
    sparse = fitted["sparse"]
    display = ComponentDisplay.from_estimator(sparse, image_shape=(4, 4))
    assert display.images_.shape == (12, 1)
    zero = sparse.inverse_transform(np.zeros((1, 12)))
    for image, j in zip(display.images_[:, 0], display.components, strict=True):
        atom = sparse.inverse_transform(np.eye(12)[[j]]) - zero
        np.testing.assert_allclose(image.get_array(), atom.reshape(4, 4), atol=1e-6)
    display = ComponentDisplay.from_estimator(sparse, tallies, n_components=5)
    assert display.images_[0].get_array().shape == (5, 16)
    assert "standard deviations" in display.unit


def test_walks_of_the_prior_go_between_its_deviations(fitted):
    variational = fitted["variational"]
    display = ComponentDisplay.from_estimator(variational, image_shape=(4, 4))
    assert display.images_.shape == (3, 7)
    for line, j in zip(display.images_, display.components, strict=True):
        steps = np.outer(np.linspace(-2, 2, 7), np.eye(3)[j])
        expected = variational.inverse_transform(steps).reshape(-1, 4, 4)
        for image, step in zip(line, expected, strict=True):
            np.testing.assert_allclose(image.get_array(), step, atol=1e-5)


@pytest.mark.parametrize("n_features", [2, 2000])
def test_other_walks_go_between_quantiles_of_codes(n_features):
    X = rows(n_features)
    estimator = make_pipeline(StandardScaler(), AutoencoderTransformer(**FEW)).fit(X)
    display = ComponentDisplay.from_estimator(estimator, X)
    codes = estimator.transform(X)
    low, middle, high = np.quantile(codes, [0.02, 0.5, 0.98])
    steps = np.r_[np.linspace(low, middle, 4), np.linspace(middle, high, 4)[1:]]
    expected = estimator.inverse_transform(steps[:, None]) / X.std(axis=0)
    (image,) = display.images_
    np.testing.assert_allclose(image.get_array(), expected - expected[3], atol=1e-4)


@pytest.mark.parametrize("make", [lambda X: X, pl.from_pandas])
def test_walks_through_tables_change_numbers_and_levels(make):
    X = make(table())
    estimator = AutoencoderTransformer(**FEW).fit(X)
    display = ComponentDisplay.from_estimator(estimator, X)
    assert {"size", "since", "price"} <= set(display.feature_names)
    levels = [j for j, n in enumerate(display.feature_names) if n.startswith("kind=")]
    assert set(np.unique(display.decoded[:, :, levels])) <= {0.0, 1.0}


def test_cells_are_put_into_words_only_where_words_are_drawn(fitted, monkeypatch):
    def said(self, i, j):
        raise AssertionError

    monkeypatch.setattr("skae._tables.compared.Columns.said", said)
    ComponentDisplay.from_estimator(fitted["table"], table())
    X = rows(20)
    estimator = AutoencoderTransformer(**SMALL).fit(X)
    ComponentDisplay.from_estimator(estimator, X)
    ReconstructionDisplay.from_estimator(estimator, X)


def test_walks_without_rows_are_refused(fitted):
    with pytest.raises(ValueError, match="X is None"):
        ComponentDisplay.from_estimator(fitted["plain"])


# --- alarms ---------------------------------------------------------------------------


@pytest.mark.parametrize("n_features", [2, 2000])
def test_distributions_count_rows_about_the_threshold(n_features):
    X = rows(n_features)
    X[:2] *= 1000
    detector = LocalOutlierFactor(novelty=True).fit(X[2:])
    display = AlarmDisplay.from_estimator(detector, X)
    assert sum(bar.get_height() for bar in display.bars_[0]) == len(X)
    position = -detector.offset_
    np.testing.assert_array_equal(display.threshold_.get_xdata(), position)
    found = (detector.predict(X) == -1).sum()
    said = [text.get_text() for text in display.ax_.get_legend().get_texts()]
    assert f"{found} of {len(X)} rows alarmed ({found / len(X):.1%})" in said
    # No more than half of the axis is for what is far beyond the others.
    place = display.ax_.transAxes.inverted().transform(
        display.ax_.transData.transform((position, 1.0))
    )
    assert 0.4 < place[0] < 0.6


@pytest.mark.parametrize("kind", [bool, int, "sign"])
def test_known_outliers_are_counted_beside_normal_rows(kind, fitted, tallies):
    known = np.arange(len(tallies)) < 7
    y = np.where(known, -1, 1) if kind == "sign" else known.astype(kind)
    display = AlarmDisplay.from_estimator(fitted["detector"], tallies, y=y)
    counts = [sum(bar.get_height() for bar in bars) for bars in display.bars_]
    assert counts == [len(tallies) - 7, 7]


def test_alarms_in_time_are_those_of_predict(fitted):
    watch, X = fitted["watch"], series()
    display = AlarmDisplay.from_estimator(watch, X, y=np.arange(len(X)) > 150)
    np.testing.assert_array_equal(display.line_.get_ydata(), -watch.score_samples(X))
    times = X.index.tz_localize(None).to_numpy()
    np.testing.assert_array_equal(display.line_.get_xdata(), times)
    assert display.ax_.get_xlabel() == "time (Europe/Berlin)"
    np.testing.assert_array_equal(display.threshold_.get_ydata(), -watch.offset_)
    is_alarm = watch.predict(X) == -1
    edges = np.diff(np.r_[0, is_alarm, 0])
    paths = display.alarms_.get_paths()
    assert len(paths) == (edges == 1).sum() > 0
    places = display.ax_.convert_xunits(times)
    for path, start, stop in zip(
        paths, np.flatnonzero(edges == 1), np.flatnonzero(edges == -1) - 1, strict=True
    ):
        shaded = path.vertices[:, 0]
        assert shaded.min() < places[start] and places[stop] < shaded.max()
        assert shaded.min() > places[start - 1]


def test_times_come_from_where_they_are(fitted, tallies):
    X = series()
    known = pl.from_pandas(X.tz_localize(None).rename_axis("when").reset_index())
    watch = WindowedDetector(LocalOutlierFactor(novelty=True), length=6, cv=3)
    display = AlarmDisplay.from_estimator(watch.fit(known), known)
    assert display.line_.get_xdata().dtype.kind == "M"
    display = AlarmDisplay.from_estimator(watch.fit(X.to_numpy()), X.to_numpy())
    assert display.ax_.get_xlabel() == "number of the reading"
    parts = pd.concat({"A": X[:60], "B": X[60:120]})
    display = AlarmDisplay.from_estimator(watch.fit(parts), parts)
    assert display.ax_.get_xlabel() == "number of the reading"
    times = np.arange(len(tallies)) * 2.5
    display = AlarmDisplay.from_estimator(fitted["detector"], tallies, times=times)
    np.testing.assert_array_equal(display.line_.get_xdata(), times)


def test_lines_are_broken_where_times_have_a_gap():
    times = np.r_[np.arange(5), np.arange(50, 55)]
    display = AlarmDisplay(np.arange(10.0), 7.0, times=times).plot()
    scores = display.line_.get_ydata()
    assert np.flatnonzero(np.isnan(scores)).tolist() == [5]


def test_what_says_nothing_of_each_row_is_refused(fitted, tallies):
    draw = AlarmDisplay.from_estimator
    with pytest.raises(ValueError, match="y has shape"):
        draw(fitted["detector"], tallies, y=[True])
    with pytest.raises(ValueError, match="y has the values"):
        draw(fitted["detector"], tallies, y=np.arange(len(tallies)))
    with pytest.raises(ValueError, match="times has shape"):
        draw(fitted["detector"], tallies, times=[1, 2])
    with pytest.raises(ValueError, match="times go back"):
        draw(fitted["detector"], tallies, times=-np.arange(len(tallies)))


def test_the_scale_of_far_scores_can_be_undone():
    from skae.plotting._far import FarScale

    scores = np.r_[np.linspace(-3, 2, 50), 1e3, 1e6]
    scale = FarScale.of(scores, 2.0)
    np.testing.assert_allclose(scale.inverse(scale.forward(scores)), scores, rtol=1e-9)
    np.testing.assert_allclose(scale.forward([-3, 2.0, 1e6]), [0, 1, 2])
    ticks = scale.ticks()
    assert ticks == sorted(ticks) and len(ticks) >= 5
    assert FarScale.of(np.linspace(0, 5, 9), 2.0) is None
    assert FarScale.of(np.linspace(3, 500, 9), 2.0) is None


# --- reasons --------------------------------------------------------------------------


@pytest.mark.parametrize("is_table", [False, True])
def test_bars_are_as_long_as_explain_says(is_table, fitted, tallies):
    name = "detector of tables" if is_table else "detector"
    X = table()[:1].assign(price=500.0) if is_table else tallies[:1] * 3
    display = ReasonDisplay.from_estimator(fitted[name], X, n_features=4)
    reasons = fitted[name].explain(X, 4)
    widths = [bar.get_width() for bar in display.bars_]
    np.testing.assert_array_equal(widths, reasons["score"])
    names = [
        text.get_text().partition(":")[0] for text in display.ax_.get_yticklabels()
    ]
    assert names == list(reasons["feature"])


def test_bars_of_a_pipeline_are_in_units_of_the_data(tallies):
    detector = AutoencoderOutlierDetector(
        AutoencoderTransformer(**SMALL), random_state=0
    )
    pipeline = make_pipeline(StandardScaler(), detector).fit(tallies)
    odd = tallies[:1].copy()
    odd[0, 5] = 77
    display = ReasonDisplay.from_estimator(pipeline, odd)
    assert display.names[0].startswith("x5: 77, expected")
    same = ReasonDisplay.from_estimator(pipeline[-1], odd, preprocessing=pipeline[:-1])
    assert same.names == display.names
    several = ReasonDisplay.from_estimator(pipeline, np.vstack([odd] * 3), n_features=2)
    scores = pipeline[-1].feature_scores(pipeline[:-1].transform(odd))
    np.testing.assert_allclose(several.image_.get_array()[0], scores[0, 5])


@pytest.mark.parametrize("n_features", [2, 2000])
def test_heat_maps_are_scores_of_features(n_features):
    X = rows(n_features, n=40)
    detector = AutoencoderOutlierDetector(
        AutoencoderTransformer(**FEW), method="error", random_state=0
    ).fit(X)
    display = ReasonDisplay.from_estimator(detector, X)
    scores = detector.feature_scores(X)
    best = np.argsort(-scores.sum(axis=0), kind="stable")[:10]
    np.testing.assert_array_equal(display.image_.get_array(), scores[:, best].T)
    assert len(display.ax_.get_yticklabels()) == min(n_features, 10)
    assert len(display.ax_.get_xticklabels()) < 15


def test_reasons_of_alarms_are_those_of_their_peaks(fitted):
    watch, X = fitted["own watch"], series()
    display = ReasonDisplay.from_estimator(watch, X, kind="heat map")
    alarms, scores = watch.alarms(X), watch.feature_scores(X)
    at = X.index.get_indexer(alarms["peak"])
    best = np.argsort(-scores[at].sum(axis=0), kind="stable")
    np.testing.assert_array_equal(display.image_.get_array(), scores[at][:, best].T)
    with pytest.raises(TypeError, match="feature_scores"):
        ReasonDisplay.from_estimator(fitted["watch"], X)


@pytest.mark.parametrize("kind", ["auto", "bars", "heat map"])
def test_nothing_to_explain_is_said(kind, fitted, tallies):
    display = ReasonDisplay.from_estimator(fitted["detector"], tallies[:0], kind=kind)
    assert "nothing to explain" in display.ax_.texts[0].get_text()


def test_bars_of_several_rows_are_refused(fitted, tallies):
    with pytest.raises(ValueError, match="kind='bars'"):
        ReasonDisplay.from_estimator(fitted["detector"], tallies[:3], kind="bars")
    with pytest.raises(ValueError, match="kind='pie'"):
        ReasonDisplay.from_estimator(fitted["detector"], tallies[:3], kind="pie")


# --- sizes of codes -------------------------------------------------------------------


@pytest.mark.parametrize(
    "loss", ["squared_error", "absolute_error", SquaredError(), AbsoluteError()]
)
def test_errors_of_sizes_are_those_of_rows_held_out(loss, tallies):
    estimator = AutoencoderTransformer(**SMALL, loss=loss)
    display = CodeSizeDisplay.from_estimator(
        estimator, tallies, n_components=[1, 3], random_state=0
    )
    numbers = np.arange(len(tallies))
    train, held_out = train_test_split(numbers, test_size=0.25, random_state=0)
    train, held_out = tallies[np.sort(train)], tallies[np.sort(held_out)]
    line, pca_line = display.lines_
    expected = []
    for k in (1, 3):
        params = {**SMALL, "n_components": k, "loss": loss}
        expected.append(-AutoencoderTransformer(**params).fit(train).score(held_out))
    np.testing.assert_array_equal(line.get_xdata(), [1, 3])
    np.testing.assert_array_equal(line.get_ydata(), expected)
    assert pca_line.get_label().startswith("PCA")
    assert "training" not in pca_line.get_label()
    power = 2 if "squared" in str(loss).lower() else 1
    for k, error in zip(*pca_line.get_data(), strict=True):
        pca = PCA(int(k), random_state=0).fit(train)
        left = pca.inverse_transform(pca.transform(held_out)) - held_out
        np.testing.assert_allclose(np.mean(np.abs(left) ** power), error, rtol=1e-4)


def test_sizes_of_pipelines_within_pipelines(tallies):
    autoencoder = AutoencoderTransformer(**SMALL)
    inner = Pipeline([("none", "passthrough"), ("last", autoencoder)])
    sizes = {"n_components": [1, 3], "random_state": 0}
    nested = make_pipeline(StandardScaler(), inner)
    display = CodeSizeDisplay.from_estimator(nested, tallies, **sizes)
    flat = make_pipeline(StandardScaler(), autoencoder)
    same = CodeSizeDisplay.from_estimator(flat, tallies, **sizes)
    assert display.errors == same.errors
    assert display.loss_name == same.loss_name
    assert "after preprocessing" in same.loss_name


def test_what_pca_needs_is_said():
    display = CodeSizeDisplay(
        [2, 4],
        [5.0, 4.5],
        pca_components=np.arange(2, 12),
        pca_errors=12.0 - np.arange(2, 12),
    ).plot()
    label = display.lines_[1].get_label()
    assert label == "PCA\nneeds 7 components to be as good as 2"


@pytest.mark.parametrize("make", [lambda X: X, pl.from_pandas])
def test_sizes_for_tables_and_missing_cells(make):
    estimator = AutoencoderTransformer(**FEW)
    display = CodeSizeDisplay.from_estimator(
        estimator, make(table()), n_components=[1, 2], random_state=0
    )
    assert "rows held out in training" in display.pca_name
    assert "uncertainty" in display.loss_name


def test_sizes_that_are_no_bottleneck_are_left_out(tallies):
    estimator = make_pipeline(StandardScaler(), AutoencoderTransformer(**SMALL))
    with pytest.warns(UserWarning, match=r"n_components=\[16, 40\] are left out"):
        display = CodeSizeDisplay.from_estimator(
            estimator, tallies, n_components=[2, 16, 40]
        )
    assert display.n_components == [2]
    with pytest.raises(ValueError, match="has 16 features"):
        CodeSizeDisplay.from_estimator(estimator, tallies, n_components=[16])
    sparse = SparseAutoencoderTransformer(k=2, max_iter=2, random_state=0)
    display = CodeSizeDisplay.from_estimator(sparse, tallies, n_components=[8, 24])
    assert display.n_components == [8, 24]


@pytest.mark.parametrize("value", [0, -1, 2.5, 0.95])
def test_numbers_of_what_is_drawn_are_checked(value, fitted, tallies):
    with pytest.raises(ValueError, match=f"n_rows={value}"):
        ReconstructionDisplay.from_estimator(fitted["plain"], tallies, n_rows=value)
    with pytest.raises(ValueError, match=f"n_components={value}"):
        ComponentDisplay.from_estimator(fitted["plain"], tallies, n_components=value)
    with pytest.raises(ValueError, match=f"n_components={value}"):
        CodeSizeDisplay.from_estimator(fitted["plain"], tallies, n_components=[value])
    with pytest.raises(ValueError, match=f"n_features={value}"):
        ReasonDisplay.from_estimator(fitted["detector"], tallies, n_features=value)


def test_sparse_rows_and_rows_with_missing_cells_are_drawn(tallies):
    holes = np.where(
        np.random.default_rng(0).random(tallies.shape) < 0.1, np.nan, tallies
    )
    for X in (csr_array(tallies), holes):
        estimator = AutoencoderTransformer(**SMALL).fit(X)
        for cls in (ReconstructionDisplay, CodeDisplay, ComponentDisplay):
            cls.from_estimator(estimator, X).figure_.canvas.draw()
        display = CodeSizeDisplay.from_estimator(estimator, X, n_components=[1])
        display.figure_.canvas.draw()


def test_dates_and_categories_colour_points(tallies):
    pca, n = PCA(2).fit(tallies), len(tallies)
    days = pd.Series(pd.date_range("2024-01-01", periods=n), name="since")
    display = CodeDisplay.from_estimator(pca, tallies, days)
    label = display.figure_.axes[-1].get_ylabel()
    assert " ".join(label.split()) == "since: days since 2024-01-01 00:00"
    np.testing.assert_array_equal(display.scatters_[0].get_array(), np.arange(n))
    sizes = pd.Categorical(["S", "M", "L"] * (n // 3), ["S", "M", "L"], ordered=True)
    display = CodeDisplay.from_estimator(pca, tallies, pd.Series(sizes))
    assert [s.get_label() for s in display.scatters_] == ["S", "M", "L"]


def test_wide_tables_are_drawn_without_words():
    rng = np.random.default_rng(0)
    X = pd.DataFrame({f"n{j}": rng.normal(size=60) for j in range(20)})
    X = X.assign(kind=rng.choice(["a", "b"], 60))
    estimator = AutoencoderTransformer(**FEW).fit(X)
    display = ReconstructionDisplay.from_estimator(estimator, X)
    assert not display.ax_.texts
    assert display.images_[0].get_array().shape == (6, 21)


def wide_rows(n_features, is_long):
    word = "a feature with a long name" if is_long else "f"
    names = [f"{word} {j}" for j in range(n_features)]
    return pd.DataFrame(rows(n_features), columns=names)


def pictures_of(X):
    """Every display of rows, with names of their features."""
    estimator = make_pipeline(StandardScaler(), AutoencoderTransformer(**FEW)).fit(X)
    detector = AutoencoderOutlierDetector(
        AutoencoderTransformer(**FEW), method="error", random_state=0
    ).fit(X)
    yield LossCurveDisplay.from_estimator(estimator)
    yield ReconstructionDisplay.from_estimator(estimator, X)
    yield CodeDisplay.from_estimator(estimator, X, color_by="error")
    yield CodeDisplay.from_estimator(PCA(2).fit(X), X, np.arange(len(X)) % 12)
    yield ComponentDisplay.from_estimator(estimator, X)
    yield AlarmDisplay.from_estimator(detector, X, y=X.iloc[:, 0] > 1)
    yield AlarmDisplay.from_estimator(detector, X, times=X.index)
    yield ReasonDisplay.from_estimator(detector, X[:1])
    yield ReasonDisplay.from_estimator(detector, X[:9])
    yield ReasonDisplay.from_estimator(detector, X)
    yield CodeSizeDisplay.from_estimator(estimator, X, n_components=[1])


def boxes_of(artists):
    shown = [a for a in artists if a.get_visible() and a.get_text().strip()]
    return [artist.get_window_extent() for artist in shown]


@pytest.mark.parametrize(
    "n_features, is_long", [(2, False), (2, True), (30, True), (2000, True)]
)
def test_words_are_within_the_figure_and_apart(n_features, is_long):
    for display in pictures_of(wide_rows(n_features, is_long)):
        figure = display.figure_
        figure.canvas.draw()
        whole, what = figure.bbox.padded(2), type(display).__name__
        for ax in figure.axes:
            for axis in (ax.xaxis, ax.yaxis):
                low, high = sorted(axis.get_view_interval())
                ticks = zip(axis.get_ticklocs(), axis.get_ticklabels(), strict=True)
                labels = [text for place, text in ticks if low <= place <= high]
                boxes = boxes_of(labels)
                for one, other in pairwise(boxes):
                    assert not one.padded(-1).overlaps(other.padded(-1)), what
                for box in [*boxes, *boxes_of([axis.label])]:
                    assert whole.x0 <= box.x0 and box.x1 <= whole.x1, what
                    assert whole.y0 <= box.y0 and box.y1 <= whole.y1, what


def test_the_same_picture_is_drawn_again(draw):
    def pixels(cls):
        figure = draw(cls).figure_
        figure.canvas.draw()
        return np.asarray(figure.canvas.buffer_rgba()).copy()

    for cls in DISPLAYS:
        if cls is CodeSizeDisplay:  # which rows are held out is random
            continue
        np.testing.assert_array_equal(pixels(cls), pixels(cls), err_msg=cls.__name__)


def test_losses_that_are_objects_are_named_as_their_names(tallies):
    X = tallies / tallies.max()
    for name, loss in [("log_loss", LogLoss()), ("huber", Huber())]:
        labels = [
            LossCurveDisplay.from_estimator(
                AutoencoderTransformer(**SMALL, loss=either).fit(X)
            ).loss_name
            for either in (name, loss)
        ]
        assert labels[0] == labels[1] and "(" in labels[0]


def test_reasons_are_of_what_the_last_step_reads_where_steps_make_other_columns():
    X = table()[["size", "kind"]].dropna()
    columns = make_column_transformer(
        (StandardScaler(), ["size"]), (OneHotEncoder(sparse_output=False), ["kind"])
    )
    detector = AutoencoderOutlierDetector(AutoencoderTransformer(**FEW), random_state=0)
    pipeline = make_pipeline(columns, detector).fit(X)
    for n_rows in (1, 5):
        display = ReasonDisplay.from_estimator(pipeline, X[:n_rows])
        assert display.names[0].partition(":")[0] in ("x0", "x1", "x2")


def test_times_that_are_text_are_refused():
    with pytest.raises(ValueError, match="to_datetime"):
        AlarmDisplay([1.0, 2.0], 1.5, times=["a", "b"]).plot()


@pytest.mark.parametrize("output", ["pandas", "polars"])
def test_what_transformers_return_may_be_tables(output, tallies):
    X = pd.DataFrame(tallies).rename(columns=str)
    with config_context(transform_output=output):
        estimator = make_pipeline(StandardScaler(), AutoencoderTransformer(**SMALL))
        estimator.fit(X)
        for cls in (ReconstructionDisplay, CodeDisplay, ComponentDisplay):
            cls.from_estimator(estimator, X)
        CodeSizeDisplay.from_estimator(estimator, X, n_components=[2])


def test_arrays_with_categories_have_numbers_for_names():
    X = table()[["size", "kind"]].to_numpy()
    estimator = AutoencoderTransformer(**FEW, categorical_features=[1]).fit(X)
    display = ComponentDisplay.from_estimator(estimator, X)
    assert display.feature_names[0] == "0"
    ReconstructionDisplay.from_estimator(estimator, X)


# What users pass, and say of it.


@pytest.mark.parametrize(
    "y", [[True] * 3, pd.array([True] * 3, "boolean"), [-1] * 3, np.array([True] * 3)]
)
def test_rows_may_all_be_known_outliers(y):
    display = AlarmDisplay([1.0, 2.0, 3.0], 1.5, y=y).plot()
    said = [text.get_text() for text in display.ax_.get_legend().get_texts()]
    assert "known outliers: 2 of 3 rows alarmed (66.7%)" in said
    assert "normal rows: no rows" in said


@pytest.mark.parametrize(
    ("y", "said"),
    [
        ([1, 1, 1], "truth values"),
        ([None, True, False], "nothing of 1 of 3 rows"),
        ([0.0, 1.0, np.nan], "nothing of 1 of 3 rows"),
        ([-1, 0, 1], "-1, 0, 1"),
        (["a", "b", "a"], "'a', 'b'"),
        ([1 + 2j, 0, 1], "whether rows are outliers"),
    ],
)
def test_what_does_not_say_which_rows_are_outliers_is_refused_in_words(y, said):
    with pytest.raises(ValueError, match=said):
        AlarmDisplay([1.0, 2.0, 3.0], 1.5, y=y).plot()


@pytest.mark.parametrize("dtype", ["Float64", "Int64"])
def test_missing_cells_of_nullable_columns_are_drawn_as_such(dtype):
    X = pd.DataFrame(rows(6).round()).rename(columns=str).astype(dtype)
    X.iloc[3, 2] = pd.NA
    estimator = AutoencoderTransformer(**SMALL).fit(X)
    display = ReconstructionDisplay.from_estimator(estimator, X)
    error = display.images_[-1].get_array()
    assert np.argwhere(np.isnan(np.ma.filled(error, np.nan))).tolist() == [[3, 2]]
    ComponentDisplay.from_estimator(estimator, X)
    CodeSizeDisplay.from_estimator(estimator, X, n_components=[2])


@pytest.mark.parametrize("kind", [np.asarray, np.ndarray.tolist, csr_array])
def test_truth_values_are_drawn_as_numbers(kind):
    truth = rows(6) > 0
    estimator = AutoencoderTransformer(**SMALL).fit(kind(truth))
    shown = [
        ReconstructionDisplay.from_estimator(estimator, X).images_[-1].get_array()
        for X in (kind(truth), truth.astype(float))
    ]
    np.testing.assert_array_equal(*shown)


@pytest.mark.parametrize("name", [r"$\frac{$", "$x_1$", "1 $", r"a\$b$"])
def test_text_of_users_is_no_mathematics(name):
    X = pd.DataFrame(rows(4)).rename(columns={0: name, 1: "b", 2: "c", 3: "d"})
    kinds = X.assign(c=np.where(X["c"] > 0, name, "other"))
    times = pd.Index(np.arange(len(X)) / 2, name=name)
    first = X.set_axis([name, *range(1, len(X))])[:1]
    detector = AutoencoderOutlierDetector(AutoencoderTransformer(**FEW), random_state=0)
    plain, table = AutoencoderTransformer(**FEW), AutoencoderTransformer(**FEW)
    plain.fit(X), table.fit(kinds), detector.fit(X)
    y = pd.Series(X["b"], name=name)
    displays = [
        ReconstructionDisplay.from_estimator(plain, X),
        ReconstructionDisplay.from_estimator(table, kinds),
        ComponentDisplay.from_estimator(table, kinds),
        ReasonDisplay.from_estimator(detector, X),
        ReasonDisplay.from_estimator(detector, first),
        CodeDisplay.from_estimator(plain, X, y),
        CodeDisplay.from_estimator(plain, X, kinds["c"].rename(name)),
        AlarmDisplay.from_estimator(detector, X, times=times),
    ]
    for display in displays:
        display.figure_.canvas.draw()
        parsed = [
            text._preprocess_math(text.get_text())
            for text in display.figure_.findobj(matplotlib.text.Text)
        ]
        assert any(name in shown for shown, _ in parsed)
        assert not any(is_math for _, is_math in parsed)


def test_any_class_is_in_the_legend():
    y = np.array(["_a", "", "c"] * 20)
    display = CodeDisplay(np.random.default_rng(0).normal(size=(60, 2)), y=y).plot()
    shown = [text.get_text() for text in display.ax_.get_legend().get_texts()]
    assert [text.strip("\u200b") for text in shown] == ["", "_a", "c"]
    display.figure_.canvas.draw()


@pytest.fixture(scope="module")
def drawings():
    """Functions of axes, one for each display."""
    X = rows(6)
    plain = AutoencoderTransformer(**SMALL).fit(X)
    detector = AutoencoderOutlierDetector(AutoencoderTransformer(**FEW), random_state=0)
    detector.fit(X)
    return {
        LossCurveDisplay: LossCurveDisplay.from_estimator(plain),
        ReconstructionDisplay: ReconstructionDisplay.from_estimator(plain, X),
        CodeDisplay: CodeDisplay.from_estimator(plain, X, color_by="error"),
        ComponentDisplay: ComponentDisplay.from_estimator(plain, X),
        AlarmDisplay: AlarmDisplay.from_estimator(detector, X),
        ReasonDisplay: ReasonDisplay.from_estimator(detector, X),
        CodeSizeDisplay: CodeSizeDisplay.from_estimator(plain, X, n_components=[1, 2]),
    }


@pytest.mark.parametrize("cls", DISPLAYS)
def test_axes_may_be_those_of_a_part_of_a_figure(cls, drawings):
    figure = plt.figure()
    part, _ = figure.subfigures(1, 2)
    display = drawings[cls].plot(ax=part.subplots())
    assert display.figure_ is part
    figure.canvas.draw()


@pytest.mark.parametrize("projection", ["polar", "3d"])
@pytest.mark.parametrize("cls", DISPLAYS)
def test_axes_without_rectangular_coordinates_are_refused(cls, projection, drawings):
    ax = plt.figure().add_subplot(projection=projection)
    with pytest.raises(TypeError, match=type(ax).__name__):
        drawings[cls].plot(ax=ax)
    with pytest.raises(TypeError, match="ndarray"):
        drawings[cls].plot(ax=plt.subplots(1, 2)[1])


@pytest.mark.parametrize(
    ("y", "said"),
    [
        (np.array([1e30, 2e30] * 30), ["1e+30", "2e+30"]),
        (np.array([2**64 - 1, 3] * 30, np.uint64), ["3", str(2**64 - 1)]),
        (pd.Series([pd.NaT] * 60), ["no label"]),
        (np.array([b"a", b"b"] * 30), ["b'a'", "b'b'"]),
        (np.array([-1e308, 1e308] * 30), ["-1e+308", "1e+308"]),
        (np.linspace(-1, 1, 60) * 1.7e308, "y"),
        (np.r_[-np.inf, np.inf, np.arange(58)], "y"),
        (pd.date_range("2020", periods=60, tz="UTC"), "y: days since 2020-01-01 00:00"),
        (pd.timedelta_range("1h", periods=60), "y: days"),
    ],
)
def test_codes_are_coloured_by_what_y_holds(y, said):
    codes = np.random.default_rng(0).normal(size=(60, 2))
    display = CodeDisplay(codes, y=y).plot()
    display.figure_.canvas.draw()
    legend = display.ax_.get_legend()
    if legend is None:
        shown = display.figure_.axes[-1].get_ylabel()
    else:
        shown = [text.get_text() for text in legend.get_texts()]
    assert shown == said
    display = CodeDisplay(codes, y=y).plot(legend=False)
    assert display.ax_.get_legend() is None and len(display.figure_.axes) == 1


@pytest.mark.parametrize(
    ("y", "error", "said"),
    [
        (np.zeros((60, 2)), ValueError, "one value for each of the 60 rows"),
        (np.zeros(3), ValueError, "one value for each of the 60 rows"),
        (np.full(60, 1j), TypeError, "complex numbers"),
    ],
)
def test_what_no_colours_are_for_is_refused_in_words(y, error, said):
    with pytest.raises(error, match=said):
        CodeDisplay(np.zeros((60, 2)), y=y).plot()


@pytest.mark.parametrize("cls", [AlarmDisplay, LossCurveDisplay])
def test_legends_can_be_left_out(cls, drawings):
    assert drawings[cls].plot().ax_.get_legend() is not None
    assert drawings[cls].plot(legend=False).ax_.get_legend() is None


@pytest.mark.parametrize("kind", [list, tuple, np.array, pd.Series])
def test_codes_are_of_texts_that_steps_before_read(kind):
    texts = kind(["a cat sat", "the dog ran far", "cats and dogs", "sun"] * 10)
    pipeline = make_pipeline(TfidfVectorizer(), AutoencoderTransformer(**FEW))
    display = CodeDisplay.from_estimator(pipeline.fit(texts), texts, color_by="error")
    assert display.points_.shape == (40, 2)


@pytest.mark.parametrize(
    ("times", "label"),
    [
        (pd.period_range("2020", periods=3, freq="M"), "time"),
        (pd.timedelta_range("1D", periods=3), "time (days)"),
        (pd.timedelta_range("1s", periods=3, freq="s"), "time (seconds)"),
    ],
)
def test_times_may_be_periods_and_spans(times, label):
    display = AlarmDisplay([1.0, 2.0, 3.0], 1.5, times=times).plot()
    display.figure_.canvas.draw()
    assert display.ax_.get_xlabel() == label
    assert len(display.line_.get_xdata()) == 3


@pytest.mark.parametrize(
    "times", [pd.to_datetime(["2020", None, "2021"]), [0, None, 2]]
)
def test_missing_times_are_told_from_those_that_go_back(times):
    with pytest.raises(ValueError, match="no time for 1 of 3 rows"):
        AlarmDisplay([1.0, 2.0, 3.0], 1.5, times=times).plot()


@pytest.mark.parametrize("times", [[], pd.DatetimeIndex([]), None])
def test_no_rows_have_no_alarms(times):
    AlarmDisplay([], 0.0, times=times).plot().figure_.canvas.draw()


def test_pca_that_was_kept_is_as_good_as_itself():
    display = CodeSizeDisplay(
        [1, 2, 4],
        np.float32([3, 2, 1]).astype(float) * (1 - 1e-7),
        pca_components=[1, 2, 3, 4],
        pca_errors=[3.0, 2.0, 1.5, 1.0],
    ).plot()
    said = " ".join(text.get_text() for text in display.ax_.get_legend().get_texts())
    assert "as good as" not in said
