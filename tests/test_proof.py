"""Programs broken on purpose are caught, at the first wrong step and core."""

from dataclasses import replace

import numpy as np
import pytest

from waferviz.algorithms import GEMM
from waferviz.algorithms.rings import compute_shift
from waferviz.orders import interleaved, natural, source
from waferviz.program import Repeat, Step, Work
from waferviz.proof import prove
from waferviz.trace import run
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
