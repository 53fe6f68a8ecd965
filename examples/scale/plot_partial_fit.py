"""
Training that goes on, with ``partial_fit``
===========================================

Rows come in chunks, and some day other kinds of rows come. ``partial_fit`` takes one
pass over what it is given and keeps what was learned before, as long as it is shown
some of it: of digits from 5 to 9 alone, an autoencoder that knew 0 to 4 soon forgets
these. A chunk that is half old, half new teaches the new ones and keeps the old.
"""

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

from skae import AutoencoderTransformer

X, y = load_digits(return_X_y=True)
X_train, X_test, y_train, y_test = train_test_split(X, y, test_size=500, random_state=0)
old, new = X_train[y_train < 5], X_train[y_train >= 5]
sets = {"digits 0 to 4": X_test[y_test < 5], "digits 5 to 9": X_test[y_test >= 5]}
rng = np.random.default_rng(0)


def errors(later_chunk):
    """Of new digits of both kinds, after each of 40 passes."""
    model = AutoencoderTransformer(16, init="pca", learning_rate=0.003, random_state=0)
    found = []
    for i in range(40):
        model.partial_fit(old if i < 20 else later_chunk())
        found.append([-model.score(rows) for rows in sets.values()])
    return np.transpose(found)


def mixed():
    return np.vstack([new, rng.permutation(old)[: len(new)]])


curves = {"then 5 to 9 alone": errors(lambda: new), "then both kinds": errors(mixed)}
fig, axes = plt.subplots(1, 2, figsize=(7.4, 3.8), sharey=True, layout="constrained")
for ax, (title, of_sets) in zip(axes, curves.items(), strict=True):
    for name, curve in zip(sets, of_sets, strict=True):
        ax.plot(range(1, 41), curve, label=name)
    ax.axvline(20.5, color="k", linestyle=":")
    ax.set(title=title, xlabel="passes", ylim=(0, None))
axes[0].set_ylabel("squared error of new digits")
axes[0].legend()
plt.show()

# %%
# In the end, beside one ``fit`` of all rows, for which they must all be kept. It is
# still a little better: it chooses its rate of learning for each epoch, and its last
# epoch by rows held out. For ``partial_fit`` a start at PCA and a small rate suit.
whole = AutoencoderTransformer(16, random_state=0).fit(X_train)
ends = {title: curve[:, -1] for title, curve in curves.items()}
ends["one fit of all rows"] = [-whole.score(rows) for rows in sets.values()]
for title, (of_old, of_new) in ends.items():
    print(f"{title:20} {of_old:.2f} {of_new:.2f}")
