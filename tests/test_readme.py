"""The README: its example runs, and what it names is there."""

import re
from pathlib import Path

import pytest

README = Path(__file__).parent.parent / "README.md"
TEXT = README.read_text(encoding="utf-8")
BLOCKS = re.findall(r"```python\n(.*?)```", TEXT, flags=re.DOTALL)


@pytest.mark.parametrize("code", BLOCKS)
def test_python_examples_run(code, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    seen = {}
    exec(compile(code, "README.md", "exec"), seen)
    assert "right" in capsys.readouterr().out
    assert (tmp_path / "race.html").stat().st_size > 10_000
    assert seen["C"].shape == (64, 64)


def test_the_example_is_ten_lines_at_most():
    assert BLOCKS
    assert max(len([line for line in code.splitlines() if line]) for code in BLOCKS) <= 10


def test_folders_and_files_it_names_are_there():
    root = README.parent
    named = re.findall(r"`((?:[\w.]+/)+[\w.]*|LICENSE|CITATION\.cff)`", TEXT)
    assert len(named) > 8
    assert [name for name in named if not (root / name).exists()] == []


def test_no_address_of_anyone():
    assert re.findall(r"https?://\S+", TEXT) == []
