"""What skae does, on real data, in about a minute: run it with ``make demo``.

Six parts: codes of 16 numbers and their error beside PCA's; features for few labels;
burnt-out pixels repaired; rows that stand out, with the reasons; holes of a table of
numbers and categories filled; digits as a few bytes. Each prints its figures and a
sentence. In the end there are a picture of the first four and a report of a fitted
autoencoder. Give another path to draw the picture there.
"""

import sys
from io import BytesIO
from pathlib import Path
from textwrap import fill, wrap
from time import perf_counter

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from PIL import Image
from sklearn.datasets import load_breast_cancer, load_digits
from sklearn.decomposition import PCA
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler

from skae import (
    AutoencoderImputer,
    AutoencoderOutlierDetector,
    AutoencoderTransformer,
    Codec,
    DenoisingAutoencoderTransformer,
)

PICTURE, REPORT = Path("demo_output/overview.png"), Path("demo_output/report.html")
WHITE = 16  # value of a white pixel
UNSEEN = "unseen digits"
N_LABELS, N_DRAWS, SHOWN = [50, 100, 200, 400, 800], 10, [0, 1, 3, 5]
BLUE, RED = "#1f6fb4", "#d1495b"
WIDTH = 78


def heading(title, progress):
    """Begin a part: its title, and what is done until its figures are there."""
    print(f"\n{title}\n{'-' * len(title)}")
    print(f"{progress} ...", flush=True)


def table(rows, columns=()):
    """Aligned columns, names to the left and figures to the right."""
    for name, *cells in [("", *columns), *rows] if columns else rows:
        print(f"  {name:26}" + "".join(f"{cell:>9}" for cell in cells))


def conclude(text):
    print(fill(text, WIDTH, initial_indent="=> ", subsequent_indent="   "))


def error(X, reconstructed):
    return np.square(X - reconstructed).mean()


def compress(train, test):
    """Digits from 16 numbers each, and the autoencoder that made them."""
    heading("1. Fewer numbers, less error", "Fitting PCA and an autoencoder")
    pca = PCA(16).fit(train)
    autoencoder = AutoencoderTransformer(16, random_state=0).fit(train)
    made = {
        "PCA": pca.inverse_transform(pca.transform(test)),
        "autoencoder": autoencoder.reconstruct(test),
    }
    errors = {name: error(test, images) for name, images in made.items()}
    table([(name, f"{value:.2f}") for name, value in errors.items()], ["error"])
    conclude(
        "New digits, 64 pixels rebuilt from 16 numbers: "
        f"{errors['autoencoder'] / errors['PCA']:.2f} of PCA's squared error."
    )
    return made, autoencoder


def classify(train, test, y_train, y_test):
    """Mean accuracy for each number of labels, by kind of features."""
    heading("2. Features for few labels", "Training classifiers on three kinds of them")
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
    rows = [(k, *(f"{v:.2f}" for v in values)) for k, values in accuracy.items()]
    table(rows, [f"{count}" for count in N_LABELS])
    conclude(
        f"Right answers by the number of labels, means of {N_DRAWS} draws. The codes "
        "come from all digits without labels, and help most where labels are few."
    )
    return accuracy


def repair(train, test):
    """Digits with burnt-out pixels, and without them again."""
    heading("3. Burnt-out pixels", "Training a denoising autoencoder")
    rng = np.random.default_rng(0)
    is_burnt = rng.random(test.shape) < 0.15
    burnt = np.where(is_burnt, rng.choice([0, WHITE], test.shape), test)
    denoiser = DenoisingAutoencoderTransformer(
        32, noise="salt_and_pepper", noise_level=0.15, random_state=0
    ).fit(train)
    images = {"burnt out": burnt, "repaired": denoiser.reconstruct(burnt)}
    errors = {name: error(test, image) for name, image in images.items()}
    table([(name, f"{value:.2f}") for name, value in errors.items()], ["error"])
    conclude(
        "15 % of the pixels are black or white. Of the damage to new digits "
        f"{errors['repaired'] / errors['burnt out']:.2f} is left."
    )
    return images


def detect():
    """Scores over the threshold of benign and malignant tumours, and the reasons."""
    heading("4. Outliers, and why", "Learning what benign tumours are like")
    tumours = load_breast_cancer(as_frame=True)
    benign, malignant = (tumours.data[tumours.target == kind] for kind in (1, 0))
    train, benign = train_test_split(benign, random_state=0)
    detector = AutoencoderOutlierDetector(alpha=0.05, random_state=0)
    model = make_pipeline(StandardScaler(), detector).fit(train)
    scores = {
        "benign": model.decision_function(benign),
        "malignant": model.decision_function(malignant),
    }
    rows = [(name, f"{(values < 0).mean():.0%}") for name, values in scores.items()]
    table(rows, ["alarms"])
    reasons = detector.explain(malignant[:3], n_features=1, preprocessing=model[:-1])
    for message in reasons["message"]:
        print(f"  {message}")
    conclude(
        "Asked for 5 % of false alarms, without having seen a malignant tumour; with "
        "the reasons for the first three, in the units of the data."
    )
    return scores, reasons["message"]


def fill_holes():
    """A table of numbers and categories whose missing cells are filled."""
    heading("5. A table with holes", "Hiding a fifth of its cells, and filling them")
    rng = np.random.default_rng(0)
    rooms = rng.integers(1, 7, size=1000)
    is_central = rng.random(1000) < 0.4
    rent = 300 * rooms * np.where(is_central, 1.8, 1) * rng.lognormal(0, 0.1, 1000)
    columns = {"rooms": rooms, "rent": rent.round()}
    columns |= {"kind": np.where(rooms > 4, "house", "flat")}
    columns |= {"where": np.where(is_central, "centre", "suburb")}
    flats = pd.DataFrame(columns)
    holed = flats.mask(rng.random(flats.shape) < 0.2)
    filled = AutoencoderImputer(random_state=0).fit_transform(holed)
    rows = []
    for column in ("kind", "where"):
        is_hole = holed[column].isna()
        shares = [
            (guess == flats[column])[is_hole].mean()
            for guess in (filled[column], flats[column].mode()[0])
        ]
        rows.append((column, is_hole.sum(), *(f"{share:.0%}" for share in shares)))
    table(rows, ["holes", "right", "mode"])
    alone = holed.isna().sum(axis=1) == 1  # the only hole of its row
    for column in ("rent", "where"):
        row = holed.index[alone & holed[column].isna()][0]
        known, found, truth = (
            cells.round().convert_dtypes().loc[row].dropna()
            for cells in (holed, filled, flats)
        )
        print("  " + ", ".join(f"{name} {cell}" for name, cell in known.items()))
        print(f"    {column}: filled {found[column]}, in truth {truth[column]}")
    conclude(
        "Numbers and categories are read as they are. A category is filled rightly far "
        "more often than by its commonest level."
    )


def encode(autoencoder, train, test):
    """Digits as bytes, and back."""
    heading("6. Digits as bytes", "Choosing how finely codes are rounded")
    codec = Codec(autoencoder, train, error=2)  # on the digits to learn from
    data = codec.encode(test)
    size, squared = len(data) / len(test), error(test, codec.decode(data))
    pixels = test.shape[1]
    table(
        [("pixels", pixels, 0), ("codes", f"{size:.1f}", f"{squared:.2f}")],
        ["bytes", "error"],
    )
    conclude(
        f"{len(test)} new digits take {len(data):,} bytes, {pixels / size:.0f} times "
        "fewer than their pixels. The model is not counted."
    )


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


def main(picture=PICTURE):
    start, picture = perf_counter(), Path(picture)
    X, y = load_digits(return_X_y=True)
    train, test, y_train, y_test = train_test_split(X, y, random_state=0)
    print(f"{len(train):,} digits of 8 x 8 pixels to learn from, {len(test)} new ones.")
    made, autoencoder = compress(train, test)
    accuracy = classify(train, test, y_train, y_test)
    digits = {UNSEEN: test, **made, **repair(train, test)}
    scores, messages = detect()
    fill_holes()
    encode(autoencoder, train, test)
    heading("7. To look at", "Drawing a picture, and writing a report")
    draw(digits, accuracy, scores, messages, picture)
    print(f"  {picture}")
    REPORT.parent.mkdir(exist_ok=True)
    autoencoder.report(test, y_test, image_shape=(8, 8)).save(REPORT)
    print(f"  {REPORT}: open it in a browser")
    conclude(autoencoder.summary())
    print(f"\nDone in {perf_counter() - start:.0f} seconds.")


if __name__ == "__main__":
    main(*sys.argv[1:])
