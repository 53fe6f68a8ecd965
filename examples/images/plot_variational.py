"""
A walk through the latent space
===============================

A variational autoencoder keeps its codes close together, in a standard normal
distribution, so that whatever lies between two codes decodes to something like the
data. Halfway between two digits there is a digit, not two half ones: such codes decode
to images that are 18 away from the nearest training digit, about as far as unseen
digits are, and means of the pixels are 23 away.
"""

import matplotlib.pyplot as plt
import numpy as np
from scipy.stats import norm
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from sklearn.neighbors import NearestNeighbors

from skae import VariationalAutoencoderTransformer

X, y = load_digits(return_X_y=True)
X_train, X_test, _, y_test = train_test_split(X, y, test_size=500, random_state=0)
variational = VariationalAutoencoderTransformer(2, max_iter=80, random_state=0)
codes = variational.fit(X_train).transform(X_test)
steps = norm.ppf((np.arange(14) + 0.5) / 14)
grid = np.stack(np.meshgrid(steps, -steps), axis=-1).reshape(-1, 2)
tiles = variational.inverse_transform(grid).reshape(14, 14, 8, 8)
tiles = np.pad(tiles, ((0, 0), (0, 0), (1, 1), (1, 1))).swapaxes(1, 2)
fig, ax = plt.subplots(figsize=(5, 5), layout="constrained")
ax.imshow(tiles.reshape(140, 140), cmap="gray_r", vmin=0, vmax=16)
ax.set(xticks=[], yticks=[], xlabel="first component", ylabel="second component")
plt.show()

# %%
# The map is decoded from a grid over the prior, with as many codes in each cell.
#
# Walks lead from each unseen digit to another one, straight on in pixels or in codes.
# How far is a point of the way from the nearest training digit? A fitted Gaussian's
# samples are 29 away. Decoded rows are without noise, and so smoother than digits: not
# all that is close to digits could be mistaken for one.
neighbours = NearestNeighbors(n_neighbors=1).fit(X_train)
pairs = np.random.default_rng(0).integers(500, size=(1000, 2)).T
start, end = pairs[:, y_test[pairs[0]] != y_test[pairs[1]]]
shares = np.linspace(0, 1, 9)
walks = {"pixels": [(1 - t) * X_test[start] + t * X_test[end] for t in shares]}
in_codes = [(1 - t) * codes[start] + t * codes[end] for t in shares]
walks["codes"] = [variational.inverse_transform(codes) for codes in in_codes]
fig = plt.figure(figsize=(6, 5), layout="constrained")
top, bottom = fig.subfigures(2, 1, height_ratios=[1, 2])
ax = bottom.subplots()
for line, (name, walk) in zip(top.subplots(2, 9), walks.items(), strict=True):
    distances = [neighbours.kneighbors(X)[0].mean() for X in walk]
    ax.plot(shares, distances, label=name)
    print(f"{name}: {distances[4]:.1f} halfway")
    for tile, X in zip(line, walk, strict=True):
        tile.imshow(X[4].reshape(8, 8), cmap="gray_r", vmin=0, vmax=16)
        tile.set(xticks=[], yticks=[])
    line[0].set_ylabel(name, rotation=0, ha="right", va="center")
unseen = neighbours.kneighbors(X_test)[0].mean()
ax.axhline(unseen, color="black", linestyle=":", label="unseen digits")
ax.set(
    xlabel="share of the way", ylabel="distance to the nearest digit", ylim=(0, None)
)
ax.legend()
plt.show()
