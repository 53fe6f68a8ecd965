"""Maps of digits, by PCA and by an autoencoder."""

import matplotlib.pyplot as plt
from sklearn.datasets import load_digits
from sklearn.decomposition import PCA
from sklearn.model_selection import train_test_split

from skae import AutoencoderTransformer

X, y = load_digits(return_X_y=True)
X_train, X_test, _, y_test = train_test_split(X, y, random_state=0)

figure, axes = plt.subplots(1, 2, figsize=(9, 4))
for model, ax in zip((PCA(2), AutoencoderTransformer(2, random_state=0)), axes):
    codes = model.fit(X_train).transform(X_test)
    points = ax.scatter(*codes.T, c=y_test, cmap="tab10", s=14, vmin=-0.5, vmax=9.5)
    ax.set(title=type(model).__name__, xticks=[], yticks=[])
    ax.set(xlabel="first number of the code", ylabel="second number of the code")
figure.colorbar(points, ax=axes, ticks=range(10), label="digit")
