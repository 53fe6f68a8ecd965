"""
How large a code?
=================

What an autoencoder gains over PCA is best said in components: the same error on new
rows with a shorter code.
"""

# %%
# Both are fitted with codes of several sizes and scored on digits they have not seen.
import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_digits
from sklearn.decomposition import PCA
from sklearn.model_selection import train_test_split

from skae import AutoencoderTransformer

X, _ = load_digits(return_X_y=True)
X_train, X_test = train_test_split(X, random_state=0)


def pca_error(size):
    pca = PCA(size, random_state=0).fit(X_train)
    return np.square(pca.inverse_transform(pca.transform(X_test)) - X_test).mean()


sizes, pca_sizes = [2, 4, 8, 12, 16, 24, 32], np.arange(1, 41)
pca_errors = np.array([pca_error(size) for size in pca_sizes])
models = [AutoencoderTransformer(k, random_state=0).fit(X_train) for k in sizes]
errors = [-model.score(X_test) for model in models]

# %%
# The arrow shows how many components PCA needs to come as close as the autoencoder
# with 8. On your own data, choose the code where the curve meets the error that you
# can live with.
as_good = pca_sizes[np.argmax(pca_errors <= errors[sizes.index(8)])]
level = errors[sizes.index(8)]
fig, ax = plt.subplots(figsize=(7, 4.5), layout="constrained")
ax.plot(pca_sizes, pca_errors, color="tab:gray", label="PCA")
ax.plot(sizes, errors, "o-", color="tab:blue", label="AutoencoderTransformer")
arrow = {"arrowstyle": "<->", "color": "black", "shrinkA": 4, "shrinkB": 0}
ax.annotate("", (8, level), (as_good, level), arrowprops=arrow)
text = f"a code of 8 numbers\ndoes the work of {as_good}"
ax.text(as_good + 0.8, level * 1.02, text, va="bottom")
ax.set(yscale="log", xlabel="size of the code", xlim=(0, 41))
ax.set_ylabel("mean squared error on new digits")
ax.set_yticks([0.3, 1, 3, 10], labels=["0.3", "1", "3", "10"])
ax.set_title("Held-out error of digits by size of the code")
ax.legend()
ax.grid(alpha=0.3)
plt.show()
