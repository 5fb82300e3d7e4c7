"""Published tables: each has a header, a section with units and a source, a use, and agrees with the others."""

import re

import numpy as np
import pytest

import waferviz as wv
from waferviz.cost import ktree
from waferviz.facts import reference
from waferviz.machine import Machine
from waferviz.published import folder, path, rows

DATA = folder("data")
TABLES = sorted(file.stem for file in DATA.glob("*.csv"))
README = (DATA / "README.md").read_text(encoding="utf-8")
SECTIONS = {part.split(":")[0]: part for part in re.split(r"^## ", README, flags=re.MULTILINE)[1:]}


def numbers(name, where):
    return np.array([float(row[name] or "nan") for row in where])


def by(rows_, **values):
    return [row for row in rows_ if all(row[key] == value for key, value in values.items())]


def section(name):
    for title, text in SECTIONS.items():
        if any(re.fullmatch(one.strip().replace("*", ".*"), f"{name}.csv") for one in title.split(",")):
            return text
    raise AssertionError(f"data/README.md has no section for {name}.csv")


@pytest.mark.parametrize("name", TABLES)
def test_every_table_is_described(name):
    text, columns = section(name), list(rows(name)[0])
    assert all(column and column == column.strip() for column in columns)
    assert len(set(columns)) == len(columns)
    assert all(None not in row and None not in row.values() for row in rows(name)), (
        "a row is too long or too short"
    )
    assert "source" in columns or re.search(r"source:|Source:", text)
    assert all(row.get("source", "-") for row in rows(name))


@pytest.mark.parametrize("name", TABLES)
def test_every_table_is_used_by_a_test_or_a_notebook(name):
    readers = [*DATA.parent.glob("tests/*.py"), *DATA.parent.glob("notebooks/*.ipynb")]
    assert any(re.search(rf"\b{name}\b", file.read_text(encoding="utf-8")) for file in readers)


@pytest.mark.parametrize("name", TABLES)
def test_every_table_is_a_dataset(name):
    table = wv.table(name)
    assert list(table.dims) == ["row"]
    assert len(table.row) == len(rows(name))
    assert path(f"{name}.csv").stat().st_size < 100_000


def test_rates_are_cycles_per_layer():
    rates, fit = rows("waferllm_decode_tpr"), rows("waferllm_derived_decode_fit")
    cycles = 1.1e9 / numbers("tpr", fit) / numbers("layers", fit)
    np.testing.assert_allclose(cycles, numbers("cycles_per_layer_at_1.1GHz", fit), rtol=1e-4)
    assert (numbers("ten_allreduces_hop_cycles", fit) == 10 * numbers("allreduce_critical_hops", fit)).all()
    rest = numbers("cycles_per_layer_at_1.1GHz", fit) - numbers("ten_allreduces_hop_cycles", fit)
    np.testing.assert_allclose(rest, numbers("residual_cycles", fit), atol=1)
    for row in fit:
        published = by(rates, model=row["model"], system="WaferLLM", cores_or_gpus=f"{row['P']}x{row['P']}")
        assert [one["tokens_per_s"] for one in published] == [row["tpr"]]


def test_two_answers_give_time_of_prompt_and_token():
    whole, split = by(rows("waferllm_e2e_tpr"), system="WaferLLM"), rows("waferllm_derived_e2e_split")
    for row in split:
        model = by(whole, model=row["model"])[0]
        for answer in ("128", "2048" if row["input_len"] == "2048" else "4096"):
            time = float(row["prefill_seconds"]) + int(answer) * float(row["time_per_output_token_us"]) * 1e-6
            assert int(answer) / time == pytest.approx(
                float(model[f"tpr_{row['input_len']}_{answer}"]), rel=1e-3
            )


def test_work_of_the_prefill():
    derived, published = rows("waferllm_derived_prefill_util"), rows("waferllm_prefill_tpr")
    cycles = 4096 / numbers("tokens_per_s", derived) * 1.1e9 / numbers("layers", derived)
    np.testing.assert_allclose(cycles, numbers("cycles_per_layer_4096_tokens", derived), rtol=1e-4)
    each = numbers("mac_per_core_per_layer", derived) / cycles
    np.testing.assert_allclose(each, numbers("mac_per_core_per_cycle", derived), atol=6e-4)
    assert each.max() < Machine.preset("wse2").macs_fp16
    rates = {row["tokens_per_s"] for row in by(published, system="WaferLLM")}
    assert {row["tokens_per_s"] for row in derived} <= rates


def test_prefill_uses_a_tenth_of_the_peak():
    row, wafer = rows("noc_prefill_utilisation")[0], Machine.preset("wse2", shape=(660, 660))
    peak = 660**2 * wafer.macs_fp16 * 2 * wafer.clock * 1e9
    assert peak / 1e12 == pytest.approx(float(row["TFLOPS_peak"]), abs=0.06)
    done = float(row["tokens_per_s"]) * float(row["GFLOP_per_token"]) * 1e9
    assert done / peak == pytest.approx(float(row["utilisation"]), abs=6e-5)


def test_rooflines_follow_from_the_machines():
    work = {row["quantity"]: float(row["value"]) for row in rows("noc_llama3_8b_work")}
    read = work["weight bytes per decoded token (fp16)"] + work["KV bytes read per decoded token at 4K"]
    macs = work["MACs per decoded token at 4K"]
    assert 2 * macs == work["FLOP per decoded token at 4K"]
    assert 2 * macs / read == pytest.approx(work["FLOP per byte"], abs=6e-4)
    limits = {
        (row["machine"], row["limit"].split(" (")[0].split(":")[0]): float(row["limit_tokens_per_s"])
        for row in rows("noc_decode_limits")
    }
    gpu, wafer = reference("a100"), Machine.preset("wse2")
    second = wafer.clock * 1e9
    expected = {
        ("A100 one GPU", "compute"): gpu.peak_fp16 * 1e12 / (2 * macs),
        ("A100 one GPU", "memory bandwidth"): 2.039e12 / read,
        ("WSE-2 whole wafer", "memory bandwidth"): 20e15 / read,
        ("WSE-2 whole wafer", "compute"): wafer.cores * wafer.macs_fp16 * second / macs,
    }  # fmt: skip
    ten = {row["P"]: float(row["ten_allreduces_cycles_per_layer"]) for row in rows("noc_decode_allreduce")}
    for side in (420, 540, 660):
        mesh = f"WSE-2 {side}x{side}"
        expected |= {
            (mesh, "memory bandwidth"): side**2 * 16 * second / read,
            (mesh, "compute"): side**2 * wafer.macs_fp16 * second / macs,
            (mesh, "distance"): second / (32 * 10 * side),
            (mesh, "10 two-level allreduces per layer, per-wavelet simulator"): second / (32 * ten[str(side)]),
        }  # fmt: skip
    assert expected.keys() == limits.keys()
    for key, value in expected.items():
        assert value == pytest.approx(limits[key], rel=1e-4, abs=0.06), key
    assert rows("noc_decode_limits")[0]["limit_tokens_per_s"] == f"{gpu.memory_bandwidth * 1e12 / read:.1f}"
    share = wv.table("noc_decode_limits")
    np.testing.assert_allclose(
        share.measured_tokens_per_s / share.limit_tokens_per_s, share.measured_over_limit, rtol=2e-3
    )


def test_ten_allreduces_of_a_layer_by_the_closed_form():
    for row in rows("noc_decode_allreduce"):
        d, s, f, p, g = (int(row[name]) for name in ("dim_per_pe", "seq_per_pe", "ffn_per_pe", "P", "groups"))
        lengths = np.array([1, 3 * d, s, 1, 1, d, d, 1, 2 * f, d])
        cycles = int(ktree(-(-lengths // 2), (p // g, g)).sum())
        assert cycles == int(row["ten_allreduces_cycles_per_layer"])


def test_the_fit_of_decode_rates():
    fit = rows("noc_decode_model_fit")
    predicted = numbers("ten_allreduces_cycles", fit) + 4724 + 25.6 * numbers("gemv_map_steps", fit)
    np.testing.assert_allclose(predicted, numbers("predicted_cycles_per_layer", fit), atol=8)
    error = 100 * (numbers("predicted_cycles_per_layer", fit) / numbers("measured_cycles_per_layer", fit) - 1)
    np.testing.assert_allclose(error, numbers("error_percent", fit), atol=0.02)
    assert np.abs(error).mean() == pytest.approx(1.9, abs=0.1)
    assert np.abs(error).max() == pytest.approx(5.4, abs=0.05)
    assert np.abs(numbers("error_percent_left_out", fit)).max() == pytest.approx(6.9, abs=0.05)


def test_a_layer_of_decode_has_ten_allreduces():
    axes = [row["allreduce_axis"].split()[0] for row in rows("waferllm_decode_layer_schedule")]
    assert (axes.count("y"), axes.count("x")) == (7, 3)


def test_hops_of_the_released_groups():
    for row in rows("waferllm_decode_configs"):
        p, root = int(row["P"]), int(row["root_2nd"])
        assert int(row["group_num"]) * int(row["pes_per_group"]) == p
        assert int(row["allreduce_critical_hops"]) == 2 * max(root, p - 1 - root)


def test_a_shifting_cache_holds_rows_times_as_much():
    table = rows("waferllm_kv_capacity")
    for concat, shift in zip(table[::2], table[1::2], strict=True):
        held = [int(row["max_decode_output_tokens"]) for row in (concat, shift)]
        assert held[1] / held[0] == pytest.approx(float(shift["ratio_vs_concat"]), abs=0.006)
        lines = int(shift["decode_grid"].split("x")[0])
        assert held[1] // lines == held[0]


def test_models_of_the_capacity_table():
    models = {row["model"]: row for row in rows("waferllm_kv_models")}
    assert models.keys() == {row["model"] for row in rows("waferllm_kv_capacity")}
    for name, row in models.items():
        layers, width, hidden, kv = (int(row[key]) for key in ("layers", "width", "hidden", "kv_width"))
        linear = layers * (2 * width**2 + 2 * width * kv + 3 * width * hidden)
        assert 0.8 < linear / 1e9 / float(name.split("-")[1].rstrip("B")) < 1
    llama = models["LLaMA3-8B"]
    work = {row["quantity"]: float(row["value"]) for row in rows("noc_llama3_8b_work")}
    pair = 2 * 2 * int(llama["layers"]) * int(llama["kv_width"])
    assert pair * 4096 == work["KV bytes read per decoded token at 4K"]


def test_a_shifting_cache_keeps_all_tokens_in_order():
    for row in rows("waferllm_oracle_kv_shift"):
        kept = [
            token for shelf in row["contents_top_to_bottom"].split("|") for token in shelf.split(",") if token
        ]
        assert kept == [str(token) for token in range(int(row["token_index"]) + 1)]


def test_claims_against_the_tables_behind_them():
    claims = {(row["topic"], row["claim"]): row["check"] for row in rows("waferllm_claims")}
    prefill = rows("waferllm_prefill_tpr")
    for system, expected in (("T10", "111-215x"), ("Ladder", "166-885x")):
        ours, theirs = (
            numbers("tokens_per_s", by(prefill, device="WSE-2", system=one)) for one in ("WaferLLM", system)
        )
        low, high = (ours / theirs).min(), (ours / theirs).max()
        assert f"{low:.0f}-{high:.0f}x" == expected
        assert expected in claims["prefill", f"vs {system}"]
    whole = rows("waferllm_e2e_tpr")
    names = [name for name in whole[0] if name.startswith("tpr_")]
    alone = [
        float(by(whole, model=model, system="WaferLLM")[0][name]) / float(by(whole, model=model, system="SGLang", n_devices="1")[0][name])
        for model in ("LLaMA3-8B", "LLaMA2-13B")
        for name in names
    ]  # fmt: skip
    assert f"{min(alone):.0f}-{max(alone):.0f}x" in claims["E2E", "vs 1 A100"] == "Table 2 gives 19-80x"


def test_the_chips_of_the_paper_are_the_machines():
    found = {(row["device"], row["item"]): row["value"] for row in rows("waferllm_hardware")}
    wafer, doubts = Machine.preset("wse2"), Machine.preset("wse2").doubts()
    assert float(found["WSE-2", "cores"]) == wafer.cores
    assert (
        found["WSE-2", "largest user rectangle with memcpy"]
        == f"750 x 994 = {wafer.shape[0] * wafer.shape[1]}"
    )
    assert float(found["WSE-2", "SRAM per core"]) * 1024 == wafer.bytes_per_core
    assert float(found["WSE-2", "hop latency"]) == wafer.hop
    assert float(found["WSE-2", "link width"]) == 32 * wafer.link_words
    assert float(found["WSE-2", "clock used to convert cycles to time in WaferLLM"]) == wafer.clock
    other = float(found["WSE-2", "clock in Cerebras SDK examples and Luczynski et al."])
    assert other in [doubt.value for doubt in doubts if doubt.quantity == "clock"]
    assert found["WSE-2", "routable colours"].startswith(str(wafer.routes))
    assert 2 ** int(found["WSE-2", "colour tag"]) in [
        doubt.value for doubt in doubts if doubt.quantity == "routes"
    ]
    assert found["Tesla Dojo D1", "nodes per die"] == f"{Machine.preset('dojo_d1').cores} enabled of 360"
    for name, item in (
        ("Blackhole p150", "140 / 210 MB / 1.35 GHz"),
        ("Wormhole n150", "72 / 108 MB / 1 GHz"),
    ):
        chip = Machine.preset(name.split()[0].lower())
        assert item == found[f"Tenstorrent {name}", "Tensix cores / SRAM / clock"]
        assert item.split(" /")[0] == str(chip.cores)
        assert item.endswith(f"{chip.clock} GHz")


def test_meshes_of_the_paper_fit_on_the_wafer():
    grids = {grid for row in rows("waferllm_core_config") for grid in re.findall(r"\d+x\d+", row["grid"])}
    assert {"660x660", "750x750", "720x720"} <= grids
    for grid in grids:
        assert not Machine.preset("wse2", shape=tuple(map(int, grid.split("x")))).is_what_if


def test_latency_of_allreduces_in_the_papers_letters():
    formulas = {
        row["algorithm"]: row["latency"].replace("^", "**") for row in rows("waferllm_plmr_allreduce")
    }
    values = {"alpha": 1, "beta": 5, "N": 720, "K": 2}
    pipeline, tree = (eval(formulas[name], {}, values) for name in ("pipeline", "K-tree (MeshGEMV)"))
    assert pipeline == 5040
    assert tree == pytest.approx(854, abs=0.5)
    assert pipeline / tree == pytest.approx(5.9, abs=0.01)


def test_a_link_on_the_wafer_is_a_hundred_times_cheaper_than_off_chip():
    table = {row["metric"]: row for row in rows("waferllm_table1_die_vs_wafer")}
    assert table["die_to_die_energy_pJ_per_bit"]["system_on_wafer"] == "~0.1s"
    assert {row["quantity"]: row for row in rows("noc_energy_constants")}["hop"]["value"] == "0.1"


def test_routes_of_the_published_code_fit_the_wafer():
    table = rows("waferllm_colors")
    assert all(
        int(row["distinct_data_colours"]) <= Machine.preset("wse2").routes
        for row in table
        if row["distinct_data_colours"].isdigit()
    )
    assert by(table, kernel="MeshGEMM")[0]["distinct_data_colours"] == "12"


def test_saturation_is_one_over_the_busiest_link():
    table = wv.table("noc_booksim_saturation")
    np.testing.assert_allclose(
        np.minimum(1 / table.max_channel_load_per_unit_injection, 1), table.ideal_saturation, atol=6e-5
    )
    np.testing.assert_allclose(
        table.measured_saturation_latency_3x / table.ideal_saturation, table.fraction_of_ideal, atol=4e-3
    )


def test_permutations_are_bound_by_their_busiest_link():
    for row in rows("noc_sample_perm2d"):
        assert int(row["cycles"]) >= int(row["max_link_load"]) + 2 * int(row["t_ramp"]) + 1


def test_third_party_runs_compute_the_whole_product():
    for row in rows("waferllm_sim_wse3_thirdparty"):
        tile = [int(row[f"{side}t"]) * int(row["P"]) for side in "MKN"]
        assert tile == [int(row[side]) for side in "MKN"]
