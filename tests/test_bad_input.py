"""Every bad input: one clear error that names what was given and what would work."""

from dataclasses import replace

import numpy as np
import pytest
import xarray as xr

from waferviz import (
    ALLREDUCE,
    GEMM,
    Buffer,
    Machine,
    Move,
    Operand,
    Program,
    Repeat,
    Step,
    audit,
    check,
    multiply,
    product,
    run,
    sample,
    table,
    timeline,
    verify,
)
from waferviz.algorithms.rings import compute_shift
from waferviz.inputs import matrix

EYE = np.eye(8)


@pytest.mark.parametrize(
    ("a", "b", "options", "error", "words"),
    [
        (EYE, np.eye(7), {}, ValueError, r"\(8, 8\).*\(7, 7\).*one K"),
        (EYE, np.ones((4, 7)), {"algorithm": "meshgemm_t"}, ValueError, "transpose"),
        (EYE, EYE, {"mesh": 9}, ValueError, "9 x 9.*smaller|9 x 9.*use a mesh"),
        (EYE, EYE, {"mesh": (3, 5)}, ValueError, "15 blocks"),
        (EYE, EYE, {"mesh": 0}, ValueError, "mesh=0.*positive"),
        (EYE, EYE, {"mesh": -2}, ValueError, "mesh=-2.*positive"),
        (EYE, EYE, {"mesh": 2.5}, ValueError, "mesh=2.5.*positive"),
        (EYE, EYE, {"mesh": (2, 2, 2)}, ValueError, "positive side or"),
        (EYE, EYE, {"mesh": True}, ValueError, "mesh=True"),
        (EYE, EYE, {"mesh": "4"}, ValueError, "mesh='4'"),
        (EYE.astype(object), EYE, {}, ValueError, "a has dtype object"),
        (EYE, EYE.astype(complex), {}, ValueError, "b has dtype complex"),
        (EYE, np.eye(8).astype(str), {}, ValueError, "b has dtype"),
        (EYE[0], EYE, {}, ValueError, r"a has shape \(8,\)"),
        (EYE, np.empty((8, 0)), {}, ValueError, "b has shape"),
        (EYE, EYE, {"algorithm": "meshgem"}, KeyError, "nearest is 'meshgemm'; known are"),
        (EYE, EYE, {"tier": "fast"}, ValueError, "tier='fast'"),
        (EYE, EYE, {"mesh": 4, "budget": 100}, MemoryError, "budget.*would fit"),
        (EYE, EYE, {"mesh": 4, "budget": 100, "tier": "interpreter"}, MemoryError, "budget.*would fit"),
        (EYE.astype(int) * 2**40, EYE.astype(int) * 2**40, {}, ValueError, "int64"),
        (EYE, EYE, {"algorithm": lambda mesh: None}, ValueError, "NoneType.*Program"),
    ],
    ids=str,
)
def test_multiply_says_what_is_wrong(a, b, options, error, words):
    with pytest.raises(error, match=words):
        multiply(a, b, **options)


def test_files(tmp_path):
    with pytest.raises(FileNotFoundError, match="give the path"):
        matrix(tmp_path / "none.npy")
    for name, content in (("a.npy", b"rubbish"), ("a.npz", b"rubbish"), ("a.csv", b"a,b\nc,d\n"), ("a.png", b"x"), ("e.npy", b""), ("e.csv", b"")):  # fmt: skip
        (tmp_path / name).write_bytes(content)
        with pytest.raises(ValueError, match=name):
            matrix(tmp_path / name)
    (tmp_path / "a.txt").write_text("1")
    with pytest.raises(ValueError, match=r"files of type '\.txt'"):
        matrix(tmp_path / "a.txt")
    np.save(tmp_path / "object.npy", np.array([[None]]), allow_pickle=True)
    with pytest.raises(ValueError, match=r"object\.npy"):
        matrix(tmp_path / "object.npy")
    np.savez(tmp_path / "flat.npz", one=np.arange(3))
    with pytest.raises(ValueError, match="none of them a matrix"):
        matrix(tmp_path / "flat.npz")


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("a.csv", "1;2\n3;4\n", "separated by ';'; separate them by ',' and write decimals with a point"),
        ("a.csv", "x;y\n1,5;2\n3;4\n", "separated by ';'"),
        ("a.csv", "1\t2\n3\t4\n", "separated by tabs"),
        ("a.csv", '"1,5","2,5"\n"3,5","4,5"\n', "'4,5' is not a number; write decimals with a point"),
        ("a.csv", "a,b\n", "a header and no rows"),
        ("a.npy", "rubbish", "does not begin like one; write it with numpy.save"),
        ("a.npz", "PK rubbish", "write it with numpy.savez"),
        ("a.png", "rubbish", "Pillow finds no picture in it"),
        ("a.pdf", "%PDF", r"files of type '\.pdf' cannot be read; use one of \.npy"),
        ("a.tsv", "1", r"nearest is \.csv"),
    ],
)
def test_a_file_says_what_is_wrong_with_it_and_not_where_it_lies(tmp_path, name, content, words):
    (tmp_path / name).write_text(content)
    with pytest.raises(ValueError, match=words) as error:
        matrix(tmp_path / name)
    assert str(tmp_path) not in str(error.value)
    assert "pickle" not in str(error.value)


def test_objects_masks_and_ragged_rows(tmp_path):
    for save, file in ((np.save, "object.npy"), (np.savez, "object.npz")):
        save(tmp_path / file, np.array([[None]]), allow_pickle=True)
        with pytest.raises(ValueError, match="it holds Python objects; save numbers"):
            matrix(tmp_path / file)
    with pytest.raises(ValueError, match=r"a hides 1 of 64 entries.*a\.filled\(0\)"):
        multiply(np.ma.array(EYE, mask=EYE * np.arange(8) == 7), EYE)
    with pytest.raises(ValueError, match=r"b is no matrix.*rows of one length"):
        multiply(EYE, [[1, 2], [3]])


def test_sample_and_machine():
    with pytest.raises(
        FileNotFoundError, match=r"no table 'waferllm'; nearest are waferllm_\w+, .*; `waferviz list tables`"
    ) as error:
        table("waferllm")
    assert ".md" not in str(error.value)
    with pytest.raises(ValueError, match="nearest is 'integers'"):
        sample("integer")
    with pytest.raises(ValueError, match="no machine 'wse9'"):
        Machine.preset("wse9")
    with pytest.raises(ValueError, match="hop=-1"):
        Machine.preset("teaching", hop=-1)
    with pytest.raises(KeyError, match="known are"):
        _ = GEMM["zzz"]


def program(*moves, **buffers):
    y, x = np.arange(3)[:, None], np.arange(3)
    tile = Buffer(("m", "k"))
    return Program(
        name="mine", shape=(3, 3), body=(Repeat((Step("go", moves),), 2),),
        buffers={"A": tile, "B": Buffer(("k", "n")), "R": tile, "C": Buffer(("m", "n")), **buffers},
        operands={name: Operand(y, x, (3, 3)) for name in "AB"},
    )  # fmt: skip


MOVE = {"read": "A", "write": "R", "axis": "x"}
SHIFT = np.array([1, 2, 0])


@pytest.mark.parametrize(
    ("moves", "words"),
    [
        ([MOVE | {"source": np.array([1, 2, 3])}], "points to core 3.*outside 0..2"),
        ([MOVE | {"source": np.array([1, 2, -2])}], "points to core -2"),
        ([MOVE | {"source": np.array([1, 2])}], "2 columns, the mesh 3"),
        ([MOVE | {"source": SHIFT, "write": "Z"}], "no buffer 'Z'"),
        ([MOVE | {"source": SHIFT, "only": np.ones(2, bool)}], "only"),
        ([MOVE | {"source": SHIFT, "slot": 1}], "places 0..0"),
        ([MOVE | {"source": SHIFT}, MOVE | {"source": SHIFT, "read": "A", "axis": "y"}], "same|two"),
        ([MOVE | {"source": SHIFT, "axis": "z"}], "axis='z'; choose 'x'"),
        ([MOVE | {"source": SHIFT / 2}], r"is float64 of shape \(1, 1, 3\); give integers"),
        ([MOVE | {"source": np.int64(1)}], r"int64 of shape \(1,\)"),
        (
            [MOVE | {"source": SHIFT, "write": "A"}],
            r"arrives in A of core \(0,0\) while the one there is sent; .*double=True",
        ),
    ],
    ids=str,
)
def test_a_program_that_cannot_run_is_refused(moves, words):
    with pytest.raises(ValueError, match=words):
        program(*(Move(**move) for move in moves))


def cannon(mesh, *, times=None, double=True, **changes):
    """Cannon by hand, with a mistake."""
    right = GEMM["cannon"](mesh, align="")
    bare = {name: replace(buffer, double=double) for name, buffer in right.buffers.items()}
    body = (replace(right.body[-1], times=mesh if times is None else times),)
    return replace(right, **{"buffers": bare, "body": body} | changes)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"double": False}, r"arrives in A of core \(0,0\) while the one there is multiplied; give it a second copy"),
        ({"times": -1}, "times=-1; give a whole number, 0 or more"),
        ({"times": 2.5}, "times=2.5; give a whole number"),
        ({"result": "D"}, "result 'D' is no buffer; the buffers are"),
        ({"operands": {}}, "no operand 'A'; say with an Operand"),
        ({"buffers": {"A": Buffer(("k", "m"), double=True), "B": Buffer(("k", "n"), double=True), "C": Buffer(("m", "n"))}}, r"buffer A has dims \('k', 'm'\); A is cut into tiles of \('m', 'k'\)"),
        ({"buffers": {"A": Buffer(("m", "k"), double=True), "B": Buffer(("n", "k"), double=True), "C": Buffer(("m", "n"))}}, r"B is cut into tiles of \('k', 'n'\)"),
        ({"transposed": True}, r"B is cut into tiles of \('n', 'k'\)"),
        ({"shape": 4}, r"shape=4; give \(rows, columns\)"),
        ({"shape": (4, 0)}, r"shape=\(4, 0\); give"),
        ({"body": Step("go")}, r"body is one Step; give a tuple of Step and Repeat, with its comma: \(one,\)"),
        ({"body": (Move(**MOVE, source=SHIFT),)}, "body holds a Move; give a tuple of Step and Repeat"),
        ({"body": (Step("go", Move(**MOVE, source=SHIFT)),)}, "'go': moves is one Move; give a tuple of Move"),
        ({"body": (Repeat(Step("go"), 2),)}, "steps of a Repeat is one Step"),
        ({"operands": {"A": Operand(np.zeros((4, 1)), np.arange(4), (4, 4)), "B": Operand(np.arange(4)[:, None], np.arange(4), (4, 4))}}, r"block row of operand A is float64 of shape \(4, 1\)"),
        ({"operands": {"A": Operand(np.arange(3)[:, None], np.arange(4), (4, 4)), "B": Operand(np.arange(4)[:, None], np.arange(4), (4, 4))}}, r"operand A is int64 of shape \(3, 1\).*4 x 4 cores"),
        ({"operands": {"A": Operand(np.arange(4)[:, None], np.arange(4), (4, 4)), "B": Operand(np.arange(4)[:, None], np.arange(1, 5), (4, 4))}}, r"B asks for block columns 1 to 4; with blocks=\(4, 4\) they are 0 to 3"),
        ({"result": "A"}, r"A is cut into tiles of \('m', 'n'\)"),
    ],
    ids=str,
)  # fmt: skip
def test_a_program_with_a_mistake_is_refused(changes, words):
    with pytest.raises(ValueError, match=words):
        cannon(4, **changes)


def test_one_copy_is_enough_where_nothing_is_overwritten():
    assert len(cannon(1, double=False)) == 1
    from_first = {"read": "A", "write": "A", "axis": "x", "source": np.zeros(3, int)}
    assert len(program(Move(**from_first))) == 2


def test_a_move_has_one_direction():
    with pytest.raises(ValueError, match="either source or target"):
        Move(**MOVE)
    with pytest.raises(ValueError, match="combine"):
        Move(**MOVE, target=SHIFT)


def test_unequal_operands_of_run():
    with pytest.raises(ValueError, match="one K"):
        run(GEMM["meshgemm"](2), {"A": np.eye(4), "B": np.eye(5)})


def square(mesh):
    """A builder that knows square meshes alone."""
    return compute_shift("square", mesh, np.arange(mesh))


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"algorithm": GEMM["cannon"](8), "mesh": 4}, "mesh=4: the program Cannon is built for 8 x 8 cores; leave mesh out"),
        ({"algorithm": GEMM["cannon"]((2, 4)), "mesh": (4, 2)}, r"mesh=\(4, 2\): .* built for 2 x 4"),
        ({"algorithm": None}, "algorithm=None: give a name such as 'meshgemm'"),
        ({"algorithm": square, "mesh": (2, 4)}, r"'square' fails for mesh=\(2, 4\) \(TypeError.*sides\(mesh\) gives both"),
        ({"algorithm": lambda: None}, "fails for mesh=8.*called with the mesh and returns a Program"),
        ({"algorithm": ALLREDUCE["ring"](8)}, "algorithm=ring multiplies no matrices"),
        ({"mesh": "4x6"}, r"mesh='4x6': give a positive side or \(rows, columns\)"),
        ({"mesh": 100_000}, "mesh=100000 x 100000 cuts M=8 into 100000 blocks, more than it has entries"),
        ({"mesh": (99_999, 100_000)}, "cuts M=8 into 9999900000 blocks"),
        ({"mesh": 100_000, "algorithm": square}, "more cores than the product has multiply-adds"),
        ({"machine": "wse9"}, "no machine 'wse9'; known are teaching"),
        ({"machine": 3}, "machine=3: give a Machine, or the name of one such as 'wse2'"),
    ],
    ids=str,
)  # fmt: skip
def test_multiply_refuses_before_it_builds(options, words):
    with pytest.raises(ValueError, match=words):
        multiply(EYE, EYE, **options)


def test_a_program_brings_its_own_mesh():
    for options in ({}, {"mesh": (2, 4)}):
        trace = multiply(EYE, EYE, algorithm=GEMM["cannon"]((2, 4)), machine="wse2", **options)
        assert (trace.attrs["mesh"], trace.attrs["machine"]) == ("2 x 4", "wse2")


def test_machines_go_by_name_everywhere():
    program, wse2 = GEMM["cannon"](4), Machine.preset("wse2")
    for verb in (audit, check, timeline):
        assert verb(program, "wse2").identical(verb(program, wse2))
    assert run(program, machine="wse2").attrs["machine"] == "wse2"


@pytest.mark.parametrize("verb", [audit, run, check, timeline], ids=lambda verb: verb.__name__)
def test_a_name_is_no_program(verb):
    with pytest.raises(ValueError, match=r"cannon|str without.*Program"):
        verb("cannon", machine="wse2")


@pytest.mark.parametrize("verb", [verify, product], ids=lambda verb: verb.__name__)
@pytest.mark.parametrize("given", [EYE, None, xr.Dataset()], ids=lambda given: type(given).__name__)
def test_an_array_is_no_trace(verb, given):
    with pytest.raises(
        ValueError, match=rf"{verb.__name__}\(\).*{type(given).__name__}.*give .*trace.*multiply"
    ):
        verb(given)


@pytest.mark.parametrize(
    ("operands", "words"),
    [
        ((EYE, EYE), r"Cannon takes \{'A': \.\.\., 'B': \.\.\.\}, found tuple"),
        ({"A": EYE}, r"found keys \['A'\]"),
        ({"A": EYE, "B": EYE, "C": EYE}, r"found keys \['A', 'B', 'C'\]"),
        ({"A": EYE[0], "B": EYE}, r"a has shape \(8,\)"),
        ({"A": EYE, "B": EYE.astype(str)}, "b has dtype"),
    ],
    ids=str,
)
def test_operands_have_names(operands, words):
    with pytest.raises(ValueError, match=words):
        run(GEMM["cannon"](4), operands)


def test_operands_may_be_lists():
    trace = run(GEMM["cannon"](2), {"A": [[1, 2], [3, 4]], "B": [[1, 0], [0, 1]]})
    assert product(trace).tolist() == [[1, 2], [3, 4]]


@pytest.mark.parametrize("matrices", [8, (8, 8), (8, 8, 8.5), "888"], ids=str)
def test_sizes_are_three(matrices):
    with pytest.raises(ValueError, match=r"Cannon takes \(M, K, N\), whole numbers"):
        audit(GEMM["cannon"](4), matrices=matrices)
    with pytest.raises(ValueError, match=r"ring takes \(n,\), whole numbers"):
        audit(ALLREDUCE["ring"](4), matrices=matrices)


def test_samples_have_a_side():
    for size in (0, -1, 2.5, "8"):
        with pytest.raises(ValueError, match="give the side of the matrix"):
            sample("ramp", size)
