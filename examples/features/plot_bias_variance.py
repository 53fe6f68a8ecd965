"""
Bias and variance: how much network do so few rows bear?
========================================================

A network that is too small can't follow the data (bias), one that is too large or
trained too freely learns the training rows by heart (variance). scikit-learn's
``validation_curve`` shows both. With 400 digits to train on, the error of new ones is
the lowest with one hidden layer of 256 cells. The default, a second one of 128, is
5 % above it, and two layers of 512 cells are 8 % above it: too large a network does
less harm than one that is too small.
"""

import matplotlib.pyplot as plt
from sklearn.datasets import load_digits
from sklearn.model_selection import ShuffleSplit, learning_curve, validation_curve

from skae import AutoencoderTransformer

X = load_digits().data
model = AutoencoderTransformer(16, early_stopping=False, random_state=0)
splits = ShuffleSplit(2, train_size=400, test_size=500, random_state=0)
widths = [(), (16,), (64,), (256,), (256, 128), (512, 512)]
train, test = validation_curve(
    model, X, None, param_name="hidden_layer_sizes", param_range=widths, cv=splits
)


def draw(ax, values, train, test, label):
    """Errors of the splits and their means: scores are minus the squared error."""
    places = range(len(values))
    for scores, name in ((train, "training digits"), (test, "new digits")):
        (line,) = ax.plot(places, -scores.mean(axis=1), "o-", label=name)
        low, high = -scores.max(axis=1), -scores.min(axis=1)
        ax.fill_between(places, low, high, color=line.get_color(), alpha=0.2)
    ax.set_xticks(places, labels=[str(value).replace(" ", "") for value in values])
    ax.set(xlabel=label, ylabel="squared error", ylim=(0, None))


fig, ax = plt.subplots(figsize=(5.6, 3.9), layout="constrained")
draw(ax, widths, train, test, "hidden_layer_sizes")
ax.legend()
plt.show()
for width, error in zip(widths, -test.mean(axis=1), strict=True):
    print(f"{width!s:10} {error:.2f}")

# %%
# Three other ways from bias to variance: less weight decay, more epochs, fewer rows. At
# the right ends of the first two panels training digits are known by heart, and new
# ones are a little worse off than before; early stopping, which is the default and is
# switched off here, would keep an earlier epoch. More rows help far more than any
# setting does: the last panel still falls where the data end.
ranges = {"weight_decay": [10, 3, 1, 0.1, 0], "max_iter": [5, 10, 30, 80]}
fig, axes = plt.subplots(1, 3, figsize=(10, 3.4), sharey=True, layout="constrained")
for ax, (name, values) in zip(axes, ranges.items(), strict=False):
    curves = validation_curve(
        model, X, None, param_name=name, param_range=values, cv=splits
    )
    draw(ax, values, *curves, name)
splits = ShuffleSplit(2, test_size=500, random_state=0)
sizes = [50, 100, 200, 400, 800]
_, *curves = learning_curve(model, X, None, train_sizes=sizes, cv=splits)
draw(axes[2], sizes, *curves, "training digits")
for ax in axes[1:]:
    ax.set_ylabel("")
plt.show()
