"""A table with missing cells, and what an imputer fills in."""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd

from skae import AutoencoderImputer

rng = np.random.default_rng(0)
rooms = rng.integers(1, 7, 1000)
is_central = rng.random(1000) < 0.4
rent = 300 * rooms * np.where(is_central, 1.8, 1) * rng.lognormal(0, 0.1, 1000)
flats = pd.DataFrame(
    {
        "kind": np.where(rooms > 4, "house", "flat"),
        "rooms": rooms,
        "where": np.where(is_central, "centre", "suburb"),
        "rent": rent.round(-1),
    }
)
with_holes = flats.mask(rng.random(flats.shape) < 0.2)
filled = AutoencoderImputer(random_state=0).fit_transform(with_holes)
some = with_holes.index[with_holes.isna().sum(axis=1) == 1][2:7]


def text(value):
    return value if isinstance(value, str) else f"{value:.0f}"


_, ax = plt.subplots(figsize=(4, 2.5))
ax.axis("off")
cells = [[text(value) for value in row] for row in filled.loc[some].to_numpy()]
table = ax.table(cells, colLabels=flats.columns, cellLoc="center", loc="center")
table.scale(1, 1.6)
table.set_fontsize(11)
for (i, j), cell in table.get_celld().items():
    cell.set_edgecolor("#c8ced4")
    if i == 0:
        cell.get_text().set_weight("bold")
    elif with_holes.loc[some].isna().to_numpy()[i - 1, j]:
        cell.set_facecolor("#fbe3cd")
