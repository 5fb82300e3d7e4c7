"""The cache: the published occupancy and capacity, the rule against a slow one, programs that move every token."""

from dataclasses import replace

import numpy as np
import pytest
import xarray as xr
from hypothesis import given, settings
from hypothesis import strategies as st

from waferviz import CACHE, Machine, audit, prove, run, table, verify
from waferviz.cache import RULES, fill, insert, row_of, spread_evenly
from waferviz.capacity import capacity, fitted_free, forecast
from waferviz.program import Repeat, Step


def slowly(rule, counts, capacity=None):
    """One insertion, row by row from the bottom, exactly as the rule is told: links, rounds and the full row."""
    counts = list(counts)
    row, links, rounds = len(counts) - 1, 0, 1
    if rule == "shift":
        while row > 0 and counts[row] + 1 > counts[row - 1]:
            rounds += counts[row] == 0
            links += 1
            row -= 1
    if capacity is not None and counts[row] == capacity:
        return counts, links, rounds, row
    counts[row] += 1
    return counts, links, rounds, None


def test_the_worked_insertions():
    for row in table("waferllm_oracle_kv_shift").to_dataframe().itertuples():
        found = insert("shift", row.rows, row.token_index + 1)
        held = [int(number) for number in row.occupancy_top_to_bottom.split()]
        assert found.counts[-1].tolist() == held
        assert found.links[-1] == row.links_used
        where = row_of(np.arange(row.token_index + 1), found.counts[-1])
        told = [part.split(",") if part else [] for part in row.contents_top_to_bottom.split("|")]
        assert [[str(token) for token in np.flatnonzero(where == r)] for r in range(row.rows)] == told


def test_six_tokens_on_four_rows():
    assert insert("shift", 4, 6).counts[-1].tolist() == [2, 2, 1, 1]
    assert insert("concat", 4, 6).counts[-1].tolist() == [0, 0, 0, 6]
    assert insert("shift", 4, 9).links[[6, 8]].tolist() == [1, 3]


@pytest.mark.parametrize("rows", [1, 2, 3, 7, 20])
def test_the_closed_form_follows_from_the_rule(rows):
    tokens = np.arange(61)
    found = insert("shift", rows, 60)
    assert np.array_equal(found.counts, tokens[:, None] // rows + (np.arange(rows) < tokens[:, None] % rows))
    assert np.array_equal(found.links, rows - 1 - tokens[:-1] % rows)


@settings(max_examples=200)
@given(st.sampled_from(RULES), st.lists(st.integers(0, 4), min_size=1, max_size=7), st.integers(0, 25), st.none() | st.integers(4, 6))  # fmt: skip
def test_any_start_goes_as_the_rule_told_row_by_row(rule, prompt, tokens, limit):
    found = insert(rule, len(prompt), tokens, prompt=prompt, capacity=limit)
    counts = prompt
    for token in range(tokens):
        counts, links, rounds, full = slowly(rule, counts, limit)
        if full is not None:
            assert (found.full, len(found.links)) == (full, token)
            return
        assert (found.links[token], found.rounds[token]) == (links, rounds)
        assert found.counts[token + 1].tolist() == counts
    assert found.full is None


def test_into_empty_rows_a_token_moves_one_row_a_step():
    assert insert("shift", 5, 7).rounds.tolist() == [5, 4, 3, 2, 1, 1, 1]
    assert insert("shift", 5, 3, prompt=5).rounds.tolist() == [1, 1, 1]


def test_which_row_is_full_first():
    concat, shift = (fill(rule, 4, 100, prompt=8, capacity=5) for rule in RULES)
    assert (concat.attrs["inserted"], concat.attrs["full_row"]) == (3, 3)
    assert (shift.attrs["inserted"], shift.attrs["full_row"]) == (12, 0)
    assert shift.held[-1].values.tolist() == [5, 5, 5, 5]
    assert concat.held[-1].values.tolist() == [2, 2, 2, 5]


def test_a_prompt_is_spread_evenly():
    assert spread_evenly(7, 4).tolist() == [2, 2, 2, 1]
    assert fill("shift", 4, 1, prompt=7).held.values.tolist() == [[2, 2, 2, 1], [2, 2, 2, 2]]


def test_published_capacities_follow_from_the_fitted_bytes():
    published = list(table("waferllm_kv_capacity").to_dataframe().itertuples())
    for model, token, rows in (("LLaMA3-8B", 96, 360), ("LLaMA2-13B", 560, 375)):
        tokens = {
            row.scheme.split()[0]: row.max_decode_output_tokens for row in published if row.model == model
        }
        free = fitted_free(int(tokens["shift"]), token, rows)
        assert capacity(free, token, rows, "shift") == tokens["shift"]
        assert capacity(free, token, rows, "concat") == tokens["concat"]


def test_our_own_forecast_and_its_gap():
    room = forecast("LLaMA3-8B")
    assert (room.layers, room.weights, room.token) == (8, 8 * 4032, 8 * 12)
    assert room.free == 48 * 1024 - room.weights
    assert (room.concat, room.shift) == (room.free // 96, 360 * (room.free // 96))
    assert f"{room.published_shift / room.shift:.2f} times as many" in room.gap
    assert "fitted" in room.gap
    per_layer = table("waferllm_decode_configs").to_dataframe().set_index("config").loc["llama8B_4k_1_360"]
    assert room.weights == 8 * per_layer.weight_bytes_per_core_per_layer


def test_a_model_that_leaves_no_room_says_so():
    room = forecast("LLaMA3-8B", layers=32)
    assert (room.concat, room.shift) == (0, 0)
    assert "more than none" in room.gap


def drawn(program, width=2):
    rng = np.random.default_rng(0)
    shape = (program.operands["K"].blocks[0], width * program.shape[1] + 1)
    return {name: rng.normal(size=shape).astype(np.float32) for name in "KV"}


@pytest.mark.parametrize("name", list(CACHE))
@pytest.mark.parametrize("mesh", [1, 2, 4, (5, 3), (3, 1)], ids=str)
@pytest.mark.parametrize(
    "options", [{}, {"prompt": 7}, {"prompt": 3, "capacity": 4}, {"tokens": 30, "capacity": 5}, {"tokens": 1}], ids=str
)  # fmt: skip
def test_programs_keep_every_token_in_order(name, mesh, options):
    program = CACHE[name](mesh, **options)
    trace = run(program, drawn(program))
    verdict = verify(trace)
    assert verdict, str(verdict)
    options = {"tokens": 12} | options
    found = insert(name[3:], program.shape[0], **options)
    assert np.array_equal(trace.occupied.isel(step=-1, x=0).values, found.counts[-1])
    assert trace.sizes["step"] - 1 == found.rounds.sum()
    first = int(found.counts[0].sum())
    links = [
        int((trace.hops.values * (trace.inserting.values == first + t)).sum() > 0)
        for t in range(len(found.links))
    ]
    assert links == (found.links > 0).astype(int).tolist()


def test_no_token_moves_more_than_one_hop_and_each_link_carries_one():
    program = CACHE["kv_shift"]((4, 3), tokens=20, prompt=4)
    bill = audit(program, Machine.preset("wse2"), matrices=(7,))
    found = insert("shift", 4, 20, prompt=4)
    assert bill.hops.values.tolist() == (found.links > 0).astype(int).tolist()
    assert bill.link_words.values.tolist() == (14 * (found.links > 0)).tolist()
    north = bill.flows.sel(direction="north").values.sum(axis=(1, 2))
    assert north.tolist() == (3 * 2 * found.links).tolist()
    assert int(bill.traffic.sum()) == int(found.links.sum()) * 3 * 14


def test_memory_follows_the_tokens_and_names_the_core_that_fills():
    trace = run(program := CACHE["kv_concat"](3, tokens=9, capacity=4), drawn(program))
    assert trace.memory.isel(step=-1, x=0).values.tolist() == [0, 0, 4 * trace.attrs["token_bytes"]]
    assert program.operands["K"].blocks[0] == 4


def changed(program, edit):
    moves = program.body[0].steps[0].moves
    body = (Repeat((Step("insert", tuple(edit(move) for move in moves)),), program.body[0].times),)
    return replace(program, body=body)


def test_lost_tokens_are_found():
    good = CACHE["kv_shift"](3, tokens=9)

    def stay(move):
        return replace(move, source=np.full_like(move.index, -1)) if move.read == "K" else move

    def twice(move):
        return replace(move, take=move.take * 0 + 1) if move.read == "K_new" else move

    assert prove(good)
    assert "without token" in prove(changed(good, stay)).detail
    found = prove(changed(good, twice))
    assert not found
    assert "is elsewhere in its column too" in found.detail


def test_a_key_that_is_no_number_is_still_its_token_s():
    program = CACHE["kv_shift"](5, tokens=20)
    keys = np.ones((20, 5))
    keys[3, 1] = np.nan
    assert verify(run(program, {"K": keys, "V": np.ones((20, 5))}))


@pytest.mark.parametrize(
    ("rule", "tokens", "room", "full"),
    [("kv_shift", 41, 40, "all 5 rows are full"), ("kv_concat", 11, 8, "row 4 is full")],
)
def test_tokens_without_room_are_told(rule, tokens, room, full):
    program = CACHE[rule](5, tokens=tokens, capacity=8)
    for keys in (tokens, room):
        trace = run(program, {"K": np.ones((keys, 5)), "V": np.ones((keys, 5))})
        verdict, missing = verify(trace), tokens - room
        assert verdict
        assert trace.attrs["left_out"] == missing
        assert verdict.remark == f"{missing} of {tokens} tokens found no room: {full} after {room}"
        assert verdict.remark in str(verdict)
    assert verify(xr.Dataset(trace.load().variables, attrs=trace.attrs)).remark == verdict.remark
    assert verify(run(CACHE[rule](5, tokens=room, capacity=8))).remark == ""


def test_a_forecast_takes_names():
    assert forecast("LLaMA3-8B", machine="wse2") == forecast("LLaMA3-8B")


def test_wrong_keys_are_found():
    trace = run(program := CACHE["kv_shift"](3, tokens=5), drawn(program))
    keys = trace.K.values.copy()
    keys[-1, 1, 2, 0, 0] += 1
    spoiled = trace.assign(K=(trace.K.dims, keys))
    spoiled.encoding = trace.encoding
    verdict = verify(spoiled)
    assert not verdict
    assert verdict.core == (1, 2)


def test_a_trace_without_its_program_is_checked_for_its_tokens():
    trace = run(CACHE["kv_shift"](3, tokens=7)).load()
    bare = xr.Dataset(trace.variables, attrs=trace.attrs)
    assert verify(bare)
    assert "without its program" in verify(bare).product
    for old, new, words in ((3, 2, "is elsewhere in its column too"), (3, -1, "without token 3")):
        token = bare.token.values.copy()
        token[-1][token[-1] == old] = new
        verdict = verify(bare.assign(token=(bare.token.dims, token)))
        assert not verdict
        assert words in verdict.movement
    swapped = bare.token.values.copy()
    swapped[-1] = swapped[-1, ::-1]
    assert "older than one above" in verify(bare.assign(token=(bare.token.dims, swapped))).movement


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: insert("push", 4, 1), "rule='push'.*concat, shift"),
        (lambda: insert("shift", 0, 1), "rows=0"),
        (lambda: insert("shift", 4, -1), "tokens=-1"),
        (lambda: insert("shift", 4, 1.5), "tokens=1.5"),
        (lambda: insert("shift", 4, 1, prompt=-2), "prompt=-2"),
        (lambda: insert("shift", 4, 1, prompt=[1, 2]), "each of the 4 rows"),
        (lambda: insert("shift", 4, 1, prompt=[1, 9, 0, 0], capacity=5), "row 1 would hold 9"),
        (lambda: insert("shift", 4, 1, capacity=0), "capacity=0"),
        (lambda: insert("shift", 4, 1, capacity=np.inf), "capacity=inf"),
        (lambda: insert("shift", 4, np.nan), "tokens=nan"),
        (lambda: insert("shift", 4, 1, prompt=2.5), "prompt=2.5"),
        (lambda: fill("shift", 4, 1, prompt=[0, 0, 5.5, 0]), "one whole number of tokens"),
        (lambda: capacity(np.nan, 96, 4), "free=nan"),
        (lambda: capacity(np.inf, 96, 4), "free=inf"),
        (lambda: capacity(-1, 96, 4), "free=-1"),
        (lambda: capacity(10, np.inf, 4), "token=inf"),
        (lambda: capacity(10, 96, 0), "rows=0"),
        (lambda: fitted_free(-5, 96, 360), "tokens=-5: give a whole number of 0 or more"),
        (lambda: fitted_free(10, 96, 0), "rows=0: give a whole number of 1 or more"),
        (lambda: fitted_free(10, 0, 4), "token=0"),
        (lambda: forecast("LLaMA3-8B", layers=1000), "layers=1000: LLaMA3-8B has 32 layers"),
        (lambda: forecast("LLaMA3-8B", layers=1.5), "layers=1.5"),
        (lambda: forecast("LLaMA3-8B", machine="wse9"), "wse9"),
        (lambda: capacity(10, 0, 4), "token=0"),
        (lambda: capacity(10, 1, 4, "both"), "rule='both'"),
        (lambda: forecast("GPT"), "known are LLaMA3-8B"),
        (lambda: forecast("LLaMA3-8B", layers=0), "layers=0"),
        (lambda: forecast("LLaMA3-8B", machine=Machine.preset("teaching")), "too few"),
        (lambda: CACHE["kv_shift"](0), "mesh=0"),
        (lambda: CACHE["kv_shift"](900, tokens=4_000), "insert fewer tokens"),
        (lambda: run(CACHE["kv_shift"](2, tokens=3), {"K": np.ones((3, 2))}), "V has shape nothing"),
        (lambda: run(CACHE["kv_shift"](2, tokens=3), {"K": np.ones((2, 2)), "V": np.ones((3, 2))}), "3 tokens"),
    ],
)  # fmt: skip
def test_bad_input(call, words):
    with pytest.raises(ValueError, match=words):
        call()


def test_more_counts_than_can_be_kept_are_refused_at_once():
    with pytest.raises(MemoryError, match=r"insert 25,000,000 tokens or fewer"):
        fill("shift", 4, 10**9)
