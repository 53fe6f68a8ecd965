"""
Grid search over size, depth and loss
=====================================

An autoencoder in a Pipeline is searched like any other step. The size of the code, the
hidden layers and the loss are chosen by what they are for: here, by how often the
nearest neighbours in the embedding are digits of the same kind. With two numbers, two
hidden layers are right in 78 % of the digits and none in 62 %; with eight the choice
hardly matters.
"""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from sklearn.datasets import load_digits
from sklearn.decomposition import PCA
from sklearn.model_selection import GridSearchCV, train_test_split
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import Pipeline

from skae import AutoencoderTransformer

X, y = load_digits(return_X_y=True)
X_train, X_test, y_train, y_test = train_test_split(
    X / 16, y, train_size=600, random_state=0
)
codes = AutoencoderTransformer(max_iter=20, early_stopping=False, random_state=0)
pipeline = Pipeline([("codes", codes), ("classifier", KNeighborsClassifier())])
grid = {
    "codes__n_components": [2, 4, 8],
    "codes__hidden_layer_sizes": [(), (64,), (128, 64)],
    "codes__loss": ["squared_error", "log_loss"],
}
search = GridSearchCV(pipeline, grid, cv=3).fit(X_train, y_train)

results = pd.DataFrame(search.cv_results_)
results["depth"] = results["param_codes__hidden_layer_sizes"].map(str)
fig, axes = plt.subplots(1, 2, figsize=(7, 3.6), sharey=True, layout="constrained")
for ax, (loss, of_loss) in zip(axes, results.groupby("param_codes__loss"), strict=True):
    table = of_loss.pivot(
        index="depth", columns="param_codes__n_components", values="mean_test_score"
    )
    table = 100 * table.loc[["()", "(64,)", "(128, 64)"]]
    ax.imshow(table, cmap="Blues", vmin=40, vmax=110)
    for (i, j), accuracy in np.ndenumerate(table.to_numpy()):
        ax.text(j, i, f"{accuracy:.0f} %", ha="center", va="center", fontsize=13)
    ax.set(title=loss, xlabel="n_components")
    ax.set_xticks(range(3), labels=table.columns)
    ax.set_yticks(range(3), labels=table.index)
axes[0].set_ylabel("hidden_layer_sizes")
plt.show()

# %%
# Rows with no hidden layer are linear: with the squared error that is PCA. The winner
# is scored on 1197 digits that took no part in the search, beside PCA that is searched
# over the same sizes. Where the code may be long, PCA is close behind.
sizes = {"codes__n_components": grid["codes__n_components"]}
of_pca = GridSearchCV(pipeline.set_params(codes=PCA()), sizes, cv=3)
of_pca.fit(X_train, y_train)
for name, found in {"autoencoder": search, "PCA": of_pca}.items():
    print(f"{name}: {found.score(X_test, y_test):.3f} with {found.best_params_}")
