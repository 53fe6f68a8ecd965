"""Fits on the workers of a Dask cluster, and in process groups."""

import os
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from threading import Timer

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

import skae
from skae._cluster.shares import shares_of

dask = pytest.importorskip("dask")
distributed = pytest.importorskip("distributed")
import dask.array as da  # noqa: E402
import dask.dataframe as dd  # noqa: E402

pytestmark = [
    pytest.mark.timeout(180),
    # Of distributed's own, when clusters close.
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning"),
    pytest.mark.filterwarnings("ignore:.*:DeprecationWarning:distributed"),
    pytest.mark.xdist_group("cluster"),
]
PARAMS = {"hidden_layer_sizes": (32,), "max_iter": 8, "random_state": 0}
# Of a training that takes longer than any test waits.
LONG = {**PARAMS, "max_iter": 5000, "early_stopping": False}


def curved(n_rows, seed=1):
    fixed, rng = np.random.default_rng(0), np.random.default_rng(seed)
    mixing, out = fixed.normal(size=(3, 40)), fixed.normal(size=(40, 12)) / 6
    rows = np.tanh(rng.normal(size=(n_rows, 3)) @ mixing) @ out
    return rows + 0.05 * rng.normal(size=rows.shape)


@pytest.fixture(scope="module")
def X():
    return curved(5000)


@pytest.fixture(scope="module")
def test_rows():
    return curved(2000, seed=2)


@pytest.fixture(scope="module")
def shared():
    """A client of a cluster whose workers all stay."""
    with workers() as cluster, distributed.Client(cluster) as client:
        yield client


@pytest.fixture
def client():
    """A client of a cluster of one test's own."""
    with workers() as cluster, distributed.Client(cluster) as client:
        yield client


@contextmanager
def workers():
    with (
        dask.config.set({"distributed.comm.timeouts.connect": "5s"}),
        distributed.LocalCluster(
            processes=True, n_workers=2, threads_per_worker=1, dashboard_address=":0",
            silence_logs="CRITICAL",
        ) as cluster,
    ):  # fmt: skip
        yield cluster


def frame_of(X):
    return pd.DataFrame(X).add_prefix("x")


def test_workers_train_together(shared, X, test_rows):
    alone = skae.AutoencoderTransformer(3, **PARAMS).fit(X)
    frame = dd.from_pandas(frame_of(X), npartitions=5)
    of_frame = skae.AutoencoderTransformer(3, **PARAMS).fit(frame)
    assert list(of_frame.feature_names_in_) == list(frame.columns)
    assert of_frame.n_iter_ == 8
    error = of_frame.score(frame_of(test_rows))
    assert error > 1.15 * alone.score(test_rows)  # both are below 0
    # As many workers, the same result; what it is called on does not matter.
    array = da.from_array(X, chunks=(1000, 5))
    of_array = skae.AutoencoderTransformer(3, **PARAMS).fit(array)
    np.testing.assert_array_equal(
        of_array.transform(X), of_frame.transform(frame_of(X))
    )
    assert of_array.partial_fit(array).n_iter_ == 9
    codes = of_array.transform(array)
    np.testing.assert_array_equal(codes.compute(), of_array.transform(X))


def test_partitions_may_be_few_unequal_and_empty(shared, X):
    frame = dd.from_pandas(frame_of(X), npartitions=7)
    for some in (frame[frame.x0 > 0.5], frame.partitions[:1], frame.loc[:10]):
        model = skae.AutoencoderTransformer(3, **PARAMS).fit(some)
        assert model.n_features_in_ == 12
    with pytest.raises(ValueError, match="has no rows"):
        skae.AutoencoderTransformer(3).fit(frame[frame.x0 > 1e9])


def test_warnings_of_workers_are_heard(shared, X):
    with pytest.warns(UserWarning, match="can learn the identity") as heard:
        skae.AutoencoderTransformer(20, **PARAMS).fit(da.from_array(X, (1000, 12)))
    assert heard[0].filename == __file__


def test_what_fails_on_workers_is_raised(shared, X):
    def unreadable(part):
        if len(part) and part.index[0] > 2000:
            raise OSError("the disk is gone")
        return part

    frame = dd.from_pandas(frame_of(X), npartitions=4)
    model = skae.AutoencoderTransformer(3, **PARAMS).fit(frame)
    codes = model.transform(frame_of(X))
    broken = frame.map_partitions(unreadable, meta=frame._meta)
    with pytest.raises(RuntimeError, match=r"Partition \d of .*the disk is gone"):
        model.fit(broken)
    infinite = frame_of(X)
    infinite.iloc[4000, 3] = np.inf
    with pytest.raises(ValueError, match="infinity"):
        model.fit(dd.from_pandas(infinite, npartitions=4))
    np.testing.assert_array_equal(model.transform(frame_of(X)), codes)
    # Nothing is left on the workers that would be in the way.
    assert model.fit(frame).n_iter_ == 8


def kill_one(client, after):
    """Kill a worker's process, so long after now."""
    pids = client.run(os.getpid)
    timer = Timer(after, os.kill, (next(iter(pids.values())), signal.SIGKILL))
    timer.daemon = True
    timer.start()
    return timer


def test_fits_at_once_wait_for_each_other(shared, X):
    array = da.from_array(X, chunks=(1000, 12))
    estimators = [skae.AutoencoderTransformer(3, **PARAMS) for _ in range(2)]
    with ThreadPoolExecutor() as pool:
        fitted = list(pool.map(lambda estimator: estimator.fit(array), estimators))
    first, second = (estimator.transform(X) for estimator in fitted)
    np.testing.assert_array_equal(first, second)


def test_a_cluster_that_is_restarted_is_noticed(client, X):
    array = da.from_array(X, chunks=(1000, 12))
    skae.AutoencoderTransformer(3, **PARAMS).fit(array)  # what is imported once

    def restart():
        address = client.scheduler.address
        with distributed.Client(address, set_as_default=False) as other:
            other.restart()

    timer = Timer(5, restart)
    timer.start()
    with pytest.raises(RuntimeError, match=r"was lost while|were cancelled"):
        skae.AutoencoderTransformer(3, **LONG).fit(array)
    timer.join()
    client.wait_for_workers(2)
    assert skae.AutoencoderTransformer(3, **PARAMS).fit(array).n_iter_ == 8


@pytest.mark.skipif(sys.platform == "win32", reason="signals are those of POSIX")
def test_a_worker_that_is_lost_is_named(client, X):
    array = da.from_array(X, chunks=(1000, 12))
    skae.AutoencoderTransformer(3, **PARAMS).fit(array)  # what is imported once
    workers = set(client.nthreads())
    kill_one(client, 4)
    with pytest.raises(RuntimeError, match="was lost while it trained") as raised:
        skae.AutoencoderTransformer(3, **LONG).fit(array)
    assert any(worker in str(raised.value) for worker in workers)


@pytest.mark.skipif(sys.platform == "win32", reason="signals are those of POSIX")
def test_a_fit_goes_on_with_workers_that_are_left(client, X, test_rows, tmp_path):
    array = da.from_array(X, chunks=(1000, 12))
    skae.AutoencoderTransformer(3, **PARAMS).fit(array)
    kept = skae.AutoencoderTransformer(
        3, **{**LONG, "max_iter": 60}, batch_size=64, checkpoint=tmp_path / "fit.ckpt"
    )

    def kill():
        while not (tmp_path / "fit.ckpt").exists():
            time.sleep(0.1)
        return kill_one(client, 1)

    timer = Timer(0, kill)
    timer.daemon = True
    timer.start()
    with pytest.warns(UserWarning, match="goes on from its checkpoint"):
        kept.fit(array)
    assert kept.n_iter_ == 60
    whole = skae.AutoencoderTransformer(3, **LONG).set_params(
        max_iter=60, batch_size=64
    )
    assert kept.score(test_rows) > 1.15 * whole.fit(X).score(test_rows)
    assert not (tmp_path / "fit.ckpt").exists()


CLIENT = """
import sys
import dask.array as da, distributed, numpy as np, skae
client = distributed.Client(sys.argv[1])
X = np.random.default_rng(0).normal(size=(5000, 12))
print("begun", flush=True)
skae.AutoencoderTransformer(3, max_iter=5000, early_stopping=False).fit(
    da.from_array(X, chunks=(1000, 12))
)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="signals are those of POSIX")
def test_workers_are_free_when_a_client_has_gone(shared, X, tmp_path):
    script = tmp_path / "client.py"
    script.write_text(CLIENT)
    command = [sys.executable, script, shared.scheduler.address]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
        process.stdout.readline()
        time.sleep(8)
        process.kill()
    array = da.from_array(X, chunks=(1000, 12))
    assert skae.AutoencoderTransformer(3, **PARAMS).fit(array).n_iter_ == 8


def test_a_scheduler_that_has_gone_is_noticed(X):
    # One of its own, so that it can be ended.
    command = [sys.executable, "-c", SCHEDULER]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        address = process.stdout.readline().strip()
        with (
            dask.config.set({"distributed.comm.timeouts.connect": "3s"}),
            distributed.Client(address, timeout="20s") as client,
        ):
            client.wait_for_workers(2, timeout=60)
            timer = Timer(6, process.kill)
            timer.daemon = True
            timer.start()
            with pytest.raises(RuntimeError, match="has gone, and with it"):
                skae.AutoencoderTransformer(3, **LONG).fit(
                    da.from_array(X, chunks=(1000, 12))
                )
        process.kill()


SCHEDULER = """
import time
from distributed import LocalCluster
if __name__ == "__main__":
    cluster = LocalCluster(
        processes=True, n_workers=2, threads_per_worker=1, dashboard_address=":0"
    )
    print(cluster.scheduler_address, flush=True)
    time.sleep(600)
"""


@given(st.data())
def test_partitions_are_dealt_evenly(data):
    sizes = data.draw(st.lists(st.integers(0, 100), min_size=1, max_size=20))
    if not any(sizes):
        sizes[0] = 1
    workers = [f"tcp://{i}" for i in range(data.draw(st.integers(1, 6)))]
    holders = [data.draw(st.sets(st.sampled_from(workers))) for _ in sizes]
    shares = shares_of(sizes, holders, workers)
    filled = [i for i, size in enumerate(sizes) if size]
    assert [i for share in shares for i in share.partitions] == filled
    assert len(shares) == min(len(workers), len(filled))
    assert len({share.worker for share in shares}) == len(shares)
    assert all(share.partitions for share in shares)
    # What goes together does not depend on where it is.
    elsewhere = shares_of(sizes, [set()] * len(sizes), workers)
    assert [s.partitions for s in elsewhere] == [s.partitions for s in shares]


GROUP = """
import datetime, sys
import numpy as np, pandas as pd, torch, torch.distributed as dist
import skae
from skorch.callbacks import Callback

class Stops(Callback):
    def __init__(self, rank=0):
        self.rank = rank

    def on_epoch_end(self, net, **kwargs):
        if self.rank == 1 and len(net.history) == 3:
            raise KeyboardInterrupt

torch.set_num_threads(1)
dist.init_process_group("gloo", timeout=datetime.timedelta(seconds=60))
rank, folder = dist.get_rank(), sys.argv[1]
whole = np.load(folder + "/X.npy")
own = np.split(whole, [len(whole) // 4])[rank]
params = {"hidden_layer_sizes": (32,), "max_iter": 8, "random_state": 0}

def fitted(kind):
    X, more, make = own.copy(), {}, skae.AutoencoderTransformer
    if kind == "holes":
        X[::5, 2] = np.nan
        make, more = skae.DenoisingAutoencoderTransformer, {"noise": "missing"}
    elif kind == "sparse":
        make = skae.SparseAutoencoderTransformer
    elif kind == "variational":
        make = skae.VariationalAutoencoderTransformer
    elif kind == "contractive":
        make = skae.ContractiveAutoencoderTransformer
    elif kind == "layerwise":
        more = {"init": "layerwise", "linear_path": False}
    elif kind == "stream":
        more, rows = {"memory_limit": 2**15}, X
        X = lambda: iter(np.array_split(rows, 7))
    elif kind == "few":
        X = X[:100]
    elif kind == "one":
        X = X[: 1 + 3000 * rank]
    elif kind == "single":
        X, more = X[:1200], {"batch_size": 1, "max_iter": 1}
    elif kind == "wide":
        X = X[:, : 5 + rank]
    elif kind == "bad" and rank == 1:
        X[5, 5] = np.inf
    elif kind == "order":
        X = pd.DataFrame(X).add_prefix("x")
        X = X[X.columns[:: 1 - 2 * rank]]
    elif kind == "stops":
        more = {"callbacks": [Stops(rank)]}
    elif kind == "table":
        X = pd.DataFrame(X[:, :4]).add_prefix("x")
        X["level"] = np.where(X.x0 > 0, "high", ["low", "lower"][rank])
        X.loc[::7, "x1"] = np.nan
        make, more = skae.DenoisingAutoencoderTransformer, {"noise": "missing"}
        more |= {"early_stopping": False, "memory_limit": 2**15}
        table, X = X, lambda: iter([table[:500], table[500:]])
    model = make(3, **{**params, **more}).fit(X)
    return model.partial_fit(X) if kind == "plain" else model

for kind in sys.argv[2:]:
    try:
        model = fitted(kind).set_params(callbacks=None)
        model.save(f"{folder}/{kind}.{rank}")
    except (RuntimeError, ValueError) as error:
        sys.stdout.write(f"{kind} {rank} {error}\\n")
        sys.stdout.flush()
dist.destroy_process_group()
"""
KINDS = ["plain", "holes", "sparse", "variational", "contractive", "layerwise",
         "stream", "few", "one", "single", "stops", "table"]  # fmt: skip
FAILING = {
    "bad": "The fit failed in process 1 of 2: ValueError: Input X contains infinity",
    "wide": "Rows have as many columns in each process, but 5, 6 were found",
    "order": "Columns have the same names in each process, in the same order",
}


@pytest.fixture(scope="module")
def group(X, tmp_path_factory):
    """What two processes of a group fitted, and what they said."""
    folder = tmp_path_factory.mktemp("group")
    (folder / "script.py").write_text(GROUP)
    np.save(folder / "X.npy", X)
    torchrun = [sys.executable, "-m", "torch.distributed.run", "--standalone"]
    command = [*torchrun, "--nproc-per-node", "2", str(folder / "script.py")]
    done = subprocess.run(
        [*command, str(folder), *KINDS, *FAILING],
        env={**os.environ, "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        timeout=170,
    )
    assert done.returncode == 0, done.stderr
    return folder, done.stdout


@pytest.mark.parametrize("kind", KINDS)
def test_processes_of_a_group_train_together(group, X, test_rows, kind):
    folder, _ = group
    # All have the same model.
    models = [skae.load(folder / f"{kind}.{rank}") for rank in range(2)]
    rows = test_rows
    if kind == "table":
        rows = frame_of(test_rows[:, :4]).assign(level="lower")
    left, right = (model.transform(rows) for model in models)
    np.testing.assert_array_equal(left, right)
    assert models[0].loss_curve_ == models[1].loss_curve_
    if kind == "plain":
        alone = skae.AutoencoderTransformer(3, **PARAMS).fit(X).partial_fit(X)
        assert models[0].score(test_rows) > 1.15 * alone.score(test_rows)


@pytest.mark.parametrize("kind", FAILING)
def test_processes_of_a_group_fail_together(group, kind):
    _, said = group
    assert FAILING[kind] in said
    assert all(f"{kind} {rank} " in said for rank in range(2))
