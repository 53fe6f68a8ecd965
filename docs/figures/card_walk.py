"""Digits between two digits, decoded from codes between two codes."""

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_digits

from skae import VariationalAutoencoderTransformer

X, y = load_digits(return_X_y=True)
variational = VariationalAutoencoderTransformer(8, random_state=0).fit(X)
codes = variational.transform(X)
_, axes = plt.subplots(3, 7, figsize=(4, 2.5))
for line, (first, last) in zip(axes, ((0, 6), (1, 7), (3, 8)), strict=True):
    start, end = codes[y == first][4], codes[y == last][4]
    for ax, share in zip(line, np.linspace(0, 1, 7), strict=True):
        row = variational.inverse_transform([(1 - share) * start + share * end])
        ax.imshow(row.reshape(8, 8), cmap="gray_r", vmin=0, vmax=16)
        ax.axis("off")
