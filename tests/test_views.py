"""What the pictures are made of: frames, words, palettes, and errors for what cannot be shown."""

import base64
import io
import json
import zlib

import numpy as np
import pytest
import xarray as xr

import waferviz as wv
from waferviz.machine import presets
from waferviz.views import frames, words
from waferviz.views.player import Player
from waferviz.views.style import PALETTES, script


@pytest.fixture(scope="module")
def traces():
    a, b = wv.sample("integers", 12, 1), wv.sample("integers", 12, 2)
    return [wv.multiply(a, b, algorithm=name, mesh=6) for name in ("summa", "cannon", "meshgemm")]


def layer_of(packed, name):
    """Frames of a layer as the page sees them, dims (step, height, width)."""
    table = packed["layers"][name]
    data = np.frombuffer(zlib.decompress(base64.b64decode(packed["frames"])), np.uint8)
    shape = (len(packed["steps"]), table["planes"], table["height"], table["width"])
    found = data[table["at"] : table["at"] + int(np.prod(shape))].reshape(shape)
    if not table["woven"]:
        return found
    plain = np.empty_like(found)
    plain[
        :, :, np.r_[0 : shape[2] : 2, 1 : shape[2] : 2][:, None], np.r_[0 : shape[3] : 2, 1 : shape[3] : 2]
    ] = found
    return plain


@pytest.mark.parametrize("number", [0, 1, 2])
def test_packed_frames_are_the_blocks_held(traces, number):
    packed = frames.packed(traces[number], "blocks", frames.shared(traces), 3)
    a = layer_of(packed, "a")[:, 0]
    b = layer_of(packed, "b")[:, 0] ^ a
    assert np.array_equal(a.astype(int) - 1, traces[number].a_block.values)
    assert np.array_equal(b.astype(int) - 1, traces[number].b_block.values)
    assert np.array_equal(layer_of(packed, "match")[:, 0] > 0, (a == b) & (a > 0))


def test_packed_traffic_is_a_share_of_the_busiest_link_of_the_race(traces):
    scale = frames.shared(traces)
    packed = frames.packed(traces[2], "blocks", scale, 3)
    share = layer_of(packed, "traffic") / 255 * scale.words
    assert np.all(np.abs(share - traces[2].traffic.values) <= scale.words / 255)
    assert np.array_equal(share > 0, traces[2].traffic.values > 0)


def test_the_payload_is_the_same_bytes_every_time(traces):
    assert frames.payload(traces, "blocks") == frames.payload(traces, "blocks")
    assert len(json.loads(frames.payload(traces, "blocks"))["traces"]) == 3


def test_large_meshes_carry_the_layer_asked_for_and_say_which_steps():
    trace = wv.run(wv.GEMM["meshgemm"](200))
    packed = frames.packed(trace, "links", frames.shared([trace]), 1)
    assert set(packed["layers"]) == {"traffic"}
    assert packed["steps"][0] == 0
    assert packed["steps"][-1] == packed["last"]


def test_arrivals_are_the_words_on_the_links_into_a_core(traces):
    traffic = traces[1].traffic.isel(step=3).values
    into = frames.arrivals(traffic)
    assert into.sum() == traffic.sum()
    assert into[2, 3] == traffic[0, 2, 2] + traffic[1, 2, 4] + traffic[2, 1, 3] + traffic[3, 3, 3]


def test_a_sentence_says_what_moves_how_far_and_where_the_jam_is(traces):
    said = words.sentences(traces[2])
    assert len(said) == traces[2].sizes["step"]
    assert said[-1] == (
        "Step 9 of 9, multiply and shift: all 36 cores multiply; tiles move up to 2 hops; busiest link 4 words."
    )
    assert "36 cores hold their first tiles" in said[0]


def test_the_ranking_names_the_winner_and_why(traces):
    said = words.ranking(traces)
    assert said.startswith("MeshGEMM wins with ")
    assert "waits 2 hops at every step" in said
    assert "waits 5 hops at every step" in said


def test_events_point_at_the_step_of_the_longest_way(traces):
    found = dict(words.events(traces[1]))
    assert found["longest way, 5 hops"] == int(np.argmax(traces[1].hops.values))
    assert found["end"] == traces[1].sizes["step"] - 1


def test_a_wrong_run_can_be_jumped_to(traces):
    wrong = traces[1].assign_attrs(wrong_step=4)
    assert ("first wrong value", 4) in words.events(wrong)


def test_palettes_have_256_colours_and_the_middle_of_a_difference_is_quiet():
    assert {len(colours) for colours in PALETTES.values()} == {256}
    assert PALETTES["difference"][128] == "#f5f5f5"


def test_page_code_has_no_address():
    text = script("codec", "paint", "clock", "map", "controls", "stage", "main", "arcs")
    assert "http" not in text


@pytest.mark.parametrize(
    ("act", "words"),
    [
        (lambda t: wv.race(), "0 traces: give 1 to 4"),
        (lambda t: wv.race(*t, *t), "6 traces: give 1 to 4"),
        (lambda t: wv.race(np.eye(3)), "trace 0 is ndarray"),
        (lambda t: wv.race(xr.Dataset()), "trace 0 lacks a_block"),
        (lambda t: wv.play(t[0], show="tiles"), "show='tiles': choose one of blocks"),
        (lambda t: wv.play(t[0], clock="seconds"), "clock='seconds': choose one of cycles, steps"),
        (lambda t: wv.play(wv.run(wv.GEMM["summa"](2)), show="values"), "needs traces with numbers"),
        (lambda t: wv.play(t[0], state="layer=links"), "'layer' is none of show, clock, time, speed"),
        (lambda t: wv.play(t[0], state="links"), "is none of show, clock, time, speed"),
        (lambda t: wv.play(t[0], state="speed=9"), "speed='9': choose one of slow, normal"),
        (lambda t: wv.play(t[0], state="time=-1"), "time='-1': give steps or cycles"),
        (lambda t: wv.arcs(cores=1), "cores=1: choose 2 to 64"),
        (lambda t: wv.arcs(cores=8.5), "cores=8.5: choose 2 to 64"),
        (
            lambda t: wv.arcs("cannon"),
            r"arcs\(\) got 'cannon'; give 'natural' \(Cannon\), 'interleaved' \(MeshGEMM\)",
        ),
        (lambda t: wv.arcs([0, 2, 1]), r"arcs\(\) got \[0, 2, 1\]; .* a function from the number of cores"),
        (
            lambda t: wv.arcs(lambda n: np.zeros(n, int)),
            "for 2 cores: .* does not visit each of the 2 cores once",
        ),
        (lambda t: wv.arcs(lambda n: 1 / n), "for 2 cores: .* does not visit each"),
        (lambda t: wv.arcs(lambda: 1), "for 2 cores: .* takes 0 positional arguments"),
        (lambda t: wv.race([]), "0 traces: give 1 to 4"),
        (lambda t: wv.race([np.eye(3)]), "trace 0 is ndarray"),
        (
            lambda t: wv.handout(t[0], t[1]),
            r"path is a Dataset; give the name of a file, for example handout\(\[",
        ),
        (lambda t: wv.handout(np.eye(3)), "view is a ndarray, which has no picture"),
    ],
)
def test_what_cannot_be_shown_is_refused_with_a_way_out(traces, act, words):
    with pytest.raises(ValueError, match=words):
        act(traces)


def test_a_list_of_traces_is_raced_like_traces_one_by_one(traces, tmp_path):
    assert repr(wv.race(traces)) == repr(wv.race(*traces)) == repr(wv.show(traces))
    assert len(wv.race(traces[:2], timeline=True).traces) == 2
    assert wv.handout(traces[:2], tmp_path / "race.html").stat().st_size > 10_000


def test_orders_go_by_name_too():
    assert wv.arcs("natural", "interleaved").rings == wv.arcs().rings


def test_a_race_says_whether_the_products_are_right(traces):
    player = wv.race(*traces)
    assert isinstance(player, Player)
    assert {trace.attrs["verdict"] for trace in player.traces} == {"equal to NumPy, bit for bit"}
    assert "Player(SUMMA, Cannon, MeshGEMM" in repr(player)


def test_a_moving_picture_is_written(traces, tmp_path):
    from PIL import Image

    with Image.open(wv.race(*traces).gif(tmp_path / "race.gif", seconds=1)) as picture:
        assert picture.n_frames == 8
    with pytest.raises(ValueError, match=r"ends in \.gif"):
        wv.race(*traces).gif(tmp_path / "race.png")


def test_the_workbench_keeps_its_picture_when_the_input_is_wrong():
    bench = wv.workbench()
    before = list(bench._picture.objects)
    bench.mesh = "5x7"
    bench._show()
    assert "cuts M=32 into 35 blocks" in bench._said.value
    bench.mesh = "many"
    bench._show()
    assert "give a side such as 8" in bench._said.value
    bench.algorithms = []
    bench._show()
    assert "choose 1 to 4" in bench._said.value
    assert bench._picture.objects == before


def uploaded(bench, name, array, filename):
    """What happens when the reader has chosen a file."""
    file = io.BytesIO()
    np.save(file, array)
    bench._uploads[name].param.update(filename=filename, value=file.getvalue())


def test_an_uploaded_file_is_an_entry_of_the_menu_and_the_menu_can_be_used_again():
    bench = wv.workbench()
    bench.mesh, bench.algorithms = "4", ["meshgemm"]
    uploaded(bench, "a", np.eye(8, dtype=np.int8), "i8.npy")
    assert bench.a == "file: i8.npy"
    assert bench.param.a.objects[-1] == "file: i8.npy"
    assert bench._operand("a").shape == (8, 8)
    bench.a = "ramp"
    assert np.array_equal(bench._operand("a"), wv.sample("ramp", 32))
    bench.a = "file: i8.npy"
    bench.b = "identity"
    bench.size = 8
    assert bench.traces()[0].attrs["M"] == 8


def test_an_upload_that_is_no_matrix_is_told_by_its_name_alone():
    bench = wv.workbench()
    bench._uploads["b"].param.update(filename="b.png", value=b"rubbish")
    bench._show()
    assert (
        bench._said.value
        == "⚠ b.png: this is no readable .png file of one matrix (Pillow finds no picture in it)"
    )


def test_the_workbench_says_when_it_draws_and_offers_every_machine():
    bench = wv.workbench()
    bench.mesh, said = "4", []
    bench._said.param.watch(lambda event: said.append(event.new), "value")
    bench._show()
    assert said[-2:] == ["Checking the products and drawing", ""]
    assert bench.param.machine.objects == presets()
    bench.machine = "dojo_d1"
    bench._show()
    assert "dojo_d1 is not published" in bench._said.value


def test_an_address_is_taken_as_far_as_it_can_be_had():
    bench = wv.workbench()
    bench._refused({"mesh": 8, "a": "file: i8.npy", "machine": "wse9"})
    assert bench.mesh == "8"
    assert "asks for a=file: i8.npy (choose the file again), machine=wse9: not" in bench._said.value


def test_the_workbench_can_be_cancelled():
    bench = wv.workbench()
    before = list(bench._picture.objects)
    bench._stop.set()
    bench._show()
    assert "Cancelled" in bench._said.value
    assert bench._picture.objects == before


def test_a_state_sets_the_picture_and_follows_its_reader(traces):
    player = wv.race(*traces, state="show=links&clock=steps&time=2&speed=fast")
    assert (player.show, player.clock) == ("links", "steps")
    layout = player.layout()
    (heard,) = (one() for one in player._shown)
    assert heard.data["state"][0] == player.state
    player.state = "time=1"
    assert heard.data["state"] == ["time=1"] * len(traces)
    heard.data = {"step": [3, 2, 2], "state": ["show=bytes&time=3"] * 3}
    assert (player.step, player.state) == ([3, 2, 2], "show=bytes&time=3")
    assert layout.children


def test_a_state_that_is_no_state_leaves_the_picture_alone(traces):
    player = wv.play(traces[0])
    player.layout()
    with pytest.raises(ValueError, match="choose one of cycles, steps"):
        player.state = "clock=seconds"
    assert player._shown[0]().data["state"] == [""]
