"""Errors on training rows and new ones, by what lets the autoencoder free."""

import matplotlib.pyplot as plt
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

from skae import AutoencoderTransformer

X = load_digits().data
X_train, X_test = train_test_split(X, train_size=200, test_size=500, random_state=0)
curves = {
    "weight_decay": (30, 10, 5, 3, 1, 0.3, 0.1, 0.03),
    "max_iter": (3, 5, 10, 20, 50, 100),
}

figure, axes = plt.subplots(1, 2, figsize=(9, 3.8), sharey=True)
for (name, values), ax in zip(curves.items(), axes, strict=True):
    errors = []
    for value in values:
        model = AutoencoderTransformer(
            8, max_iter=100, early_stopping=False, random_state=0
        )
        model.set_params(**{name: value}).fit(X_train)
        errors.append([-model.score(X_train), -model.score(X_test)])
    ax.plot(values, errors, "o-", label=["training rows", "new rows"])
    ax.set(xlabel=name, xscale="log")
    ax.set_xticks(values, values)
    ax.minorticks_off()
axes[0].invert_xaxis()
axes[0].set(ylabel="mean squared error")
axes[0].annotate("bias", (14, 11.5), ha="left", color="grey")
axes[0].annotate("variance", (0.12, 3), ha="center", color="grey")
axes[1].legend()
