"""One shift for each feature and one scale for all, exactly."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from skae._utils.scaling import Scaling

DTYPES = pytest.mark.parametrize("dtype", [np.float32, np.float64])


@DTYPES
@pytest.mark.parametrize("n_rows", [2, 3, 10_000, 100_000])
@pytest.mark.parametrize("value", [0.1, -1.7e9 / 3, 1e-30, 4.2])
def test_constant_columns_have_no_scale_at_any_length(value, n_rows, dtype):
    """Their rounding errors do not add up to a deviation."""
    for order in "CF":
        scaling = Scaling.of(np.full((n_rows, 3), value, dtype, order=order))
        assert scaling.scale == 1.0
        np.testing.assert_array_equal(scaling.shift, np.full(3, dtype(value), float))


@pytest.mark.parametrize("order", ["C", "F"])
def test_a_large_constant_does_not_inflate_the_scale_of_others(order):
    rng = np.random.default_rng(0)
    small = 1e-3 * rng.normal(size=(200_000, 2))
    X = np.asarray(np.c_[np.full(len(small), 1.7e9 / 3), small], order=order)
    scaling = Scaling.of(X)
    expected = np.sqrt(np.square(small - small.mean(0)).sum() / X.size)
    assert scaling.scale == pytest.approx(expected, rel=1e-9)
    assert scaling.shift[0] == X[0, 0]


@settings(deadline=None, max_examples=40)
@given(
    offset=st.floats(-1e6, 1e6),
    unit=st.floats(1e-3, 1e3),
    shape=st.tuples(st.integers(2, 300), st.integers(1, 9)),
    dtype=st.sampled_from([np.float32, np.float64]),
)
def test_it_is_the_mean_and_the_deviation_of_all_cells(offset, unit, shape, dtype):
    X = (offset + unit * np.random.default_rng(0).normal(size=shape)).astype(dtype)
    exact = X.astype(np.longdouble)
    shift = exact.mean(0)
    scale = np.sqrt(np.square(exact - shift).mean())
    scaling = Scaling.of(X)
    largest = 1 + np.abs(X).max()
    np.testing.assert_allclose(
        scaling.shift, shift.astype(float), rtol=0, atol=1e-14 * largest
    )
    if scale > 10 * np.finfo(dtype).eps * largest:  # and is more than rounding
        assert scaling.scale == pytest.approx(float(scale), rel=1e-6)


@DTYPES
@pytest.mark.parametrize("shape", [(7, 3), (5000, 120), (300_001, 2)])
def test_memory_order_does_not_matter(shape, dtype):
    X = (1e3 + np.random.default_rng(0).normal(size=shape)).astype(dtype)
    first, second = Scaling.of(X), Scaling.of(np.asfortranarray(X))
    strided = Scaling.of(np.repeat(X, 2, axis=0)[::2])
    for other in (second, strided):
        assert other.scale == first.scale
        np.testing.assert_array_equal(other.shift, first.shift)


@pytest.mark.parametrize("power", [-1060, -900, -100, 40])
def test_powers_of_two_are_exact(power):
    """Also where squares would underflow."""
    X = np.random.default_rng(0).normal(size=(60, 4))
    plain, moved = Scaling.of(X), Scaling.of(np.ldexp(X, power))
    if power < -1000:  # subnormal numbers lose digits
        assert moved.scale == pytest.approx(np.ldexp(plain.scale, power), rel=1e-2)
        return
    assert moved.scale == np.ldexp(plain.scale, power)
    np.testing.assert_array_equal(moved.shift, np.ldexp(plain.shift, power))


@pytest.mark.parametrize("order", ["C", "F"])
def test_ordered_rows_are_the_standardised_ones_in_that_order(order):
    X = np.asarray(
        5 + 3 * np.random.default_rng(0).normal(size=(9000, 60)), order=order
    )
    scaling = Scaling.of(X)
    chosen = np.random.default_rng(1).permutation(len(X))
    rows = scaling.ordered_rows(X, chosen)
    assert rows.dtype == torch.float32
    np.testing.assert_array_equal(
        rows.numpy(), scaling.standardise(X)[chosen].astype(np.float32)
    )
    np.testing.assert_allclose(scaling.restore(scaling.standardise(X)), X, rtol=1e-12)
