"""What the results say in a line each: the page's summary.

Figures are read from the results, and so is who is ahead. What it means to a user is
written here.
"""

from statistics import fmean, geometric_mean

from benchmarks.findings import Finding, Results, brief
from benchmarks.table_data import KEPT_ASIDE

# Marks figures of sets that defaults were chosen on.
CHOSEN = "\N{DAGGER}"
SKAE, CLUSTPY, PYOD, MLP = "skae", "ClustPy", "PyOD", "MLPRegressor"
DENOISING = "skae, denoising"
BOOSTING = "gradient boosting per column"


def summary():
    """All findings, in the order of the page."""
    results = Results()
    makers = _reconstruction, _features, _repair, _outliers, _new_rows, _costs
    return [finding for make in makers for finding in make(results)]


def _reconstruction(results):
    totals = {row[""]: row for row in results.rows("quality", "All sets together")}
    mean = {name: row["geometric mean"] for name, row in totals.items()}
    times = {name: row["seconds to fit"] for name, row in totals.items()}
    yield Finding(
        "quality",
        f"Error over PCA's, 23 sets {CHOSEN}",
        mean[SKAE],
        CLUSTPY,
        mean[CLUSTPY],
        f"On no set above PCA's: the worst has {totals[SKAE]['worst']:.2f}, ClustPy's "
        f"worst {totals[CLUSTPY]['worst']:.2f}.",
    )
    aside = "Tables kept aside: held-out squared error over PCA's"
    means, medians, worst = (
        results.cells("quality_aside", aside, set=name)
        for name in ("geometric mean", "median", "worst")
    )
    best = min((CLUSTPY, PYOD, MLP), key=means.get)
    yield Finding(
        "quality_aside",
        "Error over PCA's, 13 tables kept aside",
        means[SKAE],
        best,
        means[best],
        f"Half of the tables have more than {medians[SKAE]:.2f}, the worst has "
        f"{worst[SKAE]:.2f}: PCA itself.",
    )
    yield Finding(
        "quality",
        "Seconds to fit the 23 sets",
        times[SKAE],
        CLUSTPY,
        times[CLUSTPY],
        f"{times[SKAE] / times[CLUSTPY]:.2f} times those of the peer with as little "
        f"error. PyOD takes {times[PYOD]:.0f}, for an error of {mean[PYOD]:.2f} of "
        "PCA's. PCA takes next to nothing.",
    )
    title = "Few rows of tables kept aside: held-out squared error over PCA's"
    few = {row["training rows"]: row for row in results.rows("quality_aside", title)}
    yield Finding(
        "quality_aside",
        "Error over PCA's, 110 rows of tables kept aside",
        few[110]["geometric mean"],
        "PCA",
        1.0,
        f"With 400 rows {few[400]['geometric mean']:.2f}. The worst of "
        f"{few[110]['fits']} fits to 110 rows has {few[110]['worst']:.2f}.",
    )


def _features(results):
    title = "Mean accuracy of both classifiers, few labels and all"
    rows = {row[""]: row for row in results.rows("features", title)}
    faces = rows["faces"]
    yield Finding(
        "features",
        f"Accuracy on codes, four sets of images {CHOSEN}",
        rows["mean"][DENOISING],
        "pixels",
        rows["mean"]["pixels"],
        "Denoising codes help on digits and MNIST, most of all with few labels. On "
        f"faces, kept aside, they are behind PCA: {faces[DENOISING]:.2f}, "
        f"{faces['PCA']:.2f}.",
        higher=True,
    )
    (means,) = results.rows("tables_features", "Mean over tables and numbers of labels")
    yield Finding(
        "tables_features",
        f"Area under the ROC curve on codes, ten mixed tables {CHOSEN}",
        means[DENOISING],
        "PCA",
        means["PCA"],
        "On tables codes are no better features than PCA's, in the mean. Compare on "
        "your own.",
        higher=True,
    )
    title = "Area under the ROC curve on Adult, codes of 16"
    adult = {row[""]: row["all labels"] for row in results.rows("features", title)}
    yield Finding(
        "features",
        "The same, a census as zeros and ones (Adult)",
        adult[SKAE],
        "columns",
        adult["columns"],
        "Keep the columns where a linear model reads them well.",
        higher=True,
    )
    title = "MNIST, 10 nearest: share that has the query's label"
    row = results.cells("retrieval", title, code="int8", bytes=16)
    yield Finding(
        "retrieval",
        "Neighbours of the query's kind, MNIST, 16 bytes",
        row["denoising, plain"],
        "PCA",
        row["PCA, plain"],
        "Short codes find more of the same kind. Faces need images that are shifted.",
        higher=True,
    )


def _repair(results):
    linear = ("PCA, tuned", "linear map (Wiener)")
    (ours, theirs), (ours_chosen, theirs_chosen) = (
        (
            fmean(row[SKAE] for row in rows),
            fmean(max(map(row.get, linear)) for row in rows),
        )
        for rows in (
            [
                row
                for name in sets
                for row in results.rows("denoising", f"Restored {name}, PSNR in dB")
            ]
            for sets in (("faces",), ("digits", "MNIST"))
        )
    )
    yield Finding(
        "denoising",
        "Signal to noise of restored faces, kept aside, in dB",
        ours,
        "the better linear map",
        theirs,
        f"On digits and MNIST {CHOSEN}: {brief(ours_chosen)}, {brief(theirs_chosen)}. "
        "The kind of damage has to be named, and rows without it to train on.",
        higher=True,
        within=0.2,
    )
    rows = {row[""]: row for row in results.rows("tables", "Mixed tables: error")}
    of_aside = {
        name: geometric_mean(rows[table][name] for table in KEPT_ASIDE)
        for name in (SKAE, BOOSTING)
    }
    means, seconds = rows["geometric mean"], rows["seconds"]
    yield Finding(
        "tables",
        "Holes filled, error over that of mean or mode, four mixed tables kept aside",
        of_aside[SKAE],
        "boosting per column",
        of_aside[BOOSTING],
        "One model fills all columns as well as a model for each, in "
        f"{seconds[SKAE] / seconds[BOOSTING]:.2f} times the seconds. All ten {CHOSEN}: "
        f"{brief(means[SKAE])}, {brief(means[BOOSTING])}.",
    )
    rows = {row[""]: row for row in results.rows("tables", "Numeric tables: error")}
    yield Finding(
        "tables",
        f"The same, 21 tables of numbers {CHOSEN}",
        rows["geometric mean"][SKAE],
        "KNNImputer",
        rows["geometric mean"]["KNNImputer"],
        f"In {rows['seconds'][SKAE]:.0f} seconds instead of "
        f"{rows['seconds']['KNNImputer']:.0f}.",
    )


def _outliers(results):
    words = {
        "novelty": "trained on normal rows",
        "contaminated": "with outliers among the training rows",
    }
    meanings = {
        "novelty": "skae adds a threshold and reasons; neighbours are faster.",
        "contaminated": "Try IsolationForest as well, in a tenth of the seconds.",
    }
    for protocol, trained in words.items():
        chosen, aside = (
            {
                row["method"]: row["AUROC"]
                for row in results.rows(
                    "detection", f"Means, {protocol}, tables {group}"
                )
            }
            for group in ("chosen on", "kept aside")
        )
        best = max((m for m in aside if not m.startswith(SKAE)), key=aside.get)
        ours = f"{SKAE}, combined"
        yield Finding(
            "detection",
            f"Outliers, AUROC, {trained}, 15 tables kept aside",
            aside[ours],
            best,
            aside[best],
            f"On 21 tables {CHOSEN}: {brief(chosen[ours])}, {brief(chosen[best])}. "
            f"{meanings[protocol]}",
            higher=True,
        )
    title = "Share of replaced features that are ranked first, tables kept aside"
    means = results.rows("detection", title)[-1]
    yield Finding(
        "detection",
        "Reasons: the replaced feature comes first, 15 tables kept aside",
        means["feature_scores"],
        "squared errors",
        means["raw squared errors"],
        f"By chance it would be {means['by chance']:.2f}.",
        higher=True,
    )
    means = results.rows("tables_detection", "AUROC, novelty")[-1]
    dirty = results.rows("tables_detection", "AUROC, contaminated")[-1]
    yield Finding(
        "tables_detection",
        f"Odd cells of ten mixed tables, AUROC {CHOSEN}",
        means[SKAE],
        "boosting per column",
        means[BOOSTING],
        "Ahead of every detector. A model per column finds more after training on "
        "clean rows, but is lost where these are not clean: "
        f"{dirty[BOOSTING]:.2f}, skae {dirty[SKAE]:.2f}.",
        higher=True,
    )
    title = "Three failures after training: hours from the first alarm to the failure"
    rows = {
        (row["detector"], row["window, hours"], row["alpha"]): row
        for row in results.rows("machine", title)
    }
    ours, theirs = (rows[name, 6, 0.05] for name in (SKAE, "5-NN"))
    weekly = "false alarms a week"
    yield Finding(
        "machine",
        f"False alarms a week of a machine, 2 of 3 failures found {CHOSEN}",
        ours[weekly],
        "5-NN, 2 of 3 as well",
        theirs[weekly],
        "One sensor is best watched by neighbours. On made machines of four sensors "
        "skae finds all failures, neighbours miss two of five of one kind.",
    )


def _new_rows(results):
    names = ("18_Ionosphere", "29_Pima", "4_breastw")
    nll = {
        method: fmean(
            results.cells("variational", name, method=method)["NLL"] for name in names
        )
        for method in (SKAE, "PPCA", "factor analysis", "mixture")
    }
    best = min((name for name in nll if name != SKAE), key=nll.get)
    yield Finding(
        "variational",
        "Minus log-likelihood of a new row in nats, three tables kept aside",
        nll[SKAE],
        best,
        nll[best],
        f"Probabilistic PCA has {nll['PPCA']:.2f}. On some tables a mixture of "
        "Gaussians is likelier.",
    )
    means = results.rows("tables_sampling", "learned")[-1]
    yield Finding(
        "tables_sampling",
        f"Made-up tables: area of a classifier that learned from them {CHOSEN}",
        means[SKAE],
        "TVAE",
        means["TVAE"],
        f"Real rows teach {means['real rows']:.2f}.",
        higher=True,
    )
    title = "Bytes of a row at equal errors, machine_temperature"
    ratios = [row["ratio to PCA"] for row in results.rows("compression", title)]
    yield Finding(
        "compression",
        "Bytes of an image of MNIST over those of PCA's codes",
        results.bar("compression", "MNIST: geometric mean of these ratios"),
        "PCA",
        1.0,
        "Models are not counted. On a series of readings PCA compresses better: "
        f"{geometric_mean(ratios):.2f}.",
    )


def _costs(results):
    title = "Seconds to fit"
    case = "10,000 x 784, batch 256, 30 epochs"
    fit = results.cells("speed", title, rows=case)
    yield Finding(
        "speed",
        "Seconds to fit 10,000 images of 784 pixels, 30 epochs",
        fit[SKAE],
        MLP,
        fit[MLP],
        "The same hidden layers; skae trains linear maps beside them.",
    )
    (row,) = results.rows("speed", "Microseconds to transform one row of digits")
    alone = results.rows("deploy", "One row")[1]
    yield Finding(
        "speed",
        "Microseconds to transform one row",
        row[SKAE],
        "PCA",
        row["PCA"],
        f"With skae.inference, without PyTorch: {alone['microseconds']:.0f}.",
    )
    title = "From the start of a process to a loaded encoder"
    starts = {row[""]: row["seconds"] for row in results.rows("deploy", title)}
    yield Finding(
        "deploy",
        "Seconds until a new process has loaded an encoder",
        starts["skae.inference, numpy"],
        "onnxruntime",
        starts["onnxruntime"],
        f"With PyTorch it takes {starts['skae, PyTorch']:.0f}.",
    )
    yield Finding(
        "scale",
        "Peak GB, ten million rows of 100 columns from files",
        results.bar("scale", "peak GB, 10,000,000 rows"),
        None,
        None,
        "Rows need not fit into memory, which costs neither seconds nor error.",
    )
    yield Finding(
        "parallel",
        "Rows a second of two workers over those of one",
        results.bar("parallel", "speed-up, by the clock"),
        None,
        None,
        "On cores that other processes used as well; "
        f"{results.bar('parallel', 'speed-up, by processor time'):.2f} without these.",
        higher=True,
    )
