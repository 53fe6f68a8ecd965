"""What each package of skae holds and may import: said here, and nowhere else.

``python tools/architecture.py`` writes the table into CONTRIBUTING.md and
docs/architecture.rst; ``--check`` says whether it would change them.
"""

import re
import sys
import textwrap
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parents[1]
WIDTH = 88


class Package(NamedTuple):
    """A package, or a module that stands in none."""

    imports: list[str]
    holds: str


# From the bottom up: each imports from those before it only.
PACKAGES = {
    "_utils": Package(
        imports=[],
        holds="helpers that know nothing of autoencoders: randomness, scaling, "
        "validation, warnings",
    ),
    "exceptions": Package(
        imports=[],
        holds="errors to be caught by name",
    ),
    "_version": Package(
        imports=[],
        holds="the version",
    ),
    "_tables": Package(
        imports=["_utils"],
        holds="columns of tables as numbers, and numbers as columns again",
    ),
    "_sources": Package(
        imports=["_utils"],
        holds="where rows come from: memory, files, collections and functions",
    ),
    "_names": Package(
        imports=[],
        holds="the public names, and where they are",
    ),
    "_files": Package(
        imports=["_utils", "exceptions", "_version"],
        holds="fitted objects as files of arrays and plain values, and back",
    ),
    "inference": Package(
        imports=["_utils", "exceptions", "_tables", "_files"],
        holds="dense networks out of files, applied without PyTorch",
    ),
    "losses": Package(
        imports=["_utils"],
        holds="what is minimised, and how raw output becomes data",
    ),
    "penalties": Package(
        imports=["_utils"],
        holds="what constrains codes while training",
    ),
    "corruptions": Package(
        imports=["_utils"],
        holds="what is done to rows before a network reads them in training",
    ),
    "code_maps": Package(
        imports=["_utils"],
        holds="what codes pass through: sparse, bounded or random ones",
    ),
    "networks": Package(
        imports=["_utils"],
        holds="what makes modules, what they declare, and whether they work",
    ),
    "_recipe": Package(
        imports=[
            "_utils",
            "losses",
            "penalties",
            "corruptions",
            "code_maps",
            "networks",
        ],
        holds="the parts of one autoencoder, resolved and checked",
    ),
    "_inference": Package(
        imports=["_utils", "networks", "_recipe"],
        holds="a trained model as arrays, and rows through it, independent of each "
        "other",
    ),
    "checkpoints": Package(
        imports=["_utils", "exceptions", "_version", "_files"],
        holds="where trainings stand, in files from which they go on after a crash",
    ),
    "_training": Package(
        imports=[
            "_utils",
            "exceptions",
            "checkpoints",
            "losses",
            "penalties",
            "corruptions",
            "networks",
            "_recipe",
            "_inference",
            "_sources",
        ],
        holds="from rows to a trained model; the only package that knows skorch",
    ),
    "_cluster": Package(
        imports=["_utils", "_sources"],
        holds="fits on the workers of a Dask cluster; the only package that knows it",
    ),
    "_onnx": Package(
        imports=["_utils", "networks", "_files", "_version"],
        holds="fitted models as graphs of ONNX",
    ),
    "plotting": Package(
        imports=["_utils", "_tables", "_sources"],
        holds="pictures of what was fitted; all that is drawn",
    ),
    "reports": Package(
        imports=["_utils", "_tables", "_sources", "_names", "_files", "plotting"],
        holds="what was fitted and what it makes of rows, in words and on pages",
    ),
    "_estimators": Package(
        imports=[
            "_utils",
            "_cluster",
            "checkpoints",
            "_tables",
            "_sources",
            "losses",
            "penalties",
            "corruptions",
            "code_maps",
            "networks",
            "_files",
            "_recipe",
            "_inference",
            "_training",
            "_onnx",
            "reports",
        ],
        holds="scikit-learn's semantics once, and a final class for each autoencoder",
    ),
    "detection": Package(
        imports=[
            "_utils",
            "_tables",
            "_sources",
            "corruptions",
            "_files",
            "_onnx",
            "reports",
            "_estimators",
        ],
        holds="outlying rows and times, thresholds and reasons",
    ),
    "compression": Package(
        imports=["_utils", "exceptions", "_sources", "_files", "_estimators"],
        holds="codes as bytes: a sender's and a receiver's half",
    ),
    "_load": Package(
        imports=["_names", "_files"],
        holds="loading, with every class that files may hold at hand",
    ),
    "__init__": Package(
        imports=[
            "exceptions",
            "checkpoints",
            "_version",
            "_names",
            "inference",
            "losses",
            "penalties",
            "corruptions",
            "code_maps",
            "networks",
            "plotting",
            "reports",
            "_estimators",
            "detection",
            "compression",
            "_onnx",
            "_load",
        ],
        holds="the public names",
    ),
}

PAGE = """\
.. Written by tools/architecture.py, where it is to be changed.

How the code is laid out
========================

Each package imports from those in its last column and from no others; from the top
down.

{table}

From rows to codes
------------------

{way}
"""
WAY = [
    "``fit`` checks the rows and turns the estimator's parameters into a ``Recipe`` of "
    "network, code maps, loss, penalty and corruption, and into ``Settings``; from "
    "here on no estimator is known. Rows are shifted and scaled to standard units once "
    "(``Scaling``), put into an order that the seed determines, and some of them held "
    "out: a few of them fold by fold, each from a training of its own, before one on "
    "all. Principal components of them are what training has to beat; it starts at "
    "random networks, at PCA or at an earlier fit, and minimises one ``Objective`` by "
    "skorch's loop, in which callbacks keep the best epoch.",
    "What is left is checked; its codes are given the data's metric, or, if they are "
    "sparse, the decoder is fitted to them once they are refined; and it becomes a "
    "``Model``: arrays and plain values, stored in the estimator by one assignment at "
    "the end.",
    "``transform`` hands rows to that model, whose ``Engine`` holds the network on the "
    "device, ready to be applied. It takes chunks of fixed numbers of rows through "
    "matrices of full width, so that no row depends on those beside it, and codes come "
    "back in units of the data.",
]


def _name(package):
    return "skae" if package == "__init__" else package


def markdown():
    """The table as CONTRIBUTING.md has it."""
    lines = ["| package | holds | imports |", "|---|---|---|"]
    for name, package in reversed(PACKAGES.items()):
        imports = ", ".join(f"`{_name(other)}`" for other in package.imports)
        lines.append(f"| `{_name(name)}` | {package.holds} | {imports} |")
    return "\n".join(lines)


def table():
    """The table as a page of the documentation has it."""
    rows = [("Package", "Holds", "Imports")]
    for name, package in reversed(PACKAGES.items()):
        imports = ", ".join(f"``{_name(other)}``" for other in package.imports)
        rows.append((f"``{_name(name)}``", package.holds, imports))
    lines = [".. list-table::", "   :header-rows: 1", "   :widths: 15 45 40", ""]
    for first, *others in rows:
        lines += _wrapped(first, "   * - ", "       ")
        for cell in others:
            lines += _wrapped(cell, "     - ", "       ")
    return "\n".join(lines)


def _wrapped(text, first, then):
    lines = textwrap.wrap(
        text,
        WIDTH,
        initial_indent=first,
        subsequent_indent=then,
        break_on_hyphens=False,
    )
    return lines or [first.rstrip()]


def texts():
    """The files as they should be."""
    contributing = ROOT / "CONTRIBUTING.md"
    marked = re.sub(
        r"(<!-- packages -->\n).*?(<!-- /packages -->)",
        lambda found: f"{found[1]}{markdown()}\n{found[2]}",
        contributing.read_text(),
        flags=re.DOTALL,
    )
    way = "\n\n".join("\n".join(_wrapped(text, "", "")) for text in WAY)
    return {
        contributing: marked,
        ROOT / "docs" / "architecture.rst": PAGE.format(table=table(), way=way),
    }


def main(only_check):
    """Rewrite the files, and return those that were not as they should be."""
    changed = []
    for path, text in texts().items():
        if not path.exists() or path.read_text() != text:
            changed.append(path)
            if not only_check:
                path.write_text(text)
    return changed


if __name__ == "__main__":
    found = main("--check" in sys.argv)
    print("\n".join(str(path.relative_to(ROOT)) for path in found) or "Nothing to do.")
    sys.exit(bool(found and "--check" in sys.argv))
