"""Writes files of the current format, which later versions must load for ever.

``python tools/stored_files.py`` writes into tests/data what is not there yet: files
that are there stay, since they are what earlier versions wrote.
"""

import json
from pathlib import Path

import numpy as np

import skae
from skae._files.container import FORMAT
from skae._utils.checks import not_required
from skae._utils.stored import TABLE
from skae.detection import WindowedDetector
from skae.networks import MLP, Convolutional

FOLDER = Path(__file__).parents[1] / "tests" / "data"
# Methods that are called, with what they are given.
METHODS = {
    "transform": "X",
    "inverse_transform": "codes",
    "score_samples": "X",
    "predict": "X",
    "encode": "X",
    "decode": "data",
}


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
    fitted = {**transformers, "detector": detector}
    for estimator in fitted.values():
        estimator.fit(X)
    fitted["windows"] = WindowedDetector(detector, length=2).fit(X)
    codec = skae.Codec(transformers["plain"], X, error=2.0)
    halves = {"codec_encoder": codec.encoder, "codec_decoder": codec.decoder}
    return {**fitted, "codec": codec, **halves}


def main():
    FOLDER.mkdir(exist_ok=True)
    X = np.random.default_rng(0).normal(size=(40, 6)) @ np.diag([1, 2, 3, 1, 2, 3.0])
    fitted = examples(X)
    saves = {name: thing.save for name, thing in fitted.items()}
    plain, codec = fitted["plain"], fitted["codec"]
    saves |= {"encoder": plain.save_encoder, "decoder": plain.save_decoder}
    path = FOLDER / f"schema_{FORMAT}.json"
    if not path.exists():
        path.write_text(json.dumps(schema(), indent=1) + "\n")
    for name, save in saves.items():
        path = FOLDER / f"{name}_{FORMAT}.skae"
        if path.exists():
            continue
        save(path)
        whole = fitted.get(name, plain)
        codes = whole.transform(X) if hasattr(whole, "transform") else np.zeros((1, 1))
        data = np.frombuffer(codec.encode(X), np.uint8)
        _write_results(skae.load(path), path, X=X, codes=codes, data=data)
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
    found = {
        method: getattr(loaded, method)(given[argument])
        for method, argument in METHODS.items()
        if hasattr(loaded, method)
    }
    if "encode" in found:
        found["encode"] = np.frombuffer(found["encode"], np.uint8)
    np.savez(path.with_suffix(".npz"), **given, **found)


if __name__ == "__main__":
    main()
