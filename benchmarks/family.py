"""What does each kind of autoencoder do that the plain one does not?"""

import numpy as np
from sklearn.decomposition import PCA

from benchmarks import data
from benchmarks.report import Report
from benchmarks.timing import seconds
from skae import (
    AutoencoderTransformer,
    ContractiveAutoencoderTransformer,
    DenoisingAutoencoderTransformer,
    SparseAutoencoderTransformer,
)
from skae.networks import MLP, Convolutional

MOST_ROWS, EPOCHS = 5000, 20
# Of images whose codes are contracted, which takes three times as long.
FEW_ROWS = 2000
CODE = 16
# About as many parameters as convolutions of (32, 64) channels have.
CONTENDERS = {
    "MLP, default": lambda side: MLP(),
    "MLP, (512, 256)": lambda side: MLP((512, 256)),
    "convolutional, default": lambda side: Convolutional((side, side)),
    "convolutional, (16, 32)": lambda side: Convolutional((side, side), (16, 32)),
}
NONZEROS = 4, 8, 16
STRENGTHS = 0.0, 0.01, 0.1, 1.0
DEFAULT_STRENGTH = ContractiveAutoencoderTransformer().alpha
# In global standard deviations, as codes are moved by it.
NOISE = 0.25


def run(directory, quick):
    """The report on the kinds of autoencoders."""
    report = Report("What does each kind do that the plain one does not?")
    report.notes.append(data.described(directory))
    for dataset in data.images(directory):
        dataset = dataset.capped(data.QUICK_ROWS if quick else MOST_ROWS)
        _add_convolutional(report, dataset, 2 if quick else EPOCHS)
    digits = data.images(None)[0].capped(data.QUICK_ROWS if quick else MOST_ROWS)
    _add_sparse(report, digits)
    for dataset in data.images(directory):
        few = data.QUICK_ROWS if quick else FEW_ROWS
        _add_contractive(report, dataset.capped(few))
    return report


def _error(fitted, X):
    return float(np.square(fitted.reconstruct(X) - X, dtype=np.float64).mean())


def _of_pca(train, test, k):
    pca = PCA(k, random_state=0).fit(train)
    return float(np.square(pca.inverse_transform(pca.transform(test)) - test).mean())


def _add_convolutional(report, dataset, epochs):
    train, test, *_ = dataset.split(0)
    side, of_pca = int(train.shape[1] ** 0.5), _of_pca(train, test, CODE)
    rows = []
    for name, make in CONTENDERS.items():
        estimator = AutoencoderTransformer(
            CODE, network=make(side), max_iter=epochs, random_state=0
        )
        time, fitted = seconds(estimator.fit, train)
        n_weights = sum(p.numel() for p in fitted.net_.module_.parameters())
        rows.append([name, n_weights, time, _error(fitted, test) / of_pca])
    report.table(
        f"Networks on {dataset.name}",
        ["network", "parameters", "seconds to fit", "error over PCA's"],
        rows,
        f"Codes of {CODE}, {epochs} epochs, {len(train):,} rows to train on.",
    )
    mlps, convolutional = rows[:2], rows[2:]
    report.bar(
        f"{dataset.name}: convolutional's error over an MLP's, the best of each",
        min(row[-1] for row in convolutional) / min(row[-1] for row in mlps),
        1.0,
    )


def _add_sparse(report, dataset):
    train, test, *_ = dataset.split(0)
    rows = []
    for k in NONZEROS:
        fitted = SparseAutoencoderTransformer(
            2 * train.shape[1], k=k, random_state=0
        ).fit(train)
        ratio = _error(fitted, test) / _of_pca(train, test, k)
        rows.append([k, fitted.n_components_, ratio, fitted.dead_fraction_])
    report.table(
        f"Sparse codes of {dataset.name}",
        ["nonzeros", "of", "error over PCA's of as many", "dead"],
        rows,
        "Linear encoder and decoder; the k largest components of each code are kept. "
        "PCA has the same k components for all rows.",
    )
    report.bar("sparse codes' error over PCA's, worst", max(r[2] for r in rows), 1.0)


def _add_contractive(report, dataset):
    train, test, *_ = dataset.split(0)
    given = {
        "denoising, Gaussian": DenoisingAutoencoderTransformer(
            CODE, noise="gaussian", random_state=0
        ),
        "PCA": PCA(CODE, random_state=0),
    }
    for alpha in STRENGTHS:
        given[f"contractive, alpha={alpha:g}"] = ContractiveAutoencoderTransformer(
            CODE, alpha=alpha, random_state=0
        )
    rows, error_of_pca = {}, _of_pca(train, test, CODE)
    for name, estimator in given.items():
        time, fitted = seconds(estimator.fit, train)
        rebuilt = fitted.inverse_transform(fitted.transform(test))
        error = float(np.square(rebuilt - test, dtype=np.float64).mean())
        rows[name] = [time, *_movement(fitted, train, test), error / error_of_pca]
    report.table(
        f"Contraction on {dataset.name}, held-out rows",
        ["codes", "s to fit", "movement", "whitened", "error over PCA's"],
        [[name, *row] for name, row in rows.items()],
        f"Codes of {CODE}. Movement: how far noise of {NOISE:g} global standard "
        "deviations moves codes, by their own spread: root mean square over components "
        "and rows; whitened: of codes that are made uncorrelated before. At alpha=0 it "
        "is the plain autoencoder.",
    )
    at_default = rows[f"contractive, alpha={DEFAULT_STRENGTH:g}"]
    plain, denoising = rows["contractive, alpha=0"], rows["denoising, Gaussian"]
    for what, i, other, rival, limit in (
        ("movement", 1, "plain", plain, 0.6),
        ("error", 3, "plain", plain, 1.05),
        ("movement", 1, "denoising", denoising, 1.0),
    ):
        name = f"{dataset.name}: {what} of contractive codes over {other}"
        report.bar(name, at_default[i] / rival[i], limit)


def _movement(fitted, train, test):
    """How far noise moves codes, component by component and whitened."""
    scale = NOISE * train.var(axis=0).mean() ** 0.5
    noise = np.random.default_rng(0).normal(scale=scale, size=test.shape)
    codes = fitted.transform(test)
    moved = fitted.transform((test + noise).astype(test.dtype)) - codes
    by_component = np.square(moved).mean(axis=0) / codes.var(axis=0)
    inverse = np.linalg.pinv(np.cov(codes.T, bias=True))
    whitened = np.einsum("ij,jk,ik->i", moved, inverse, moved) / CODE
    return float(by_component.mean() ** 0.5), float(whitened.mean() ** 0.5)
