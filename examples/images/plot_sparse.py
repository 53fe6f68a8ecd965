"""
Parts of a photograph
=====================

A sparse autoencoder describes each row by a few components out of many, so that each
can stand for something of its own: here, for an edge or a bar at some place of a patch.
PCA's components take part in every patch, and only all together mean something. With 5
numbers for a patch of 100 pixels, the sparse autoencoder leaves 43 % of the variance,
dictionary learning 46 %, PCA 63 %.
"""

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_sample_images
from sklearn.decomposition import PCA, MiniBatchDictionaryLearning
from sklearn.feature_extraction.image import extract_patches_2d

from skae import SparseAutoencoderTransformer

m, k, side = 144, 5, 10
photographs = [image.mean(axis=2) / 255 for image in load_sample_images().images]


def patches(columns, count):
    parts = [image[:, columns] for image in photographs]
    found = [
        extract_patches_2d(part, (side, side), max_patches=count, random_state=0)
        for part in parts
    ]
    X = np.concatenate(found).reshape(-1, side * side)
    return X - X.mean(axis=1, keepdims=True)


train, test = patches(slice(480), 6000), patches(slice(480, None), 1000)
sparse = SparseAutoencoderTransformer(m, k=k, refine="omp", random_state=0).fit(train)
pca = PCA(m // 2).fit(train)
decoded = sparse.inverse_transform(np.eye(m + 1, m))  # the last code is zero
parts = decoded[:m] - decoded[m]
use = np.abs(sparse.transform(train)).mean(axis=0) * np.linalg.norm(parts, axis=1)
shown = {"sparse autoencoder": parts[np.argsort(-use)], "PCA": pca.components_}
fig = plt.figure(figsize=(7.4, 4), layout="constrained")
for half, (name, images) in zip(fig.subfigures(1, 2), shown.items(), strict=True):
    half.suptitle(name)
    for ax, image in zip(half.subplots(7, 7).flat, images, strict=False):
        high = np.abs(image).max()
        ax.imshow(image.reshape(side, side), cmap="gray", vmin=-high, vmax=high)
        ax.axis("off")
plt.show()

# %%
# Patches of two photographs, less their means. What a component stands for is the
# difference that it makes to the decoded row; those that are used most are shown.
#
# Of 144 components 5 are nonzero in each patch, by orthogonal matching pursuit. How
# much is lost is measured on the right quarters of the photographs, beside dictionary
# learning with as many nonzero components, and beside PCA, which has the same 5
# components for all patches.
dictionary = MiniBatchDictionaryLearning(
    m,
    max_iter=8,
    transform_algorithm="omp",
    transform_n_nonzero_coefs=k,
    random_state=0,
).fit(train)
rows = {
    "PCA": pca.mean_ + pca.transform(test)[:, :k] @ pca.components_[:k],
    "dictionary\nlearning": dictionary.transform(test) @ dictionary.components_,
    "sparse\nautoencoder": sparse.reconstruct(test),
}
errors = [
    np.square(test - found).sum() / np.square(test).sum() for found in rows.values()
]
fig, ax = plt.subplots(figsize=(5.6, 3.6), layout="constrained")
ax.bar(list(rows), errors, color=["tab:gray", "tab:gray", "tab:blue"])
ax.bar_label(ax.containers[0], fmt="%.2f")
ax.set_ylabel(f"share of the variance that {k} numbers leave")
ax.set_ylim(0, 1.1 * max(errors))
plt.show()
