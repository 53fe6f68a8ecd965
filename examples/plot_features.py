"""
Features for few labels
=======================

Unlabelled rows are cheap and labels are not. Codes are learned here from 1297 digits
without their labels; logistic regression then sees the codes of a few labelled ones.
A denoising autoencoder has to learn what digits look like to undo the damage that it
reads, and its codes make the most of the labels. To reconstruct well is not enough: the
plain autoencoder's codes are no better features than PCA's.
"""

# %%
# The 500 digits that are scored take no part in the training. PCA and both
# autoencoders have codes of 16 numbers. Half of the pixels are masked, and the others
# have noise as large as the data's own standard deviation. Digits were among the data
# that this default was chosen on, those that are scored included, so that the denoising
# autoencoder may be a little favoured.
import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_digits
from sklearn.decomposition import PCA
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import FunctionTransformer

from skae import AutoencoderTransformer, DenoisingAutoencoderTransformer

X, y = load_digits(return_X_y=True)
X_train, X_test, y_train, y_test = train_test_split(
    X / 16, y, test_size=500, stratify=y, random_state=0
)
transformers = {
    "denoising autoencoder": DenoisingAutoencoderTransformer(16, random_state=0),
    "autoencoder": AutoencoderTransformer(16, random_state=0),
    "PCA": PCA(16, random_state=0),
    "pixels": FunctionTransformer(),
}

# %%
# Every point is the mean of 20 draws of labelled digits, the same for all four.
labels_per_digit = [1, 2, 3, 5, 10, 20]
orders = [np.random.default_rng(i).permutation(len(X_train)) for i in range(20)]
fig, ax = plt.subplots(figsize=(7, 4.5), layout="constrained")
for (name, transformer), marker in zip(transformers.items(), "os^D", strict=True):
    codes = transformer.fit_transform(X_train)
    test_codes = transformer.transform(X_test)
    accuracy = np.zeros(len(labels_per_digit))
    for order in orders:
        for i, count in enumerate(labels_per_digit):
            by_digit = [order[y_train[order] == digit][:count] for digit in range(10)]
            rows = np.concatenate(by_digit)
            model = LogisticRegression(max_iter=1000).fit(codes[rows], y_train[rows])
            accuracy[i] += model.score(test_codes, y_test) / len(orders)
    ax.plot(labels_per_digit, 100 * accuracy, marker=marker, label=name)
ax.set(xscale="log", xlabel="labels per digit", ylabel="accuracy on new digits in %")
ax.set_xticks(labels_per_digit, labels=labels_per_digit, minor=False)
ax.set_xticks([], minor=True)
ax.set_title("Logistic regression on codes learned without labels")
ax.legend(title="features")
plt.show()
