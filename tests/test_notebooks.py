"""Every notebook runs from the top, keeps to its size, and is stored without outputs."""

import asyncio
import sys
import time
import warnings
from pathlib import Path

import nbformat
import pytest

FOLDER = Path(__file__).parent.parent / "notebooks"
FILES = sorted(FOLDER.glob("*.ipynb"))
pytestmark = [
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),  # of Jupyter's own libraries
    pytest.mark.filterwarnings("ignore::ResourceWarning"),  # a kernel's sockets close after it
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),  # the same
]


@pytest.fixture(params=FILES, ids=[file.stem for file in FILES])
def notebook(request):
    return nbformat.read(request.param, as_version=4)


def code_of(notebook):
    return [cell.source for cell in notebook.cells if cell.cell_type == "code"]


def test_every_number_is_taken_once():
    numbers = [file.stem[:2] for file in FILES]
    assert {"00", "01", "02", "03", "04", "05", "06", "07"} <= set(numbers)
    assert len(set(numbers)) == len(numbers)
    assert all(number.isdigit() for number in numbers)


def test_runs_from_the_top(notebook):
    from nbclient import NotebookClient

    if sys.platform == "win32":
        asyncio.set_event_loop_policy(asyncio.WindowsSelectorEventLoopPolicy())
    client = NotebookClient(
        notebook, timeout=120, kernel_name="python3", resources={"metadata": {"path": str(FOLDER)}}
    )
    start = time.perf_counter()
    with warnings.catch_warnings():
        client.execute()
    print(f"{time.perf_counter() - start:.1f} s")
    shown = [output for cell in notebook.cells for output in cell.get("outputs", [])]
    assert [output for output in shown if output.output_type == "error"] == []
    assert [output.text for output in shown if output.get("name") == "stderr"] == []


def test_is_stored_clean(notebook):
    nbformat.validate(notebook)
    assert (notebook.nbformat, notebook.nbformat_minor) == (4, 5)
    assert notebook.metadata.kernelspec.name == "python3"
    assert len({cell.id for cell in notebook.cells}) == len(notebook.cells)
    for cell in notebook.cells:
        assert not cell.get("outputs")
        assert cell.get("execution_count") is None


def test_is_small(notebook):
    code = code_of(notebook)
    assert len(code) <= 15
    assert max(len(source.splitlines()) for source in code) <= 12


def test_asks_and_answers(notebook):
    title = notebook.cells[0].source.splitlines()[0]
    assert title.startswith("# ")
    assert title.endswith("?")
    assert "assert " in code_of(notebook)[-1]
    text = "\n".join(cell.source for cell in notebook.cells if cell.cell_type == "markdown")
    for parts in (("minutes", "sixty seconds"), ("Guess",), ("leaves out", "The model"), ("## What next",)):
        assert any(part in text for part in parts), parts
