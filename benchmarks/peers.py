"""What is compared, behind one small interface: fit(X, k, seed), encode, reconstruct.

Importing a method's library belongs to making the object, not to fitting it.
"""

import io
import sys
import warnings
from contextlib import redirect_stderr
from dataclasses import dataclass
from functools import partial
from importlib.util import find_spec
from unittest.mock import MagicMock

import numpy as np
from sklearn.decomposition import PCA
from sklearn.exceptions import ConvergenceWarning
from sklearn.neural_network import MLPRegressor

from benchmarks.timing import seconds

HIDDEN = (256, 128)  # of the peers whose own default is no autoencoder


class Transformer:
    """Any transformer of scikit-learn's kind that has n_components."""

    def __init__(self, name, make):
        self.name = name
        self.make = make

    def fit(self, X, k, seed):
        self.fitted_ = self.make(n_components=k, random_state=seed).fit(X)
        return self

    def encode(self, X):
        return self.fitted_.transform(X)

    def reconstruct(self, X):
        return self.fitted_.inverse_transform(self.encode(X))


class ClustPy:
    """FeedforwardAutoencoder with layers [d, 256, 128, k]; its own 100 epochs."""

    name, needs = "ClustPy", "clustpy"

    def __init__(self):
        # ClustPy imports torchvision for images alone. Builds of it for other builds
        # of torch fail at the import, so that a stand-in takes their place.
        try:
            import torchvision  # noqa: F401
        except (ImportError, RuntimeError):
            for name in ("", ".models", ".models._api"):
                sys.modules["torchvision" + name] = MagicMock()
        from clustpy.deep.neural_networks import FeedforwardAutoencoder

        self.make = FeedforwardAutoencoder

    def fit(self, X, k, seed):
        self.fitted_ = self.make([X.shape[1], *HIDDEN, k], random_state=seed)
        with redirect_stderr(io.StringIO()):  # a progress bar that has no switch
            self.fitted_.fit(data=X)
        return self

    def encode(self, X):
        return self.fitted_.transform(X)

    def reconstruct(self, X):
        import torch

        with torch.inference_mode():
            return self.fitted_(torch.from_numpy(X)).numpy()


class PyOD:
    """AutoEncoder, a detector, whose code has 32 numbers whatever k is."""

    name, needs = "PyOD", "pyod"

    def __init__(self):
        from pyod.models.auto_encoder import AutoEncoder

        self.make = AutoEncoder

    def fit(self, X, k, seed):
        self.fitted_ = self.make(random_state=seed, device="cpu", verbose=0).fit(X)
        return self

    def encode(self, X):
        return self._through(self.fitted_.model.encoder, self._scaled(X))

    def reconstruct(self, X):
        scaled = self._through(self.fitted_.model, self._scaled(X))
        return scaled * self.fitted_.X_std + self.fitted_.X_mean

    def _scaled(self, X):
        mean, deviation = self.fitted_.X_mean, self.fitted_.X_std
        # Columns that were constant would be divided by next to nothing.
        return np.where(deviation > 0, (X - mean) / (deviation + 1e-8), 0)

    def _through(self, module, X):
        import torch

        with torch.inference_mode():
            return module.eval()(torch.from_numpy(X).float()).numpy()


class Perceptron:
    """MLPRegressor from X to X, with the bottleneck (256, 128, k, 128, 256)."""

    name, needs = "MLPRegressor", "sklearn"

    def fit(self, X, k, seed):
        widths = (*HIDDEN, k, *HIDDEN[::-1])
        self.n_encoding_ = len(HIDDEN) + 1
        self.fitted_ = MLPRegressor(hidden_layer_sizes=widths, random_state=seed)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)
            self.fitted_.fit(X, X)
        return self

    def encode(self, X):
        layers = zip(self.fitted_.coefs_, self.fitted_.intercepts_, strict=True)
        for weight, bias in list(layers)[: self.n_encoding_]:
            X = np.maximum(X @ weight + bias, 0)
        return X

    def reconstruct(self, X):
        return self.fitted_.predict(X)


PEERS = (ClustPy, PyOD, Perceptron)


def skae(**parameters):
    from skae import AutoencoderTransformer

    return Transformer("skae", partial(AutoencoderTransformer, **parameters))


def denoising_skae():
    from skae import DenoisingAutoencoderTransformer

    return Transformer("skae, denoising", DenoisingAutoencoderTransformer)


def pca():
    return Transformer("PCA", PCA)


def installed_peers():
    """The peers that are there, and a sentence for each that is not."""
    missing = [peer for peer in PEERS if find_spec(peer.needs) is None]
    notes = [
        f"{peer.name} is left out: pip install -c constraints.txt -e '.[bench]'."
        for peer in missing
    ]
    return [peer() for peer in PEERS if peer not in missing], notes


@dataclass(frozen=True)
class Fit:
    """One fit: the error on held-out rows, PCA's on the same rows, and the seconds."""

    error: float
    of_pca: float
    seconds: float

    @property
    def ratio(self):
        return self.error / self.of_pca


def error(method, X):
    """Mean squared error of reconstructing rows."""
    return float(np.square(method.reconstruct(X) - X, dtype=np.float64).mean())


def warm_up(methods):
    """Let each method load what it loads at its first fit."""
    X = np.random.default_rng(0).normal(size=(64, 8)).astype(np.float32)
    for method in methods:
        method.fit(X, 2, 0)


def held_out(method, train, test, k, seed):
    """Fit a method and PCA to training rows, and measure both on held-out rows."""
    time, _ = seconds(method.fit, train, k, seed)
    return Fit(error(method, test), error(pca().fit(train, k, seed), test), time)
