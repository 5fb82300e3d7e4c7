"""Quantizers against the published equations, and the freedom of re-interpretation."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from waferviz.lowbit import (
    absmax,
    absmean_int4,
    alphas,
    binary,
    bitlinear,
    fp4,
    groupwise,
    indices,
    largest_half,
    nmse,
    planes,
    reinterpret,
    remap,
    ternary,
)
from waferviz.lowbit.activations import squared_relu
from waferviz.lowbit.bitplanes import odd_zero
from waferviz.lowbit.tables import mirrored, subset_sums, table


@pytest.mark.parametrize("bits", range(1, 9))
def test_planes_and_reinterpretation(bits):
    q = np.arange(2**bits)[None]
    bit = planes(q, bits).astype(int)
    weight = 2 ** np.arange(bits)[:, None, None]
    assert (q == (weight * bit).sum(axis=0)).all()
    odd = reinterpret(q, bits)
    assert (odd == (weight * (2 * bit - 1)).sum(axis=0)).all()
    assert (odd == -odd[:, ::-1]).all()
    assert (odd % 2 == 1).all()
    for zero in (0, 0.5, 2 ** (bits - 1), 3):
        assert (q - zero == 0.5 * (odd - odd_zero(zero, bits))).all()
    usual = np.tensordot(alphas(bits), 2 * bit - 1, 1) - 0.5
    assert (usual == q - 2 ** (bits - 1)).all()
    assert alphas(bits).sum() == (2**bits - 1) / 2


@given(st.integers(1, 8), st.integers(1, 8), st.integers(1, 30), st.integers(0, 99))
@settings(deadline=None)
def test_indices_name_the_bits(bits, group, length, seed):
    q = np.random.default_rng(seed).integers(0, 2**bits, (3, length))
    bit = np.pad(planes(q, bits), ((0, 0), (0, 0), (0, -length % group)))
    for order, power in (("lsb", np.arange(group)), ("msb", np.arange(group)[::-1])):
        expected = (bit.reshape(bits, 3, -1, group).astype(int) << power).sum(axis=3)
        assert (indices(q, bits, group, order) == expected).all()


@pytest.mark.parametrize("group", range(1, 9))
def test_tables_are_odd_to_the_last_bit(group):
    a = np.random.default_rng(group).normal(size=group).astype(np.float16)
    whole = table(a, group)[0]
    assert len(whole) == 2**group
    assert (whole == -whole[::-1]).all()
    signs = 2 * (np.arange(2**group)[:, None] >> np.arange(group) & 1) - 1
    np.testing.assert_allclose(whole, signs @ a.astype(float), atol=1e-12)
    np.testing.assert_allclose(2 * subset_sums(a, group)[0] - a.astype(float).sum(), whole, atol=1e-12)
    turned = [sum((i >> b & 1) << group - 1 - b for b in range(group)) for i in range(2**group)]
    assert (table(a, group, "msb")[0] == whole[turned]).all()


@pytest.mark.parametrize("group", range(1, 9))
def test_remap_addresses_the_halved_table(group):
    index = np.arange(2**group)
    sign, address = remap(index, group)
    half = np.arange(100, 100 + 2 ** (group - 1))[None]
    assert (mirrored(half)[0] == np.where(sign == 1, -1, 1) * half[0][address]).all()


def test_binary_is_bitnet():
    w = np.random.default_rng(0).normal(size=(4, 9))
    made = binary(w)
    np.testing.assert_allclose(made.values(), np.where(w >= w.mean(), 1, -1) * np.abs(w).mean())
    assert made.bits_per_weight() == 1 + 16 * 2 / 36 - 16 / 36


@pytest.mark.parametrize("size", [1e-9, 1.0, 1e9])
def test_ternary_is_b158(size):
    w = np.random.default_rng(0).normal(size=(40, 90)) * size
    made = ternary(w)
    gamma = max(np.abs(w).mean(), 1e-5)
    assert (made.q - 1 == np.clip(np.round(w / gamma), -1, 1)).all()
    assert made.scale.item() == gamma
    if size == 1:
        assert 0.25 < (made.q == 1).mean() < 0.4


@pytest.mark.parametrize("bits", [1, 2, 3, 4, 8])
@pytest.mark.parametrize("middle", [False, True])
def test_groupwise_is_within_a_step(bits, middle):
    w = np.random.default_rng(bits).normal(size=(6, 100)) + 0.5
    made = groupwise(w, bits, scale_group=32, middle=middle)
    owner = np.arange(100) // 32
    step = made.scale[:, owner]
    assert (np.abs(made.values() - w) <= step * (0.5 if middle else 1) + 1e-12).all()
    assert made.scale.shape == (6, 4)
    assert made.bits_per_weight(zero_bits=bits) == pytest.approx(bits + (16 + bits) * 24 / 600)
    assert groupwise(np.full((2, 8), 5.0), bits).values() == pytest.approx(5.0)


def test_finer_groups_and_more_bits_lose_less():
    w = np.random.default_rng(1).normal(size=(64, 512))
    by_bits = [nmse(groupwise(w, bits).values(), w) for bits in (1, 2, 3, 4, 8)]
    by_group = [nmse(groupwise(w, 3, scale_group=span).values(), w) for span in (512, 128, 32)]
    assert by_bits == sorted(by_bits, reverse=True)
    assert by_group == sorted(by_group, reverse=True)
    assert nmse(w, w) == nmse([0], [0]) == 0
    assert nmse([1], [0]) == np.inf


def test_absmax_and_its_sparse_sister():
    x = np.random.default_rng(2).normal(size=(5, 64)) * [[1], [1e-3], [50], [1e4], [1]]
    codes, scale = absmax(x)
    assert (np.abs(codes).max(axis=1) == 127).all()
    assert (np.abs(codes / scale - x) <= 0.5 / scale + 1e-12).all()
    sparse, _ = largest_half(x)
    assert ((sparse != 0).sum(axis=1) <= 32).all()
    assert ((sparse == 0) | (sparse == codes)).all()
    assert (np.abs(codes[sparse == 0]).reshape(5, -1).max(axis=1) <= np.abs(np.where(sparse == 0, 127, sparse)).min(axis=1)).all()  # fmt: skip


def test_four_bit_activations():
    x = np.random.default_rng(3).normal(size=(5, 64))
    codes, step = absmean_int4(x)
    assert codes.min() >= -8
    assert codes.max() <= 7
    inside = (codes > -8) & (codes < 7)
    assert (np.abs(codes * step - x) <= step * 0.51)[inside].all()
    values, unit = fp4(x)
    assert set(np.abs(values).ravel()) <= {0, 0.5, 1, 1.5, 2, 3, 4, 6}
    assert (np.abs(values * unit - x) <= np.maximum(0.25, np.abs(values) / 4) * unit + 1e-12).all()
    assert (np.sign(values) * np.sign(x) >= 0).all()
    assert squared_relu([[-1, 300]]).tolist() == [[0, 90000]]


def test_bitlinear_is_its_three_factors():
    rng = np.random.default_rng(4)
    x, w = rng.normal(size=(3, 256)), ternary(rng.normal(size=(16, 256)))
    codes, scale = absmax(x)
    expected = (codes @ (ternary(w.values()).q - 1).T) * ternary(w.values()).scale / scale
    np.testing.assert_allclose(bitlinear(x, w.values()), expected, rtol=1e-15)
