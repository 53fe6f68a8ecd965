"""What does each default give? One of them is changed at a time."""

from statistics import geometric_mean, median

from benchmarks import data
from benchmarks.peers import held_out, skae, warm_up
from benchmarks.report import Report

SEEDS = (0, 1)
MAX_ROWS = 3000
MAX_COLUMNS = 200
CHANGES = (
    {},
    {"init": "pca"},
    {"linear_path": False},
    {"activation": "silu"},
    {"activation": "relu"},
    {"activation": "tanh"},
    {"hidden_layer_sizes": (256,)},
    {"hidden_layer_sizes": (128, 64)},
    {"hidden_layer_sizes": (256, 256)},
    {"hidden_layer_sizes": (256, 128, 64)},
    {"learning_rate": 5e-3},
    {"learning_rate": 1e-2},
    {"learning_rate": 4e-2},
    {"weight_decay": 0.0},
    {"weight_decay": 0.3},
    {"batch_size": 64},
    {"batch_size": 256},
    {"max_iter": 15},
    {"max_iter": 60},
    {"validation_fraction": 0.1},
)


def run(directory, quick):
    """The report on the defaults."""
    report = Report("What does each default give?")
    sets = [table.capped(MAX_ROWS) for table in data.tables(directory)]
    sets += [image.capped(MAX_ROWS) for image in data.images(directory)]
    sets = [dataset for dataset in sets if dataset.X.shape[1] <= MAX_COLUMNS]
    changes, seeds = CHANGES, SEEDS
    if quick:
        changes, seeds = CHANGES[:2], SEEDS[:1]
        sets = [dataset.capped(data.QUICK_ROWS) for dataset in sets[:3]]
    report.notes.append(
        f"{len(sets)} sets of at most {MAX_ROWS:,} rows and {MAX_COLUMNS} columns, of "
        f"each the median of {len(seeds)} splits."
    )
    fits = _fit_all(sets, changes, seeds)
    rows = []
    for name, of_change in fits.items():
        ratios = [median(fit.ratio for fit in of_set) for of_set in of_change]
        rows.append([name, geometric_mean(ratios), max(ratios)])
    report.table(
        "Held-out squared error over PCA's, one parameter changed",
        ["changed", "geometric mean", "worst"],
        rows,
    )
    return report


def _fit_all(sets, changes, seeds):
    """Fits by change: for each set a list over the seeds; the changes take turns."""
    methods = {_named(change): skae(**change) for change in changes}
    warm_up(methods.values())
    fits = {name: [] for name in methods}
    for dataset in sets:
        for name, method in methods.items():
            fits[name].append(
                [
                    held_out(method, *dataset.split(seed)[:2], dataset.code_size, seed)
                    for seed in seeds
                ]
            )
    return fits


def _named(change):
    if not change:
        return "nothing: the defaults"
    return ", ".join(f"{name}={value!r}" for name, value in change.items())
