"""
Features for few labels
=======================

Unlabelled rows are cheap and labels are not. An embedding is learned here from 1297
digits without their labels; logistic regression then sees the codes of a few labelled
ones. With five labels for each digit, codes of a denoising autoencoder are right in
88 % of new digits, principal components in 86 % and all pixels in 85 %.
"""

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_digits
from sklearn.decomposition import PCA
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import FunctionTransformer

from skae import AutoencoderTransformer, DenoisingAutoencoderTransformer

X, y = load_digits(return_X_y=True)
transformers = {
    "denoising autoencoder": DenoisingAutoencoderTransformer(16, random_state=0),
    "PCA": PCA(16, random_state=0),
    "all 64 pixels": FunctionTransformer(),
    "autoencoder": AutoencoderTransformer(16, random_state=0),
}
counts, n_draws = [1, 2, 3, 5, 10, 20], 10


def accuracies(transformer, seed):
    """Of each count of labels, the mean over draws of the labelled digits."""
    X_train, X_test, y_train, y_test = train_test_split(
        X / 16, y, test_size=500, stratify=y, random_state=seed
    )
    codes = transformer.fit_transform(X_train)
    new_codes = transformer.transform(X_test)
    found = np.zeros(len(counts))
    for draw in range(n_draws):
        order = np.random.default_rng(draw).permutation(len(X_train))
        for i, count in enumerate(counts):
            by_digit = [order[y_train[order] == digit][:count] for digit in range(10)]
            rows = np.concatenate(by_digit)
            model = LogisticRegression(max_iter=1000).fit(codes[rows], y_train[rows])
            found[i] += model.score(new_codes, y_test) / n_draws
    return 100 * found


fig, ax = plt.subplots(figsize=(5.6, 3.9), layout="constrained")
for (name, transformer), marker in zip(transformers.items(), "o^Ds", strict=True):
    mean = np.mean([accuracies(transformer, seed) for seed in range(3)], axis=0)
    ax.plot(counts, mean, marker=marker, label=name)
    print(f"{name:21}", *(f"{accuracy:5.1f}" for accuracy in mean))
ax.set(xscale="log", xlabel="labels per digit", ylabel="accuracy on new digits in %")
ax.set_xticks(counts, labels=counts)
ax.set_xticks([], minor=True)
ax.legend(loc="lower right")
plt.show()

# %%
# Means over three splits and ten draws of labels in each. The 500 digits that are
# scored take no part in any fit.
#
# To reconstruct well is not enough: the plain autoencoder's codes are no better
# features than PCA's. A denoising autoencoder has to learn what digits look like to
# undo the damage that it reads: by default half of the pixels are masked, and the
# others have noise as large as the data's own standard deviation. Digits were among the
# data that this default was chosen on, so that it may be a little favoured. On tables,
# features gain less, or nothing
# (:ref:`sphx_glr_auto_examples_tables_plot_table_features.py`): compare first.
