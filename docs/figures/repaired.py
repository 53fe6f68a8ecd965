"""Digits, the same with burnt-out pixels, and repaired."""

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

from skae import DenoisingAutoencoderTransformer

X_train, X_test = train_test_split(load_digits().data, random_state=0)
denoiser = DenoisingAutoencoderTransformer(
    32, noise="salt_and_pepper", noise_level=0.15, random_state=0
).fit(X_train)
rng = np.random.default_rng(0)
is_burnt = rng.random(X_test.shape) < 0.15
X_burnt = np.where(is_burnt, rng.choice([0, 16], X_test.shape), X_test)
rows = {"clean": X_test, "damaged": X_burnt, "repaired": denoiser.reconstruct(X_burnt)}

figure, axes = plt.subplots(3, 10, figsize=(7.5, 2.5))
for (name, images), line in zip(rows.items(), axes, strict=True):
    line[0].set_ylabel(name, rotation=0, ha="right", va="center")
    for image, ax in zip(images, line, strict=False):
        ax.imshow(image.reshape(8, 8), cmap="gray_r", vmin=0, vmax=16)
        ax.set(xticks=[], yticks=[])
