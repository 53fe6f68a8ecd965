"""The README's code prints what stands beside it, and what it names exists."""

import re
import sys
from contextlib import redirect_stdout
from io import StringIO
from pathlib import Path

import pytest

from benchmarks.findings import brief
from benchmarks.summary import summary

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib  # pytest needs it there

ROOT = Path(__file__).parents[1]
TEXT = (ROOT / "README.md").read_text()
# Code, and the output that follows it.
BLOCKS = re.findall(r"^```python\n(.*?)^```\n+^```text\n(.*?)^```", TEXT, re.M | re.S)
LINK = re.compile(r"!?\[[^\]]*\]\(([^)]*)\)")
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
    of_pca, of_autoencoder = map(float, NUMBER.findall(run[0][0]))
    assert of_autoencoder / of_pca == pytest.approx(float(claimed[1]), abs=0.02)


def test_denoising_codes_are_better_features_with_few_labels(run):
    (printed,) = (text for text in run[0] if text.startswith("pixels"))
    pixels, pca, denoising = map(float, NUMBER.findall(printed))
    assert denoising > max(pixels, pca) + 0.03


@pytest.mark.parametrize(
    "asked",
    [
        "Error over PCA's, 13 tables kept aside",
        "Holes filled, error over that of mean or mode, four mixed tables kept aside",
        "Outliers, AUROC, trained on normal rows, 15 tables kept aside",
        "Outliers, AUROC, with outliers among the training rows, 15 tables kept aside",
    ],
)
def test_results_at_the_start_are_those_of_the_benchmarks(asked):
    start = TEXT[: TEXT.index("```python")]
    (finding,) = (finding for finding in summary() if finding.asked == asked)
    # Of PCA's error the peer stands in the benchmarks alone.
    figures = [finding.ours] if "PCA" in asked else [finding.ours, finding.theirs]
    claimed = {float(number) for number in NUMBER.findall(start)}
    for figure in figures:
        assert {round(figure, 2), float(brief(figure))} & claimed


def test_what_the_readme_names_exists():
    names = re.findall(r"(?:docs/[\w/]+\.(?:rst|png)|\b[A-Za-z]+\.(?:md|txt)\b)", TEXT)
    assert names
    for name in names:
        assert (ROOT / name).exists(), name


def substituted():
    """The README as a package index shows it: with the addresses of pyproject.toml."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    hook = project["tool"]["hatch"]["metadata"]["hooks"]["fancy-pypi-readme"]
    assert [fragment["path"] for fragment in hook["fragments"]] == ["README.md"]
    text = TEXT
    for substitution in hook["substitutions"]:
        text = re.sub(substitution["pattern"], substitution["replacement"], text)
    return text


def test_links_are_paths_here_and_addresses_on_a_package_index():
    here, there = (
        LINK.findall(re.sub(r"```.*?```", "", text, flags=re.S))
        for text in (TEXT, substituted())
    )
    assert len(here) == len(there) > 5
    assert all((ROOT / path).exists() for path in here)
    assert all(address.startswith("https://") for address in there)


def test_the_picture_is_small():
    (picture,) = re.findall(r"!\[[^\]]*\]\(([^)]*)\)", TEXT)
    assert (ROOT / picture).stat().st_size < 60_000
