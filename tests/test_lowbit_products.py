"""Lookup products are products: exact for integers, close for floats, within the bound for rounded tables."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from waferviz.lowbit import error_bound, lut_matmul, ternary_matmul
from waferviz.lowbit.averages import excess, tree
from waferviz.lowbit.gather import add_up

MOST = settings(deadline=None, max_examples=150)


def whole(rng, shape, low=-128, high=128):
    return rng.integers(low, high, shape)


@st.composite
def operands(draw, spans=True):
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    bits = draw(st.integers(1, 8))
    tokens, outputs, length = draw(st.integers(1, 5)), draw(st.integers(1, 40)), draw(st.integers(1, 70))
    span = draw(st.none() | st.integers(1, 80)) if spans else None
    return rng, bits, tokens, outputs, length, span


@MOST
@given(operands(), st.integers(1, 8), st.integers(-9, 520))
def test_integers_are_exact_for_any_bits_group_and_zero(case, group, twice_zero):
    rng, bits, tokens, outputs, length, span = case
    a, q = whole(rng, (tokens, length)), rng.integers(0, 2**bits, (outputs, length))
    y = lut_matmul(a, q, bits=bits, zero=twice_zero / 2, group=group, scale_group=span)
    np.testing.assert_array_equal(2 * y, a @ (2 * q - twice_zero).T)
    assert y.dtype == (np.float64 if twice_zero % 2 else np.int64)


@MOST
@given(operands(), st.integers(1, 8))
def test_integer_scales_and_zeros_per_group_are_exact(case, group):
    rng, bits, tokens, outputs, length, span = case
    groups = -(-length // min(span or length, length))
    a, q = whole(rng, (tokens, length)), rng.integers(0, 2**bits, (outputs, length))
    scale, zero = whole(rng, (outputs, groups), -9, 10), whole(rng, (outputs, groups), -9, 10)
    owner = np.arange(length) // min(span or length, length)
    w = scale[:, owner] * (q - zero[:, owner])
    y = lut_matmul(a, q, bits=bits, zero=zero, scale=scale, scale_group=span, group=group)
    np.testing.assert_array_equal(y, a @ w.T)
    assert y.dtype == np.int64


@MOST
@given(operands(), st.integers(1, 8), st.sampled_from(["scalar", "output", "group"]))
def test_floats_agree_with_the_dequantized_product(case, group, shape):
    rng, bits, tokens, outputs, length, span = case
    span = min(span or length, length)
    sizes = {"scalar": (), "output": (outputs,), "group": (outputs, -(-length // span))}[shape]
    a, q = rng.normal(size=(tokens, length)), rng.integers(0, 2**bits, (outputs, length))
    scale, zero = rng.normal(size=sizes), rng.normal(size=sizes) * 2**bits
    s, z = (np.broadcast_to(x.reshape(x.shape + (1,) * (2 - x.ndim)), (outputs, -(-length // span))) for x in (np.asarray(scale), np.asarray(zero)))  # fmt: skip
    owner = np.arange(length) // span
    w = s[:, owner] * (q - z[:, owner])
    y = lut_matmul(a, q, bits=bits, zero=zero, scale=scale, scale_group=span, group=group)
    room = 1e-12 * (np.abs(a) @ (np.abs(s[:, owner]) * (2**bits + np.abs(z[:, owner]))).T)
    assert (np.abs(y - a @ w.T) <= room).all()


@MOST
@given(
    operands(), st.integers(1, 8), st.sampled_from([None, 1, 2, 8]), st.sampled_from(["sum", "table"]),
    st.sampled_from(["exact", "fast", "fast-corrected"]), st.sampled_from([1.0, 1e-300, 1e-320, 0.0, 1e200]),
)  # fmt: skip
def test_rounded_tables_stay_within_the_bound(case, group, share, bias, aggregate, size):
    rng, bits, tokens, outputs, length, span = case
    a = rng.normal(size=(tokens, length)) * size
    q = rng.integers(0, 2**bits, (outputs, length))
    how = {"bits": bits, "zero": 2 ** (bits - 1), "scale": 0.5, "scale_group": span, "group": group}
    rounded = how | {
        "table": "int8", "table_group": share and share * group, "bias": bias, "aggregate": aggregate,
    }  # fmt: skip
    bound = error_bound(a, q, **rounded)
    error = np.abs(lut_matmul(a, q, **rounded) - lut_matmul(a, q, **how))
    room = 1e-12 * 2**bits * np.abs(a).sum(axis=1, keepdims=True) + 1e-300 * length
    assert (error <= bound * (1 + 1e-9) + room).all()


def test_the_bound_is_the_stated_one():
    rng = np.random.default_rng(3)
    a, q = rng.normal(size=(3, 64)), rng.integers(0, 16, (5, 64))
    step = np.abs(a).reshape(3, 16, 4).sum(axis=2).max(axis=1)[:, None] / 127
    bound = error_bound(a, q, bits=4, zero=8, scale=0.3)
    np.testing.assert_allclose(bound, np.broadcast_to(0.3 * 15 / 2 * 16 * step / 2, (3, 5)))
    bound = error_bound(a, q, bits=4, zero=8, scale=0.3, bias="table")
    np.testing.assert_allclose(bound, np.broadcast_to(0.3 * 8 * 16 * step / 2, (3, 5)))


def test_a_bias_from_rounded_tables_needs_the_wider_bound():
    """With one bit the narrow bound fails by up to two; both sums then miss in the same direction."""
    rng = np.random.default_rng(0)
    a, q = rng.normal(size=(400, 8)), np.zeros((1, 8), int)
    how = {"bits": 1, "zero": 1, "table": "int8"}
    exact = lut_matmul(a, q, bits=1, zero=1)
    worst = np.abs(lut_matmul(a, q, **how, bias="table") - exact) / error_bound(a, q, **how)
    assert 1.2 < worst.max() <= 2
    assert (np.abs(lut_matmul(a, q, **how) - exact) <= error_bound(a, q, **how) * (1 + 1e-9)).all()


@MOST
@given(operands(spans=False), st.sampled_from(["tl1", "tl2"]), st.booleans())
def test_ternary_products(case, packing, integers):
    rng, _, tokens, outputs, length, _ = case
    w = rng.integers(-1, 2, (outputs, length))
    a = whole(rng, (tokens, length)) if integers else rng.normal(size=(tokens, length))
    y = ternary_matmul(a, w, packing=packing)
    if integers:
        np.testing.assert_array_equal(y, a @ w.T)
        assert y.dtype == np.int64
    else:
        np.testing.assert_allclose(y, a @ w.T, atol=1e-13 * length * 4)


def test_binary_and_ternary_recipes():
    rng = np.random.default_rng(1)
    a = whole(rng, (3, 30))
    sign, w = rng.choice([-1, 1], (7, 30)), rng.integers(-1, 2, (7, 30))
    binary = lut_matmul(a, (sign + 1) // 2, bits=1, scale=2, zero=0.5)
    np.testing.assert_array_equal(binary, a @ sign.T)
    assert binary.dtype == np.int64
    np.testing.assert_array_equal(lut_matmul(a, w + 1, bits=2, zero=1), a @ w.T)
    np.testing.assert_array_equal(lut_matmul(a, w + 2, bits=2, zero=2), a @ w.T)


@pytest.mark.parametrize("dtype", ["int8", "uint8", "bool", "int16", "uint32", "int64", "float16", "float32"])
def test_any_type_of_activation(dtype):
    rng = np.random.default_rng(2)
    a = rng.integers(0, 2 if dtype == "bool" else 100, (3, 21)).astype(dtype)
    q = rng.integers(0, 256, (4, 21)).astype(np.uint8)
    y = lut_matmul(a, q, bits=8, zero=128)
    np.testing.assert_array_equal(y, a.astype(np.int64) @ (q.astype(np.int64) - 128).T)
    assert y.dtype == (np.float64 if np.dtype(dtype).kind == "f" else np.int64)


@pytest.mark.parametrize("height", [127, 2**15 - 1, 2**15, 2**24, 2**31, 2**40])
def test_no_accumulator_wraps(height):
    """All activations and weights as large as they get: 16 bits are widened before they overflow."""
    a = np.full((2, 4096), height)
    a[1] = -height
    q = np.full((600, 4096), 3)
    np.testing.assert_array_equal(lut_matmul(a, q, bits=2, zero=0), np.stack([[3 * 4096 * height] * 600, [-3 * 4096 * height] * 600]))  # fmt: skip
    np.testing.assert_array_equal(ternary_matmul(a, np.ones((3, 4096), int))[:, 0], [4096 * height, -4096 * height])  # fmt: skip


def test_planes_looked_up_together_are_the_planes_apart():
    rng = np.random.default_rng(4)
    a = whole(rng, (4, 16))
    for bits in range(1, 9):
        q = rng.integers(0, 2**bits, (600, 16))
        for group in range(1, 9):
            few = np.concatenate(
                [lut_matmul(a, row[None], bits=bits, zero=0, group=group) for row in q[:9]], axis=1
            )
            np.testing.assert_array_equal(lut_matmul(a, q, bits=bits, zero=0, group=group)[:, :9], few)


def test_many_tokens_are_the_tokens_apart():
    rng = np.random.default_rng(5)
    a, q = whole(rng, (150, 24)), rng.integers(0, 8, (10, 24))
    y = lut_matmul(a, q, bits=3, zero=4)
    np.testing.assert_array_equal(y, a @ (q - 4).T)
    rounded = lut_matmul(a, q, bits=3, zero=4, table="int8", table_group=8)
    np.testing.assert_array_equal(
        rounded[70:71], lut_matmul(a[70:71], q, bits=3, zero=4, table="int8", table_group=8)
    )


def test_finer_table_scales_are_nearer():
    rng = np.random.default_rng(6)
    a, q = rng.normal(size=(8, 1024)) * np.exp(rng.normal(size=1024)), rng.integers(0, 4, (64, 1024))
    exact = lut_matmul(a, q, bits=2, zero=2)
    error = [
        np.square(lut_matmul(a, q, bits=2, zero=2, table="int8", table_group=share) - exact).mean()
        for share in (4, 32, 64, 1024)
    ]
    assert error == sorted(error)


def test_averages_err_upward_as_stated():
    rng = np.random.default_rng(7)
    for number in (1, 2, 4, 8, 16):
        entries = rng.integers(-128, 128, (number, 20_000))
        over = tree(entries) - entries.sum(axis=0)
        assert (over >= 0).all()
        assert (over <= 2 * excess(number)).all()
        assert abs(over.mean() - excess(number)) < 0.2


def test_correction_takes_the_bias_off():
    rng = np.random.default_rng(8)
    a, q = rng.normal(size=(20, 512)), rng.integers(0, 16, (200, 512))
    how = {"bits": 4, "zero": 8, "table": "int8", "table_group": 32}
    exact = lut_matmul(a, q, **how)
    off = {name: lut_matmul(a, q, **how, aggregate=name) - exact for name in ("fast", "fast-corrected")}
    assert abs(off["fast-corrected"].mean()) < 0.05 * off["fast"].mean()


def test_sums_take_any_table():
    table = np.arange(24).reshape(2, 3, 4)
    index = np.array([[0, 1, 2], [2, 1, 0]])
    np.testing.assert_array_equal(add_up(table, index), [table[0, i] + table[1, 2 - i] for i in range(3)])
