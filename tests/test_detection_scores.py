"""What rows are scored by, and how scores are divided among features."""

import numpy as np
import pytest

from skae import AutoencoderOutlierDetector, AutoencoderTransformer
from skae.detection._anomalies import Anomalies
from skae.detection._given import GivenOthers
from skae.detection._scores import SCORES, LogErrors, Neighbors, RowDistance, surprisal
from skae.detection._tails import Tail

SHORT = AutoencoderTransformer(2, hidden_layer_sizes=(8,), max_iter=2)


@pytest.fixture(scope="module")
def rows():
    rng = np.random.default_rng(0)
    mixed = rng.normal(size=(400, 2)) @ rng.normal(size=(2, 5))
    return mixed + 0.3 * rng.normal(size=mixed.shape)


def fitted(rows, method="combined"):
    model = AutoencoderOutlierDetector(SHORT, method=method, random_state=0)
    return model.fit(rows)


# Scores


def test_a_few_errors_do_not_drown_all_others():
    errors = np.array([[3.0, 3.0, 3.0, 3.0], [6.0, 0.0, 0.0, 0.0]])
    squares, logs = (np.square(errors).mean(1), LogErrors().of(errors, errors))
    assert squares[0] == squares[1]
    assert logs[0] > 2 * logs[1]
    np.testing.assert_allclose(logs[0], np.log(10))


def test_errors_of_rounding_are_none():
    errors = np.array([[1e-5, -5e-5], [0.0, 0.0]])
    assert (LogErrors().of(errors, errors) == 0).all()


def test_surprisal_is_that_of_shares_and_grows_on_beyond_all():
    usual = np.random.default_rng(0).exponential(size=200)
    tail = Tail.beyond_all(usual, 1e-3)
    near = np.linspace(0, usual.max(), 50)
    np.testing.assert_array_equal(tail(near), surprisal(near, np.sort(usual)))
    far = tail(usual.max() + np.array([1.0, 2.0, 3.0, 1e6]))
    assert (np.diff(far) > 0).all()
    np.testing.assert_allclose(np.diff(far[:3]), 1 / tail.size)


def test_several_scores_are_combined_by_the_norm_of_their_surprisals(rows):
    model = fitted(rows)
    anomalies = model._models._anomalies
    made = model._models.reconstructions(rows)
    of_folds = [
        [score.of(anomalies.scaling.standardise(rows), anomalies.relative(rows - m))
         for score in scores]
        for scores, m in zip(anomalies.fitted_scores, made, strict=True)
    ]  # fmt: skip
    of_scores = np.mean(of_folds, axis=0)
    pairs = zip(anomalies.tails, of_scores, strict=True)
    expected = sum(tail(scores) ** 4 for tail, scores in pairs) ** 0.25
    np.testing.assert_allclose(-model.score_samples(rows), expected)


def test_scores_tell_how_far_beyond_all_rows_a_row_is(rows):
    model = fitted(rows)
    direction = np.ones(5)
    far = model.score_samples(np.outer([1e2, 1e3, 1e4, 1e6], direction))
    assert (np.diff(far) < 0).all()
    assert (model.held_out_scores_ > far.max()).all()


def test_what_earlier_versions_stored_adds_up_shares(rows):
    anomalies = fitted(rows)._models._anomalies
    usual = np.sort(np.random.default_rng(0).exponential(size=(50, 2)), axis=0)
    names = {"scaling", "usual_errors", "fitted_scores"}
    state = {name: vars(anomalies)[name] for name in names}
    earlier = Anomalies.__new__(Anomalies)
    earlier.__setstate__(state | {"usual_scores": usual})
    scores = np.random.default_rng(1).exponential(size=(20, 2)) * 3
    expected = sum(surprisal(scores[:, j], usual[:, j]) for j in range(2))
    np.testing.assert_allclose(earlier._combined(scores), expected)
    with pytest.raises(ValueError, match="usual scores are not possible"):
        earlier.__setstate__(state)
    with pytest.raises(ValueError, match="those of two formats"):
        earlier.__setstate__(vars(anomalies) | {"usual_scores": usual})


# Reasons


def test_falls_are_those_of_distances_without_each_feature():
    rng = np.random.default_rng(0)
    references, rows = rng.normal(size=(40, 3)), rng.normal(size=(6, 3))
    found = Neighbors(references).falls(rows, 3)

    def nearest(columns):
        apart = rows[:, None, columns] - references[:, columns]
        return np.square(apart).sum(2).min(1)

    whole = nearest([0, 1, 2])
    for j, others in enumerate(([1, 2], [0, 2], [0, 1])):
        np.testing.assert_allclose(found[:, j], whole - nearest(others))


def test_given_others_is_the_error_of_a_regression_on_them():
    rng = np.random.default_rng(0)
    rows = rng.normal(size=(20_000, 4)) @ rng.normal(size=(4, 4))
    given = GivenOthers(rows)
    kept = (rows[:1024] - given.centre) / given.scale
    expected = np.empty_like(kept)
    for j in range(4):
        others = np.delete(kept, j, axis=1)
        left = kept[:, j] - others @ np.linalg.lstsq(others, kept[:, j], rcond=None)[0]
        expected[:, j] = np.square(left) / np.square(left).mean()
    found = given(rows[:1024])
    ratio = found / found.mean(axis=0).mean()
    for j in range(4):
        assert np.corrcoef(ratio[:, j], expected[:, j])[0, 1] > 0.95


def test_what_is_expected_is_a_regression_on_the_other_groups():
    rng = np.random.default_rng(0)
    rows = rng.normal(size=(900, 5)) @ rng.normal(size=(5, 5))
    given, groups = GivenOthers(rows), np.array([0, 1, 0, 1, 1])
    expected, usual = given.expected(rows, groups)
    assert (expected >= rows.min(axis=0)).all()
    assert (expected <= rows.max(axis=0)).all()
    for group in (0, 1):
        own = groups == group
        changed = np.where(own, 1e6, rows)
        np.testing.assert_allclose(
            given.expected(changed, groups)[0][:, own], expected[:, own]
        )
        others = np.c_[rows[:, ~own], np.ones(len(rows))]
        fitted = others @ np.linalg.lstsq(others, rows[:, own], rcond=None)[0]
        left = (rows[:, own] - fitted).std(axis=0)
        apart = np.sqrt(np.square(expected[:, own] - fitted).mean(axis=0))
        assert (apart < 0.2 * rows[:, own].std(axis=0)).all()
        np.testing.assert_allclose(usual[own], left, rtol=0.3)
    # Of all cells together nothing is known but where rows are.
    centre, spread = given.expected(rows, np.zeros(5))
    np.testing.assert_allclose(centre, np.tile(given.centre, (len(rows), 1)), atol=1e-9)
    np.testing.assert_allclose(spread, rows.std(axis=0), rtol=0.3)


def test_missing_cells_are_as_in_each_reference():
    rng = np.random.default_rng(0)
    references, rows = rng.normal(size=(40, 4)), rng.normal(size=(6, 4))
    holed = rows.copy()
    holed[:4, 1] = holed[2:, 3] = np.nan
    all_known, neighbors = Neighbors(references), Neighbors(references)
    found, falls = neighbors.distances(holed, 4), neighbors.falls(holed, 4)
    for row, of_row, of_cells in zip(holed, found, falls, strict=True):
        known = ~np.isnan(row)
        all_known.references = references[:, known]
        alone = row[known][None]
        expected = all_known.distances(alone, known.sum())
        np.testing.assert_allclose(of_row, expected[0])
        np.testing.assert_allclose(
            of_cells[known], all_known.falls(alone, known.sum())[0]
        )
        assert (of_cells[~known] == 0).all()
    assert neighbors.distances(np.full((1, 4), np.nan), 4) == 0


@pytest.mark.parametrize("method", SCORES)
def test_rows_of_which_nothing_is_there_are_normal(method, rows):
    model = fitted(rows, method)
    holed = rows[:3].copy()
    holed[1] = np.nan
    assert model.score_samples(holed)[1] == 0
    assert (model.feature_scores(holed)[1] == 0).all()
    assert model.predict(holed)[1] == 1


def test_cells_go_missing_without_making_rows_unusual():
    """Though none were missing before."""
    phase = np.random.default_rng(0).uniform(0, 2 * np.pi, 500)
    noise = 0.3 * np.random.default_rng(1).normal(size=(500, 24))
    waves = np.sin(phase[:, None] + np.arange(24) / 4) + noise
    model = AutoencoderOutlierDetector(random_state=0).fit(waves[:400])
    scores = model.score_samples(waves[400:])
    for count in (6, 12, 18, 23):
        holed = waves[400:].copy()
        holed[:, :count] = np.nan
        assert (model.score_samples(holed) > scores.min() - 1).all()


def test_of_more_features_than_rows_given_others_is_finite():
    rows = np.random.default_rng(0).normal(size=(30, 100))
    given = GivenOthers(rows)
    given.check(100)
    found = given(rows)
    assert found.shape == rows.shape
    assert (np.isfinite(found) & (found >= 0)).all()
    single = [given(row[None])[0] for row in rows]
    np.testing.assert_array_equal(found, single)


@pytest.mark.parametrize("method", SCORES)
def test_missing_cells_are_no_reasons_and_the_others_add_up(method, rows):
    model = fitted(rows, method)
    holed = rows[:30].copy()
    holed[::2, 1] = np.nan
    scores = model.feature_scores(holed)
    assert (scores[::2, 1] == 0).all()
    np.testing.assert_allclose(scores.sum(1), -model.score_samples(holed))


@pytest.mark.parametrize("method", SCORES)
def test_reasons_of_a_row_do_not_depend_on_its_neighbours(method, rows):
    model = fitted(rows, method)
    whole = model.feature_scores(rows)
    alone = [model.feature_scores(row[None])[0] for row in rows[:10]]
    np.testing.assert_array_equal(alone, whole[:10])


def test_a_cell_that_is_far_off_is_the_reason(rows):
    odd = rows[:50].copy()
    odd[:, 2] += 30
    found = fitted(rows).feature_scores(odd).argmax(axis=1)
    assert (found == 2).all()


def test_distances_fall_by_what_makes_them(rows):
    distance = RowDistance().fit(rows, rows, 0)
    far = np.zeros((1, 5))
    far[0, 3] = 1e6
    parts = distance.parts(far, far)
    assert parts.argmax() == 3
    assert parts[0, 3] == pytest.approx(1e12, rel=1e-3)
