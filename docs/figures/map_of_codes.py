"""Maps of digits, by PCA and by an autoencoder."""

import matplotlib.pyplot as plt
from sklearn.datasets import load_digits
from sklearn.decomposition import PCA
from sklearn.model_selection import train_test_split

from skae import AutoencoderTransformer
from skae.plotting import CodeDisplay

X, y = load_digits(return_X_y=True)
X_train, X_test, _, y_test = train_test_split(X, y, random_state=0)

_, axes = plt.subplots(1, 2, figsize=(9, 4))
models = PCA(2), AutoencoderTransformer(2, random_state=0)
for model, ax in zip(models, axes, strict=True):
    CodeDisplay.from_estimator(model.fit(X_train), X_test, y_test, ax=ax)
    ax.set_title(type(model).__name__)
