"""What the results say in a line each, beside the best peer: the page's summary.

Figures are read from the results, and so is who is ahead. What it means to a user is
written here.
"""

import json
from dataclasses import dataclass
from statistics import fmean, geometric_mean

from benchmarks.report import RESULTS, shown
from benchmarks.table_data import KEPT_ASIDE

# Marks figures of sets that defaults were chosen on.
CHOSEN = "\N{DAGGER}"
SKAE, CLUSTPY, PYOD, MLP = "skae", "ClustPy", "PyOD", "MLPRegressor"
DENOISING = "skae, denoising"
BOOSTING = "gradient boosting per column"


@dataclass(frozen=True)
class Finding:
    """A question, the figures of both, and what they mean.

    `within` is the difference that is none: a share of the peer's figure, or, of
    scores that are higher if they are better, a difference. Seconds and sizes of what
    nobody else does have no peer.
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
        """Who is ahead, or nothing where there is no peer."""
        if self.theirs is None:
            return ""
        gain = self.theirs - self.ours
        if self.higher:
            gain, unit = -gain, 1.0
        else:
            unit = self.theirs
        if abs(gain) <= self.within * unit:
            return "Level"
        return "Ahead" if gain > 0 else "Behind"

    def row(self):
        theirs = None
        if self.theirs is not None:
            theirs = f"{shown(self.theirs)} {self.peer}"
        words = (
            f"**{self.standing}.** {self.meaning}" if self.standing else self.meaning
        )
        return [self.asked, shown(self.ours), theirs, words]


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


def findings():
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
        f"Two fifths of PCA's error. Never above PCA's: the worst set has "
        f"{totals[SKAE]['worst']:.2f}, ClustPy's worst {totals[CLUSTPY]['worst']:.2f}.",
    )
    aside = "Tables kept aside: held-out squared error over PCA's"
    means, worst = (
        results.cells("quality_aside", aside, set=name)
        for name in ("geometric mean", "worst")
    )
    best = min((CLUSTPY, PYOD, MLP), key=means.get)
    yield Finding(
        "quality_aside",
        "Error over PCA's, 13 tables kept aside",
        means[SKAE],
        best,
        means[best],
        "What to expect on tables of your own: the worst has "
        f"{worst[SKAE]:.2f}, {best}'s worst {worst[best]:.2f}.",
    )
    yield Finding(
        "quality",
        "Seconds to fit the 23 sets",
        times[SKAE],
        CLUSTPY,
        times[CLUSTPY],
        f"{times[SKAE] / times[CLUSTPY]:.2f} of the seconds of the peer that reconstructs "
        f"as well. PyOD takes {times[PYOD]:.0f}, for an error of {mean[PYOD]:.2f} of PCA's. PCA itself "
        "takes next to nothing.",
    )
    few = results.cells("few_rows", "Few rows", rows=110)["skae: error over PCA's"]
    share = results.bar("few_rows", "share of fits above 1.01")
    yield Finding(
        "few_rows",
        f"Error over PCA's, 110 rows {CHOSEN}",
        few,
        "PCA",
        1.0,
        f"Worth it from a hundred rows. {share:.1%} of fits to few rows are more than "
        "1 % worse than PCA.",
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
        within=0.005,
    )
    (means,) = results.rows("tables_features", "Mean over tables and numbers of labels")
    yield Finding(
        "tables_features",
        "Area under the ROC curve on codes, ten mixed tables",
        means[DENOISING],
        "PCA",
        means["PCA"],
        "On tables codes are no better features than PCA's, in the mean. Compare on "
        "your own.",
        higher=True,
        within=0.005,
    )
    adult = {
        row[""]: row["all labels"]
        for row in results.rows(
            "features", "Area under the ROC curve on Adult, codes of 16"
        )
    }
    yield Finding(
        "features",
        "The same, a census as zeros and ones",
        adult[SKAE],
        "columns",
        adult["columns"],
        "Keep the columns where a linear model reads them well.",
        higher=True,
        within=0.005,
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
        within=0.005,
    )


def _repair(results):
    for sets, name in ((("digits", "MNIST"), f"digits and MNIST {CHOSEN}"),
                       (("faces",), "faces, kept aside")):  # fmt: skip
        rows = [
            row
            for set_name in sets
            for row in results.rows("denoising", f"Restored {set_name}, PSNR in dB")
        ]
        linear = ("PCA, tuned", "linear map (Wiener)")
        yield Finding(
            "denoising",
            f"Restored images, dB, {name}",
            fmean(row[SKAE] for row in rows),
            "the better linear map",
            fmean(max(row[method] for method in linear) for row in rows),
            "Clean images are needed to train on, and the kind of damage has to be "
            "named. A convolutional network gains more still on MNIST.",
            higher=True,
            within=0.1,
        )
    title = "Mixed tables: error"
    rows = {row[""]: row for row in results.rows("tables", title)}
    seconds = rows["seconds"][SKAE] / rows["seconds"][BOOSTING]
    yield Finding(
        "tables",
        f"Holes filled, ten mixed tables {CHOSEN}",
        rows["geometric mean"][SKAE],
        "boosting",
        rows["geometric mean"][BOOSTING],
        f"As a model for each column, in {seconds:.2f} of its seconds. One model fills "
        "all, and draws several fillings.",
    )
    of_aside = {
        name: geometric_mean(rows[table][name] for table in KEPT_ASIDE)
        for name in (SKAE, BOOSTING)
    }
    yield Finding(
        "tables",
        "The same, four tables kept aside",
        of_aside[SKAE],
        "boosting",
        of_aside[BOOSTING],
        "The same where nothing was chosen. 1 is the mean or the commonest level.",
    )
    rows = {row[""]: row for row in results.rows("tables", "Numeric tables: error")}
    yield Finding(
        "tables",
        f"Holes filled, tables of numbers {CHOSEN}",
        rows["geometric mean"][SKAE],
        "KNNImputer",
        rows["geometric mean"]["KNNImputer"],
        f"In {rows['seconds'][SKAE]:.0f} seconds instead of "
        f"{rows['seconds']['KNNImputer']:.0f}.",
    )


def _outliers(results):
    words = {
        "novelty": "Trained on normal rows. As nearest neighbours find them; skae has "
        "a threshold and reasons, neighbours are faster.",
        "contaminated": "Outliers among the training rows.",
    }
    for protocol, meaning in words.items():
        for group in ("chosen on", "kept aside"):
            means = {
                row["method"]: row["AUROC"]
                for row in results.rows(
                    "detection", f"Means, {protocol}, tables {group}"
                )
            }
            peers = [name for name in means if not name.startswith(SKAE)]
            best = max(peers, key=means.get)
            count = len(results.rows("detection", f"AUROC, {protocol}, tables {group}"))
            mark = f" {CHOSEN}" if group == "chosen on" else " kept aside"
            if protocol == "contaminated" and group == "kept aside":
                meaning += " Try IsolationForest as well: it takes a tenth of the time."
            yield Finding(
                "detection",
                f"Outliers, AUROC, {protocol}, {count - 1} tables{mark}",
                means[f"{SKAE}, combined"],
                best,
                means[best],
                meaning,
                higher=True,
                within=0.005,
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
        within=0.005,
    )
    means = results.rows("tables_detection", "AUROC, novelty")[-1]
    dirty = results.rows("tables_detection", "AUROC, contaminated")[-1]
    yield Finding(
        "tables_detection",
        "Odd cells of mixed tables, AUROC",
        means[SKAE],
        "boosting",
        means[BOOSTING],
        f"Ahead of every detector. A model per column finds more after training on "
        f"clean rows, and less on the rows that are scored: {dirty[BOOSTING]:.2f}, skae "
        f"{dirty[SKAE]:.2f}.",
        higher=True,
        within=0.005,
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
        "Nats of a new row, three tables kept aside (less is better)",
        nll[SKAE],
        best,
        nll[best],
        f"Probabilistic PCA has {nll['PPCA']:.2f}. For a few hundred rows of numbers "
        "take factor analysis or a mixture.",
    )
    means = results.rows("tables_sampling", "learned")[-1]
    yield Finding(
        "tables_sampling",
        "Made-up tables: area of a classifier that learned from them",
        means[SKAE],
        "TVAE",
        means["TVAE"],
        f"Real rows teach {means['real rows']:.2f}.",
        higher=True,
        within=0.005,
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
    starts = {
        row[""]: row["seconds"]
        for row in results.rows(
            "deploy", "From the start of a process to a loaded encoder"
        )
    }
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
        "On two cores that other processes used as well; "
        f"{results.bar('parallel', 'speed-up, by processor time'):.2f} without these.",
    )
