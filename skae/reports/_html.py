"""HTML of a report: sections of tables and pictures on one page, without a script."""

from html import escape
from typing import Any, NamedTuple

_STYLE = """
:root { color-scheme: light dark; --back: #ffffff; --text: #1b1f24; --soft: #57606a;
  --line: #d0d7de; --bar: #9ec5fe; --note: #fff4d6; --on-note: #5c3d00; }
@media (prefers-color-scheme: dark) { :root { --back: #14171a; --text: #e6e8ea;
  --soft: #a7b0ba; --line: #3a4149; --bar: #1f4e8c; --note: #3a2f10;
  --on-note: #f5dd9d; } }
* { box-sizing: border-box; }
body { margin: 0 auto; padding: 1rem; max-width: 75rem; background: var(--back);
  color: var(--text); font: 1rem/1.5 system-ui, sans-serif;
  overflow-wrap: break-word; }
h1 { font-size: clamp(1.15rem, 5vw, 1.5rem); line-height: 1.25; margin: 0 0 .5rem; }
h2 { font-size: 1.15rem; margin: 2rem 0 .5rem; }
p { margin: .25rem 0; max-width: 45rem; }
.soft, figcaption, caption { color: var(--soft); font-size: .875rem; }
.words { font-size: 1.1rem; max-width: 60rem; }
ul.warnings { list-style: none; padding: 0; margin: .5rem 0; max-width: 60rem; }
ul.warnings li { background: var(--note); color: var(--on-note); padding: .5rem .75rem;
  margin: .5rem 0; border-radius: .375rem; }
main { display: grid; gap: 0 2rem;
  grid-template-columns: repeat(auto-fit, minmax(min(100%, 30rem), 1fr)); }
section { min-width: 0; }
section.wide { grid-column: 1 / -1; }
figure { margin: 0; }
figure svg { width: 100%; max-width: 40rem; height: auto; color: var(--text);
  display: block; }
figure svg text { font-family: inherit !important; }
.table { overflow-x: auto; margin: .5rem 0; }
table { border-collapse: collapse; font-size: .9rem; min-width: min(100%, 20rem); }
caption { text-align: left; padding: .25rem 0; }
th, td { text-align: left; vertical-align: top; padding: .25rem .75rem .25rem 0;
  border-bottom: 1px solid var(--line); }
th[scope=row] { font-weight: 600; max-width: 18rem; }
.number { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap; }
td.long { min-width: 9rem; max-width: 42rem; }
td.long ul { margin: 0; padding-left: 1rem; }
.bar { display: block; height: .3rem; background: var(--bar); }
"""


class Bar(NamedTuple):
    """A number with a bar as long as its share of the largest one."""

    text: str
    share: float


class Table(NamedTuple):
    """A table of text.

    Attributes
    ----------
    caption : str
    heads : list of str
        Of the columns.
    rows : list of list
        Of text; of lists of text, which are one cell; of numbers, which are set to the
        right; and of bars. The first cell of each is its head.
    """

    caption: str
    heads: list
    rows: list

    def html(self):
        is_number = [isinstance(cell, int | float | Bar) for cell in self.rows[0]]
        heads = "".join(
            f'<th scope="col"{_number(right)}>{escape(head)}</th>'
            for head, right in zip(self.heads, is_number, strict=True)
        )
        rows = "".join(f"<tr>{_row(row)}</tr>" for row in self.rows)
        caption = escape(self.caption)
        return (
            f'<div class="table" role="region" aria-label="{caption}" tabindex="0">'
            f"<table><caption>{caption}</caption><thead><tr>{heads}</tr></thead>"
            f"<tbody>{rows}</tbody></table></div>"
        )


class Picture(NamedTuple):
    """A picture, as SVG, and what it shows."""

    svg: str
    caption: str

    def html(self):
        caption = escape(self.caption)
        return f"<figure>{self.svg}<figcaption>{caption}</figcaption></figure>"


class Section(NamedTuple):
    """A part of a page.

    Attributes
    ----------
    title : str
    text : str
        What is said, before tables and pictures.
    part : Table, Picture or None
    is_wide : bool, default=False
        Whether it takes the whole width of a large screen, and not half of it.
    """

    title: str
    text: str
    part: Table | Picture | None = None
    is_wide: bool = False

    def html(self):
        width = ' class="wide"' if self.is_wide else ""
        text = f"<p>{escape(self.text)}</p>" if self.text else ""
        part = "" if self.part is None else self.part.html()
        return f"<section{width}><h2>{escape(self.title)}</h2>{text}{part}</section>"


def page(title, words, notes, warnings, sections):
    """A whole page.

    Parameters
    ----------
    title : str
    words : list of str
        What was fitted.
    notes : list of str
        What is shown.
    warnings : list of ReportWarning
    sections : list of Section

    Returns
    -------
    html : str
    """
    said = "".join(f'<p class="words">{escape(line)}</p>' for line in words)
    said += "".join(f'<p class="soft">{escape(line)}</p>' for line in notes)
    body = "".join(section.html() for section in sections)
    return (
        '<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        '<meta http-equiv="Content-Security-Policy" content="default-src \'none\'; '
        "img-src data:; style-src 'unsafe-inline'\">"
        '<link rel="icon" href="data:,">'
        f"<title>{escape(title)}</title><style>{_STYLE}</style></head>"
        f"<body><header><h1>{escape(title)}</h1>{said}</header>"
        f"<main>{_of_warnings(warnings)}{body}</main></body></html>\n"
    )


def _of_warnings(warnings):
    items = "".join(
        f"<li><strong>{escape(w.message)}</strong> {escape(w.advice)}</li>"
        for w in warnings
    )
    shown = f'<ul class="warnings">{items}</ul>' if items else "<p>None.</p>"
    return f'<section class="wide"><h2>Warnings</h2>{shown}</section>'


def _row(row):
    first, *others = row
    head = f'<th scope="row">{escape(str(first))}</th>'
    return head + "".join(map(_cell, others))


def _cell(cell: Any):
    if isinstance(cell, Bar):
        width = f"{100 * min(max(cell.share, 0.0), 1.0):.0f}%"
        bar = f'<span class="bar" style="width: {width}"></span>'
        return f'<td class="number">{escape(cell.text)}{bar}</td>'
    if isinstance(cell, list):
        items = "".join(f"<li>{escape(text)}</li>" for text in cell)
        return f'<td class="long"><ul>{items}</ul></td>'
    if isinstance(cell, int | float):
        text = f"{cell:,}" if isinstance(cell, int) else f"{cell:.4g}"
        return f"<td{_number(True)}>{text}</td>"
    return f"<td>{escape(str(cell))}</td>"


def _number(is_number):
    return ' class="number"' if is_number else ""
