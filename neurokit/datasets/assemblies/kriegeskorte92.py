"""Dissimilarities of 92 object images in inferior temporal cortex (Kriegeskorte 2008)."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import xarray as xr

from neurokit.arguments import known
from neurokit.datasets.array_files import Arrays, load_mat, load_npz
from neurokit.datasets.assemblies.assembly import Assembly
from neurokit.datasets.assemblies.files import find
from neurokit.errors import ReadError

__all__ = ["read_kriegeskorte92"]

_N = 92
_FACTS = ("category", "human", "face", "animal", "natural")


def read_kriegeskorte92(
    path: str | Path, *, region: str = "human IT", sessions: str = "mean"
) -> Assembly:
    """Read the 92 images and their dissimilarities in human and monkey.

    Parameters
    ----------
    path : path
        ``92_brainRDMs.mat`` of rsatoolbox's demonstrations (a structure ``RDMs`` of 4 subjects x
        2 sessions with fields ``RDM``, ``name`` and ``color``), or ``kriegeskorte92.npz``
        (``images``, ``hIT_sub_sess``, ``mIT_674``, categories), or a folder with either. Only
        the npz has images, categories and the monkeys.
    region : {"human IT", "monkey IT"}
        Whose dissimilarities; the monkeys' are one matrix of 674 cells in two animals.
    sessions : {"mean", "separate"}
        Of the human subjects: one matrix a person, or one a person and session.

    Returns
    -------
    Assembly
        Without responses; ``rdms`` (1 - r) with coordinate ``subject``.

    Raises
    ------
    ReadError
        If the file lacks the matrices, or holds no monkeys and they are asked for.

    Examples
    --------
    >>> np.savez("k.npz", hIT_sub_sess=np.zeros((4, 2, 92, 92), np.float32))
    >>> read_kriegeskorte92("k.npz")
    <Assembly kriegeskorte92: 92 stimuli; 4 RDMs>
    """
    known("region", region, ("human IT", "monkey IT"))
    known("sessions", sessions, ("mean", "separate"))
    file = find(Path(path), ("*92*.npz", "92_brainRDMs.mat"), "kriegeskorte92.npz or the mat file")
    packed = file.suffix == ".npz"
    arrays = load_npz(file) if packed else load_mat(file)
    if region == "monkey IT":
        rdms, subjects = _monkeys(arrays), ["monkeys"]
    else:
        rdms, subjects = _humans(arrays, packed, sessions)
    ids = [f"image_{i:02d}" for i in range(_N)]
    stimuli = pd.DataFrame(index=pd.Index(ids, name="stimulus_id"))
    for fact in _FACTS:
        if fact in arrays:
            stimuli[fact] = arrays[fact]
    if "images" in arrays:
        stimuli["image"] = [f"{file}#images/{i}" for i in range(_N)]
    array = xr.DataArray(
        rdms,
        dims=("subject", "stimulus", "stimulus_"),
        coords={"subject": subjects, "stimulus": ids, "stimulus_": ids},
        attrs={"dissimilarity": "1 - r", "region": region},
    )
    return Assembly("kriegeskorte92", None, stimuli, rdms=array, meta={"region": region})


def _humans(arrays: Arrays, packed: bool, sessions: str) -> tuple[np.ndarray, list[str]]:
    name = "hIT_sub_sess" if packed else "RDMs.RDM"
    if name not in arrays:
        raise ReadError(f"{arrays.source}: expected {name!r}; it holds {arrays.describe()}.")
    found = arrays[name]
    matrices = found.reshape(-1, *found.shape[-4:])[0] if found.ndim >= 4 else found
    if matrices.ndim != 4 or matrices.shape[2:] != (_N, _N):
        raise ReadError(
            f"{arrays.source}: expected {name!r} of shape (subject, session, {_N}, {_N}); got "
            f"{found.shape}."
        )
    n_subjects, n_sessions = matrices.shape[:2]
    people = _people(arrays, n_subjects)
    if sessions == "mean":
        return matrices.mean(axis=1), people
    labels = [f"{p} session {s + 1}" for p in people for s in range(n_sessions)]
    return matrices.reshape(-1, _N, _N), labels


def _people(arrays: Arrays, n: int) -> list[str]:
    """Return the initials, which the names of the mat file hold: ``hIT | BE | Session: 1``."""
    if "RDMs.name" in arrays:
        parts = [str(label).split("|") for label in arrays["RDMs.name"].reshape(n, -1)[:, 0]]
        if all(len(part) == 3 for part in parts):
            return [part[1].strip() for part in parts]
    return [f"S{i + 1}" for i in range(n)]


def _monkeys(arrays: Arrays) -> np.ndarray:
    pairs = arrays["mIT_674"] if "mIT_674" in arrays else np.empty(0)
    if pairs.shape != (_N * (_N - 1) // 2,):
        raise ReadError(
            f"{arrays.source}: expected the monkeys' dissimilarities 'mIT_674' of "
            f"{_N * (_N - 1) // 2} pairs; it holds {arrays.describe()}. They are in the npz."
        )
    square = np.zeros((1, _N, _N), dtype=np.float32)
    rows, columns = np.triu_indices(_N, 1)
    square[0, rows, columns] = square[0, columns, rows] = pairs
    return square
