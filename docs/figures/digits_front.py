"""Digits rebuilt from 16 numbers, and digits repaired."""

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

from skae import AutoencoderTransformer, DenoisingAutoencoderTransformer

X_train, X_test = train_test_split(load_digits().data, random_state=0)
autoencoder = AutoencoderTransformer(n_components=16, random_state=0).fit(X_train)
denoiser = DenoisingAutoencoderTransformer(
    32, noise="salt_and_pepper", noise_level=0.15, random_state=0
).fit(X_train)
rng = np.random.default_rng(0)
is_burnt = rng.random(X_test.shape) < 0.15
X_burnt = np.where(is_burnt, rng.choice([0, 16], X_test.shape), X_test)
rows = {
    "64 pixels": X_test,
    "from 16\nnumbers": autoencoder.reconstruct(X_test),
    "damaged": X_burnt,
    "repaired": denoiser.reconstruct(X_burnt),
}

_, axes = plt.subplots(4, 7, figsize=(6.2, 3.6))
for (name, images), line in zip(rows.items(), axes, strict=True):
    line[0].set_ylabel(name, rotation=0, ha="right", va="center", size=11)
    for image, ax in zip(images[3:], line, strict=False):
        ax.imshow(image.reshape(8, 8), cmap="gray_r", vmin=0, vmax=16)
        ax.set(xticks=[], yticks=[])
