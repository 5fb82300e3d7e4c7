"""Faults planted on purpose, one at a time, are found by comparing with the product each time."""

import numpy as np
import pytest

from waferviz.lowbit import bitplanes, elementwise, gather, matmul, method, tables
from waferviz.lowbit.bitplanes import remap
from waferviz.lowbit.elementwise import ternary_matmul
from waferviz.lowbit.matmul import lut_matmul
from waferviz.lowbit.tables import half_table, lookup


def agrees(outputs=40, bits=3, group=4, seed=0, **how):
    """Whether every code of every group meets its product; activations are powers, so that no faults cancel."""
    rng = np.random.default_rng(seed)
    a = 3 ** rng.permutation(16)[None] * rng.choice([-1, 1], 16)
    q = rng.integers(0, 2**bits, (outputs * 40, 16))
    return np.array_equal(lut_matmul(a, q, bits=bits, zero=1, group=group, **how), a @ (q - 1).T)


@pytest.mark.parametrize("group", [1, 2, 3, 4, 5])
def test_no_fault_is_found_where_there_is_none(group):
    assert agrees(group=group)


@pytest.mark.parametrize("entry", range(8))
def test_a_wrong_table_entry(monkeypatch, entry):
    def wrong(a, group):
        half = half_table(a, group)
        half[0, entry] += 1
        return half

    monkeypatch.setattr(matmul, "half_table", wrong)
    assert not agrees()


@pytest.mark.parametrize("entry", range(16))
def test_a_wrong_sign_of_an_entry(monkeypatch, entry):
    def wrong(half):
        whole = np.concatenate([half, -half[:, ::-1]], axis=1)
        whole[-1, entry] *= -1
        return whole

    monkeypatch.setattr(matmul, "mirrored", wrong)
    assert not agrees()


def test_a_mirror_that_is_not_turned(monkeypatch):
    monkeypatch.setattr(matmul, "mirrored", lambda half: np.concatenate([half, -half], axis=1))
    assert not agrees()


@pytest.mark.parametrize("plane", range(3))
def test_a_wrong_plane(monkeypatch, plane):
    true = gather.joined

    def wrong(q, first, planes, group):
        return true(q, (first + 1) % 3 if first == plane else first, planes, group)

    monkeypatch.setattr(gather, "CODE_BITS", 4)
    monkeypatch.setattr(gather, "joined", wrong)
    assert not agrees()


@pytest.mark.parametrize("plane", range(3))
def test_a_wrong_plane_weight(monkeypatch, plane):
    """With planes apart a weight is a shift of the sums: one of them is shifted by a place too many."""

    def wrong(entries, index, planes, group):
        found = gather.add_up(entries, index, planes, group).astype(np.int64)
        calls.append(1)
        return found * 2 if len(calls) == plane + 1 else found

    calls = []
    monkeypatch.setattr(gather, "CODE_BITS", 4)
    monkeypatch.setattr(matmul, "add_up", wrong)
    assert not agrees()
    assert len(calls) == 3


def test_a_wrong_plane_weight_where_planes_are_joined(monkeypatch):
    def wrong(entries, planes, group):
        if planes == 1:
            return entries
        return sum(entries[index] for index in bitplanes.spread(planes, group))

    monkeypatch.setattr(gather, "weighed", wrong)
    assert not agrees(bits=2)


@pytest.mark.parametrize("code", range(16))
def test_a_wrong_entry_of_joined_planes(monkeypatch, code):
    true = bitplanes.spread(2, 2)

    def wrong(planes, group):
        found = true.copy()
        found[code % 2, code] ^= 1
        return found

    monkeypatch.setattr(gather, "_spread", wrong)
    assert not agrees(bits=2, group=2)


@pytest.mark.parametrize("off", [-1, 1, 2])
def test_a_wrong_zero_point(monkeypatch, off):
    monkeypatch.setattr(matmul, "odd_zero", lambda zero, bits: bitplanes.odd_zero(zero, bits) + off)
    assert not agrees()


def test_a_wrong_bias(monkeypatch):
    monkeypatch.setattr(method.Method, "sums", lambda self, half, entries, scale: half[:, 0].reshape(self.runs, self.lookups, -1).sum(axis=1))  # fmt: skip
    assert not agrees()


def test_weights_in_the_wrong_order(monkeypatch):
    true = gather.joined
    monkeypatch.setattr(gather, "joined", lambda q, *how: true(q.reshape(len(q), -1, 4)[:, :, ::-1].reshape(q.shape), *how))  # fmt: skip
    assert not agrees()


@pytest.mark.parametrize("index", range(16))
@pytest.mark.parametrize("part", ["sign", "address"])
def test_a_wrong_sign_or_address_of_the_halved_table(index, part):
    sign, address = remap(np.arange(16))
    (sign if part == "sign" else address)[index] ^= 1
    found = lookup(half_table([1, 10, 100, 1000]), sign, address)
    assert not np.array_equal(found, tables.table([1, 10, 100, 1000])[0])


def ternary_agrees(packing):
    w = elementwise.patterns(3)
    a = np.array([[100, 10, 1]])
    return np.array_equal(ternary_matmul(a, w, packing=packing), a @ w.T)


@pytest.mark.parametrize(("packing", "entries"), [("tl1", 9), ("tl2", 14)])
def test_every_entry_of_a_ternary_table_counts(monkeypatch, packing, entries):
    assert ternary_agrees(packing)
    true = getattr(elementwise, f"{packing}_table")
    for entry in range(entries):

        def wrong(a, entry=entry):
            found = true(a)
            found[0, entry] += 1
            return found

        monkeypatch.setattr(elementwise, f"{packing}_table", wrong)
        assert not ternary_agrees(packing), entry


def test_every_sign_of_a_ternary_triple_counts(monkeypatch):
    true = elementwise.tl2_signed
    for entry in [*range(13), *range(14, 27)]:

        def wrong(half, entry=entry):
            found = true(half)
            found[:, entry] *= -1
            return found

        monkeypatch.setattr(elementwise, "tl2_signed", wrong)
        assert not ternary_agrees("tl2"), entry
