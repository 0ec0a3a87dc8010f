"""Two people seeing 1,870 grey photographs (Kay 2008, CRCNS vim-1)."""

from __future__ import annotations

from pathlib import Path

import h5py
import numpy as np
import pandas as pd

from neurokit.arguments import known
from neurokit.datasets.assemblies.assembly import Assembly
from neurokit.datasets.assemblies.build import finite_neuroids, response_array
from neurokit.datasets.assemblies.files import find
from neurokit.datasets.hdf5 import column, open_hdf5
from neurokit.errors import ReadError, UnknownNameError

__all__ = ["read_kay2008"]

_REGIONS = ("other", "V1", "V2", "V3", "V3A", "V3B", "V4", "LatOcc")
_SETS = {"training": "Trn", "validation": "Val"}


def read_kay2008(
    path: str | Path,
    *,
    subject: str = "S1",
    region: str | None = None,
    pictures: str = "training",
) -> Assembly:
    """Read the estimated responses of one person.

    Parameters
    ----------
    path : path
        ``EstimatedResponses.mat`` (MATLAB 7.3: ``dataTrnS1``, ``dataValS1``, ``roiS1``,
        ``voxIdxS1`` and the same of S2), or the folder with it and ``Stimuli.mat``
        (``stimTrn``, ``stimVal``), as CRCNS describes vim-1.
    subject : {"S1", "S2"}
        Who.
    region : str, optional
        ``V1``, ``V2``, ``V3``, ``V3A``, ``V3B``, ``V4``, ``LatOcc`` or ``other``.
    pictures : {"training", "validation", "both"}
        The 1,750 shown twice, the 120 shown thirteen times, or one set after the other.

    Returns
    -------
    Assembly
        A presentation a picture, in units of a voxel's standard deviation; ``category`` is the
        set. Voxels with missing values are left out; ``meta["dropped_neuroids"]`` counts them.
        ``voxel`` is their index in the 64 x 64 x 18 volume, counted from 1 as in MATLAB.
        Pictures are scaled from the darkest to the brightest value of their set.

    Raises
    ------
    ReadError
        If the file lacks the variables.
    UnknownNameError
        If there is no such region.

    Examples
    --------
    >>> with h5py.File("EstimatedResponses.mat", "w") as file:
    ...     file["dataTrnS1"] = np.ones((3, 2))
    ...     file["roiS1"] = np.array([[1.0, 7.0]])
    >>> read_kay2008("EstimatedResponses.mat").responses["region"].values.tolist()
    ['V1', 'LatOcc']
    """
    known("subject", subject, ("S1", "S2"))
    known("pictures", pictures, (*_SETS, "both"))
    file = find(Path(path), "EstimatedResponses.mat", "the responses")
    wanted = list(_SETS) if pictures == "both" else [pictures]
    with open_hdf5(file, "a MATLAB 7.3 file") as opened:
        parts = [_matrix(file, opened, f"data{_SETS[s]}{subject}") for s in wanted]
        codes = np.ravel(_variable(file, opened, f"roi{subject}")).astype(np.int64)
        voxel = opened.get(f"voxIdx{subject}")
        places = np.arange(len(codes)) + 1 if voxel is None else np.ravel(column(voxel))
    values = np.concatenate(parts)
    sizes = {codes.size, places.size, values.shape[1]}
    if len(sizes) > 1 or codes.min() < 0 or codes.max() >= len(_REGIONS):
        raise ReadError(
            f"{file.name}: {values.shape[1]} voxels, but {codes.size} regions (0 to "
            f"{len(_REGIONS) - 1}) and {places.size} indices of {subject}."
        )
    names = np.array(_REGIONS)[codes]
    finite = finite_neuroids(file, values)
    keep = finite if region is None else finite & (names == region)
    if not keep.any():
        raise UnknownNameError(f"region of {subject}", str(region), sorted(set(names)))
    ids = [f"{s}.{i}" for s, part in zip(wanted, parts, strict=True) for i in range(len(part))]
    responses = response_array(
        values[:, keep].astype(np.float32),
        {"stimulus_id": ids},
        {
            "neuroid_id": [f"{subject}.{int(p)}" for p in places[keep]],
            "region": names[keep],
            "subject": subject,
            "voxel": places[keep].astype(np.int64),
        },
    )
    stimuli = pd.DataFrame({"category": [i.partition(".")[0] for i in ids]}, index=ids)
    shown = file.with_name("Stimuli.mat")
    if shown.is_file():
        stimuli["image"] = [_place(shown, i) for i in ids]
    facts = {"dropped_neuroids": int((~finite).sum())}
    return Assembly("kay2008", responses, stimuli, meta=facts)


def _variable(file: Path, opened: h5py.File, name: str) -> np.ndarray:
    if not isinstance(opened.get(name), h5py.Dataset):
        raise ReadError(f"{file.name}: expected {name!r}; it holds {sorted(opened)[:12]}.")
    return column(opened[name])


def _matrix(file: Path, opened: h5py.File, name: str) -> np.ndarray:
    """Read (picture, voxel); MATLAB's (voxel, picture) comes transposed out of HDF5."""
    found = _variable(file, opened, name)
    if found.ndim != 2 or found.dtype.kind != "f":
        raise ReadError(f"{file.name}: expected {name!r} (picture, voxel); got {found.shape}.")
    return found


def _place(file: Path, stimulus: str) -> str:
    kind, _, row = stimulus.partition(".")
    return f"{file}#stim{_SETS[kind]}/{row}"
