"""The sections of a report, each of what an estimator has."""

import numpy as np

from skae.plotting import (
    AlarmDisplay,
    CodeDisplay,
    LossCurveDisplay,
    ReconstructionDisplay,
)
from skae.reports._columns import mean_of_known
from skae.reports._html import Bar, Picture, Section, Table
from skae.reports._hidden import hidden_errors
from skae.reports._pictures import drawn
from skae.reports._subject import taken
from skae.reports._warnings import variance_shares
from skae.reports._words import counted, percent

# What a page has room for.
_MOST_POINTS, _MOST_ROWS, _MOST_COLUMNS, _MOST_COMPONENTS = 1500, 10, 20, 10
_REASONS = 3


def sections(subject):
    """The sections of a report.

    Parameters
    ----------
    subject : Subject

    Returns
    -------
    sections : list of Section
    """
    model = subject.model
    parts = []
    if hasattr(model, "loss_curve_"):
        parts.append(training(subject))
    if subject.detects:
        parts.append(alarms(subject))
    if subject.is_series:
        return [*parts, intervals(subject), sensors(subject)]
    if subject.encodes:
        parts.append(codes(subject))
    if hasattr(subject.estimator, "autoencoder_"):
        parts.append(filling(subject))
    return [*parts, reconstructions(subject), worst_rows(subject), columns(subject)]


def training(subject):
    """Losses by epoch."""
    model = subject.model
    kept = "PCA" if model.best_iter_ == 0 else f"Epoch {model.best_iter_}"
    said = f"{kept} was kept."
    svg = drawn(
        "training",
        lambda ax: LossCurveDisplay.from_estimator(model, ax=ax),
        f"Loss by epoch; {said}",
    )
    return Section("Training", "", [Picture(svg, f"Loss by epoch. {said}")])


def codes(subject):
    """A map of the codes, and how much of their variance each component has."""
    n_rows = len(subject.labels)
    chosen = _sample(n_rows)
    by = {"y": subject.y[chosen]} if subject.y is not None else {"color_by": "error"}
    colors = "y" if subject.y is not None else "reconstruction error"
    rows = taken(subject.X, chosen)
    svg = drawn(
        "codes",
        lambda ax: CodeDisplay.from_estimator(subject.model, rows, ax=ax, **by),
        f"Map of the codes of {counted(len(chosen), 'row')}, coloured by {colors}",
        height=4.2,
    )
    caption = f"{counted(len(chosen), 'row')}, coloured by {colors}."
    shares = variance_shares(subject.codes)
    order = np.argsort(-shares, kind="stable")[:_MOST_COMPONENTS]
    largest = shares.max() or 1.0
    table = Table(
        "Components with the most variance",
        ["Component", "Share of the codes' variance"],
        [[f"{j}", Bar(percent(float(shares[j])), shares[j] / largest)] for j in order],
    )
    size = counted(len(shares), "component")
    n_effective = float(np.exp(-np.sum(shares * np.log(np.where(shares, shares, 1)))))
    text = f"{size}, whose variance is that of about {n_effective:.1f} equal ones."
    return Section("Codes", text, [Picture(svg, caption), table])


def reconstructions(subject):
    """Some rows beside what came back."""
    network = getattr(subject.model, "network", None)
    image_shape = getattr(network, "image_shape", None)
    chosen = _sample(len(subject.labels), 6)
    rows = taken(subject.X, chosen)
    svg = drawn(
        "reconstructions",
        lambda ax: ReconstructionDisplay.from_estimator(
            subject.model, rows, image_shape=image_shape, ax=ax
        ),
        f"{counted(len(chosen), 'row')}, what came back, and the error",
        height=4.2,
    )
    text = "Rows at random, as they are and as they come back from their codes."
    return Section("Reconstructions", text, [Picture(svg, "One row below the other.")])


def alarms(subject):
    """Scores and the threshold."""
    svg = drawn(
        "alarms",
        lambda ax: AlarmDisplay.from_estimator(
            subject.estimator, subject.X, y=subject.y, ax=ax
        ),
        "Scores and the threshold below which rows are alarms",
    )
    return Section("Alarms", "", [Picture(svg, "Scores, and the threshold.")])


def worst_rows(subject):
    """The rows of the lowest scores, and the columns that make them so."""
    detects = subject.detects
    words = _explained if detects else _errors_of
    rows, median = [], float(np.nanmedian(-subject.scores))
    for i in subject.worst:
        score = float(subject.scores[i])
        if detects:
            figures = [score, "yes" if subject.is_alarm[i] else "no"]
        else:
            times = f"{-score / median:.3g} times" if median > 0 else "–"
            figures = [-score, times]
        rows.append([subject.labels[i], *figures, words(subject, i)])
    figures = ["Score", "Alarm"] if detects else ["Loss", "Of the median"]
    heads = ["Row", *figures, "Why"]
    title = "Most unusual rows" if detects else "Worst rows"
    caption = "The lowest score first" if detects else "The largest loss first"
    return Section(title, "", [Table(caption, heads, rows)])


def columns(subject):
    """How much of each column came back."""
    found = subject.columns
    relative = found.mean_relative()
    missing = found.missing.mean(axis=0)
    # Constant columns, of which nothing can be said, are the last.
    order = np.argsort(-np.nan_to_num(relative, nan=-1.0), kind="stable")
    rows = []
    for j in order[:_MOST_COLUMNS]:
        is_constant = np.isnan(relative[j])
        error = "constant" if is_constant else f"{relative[j]:.3f}"
        bar = Bar(error, 0.0 if is_constant else float(relative[j]))
        rows.append([found.names[j], bar, Bar(percent(missing[j]), missing[j])])
    others = order[_MOST_COLUMNS:]
    if len(others):
        known = relative[others][~np.isnan(relative[others])]
        mean = float(known.mean()) if len(known) else 0.0
        of_missing = float(missing[others].mean())
        name = f"{counted(len(others), 'other')}, in the mean"
        parts = Bar(f"{mean:.3f}", mean), Bar(percent(of_missing), of_missing)
        rows.append([name, *parts])
    text = (
        "Error of what came back over the column's own variance: 0 is all of it, and 1 "
        "no better than the mean. Of categories it is the share that came back as "
        "another level, over that of always saying the commonest one."
    )
    table = Table("The largest error first", ["Column", "Error", "Missing"], rows)
    return Section("Columns", text, [table])


def filling(subject):
    """How well cells are filled, of those that are there and were hidden."""
    relative, n_hidden = hidden_errors(subject)
    text = (
        f"{counted(n_hidden, 'cell')} that are there were hidden, at random, and filled: "
        "the error over the column's own variance, as below. These rows may have been "
        "in fit; of others the error is larger."
    )
    order = np.argsort(-np.nan_to_num(relative, nan=-1.0), kind="stable")
    rows = [
        [subject.names[j], Bar(f"{relative[j]:.3f}", float(relative[j]))]
        for j in order[:_MOST_COLUMNS]
        if not np.isnan(relative[j])
    ]
    if not rows:
        return Section("Filling", "No cell could be hidden.", [])
    n_others = np.count_nonzero(~np.isnan(relative)) - len(rows)
    caption = "The largest error first"
    caption += f"; {counted(n_others, 'other')} not shown" if n_others else ""
    return Section("Filling", text, [Table(caption, ["Column", "Error"], rows)])


def intervals(subject):
    """Alarms of a series as intervals, and the readings that make them."""
    watch = subject.estimator
    found = watch.alarms(subject.X)
    if not len(found):
        return Section("Why", "There was no alarm.", [])
    reasons = {}
    if hasattr(watch, "explain"):
        for alarm, message in watch.explain(subject.X)[["alarm", "message"]].to_numpy():
            reasons.setdefault(alarm, []).append(str(message))
    shown = found.sort_values("score", kind="stable").head(_MOST_ROWS)
    rows = [
        [str(line["start"]), str(line["end"]), float(line["score"]), reasons.get(i, [])]
        for i, line in shown.iterrows()
    ]
    text = f"{counted(len(found), 'alarm')}, each of times that follow each other."
    heads = ["From", "To", "Lowest score", "Why"]
    return Section("Why", text, [Table("The lowest score first", heads, rows)])


def sensors(subject):
    """How often each sensor makes alarms."""
    found = subject.estimator.alarms(subject.X)
    names = subject.estimator.get_feature_names_out()
    values = np.asarray(subject.X, np.float64).reshape(len(subject.labels), -1)
    values = values[:, -len(names) :]
    means, missing = mean_of_known(values), np.isnan(values).mean(axis=0)
    counts = np.zeros(len(names), int)
    if "sensor" in found:
        counts = np.array([(found["sensor"] == name).sum() for name in names])
    most = counts.max() or 1
    order = np.argsort(-counts, kind="stable")[:_MOST_COLUMNS]
    rows = [
        [
            str(names[j]),
            Bar(f"{counts[j]:,}", counts[j] / most),
            float(means[j]),
            Bar(percent(missing[j]), missing[j]),
        ]
        for j in order
    ]
    heads = ["Sensor", "Alarms that it makes", "Mean", "Missing"]
    return Section("Sensors", "", [Table("The most alarms first", heads, rows)])


def _explained(subject, i):
    """What a detector says of a row."""
    row = taken(subject.X, np.array([i]))
    return subject.estimator.explain(row, _REASONS)["message"].tolist()


def _errors_of(subject, i):
    """Which columns of a row have most of its error."""
    columns = subject.columns
    # Of a table, columns count for as much as each other.
    errors = columns.relative if columns.are_levels.any() else columns.errors
    errors = np.nan_to_num(errors[i])
    total = float(errors.sum())
    if not total > 0:
        return ["All of it came back."]
    order = np.argsort(-errors, kind="stable")[:_REASONS]
    return [
        f"{columns.said(i, j)} ({percent(errors[j] / total)} of the row's error)"
        for j in order
        if errors[j] > 0
    ]


def _sample(n_rows, most=_MOST_POINTS):
    """Numbers of at most so many rows, random ones but always the same."""
    if n_rows <= most:
        return np.arange(n_rows)
    return np.sort(np.random.default_rng(0).choice(n_rows, most, replace=False))
