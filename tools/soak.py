"""Many fits and single rows in one process, to see that nothing is left behind.

``python tools/soak.py`` prints resident memory, threads and open files after each tenth
of the fits and of the rows, and ends with 1 where they have grown. It reads /proc, so
that it needs Linux.
"""

import argparse
import gc
import os
import sys
import tempfile
import warnings
from itertools import count, cycle, islice
from pathlib import Path
from time import perf_counter

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
from skorch.callbacks import Callback

import skae
from skae._utils.threads import threads
from skae.detection import WindowedDetector

NAMES, TENTHS = list("abcdef"), 10
SHORT = {"hidden_layer_sizes": (16,), "max_iter": 2, "random_state": 0}
# Rows that take more than half of the limit are streamed.
STREAMED = {**SHORT, "memory_limit": 2**15}
# Bytes that resident memory may grow by once each case was run.
FREE_MEMORY = 2**25


class Interrupting(Callback):
    """Ctrl-C, in an epoch."""

    def __init__(self, epoch):
        self.epoch = epoch

    def on_batch_begin(self, net, training, **kwargs):
        if training and len(net.history) == self.epoch:
            raise KeyboardInterrupt


def rows():
    """Correlated rows (1500, 6)."""
    rng = np.random.default_rng(0)
    X = rng.normal(size=(1500, 3)) @ rng.normal(size=(3, len(NAMES)))
    return X + 0.1 * rng.normal(size=X.shape)


def cases(folder):
    """Functions without arguments, each of which fits an estimator, or tries to."""
    X, path, mapped = rows(), folder / "rows.parquet", folder / "rows.bin"
    holed, wrong = X.copy(), X.copy()
    holed[::5, 1], wrong[-1, 2] = np.nan, np.inf
    table = pd.DataFrame(X, columns=NAMES)
    mixed = table.assign(kind=np.array(["x", "y", "z"])[np.arange(len(X)) % 3])
    table.to_parquet(path, row_group_size=200)
    X.tofile(mapped)
    transformers = [name for name in skae.__all__ if name.endswith("Transformer")]
    plain = skae.AutoencoderTransformer(2, **SHORT)
    streamed = skae.AutoencoderTransformer(2, **STREAMED)
    layerwise = skae.AutoencoderTransformer(2, init="layerwise", **STREAMED)
    detector = skae.AutoencoderOutlierDetector(plain, random_state=0)
    fits = [(getattr(skae, name)(2, **SHORT), X) for name in transformers]
    fits += [(plain, holed), (plain, mixed), (skae.AutoencoderImputer(plain), holed)]
    fits += [(detector, X), (WindowedDetector(detector, length=2), X)]
    fits += [(streamed, lambda: np.array_split(holed, 5)), (streamed, path)]
    fits += [(layerwise, path)]
    found = [lambda fit=fit: fit[0].fit(fit[1]) for fit in fits]
    found += [
        lambda: streamed.fit(np.memmap(mapped, X.dtype, "r", shape=X.shape)),
        lambda: streamed.fit(pl.scan_parquet(path)),
        lambda: _written(streamed, path, folder / "codes.parquet"),
        lambda: _raises(ValueError, plain, wrong),
        lambda: _raises(ValueError, streamed, lambda: [X, wrong]),
        lambda: _raises(OSError, streamed, _failing(X, 3)),
        lambda: _raises(OSError, streamed, _failing(X, 4)),
    ]
    for data in (X, path):
        early = skae.AutoencoderTransformer(callbacks=[Interrupting(1)], **STREAMED)
        late = skae.AutoencoderTransformer(callbacks=[Interrupting(2)], **STREAMED)
        found.append(lambda fit=(early, data): _raises(KeyboardInterrupt, *fit))
        found.append(lambda fit=(late, data): fit[0].fit(fit[1]))
    return found


def _written(estimator, path, to):
    """Codes that are written, and others of which only the first block is read."""
    estimator.fit(path).transform(path).to_parquet(to)
    next(iter(estimator.transform(path)))


def _raises(kind, estimator, X):
    try:
        estimator.fit(X)
    except kind:
        return
    raise AssertionError(f"{kind.__name__} was expected of a fit.")


def _failing(X, n_passes):
    """A function that returns blocks, and fails within one of its passes."""
    passes = count(1)

    def blocks():
        fails = next(passes) == n_passes
        for i, part in enumerate(np.array_split(X, 5)):
            if fails and i == 2:
                raise OSError("The rows are gone.")
            yield part

    return blocks


def figures():
    """Resident bytes, threads and open files of this process."""
    gc.collect()
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    n_files = len(os.listdir("/proc/self/fd"))
    return pages * os.sysconf("SC_PAGE_SIZE"), _threads(), n_files


def _threads():
    """How many threads there are, without those that polars lets come and go."""
    n_threads = 0
    for path in Path("/proc/self/task").iterdir():
        try:
            n_threads += not (path / "comm").read_text().startswith("tokio")
        except (FileNotFoundError, ProcessLookupError):  # has just ended
            continue
    return n_threads


def soak(n_fits, n_rows, folder, tell):
    """Run each case once, and then so many fits and transforms of a row.

    Parameters
    ----------
    n_fits, n_rows : int
    folder : Path
        For files.
    tell : callable
        Gets what was done, how often, and the figures.

    Returns
    -------
    grown : list of str
        Which figures have grown since each case was run.
    """
    # Pools that grow as they are used would hide threads that stay.
    pa.set_io_thread_count(1)
    pa.set_cpu_count(1)
    X, model = rows(), skae.AutoencoderTransformer(2, **SHORT)
    runs = cases(folder)
    with warnings.catch_warnings(), threads(1):
        warnings.simplefilter("ignore")
        for run in [*runs, lambda: model.fit(X).transform(X[:1])]:
            run()
        began = figures()
        tell("cases", len(runs), *began)
        left = cycle(runs)
        for tenth in range(1, TENTHS + 1):
            for run in islice(left, n_fits // TENTHS):
                run()
            tell("fits", tenth * (n_fits // TENTHS), *figures())
        for tenth in range(1, TENTHS + 1):
            for i in range(n_rows // TENTHS):
                model.transform(X[i % len(X)][None])
            tell("rows", tenth * (n_rows // TENTHS), *figures())
    ended = figures()
    limits = began[0] + FREE_MEMORY, *began[1:]
    names = "memory", "threads", "open files"
    return [
        f"{name}: {before:,} to {after:,}"
        for name, before, after, limit in zip(names, began, ended, limits, strict=True)
        if after > limit
    ]


def main():
    parser = argparse.ArgumentParser("python tools/soak.py", description=__doc__)
    parser.add_argument("--fits", type=int, default=200)
    parser.add_argument("--rows", type=int, default=1_000_000)
    arguments = parser.parse_args()
    start = perf_counter()

    def tell(what, done, n_bytes, n_threads, n_files):
        cells = f"{n_bytes / 1e6:8.1f}  {n_threads:7}  {n_files:10}"
        print(f"{done:9,} {what:5}  {cells}  {perf_counter() - start:7.0f}", flush=True)

    print("     done              MB  threads  open files  seconds")
    with tempfile.TemporaryDirectory() as folder:
        grown = soak(arguments.fits, arguments.rows, Path(folder), tell)
    print("\n".join(f"grown: {what}" for what in grown) or "nothing has grown")
    return bool(grown)


if __name__ == "__main__":
    sys.exit(main())
