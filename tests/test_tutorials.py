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


def words_and_numbers(text):
    """Split text into what stands between numbers, however much blank, and the numbers."""
    pieces = re.split(r"(-?\d+(?:\.\d+)?)", text)
    return [piece.split() for piece in pieces[::2]], pieces[1::2]


def agree(number, kept, trains):
    """Tell whether two printed numbers are the same, as far as processors agree.

    Sums in another order round a last digit otherwise; training carries such differences on,
    as a step of another seed would, only less.
    """
    if "." not in number + kept:
        return abs(int(number) - int(kept)) <= (1 + 0.02 * abs(int(kept)) if trains else 0)
    last_digit = 10.0 ** -len(kept.partition(".")[2])
    allowed = max(last_digit, 0.03 * max(1.0, abs(float(kept)))) if trains else last_digit
    return abs(float(number) - float(kept)) <= 1.001 * allowed


def differing(fresh, kept, trains=False):
    """List the cells, by position, that say something else than what was kept."""
    found = []
    for at, (new, old) in enumerate(zip(fresh, kept, strict=True)):
        (new_words, new_numbers), (old_words, old_numbers) = map(words_and_numbers, (new, old))
        same = new_words == old_words and all(
            agree(*pair, trains) for pair in zip(new_numbers, old_numbers, strict=True)
        )
        found += [] if same else [f"output {at}: {new!r}, kept {old!r}"]
    return found


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


def test_outputs_are_the_same_up_to_what_processors_differ_by():
    kept = ["r 0.62 [0.5, 99]\n2223 words, 3 found"]
    assert not differing(["r 0.63 [0.5, 99]\n2223 words, 3 found"], kept)
    assert not differing(["r 0.65  [0.5, 100]\n2250 words, 2 found"], kept, trains=True)
    for text in ("r 0.64 [0.5, 99]\n2223 words, 3 found", "r 0.62 [0.5, 99]\n2223 words, 4 found"):
        assert differing([text], kept)
    for text in (
        "r 0.66 [0.5, 99]\n2223 words, 3 found",
        "r 0.62 [0.5, 99]\n2223 words, 5 found",
        "r 0.62 [0.5, 99]\n2223 signs, 3 found",
        "r nan [0.5, 99]\n2223 words, 3 found",
    ):
        assert differing([text], kept, trains=True)


# Two minutes of a processor, of which a machine that tests share may take five.
@pytest.mark.timeout(900)
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
    NotebookClient(fresh, timeout=600, resources={"metadata": {"path": str(tmp_path)}}).execute()
    trains = kept.metadata.get("neurokit", {}).get("trains", False)
    assert not differing(text_outputs(fresh), text_outputs(kept), trains)
    pictures = [
        o for c in kept.cells for o in c.get("outputs", []) if "image/png" in o.get("data", {})
    ]
    assert pictures, "a tutorial shows pictures"
