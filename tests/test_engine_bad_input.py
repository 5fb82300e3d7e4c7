"""What machines, prices, wafers and the simulator refuse, in one line and before memory is taken."""

import numpy as np
import pytest

import waferviz as wv
from waferviz import ALLREDUCE, GEMM, Machine, audit, check, energy, sweep, timeline, wafer
from waferviz.memory import size
from waferviz.wavelets import patterns, simulate, traffic_of

PROGRAM = GEMM["meshgemm"](4)
NAN = np.full((3, 4), np.nan)


@pytest.mark.parametrize(
    ("ask", "words"),
    [
        (lambda: energy.joules(1, 1, 1, 1, "wse2", cores=-1), "cores=-1: wse2 has 850,000 working cores; give"),
        (lambda: energy.joules(1, 1, 1, 1, "wse2", cores=10**6), "cores=1000000: wse2 has 850,000"),
        (lambda: energy.joules(1, 1, 1, 1, "wse2", cores=2.5), "cores=2.5"),
        (lambda: energy.joules(1, 1, 1, 1, "wse2", cores=0), "cores=0"),
        (lambda: energy.joules("long", 1, 1, 1, "wse2"), "seconds='long': give finite numbers"),
        (lambda: patterns.named_permutation("transpose", -4), "k=-4: give a whole number"),
        (lambda: patterns.named_permutation("transpose", 2.5), "k=2.5: give a whole number"),
        (lambda: patterns.named_permutation("transpose", 0), "k=0: give a whole number"),
        (lambda: patterns.named_permutation("transpose", "a"), "k='a': give a whole number"),
        (lambda: wafer.remap(NAN), "dead holds nan; give False"),
        (lambda: wafer.remap(NAN + 0.5), "dead holds nan; give False"),
        (lambda: wafer.remap(np.full((2, 3), 0.5)), "dead holds 0.5; give False"),
        (lambda: wafer.drop_lines(NAN), "dead holds nan; give False"),
        (lambda: wafer.latency("wse2", core=(0.5, 0)), r"core=\(0.5, 0\): give \(row, column\), whole numbers"),
        (lambda: wafer.latency("wse2", core=0), r"core=0: give \(row, column\)"),
        (lambda: wafer.latency("wse2", words="a"), "words='a': give"),
        (lambda: wafer.yields(spares=-1), "spares=-1: give the most spare columns"),
        (lambda: wafer.draw((3, 4), 0.1, seed="a"), "seed='a': give a whole number"),
        (lambda: wafer.draw((3, 4), 0.1, seed=-1), "seed=-1: give a whole number"),
        (lambda: wafer.draw((3, 4), "a"), "fail='a': a probability"),
        (lambda: wafer.draw(3, 0.1), r"shape=3, .*give \(rows, columns\)"),
        (lambda: Machine.preset("wse2").edit(name=""), "name='': give the machine a name"),
        (lambda: Machine.preset("wse2").edit(name=3), "name=3: give the machine a name"),
        (lambda: Machine.preset("wse2").save(""), "path='': give the name of a file"),
        (lambda: Machine.load(""), "path='.*': give the name of a file"),
        (lambda: sweep(mesh=8, matrix=64, machine=[]), r"machine=\[\]: give one machine or more"),
        (lambda: sweep(mesh=[8, 8], matrix=64, machine="wse2"), r"mesh=\[8, 8\]: 8 stands there twice"),
        (lambda: sweep(mesh=8, matrix=[64, 32, 64], machine="wse2"), "matrix=.*: 64 stands there twice"),
        (lambda: sweep(mesh=8, matrix=64, machine="wse2", algorithm=[]), r"algorithm=\[\]: give one or more"),
        (lambda: sweep(mesh=8, matrix=64, machine="wse2", schedule=[]), r"schedule=\[\]: give one or more"),
        (lambda: sweep(mesh=8, matrix=64, machine="wse2", schedule=["barrier"] * 2), "'barrier' stands there twice"),
        (lambda: sweep(mesh=8, matrix=64, machine="wse2", algorithm=["cannon"] * 2), "'cannon' stands there twice"),
        (lambda: simulate(PROGRAM), r"simulate\(\) got Program; give Traffic, such as traffic_of\(program\)"),
        (lambda: simulate(None), r"simulate\(\) got NoneType; give Traffic"),
        (lambda: simulate(patterns.shift(8, 10**9)), "1,000,000,000 words .*raise longest=1000000, or send fewer words"),
    ],
    ids=str,
)  # fmt: skip
def test_refused_in_one_line(ask, words):
    with pytest.raises(ValueError, match=words) as error:
        ask()
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("verb", [audit, check, timeline], ids=lambda verb: verb.__name__)
@pytest.mark.parametrize(
    "matrices", [8, 0, (), (8, 8), np.nan, "a", -8, (-8, 8, 8), (8.5, 8, 8), (0, 8, 8)], ids=str
)
def test_sizes_are_three_whole_numbers(verb, matrices):
    with pytest.raises(
        ValueError, match=r"matrices=.*: MeshGEMM takes \(M, K, N\), whole numbers above zero"
    ):
        verb(PROGRAM, "wse2", matrices=matrices)


@pytest.mark.parametrize("verb", [audit, check, timeline], ids=lambda verb: verb.__name__)
def test_sizes_that_cannot_be_counted(verb):
    with pytest.raises(ValueError, match=r"matrices=\(1000000000, .*1.0e\+27 operations.*give smaller sides"):
        verb(PROGRAM, "wse2", matrices=(10**9,) * 3)
    with pytest.raises(ValueError, match="operations"):
        verb(ALLREDUCE["ring"](4), "wse2", matrices=(10**20,))


def test_the_largest_sizes_that_are_counted_do_not_wrap_round():
    for schedule in ("barrier", "dataflow"):
        found = audit(PROGRAM, "wse2", matrices=(10**6,) * 3, schedule=schedule)
        assert float(found.cycles.sum()) >= 10**18 / 16
        assert all(float(found[name].min()) >= 0 for name in ("cycles", "macs", "memory", "held", "traffic"))


@pytest.mark.parametrize(
    "ask",
    [
        lambda name: wv.roofline(PROGRAM, machine=name),
        lambda name: wv.waves(ALLREDUCE["chain"](4), name),
        lambda name: wv.sums.sums(8, 8, name),
        lambda name: energy.energy(audit(PROGRAM, "wse2"), name),
        lambda name: energy.joules(1, 1, 1, 1, name),
    ],
    ids=["roofline", "waves", "sums", "energy", "joules"],
)
@pytest.mark.parametrize("name", ["wse9", "", 3], ids=repr)
def test_machines_nobody_knows(ask, name):
    with pytest.raises(ValueError, match=f"machine.*{name}") as error:
        ask(name)
    assert "teaching" in str(error.value) or "give a Machine" in str(error.value)


def test_memory_in_units_that_fit():
    with pytest.raises(MemoryError, match=r"need about [\d.]+ KiB, memory allows 100 B; simulate"):
        simulate(traffic_of(PROGRAM), memory=100)
    jam = patterns.permutation(patterns.named_permutation("transpose", 8), 10**9, (8, 8))
    with pytest.raises(
        MemoryError, match=r"need about [\d,]+ GiB, memory allows 1 GiB; send shorter messages"
    ):
        simulate(jam, longest=10**10)
    assert [size(n) for n in (0, 1, 1023, 1024, 49152, 10**9, 2**40)] == [
        "0 B", "1 B", "1,023 B", "1 KiB", "48 KiB", "954 MiB", "1,024 GiB",
    ]  # fmt: skip


def test_less_room_helps_only_where_messages_take_turns_on_ramps():
    traffic = traffic_of(GEMM["meshgemm"](8), matrices=(32, 32, 32))
    shared = [simulate(traffic, queue=queue).cycles for queue in (None, 1, 0)]
    alone = [simulate(traffic, queue=queue, shared_ramp=False).cycles for queue in (None, 1, 0)]
    assert shared[0] - 1 <= shared[1] <= shared[0] < shared[2]
    assert alone[0] == alone[1] < alone[2]


@pytest.mark.parametrize("name", ["dojo_d1", "dojo_tile", "blackhole"])
def test_what_nobody_has_published_about_speed_stops_no_verdict(name):
    said = check(GEMM["meshgemm"](8), name, matrices=(64, 64, 64))
    assert said.attrs["machine"] == name
    assert said.ok.values.all()
    assert int(said.limit.sel(letter="M")) == Machine.preset(name).bytes_per_core
    with pytest.raises(ValueError, match="routes of dojo_d1 is not published"):
        check(GEMM["meshgemm"](8), Machine.preset("dojo_d1", routes=None))


def test_sentences_round_as_the_card_does():
    for matrix, words in (
        (8, "20 B of 48 KiB"), (64, "1.25 KiB"), (1000, "305 of 48 KiB"), (10_000, "29.8 MiB of 48 KiB"),
    ):  # fmt: skip
        said = str(check(GEMM["meshgemm"](8), "wse2", matrices=(matrix,) * 3).sentence.sel(letter="M").values)
        assert words.replace(" KiB", "") in said
