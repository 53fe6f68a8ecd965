"""
A picture in a few bytes
========================

A codec rounds an autoencoder's codes and writes them with as few bits as they need.
Trained for it, with the size as a penalty, 64 pixels take a handful of bytes: with 3 of
them the error of new digits is half that of PCA by the same codec. From 12 bytes on PCA
is ahead.
"""

import zlib

import matplotlib.pyplot as plt
import numpy as np
from sklearn.base import clone
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

import skae


def rate(transformer, **wanted):
    codec = skae.Codec(transformer, train, **wanted)
    decoded = codec.decode(data := codec.encode(test))
    return len(data) / len(test), np.square(decoded - test).mean(), decoded


train, test = train_test_split(load_digits().data, random_state=0)  # from 0 to 16
linear = {"hidden_layer_sizes": (), "init": "pca", "learning_rate": 1e-9, "max_iter": 1}
trained = {"learning_rate": 0.01, "weight_decay": 1.0, "max_iter": 100}
trained["code_map"] = skae.code_maps.Quantization()
ae = skae.AutoencoderTransformer(32, early_stopping=False, random_state=0)
curves = {"PCA": [], "skae": [], "grey levels, zlib": []}
for beta in (0.5, 1, 2, 4):
    size = skae.penalties.GaussianKL(beta, prior="batch")
    model = clone(ae).set_params(penalty=size, **trained).fit(train)
    curves["skae"] += [rate(model, error=-f * model.score(train)) for f in (1.2, 1.6)]
pcas = [clone(ae).set_params(n_components=k, **linear).fit(train) for k in (8, 16, 48)]
for n in (1.5, 2, 3, 4, 6, 8, 10, 12, 14):
    curves["PCA"].append(min((rate(m, bits=8 * n) for m in pcas), key=lambda r: r[1]))
for n in (1, 2, 3):
    grey = np.rint(test / 16 * n)
    size = len(zlib.compress(grey.astype(np.uint8), 9)) / len(test)
    curves["grey levels, zlib"].append((size, np.square(grey * 16 / n - test).mean()))

fig, ax = plt.subplots(figsize=(5.6, 3.9), layout="constrained")
ax.set(xlabel="bytes per digit", ylabel="squared error of new digits")
for name, curve in curves.items():
    ax.semilogy([r[0] for r in curve], [r[1] for r in curve], "o-", label=name)
ax.set_yticks([0.5, 1, 2, 5, 10], labels=["0.5", "1", "2", "5", "10"], minor=False)
ax.legend()
plt.show()

# %%
# All new digits are in one file, whose size is divided by their number. A strength of
# the penalty serves some rates: each of four fits is written in two sizes. A linear
# autoencoder is PCA, and the codec takes the best of three of them. An autoencoder pays
# where bytes are few.
for name, curve in curves.items():
    print(f"{name:18}", *(f"{r[0]:.1f}: {r[1]:.2f}," for r in curve))
picked = [curves["skae"][i] for i in (2, 4, 7)]
shown = {"64 pixels": test} | {f"skae, {r[0]:.1f} bytes": r[2] for r in picked}
shown["PCA, 3.0 bytes"] = curves["PCA"][2][2]
fig, axes = plt.subplots(5, 9, figsize=(7.4, 3.9), layout="constrained")
for line, (name, rows) in zip(axes, shown.items(), strict=True):
    for ax, row in zip(line, rows, strict=False):
        ax.imshow(row.reshape(8, 8), cmap="gray_r", vmin=0, vmax=16)
        ax.set(xticks=[], yticks=[])
    line[0].set_ylabel(name, rotation=0, ha="right", va="center")
plt.show()
