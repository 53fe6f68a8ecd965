"""The benchmarks run, in a small part and without any data of their own."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks import page, summary_codes, summary_rows
from benchmarks.__main__ import DEFAULTS, QUESTIONS
from benchmarks.findings import Finding, Results
from benchmarks.report import Bar, in_words
from benchmarks.summary import summary

ROOT = Path(__file__).parents[1]


@pytest.mark.parametrize(
    "question",
    [
        "quality",
        "quality_aside",
        "few_rows",
        "family",
        "detection",
        "compression",
        "deploy",
        "scale",
        "cluster",
        "parallel",
        "checkpoints",
        "plan",
        "gpu",
        "tables",
        "tables_detection",
        "tables_features",
        "tables_sampling",
        "variational",
        "sparse_codes",
    ],
)
def test_a_question_is_answered(question, tmp_path):
    path = tmp_path / "found.json"
    environment = {name: v for name, v in os.environ.items() if name != "SKAE_DATA"}
    subprocess.run(
        [sys.executable, "-m", "benchmarks", question, "--quick", "--json", path],
        cwd=ROOT,
        env=environment,
        check=True,
        capture_output=True,
    )
    found = json.loads(path.read_text())
    assert {"torch", "skorch", "scikit-learn"} <= set(found["versions"])
    verdicts = {bar["verdict"] for bar in found["bars"]}
    assert verdicts <= {"met", "missed", "not measured"}


def test_a_directory_without_data_is_an_error_in_words(tmp_path):
    result = subprocess.run(
        [sys.executable, "-m", "benchmarks", "quality", "--data", tmp_path],
        cwd=ROOT,
        capture_output=True,
        text=True,
    )
    assert result.returncode != 0
    assert "has neither tables" in result.stderr


def test_the_page_is_that_of_the_latest_results():
    assert page.PAGE.read_text() == page.text()


def test_the_page_has_every_finding():
    """What is not measured is left out, which is no cover for misspelt names."""
    findings = (*summary_codes.FINDINGS, *summary_rows.FINDINGS)
    assert len(summary()) == len(findings)


def test_every_question_has_a_place_on_the_page():
    placed = [name for questions in page.SECTIONS.values() for name in questions]
    assert sorted(placed) == sorted([*QUESTIONS, DEFAULTS])


def test_no_cell_is_a_hyphen():
    """Sphinx takes it for a list without entries, and shows a bullet."""
    assert '"-"' not in page.text()


@pytest.mark.parametrize(
    "bar, words",
    [
        (Bar("error", 0.3, 0.4), "reached"),
        (Bar("error", None, 0.4), "not measured"),
        (Bar("error", 0.8, 0.4), "more than planned: 0.8000; the aim was at most 0.4"),
        (
            Bar("seconds over those of boosting", 1.12, 0.2),
            "slower than planned: 1.120; the aim was at most 0.2",
        ),
        (
            Bar("seconds over ClustPy's", 0.33, 0.2),
            "ahead, but by less than planned: 0.3300; the aim was at most 0.2",
        ),
        (
            Bar("gain of skae over PCA", 0.01, 0.04, at_most=False),
            "ahead, but by less than planned: 0.0100; the aim was at least 0.04",
        ),
        (
            Bar("gain of skae over PCA", -0.02, 0.04, at_most=False),
            "behind: -0.0200; the aim was at least 0.04",
        ),
        (
            Bar("gain of skae over PCA", -0.001, 0.04, at_most=False),
            "slightly behind: -0.0010; the aim was at least 0.04",
        ),
    ],
)
def test_a_bar_that_is_missed_says_what_that_means(bar, words):
    assert in_words(bar.as_dict()) == words


@pytest.mark.parametrize(
    "ours, theirs, higher, standing",
    [
        (0.38, 0.36, False, "Behind"),
        (0.36, 0.38, False, "Ahead"),
        (0.781, 0.778, True, "Level"),
        (0.725, 0.735, True, "Behind"),
    ],
)
def test_a_finding_says_who_is_ahead(ours, theirs, higher, standing):
    found = Finding("quality", "error", ours, "a peer", theirs, "", higher)
    assert found.standing == standing


@pytest.mark.parametrize(
    "question, title, ratios",
    [
        (
            "speed",
            "Seconds to fit",
            {
                "skae over loop": ("skae", "bare loop"),
                "over MLPRegressor": ("skae", "MLPRegressor"),
            },
        ),
        (
            "speed",
            "Seconds to fit, beside stock skorch",
            {"skorch over skae": ("stock skorch", "skae")},
        ),
        (
            "speed",
            "Seconds to transform",
            {"ratio": ("skae", "bare forward pass")},
        ),
        (
            "speed",
            "Seconds of a process that imports",
            {"ratio": ("skae", "torch, skorch, sklearn")},
        ),
        (
            "speed",
            "Seconds to fit beside 3 busy loops",
            {"skae over one thread": ("skae", "one thread")},
        ),
    ],
)
def test_a_ratio_is_that_of_the_seconds_beside_it(question, title, ratios):
    for row in Results().rows(question, title):
        for ratio, (seconds, reference) in ratios.items():
            assert row[ratio] == pytest.approx(row[seconds] / row[reference])
