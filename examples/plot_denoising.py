"""
Repairing burnt-out pixels
==========================

One pixel in five is dead or burnt out. A denoising autoencoder that has trained on
such damage repairs digits that it has never seen.
"""

# %%
# The transformer is fitted on clean digits and corrupts them itself, anew in each
# epoch. More epochs than usual pay, because no two of them show it the same rows. So
# do linear maps beside the networks, which are off by default for the sake of features.
import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_digits
from sklearn.decomposition import PCA
from sklearn.model_selection import train_test_split

from skae import DenoisingAutoencoderTransformer

X, _ = load_digits(return_X_y=True)
X_train, X_test = train_test_split(X, random_state=0)
denoiser = DenoisingAutoencoderTransformer(
    32,
    noise="salt_and_pepper",
    noise_level=0.2,
    linear_path=True,
    max_iter=100,
    random_state=0,
).fit(X_train)

# %%
# PCA gets its best chance: 12 components, where its error on the damaged digits is
# smallest.
rng = np.random.default_rng(0)
damaged = rng.random(X_test.shape) < 0.2
X_noisy = np.where(damaged, rng.choice([0.0, 16.0], X_test.shape), X_test)
pca = PCA(12, random_state=0).fit(X_train)
rows = {
    "original": X_test,
    "damaged": X_noisy,
    "PCA": pca.inverse_transform(pca.transform(X_noisy)),
    "denoised": denoiser.reconstruct(X_noisy),
}

# %%
# Errors are means over all 450 test digits, not only over those shown.
fig, axes = plt.subplots(4, 10, figsize=(9, 4), layout="constrained")
for line, (name, images) in zip(axes, rows.items(), strict=True):
    error = np.square(images - X_test).mean()
    for ax, image in zip(line, images, strict=False):
        ax.imshow(image.reshape(8, 8), cmap="gray_r", vmin=0, vmax=16)
        ax.set(xticks=[], yticks=[])
    label = name if images is X_test else f"{name}\nerror {error:.1f}"
    line[0].set_ylabel(label, rotation=0, ha="right", va="center", fontsize=11)
fig.suptitle("Digits with one pixel in five burnt out, and their repair")
plt.show()
