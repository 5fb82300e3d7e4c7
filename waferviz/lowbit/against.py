"""Published numbers of low-bit arithmetic beside ours, and published curves as Datasets."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from waferviz.lowbit.energy import Model, model_bytes, model_energy
from waferviz.lowbit.matmul import lut_matmul
from waferviz.lowbit.quantize import groupwise, nmse
from waferviz.lowbit.shape import density, peak, precompute
from waferviz.lowbit.silicon import published_checks
from waferviz.published import rows

if TYPE_CHECKING:
    import xarray as xr

Row = tuple[str, str, float, float, str, float, str]
SOURCES = {
    "energy of the arithmetic": "BitNet, arXiv 2310.11453, table 1; 2B4T, arXiv 2504.12285, table 1",
    "area of a lookup unit": "LUT Tensor Core, ISCA 2025, figures 11 to 13",
    "tensor cores": "LUT Tensor Core, ISCA 2025, tables 1 and 2, section 3.1",
    "memory": "BitNet b1.58, arXiv 2402.17764, table 1",
    "rounding": "T-MAC, EuroSys 2025, table 3",
}


def comparison() -> xr.Dataset:
    """Every published number of low-bit arithmetic that we work out ourselves: dim figure.

    Variables: `comparison` (its topic), `name`, `theirs`, `ours`, `units`, `error` (ours over theirs, less 1), `exact` (equal
    as far as theirs is printed, or within the tolerance of its topic), `within` (10 %), `source`, and `note` where it is not
    exact.
    """
    import xarray as xr

    found = [*_energies(), *_areas(), *_tensor_cores(), *_memory(), *_roundings()]
    topic, name, ours, theirs, units, room, note = (np.array(column) for column in zip(*found, strict=True))
    error = ours / theirs - 1
    exact = np.abs(ours - theirs) <= room * (1 + 1e-9)
    text = {
        "comparison": topic,
        "name": name,
        "units": units,
        "note": note,
        "source": np.array([SOURCES[one] for one in topic]),
    }
    return xr.Dataset(
        {
            "ours": ("figure", ours, {"units": "as in `units`", "long_name": "our number"}),
            "theirs": ("figure", theirs, {"units": "as in `units`", "long_name": "their number"}),
            "error": ("figure", error, {"units": "1", "long_name": "relative error"}),
            "exact": ("figure", exact, {"units": "1", "long_name": "equal as far as theirs is known"}),
            "within": ("figure", exact | (np.abs(error) <= 0.1), {"units": "1", "long_name": "within ten percent"}),
            **{key: ("figure", values) for key, values in text.items()},
        }
    )  # fmt: skip


def _energies() -> list[Row]:
    models = {row["case"]: row["name"] for row in rows("lowbit_models") if row["case"]}
    found: list[Row] = []
    for row in rows("lowbit_energy_validation"):
        joules = model_energy(Model.named(models[row["case"]]), node=row["node"]).energy.sum("part")
        ours = float(joules.sum() if row["part"] == "ADD+MUL" else joules.sel(op=row["part"].lower()))
        digits = 3 if "2B4T" in row["case"] else 2
        note = "" if row["rounds_to_published"] == "yes" else "one off in the last digit"
        name = f"{row['case']}, {row['node']}, {row['part'].lower()}"
        found.append(
            ("energy of the arithmetic", name, ours, float(row["published_j"]), "J", 0.5 * 10**-digits, note)
        )
    return found


def _areas() -> list[Row]:
    checks = published_checks()
    note = "the published unit lies between the two of this model"
    return [
        ("area of a lookup unit", str(name), float(ours), float(theirs), "1", 0.0 if holds else 0.05 * float(theirs), "" if holds else note)
        for name, ours, theirs, holds in zip(checks.check.values, checks.ours, checks.published, checks.holds, strict=True)
    ]  # fmt: skip


def _tensor_cores() -> list[Row]:
    found: list[Row] = []
    for row in rows("lowbit_lutcore_t1_overall"):
        theirs = float(row["density_tops_per_mm2"])
        ours = float(
            density(float(row["peak_tops"]), float(row["tc_area_mm2_per_sm"]), int(row["sm_count_assumed"]))
        )
        note = "peak over area gives 18.52 in the same published row" if "INT8" in row["config"] else ""
        found.append(
            ("tensor cores", f"density of {row['config']}", ours, theirs, "TOP/s/mm2", 0.003 * theirs, note)
        )
    table = rows("lowbit_lutcore_t2_unpu")
    for row in table[1:]:
        ratio = float(table[0]["area_um2"]) / float(row["area_um2"])
        found.append(
            ("tensor cores", row["step"], ratio, float(row["norm_compute_intensity"]), "1", 5e-4, "")
        )
    found += [("tensor cores", f"peak, {arrays} arrays, 2 bits", peak(2, arrays) / 1e12, top, "TOP/s", 2.0, "") for arrays, top in ((4, 1248.0), (8, 2496.0))]  # fmt: skip
    built = float(precompute(4096, 12288, 12288).built[0])
    return [
        *found,
        ("tensor cores", "times each table is built beside the arrays", built, 3072.0, "1", 0.0, ""),
    ]


def _memory() -> list[Row]:
    note = "cache, activations and buffers, about 0.4 to 1 GB, are not in the model"
    return [
        ("memory", f"b1.58 {row['size']}", float(model_bytes(Model.named(f"b1.58 {row['size']}")).bytes.sum()) / 1e9, float(row["b158_published_gb"]), "GB", 0.01, note)
        for row in rows("lowbit_memory_model")
    ]  # fmt: skip


def _roundings() -> list[Row]:
    """Errors of T-MAC's 4-bit product as ratios: tables of 8 bits, and fast aggregation on top of them."""
    theirs = [
        {key: float(row[key]) for key in ("llama_cpp", "tmac", "tmac_fast_aggregation")}
        for row in rows("lowbit_tmac_nmse")
    ]
    ours = rounding_ratios()
    fast = "rounding up at every level adds up, so ours grows with K; why the published ratio does not is not known"
    return [
        ("rounding", "error with 8-bit tables over error without, 4 bits", ours["tables"], float(np.mean([row["tmac"] / row["llama_cpp"] for row in theirs])), "1", 0.01, ""),
        ("rounding", "error with averages, uncorrected, over error without", ours["fast"], float(np.mean([row["tmac_fast_aggregation"] / row["tmac"] for row in theirs])), "1", 0.4, fast),
    ]  # fmt: skip


def rounding_ratios(outputs: int = 64, K: int = 1024, seed: int = 0) -> dict[str, float]:
    """NMSE of 4-bit products of Gaussian numbers, against the full-precision product, as ratios.

    `tables` is with 8-bit tables over exact ones; `fast` and `fast-corrected` are with averages over without.
    """
    rng = np.random.default_rng(seed)
    a, w = rng.normal(size=(4, K)), rng.normal(size=(outputs, K))
    made = groupwise(w, 4, scale_group=32)
    how: dict[str, Any] = {"bits": 4, "zero": made.zero, "scale": made.scale, "scale_group": 32}
    true = a @ w.T
    exact = nmse(lut_matmul(a, made.q, **how), true)
    how |= {"table": "int8", "table_group": 32}
    tables = nmse(lut_matmul(a, made.q, **how), true)
    fast = {
        name: nmse(lut_matmul(a, made.q, **how, aggregate=name), true) / tables
        for name in ("fast", "fast-corrected")
    }
    return {"tables": tables / exact, **fast}


def fewer_bits() -> xr.Dataset:
    """Published curves of what fewer bits cost and buy.

    `perplexity`, `memory` (GB) and `latency` (ms per token) over dims size and weights, from BitNet b1.58, table 1, with
    `parameters` of the linear layers; `layer_time` (ms) over weight_bits and phase, from the artifact of Ladder: decoding
    gets faster with fewer bits, prefill does not, since the weights are made 16 bits wide again before they are multiplied.
    """
    import xarray as xr

    cost = {(row["size"], row["model"]): row for row in rows("lowbit_b158_cost")}
    sizes, models = (
        ["700M", "1.3B", "3B"],
        {"16 bits (LLaMA)": "LLaMA LLM FP16", "1.58 bits (BitNet)": "BitNet b1.58"},
    )
    table = {
        key: [[float(cost[size, model][key]) for model in models.values()] for size in sizes]
        for key in ("ppl", "memory_gb", "latency_ms")
    }
    ladder = {row["config"]: row for row in rows("lowbit_ladder_bitwidth_scaling")}
    bits = {
        16: "W_FP16 A_FP16",
        8: "W_INT8 A_FP16",
        4: "W_INT4 A_FP16",
        2: "W_INT2 A_FP16",
        1: "W_INT1 A_FP16",
    }
    times = [
        [float(ladder[config][f"llama_bs1_{key}_ms"]) for key in ("seq1", "seq4096")]
        for config in bits.values()
    ]
    dims = ("size", "weights")
    return xr.Dataset(
        {
            "perplexity": (dims, table["ppl"], {"units": "1", "long_name": "perplexity, lower is better"}),
            "memory": (dims, table["memory_gb"], {"units": "GB", "long_name": "memory"}),
            "latency": (dims, table["latency_ms"], {"units": "ms", "long_name": "time per token"}),
            "parameters": ("size", [Model.named(f"b1.58 {size}").linear_weights for size in sizes], {"units": "1"}),
            "layer_time": (("weight_bits", "phase"), times, {"units": "ms", "long_name": "time of a layer, LLaMA2-70B on an A100"}),
        },
        {"size": sizes, "weights": list(models), "weight_bits": list(bits), "phase": ["decoding one token", "prefill of 4,096"]},
        {"source": "BitNet b1.58, arXiv 2402.17764, table 1; Ladder, OSDI 2024, artifact"},
    )  # fmt: skip


def kernels() -> xr.Dataset:
    """Published speeds of kernels by model size and computer: dims kernel, size and cpu.

    `speed` (tokens per second, NaN where a model did not fit), `bits` per weight and `traffic`, the bytes of weights that
    such a speed reads per second.  Source: Bitnet.cpp, arXiv 2502.11880, table 7.
    """
    import xarray as xr

    found = [row for row in rows("lowbit_bitnetcpp_speed") if "Table 7" in row["source"]]
    names, sizes, cpus = (
        list(dict.fromkeys(row[key] for row in found)) for key in ("kernel", "model_size", "cpu")
    )
    speed = np.full((len(names), len(sizes), len(cpus)), np.nan)
    for row in found:
        speed[names.index(row["kernel"]), sizes.index(row["model_size"]), cpus.index(row["cpu"])] = float(
            row["tokens_per_s"] or "nan"
        )
    width = {
        row["kernel"].split(" ")[0]: float(row["bpw"])
        for row in rows("lowbit_bitnetcpp_quality")
        if row["bpw"]
    }
    bits = np.array([2.0 if name.startswith("T-MAC") else width[name] for name in names])
    weights = {row["name"]: float(row["linear_params_derived"]) for row in rows("lowbit_bitnetcpp_configs")}
    known = np.array([weights.get(size, np.nan) for size in sizes])
    dims = ("kernel", "size", "cpu")
    return xr.Dataset(
        {
            "speed": (dims, speed, {"units": "1/s", "long_name": "tokens per second"}),
            "bits": ("kernel", bits, {"units": "bit", "long_name": "bits per weight"}),
            "weights": ("size", known, {"units": "1", "long_name": "weights of the linear layers"}),
            "traffic": (dims, speed * bits[:, None, None] / 8 * known[:, None] / 1e9, {"units": "GB/s", "long_name": "weights read"}),
        },
        {"kernel": names, "size": sizes, "cpu": cpus},
        {"source": "Bitnet.cpp, arXiv 2502.11880, table 7"},
    )  # fmt: skip
