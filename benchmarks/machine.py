"""Does the detector find the failures of a real machine, how early, at what cost?"""

import json
from pathlib import Path

import numpy as np
import pandas as pd
from sklearn.model_selection import KFold
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from benchmarks.report import Report
from skae import AutoencoderOutlierDetector
from skae.detection import WindowedDetector, cut_windows

FOLDER = "machine_temperature"
PICTURE = Path(__file__).parents[1] / "docs" / "_static" / "machine_temperature.png"
# Of the readings, the first ones: the probationary period of the Numenta benchmark.
TRAINING_SHARE = 0.15
PER_HOUR = 12
HOURS = 3, 6, 12, 24
RULES = (1, 1), (3, 4), (6, 8)
SHOWN = 12, (3, 4)  # chosen from the table
MONTH = pd.Timedelta(days=30.4)


def run(directory, quick):
    """The report on the machine-temperature series, and its picture."""
    report = Report("Does the detector find the failures of a real machine?")
    folder = directory and Path(directory, FOLDER)
    if not folder or not folder.is_dir():
        report.notes.append(f"Left out: needs --data DIR with {FOLDER}/.")
        return report
    series, failures = _load(folder)
    n_train = int(TRAINING_SHARE * len(series))
    report.notes.append(
        f"One sensor, {len(series):,} readings at 5 minutes, {len(failures)} failures "
        "labelled by engineers. Trained on the first "
        f"{TRAINING_SHARE:.0%}, in which the first failure lies, without labels."
    )
    rows = []
    for hours in HOURS[2:3] if quick else HOURS:
        watch = _fitted(series[:n_train], hours)
        for rule in RULES:
            watch[-1].set_params(n_required=rule[0], n_recent=rule[1])
            is_alarm = watch.predict(series.to_frame()) == -1
            found, per_month = _judged(is_alarm, series.index, failures, n_train)
            rows.append([hours, f"{rule[0]} of {rule[1]}", *found, per_month])
            if (hours, rule) == SHOWN:
                _add_bars(report, found, per_month)
                if not quick:
                    _draw(watch, series, failures, is_alarm, n_train)
    report.table(
        "Hours from the start of each labelled window to the first alarm in it",
        ["window, hours", "alarm", "1 (in training)", *range(2, len(failures) + 1),
         "false alarms a month"],
        rows,
        "Labelled windows are 47 hours long, the failure in their middle. An alarm "
        "needs so many of the latest windows, one each 30 or 60 minutes. False alarms "
        "lie outside of labelled windows, after training; those less than a day apart "
        "count once. alpha is 0.01. The picture's setting was chosen from this table.",
    )  # fmt: skip
    return report


def _load(folder):
    """Readings by time, and the labelled windows."""
    frame = pd.read_csv(
        folder / "machine_temperature_system_failure.csv", parse_dates=["timestamp"]
    )
    windows = json.loads((folder / "windows.json").read_text())
    failures = [tuple(map(pd.Timestamp, window)) for window in windows]
    return frame.set_index("timestamp")["value"], failures


def _fitted(series, hours):
    # Windows overlap: whole stretches of time are held out.
    detector = AutoencoderOutlierDetector(cv=KFold(2), random_state=0)
    length = hours * PER_HOUR
    watch = WindowedDetector(detector, length=length, stride=max(6, length // 12))
    return make_pipeline(StandardScaler(), watch).fit(series.to_frame())


def _judged(is_alarm, times, failures, n_train):
    """Hours to the first alarm in each labelled window, and false alarms a month."""
    is_labelled = np.zeros(len(times), bool)
    found = []
    for start, end in failures:
        inside = (times >= start) & (times <= end)
        is_labelled |= inside
        hits = times[is_alarm & inside]
        found.append((hits[0] - start) / pd.Timedelta(hours=1) if len(hits) else None)
    is_new = (np.arange(len(times)) >= n_train) & ~is_labelled
    false = times[is_alarm & is_new].to_series()
    count = int((false.diff() > pd.Timedelta(days=1)).sum()) + bool(len(false))
    return found, count / (is_new.sum() * pd.Timedelta(minutes=5) / MONTH)


def _add_bars(report, found, per_month):
    hours, rule = SHOWN
    shown = f"windows of {hours} hours, {rule[0]} of {rule[1]}"
    new = found[1:]
    missed = sum(found is None for found in new)
    report.bar(f"failures after training that are missed, {shown}", missed, 0)
    report.bar(f"false alarms a month, {shown}", per_month, 4.0)


def _draw(watch, series, failures, is_alarm, n_train):
    import matplotlib.pyplot as plt

    model, scaled = watch[-1], watch[:-1].transform(series.to_frame())
    scores = watch.score_samples(series.to_frame())
    of_cells = model.detector_.feature_scores(
        cut_windows(scaled, model.length, model.stride)
    )
    by_hour = of_cells.reshape(len(of_cells), -1, PER_HOUR).sum(2)  # (windows, hours)
    size = np.log10(by_hour / np.median(by_hour))
    fig, axes = plt.subplots(
        3, sharex=True, figsize=(11, 7), layout="constrained", height_ratios=[3, 3, 2]
    )
    times = series.index
    axes[0].plot(times, series, color="0.3", linewidth=0.6)
    axes[0].set_ylabel("temperature")
    axes[1].plot(times, -scores, color="C0", linewidth=0.7, label="surprisal")
    axes[1].axhline(-model.offset_, color="C3", label="threshold, alpha 1 %")
    axes[1].plot(
        times[is_alarm], np.full(is_alarm.sum(), -1.0), "|", color="C3", label="alarm"
    )
    axes[1].set_ylabel("nats")
    axes[1].set_ylim(-2, 22)
    ends = times[model.length - 1 :: model.stride][: len(size)]
    ago = np.arange(size.shape[1])[::-1] + 0.5
    mesh = axes[2].pcolormesh(ends, ago, size.T, cmap="Reds", vmin=0.5, vmax=3.5)
    fig.colorbar(mesh, ax=axes[2], label="times the usual, log10", aspect=10)
    axes[2].set(ylabel="hours ago", xlabel="date")
    for ax in axes:
        for i, (start, end) in enumerate(failures):
            label = "labelled failure" if i == 0 and ax is axes[1] else None
            color = {"color": "C1", "alpha": 0.25, "linewidth": 0}
            if ax is not axes[2]:
                ax.axvspan(start, end, label=label, **color)
        ax.axvline(times[n_train], color="k", linestyle=":")
    axes[0].text(times[n_train], series.min(), "trained on ", ha="right")
    axes[1].legend(loc="upper left", ncols=4, fontsize=9)
    axes[0].set_title("Sensor of a machine, 5-minute readings")
    axes[1].set_title("How unusual the last 12 hours are")
    axes[2].set_title("Which of these hours make them so: squared errors of each")
    PICTURE.parent.mkdir(exist_ok=True)
    fig.savefig(PICTURE, dpi=100)
    plt.close(fig)
