"""Few rows: held out in turn, they decide about a training on all of them."""

import warnings
from dataclasses import replace

import numpy as np
import pytest
import torch
from sklearn.datasets import load_diabetes
from sklearn.decomposition import PCA
from sklearn.exceptions import ConvergenceWarning
from skorch.callbacks import Callback

from skae import AutoencoderTransformer
from skae._training import folds, loop
from skae._training.data import TrainingData
from skae._training.fit import _warn_of_far_rows
from skae._training.selection import Judged, Selection, is_gain
from skae._training.settings import Result
from skae._utils.scaling import Scaling
from skae.corruptions import Missing

FAST = {"hidden_layer_sizes": (16,), "max_iter": 8, "random_state": 0}


@pytest.fixture
def curved():
    """Rows (90, 4) on a curve, which one number tells and no line is near."""
    rng = np.random.default_rng(0)
    t = rng.uniform(0, 2 * np.pi, 90)
    rows = np.c_[np.cos(t), np.sin(t), np.cos(2 * t), np.sin(2 * t)]
    return rows + 0.01 * rng.normal(size=rows.shape)


@pytest.fixture
def trainings(monkeypatch):
    """Rows that each training of a fit was done on and judged by."""
    seen = []
    train = loop.train

    def spy(start, data, *args, **kwargs):
        seen.append((len(data.train), data.n_held_out, data.order))
        return train(start, data, *args, **kwargs)

    monkeypatch.setattr("skae._training.task.train", spy)
    return seen


@pytest.mark.parametrize(
    ("n_rows", "n_held_out", "n_folds"),
    [
        (2, 1, 2),
        (10, 2, 5),
        (200, 40, 5),
        (300, 60, 3),
        (400, 80, 2),
        (500, 100, 2),
        (1000, 100, 2),
        (1010, 101, 1),
        (1600, 160, 1),
        (6000, 310, 1),
        (1_000_000, 4000, 1),
    ],
)
def test_rows_held_out_and_folds(n_rows, n_held_out, n_folds):
    settings = AutoencoderTransformer()._settings(False)
    assert settings.n_held_out(n_rows) == n_held_out
    assert settings.n_folds(n_rows) == n_folds
    assert n_folds * n_held_out <= n_rows


@pytest.mark.parametrize(
    "params",
    [
        {"validation_fraction": 0.2},
        {"early_stopping": False},
        {"callbacks": [Callback()]},
        {"corruption": Missing(0.5)},
    ],
    ids=lambda params: next(iter(params)),
)
def test_one_training_where_that_is_enough(params, curved, trainings):
    """Where cells are hidden, a few rows judge many times."""
    AutoencoderTransformer(2, **FAST, **params).fit(curved)
    assert len(trainings) == 1


def test_each_row_is_held_out_once_and_then_all_are_trained_on(curved, trainings):
    AutoencoderTransformer(1, **FAST, linear_path=False).fit(curved)
    *of_folds, last = trainings
    assert [n_train for n_train, *_ in of_folds] == [72] * 5
    held_out = np.concatenate([order[:n] for _, n, order in of_folds])
    assert sorted(held_out) == list(range(90))
    assert last[:2] == (90, 0)


def test_the_first_fold_is_what_is_held_out_at_once(curved):
    given = curved, Scaling.of(curved), 18, 0, "cpu"
    at_once, first = TrainingData.of(*given), TrainingData.of(*given, fold=0)
    np.testing.assert_array_equal(at_once.order, first.order)
    second = TrainingData.of(*given, fold=1)
    np.testing.assert_array_equal(second.order[:18], first.order[18:36])


def test_where_pca_is_kept_codes_are_its_scores(trainings):
    X = np.random.default_rng(0).normal(size=(60, 8))  # nothing beyond PCA
    fitted = AutoencoderTransformer(2, **FAST).fit(X)
    assert fitted.best_iter_ == 0
    assert len(trainings) == 5
    assert fitted.n_iter_ == len(fitted.loss_curve_) == 8
    expected = PCA(2).fit_transform(X)
    np.testing.assert_allclose(np.abs(fitted.transform(X)), np.abs(expected), atol=1e-5)


def test_pca_is_left_for_a_gain_and_judged_without_the_rows_it_is_fitted_to(curved):
    fitted = AutoencoderTransformer(1, random_state=0, max_iter=60).fit(curved)
    assert fitted.best_iter_ > 0
    of_best = fitted.validation_loss_curve_[fitted.best_iter_ - 1]
    assert of_best < 0.5 * fitted.pca_loss_
    pca = PCA(1).fit(curved)
    of_seen = np.square(pca.inverse_transform(pca.transform(curved)) - curved).mean()
    assert fitted.pca_loss_ > of_seen


def test_the_epoch_is_that_of_the_rows_of_all_folds():
    """One fold likes the second epoch best, and both together the third."""
    of_folds = [(3.0, 1.0, 1.1), (3.0, 2.0, 1.0)]
    results = [
        Result(
            weights={},
            optimizer_state={},
            n_iter=3,
            best_iter=0,
            history=[{"train_loss": 1.0, "valid_loss": loss} for loss in losses],
            interrupted=False,
            judged=Judged(None, [torch.full((4,), loss) for loss in losses]),
        )
        for losses in of_folds
    ]
    decided = folds._decided(results)
    assert decided.best_iter == len(decided.history) == 3
    losses = [row["valid_loss"] for row in decided.history]
    assert losses == pytest.approx([3.0, 1.5, 1.05])


@pytest.mark.parametrize("n_trained", [0, 1, 5])
def test_ctrl_c_keeps_the_last_training_that_ended(curved, monkeypatch, n_trained):
    calls, train = [], loop.train

    def interrupted(*args):
        calls.append(args)
        if len(calls) > n_trained:
            raise KeyboardInterrupt
        return train(*args)

    monkeypatch.setattr("skae._training.task.train", interrupted)
    estimator = AutoencoderTransformer(1, linear_path=False, **FAST)
    if not n_trained:
        with pytest.raises(KeyboardInterrupt):
            estimator.fit(curved)
        assert not hasattr(estimator, "n_iter_")
        return
    with pytest.warns(ConvergenceWarning, match="interrupted"):
        estimator.fit(curved)
    assert len(calls) == n_trained + 1
    assert len(estimator.validation_loss_curve_) == estimator.n_iter_
    assert np.isfinite(estimator.transform(curved)).all()


def test_a_warm_start_after_folds_is_judged_by_rows_held_out(curved, trainings):
    fitted = AutoencoderTransformer(1, **FAST, warm_start=True, linear_path=False)
    fitted.fit(curved)
    trainings.clear()
    fitted.fit(curved)
    assert [part[:2] for part in trainings] == [(72, 18)]
    assert fitted.n_iter_ == 16
    assert np.isfinite(fitted.validation_loss_curve_).all()


def test_a_warm_start_keeps_pca_where_that_was_kept():
    X = np.random.default_rng(0).normal(size=(60, 8))  # nothing beyond PCA
    fitted = AutoencoderTransformer(2, **FAST, warm_start=True).fit(X)
    codes = fitted.transform(X)
    np.testing.assert_array_equal(fitted.fit(X).transform(X), codes)
    assert fitted.best_iter_ == 0


def test_fits_of_few_rows_are_the_same_each_time(curved):
    fits = [AutoencoderTransformer(1, **FAST).fit(curved) for _ in range(2)]
    np.testing.assert_array_equal(*(fit.transform(curved) for fit in fits))
    assert fits[0].validation_loss_curve_ == fits[1].validation_loss_curve_


def test_a_progress_bar_tells_the_fold(curved, capfd):
    AutoencoderTransformer(1, verbose=1, linear_path=False, **FAST).fit(curved)
    shown = capfd.readouterr()
    for title in ("fold 1 of 5", "fold 5 of 5", "all rows"):
        assert f"{title}: 100%" in shown.err
    assert shown.out.count(" was kept.") == 1


def test_lines_of_epochs_have_the_fold_above_them(curved, capfd):
    fitted = AutoencoderTransformer(1, verbose=2, linear_path=False, **FAST).fit(curved)
    lines = capfd.readouterr().out.splitlines()
    titles = [*(f"fold {i} of 5" for i in range(1, 6)), "all rows"]
    places = [lines.index(title) for title in titles]
    assert places == sorted(places)
    assert all("train_loss" in lines[place + 1] for place in places)
    assert lines[-2:] == fitted.summary().splitlines()


def test_gains_of_all_folds_need_less_than_those_of_one():
    gains = torch.linspace(-1, 1.5, 40)
    in_mean = float(gains.mean() / gains.std() * 40**0.5)
    assert 2.0 < in_mean < 2.5
    assert not is_gain(gains)
    assert is_gain(gains, **folds._LIMITS)
    selection = Selection(gains, limits=folds._LIMITS)
    assert selection.offer(1, torch.zeros(40))
    assert not selection.keeps_pca


def test_the_mean_of_few_rows_may_not_get_worse_where_most_gain():
    """One far row of a hundred loses what the others gain, and a little more."""
    gains = torch.full((100,), 1.0)
    gains[0] = -120.0
    assert is_gain(gains)
    assert not is_gain(gains, **folds._LIMITS)
    assert is_gain(gains.clamp(min=-80), **folds._LIMITS)


def test_rows_far_out_whose_mean_is_worse_than_by_pca_are_told_of():
    of_pca = torch.full((100,), 1.0)
    of_best = torch.full((100,), 0.5)
    of_best[0] = 80.0
    given = {"weights": {}, "optimizer_state": {}, "n_iter": 1, "history": []}
    judged = Judged(of_pca, [of_best])
    result = Result(**given, best_iter=1, interrupted=False, judged=judged)
    with pytest.warns(UserWarning, match="99% of the held-out rows.* 1.29 times PCA's"):
        _warn_of_far_rows(result)
    _warn_of_far_rows(replace(result, best_iter=0))
    _warn_of_far_rows(replace(result, judged=Judged(None, [of_best])))
    _warn_of_far_rows(replace(result, judged=Judged(2 * of_pca, [of_best])))


def test_auto_epochs_are_fewer_over_many_rows():
    settings = AutoencoderTransformer()._settings(False)
    epochs = [settings.for_rows(n, 8).n_epochs for n in (100, 15_000, 300_000, 10**9)]
    assert epochs == [30, 30, 9, 3]
    steps = [
        settings.for_rows(n, 8).n_epochs * settings.n_batches(n)
        for n in np.geomspace(100, 10**8, 7).astype(int)
    ]
    assert steps == sorted(steps)
    given = AutoencoderTransformer(max_iter=7)._settings(False)
    assert given.for_rows(10**9, 8).n_epochs == 7


def test_a_fit_has_the_number_of_epochs_of_auto():
    X = load_diabetes().data[:40]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        fitted = AutoencoderTransformer(2, hidden_layer_sizes=(4,)).fit(X)
    assert fitted.n_iter_ == 30


@pytest.mark.parametrize("seed", range(3))
def test_training_on_all_rows_is_as_long_as_those_that_were_judged(seed):
    # Batches of 1000 rows are of another size than those of the 800 of a fold.
    rows = (np.random.default_rng(0).normal(size=(1000, 3)) > 0).astype(float)
    estimator = AutoencoderTransformer(
        2, loss="log_loss", hidden_layer_sizes=(8,), max_iter=40, random_state=seed
    ).fit(rows)
    # They are known to the network, and cannot be lost more than rows held out.
    assert -estimator.score(rows) <= min(estimator.validation_loss_curve_)
