"""Digits decoded from codes of two numbers, on a grid over the prior."""

import matplotlib.pyplot as plt
import numpy as np
from scipy.stats import norm
from sklearn.datasets import load_digits

from skae import VariationalAutoencoderTransformer

variational = VariationalAutoencoderTransformer(2, max_iter=200, random_state=0)
variational.fit(load_digits().data)
steps = norm.ppf(np.linspace(0.04, 0.96, 12))
grid = np.stack(np.meshgrid(steps, steps[::-1]), axis=-1).reshape(-1, 2)
images = variational.inverse_transform(grid).reshape(12, 12, 8, 8)
images = np.pad(images, ((0, 0), (0, 0), (1, 1), (1, 1)))

_, ax = plt.subplots(figsize=(5.5, 5.5))
mosaic = images.transpose(0, 2, 1, 3).reshape(120, 120)
ax.imshow(mosaic, cmap="gray_r", vmin=0, vmax=16)
ax.set(xticks=[], yticks=[])
ax.set(xlabel="first number of the code", ylabel="second number of the code")
