"""Published tables of low-bit models and kernels: what each says of itself follows from its rows, ours and the others."""

import numpy as np
import pytest

import waferviz as wv
from waferviz.facts import reference
from waferviz.lowbit import Model, Weights, area, energy, model_bytes, precision, tile
from waferviz.lowbit.tables import additions
from waferviz.published import rows


def numbers(table, column):
    return np.array([float(row[column] or "nan") for row in rows(table)])


def pick(table, **values):
    return [row for row in rows(table) if all(row[key] == value for key, value in values.items())]


def means(table, columns, average):
    return np.mean([numbers(table, name) for name in columns], axis=0) - numbers(table, average)


TASKS = ("arc_e", "arc_c", "hellaswag", "piqa", "winogrande")


def test_averages_are_those_of_the_tasks():
    assert np.abs(means("lowbit_b158_zeroshot", (*TASKS, "boolq", "openbookqa"), "avg")).max() < 0.09
    assert np.abs(means("lowbit_a48_quality", TASKS, "avg")).max() < 0.09
    five = ("hellaswag", "boolq", "openbookqa", "piqa", "winogrande")
    assert np.abs(means("lowbit_lutcore_t5_tablequant", five, "avg5_recomputed")).max() < 0.06


def test_tables_of_8_bits_keep_the_quality_of_2_bit_weights():
    exact, rounded = pick("lowbit_lutcore_t5_tablequant", weight="INT2 (BitDistiller)")
    assert rounded["act_or_table"] == "table INT8"
    assert float(rounded["wikitext2_ppl"]) - float(exact["wikitext2_ppl"]) == pytest.approx(0.01)
    assert float(rounded["avg5_recomputed"]) >= float(exact["avg5_recomputed"])


def test_ratios_of_memory_and_latency():
    for row in rows("lowbit_b158_cost"):
        size = "3B" if row["size"] == "3.9B" else row["size"]
        whole = pick("lowbit_b158_cost", model="LLaMA LLM FP16", size=size)[0]
        for amount, ratio in (("memory_gb", "memory_ratio"), ("latency_ms", "latency_ratio")):
            assert float(whole[amount]) / float(row[amount]) == pytest.approx(float(row[ratio]), rel=0.01)
    claims = {row["quantity"]: row for row in rows("lowbit_b158_claims")}
    for topic in ("max batch", "throughput"):
        few, wide = claims[f"BitNet b1.58 70B {topic}"], claims[f"LLaMA 70B {topic}"]
        assert f"{float(few['value']) / float(wide['value']):.1f}x" == few["note"]
    pj = energy.constants("7nm")
    saving = (pj["fp16 add"] + pj["fp16 mul"]) / pj["int8 add"]
    stated = float(claims["matmul arithmetic energy saving at 7nm"]["value"])
    assert saving == pytest.approx(stated, abs=0.05)


def test_2b4t_is_the_same_model_in_both_tables():
    wide = {row["benchmark"]: row for row in rows("lowbit_b2b4t_vs_fp")}
    for row in rows("lowbit_b2b4t_vs_int4")[:-1]:
        for ours, theirs in (("bitnet_b158_2b", "bitnet_b158_2b"), ("qwen2_5_1_5b", "qwen2_5_1_5b_bf16")):
            assert wide[row["metric"]][ours] == row[theirs]
    scores = rows("lowbit_b2b4t_vs_int4")[1:]
    for name in ("qwen2_5_1_5b_gptq_int4", "qwen2_5_1_5b_awq_int4", "bitnet_b158_2b"):
        *tasks, average = (float(row[name]) for row in scores)
        assert np.mean(tasks) == pytest.approx(average, abs=0.01)
    least = model_bytes(Model.named("BitNet b1.58 2B4T"), bits_per_weight=np.log2(3)).bytes[0]
    assert f"{float(least) / 1e9:.1f}" == wide["memory_non_emb_gb"]["bitnet_b158_2b"]


def test_half_of_the_inputs_of_the_output_projection_are_zero_in_a48():
    shares = ("qkv", "out", "up", "gate", "down")
    for row in rows("lowbit_a48_sparsity"):
        share = [float(row[name]) for name in shares]
        assert min(share) < float(row["overall"]) < max(share)
        if "a4.8" in row["model"]:
            assert float(row["out"]) == 50
            assert float(row["overall"]) > 42


def test_speedups_of_gpu_kernels():
    ratio = numbers("lowbit_bitnet_gpu_w2a8", "bf16") / numbers("lowbit_bitnet_gpu_w2a8", "w2a8")
    np.testing.assert_allclose(ratio, numbers("lowbit_bitnet_gpu_w2a8", "speedup"), atol=0.011)
    found = wv.table("lowbit_bitblas_bitnet3b")
    assert (found.hf_latency_ms > found.bitblas_latency_ms).all()
    three = Model.named("b1.58 3B")
    least = float(model_bytes(three).bytes.sum()) / 1e6
    assert least < float(found.bitblas_mem_mb.min()) < float(found.hf_mem_mb.min())


@pytest.mark.parametrize("row", rows("lowbit_bitnetcpp_configs"), ids=lambda row: row["name"])
def test_bytes_of_a_token(row):
    hidden, ffn, layers = (int(row[name]) for name in ("hidden", "ffn", "layers"))
    model = Model(name=row["name"], hidden=hidden, ffn=ffn, layers=layers, q_dim=hidden, kv_dim=hidden)
    assert model.linear_weights == int(row["linear_params_derived"])
    for name, bits in (("i2s", 2), ("tl2", 5 / 3)):
        held = float(model_bytes(model, bits_per_weight=bits).bytes[0])
        assert held == pytest.approx(int(row[f"{name}_bytes_per_token_derived"]), abs=0.51)


def test_kernels_that_keep_every_bit_keep_the_perplexity():
    reference_, *others = rows("lowbit_bitnetcpp_quality")
    for row in others:
        if row["lossless"] == "yes":
            assert row["wikitext2_ppl"] == reference_["wikitext2_ppl"]
        elif row["wikitext2_ppl"]:
            assert float(row["wikitext2_ppl"]) > float(reference_["wikitext2_ppl"])
    assert (np.diff(numbers("lowbit_bitnetcpp_embedding_quant_ppl", "wikitext")[:-1]) > 0).all()
    assert rows("lowbit_bitnetcpp_embedding_quant_ppl")[-1]["embedding_type"] == "I2_S"


def test_energy_of_a_token_on_cpus():
    saving = 100 * (1 - numbers("lowbit_bitnetcpp_energy", "bitnetcpp_j_per_token") / numbers("lowbit_bitnetcpp_energy", "llamacpp_j_per_token"))  # fmt: skip
    known = ~np.isnan(saving)
    assert known.sum() == 5
    for column in ("saving_pct_published", "saving_pct_recomputed"):
        np.testing.assert_allclose(
            saving[known], numbers("lowbit_bitnetcpp_energy", column)[known], atol=0.06
        )
    joules = numbers("lowbit_tmac_orin_energy", "power_w") / numbers("lowbit_tmac_orin_energy", "tokens_per_s")  # fmt: skip
    np.testing.assert_allclose(
        joules, numbers("lowbit_tmac_orin_energy", "recomputed_j_per_token"), atol=6e-4
    )
    np.testing.assert_allclose(joules, numbers("lowbit_tmac_orin_energy", "energy_j_per_token"), atol=0.011)


def test_speeds_of_bitnetcpp_are_below_the_memory_of_the_computer():
    bytes_ = {row["name"]: int(row["i2s_bytes_per_token_derived"]) for row in rows("lowbit_bitnetcpp_configs")}  # fmt: skip
    memory = {row["device"]: float(row["max_mem_bw_GBps"]) for row in rows("lowbit_tmac_devices")}
    best = [row for row in pick("lowbit_bitnetcpp_speed", cpu="Apple M2 Ultra", kernel="bitnet.cpp best") if row["tokens_per_s"]]  # fmt: skip
    assert len(best) > 5
    for row in best:
        assert float(row["tokens_per_s"]) * bytes_[row["model_size"]] / 1e9 < memory["M2-Ultra"]


def test_tmac_beside_llamacpp():
    found = wv.table("lowbit_tmac_e2e")
    np.testing.assert_allclose(found.tmac_tps / found.llamacpp_tps, found.speedup_derived, atol=0.006)
    cores = {row["device"].removeprefix("Jetson "): int(row["cores"]) for row in rows("lowbit_tmac_devices")}
    assert all(int(row["threads"]) <= cores[row["device"]] for row in rows("lowbit_tmac_e2e"))
    orin = {row["framework"]: row["tokens_per_s"] for row in rows("lowbit_tmac_orin_energy")}
    (same,) = pick("lowbit_tmac_e2e", model="Llama-2-7B W2", device="AGX Orin", threads="12")
    assert (same["llamacpp_tps"], same["tmac_tps"]) == (orin["llama.cpp CPU"], orin["T-MAC CPU"])
    (one,) = pick("lowbit_tmac_e2e", model="Llama-2-7B W4", device="M2-Ultra", threads="1")
    quality = {row["framework"]: row for row in rows("lowbit_tmac_quality")}
    assert quality["llama.cpp Q4_0"]["tokens_per_s"] == one["llamacpp_tps"]
    assert quality["T-MAC + fast aggregation"]["tokens_per_s"] == one["tmac_tps"]


def test_claims_of_tmac_against_its_tables():
    claims = {row["quantity"]: row for row in rows("lowbit_tmac_claims")}
    nmse = wv.table("lowbit_tmac_nmse")
    factor = nmse.tmac_fast_aggregation / nmse.tmac
    assert claims["fast aggregation NMSE factor"]["note"] == f"table 3 ratios are {factor.min():.2f}-{factor.max():.2f}"  # fmt: skip
    assert factor.max() < float(claims["fast aggregation NMSE factor"]["value"])
    lookup = {row["framework"]: float(row["winogrande_acc"]) for row in rows("lowbit_tmac_quality")}
    assert f"{lookup['T-MAC'] - lookup['T-MAC + fast aggregation']:.1f} points" in rows("lowbit_tmac_quality")[-1]["note"]  # fmt: skip


def test_the_npu_is_deduced_for_two_bits():
    for row in rows("lowbit_tmac_vs_gpu_npu"):
        assert float(row["tmac_cpu_tps"]) > float(row["llamacpp_cpu_tps"])
        if "deduced" in row["note"]:
            (four,) = pick("lowbit_tmac_vs_gpu_npu", device=row["device"], model="Llama-2-7B-4bit")
            assert row["npu_tps"] == four["npu_tps"]


def test_ladder_has_one_layer_in_two_tables():
    layer = {row["system"]: row for row in pick("lowbit_ladder_a100_e2e", workload="LLaMA2-70B layer")}
    (wide,) = pick("lowbit_ladder_bitwidth_scaling", config="W_FP16 A_FP16")
    assert layer["Ladder FP16"]["bs1_seq1_ms"] == wide["llama_bs1_seq1_ms"]
    assert layer["Ladder FP16"]["bs1_seq4096_ms"] == wide["llama_bs1_seq4096_ms"]
    decode = [float(row["llama_bs1_seq1_ms"]) for row in rows("lowbit_ladder_bitwidth_scaling")[:5]]
    assert decode == sorted(decode, reverse=True)
    assert decode[-1] > decode[0] / 16


@pytest.mark.parametrize("row", rows("lowbit_opcounts")[2:6], ids=lambda row: row["scheme"])
def test_operations_of_a_lookup(row):
    group, bits = int(row["group"]), int(row["weight_bits"])
    assert int(row["table_entries_unique"]) == int(tile(K=group).inputs) == 2 ** (group - 1)
    assert float(row["lookups_per_weight"]) == float(row["accumulate_adds_per_weight"]) == bits / group
    assert float(row["precompute_adds_per_activation_amortise_over_N"]) == additions(group) / group
    codes = np.zeros((2, 8), int)
    assert Weights.of(codes, bits=bits, zero=0).bits_per_weight(0) == float(row["bits_per_weight"])


def test_constants_and_parts_of_the_published_tables():
    found = {row["op"]: row for row in rows("lowbit_energy_constants") if row["node"] == "45nm"}
    assert energy.constants("45nm")["int8 add"] == float(found["int8 add"]["energy_pj"])
    assert area.Parts.of("int8").mul == float(found["int8 mul"]["area_um2"])
    assert precision().sizes["part"] == len(rows("lowbit_precision"))
    low = {row["part"] for row in rows("lowbit_precision") if row["low_bit"] == "yes"}
    assert low == set(precision().part.values[precision().low_bit.values])


def test_differences_of_the_consistency_table():
    for row in rows("lowbit_lutcore_consistency"):
        if row["rel_diff_pct"]:
            off = 100 * (float(row["lhs"]) / float(row["rhs"]) - 1)
            assert off == pytest.approx(float(row["rel_diff_pct"]), abs=0.06)
    gpu = reference("a100")
    (dense,) = pick("lowbit_lutcore_consistency", check="A100 FP16 density")
    assert gpu.peak_fp16 / (108 * 0.975) == pytest.approx(float(dense["lhs"]), abs=6e-4)


def test_lookup_tensor_cores_beside_other_accelerators():
    ours = pick("lowbit_lutcore_t3_accelerators", accelerator="LUT Tensor Core")[0]
    unpu = pick("lowbit_lutcore_t3_accelerators", accelerator="UNPU")[0]
    efficiency = [float(row["pe_energy_eff"].split()[0]) for row in (ours, unpu)]
    assert efficiency[0] > 2 * efficiency[1]
    assert (ours["engine"], ours["compiler_stack"]) == ("LUT", "yes")


def test_every_question_names_its_thread():
    found = rows("lowbit_issues")
    threads = [row["thread"] for row in found]
    assert len(set(threads)) == len(threads)
    assert all("#" in thread and "/" in thread for thread in threads)
    for row in found:
        assert row["source"].startswith("issue thread, ")
        assert row["source"].rpartition("#")[0].split(", ")[1] in row["thread"].replace(" PR", "")
