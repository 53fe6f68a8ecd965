"""What is written about the code is true of it."""

import ast
import inspect
import re
from pathlib import Path

import pytest
from conftest import SHORT, estimator_classes, make_default, transformer_classes

ROOT = Path(__file__).parents[1]
EXAMPLES = sorted((ROOT / "examples").glob("**/plot_*.py"))
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
            if name in ("alpha", "penalty", "corruption"):  # a class's own
                continue
            kind, text = entry
            kind = kind.split("default=")[0]
            assert words.setdefault(name, (kind, text)) == (kind, text), name


@pytest.mark.parametrize("cls", CLASSES)
def test_fitted_attributes_are_the_documented_ones(cls, tables):
    import pandas as pd

    estimator = make_default(cls)
    short = {**SHORT, "random_state": 0}
    short = {k: v for k, v in short.items() if k in estimator.get_params()}
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
    if inspect.signature(method).return_annotation is not None:
        assert "Returns\n-------" in doc


def test_readme_start_is_short():
    first = re.search(
        r"^```python\n(.*?)^```", (ROOT / "README.md").read_text(), re.M | re.S
    )
    assert len([line for line in first[1].splitlines() if line]) <= 15


def test_commands_that_are_named_exist():
    texts = [(ROOT / name).read_text() for name in ("README.md", "CONTRIBUTING.md")]
    commands = re.findall(r"(?:`|^)make\s([\w-]+)", "\n".join(texts), re.M)
    assert {"demo", "test", "docs", "bench"} <= set(commands)
    targets = re.findall(r"^([\w-]+):", (ROOT / "Makefile").read_text(), re.M)
    assert set(commands) <= set(targets)


def gallery():
    """Groups of the gallery and names of their examples, as the documentation has them.

    Read, not imported: that would make pages.
    """
    for node in ast.parse((ROOT / "docs" / "conf.py").read_text()).body:
        if isinstance(node, ast.Assign) and node.targets[0].id == "GALLERY":
            return ast.literal_eval(node.value)
    raise AssertionError("docs/conf.py has no GALLERY")


def test_every_example_is_in_one_group_of_the_gallery():
    listed = [f"{group}/plot_{n}.py" for group, ns in gallery().items() for n in ns]
    found = [path.relative_to(ROOT / "examples").as_posix() for path in EXAMPLES]
    assert sorted(listed) == found
    assert len(listed) >= 14
    # The gallery orders them by these.
    assert len({path.name for path in EXAMPLES}) == len(EXAMPLES)
    for group in gallery():
        header = ROOT / "examples" / group / "GALLERY_HEADER.rst"
        title, line, empty, *text = header.read_text().splitlines()
        assert line == "-" * len(title) and not empty and text


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_examples_say_what_comes_out_and_draw_it(path):
    tree = ast.parse(path.read_text())
    title, line, empty, *text = ast.get_docstring(tree).splitlines()
    assert line == "=" * len(title) and not empty
    first_paragraph = " ".join(text).split("  ")[0]
    assert len(first_paragraph) > 150
    assert "plt.show()" in path.read_text()


def test_pages_link_to_examples_that_are_there():
    for page in (ROOT / "docs").glob("*.rst"):
        for name in re.findall(r"sphx_glr_auto_examples_(\w+\.py)", page.read_text()):
            group, _, example = name.partition("_")
            assert (ROOT / "examples" / group / example).is_file(), (page.name, name)


@pytest.mark.parametrize(
    "path", sorted((ROOT / "skae").rglob("*.py")), ids=lambda path: path.stem
)
def test_modules_say_in_their_first_line_what_they_are_for(path):
    assert ast.get_docstring(ast.parse(path.read_text())).splitlines()[0]
