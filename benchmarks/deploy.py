"""What does a fitted model cost where it is used, with PyTorch and without?"""

import pickle
import subprocess
import sys
import tempfile
from functools import partial
from pathlib import Path
from statistics import median
from time import perf_counter

import numpy as np

import skae
from benchmarks import data
from benchmarks.report import Report
from benchmarks.timing import interleaved, median_ratio
from skae import AutoencoderTransformer

REPEATS = 7
ROWS = 100_000
TORCH, NUMPY, ONNX = "skae, PyTorch", "skae.inference, numpy", "onnxruntime"
# What a process does before the first row is encoded.
STARTS = {
    "numpy alone": "import numpy",
    NUMPY: "import skae.inference; skae.inference.load({path!r})",
    ONNX: "import onnxruntime; onnxruntime.InferenceSession({onnx!r})",
    TORCH: "import skae; skae.load({path!r})",
}


def run(directory, quick):
    """The report on production."""
    report = Report("What does a fitted model cost in production?")
    report.notes.append(
        "The encoder 64-256-128-16 of digits, with linear maps beside it. Medians of "
        "repeats, measured in turn, in one thread."
    )
    X = np.ascontiguousarray(data.images(None)[0].X, np.float32)
    fitted = AutoencoderTransformer(16, max_iter=3, random_state=0).fit(X)
    n_rows, repeats = (2000, 2) if quick else (ROWS, REPEATS)
    with tempfile.TemporaryDirectory() as folder:
        paths = _saved(fitted, Path(folder))
        _add_files(report, fitted, paths, repeats)
        _add_start(report, paths, repeats)
        encoders = _encoders(fitted, paths)
        _add_agreement(report, encoders, X)
        _add_one_row(report, encoders, X[:1], repeats)
        many = X[np.random.default_rng(0).integers(len(X), size=n_rows)]
        _add_many_rows(report, encoders, many, repeats)
    return report


def _saved(fitted, folder):
    """Paths of all forms of a model."""
    paths = {
        name: folder / f"{name}.{suffix}"
        for name, suffix in (
            ("pickle", "pkl"),
            ("save", "skae"),
            ("save_encoder", "skae"),
            ("save_decoder", "skae"),
            ("to_onnx", "onnx"),
        )
    }
    paths["pickle"].write_bytes(pickle.dumps(fitted))
    for method in ("save", "save_encoder", "save_decoder"):
        getattr(fitted, method)(paths[method])
    skae.to_onnx(fitted, paths["to_onnx"], part="encoder")
    return paths


def _session(path):
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    return onnxruntime.InferenceSession(path, options)


def _encoders(fitted, paths):
    """What encodes rows, by name."""
    session = _session(paths["to_onnx"])
    name = session.get_inputs()[0].name
    return {
        TORCH: fitted.transform,
        NUMPY: skae.inference.load(paths["save_encoder"]).transform,
        ONNX: lambda X: session.run(None, {name: X})[0],
    }


def _add_files(report, fitted, paths, repeats):
    loaders = {
        "pickle": lambda: pickle.loads(paths["pickle"].read_bytes()),
        "save": partial(skae.load, paths["save"]),
        "save_encoder": partial(skae.load, paths["save_encoder"]),
        "save_decoder": partial(skae.load, paths["save_decoder"]),
        "to_onnx": partial(_session, paths["to_onnx"]),
    }
    times = interleaved(loaders, repeats)
    cells = sum(value.nbytes for value in fitted._model.weights.values())
    rows = [
        [name, paths[name].stat().st_size / 1000, 1000 * median(times[name])]
        for name in loaders
    ]
    report.table(
        "Files",
        ["written by", "kB", "milliseconds to load"],
        rows,
        f"The weights of both halves alone take {cells / 1000:.0f} kB. The file of "
        "to_onnx is the encoder.",
    )


def _add_start(report, paths, repeats):
    code = {
        name: text.format(path=str(paths["save_encoder"]), onnx=str(paths["to_onnx"]))
        for name, text in STARTS.items()
    }
    times = {name: [] for name in code}
    for i in range(repeats + 1):
        for name, text in code.items():
            start = perf_counter()
            subprocess.run([sys.executable, "-c", text], check=True)
            if i:  # the first one fills the caches
                times[name].append(perf_counter() - start)
    rows = [[name, median(values)] for name, values in times.items()]
    report.bar("a new process with skae.inference, seconds", median(times[NUMPY]), 0.3)
    report.table(
        "From the start of a process to a loaded encoder", ["", "seconds"], rows
    )


def _add_agreement(report, encoders, X):
    expected = encoders[TORCH](X)
    size = np.abs(expected).max()
    differences = {
        name: float(np.abs(encode(X) - expected).max() / size)
        for name, encode in encoders.items()
        if name != TORCH
    }
    for name, difference in differences.items():
        report.bar(
            f"{name}: largest difference over the largest code", difference, 1e-5
        )


def _add_one_row(report, encoders, row, repeats):
    functions = {name: partial(encode, row) for name, encode in encoders.items()}
    times = interleaved(functions, 3 * repeats, calls=200)
    rows = [[name, 1e6 * median(values)] for name, values in times.items()]
    report.bar(
        "one row by skae.inference, microseconds", 1e6 * median(times[NUMPY]), 60
    )
    report.table("One row", ["", "microseconds"], rows)


def _add_many_rows(report, encoders, X, repeats):
    functions = {name: partial(encode, X) for name, encode in encoders.items()}
    times = interleaved(functions, repeats)
    rows = [
        [name, median(values), median_ratio(times, name, TORCH)]
        for name, values in times.items()
    ]
    report.bar(
        f"{len(X):,} rows by skae.inference over PyTorch",
        median_ratio(times, NUMPY, TORCH),
        1.0,
    )
    report.table(f"{len(X):,} rows", ["", "seconds", "over PyTorch"], rows)
