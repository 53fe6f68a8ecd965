"""
Codes that noise hardly moves
=============================

A contractive autoencoder is trained so that its codes change slowly with the rows, but
for what the reconstruction needs. It never sees noise, and yet under strong noise its
codes move half as far as the plain autoencoder's, and digits come back with a third
less error. On clean digits that costs nothing.
"""

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_digits
from sklearn.decomposition import PCA
from sklearn.model_selection import train_test_split

from skae import (
    AutoencoderTransformer,
    ContractiveAutoencoderTransformer,
    DenoisingAutoencoderTransformer,
)

shared = {"n_components": 16, "early_stopping": False, "random_state": 0}
models = {
    "PCA": PCA(16),
    "autoencoder": AutoencoderTransformer(**shared),
    "contractive": ContractiveAutoencoderTransformer(
        **shared, alpha=0.1, n_projections=2
    ),
    "denoising": DenoisingAutoencoderTransformer(
        **shared, noise="gaussian", noise_level=0.5
    ),
}
scales = [0, 1, 2, 3, 4]
errors = {name: np.zeros(len(scales)) for name in models}
moves = {name: np.zeros(len(scales)) for name in models}
for seed in range(2):
    split = train_test_split(load_digits().data, test_size=500, random_state=seed)
    X_train, X_test = split
    noise = np.random.default_rng(seed).normal(size=X_test.shape)
    for name, model in models.items():
        codes = model.fit(X_train).transform(X_test)
        for i, scale in enumerate(scales):
            moved = model.transform(X_test + scale * noise)
            decoded = model.inverse_transform(moved)
            errors[name][i] += np.square(decoded - X_test).mean() / 2
            movement = np.square(moved - codes).mean(axis=0) / codes.var(axis=0)
            moves[name][i] += np.sqrt(movement.mean()) / 2


def draw(curves, label):
    _, ax = plt.subplots(figsize=(5.6, 3.9), layout="constrained")
    for (name, curve), marker in zip(curves.items(), "^sod", strict=True):
        ax.plot(scales, curve, marker=marker, label=name)
        print(f"{name:12}", *(f"{value:5.2f}" for value in curve))
    ax.set(xlabel="noise added to new digits (from 0 to 16)", ylabel=label)
    ax.set_ylim(0, None)
    ax.legend()
    plt.show()


draw(errors, "squared error of what comes back")

# %%
# Means over two splits. A denoising autoencoder that is told the kind of noise returns
# noisy digits better still, clean ones worse, and its codes move farther. Below is how
# far codes move, each component in units of its spread, since codes that are all small
# move little anyway. `alpha` is how much that counts in training: with 0.3 in place of
# 0.1 codes move less still, and clean digits come back a little worse.
draw(moves, "movement of codes, over their spread")
