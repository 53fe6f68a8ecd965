"""Mutated files, to see that loading refuses them or gives what works.

``python tools/fuzz.py --count 1000000`` counts surprises: another exception than
InvalidFileError, something that doesn't work once it is loaded, memory beyond bounds.
"""

import argparse
import io
import json
import multiprocessing
import os
import random
import sys
import time
import tracemalloc
import warnings
from datetime import datetime

import numpy as np
import pandas as pd
import polars as pl
from sklearn.base import clone

import skae
from skae._files import container
from skae._utils.stored import TABLE
from skae.code_maps import TopK
from skae.corruptions import Missing
from skae.detection import WindowedDetector
from skae.exceptions import InvalidFileError
from skae.networks import MLP, Convolutional

VALUES = [
    *(None, True, False, 0, 1, -1, 2, 7, 2**31, 2**63, 10**30),
    *(0.0, -0.5, 1e-300, 1e300, "", "nan", "sigmoid", "__class__"),
    *("../../etc/passwd", "os.system"),
    [],
    [[]],
    [0] * 50,
    {},
    {"float": "nan"},
    {"float": "inf"},
    {"tuple": []},
    {"dict": {}},
    {"items": [[1, 2]]},
    {"strings": ["a"]},
    {"array": "nowhere"},
    {"given": "network"},
    {"class": "Scaling", "state": {}},
    {"class": "MLP", "parameters": {"hidden_layer_sizes": [10**9, 10**9]}},
    {"class": "builtins.eval"},
    {"class": "AutoencoderTransformer", "parameters": {}, "state": {}},
    {"class": "Columns", "state": {}},
    {"class": "Layout", "state": {}},
    {"class": "Successive", "parameters": {"corruptions": [None]}},
    {"class": "TableLoss", "parameters": {"numbers": "huber", "layout": None}},
    {"dict": {"name": "category", "categories": [], "of": "i8", "ordered": True}},
    {"dict": {"name": "datetime64[ns, ../../UTC]"}},
    {"class": "RandomState", "state": {"dict": {}}},
]
# Bytes that a load may take beyond a multiple of what it reads.
_FREE_MEMORY = 2**23
# Share of the files of which the memory is measured.
_MEASURED = 0.05


def rows():
    return np.random.default_rng(0).normal(size=(24, 4))


def holed():
    """The rows, with some of their cells missing."""
    X = rows()
    X[::5, 1] = X[0, 3] = np.nan
    return X


def table():
    """A table of numbers, categories and dates, with some cells missing."""
    X = holed()
    texts = pd.Categorical.from_codes(np.arange(24) % 4 - 1, ["a", "b", "c"])
    days = pd.date_range("2020-01-01", periods=24, freq="6h", tz="UTC")
    columns = {"a": X[:, 1], "b": texts, "c": days, "d": X[:, 2] > 0}
    return pd.DataFrame(columns)


def of_polars():
    """The same in another library."""
    days = [datetime(2020, 1, 1 + i) for i in range(24)]
    texts = pl.Series([None, "a", "b", "c"] * 6, dtype=pl.Enum(["a", "b", "c"]))
    return pl.DataFrame({"a": holed()[:, 1], "b": texts, "c": days, "d": [1, 2] * 12})


def files():
    """Bytes of valid files of several kinds, all of them small."""
    X, short = rows(), {"max_iter": 1, "hidden_layer_sizes": (3,), "random_state": 0}
    plain = skae.AutoencoderTransformer(2, **short).fit(X).partial_fit(X)
    sparse = skae.SparseAutoencoderTransformer(2, k=1, **short).fit(X)
    variational = skae.VariationalAutoencoderTransformer(2, **short).fit(X)
    image = Convolutional(image_shape=(2, 2), channels=2)
    convolutional = skae.AutoencoderTransformer(2, network=image, max_iter=1).fit(X)
    tied = skae.AutoencoderTransformer(
        2, network=MLP((3,), tied_weights=True), max_iter=1
    ).fit(X)
    inner = skae.AutoencoderTransformer(1, **short)
    detector = skae.AutoencoderOutlierDetector(inner, random_state=0).fit(X)
    watch = WindowedDetector(detector, length=1).fit(X)
    holes = skae.AutoencoderTransformer(2, code_map=TopK(1), **short).fit(holed())
    denoising = skae.DenoisingAutoencoderTransformer(
        2, loss="huber", corruption=Missing(0.5), **short
    )
    mixed, other = clone(denoising).fit(table()), clone(denoising).fit(of_polars())
    imputer = skae.AutoencoderImputer(denoising).fit(table())
    whole = [plain, sparse, variational, convolutional, tied, detector, watch]
    whole += [holes, mixed, other, imputer]
    saves = [fitted.save for fitted in whole]
    halved = plain, tied, holes, mixed
    saves += [f for e in halved for f in (e.save_encoder, e.save_decoder)]
    codec = skae.Codec(plain, X, error=0.9)
    saves += [codec.save, codec.encoder.save, codec.decoder.save]
    found = []
    for save in saves:
        save(file := io.BytesIO())
        found.append(file.getvalue())
    return found


def mutated(data, rng):
    """A file's bytes, changed in one of many ways; most of them with a valid seal."""
    kind = rng.choices(
        ["bytes", "sealed bytes", "header", "content", "arrays"], [4, 2, 1, 2, 1]
    )[0]
    if kind == "bytes":
        return _other_bytes(data, rng)
    if kind == "sealed bytes":
        changed = _other_bytes(data, rng)
        return container.sealed(changed) if changed[8:200] == data[8:200] else changed
    if kind == "header":
        return _other_header(data, rng)
    content, arrays, _ = container.loads(data)
    if kind == "content":
        for _ in range(rng.choice([1, 1, 1, 2, 5])):
            content = _other_content(content, rng)
    else:
        _change_array(arrays, rng)
    return container.dumps(content, arrays, {})


def surprise(data, X, measures=True):
    """What loading these bytes did that it should not, or None.

    Measuring the memory takes most of the time.
    """
    if measures:
        tracemalloc.start()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return _surprise(data, X)
    finally:
        if measures:
            tracemalloc.stop()


def _surprise(data, X):
    try:
        loaded = skae.load(io.BytesIO(data))
    except InvalidFileError:
        return _memory(data)
    except TypeError as error:
        return None if "objects of your own" in str(error) else repr(error)
    except Exception as error:
        return f"{type(error).__name__}: {error}"
    try:
        _used(loaded, X)
    except (ValueError, AttributeError) as error:
        # Parameters of a further training may be at odds with each other.
        expected = isinstance(error, ValueError)
        return _memory(data) if expected else f"used: {error!r}"
    except Exception as error:
        return f"used: {type(error).__name__}: {error}"
    return _memory(data)


def _used(loaded, X):
    if isinstance(loaded, skae.Codec):
        loaded.decode(loaded.encode(X))
        return
    codes = np.zeros((2, getattr(loaded, "n_components_", 1)))
    fitted = getattr(loaded, "autoencoder_", loaded)
    columns, with_holes = getattr(fitted, "_columns", None), holed()
    if columns is not None:
        X = with_holes = of_polars() if columns.library == "polars" else table()
    for method, given in (
        ("transform", (X,)),
        ("inverse_transform", (codes,)),
        ("reconstruct", (with_holes,)),
        ("score_samples", (X,)),
        ("predict", (X,)),
        ("impute", (with_holes, 1)),
    ):
        if hasattr(loaded, method):
            getattr(loaded, method)(*given)


def _memory(data):
    peak = tracemalloc.get_traced_memory()[1]  # 0 if it is not measured
    most = 20 * len(data) + _FREE_MEMORY
    return f"{peak} bytes of memory for a file of {len(data)}" if peak > most else None


def _other_bytes(data, rng):
    """Bytes with some flipped, left out, repeated or cut off."""
    changed = bytearray(data)
    # Most of a file is arrays; its beginning matters as much.
    end = rng.choice([16, 200, len(changed)])
    at = rng.randrange(min(end, len(changed)))
    way = rng.randrange(5)
    if way == 0:
        changed[at] ^= 1 << rng.randrange(8)
    elif way == 1:
        changed[at] = rng.randrange(256)
    elif way == 2:
        del changed[at : at + rng.randrange(1, 64)]
    elif way == 3:
        changed[at:at] = changed[at : at + rng.randrange(1, 64)]
    else:
        del changed[at:]
    return bytes(changed)


def _other_header(data, rng):
    """A header that names other arrays than there are, sealed."""
    length = int.from_bytes(data[:8], "little")
    header = json.loads(data[8 : 8 + length])
    name = rng.choice([name for name in header if name != "__metadata__"])
    entry = header[name]
    way = rng.randrange(5)
    if way == 0:
        entry["shape"] = rng.choice([[-1], [2**62, 4], [0], [], [1] * 70, [3, 1, 2]])
    elif way == 1:
        entry["data_offsets"] = rng.choice([[0, 2**60], [8, 0], [-8, 8], [4, 12], []])
    elif way == 2:
        entry["dtype"] = rng.choice(["F8_E4M3", "I64", "F64", "BOOL", "C64", "", "U8"])
    elif way == 3:
        header[rng.choice(["../x", "", "weights", "a" * 5000])] = header.pop(name)
    else:
        entry[rng.choice(["more", "shape", "dtype"])] = rng.choice(VALUES)
    text = json.dumps(header, separators=(",", ":")).encode()
    if rng.random() < 0.2:  # a name twice
        text = text[:-1] + b"," + json.dumps({name: entry}).encode()[1:]
    if rng.random() < 0.1:
        text = text[:-1] + b',"deep":' + b"[" * 5000 + b"]" * 5000 + b"}"
    changed = len(text).to_bytes(8, "little") + text + data[8 + length :]
    return container.sealed(changed)


def _other_content(content, rng):
    """A tree with a node replaced, left out, added or exchanged with another one."""
    content = json.loads(json.dumps(content))
    found = list(places(content))
    parent, key = rng.choice(found)
    way = rng.randrange(5)
    if key == "class":
        parent[key] = rng.choice(sorted(TABLE))
    elif way == 0:
        other, other_key = rng.choice(found)
        parent[key] = json.loads(json.dumps(other[other_key]))
    elif way == 1 and isinstance(parent, dict):
        parent[rng.choice(["extra", "class", "state", "model"])] = parent.pop(key)
    elif way == 2:
        del parent[key]
    elif way == 3 and isinstance(parent[key], int | float):
        product = rng.choice([-1, 0, 2, 1e9, 10**18]) * parent[key]
        parent[key] = product if abs(product) < 1e308 else 0.5
    else:
        parent[key] = rng.choice(VALUES)
    return content


def places(node):
    pairs = node.items() if isinstance(node, dict) else enumerate(node)
    for key, child in list(pairs):
        yield node, key
        if isinstance(child, dict | list):
            yield from places(child)


def _change_array(arrays, rng):
    name = rng.choice(list(arrays))
    array = arrays[name].copy()
    way = rng.randrange(5)
    if way == 0 and array.size:
        array.flat[rng.randrange(array.size)] = rng.choice([0, 1, 100, 127])
    elif way == 1 and array.dtype.kind == "f" and array.size:
        array.flat[rng.randrange(array.size)] = rng.choice([np.nan, np.inf, -1, 1e38])
    elif way == 2:
        array = array[..., None] if array.ndim < 30 else array
    elif way == 3:
        array = array.ravel()[: rng.randrange(array.size + 1)]
    else:
        array = array.astype(rng.choice(["f8", "f4", "i8", "u1", "?"]))
    arrays[name] = array


def _part(arguments):
    """Count of a part of the mutations, with the surprises among them."""
    seed, count = arguments
    rng, X, valid = random.Random(seed), rows(), files()
    found = []
    for _ in range(count):
        with np.errstate(all="ignore"):
            data = mutated(rng.choice(valid), rng)
        what = surprise(data, X, measures=rng.random() < _MEASURED)
        if what is not None:
            found.append((what, data))
    return found


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--count", type=int, default=1_000_000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--keep", help="folder for files that surprised")
    arguments = parser.parse_args()
    parts = max(1, arguments.count // 1000)
    tasks = [(arguments.seed + i, arguments.count // parts) for i in range(parts)]
    began, n_found = time.time(), 0
    with multiprocessing.get_context("spawn").Pool(os.cpu_count()) as pool:
        for i, part in enumerate(pool.imap_unordered(_part, tasks), 1):
            for what, data in part:
                print(what[:300], flush=True)
                n_found += 1
                if arguments.keep:
                    os.makedirs(arguments.keep, exist_ok=True)
                    path = os.path.join(arguments.keep, f"{n_found}.skae")
                    with open(path, "wb") as file:
                        file.write(data)
            if i % 50 == 0 or i == parts:
                print(f"{i * tasks[0][1]} files, {n_found} surprises", flush=True)
    count = sum(count for _, count in tasks)
    print(f"{count} mutated files, {n_found} surprises, {time.time() - began:.0f} s")
    return bool(n_found)


if __name__ == "__main__":
    sys.exit(main())
