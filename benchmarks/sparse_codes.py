"""How much do few nonzeros tell, beside a dictionary, a TopK reference and PCA?"""

import warnings
from typing import NamedTuple

import numpy as np
import torch
from sklearn.datasets import load_sample_image
from sklearn.decomposition import PCA, MiniBatchDictionaryLearning
from sklearn.exceptions import ConvergenceWarning
from sklearn.feature_extraction.image import extract_patches_2d

from benchmarks import data
from benchmarks.report import Report
from benchmarks.timing import seconds
from skae import SparseAutoencoderTransformer

SIDE = 8
EPOCHS = 30
MOST_ROWS = 8000
# Training rows whose codes tell which components are dead.
DEAD_ROWS = 2000
# Passes over the rows after which the dictionary's error no longer fell.
DICTIONARY_EPOCHS = 10
# Components from which on scikit-learn's fit takes more than ten minutes.
MOST_OF_DICTIONARY = 512
# Strengths of its L1 penalty, of which a tenth of its rows choose one.
ALPHAS = 1.0, 0.1
_DICTIONARY = "dictionary, OMP"
REFINEMENTS = {"encoder": None, "least squares": "least_squares", "OMP": "omp"}


class Case(NamedTuple):
    """Rows, how many components and nonzeros, and the bar that is to be kept."""

    name: str
    train: np.ndarray
    test: np.ndarray
    n_components: int
    k: int
    bar: float | None = None


class Found(NamedTuple):
    """What a method made of a case: decoded codes, codes, and times."""

    reconstructed: np.ndarray
    codes: np.ndarray
    of_train: np.ndarray
    fit: float
    encode: float


def run(directory, quick):
    """The report on sparse codes."""
    report = Report("How much do few nonzeros tell?")
    report.notes.append(
        "Squared error on held-out rows over their variance, at equal numbers of "
        "nonzeros; dead is the share of components that none of 2,000 training rows "
        "uses, and an encoder's time is for all held-out rows at once. The dictionary "
        "is scikit-learn's MiniBatchDictionaryLearning with codes by OMP, fitted at "
        "alpha 1 and 0.1 to nine tenths of the rows, of which the one with less error "
        "on the last tenth is kept, and its own time taken; TopK is "
        "written from Gao et al. (2024): columns of unit length, tied start, pre-bias, "
        "the k largest if positive, auxiliary loss. All have 30 epochs but the "
        "dictionary, which has 10 and is left out where its fit takes more than ten "
        "minutes. Defaults were chosen on digits, patches of faces and photographs, "
        "and two other tables; MNIST and optdigits were kept aside."
    )
    for case in _cases(directory, quick):
        methods = dict(_methods(quick))
        if case.n_components > MOST_OF_DICTIONARY:
            del methods[_DICTIONARY]
        rows = [[name, *_row(case, make)] for name, make in methods.items()]
        n, d = case.train.shape
        report.table(
            f"Sparse codes of {case.name}",
            ["method", "unexplained", "nonzeros", "dead", "s to fit", "us per row"],
            rows,
            f"{case.k} of {case.n_components} components; {n:,} x {d} to train on.",
        )
        errors = {row[0]: row[1] for row in rows}
        where = f"{case.name}, {case.n_components}/{case.k}"
        if case.bar is not None:
            report.bar(f"{where}: unexplained with OMP", errors["skae, OMP"], case.bar)
        if _DICTIONARY in errors:
            over = errors["skae, OMP"] / errors[_DICTIONARY]
            report.bar(f"{where}: with OMP, over the dictionary's", over, 1.0)
        over = errors["skae, least squares"] / errors["TopK reference"]
        report.bar(f"{where}: default over TopK reference", over, 1.0)
    return report


def _cases(directory, quick):
    sets = {found.name: found for found in data.images(directory)}
    digits, images = sets["digits"], sets.get("MNIST")
    tables = [] if directory is None else data.tables(directory)
    optdigits = [table for table in tables if "optdigits" in table.name]
    most = data.QUICK_ROWS if quick else MOST_ROWS
    yield Case("digits", *_split(digits, most), 128, 20, 0.017)
    yield Case("patches of a photograph", *patches(most), 256, 8, 0.05)
    if images is not None:
        X = images.X.reshape(-1, 28, 28)
        X = np.pad(X, ((0, 0), (2, 2), (2, 2)))
        X = X.reshape(-1, 16, 2, 16, 2).mean((2, 4)).reshape(len(X), -1)
        small = data.Dataset("MNIST, 16 x 16 pixels", X, is_table=False)
        width = 64 if quick else 1024
        yield Case(small.name, *_split(small, most), width, 16, 0.16)
    for table in optdigits:
        yield Case(table.name, *_split(table, most), 128, 8)


def _split(dataset, n_rows):
    train, test, *_ = dataset.capped(n_rows).split(0)
    return train, test


def patches(n_rows):
    """Patches of a photograph, less their means; of its right quarter to test."""
    grey = load_sample_image("flower.jpg").mean(axis=2) / 255
    cut = grey.shape[1] * 3 // 4
    for part, count in ((grey[:, :cut], n_rows), (grey[:, cut:], n_rows // 4)):
        shape = SIDE, SIDE
        X = extract_patches_2d(part, shape, max_patches=count, random_state=0)
        X = X.reshape(count, -1)
        yield (X - X.mean(axis=1, keepdims=True)).astype(np.float32)


def _row(case, make):
    found = make(case)
    left = np.square(case.test - found.reconstructed, dtype=np.float64).sum()
    varied = np.square(case.test - case.test.mean(axis=0), dtype=np.float64).sum()
    return [
        float(left / varied),
        float((found.codes != 0).sum(axis=1).mean()),
        float((found.of_train == 0).all(axis=0).mean()),
        found.fit,
        1e6 * found.encode / len(case.test),
    ]


def _methods(quick):
    epochs = 2 if quick else EPOCHS
    for name, refine in REFINEMENTS.items():
        yield f"skae, {name}", lambda case, r=refine: _of_skae(case, r, epochs)
    yield _DICTIONARY, lambda case: _of_dictionary(case, epochs)
    yield "TopK reference", lambda case: _of_reference(case, epochs)
    yield "PCA", _of_pca


def _of_skae(case, refine, epochs):
    estimator = SparseAutoencoderTransformer(
        case.n_components, k=case.k, refine=refine, max_iter=epochs, random_state=0
    )
    fit, _ = seconds(estimator.fit, case.train)
    encode, codes = seconds(estimator.transform, case.test)
    reconstructed = estimator.inverse_transform(codes)
    of_train = estimator.transform(case.train[:DEAD_ROWS])
    return Found(reconstructed, codes, of_train, fit, encode)


def _of_dictionary(case, epochs):
    mean = case.train.mean(axis=0)
    scale = np.sqrt(np.square(case.train - mean).mean())
    train, test = ((X - mean) / scale for X in (case.train, case.test))
    rows, held_out = np.split(train, [len(train) * 9 // 10])
    found = []
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        warnings.simplefilter("ignore", RuntimeWarning)  # OMP ends early
        for alpha in ALPHAS:
            learner = MiniBatchDictionaryLearning(
                case.n_components,
                alpha=alpha,
                max_iter=min(epochs, DICTIONARY_EPOCHS),
                max_no_improvement=None,
                transform_algorithm="omp",
                transform_n_nonzero_coefs=case.k,
                random_state=0,
            )
            fit, _ = seconds(learner.fit, rows)
            left = held_out - learner.transform(held_out) @ learner.components_
            found.append((float(np.square(left).sum()), fit, learner))
        _, fit, learner = min(found, key=lambda made: made[0])
        encode, codes = seconds(learner.transform, test)
        of_train = learner.transform(train[:DEAD_ROWS])
    reconstructed = codes @ learner.components_ * scale + mean
    return Found(reconstructed, codes, of_train, fit, encode)


def _of_pca(case):
    pca = PCA(case.k, random_state=0)
    fit, _ = seconds(pca.fit, case.train)
    encode, codes = seconds(pca.transform, case.test)
    reconstructed = pca.inverse_transform(codes)
    return Found(
        reconstructed, codes, pca.transform(case.train[:DEAD_ROWS]), fit, encode
    )


def _of_reference(case, epochs):
    reference = TopKReference(case.n_components, case.k)
    fit, _ = seconds(reference.fit, case.train, epochs)
    encode, codes = seconds(reference.encode, case.test)
    of_train = reference.encode(case.train[:DEAD_ROWS])
    return Found(reference.decode(codes), codes, of_train, fit, encode)


class TopKReference:
    """A sparse autoencoder as in Gao et al. (2024), a bare loop over torch."""

    dead_steps, auxiliary, rate = 20, 1 / 32, 5e-3

    def __init__(self, n_components, k):
        self.n_components, self.k = n_components, k

    def fit(self, X, epochs):
        generator = torch.Generator().manual_seed(0)
        self.mean = X.mean(axis=0)
        self.scale = np.sqrt(np.square(X - self.mean).mean())
        rows = self._rows(X)
        atoms = torch.randn(self.n_components, X.shape[1], generator=generator)
        self.atoms = (atoms / atoms.norm(dim=1, keepdim=True)).requires_grad_()
        self.weight = self.atoms.detach().clone().requires_grad_()
        self.bias = torch.zeros(self.n_components, requires_grad=True)
        self.pre_bias = torch.zeros(X.shape[1], requires_grad=True)
        parameters = [self.atoms, self.weight, self.bias, self.pre_bias]
        optimizer = torch.optim.Adam(parameters, lr=self.rate, fused=True)
        idle = torch.zeros(self.n_components)
        size = 2 ** round(np.log2(3 * len(X) ** 0.5))
        for _ in range(epochs):
            order = torch.randperm(len(rows), generator=generator)
            for chosen in order.split(size):
                batch = rows[chosen]
                before = self._before(batch)
                code = self._largest(before, self.k)
                error = batch - self._decoded(code)
                loss = error.square().mean()
                idle = torch.where((code != 0).any(0), 0.0, idle + 1)
                is_dead = idle >= self.dead_steps
                if is_dead.any():
                    count = min(int(is_dead.sum()), X.shape[1] // 2)
                    revived = self._largest(before * is_dead, count)
                    left = error.detach() - revived @ self.atoms
                    loss = loss + self.auxiliary * left.square().mean()
                optimizer.zero_grad()
                loss.backward()
                with torch.no_grad():
                    atoms, gradient = self.atoms, self.atoms.grad
                    gradient -= (gradient * atoms).sum(1, keepdim=True) * atoms
                    optimizer.step()
                    atoms /= atoms.norm(dim=1, keepdim=True)

    @torch.no_grad()
    def encode(self, X):
        return self._largest(self._before(self._rows(X)), self.k).numpy()

    @torch.no_grad()
    def decode(self, codes):
        rows = self._decoded(torch.from_numpy(codes)).numpy()
        return rows * self.scale + self.mean

    def _rows(self, X):
        return torch.from_numpy((X - self.mean) / self.scale).float()

    def _before(self, rows):
        return (rows - self.pre_bias) @ self.weight.T + self.bias

    def _decoded(self, code):
        return code @ self.atoms + self.pre_bias

    @staticmethod
    def _largest(before, k):
        values, kept = before.topk(k, dim=1)
        return torch.zeros_like(before).scatter(1, kept, values.relu())
