"""What is written about the code is true of it."""

import ast
import inspect
import re
from pathlib import Path

import pytest
from conftest import SHORT, estimator_classes, transformer_classes

ROOT = Path(__file__).parents[1]
EXAMPLES = sorted((ROOT / "examples").glob("plot_*.py"))
CLASSES = estimator_classes()


def entries(cls, section):
    """Entries of a section of a numpydoc docstring: name to (type, text)."""
    doc = inspect.getdoc(cls)
    body = doc.split(f"\n{section}\n{'-' * len(section)}\n")[1]
    body = re.split(r"\n\n\w[\w ]*\n-+\n", body)[0]
    found = re.findall(
        r"^(\w+) : ((?:.*\\\n)*.*)\n((?:(?:    .*)?\n?)*)", body, re.MULTILINE
    )
    return {name: (" ".join(kind.split()), text.strip()) for name, kind, text in found}


@pytest.mark.parametrize("cls", CLASSES)
def test_parameters_are_documented_in_the_order_of_the_signature(cls):
    parameters = inspect.signature(cls).parameters
    assert list(entries(cls, "Parameters")) == list(parameters)


@pytest.mark.parametrize("cls", CLASSES)
def test_documented_defaults_are_the_real_ones(cls):
    for name, parameter in inspect.signature(cls).parameters.items():
        kind, _ = entries(cls, "Parameters")[name]
        documented = kind.split("default=")[1]
        assert documented.replace('"', "'") == repr(parameter.default), name


@pytest.mark.parametrize("section", ["Parameters", "Attributes"])
def test_the_same_parameter_has_the_same_words_in_every_class(section):
    words = {}
    for cls in transformer_classes():
        for name, entry in entries(cls, section).items():
            if name in ("penalty", "corruption"):  # a class's own
                continue
            kind, text = entry
            kind = kind.split("default=")[0]
            assert words.setdefault(name, (kind, text)) == (kind, text), name


@pytest.mark.parametrize("cls", CLASSES)
def test_fitted_attributes_are_the_documented_ones(cls, tables):
    import pandas as pd

    estimator = cls(random_state=0)
    short = {k: v for k, v in SHORT.items() if k in estimator.get_params()}
    estimator.set_params(**short).fit(pd.DataFrame(tables).rename(columns=str))
    documented = set(entries(cls, "Attributes"))
    fitted = {name for name in vars(estimator) if re.fullmatch(r"[a-z]\w*_", name)}
    properties = {
        name
        for name in dir(cls)
        if re.fullmatch(r"[a-z]\w*_", name) and isinstance(getattr(cls, name), property)
    }
    assert documented == fitted | properties


def public_methods():
    for cls in CLASSES:
        for name, method in inspect.getmembers(cls, inspect.isfunction):
            if not name.startswith("_") and method.__module__.startswith("skae"):
                yield pytest.param(method, id=f"{cls.__name__}.{name}")


@pytest.mark.parametrize("method", list(public_methods()))
def test_methods_are_documented(method):
    doc = inspect.getdoc(method)
    for name in inspect.signature(method).parameters:
        if name != "self":
            assert re.search(rf"^{name} : ", doc, re.MULTILINE), name
    assert "Returns\n-------" in doc


@pytest.fixture(scope="module")
def readme_blocks():
    return re.findall(
        r"^```python\n(.*?)^```", (ROOT / "README.md").read_text(), re.M | re.S
    )


def test_readme_code_runs(readme_blocks, capsys):
    namespace = {}
    for block in readme_blocks:
        exec(compile(block, "README.md", "exec"), namespace)
    score, pca_score, accuracy, images = map(float, capsys.readouterr().out.split())
    assert score > 0.75 * pca_score
    assert accuracy > 0.9
    assert images < 0


def test_readme_start_is_short(readme_blocks):
    lines = [line for line in readme_blocks[0].splitlines() if line]
    assert len(lines) <= 15


def test_readme_names_commands_that_exist():
    makefile = (ROOT / "Makefile").read_text()
    commands = re.findall(r"make (\w+)", (ROOT / "README.md").read_text())
    assert {"demo", "test"} <= set(commands)
    assert all(re.search(rf"^{name}:", makefile, re.M) for name in commands)


def test_the_figure_in_the_readme(digits):
    """Error over PCA's on unseen digits, as in its first example."""
    import numpy as np
    from sklearn.decomposition import PCA
    from sklearn.model_selection import train_test_split

    from skae import AutoencoderTransformer

    claimed = re.search(r"([\d.]+) of PCA's error", (ROOT / "README.md").read_text())
    train, test = train_test_split(digits, random_state=0)
    pca = PCA(16).fit(train)
    of_pca = np.square(pca.inverse_transform(pca.transform(test)) - test).mean()
    ours = -AutoencoderTransformer(16, random_state=0).fit(train).score(test)
    assert ours / of_pca == pytest.approx(float(claimed[1]), abs=0.03)


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.name)
def test_examples_are_short_and_end_in_a_picture(path):
    text = path.read_text()
    assert len(text.splitlines()) <= 60
    assert "plt." in text
    assert text.lstrip().startswith('"""')


def test_modules_say_in_their_first_line_what_they_are_for():
    for path in (ROOT / "skae").glob("*.py"):
        first = ast.get_docstring(ast.parse(path.read_text())).splitlines()[0]
        assert first.endswith("."), path
