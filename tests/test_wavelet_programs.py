"""Programs on the simulated mesh: against their prices, closed forms, and the words they have to move."""

import numpy as np
import pytest

from waferviz import ALLREDUCE, GEMM, Machine, audit, cost
from waferviz.bill import Bill
from waferviz.program import Buffer, Move, Operand, Program, Step
from waferviz.schedule import cycles
from waferviz.wavelets import simulate
from waferviz.wavelets.programs import traffic_of

WSE2 = Machine.preset("wse2")


@pytest.mark.parametrize(
    ("name", "layout", "hops"),
    [("cannon", "natural", lambda n: 3 * n - 4), ("meshgemm", "interleaved", lambda n: 2 * n - 1)],
)
@pytest.mark.parametrize("n", [4, 5, 8, 13])
def test_the_loop_of_a_program_is_the_closed_form(name, layout, hops, n):
    program = GEMM[name](n)
    loop = traffic_of(program, matrices=(2 * n, 2 * n, 2 * n), steps=slice(n // 2, None))
    for shared, words in ((False, 4), (True, 8)):
        found = simulate(loop, shared_ramp=shared).cycles
        assert found == n * (words + 5) + hops(n)
        assert found == cost.shifts(
            4, n, layout=layout, schedule="dataflow", coupled=True, shared_ramp=shared
        )


@pytest.mark.parametrize("name", [name for name in GEMM if name != "meshgemm_t"])
@pytest.mark.parametrize("n", [4, 6])
def test_barriers_cost_what_the_audit_says(name, n):
    sizes = (2 * n, 3 * n, 2 * n)
    program = GEMM[name](n)
    found = simulate(traffic_of(program, WSE2, matrices=sizes, schedule="barrier"))
    assert found.cycles == int(audit(program, WSE2, matrices=sizes).cycles.sum())


def both(program, machine, sizes):
    """Cycles priced and simulated: [[barrier, data flow], [barrier, data flow]]."""
    schedules = ("barrier", "dataflow")
    return [
        [int(cycles(Bill(program, machine, sizes), each).sum()) for each in schedules],
        [simulate(traffic_of(program, machine, matrices=sizes, schedule=each)).cycles for each in schedules],
    ]


@pytest.mark.parametrize("name", GEMM)
@pytest.mark.parametrize("n", [2, 3, 4, 5, 6])
@pytest.mark.parametrize("tile", [(1, 1, 1), (3, 3, 3), (1, 3, 2)], ids=str)
def test_data_flow_takes_what_it_is_priced(name, n, tile):
    """To the cycle; a barrier waits for both sides of a relayed sum one after the other, simulated they overlap."""
    (barrier, flow), (slow, fast) = both(GEMM[name](n), WSE2, tuple(n * side for side in tile))
    assert fast == flow <= slow <= barrier
    assert slow == barrier or name == "meshgemm_t"
    assert slow >= 0.83 * barrier


@pytest.mark.parametrize(("n", "side"), [(5, 1), (7, 1), (7, 3)])
def test_alignment_takes_what_it_is_priced(n, side):
    """Tiles that meet on a ramp are priced as one; apart, the last may end a cycle before."""
    for name in ("cannon", "meshgemm"):
        for macs in (1, 0.1):
            (_, flow), (slow, fast) = both(GEMM[name](n), Machine.preset("wse2", macs=macs), (n * side,) * 3)
            assert flow - 1 <= fast <= flow
            assert fast <= slow


@pytest.mark.parametrize("name", GEMM)
@pytest.mark.parametrize("mesh", [(2, 3), (2, 4)], ids=str)
@pytest.mark.parametrize("side", [1, 3])
def test_folded_programs_take_about_what_they_are_priced(name, mesh, side):
    program = GEMM[name](mesh)
    (_, flow), (slow, fast) = both(program, WSE2, tuple(side * each for each in program.blocks.values()))
    assert fast == pytest.approx(flow, rel=0.08)
    assert fast <= slow


@pytest.mark.parametrize(("side", "once", "twice"), [(1, 14, 22), (2, 20, 34), (3, 30, 54)])
def test_two_rows_that_add_up_by_hand(side, once, twice):
    """MeshGEMM-T on 2 x 2 cores with tiles of w words and no work; a way takes 6 cycles.

    B has come at w + 6.  The core that sends its product is done at 2 w + 6, its root at 2 w + 12.  The root gets the
    other's B at (2 w + 6) + (w + 6), sends its product then, and that has come at 4 w + 18, 6 cycles before barriers end.
    """
    program, sizes, w = GEMM["meshgemm_t"](2), (2 * side,) * 3, side**2
    idle = Machine.preset("wse2", macs=1e12)
    first, whole = (
        simulate(traffic_of(program, matrices=sizes, steps=steps)).cycles for steps in (slice(2), slice(4))
    )
    assert (first, whole) == (2 * (w + 6), 4 * w + 18) == (once, twice)
    assert int(cycles(Bill(program, idle, sizes), "dataflow").sum()) == twice


def test_a_root_adds_whichever_side_comes_first():
    """Core 1 of a row sums the products of three: the far one passes core 2 word by word and comes a way later."""
    add = Move(read="V", write="S", axis="x", target=np.ones(4, int), combine="add", relay=True)
    here = np.arange(4)[None]
    program = Program(
        name="sum", shape=(1, 4), body=(Step("add", (add,)),),
        buffers={"A": Buffer(("m", "k")), "B": Buffer(("k", "n")), "V": Buffer(("m", "n")), "S": Buffer(("m", "n"))},
        operands={"A": Operand(here * 0, here * 0, (1, 1)), "B": Operand(here * 0, here * 0, (1, 1))}, result="S",
    )  # fmt: skip
    (_, flow), (_, fast) = both(program, WSE2, (1, 1, 4))
    assert fast == flow == 2 * 6 + 4


@pytest.mark.parametrize("name", GEMM)
@pytest.mark.parametrize("mesh", [4, (2, 3)])
def test_every_program_moves_the_words_of_its_audit(name, mesh):
    program = GEMM[name](mesh)
    sizes = (6, 12, 12) if mesh != 4 else (8, 8, 8)
    prices = audit(program, matrices=sizes)
    run = simulate(traffic_of(program, matrices=sizes))
    np.testing.assert_array_equal(run.words.sum("window"), prices.traffic)


@pytest.mark.parametrize("name", ALLREDUCE)
def test_an_allreduce_runs_in_both_schedules(name):
    program = ALLREDUCE[name](9)
    free, barrier = (
        simulate(traffic_of(program, matrices=(27,), schedule=each)) for each in ("dataflow", "barrier")
    )
    assert free.hops == barrier.hops
    priced = int(audit(program, WSE2, matrices=(27,)).cycles.sum())
    assert abs(barrier.cycles / priced - 1) < 0.2


def test_sums_are_taken_one_after_the_other_at_a_root():
    """Two cores send 5 words each to the core between them: the second vector follows the first through one ramp."""
    add = Move(read="V", write="S", axis="x", target=np.array([1, -1, 1]), combine="add", tree=True)
    one = np.arange(3)[None]
    program = Program(
        name="sum", shape=(1, 3), body=(Step("add", (add,)),),
        buffers={"A": Buffer(("m", "k")), "B": Buffer(("k", "n")), "V": Buffer(("m", "n")), "S": Buffer(("m", "n"))},
        operands={"A": Operand(one * 0, one * 0, (1, 1)), "B": Operand(one * 0, one * 0, (1, 1))}, result="S",
    )  # fmt: skip
    assert simulate(traffic_of(program, matrices=(1, 1, 5))).cycles == 5 + 1 + 5 + 5


def test_steps_wait_for_what_their_buffer_still_feeds():
    """SUMMA's next broadcast is taken in only after the product that reads the tile before it."""
    slow = Machine.preset("wse2", macs=0.05)
    program, sizes = GEMM["summa"](4), (8, 8, 8)
    free = simulate(traffic_of(program, slow, matrices=sizes)).cycles
    assert free >= 4 * 8 / 0.05
    assert free <= int(audit(program, slow, matrices=sizes).cycles.sum())


def test_a_wrong_schedule_is_named():
    with pytest.raises(ValueError, match="schedule='later': choose 'barrier' or 'dataflow'"):
        traffic_of(GEMM["cannon"](4), schedule="later")


def test_a_root_sends_its_tiles_one_step_after_the_other():
    """Data flow is never slower than barriers, also where one core broadcasts along a column, then along a row."""
    program = ALLREDUCE["snake"](6)
    free, barrier = (
        simulate(traffic_of(program, matrices=(48,), schedule=each)).cycles
        for each in ("dataflow", "barrier")
    )
    assert free <= barrier


def test_the_app_of_traffic_jams():
    import runpy

    from waferviz.published import folder

    jam = runpy.run_path(str(folder("lab") / "congestion.py"))["jam"]
    for pattern in ("tornado", "every core to core (0,0)", "alignment and loop of Cannon"):
        view = jam(pattern, 4, 8, "1 word")
        assert "4 x 4 cores" in view.title
        assert view.run.use.max() <= 100
