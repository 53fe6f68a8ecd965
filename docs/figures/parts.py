"""A digit as a sum of parts, and other parts of the dictionary."""

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

from skae import SparseAutoencoderTransformer

X_train, X_test = train_test_split(load_digits().data, random_state=0)
sparse = SparseAutoencoderTransformer(128, k=10, random_state=0).fit(X_train)
decoded = sparse.inverse_transform(np.eye(129, 128))
mean, parts = decoded[128], decoded[:128] - decoded[128]
row = X_test[3]
code = sparse.transform(row[None])[0]
weighted = code[:, None] * parts  # what each part adds to this digit
chosen = np.argsort(-np.linalg.norm(weighted, axis=1))[:10]
sums = mean + np.cumsum(weighted[chosen], axis=0)

_, axes = plt.subplots(2, 12, figsize=(9, 1.9))
for ax in axes.ravel():
    ax.axis("off")


def draw(ax, picture, title, **style):
    ax.imshow(picture.reshape(8, 8), **style)
    ax.set_title(title, size=9)


ink = {"cmap": "gray_r", "vmin": 0, "vmax": 16}
limit = np.abs(weighted).max()
draw(axes[1, 0], mean, "empty code", **ink)
draw(axes[1, 11], row, "the digit", **ink)
for i, part in enumerate(chosen):
    style = {"cmap": "RdBu_r", "vmin": -limit, "vmax": limit}
    draw(axes[0, i + 1], weighted[part], f"+ {part}", **style)
    draw(axes[1, i + 1], sums[i], "", **ink)
