"""The worked answers of `data/lowbit_oracles.csv` and `data/lowbit_worked_table_1234.csv`, one test a row."""

import re

import numpy as np
import pytest

from waferviz.lowbit import (
    FORMATS,
    Model,
    absmax,
    absmean_int4,
    alphas,
    bitlinear,
    error_bound,
    half_table,
    indices,
    lookup,
    lut_matmul,
    model_energy,
    pack,
    precompute,
    quantized,
    reinterpret,
    remap,
    subset_sums,
    table,
    ternary,
    tile,
)
from waferviz.lowbit.averages import excess, tree
from waferviz.lowbit.bitplanes import odd_zero
from waferviz.lowbit.elementwise import (
    patterns,
    signed,
    ternary_matmul,
    tl1_index,
    tl1_table,
    tl2_table,
    tl2_value,
)
from waferviz.lowbit.energy import constants
from waferviz.lowbit.gather import widths
from waferviz.lowbit.shape import density
from waferviz.lowbit.tables import mirrored
from waferviz.published import rows

A = [1, 2, 3, 4]
Q = [[3, 0, 2, 1]]
SAID = {row["id"]: row["expected"] for row in rows("lowbit_oracles")}
CASES = {}


def numbers(text):
    return [float(found) for found in re.findall(r"(?<![\w.])-?\d+(?:\.\d+)?", text)]


def oracle(name):
    def add(case):
        CASES[name] = case
        return case

    return add


@oracle("O1")
def subset_table(said):
    assert subset_sums(A)[0].tolist() == numbers(said)


@oracle("O2")
def signed_table(said):
    assert table(A)[0].tolist() == numbers(said)[:16]


@oracle("O3")
def halved_table(said):
    sign, address = remap(np.arange(16))
    assert lookup(half_table(A), sign, address).tolist() == table(A)[0].tolist()
    assert numbers(said)[1:3] == [9, int(sign[9] << 3 | address[9])]
    assert lookup(half_table(A), sign[9], address[9]) == 0


@oracle("O4")
def paper_order(said):
    whole = table(A, order="msb")[0]
    assert whole[0b0100] == -1 + 2 - 3 - 4 == -6
    assert whole.tolist() == numbers(said.split("table")[1])


@oracle("O5")
def two_bits(said):
    assert indices(Q, 2).ravel().tolist() == [9, 5]
    whole = table(A)[0]
    assert (whole[9], whole[5]) == (0, -2)
    assert whole[9] + 2 * whole[5] == np.dot(A, reinterpret(Q, 2)[0]) == -4
    assert lut_matmul([A], Q, bits=2, zero=2).item() == np.dot(A, [1, -2, 0, -1]) == -7
    assert "-7" in said


@oracle("O6")
def asymmetric_zero(said):
    assert lut_matmul([A], Q, bits=2, zero=1, scale=0.25).item() == numbers(said)[-1] == 0.75
    assert odd_zero(1, 2) == -1


@oracle("O7")
def alpha_form(said):
    whole, alpha = table(A)[0], alphas(2)
    assert alpha[0] * whole[9] + alpha[1] * whole[5] + 0.5 * whole[0] == numbers(said)[-1] == -7


@oracle("O8")
def rounded_table(said):
    entries, scale = quantized(half_table(A))
    assert mirrored(entries)[0].tolist() == numbers(said)[:16]
    assert scale.item() == 10 / 127
    y = lut_matmul([A], Q, bits=2, zero=2, table="int8").item()
    assert y == pytest.approx(-6.968504, abs=5e-7)
    assert y == pytest.approx((-25 * 10 / 127) + -10 / 2, rel=1e-9)
    bound = error_bound([A], Q, bits=2, zero=2).item()
    assert bound == pytest.approx(0.059055, abs=5e-7)
    assert abs(y + 7) == pytest.approx(0.031496, abs=5e-7)


@oracle("O9")
def rounding_tree(said):
    assert tree(A) == 12
    assert tree(A) - excess(4) == 10
    for number, bias in ((16, 16), (8, 6)):
        entries = np.random.default_rng(number).integers(-128, 128, (number, 20_000))
        assert (tree(entries) - entries.sum(axis=0)).mean() == pytest.approx(bias, abs=0.2)
        assert excess(number) == bias
    assert numbers(said)[0] == 4


@oracle("O10")
def tl1(said):
    assert tl1_table([5, -3])[0].tolist() == numbers(said)[:9]
    assert tl1_index([[1, -1]]).item() == 6
    assert ternary_matmul([[5, -3]], [[1, -1]], packing="tl1").item() == 8


@oracle("O11")
def tl2(said):
    assert tl2_table([5, -3, 7])[0].tolist() == numbers(said)[:14]
    assert tl2_value([[-1, 0, 1]]).item() == -8
    assert signed(tl2_table([5, -3, 7])[0, 8], 1) == 2
    w = patterns(3)
    assert ternary_matmul([[5, -3, 7]], w).tolist() == [(w @ [5, -3, 7]).tolist()]


@oracle("O12")
def sign_trick(said):
    assert signed(5, 0) == 5
    assert signed(5, 1) == -5
    assert 1 ^ (1 + 5) == 7
    assert "wrong" in said


@oracle("O13")
def i2_s_byte(said):
    w = np.zeros((1, 128), int)
    w[0, [0, 32, 96]] = 1, -1, 1
    data = pack(w, FORMATS["i2_s"])
    assert data[0] == 0x86
    assert set(data[1:32]) == {0x55}
    for weight, byte in ((1, 0xAA), (-1, 0x00)):
        assert set(pack(np.full((1, 128), weight), FORMATS["i2_s"])[:32]) == {byte}
    assert re.findall("0x..", said) == ["0x86", "0x55", "0xAA", "0x00"]


@oracle("O14")
def codes_as_multipliers(said):
    rng = np.random.default_rng(0)
    a, w = rng.integers(-128, 128, (20, 128)), rng.integers(-1, 2, (6, 128))
    assert (a @ (w + 1).T - a.sum(axis=1, keepdims=True) == a @ w.T).all()
    assert (lut_matmul(a, w + 1, bits=2, zero=0) - a.sum(axis=1, keepdims=True) == ternary_matmul(a, w)).all()


@oracle("O15")
def bit_linear(said):
    w, x = [[0.3, -0.1], [0.9, -0.7]], [[1, -2]]
    made = ternary(w)
    assert made.scale.item() == 0.5
    assert (made.q - 1).tolist() == [[1, 0], [1, -1]]
    codes, _ = absmax(x)
    assert codes.tolist() == [[64, -127]]
    assert lut_matmul(codes, made.q, bits=2, zero=1).tolist() == [[64, 191]]
    assert bitlinear(x, w)[0] == pytest.approx(numbers(said)[-2:], abs=1e-6)


@oracle("O16")
def four_bit_absmean(said):
    codes, step = absmean_int4([[0.1, -0.2, 0.4, 1.5]])
    assert codes.tolist() == [[0, -1, 2, 7]]
    assert (codes * step)[0] == pytest.approx(numbers(said)[-4:], abs=1e-6)
    assert (step * 7**0.5).item() == pytest.approx(0.55)


@oracle("O17")
def energy_ratio(said):
    price = constants("7nm")
    assert (price["fp16 add"] + price["fp16 mul"]) / price["int8 add"] == pytest.approx(
        numbers(said)[-1], abs=1e-2
    )


@oracle("O18")
def energy_of_2b4t(said):
    parts = model_energy(Model.named("BitNet b1.58 2B4T")).energy.sum("op").values
    assert [*parts, parts.sum()] == pytest.approx(numbers(said)[:4], abs=5e-5)
    assert parts.sum() == pytest.approx(0.028, abs=5e-4)


@oracle("O19")
def geometry(said):
    unit = [
        int(tile(table_bits=8).storage),
        int(tile(table_bits=16).storage),
        int(tile().weights),
        int(tile().lanes),
    ]
    assert unit == [128, 256, 256, 512]
    assert precompute(4096, 12288, 12288).built[0] == numbers(said)[-1] == 3072


@oracle("O20")
def table_1_density(said):
    ours = float(density(2496, 0.373, 108))
    assert ours == pytest.approx(61.96, abs=5e-3)
    assert ours == pytest.approx(numbers(said)[-1], rel=0.003)


@oracle("O21")
def unpu_ablation(said):
    found = np.array([13116.60, 12780.05, 11991.29])
    assert 17271.71 / found == pytest.approx(numbers(said)[-3:], abs=5e-4)
    assert set(found) < {float(row["area_um2"]) for row in rows("lowbit_lutcore_t2_unpu")}


@oracle("O22")
def accumulators(said):
    """What 16 bits hold is what `widths` lets them add: the bound of the released kernels follows from it."""
    entries = np.full((300, 9, 1), 2 * 127)
    narrow, _, run = widths(entries, len(entries), 1)
    assert narrow is np.int16
    assert 2 * run <= 258 < 2 * (run + 1)
    assert 128 * 2 * 2 * 127 == 65024 > np.iinfo(np.int16).max
    assert "258" in said
    assert "65024" in said


def test_every_oracle_has_its_case():
    assert set(CASES) == set(SAID)


@pytest.mark.parametrize("name", CASES, ids=[f"{name}-{case.__name__}" for name, case in CASES.items()])
def test_oracle(name):
    CASES[name](SAID[name])


@pytest.mark.parametrize("row", rows("lowbit_worked_table_1234"), ids=lambda row: row["bits_b3b2b1b0"])
def test_worked_table(row):
    index = int(row["index"])
    assert int(row["bits_b3b2b1b0"], 2) == index
    assert subset_sums(A)[0, index] == int(row["table01"])
    assert table(A)[0, index] == int(row["table_pm1"])
    assert table(A, order="msb")[0, index] == int(row["table_pm1_msb_first"])
    sign, address = remap(index)
    assert (sign, address) == (int(row["sign_bit"]), int(row["half_table_address"]))
    assert mirrored(quantized(half_table(A))[0])[0, index] == int(row["int8_entry_scale_10_over_127"])


@pytest.mark.parametrize("row", rows("lowbit_packing_tl1"), ids=lambda row: row["index_bits"])
def test_tl1_row(row):
    w = [[int(row["w0"]), int(row["w1"])]]
    index = tl1_index(w).item()
    assert index == int(row["index_dec"]) == int(row["index_bits"], 2)
    assert tl1_table([5, -3])[0, index] == int(row["lut_value_for_a_5_m3"])
    assert ternary_matmul([[5, -3]], w, packing="tl1").item() == int(row["lut_value_for_a_5_m3"])


@pytest.mark.parametrize("row", rows("lowbit_packing_tl2"), ids=lambda row: row["signed_code_9w0_3w1_w2"])
def test_tl2_row(row):
    w = [[int(row["w0"]), int(row["w1"]), int(row["w2"])]]
    value = tl2_value(w).item()
    assert value == int(row["signed_code_9w0_3w1_w2"])
    assert (int(value < 0), abs(value)) == (int(row["sign_bit"]), int(row["index_dec"]))
    assert int(row["index_bits"], 2) == abs(value)
    assert tl2_table([5, -3, 7])[0, abs(value)] == int(row["lut_entry_for_a_5_m3_7"])
    assert ternary_matmul([[5, -3, 7]], w).item() == int(row["dot"])


@pytest.mark.parametrize("row", rows("lowbit_table_growth"), ids=lambda row: row["K"])
def test_table_growth(row):
    from waferviz.lowbit.tables import additions

    group = int(row["K"])
    a = np.arange(group)
    assert table(a, group).shape[1] == int(row["full_entries"])
    assert half_table(a, group).shape[1] == int(row["sym_entries"])
    assert additions(group) == int(row["adds_sym_doubling"])
    assert (group - 1) * 2 ** (group - 1) == int(row["adds_sym_naive"])
