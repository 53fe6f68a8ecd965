"""Digits, their reconstructions and the errors."""

from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

from skae import AutoencoderTransformer
from skae.plotting import ReconstructionDisplay

X_train, X_test = train_test_split(load_digits().data, random_state=0)
autoencoder = AutoencoderTransformer(16, random_state=0).fit(X_train)
ReconstructionDisplay.from_estimator(autoencoder, X_test[:6], image_shape=(8, 8))
