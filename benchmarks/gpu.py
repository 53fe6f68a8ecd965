"""What does training on a GPU cost, beside by hand, stock skorch and the card?"""

from statistics import median
from time import perf_counter

import numpy as np
import torch
from skorch.callbacks import Callback

from benchmarks import data, loops
from benchmarks.report import Report
from benchmarks.timing import seconds
from skae import AutoencoderTransformer

ROWS, COLUMNS, EPOCHS = 1_000_000, 128, 12
SKORCH_EPOCHS = 2
BATCH_SIZE = 4096
DEVICE = "cuda"


class EpochTimes(Callback):
    """Seconds of each epoch, once the device has finished it; the first warms up."""

    def __init__(self):
        self.ends = []

    def on_epoch_end(self, net=None, **kwargs):
        torch.cuda.synchronize()
        self.ends.append(perf_counter())

    @property
    def median(self):
        return float(median(np.diff(self.ends)))


def run(directory, quick):
    """The report on GPUs; the rows are made up."""
    report = Report("What does training on a GPU cost?")
    if not torch.cuda.is_available():
        report.notes.append("Not measured: no CUDA device here.")
        return report
    n_rows = ROWS // 20 if quick else ROWS
    rng = np.random.default_rng(0)
    X = np.tanh(rng.standard_normal((n_rows, 40), np.float32))
    X = X @ rng.standard_normal((40, COLUMNS), np.float32)
    _add_epochs(report, X)
    _add_contracts(report, X[:20_000])
    return report


def _estimator(**parameters):
    return AutoencoderTransformer(
        data.code_size(COLUMNS), random_state=0, early_stopping=False, **parameters
    )


def _add_epochs(report, X):
    times = {"skae": _skae_epoch(X)}
    start = _estimator(max_iter=1, device=DEVICE).fit(X[:10_000])
    module = loops.network_of(start)
    times["bare loop"] = _bare_epoch(module, X)
    loops.stock_skorch(module, X[:10_000], BATCH_SIZE, 1, DEVICE)  # warms up
    of_skorch, _ = seconds(
        loops.stock_skorch, module, X, BATCH_SIZE, SKORCH_EPOCHS, DEVICE
    )
    times["stock skorch"] = of_skorch / SKORCH_EPOCHS
    flops, traffic = _work(module, len(X))
    most_flops, most_traffic = _card_flops(), _card_traffic()
    rows = [
        [name, 1 / time, flops / time / most_flops, traffic / time / most_traffic]
        for name, time in times.items()
    ]
    report.table(
        f"Epochs on {len(X):,} x {COLUMNS}, batch {BATCH_SIZE}",
        ["", "epochs per second", "of the card's FLOP/s", "of its bandwidth"],
        rows,
        f"The card: {most_flops / 1e12:.0f} TFLOP/s in a float32 product of matrices, "
        f"{most_traffic / 1e9:.0f} GB/s in a copy. An epoch's work is counted from the "
        "matrix products alone, each with all its inputs and outputs read or written "
        "once in float32.",
    )
    report.bar("epoch over a bare loop", times["skae"] / times["bare loop"], 1.1)
    gain = times["stock skorch"] / times["skae"]
    report.bar("stock skorch's epoch over skae's", gain, 4.0, at_most=False)


def _skae_epoch(X):
    epochs = EpochTimes()
    parameters = {"max_iter": EPOCHS, "batch_size": BATCH_SIZE, "callbacks": [epochs]}
    _estimator(device=DEVICE, **parameters).fit(X)
    return epochs.median


def _bare_epoch(module, X):
    epochs = EpochTimes()
    loops.bare_loop(module, X, BATCH_SIZE, EPOCHS, DEVICE, epochs.on_epoch_end)
    return epochs.median


def _work(module, n_rows):
    """FLOPs and bytes of an epoch's three products for each linear layer."""
    layers = loops.linear_layers(module)
    flops = 6 * n_rows * sum(layer.weight.numel() for layer in layers)
    ends = sum(layer.in_features + layer.out_features for layer in layers)
    return flops, 3 * 4 * n_rows * ends


def _card_flops(size=8192, repeats=10):
    matrix = torch.randn(size, size, device=DEVICE)
    took = _device_seconds(lambda: matrix @ matrix, repeats)
    return repeats * 2 * size**3 / took


def _card_traffic(n_bytes=2**30, repeats=10):
    source = torch.empty(n_bytes, dtype=torch.uint8, device=DEVICE)
    target = torch.empty_like(source)
    return (
        repeats * 2 * n_bytes / _device_seconds(lambda: target.copy_(source), repeats)
    )


def _device_seconds(function, repeats):
    function()
    torch.cuda.synchronize()
    start = perf_counter()
    for _ in range(repeats):
        function()
    torch.cuda.synchronize()
    return perf_counter() - start


def _add_contracts(report, X):
    """What holds on the CPU holds here, but for bits."""
    on_gpu, again = (_estimator(max_iter=5, device=DEVICE).fit(X) for _ in range(2))
    on_cpu = _estimator(max_iter=5, device="cpu").fit(X)
    codes = on_gpu.transform(X)
    scale = float(np.abs(codes).max())
    of_seed = float(np.abs(codes - again.transform(X)).max()) / scale
    of_chunk = float(np.abs(codes[:7] - on_gpu.transform(X[:7])).max()) / scale
    report.bar("codes of two fits with one seed, relative difference", of_seed, 1e-5)
    report.bar("codes of 7 rows alone, relative difference", of_chunk, 1e-5)
    report.bar("error over that of the CPU", on_gpu.score(X) / on_cpu.score(X), 1.05)
