"""Seconds from the start of a process to a loaded encoder, of the benchmark."""

import json
from pathlib import Path

import matplotlib.pyplot as plt

stored = json.loads(Path("../../benchmarks/results/deploy.json").read_text())
(table,) = [t for t in stored["tables"] if "loaded encoder" in t["title"]]
seconds = {name: value for name, value in table["rows"] if name != "numpy alone"}
seconds = dict(sorted(seconds.items(), key=lambda item: item[1]))

_, ax = plt.subplots(figsize=(4, 2.5))
names = [name.replace(", ", "\n") for name in seconds]
bars = ax.barh(names, seconds.values(), color=["#2a6f97", "#2a6f97", "#8d99a6"])
ax.bar_label(bars, fmt="%.1f s", padding=4)
ax.set(xlabel="seconds until an encoder is loaded", xlim=(0, 11))
ax.spines[["top", "right"]].set_visible(False)
