"""The README's code prints what stands beside it, and what it names exists."""

import re
from contextlib import redirect_stdout
from io import StringIO
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
TEXT = (ROOT / "README.md").read_text()
# Code, and the output that follows it.
BLOCKS = re.findall(r"^```python\n(.*?)^```\n+^```text\n(.*?)^```", TEXT, re.M | re.S)
NUMBER = re.compile(r"-?\d+(?:\.\d+)?")


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """What each block prints, and the names that all of them leave behind."""
    namespace, printed = {}, []
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(tmp_path_factory.mktemp("readme"))  # for the files that it writes
        for code, _ in BLOCKS:
            with redirect_stdout(StringIO()) as out:
                exec(compile(code, "README.md", "exec"), namespace)
            printed.append(out.getvalue())
    return printed, namespace


def test_every_block_of_code_has_its_output_beside_it():
    assert len(BLOCKS) == TEXT.count("```python") == TEXT.count("```text")


@pytest.mark.parametrize("i", range(len(BLOCKS)))
def test_code_prints_what_stands_beside_it(run, i):
    """Words to the letter; numbers as far as machines agree."""
    printed, expected = run[0][i], BLOCKS[i][1]
    assert NUMBER.sub("#", printed).split() == NUMBER.sub("#", expected).split()
    for found, claimed in zip(
        NUMBER.findall(printed), NUMBER.findall(expected), strict=True
    ):
        assert float(found) == pytest.approx(float(claimed), abs=0.02, rel=0.03)


def test_the_claimed_share_of_the_error_of_pca(run):
    claimed = re.search(r"([\d.]+) of PCA's error", TEXT)
    ratio = run[1]["error"] / run[1]["pca_error"]
    assert ratio == pytest.approx(float(claimed[1]), abs=0.02)


def test_denoising_codes_are_better_features_with_few_labels(run):
    pixels, pca, denoising = map(float, run[0][1].split())
    assert denoising > max(pixels, pca) + 0.03


def test_what_the_readme_names_exists():
    names = re.findall(r"(?:docs/[\w/]+\.(?:rst|png)|\w+\.(?:md|txt)\b)", TEXT)
    assert names
    for name in names:
        assert (ROOT / name).exists(), name


def test_links_work_wherever_the_readme_is_shown():
    """Pages are named, not linked: package indexes have no files beside the text."""
    links = re.findall(r"(?<!!)\[[^\]]*\]\(([^)]*)\)", re.sub(r"```.*?```", "", TEXT))
    assert all(link.startswith("https://") for link in links)


def test_the_picture_is_small():
    (picture,) = re.findall(r"!\[[^\]]*\]\(([^)]*)\)", TEXT)
    assert (ROOT / picture).stat().st_size < 60_000
