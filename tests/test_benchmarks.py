"""The benchmarks run, in a small part and without any data of their own."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

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
