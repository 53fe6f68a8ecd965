"""
Parts of a photograph
=====================

A sparse autoencoder describes each row by a few components out of many, so that each
component can stand for something: here, for a kind of edge or texture. PCA's
components take part in every patch, and only all together mean something.
"""

# %%
# Patches have mean 0 and deviation 1; flat ones are left out. The right quarter of the
# picture is kept for the errors. The `k` largest of 200 components are nonzero.
import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_sample_image
from sklearn.decomposition import PCA
from sklearn.feature_extraction.image import extract_patches_2d

from skae import SparseAutoencoderTransformer

photograph = load_sample_image("china.jpg").mean(axis=2)


def patches(image, count):
    X = extract_patches_2d(image, (10, 10), max_patches=count, random_state=0)
    X = X.reshape(count, 100) - X.mean(axis=(1, 2))[:, None]
    X = X[X.std(axis=1) > 8]
    return X / X.std(axis=1, keepdims=True)


train, test = patches(photograph[:, :480], 12000), patches(photograph[:, 480:], 4000)
sizes = [2, 5, 10, 20]
models = [SparseAutoencoderTransformer(200, k=k, random_state=0) for k in sizes]
errors = [-model.fit(train).score(test) for model in models]
pca = PCA(random_state=0).fit(train)
left_out = [pca.transform(test)[:, k:] for k in sizes]
pca_errors = [np.square(scores).sum(axis=1).mean() / 100 for scores in left_out]

# %%
# A component's part is the difference that it makes to the decoded row. Those that are
# used most are shown. With as many numbers the error is well below PCA's, but a sparse
# code also has to say which of its components are on. A dead component is never used.
sparse = models[sizes.index(5)]
decoded = sparse.inverse_transform(np.eye(201, 200))  # the last code is zero
parts = decoded[:200] - decoded[200]
use = np.abs(sparse.transform(train)).mean(axis=0) * np.linalg.norm(parts, axis=1)
shown = {"sparse parts": parts[np.argsort(-use)], "PCA's components": pca.components_}
figures = plt.figure(figsize=(11, 4), layout="constrained").subfigures(1, 3)
for figure, (name, images) in zip(figures, shown.items(), strict=False):
    figure.suptitle(name)
    for ax, image in zip(figure.subplots(8, 8).flat, images, strict=False):
        high = np.abs(image).max()
        ax.imshow(image.reshape(10, 10), cmap="gray", vmin=-high, vmax=high)
        ax.axis("off")
ax = figures[2].subplots()
ax.plot(sizes, pca_errors, "o-", color="tab:gray", label="PCA")
ax.plot(sizes, errors, "o-", label=f"sparse, {sparse.dead_fraction_:.0%} dead")
ax.set(xlabel="nonzeros in each code", ylabel="error on new patches", ylim=(0, 1))
ax.legend()
plt.show()
