"""Programs broken on purpose are caught, at the first wrong step and core."""

from dataclasses import replace

import numpy as np
import pytest

from waferviz import proof as proof_module
from waferviz.algorithms import GEMM
from waferviz.algorithms.rings import compute_shift
from waferviz.orders import interleaved, natural, source
from waferviz.program import Move, Repeat, Step, Work
from waferviz.proof import prove
from waferviz.trace import product, run
from waferviz.verify import verify


def changed(program, part, **moves_or_work):
    """The program with the single step of one repeat replaced."""
    body = list(program.body)
    body[part] = Repeat((replace(body[part].steps[0], **moves_or_work),), body[part].times)
    return replace(program, body=tuple(body))


def caught(program):
    side = program.blocks["k"]
    rng = np.random.default_rng(3)
    a, b = (rng.integers(1, 9, (side, side)) for _ in "AB")
    verdict = verify(run(program, {"A": a, "B": b}))
    proof = prove(program)
    assert not proof
    assert not verdict
    assert (verdict.step, verdict.core) == (proof.step, proof.core)
    assert str(verdict).startswith("wrong")
    return proof


@pytest.mark.parametrize("name", ["cannon", "meshgemm"])
@pytest.mark.parametrize("side", [3, 5, 6])
def test_skipped_alignment(name, side):
    program = GEMM[name](side)
    proof = caught(replace(program, body=program.body[1:]))
    assert proof.step == 1
    assert "do not belong together" in proof.detail


@pytest.mark.parametrize("side", [4, 5])
def test_wrong_ring_on_one_axis(side):
    program = compute_shift("mixed", side, interleaved(side), align="")
    across, down = program.body[-1].steps[0].moves
    proof = caught(changed(program, -1, moves=(across, replace(down, source=source(natural(side))))))
    assert proof.step == 2


def test_a_shift_backwards():
    program = compute_shift("backwards", 5, natural(5), align="")
    across, down = program.body[-1].steps[0].moves
    assert (
        caught(changed(program, -1, moves=(across, replace(down, source=source(natural(5), -1))))).step == 2
    )


def test_a_lost_tile():
    program = compute_shift("lossy", 4, natural(4), align="")
    across, down = program.body[-1].steps[0].moves
    lossy = np.array([1, 2, 3, 3])
    proof = caught(changed(program, -1, moves=(replace(across, source=lossy), down)))
    assert proof.step == 1
    assert "loses block" in proof.detail


def test_one_repeat_too_few():
    program = GEMM["meshgemm"](4)
    short = replace(program, body=(*program.body[:-1], Repeat(program.body[-1].steps, 3)))
    proof = prove(short)
    assert not proof
    assert "3 of 4 products" in proof.detail
    assert proof.step == len(short)


def test_one_repeat_too_many():
    program = GEMM["meshgemm"](4)
    long = replace(program, body=(*program.body[:-1], Repeat(program.body[-1].steps, 5)))
    proof = prove(long)
    assert proof.step == len(long)
    assert "added before" in proof.detail


def test_wrong_root():
    program = GEMM["meshgemm_t"](4)
    first, second = program.body[0].steps
    root = np.roll(second.moves[0].target, 1, axis=0)
    steps = (first, replace(second, moves=(replace(second.moves[0], target=root),)))
    assert not prove(replace(program, body=(Repeat(steps, 4),)))


def test_work_that_does_not_multiply():
    program = GEMM["meshgemm"](4)
    work = Work(reads=("A", "B", "C"), write="C", function=lambda a, b, c: c)
    proof = prove(changed(program, -1, work=work))
    assert not proof
    assert "0 of 4 products" in proof.detail


def test_the_same_blocks_twice():
    program = GEMM["cannon"](3)
    still = Step("multiply", work=program.body[-1].steps[0].work)
    proof = prove(replace(program, body=(program.body[0], Repeat((still,), 3))))
    assert not proof
    assert "added before" in proof.detail
    assert proof.step == 3


SPOILED = {
    "taken away": lambda a, b, c: c - a @ b,
    "doubled": lambda a, b, c: c + 2 * (a @ b),
    "turned round": lambda a, b, c: -(c + a @ b),
    "halved": lambda a, b, c: c + (a @ b) / 2,
}


@pytest.mark.parametrize("how", SPOILED)
def test_work_that_is_no_sum_of_products(how):
    work = Work(reads=("A", "B", "C"), write="C", function=SPOILED[how])
    proof = caught(changed(GEMM["cannon"](3, align=""), -1, work=work))
    assert (proof.step, proof.core) == (1, (0, 0))
    assert "does not add what it has multiplied" in proof.detail


def test_work_that_forgets_its_sum():
    work = Work(reads=("A", "B"), write="C", function=lambda a, b: a @ b)
    proof = caught(changed(GEMM["cannon"](3, align=""), -1, work=work))
    assert (proof.step, proof.core) == (2, (0, 0))
    assert "throws away" in proof.detail


@pytest.mark.parametrize("lossy", [[1, 2, 3, 3], [1, 2, 1, 0], [2, 2, 3, 0], [-1, 2, 3, 0]])
def test_the_core_with_the_wrong_tile_is_named(lossy):
    right = np.array([1, 2, 3, 0])
    program = compute_shift("lossy", 4, natural(4), align="")
    across, down = program.body[-1].steps[0].moves
    proof = caught(changed(program, -1, moves=(replace(across, source=np.array(lossy)), down)))
    assert proof.step == 1
    assert proof.core == (0, int(np.flatnonzero(right != lossy)[0]))


def test_a_sum_in_the_wrong_column():
    program = GEMM["meshgemm_t"](4)
    first, second = program.body[0].steps
    root = np.roll(second.moves[0].target, 1, axis=0)
    proof = prove(
        replace(
            program,
            body=(Repeat((first, replace(second, moves=(replace(second.moves[0], target=root),))), 4),),
        )
    )
    assert (proof.step, proof.core) == (2, (0, int(root[0, 0, 0])))
    assert "belongs elsewhere" in proof.detail


def test_tiles_on_several_cores_may_move_together():
    """Two layers of cores hold the same A; a shift of both loses nothing."""
    program = GEMM["cannon"](4)
    skipped = replace(program.operands["A"], row=np.arange(4)[:, None] // 2)
    proof = prove(replace(program, operands=program.operands | {"A": skipped}))
    assert "loses" not in proof.detail


def hop_by_hop(n, last=None):
    """MeshGEMM-T whose rows add up towards the east one hop a step, then send the sum to its column."""
    program = GEMM["meshgemm_t"](n)
    multiply, reduce = program.body[0].steps
    hops = [np.where(np.arange(n) == x, x - 1, -1) for x in range(1, n)][:last]
    chain = [Step("hop", (Move(read="P", write="P", axis="x", source=hop, combine="add"),)) for hop in hops]
    root = reduce.moves[0].target
    send = Step(
        "send",
        (
            Move(
                read="P", write="C", axis="x", source=np.where(np.arange(n) == root, n - 1, -1), combine="add"
            ),
        ),
    )
    return replace(program, name="hop by hop", body=(Repeat((multiply, *chain, send), n),))


@pytest.mark.parametrize("n", [2, 3, 5])
def test_sums_received_and_added_on_the_way(n):
    program = hop_by_hop(n)
    rng = np.random.default_rng(3)
    a, b = (rng.integers(1, 9, (2 * n, 2 * n)) for _ in "AB")
    trace = run(program, {"A": a, "B": b})
    assert np.array_equal(product(trace), a @ b.T)
    assert verify(trace), str(verify(trace))


def test_sums_that_stop_a_hop_early():
    proof = prove(hop_by_hop(4, -1))
    assert not proof
    assert "products" in proof.detail


def test_the_larger_of_two_sums_is_no_sum():
    program = hop_by_hop(3)
    steps = [
        replace(s, moves=tuple(replace(m, combine="max") if m.combine and s.label == "hop" else m for m in s.moves))
        for s in program.body[0].steps
    ]  # fmt: skip
    proof = prove(replace(program, body=(Repeat(tuple(steps), 3),)))
    assert (proof.step, proof.core) == (2, (0, 1))


def test_no_one_reads_what_a_proof_overwrites():
    assert proof_module._only_reduced(GEMM["meshgemm_t"](3)) == {"C"}
    assert proof_module._only_reduced(GEMM["meshgemm"](3)) == frozenset()
    assert proof_module._only_reduced(hop_by_hop(3)) == frozenset()


def test_a_proof_of_no_program_is_refused():
    with pytest.raises(ValueError, match=r"prove\(\) got 'cannon'; give a Program"):
        prove("cannon")
