"""Settings that must precede the first import of scipy, and what all tests share."""

import importlib.util
import os
from inspect import signature
from pathlib import Path

os.environ["SCIPY_ARRAY_API"] = "1"

import numpy as np
import pytest
import torch
from sklearn.datasets import load_digits

import skae
import skae.detection

# Test processes that share the cores must not each start threads for all of them.
if "PYTEST_XDIST_WORKER" in os.environ:
    torch.set_num_threads(1)

# A short training for each estimator, and a single one: contracts hold at any length.
SHORT = {
    "n_components": 4,
    "hidden_layer_sizes": (16,),
    "max_iter": 3,
    "validation_fraction": 0.2,
}


def tool(name):
    """A script of tools/ as a module."""
    path = Path(__file__).parents[1] / "tools" / f"{name}.py"
    spec = importlib.util.spec_from_file_location(name, path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def estimator_classes():
    """Every public estimator, so that a new one is tested without being listed."""
    found = [getattr(m, name) for m in (skae, skae.detection) for name in m.__all__]
    return [cls for cls in dict.fromkeys(found) if hasattr(cls, "fit")]


def make_default(cls):
    """An estimator with its defaults, whose windows, if any, are rows.

    The imputer's own autoencoder is trained for long.
    """
    if cls is skae.AutoencoderImputer:
        short = skae.DenoisingAutoencoderTransformer(noise="missing", **SHORT)
        return cls(short)
    return cls(length=1) if "length" in signature(cls).parameters else cls()


def transformer_classes():
    """Every public autoencoder: what encodes rows, and decodes codes."""
    return [cls for cls in estimator_classes() if hasattr(cls, "inverse_transform")]


def code_units(estimator, factor):
    """What codes are multiplied by where the data are multiplied by a factor."""
    return 1.0 if estimator.net_.module_.has_own_units else factor


@pytest.fixture(params=transformer_classes(), ids=lambda cls: cls.__name__)
def make(request):
    """Makes an estimator of each class with a short training."""

    def make(**params):
        return request.param(**{**SHORT, "random_state": 0, **params})

    return make


@pytest.fixture(scope="session")
def digits():
    """The digits (1797, 64), float64 in [0, 16]; not to be written to."""
    X = load_digits().data
    X.flags.writeable = False
    return X


@pytest.fixture
def tables():
    """Small random rows (60, 6) of different means and scales."""
    rng = np.random.default_rng(0)
    mixed = rng.normal(size=(60, 3)) @ rng.normal(size=(3, 6))
    mixed += 0.3 * rng.normal(size=(60, 6))
    return mixed * [1, 2, 0.5, 3, 1, 0.1] + [0, 5, -2, 100, 1, 0]
