"""What would a training on many machines take? A model, of what is measured here."""

import json
import os
import subprocess
import sys
from math import log2
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from time import perf_counter

import numpy as np

from benchmarks.report import Report

COLUMNS, HIDDEN, LATENT, BATCH = 256, (1024, 512), 64, 512
LARGER = 4  # times the batch
STEPS, QUICK_STEPS = 40, 4
WORKERS = (2, 8, 64, 512)
# Seconds that a message takes beside its bytes, by Gbit/s.
LATENCIES = {10: 50e-6, 100: 10e-6}
# Times the speed of a thread of this machine.
SPEEDS = {"a thread": 1, "100 threads": 100}
LOCAL_STEPS = 8
MEASURED, ASSUMED, COMPUTED = "measured", "assumed", "computed"


def run(directory, quick):
    """The report on many machines; nothing was measured on them."""
    report = Report("What would a training on many machines take?")
    n_steps = QUICK_STEPS if quick else STEPS
    step, n_bytes = _step(BATCH, n_steps)
    larger, _ = _step(LARGER * BATCH, n_steps)
    reduced, small = _reduction(n_bytes, n_steps), _reduction(4, n_steps)
    cast = _cast_seconds(n_bytes, n_steps)
    rate = n_bytes / max(reduced - small, 1e-9)
    report.notes += [
        "A model, not a measurement: workers hold copies of the network, each computes "
        f"the gradients of {BATCH} rows of its own, and a ring all-reduce averages "
        "them. The step of one thread and the all-reduce of two processes are measured "
        "here; all else is computed from them and from what is assumed.",
        "A step is compute + 2 (p - 1) / p x bytes / bandwidth + 2 (p - 1) x latency, "
        "for p workers. Assumed: nothing is sent while gradients are computed, no "
        "worker waits for a slower one, rows are read as fast as they are needed.",
    ]
    report.table(
        "What the model rests on",
        ["quantity", "value", "unit", "is"],
        [
            ["gradients", n_bytes / 1e6, "MB, 4 a parameter", COMPUTED],
            [f"step of a thread, {BATCH} rows", 1e3 * step, "ms", MEASURED],
            [f"step of a thread, {LARGER * BATCH} rows", 1e3 * larger, "ms", MEASURED],
            ["all-reduce of the gradients, 2 processes", 1e3 * reduced, "ms", MEASURED],
            ["all-reduce of 4 bytes, 2 processes", 1e3 * small, "ms", MEASURED],
            ["bandwidth of gloo on this machine", 8e-9 * rate, "Gbit/s", COMPUTED],
            ["gradients to 16 bits and back", 1e3 * cast, "ms", MEASURED],
            *(
                [f"latency at {gbits} Gbit/s", 1e3 * latency, "ms", ASSUMED]
                for gbits, latency in LATENCIES.items()
            ),
            ["rows a thread reads", 4e-6 * COLUMNS * BATCH / step, "MB/s", COMPUTED],
        ],
        f"Network: {COLUMNS} columns, hidden layers {HIDDEN}, {LATENT} components. "
        "Steps are the library's own, from batch to batch; all are medians. Where gloo "
        "reaches less than a network has, its bandwidth counts.",
    )
    for name, speed in SPEEDS.items():
        rows = [
            [gbits, p, *_described(Plan(p, gbits, step / speed, n_bytes))]
            for gbits in LATENCIES
            for p in WORKERS
        ]
        report.table(
            f"Workers as fast as {name}: {BATCH} rows each in a step",
            ["Gbit/s", "workers", "step, ms", "compute, ms", "bytes, ms", "latency, ms",
             "rows a second", "efficiency", "most goes to"],
            rows,
            _basis(name, speed),
        )  # fmt: skip
    rows = []
    for gbits in LATENCIES:
        for p in WORKERS[-2:]:
            for name, plan in _cures(p, gbits, step, larger, n_bytes, cast).items():
                found = _described(plan)
                rows.append([gbits, p, name, found[0], *found[4:]])
    report.table(
        "Workers as fast as 100 threads: what more would bring",
        ["Gbit/s", "workers", "", "step, ms", "rows a second", "efficiency",
         "most goes to"],
        rows,
        f"Step of {LARGER} x {BATCH} rows: measured, divided by 100, assumed. Local "
        f"steps: weights are averaged, once in {LOCAL_STEPS} steps. 16 bits: half the "
        "bytes, and the cast, which is measured and divided by 100, assumed. Halving: "
        "an all-reduce by recursive halving and doubling: as many bytes as a ring's, "
        "2 log2 p messages. Rows a second are not error: what larger batches, local "
        "steps and 16 bits cost in steps until an error is reached is not in the "
        "model.",
    )  # fmt: skip
    return report


class Plan:
    """The model: one training on many workers.

    Parameters
    ----------
    n_workers : int
    gbits : int
        Bandwidth between neighbours of the ring.
    compute : float
        Seconds of a step without others.
    n_bytes : float
        Sent for each average.
    rows : int, default=BATCH
        Of a step, for each worker.
    local : int, default=1
        Steps for each average.
    is_ring : bool, default=True
        Whether each worker sends to its neighbour alone; if not, the distance between
        those that exchange halves is doubled from message to message.
    """

    def __init__(
        self, n_workers, gbits, compute, n_bytes, rows=BATCH, local=1, is_ring=True
    ):
        messages = 2 * (n_workers - 1 if is_ring else log2(n_workers))
        sent = 2 * (n_workers - 1) / n_workers * n_bytes
        self.compute = compute
        self.sending = sent * 8e-9 / gbits / local
        self.waiting = messages * LATENCIES[gbits] / local
        self.seconds = self.compute + self.sending + self.waiting
        self.rows_per_second = n_workers * rows / self.seconds
        self.efficiency = self.compute / self.seconds


def _described(plan):
    parts = {"compute": plan.compute, "bytes": plan.sending, "latency": plan.waiting}
    times = [1e3 * plan.seconds, *(1e3 * part for part in parts.values())]
    most = max(parts, key=parts.get)
    return [*times, plan.rows_per_second, plan.efficiency, most]


def _cures(p, gbits, step, larger, n_bytes, cast):
    speed = SPEEDS["100 threads"]
    step, larger, half = step / speed, larger / speed, (step + cast) / speed
    rows, local = LARGER * BATCH, LOCAL_STEPS
    most = larger + cast / speed / local
    return {
        "as above": Plan(p, gbits, step, n_bytes),
        f"{rows:,} rows": Plan(p, gbits, larger, n_bytes, rows),
        f"{local} local steps": Plan(p, gbits, step, n_bytes, local=local),
        "16 bits": Plan(p, gbits, half, n_bytes / 2),
        "halving": Plan(p, gbits, step, n_bytes, is_ring=False),
        "all four": Plan(p, gbits, most, n_bytes / 2, rows, local, is_ring=False),
    }


def _basis(name, speed):
    compute = "Compute: measured"
    if speed > 1:
        compute += f", divided by {speed}, assumed"
    return f"{compute}. Bytes and latency: computed from what is assumed."


def _step(batch, n_steps):
    """Seconds of the library's own step, and bytes of its gradients."""
    import torch
    from skorch.callbacks import Callback

    from skae import AutoencoderTransformer

    class Clock(Callback):
        def on_train_begin(self, net, **kwargs):
            self.times = []

        def on_batch_begin(self, net, training, **kwargs):
            self.times.append(perf_counter())

    torch.set_num_threads(1)
    rows = np.random.default_rng(0).normal(size=(10 * batch, COLUMNS))
    clock = Clock()
    params = {"hidden_layer_sizes": HIDDEN, "batch_size": batch, "callbacks": [clock]}
    params |= {"max_iter": -(-n_steps // 9), "learning_rate": 1e-4}
    fitted = AutoencoderTransformer(LATENT, random_state=0, **params).fit(rows)
    steps = np.diff(clock.times)
    n_parameters = sum(p.numel() for p in fitted.net_.module_.parameters())
    return float(np.median(steps)), 4 * n_parameters


def _cast_seconds(n_bytes, n_steps):
    """Seconds from 32 to 16 bits and back."""
    import torch

    gradients, times = torch.ones(n_bytes // 4), []
    for _ in range(n_steps):
        start = perf_counter()
        gradients.half().float()
        times.append(perf_counter() - start)
    return median(times)


def _reduction(n_bytes, n_steps):
    """Seconds of an all-reduce of gloo between two processes of this machine."""
    with TemporaryDirectory() as folder:
        arguments = [str(Path(folder) / "met"), str(n_bytes), str(n_steps)]
        command = [sys.executable, "-m", "benchmarks.plan"]
        ranks = [
            subprocess.Popen([*command, str(r), *arguments], stdout=subprocess.PIPE)
            for r in range(2)
        ]
        found = [rank.communicate()[0] for rank in ranks]
    if any(rank.returncode for rank in ranks):
        raise RuntimeError("A process of the all-reduce has failed: see above.")
    return json.loads(found[0])


def _reduce(rank, path, n_bytes, n_steps):
    """Be one of two processes that add up tensors; print the seconds it takes."""
    import torch
    from torch import distributed

    os.environ.setdefault("GLOO_SOCKET_IFNAME", "lo")
    torch.set_num_threads(1)
    distributed.init_process_group(
        "gloo", init_method=f"file://{path}", rank=int(rank), world_size=2
    )
    gradients, times = torch.ones(int(n_bytes) // 4), []
    for _ in range(int(n_steps) + 1):
        distributed.barrier()
        start = perf_counter()
        distributed.all_reduce(gradients)
        times.append(perf_counter() - start)
    distributed.destroy_process_group()
    print(json.dumps(median(times[1:])))


if __name__ == "__main__":
    _reduce(*sys.argv[1:])
