"""
Odd digits, and what is odd about them
======================================

A detector is fitted to ones, threes and sevens. Of the digits that follow, some have a
burnt-out pixel, some are of another kind. It says which are not like those it knows,
and which pixels make them so.
"""

# %%
# The threshold is set on rows held out while fitting, so that 5 % of normal digits are
# to be found outlying.
import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

from skae import AutoencoderOutlierDetector

X, y = load_digits(return_X_y=True)
is_normal = np.isin(y, [1, 3, 7])
X_train, X_normal = train_test_split(X[is_normal], random_state=0)
detector = AutoencoderOutlierDetector(method="neighbors", alpha=0.05, random_state=0)
detector.fit(X_train)

# %%
# One pixel of each of the new digits is turned from black to white or back.
rng = np.random.default_rng(0)
X_burnt, pixels = X_normal.copy(), rng.integers(64, size=len(X_normal))
rows = np.arange(len(X_burnt))
X_burnt[rows, pixels] = np.where(X_burnt[rows, pixels] < 8, 16, 0)
sets = {"normal": X_normal, "one pixel burnt out": X_burnt, "eights": X[y == 8]}
scores = {name: detector.score_samples(X) for name, X in sets.items()}
is_culprit = detector.feature_scores(X_burnt).argmax(axis=1) == pixels

# %%
# On the left, scores; on the right, the digits with a burnt-out pixel, and the pixels
# that raised the alarm.
fig = plt.figure(figsize=(10, 3.6), layout="constrained")
left, right = fig.subfigures(1, 2, width_ratios=[1, 1.1])
ax = left.subplots()
bins = np.geomspace(4, -min(map(np.min, scores.values())), 40)
for name, of_set in scores.items():
    found = (of_set < detector.offset_).mean()
    share = np.full(len(of_set), 1 / len(of_set))
    label = f"{name}: {found:.0%} found"
    ax.hist(-of_set, bins, weights=share, alpha=0.5, label=label)
ax.axvline(-detector.offset_, color="k", linestyle=":", label="threshold")
ax.set(xscale="log", xlabel="minus the score", ylabel="share of digits", ylim=(0, 0.6))
ax.legend(loc="upper right", fontsize=9)
right.suptitle(f"The burnt-out pixel is named first in {is_culprit.mean():.0%}")
axes = right.subplots(2, 6)
of_pixels = detector.feature_scores(X_burnt[:6])
for column, digit, of_digit in zip(axes.T, X_burnt, of_pixels, strict=False):
    column[0].imshow(digit.reshape(8, 8), cmap="gray_r", vmin=0, vmax=16)
    column[1].imshow(of_digit.reshape(8, 8), cmap="Reds")
for ax in axes.flat:
    ax.set(xticks=[], yticks=[])
plt.show()
