"""Accuracy on new digits by the number of labels, on codes and on PCA's scores."""

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_digits
from sklearn.decomposition import PCA
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skae import DenoisingAutoencoderTransformer

X, y = load_digits(return_X_y=True)
X_train, X_test, y_train, y_test = train_test_split(X, y, random_state=0)
sizes = (30, 60, 120, 240, 480)
_, ax = plt.subplots(figsize=(4, 2.5))
for name, model, colour in (
    ("16 components of PCA", PCA(16), "#8d99a6"),
    (
        "16 numbers of skae",
        DenoisingAutoencoderTransformer(16, random_state=0),
        "#2a6f97",
    ),
):
    codes, new_codes = model.fit_transform(X_train), model.transform(X_test)
    accuracies = np.empty((len(sizes), 10))
    for i, size in enumerate(sizes):
        for draw in range(10):
            rng = np.random.default_rng(draw)
            few = rng.choice(len(codes), size, replace=False)
            classifier = make_pipeline(StandardScaler(), LogisticRegression())
            classifier.fit(codes[few], y_train[few])
            accuracies[i, draw] = classifier.score(new_codes, y_test)
    ax.plot(sizes, accuracies.mean(axis=1), "o-", color=colour, label=name)
ax.set(xlabel="labels", ylabel="accuracy", xscale="log")
ax.set_xticks(sizes, sizes)
ax.minorticks_off()
ax.legend(frameon=False)
ax.spines[["top", "right"]].set_visible(False)
