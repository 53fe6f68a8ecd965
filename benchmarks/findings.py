"""Figures of the latest results, and lines that compare them with the best peer's."""

import json
from dataclasses import dataclass

from benchmarks.report import RESULTS

# Marks figures of sets that defaults were chosen on.
CHOSEN = "\N{DAGGER}"
SKAE, CLUSTPY, PYOD, MLP = "skae", "ClustPy", "PyOD", "MLPRegressor"
DENOISING = "skae, denoising"
BOOSTING = "gradient boosting per column"


@dataclass(frozen=True)
class Finding:
    """A question, the figures of both, and what they mean.

    `within` is the difference that does not matter: a share of the peer's figure where
    less is better, half of it as a difference where more is. What nobody else does has
    no peer.
    """

    question: str
    asked: str
    ours: float
    peer: str | None
    theirs: float | None
    meaning: str
    higher: bool = False
    within: float = 0.01

    @property
    def standing(self):
        """Who is ahead."""
        gain = self.ours - self.theirs if self.higher else self.theirs - self.ours
        if abs(gain) <= self.within * (0.5 if self.higher else self.theirs):
            return "Level"
        return "Ahead" if gain > 0 else "Behind"

    def row(self):
        """Question, figures and words, as the page shows them."""
        arrow = "\N{UPWARDS ARROW}" if self.higher else "\N{DOWNWARDS ARROW}"
        asked = f"{self.asked} {arrow}"
        if self.theirs is None:
            return [asked, brief(self.ours), None, self.meaning]
        theirs = f"{brief(self.theirs)}, {self.peer}"
        words = f"**{self.standing}.** {self.meaning}"
        return [asked, brief(self.ours), theirs, words]


def brief(value):
    """A figure to three digits or four."""
    digits = sum(value < limit for limit in (1, 10, 100))
    return f"{value:.{digits}f}"


class NotMeasured(LookupError):
    """Results lack a figure: they come from fewer data sets or peers than there are."""


class Named(dict):
    """What was measured, by name."""

    def __missing__(self, name):
        raise NotMeasured(name)


class Results:
    """Cells of results by the names of question, table, row and column.

    All methods raise NotMeasured for what is not there.
    """

    def __init__(self):
        paths = sorted(RESULTS.glob("*.json"))
        self.reports = Named(
            {path.stem: json.loads(path.read_text()) for path in paths}
        )

    def rows(self, question, title):
        """Rows of a table, each from column to cell."""
        tables = Named(
            {table["title"]: table for table in self.reports[question]["tables"]}
        )
        columns, rows = tables[title]["columns"], tables[title]["rows"]
        return [Named(zip(columns, row, strict=True)) for row in rows]

    def by_name(self, question, title):
        """Rows of a table by their first cell."""
        return Named(
            {next(iter(row.values())): row for row in self.rows(question, title)}
        )

    def row(self, question, title, **where):
        """The first row that has `where`'s values."""
        for row in self.rows(question, title):
            if where.items() <= row.items():
                return row
        raise NotMeasured(f"{title}: {where}")

    def bar(self, question, name):
        """The measured figure of a bar."""
        bars = self.reports[question]["bars"]
        return Named({bar["name"]: bar["measured"] for bar in bars})[name]
