"""
Few labels for a table with holes
=================================

Patients, in numbers and categories, a third of which was never written down. What they
suffer from is known of few. Codes are learned from all rows without labels, and
logistic regression then sees the codes of a few labelled ones. They help where columns
hang together with each other and with what is asked: which of six illnesses it is, is
right in 80 % with 20 labels of each, and from all columns in 75 %. Where a single
column says it all they are hardly better than principal components: the second question
is about age, which here tells nothing of the other columns, nor they of it.
"""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from sklearn.compose import make_column_selector, make_column_transformer
from sklearn.decomposition import PCA
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, QuantileTransformer

from skae import DenoisingAutoencoderTransformer

MEASURED = {  # of influenza, cold, pneumonia, tonsillitis, stomach flu, hay fever
    "fever": [2.4, 0.3, 1.9, 1.6, 0.8, 0.1],
    "days": [2, 4, 5, 2, 1, 14],
    "crp": [20, 6, 140, 60, 25, 2],
    "leukocytes": [6, 7, 14, 13, 9, 7],
}
SEEN = {  # the usual sign; 4 of 10 patients have that of any illness
    "cough": ["dry", "dry", "wet", "no", "no", "no"],
    "throat": ["red", "red", "normal", "coated", "normal", "normal"],
    "nose": ["free", "runny", "free", "free", "free", "runny"],
    "stomach": ["well", "well", "well", "well", "sick", "well"],
    "eyes": ["clear", "clear", "clear", "clear", "clear", "itching"],
    "limbs": ["aching", "well", "aching", "well", "well", "well"],
    "season": ["winter", "autumn", "winter", "spring", "winter", "spring"],
}
rng, n, n_train = np.random.default_rng(0), 4000, 3000
illness, severity = rng.integers(6, size=n), rng.lognormal(0, 0.5, n)
patients = pd.DataFrame({"age": rng.uniform(2, 90, n).round()})
for name, usual in MEASURED.items():
    noise = rng.lognormal(0, 0.4, n)
    patients[name] = (np.take(usual, illness) * severity * noise).round(1)
for name, usual in SEEN.items():
    is_usual = rng.random(n) < 0.6
    patients[name] = np.where(is_usual, np.take(usual, illness), rng.choice(usual, n))
is_retired = patients["age"] + rng.normal(0, 8, n) > 60
patients = patients.mask(rng.random(patients.shape) < 1 / 3)
questions = {
    "Which of six illnesses?": illness,
    "Retired?": is_retired,
}

numbers = make_pipeline(
    QuantileTransformer(output_distribution="normal"),
    SimpleImputer(add_indicator=True),
)
columns = make_column_transformer(
    (numbers, make_column_selector(dtype_include="number")),
    (OneHotEncoder(sparse_output=False), make_column_selector(dtype_exclude="number")),
)
transformers = {
    "16 codes of skae": DenoisingAutoencoderTransformer(
        16, noise="missing", random_state=0
    ),
    "16 components of PCA": make_pipeline(columns, PCA(16)),
    "all columns": columns,
}
features = {name: t.fit(patients[:n_train]) for name, t in transformers.items()}
features = {name: t.transform(patients) for name, t in features.items()}

counts = [5, 10, 20, 50, 100]
orders = [np.random.default_rng(i).permutation(n_train) for i in range(20)]
fig, axes = plt.subplots(1, 2, figsize=(7.4, 3.8), sharey=True, layout="constrained")
for ax, (title, y) in zip(axes, questions.items(), strict=True):
    for (name, X), marker in zip(features.items(), "o^D", strict=True):
        accuracy = np.zeros(len(counts))
        for order in orders:
            for i, count in enumerate(counts):
                by_class = [order[y[order] == value][:count] for value in np.unique(y)]
                rows = np.concatenate(by_class)
                model = LogisticRegression(max_iter=1000).fit(X[rows], y[rows])
                accuracy[i] += model.score(X[n_train:], y[n_train:]) / len(orders)
        ax.plot(counts, 100 * accuracy, marker=marker, label=name)
        print(f"{title:24} {name:21}", *(f"{100 * a:5.1f}" for a in accuracy))
    ax.set(title=title, xscale="log", xlabel="labelled patients of each class")
    ax.set_xticks(counts, labels=counts)
    ax.set_xticks([], minor=True)
axes[0].set_ylabel("accuracy on new patients in %")
axes[0].legend()
plt.show()

# %%
# Every point is the mean of 20 draws of labelled patients, the same for all three. The
# 1000 patients that are scored took no part in any fit. The autoencoder takes the table
# as it is. The others get ranks of numbers as normal quantiles, zeros and ones for
# levels, and which cells are missing.
#
# The patients are made, and the first question is one that suits codes: what is asked
# is what columns have in common. An illness, more or less severe, shows in all columns
# but age, in none of them reliably. On real tables expect less: :doc:`/benchmarks`.
