"""A digit as a sum of parts, and parts of the dictionary."""

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

from skae import SparseAutoencoderTransformer

X_train, X_test = train_test_split(load_digits().data, random_state=0)
sparse = SparseAutoencoderTransformer(128, k=10, random_state=0).fit(X_train)
decoded = sparse.inverse_transform(np.eye(129, 128))
empty, parts = decoded[128], decoded[:128] - decoded[128]
row = X_test[0]
code = sparse.transform(row[None])[0]
largest = np.argsort(-code * np.linalg.norm(parts, axis=1))

figure, axes = plt.subplots(3, 12, figsize=(9, 2.8))
for ax in axes.ravel():
    ax.set(xticks=[], yticks=[])
first = [(row, "digit", False), (sparse.reconstruct(row[None])[0], "rebuilt", False)]
first += [(empty, "empty", False)]
first += [(code[i] * parts[i], f"part {i}", True) for i in largest[:9]]
others = np.linspace(0, 127, 24).astype(int)
pictures = first + [(parts[i], "", True) for i in others]
for (picture, title, is_part), ax in zip(pictures, axes.ravel(), strict=True):
    limit = np.abs(picture).max() if is_part else 16
    style = {"cmap": "RdBu_r", "vmin": -limit} if is_part else {"cmap": "gray_r", "vmin": 0}
    ax.imshow(picture.reshape(8, 8), vmax=limit, **style)
    ax.set_title(title, size=8)
axes[1, 0].set_ylabel("others", rotation=0, ha="right", va="center")
