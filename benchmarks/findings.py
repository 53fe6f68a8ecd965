"""Figures of the latest results, and lines that compare them with the best peer's."""

import json
from dataclasses import dataclass

from benchmarks.report import RESULTS


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


class Results:
    """Cells of results by the names of question, table, row and column."""

    def __init__(self):
        paths = sorted(RESULTS.glob("*.json"))
        self.reports = {path.stem: json.loads(path.read_text()) for path in paths}

    def rows(self, question, title):
        """Rows of a table, each from column to cell."""
        for table in self.reports[question]["tables"]:
            if table["title"] == title:
                return [
                    dict(zip(table["columns"], row, strict=True))
                    for row in table["rows"]
                ]
        raise KeyError(f"{question} has no table {title!r}")

    def cells(self, question, title, **where):
        """The one row that has `where`'s values."""
        found = [
            row for row in self.rows(question, title) if where.items() <= row.items()
        ]
        if len(found) != 1:
            raise KeyError(f"{len(found)} rows of {title!r} have {where}, not one.")
        return found[0]

    def bar(self, question, name):
        """The measured figure of a bar."""
        bars = self.reports[question]["bars"]
        return next(bar["measured"] for bar in bars if bar["name"] == name)
