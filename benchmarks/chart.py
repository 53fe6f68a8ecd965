"""The chart of the page: errors and seconds of skae and its peers, beside PCA."""

from pathlib import Path

from benchmarks.findings import CHOSEN, CLUSTPY, MLP, PYOD, SKAE, Results
from benchmarks.summary_codes import ASIDE, SUMS

PATH = Path(__file__).parents[1] / "docs" / "_static" / "benchmarks.png"
# With labels; whatever is asked for, PyOD's code has 32 numbers.
METHODS = {name: name for name in (SKAE, CLUSTPY, MLP)}
METHODS[PYOD] = "PyOD,\ncode of 32"
BLUE, GREY = "#1f6fb4", "#6e7781"


def draw(path=PATH):
    """Draw the chart from the latest results, and return its path."""
    import matplotlib

    matplotlib.use("agg")
    import matplotlib.pyplot as plt

    results = Results()
    totals = results.by_name("quality", "All sets together")
    aside = results.by_name("quality_aside", ASIDE)
    count = len(results.rows("quality", "Held-out squared error over PCA's"))
    labels = {name: label for name, label in METHODS.items() if name in totals}
    errors = {
        f"{len(aside) - len(SUMS)} tables kept aside": [
            aside["geometric mean"][name] for name in labels
        ],
        f"{count} sets that defaults were chosen on {CHOSEN}": [
            totals[name]["geometric mean"] for name in labels
        ],
    }
    seconds = {"": [totals[name]["seconds to fit"] for name in labels]}
    with plt.rc_context({"font.size": 9}):
        figure, (left, right) = plt.subplots(
            1, 2, figsize=(7.6, 3.5), layout="constrained", width_ratios=[1.5, 1]
        )
        _draw_bars(left, labels, errors, "{:.2f}")
        left.axvline(1, color="black", linewidth=1)
        left.text(1.02, -0.75, "PCA", va="center")
        left.set_title("Error on new rows over PCA's", weight="bold", fontsize=10)
        left.set_xlabel("geometric mean, shorter is better")
        # Outside: bars reach from one side to the other.
        figure.legend(frameon=False, loc="outside lower left", ncols=2)
        _draw_bars(right, labels, seconds, "{:.0f}")
        right.set_title(f"Seconds to fit the {count} sets", weight="bold", fontsize=10)
        right.set_xlabel("one thread, shorter is better")
        figure.savefig(path, dpi=200, facecolor="white", metadata={"Software": None})
        plt.close(figure)
    return path


def _draw_bars(ax, labels, groups, form):
    """Bars of each method, side by side for each group, the last group's paler."""
    height = 0.8 / len(groups)
    for i, (label, values) in enumerate(groups.items()):
        places = [j + (i - (len(groups) - 1) / 2) * height for j in range(len(values))]
        colors = [BLUE if name == SKAE else GREY for name in labels]
        alpha = 0.45 if i else 1.0
        bars = ax.barh(places, values, 0.92 * height, color=colors, alpha=alpha)
        ax.bar_label(bars, [form.format(value) for value in values], padding=3)
        # The legend tells groups by how dark they are, whatever the method.
        if label:
            ax.barh([0], [0], color=GREY, alpha=alpha, label=label)
    ax.set_yticks(range(len(labels)), labels=labels.values())
    ax.set_ylim(len(labels) - 0.4, -1)
    ax.set_xlim(0, 1.12 * ax.dataLim.xmax)
    ax.tick_params(axis="y", length=0)
    ax.spines[["top", "right", "left"]].set_visible(False)
