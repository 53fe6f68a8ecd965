"""Errors of new digits by the size of the code, beside PCA's."""

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_digits
from sklearn.decomposition import PCA
from sklearn.model_selection import train_test_split

from skae import AutoencoderTransformer

X_train, X_test = train_test_split(load_digits().data, random_state=0)
sizes = (1, 2, 4, 8, 16)
_, ax = plt.subplots(figsize=(4, 2.5))
for name, make, colour in (
    ("PCA", PCA, "#8d99a6"),
    ("skae", AutoencoderTransformer, "#2a6f97"),
):
    errors = []
    for size in sizes:
        model = make(size, random_state=0).fit(X_train)
        X_back = model.inverse_transform(model.transform(X_test))
        errors.append(np.square(X_back - X_test).mean())
    ax.plot(sizes, errors, "o-", color=colour)
    ax.annotate(name, (sizes[2], errors[2]), (8, 4), textcoords="offset points")
ax.set(xlabel="numbers in the code", ylabel="squared error", ylim=(0, None))
ax.set_xscale("log", base=2)
ax.set_xticks(sizes, sizes)
ax.spines[["top", "right"]].set_visible(False)
