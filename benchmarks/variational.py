"""Are rows that are drawn like new ones, and as likely as by the linear model?"""

from statistics import fmean

import numpy as np
from scipy.special import logsumexp
from scipy.stats import norm
from sklearn.datasets import load_wine
from sklearn.decomposition import PCA, FactorAnalysis
from sklearn.ensemble import RandomForestClassifier
from sklearn.metrics import roc_auc_score
from sklearn.mixture import GaussianMixture
from sklearn.model_selection import cross_val_predict
from sklearn.neighbors import NearestNeighbors

from benchmarks import data
from benchmarks.report import Report
from benchmarks.timing import seconds
from skae import VariationalAutoencoderTransformer

# Rows of which a set has few, and splits of each.
FEW_ROWS, SEEDS = 600, 2
# Draws of the code by which a row's probability is estimated.
N_DRAWS, N_CLUSTERS, N_NEIGHBOURS = 200, 10, 5
SKAE, LINEAR, MIXTURE, REAL = "skae", "PPCA", "mixture", "real rows"
FACTORS = "factor analysis"
# Sets of few rows that the defaults were chosen on; so they were on digits.
CHOSEN_ON, DIGITS = ("wine", "14_glass"), "digits"
COLUMNS = ("NLL", "variance", "coverage", "precision", "told apart", "s to fit")


class Skae:
    """The variational autoencoder, rows drawn with noise or without."""

    def __init__(self, noise):
        self.noise = noise

    def fit(self, train, seed):
        self.model = VariationalAutoencoderTransformer(random_state=seed).fit(train)

    def sample(self, n_samples):
        return self.model.sample(n_samples, random_state=0, noise=self.noise)

    def nll(self, rows):
        """By importance sampling from the codes' distributions."""
        model = self.model
        # One for all columns, as the linear model has it.
        noise = np.square(model.noise_scale_).mean() ** 0.5
        mean, deviation = model.transform_distribution(rows)
        rng, found = np.random.default_rng(0), []
        for _ in range(N_DRAWS):
            z = rng.normal(size=mean.shape)
            code = mean + deviation * z
            decoded = model.inverse_transform(code)
            weight = norm.logpdf(code) - norm.logpdf(z) + np.log(deviation)
            likely = norm.logpdf(rows, decoded, noise).sum(axis=1)
            found.append(likely + weight.sum(axis=1))
        return -(logsumexp(found, axis=0) - np.log(N_DRAWS)).mean()


class Linear:
    """Probabilistic PCA (Tipping and Bishop 1999, doi:10.1111/1467-9868.00196).

    Or factor analysis, whose noise has a size of its own in each column.
    """

    def __init__(self, n_components, kind=PCA):
        self.n_components = n_components
        self.kind = kind

    def fit(self, train, seed):
        self.pca = self.kind(self.n_components, random_state=seed).fit(train)

    def sample(self, n_samples):
        rng, pca = np.random.default_rng(0), self.pca
        # The draws of scikit-learn's GaussianMixture, of one Gaussian.
        return rng.multivariate_normal(pca.mean_, pca.get_covariance(), n_samples)

    def nll(self, rows):
        return -self.pca.score(rows)


class Mixture(Linear):
    """Gaussians in PCA's plane, and the noise of probabilistic PCA around it."""

    def fit(self, train, seed):
        super().fit(train, seed)
        self.mixture = GaussianMixture(
            min(N_CLUSTERS, len(train) // 20), reg_covar=1e-3, random_state=seed
        ).fit(self.pca.transform(train))

    def sample(self, n_samples):
        rng, pca = np.random.default_rng(0), self.pca
        noise = rng.normal(0, pca.noise_variance_**0.5, (n_samples, len(pca.mean_)))
        noise -= noise @ pca.components_.T @ pca.components_
        return pca.inverse_transform(self.mixture.sample(n_samples)[0]) + noise

    def nll(self, rows):
        code = self.pca.transform(rows)
        left = rows - self.pca.inverse_transform(code)
        variance, width = self.pca.noise_variance_, rows.shape[1] - code.shape[1]
        outside = np.square(left).sum(axis=1) / variance
        outside += width * np.log(2 * np.pi * variance)
        return (outside / 2 - self.mixture.score_samples(code)).mean()


def run(directory, quick):
    """The report on rows that are drawn."""
    report = Report("Are rows that are drawn like new ones?")
    report.notes.append(
        "Held-out rows of splits of three to one, tables standardised. NLL: minus the "
        "log-likelihood of a row in nats, for skae by importance sampling from 200 "
        "codes, under the prior and with noise of one size. Variance: total variance "
        "of drawn rows over that of held-out ones. Coverage: share of held-out rows "
        "with a drawn one among their 5 nearest; precision: share of drawn rows that "
        "are so near to a held-out one (Naeem et al. 2020). Told apart: area under the "
        "ROC curve of a random forest that tells drawn rows from held-out ones, by "
        "cross-validation; 0.5 is chance. PPCA is probabilistic PCA with as many "
        "components, factor analysis has noise of its own size in each column, the "
        "mixture has Gaussians on PCA's codes; real rows are those that were trained "
        "on. Defaults were chosen on digits, wine, breast cancer and glass."
    )
    found = {}
    for dataset in _sets(directory, quick):
        splits = [_measured(dataset, seed) for seed in range(1 if quick else SEEDS)]
        of_set = {
            name: [_mean([split[name][i] for split in splits]) for i in range(6)]
            for name in splits[0]
        }
        found[dataset.name] = of_set
        report.table(
            dataset.name,
            ["method", *COLUMNS],
            [[name, *values] for name, values in of_set.items()],
            f"{len(dataset.X):,} rows, {dataset.X.shape[1]} columns.",
        )
    for kind, names in (
        ("few rows, chosen on", [n for n in found if n in CHOSEN_ON]),
        ("few rows, kept aside", [n for n in found if n not in {*CHOSEN_ON, DIGITS}]),
    ):
        if names:
            _add_bars(report, kind, [found[name] for name in names])
    return report


def _add_bars(report, kind, of_sets):
    gaps = [of_set[SKAE][0] - of_set[LINEAR][0] for of_set in of_sets]
    report.bar(f"{kind}: NLL less PPCA's, mean", fmean(gaps), 0.0)
    report.bar(f"{kind}: NLL less PPCA's, worst", max(gaps), 0.5)
    ratios = [of_set[SKAE][1] for of_set in of_sets]
    report.bar(f"{kind}: variance with noise, least", min(ratios), 0.8, at_most=False)
    report.bar(f"{kind}: variance with noise, most", max(ratios), 1.25)


def _sets(directory, quick):
    digits = data.images(None)[0]
    if quick:
        return [digits.capped(data.QUICK_ROWS), data.Dataset("wine", load_wine().data)]
    few = [table for table in data.tables(directory) if len(table.X) <= FEW_ROWS]
    return [digits, data.Dataset("wine", load_wine().data), *few]


def _mean(values):
    return None if None in values else fmean(values)


def _measured(dataset, seed):
    train, test, *_ = dataset.split(seed)
    varied = train.std(axis=0) > 0
    train, test = train[:, varied].astype(np.float64), test[:, varied]
    skae, bare = Skae(noise=True), Skae(noise=False)
    time, _ = seconds(skae.fit, train, seed)
    bare.model = skae.model
    found = {
        SKAE: [skae.nll(test), *_likeness(skae.sample(len(test)), test), time],
        "skae, noise=False": [None, *_likeness(bare.sample(len(test)), test), None],
    }
    k = min(skae.model.n_components_, train.shape[1] - 1)
    peers = {LINEAR: Linear(k), FACTORS: Linear(k, FactorAnalysis), MIXTURE: Mixture(k)}
    for name, method in peers.items():
        time, _ = seconds(method.fit, train, seed)
        likeness = _likeness(method.sample(len(test)), test)
        found[name] = [method.nll(test), *likeness, time]
    found[REAL] = [None, *_likeness(train[: len(test)], test), None]
    return found


def _likeness(drawn, real):
    """Total variance, coverage, precision, and how well a forest tells them apart."""
    radii = NearestNeighbors().fit(real).kneighbors(n_neighbors=N_NEIGHBOURS)[0][:, -1]
    among = NearestNeighbors(n_neighbors=1).fit(drawn)
    coverage = (among.kneighbors(real)[0][:, 0] <= radii).mean()
    distances = np.linalg.norm(drawn[:, None] - real, axis=2)
    precision = (distances <= radii).any(axis=1).mean()
    is_real = np.arange(len(drawn) + len(real)) < len(drawn)
    forest = RandomForestClassifier(100, random_state=0)
    votes = cross_val_predict(
        forest, np.r_[drawn, real], is_real, cv=5, method="predict_proba"
    )
    ratio = drawn.var(axis=0).sum() / real.var(axis=0).sum()
    area = roc_auc_score(is_real, votes[:, 1])
    return [float(figure) for figure in (ratio, coverage, precision, area)]
