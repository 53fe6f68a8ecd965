"""What each kind of autoencoder is, by its limits and by what it does."""

import ast
import inspect
import itertools
from pathlib import Path

import numpy as np
import pytest
import torch
from conftest import SHORT, code_units, transformer_classes
from scipy.sparse import csr_array, issparse
from sklearn.base import clone
from sklearn.datasets import load_digits
from sklearn.ensemble import RandomForestClassifier
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.pipeline import Pipeline

import skae
from skae import code_maps, corruptions, networks, penalties
from skae._recipe import Recipe
from skae._training.data import Batch
from skae._training.objective import Objective
from skae._utils.scaling import Scaling
from skae.code_maps import (
    CodeMap,
    GaussianCode,
    Quantization,
    Sigmoid,
    SoftThreshold,
    TopK,
)
from skae.code_maps import _sparse as sparse_maps
from skae.networks import MLP
from skae.penalties import (
    BernoulliKL,
    Contractive,
    GaussianKL,
    gaussian_kl,
    squared_jacobian_norms,
)


def discovered(module, kind):
    """Classes of a kind in what a module exports, but for bases."""
    found = map(vars(module).get, module.__all__)
    return [cls for cls in found if issubclass(cls, kind) and cls is not kind]


# Those that stand anywhere; a refinement comes last, and needs a linear decoder.
CODE_MAPS = [
    None,
    *(cls() for cls in discovered(code_maps, CodeMap) if not cls.refines),
]


def estimator_scale(estimator):
    """Units of the data in a standard one."""
    return estimator._model.scaling.scale


def plain(estimator, **params):
    """The plain autoencoder with the parameters that an estimator shares with it."""
    shared = skae.AutoencoderTransformer().get_params(deep=False)
    given = estimator.get_params(deep=False)
    shared = {name: given[name] for name in shared if name in given}
    return skae.AutoencoderTransformer(**{**shared, **params})


# Limits

NEUTRAL = {
    "DenoisingAutoencoderTransformer": {"noise_level": 0.0},
    "ContractiveAutoencoderTransformer": {"alpha": 0.0},
    "SparseAutoencoderTransformer": {"sparsity": "l1", "alpha": 0.0},
}


@pytest.mark.parametrize("linear_path", [True, False])
@pytest.mark.parametrize("name", NEUTRAL)
def test_nothing_added_is_the_plain_autoencoder_bit_for_bit(name, linear_path, digits):
    estimator = getattr(skae, name)(
        **SHORT, **NEUTRAL[name], linear_path=linear_path, random_state=0
    ).fit(digits)
    reference = plain(estimator).fit(digits)
    np.testing.assert_array_equal(
        estimator.reconstruct(digits), reference.reconstruct(digits)
    )
    np.testing.assert_allclose(
        estimator.transform(digits), reference.transform(digits), rtol=1e-3, atol=1e-3
    )


def test_keeping_all_components_is_the_plain_autoencoder(digits):
    estimator = skae.SparseAutoencoderTransformer(**SHORT, k=4, random_state=0)
    reference = plain(estimator).fit(digits)
    np.testing.assert_allclose(
        estimator.fit(digits).reconstruct(digits),
        reference.reconstruct(digits),
        atol=1e-3,
    )


def test_kl_without_strength_is_a_bounded_code(digits):
    estimator = skae.SparseAutoencoderTransformer(
        **SHORT, sparsity="kl", alpha=0.0, rho=0.2, random_state=0
    ).fit(digits)
    reference = plain(estimator, code_map=Sigmoid(start=0.2)).fit(digits)
    np.testing.assert_array_equal(
        estimator.transform(digits), reference.transform(digits)
    )


def test_no_divergence_and_no_variance_is_the_plain_autoencoder(monkeypatch, digits):
    def none(self, mean):
        return torch.full_like(mean, -torch.inf)

    module = type(GaussianCode()(1))
    monkeypatch.setattr(module, "log_variance", none)
    estimator = skae.VariationalAutoencoderTransformer(
        **SHORT, beta=0.0, linear_path=False, random_state=0
    )
    monkeypatch.setattr(
        type(estimator), "_describe", lambda self, X, is_incremental: None
    )
    reference = plain(estimator).fit(digits)
    np.testing.assert_allclose(
        estimator.fit(digits).reconstruct(digits),
        reference.reconstruct(digits),
        atol=1e-3,
    )


# Sparse


def sparse(sparsity, **params):
    return skae.SparseAutoencoderTransformer(
        100, sparsity=sparsity, max_iter=10, random_state=0, **params
    )


def test_top_k_has_k_nonzeros_in_each_row(digits):
    codes = sparse("top_k", k=7).fit_transform(digits)
    assert ((codes != 0).sum(1) == 7).all()
    default = sparse("top_k").fit_transform(digits)
    assert ((default != 0).sum(1) == 12).all()


def test_more_alpha_is_less_code(digits):
    alphas = (0.001, 0.01, 0.1, 1)
    fits = [sparse("l1", alpha=a, refine=None).fit(digits) for a in alphas]
    codes = [fitted.transform(digits) for fitted in fits]
    means = [np.abs(code).mean() for code in codes]
    zeros = [(code == 0).mean() for code in codes]
    assert means == sorted(means, reverse=True)
    assert zeros == sorted(zeros)
    assert zeros[0] < 0.02
    assert zeros[3] > 0.3


def test_kl_brings_the_mean_activation_to_its_target(digits):
    fits = [sparse("kl", alpha=a, rho=0.05).fit(digits) for a in (0, 0.1, 1, 10)]
    codes = [fitted.transform(digits) for fitted in fits]
    assert all(((code > 0) & (code < 1)).all() for code in codes)
    distance = [np.abs(code.mean(0) - 0.05).mean() for code in codes]
    assert distance == sorted(distance, reverse=True)
    assert distance[-1] < 0.02


@pytest.mark.parametrize("sparsity", ["l1", "top_k"])
def test_sparse_output_is_the_same_code(sparsity, digits):
    dense, compressed = (
        sparse(sparsity, sparse_output=output).fit(digits) for output in (False, True)
    )
    codes = compressed.transform(digits)
    assert issparse(codes)
    assert codes.format == "csr"
    np.testing.assert_array_equal(codes.toarray(), dense.transform(digits))
    np.testing.assert_array_equal(
        compressed.inverse_transform(codes), compressed.reconstruct(digits)
    )
    empty = csr_array((2, 99))
    with pytest.raises(ValueError, match="X has 99 columns"):
        compressed.inverse_transform(empty)


def test_dead_components_are_revived(monkeypatch, digits):
    # One component in a hundred at a time: most are never the largest.
    estimator = sparse("top_k", k=1, early_stopping=False).set_params(max_iter=40)
    revived = estimator.fit(digits).dead_fraction_
    is_dead = (estimator.transform(digits) == 0).all(0)
    assert revived == pytest.approx(is_dead.mean())
    monkeypatch.setattr(sparse_maps, "_IDLE_STEPS", float("inf"))
    assert revived < 0.8 * estimator.fit(digits).dead_fraction_


def test_reviving_adds_gradients_and_nothing_else():
    module = TopK(k=2)(6)
    module.idle[:] = torch.tensor([0.0, 0.0, 0.0, 0.0, 99.0, 99.0])
    module.eval()
    code = torch.tensor([[5.0, 4.0, 3.0, 2.0, 1.0, 0.5]], requires_grad=True)
    kept = module(code)
    assert kept.tolist() == [[5.0, 4.0, 0.0, 0.0, 0.0, 0.0]]
    kept = module.train()(code)
    assert kept.tolist() == [[5.0, 4.0, 0.0, 0.0, 0.0, 0.0]]
    kept.sum().backward()
    assert code.grad.tolist() == [[1.0, 1.0, 0.0, 0.0, 1.0, 1.0]]
    assert module.idle.tolist() == [0.0, 0.0, 1.0, 1.0, 100.0, 100.0]


def test_more_nonzeros_than_components(digits):
    with pytest.raises(ValueError, match=r"k=5 components.*but the code has 4"):
        skae.SparseAutoencoderTransformer(4, k=5).fit(digits)


# Contractive


@pytest.fixture
def curved():
    """A small network and rows, in double precision."""
    torch.manual_seed(0)
    module = MLP((12,), activation="tanh", linear_path=False)(6, 4).double()
    return module, torch.randn(9, 6, dtype=torch.float64)


def test_squared_norms_are_those_of_finite_differences(curved):
    module, X = curved
    step = 1e-6 * torch.eye(6, dtype=torch.float64)
    with torch.no_grad():
        slopes = [
            (module.encode(X + d) - module.encode(X - d)) / (2e-6) for d in step
        ]  # one (9, 4) for each feature
        expected = torch.stack(slopes).square().sum((0, 2))
        exact = squared_jacobian_norms(module, X, torch.ones(4).double())
    torch.testing.assert_close(exact, expected, rtol=1e-6, atol=1e-8)
    code = module.encode(X)
    units = code.detach().var(0, correction=0).rsqrt()
    expected = squared_jacobian_norms(module, X, units).mean() / 4
    penalty = Contractive(0.5, n_projections=None)(module, X, code, None)
    torch.testing.assert_close(penalty, 0.5 * expected, rtol=1e-6, atol=1e-8)


def test_projections_agree_in_expectation(curved):
    module, X = curved
    torch.manual_seed(0)
    code = module.encode(X)
    exact = Contractive(1.0, n_projections=None)(module, X, code, None)
    estimate = Contractive(1.0, n_projections=4000)(module, X, code, None)
    torch.testing.assert_close(estimate, exact, rtol=0.02, atol=0)


def test_the_penalty_has_the_gradient_of_its_value(curved):
    module, X = curved
    penalty = Contractive(1.0, n_projections=None)
    weight = module.encoder[0].weight
    penalty(module, X, module.encode(X), None).backward()
    slope, before = weight.grad[2, 3].clone(), weight.data.clone()
    values = []
    for step in (1e-6, -1e-6):
        weight.data.copy_(before)
        weight.data[2, 3] += step
        values.append(penalty(module, X, module.encode(X), None).item())
    assert float(slope) == pytest.approx((values[0] - values[1]) / 2e-6, rel=1e-4)


class Mapped(skae.ContractiveAutoencoderTransformer):
    """Contractive, with a map of codes."""

    def __init__(self, code_map=None, random_state=None):
        super().__init__(
            3, hidden_layer_sizes=(8,), max_iter=2, random_state=random_state
        )
        self.code_map = code_map

    def _make_code_map(self):
        return self.code_map


@pytest.mark.parametrize("n_projections", [None, 2])
def test_codes_are_contracted_on_held_out_rows(n_projections, digits):
    norms = [
        skae.ContractiveAutoencoderTransformer(
            6, alpha=alpha, n_projections=n_projections, max_iter=10, random_state=0
        )
        .fit(digits[:800])
        .jacobian_norm(digits[800:], relative=True)
        .mean()
        for alpha in (0, 0.1, 1)
    ]
    assert norms == sorted(norms, reverse=True)
    assert norms[2] < 0.8 * norms[0]


def test_jacobian_norm_of_pca_is_the_root_of_its_components(digits):
    estimator = skae.ContractiveAutoencoderTransformer(
        9, init="pca", learning_rate=1e-12, max_iter=1, random_state=0
    ).fit(digits)
    norms = estimator.jacobian_norm(digits)
    assert norms.shape == (len(digits),)
    np.testing.assert_allclose(norms, 3, rtol=1e-4)
    np.testing.assert_array_equal(norms[5:9], estimator.jacobian_norm(digits[5:9]))


@pytest.mark.parametrize("code_map", CODE_MAPS, ids=str)
@pytest.mark.parametrize("scale", [1, 1000])
def test_jacobian_norm_is_that_of_the_encoder(code_map, scale, tables):
    """Whatever units codes have, by finite differences."""
    X = scale * tables
    estimator = Mapped(code_map, random_state=0).fit(X)
    encoder = estimator.encoder_
    rows, step = torch.tensor(X), 0.02 * estimator_scale(estimator)
    with torch.no_grad():
        slopes = [
            (encoder(rows + d) - encoder(rows - d)) / (2 * step)
            for d in step * torch.eye(6, dtype=torch.float64)
        ]
    expected = torch.stack(slopes).square().sum((0, 2)).sqrt().numpy()
    # But for rows where the map has a kink within the step.
    close = np.isclose(estimator.jacobian_norm(X), expected, rtol=0.02)
    assert close.mean() > 0.8


# Variational


def variational(**params):
    return skae.VariationalAutoencoderTransformer(
        **{"n_components": 8, "random_state": 0, **params}
    )


def test_divergence_is_torch_s():
    mean, log_variance = torch.randn(2, 5, 3).unbind()
    normal = torch.distributions.Normal
    expected = torch.distributions.kl_divergence(
        normal(mean, (0.5 * log_variance).exp()), normal(0.0, 1.0)
    )
    torch.testing.assert_close(gaussian_kl(mean, log_variance), expected)


@pytest.mark.parametrize("name", ["squared_error", "absolute_error", "log_loss"])
def test_beta_1_is_the_evidence_lower_bound(name):
    """Its gradient, in nats per row, but for a factor; the noise is the likeliest."""
    torch.manual_seed(0)
    X = torch.rand(50, 6)
    recipe = Recipe.of(MLP((8,)), GaussianCode(), name, GaussianKL(), None)
    module = recipe.new_module(6, 3)
    objective = Objective(recipe, Scaling(np.zeros(6), 1.0))

    def gradient(function):
        module.zero_grad()
        generator = torch.Generator().manual_seed(1)
        rows, penalty, _ = objective(module, X, Batch(X), generator)
        function(rows, penalty).backward()
        return torch.cat([p.grad.ravel() for p in module.parameters()])

    mean = module.encode(X)
    kl = gaussian_kl(mean, module.log_variance(mean)).sum(1).mean()

    def bound(rows, penalty):
        cells, scale = 6 * rows.mean(), rows.mean().detach()
        if name == "squared_error":  # Gaussian of this variance
            return cells / (2 * scale) + penalty / penalty.detach() * kl.detach()
        if name == "absolute_error":  # Laplace of this scale
            return cells / scale + penalty / penalty.detach() * kl.detach()
        return cells + penalty / penalty.detach() * kl.detach()

    trained = gradient(lambda rows, penalty: rows.mean() + penalty)
    expected = gradient(bound)
    cosine = torch.cosine_similarity(trained, expected, dim=0)
    assert float(cosine) == pytest.approx(1, abs=1e-5)


def test_warm_up_ends_in_beta():
    penalty = GaussianKL(beta=2.0, warm_up=4)
    assert [penalty.during(epoch).beta for epoch in (1, 2, 4, 9)] == [0.5, 1, 2, 2]


def test_transform_is_the_mean_and_the_prior_is_filled(digits):
    estimator = variational().fit(digits)
    mean, deviation = estimator.transform_distribution(digits)
    np.testing.assert_array_equal(mean, estimator.transform(digits))
    assert mean.shape == deviation.shape == (len(digits), 8)
    assert (deviation > 0).all()
    np.testing.assert_array_equal(
        estimator.score_samples(digits), estimator.score_samples(digits)
    )
    used = estimator.kl_per_component_ > 0.1
    total = mean.var(0) + np.square(deviation).mean(0)
    np.testing.assert_allclose(total[used], 1, atol=0.6)
    expected = 0.5 * (mean**2 + deviation**2 - 1 - 2 * np.log(deviation))
    np.testing.assert_allclose(
        estimator.kl_per_component_, expected.mean(0), rtol=1e-3, atol=1e-4
    )


def test_samples_are_closer_to_the_data_than_noise(digits):
    """A classifier tells them from digits less often than independent pixels."""
    estimator = variational(max_iter=50).fit(digits)
    samples = estimator.sample(len(digits), random_state=0).round().clip(0, 16)
    rng = np.random.default_rng(0)
    noise = rng.permuted(digits, axis=0)  # every pixel has its own distribution

    def found(made):
        X, y = np.r_[digits, made], np.repeat([0, 1], len(digits))
        forest = RandomForestClassifier(30, max_depth=6, random_state=0)
        return cross_val_score(forest, X, y, cv=3).mean()

    assert found(samples) < found(noise) - 0.03
    assert samples.std(0).sum() > 0.6 * digits.std(0).sum()


def test_sample_is_reproducible_and_private(digits):
    estimator = variational(max_iter=2).fit(digits)
    first, second = (estimator.sample(5, random_state=3) for _ in range(2))
    np.testing.assert_array_equal(first, second)
    assert (estimator.sample(5) != estimator.sample(5)).any()
    with pytest.raises(ValueError, match="n_samples=0, but at least 1"):
        estimator.sample(0)


def test_collapse_is_said(digits):
    with pytest.warns(ConvergenceWarning, match=r"collapse.*smaller beta than 1000"):
        estimator = variational(beta=1000.0, max_iter=20).fit(digits[:900])
    assert (estimator.kl_per_component_ < 0.01).all()


def test_true_is_one_component(digits):
    codes = [
        skae.SparseAutoencoderTransformer(4, k=k, max_iter=1, random_state=0)
        .fit(digits[:100])
        .transform(digits[:100])
        for k in (1, True)
    ]
    np.testing.assert_array_equal(*codes)


# Composition

PENALTIES = [None, *(cls() for cls in discovered(penalties, penalties.Penalty))]
CORRUPTIONS = [None, corruptions.Masking(0.3), corruptions.Swap()]
# What a penalty needs codes to pass through, and what its message says.
GAUSSIAN = GaussianCode, Quantization
NEEDED = {BernoulliKL: (Sigmoid, "between 0 and 1"), GaussianKL: (GAUSSIAN, "are")}


@pytest.mark.parametrize("penalty", PENALTIES, ids=str)
@pytest.mark.parametrize("code_map", CODE_MAPS, ids=str)
def test_every_combination_works_or_is_refused(penalty, code_map, digits):
    needed, reason = NEEDED.get(type(penalty), (object, ""))
    is_refused = not isinstance(code_map, needed)
    for corruption, loss in itertools.product(
        CORRUPTIONS, ["squared_error", "log_loss"]
    ):
        estimator = skae.AutoencoderTransformer(
            8,
            hidden_layer_sizes=(8,),
            penalty=penalty,
            corruption=corruption,
            code_map=code_map,
            loss=loss,
            max_iter=1,
            random_state=0,
        )
        if is_refused:
            with pytest.raises(ValueError, match=f"needs codes.*{reason}.*code_map="):
                estimator.fit(digits[:100] / 16)
            continue
        estimator.fit(digits[:100] / 16)
        assert np.isfinite(estimator.score_samples(digits / 16)).all()


@pytest.mark.parametrize("first", CODE_MAPS[1:], ids=str)
@pytest.mark.parametrize("second", CODE_MAPS[1:], ids=str)
@pytest.mark.parametrize("network", [None, MLP((6, 5), tied_weights=True)], ids=str)
def test_codes_pass_through_maps_in_their_order(first, second, network, digits):
    X = digits[:200]
    estimator = skae.AutoencoderTransformer(
        4,
        hidden_layer_sizes=(8,),
        network=network,
        code_map=[first, second],
        max_iter=1,
        random_state=0,
    ).fit(X)
    module = estimator.net_.module_
    assert len(module.maps) == 2
    rows = torch.from_numpy(estimator._model.scaling.standardise(X)).float()
    with torch.no_grad():
        expected = module.maps[1](module.maps[0](module.network.encode(rows)))
        torch.testing.assert_close(module.encode(rows), expected)
    expected = expected.double().numpy() * code_units(
        estimator, estimator_scale(estimator)
    )
    np.testing.assert_allclose(estimator.transform(X), expected, rtol=1e-4, atol=1e-4)
    torch_code = estimator.encoder_(torch.tensor(X)).numpy()
    np.testing.assert_allclose(torch_code, expected, rtol=1e-4, atol=1e-4)
    last = estimator._model.recipe.code_maps[-1]
    bounds = None
    for part in estimator._model.recipe.code_maps:
        bounds = part.bounds_after(bounds)
    assert module.code_bounds == bounds
    assert module.is_gaussian == last.is_gaussian
    assert module.has_own_units == (first.has_own_units or second.has_own_units)


def test_a_map_may_be_a_function_or_a_class_of_modules(digits):
    params = {"hidden_layer_sizes": (8,), "max_iter": 2, "random_state": 0}

    def squashed(n_components):
        return torch.nn.Tanh()

    by_function = skae.AutoencoderTransformer(4, code_map=squashed, **params)
    codes = by_function.fit_transform(digits) / estimator_scale(by_function)
    assert np.abs(codes).max() <= 1
    normed = skae.AutoencoderTransformer(4, code_map=torch.nn.LayerNorm, **params)
    codes = normed.fit_transform(digits) / estimator_scale(normed)
    np.testing.assert_allclose(codes.mean(1), 0, atol=0.1)
    names = [name for name, _ in normed.net_.module_.named_parameters()]
    assert {"maps.0.weight", "maps.0.bias"} <= set(names)


@pytest.mark.parametrize("neutral", [SoftThreshold(0), [], (), [SoftThreshold(0)] * 2])
def test_maps_that_change_nothing_are_no_maps(neutral, digits):
    params = {**SHORT, "random_state": 0}
    plain = skae.AutoencoderTransformer(**params).fit_transform(digits)
    mapped = skae.AutoencoderTransformer(code_map=neutral, **params)
    np.testing.assert_array_equal(mapped.fit_transform(digits), plain)


@pytest.mark.parametrize(
    "cls",
    [
        corruptions.Gaussian,
        corruptions.Masking,
        corruptions.NoisyMasking,
        corruptions.SaltAndPepper,
        corruptions.Swap,
    ],
)
def test_levels_for_each_feature(cls, digits):
    X = torch.randn(500, 4, generator=torch.Generator().manual_seed(0))
    level = np.array([0.0, 0.2, 0.5, 1.0])
    corruption = cls(level).prepared(torch.zeros(4))
    seen = corruption(X, torch.Generator().manual_seed(1))
    moved = (seen != X).float().mean(0)
    assert moved[0] == 0
    if cls is corruptions.Gaussian:
        moved = (seen - X).std(0)
    if cls is corruptions.NoisyMasking:
        moved = (seen == 0).float().mean(0)
    np.testing.assert_allclose(moved[1:], level[1:], atol=0.1)


def test_prepared_parts_keep_their_kind_and_parameters():
    class Filled(corruptions.Masking):
        def __init__(self, level=0.5, value=0.0):
            super().__init__(level)
            self.value = value

        def __call__(self, X, generator):
            return super().__call__(X, generator) + self.value

    class Scaled(GaussianKL):
        pass

    prepared = Filled([0.1, 0.2], value=5.0).prepared(torch.zeros(2))
    assert prepared.value == 5.0
    assert prepared.level.tolist() == pytest.approx([0.1, 0.2])
    assert type(Scaled(warm_up=4).during(1)) is Scaled


def code_lines(path):
    """Lines of a file that are neither blank, comments nor docstrings."""
    text = Path(path).read_text()
    documentation = {
        line
        for node in ast.walk(ast.parse(text))
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef)
        and ast.get_docstring(node)
        for line in range(node.body[0].lineno, node.body[0].end_lineno + 1)
    }
    return [
        line
        for number, line in enumerate(text.splitlines(), 1)
        if number not in documentation and line.strip() and line.strip()[0] != "#"
    ]


@pytest.mark.parametrize("cls", transformer_classes())
def test_a_variant_is_a_small_file(cls):
    least = len(code_lines(inspect.getfile(skae.AutoencoderTransformer)))
    assert len(code_lines(inspect.getfile(cls))) <= least + 60


@pytest.mark.parametrize(
    ("estimator", "grid"),
    [
        (
            skae.AutoencoderTransformer(penalty=Contractive(), max_iter=1),
            {"a__penalty__alpha": [0.0, 0.1], "a__penalty__n_projections": [1, None]},
        ),
        (
            skae.AutoencoderTransformer(
                network=networks.Convolutional((8, 8)), max_iter=1
            ),
            {"a__network__channels": [(2,), (2, 4)]},
        ),
        (
            skae.AutoencoderTransformer(
                20, network=MLP(()), code_map=TopK(), max_iter=1
            ),
            {"a__code_map__k": [2, 5], "a__network__linear_path": [True]},
        ),
        (
            skae.SparseAutoencoderTransformer(80, sparse_output=True, max_iter=1),
            {"a__k": [3, 9], "a__sparsity": ["top_k", "l1"]},
        ),
        (
            skae.VariationalAutoencoderTransformer(4, max_iter=1),
            {"a__beta": [0.1, 1.0], "a__warm_up": [0, 1]},
        ),
    ],
    ids=["penalty", "channels", "code map", "sparse", "variational"],
)
@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_parts_are_searched_over_in_a_pipeline(estimator, grid, digits):
    y = load_digits().target[:200]
    pipe = Pipeline([("a", estimator), ("c", LogisticRegression(max_iter=50))])
    search = GridSearchCV(pipe, grid, cv=2, error_score="raise")
    search.fit(digits[:200] / 16, y)
    assert search.best_score_ > 0.2
    assert len(search.cv_results_["params"]) == np.prod([len(v) for v in grid.values()])


# Going on from an earlier fit


def test_a_changed_map_of_codes_counts_when_training_goes_on(digits):
    estimator = sparse("top_k", k=2, warm_start=True).fit(digits)
    codes = estimator.set_params(k=8).fit(digits).transform(digits)
    assert ((codes != 0).sum(1) == 8).all()
    for changed in ({"sparsity": "kl"}, {"k": 100}):
        with pytest.raises(ValueError, match="set warm_start=False"):
            clone(estimator).fit(digits).set_params(**changed).fit(digits)


def test_penalties_are_checked_when_training_goes_on(digits):
    estimator = skae.AutoencoderTransformer(2, max_iter=1, warm_start=True).fit(digits)
    with pytest.raises(ValueError, match=r"GaussianKL.*needs codes"):
        estimator.set_params(penalty=GaussianKL()).fit(digits)


def test_epochs_are_counted_on(digits):
    class Recorded(penalties.Penalty):
        seen = []

        def during(self, epoch):
            self.seen.append(epoch)
            return self

        def __call__(self, network, X, code, output):
            return 0.0 * code.sum()

    estimator = skae.AutoencoderTransformer(2, penalty=Recorded(), random_state=0)
    for _ in range(3):
        estimator.partial_fit(digits[:50])
    assert sorted(set(Recorded.seen)) == [1, 2, 3]


@pytest.mark.parametrize("network", [MLP(activation="foo"), MLP(dropout=1.0)])
def test_networks_below_maps_are_validated(network, digits):
    with pytest.raises(ValueError, match="parameter of MLP must be"):
        skae.VariationalAutoencoderTransformer(4, network=network).fit(digits)


def test_maps_of_maps_keep_their_units(digits):
    estimator = skae.AutoencoderTransformer(
        5,
        hidden_layer_sizes=(8,),
        code_map=[Sigmoid(), TopK(2)],
        max_iter=1,
        random_state=0,
    ).fit(100 * digits)
    assert estimator.transform(100 * digits).max() < 1


# What users write


class Curved(CodeMap):
    """Gaussian codes of a user's own, which are moved as well."""

    has_own_units = is_gaussian = True

    def __call__(self, n_components):
        class Module(torch.nn.Module):
            def forward(self, mean):
                return torch.tanh(mean)

            def log_variance(self, mean):
                return torch.zeros_like(mean)

        return Module()


def test_encoder_is_transform_for_gaussian_codes_of_one_s_own(digits):
    estimator = skae.AutoencoderTransformer(
        3, code_map=Curved(), penalty=GaussianKL(), max_iter=1, random_state=0
    ).fit(digits)
    codes = estimator.encoder_(torch.tensor(digits)).numpy()
    np.testing.assert_allclose(codes, estimator.transform(digits), atol=1e-5)


class Centred(CodeMap):
    """Mixes rows, though it says that it draws nothing."""

    draws = False

    def __call__(self, n_components):
        class Module(torch.nn.Module):
            def forward(self, code):
                return code - code.mean(0)

        return Module()


def test_a_map_of_one_s_own_is_not_taken_for_known(digits):
    estimator = skae.AutoencoderTransformer(3, code_map=Centred(), max_iter=1)
    with pytest.warns(UserWarning, match=r"aten::mean"):
        estimator.fit(digits)


def test_what_is_no_code_map_is_refused(digits):
    estimator = skae.AutoencoderTransformer(3, code_map=lambda n_components: None)
    with pytest.raises(TypeError, match=r"returned None, but a torch\.nn\.Module"):
        estimator.fit(digits)


def test_bounds_outlast_maps_that_keep_them(digits):
    skae.AutoencoderTransformer(
        8, code_map=[Sigmoid(), TopK(2)], penalty=BernoulliKL(), max_iter=1
    ).fit(digits)


class Halved(corruptions.Corruption):
    """A corruption without a level."""

    def __call__(self, X, generator):
        return 0.5 * X


@pytest.mark.parametrize("init", ["random", "layerwise"])
def test_corruptions_need_no_level(init, digits):
    skae.AutoencoderTransformer(
        3, corruption=Halved(), init=init, hidden_layer_sizes=(8, 6), max_iter=1
    ).fit(digits)


def test_penalties_with_a_memory_are_called_once_a_step(digits):
    """No trial of threads calls them once more on a machine that is idle."""
    calls = []

    def penalty(network, X, code, output):
        calls.append(len(X))
        return 0.0 * code.sum()

    skae.AutoencoderTransformer(
        3, penalty=penalty, early_stopping=False, batch_size=100, max_iter=30
    ).fit(digits[:1000])
    # And on the first rows before the training, and after it.
    assert len(calls) == 30 * 10 + 2
