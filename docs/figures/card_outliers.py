"""Scores of benign and malignant tumours, by a detector fitted to benign ones."""

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_breast_cancer
from sklearn.model_selection import train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skae import AutoencoderOutlierDetector

data = load_breast_cancer(as_frame=True)
benign, malignant = (data.data[data.target == kind] for kind in (1, 0))
benign, benign_test = train_test_split(benign, random_state=0)
detector = AutoencoderOutlierDetector(alpha=0.05, random_state=0)
model = make_pipeline(StandardScaler(), detector).fit(benign)
surprisals = [-model.score_samples(rows) for rows in (benign_test, malignant)]

_, ax = plt.subplots(figsize=(4, 2.5))
bins = np.geomspace(0.2, max(surprisals[1]) * 1.05, 30)
for name, values, colour in zip(
    ("benign", "malignant"), surprisals, ("#2a6f97", "#e07a1f"), strict=True
):
    ax.hist(values, bins, color=colour, alpha=0.75, label=name)
ax.axvline(-detector.offset_, color="black", ls="--", label="threshold")
ax.set(xscale="log", xlabel="anomaly score", ylabel="tumours")
ax.set_xticks(ticks := (0.3, 1, 3, 10, 30), ticks)
ax.minorticks_off()
ax.legend(frameon=False)
ax.spines[["top", "right"]].set_visible(False)
