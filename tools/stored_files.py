"""Writes files of the current format, which later versions must load for ever.

``python tools/stored_files.py`` writes into tests/data what is not there yet: files
that are there stay, since they are what earlier versions wrote.
"""

import json
from pathlib import Path

import numpy as np
import pandas as pd
from sklearn.base import clone

import skae
from skae._files.container import FORMAT
from skae._utils.checks import not_required
from skae._utils.stored import TABLE
from skae.corruptions import Missing
from skae.detection import WindowedDetector
from skae.networks import MLP, Convolutional

FOLDER = Path(__file__).parents[1] / "tests" / "data"
# Methods that are called, with what they are given.
METHODS = {
    "transform": "X",
    "inverse_transform": "codes",
    "reconstruct": "X",
    "score_samples": "X",
    "predict": "X",
    "encode": "X",
    "decode": "data",
}


def holed(X):
    """Rows, with some of their cells missing."""
    X = X.copy()
    X[::5, 1] = X[1::7, 4] = np.nan
    return X


def table(X):
    """A table made of rows: numbers, categories and dates, with some cells missing."""
    texts = np.where(X[:, 0] > 0, "high", "low").astype(object)
    texts[::9] = None
    days = np.datetime64("2020-01-01", "D") + np.round(X[:, 2]).astype(int)
    columns = {"a": holed(X)[:, 1], "b": texts, "c": days.astype("M8[s]")}
    return pd.DataFrame(columns | {"d": X[:, 3] > 0, "e": X[:, 5]})


def rows_for(loaded, X):
    """What an object is applied to, of rows: a table, if it was fitted to one."""
    return X if getattr(loaded, "_columns", None) is None else table(X)


def as_numbers(loaded, result):
    """What a method has returned, as an array of numbers."""
    if isinstance(result, bytes):
        return np.frombuffer(result, np.uint8)
    if isinstance(result, pd.DataFrame):
        return loaded._columns.cells(result)
    return result


def examples(X):
    """Fitted objects by name, one for each class and for parts that differ in files."""
    short = {"hidden_layer_sizes": (4,), "max_iter": 3, "random_state": 0}
    transformers = {
        "plain": skae.AutoencoderTransformer(2, **short),
        "denoising": skae.DenoisingAutoencoderTransformer(2, **short),
        "sparse": skae.SparseAutoencoderTransformer(3, k=2, **short),
        "contractive": skae.ContractiveAutoencoderTransformer(2, **short),
        "variational": skae.VariationalAutoencoderTransformer(2, **short),
        "tied": skae.AutoencoderTransformer(
            2, network=MLP((4,), tied_weights=True), max_iter=3
        ),
        "convolutional": skae.AutoencoderTransformer(
            2, network=Convolutional((2, 3), channels=2), max_iter=3
        ),
    }
    detector = skae.AutoencoderOutlierDetector(transformers["plain"], random_state=0)
    imputer = skae.AutoencoderImputer(skae.AutoencoderTransformer(2, **short))
    fitted = {**transformers, "detector": detector}
    for estimator in fitted.values():
        estimator.fit(X)
    holes = skae.AutoencoderTransformer(2, **short).fit(holed(X))
    mixed = skae.DenoisingAutoencoderTransformer(
        2, loss="huber", corruption=Missing(0.5), **short
    ).fit(table(X))
    fitted |= {"holes": holes, "table": mixed, "imputer": imputer.fit(holed(X))}
    for name in ("variational", "detector"):
        fitted[f"table_{name}"] = clone(fitted[name]).fit(table(X))
    fitted["windows"] = WindowedDetector(detector, length=2).fit(X)
    codec = skae.Codec(transformers["plain"], X, error=2.0)
    halves = {"codec_encoder": codec.encoder, "codec_decoder": codec.decoder}
    return {**fitted, "codec": codec, **halves}


def main():
    FOLDER.mkdir(exist_ok=True)
    X = np.random.default_rng(0).normal(size=(40, 6)) @ np.diag([1, 2, 3, 1, 2, 3.0])
    fitted = examples(X)
    saves = {name: thing.save for name, thing in fitted.items()}
    plain, codec, mixed = (fitted[name] for name in ("plain", "codec", "table"))
    saves |= {"encoder": plain.save_encoder, "decoder": plain.save_decoder}
    saves |= {"table_encoder": mixed.save_encoder, "table_decoder": mixed.save_decoder}
    path = FOLDER / f"schema_{FORMAT}.json"
    if not path.exists():
        path.write_text(json.dumps(schema(), indent=1) + "\n")
    for name, save in saves.items():
        path = FOLDER / f"{name}_{FORMAT}.skae"
        if path.exists():
            continue
        save(path)
        whole = fitted.get(name, mixed if name.startswith("table") else plain)
        codes = np.zeros((1, 1))
        if hasattr(whole, "transform"):
            codes = whole.transform(rows_for(whole, X))
        data = np.frombuffer(codec.encode(X), np.uint8)
        has_holes = name in ("holes", "imputer")
        rows = holed(X) if has_holes else X
        _write_results(skae.load(path), path, X=rows, codes=codes, data=data)
        print(f"wrote {path}")


def schema():
    """Names that files of the current format have: a later version must know them."""
    return {
        name: {
            "parameters": list(entry.parameters),
            "state": {
                field.lstrip("_"): not isinstance(check, not_required)
                for field, check in entry.fields.items()
            },
        }
        for name, entry in sorted(TABLE.items())
    }


def _write_results(loaded, path, **given):
    """What the methods of a loaded file return, beside what they are given."""
    inputs = given | {"X": rows_for(loaded, given["X"])}
    found = {
        method: as_numbers(loaded, getattr(loaded, method)(inputs[argument]))
        for method, argument in METHODS.items()
        if hasattr(loaded, method)
    }
    np.savez(path.with_suffix(".npz"), **given, **found)


if __name__ == "__main__":
    main()
