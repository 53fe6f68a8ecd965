"""Digits, and what 16 numbers of each make of them."""

import matplotlib.pyplot as plt
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

from skae import AutoencoderTransformer

X_train, X_test = train_test_split(load_digits().data, random_state=0)
autoencoder = AutoencoderTransformer(n_components=16, random_state=0).fit(X_train)
rows = {"64 pixels": X_test[:10], "16 numbers": autoencoder.reconstruct(X_test[:10])}

figure, axes = plt.subplots(2, 10, figsize=(7.5, 1.8))
for (name, images), line in zip(rows.items(), axes, strict=True):
    line[0].set_ylabel(name, rotation=0, ha="right", va="center")
    for image, ax in zip(images, line, strict=True):
        ax.imshow(image.reshape(8, 8), cmap="gray_r", vmin=0, vmax=16)
        ax.set(xticks=[], yticks=[])
