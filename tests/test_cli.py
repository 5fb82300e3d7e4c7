"""The command line: what it prints, what it writes, and how it refuses."""

import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest
from click.testing import CliRunner

from waferviz import cli, published, report
from waferviz.algorithms import ALLREDUCE, GEMM, GEMV
from waferviz.algorithms.meshgemm import meshgemm
from waferviz.inputs import SAMPLES, matrix, sample
from waferviz.listing import first_line
from waferviz.machine import presets

A = np.random.default_rng(5).integers(-9, 10, (12, 18))
B = np.random.default_rng(6).integers(-9, 10, (18, 15))


@pytest.fixture
def run(tmp_path, monkeypatch):
    """`waferviz ...` in a folder that holds a.npy (12 x 18) and b.csv (18 x 15)."""
    monkeypatch.chdir(tmp_path)
    np.save("a.npy", A)
    np.savetxt("b.csv", B, fmt="%d", delimiter=",")
    return lambda *words: CliRunner().invoke(cli.main, list(words), prog_name="waferviz")


def test_multiplies_two_files_and_says_what_it_cost(run):
    said = run("multiply", "a.npy", "b.csv", "--mesh", "4", "--out", "c.npy")
    assert said.exit_code == 0, said.output
    assert np.array_equal(np.load("c.npy"), A @ B)
    for word in (
        "MeshGEMM on 4 x 4 cores",
        "12 x 15, int64",
        "cycles",
        "2 hops",
        "bytes a core",
        "right: equal to NumPy",
    ):
        assert word in said.output


@pytest.mark.parametrize("dtype", ["int64", "float64", "float32", "float16"])
def test_product_in_a_csv_reads_back_as_it_was(run, tmp_path, dtype):
    a = np.random.default_rng(3).normal(size=(6, 6)).astype(dtype) if dtype[0] == "f" else A[:6, :6]
    np.save("square.npy", a)
    assert run("multiply", "square.npy", "square.npy", "--mesh", "3", "--out", "c.csv").exit_code == 0
    assert run("multiply", "square.npy", "square.npy", "--mesh", "3", "--out", "c.npy").exit_code == 0
    expected = np.load("c.npy")
    assert np.array_equal(matrix("c.csv").astype(expected.dtype), expected)


def test_races_several_algorithms_on_a_rectangle_of_the_wafer(run):
    said = run(
        "multiply", "a.npy", "b.csv", "--mesh", "2x3", "--machine", "wse2", "--against", "cannon, summa"
    )
    assert said.exit_code == 0, said.output
    heads = [line.split(" on ")[0] for line in said.output.splitlines() if "machine" in line]
    assert heads == ["MeshGEMM", "Cannon", "SUMMA"]
    assert said.output.count("2 x 3 cores, machine wse2") == 3


def test_torus_shortens_the_way_of_cannon(run):
    far, near = (
        run("multiply", "a.npy", "b.csv", "--mesh", "6", "--algorithm", "cannon", *more).output
        for more in ([], ["--torus"])
    )
    assert "5 hops in one step" in far
    assert "1 hop in one step" in near
    assert "torus" in near


def test_one_of_several_matrices_in_a_file_is_named(run):
    np.savez("both.npz", a=A, b=B)
    assert run("multiply", "both.npz:a", "both.npz:b", "--mesh", "4").exit_code == 0
    assert "name one, for example 'both.npz:a'" in run("multiply", "both.npz", "both.npz").stderr


def test_what_does_not_fit_is_said_in_a_word(run):
    run("sample", "integers", "big.npy", "--size", "256")
    said = run("multiply", "big.npy", "big.npy", "--mesh", "2", "--algorithm", "allgather")
    assert said.exit_code == 0
    assert "of 49,152 bytes a core, does NOT fit" in said.output
    assert "4 of 12 in a router\n" in said.output
    wide = run("multiply", "big.npy", "big.npy", "--mesh", "32", "--algorithm", "summa").output
    assert "of 12 in a router, does NOT fit: broadcasts go core by core" in wide
    assert "of 49,152 bytes a core\n" in wide


def test_writes_a_ready_made_matrix(run):
    assert run("sample", "ramp", "r.csv", "--size", "5").output == "5 x 5 matrix written to r.csv\n"
    assert np.array_equal(matrix("r.csv"), sample("ramp", 5))
    assert "nearest is 'blur'" in run("sample", "blurr", "r.csv").stderr
    assert ".npy or .csv" in run("sample", "blur", "r.png").stderr


def test_writes_a_handout_of_the_race(run, tmp_path):
    pytest.importorskip("waferviz.handout")
    said = run("multiply", "a.npy", "b.csv", "--mesh", "3", "--against", "cannon", "--handout", "race.html")
    assert said.exit_code == 0, said.output
    assert (tmp_path / "race.html").read_text(encoding="utf-8").lstrip().lower().startswith("<!doctype html>")


def test_long_runs_show_a_progress_bar(run, monkeypatch):
    monkeypatch.setattr(report, "LONG", 1)
    assert run("multiply", "a.npy", "b.csv", "--mesh", "4").stderr.strip() == "MeshGEMM"


def unaligned(mesh):
    """MeshGEMM that forgets to align A."""
    right = meshgemm(mesh)
    return replace(right, name="unaligned", body=right.body[1:])


def test_a_wrong_product_names_its_first_step_and_core(run, monkeypatch):
    monkeypatch.setitem(GEMM._builders, "unaligned", unaligned)
    said = run("multiply", "a.npy", "b.csv", "--mesh", "4", "--algorithm", "unaligned")
    assert "first wrong  step 1 on core (y, x) = (1, 0)" in said.output


def test_a_wrong_product_ends_with_1(run, monkeypatch):
    monkeypatch.setitem(GEMM._builders, "unaligned", unaligned)
    said = run("multiply", "a.npy", "b.csv", "--mesh", "4", "--algorithm", "unaligned")
    assert said.exit_code == 1
    assert "verdict      WRONG" in said.output
    assert run("multiply", "a.npy", "b.csv", "--mesh", "4", "--against", "unaligned").exit_code == 1


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        (["nowhere.npy", "b.csv"], "no file 'nowhere.npy'"),
        (["b.csv", "a.npy", "--mesh", "3"], "one K for both"),
        (["a.npy", "b.csv", "--mesh", "13"], "more than it has entries"),
        (["a.npy", "b.csv", "--mesh", "0"], "is no mesh"),
        (["a.npy", "b.csv", "--mesh", "4x"], "is no mesh"),
        (["a.npy", "b.csv", "--mesh", "2x3x4"], "is no mesh"),
        (["a.npy", "b.csv", "--algorithm", "meshgem"], "nearest is 'meshgemm'"),
        (["a.npy", "b.csv", "--against", "canon"], "nearest is 'cannon'"),
        (["a.npy", "b.csv", "--against", "cannon,summa,allgather,meshgemm_t"], "at most 4 runs"),
        (
            ["a.npy", "b.csv", "--against", "meshgemm"],
            "meshgemm would race against itself; name others, such as ",
        ),
        (["a.npy", "b.csv", "--against", "cannon,cannon"], "cannon would race against itself"),
        (["a.npy", "b.csv", "--mesh", "100000"], "cuts M=12 into 100000 blocks"),
        (
            ["b.csv", "b.csv", "--out", "./b.csv"],
            "b.csv is one of the files to multiply and would be overwritten",
        ),
        (["a.npy", "b.csv", "--machine", "wse9"], "known are teaching, wse2"),
        (["a.npy", "b.csv", "--out", "c.txt"], ".npy or .csv"),
        (["a.npy", "b.csv", "--out", "no/c.npy"], "there is no folder 'no'"),
        (["a.npy", "b.csv", "--handout", "race.gif"], "ends in .html"),
        (["a.npy", "b.csv", "--handout", "no/race.html"], "there is no folder 'no'"),
        (["text.csv", "b.csv"], "is not a number"),
        (["broken.npy", "b.csv"], "no readable .npy file"),
        (["words.docx", "b.csv"], "files of type '.docx' cannot be read"),
        (["objects.npy", "b.csv"], "objects.npy"),
        (["a.npy"], "Missing argument 'B'"),
        (["a.npy", "b.csv", "--colour", "red"], "No such option"),
    ],
)
def test_bad_input_is_one_line_and_exit_code_2(run, tmp_path, words, reason):
    (tmp_path / "text.csv").write_text("1,2\n3,four\n")
    (tmp_path / "broken.npy").write_bytes(b"no array")
    (tmp_path / "words.docx").write_text("1 2 3")
    np.save("objects.npy", np.array([[{}]]), allow_pickle=True)
    said = run("multiply", *words)
    assert said.exit_code == 2
    assert said.stderr.strip().splitlines()[-1].startswith("Error: ")
    assert reason in said.stderr
    assert isinstance(said.exception, SystemExit)
    assert {file.name for file in tmp_path.glob("c.*")} == set()


def test_more_memory_than_the_budget_is_refused(run, monkeypatch):
    monkeypatch.setattr("waferviz.trace.BUDGET", 1000)
    said = run("multiply", "a.npy", "b.csv", "--mesh", "4")
    assert (said.exit_code, said.stderr.count("\n")) == (2, 1)
    assert "the budget is" in said.stderr


def test_list_names_everything_there_is(run):
    said = run("list").output
    assert all(
        name in said for name in (*GEMM, *GEMV, *ALLREDUCE, *presets(), *SAMPLES, "noc_...", "machines")
    )
    assert all(first_line(builder) in said for builder in GEMM.values())
    assert len(said.splitlines()) < 60
    assert run("list", "tables").output.split()[3:] == published.tables()
    assert "waferllm" not in run("list", "machines").output
    assert "'tables'" in run("list", "tabels").stderr


def test_about_and_version(run):
    assert "numpy" in run("about").output
    assert run("--version").output.startswith("waferviz, version")


def test_lab_opens_the_notebooks_of_a_checkout(run, monkeypatch):
    called = []
    monkeypatch.setattr(cli.subprocess, "call", lambda command: called.extend(command) or 0)
    assert run("lab", "--port", "9001", "--no-browser").exit_code == 0
    assert called[:4] == [sys.executable, "-m", "jupyterlab", str(published.folder("notebooks"))]
    assert {"--ServerApp.port=9001", "--no-browser"} <= set(called)


def test_lab_of_a_wheel_works_on_a_copy_and_keeps_what_was_written_there(run, monkeypatch, tmp_path):
    package = tmp_path / "package"
    (package / "notebooks").mkdir(parents=True)
    (package / "notebooks" / "00.ipynb").write_text("shipped")
    monkeypatch.setattr(cli, "folder", package.joinpath)
    monkeypatch.setattr(cli, "__file__", str(package / "cli.py"))
    monkeypatch.setattr(cli.subprocess, "call", lambda command: 0)
    copy = tmp_path / "waferviz-notebooks" / "00.ipynb"
    assert run("lab").exit_code == 0
    assert copy.read_text() == "shipped"
    copy.write_text("mine")
    assert run("lab").exit_code == 0
    assert copy.read_text() == "mine"


def test_lab_says_what_is_missing(run, monkeypatch, tmp_path):
    monkeypatch.setattr(cli, "folder", tmp_path.joinpath)
    said = run("lab")
    assert (said.exit_code, "no notebooks" in said.stderr) == (2, True)
    monkeypatch.setattr(cli, "find_spec", lambda name: None)
    said = run("lab")
    assert (said.exit_code, "pip install 'waferviz[lab]'" in said.stderr) == (2, True)


def test_without_click_it_says_how_to_get_it():
    code = "import sys; sys.modules['click'] = None; import waferviz.cli"
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert said.returncode == 2
    assert said.stderr == "waferviz: the command line needs click; pip install 'waferviz[cli]'\n"


def test_runs_as_a_module():
    said = subprocess.run(
        [sys.executable, "-m", "waferviz", "--help"], capture_output=True, text=True, check=True
    )
    assert said.stdout.startswith("Usage: waferviz ")
