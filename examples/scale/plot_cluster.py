"""
Trained by two workers
======================

Rows that lie in pieces on several workers are trained on where they are: a collection
of Dask is passed to `fit` like an array. Here the workers are two processes of this
machine, and each makes rows of its own: poses of a robot's arm. From three numbers new
poses come back with an error of 1 cm, with PCA of 6 cm. With the address of a
scheduler, ``Client("tcp://...")``, the same lines train on machines.
"""

import logging

import dask.array as da
import matplotlib.pyplot as plt
import numpy as np
from dask import delayed
from distributed import Client
from sklearn.decomposition import PCA

from skae import AutoencoderTransformer

LENGTHS, N_POINTS = np.array([1.0, 0.8, 0.5]), 4


def poses(n_poses, seed):
    """Markers along an arm of three links, measured with some noise.

    They are 24 numbers that three angles determine.
    """
    rng = np.random.default_rng(seed)
    angles = rng.uniform([0.2, -1.5, -1.5], [1.6, 1.5, 1.5], (n_poses, 3)).cumsum(1)
    links = LENGTHS[:, None] * np.stack([np.cos(angles), np.sin(angles)], axis=-1)
    joints = np.concatenate([np.zeros((n_poses, 1, 2)), links.cumsum(1)], axis=1)
    shares = np.arange(1, N_POINTS + 1) / N_POINTS
    markers = joints[:, :-1, None] + shares[:, None] * links[:, :, None]
    markers = markers.reshape(n_poses, -1)
    return markers + 0.01 * rng.normal(size=markers.shape)


def collection(n_parts, n_poses):
    """Poses in parts: what is to be made, and by nobody yet."""
    shape = n_poses, 2 * len(LENGTHS) * N_POINTS
    parts = [
        da.from_delayed(delayed(poses)(n_poses, seed), shape, dtype=float)
        for seed in range(n_parts)
    ]
    return da.concatenate(parts)


# %%
# Workers start this file anew, as processes of Python do. So what only the client is to
# do stands behind ``if __name__ == "__main__"``.
if __name__ == "__main__":
    options = {"dashboard_address": ":0", "silence_logs": logging.ERROR}
    with Client(n_workers=2, threads_per_worker=1, **options):
        X = collection(n_parts=8, n_poses=10_000)
        model = AutoencoderTransformer(3, max_iter=4, random_state=0).fit(X)
    print(f"{X.shape[0]:,} rows in {X.numblocks[0]} parts, {model.n_iter_} epochs")

# %%
# The model is one like any other, here on the client. From three numbers it gives new
# poses back, which no worker has seen. So many components of PCA cannot.
if __name__ == "__main__":
    X_new = poses(1000, seed=99)
    pca = PCA(3).fit(poses(10_000, seed=0))
    found = {
        "PCA": pca.inverse_transform(pca.transform(X_new)),
        "AutoencoderTransformer": model.reconstruct(X_new),
    }
    fig, axes = plt.subplots(1, 2, figsize=(9, 4.4), layout="constrained", sharey=True)
    for ax, (title, rows) in zip(axes, found.items(), strict=True):
        for measured, decoded in zip(X_new[:4], rows[:4], strict=True):
            arm, again = (row.reshape(-1, 2).T for row in (measured, decoded))
            (line,) = ax.plot(*np.c_[np.zeros(2), again], lw=2.5)
            ax.plot(*arm, "o", mfc="none", color=line.get_color(), ms=7)
        error = np.sqrt(np.square(rows - X_new).mean())
        ax.set_title(f"{title}: usual error {error:.3f}")
        ax.set(xlabel="metres", aspect="equal")
    axes[0].set_ylabel("metres")
    axes[0].plot([], [], "o", mfc="none", color="gray", label="measured")
    axes[0].plot([], [], color="gray", lw=2.5, label="from three numbers")
    axes[0].legend(loc="lower right")
    plt.show()
