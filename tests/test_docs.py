"""The documentation's code prints what stands beside it, and its pages can be found."""

import ast
import doctest
import re
from pathlib import Path
from textwrap import dedent

import pytest

ROOT = Path(__file__).parents[1]
DOCS = ROOT / "docs"
PAGES = sorted(
    path
    for path in DOCS.rglob("*.rst")
    if not {"_build", "generated", "auto_examples"} & set(path.parts)
)
WITH_CODE = [path for path in PAGES if ">>> " in path.read_text()]
# What pages need beside what all tests do.
NEEDS = {"production.rst": ("onnxruntime", "skl2onnx")}
NUMBER = re.compile(r"-?\d+(?:\.\d+)?")
TESTCODE = re.compile(r"^\.\. testcode::\n\n((?:   .*\n|\n)+)", re.MULTILINE)


class Checker(doctest.OutputChecker):
    """Words to the letter; numbers as far as machines agree."""

    def check_output(self, want, got, optionflags):
        if super().check_output(want, got, optionflags):
            return True
        if (
            "..." in want
            or NUMBER.sub("#", want).split() != NUMBER.sub("#", got).split()
        ):
            return False
        numbers = (map(float, NUMBER.findall(text)) for text in (got, want))
        return all(  # what is said to be zero is zero
            found == (claimed and pytest.approx(claimed, abs=0.02, rel=0.05))
            for found, claimed in zip(*numbers, strict=True)
        )


def examples(text):
    """The examples of a page: lines after prompts, and the statements of testcode."""
    found = doctest.DocTestParser().get_examples(text)
    for block in TESTCODE.finditer(text):
        first = text[: block.start(1)].count("\n")
        code = dedent(block[1])
        for statement in ast.parse(code).body:
            source = ast.get_source_segment(code, statement) + "\n"
            found.append(
                doctest.Example(source, "", lineno=first + statement.lineno - 1)
            )
    return sorted(found, key=lambda example: example.lineno)


@pytest.mark.parametrize("path", WITH_CODE, ids=lambda path: path.stem)
def test_code_prints_what_stands_beside_it(path, tmp_path, monkeypatch):
    for module in NEEDS.get(path.name, ()):
        pytest.importorskip(module)
    monkeypatch.chdir(tmp_path)  # for the files that it writes
    text = path.read_text()
    test = doctest.DocTest(examples(text), {}, path.name, str(path), 0, text)
    flags = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE
    runner = doctest.DocTestRunner(Checker(), optionflags=flags)
    printed = []
    runner.run(test, out=printed.append)
    assert not runner.summarize(verbose=False).failed, "".join(printed)


def test_every_picture_is_on_a_page():
    drawn = {path.stem for path in (DOCS / "figures").glob("*.py")}
    text = "".join(path.read_text() for path in PAGES)
    assert set(re.findall(r"plot:: /?(?:\w+/)*figures/(\w+)\.py", text)) == drawn
