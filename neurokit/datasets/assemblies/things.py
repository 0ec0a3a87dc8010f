"""Choices of the odd one out among 1,854 objects, and an embedding of them (THINGS)."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import xarray as xr

from neurokit.arguments import known
from neurokit.datasets.array_files import load_npz
from neurokit.datasets.assemblies.assembly import Assembly
from neurokit.datasets.assemblies.build import response_array
from neurokit.datasets.assemblies.files import read_lines, read_texts
from neurokit.errors import ReadError

__all__ = ["read_things_behaviour"]

_SPLITS = ("trainset", "validationset", "testset1", "testset2", "testset3")
_EMBEDDINGS = {"spose66": 66, "spose49": 49, "vice42": 42}


def read_things_behaviour(
    path: str | Path, *, split: str = "trainset", embedding: str = "spose66"
) -> Assembly:
    r"""Read concepts, embedding and, where they are there, the choices.

    Parameters
    ----------
    path : path
        Folder with ``things_concepts.tsv`` (columns ``Word``, ``uniqueID`` …) or
        ``unique_id.txt`` (an id a line), and any of
        ``triplet_dataset/trainset.txt`` (a choice a line, three rows counted from 0, the odd one
        last), ``things_behaviour_embeddings.npz`` or ``spose_embedding_66d_sorted.txt`` (an
        object a line), ``labels_66.txt`` (names of the dimensions). The names are those of the
        authors' archive at osf.io/f5rn6; files are looked for in all folders below.
    split : {"trainset", "validationset", "testset1", "testset2", "testset3"}
        Which choices; the test sets are the repeated ones that give the ceiling.
    embedding : {"spose66", "spose49", "vice42"}
        Which one of the npz.

    Returns
    -------
    Assembly
        An object a stimulus: ``text`` its name, ``category``. Responses are the embedding, a
        dimension a neuroid whose ``region`` is the dimension's name. ``triplets``, if there.

    Raises
    ------
    ReadError
        If concepts are missing, or the files disagree about their number.

    Examples
    --------
    >>> _ = Path("unique_id.txt").write_text("cat\ndog\nowl")
    >>> _ = Path("trainset.txt").write_text("0 1 2")
    >>> read_things_behaviour(".")
    <Assembly things-behaviour: 3 stimuli (text); 1 triplets>
    """
    known("split", split, _SPLITS)
    known("embedding", embedding, _EMBEDDINGS)
    root = Path(path) if Path(path).is_dir() else Path(path).parent
    stimuli = _concepts(root)
    responses = _embedding(root, embedding, stimuli)
    chosen = _first(root, f"{split}.txt")
    if responses is None and chosen is None:
        raise ReadError(
            f"{root}: expected {split}.txt or an embedding (things_behaviour_embeddings.npz, "
            "spose_embedding_66d_sorted.txt); there is neither."
        )
    triplets = None if chosen is None else _triplets(chosen)
    meta = {"embedding": embedding, "split": split if chosen is not None else ""}
    return Assembly("things-behaviour", responses, stimuli, triplets=triplets, meta=meta)


def _first(root: Path, name: str) -> Path | None:
    return next(iter(sorted(root.rglob(name))), None)


def _concepts(root: Path) -> pd.DataFrame:
    listed, told = _first(root, "things_concepts.tsv"), _first(root, "unique_id.txt")
    if listed is not None:
        table = read_texts(listed, "\t", ["Word", "uniqueID"])
        stimuli = pd.DataFrame({"text": table["Word"]}).set_axis(table["uniqueID"])
        for column in ("Top-down Category (WordNet)", "Bottom-up Category (Human Raters)"):
            if column in table and "category" not in stimuli:
                stimuli["category"] = table[column].to_numpy()
        return stimuli
    if told is not None:
        ids = read_lines(told)
        return pd.DataFrame({"text": [i.rstrip("0123456789").replace("_", " ") for i in ids]}, ids)
    raise ReadError(f"{root}: expected things_concepts.tsv or unique_id.txt; there is neither.")


def _embedding(root: Path, name: str, stimuli: pd.DataFrame) -> xr.DataArray | None:
    packed, told = (
        _first(root, "things_behaviour_embeddings.npz"),
        _first(root, "spose_embedding_66d_sorted.txt"),
    )
    ids = list(stimuli.index)
    if packed is not None:
        arrays = load_npz(packed)
        file, values = packed, arrays[name]
        if "unique_id" in arrays:
            ids = arrays["unique_id"].tolist()
    elif told is not None and name == "spose66":
        file = told
        try:
            values = np.loadtxt(told, dtype=np.float32, ndmin=2)
        except ValueError as error:
            raise ReadError(f"{told.name}: expected numbers, a row an object: {error}.") from error
    else:
        return None
    if values.shape != (len(ids), _EMBEDDINGS[name]):
        raise ReadError(
            f"{file.name}: expected {name} of shape ({len(ids)}, {_EMBEDDINGS[name]}); got "
            f"{values.shape}."
        )
    labels = _first(root, f"labels_{_EMBEDDINGS[name]}.txt")
    names = [str(i) for i in range(values.shape[1])] if labels is None else read_lines(labels)
    if len(names) != values.shape[1]:
        raise ReadError(
            f"{labels}: expected {values.shape[1]} names of dimensions; got {len(names)}."
        )
    numbered = [f"{name}.{i}" for i in range(values.shape[1])]
    neuroid = {"neuroid_id": numbered, "region": names, "subject": "group"}
    return response_array(values.astype(np.float32), {"stimulus_id": ids}, neuroid)


def _triplets(file: Path) -> np.ndarray:
    """Read by pandas, which takes a second for the four million choices, NumPy half a minute."""
    try:
        table = pd.read_csv(file, sep=r"\s+", header=None, dtype=np.int32)
    except (ValueError, OSError) as error:
        raise ReadError(f"{file.name}: expected three whole numbers a line: {error}.") from error
    if table.shape[1] != 3:
        raise ReadError(
            f"{file.name}: expected three whole numbers a line; got {table.shape[1]} columns."
        )
    return table.to_numpy()
