"""Writes files of the current format, which later versions must load for ever.

``python tools/stored_files.py`` writes into tests/data what is not there yet: files
that are there stay, since they are what earlier versions wrote.
"""

from pathlib import Path

import numpy as np

import skae
from skae.detection import WindowedDetector
from skae.networks import MLP, Convolutional

FOLDER = Path(__file__).parents[1] / "tests" / "data"
METHODS = ("transform", "inverse_transform", "score_samples", "predict")


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
    return fitted


def main():
    FOLDER.mkdir(exist_ok=True)
    X = np.random.default_rng(0).normal(size=(40, 6)) @ np.diag([1, 2, 3, 1, 2, 3.0])
    for name, fitted in examples(X).items():
        saves = {name: fitted.save}
        if name == "plain":
            saves |= {"encoder": fitted.save_encoder, "decoder": fitted.save_decoder}
        for file_name, save in saves.items():
            path = FOLDER / f"{file_name}_1.skae"
            if path.exists():
                continue
            save(path)
            _write_results(skae.load(path), fitted, X, path.with_suffix(".npz"))
            print(f"wrote {path}")


def _write_results(loaded, fitted, X, path):
    codes = fitted.transform(X) if hasattr(fitted, "transform") else np.zeros((1, 1))
    found = {"X": X, "codes": codes}
    for method in METHODS:
        if hasattr(loaded, method):
            given = codes if method == "inverse_transform" else X
            found[method] = getattr(loaded, method)(given)
    np.savez(path, **found)


if __name__ == "__main__":
    main()
