"""Errors on held-out digits by size of the code."""

from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

from skae import AutoencoderTransformer
from skae.plotting import CodeSizeDisplay

X_train, _ = train_test_split(load_digits().data, random_state=0)
model = AutoencoderTransformer(random_state=0)
CodeSizeDisplay.from_estimator(
    model, X_train, n_components=(1, 2, 4, 8, 16, 32), random_state=0
)
