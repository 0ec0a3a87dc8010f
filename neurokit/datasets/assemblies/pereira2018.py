"""Concepts and sentences of Pereira (2018), in the two forms that are published."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from neurokit.arguments import known
from neurokit.datasets.assemblies.assembly import Assembly
from neurokit.datasets.assemblies.brainio import read_brainio
from neurokit.datasets.assemblies.build import finite_neuroids, response_array
from neurokit.datasets.assemblies.files import find, numbers, one_of, read_struct
from neurokit.errors import ReadError, UnknownNameError

__all__ = ["read_pereira2018"]

_FILES = {
    "384sentences": "data_384sentences.mat",
    "243sentences": "data_243sentences.mat",
    "180concepts_sentences": "data_180concepts_sentences.mat",
    "180concepts_pictures": "data_180concepts_pictures.mat",
    "180concepts_wordclouds": "data_180concepts_wordclouds.mat",
}
_SENTENCES = ("examples_passagesentences", "keySentences")
_CONCEPTS = ("examples", "keyConcept")
_LABELS = (
    "labelsPassageForEachSentence",
    "keyPassages",
    "labelsPassageCategory",
    "keyPassageCategory",
    "labelsConcreteness",
)


def read_pereira2018(
    path: str | Path,
    *,
    experiment: str = "384sentences",
    subject: str | None = None,
    atlas: str | None = None,
) -> Assembly:
    """Read one experiment of Pereira et al. (2018).

    Parameters
    ----------
    path : path
        Either the NetCDF assembly of Brain-Score Language (``assy_Pereira2018_language.nc`` or a
        folder with it): both sentence experiments of ten people in the language network. Or the
        authors' files: a participant's folder (``P01``), a folder of such, or a ``.mat`` file
        of it. A ``.mat`` file holds ``examples_passagesentences`` (sentence, voxel),
        ``keySentences``, ``labelsPassageForEachSentence``, ``keyPassages``,
        ``labelsPassageCategory``, ``keyPassageCategory``; for concepts ``examples``,
        ``keyConcept``, ``labelsConcreteness``; and ``meta`` with ``atlases``, ``rois``,
        ``roiColumns`` (columns counted from 1) and ``colToCoord`` (voxel indices).
    experiment : str
        ``384sentences``, ``243sentences``, ``180concepts_sentences``, ``…_pictures`` or
        ``…_wordclouds``; files may begin with ``data_`` or ``examples_``.
    subject : str, optional
        Participant, where the folder holds several.
    atlas : str, optional
        Of the authors' files, e.g. ``languageLH``: only voxels of its regions are kept, and
        ``region`` names them. By default all voxels, without regions.

    Returns
    -------
    Assembly
        A presentation a sentence or concept, in published order, with ``passage``. Neuroids
        with missing values are left out; ``meta["dropped_neuroids"]`` counts them.

    Raises
    ------
    ReadError
        If the file is of another form.
    UnknownNameError
        If there is no such subject or atlas.

    Notes
    -----
    The variables and the order of ``meta`` are those that several public loaders of the files
    agree on; positions in mm are not in them, so ``i j k`` are voxel indices counted from 1.

    Examples
    --------
    >>> import scipy.io
    >>> cells = np.array(["A dog.", "A cat."], dtype=object).reshape(-1, 1)
    >>> content = {"examples_passagesentences": np.eye(2), "keySentences": cells,
    ...            "meta": {"subject": "P01"}}
    >>> scipy.io.savemat("data_384sentences.mat", content)
    >>> read_pereira2018("data_384sentences.mat")
    <Assembly pereira2018-384sentences: 2 presentations of 2 stimuli (text) × 2 neuroids>
    """
    known("experiment", experiment, _FILES)
    root = Path(path)
    if root.suffix == ".nc" or (root.is_dir() and any(root.glob("*.nc"))):
        name = f"pereira2018-{experiment}"
        assembly = read_brainio(root, name=name, select={"experiment": experiment})
        return assembly if subject is None else assembly.sel(subject=subject)
    file = _file(root, experiment, subject)
    if root.is_file():
        experiment = _experiment_of(file, experiment)
    content = read_struct(file, [*_SENTENCES, *_CONCEPTS, *_LABELS, "meta"])
    examples, keys = _SENTENCES if _SENTENCES[0] in content else _CONCEPTS
    if examples not in content or keys not in content:
        raise ReadError(
            f"{file.name}: expected {_SENTENCES} or {_CONCEPTS}; it holds {sorted(content)}."
        )
    values = numbers(file, examples, content[examples], 2)
    texts = _texts(content[keys])
    if len(texts) != len(values):
        raise ReadError(f"{file.name}: {len(values)} patterns, but {len(texts)} items of {keys}.")
    meta = content.get("meta", {})
    columns, regions = _voxels(file, meta, atlas, values.shape[1])
    values = values[:, columns]
    keep = finite_neuroids(file, values)
    stimuli = _stimuli(file, experiment, texts, content)
    presentation: dict[str, Any] = {"stimulus_id": stimuli.index}
    if "passage" in stimuli:
        presentation["passage"] = stimuli["passage"].to_numpy()
    who = file.parent.name if subject is None else subject
    neuroid = _places(meta, columns[keep]) | {
        "neuroid_id": [f"{who}.{column}" for column in columns[keep]],
        "region": regions[keep],
        "subject": who,
    }
    responses = response_array(values[:, keep].astype(np.float32), presentation, neuroid)
    facts = {"experiment": experiment, "dropped_neuroids": int((~keep).sum())}
    return Assembly(f"pereira2018-{experiment}", responses, stimuli, meta=facts)


def _file(root: Path, experiment: str, subject: str | None) -> Path:
    names = (_FILES[experiment], _FILES[experiment].replace("data_", "examples_", 1))
    if root.is_dir() and not any((root / name).is_file() for name in names):
        people = sorted({p.parent.name for n in names for p in root.glob(f"*/{n}")})
        if not people:
            raise ReadError(
                f"{root}: expected {names[0]} or {names[1]}, here or in folders of participants, "
                "or a NetCDF assembly; there is none."
            )
        root = root / one_of("subject", subject, people)
    return find(root, names, f"the patterns of {experiment}")


def _experiment_of(file: Path, default: str) -> str:
    """Believe the name of a file that was named itself."""
    return next((e for e in _FILES if file.stem.endswith(e)), default)


def _texts(cells: Any) -> list[str]:
    return [str(cell).strip() for cell in np.atleast_1d(np.asarray(cells, dtype=object)).ravel()]


def _stimuli(
    file: Path, experiment: str, texts: list[str], content: dict[str, Any]
) -> pd.DataFrame:
    seen: Counter[str] = Counter()
    ids = [f"{experiment}.{i}" for i in range(len(texts))]
    table = pd.DataFrame({"text": texts}, index=pd.Index(ids, name="stimulus_id"))
    labels = content.get("labelsPassageForEachSentence")
    if labels is not None:
        passage = np.atleast_1d(labels).astype(np.int64)
        names = _texts(content.get("keyPassages", []))
        if len(passage) != len(texts) or passage.min() < 1 or passage.max() > len(names):
            raise ReadError(
                f"{file.name}: passages {passage.min()} to {passage.max()} of {len(passage)} "
                f"sentences do not fit {len(texts)} sentences and {len(names)} names."
            )
        table["passage"] = [f"{p}.{names[p - 1]}" for p in passage]
        position = []
        for p in passage.tolist():
            seen[p] += 1
            position.append(seen[p])
        table["position"] = position
        kinds = np.atleast_1d(content.get("labelsPassageCategory", [])).astype(np.int64)
        titles = _texts(content.get("keyPassageCategory", []))
        if len(kinds) == len(names) and kinds.size and kinds.max() <= len(titles):
            table["category"] = [titles[kinds[p - 1] - 1] for p in passage]
    concreteness = content.get("labelsConcreteness")
    if concreteness is not None and np.size(concreteness) == len(texts):
        table["concreteness"] = np.ravel(concreteness)
    return table


def _voxels(file: Path, meta: Any, atlas: str | None, n: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the columns of an atlas's voxels and the region of each."""
    if atlas is None:
        return np.arange(n), np.full(n, "")
    parts: list[Any] = [meta.get(k) for k in ("atlases", "rois", "roiColumns")] if meta else []
    if not parts or any(part is None for part in parts):
        raise ReadError(f"{file.name}: its meta holds no atlases, rois and roiColumns.")
    atlases = _texts(parts[0])
    if atlas not in atlases:
        raise UnknownNameError(f"atlas of {file.name}", atlas, atlases)
    at = atlases.index(atlas)
    rois, columns = (part if len(atlases) > 1 else [part] for part in parts[1:])
    names = _texts(rois[at])
    groups = columns[at] if len(names) > 1 else [columns[at]]
    label = np.full(n, "", dtype=object)
    for name, group in zip(names, groups, strict=True):
        index = np.atleast_1d(np.asarray(group, dtype=np.int64)).ravel() - 1
        if index.size and (index.min() < 0 or index.max() >= n):
            raise ReadError(f"{file.name}: columns of {name!r} lie outside of 1 to {n}.")
        label[index] = name
    kept = np.flatnonzero(label != "")
    return kept, label[kept].astype(np.str_)


def _places(meta: Any, columns: np.ndarray) -> dict[str, Any]:
    places: Any = np.asarray(meta.get("colToCoord", [])) if meta else np.empty(0)
    if places.ndim != 2 or places.shape[1] != 3 or len(places) <= columns.max():
        return {}
    return dict(zip("ijk", places[columns].T, strict=True))
