"""Responses of four people to 4,916 photographs (BOLD5000, Chang 2019)."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr

from neurokit.datasets.array_files import load_mat, load_npy
from neurokit.datasets.assemblies.assembly import Assembly
from neurokit.datasets.assemblies.build import averaged, finite_neuroids, response_array
from neurokit.datasets.assemblies.files import find, one_of, read_lines
from neurokit.datasets.hdf5 import column, open_hdf5
from neurokit.errors import ReadError, UnknownNameError

__all__ = ["read_bold5000"]

_REGIONS = (
    "LHEarlyVis", "LHLOC", "LHOPA", "LHPPA", "LHRSC",
    "RHEarlyVis", "RHLOC", "RHOPA", "RHPPA", "RHRSC",
)  # fmt: skip
_REPEAT = "rep_"


def read_bold5000(
    path: str | Path,
    *,
    subject: str | None = None,
    region: str | None = None,
    volume: str = "TR34",
    images: str | Path | None = None,
) -> Assembly:
    r"""Read the responses of the visual regions of one person.

    Parameters
    ----------
    path : path
        Release 1: folder with ``CSI1/mat/CSI1_ROIs_TR34.mat`` or ``CSI1/h5/CSI1_ROIs_TR34.h5``
        (a matrix trial, voxel for each of ten regions) and ``stim_lists/CSI01_stim_lists.txt``
        (a picture a trial). Release 2, with GLMsingle's responses:
        ``CSI1_GLMbetas-TYPED-FITHRF-GLMDENOISE-RR_allses_LHPPA.npy`` and so on, and
        ``CSI1_imgnames.txt``. All are looked for in all folders below.
    subject : str, optional
        ``CSI1`` to ``CSI4``, where there are several.
    region : str, optional
        One of the ten regions, such as ``LHPPA``, or without hemisphere, ``PPA``.
    volume : {"TR1", "TR2", "TR3", "TR4", "TR5", "TR34"}
        Of release 1: which volume after the picture, "TR34" the mean of the third and fourth.
    images : path, optional
        Folder of the pictures (``Presented_Stimuli``), looked for in all folders below it.

    Returns
    -------
    Assembly
        A presentation a picture, the mean of its trials, which are kept as ``repeats`` (113
        pictures were shown several times). ``category`` is the source: ImageNet, COCO or Scene.

    Raises
    ------
    ReadError
        If files are missing, or trials and pictures differ in number.
    UnknownNameError
        If there is no such person or region.

    Notes
    -----
    Release 2 is also published as NIfTI volumes a session, which this does not read: cut them
    to a mask with ``nk.datasets.read(…, mask=…)``. Responses are not standardised within
    session, which the authors recommend; the files do not say where sessions end.

    Examples
    --------
    >>> Path("stim_lists").mkdir()
    >>> _ = Path("stim_lists/CSI01_stim_lists.txt").write_text("a.jpg\nrep_a.jpg")
    >>> import scipy.io
    >>> scipy.io.savemat("CSI1_ROIs_TR34.mat", {"LHPPA": np.ones((2, 3))})
    >>> read_bold5000(".", subject="CSI1")
    <Assembly bold5000: 1 presentations of 1 stimuli (category) × 3 neuroids; 2 repeats>
    """
    root = Path(path)
    who = one_of("subject", subject, _people(root))
    file, matrices = _matrices(root, who, volume)
    wanted = [r for r in matrices if region is None or region in (r, r[2:])]
    if not wanted:
        raise UnknownNameError(f"region of {who}", str(region), list(matrices))
    values = np.concatenate([matrices[r] for r in wanted], axis=1)
    labels = np.repeat(wanted, [matrices[r].shape[1] for r in wanted])
    numbered = [f"{who}.{r}.{i}" for r in wanted for i in range(matrices[r].shape[1])]
    shown = _shown(root, who)
    if len(shown) != len(values):
        raise ReadError(f"{file.name}: {len(values)} trials, but {len(shown)} pictures were shown.")
    keep = finite_neuroids(file, values)
    ids, mean, repeats = averaged(values[:, keep], shown)
    responses = response_array(
        mean,
        {"stimulus_id": ids},
        {"neuroid_id": np.array(numbered)[keep], "region": labels[keep], "subject": who},
    )
    stimuli = pd.DataFrame({"category": [_source(name) for name in ids]}, index=ids)
    if images is not None:
        stimuli["image"] = _pictures(Path(images), ids)
    single = xr.DataArray(repeats, dims=("repeat", "presentation", "neuroid"))
    return Assembly("bold5000", responses, stimuli, repeats=single, meta={"source": file.name})


def _people(root: Path) -> list[str]:
    files = [*root.rglob("CSI*_ROIs_*"), *root.rglob("CSI*_GLMbetas-*_allses_*.npy")]
    people = sorted({file.name.split("_")[0] for file in files})
    if not people:
        raise ReadError(
            f"{root}: expected CSI1_ROIs_TR34.mat or CSI1_GLMbetas-…_allses_LHPPA.npy; there is "
            "neither."
        )
    return people


def _matrices(root: Path, who: str, volume: str) -> tuple[Path, dict[str, np.ndarray]]:
    arrays = sorted(root.rglob(f"{who}_GLMbetas-*_allses_*.npy"))
    if arrays:
        kinds = sorted({f.stem.rpartition("_allses_")[0] for f in arrays})
        if len(kinds) > 1:
            raise ReadError(f"{root}: {len(kinds)} versions of {who}: {kinds}. Name one's folder.")
        found: dict[str, Any] = {f.stem.rpartition("_")[2]: load_npy(f) for f in arrays}
        return arrays[0], _checked(arrays[0], found)
    patterns = [f"**/{who}_ROIs_{volume}.mat", f"**/{who}_ROIs_{volume}.h5"]
    file = find(root, patterns, f"the responses of {who}")
    if file.suffix == ".mat":
        mat = load_mat(file)
        found = {r: mat[r] for r in _REGIONS if r in mat}
    else:
        with open_hdf5(file, "responses") as opened:
            found = {r: column(opened[r]) for r in _REGIONS if r in opened}
    return file, _checked(file, found)


def _checked(file: Path, found: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    lengths = {r: m.shape for r, m in found.items()}
    matrices = all(m.ndim == 2 and m.dtype.kind in "fiu" for m in found.values())
    if not found or not matrices or len({s[0] for s in lengths.values()}) > 1:
        raise ReadError(
            f"{file.name}: expected matrices (trial, voxel) of {', '.join(_REGIONS)}; got "
            f"{lengths}."
        )
    return {r: found[r] for r in sorted(found)}


def _shown(root: Path, who: str) -> list[str]:
    long = f"{who[:3]}{int(who[3:]):02d}"
    patterns = [f"**/{who}_imgnames.txt", f"**/{long}_stim_lists.txt", f"**/{who}_stim_lists.txt"]
    lines = read_lines(find(root, patterns, "the list of pictures"))
    return [Path(line).name.removeprefix(_REPEAT) for line in lines]


def _source(name: str) -> str:
    if name.startswith("COCO"):
        return "COCO"
    # ImageNet's names begin with a WordNet id, n and eight digits.
    return "ImageNet" if name[:1] == "n" and name[1:9].isdigit() else "Scene"


def _pictures(folder: Path, ids: list[str]) -> list[str]:
    there = {file.name: str(file) for file in folder.rglob("*") if file.is_file()}
    missing = [name for name in ids if name not in there]
    if missing:
        raise ReadError(
            f"{folder}: {len(missing)} of {len(ids)} pictures are not here, such as {missing[0]!r}."
        )
    return [there[name] for name in ids]
