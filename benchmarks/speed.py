"""What do fit, transform and import cost, beside the same work done by hand?"""

import subprocess
import sys
from functools import partial
from statistics import median

import numpy as np
import torch
from sklearn.decomposition import PCA

from benchmarks import data, loops, threads
from benchmarks.report import Report
from benchmarks.timing import interleaved, median_ratio
from skae import AutoencoderTransformer

REPEATS = 5
ROWS, COLUMNS = 100_000, 30
# Batch size and epochs of each set: the default, or as many as take seconds.
CASES = {"tall": (1024, 5), "MNIST": (256, 30), "digits": (128, 30)}
SKORCH_EPOCHS = 2
NETWORKS = {
    "default network": {},
    "one hidden layer of 32": {"hidden_layer_sizes": (32,)},
}
BARE, STOCK, PERCEPTRON = "bare loop", "stock skorch", "MLPRegressor"


def run(directory, quick):
    """The report on speed."""
    report = Report("What do fit, transform and import cost?")
    report.notes.append("Medians of repeats, measured in turn, and their ratios.")
    n_rows, repeats = (5000, 2) if quick else (ROWS, REPEATS)
    sets = {"tall": _tall(n_rows)}
    for dataset in data.images(directory):
        sets[dataset.name] = np.ascontiguousarray(dataset.X, np.float32)
    _add_fit(report, sets, repeats)
    _add_stock_skorch(report, sets["tall"], repeats)
    _add_transform(report, sets, n_rows, repeats)
    _add_one_row(report, sets["digits"], repeats)
    _add_import(report, repeats)
    if not quick:  # or it would take minutes
        threads.add(report, repeats)
    return report


def _tall(n_rows):
    """Rows with structure for half of their columns, and noise."""
    rng = np.random.default_rng(0)
    hidden = np.tanh(rng.standard_normal((n_rows, COLUMNS // 2), np.float32))
    mixing = rng.standard_normal((COLUMNS // 2, COLUMNS), np.float32)
    return hidden @ mixing + 0.1 * rng.standard_normal((n_rows, COLUMNS), np.float32)


def _estimator(X, batch_size, epochs, **parameters):
    return AutoencoderTransformer(
        data.code_size(X.shape[1]),
        batch_size=batch_size,
        max_iter=epochs,
        early_stopping=False,
        random_state=0,
        **parameters,
    )


def _contenders(X, batch_size, epochs, names, **parameters):
    """skae's fit and the named ones over the same network, ready to be called."""
    estimator = _estimator(X, batch_size, epochs, **parameters)
    start = _estimator(X, batch_size, 1, **parameters).fit(X)
    module = loops.network_of(start)
    functions = {
        BARE: loops.bare_loop,
        STOCK: loops.stock_skorch,
        PERCEPTRON: loops.perceptron,
    }
    contenders = {
        name: partial(functions[name], module, X, batch_size, epochs) for name in names
    }
    return {"skae": partial(estimator.fit, X), **contenders}


def _add_fit(report, sets, repeats):
    rows = []
    for name, X in sets.items():
        batch_size, epochs = CASES[name]
        contenders = _contenders(X, batch_size, epochs, (BARE, PERCEPTRON))
        times = interleaved(contenders, repeats)
        ratios = [median_ratio(times, "skae", other) for other in (BARE, PERCEPTRON)]
        case = f"{_size(X)}, batch {batch_size}, {epochs} epochs"
        rows.append([case, *map(median, times.values()), *ratios])
        report.bar(f"fit over a bare loop, {case}", ratios[0], 1.1)
        report.bar(f"fit over MLPRegressor, {case}", ratios[1], 1.0)
    report.table(
        "Seconds to fit",
        ["rows", "skae", BARE, PERCEPTRON, "skae over loop", "over MLPRegressor"],
        rows,
        "The bare loop trains the same network with fused AdamW on slices of a tensor. "
        "skae has early stopping off; PCA, scaling, learning rates and the clipping of "
        "gradients count. MLPRegressor has the same widths, without the linear maps.",
    )


def _add_stock_skorch(report, X, repeats):
    batch_size, _ = CASES["tall"]
    rows = []
    for network, parameters in NETWORKS.items():
        contenders = _contenders(X, batch_size, SKORCH_EPOCHS, (STOCK,), **parameters)
        times = interleaved(contenders, min(repeats, 3))
        gain = median_ratio(times, STOCK, "skae")
        rows.append([network, *map(median, times.values()), gain])
        report.bar(
            f"stock skorch's fit over skae's, {_size(X)}, batch {batch_size}, "
            f"{SKORCH_EPOCHS} epochs, {network}",
            gain,
            4.0,
            at_most=False,
        )
    report.table(
        "Seconds to fit, beside stock skorch",
        ["network", "skae", STOCK, "skorch over skae"],
        rows,
        "What skorch spends on reading rows one by one doesn't depend on the network; "
        "the default one is so large that its own products take most of the time.",
    )


def _add_transform(report, sets, n_rows, repeats):
    rows = []
    for few in sets.values():
        X = np.resize(few, (n_rows, few.shape[1]))
        fitted = _estimator(few, 256, 1).fit(few)
        encode, tensor = _bare_encoder(fitted), torch.from_numpy(X)
        contenders = {
            "skae": partial(fitted.transform, X),
            "bare": partial(encode, tensor),
        }
        times = interleaved(contenders, repeats)
        ratio = median_ratio(times, "skae", "bare")
        rows.append([_size(X), *map(median, times.values()), ratio])
        report.bar(f"transform over a bare forward pass, {_size(X)}", ratio, 1.2)
    report.table(
        "Seconds to transform",
        ["rows", "skae", "bare forward pass", "ratio"],
        rows,
        "The bare pass is all rows at once through the trained encoder, in float32 and "
        "inference mode, without scaling.",
    )


def _add_one_row(report, X, repeats):
    row = X[:1]
    fitted = _estimator(X, 128, 1).fit(X)
    contenders = {
        "skae": partial(fitted.transform, row),
        "bare forward pass": partial(_bare_encoder(fitted), torch.from_numpy(row)),
        "PCA": partial(PCA(fitted.n_components).fit(X).transform, row),
    }
    times = interleaved(contenders, repeats, calls=500)
    microseconds = {name: 1e6 * median(of_one) for name, of_one in times.items()}
    report.table(
        "Microseconds to transform one row of digits",
        list(contenders),
        [list(microseconds.values())],
    )
    report.bar("microseconds for one row of digits", microseconds["skae"], 300)


def _add_import(report, repeats):
    """Fresh processes; a limit of 1 would be a coin toss."""
    names = {"skae": "skae", "what it needs": "torch, skorch, sklearn"}
    contenders = {
        name: partial(
            subprocess.run, [sys.executable, "-c", f"import {modules}"], check=True
        )
        for name, modules in names.items()
    }
    times = interleaved(contenders, repeats)
    ratio = median_ratio(times, *contenders)
    report.table(
        "Seconds of a process that imports",
        [*names.values(), "ratio"],
        [[*map(median, times.values()), ratio]],
    )
    report.bar("import skae over its parts (1, and 5 % for noise)", ratio, 1.05)


def _bare_encoder(fitted):
    module = loops.network_of(fitted).eval()
    return torch.inference_mode()(module.encode)


def _size(X):
    return f"{len(X):,} x {X.shape[1]}"
