"""The outlier detector: scores, thresholds, reasons."""

import pickle
import sys

import numpy as np
import pandas as pd
import pytest
import scipy.sparse
import scipy.stats
import torch
from scipy.spatial.distance import cdist
from sklearn.base import BaseEstimator, clone
from sklearn.datasets import load_breast_cancer
from sklearn.decomposition import PCA
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import (
    GroupKFold,
    KFold,
    LeaveOneOut,
    StratifiedKFold,
    TimeSeriesSplit,
)
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import (
    FunctionTransformer,
    MinMaxScaler,
    Normalizer,
    StandardScaler,
)

from skae import (
    AutoencoderOutlierDetector,
    AutoencoderTransformer,
    DenoisingAutoencoderTransformer,
    VariationalAutoencoderTransformer,
)
from skae.detection._scores import (
    SCORES,
    Neighbors,
    _trimmed_variance,
    surprisal,
    usual_errors,
)

SHORT = AutoencoderTransformer(2, hidden_layer_sizes=(8,), max_iter=3)


def detector(**params):
    return AutoencoderOutlierDetector(
        **{"autoencoder": SHORT, "random_state": 0, **params}
    )


class Linear(BaseEstimator):
    """An autoencoder that is quick: PCA."""

    def fit(self, X, y=None):
        self.pca_ = PCA(1).fit(X)
        return self

    def reconstruct(self, X):
        return self.pca_.inverse_transform(self.pca_.transform(X))


@pytest.fixture(scope="module")
def normal():
    """Rows (1200, 5) with two hidden causes."""
    rng = np.random.default_rng(0)
    rows = rng.normal(size=(1200, 2)) @ rng.normal(size=(2, 5))
    return rows + 0.1 * rng.normal(size=rows.shape)


# Parts of scores


def test_distance_is_the_mean_over_draws_of_references():
    rng = np.random.default_rng(0)
    references, rows = rng.normal(size=(400, 3)), rng.normal(size=(6, 3))
    distances = cdist(rows, references)
    drawn = [distances[:, rng.choice(400, 256, replace=False)] for _ in range(3000)]
    expected = np.mean([of_draw.min(1) for of_draw in drawn], axis=0)
    found = Neighbors(references).distances(rows, rows.shape[1])
    np.testing.assert_allclose(found, expected, rtol=0.05)


def test_no_row_is_a_reference_for_itself():
    rows = np.random.default_rng(0).normal(size=(50, 3)).astype(np.float32)
    others = [
        Neighbors(np.delete(rows, i, axis=0)).distances(rows[[i]], 3)[0]
        for i in range(50)
    ]
    np.testing.assert_allclose(Neighbors(rows).distances(rows, 3), others)
    twice = np.r_[rows, rows]
    assert (Neighbors(twice).distances(rows, 3) == 0).all()


@pytest.mark.parametrize("method", ["neighbors", "combined"])
def test_rounded_rows_are_still_themselves(method, tables):
    """Rows that were float32 for a while score as they did."""
    detector = AutoencoderOutlierDetector(method=method, random_state=0).fit(tables)
    expected = detector.score_samples(tables)
    for rows in (tables.astype(np.float32), tables + 1e-9):
        np.testing.assert_allclose(detector.score_samples(rows), expected, rtol=1e-4)


def test_usual_errors_are_standard_deviations_and_robust():
    residuals = np.random.default_rng(0).normal(size=(20_000, 3)) * [1, 2, 5]
    np.testing.assert_allclose(usual_errors(residuals), [1, 2, 5], rtol=0.03)
    residuals[:600] = 1e6
    np.testing.assert_allclose(usual_errors(residuals), [1, 2, 5], rtol=0.1)


def test_trimmed_variance_is_that_of_a_truncated_normal_distribution():
    edge = scipy.stats.norm.isf(0.05)
    expected = scipy.stats.truncnorm(-edge, edge).var()
    assert _trimmed_variance(0.1) == pytest.approx(expected)


def test_surprisal_is_the_logarithm_of_a_share():
    usual = np.arange(1.0, 100.0)
    found = np.exp(-surprisal(np.array([0.0, 1.0, 50.5, 99.0, 1e9]), usual))
    np.testing.assert_allclose(found, [1.0, 1.0, 0.5, 0.02, 0.01])


# Scores


@pytest.mark.parametrize("method", SCORES)
def test_it_finds_what_is_different(method):
    X, y = load_breast_cancer(return_X_y=True)
    benign, malignant = X[y == 1], X[y == 0]
    model = make_pipeline(
        StandardScaler(), AutoencoderOutlierDetector(method=method, random_state=0)
    ).fit(benign[:250])
    X_test = np.r_[benign[250:], malignant]
    is_benign = np.repeat([True, False], [len(benign) - 250, len(malignant)])
    assert roc_auc_score(is_benign, model.score_samples(X_test)) > 0.9
    found = model.predict(X_test)
    assert (found[is_benign] == 1).mean() > 0.9


@pytest.mark.parametrize("method", SCORES)
@pytest.mark.parametrize(
    "autoencoder",
    [
        None,
        DenoisingAutoencoderTransformer(2, max_iter=3),
        VariationalAutoencoderTransformer(2, max_iter=3, beta=0.1),
    ],
    ids=["default", "denoising", "variational"],
)
def test_any_autoencoder_with_any_score(method, autoencoder, normal):
    model = detector(method=method, autoencoder=autoencoder).fit(normal[:200])
    scores = model.score_samples(normal)
    assert scores.dtype == np.float64
    assert np.isfinite(scores).all()
    np.testing.assert_array_equal(
        model.decision_function(normal), scores - model.offset_
    )
    outlying = model.predict(normal) == -1
    np.testing.assert_array_equal(outlying, scores < model.offset_)


@pytest.mark.parametrize("method", SCORES)
def test_a_row_does_not_depend_on_its_neighbours(method, normal):
    model = detector(method=method).fit(normal[:300])
    whole = model.score_samples(normal)
    order = np.random.default_rng(0).permutation(len(normal))
    np.testing.assert_array_equal(model.score_samples(normal[order]), whole[order])
    alone = [model.score_samples(row[None])[0] for row in normal[:20]]
    np.testing.assert_array_equal(alone, whole[:20])


@pytest.mark.parametrize("method", SCORES)
def test_scale_and_shift_of_the_data_do_not_matter(method, normal):
    before = detector(method=method).fit(normal[:300])
    moved = detector(method=method).fit(8 * normal[:300] + 16)
    np.testing.assert_allclose(
        moved.score_samples(8 * normal + 16),
        before.score_samples(normal),
        rtol=1e-2,
        atol=1e-2,
    )


@pytest.mark.parametrize("random_state", [0, None])
def test_no_global_generator_is_used(random_state, normal):
    of_torch, of_numpy = torch.get_rng_state(), np.random.get_state()  # noqa: NPY002
    detector(random_state=random_state).fit(normal).score_samples(normal)
    assert torch.equal(of_torch, torch.get_rng_state())
    np.testing.assert_equal(np.random.get_state(), of_numpy)  # noqa: NPY002


def test_same_random_state_same_scores(normal):
    first, second = (detector().fit(normal).score_samples(normal) for _ in range(2))
    np.testing.assert_array_equal(first, second)
    other = detector(random_state=1).fit(normal).score_samples(normal)
    assert (other != first).any()


@pytest.mark.parametrize("method", SCORES)
@pytest.mark.parametrize("scale", [1e-25, 1.0, 1e10])
def test_rows_however_far_away_are_outlying(method, scale, normal):
    model = detector(method=method).fit(scale * normal[:300])
    far = np.array([[1e15, 0, 0, 0, 0], [0, -1e15, 0, 1e15, 0]])
    X = np.r_[far, scale * normal]
    scores = model.score_samples(X)
    assert np.isfinite(scores).all()
    assert (model.predict(far) == -1).all()
    np.testing.assert_array_equal(scores[2:], model.score_samples(scale * normal))
    assert np.isfinite(model.feature_scores(far)).all()
    assert model.feature_scores(far)[0].argmax() == 0
    assert model.explain(far)["observed"][0] == 1e15


@pytest.mark.parametrize("method", SCORES)
def test_a_training_row_may_be_far_away(method, normal):
    X = 1e-25 * normal[:300]
    X[7] = 1e15
    model = detector(method=method).fit(X)
    assert np.isfinite(model.held_out_scores_).all()
    assert model.held_out_scores_.argmin() == 7
    assert model.predict(X)[7] == -1


def test_float32_rows_are_reconstructed_as_such(normal):
    model = detector().fit(normal)
    assert model.reconstruct(normal[:3].astype(np.float32)).dtype == np.float32
    assert model.reconstruct(normal[:3]).dtype == np.float64


def test_the_autoencoder_s_own_random_state_counts(normal):
    own = clone(SHORT).set_params(random_state=3)
    model = detector(autoencoder=own).fit(normal)
    assert {a.random_state for a in model.autoencoders_} == {3}
    assert own.get_params()["random_state"] == 3


def test_parameters_of_the_autoencoder_are_keys(normal):
    model = detector().set_params(autoencoder__max_iter=1).fit(normal)
    assert {a.n_iter_ for a in model.autoencoders_} == {1}


def test_pickles_score_alike_and_are_small(normal):
    model = detector().fit(normal)
    text = pickle.dumps(model)
    assert len(text) < 3_000_000
    np.testing.assert_array_equal(
        pickle.loads(text).score_samples(normal), model.score_samples(normal)
    )


BAD_ROWS = {
    "text": lambda X: np.full(X.shape, "Oslo"),
    "huge": lambda X: np.full(X.shape, 1e30),
}


@pytest.mark.parametrize("made_bad", BAD_ROWS.values(), ids=BAD_ROWS)
def test_bad_rows_are_refused_as_by_transformers(made_bad, normal):
    model = detector().fit(normal)
    scores = model.score_samples(normal)
    messages = []
    for estimator in (model, clone(SHORT)):
        with pytest.raises((TypeError, ValueError)) as caught:
            estimator.fit(made_bad(normal[:20]))
        name = type(estimator).__name__
        assert name in str(caught.value)
        messages.append(str(caught.value).replace(name, "NAME"))
    assert messages[0] == messages[1]
    np.testing.assert_array_equal(model.score_samples(normal), scores)


def test_sparse_rows_are_refused_with_a_way_out(normal):
    message = "Sparse data was passed.*toarray.*sparse_output=False.*sparse_threshold=0"
    X = scipy.sparse.csr_array(normal[:20])
    with pytest.raises(TypeError, match=message):
        detector().fit(X)
    model = detector().fit(normal)
    with pytest.raises(TypeError, match=message):
        model.predict(X)


def fitted_state(model):
    return {name: id(value) for name, value in vars(model).items()}


def interrupt_at_each_line(model, X):
    """Press Ctrl-C in `fit`, once at each of its lines; all changes, or nothing does.

    Lines of the package that is tested, and of what stores its results.
    """

    def is_ours(code):
        return "detection" in code.co_filename or code.co_filename.endswith("twin.py")

    def run(stop_before):
        """Fit until a line that was not run so often before; the lines seen."""
        seen = []

        def trace(frame, event, arg):
            if not is_ours(frame.f_code):
                return None
            line = frame.f_code.co_filename, frame.f_lineno
            if event == "line" and line not in seen:
                if len(seen) == stop_before:
                    raise KeyboardInterrupt
                seen.append(line)
            return trace

        earlier = sys.gettrace()
        sys.settrace(trace)
        try:
            model.fit(X)
        finally:
            sys.settrace(earlier)
        return len(seen)

    model.fit(X)
    n_lines = run(None)
    n_kept = 0
    for k in range(n_lines):
        before = fitted_state(model)
        with pytest.raises(KeyboardInterrupt):
            run(k)
        after = fitted_state(model)
        kept = {name for name in after if after[name] == before.get(name)}
        # Of arrays there are no columns nor times, neither before nor after.
        params = {*model.get_params(deep=False), "n_features_in_", "_columns"}
        params.add("_had_zone")
        assert kept == set(before) or kept <= params, k
        assert set(after) == set(before)
        n_kept += kept == set(before)
    return n_lines, n_kept


def test_ctrl_c_at_any_line_changes_all_or_nothing(normal):
    model = detector(method="neighbors", autoencoder=Linear())
    n_lines, n_kept = interrupt_at_each_line(model, normal[:40])
    assert n_lines > 60
    assert n_lines - 3 <= n_kept < n_lines


def test_a_failed_fit_keeps_the_earlier_one(normal):
    model = detector().fit(normal)
    scores = model.score_samples(normal)
    for bad in (np.full((20, 5), np.nan), normal[:3], np.full((20, 5), 1e30)):
        with pytest.raises(ValueError, match=r"are missing|minimum of 8|1e\+15"):
            model.fit(bad)
        np.testing.assert_array_equal(model.score_samples(normal), scores)


# Thresholds


@pytest.mark.parametrize("method", SCORES)
@pytest.mark.parametrize("alpha", [0.01, 0.05])
def test_false_alarms_are_as_frequent_as_requested(method, alpha):
    rng = np.random.default_rng(0)
    mixing = rng.normal(size=(3, 8))
    X = np.tanh(rng.normal(size=(22_000, 3))) @ mixing
    X += 0.2 * rng.normal(size=X.shape)
    model = detector(method=method, alpha=alpha).fit(X[:2000])
    rate = (model.predict(X[2000:]) == -1).mean()
    assert abs(rate - alpha) < alpha / 3 + 2 * (alpha / 2000) ** 0.5


def test_threshold_is_the_share_of_the_rows_held_out(normal):
    model = detector(alpha=0.05).fit(normal)
    assert len(model.held_out_scores_) == len(normal)
    below = (model.held_out_scores_ < model.offset_).mean()
    assert below == pytest.approx(0.05, abs=0.002)
    assert model.offset_ == model.threshold(0.05)
    assert model.threshold(0.01) < model.threshold(0.1)
    with pytest.warns(UserWarning, match="needs 999999 rows held out.*are 1200"):
        assert model.threshold(1e-6) < model.held_out_scores_.min()
    with pytest.raises(ValueError, match=r"alpha=1\.5, but a rate between 0 and 1"):
        model.threshold(1.5)


def test_threshold_is_the_lowest_score_that_as_many_are_not_above(normal):
    model = detector().fit(normal[:99])
    for percent in range(1, 100):
        expected = np.sort(model.held_out_scores_)[percent - 1]
        assert model.threshold(percent / 100) == expected
    assert model.threshold(0.2899) == model.threshold(0.28)


def test_a_warning_says_how_many_rows_a_rate_needs(normal):
    message = r"alpha=0\.001 needs 999 rows held out, but there are 40.*about 0\.024"
    with pytest.warns(UserWarning, match=message) as caught:
        model = detector(alpha=0.001).fit(normal[:40])
    assert caught[0].filename == __file__
    assert model.offset_ == np.nextafter(model.held_out_scores_.min(), -np.inf)
    assert (model.held_out_scores_ >= model.offset_).all()


@pytest.mark.parametrize("contamination", [0.1, 0.5])
def test_contamination_is_the_share_of_the_training_rows(contamination, normal):
    found = detector(contamination=contamination).fit_predict(normal)
    assert (found == -1).mean() == pytest.approx(contamination, abs=0.002)


def test_rows_are_held_out_as_asked(normal):
    model = detector(cv=KFold(4)).fit(normal)
    assert len(model.autoencoders_) == 4
    assert len(detector(cv=3).fit(normal).autoencoders_) == 3


@pytest.mark.parametrize(
    ("cv", "message"),
    [
        (LeaveOneOut(), "holds out folds of 1 rows"),
        (iter([]), "gives no folds"),
        (StratifiedKFold(2), "cv=StratifiedKFold.*no y and no groups: pass a splitter"),
        (GroupKFold(2), "cv=GroupKFold.*no y and no groups: pass a splitter"),
        (KFold(20), "could not split 12 rows.*n_splits=20 greater than.*samples=12"),
    ],
)
def test_folds_that_rows_cannot_be_compared_within(cv, message, normal):
    with pytest.raises(ValueError, match=message):
        detector(cv=cv).fit(normal[:12])


def test_an_int_for_cv_shuffles(normal):
    model = detector(cv=2).fit(normal)
    ordered = detector(cv=KFold(2)).fit(normal)
    assert (model.held_out_scores_ != ordered.held_out_scores_).any()


def test_rows_that_are_never_held_out_have_no_score(normal):
    model = detector(cv=TimeSeriesSplit(3)).fit(normal)
    assert np.isnan(model.held_out_scores_[:300]).all()
    assert np.isfinite(model.held_out_scores_[300:]).all()


def test_rows_held_out_may_be_masks(normal):
    half = np.arange(len(normal)) < 600
    masks = detector(cv=[(half, ~half), (~half, half)]).fit(normal)
    numbers = detector(cv=KFold(2)).fit(normal)
    # KFold holds out the first half first.
    of_both = sorted(masks.held_out_scores_), sorted(numbers.held_out_scores_)
    np.testing.assert_allclose(*of_both, rtol=1e-6)


# Reasons


def with_one_replaced(X):
    """Rows in each of which a feature has another row's value, and which it is."""
    rng = np.random.default_rng(0)
    rows, replaced = np.arange(len(X)), rng.integers(X.shape[1], size=len(X))
    changed = X.copy()
    changed[rows, replaced] = X[rng.permutation(len(X)), replaced]
    moved = np.abs(changed - X).sum(1) > 1
    return changed[moved], replaced[moved]


@pytest.mark.parametrize("method", SCORES)
def test_features_add_up_to_the_score_and_name_the_culprit(method, normal):
    model = AutoencoderOutlierDetector(method=method, random_state=0).fit(normal)
    of_features = model.feature_scores(normal)
    assert of_features.shape == normal.shape
    assert (of_features >= 0).all()
    np.testing.assert_allclose(of_features.sum(1), -model.score_samples(normal))
    X, replaced = with_one_replaced(normal)
    assert (model.feature_scores(X).argmax(1) == replaced).mean() > 0.5


def test_feature_scores_are_an_array_whatever_is_configured(normal):
    X = pd.DataFrame(normal, columns=list("abcde"), index=np.arange(len(normal)) + 7)
    model = make_pipeline(detector()).set_output(transform="pandas").fit(X)[-1]
    scores = model.feature_scores(X)
    assert type(scores) is np.ndarray
    assert list(model.get_feature_names_out()) == list("abcde")
    np.testing.assert_array_equal(scores, detector().fit(normal).feature_scores(normal))


COLUMNS = [
    *("row", "feature", "observed", "expected", "standardized_error"),
    *("score", "message"),
]


def test_explanations_are_in_numbers_and_words(normal):
    X = pd.DataFrame(normal, columns=list("abcde"))
    model = AutoencoderOutlierDetector(random_state=0).fit(X)
    odd = X[:2].set_axis(["one", "two"])
    odd.loc["two", "c"] += 20
    reasons = model.explain(odd, n_features=2)
    assert list(reasons.columns) == COLUMNS
    assert list(reasons["row"]) == ["one", "one", "two", "two"]
    expected = model.explain(odd.assign(c=0.0), n_features=5)
    expected = expected.pivot(index="row", columns="feature", values="expected")
    # What is expected of a cell is so whatever the cell holds.
    assert reasons["feature"][2] == "c"
    assert reasons["expected"][2] == pytest.approx(expected.loc["two", "c"])
    for line in reasons.itertuples():
        i, j = list(odd.index).index(line.row), list("abcde").index(line.feature)
        assert line.observed == odd.iloc[i, j]
        assert X[line.feature].min() <= line.expected <= X[line.feature].max()
        side = "above" if line.observed > line.expected else "below"
        assert line.message == (
            f"{line.feature} is {line.observed:.4g}, {abs(line.standardized_error):.1f}"
            f" usual errors {side} the expected {line.expected:.4g}"
        )
        assert (line.standardized_error > 0) == (side == "above")
        assert line.score == model.feature_scores(odd)[i, j]
    of_list = detector().fit(normal).explain(normal[:2].tolist())
    assert list(of_list["row"].unique()) == [0, 1]
    size = reasons["score"]
    assert size[0] >= size[1]
    assert size[2] > size[0]


@pytest.mark.parametrize("of_frame", [False, True])
def test_reasons_behind_a_scaler_are_in_units_of_the_data(of_frame, normal):
    X = pd.DataFrame(normal * [1, 10, 100, 1e3, 1e4] + 7, columns=list("abcde"))
    scaler = StandardScaler()
    if of_frame:
        scaler.set_output(transform="pandas")
    pipeline = make_pipeline(scaler, detector()).fit(X)
    model = pipeline[-1]
    odd = X[:3].set_axis(["one", "two", "three"])
    odd.loc["two", "c"] += 1000
    scaled = model.explain(pipeline[:-1].transform(odd), 5)
    reasons = model.explain(odd, 5, preprocessing=pipeline[:-1])
    assert list(reasons.columns) == COLUMNS
    assert list(reasons["row"]) == [name for name in odd.index for _ in range(5)]
    assert set(reasons["feature"]) == set(X)
    assert (reasons["standardized_error"] == scaled["standardized_error"]).all()
    for line, before in zip(reasons.itertuples(), scaled.itertuples(), strict=True):
        j = list(X).index(line.feature)
        assert line.observed == pytest.approx(odd.loc[line.row, line.feature])
        back = before.expected * scaler.scale_[j] + scaler.mean_[j]
        assert line.expected == pytest.approx(back)
        assert f"{line.feature} is {line.observed:.4g}" in line.message
    assert reasons["feature"][5] == "c"
    none = model.explain(odd[:0], preprocessing=pipeline[:-1])
    assert list(none.columns) == COLUMNS
    assert len(none) == 0


def test_what_is_observed_is_told_as_it_came(normal):
    X = pd.DataFrame(normal, columns=list("abcde"))
    scaler = MinMaxScaler(clip=True).fit(X)
    model = detector().fit(scaler.transform(X))
    odd = X[:1].assign(c=500.0)
    reasons = model.explain(odd, 5, preprocessing=scaler)
    observed = dict(zip(reasons["feature"], reasons["observed"], strict=True))
    assert observed == odd.iloc[0].to_dict()
    nullable = model.explain(odd.astype("Float64"), 5, preprocessing=scaler)
    pd.testing.assert_frame_equal(nullable, reasons)


@pytest.mark.filterwarnings("ignore:X does not have valid feature names")
def test_preprocessing_that_mixes_columns_is_refused(normal):
    pca = PCA(5).fit(normal)
    model = detector().fit(pca.transform(normal))
    with pytest.raises(ValueError, match=r"makes the columns \['pca0'.*one for each"):
        model.explain(normal, preprocessing=pca)


def test_preprocessing_that_has_no_units_of_the_data(normal):
    model = detector().fit(PCA(3).fit_transform(normal))
    with pytest.raises(ValueError, match="takes 5 columns, but the detector 3"):
        model.explain(normal, preprocessing=PCA(3).fit(normal))
    with pytest.raises(TypeError, match="has no inverse_transform"):
        model.explain(normal, preprocessing=Normalizer().fit(normal[:, :3]))
    one_way = make_pipeline(StandardScaler(), FunctionTransformer(np.arcsinh))
    with pytest.raises(TypeError, match="has no inverse_transform or inverse_func"):
        model.explain(normal[:, :3], preprocessing=one_way.fit(normal[:, :3]))
    both_ways = FunctionTransformer(np.arcsinh, np.sinh).fit(normal[:, :3])
    assert len(model.explain(normal[:2, :3], 1, preprocessing=both_ways)) == 2


def test_reasons_of_no_rows_are_a_table_without_lines(normal):
    names = list("abcde")
    days = pd.date_range("2024", periods=len(normal))
    X = pd.DataFrame(normal, columns=names, index=days)
    model, of_array = detector().fit(X), detector().fit(normal)
    none, some = model.explain(X[:0]), model.explain(X[:1])
    assert list(none.columns) == COLUMNS
    assert len(none) == len(of_array.explain(normal[:0])) == 0
    numbers = ["row", "observed", "expected", "standardized_error"]
    assert (none.dtypes[numbers] == some.dtypes[numbers]).all()
    assert list(pd.concat([none, some])["message"]) == list(some["message"])
    with pytest.raises(ValueError, match="feature names should match"):
        model.explain(X[:0].rename(columns={"a": "z"}))


def test_rows_keep_their_labels_of_several_levels(normal):
    labels = pd.MultiIndex.from_product([["x", "y"], [1, 2]])
    X = pd.DataFrame(normal[:4], index=labels)
    reasons = detector().fit(normal).explain(X, n_features=1)
    assert list(reasons["row"]) == list(labels)


def test_what_is_expected_of_a_cell_is_by_the_others(normal):
    model = AutoencoderOutlierDetector(random_state=0).fit(normal)
    odd = normal[:200].copy()
    odd[np.arange(200), np.arange(200) % 5] += 8 * normal.std()
    reasons = model.explain(odd, 1)
    named = reasons["feature"].str[1:].astype(int).to_numpy()
    is_right = named == np.arange(200) % 5
    assert is_right.mean() > 0.9
    apart = reasons["expected"] - normal[np.arange(200), named]
    assert np.median(np.abs(apart[is_right])) < normal.std()


def test_features_may_be_faulty_together(normal):
    model = detector().fit(normal)
    together = model.explain(normal[:1], 5, groups=["a", "a", "b", "b", "b"])
    moved = normal[:1] + np.array([50, 50, 0, 0, 0])
    again = model.explain(moved, 5, groups=["a", "a", "b", "b", "b"])
    expected = [r.set_index("feature")["expected"] for r in (together, again)]
    for name in ("x0", "x1"):
        assert expected[0][name] == pytest.approx(expected[1][name])
    with pytest.raises(ValueError, match=r"groups has shape \(4,\), but one group for"):
        model.explain(normal[:1], groups=[0, 0, 1, 1])


def test_preprocessing_that_was_forgotten_is_warned_of(normal):
    X = normal * 1e3 + 1e4
    pipeline = make_pipeline(StandardScaler(), detector()).fit(X)
    with pytest.warns(UserWarning, match=r"3 of 3 rows .*preprocessing=pipeline"):
        pipeline[-1].explain(X[:3])
    pipeline[-1].explain(X[:3], preprocessing=pipeline[:-1])


@pytest.mark.parametrize("n_features", [-1, 0, 2.5, "2"])
def test_a_number_of_reasons_that_is_none(n_features, normal):
    model = detector().fit(normal)
    with pytest.raises(ValueError, match=f"n_features={n_features!r}, but a whole"):
        model.explain(normal[:2], n_features=n_features)
    assert len(model.explain(normal[:2], n_features=99)) == 2 * 5
