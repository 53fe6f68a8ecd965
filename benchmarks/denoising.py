"""Is damage of images undone better than by PCA and by the best linear map?"""

from itertools import pairwise
from statistics import fmean

import numpy as np
from sklearn.decomposition import PCA
from sklearn.model_selection import train_test_split

from benchmarks import data
from benchmarks.report import Report
from benchmarks.timing import seconds

SEEDS = (0, 1)
NOISE, EXTREMES, DEAD = 0.3, 0.15, 0.5
MAX_ROWS, JUDGED_ROWS = 4000, 500
SIZES = (4, 8, 12, 16, 24, 32, 48, 64, 96, 128)  # of PCA's codes, to choose from
COPIES = 4  # damaged anew, that the linear map learns from
RIDGES = (1e-4, 1e-3, 1e-2, 1e-1)  # over the mean variance, to choose from
DAMAGED, SKAE, CONVOLUTIONAL = "damaged", "skae", "skae, convolutional"
PCA_TUNED, WIENER, REFERENCE = "PCA, tuned", "linear map (Wiener)", "reference network"


def gaussian(X, rng):
    """Noise of a sensor, cut off at black and white."""
    return np.clip(X + rng.normal(scale=NOISE, size=X.shape), 0, 1)


def extremes(X, rng):
    """Pixels that are black or white."""
    return np.where(rng.random(X.shape) < EXTREMES, rng.integers(0, 2, X.shape), X)


def dead(X, rng):
    """Pixels that are dark."""
    return np.where(rng.random(X.shape) < DEAD, 0, X)


DAMAGES = {
    f"Gaussian noise of {NOISE}": gaussian,
    f"{EXTREMES:.0%} burnt out": extremes,
    f"{DEAD:.0%} dead": dead,
}


def corruption(damage, X):
    """What an autoencoder is told of a damage."""
    from skae.corruptions import Gaussian, Masking, SaltAndPepper

    if damage is gaussian:
        return Gaussian(NOISE / float((X - X.mean(0)).std()), bounds=(0, 1))
    return SaltAndPepper(EXTREMES) if damage is extremes else Masking(DEAD, value=0)


def run(directory, quick):
    """The report on denoising."""
    report = Report("Is the damage of images undone?")
    sets = [s.capped(MAX_ROWS) for s in data.images(directory)]
    faces = data.faces(directory)
    sets += [faces] if faces is not None else []
    if quick:
        sets = [dataset.capped(2 * data.QUICK_ROWS) for dataset in sets[:1]]
    gains, times = [], {}
    for dataset in sets:
        rows = []
        for name, damage in DAMAGES.items():
            of_methods = _psnr(dataset, damage, SEEDS[:1] if quick else SEEDS, times)
            rows.append([name, *of_methods.values()])
            gains.append(of_methods[SKAE] - of_methods[PCA_TUNED])
            # An error may be above that of the damage, but not that of linear maps.
            best_linear = max(of_methods[PCA_TUNED], of_methods[WIENER])
            bar = f"{dataset.name}, {name}: skae over the better linear one, dB"
            report.bar(bar, of_methods[SKAE] - best_linear, 0.0, at_most=False)
        report.table(
            f"Restored {dataset.name}, PSNR in dB",
            ["", *of_methods],
            rows,
            "Held-out images, a quarter of them; pixels are in [0, 1]; means over "
            "splits. PCA's size and the ridge of the linear map are chosen for each "
            "damage; the linear map is least "
            f"squares from {COPIES} damaged copies of each training row; the "
            "reference has hidden layers of 512, 256 and 512 and no linear path. All "
            "networks are told the kind and the level of the damage.",
        )
    report.table("Seconds to fit, all in all", list(times), [list(times.values())])
    report.bar("gain of skae over tuned PCA, mean, dB", fmean(gains), 1.5, False)
    return report


def _psnr(dataset, damage, seeds, times):
    """Mean PSNR by method; times grow."""
    found = {}
    for seed in seeds:
        train, test, _, _ = dataset.split(seed)
        damaged = damage(test, np.random.default_rng(seed)).astype(np.float32)
        found.setdefault(DAMAGED, []).append(psnr(damaged, test))
        for name, method in _methods(dataset, damage).items():
            time, restore = seconds(method, train, damage, seed)
            times[name] = times.get(name, 0.0) + time
            found.setdefault(name, []).append(psnr(restore(damaged), test))
    return {name: fmean(of_seeds) for name, of_seeds in found.items()}


def _methods(dataset, damage):
    side = round(dataset.X.shape[1] ** 0.5)
    return {
        PCA_TUNED: tuned_pca,
        WIENER: linear_map,
        REFERENCE: reference,
        SKAE: skae,
        CONVOLUTIONAL: lambda X, damage, seed: convolutional(X, damage, seed, side),
    }


def psnr(images, X):
    """Peak signal-to-noise ratio in decibels, higher is better."""
    return float(-10 * np.log10(np.square(images - X, dtype=np.float64).mean()))


def tuned_pca(X, damage, seed):
    """PCA, whose size restores rows best that it was not fitted to."""
    rng = np.random.default_rng(seed)
    n_judged = min(JUDGED_ROWS, len(X) // 4)
    fitted, judged = train_test_split(X, test_size=n_judged, random_state=seed)
    damaged = damage(judged, rng)
    sizes = [k for k in SIZES if k <= min(fitted.shape)]

    def restored(k):
        pca = PCA(k, random_state=seed).fit(fitted)
        return psnr(pca.inverse_transform(pca.transform(damaged)), judged)

    pca = PCA(max(sizes, key=restored), random_state=seed).fit(X)
    return lambda damaged: pca.inverse_transform(pca.transform(damaged))


def linear_map(X, damage, seed):
    """The linear map from damaged to clean rows, its ridge as rows held out like it."""
    rng = np.random.default_rng(seed)
    n_judged = min(JUDGED_ROWS, len(X) // 4)
    fitted, judged = train_test_split(X, test_size=n_judged, random_state=seed)
    damaged = damage(judged, rng)
    maps = _linear_maps(fitted, damage, rng)
    found = [psnr(restore(damaged), judged) for restore in maps]
    return _linear_maps(X, damage, rng)[int(np.argmax(found))]


def _linear_maps(X, damage, rng):
    """Least squares from damaged to clean rows, one for each ridge."""
    clean = np.vstack([X] * COPIES).astype(np.float64)
    seen = damage(clean, rng)
    mean, shift = clean.mean(0), seen.mean(0)
    seen, clean = seen - shift, clean - mean
    values, vectors = np.linalg.eigh(seen.T @ seen)
    product = vectors.T @ (seen.T @ clean)

    def restoring(ridge):
        weights = vectors @ (product / (values + ridge * values.mean())[:, None])
        return lambda damaged: (damaged - shift) @ weights + mean

    return [restoring(ridge) for ridge in RIDGES]


def reference(X, damage, seed):
    """A denoising autoencoder as tutorials have it: ReLU, Adam, 50 epochs."""
    import torch
    from torch import nn

    generator = torch.Generator().manual_seed(seed)
    rng = np.random.default_rng(seed)
    rows = torch.from_numpy(X)
    widths = (X.shape[1], 512, 256, 512)
    layers = []
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        for n_in, n_out in pairwise(widths):
            layers += [nn.Linear(n_in, n_out), nn.ReLU()]
        module = nn.Sequential(*layers, nn.Linear(widths[-1], X.shape[1]))
    optimizer = torch.optim.Adam(module.parameters(), fused=True)
    for _ in range(50):
        for batch in torch.randperm(len(rows), generator=generator).split(128):
            clean = rows[batch]
            seen = torch.from_numpy(damage(clean.numpy(), rng)).float()
            optimizer.zero_grad()
            (module(seen) - clean).square().mean().backward()
            optimizer.step()

    def restore(damaged):
        with torch.inference_mode():
            return module(torch.from_numpy(damaged)).numpy()

    return restore


def skae(X, damage, seed, **parameters):
    """The denoising autoencoder with its defaults, told the damage."""
    from skae import DenoisingAutoencoderTransformer

    return (
        DenoisingAutoencoderTransformer(
            corruption=corruption(damage, X), random_state=seed, **parameters
        )
        .fit(X)
        .reconstruct
    )


def convolutional(X, damage, seed, side):
    """The same with a convolutional network."""
    from skae.networks import Convolutional

    return skae(X, damage, seed, network=Convolutional((side, side)))
