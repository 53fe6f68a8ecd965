"""The losses of a fit by epoch, beside PCA's."""

from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

from skae import AutoencoderTransformer
from skae.plotting import LossCurveDisplay

X_train, _ = train_test_split(load_digits().data, random_state=0)
autoencoder = AutoencoderTransformer(n_components=16, random_state=0).fit(X_train)
LossCurveDisplay.from_estimator(autoencoder)
