"""Is the reconstruction better than PCA's and the peers', and at what cost?"""

from statistics import geometric_mean, median

from benchmarks import data, hard_data, time_to_quality
from benchmarks.peers import ClustPy, held_out, installed_peers, skae, warm_up
from benchmarks.report import Report

SEEDS = (0, 1, 2)
# Peers are slow: they have one split, which is also the first of skae's.
PEER_SEEDS = SEEDS[:1]


def run(directory, quick):
    """The report on quality."""
    report = Report("Is the reconstruction better than that of PCA and of peers?")
    report.notes.append(data.described(directory))
    sets = [table.capped(data.MAX_ROWS) for table in data.tables(directory)]
    sets += data.images(directory)
    seeds = SEEDS
    if quick:
        sets = [s.capped(data.QUICK_ROWS) for s in (*sets[:-1][:2], sets[-1])]
        seeds = SEEDS[:1]
    peers, notes = installed_peers()
    report.notes += notes
    fits = _fit_all(sets, [skae(), *peers], seeds)
    _report_ratios(report, sets, fits)
    _report_totals(report, sets, fits)
    time_to_quality.add(report, sets, fits)
    hard_data.add(report, sets, data.faces(directory), seeds)
    return report


def _fit_all(sets, methods, seeds):
    """Fits by method and set, one for each seed; the methods take turns."""
    warm_up(methods)
    fits = {method.name: {} for method in methods}
    for dataset in sets:
        for method in methods:
            its_seeds = seeds if method.name == "skae" else PEER_SEEDS
            fits[method.name][dataset.name] = [
                held_out(method, *dataset.split(seed)[:2], dataset.code_size, seed)
                for seed in its_seeds
            ]
    return fits


def _ratios(fits_of_sets):
    """Error over PCA's by set, the median of the seeds."""
    return {
        name: median(fit.ratio for fit in fits) for name, fits in fits_of_sets.items()
    }


def _total_seconds(fits_of_sets):
    """Seconds for all sets, of each the median of the seeds."""
    return sum(median(fit.seconds for fit in fits) for fits in fits_of_sets.values())


def _report_ratios(report, sets, fits):
    ratios = {name: _ratios(of_sets) for name, of_sets in fits.items()}
    rows = []
    for dataset in sets:
        in_set = [of_sets[dataset.name] for of_sets in ratios.values()]
        rows.append([dataset.name, *dataset.X.shape, dataset.code_size, *in_set])
    report.table(
        "Held-out squared error over PCA's",
        ["set", "rows", "columns", "code", *ratios],
        rows,
        f"Seeds: {len(fits['skae'][sets[0].name])} for skae, of which the median "
        f"counts, {len(PEER_SEEDS)} for peers; a quarter of the rows is held out. "
        "Tables are standardised, images in [0, 1]. ClustPy: layers d, 256, 128, code. "
        "PyOD: its code has 32 numbers on all sets. MLPRegressor: from X to X, hidden "
        "layers 256, 128, code, 128, 256. All else is as each comes.",
    )


def _report_totals(report, sets, fits):
    reference = fits.get(ClustPy.name)
    rows = []
    for name, of_sets in fits.items():
        ratios, total = _ratios(of_sets), _total_seconds(of_sets)
        worst = max(ratios, key=ratios.get)
        mean = geometric_mean(ratios.values())
        share = total / _total_seconds(reference) if reference else None
        rows.append([name, mean, ratios[worst], worst, total, share])
    report.table(
        "All sets together",
        ["", "geometric mean", "worst", "on", "seconds to fit", "over ClustPy's"],
        rows,
    )
    _, mean, worst, _, _, share = rows[0]
    report.bar("error over PCA's, geometric mean", mean, 0.35)
    report.bar("error over PCA's, worst set", worst, 1.0)
    report.bar("seconds to fit all sets over ClustPy's", share, 0.2)
