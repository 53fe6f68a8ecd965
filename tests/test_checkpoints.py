"""Fits that are killed go on, and end as if nothing had happened."""

import os
import signal
import subprocess
import sys
import textwrap
import time
from functools import partial

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone
from sklearn.experimental import enable_halving_search_cv  # noqa: F401
from sklearn.model_selection import GridSearchCV, HalvingGridSearchCV
from skorch.callbacks import Callback

import skae
from skae._files.fingerprint import fingerprint
from skae.checkpoints import Checkpoints, _journal
from skae.exceptions import InvalidFileError

FULL = {"n_components": 3, "hidden_layer_sizes": (16,), "max_iter": 6}
ATTRIBUTES = (
    "loss_curve_", "validation_loss_curve_", "n_iter_", "best_iter_", "pca_loss_",
)  # fmt: skip


class Killed(BaseException):
    """Stands for the end of the process."""


@pytest.fixture
def killed(monkeypatch):
    """Fits an estimator until its checkpoint was written so many times."""

    def killed(estimator, X, n_writes):
        left, write = [n_writes], _journal.write_atomically

        def writes(path, data):
            write(path, data)
            left[0] -= 1
            if left[0] == 0:
                raise Killed

        with monkeypatch.context() as patch:
            patch.setattr(_journal, "write_atomically", writes)
            patch.setattr(_journal, "_RARE", 0)
            with pytest.raises(Killed):
                estimator.fit(X)
        return estimator

    return killed


def same(left, right, X):
    """Whether two fits are the same to the bit."""
    weights = [e._model.weights for e in (left, right)]
    return (
        all(getattr(left, name, 0) == getattr(right, name, 0) for name in ATTRIBUTES)
        and weights[0].keys() == weights[1].keys()
        and all(np.array_equal(w, weights[1][k]) for k, w in weights[0].items())
        and np.array_equal(left.transform(X), right.transform(X))
    )


@pytest.mark.parametrize("n_writes", [1, 4])
def test_a_fit_goes_on_to_the_bit(make, killed, tmp_path, tables, digits, n_writes):
    # Few rows are held out in turn: many trainings; many rows are held out once.
    for X in (tables, digits):
        whole = make(max_iter=6).fit(X)
        kept = make(max_iter=6, checkpoint=tmp_path / "fit.ckpt")
        killed(kept, X, n_writes)
        assert not hasattr(kept, "n_iter_")
        assert same(whole, clone(kept).fit(X), X)
        assert not (tmp_path / "fit.ckpt").exists()


@pytest.mark.parametrize(
    "params",
    [
        {"init": "layerwise", "linear_path": False, "hidden_layer_sizes": (16, 8)},
        {"early_stopping": False},
        {"n_iter_no_change": 1, "tol": 0.5},
        {"sparsity": "kl"},
        {"sparsity": "l1", "n_components": 9},
    ],
    ids=["layerwise", "no early stopping", "stops early", "kl", "l1"],
)
def test_so_does_one_of_other_parameters(killed, tmp_path, digits, params):
    params = {**FULL, "random_state": 0, **params}
    if "sparsity" in params:
        make = partial(skae.SparseAutoencoderTransformer, **params)
    else:
        make = partial(skae.AutoencoderTransformer, **params)
    whole = make().fit(digits)
    for n_writes in (1, 2, 3):
        if n_writes > len(whole.loss_curve_):
            break
        kept = make(checkpoint=str(tmp_path / "fit.ckpt"))
        assert same(whole, killed(kept, digits, n_writes).fit(digits), digits)


def test_so_does_one_of_hidden_cells(killed, tmp_path, tables):
    X = tables.copy()
    X[::7, 2] = np.nan
    make = partial(
        skae.DenoisingAutoencoderTransformer, 2, noise="missing", max_iter=6,
        hidden_layer_sizes=(8,), random_state=0,
    )  # fmt: skip
    kept = killed(make(checkpoint=tmp_path / "fit.ckpt"), X, 3)
    assert same(make().fit(X), kept.fit(X), X)


def test_so_does_one_of_a_file(killed, tmp_path, digits):
    frame = pd.DataFrame(digits).add_prefix("x")
    frame.to_parquet(tmp_path / "X.parquet", row_group_size=300)
    params = {**FULL, "random_state": 0, "memory_limit": 2**17}
    whole = skae.AutoencoderTransformer(**params).fit(tmp_path / "X.parquet")
    kept = whole.set_params(checkpoint=tmp_path / "fit.ckpt")
    again = killed(clone(kept), tmp_path / "X.parquet", 2)
    assert same(whole, again.fit(tmp_path / "X.parquet"), frame)


def test_so_does_one_that_goes_on_from_another(killed, tmp_path, digits):
    params = {**FULL, "random_state": 0, "warm_start": True}
    whole, kept = (skae.AutoencoderTransformer(**params).fit(digits) for _ in "ab")
    kept.checkpoint = tmp_path / "fit.ckpt"
    killed(kept, digits, 2)
    assert same(whole.fit(digits), kept.fit(digits), digits)


def test_a_seed_that_was_drawn_is_kept(killed, tmp_path, digits):
    kept = skae.AutoencoderTransformer(**FULL, checkpoint=tmp_path / "fit.ckpt")
    killed(kept, digits, 2)
    data = (tmp_path / "fit.ckpt").read_bytes()
    first = clone(kept).fit(digits)
    (tmp_path / "fit.ckpt").write_bytes(data)
    assert same(first, clone(kept).fit(digits), digits)


@pytest.mark.parametrize(
    "change, words",
    [
        ({"learning_rate": 0.01}, "learning_rate was 0.02, and is 0.01"),
        ({"max_iter": 7}, "max_iter was 6, and is 7"),
        ({"random_state": 1}, "random_state was 0, and is 1"),
        ({"X": 1}, "X was 1797 rows of 64, digest"),
    ],
    ids=["rate", "max_iter", "seed", "X"],
)
def test_another_fit_is_refused(killed, tmp_path, digits, change, words):
    path, change = tmp_path / "fit.ckpt", dict(change)
    kept = skae.AutoencoderTransformer(**FULL, random_state=0, checkpoint=path)
    killed(kept, digits, 2)
    data, X = path.read_bytes(), digits
    if change.pop("X", None):
        X = digits.copy()
        X[1000, 30] += 1e-9
    other = clone(kept).set_params(**change)
    with pytest.raises(ValueError, match=words):
        other.fit(X)
    assert path.read_bytes() == data


def test_what_is_told_changes_nothing(killed, tmp_path, digits, capsys):
    params = {**FULL, "random_state": 0, "checkpoint": tmp_path / "fit.ckpt"}
    kept = killed(skae.AutoencoderTransformer(**params), digits, 2)
    whole = clone(kept).set_params(checkpoint=None).fit(digits)
    assert same(whole, kept.set_params(verbose=1).fit(digits), digits)
    assert "6/6" in capsys.readouterr().err


def test_files_that_are_no_checkpoints_are_refused(tmp_path, digits):
    path = tmp_path / "fit.ckpt"
    kept = skae.AutoencoderTransformer(**FULL, checkpoint=path)
    path.write_bytes(b"a picture of a cat")
    with pytest.raises(InvalidFileError, match=r"fit\.ckpt"):
        kept.fit(digits)
    clone(kept).set_params(checkpoint=None).fit(digits).save(path)
    with pytest.raises(InvalidFileError, match="no checkpoint"):
        kept.fit(digits)
    assert not hasattr(kept, "n_iter_")
    with pytest.raises(FileNotFoundError, match="there is no folder"):
        kept.set_params(checkpoint=tmp_path / "a" / "fit.ckpt").fit(digits)


def test_a_fit_that_was_interrupted_goes_on(monkeypatch, tmp_path, digits):
    path = tmp_path / "fit.ckpt"
    kept = skae.AutoencoderTransformer(**FULL, random_state=0, checkpoint=path)
    whole = clone(kept).set_params(checkpoint=None).fit(digits)
    monkeypatch.setattr(_journal, "_RARE", 0)
    keep, left = _journal.FileJournal.keep, [3]

    def interrupted(*args):
        keep(*args)
        left[0] -= 1
        if left[0] == 0:
            raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(_journal.FileJournal, "keep", interrupted)
        with pytest.warns(UserWarning, match="interrupted"):
            kept.fit(digits)
    assert kept.n_iter_ == 3
    assert path.exists()
    assert same(whole, kept.fit(digits), digits)


class Counting(Callback):
    """Counts epochs, and says so in the history."""

    def __init__(self):
        self.count = 0

    def on_epoch_end(self, net, **kwargs):
        self.count += 1
        net.history.record("count", self.count)

    def state_dict(self):
        return {"count": self.count}

    def load_state_dict(self, state):
        self.count = state["count"]


class Silent(Callback):
    """Has a state that nobody knows."""


def test_states_of_callbacks_are_kept(killed, tmp_path, digits):
    kept = skae.AutoencoderTransformer(
        **FULL, callbacks=[Counting()], checkpoint=tmp_path / "fit.ckpt"
    )
    killed(kept, digits, 4)
    kept.set_params(callbacks=[Counting()]).fit(digits)
    assert kept.net_.history[:, "count"] == [1, 2, 3, 4, 5, 6]
    with pytest.raises(TypeError, match="Silent, of which a checkpoint cannot keep"):
        kept.set_params(callbacks=[Silent()]).fit(digits)


@pytest.mark.parametrize("X", ["digits", "tables"])
def test_a_folder_goes_on_with_more_epochs(request, tmp_path, X):
    X = request.getfixturevalue(X)
    planned = Checkpoints(tmp_path / "folder", max_iter=6)
    params = {**FULL, "random_state": 0}
    whole = skae.AutoencoderTransformer(**params).fit(X)
    steps = skae.AutoencoderTransformer(**params, checkpoint=planned)
    for max_iter in (2, 3, 6):
        steps.set_params(max_iter=max_iter).fit(X)
        assert steps.n_iter_ == max_iter
    assert same(whole, steps, X)
    assert len(list((tmp_path / "folder").iterdir())) == 1
    assert same(whole, clone(steps).fit(X), X)  # once more, which trains nothing
    with pytest.raises(ValueError, match="max_iter=7 is more than the 6 epochs"):
        steps.set_params(max_iter=7).fit(X)
    assert steps.n_iter_ == 6


def test_halving_trains_no_epoch_twice(monkeypatch, tmp_path, digits):
    from skae._training.selection import BestEpoch

    n_trained, on_epoch_end = [0], BestEpoch.on_epoch_end

    def counted(self, net, **kwargs):
        n_trained[0] += 1
        on_epoch_end(self, net, **kwargs)

    monkeypatch.setattr(BestEpoch, "on_epoch_end", counted)
    # Rows are held out once, so that each fit is a single training.
    grid = {"hidden_layer_sizes": [(), (4,), (8,), (16,)]}
    options = {
        "resource": "max_iter", "min_resources": 2, "max_resources": 8, "factor": 2,
        "cv": 2, "refit": False,
    }  # fmt: skip

    def search():
        n_trained[0] = 0
        estimator = skae.AutoencoderTransformer(
            3,
            validation_fraction=0.1,
            n_iter_no_change=8,
            checkpoint=Checkpoints(tmp_path, max_iter=8),
            random_state=0,
        )
        found = HalvingGridSearchCV(estimator, grid, random_state=0, **options)
        found.fit(digits)
        return found

    first = search()
    assert n_trained[0] == 2 * (4 * 2 + 2 * 2 + 1 * 4)  # and not (4 * 2 + 2 * 4 + 8)
    again = search()
    assert n_trained[0] == 0
    scores = [s.cv_results_["mean_test_score"] for s in (first, again)]
    np.testing.assert_array_equal(*scores)
    assert first.best_params_ == again.best_params_


def test_searches_share_a_folder(tmp_path, digits):
    grid = {"n_components": [2, 3]}
    params = {**FULL, "random_state": 0, "max_iter": 2}
    scores = [
        GridSearchCV(skae.AutoencoderTransformer(**params, checkpoint=c), grid, cv=2)
        .fit(digits)
        .cv_results_["mean_test_score"]
        for c in (None, Checkpoints(tmp_path), Checkpoints(tmp_path))
    ]
    np.testing.assert_array_equal(scores[0], scores[1])
    np.testing.assert_array_equal(scores[0], scores[2])
    assert len(list(tmp_path.iterdir())) == 5


def test_folders_are_checked_and_saved(tmp_path, digits):
    for folder, max_iter in ((1, None), ("a", 2.5), ("a", True)):
        with pytest.raises(TypeError, match="expected"):
            Checkpoints(folder, max_iter)
    with pytest.raises(ValueError, match="at least 1"):
        Checkpoints("a", 0)
    kept = Checkpoints(tmp_path / "folder", max_iter=9)
    model = skae.AutoencoderTransformer(**FULL, checkpoint=kept).fit(digits)
    model.save(tmp_path / "model.skae")
    loaded = skae.load(tmp_path / "model.skae")
    assert loaded.checkpoint == Checkpoints(str(tmp_path / "folder"), 9)


def test_fingerprints_tell_values_apart():
    values = [
        None, 0, 1, 1.5, "a", ["a"], ("a",), {"a": 1}, np.arange(3), np.arange(4),
        np.arange(3.0), np.arange(3).reshape(3, 1), np.random.RandomState(0),
        np.random.RandomState(1), skae.losses.Huber(), len, sum,
    ]  # fmt: skip
    texts = [fingerprint(value) for value in values]
    assert len(set(texts)) == len(values)
    assert texts == [fingerprint(value) for value in values]


SCRIPT = """
import sys
import numpy as np, torch
import skae
from skae.checkpoints import _journal
torch.set_num_threads(1)
_journal._RARE = 0
X = np.random.default_rng(0).normal(size=(3000, 20)).cumsum(1)
path = None if sys.argv[2] == "-" else sys.argv[2]
params = dict(hidden_layer_sizes=(64, 32), max_iter=40, random_state=0)
model = skae.DenoisingAutoencoderTransformer(4, checkpoint=path, **params)
print("begun", flush=True)
model.fit(X).set_params(checkpoint=None).save(sys.argv[1])
"""


def run(script, *args, kill_after=None):
    """Run a script; whether it ended before it was killed, so long after it began."""
    env = {**os.environ, "OMP_NUM_THREADS": "1"}
    with subprocess.Popen(
        [sys.executable, script, *map(str, args)], stdout=subprocess.PIPE, env=env
    ) as process:
        assert process.stdout.readline() == b"begun\n"
        if kill_after is not None:
            time.sleep(kill_after)
            process.send_signal(signal.SIGKILL)
        process.communicate(timeout=120)
    assert process.returncode in (0, -signal.SIGKILL)
    return process.returncode == 0


@pytest.mark.parametrize("n_kills", [3, pytest.param(50, marks=[pytest.mark.faults])])
@pytest.mark.skipif(sys.platform == "win32", reason="signals are those of POSIX")
def test_processes_are_killed_at_any_moment(tmp_path, n_kills):
    script = tmp_path / "script.py"
    script.write_text(textwrap.dedent(SCRIPT))
    start = time.perf_counter()
    assert run(script, tmp_path / "whole.skae", "-")
    took = time.perf_counter() - start
    rng, killed = np.random.default_rng(0), 0
    for i in range(n_kills):
        # Each fit is killed at a moment of its own, and goes on until it ends.
        out, checkpoint = tmp_path / f"{i}.skae", tmp_path / f"{i}.ckpt"
        killed += not run(script, out, checkpoint, kill_after=rng.uniform(0, took))
        if not out.exists():
            assert run(script, out, checkpoint)
        assert out.read_bytes() == (tmp_path / "whole.skae").read_bytes()
        assert not checkpoint.exists()
    assert killed
