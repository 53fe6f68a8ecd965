"""
How many components? The error by the size of the code
======================================================

What an autoencoder gains over PCA is best said in components: the same error on new
rows from a shorter code. On digits a code of 8 numbers does the work of 17 principal
components. On your own data, take the size at which the curve meets the error that
you can live with.
"""

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_digits
from sklearn.decomposition import PCA
from sklearn.model_selection import train_test_split

from skae import AutoencoderTransformer

X_train, X_test = train_test_split(load_digits().data, random_state=0)
sizes, pca_sizes = [2, 4, 8, 16, 32], np.arange(1, 41)
models = [AutoencoderTransformer(k, random_state=0).fit(X_train) for k in sizes]
errors = [-model.score(X_test) for model in models]
pcas = [PCA(k).fit(X_train) for k in pca_sizes]
X_pca = np.array([pca.inverse_transform(pca.transform(X_test)) for pca in pcas])
pca_errors = np.square(X_pca - X_test).mean(axis=(1, 2))
fig, ax = plt.subplots(figsize=(5.6, 3.9), layout="constrained")
ax.plot(pca_sizes, pca_errors, color="tab:gray", label="PCA")
ax.plot(sizes, errors, "o-", color="tab:blue", label="autoencoder")
level = errors[sizes.index(8)]
as_good = pca_sizes[np.argmax(pca_errors <= level)]
arrow = {"arrowstyle": "<->", "color": "black", "shrinkA": 4, "shrinkB": 0}
ax.annotate("", (8, level), (as_good, level), arrowprops=arrow)
ax.text(as_good + 1, level, f"8 numbers do\nthe work of {as_good}", va="bottom")
ax.set(yscale="log", xlabel="components", ylabel="squared error of new digits")
ax.set_yticks([0.3, 1, 3, 10], labels=["0.3", "1", "3", "10"])
ax.legend()
plt.show()

# %%
# The gain depends on the size. Codes of two numbers are too short to be far better;
# with many components PCA is close to the noise of the data as well.
for size, error in zip(sizes, errors, strict=True):
    of_pca = pca_errors[size - 1]
    print(f"{size:2} components: {error:5.2f}, PCA {of_pca:5.2f}: {error / of_pca:.2f}")

# %%
# A share in place of a number asks for as many components as PCA needs to explain that
# share of the variance, and is what a transformer without any setting does.
for share in (0.8, 0.95):
    model = AutoencoderTransformer(share, random_state=0).fit(X_train)
    print(
        f"{share}: {model.n_components_} components, error {-model.score(X_test):.2f}"
    )
