"""Every bad input of the low-bit package: one error that names what was given and what would work."""

import subprocess
import sys
from pkgutil import iter_modules

import numpy as np
import pytest

from waferviz import lowbit
from waferviz.lowbit import bitplanes
from waferviz.lowbit.averages import tree
from waferviz.lowbit.operands import Weights
from waferviz.lowbit.tables import groups

A, Q = np.ones((2, 8), int), np.zeros((3, 8), int)
HALF = lowbit.half_table([1, 2, 3, 4])
MODEL = lowbit.Model.named("BitNet b1.58 2B4T")
NAN = np.where(np.arange(16).reshape(2, 8) == 11, np.nan, 1.0)


@pytest.mark.parametrize(
    ("a", "q", "options", "words"),
    [
        (A, Q, {"bits": 0}, "bits=0.*1 to 8"),
        (A, Q, {"bits": 9}, "bits=9.*1 to 8"),
        (A, Q, {"bits": 2.0}, r"bits=2\.0"),
        (A, Q, {"bits": True}, "bits=True"),
        (A, Q, {"group": 0}, "group=0.*1 to 8"),
        (A, Q, {"group": 12}, "4,096 entries, 32,768 bytes.*1 to 8"),
        (A, Q, {"group": 2.5}, r"group=2\.5"),
        (A, Q + 4, {}, r"q\[0, 0\] is 4.*0 to 3"),
        (A, Q - 1, {}, r"q\[0, 0\] is -1.*0 to 3"),
        (A, Q + 0.0, {}, "dtype float64.*integer codes"),
        (A, Q[0], {}, r"q has shape \(8,\)"),
        (A[0], Q, {}, r"a has shape \(8,\)"),
        (A[:, :0], Q, {}, r"a has shape \(2, 0\)"),
        (A[:, :7], Q, {}, r"\(2, 7\).*K=8"),
        (NAN, Q, {}, r"a\[1, 3\] is nan"),
        (NAN * np.inf, Q, {}, "inf|nan"),
        (A.astype(complex), Q, {}, "dtype complex"),
        (A.astype(object), Q, {}, "dtype object"),
        (A, Q, {"zero": [1, 2]}, r"zero has shape \(2,\).*\(3,\)"),
        (A, Q, {"scale": np.ones((3, 2)), "scale_group": 3}, r"\(3, 3\)"),
        (A, Q, {"scale": np.nan}, "scale=nan"),
        (A, Q, {"zero": "1"}, "zero='1'"),
        (A, Q, {"scale_group": 0}, "scale_group=0"),
        (A, Q, {"table": "int4"}, "table='int4'.*'exact', 'int8'"),
        (A, Q, {"aggregate": "slow"}, "aggregate='slow'"),
        (A, Q, {"aggregate": "fast"}, "needs table='int8'"),
        (A, Q, {"bias": "none"}, "bias='none'"),
        (A, Q, {"table_group": 8}, "needs table='int8'"),
        (A, Q, {"table": "int8", "table_group": 6}, "no multiple of group=4; use 8"),
        (A, Q, {"table": "int8", "table_group": 2}, "table_group=2"),
        (A * 2**61, Q, {}, "more than int64 holds"),
        (A * 2**57, Q, {"scale": 2**10}, "more than int64 holds"),
        (A.astype(np.uint64) * 2**63, Q, {}, "more than int64"),
    ],
    ids=str,
)
def test_lut_matmul_says_what_is_wrong(a, q, options, words):
    with pytest.raises(ValueError, match=words):
        lowbit.lut_matmul(a, q, **({"bits": 2, "zero": 2} | options))


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: lowbit.ternary_matmul(A, Q + 2), r"w\[0, 0\] is 2"),
        (lambda: lowbit.ternary_matmul(A, Q + 0.5), "dtype float64.*ternary"),
        (lambda: lowbit.ternary_matmul(A, Q, packing="tl3"), "packing='tl3'.*'tl1'"),
        (lambda: lowbit.ternary_matmul(A * 2**61, Q), "int64"),
        (lambda: lowbit.ternary_matmul(NAN, Q), r"a\[1, 3\]"),
        (lambda: lowbit.ternary(NAN), r"w\[1, 3\] is nan"),
        (lambda: lowbit.absmax(NAN), r"x\[1, 3\] is nan"),
        (lambda: lowbit.absmax(A, bits=1), "bits=1"),
        (lambda: lowbit.groupwise(A, 9), "bits=9"),
        (lambda: lowbit.groupwise(A, 4, scale_group=0), "scale_group=0"),
        (lambda: lowbit.largest_half(A, keep=0), "keep=0"),
        (lambda: lowbit.binary(A.astype(str)), "dtype"),
        (lambda: lowbit.indices(Q, 2, order="first"), "order='first'"),
        (lambda: lowbit.table([1, 2], order="first"), "order='first'"),
        (lambda: lowbit.table(np.ones((1, 2, 3))), "shape"),
        (lambda: groups([], 4), "shape"),
        (lambda: lowbit.lookup_energy(2, read=-1), "read=-1: .*0 or more"),
        (lambda: lowbit.lookup_energy(2, read=np.nan), "read=nan"),
        (lambda: lowbit.lookup_energy([-2]), "bits=-2: .*1 to 8"),
        (lambda: lowbit.lookup_energy(0), "bits=0: .*1 to 8"),
        (lambda: lowbit.lookup_energy(1.5), r"bits=1\.5"),
        (lambda: lowbit.lookup_energy(2, outputs=0), "outputs=0: .*1 or more"),
        (lambda: lowbit.lookup_energy(2, act="int9"), "act='int9': choose one of int8, fp16"),
        (lambda: lowbit.model_energy(MODEL, tokens=-1), "tokens=-1: .*1 or more"),
        (lambda: lowbit.model_bytes(MODEL, bits_per_weight=-1), "bits_per_weight=-1: .*more than 0"),
        (lambda: lowbit.model_bytes(MODEL, float_bits=0), "float_bits=0: .*more than 0"),
        (lambda: lowbit.areas(lowbit.Parts.of(mux=-1)), "mux=-1: an area in µm²"),
        (lambda: lowbit.Parts.of(fan=1), "no part 'fan'; known are add, mul, mux"),
        (lambda: lowbit.areas(bits=[0]), "bits=0: .*1 to 8"),
        (lambda: lowbit.areas(bits=[]), "bits="),
        (lambda: lowbit.unit_area("multiply-add", shared=0), "shared=0"),
        (lambda: lowbit.remap(16), "index=16: .*0 to 15"),
        (lambda: lowbit.remap(-1), "index=-1: .*0 to 15"),
        (lambda: lowbit.remap([3, 8], 3), "index=8: .*0 to 7"),
        (lambda: lowbit.lookup(HALF, 2, 0), "sign=2: .*0 to 1"),
        (lambda: lowbit.lookup(HALF, 0, -1), "address=-1: .*0 to 7"),
        (lambda: lowbit.alphas(0), "bits=0: .*1 to 8"),
        (lambda: lowbit.instruction(weight="int9"), "weight='int9': choose one of int1"),
        (lambda: lowbit.instruction(act="bf16"), "act='bf16': choose one of fp16"),
        (lambda: lowbit.pack(Q[:1, :1], "tl2", scale=np.nan), "scale=nan: .*finite"),
        (lambda: lowbit.pack(Q, "i3"), "format 'i3': choose one of i2_s"),
        (lambda: lowbit.layout("i3", (1, 128)), "format 'i3': choose one of i2_s"),
        (lambda: lowbit.quantized(HALF, share=0), "share=0"),
        (lambda: lowbit.quantized(np.ones((4, 8)), share=3), "share=3: 4 groups.*divisor of 4"),
        (lambda: lowbit.quantized(np.ones((4, 8)), share=5), "share=5: .*1 to 4"),
        (lambda: lowbit.errors(A, Q, bits=2, zero=2, shares=()), r"shares=\(\): give at least one"),
        (lambda: lowbit.tile(weight_bits=-1), "weight_bits=-1: .*1 or more"),
        (lambda: lowbit.tile(act_bits=0), "act_bits=0: .*1 or more"),
        (lambda: lowbit.precompute(4, 4, 4, bits=0), "bits=0: .*1 to 8"),
        (lambda: lowbit.precompute(4, 4, 4, table_bytes=-2), "table_bytes=-2: .*1 or more"),
        (lambda: tree([1, 2, 3]), "not 3"),
        (lambda: bitplanes.length(2000), "choose 1 to 8"),
    ],
    ids=str,
)
def test_the_other_functions(call, words):
    with pytest.raises(ValueError, match=words):
        call()


def test_rows_of_zeros_have_a_defined_result():
    zeros = np.zeros((2, 8))
    assert not lowbit.lut_matmul(zeros, Q + 3, bits=2, zero=2, table="int8").any()
    assert not lowbit.bitlinear(zeros, np.ones((3, 8))).any()
    assert not lowbit.bitlinear(np.ones((2, 8)), np.zeros((3, 8))).any()
    for made in (lowbit.binary(zeros), lowbit.ternary(zeros), lowbit.groupwise(zeros, 4), lowbit.groupwise(zeros, 1, middle=True)):  # fmt: skip
        assert np.isfinite(made.values()).all()
        assert np.abs(made.values()).max() <= 0.5
    for codes, step in (lowbit.absmax(zeros), lowbit.absmean_int4(zeros), lowbit.fp4(zeros), lowbit.largest_half(zeros)):  # fmt: skip
        assert not codes.any()
        assert np.isfinite(step).all()


def test_codes_do_not_wrap():
    assert (lowbit.ternary([[-1.0, 1.0]]).q - 1).tolist() == [[-1, 1]]
    assert Weights.of(Q.astype(np.uint8), bits=1, zero=0.5).q.dtype == np.int16


def test_an_unknown_name_lists_what_there_is():
    with pytest.raises(AttributeError, match="lut_matmul"):
        _ = lowbit.lutmul
    assert set(lowbit.__all__) <= set(dir(lowbit))
    assert all(getattr(lowbit, name).__doc__ for name in lowbit.__all__)


def test_a_format_goes_by_its_name():
    w = np.ones((1, 128), int)
    data = lowbit.pack(w, "i2_s", scale=0.5)
    np.testing.assert_array_equal(lowbit.unpack(data, "i2_s", w.shape), w)
    assert lowbit.scale_in(data, "i2_s") == 0.5
    assert lowbit.layout("i2_s", w.shape).attrs["format"] == "i2_s"


ORDERS = """
import sys
from importlib import import_module
from types import ModuleType

names = import_module("waferviz.lowbit").__all__
for first in names:
    for module in [name for name in sys.modules if f"{name}.".startswith("waferviz.lowbit.")]:
        del sys.modules[module]
    lowbit = import_module("waferviz.lowbit")
    modules = [name for name in (first, *names) if isinstance(getattr(lowbit, name), ModuleType)]
    assert set(modules) == {"language"}, (first, modules)
print(len(names))
"""


def test_names_are_what_they_are_in_whatever_order_they_load():
    """In a fresh interpreter all files load anew for each name: it first, and then all the others."""
    run = subprocess.run([sys.executable, "-c", ORDERS], capture_output=True, text=True, check=False)
    assert (run.stderr, run.stdout.strip()) == ("", str(len(lowbit.__all__)))


def test_no_file_has_the_name_of_a_function():
    files = {found.name for found in iter_modules(lowbit.__path__)}
    assert files & set(lowbit.__all__) == {"language"}
