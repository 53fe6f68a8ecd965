"""Summaries and reports: words that are true, and warnings where something is wrong."""

import inspect
import re
import sys
from html import escape
from pathlib import Path

import matplotlib
import numpy as np
import pandas as pd
import polars as pl
import pytest
from conftest import SHORT, estimator_classes, make_default
from scipy.sparse import csr_array
from sklearn import config_context
from sklearn.base import BaseEstimator
from sklearn.datasets import load_breast_cancer, load_digits
from sklearn.exceptions import NotFittedError
from sklearn.preprocessing import scale

import skae
from skae._tables.compared import Columns, column_means
from skae.detection import WindowedDetector
from skae.losses import AbsoluteError, SquaredError
from skae.reports import Report
from skae.reports._hidden import without
from skae.reports._words import percent

TINY = {"hidden_layer_sizes": (16,), "random_state": 0}


def plain(n_components=2, **params):
    return skae.AutoencoderTransformer(n_components, **{**TINY, **params})


def names(report):
    return [warning.name for warning in report.warnings]


def note_of(report):
    """Which rows are shown, and how it went."""
    return str(report).splitlines()[2]


def fitted(cls, X):
    estimator = make_default(cls)
    short = {**SHORT, "random_state": 0}
    given = {k: v for k, v in short.items() if k in estimator.get_params()}
    return estimator.set_params(**given).fit(X)


@pytest.fixture(scope="module")
def cancer():
    """Measures of 569 tumours (569, 30), and which are benign."""
    data = load_breast_cancer(as_frame=True)
    return pd.DataFrame(scale(data.data), columns=data.data.columns), data.target == 1


@pytest.fixture(scope="module")
def curved():
    """Rows (400, 3) near a curve, which a line does not follow."""
    rng = np.random.default_rng(0)
    t = rng.uniform(-2, 2, 400)
    rows = np.column_stack([t, t**2, np.sin(2 * t)])
    return scale(rows) + 0.03 * rng.normal(size=rows.shape)


@pytest.fixture(scope="module")
def table():
    """A table of all kinds of columns (120, 5), with missing cells."""
    rng = np.random.default_rng(0)
    kind = rng.choice(["oak", "pine"], 120)
    height = rng.normal(10, 2, 120) + 3 * (kind == "oak")
    planted = pd.Timestamp("2001-01-01") + pd.to_timedelta(height // 0.01, unit="D")
    columns = {"kind": kind, "height": height, "planted": planted}
    X = pd.DataFrame(columns | {"girth": 0.3 * height, "healthy": height > 9})
    X.loc[::7, "girth"] = np.nan
    X.loc[::11, "kind"] = None
    return X


# Every estimator


@pytest.mark.parametrize("cls", estimator_classes())
def test_every_estimator_says_what_was_fitted(cls, tables, tmp_path):
    with pytest.raises(NotFittedError):
        make_default(cls).summary()
    with pytest.raises(NotFittedError):
        make_default(cls).report(tables)
    estimator = fitted(cls, tables)
    first, second = estimator.summary().splitlines()
    assert first.startswith(f"{cls.__name__}: 60 ")
    assert second.endswith(".")
    estimator.save(tmp_path / "model.skae")
    assert skae.load(tmp_path / "model.skae").summary() == estimator.summary()


@pytest.mark.parametrize("cls", estimator_classes())
def test_every_estimator_reports_on_rows_and_stays_as_it_is(cls, tables, tmp_path):
    estimator = fitted(cls, tables)
    before, settings = vars(estimator).copy(), dict(matplotlib.rcParams)
    generator = np.random.get_state()[1].copy()  # noqa: NPY002
    report = estimator.report(tables)
    assert isinstance(report, Report)
    assert report.summary == estimator.summary()
    assert vars(estimator) == before
    assert dict(matplotlib.rcParams) == settings
    np.testing.assert_array_equal(np.random.get_state()[1], generator)  # noqa: NPY002
    html = report.to_html()
    assert html == estimator.report(tables).to_html()
    for word in ("<script", "http:", "https:", "src=", "@import", "javascript"):
        assert word not in re.sub(r'xmlns(:xlink)?="[^"]*"', "", html), word
    report.save(tmp_path / "report.html")
    assert (tmp_path / "report.html").read_text(encoding="utf-8") == html


@pytest.mark.parametrize("cls", estimator_classes())
def test_html_of_fitted_estimators_ends_with_the_summary(cls, tables):
    unfitted, estimator = make_default(cls), fitted(cls, tables)
    first = escape(estimator.summary().splitlines()[0])
    for shown in (estimator._repr_html_(), estimator._repr_mimebundle_()["text/html"]):
        assert shown.count(first) == 1
    assert 'role="note"' not in unfitted._repr_html_()
    with config_context(display="text"):
        assert not hasattr(estimator, "_repr_html_")
        assert list(estimator._repr_mimebundle_()) == ["text/plain"]


@pytest.mark.parametrize("cls", estimator_classes())
def test_html_of_estimators_links_to_their_pages(cls):
    module = "skae" if cls.__name__ in skae.__all__ else "skae.detection"
    link = f"https://skae-developers.github.io/skae/generated/{module}.{cls.__name__}"
    assert make_default(cls)._get_doc_link() == f"{link}.html"
    html = make_default(cls)._repr_html_()
    assert f'href="{link}.html"' in html
    # Since scikit-learn 1.8 each parameter has a link of its own.
    shows = getattr(BaseEstimator, "_get_params_html", None)
    if shows is not None and "doc_link" in inspect.signature(shows).parameters:
        assert f'href="{link}.html#:~:text=random_state,-int' in html


# Words


def test_the_summary_compares_with_pca(curved):
    estimator = plain(1, max_iter=60).fit(curved)
    kept = estimator.validation_loss_curve_[estimator.best_iter_ - 1]
    first, second = estimator.summary().splitlines()
    assert first == (
        "AutoencoderTransformer: 400 rows of 3 columns as 1 component; epoch "
        f"{estimator.best_iter_} of {estimator.n_iter_} was kept."
    )
    ratio = kept / estimator.pca_loss_
    assert ratio < 0.8
    assert f"The autoencoder has {ratio:.2f} of PCA's error on held-out" in second


def test_the_summary_says_that_pca_was_kept():
    noise = np.random.default_rng(0).normal(size=(300, 8))
    estimator = plain(max_iter=5).fit(noise)
    assert estimator.best_iter_ == 0
    first, second = estimator.summary().splitlines()
    assert first.endswith(" as 2 components.")
    assert second.startswith("PCA was kept: no epoch of 5 ")
    assert "best_iter_ is 0" in second


def test_the_summary_says_that_a_code_is_no_bottleneck():
    X = rows(90, 2)
    X[::3, 1] = np.nan
    imputer = skae.AutoencoderImputer(plain(64, max_iter=3)).fit(X)
    assert imputer.autoencoder_.pca_loss_ < 1e-10
    _, second = imputer.summary().splitlines()
    assert "64 components for 2 columns are no bottleneck" in second
    (warning,) = [w for w in imputer.report(X).warnings if w.name == "pca_kept"]
    assert "fewer components than there are columns" in warning.advice


def test_the_summary_says_where_there_is_nothing_to_compare(tables):
    without_rows = plain(max_iter=3, early_stopping=False).fit(tables)
    assert "without held-out rows" in without_rows.summary()
    assert "without held-out rows" in plain().partial_fit(tables).summary()
    sparse = skae.SparseAutoencoderTransformer(32, max_iter=3, random_state=0)
    assert "nothing to compare with" in sparse.fit(tables).summary()
    absolute = plain(1, loss="absolute_error", max_iter=3).fit(tables).summary()
    assert "PCA's loss" in absolute or "less loss" in absolute
    denoising = skae.DenoisingAutoencoderTransformer(2, max_iter=3, random_state=0)
    assert "clean held-out rows" in denoising.fit(tables).summary()


def test_losses_that_are_objects_are_named_as_their_names(curved):
    for name, loss in [
        ("squared_error", SquaredError()),
        ("absolute_error", AbsoluteError()),
    ]:
        said = [
            plain(1, max_iter=3, loss=either).fit(curved).summary()
            for either in (name, loss)
        ]
        assert said[0] == said[1]


def test_files_of_earlier_versions_have_a_summary():
    paths = sorted((Path(__file__).parent / "data").glob("*_[12].skae"))
    found = [skae.load(path) for path in paths]
    summaries = [thing.summary() for thing in found if hasattr(thing, "summary")]
    assert len(summaries) > 10
    assert all(len(summary.splitlines()) == 2 for summary in summaries)


def test_the_summary_of_a_detector_says_how_many_held_out_rows_are_alarms(tables):
    detector = skae.AutoencoderOutlierDetector(plain(max_iter=3), alpha=0.1)
    detector.set_params(random_state=0).fit(tables)
    share = np.mean(detector.held_out_scores_ < detector.offset_)
    assert f"{100 * share:.2g}% of the rows that were held" in detector.summary()
    detector.set_params(contamination=0.2).fit(tables)
    assert "(contamination=0.2)" in detector.summary()
    watch = WindowedDetector(detector, alpha=None, length=2).fit(tables)
    assert "alpha=None" in watch.summary()


# Warnings


def rows(n_rows=300, n_columns=6, rank=3, seed=0):
    rng = np.random.default_rng(seed)
    mixed = rng.normal(size=(n_rows, rank)) @ rng.normal(size=(rank, n_columns))
    return mixed + 0.3 * rng.normal(size=(n_rows, n_columns))


def test_training_that_was_cut_off_is_told_of(digits):
    report = plain(8, max_iter=3).fit(digits).report(digits[:300])
    assert "undertrained" in names(report)
    report = plain(8, max_iter=3, early_stopping=False).fit(digits).report(digits)
    (warning,) = [w for w in report.warnings if w.name == "undertrained"]
    assert "the training loss" in warning.message
    assert "max_iter=30" in warning.advice


def test_pca_is_told_of():
    X = np.random.default_rng(0).normal(size=(300, 8))
    assert "pca_kept" in names(plain(max_iter=20).fit(X).report(X))


def test_a_column_of_another_unit_is_told_of():
    X = pd.DataFrame(rows()).rename(columns="column {}".format)
    X["column 4"] *= 1000
    report = plain().fit(X).report(X)
    assert {"unscaled", "one_component"} <= set(names(report))
    (warning,) = [w for w in report.warnings if w.name == "unscaled"]
    assert warning.message.startswith("column 4 has 100% of the variance")
    detector = skae.AutoencoderOutlierDetector(plain(max_iter=3), random_state=0)
    assert "unscaled" in names(detector.fit(X).report(X))


def test_components_that_carry_nothing_are_told_of():
    X = rows(rank=2)
    flat = np.column_stack([X[:, 0], X[:, 0] * 2, X[:, 1]] * 2)
    report = (
        plain(4, init="pca", max_iter=1, learning_rate=1e-12).fit(flat).report(flat)
    )
    assert "dead_components" in names(report)
    variational = skae.VariationalAutoencoderTransformer(5, beta=20, **TINY)
    with pytest.warns(UserWarning, match="Posterior collapse"):
        variational.fit(X)
    assert "dead_components" in names(variational.report(X))
    sparse = skae.SparseAutoencoderTransformer(200, k=1, max_iter=20, random_state=0)
    sparse.fit(X)
    assert sparse.dead_fraction_ > 0.2
    report = sparse.report(X)
    (warning,) = [w for w in report.warnings if w.name == "dead_components"]
    assert warning.message.startswith(f"{round(sparse.dead_fraction_ * 200)} of 200 ")


def test_few_rows_are_told_of():
    X = rows(60)
    assert "few_rows" in names(plain().fit(X).report(X))
    detector = skae.AutoencoderOutlierDetector(plain(max_iter=3), random_state=0)
    report = detector.fit(X).report(X)
    (warning,) = [w for w in report.warnings if w.name == "few_rows"]
    assert "alpha=0.01, but 60 scores were held out" in warning.message


def test_missing_cells_are_told_of():
    X = rows()
    X[:200, 2] = np.nan
    report = plain(max_iter=3).fit(X).report(X)
    (warning,) = [w for w in report.warnings if w.name == "missing_cells"]
    assert warning.message == "11% of the cells are missing. Mostly missing: column 2."


def test_constant_columns_are_told_of():
    X = rows()
    X[:, 1] = 3.7
    report = plain(max_iter=3).fit(X).report(X)
    (warning,) = [w for w in report.warnings if w.name == "constant_columns"]
    assert warning.message == "1 of 6 columns have one value alone: column 1."
    assert ">constant<" in report.to_html()


def test_rows_of_another_kind_are_told_of(cancer):
    X, is_benign = cancer
    transformer = plain(4).fit(X[is_benign])
    assert "unlike" in names(transformer.report(X[~is_benign]))
    detector = skae.AutoencoderOutlierDetector(random_state=0).fit(X[is_benign])
    report = detector.report(X[~is_benign])
    assert "alarms" in names(report)
    report = detector.report(1000 * X + 5000)
    assert {"alarms", "units"} <= set(names(report))


def test_rows_of_fit_are_not_said_to_be_of_another_kind():
    height = np.random.default_rng(0).normal(size=90)
    girth = height + np.random.default_rng(1).normal(size=90)
    girth[::2] = np.nan
    table = pd.DataFrame({"kind": np.where(height > 0, "a", "b"), "girth": girth})
    for X in (table, np.column_stack([height, girth])):
        for n_components in (1, 2, 64):
            estimator = plain(n_components, max_iter=3).fit(X)
            assert "unlike" not in names(estimator.report(X))


def test_rounding_is_not_said_to_be_of_another_kind():
    X = rows(400, 2)
    estimator = plain(2, max_iter=3).fit(X)
    assert estimator.pca_loss_ < 1e-12
    assert "unlike" not in names(estimator.report(X[:50] * 10))


def test_clean_rows_have_no_warnings(digits, cancer, curved):
    assert plain(8, max_iter=30).fit(digits).report(digits).warnings == []
    X, is_benign = cancer
    assert (
        skae.AutoencoderTransformer(2, random_state=0).fit(X).report(X).warnings == []
    )
    detector = skae.AutoencoderOutlierDetector(random_state=0).fit(X[is_benign])
    assert detector.report(X[is_benign]).warnings == []
    variational = skae.VariationalAutoencoderTransformer(4, random_state=0)
    assert variational.fit(digits).report(digits).warnings == []
    sparse = skae.SparseAutoencoderTransformer(random_state=0).fit(digits)
    assert sparse.report(digits).warnings == []
    assert plain(1, max_iter=60).fit(curved).report(curved).warnings == []


def test_words_of_a_report_have_the_warnings(tables):
    report = plain(max_iter=3).fit(tables).report(tables)
    assert report.warnings
    assert all(str(warning) in str(report) for warning in report.warnings)
    assert str(report).startswith(report.summary)


# Rows of all kinds


@pytest.mark.parametrize("library", ["pandas", "polars"])
@pytest.mark.parametrize(
    "make",
    [
        lambda: plain(max_iter=3),
        lambda: skae.AutoencoderImputer(plain(max_iter=3)),
        lambda: skae.AutoencoderOutlierDetector(plain(max_iter=3), random_state=0),
    ],
    ids=["transformer", "imputer", "detector"],
)
def test_tables_are_reported_on(table, make, library):
    X = table if library == "pandas" else pl.from_pandas(table)
    y = np.where(table["healthy"], 1, 0)
    html = make().fit(X).report(X, y).to_html()
    for name in table:
        assert f'<th scope="row">{name}</th>' in html


def test_labels_of_rows_and_classes_may_be_text(tables):
    X = pd.DataFrame(tables, index=[f"row {i}" for i in range(60)]).add_prefix("f")
    y = np.where(X["f0"] > 0, "high", "low")
    estimator = plain(max_iter=3).fit(X)
    report = estimator.report(X, y)
    worst = X.index[np.argsort(estimator.score_samples(X))[0]]
    assert f'<th scope="row">{worst}</th>' in report.to_html()
    assert {"high</text>", "low</text>"} <= set(
        re.findall(r"\w+</text>", report.to_html())
    )
    with pytest.raises(
        ValueError, match=r"y has shape \(59,\), but one value for each of the 60"
    ):
        estimator.report(X, y[1:])


def test_known_outliers_are_truth_values_or_of_predict(tables):
    detector = skae.AutoencoderOutlierDetector(plain(max_iter=3), random_state=0)
    detector.fit(tables)
    y = np.arange(60) < 3
    usual = detector.report(tables, y).to_html()
    assert "known outliers" in usual
    for same in (y.astype(int), np.where(y, -1, 1)):
        assert detector.report(tables, same).to_html() == usual
    for other in (y + 1, np.where(y, "odd", "usual")):
        with pytest.raises(ValueError, match="whether rows are outliers was expected"):
            detector.report(tables, other)


def test_everything_that_users_named_is_escaped(tables):
    evil = "<script>alert('{}')</script>&\"".format
    X = pd.DataFrame(tables, index=map(evil, range(60))).rename(columns=evil)
    X["kind"] = np.where(tables[:, 0] > 0, evil("high"), evil("low"))
    y = X["kind"].to_numpy()
    for estimator in (
        plain(max_iter=3),
        skae.AutoencoderOutlierDetector(plain(max_iter=3), random_state=0),
        skae.AutoencoderImputer(plain(max_iter=3)),
    ):
        given = None if hasattr(estimator, "alpha") else y
        report = estimator.fit(X).report(X, given)
        for html in (report.to_html(), report._repr_html_(), estimator._repr_html_()):
            assert "<script>alert" not in html
        assert "&lt;script&gt;alert" in report.to_html()


@pytest.mark.parametrize(
    "given",
    [csr_array, np.ndarray.tolist, lambda X: X.astype(np.float32), pd.DataFrame],
    ids=["sparse", "lists", "float32", "columns of numbers"],
)
def test_rows_come_in_many_forms(given, tables):
    X = given(tables)
    report = plain(max_iter=3).fit(X).report(X)
    assert note_of(report).startswith("Shown here: 60 rows;")


@pytest.mark.parametrize("shape", [(1, 6), (2, 6), (60, 1)])
def test_few_rows_and_columns_are_reported_on(shape, tables):
    X = tables[:, : shape[1]]
    for estimator in (
        plain(1, max_iter=3),
        skae.AutoencoderOutlierDetector(plain(1, max_iter=3), random_state=0),
        skae.AutoencoderImputer(plain(1, max_iter=3)),
    ):
        estimator.fit(X).report(X[: shape[0]]).to_html()
    with pytest.raises(ValueError, match="X has no rows"):
        estimator.report(X[:0])


def test_output_of_transform_may_be_anything(tables):
    sparse = skae.SparseAutoencoderTransformer(8, sparse_output=True, max_iter=3)
    sparse.fit(tables).report(tables)
    frames = plain(max_iter=3).set_output(transform="pandas").fit(tables)
    frames.report(tables)


def test_of_many_rows_a_sample_is_shown():
    X = rows(10_300)
    estimator = plain(max_iter=1).fit(X[:500])
    note = note_of(estimator.report(X))
    assert note.startswith(
        "Shown here: 10,000 rows, a random sample of the 10,300 given;"
    )
    detector = skae.AutoencoderOutlierDetector(plain(max_iter=1), random_state=0)
    watch = WindowedDetector(detector, length=2, cv=2).fit(X[:200])
    note = note_of(watch.report(X[:5300]))
    assert note.startswith("Shown here: 5,000 times, the latest of the 5,300 given;")


def test_rows_of_files_are_refused_in_words(tables, tmp_path):
    path = tmp_path / "rows.parquet"
    pd.DataFrame(tables).rename(columns=str).to_parquet(path)
    estimator = plain(max_iter=3).fit(path)
    with pytest.raises(TypeError, match="report takes rows in memory, but X is a"):
        estimator.report(path)


def test_a_series_of_one_sensor_is_reported_on():
    times = pd.date_range("2024-05-01", periods=400, freq="h")
    values = np.sin(np.arange(400) / 5) + 0.1 * np.random.default_rng(0).normal(
        size=400
    )
    series = pd.Series(values, times, name="pressure")
    series.iloc[350:360] = 4.0
    detector = skae.AutoencoderOutlierDetector(plain(max_iter=3), random_state=0)
    watch = WindowedDetector(detector, length=4, cv=2).fit(series[:300])
    html = watch.report(series).to_html()
    assert "pressure at 2024-05-15" in html
    quiet = watch.report(series[100:140]).to_html()
    assert "There was no alarm." in quiet


def test_a_watch_reports_on_any_detector(tables):
    from sklearn.neighbors import LocalOutlierFactor

    watch = WindowedDetector(LocalOutlierFactor(novelty=True), length=2, cv=2)
    assert "LocalOutlierFactor" in str(watch.fit(tables).report(tables))


# Figures


def test_errors_of_columns_are_shares_of_their_spread(table):
    frame = table.dropna().reset_index(drop=True)
    given = Columns(frame)
    assert (given.errors(given) == 0).all()
    usual = frame.assign(height=frame["height"].mean(), kind=frame["kind"].mode()[0])
    found = column_means(given.relative(given.errors(Columns(usual))))
    np.testing.assert_allclose(found, [1, 1, 0, 0, 0], atol=1e-12)


def test_the_page_has_the_errors_of_columns(tables):
    estimator = plain(max_iter=3).fit(tables)
    errors = np.square(tables - estimator.reconstruct(tables)).mean(axis=0)
    html = estimator.report(tables).to_html()
    for share in errors / tables.var(axis=0):
        assert f">{share:.3f}<" in html


@pytest.mark.parametrize("library", ["pandas", "polars", "array"])
def test_cells_are_hidden_in_any_table(table, library):
    hidden = np.random.default_rng(0).random(table.shape) < 0.3
    if library == "array":
        X = table[["height", "girth"]].to_numpy()
        found, hidden = np.isnan(without(X, hidden[:, :2])), hidden[:, :2]
        was = np.isnan(X)
    elif library == "pandas":
        found, was = without(table, hidden).isna().to_numpy(), table.isna().to_numpy()
    else:
        X = pl.from_pandas(table)
        found, was = (
            t.select(pl.all().is_null()).to_numpy() for t in (without(X, hidden), X)
        )
    np.testing.assert_array_equal(found, hidden | was)


# Files and notebooks


def test_a_report_is_saved_whole_or_not_at_all(tables, tmp_path):
    report = plain(max_iter=3).fit(tables).report(tables)
    with pytest.raises(FileNotFoundError, match="no such folder"):
        report.save(tmp_path / "nowhere" / "report.html")
    path = tmp_path / "report.html"
    path.write_text("earlier")
    report.save(path)
    assert path.read_text(encoding="utf-8").startswith("<!DOCTYPE html>")
    assert list(tmp_path.iterdir()) == [path]


def test_notebooks_show_the_page_in_a_frame_without_rights(tables):
    shown = plain(max_iter=3).fit(tables).report(tables)._repr_html_()
    assert shown.startswith("<iframe ")
    assert 'sandbox=""' in shown
    assert shown.count("<") == 2


def test_without_matplotlib_it_says_what_to_install(tables, monkeypatch):
    estimator = plain(max_iter=3).fit(tables)
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    with pytest.raises(ImportError, match=r"pip install 'skae\[plot\]'"):
        estimator.report(tables)
    assert estimator.summary()


def test_scores_have_their_units(tables):
    detector = skae.AutoencoderOutlierDetector(plain(max_iter=3), random_state=0)
    assert "(nats of surprisal)" in detector.fit(tables).report(tables).to_html()


def test_reports_are_drawn_in_any_style(tables):
    estimator = plain(max_iter=3).fit(tables)
    usual = estimator.report(tables).to_html()
    with matplotlib.style.context("dark_background"):
        assert estimator.report(tables).to_html() == usual


# What was measured of columns that are no plain numbers.


@pytest.mark.parametrize("unit", ["date", "span"])
def test_columns_of_a_table_with_dates_count_for_as_much_as_each_other(unit):
    X = np.random.default_rng(0).normal(size=(60, 6))
    when = pd.date_range("2020", periods=60)
    when = when if unit == "date" else when - when[0]
    table = pd.DataFrame(X).rename(columns=str).assign(when=when)
    report = plain(max_iter=2).fit(table).report(table)
    assert "unscaled" not in names(report)
    (worst,) = (s.part for s in report._sections if s.title == "Worst rows")
    assert len(worst.rows[0][-1]) == 3  # no column has all of the error
    columns = Columns(table)
    errors = columns.errors(Columns(plain(max_iter=2).fit(table).reconstruct(table)))
    explained = 1 - column_means(columns.relative(errors)).mean()
    said = note_of(report)
    assert (percent(explained) if explained >= 0 else "worse") in said


@pytest.mark.parametrize("place", [0, 1, 2])
def test_sensors_are_told_apart_wherever_the_times_are(place):
    ticks = np.arange(300)
    columns = {"high": 1000 + np.sin(ticks), "low": np.cos(ticks)}
    items = list(columns.items())
    items.insert(place, ("t", pd.date_range("2020", periods=300, freq="min")))
    series = pl.DataFrame(dict(items))
    detector = skae.AutoencoderOutlierDetector(plain(max_iter=2), random_state=0)
    watch = WindowedDetector(detector, length=8).fit(series)
    (sensors,) = (
        s.part for s in watch.report(series)._sections if s.title == "Sensors"
    )
    means = {name: mean for name, _, mean, _ in sensors.rows}
    for name, values in columns.items():
        assert means[name] == pytest.approx(values.mean())


def test_known_outliers_are_read_before_the_latest_times_stand_for_all():
    series = np.random.default_rng(0).normal(size=(5200, 1))
    y = np.arange(5200) >= 200  # all that is shown
    detector = skae.AutoencoderOutlierDetector(plain(max_iter=1), random_state=0)
    watch = WindowedDetector(detector, length=8).fit(series[:500])
    shown = watch.report(series, y.astype(int)).to_html()
    assert "known outliers" in shown
    assert shown == watch.report(series, y).to_html()


@pytest.mark.parametrize("kind", [np.asarray, np.ndarray.tolist, csr_array])
def test_truth_values_are_read_as_numbers(kind):
    truth = np.random.default_rng(0).normal(size=(60, 6)) > 0
    estimator = plain(max_iter=2).fit(kind(truth))
    assert note_of(estimator.report(kind(truth))) == note_of(
        estimator.report(truth.astype(float))
    )


def test_what_partial_fit_adds_is_told_apart_from_what_was_compared():
    X = np.random.default_rng(0).normal(size=(60, 6))
    estimator = plain(max_iter=2).fit(X)
    compared = estimator.summary()
    estimator.partial_fit(X).partial_fit(X)
    said = estimator.summary()
    assert said != compared
    assert "compared with PCA in fit, but not since: 2 of 4 epochs" in said


def test_undertrained_advice_is_of_how_it_was_trained(curved):
    estimator = plain(3)
    for _ in range(3):
        estimator.partial_fit(curved)
    (warning,) = [
        w for w in estimator.report(curved).warnings if w.name == "undertrained"
    ]
    assert "more calls of partial_fit" in warning.advice


def section(report, title):
    (found,) = (part for part in report._sections if part.title == title)
    return found


def test_columns_without_a_figure_say_why():
    X = np.random.default_rng(0).normal(size=(60, 4))
    X[:, 3] = 1.0
    imputer = skae.AutoencoderImputer(plain(max_iter=2)).fit(X)
    X[:, 2] = np.nan
    report = imputer.report(X[:3])  # of which one cell is hidden by chance
    said = {row[0]: row[1].text for row in section(report, "Filling").part.rows}
    assert said["column 2"] == "no value" and said["column 3"] == "constant"
    assert "not measured" in (said["column 0"], said["column 1"])
    of_one = section(imputer.report(X[:1]), "Filling").part.rows
    assert [row[1].text for row in of_one] == [
        "one value",
        "one value",
        "no value",
        "one value",
    ]


def test_codes_of_one_row_have_no_variance():
    X = np.random.default_rng(0).normal(size=(60, 4))
    report = plain(max_iter=2).fit(X).report(X[:1])
    assert "none varies" in section(report, "Components").text


def test_columns_are_not_judged_by_a_few_new_rows():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(300, 6))
    X[:, 3:] = rng.random((300, 3)) < 0.03  # alike in most rows
    model = plain(max_iter=5).fit(X)
    few = X[(X[:, 3:] == 0).all(axis=1)][:10]
    names = {warning.name for warning in model.report(few).warnings}
    assert not names & {"constant_columns", "unscaled", "one_component", "unlike"}


def test_rows_that_are_images_are_shown_as_such():
    X = load_digits().data[:200]  # whose margins are constant
    X[:, ::8] = 0
    model = plain(max_iter=2).fit(X)
    as_rows, as_images = (model.report(X, image_shape=s) for s in (None, (8, 8)))
    assert "constant_columns" in {warning.name for warning in as_rows.warnings}
    assert "constant_columns" not in {warning.name for warning in as_images.warnings}
    pictures = [
        section(report, "Reconstructions").part.svg for report in (as_rows, as_images)
    ]
    assert pictures[0] != pictures[1]
    assert "number of the feature" in pictures[0] + as_rows.to_html()
    assert "number of the feature" not in pictures[1]
    with pytest.raises(ValueError, match=r"image_shape"):
        model.report(X, image_shape=(8, 9))
