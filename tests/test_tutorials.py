"""Tutorials run from top to bottom, and the outputs that they keep are true."""

import importlib.util
import re
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

FOLDER = Path(__file__).resolve().parents[1] / "tutorials"
SHARED = Path(__file__).resolve().parents[2] / "shared" / "data"
NOTEBOOKS = sorted(FOLDER.glob("*.ipynb"))


def text_outputs(notebook):
    """Return what each cell printed or returned as text, without what differs by machine."""
    kept = []
    for cell in notebook.cells:
        if cell.cell_type != "code":
            continue
        # The kernel cuts what a cell prints into pieces as it pleases.
        parts = ["".join(o["text"] for o in cell.outputs if o.output_type == "stream")]
        parts += [
            o["data"].get("text/plain", "")
            for o in cell.outputs
            if o.output_type == "execute_result"
        ]
        kept.append(re.sub(r"0x[0-9a-f]+|\d+(\.\d+)? [mµ]?s\b", "", "\n".join(parts)))
    return kept


def folder(notebook):
    return SHARED / notebook.metadata.get("neurokit", {}).get("folder", "")


def marks(path):
    """Return what a notebook that trains for minutes is marked with."""
    slow = nbformat.read(path, as_version=4).metadata.get("neurokit", {}).get("slow")
    return [pytest.mark.slow] if slow else []


def missing(notebook):
    needs = notebook.metadata.get("neurokit", {})
    files = [name for name in needs.get("data", []) if not (folder(notebook) / name).exists()]
    return files + [p for p in needs.get("packages", []) if not importlib.util.find_spec(p)]


def test_there_is_a_tutorial():
    if not FOLDER.exists():
        pytest.skip("not in a checkout")
    assert NOTEBOOKS


@pytest.mark.parametrize(
    "path", [pytest.param(path, id=path.stem, marks=marks(path)) for path in NOTEBOOKS]
)
def test_tutorial_runs_and_says_what_it_kept(path, tmp_path, monkeypatch):
    monkeypatch.setenv("MPLBACKEND", "module://matplotlib_inline.backend_inline")
    kept = nbformat.read(path, as_version=4)
    if lacking := missing(kept):
        pytest.skip(f"needs {', '.join(lacking)}")
    monkeypatch.setenv("NEUROKIT_TUTORIAL_DATA", str(folder(kept)))
    fresh = nbformat.read(path, as_version=4)
    NotebookClient(fresh, timeout=300, resources={"metadata": {"path": str(tmp_path)}}).execute()
    assert text_outputs(fresh) == text_outputs(kept)
    pictures = [
        o for c in kept.cells for o in c.get("outputs", []) if "image/png" in o.get("data", {})
    ]
    assert pictures, "a tutorial shows pictures"
