"""The sections of a report, each of what an estimator has."""

import numpy as np

from skae._tables.compared import column_means
from skae._tables.rows import sampled, taken
from skae.plotting import (
    AlarmDisplay,
    CodeDisplay,
    LossCurveDisplay,
    ReconstructionDisplay,
)
from skae.plotting._given import score_label
from skae.plotting._times import times_of
from skae.reports._hidden import hidden_errors
from skae.reports._html import Bar, Picture, Section, Table
from skae.reports._pictures import drawn
from skae.reports._warnings import variance_shares
from skae.reports._words import counted, percent

# What a page has room for.
_MOST_POINTS, _MOST_ROWS, _MOST_COLUMNS, _MOST_COMPONENTS = 1500, 10, 20, 10
_MOST_NAMES, _MOST_LETTERS, _PICTURED, _REASONS = 14, 14, 6, 3
# Alarms of which it is told what makes them.
_MOST_ALARMS = 200


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
        return [*parts, sensors(subject), intervals(subject)]
    if subject.encodes:
        parts += [codes(subject), components(subject)]
    parts.insert(1, reconstructions(subject))
    if subject.fills:
        return [*parts, filling(subject)]
    return [*parts, worst_rows(subject), columns(subject)]


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
    return Section("Training", "", Picture(svg, f"Loss by epoch. {said}"))


def codes(subject):
    """A map of the codes."""
    chosen = sampled(len(subject.labels), _MOST_POINTS)
    if subject.y is None:
        colors, by = "reconstruction error", -subject.scores
    else:
        colors, by = "y", subject.y
    display = CodeDisplay(subject.codes[chosen], y=by[chosen], y_name=colors)
    caption = f"{counted(len(chosen), 'row')}, coloured by {colors}."
    what = f"Map of the codes of {caption}"
    svg = drawn("codes", lambda ax: display.plot(ax=ax), what, height=3.4)
    return Section("Codes", "", Picture(svg, caption))


def components(subject):
    """How much of the codes' variance each component has."""
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
    text = f"{size}: their variance is spread as over {n_effective:.1f} equal ones."
    if not shares.any():
        text = f"{size}, of which none varies between these rows."
    return Section("Components", text, table)


def reconstructions(subject):
    """Some rows beside what came back."""
    image_shape = subject.image_shape
    rows = taken(subject.X, sampled(len(subject.labels), _PICTURED))
    names = None
    if len(subject.names) <= _MOST_NAMES:
        names = [_shortened(name) for name in subject.names]
    display = ReconstructionDisplay(
        rows,
        subject.model.reconstruct(rows),
        image_shape=image_shape,
        feature_names=names,
        center=subject.columns.centers,
        spread=subject.columns.deviations,
    )
    caption = (
        f"{counted(len(rows), 'row')} at random: as they are, as they come back, and "
        "the difference."
    )

    height = 3.2 if image_shape is None else 2.2
    svg = drawn("rows", lambda ax: display.plot(ax=ax), caption, height=height)
    return Section("Reconstructions", "", Picture(svg, caption))


def alarms(subject):
    """Scores and the threshold."""
    caption = "Minus the scores, and the threshold beyond which there are alarms."
    times = times_of(subject.X)
    if times is None and subject.is_series:
        times = np.arange(len(subject.labels))
    display = AlarmDisplay(
        -subject.scores,
        -subject.estimator.offset_,
        is_alarm=subject.is_alarm,
        y=subject.y,
        times=times,
        score_name=score_label(subject.estimator),
    )
    svg = drawn("alarms", lambda ax: display.plot(ax=ax), caption, height=3.4)
    return Section("Alarms", "", Picture(svg, caption))


def worst_rows(subject):
    """The rows of the lowest scores, and the columns that make them so."""
    detects = subject.detects
    rows, median = [], float(np.nanmedian(-subject.scores))
    if detects:
        reasons, _ = subject.reasons
    else:
        reasons = [_errors_of(subject, i) for i in subject.worst]
    for i, why in zip(subject.worst, reasons, strict=True):
        score = float(subject.scores[i])
        if detects:
            figures = [score, "yes" if subject.is_alarm[i] else "no"]
        else:
            times = f"{-score / median:,.1f} times" if median > 0 else "none"
            figures = [-score, times]
        rows.append([subject.labels[i], *figures, why])
    figures = ["Score", "Alarm"] if detects else ["Loss", "Of the median"]
    heads = ["Row", *figures, "Why"]
    title = "Most unusual rows" if detects else "Worst rows"
    caption = "The lowest score first" if detects else "The largest loss first"
    return Section(title, "", Table(caption, heads, rows), is_wide=True)


def columns(subject):
    """How much of each column came back."""
    shares = {
        "Error": column_means(subject.relative),
        "Missing": subject.columns.missing.mean(axis=0),
    }
    if subject.detects and subject.is_alarm.any():
        rows = taken(subject.X, np.flatnonzero(subject.is_alarm)[:_MOST_ALARMS])
        of_alarms = subject.estimator.feature_scores(rows).sum(axis=0)
        shares = {"Share of alarms": of_alarms / of_alarms.sum(), **shares}
    text = (
        "Squared error of the reconstruction over the column's variance: 0 is exact, "
        "1 no better than the mean. Of categories it is the share that came back as "
        "another level, over that of always saying the commonest one."
    )
    if len(shares) > 2:
        text = f"Which columns make the alarms. {text}"
    return Section("Columns", text, _table_of_columns(subject, shares))


def filling(subject):
    """How well cells are filled, of those that are there and were hidden."""
    relative, n_hidden = hidden_errors(subject)
    text = (
        f"{counted(n_hidden, 'cell')} were hidden at random and filled: "
        "the error over the column's own variance, of categories over that of always "
        "saying the commonest one. 1 is no better than the mean. Of rows that were not "
        "in fit it may be larger."
    )
    missing = subject.columns.missing.mean(axis=0)
    table = _table_of_columns(subject, {"Error": relative, "Missing": missing})
    return Section("Filling", text, table)


def intervals(subject):
    """Alarms of a series as intervals, and the readings that make them."""
    watch = subject.estimator
    found = subject.intervals
    if not len(found):
        return Section("Why", "There was no alarm.")
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
    table = Table("The lowest score first", heads, rows)
    return Section("Why", text, table, is_wide=True)


def sensors(subject):
    """How many alarms each sensor caused."""
    found = subject.intervals
    names = subject.estimator.get_feature_names_out()
    # As the detector reads them: times may be a column anywhere.
    values = np.asarray(subject.estimator._read(subject.X).X, np.float64)
    means, missing = column_means(values), np.isnan(values).mean(axis=0)
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
    heads = ["Sensor", "Alarms caused", "Mean", "Missing"]
    return Section("Sensors", "", Table("The most alarms first", heads, rows))


def _table_of_columns(subject, figures):
    """A table of figures (d,) of columns, the largest of the first figure first."""
    heads, names, why = list(figures), subject.names, _why_unknown(subject.columns)
    # Columns of which nothing can be said are the last.
    order = np.argsort(-np.nan_to_num(figures[heads[0]], nan=-1.0), kind="stable")
    rows = [
        [names[j], *(_bar(head, v[j], why[j]) for head, v in figures.items())]
        for j in order[:_MOST_COLUMNS]
    ]
    others = order[_MOST_COLUMNS:]
    if len(others):
        means = {head: column_means(v[others, None])[0] for head, v in figures.items()}
        name = f"{counted(len(others), 'other')} on average"
        said = ", ".join(sorted(set(why[others])))
        rows.append([name, *(_bar(head, mean, said) for head, mean in means.items())])
    caption = f"Ordered by {heads[0].lower()}, the largest first"
    return Table(caption, ["Column", *heads], rows)


def _why_unknown(columns):
    """Why there may be no figures of columns: words (d,)."""
    counts = (~columns.missing).sum(axis=0)
    cases = [counts == 0, counts == 1, columns.are_constant]
    return np.select(cases, ["no value", "one value", "constant"], "not measured")


def _bar(head, value, why_unknown):
    if np.isnan(value):
        return Bar(str(why_unknown), 0.0)
    text = f"{value:.3f}" if head == "Error" else percent(value)
    return Bar(text, float(value))


def _shortened(name):
    return name if len(name) <= _MOST_LETTERS else f"{name[: _MOST_LETTERS - 1]}…"


def _errors_of(subject, i):
    """Which columns of a row have most of its error."""
    # Of a table, columns count for as much as each other.
    errors = subject.relative if subject.of_table else subject.errors
    errors = np.nan_to_num(errors[i])
    total = float(errors.sum())
    if not total > 0:
        return ["All of it came back."]
    order = np.argsort(-errors, kind="stable")[:_REASONS]
    return [
        f"{_came_back(subject, i, j)} ({percent(errors[j] / total)} of the row's error)"
        for j in order
        if errors[j] > 0
    ]


def _came_back(subject, i, j):
    """What a cell is, and what it came back as, in words."""
    name, given = subject.names[j], subject.columns.said(i, j)
    made = subject.made.said(i, j)
    if given == made:
        return f"{name} is {given}, which came back"
    return f"{name} is {given}, but came back as {made}"
