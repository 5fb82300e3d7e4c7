"""The README: its example runs, and what it names is there."""

import re
import shlex
from pathlib import Path

import pytest
from click.testing import CliRunner

from waferviz.cli import main

README = Path(__file__).parent.parent / "README.md"
TEXT = README.read_text(encoding="utf-8")
COMMANDS = re.findall(r"^waferviz ((?:sample|multiply|list|about)\b[^#\n]*)", TEXT, flags=re.MULTILINE)
BLOCKS = re.findall(r"```python\n(.*?)```", TEXT, flags=re.DOTALL)


@pytest.mark.parametrize("code", BLOCKS)
def test_python_examples_run(code, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    seen = {}
    exec(compile(code, "README.md", "exec"), seen)
    assert "right" in capsys.readouterr().out
    assert (tmp_path / "race.html").stat().st_size > 10_000
    assert seen["C"].shape == (64, 64)


def test_the_commands_run_one_after_the_other(tmp_path, monkeypatch):
    pytest.importorskip("PIL")
    monkeypatch.chdir(tmp_path)
    assert len(COMMANDS) == 6
    for command in COMMANDS:
        said = CliRunner().invoke(main, shlex.split(command), prog_name="waferviz")
        assert said.exit_code == 0, said.output
    assert {file.name for file in tmp_path.iterdir()} == {"a.npy", "b.csv", "c.npy", "race.html"}


def test_the_example_is_ten_lines_at_most():
    assert BLOCKS
    assert max(len([line for line in code.splitlines() if line]) for code in BLOCKS) <= 10


def test_folders_and_files_it_names_are_there():
    root = README.parent
    named = re.findall(r"`((?!\.venv)(?:[\w.]+/)+[\w.]*|LICENSE|CITATION\.cff)`", TEXT)
    assert len(named) > 8
    assert [name for name in named if not (root / name).exists()] == []


def test_no_address_of_anyone():
    assert re.findall(r"https?://\S+", TEXT) == []
