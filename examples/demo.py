"""What skae does, on real data, in about half a minute: run it with ``make demo``.

Compares codes of 16 numbers with PCA's: how well they reconstruct digits, and what a
classifier makes of them. Removes burnt-out pixels. Finds tumours that are unlike benign
ones, and says why. Prints the figures and draws a picture of them; give another path to
draw it there.
"""

import sys
from io import BytesIO
from pathlib import Path
from textwrap import wrap

import matplotlib.pyplot as plt
import numpy as np
from PIL import Image
from sklearn.datasets import load_breast_cancer, load_digits
from sklearn.decomposition import PCA
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler

from skae import (
    AutoencoderOutlierDetector,
    AutoencoderTransformer,
    DenoisingAutoencoderTransformer,
)

PATH = Path("demo_output/overview.png")
WHITE = 16  # value of a white pixel
UNSEEN = "unseen digits"
N_LABELS, N_DRAWS, SHOWN = [50, 100, 200, 400, 800], 10, [0, 1, 3, 5]
BLUE, RED = "#1f6fb4", "#d1495b"


def error(X, reconstructed):
    return np.square(X - reconstructed).mean()


def burn_out(X, share=0.15, seed=0):
    """Digits with a share of their pixels black or white."""
    rng = np.random.default_rng(seed)
    burnt = np.where(rng.random(X.shape) < 0.5, 0, WHITE)
    return np.where(rng.random(X.shape) < share, burnt, X)


def reconstruct(train, test):
    """Unseen digits, from 16 numbers each, and without their burnt-out pixels."""
    pca = PCA(16).fit(train)
    autoencoder = AutoencoderTransformer(16, random_state=0).fit(train)
    denoiser = DenoisingAutoencoderTransformer(
        32, noise="salt_and_pepper", noise_level=0.15, random_state=0
    ).fit(train)
    burnt = burn_out(test)
    return {
        UNSEEN: test,
        "PCA": pca.inverse_transform(pca.transform(test)),
        "autoencoder": autoencoder.reconstruct(test),
        "burnt out": burnt,
        "repaired": denoiser.reconstruct(burnt),
    }


def classify(train, test, y_train, y_test):
    """Mean accuracy for each number of labels, by kind of features."""
    kinds = {
        "64 pixels": FunctionTransformer(),
        "16 of PCA": PCA(16),
        "16 of skae": DenoisingAutoencoderTransformer(16, random_state=0),
    }
    orders = [np.random.default_rng(i).permutation(len(train)) for i in range(N_DRAWS)]
    accuracy = {}
    for name, transformer in kinds.items():
        codes = transformer.fit_transform(train)  # all digits, without labels
        new_codes = transformer.transform(test)
        model = make_pipeline(StandardScaler(), LogisticRegression(max_iter=1000))
        accuracy[name] = [
            np.mean(
                [
                    model.fit(codes[rows], y_train[rows]).score(new_codes, y_test)
                    for rows in (order[:count] for order in orders)
                ]
            )
            for count in N_LABELS
        ]
    return accuracy


def detect():
    """Scores over the threshold of benign and malignant tumours, and the reasons."""
    tumours = load_breast_cancer(as_frame=True)
    benign, malignant = (tumours.data[tumours.target == kind] for kind in (1, 0))
    train, benign = train_test_split(benign, random_state=0)
    detector = AutoencoderOutlierDetector(alpha=0.05, random_state=0)
    model = make_pipeline(StandardScaler(), detector).fit(train)
    scores = {
        "benign": model.decision_function(benign),
        "malignant": model.decision_function(malignant),
    }
    reasons = detector.explain(malignant[:3], n_features=1, preprocessing=model[:-1])
    return scores, reasons["message"]


def print_figures(digits, accuracy, scores, messages):
    lines = [("squared error of unseen digits", "")]
    lines += [
        (name, f"{error(digits[UNSEEN], images):.2f}")
        for name, images in list(digits.items())[1:]
    ]
    counts = ", ".join(map(str, N_LABELS))
    lines.append((f"accuracy with {counts} labels", ""))
    lines += [
        (name, "  ".join(f"{value:.2f}" for value in values))
        for name, values in accuracy.items()
    ]
    lines.append(("share found outlying", ""))
    lines += [(name, f"{(values < 0).mean():.2f}") for name, values in scores.items()]
    for name, value in lines:
        print(f"  {name:20}{value}" if value else f"\n{name}")
    print("\nreasons")
    for message in messages:
        print(f"  {message}")


def draw_digits(figure, rows):
    """One row of digits for each kind of image, and its error beside it."""
    ax = titled(figure, "Compress and repair")
    shown = [images[SHOWN].reshape(-1, 8, 8) for images in rows.values()]
    tiles = np.pad(shown, ((0, 0), (0, 0), (1, 1), (1, 1)))  # (kinds, n, 10, 10)
    tiles = tiles.swapaxes(1, 2).reshape(10 * len(rows), 10 * len(SHOWN))
    ax.imshow(tiles, cmap="gray_r", vmin=0, vmax=WHITE)
    labels = [
        f"{name}\nerror {error(rows[UNSEEN], images):.2f}"
        for name, images in rows.items()
    ]
    labels[0] = UNSEEN
    ax.set_yticks(10 * np.arange(len(rows)) + 4.5, labels=labels)
    ax.set(xticks=[], anchor="N")
    ax.tick_params(length=0)
    ax.spines[:].set_visible(False)


def draw_accuracy(figure, accuracy):
    """How often a classifier is right, by the number of labels that it has seen."""
    ax = titled(figure, "Features for few labels")
    colors = {"64 pixels": "#8a8a8a", "16 of PCA": "black", "16 of skae": BLUE}
    for name, values in accuracy.items():
        values = 100 * np.array(values)
        ax.plot(N_LABELS, values, "o-", markersize=4, color=colors[name], label=name)
    ax.set(xscale="log", xlabel="labels", ylabel="accuracy on unseen digits in %")
    ax.set_xticks(N_LABELS, labels=N_LABELS)
    ax.set_xticks([], minor=True)
    ax.legend(frameon=False, loc="lower right")
    ax.grid(alpha=0.3)
    ax.spines[["top", "right"]].set_visible(False)


def draw_scores(figure, scores, message):
    """Scores on both sides of the threshold, and the reason for an alarm."""
    ax = titled(figure, "Outliers, and why")
    bins = np.linspace(-9, 9, 19)
    for (name, values), color in zip(scores.items(), [BLUE, RED], strict=True):
        label = f"{name}: {(values < 0).mean():.0%} alarms"
        shown = np.clip(values, bins[0], bins[-1])
        ax.hist(shown, bins, density=True, alpha=0.7, color=color, label=label)
    ax.set_ylim(0, 1.35 * ax.get_ylim()[1])
    ax.axvline(0, ymax=0.74, color="black", linewidth=1)
    reason = "\n".join(wrap(f"“{message}”", 34))
    ax.set(yticks=[], xlabel=f"score above the threshold\n\n{reason}")
    ax.legend(frameon=False, loc="upper left")
    ax.spines[["top", "right", "left"]].set_visible(False)


def titled(figure, title):
    figure.suptitle(title, fontsize=10, weight="bold")
    return figure.subplots()


def draw(digits, accuracy, scores, messages, path):
    with plt.rc_context({"font.size": 8}):
        figure = plt.figure(figsize=(8, 3), layout="constrained")
        figure.get_layout_engine().set(w_pad=0.08, h_pad=0.08)
        left, middle, right = figure.subfigures(1, 3, width_ratios=[1.1, 1, 1])
        draw_digits(left, digits)
        draw_accuracy(middle, accuracy)
        draw_scores(right, scores, messages.iloc[1])
        buffer = BytesIO()
        figure.savefig(buffer, dpi=200)
        plt.close(figure)
    path.parent.mkdir(exist_ok=True, parents=True)
    Image.open(buffer).convert("RGB").quantize(64).save(path, optimize=True)


def main(path=PATH):
    X, y = load_digits(return_X_y=True)
    train, test, y_train, y_test = train_test_split(X, y, random_state=0)
    print(f"{len(train)} digits of 8 x 8 pixels to learn from, {len(test)} to test on.")
    digits = reconstruct(train, test)
    accuracy = classify(train, test, y_train, y_test)
    scores, messages = detect()
    print_figures(digits, accuracy, scores, messages)
    draw(digits, accuracy, scores, messages, Path(path))
    print(f"\nwrote {path}")


if __name__ == "__main__":
    main(*sys.argv[1:])
