"""Missing cells filled by a linear model: what networks read, and PCA starts from."""

import numpy as np
import pytest
import torch

from skae import AutoencoderImputer, AutoencoderTransformer
from skae._training.filling import completed, factors_that_fill
from skae.inference._holes import ReadHoles as ReadHolesInNumpy
from skae.networks._holes import N_BINS, ReadHoles, filled


def completed_by_factors(rows, mask):
    """Rows filled by their own factors, and what fills them."""
    filling = factors_that_fill(rows, mask)
    return completed(rows, mask, filling), filling


def rows_of(n, d, rank=3, noise=0.3, seed=0):
    """Rows of few common factors, and which of their cells are there."""
    generator = torch.Generator().manual_seed(seed)

    def drawn(*shape):
        return torch.randn(shape, generator=generator, dtype=torch.float64)

    X = drawn(n, rank) @ drawn(rank, d) + noise * drawn(n, d)
    return X, torch.rand((n, d), generator=generator) > 0.3


def covariance(scale, own, shared):
    """What the precision of a filling is the inverse of."""
    precision = torch.diag(own) - shared @ shared.T
    return torch.linalg.inv(precision) * scale * scale[:, None]


@pytest.mark.parametrize("d", [2, 7, 20])
def test_filled_cells_are_conditional_expectations(d):
    X, mask = rows_of(300, d)
    filling = factors_that_fill(X * mask, mask)
    mean, sigma = filling[0], covariance(*filling[1:])
    found = filled(X * mask, ~mask, *filling)
    for row, there, result in zip(X[:40], mask[:40], found[:40], strict=True):
        cross = sigma[~there][:, there]
        weights = torch.linalg.solve(sigma[there][:, there], cross.T)
        expected = mean[~there] + (row - mean)[there] @ weights
        torch.testing.assert_close(result[~there], expected, atol=1e-3, rtol=1e-3)
        assert torch.equal(result[there], row[there])


def test_factors_are_found_from_what_is_there():
    X, mask = rows_of(4000, 8)
    sigma = covariance(*factors_that_fill(X * mask, mask)[1:])
    true = torch.cov(X.T)
    assert (sigma - true).abs().max() < 0.1 * true.diagonal().max()


def test_units_and_shifts_of_columns_pass_through():
    X, mask = rows_of(200, 6)
    units = 10.0 ** torch.arange(-6, 12, 3)
    shift = 5 * units
    plain, _ = completed_by_factors(X * mask, mask)
    other, _ = completed_by_factors((X * units + shift) * mask, mask)
    torch.testing.assert_close((other - shift) / units, plain, atol=1e-6, rtol=1e-6)


def test_a_column_that_others_make_up_is_filled_by_them():
    X, _ = rows_of(200, 4)
    X = torch.cat([X, X.sum(1, keepdim=True)], 1)
    mask = torch.ones_like(X, dtype=torch.bool)
    mask[torch.arange(200), torch.arange(200) % 5] = False
    found, _ = completed_by_factors(X * mask, mask)
    assert (found - X)[~mask].std() < 0.2 * X[~mask].std()


@pytest.mark.parametrize("d", [1, 2, 40])
@pytest.mark.parametrize("n", [1, 2, 5])
def test_few_rows_and_columns(n, d):
    X, mask = rows_of(n, d, rank=1)
    mask[0] = False
    found, filling = completed_by_factors(X * mask, mask)
    assert all(part.isfinite().all() for part in filling)
    assert found.isfinite().all() and torch.equal(found[mask], X[mask])


def test_columns_without_values_and_without_variance_are_their_means():
    X, mask = rows_of(50, 4)
    X[:, 1], mask[:, 2] = 7.0, False
    found, _ = completed_by_factors(X * mask, mask)
    torch.testing.assert_close(found[:, 1], X[:, 1])
    assert not found[:, 2].any()


@pytest.mark.parametrize("power", [10, 20, 30, 37])
def test_far_rows_stay_finite(power):
    X, mask = rows_of(50, 6)
    filling = factors_that_fill((X * mask).float(), mask)
    rows = (X * mask).float()
    found = filled(rows * 10.0**power, ~mask, *filling)
    near = filled(rows + filling[0], ~mask, *filling) - filling[0]
    torch.testing.assert_close(found / 10.0**power, near, atol=1e-2, rtol=1e-2)


@pytest.mark.parametrize("d", [*range(2, 18), 33, 49])
def test_rows_of_any_width_do_not_depend_on_those_beside_them(d):
    X, mask = rows_of(60, d)
    X = np.where(mask, X, np.nan)
    model = AutoencoderTransformer(
        1, hidden_layer_sizes=(8,), max_iter=1, early_stopping=False, random_state=0
    )
    codes = model.fit(X).transform(X)
    for row, code in zip(X, codes, strict=True):
        np.testing.assert_array_equal(model.transform(row[None])[0], code)
    np.testing.assert_array_equal(model.transform(X[::-1]), codes[::-1])


@pytest.mark.parametrize("d", [3, 16, 21])
def test_numpy_fills_as_torch_does(d):
    X, mask = rows_of(80, d)
    reader = ReadHoles(d, range(d), d)
    rows = torch.where(mask, X, torch.nan).float()
    reader.learn(factors_that_fill((X * mask).float(), mask), rows)
    parts = {name: part.numpy() for name, part in reader.named_buffers()}
    found = ReadHolesInNumpy(**parts)(rows.numpy())
    assert found.shape == (80, d + d + d * N_BINS)
    np.testing.assert_allclose(found, reader(rows), atol=1e-4)


def test_filling_has_gradients_where_nothing_is_left_to_find():
    X, mask = rows_of(20, 5)
    filling = factors_that_fill(X * mask, mask)
    mask[:7] = True
    rows = (X * mask).requires_grad_()
    filled(rows, ~mask, *filling).sum().backward()
    assert rows.grad.isfinite().all()
    assert torch.equal(rows.grad[:7], torch.ones(7, 5).double())


def test_linear_tables_are_filled_as_well_as_by_the_linear_model():
    """Few rows, in which a network finds no more: it must not lose that."""
    X, mask = (part.numpy() for part in rows_of(150, 8, noise=0.1))
    holed = np.where(mask, X, np.nan)
    found = AutoencoderImputer(random_state=0).fit_transform(holed)
    error, spread = (
        np.square((guess - X)[~mask]).mean() for guess in (found, X.mean(axis=0))
    )
    assert error < 0.1 * spread


def test_pca_that_is_kept_is_filled_by_all_rows():
    X, mask = (part.numpy() for part in rows_of(200, 6))
    X = np.where(mask, X + 3, np.nan)
    model = AutoencoderTransformer(3, max_iter=1, random_state=0).fit(X)
    assert model.best_iter_ == 0
    (reader,) = [m for m in model.encoder_.modules() if isinstance(m, ReadHoles)]
    scaling = model._model.scaling
    mean = reader.mean.double() * scaling.scale + torch.tensor(scaling.shift)
    np.testing.assert_allclose(mean, np.nanmean(X, axis=0), atol=1e-5)


@pytest.mark.parametrize("rounding", [2**-54, 1e-13, 1e-30])
def test_columns_that_vary_by_rounding_are_constant(rounding):
    X, mask = (part.numpy() for part in rows_of(200, 5))
    X = np.where(mask, X, np.nan)
    X[:, 0] = 0.3
    model = AutoencoderTransformer(
        1, hidden_layer_sizes=(8,), max_iter=1, early_stopping=False, random_state=0
    )
    row = [[0.31, np.nan, 1, 1, 1]]
    expected = model.fit(X).impute(row)
    X[::2, 0] += rounding
    np.testing.assert_allclose(model.fit(X).impute(row), expected, rtol=0.1)


@pytest.mark.parametrize("small", [1e-30, 1e-38, 1e-44])
def test_columns_may_be_of_the_smallest_scales(small):
    X, mask = (part.numpy() for part in rows_of(100, 5))
    X = np.where(mask, X, np.nan) * [small, 1, 1, 1, 1]
    model = AutoencoderTransformer(1, max_iter=1, random_state=0).fit(X)
    for rows in (X, np.array([[1e10, np.nan, 1, 1, 1]])):
        assert np.isfinite(model.impute(rows)).all()
        assert np.isfinite(model.transform(rows)).all()
