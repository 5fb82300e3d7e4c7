"""Packed bytes: round trips, bytes worked by hand, the published formats, and every bit with exactly one meaning."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from waferviz.lowbit import FORMATS, layout, pack, scale_in, tmac, unpack
from waferviz.lowbit.elementwise import patterns
from waferviz.lowbit.packing.tmac import interleaved, plane_rows
from waferviz.published import rows

NAMES = list(FORMATS)
UNIT = {
    "i2_s": (1, 128), "i2_s_neon": (1, 64), "i2_s_rows": (4, 1), "tl1": (1, 4), "tl2": (1, 4), "w2a8": (1, 16),
    "nibbles": (1, 2), "interleaved": (1, 32), "tmac_1": (256, 64), "tmac_2": (128, 64), "tmac_4": (64, 64),
}  # fmt: skip


def weights(name, shape, seed=0):
    known = FORMATS[name]
    return np.random.default_rng(seed).integers(known.low, known.high + 1, shape)


@pytest.mark.parametrize("name", NAMES)
@given(high=st.integers(1, 3), wide=st.integers(1, 30), seed=st.integers(0, 999))
@settings(deadline=None, max_examples=15)
def test_round_trip(name, high, wide, seed):
    shape = UNIT[name][0] * high, UNIT[name][1] * (wide if UNIT[name][1] < 64 else wide % 3 + 1)
    w = weights(name, shape, seed)
    data = pack(w, FORMATS[name])
    assert data.dtype == np.uint8
    np.testing.assert_array_equal(unpack(data, FORMATS[name], shape), w)


@pytest.mark.parametrize("name", NAMES)
def test_every_bit_has_one_meaning(name):
    """No two fields share a bit; a flipped bit changes no weight but the owners of its field."""
    shape = UNIT[name][0], max(UNIT[name][1], 100 // UNIT[name][1] * UNIT[name][1])
    known = FORMATS[name]
    fields = layout(known, shape)
    low = 8 * fields.byte.values + fields["shift"].values
    bits = np.concatenate([low + at for at in range(4)])[
        np.concatenate([fields.width.values > at for at in range(4)])
    ]
    assert len(np.unique(bits)) == len(bits) == 8 * known.field_bytes(shape)
    assert (fields["shift"] + fields.width <= 8).all()
    w = weights(name, shape)
    data = pack(w, known)
    rng = np.random.default_rng(1)
    for at in rng.choice(fields.sizes["field"], 40):
        turned = data.copy()
        turned[fields.byte.values[at]] ^= 1 << fields["shift"].values[at]
        try:
            found = unpack(turned, known, shape)
        except ValueError:
            continue
        changed = set(np.flatnonzero((found != w).ravel()))
        assert changed <= set(fields.weight.values[at])


@pytest.mark.parametrize("name", NAMES)
def test_every_weight_has_a_place(name):
    shape = UNIT[name][0], UNIT[name][1] * 4
    owned = layout(FORMATS[name], shape).weight.values
    assert set(owned.ravel()) - {-1} == set(range(shape[0] * shape[1]))


def test_i2_s_bytes_worked_by_hand():
    w = np.zeros((1, 128), int)
    assert (pack(w, FORMATS["i2_s"])[:32] == 0x55).all()
    w[0, [0, 32, 96]] = 1, -1, 1
    data = pack(w, FORMATS["i2_s"], scale=0.75)
    assert data[0] == 0x86
    assert (data[1:32] == 0x55).all()
    assert scale_in(data, FORMATS["i2_s"]) == 0.75
    assert len(data) == 64
    assert (pack(w * 0 + 1, FORMATS["i2_s"])[:32] == 0xAA).all()
    assert (pack(w * 0 - 1, FORMATS["i2_s"])[:32] == 0x00).all()
    w = np.zeros((1, 64), int)
    w[0, [0, 16, 48]] = 1, -1, 1
    assert pack(w, FORMATS["i2_s_neon"])[0] == 0x86
    w = np.zeros((4, 2), int)
    w[[0, 1, 3], 0] = 1, -1, 1
    assert pack(w, FORMATS["i2_s_rows"])[:2].tolist() == [0x86, 0x55]


@pytest.mark.parametrize(("name", "block"), [("i2_s", 128), ("i2_s_neon", 64)])
def test_i2_s_against_a_loop(name, block):
    w = weights(name, (3, 256))
    data, flat = pack(w, FORMATS[name]), w.ravel() + 1
    for byte in range(len(data) - 32):
        start, p = byte // (block // 4) * block, byte % (block // 4)
        four = flat[start + p : start + block : block // 4]
        assert data[byte] == four[0] << 6 | four[1] << 4 | four[2] << 2 | four[3]


def test_the_other_layout_decodes_to_garbage():
    """The same name, two layouts: microsoft/BitNet issues 585 and 600."""
    w = weights("i2_s", (8, 256))
    wrong = unpack(pack(w, FORMATS["i2_s"]), FORMATS["i2_s_neon"], (8, 256))
    assert sorted(wrong.ravel()) == sorted(w.ravel())
    assert 0.2 < (wrong == w).mean() < 0.7


def test_tl1_and_tl2_bytes_worked_by_hand():
    data = pack([[1, -1, 0, 1]], FORMATS["tl1"])
    assert data.tolist() == [6 << 4 | 5]
    w = np.zeros((1, 96), int)
    w[0, :6] = -1, 0, 1, 1, 1, 1
    data = pack(w, FORMATS["tl2"])
    assert len(data) == 20
    assert data[0] == 8 << 4 | 13
    assert not data[1:16].any()
    assert data[16:].tolist() == [1, 0, 0, 0]


def test_all_patterns_of_tl2():
    w = patterns(3)[np.r_[:27, :5]].reshape(1, 96)
    np.testing.assert_array_equal(unpack(pack(w, FORMATS["tl2"]), FORMATS["tl2"], (1, 96)), w)


def test_tl2_leaves_the_rest_to_tl1():
    w = weights("tl2", (2, 200))
    data = pack(w, FORMATS["tl2"])
    np.testing.assert_array_equal(data[2 * 40 :], pack(w[:, 192:], FORMATS["tl1"]))


def steps(q, bits, tile, kfactor):
    """T-MAC's weights.py in its own five steps."""
    outputs, length = q.shape
    plane = np.stack([(q >> i) & 1 for i in range(bits)], axis=-1).transpose(0, 2, 1)
    nibble = sum(plane.reshape(outputs, bits, length // 4, 4)[..., j] << j for j in range(4))
    grouped = nibble.reshape(outputs // 8, 8, bits, length // 4).transpose(0, 2, 1, 3)
    row = grouped.reshape(outputs * bits, length // 4)
    block = row.reshape(-1, 2, 16, length // 4)
    byte = block[:, 0] | block[:, 1] << 4
    tiles = byte.reshape(outputs * bits // tile, tile // 32, 16, length // 4 // kfactor, kfactor)
    return tiles.transpose(0, 3, 1, 4, 2).ravel().astype(np.uint8)


@pytest.mark.parametrize(
    ("bits", "tile", "kfactor"),
    [(1, 256, 16), (2, 256, 16), (2, 128, 8), (4, 64, 16), (3, 192, 8), (3, 384, 16), (2, 320, 8)],
)
def test_tmac_is_its_published_steps(bits, tile, kfactor):
    shape = tile // bits * 2, 4 * kfactor * 3
    q = np.random.default_rng(0).integers(0, 2**bits, shape)
    form = tmac(bits, tile, kfactor)
    data = pack(q, form)
    np.testing.assert_array_equal(data, steps(q, bits, tile, kfactor))
    np.testing.assert_array_equal(unpack(data, form, shape), q)


def test_two_bits_put_eight_outputs_low_and_the_next_eight_high():
    block, byte, nibble = interleaved(plane_rows(16, 2))
    assert (block == 0).all()
    assert (nibble[:, :8] == 0).all()
    assert (nibble[:, 8:] == 1).all()
    assert byte[:, :8].tolist() == [list(range(8)), list(range(8, 16))]


PUBLISHED = {
    "I2_S (x86)": "i2_s", "I2_S (NEON build)": "i2_s_neon", "I2_S (x86, non activation-parallel build)": "i2_s_rows",
    "TL1": "tl1", "TL2": "tl2", "T-MAC bit plane": "tmac_2", "BitNet GPU W2A8": "w2a8",
}  # fmt: skip


@pytest.mark.parametrize("row", rows("lowbit_packing_formats"), ids=lambda row: row["format"])
def test_bits_per_weight_are_the_published_ones(row):
    if row["format"].startswith("TQ"):
        assert row["format"] not in PUBLISHED
        return
    known = FORMATS[PUBLISHED[row["format"]]]
    text = row["bits_per_weight"]
    bits = 2 if text == "b" else 5 / 3 if text.startswith("5/3") else float(text.split()[0])
    shape = (UNIT[known.name][0] * 4, 960)
    assert known.bits_per_weight(shape) - 8 * known.tail / (shape[0] * shape[1]) == pytest.approx(bits)
    assert (known.tail == 32) == known.name.startswith("i2_s")


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: pack(np.ones((1, 100), int), FORMATS["i2_s"]), "K=100 is no multiple of 128.*fill up.*128"),
        (lambda: pack(np.ones((3, 4), int), FORMATS["i2_s_rows"]), "outputs=3.*of 4"),
        (lambda: pack(np.ones((1, 6), int), FORMATS["tl2"]), "K=6.*of 4"),
        (lambda: pack(np.full((1, 128), 2), FORMATS["i2_s"]), r"w\[0, 0\] is 2.*-1 to 1"),
        (lambda: pack(np.ones((1, 128)), FORMATS["i2_s"]), "dtype float64"),
        (lambda: pack(np.ones((1, 64), int), FORMATS["tmac_2"]), "outputs=1.*of 128.*tile=256"),
        (lambda: pack(np.ones((128, 4), int), FORMATS["tmac_2"]), "K=4.*of 64.*kfactor=16"),
        (lambda: tmac(3, 256), "tile=256.*3 bits use a multiple of 96"),
        (lambda: tmac(9), "bits=9"),
        (lambda: unpack(np.zeros(63, np.uint8), FORMATS["i2_s"], (1, 128)), r"\(63,\).*64 bytes"),
        (lambda: unpack(np.zeros(64), FORMATS["i2_s"], (1, 128)), "float64"),
        (lambda: unpack(np.full(64, 255, np.uint8), FORMATS["i2_s"], (1, 128)), "another layout"),
        (lambda: unpack(np.full(2, 0x99, np.uint8), FORMATS["tl1"], (1, 8)), "another layout"),
        (lambda: unpack(np.full(20, 0xEE, np.uint8), FORMATS["tl2"], (1, 96)), "another layout"),
        (lambda: scale_in(np.zeros(4, np.uint8), FORMATS["tl1"]), "no scale"),
    ],
)
def test_bad_input(call, words):
    with pytest.raises(ValueError, match=words):
        call()
