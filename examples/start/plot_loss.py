"""
Is the network worth it? Its loss curve beside PCA
==================================================

PCA with as many components is a candidate in every fit, and its loss on held-out rows
is the line that training has to get under. The loss curve says whether it did, which
epoch was kept, and whether fewer or more epochs would help. With 16 components and 898
digits it ends at 0.56 of PCA's loss; with 60 digits PCA is kept.
"""

import matplotlib.pyplot as plt
from sklearn.datasets import load_breast_cancer, load_digits
from sklearn.preprocessing import scale

from skae import AutoencoderTransformer
from skae.plotting import LossCurveDisplay

digits = load_digits().data[::2]
model = AutoencoderTransformer(16, random_state=0).fit(digits)
fig, ax = plt.subplots(figsize=(5.6, 3.9), layout="constrained")
LossCurveDisplay.from_estimator(model, ax=ax)
plt.show()

# %%
# Three other fits. Trained for longer on the same digits, the network learns them by
# heart: their loss falls on, that of held-out ones stays, and in the end it is above
# that of 30 epochs. From 60 digits too little can be learned: no epoch is better than
# PCA, so epoch 0 is kept, and the transformer is PCA. Measurements of tumours, at
# last, take more epochs than the default of 30, which leave 0.88 of PCA's loss.
fits = {
    "898 digits, 100 epochs": (digits, 100),
    "60 digits": (digits[:60], 30),
    "569 tumours, 100 epochs": (scale(load_breast_cancer().data), 100),
}
fig, axes = plt.subplots(1, 3, figsize=(10, 3.4), layout="constrained")
for ax, (title, (X, max_iter)) in zip(axes, fits.items(), strict=True):
    model = AutoencoderTransformer(16, max_iter=max_iter, random_state=0).fit(X)
    LossCurveDisplay.from_estimator(model, ax=ax)
    ax.get_legend().remove()
    ax.set(title=title, ylabel="squared error")
    curve = [model.pca_loss_, *model.validation_loss_curve_]
    ratio = curve[model.best_iter_] / model.pca_loss_
    print(f"{title}: epoch {model.best_iter_} is kept, {ratio:.2f} of PCA's loss")
plt.show()
