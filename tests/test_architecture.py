"""Imports between the modules of skae go down only."""

import ast
from pathlib import Path

import pytest

import skae

PACKAGE = Path(skae.__file__).parent
# From the bottom up; a module imports from the rows above its own, and within a row
# from those that stand before it.
LAYERS = [
    ["_compat", "_device", "_random", "_rows", "_pca", "_inference", "_part", "losses"],
    ["_anomaly"],
    [
        "corruptions",
        "_halves",
        "_mlp",
        "_convolutional",
        "_codes",
        "networks",
        "penalties",
    ],
    [
        "_model",
        "_objective",
        "_training",
        "_callbacks",
        "_net",
        "_layerwise",
        "_fitting",
    ],
    ["_base"],
    ["_autoencoder", "_denoising", "_sparse", "_contractive", "_variational"],
    ["_outlier", "windows"],
    ["__init__"],
]
ORDER = [name for layer in LAYERS for name in layer]
MODULES = sorted(path.stem for path in PACKAGE.glob("*.py"))
FINAL = LAYERS[5]


def imported(path):
    """Full names of what a file imports, anywhere in it."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path.name} has a relative import"
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def test_every_module_has_a_layer():
    assert sorted(ORDER) == MODULES


@pytest.mark.parametrize("module", MODULES)
def test_imports_go_down(module):
    siblings = FINAL if module in FINAL else []
    for name in imported(PACKAGE / f"{module}.py"):
        parts = name.split(".")
        if parts[0] == "skae" and len(parts) > 1 and parts[1] in ORDER:
            assert ORDER.index(parts[1]) < ORDER.index(module)
            assert parts[1] not in siblings, "final classes don't know each other"


@pytest.mark.parametrize("module", MODULES)
def test_skorch_stands_behind_two_modules(module):
    packages = {name.split(".")[0] for name in imported(PACKAGE / f"{module}.py")}
    assert ("skorch" in packages) == (module in ("_net", "_callbacks"))


@pytest.mark.parametrize("module", MODULES)
def test_private_helpers_of_sklearn_stand_in_one_module(module):
    private = [
        name
        for name in imported(PACKAGE / f"{module}.py")
        if name.startswith("sklearn.") and "._" in name
    ]
    assert not private or module == "_compat"


def test_every_public_estimator_is_final():
    classes = [getattr(skae, name) for name in skae.__all__]
    assert not any(cls.__subclasses__() for cls in classes)
