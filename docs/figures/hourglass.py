"""The layers of an autoencoder, and where the code is."""

import matplotlib.pyplot as plt

layers = [
    ("row", "64", 3.2, "#5b6770"),
    ("hidden", "256", 4.4, "#2a6f97"),
    ("hidden", "128", 3.2, "#2a6f97"),
    ("code", "16", 1.2, "#b5179e"),
    ("hidden", "128", 3.2, "#c8650f"),
    ("hidden", "256", 4.4, "#c8650f"),
    ("reconstruction", "64", 3.2, "#5b6770"),
]

figure, ax = plt.subplots(figsize=(8, 3.4))
for i, (name, width, height, colour) in enumerate(layers):
    x = 1.7 * i
    ax.add_patch(plt.Rectangle((x - 0.25, -height / 2), 0.5, height, color=colour))
    ax.text(x, 0, width, ha="center", va="center", color="white", weight="bold")
    ax.text(x, -2.5, name, ha="center", va="top")
    if i:
        arrow = {"arrowstyle": "->", "color": "#5b6770"}
        ax.annotate("", (x - 0.32, 0), (x - 1.38, 0), arrowprops=arrow)
for name, centre, colour in (
    ("encoder", 2.55, "#2a6f97"),
    ("decoder", 7.65, "#c8650f"),
):
    ax.text(centre, 2.5, name, ha="center", size=13, color=colour, weight="bold")
ax.text(5.1, 1.0, "bottleneck", ha="center", color="#b5179e", weight="bold")
ax.set(xlim=(-1, 11.3), ylim=(-3.1, 3))
ax.axis("off")
