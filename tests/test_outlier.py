"""The outlier detector: scores, thresholds, reasons."""

import pickle

import numpy as np
import pandas as pd
import pytest
import torch
from scipy.spatial.distance import cdist
from sklearn.base import clone
from sklearn.datasets import load_breast_cancer
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import KFold, LeaveOneOut
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skae import (
    AutoencoderOutlierDetector,
    AutoencoderTransformer,
    DenoisingAutoencoderTransformer,
    VariationalAutoencoderTransformer,
)
from skae.detection._scores import SCORES, Neighbours, surprise, usual_errors

SHORT = AutoencoderTransformer(2, hidden_layer_sizes=(8,), max_iter=3)


def detector(**params):
    return AutoencoderOutlierDetector(
        **{"autoencoder": SHORT, "random_state": 0, **params}
    )


@pytest.fixture(scope="module")
def normal():
    """Rows (1200, 5) with two hidden causes."""
    rng = np.random.default_rng(0)
    rows = rng.normal(size=(1200, 2)) @ rng.normal(size=(2, 5))
    return rows + 0.1 * rng.normal(size=rows.shape)


# Pieces


def test_distance_is_the_mean_over_draws_of_references():
    rng = np.random.default_rng(0)
    references, rows = rng.normal(size=(400, 3)), rng.normal(size=(6, 3))
    distances = cdist(rows, references)
    drawn = [distances[:, rng.choice(400, 256, replace=False)] for _ in range(3000)]
    expected = np.mean([of_draw.min(1) for of_draw in drawn], axis=0)
    found = Neighbours(references).distances(rows)
    np.testing.assert_allclose(found, expected, rtol=0.05)


def test_no_row_is_a_reference_for_itself():
    rows = np.random.default_rng(0).normal(size=(50, 3)).astype(np.float32)
    others = [
        Neighbours(np.delete(rows, i, axis=0)).distances(rows[[i]])[0]
        for i in range(50)
    ]
    np.testing.assert_allclose(Neighbours(rows).distances(rows), others)
    twice = np.r_[rows, rows]
    assert (Neighbours(twice).distances(rows) == 0).all()


def test_usual_errors_are_standard_deviations_and_robust():
    residuals = np.random.default_rng(0).normal(size=(20_000, 3)) * [1, 2, 5]
    np.testing.assert_allclose(usual_errors(residuals), [1, 2, 5], rtol=0.03)
    residuals[:600] = 1e6
    np.testing.assert_allclose(usual_errors(residuals), [1, 2, 5], rtol=0.1)


def test_surprise_is_the_logarithm_of_a_share():
    usual = np.arange(1.0, 100.0)
    found = np.exp(-surprise(np.array([0.0, 1.0, 50.5, 99.0, 1e9]), usual))
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


def test_same_random_state_same_scores_and_no_global_generator(normal):
    before = torch.get_rng_state(), np.random.default_rng(0)
    first, second = (detector().fit(normal).score_samples(normal) for _ in range(2))
    np.testing.assert_array_equal(first, second)
    assert torch.equal(before[0], torch.get_rng_state())
    other = detector(random_state=1).fit(normal).score_samples(normal)
    assert (other != first).any()


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


def test_a_failed_fit_keeps_the_earlier_one(normal):
    model = detector().fit(normal)
    scores = model.score_samples(normal)
    for bad in (np.full((20, 5), np.nan), normal[:3], np.full((20, 5), 1e30)):
        with pytest.raises(ValueError, match=r"NaN|minimum of 8|1e\+15"):
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
    assert model.threshold(1e-6) < model.held_out_scores_.min()
    with pytest.raises(ValueError, match=r"alpha=1\.5, but a rate between 0 and 1"):
        model.threshold(1.5)


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
        (LeaveOneOut(), "holds out parts of 1 rows"),
        (iter([]), "gives no parts"),
    ],
)
def test_parts_that_rows_cannot_be_compared_within(cv, message, normal):
    with pytest.raises(ValueError, match=message):
        detector(cv=cv).fit(normal[:12])


# Reasons


def with_one_replaced(X):
    """Rows in each of which a feature has another row's value, and which it is."""
    rng = np.random.default_rng(0)
    rows, replaced = np.arange(len(X)), rng.integers(X.shape[1], size=len(X))
    changed = X.copy()
    changed[rows, replaced] = X[rng.permutation(len(X)), replaced]
    moved = np.abs(changed - X).sum(1) > 1
    return changed[moved], replaced[moved]


def test_features_add_up_to_the_score_and_name_the_culprit(normal):
    model = AutoencoderOutlierDetector(method="error", random_state=0).fit(normal)
    of_features = model.feature_scores(normal)
    assert of_features.shape == normal.shape
    np.testing.assert_allclose(of_features.sum(1), -model.score_samples(normal))
    X, replaced = with_one_replaced(normal)
    assert (model.feature_scores(X).argmax(1) == replaced).mean() > 0.5


def test_feature_scores_are_a_frame_with_the_input_s_names(normal):
    X = pd.DataFrame(normal, columns=list("abcde"), index=np.arange(len(normal)) + 7)
    model = detector().set_output(transform="pandas").fit(X)
    frame = model.feature_scores(X)
    assert list(frame.columns) == list("abcde")
    assert list(frame.index) == list(X.index)
    np.testing.assert_array_equal(frame, detector().fit(normal).feature_scores(normal))


def test_explanations_are_in_numbers_and_words(normal):
    X = pd.DataFrame(normal, columns=list("abcde"))
    model = AutoencoderOutlierDetector(random_state=0).fit(X)
    odd = X[:2].set_axis(["one", "two"])
    odd.loc["two", "c"] += 20
    reasons = model.explain(odd, n_features=2)
    assert list(reasons["row"]) == ["one", "one", "two", "two"]
    expected = model.reconstruct(odd)
    for line in reasons.itertuples():
        i, j = list(odd.index).index(line.row), list("abcde").index(line.feature)
        assert line.observed == odd.iloc[i, j]
        assert line.expected == pytest.approx(expected[i, j])
        assert line.feature in line.words
        assert f"{abs(line.usual_errors):.1f} usual errors" in line.words
    of_list = detector().fit(normal).explain(normal[:2].tolist())
    assert list(of_list["row"].unique()) == [0, 1]
    assert abs(reasons["usual_errors"]).iloc[2] > abs(reasons["usual_errors"]).iloc[0]
