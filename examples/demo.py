"""The main job on real data, in about a minute: run it with ``make demo``.

Compresses scikit-learn's handwritten digits, compares with PCA at the same code size,
puts the codes in front of a classifier, searches a grid and removes burnt-out pixels.
Prints a table and writes two pictures.
"""

from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_digits
from sklearn.decomposition import PCA
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV, train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import MinMaxScaler, StandardScaler

from skae import AutoencoderTransformer, DenoisingAutoencoderTransformer

OUTPUT = Path("demo_output")
CODE_SIZE = 16
HIGHEST = 16  # value of a white pixel


def error(X, reconstructed):
    return np.square(X - reconstructed).mean()


def burn_out(X, share=0.15, seed=0):
    """Digits with a share of their pixels black or white."""
    rng = np.random.default_rng(seed)
    burnt = np.where(rng.random(X.shape) < 0.5, 0, HIGHEST)
    return np.where(rng.random(X.shape) < share, burnt, X)


def compress(train, test):
    """Reconstruction of unseen digits from 16 numbers."""
    print(f"\nFitting an autoencoder with {CODE_SIZE} components ...", flush=True)
    pca = PCA(CODE_SIZE).fit(train)
    autoencoder = AutoencoderTransformer(CODE_SIZE, random_state=0, verbose=1)
    autoencoder.fit(train)
    return {
        "original": test,
        "PCA": pca.inverse_transform(pca.transform(test)),
        "autoencoder": autoencoder.reconstruct(test),
    }


def classify(train, test, y_train, y_test):
    """Accuracy of a classifier on the codes, learned from 100 labels."""
    print("Putting codes in front of a classifier ...", flush=True)
    coders = {
        "PCA": PCA(CODE_SIZE),
        "autoencoder": AutoencoderTransformer(CODE_SIZE, random_state=0),
        "denoising autoencoder": DenoisingAutoencoderTransformer(
            CODE_SIZE, random_state=0
        ),
    }
    accuracy = {}
    for name, coder in coders.items():
        coder.fit(train)  # from all digits, without labels
        classifier = make_pipeline(StandardScaler(), LogisticRegression(max_iter=1000))
        classifier.fit(coder.transform(train[:100]), y_train[:100])
        accuracy[name] = classifier.score(coder.transform(test), y_test)
    return accuracy


def search(train, y_train):
    """Cross-validated choice of code size and hidden layers."""
    print("Searching a grid of code sizes and hidden layers ...", flush=True)
    pipe = make_pipeline(
        MinMaxScaler(),
        AutoencoderTransformer(random_state=0),
        LogisticRegression(C=10, max_iter=1000),
    )
    grid = {
        "autoencodertransformer__n_components": [8, 24],
        "autoencodertransformer__hidden_layer_sizes": [(128,), (256, 128)],
    }
    return GridSearchCV(pipe, grid, cv=3, n_jobs=2).fit(train, y_train)


def denoise(train, test):
    """Removal of burnt-out pixels from unseen digits."""
    print("Learning to remove burnt-out pixels ...", flush=True)
    noisy = burn_out(test)
    denoiser = DenoisingAutoencoderTransformer(
        32,
        noise="salt_and_pepper",
        noise_level=0.15,
        linear_path=True,  # features are better without, reconstructions with it
        random_state=0,
        verbose=1,
    ).fit(train)
    pca = PCA(CODE_SIZE).fit(train)
    return {
        "original": test,
        "burnt out": noisy,
        "PCA": pca.inverse_transform(pca.transform(noisy)),
        "denoised": denoiser.reconstruct(noisy),
    }


def draw(rows, title, path):
    """One row of digits for each kind of image, and its error beside it."""
    figure, axes = plt.subplots(
        len(rows), 12, figsize=(9, 0.85 * len(rows) + 0.6), layout="constrained"
    )
    for (name, images), line in zip(rows.items(), axes, strict=True):
        for image, ax in zip(images, line, strict=False):
            ax.imshow(image.reshape(8, 8), cmap="gray_r", vmin=0, vmax=HIGHEST)
            ax.set(xticks=[], yticks=[])
            ax.spines[:].set_visible(False)
        label = name
        if name != "original":
            label += f"\nerror {error(rows['original'], images):.2f}"
        line[0].set_ylabel(label, rotation=0, ha="right", va="center")
    figure.suptitle(title)
    figure.savefig(path, dpi=150)
    plt.close(figure)


def table(compressed, accuracy, best, denoised):
    lines = [("held-out squared error at 16 components", "")]
    for name in ("PCA", "autoencoder"):
        value = error(compressed["original"], compressed[name])
        lines.append((name, f"{value:.2f}"))
    lines.append(("accuracy with 100 labels", ""))
    lines += [(name, f"{value:.3f}") for name, value in accuracy.items()]
    lines.append(("best of the grid, all labels, cross-validated", ""))
    chosen = [
        str(best.best_params_[f"autoencodertransformer__{name}"])
        for name in ("n_components", "hidden_layer_sizes")
    ]
    lines.append((" components, layers ".join(chosen), f"{best.best_score_:.3f}"))
    lines.append(("squared error with 15 % burnt-out pixels", ""))
    for name in ("burnt out", "PCA", "denoised"):
        value = error(denoised["original"], denoised[name])
        lines.append((name, f"{value:.2f}"))
    print()
    for name, value in lines:
        print(f"  {name:34}{value:>8}" if value else f"\n{name}")


def main():
    X, y = load_digits(return_X_y=True)
    train, test, y_train, y_test = train_test_split(X, y, random_state=0)
    print(f"{len(train)} digits of 8 x 8 pixels to learn from, {len(test)} to test on.")
    compressed = compress(train, test)
    accuracy = classify(train, test, y_train, y_test)
    best = search(train, y_train)
    denoised = denoise(train, test)
    table(compressed, accuracy, best, denoised)
    OUTPUT.mkdir(exist_ok=True)
    pictures = {
        "reconstruction.png": (compressed, "Unseen digits from 16 numbers"),
        "denoising.png": (denoised, "Unseen digits with burnt-out pixels"),
    }
    print()
    for name, (rows, title) in pictures.items():
        draw(rows, title, OUTPUT / name)
        print(f"wrote {OUTPUT / name}")


if __name__ == "__main__":
    main()
