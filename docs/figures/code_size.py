"""Errors on held-out digits by size of the code."""

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_digits
from sklearn.decomposition import PCA
from sklearn.model_selection import train_test_split

from skae import AutoencoderTransformer

X_train, X_test = train_test_split(load_digits().data, random_state=0)
sizes = (1, 2, 4, 8, 16, 32)
errors = {"PCA": [], "autoencoder": []}
for size in sizes:
    models = PCA(size), AutoencoderTransformer(size, random_state=0)
    for model, found in zip(models, errors.values(), strict=True):
        X_back = model.fit(X_train).inverse_transform(model.transform(X_test))
        found.append(np.square(X_back - X_test).mean())

figure, ax = plt.subplots(figsize=(7, 3.6))
for name, found in errors.items():
    ax.plot(sizes, found, "o-", label=name)
ax.set(xlabel="numbers in the code", ylabel="mean squared error of new digits")
ax.set_xscale("log", base=2)
ax.set_xticks(sizes, sizes)
ax.set_ylim(bottom=0)
ax.legend()
