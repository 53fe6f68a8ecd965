"""Training that goes on, stops early, is watched or interrupted."""

import _thread
import linecache
import pickle
import signal
import sys
import threading
from pathlib import Path

import numpy as np
import pytest
import torch
from sklearn.base import clone
from sklearn.exceptions import ConvergenceWarning
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from skorch.callbacks import (
    Callback,
    Checkpoint,
    EarlyStopping,
    EpochScoring,
    GradientNormClipping,
    LRScheduler,
)

import skae
from skae import AutoencoderTransformer, DenoisingAutoencoderTransformer
from skae._training import selection
from skae._training.selection import is_gain
from skae.corruptions import Gaussian, Masking
from skae.corruptions._noises import NOISES
from skae.penalties import L1

PACKAGE = str(Path(skae.__file__).parent)


def weights(estimator):
    return estimator._model.weights


def assert_same_weights(first, second):
    for name, value in weights(first).items():
        np.testing.assert_array_equal(value, weights(second)[name])


# Going on


def test_partial_fit_goes_on(make, digits):
    X = digits[:600]
    estimator = make(init="random").partial_fit(X)
    losses = [estimator.score(X)]
    for _ in range(20):
        losses.append(estimator.partial_fit(X).score(X))
    assert losses[-1] > losses[0]
    assert estimator.n_iter_ == len(estimator.loss_curve_) == 21
    assert estimator.validation_loss_curve_ is None


def test_partial_fit_goes_on_bitwise_equal_after_pickling(make, tables):
    straight, pickled = make(), make()
    for _ in range(4):
        straight.partial_fit(tables)
        pickled = pickle.loads(pickle.dumps(pickled.partial_fit(tables)))
    assert_same_weights(straight, pickled)
    assert straight.loss_curve_ == pickled.loss_curve_


def test_partial_fit_keeps_the_optimiser_s_moments(make, tables):
    """Without them, the second of two equal steps would be as long as the first."""
    estimator = make(init="random", batch_size=60).partial_fit(tables)
    assert {"step", "exp_avg", "exp_avg_sq"} <= set(estimator._model.optimizer_state[0])
    assert estimator._model.optimizer_state[0]["step"] == 1
    assert estimator.partial_fit(tables)._model.optimizer_state[0]["step"] == 2


@pytest.mark.parametrize("warm_start", [False, True])
def test_fit_drops_the_moments_when_it_ends(make, tables, warm_start):
    estimator = make(warm_start=warm_start).fit(tables)
    assert estimator._model.optimizer_state is None
    assert estimator.partial_fit(tables).fit(tables)._model.optimizer_state is None


def test_partial_fit_keeps_the_first_call_s_shift_scale_and_widths(make, tables):
    estimator = make(n_components=0.9).partial_fit(tables)
    before = estimator._model
    estimator.partial_fit(3 * tables[:1] + 7)
    after = estimator._model
    assert after.scaling.scale == before.scaling.scale
    assert after.n_components == before.n_components
    np.testing.assert_array_equal(after.scaling.shift, before.scaling.shift)


def test_warm_start_goes_on(make, tables):
    estimator = make(warm_start=True).fit(tables)
    first = estimator._model
    estimator.fit(tables + 1)
    assert estimator.n_iter_ == 6
    assert len(estimator.loss_curve_) == len(estimator.validation_loss_curve_) == 6
    np.testing.assert_array_equal(estimator._model.scaling.shift, first.scaling.shift)


def test_warm_start_holds_out_the_same_rows(make, digits):
    """Rows that an earlier fit was trained on would make it look unbeatable."""
    held_out = []

    class Spy(Callback):
        def on_train_begin(self, net, X=None, y=None, **kwargs):
            held_out.append(X[1].X.rows.clone())

    estimator = make(warm_start=True, callbacks=[Spy()])
    estimator.fit(digits).fit(digits)
    assert torch.equal(*held_out)


def test_curves_have_an_entry_for_each_epoch(make, tables):
    estimator = make(warm_start=True).partial_fit(tables)
    assert estimator.validation_loss_curve_ is None
    estimator.fit(tables).partial_fit(tables)
    assert len(estimator.validation_loss_curve_) == estimator.n_iter_ == 5
    missing = np.isnan(estimator.validation_loss_curve_)
    assert missing.tolist() == [True, False, False, False, True]
    assert len(estimator.net_.history) == 5


def test_a_single_step_is_a_step(make, tables):
    estimator = make(max_iter=1, batch_size=100, early_stopping=False, init="random")
    before = estimator.fit(tables)._model
    fresh = before.replaced(weights=None).build().state_dict()
    moved = [np.abs(before.weights[n] - w.numpy()).max() for n, w in fresh.items()]
    assert max(moved) > 1e-4


def test_without_warm_start_fit_starts_anew(make, tables):
    estimator = make().fit(tables[:, :5]).fit(tables)
    assert_same_weights(estimator, make().fit(tables))
    assert estimator.n_features_in_ == 6


def test_warm_start_refuses_another_width(make, tables):
    estimator = make(warm_start=True).fit(tables)
    with pytest.raises(ValueError, match=r"X has 5 features, but .* is expecting 6"):
        estimator.fit(tables[:, :5])


# Stopping


def test_best_epoch_is_the_best_on_the_validation_rows(digits):
    estimator = AutoencoderTransformer(8, random_state=0, max_iter=20).fit(digits)
    curve = estimator.validation_loss_curve_
    assert estimator.best_iter_ == 1 + int(np.argmin(curve))
    assert min(curve) < estimator.pca_loss_


def test_validation_rows_are_clean_and_held_out(digits):
    """What the validation loss says of the last epoch, its weights say again."""
    held_out = []

    class Spy(Callback):
        def on_epoch_end(self, net, dataset_valid=None, **kwargs):
            held_out.append(dataset_valid.X.rows)

    estimator = DenoisingAutoencoderTransformer(
        8, random_state=0, max_iter=6, callbacks=[Spy()]
    ).fit(digits)
    X = estimator._model.scaling.restore(held_out[0].numpy())
    assert len(X) == round(4 * len(digits) ** 0.5)
    best = estimator.validation_loss_curve_[estimator.best_iter_ - 1]
    assert -estimator.score(X) == pytest.approx(best, rel=1e-4)
    rows = {row.tobytes() for row in np.round(X).astype(int)}
    assert rows <= {row.tobytes() for row in digits.astype(int)}


def test_pca_is_kept_unless_the_gain_is_beyond_chance():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(60, 8))  # nothing to learn beyond the mean
    estimator = AutoencoderTransformer(2, random_state=0).fit(X)
    assert estimator.best_iter_ == 0
    assert -estimator.score(X) < 1


def test_no_progress_stops(digits):
    params = {"n_iter_no_change": 3, "tol": 0.5, "max_iter": 50, "random_state": 0}
    estimator = AutoencoderTransformer(8, **params).fit(digits)
    assert estimator.n_iter_ < 50
    assert len(estimator.loss_curve_) == estimator.n_iter_


def test_a_long_training_is_not_stopped_while_the_learning_rate_rises(digits):
    """The loss rises with it at first, and the longer, the more epochs there are."""
    autoencoder = AutoencoderTransformer(
        32, activation="silu", max_iter=150, random_state=0
    ).fit(digits[:1350])
    assert autoencoder.n_iter_ > 50
    assert -autoencoder.score(digits[1350:]) < 0.9 * autoencoder.pca_loss_


def test_without_early_stopping_all_rows_and_epochs_are_used(digits):
    estimator = AutoencoderTransformer(
        8, early_stopping=False, max_iter=4, n_iter_no_change=1, random_state=0
    ).fit(digits)
    assert estimator.n_iter_ == estimator.best_iter_ == 4
    assert estimator.validation_loss_curve_ is None


# Interruption


class CtrlC(Callback):
    """Presses Ctrl-C in the middle of an epoch."""

    def __init__(self, epoch):
        self.epoch = epoch

    def on_batch_end(self, net, training=False, **kwargs):
        if len(net.history) == self.epoch:
            raise KeyboardInterrupt


@pytest.mark.parametrize("early_stopping", [True, False])
def test_ctrl_c_keeps_the_best_epoch_so_far(make, digits, early_stopping):
    params = {"early_stopping": early_stopping, "max_iter": 10}
    estimator = make(callbacks=[CtrlC(4)], **params)
    with pytest.warns(ConvergenceWarning, match=r"Training interrupted by user."):
        estimator.fit(digits)
    assert estimator.n_iter_ == len(estimator.loss_curve_) == 3
    assert estimator.best_iter_ <= 3
    if early_stopping:
        assert len(estimator.validation_loss_curve_) == 3
    assert np.isfinite(estimator.transform(digits)).all()


def test_ctrl_c_keeps_the_best_epoch_where_warnings_are_errors(make, digits):
    estimator = make(callbacks=[CtrlC(3)], max_iter=10)
    with pytest.raises(ConvergenceWarning):
        estimator.fit(digits)
    assert estimator.n_iter_ == 2


WAYS_TO_FIT = {
    "fit": lambda estimator, X: estimator.fit(X),
    "fit_transform": lambda estimator, X: estimator.fit_transform(X),
    "set_output": lambda e, X: e.set_output(transform="pandas").fit_transform(X),
    "pipeline": lambda e, X: make_pipeline(StandardScaler(), e).fit(X),
    "last of a pipeline": lambda e, X: make_pipeline(e).fit_transform(X),
    "partial_fit": lambda estimator, X: estimator.partial_fit(X),
}


@pytest.mark.parametrize("name", WAYS_TO_FIT)
def test_warnings_point_at_the_user_s_line(make, digits, name):
    def line(function, match):
        with pytest.warns(UserWarning, match=match) as caught:
            function()
        (warned,) = caught
        assert warned.filename == __file__
        return linecache.getline(warned.filename, warned.lineno).strip()

    too_large = AutoencoderTransformer(70, max_iter=1, random_state=0)
    found = line(lambda: WAYS_TO_FIT[name](too_large, digits), match="identity")
    written = f'"{name}": '
    assert found.startswith(written)
    if name != "partial_fit":
        stopped = make(callbacks=[CtrlC(2)])
        found = line(lambda: WAYS_TO_FIT[name](stopped, digits), match="interrupted")
        assert found.startswith(written)


def test_ctrl_c_before_the_first_epoch_ends_goes_through(make, digits):
    estimator = make(callbacks=[CtrlC(1)])
    before = vars(estimator).copy()
    with pytest.raises(KeyboardInterrupt):
        estimator.fit(digits)
    assert vars(estimator) == before


def test_ctrl_c_before_the_first_epoch_ends_keeps_the_earlier_fit(make, digits):
    estimator = make().fit(digits)
    code = estimator.transform(digits)
    with pytest.raises(KeyboardInterrupt):
        estimator.set_params(callbacks=[CtrlC(1)]).fit(digits)
    np.testing.assert_array_equal(estimator.transform(digits), code)


@pytest.fixture
def sigint():
    """Python's own handler of Ctrl-C, which jobs in the background are without."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


class Press(Callback):
    """Presses Ctrl-C from outside, some time after the first epoch."""

    def on_epoch_end(self, net, **kwargs):
        if len(net.history) == 1:
            threading.Timer(0.1, _thread.interrupt_main).start()


def test_ctrl_c_by_signal(digits, sigint):
    """As from the keyboard, at any line."""
    estimator = AutoencoderTransformer(8, random_state=0, max_iter=100_000, tol=0)
    estimator.set_params(n_iter_no_change=100_000, callbacks=[Press()])
    with pytest.warns(ConvergenceWarning, match="interrupted"):
        estimator.fit(digits)
    assert 1 <= estimator.n_iter_ < 100_000
    assert np.isfinite(estimator.transform(digits)).all()


@pytest.mark.parametrize("early_stopping", [True, False])
def test_ctrl_c_while_the_first_epoch_is_kept_is_ctrl_c(
    make, tables, monkeypatch, early_stopping
):
    def ctrl_c(module):
        raise KeyboardInterrupt

    estimator = make(linear_path=False, early_stopping=early_stopping)
    monkeypatch.setattr(selection, "cloned_state", ctrl_c)
    with pytest.raises(KeyboardInterrupt):
        estimator.fit(tables)
    assert not hasattr(estimator, "n_iter_")


def test_ctrl_c_while_a_later_epoch_is_kept_keeps_the_one_before(
    make, tables, monkeypatch
):
    calls = []

    def ctrl_c(module):
        calls.append(module)
        if len(calls) > 2:
            raise KeyboardInterrupt
        return state(module)

    state = selection.cloned_state
    estimator = make(linear_path=False, early_stopping=False, max_iter=9)
    monkeypatch.setattr(selection, "cloned_state", ctrl_c)
    with pytest.warns(ConvergenceWarning, match="interrupted"):
        estimator.fit(tables)
    assert estimator.n_iter_ == estimator.best_iter_ == len(estimator.loss_curve_) == 2


class CtrlCAtLine:
    """A tracer that presses Ctrl-C at one of skae's lines, counted as they run."""

    def __init__(self, at=None):
        self.at = at
        self.count = 0

    def __call__(self, frame, event, arg):
        if not frame.f_code.co_filename.startswith(PACKAGE):
            return None
        if event == "line":
            self.count += 1
            if self.count == self.at:
                raise KeyboardInterrupt
        return self

    def __enter__(self):
        self.before = sys.gettrace()
        sys.settrace(self)
        return self

    def __exit__(self, *error):
        sys.settrace(self.before)


@pytest.mark.parametrize("method", ["fit", "partial_fit"])
@pytest.mark.filterwarnings("ignore:Training interrupted")
@pytest.mark.filterwarnings("ignore:Posterior collapse")
def test_ctrl_c_at_any_line_leaves_one_fit_or_the_other(make, tables, method):
    fitted = make(n_components=2, hidden_layer_sizes=(8,), callbacks=[]).fit(tables)

    def refit(at=None):
        """An estimator after a second fit that is stopped at a line, and its lines."""
        estimator = make(**fitted.get_params())
        vars(estimator).update(vars(fitted))
        estimator.set_params(n_components=3 if method == "fit" else 2)
        with CtrlCAtLine(at) as tracer:
            try:
                getattr(estimator, method)(tables[:, :5] if method == "fit" else tables)
            except KeyboardInterrupt:
                pass
        return estimator, tracer.count

    modes = torch.is_grad_enabled(), torch.is_inference_mode_enabled()
    generator = torch.get_rng_state()
    again, n_lines = refit()
    complete = vars(again)
    old = {name: vars(fitted)[name] for name in vars(fitted) if name.endswith("_")}
    for at in np.random.default_rng(0).integers(1, n_lines, 30):
        state = vars(refit(int(at))[0])
        assert set(state) == set(complete)
        if state["_model"] is fitted._model:
            assert all(state[name] is value for name, value in old.items())
            assert state["_history"] is fitted._history
            continue
        shapes = [len(state[name]) for name in ("_history", "loss_curve_")]
        assert shapes == [state["n_iter_"]] * 2
        assert state["n_iter_"] <= complete["n_iter_"]
        assert state["n_features_in_"] == complete["n_features_in_"]
        assert state["n_components_"] == state["_model"].n_components
        assert all(np.isfinite(w).all() for w in state["_model"].weights.values())
    assert modes == (torch.is_grad_enabled(), torch.is_inference_mode_enabled())
    assert torch.equal(generator, torch.get_rng_state())


# Watching


def test_verbose_0_is_silent(make, tables, capfd):
    make().fit(tables).transform(tables)
    assert capfd.readouterr() == ("", "")


def test_verbose_1_shows_a_bar_with_both_losses(make, tables, capfd):
    estimator = make(verbose=1).fit(tables)
    shown = capfd.readouterr().err
    assert "3/3" in shown
    assert "train=" in shown
    assert "validation=" in shown
    constraints = estimator._make_penalty(), estimator._make_corruption()
    assert ("objective=" in shown) == (constraints != (None, None))


def test_verbose_2_prints_a_line_per_epoch(make, tables, capfd):
    estimator = make(verbose=2).fit(tables)
    lines = capfd.readouterr().out.strip().splitlines()
    assert len(lines) == 2 + 3 + 2
    assert "train_loss" in lines[0]
    assert "valid_loss" in lines[0]
    assert lines[-2:] == estimator.summary().splitlines()


@pytest.mark.parametrize("verbose", [1, 2])
def test_verbose_says_what_was_kept(digits, verbose, capfd):
    noise = np.random.default_rng(0).normal(size=(60, 8))
    estimator = AutoencoderTransformer(2, verbose=verbose, random_state=0).fit(noise)
    assert estimator.best_iter_ == 0
    assert "PCA was kept" in capfd.readouterr().out.splitlines()[-1]
    estimator.set_params(n_components=8, max_iter=10).fit(digits)
    kept = f"epoch {estimator.best_iter_} of {estimator.n_iter_} was kept."
    assert kept in capfd.readouterr().out.splitlines()[-2]
    estimator.set_params(warm_start=True, learning_rate=1e-12, max_iter=1).fit(digits)
    kept = f"epoch {estimator.best_iter_} of {estimator.n_iter_} was kept."
    assert kept in capfd.readouterr().out.splitlines()[-2]


def test_callbacks_of_skorch_work(make, digits, tmp_path):
    class Recorder(Callback):
        def __init__(self):
            self.losses = []

        def on_epoch_end(self, net, **kwargs):
            self.losses.append(net.history[-1, "valid_loss"])

    recorder = Recorder()
    callbacks = [
        recorder,
        ("clip", GradientNormClipping(1.0)),
        Checkpoint(dirname=tmp_path, monitor="valid_loss_best"),
        EpochScoring(lambda net, X, y=None: 1.5, name="own", use_caching=False),
        LRScheduler("ExponentialLR", gamma=0.9),
    ]
    estimator = make(callbacks=callbacks).fit(digits)
    assert recorder.losses == estimator.validation_loss_curve_
    assert (tmp_path / "params.pt").exists()


@pytest.mark.parametrize("use_caching", [True, False])
@pytest.mark.parametrize("loss", ["squared_error", "huber"])
def test_scorers_of_skorch_see_rows_in_units_of_the_data(
    make, digits, use_caching, loss
):
    scoring = EpochScoring("neg_mean_squared_error", use_caching=use_caching)
    estimator = make(callbacks=[scoring], loss=loss, max_iter=4).fit(digits)
    found = estimator.net_.history[:, "neg_mean_squared_error"]
    assert len(found) == estimator.n_iter_
    if loss == "squared_error":
        expected = -np.array(estimator.validation_loss_curve_)
        np.testing.assert_allclose(found, expected, rtol=1e-4)
    assert estimator.net_.history[0, "neg_mean_squared_error_best"] is True


def test_scorers_of_skorch_see_training_rows_too(digits):
    callbacks = [
        EpochScoring(
            "neg_mean_squared_error", name=name, on_train=True, use_caching=cached
        )
        for name, cached in [("as trained", True), ("at the end", False)]
    ]
    estimator = AutoencoderTransformer(
        8, callbacks=callbacks, early_stopping=False, max_iter=4, random_state=0
    ).fit(digits)
    history = estimator.net_.history
    # Both are means over all cells, before each step and after the last one.
    np.testing.assert_allclose(
        -np.array(history[:, "as trained"]), estimator.loss_curve_, rtol=1e-3
    )
    assert history[-1, "at the end"] == pytest.approx(estimator.score(digits), rel=1e-3)


def test_what_callbacks_record_is_in_the_history(make, digits):
    recorded = {
        "number": 7,
        "of numpy": np.float32(0.5),
        "of torch": torch.tensor(2.5),
        "array": np.arange(3.0),
        "words": "as they are",
        "several": [1, (2.0, "three")],
        "nothing": None,
    }

    class Recorder(Callback):
        def on_epoch_end(self, net, **kwargs):
            for name, value in recorded.items():
                net.history.record(name, value)

    estimator = make(callbacks=[Recorder()]).fit(digits)
    for fitted in (
        estimator,
        pickle.loads(pickle.dumps(estimator.set_params(callbacks=None))),
    ):
        for row in fitted.net_.history:
            assert row["number"] == 7
            assert (row["of numpy"], row["of torch"]) == (0.5, 2.5)
            np.testing.assert_array_equal(row["array"], recorded["array"])
            assert (row["words"], row["nothing"]) == ("as they are", None)
            assert row["several"] == [1, [2.0, "three"]]


def test_callbacks_see_the_last_epoch(make, digits):
    seen = []

    class Spy(Callback):
        def on_epoch_end(self, net, **kwargs):
            seen.append(len(net.history))

    params = {"n_iter_no_change": 1, "tol": 0.9, "max_iter": 50, "callbacks": [Spy()]}
    estimator = make(**params).fit(digits[:600])
    assert len(seen) == estimator.n_iter_ < 50


def test_early_stopping_of_skorch_stops_without_a_warning(make, digits):
    stopper = EarlyStopping(patience=1, threshold=0.9, sink=lambda text: None)
    estimator = make(callbacks=[stopper], max_iter=30).fit(digits)
    assert estimator.n_iter_ == 2


# Noise and penalties


def test_no_noise_is_the_plain_autoencoder(digits):
    params = {"n_components": 8, "max_iter": 3, "random_state": 0}
    params |= {"linear_path": True, "learning_rate": 1e-3}
    plain = AutoencoderTransformer(**params).fit(digits)
    for noise in NOISES:
        denoising = DenoisingAutoencoderTransformer(
            noise=noise, noise_level=0, **params
        ).fit(digits)
        assert_same_weights(denoising, plain)


def test_a_penalty_of_strength_0_is_the_plain_autoencoder(digits):
    params = {"n_components": 8, "max_iter": 3, "random_state": 0}
    plain = AutoencoderTransformer(**params).fit(digits)
    penalised = AutoencoderTransformer(penalty=L1(alpha=0), **params).fit(digits)
    assert plain.loss_curve_ == penalised.loss_curve_
    # Codes under a penalty stay in the scale that it gave them.
    np.testing.assert_allclose(
        plain.reconstruct(digits), penalised.reconstruct(digits), atol=1e-3
    )


def test_a_penalty_lowers_what_it_penalises(digits):
    means = [
        np.abs(
            AutoencoderTransformer(8, penalty=L1(alpha), random_state=0, max_iter=10)
            .fit(digits)
            .transform(digits)
        ).mean()
        for alpha in (0.0, 0.1, 1.0)
    ]
    assert means[0] > means[1] > means[2]


def test_a_strong_penalty_is_no_divergence(digits):
    AutoencoderTransformer(4, penalty=L1(1e4), max_iter=3, random_state=0).fit(digits)


def test_rows_far_from_the_first_ones_are_no_divergence(digits):
    estimator = AutoencoderTransformer(4, random_state=0).partial_fit(digits)
    estimator.partial_fit(digits + 500)


def test_a_penalty_that_is_a_module_is_not_trained(digits):
    class Weighted(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.weight = torch.nn.Parameter(torch.ones(4))

        def forward(self, network, X, code, output):
            return (self.weight * code).square().mean()

    penalty = Weighted()
    AutoencoderTransformer(4, penalty=penalty, max_iter=2, random_state=0).fit(digits)
    assert (penalty.weight == 1).all()


def halve(X, generator):
    return 0.5 * X


def shrink(network, X, code, output):
    return 0.1 * code.square().mean()


@pytest.mark.parametrize(
    ("estimator", "params"),
    [
        (AutoencoderTransformer(), {"corruption": halve}),
        (AutoencoderTransformer(), {"penalty": shrink}),
        (DenoisingAutoencoderTransformer(noise_level=0), {"corruption": halve}),
    ],
    ids=["corruption", "penalty", "corruption in place of noise"],
)
def test_corruption_and_penalty_may_be_functions(digits, estimator, params):
    """And make a difference to what is minimised and to what comes of it."""
    estimator = clone(estimator).set_params(n_components=4, max_iter=3, random_state=0)
    before = estimator.fit(digits).loss_curve_
    codes = estimator.transform(digits)
    estimator.set_params(**params).fit(digits)
    assert estimator.loss_curve_[0] > before[0]
    assert not np.allclose(estimator.transform(digits), codes)


def test_corruption_takes_the_place_of_noise(digits):
    params = {"n_components": 8, "max_iter": 3, "random_state": 0}
    params |= {"linear_path": True, "learning_rate": 1e-3}
    by_name = DenoisingAutoencoderTransformer(
        noise="masking", noise_level=0.3, **params
    )
    by_object = DenoisingAutoencoderTransformer(corruption=Masking(0.3), **params)
    plain = AutoencoderTransformer(corruption=Masking(0.3), **params)
    for other in (by_object, plain):
        assert_same_weights(by_name.fit(digits), other.fit(digits))


@pytest.mark.parametrize("noise", [name for name in NOISES if name != "missing"])
def test_denoising_removes_noise(digits, noise):
    X = digits / 16
    level = 0.5 if noise == "gaussian" else 0.2
    denoiser = DenoisingAutoencoderTransformer(
        32, noise=noise, noise_level=level, max_iter=20, random_state=0
    ).fit(X[:1400])
    clean = torch.from_numpy((X[1400:] - X.mean()) / X.std()).float()
    noisy = NOISES[noise](level)(clean, torch.Generator().manual_seed(0))
    noisy = noisy.double().numpy() * X.std() + X.mean()
    before = np.square(noisy - X[1400:]).mean()
    after = np.square(denoiser.reconstruct(noisy) - X[1400:]).mean()
    assert after < 0.8 * before


def test_the_validated_noise_is_the_same_in_each_epoch(digits):
    """A model that stands still has one validation loss, noise or not."""
    losses = []

    class Spy(Callback):
        def on_epoch_end(self, net, **kwargs):
            losses.append(net.monitored_.mean().item())

    AutoencoderTransformer(
        8,
        corruption=Gaussian(1.0),
        learning_rate=1e-12,
        max_iter=3,
        random_state=0,
        callbacks=[Spy()],
    ).fit(digits)
    assert max(losses) == pytest.approx(min(losses), rel=1e-5)
    assert losses[0] > 0


def test_log_loss_and_huber_take_parameters(digits):
    from skae.losses import Huber, LogLoss

    by_name = AutoencoderTransformer(4, loss="huber", max_iter=2, random_state=0)
    by_object = AutoencoderTransformer(4, loss=Huber(), max_iter=2, random_state=0)
    assert_same_weights(by_name.fit(digits), by_object.fit(digits))
    assert by_object.get_params()["loss__delta"] == 0.5
    AutoencoderTransformer(4, loss=LogLoss(), max_iter=2).fit(digits / 16)


@pytest.mark.parametrize(
    ("gains", "expected"),
    [
        ([1.0], False),
        ([0.0] * 50, False),
        ([1.0, -1.0] * 50, False),
        ([1.0, 0.9] * 50, True),
        ([1.0] * 99 + [-150.0], True),  # one outlying row against all others
        ([1.0] * 95 + [-60.0] * 5, False),  # several: the mean is a clear loss
        ([float("nan")] * 50, False),
    ],
)
def test_a_gain_is_more_than_chance(gains, expected):
    assert is_gain(torch.tensor(gains)) is expected


def test_a_warm_start_that_keeps_the_earlier_fit_keeps_its_epoch():
    X = np.random.default_rng(0).normal(size=(60, 8))  # nothing beyond PCA
    estimator = AutoencoderTransformer(
        2, warm_start=True, validation_fraction=0.2, random_state=0, max_iter=4
    )
    codes = estimator.fit(X).transform(X)
    assert estimator.best_iter_ == 0
    again = estimator.set_params(learning_rate=1e-12).fit(X).transform(X)
    np.testing.assert_array_equal(codes, again)
    assert estimator.best_iter_ == 0
    assert estimator.n_iter_ == 8


def test_callbacks_are_checked_before_anything_is_trained(digits):
    calls = []

    def corruption(X, generator):
        calls.append(X)
        return X

    estimator = AutoencoderTransformer(
        4, init="layerwise", corruption=corruption, callbacks=[3]
    )
    with pytest.raises(TypeError, match="callbacks holds 3"):
        estimator.fit(digits)
    assert not calls


def test_another_network_that_is_set_does_not_take_part_in_a_warm_start(digits):
    """The earlier one is trained on, in private, whatever the new one would draw."""

    class Noisy(torch.nn.Module):
        def __init__(self, n_features, n_components):
            super().__init__()
            self.encode = torch.nn.Linear(n_features, n_components)
            self.decode = torch.nn.Sequential(
                torch.nn.Dropout(0.1), torch.nn.Linear(n_components, n_features)
            )

    params = {"max_iter": 1, "warm_start": True, "random_state": 0}
    estimator = AutoencoderTransformer(4, network=Noisy, **params).fit(digits)
    before = torch.get_rng_state()
    estimator.set_params(network=None).fit(digits)
    assert torch.equal(before, torch.get_rng_state())
