"""The losses of a fit by epoch, beside PCA's."""

import matplotlib.pyplot as plt
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

from skae import AutoencoderTransformer

X_train, _ = train_test_split(load_digits().data, random_state=0)
autoencoder = AutoencoderTransformer(n_components=16, random_state=0).fit(X_train)
epochs = range(1, autoencoder.n_iter_ + 1)

figure, ax = plt.subplots(figsize=(7, 3.4))
ax.plot(epochs, autoencoder.loss_curve_, label="training rows")
ax.plot(epochs, autoencoder.validation_loss_curve_, label="held-out rows")
ax.axhline(autoencoder.pca_loss_, color="grey", ls="--", label="PCA, held-out rows")
ax.set(xlabel="epoch", ylabel="mean squared error", yscale="log")
ax.legend()
ax.set_yticks(ticks := (0.5, 1, 2, 5, 10, 20), ticks)
ax.minorticks_off()
