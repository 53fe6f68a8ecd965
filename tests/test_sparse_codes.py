"""Sparse codes that are solved for: what they minimise, and that all methods agree."""

import io

import numpy as np
import onnxruntime
import pandas as pd
import pytest
import torch
from scipy.sparse import issparse
from sklearn.datasets import make_sparse_coded_signal
from sklearn.linear_model import orthogonal_mp

import skae
import skae.inference
from skae import AutoencoderTransformer, SparseAutoencoderTransformer
from skae._utils import pursuit
from skae._utils.threads import threads
from skae.code_maps import GaussianCode, Refinement, SoftThreshold, TopK
from skae.networks import MLP

METHODS = "least_squares", "omp"
SHORT = {"max_iter": 3, "random_state": 0}


@pytest.fixture(scope="module")
def rows():
    """Sums of a few of thirty directions, and some noise."""
    rng = np.random.default_rng(0)
    codes = rng.normal(size=(300, 30)) * (rng.random((300, 30)) < 0.1)
    return codes @ rng.normal(size=(30, 12)) + 0.1 * rng.normal(size=(300, 12)) + 3


def fitted(X, refine, sparsity="top_k", **params):
    params = {"n_components": 24, "k": 4, **SHORT, **params}
    transformer = SparseAutoencoderTransformer(
        sparsity=sparsity, refine=refine, **params
    )
    return transformer.fit(X)


def dictionary(transformer):
    """Columns (k, d) that codes in the data's units add up, and what they add to."""
    decoded = transformer.inverse_transform(np.eye(25, 24))
    return decoded[:24] - decoded[24], decoded[24]


def problem(n=40, m=20, d=12, k=5, seed=0):
    """Unit columns, and rows by their inner products with them."""
    rng = np.random.default_rng(seed)
    columns = rng.normal(size=(m, d))
    columns /= np.linalg.norm(columns, axis=1, keepdims=True)
    X = rng.normal(size=(n, d))
    atoms = np.argsort(rng.random((n, m)), axis=1)[:, :k]
    return columns, X, atoms


# The search, against numpy and scikit-learn


def test_coefficients_of_a_support_are_those_of_least_squares():
    columns, X, atoms = problem()
    gram, numbers = columns @ columns.T, np.arange(len(X))
    is_used = np.random.default_rng(1).random(atoms.shape) < 0.7
    found = pursuit.of_support(X @ columns.T, gram, atoms, is_used, numbers)
    for x, chosen, used, values in zip(X, atoms, is_used, found, strict=True):
        expected = np.linalg.lstsq(columns[chosen[used]].T, x, rcond=None)[0]
        np.testing.assert_allclose(values[used], expected, atol=1e-8)
        assert not values[~used].any()


def test_coefficients_without_negatives_are_those_of_what_is_left():
    columns, X, atoms = problem()
    rest = X @ columns.T, columns @ columns.T, atoms
    numbers = np.arange(len(X))
    signed = pursuit.of_support(*rest, np.full(atoms.shape, True), numbers)
    found = pursuit.without_negatives(signed, *rest, numbers)
    assert signed.min() < 0 and found.min() == 0
    for x, chosen, values in zip(X, atoms, found, strict=True):
        used = values > 0
        expected = np.linalg.lstsq(columns[chosen[used]].T, x, rcond=None)[0]
        np.testing.assert_allclose(values[used], expected, atol=1e-8)


def test_each_step_lowers_the_error_as_far_as_a_column_can():
    columns, X, _ = problem()
    gram, numbers = columns @ columns.T, np.arange(len(X))
    counts = np.full(len(X), 4)
    atoms, values = pursuit.of_any(X @ columns.T, gram, 4, counts, numbers)

    def error(x, chosen):
        used = columns[list(chosen)].T
        return np.square(x - used @ np.linalg.lstsq(used, x, rcond=None)[0]).sum()

    for row, x in enumerate(X):
        chosen = []
        for step in range(4):
            errors = [error(x, [*chosen, j]) for j in range(len(columns))]
            chosen.append(int(atoms[step][row]))
            assert errors[chosen[-1]] == pytest.approx(min(errors), abs=1e-9)
        left = x - sum(v[row] * columns[j] for v, j in zip(values, chosen, strict=True))
        assert np.square(left).sum() == pytest.approx(error(x, chosen), abs=1e-9)


def test_what_few_columns_made_is_found():
    X, columns, codes = make_sparse_coded_signal(
        n_samples=30, n_components=40, n_features=25, n_nonzero_coefs=3, random_state=0
    )
    products, gram = X @ columns.T, columns @ columns.T
    counts = np.full(30, 3)
    found = pursuit.of_any(products, gram, 3, counts, np.arange(30))
    solved = np.zeros_like(codes)
    for atom, value in zip(*found, strict=True):
        solved[np.arange(30), atom] = value
    of_sklearn = orthogonal_mp(columns.T, X.T, n_nonzero_coefs=3).T
    is_right = (np.abs(of_sklearn - codes) < 1e-8).all(1)
    assert is_right.mean() > 0.5
    np.testing.assert_allclose(solved[is_right], codes[is_right], atol=1e-8)


@pytest.mark.parametrize("method", METHODS)
def test_numpy_and_torch_search_alike(method):
    columns, X, atoms = problem()
    columns, X = columns.astype(np.float32), X.astype(np.float32)
    given = X @ columns.T, columns @ columns.T
    is_used, numbers = np.full(atoms.shape, True), np.arange(len(X))
    rest = np.full(len(X), 5), numbers
    in_torch = [torch.from_numpy(array) for array in (*given, atoms, *rest)]
    if method == "least_squares":
        expected = pursuit.of_support(*given, atoms, is_used, numbers)
        given = *in_torch[:3], torch.from_numpy(is_used), in_torch[-1]
        found = pursuit.of_support(*given).numpy()
        np.testing.assert_array_equal(found, expected)
    else:
        expected = pursuit.of_any(*given, 5, *rest)
        found = pursuit.of_any(*in_torch[:2], 5, *in_torch[3:])
        for part, other in zip(found, expected, strict=True):
            np.testing.assert_allclose(torch.stack(part), other, rtol=1e-4, atol=1e-5)


def test_columns_that_depend_on_others_are_not_used():
    columns = np.eye(3)[[0, 0, 1]]
    X = np.array([[2.0, 1.0, 5.0]])
    given = X @ columns.T, columns @ columns.T
    atoms, is_used = np.array([[0, 1, 2]]), np.full((1, 3), True)
    values = pursuit.of_support(*given, atoms, is_used, np.arange(1))
    np.testing.assert_allclose(values, [[2, 0, 1]])
    atoms, values = pursuit.of_any(*given, 3, np.array([3]), np.arange(1))
    total = sum(v[0] * columns[a[0]] for v, a in zip(values, atoms, strict=True))
    np.testing.assert_allclose(total, [2, 1, 0])


# Estimators


@pytest.mark.parametrize("sparsity", ["top_k", "l1"])
def test_least_squares_of_what_the_encoder_chose(sparsity, rows):
    params = {"alpha": 0.5} if sparsity == "l1" else {}
    transformer = fitted(rows, "least_squares", sparsity, **params)
    columns, bias = dictionary(transformer)
    codes = transformer.transform(rows)
    for x, code in zip(rows[:50], codes[:50], strict=True):
        chosen = np.flatnonzero(code)
        if len(chosen) > 4:
            continue  # where columns may depend on each other
        expected = np.linalg.lstsq(columns[chosen].T, x - bias, rcond=None)[0]
        np.testing.assert_allclose(code[chosen], expected, rtol=1e-3, atol=1e-3)


def test_each_refinement_lowers_the_error(rows):
    errors = [-fitted(rows, refine).score(rows) for refine in (None, *METHODS)]
    assert errors[2] < errors[1] < errors[0]


@pytest.mark.parametrize("sparsity", ["top_k", "l1"])
@pytest.mark.parametrize("refine", METHODS)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_all_methods_have_the_same_codes(sparsity, refine, dtype, rows):
    X = rows.astype(dtype)
    transformer = fitted(X, refine, sparsity)
    codes, decoded = transformer.transform(X), transformer.reconstruct(X)
    assert codes.dtype == decoded.dtype == dtype
    tolerance = {"rtol": 1e-5, "atol": 1e-5}
    np.testing.assert_allclose(
        transformer.inverse_transform(codes), decoded, **tolerance
    )
    scores = -np.square(X - decoded).mean(1)
    np.testing.assert_allclose(
        transformer.score_samples(X), scores, rtol=1e-3, atol=1e-6
    )
    encoded = transformer.encoder_(torch.from_numpy(X)).numpy()
    np.testing.assert_allclose(encoded, codes, **tolerance)
    if sparsity == "top_k":
        assert ((codes != 0).sum(1) <= 4).all()


@pytest.mark.parametrize("refine", METHODS)
@pytest.mark.parametrize("sparsity", ["top_k", "l1"])
def test_rows_do_not_depend_on_each_other(refine, sparsity, rows):
    transformer = fitted(rows, refine, sparsity, max_iter=1)
    with threads(1):
        expected = [transformer.transform(rows), transformer.score_samples(rows)]
    order = np.random.default_rng(1).permutation(len(rows))
    for chosen in (order, order[:1], order[:37], np.arange(20, 300)):
        for n_threads in (1, 2):
            with threads(n_threads):
                methods = transformer.transform, transformer.score_samples
                found = [method(rows[chosen]) for method in methods]
            for part, whole in zip(found, expected, strict=True):
                np.testing.assert_array_equal(part, whole[chosen])


@pytest.mark.parametrize("refine", METHODS)
@pytest.mark.parametrize("with_holes", [False, True])
def test_files_and_inference_without_torch(refine, with_holes, rows):
    X = rows.copy()
    X[np.random.default_rng(0).random(X.shape) < 0.1] = np.nan
    transformer = fitted(X if with_holes else rows, refine)
    expected = transformer.transform(X)
    assert np.isfinite(expected).all()
    file = io.BytesIO()
    transformer.save(file)
    file.seek(0)
    loaded = skae.load(file)
    np.testing.assert_array_equal(loaded.transform(X), expected)
    file.seek(0)
    in_numpy = skae.inference.load(file)
    for method in ("transform", "reconstruct", "score_samples"):
        found, wanted = (getattr(m, method)(X) for m in (in_numpy, transformer))
        is_close = np.isclose(found, wanted, rtol=1e-3, atol=1e-3)
        # Where two components are equally good, another one may be chosen.
        assert is_close.mean() > 0.97


@pytest.mark.parametrize("refine", METHODS)
def test_an_encoder_has_the_decoder_that_it_needs(refine, rows):
    transformer = fitted(rows, refine)
    file = io.BytesIO()
    transformer.save_encoder(file)
    file.seek(0)
    encoder = skae.load(file)
    np.testing.assert_array_equal(encoder.transform(rows), transformer.transform(rows))
    file.seek(0)
    in_numpy = skae.inference.load(file)
    is_close = np.isclose(in_numpy.transform(rows), encoder.transform(rows), atol=1e-3)
    assert is_close.mean() > 0.97
    file = io.BytesIO()
    transformer.save_decoder(file)
    file.seek(0)
    codes = transformer.transform(rows)
    np.testing.assert_array_equal(
        skae.load(file).inverse_transform(codes), transformer.inverse_transform(codes)
    )


def test_sparse_codes_of_a_table_of_numbers_and_dates(rows):
    table = pd.DataFrame(rows, columns=[f"c{i}" for i in range(12)])
    table["when"] = pd.date_range("2020-01-01", periods=len(table))
    transformer = fitted(table, "omp")
    assert ((transformer.transform(table) != 0).sum(1) <= 4).all()
    table["kind"] = np.where(rows[:, 0] > 3, "high", "low")
    with pytest.raises(ValueError, match=r"table with categories.*refine=None"):
        fitted(table, "omp")
    assert np.isfinite(fitted(table, "auto").transform(table)).all()


def test_auto_refines_where_a_decoder_adds_up(rows):
    unit = (rows - rows.min()) / np.ptp(rows)
    for params, expected in (
        ({}, [TopK, Refinement]),
        ({"sparsity": "l1"}, [SoftThreshold, Refinement]),
        ({"sparsity": "l1", "alpha": 0.01, "n_components": 80}, [SoftThreshold]),
        ({"hidden_layer_sizes": (8,)}, [TopK]),
        ({"loss": "log_loss"}, [TopK]),
        ({"network": MLP(())}, [TopK]),
    ):
        transformer = fitted(unit, "auto", **params)
        maps = transformer._model.recipe.code_maps
        assert list(map(type, maps)) == expected
        assert all(part.method == "least_squares" for part in maps[1:])
        transformer.partial_fit(unit)  # goes on, whatever was decided


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"hidden_layer_sizes": (8,)}, "needs a decoder that is one Linear layer"),
        ({"loss": "log_loss"}, "loss='log_loss'.*log-odds.*refine=None"),
        ({"sparsity": "kl"}, r"refine='omp'.*sparsity='kl' are nowhere zero"),
    ],
    ids=str,
)
def test_what_cannot_be_refined_is_said(params, message, rows):
    unit = (rows - rows.min()) / np.ptp(rows)
    with pytest.raises(ValueError, match=message):
        fitted(unit, "omp", **params)


def test_refinements_come_last(rows):
    for maps in ([Refinement(), TopK(4)], [GaussianCode(), Refinement()]):
        transformer = AutoencoderTransformer(
            24, hidden_layer_sizes=(), init="random", code_map=maps, **SHORT
        )
        with pytest.raises(ValueError, match="comes last"):
            transformer.fit(rows)


def test_dense_codes_are_not_refined(rows):
    refined, plain = (
        SparseAutoencoderTransformer(8, k=8, refine=refine, **SHORT).fit(rows)
        for refine in ("omp", None)
    )
    np.testing.assert_array_equal(refined.transform(rows), plain.transform(rows))


def test_a_network_of_ones_own_with_a_linear_decoder(rows):
    class Own(torch.nn.Module):
        pass

    def network(n_features, n_components):
        hidden = torch.nn.Linear(n_features, 20), torch.nn.Tanh()
        encoder = torch.nn.Sequential(*hidden, torch.nn.Linear(20, n_components))
        decoder = torch.nn.Linear(n_components, n_features)
        return skae.networks.EncoderDecoder(encoder, decoder)

    transformer = fitted(rows, "omp", network=network)
    codes = transformer.transform(rows)
    np.testing.assert_array_equal(transformer.transform(rows[7:8]), codes[7:8])
    assert ((codes != 0).sum(1) <= 4).all()


@pytest.mark.parametrize("refine", METHODS)
def test_graphs_refine_codes_of_so_many_nonzeros(refine, rows):
    X = rows.astype(np.float32)
    transformer = fitted(X, refine, k=2)
    graph = skae.to_onnx(transformer, part="reconstruct").SerializeToString()
    [found] = onnxruntime.InferenceSession(graph).run(None, {"X": X})
    is_close = np.isclose(found, transformer.reconstruct(X), rtol=1e-3, atol=1e-3)
    assert is_close.mean() > 0.97


def test_graphs_of_any_number_of_nonzeros_are_refused(rows):
    transformer = fitted(rows, "least_squares", "l1")
    with pytest.raises(ValueError, match=r"up to each row.*use refine=None"):
        skae.to_onnx(transformer)


def test_partial_fit_refines_as_well(rows):
    transformer = SparseAutoencoderTransformer(24, k=4, refine="omp", random_state=0)
    for _ in range(2):
        transformer.partial_fit(rows)
    decoded = transformer.inverse_transform(transformer.transform(rows))
    np.testing.assert_allclose(transformer.reconstruct(rows), decoded, rtol=1e-4)
    sparse = transformer.set_params(sparse_output=True).transform(rows)
    assert issparse(sparse)


@pytest.mark.parametrize("refine", METHODS)
def test_no_more_is_solved_for_than_rows_have_features(refine, rows):
    X = rows[:, :3].astype(np.float32)
    for params in ({"k": 2, "n_components": 40}, {"sparsity": "l1", "alpha": 0.01}):
        transformer = fitted(X, refine, **params)
        codes = transformer.transform(X)
        assert (codes != 0).sum(axis=1).max() <= 3
        file = io.BytesIO()
        transformer.save(file)
        file.seek(0)
        found = skae.inference.load(file)
        assert (found.transform(X) != 0).sum(axis=1).max() <= 3
        # The last of three columns may be any that is left: all add up to the row.
        expected = transformer.reconstruct(X)
        np.testing.assert_allclose(found.reconstruct(X), expected, atol=1e-3)


@pytest.mark.parametrize("refine", METHODS)
def test_refined_codes_of_positive_components_are_not_negative(refine, rows):
    X = rows.astype(np.float32)
    transformer = fitted(X, refine, n_components=48, k=3, positive=True)
    codes = transformer.transform(X)
    assert codes.min() == 0
    signed = fitted(X, refine, n_components=48, k=3, positive=False).transform(X)
    assert signed.min() < 0
    encoded = fitted(X, None, n_components=48, k=3, positive=True)
    assert transformer.score(X) > encoded.score(X)
    file = io.BytesIO()
    transformer.save(file)
    file.seek(0)
    in_numpy = skae.inference.load(file).transform(X)
    graph = skae.to_onnx(transformer, part="encoder").SerializeToString()
    [in_onnx] = onnxruntime.InferenceSession(graph).run(None, {"X": X})
    for found in (in_numpy, in_onnx):
        assert found.min() == 0
        assert np.isclose(found, codes, rtol=1e-3, atol=1e-3).mean() > 0.97


# Which components are kept


def test_the_automatic_k_is_no_identity(rows):
    for n_components, k in ((256, 3), (16, 2), (4, 1)):
        transformer = SparseAutoencoderTransformer(n_components, **SHORT).fit(rows)
        assert transformer._model.recipe.code_maps[0].k == k
    with pytest.warns(UserWarning, match=r"k=12.*12 features.*learn the identity"):
        SparseAutoencoderTransformer(48, k=12, **SHORT).fit(rows)


def test_auto_adds_only_unless_codes_are_chosen_anew(rows):
    for refine, expected in (("auto", "auto"), (None, "auto"), ("omp", False)):
        transformer = fitted(rows, refine, n_components=48, k=3)
        assert transformer._model.recipe.code_maps[0].positive == expected


def test_wide_rows_are_trained_at_a_smaller_rate():
    """Thousands of features, each of which adds to a step of a code."""
    rng = np.random.default_rng(0)
    X = rng.normal(size=(120, 8)) @ rng.normal(size=(8, 2000))
    X += 0.3 * rng.normal(size=X.shape)
    losses = [
        SparseAutoencoderTransformer(
            32,
            k=4,
            learning_rate=rate,
            max_iter=8,
            early_stopping=False,
            random_state=0,
        )
        .fit(X)
        .loss_curve_
        for rate in ("auto", 0.02)
    ]
    assert max(losses[0]) < 1.2 * X.var() < max(losses[1])


class FourOf(torch.nn.Module):
    """A user's own map, whose k is something else."""

    def __init__(self, n_components):
        super().__init__()
        self.k = 1.0

    def forward(self, code):
        places = code.abs().topk(4).indices
        return torch.zeros_like(code).scatter(
            -1, places, self.k * code.gather(-1, places)
        )


def test_numbers_of_nonzeros_are_not_read_off_users_modules():
    X = np.random.default_rng(0).normal(size=(60, 9))
    maps = [FourOf, Refinement("omp")]
    fitted = AutoencoderTransformer(
        12, hidden_layer_sizes=(), linear_path=False, code_map=maps, **SHORT
    ).fit(X)
    assert ((fitted.transform(X) != 0).sum(axis=1) == 4).all()


def test_what_says_nothing_of_new_rows_is_said():
    X = np.random.default_rng(0).normal(size=(60, 30))
    sparse = SparseAutoencoderTransformer(64, k=1, max_iter=10, random_state=0)
    with pytest.warns(UserWarning, match=r"more than their mean does .*max_iter"):
        sparse.set_params(learning_rate=3.0).fit(X)


def test_positive_keeps_the_largest_of_the_positive():
    code = torch.tensor([[3.0, -5.0, 1.0, 2.0], [-1.0, -2.0, -3.0, 4.0]])
    expected = [[3.0, 0.0, 0.0, 2.0], [0.0, 0.0, 0.0, 4.0]]
    assert TopK(k=2, positive=True)(4)(code).tolist() == expected


def test_auto_is_positive_for_many_components_per_nonzero():
    assert TopK(k=2, positive="auto")(32).is_positive
    assert not TopK(k=2, positive="auto")(31).is_positive
    assert not TopK(positive="auto")(256).is_positive


def test_all_components_may_be_kept_if_positive(rows):
    transformer = SparseAutoencoderTransformer(
        8, k=8, positive=True, refine=None, **SHORT
    )
    codes = transformer.fit_transform(rows)
    assert codes.min() == 0
    file = io.BytesIO()
    transformer.save(file)
    file.seek(0)
    found = skae.inference.load(file).transform(rows)
    np.testing.assert_allclose(found, codes, rtol=1e-4, atol=1e-4)


def test_dead_components_of_a_soft_threshold_get_gradients():
    module = SoftThreshold(1.0)(3)
    module.idle[:] = torch.tensor([0.0, 99.0, 99.0])
    code = torch.tensor([[2.0, 0.5, 3.0]], requires_grad=True)
    shrunk = module(code)
    torch.testing.assert_close(shrunk, torch.tensor([[1.0, 0.0, 2.0]]))
    shrunk.sum().backward()
    assert code.grad.tolist() == [[1.0, 1.0, 1.0]]
    assert module.idle.tolist() == [0.0, 100.0, 0.0]
    assert "idle" not in module.state_dict()  # files of earlier versions have none


@pytest.mark.parametrize("threshold", [10**400, 1e31])
def test_thresholds_past_single_precision_are_refused(threshold, rows, monkeypatch):
    transformer = fitted(rows, None, "l1")
    [part] = transformer._model.recipe.code_maps
    assert not SoftThreshold(10**30)(4)(torch.ones(2, 4)).any()
    part.threshold = threshold
    monkeypatch.setattr(SoftThreshold, "_validate_params", lambda self: None)
    file = io.BytesIO()
    transformer.save(file)
    monkeypatch.undo()
    for load in (skae.load, skae.inference.load):
        file.seek(0)
        with pytest.raises(skae.InvalidFileError):
            load(file)


def test_strong_penalties_leave_components_alive(digits):
    transformer = SparseAutoencoderTransformer(
        64, sparsity="l1", alpha=2.0, refine=None, max_iter=15, random_state=0
    )
    assert transformer.fit(digits).dead_fraction_ < 0.1


def test_kl_reaches_its_target_by_default(digits):
    transformer = SparseAutoencoderTransformer(
        64, sparsity="kl", rho=0.05, max_iter=15, random_state=0
    )
    mean = transformer.fit_transform(digits).mean()
    assert mean == pytest.approx(0.05, rel=0.15)
