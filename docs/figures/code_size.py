"""Errors on held-out digits by size of the code."""

from sklearn.datasets import load_digits

from skae import AutoencoderTransformer
from skae.plotting import CodeSizeDisplay

X = load_digits().data
autoencoder = AutoencoderTransformer(random_state=0)
CodeSizeDisplay.from_estimator(autoencoder, X, random_state=0)
