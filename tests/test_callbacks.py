"""Callbacks of scikit-learn are told of fits, of their trainings and of epochs."""

import pickle
from collections import Counter

import numpy as np
import pytest
from conftest import estimator_classes, transformer_classes
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import skae

callback = pytest.importorskip(
    "sklearn.callback", reason="scikit-learn has callbacks from 1.9 on"
)

SMALL = {"hidden_layer_sizes": (8,), "max_iter": 3, "random_state": 0}


class Recorder:
    """Keeps what it is told, and asks to stop at an epoch."""

    def __init__(self, stop_after=None):
        self.stop_after = stop_after
        self.events, self.fitted = [], []

    def setup(self, estimator, context):
        self.events.append("setup")

    def teardown(self, estimator, context):
        self.events.append("teardown")

    def on_fit_task_begin(self, estimator, context, *, X=None, y=None):
        self.events.append(("begin", context.task_name))
        self.given = X, y

    def on_fit_task_end(self, estimator, context, *, fitted_estimator=None):
        self.events.append(("end", context.task_name))
        if context.task_name != "epoch":
            return False
        self.fitted.append(fitted_estimator)
        return len(self.fitted) == self.stop_after


class Everywhere(Recorder):
    """The same, passed on to the estimators in others."""

    max_propagation_depth = None


def small(cls, **params):
    known = cls().get_params()
    return cls(**{name: v for name, v in {**SMALL, **params}.items() if name in known})


@pytest.fixture(scope="module")
def X():
    rng = np.random.default_rng(0)
    return np.tanh(rng.normal(size=(400, 3)) @ rng.normal(size=(3, 8)))


@pytest.mark.parametrize("cls", estimator_classes(), ids=lambda cls: cls.__name__)
def test_every_estimator_tells_of_its_stages_and_stays_the_same(cls, X):
    def result(estimator):
        name = "transform" if hasattr(estimator, "transform") else "score_samples"
        return getattr(estimator, name)(X)

    expected, recorder = result(small(cls).fit(X)), Everywhere()
    estimator = small(cls).set_callbacks(recorder).fit(X)
    np.testing.assert_array_equal(result(estimator), expected)
    assert recorder.events[:2] == ["setup", ("begin", "fit")]
    assert recorder.events[-2:] == [("end", "fit"), "teardown"]
    counts = Counter(recorder.events)
    for event, name in [e for e in counts if isinstance(e, tuple)]:
        assert counts["begin", name] == counts["end", name], event
    # Those of folds too.
    assert counts["begin", "epoch"] >= 3
    left = [name for name in vars(estimator) if "callback" in name]
    assert set(left) <= {"callbacks", "_skl_callbacks"}


@pytest.mark.parametrize("cls", transformer_classes(), ids=lambda cls: cls.__name__)
def test_an_epoch_ends_with_what_a_fit_that_stops_there_would_be(cls, X):
    recorder = Recorder()
    held_out = {"validation_fraction": 0.2}  # no folds
    whole = small(cls, **held_out).set_callbacks(recorder).fit(X)
    assert len(recorder.fitted) == whole.n_iter_ == 3
    last = recorder.fitted[-1]
    np.testing.assert_array_equal(last.transform(X), whole.transform(X))
    np.testing.assert_array_equal(last.inverse_transform(last.transform(X)),
                                  whole.reconstruct(X))  # fmt: skip
    assert [part.n_iter_ for part in recorder.fitted] == [1, 2, 3]
    assert last.loss_curve_ == whole.loss_curve_
    stopped = small(cls, **held_out).set_callbacks(Recorder(stop_after=2)).fit(X)
    assert stopped.n_iter_ == 2
    second = recorder.fitted[1]
    np.testing.assert_array_equal(stopped.transform(X), second.transform(X))


def test_folds_are_told_and_end_together(X):
    recorder = Recorder(stop_after=1)
    estimator = skae.AutoencoderTransformer(2, **SMALL).set_callbacks(recorder).fit(X)
    names = [event[1] for event in recorder.events if event[0] == "begin"]
    assert names[:2] == ["fit", "fold 1 of 2"]
    assert estimator.n_iter_ == 3
    assert all(part.transform(X).shape == (400, 2) for part in recorder.fitted)


def test_rows_are_their_own_target(X):
    recorder, y = Recorder(), np.arange(400)
    estimator = skae.AutoencoderTransformer(2, **SMALL).set_callbacks(recorder)
    estimator.fit(X)
    assert recorder.given[0] is X and recorder.given[1] is X
    estimator.fit(X, y)
    assert recorder.given[1] is y


def test_a_monitor_scores_every_epoch(X):
    monitor = callback.ScoringMonitor(
        scoring={"score": lambda estimator, X, y: estimator.score(X)}
    )
    estimator = skae.AutoencoderTransformer(2, validation_fraction=0.2, **SMALL)
    estimator.set_callbacks(monitor).fit(X)
    rows = monitor.get_logs().data
    assert [row["task_name"] for row in rows].count("epoch") == 3
    last = [row["score"] for row in rows if row["task_name"] == "epoch"][-1]
    assert last == estimator.score(X)


@pytest.mark.parametrize("n_jobs", [1, 2])
def test_progress_is_shown_in_pipelines_and_searches(X, n_jobs, capsys):
    pytest.importorskip("rich", reason="the bar of scikit-learn is drawn by rich")
    pipeline = make_pipeline(StandardScaler(), skae.AutoencoderTransformer(**SMALL))
    grid = {"autoencodertransformer__n_components": [1, 2]}
    search = GridSearchCV(pipeline, grid, cv=2, n_jobs=n_jobs)
    bar = callback.ProgressBar(max_propagation_depth=None)
    search.set_callbacks(bar).fit(X)
    shown = capsys.readouterr().out
    assert "GridSearchCV - fit" in shown
    assert "AutoencoderTransformer - " in shown


def test_chunks_are_told(X):
    recorder = Recorder()
    estimator = skae.AutoencoderTransformer(2, **SMALL).set_callbacks(recorder)
    estimator.partial_fit(X).partial_fit(X)
    names = [event[1] for event in recorder.events if event[0] == "begin"]
    assert names == ["partial_fit", "training", "epoch"] * 2
    assert recorder.fitted[-1].n_iter_ == 2


def test_what_a_callback_raises_keeps_the_earlier_fit(X):
    class Breaks(Recorder):
        def on_fit_task_end(self, estimator, context):
            raise RuntimeError("out of patience")

    estimator = skae.AutoencoderTransformer(2, **SMALL).fit(X)
    codes, recorder = estimator.transform(X), Breaks()
    with pytest.raises(RuntimeError, match="out of patience"):
        estimator.set_callbacks(recorder).fit(X[:100])
    assert recorder.events[-1] == "teardown"
    np.testing.assert_array_equal(estimator.transform(X), codes)


def test_callbacks_are_cloned_and_pickled_and_not_in_files(X, tmp_path):
    recorder = Recorder()
    estimator = skae.AutoencoderTransformer(2, **SMALL).set_callbacks(recorder).fit(X)
    assert clone(estimator)._skl_callbacks == [recorder]
    assert pickle.loads(pickle.dumps(clone(estimator)))._skl_callbacks
    estimator.save(tmp_path / "model.skae")
    loaded = skae.load(tmp_path / "model.skae")
    assert not hasattr(loaded, "_skl_callbacks")
    np.testing.assert_array_equal(loaded.transform(X), estimator.transform(X))


def test_a_training_that_goes_on_tells_of_what_is_left(X, tmp_path):
    params = {
        "validation_fraction": 0.2,
        "checkpoint": tmp_path / "checkpoint",
        **SMALL,
    }

    class Stops(Recorder):
        def on_fit_task_end(self, estimator, context):
            if context.task_name == "epoch" and context.task_id == 1:
                raise RuntimeError("killed")

    killed = skae.AutoencoderTransformer(2, **params).set_callbacks(Stops())
    with pytest.raises(RuntimeError, match="killed"):
        killed.fit(X)
    recorder = Recorder()
    estimator = skae.AutoencoderTransformer(2, **params).set_callbacks(recorder).fit(X)
    assert estimator.n_iter_ == 3
    assert [part.n_iter_ for part in recorder.fitted] in ([2, 3], [3])
