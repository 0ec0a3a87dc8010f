"""The Natural Scenes Dataset (Allen 2022): single-trial responses, read voxel by voxel."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import nibabel
import numpy as np
import pandas as pd

from neurokit.datasets.assemblies.assembly import Assembly
from neurokit.datasets.assemblies.build import response_array
from neurokit.datasets.assemblies.files import find_all, one_of, read_lines, read_struct, read_texts
from neurokit.datasets.fmri_volume import read_nifti
from neurokit.datasets.hdf5 import check_dataset, open_hdf5
from neurokit.errors import DataError, ReadError

__all__ = ["read_nsd"]

_TRIALS = 750
# Percent signal change is stored as whole numbers, 300 to the percent.
_SCALE = 300.0
_REPEATS = 3


@dataclass(frozen=True)
class _Voxels:
    """Voxels wanted: their indices and regions."""

    index: np.ndarray
    region: np.ndarray
    shape: tuple[int, ...]


def read_nsd(
    path: str | Path,
    *,
    subject: str | None = None,
    region: str = "nsdgeneral",
    voxels: Sequence[Sequence[int]] | None = None,
    betas: str = "betas_fithrf_GLMdenoise_RR",
    space: str = "func1pt8mm",
) -> Assembly:
    r"""Read responses of some voxels of one person, averaged over the repeats of a picture.

    Parameters
    ----------
    path : path
        Root of the data set: ``nsddata_betas/ppdata/subj01/<space>/<betas>/`` with
        ``betas_session01.hdf5`` (dataset ``betas``, whole numbers of 1/300 percent signal
        change, chunked by voxel) or ``….nii.gz``, and ``ncsnr.nii.gz``;
        ``nsddata/experiments/nsd/nsd_expdesign.mat`` (``masterordering``, ``subjectim``,
        ``sharedix``, counted from 1); ``nsddata/ppdata/subj01/<space>/roi/<region>.nii.gz``;
        where they are there, ``nsd_stim_info_merged.csv`` and
        ``nsddata_stimuli/stimuli/nsd/nsd_stimuli.hdf5``. So the NSD Data Manual.
    subject : str, optional
        ``subj01`` to ``subj08``, where there are several.
    region : str
        File in the folder ``roi``, such as ``nsdgeneral``, ``prf-visualrois``, ``floc-faces``,
        ``streams``; voxels above 0 are read. Their labels are named by
        ``nsddata/freesurfer/<subject>/label/<region>.mgz.ctab``, where it is there.
    voxels : sequence of (i, j, k), optional
        Indices counted from 0, instead of a region.
    betas : str
        Which of the published analyses.
    space : str
        ``func1pt8mm`` or ``func1mm``.

    Returns
    -------
    Assembly
        A presentation a picture, in the order of its first trial; coordinate ``trials`` counts
        them. The ceiling is that of the mean, from the published noise-ceiling SNR:
        :math:`r = \sqrt{s^2 / (s^2 + (a + b/2 + c/3) / (a + b + c))}` with a, b and c pictures
        shown once, twice and three times. Session files are opened one by one, and of HDF5
        only the chunks of the voxels wanted are read.

    Raises
    ------
    ReadError
        If files are missing or laid out in another way.
    DataError
        If there are no such voxels.

    Notes
    -----
    Surfaces (``.mgh``) are not read. ``stimulus_id`` is the number of the picture among the
    73,000, counted from 0.

    Examples
    --------
    >>> read_nsd(".")
    Traceback (most recent call last):
    neurokit.errors.ReadError: .: expected nsddata_betas/ppdata/subj…; there is none.
    """
    root = Path(path)
    people = sorted(p.name for p in (root / "nsddata_betas" / "ppdata").glob("subj*"))
    if not people:
        raise ReadError(f"{root}: expected nsddata_betas/ppdata/subj…; there is none.")
    who = one_of("subject", subject, people)
    folder = root / "nsddata_betas" / "ppdata" / who / space / betas
    sessions = _sessions(folder)
    wanted = _chosen(root, who, space, region, voxels)
    shown, shared = _shown(root, who, len(sessions))
    pictures, place = _first_seen(shown)
    counts = np.bincount(place)
    mean = np.zeros((len(pictures), len(wanted.index)), dtype=np.float32)
    for i, file in enumerate(sessions):
        # A picture may return within a session, so trials are added one by one.
        for picture, trial in zip(place[i * _TRIALS :], _read(file, wanted), strict=False):
            mean[picture] += trial
    mean /= counts[:, None]
    responses = response_array(
        mean,
        {"stimulus_id": [str(p) for p in pictures], "trials": counts},
        {
            "neuroid_id": [f"{who}.{i}-{j}-{k}" for i, j, k in wanted.index],
            "region": wanted.region,
            "subject": who,
            **dict(zip("ijk", wanted.index.T, strict=True)),
        },
    ).assign_attrs(units="percent signal change")
    stimuli = _stimuli(root, pictures, shared)
    ceiling = _ceiling(folder / "ncsnr.nii.gz", wanted, counts)
    facts = {"sessions": len(sessions), "betas": betas, "space": space}
    return Assembly("nsd", responses, stimuli, ceiling=ceiling, meta=facts)


def _sessions(folder: Path) -> list[Path]:
    files = find_all(
        folder, ("betas_session*.hdf5", "betas_session*.nii.gz"), "responses by session"
    )
    numbers = [int(re.findall(r"session(\d+)", f.name)[0]) for f in files]
    if numbers != list(range(1, len(files) + 1)):
        raise ReadError(
            f"{folder}: expected sessions 1, 2, … without gaps, because trials are told by their "
            f"number; got {numbers}."
        )
    return files


def _chosen(
    root: Path, who: str, space: str, region: str, voxels: Sequence[Sequence[int]] | None
) -> _Voxels:
    if voxels is not None:
        index = np.atleast_2d(np.asarray(voxels))
        if index.dtype.kind not in "iu" or index.ndim != 2 or index.shape[1] != 3:
            raise DataError(f"Expected voxels as triples (i, j, k); got shape {index.shape}.")
        return _Voxels(index, np.full(len(index), ""), ())
    folder = root / "nsddata" / "ppdata" / who / space / "roi"
    names = sorted(p.name.removesuffix(".nii.gz") for p in folder.glob("*.nii.gz"))
    if not names:
        raise ReadError(f"{folder}: expected {region}.nii.gz; there is no region. Or give voxels=.")
    labels = _volume(folder / f"{one_of('region', region, names)}.nii.gz")
    index = np.argwhere(labels > 0)
    if not len(index):
        raise DataError(f"{who}: the region {region!r} has no voxels.")
    codes = labels[tuple(index.T)].astype(np.int64)
    titles = _titles(root, who, region)
    named = np.array([titles.get(c, region if len(set(codes)) == 1 else str(c)) for c in codes])
    return _Voxels(index, named, labels.shape)


def _volume(file: Path) -> np.ndarray:
    try:
        return np.asarray(nibabel.load(file).dataobj).squeeze()
    except Exception as error:
        # nibabel raises anything on damaged files.
        raise ReadError(f"{file.name}: cannot be read as NIfTI: {error}.") from error


def _titles(root: Path, who: str, region: str) -> dict[int, str]:
    folders = [root / "nsddata" / "freesurfer" / w / "label" for w in (who, "fsaverage")]
    file = next((f / f"{region}.mgz.ctab" for f in folders if (f / f"{region}.mgz.ctab").is_file()),
                None)  # fmt: skip
    rows = [] if file is None else [line.split() for line in read_lines(file)]
    return {int(row[0]): row[1] for row in rows if len(row) > 1 and row[0].isdigit()}


def _shown(root: Path, who: str, n_sessions: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the picture of each trial and the shared pictures, both counted from 0."""
    file = root / "nsddata" / "experiments" / "nsd" / "nsd_expdesign.mat"
    design = read_struct(file, ["masterordering", "subjectim", "sharedix"])
    if not {"masterordering", "subjectim"} <= set(design):
        raise ReadError(
            f"{file.name}: expected masterordering and subjectim; got {sorted(design)}."
        )
    order = np.ravel(design["masterordering"]).astype(np.int64)[: n_sessions * _TRIALS]
    table = np.atleast_2d(design["subjectim"]).astype(np.int64)
    row = int(who.removeprefix("subj")) - 1
    if order.size < n_sessions * _TRIALS or row >= len(table) or order.max() > table.shape[1]:
        raise ReadError(
            f"{file.name}: {order.size} trials and pictures of shape {table.shape} do not fit "
            f"{n_sessions} sessions of {who}."
        )
    return table[row][order - 1] - 1, np.ravel(design.get("sharedix", [])).astype(np.int64) - 1


def _first_seen(shown: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    pictures, first, inverse = np.unique(shown, return_index=True, return_inverse=True)
    order = np.argsort(first)
    rank = np.empty(len(order), dtype=np.int64)
    rank[order] = np.arange(len(order))
    return pictures[order], rank[inverse]


def _read(file: Path, wanted: _Voxels) -> np.ndarray:
    """Read the trials of one session, shape (trial, voxel), in percent signal change."""
    if file.name.endswith(".nii.gz"):
        return _read_volumes(file, wanted)
    out = np.empty((_TRIALS, len(wanted.index)), dtype=np.float32)
    with open_hdf5(file, "responses") as opened:
        data = check_dataset(opened.get("betas"))
        # HDF5 counts the other way round: (trial, k, j, i).
        if data.ndim != 4 or data.shape[0] != _TRIALS:
            raise ReadError(f"{file.name}: expected betas of {_TRIALS} trials; got {data.shape}.")
        _check_grid(file, data.shape[:0:-1], wanted)
        i, j, k = wanted.index.T
        columns, inverse = np.unique(np.stack([k, j]), axis=1, return_inverse=True)
        for at, (z, y) in enumerate(columns.T):
            mine = np.flatnonzero(inverse == at)
            x = i[mine]
            row = data[:, int(z), int(y), int(x.min()) : int(x.max()) + 1]
            out[:, mine] = row[:, x - x.min()]
    return out / np.float32(_SCALE)


def _read_volumes(file: Path, wanted: _Voxels) -> np.ndarray:
    shape = nibabel.load(file).shape
    if len(shape) != 4 or shape[3] != _TRIALS:
        raise ReadError(f"{file.name}: expected {_TRIALS} volumes; got {shape}.")
    _check_grid(file, shape[:3], wanted)
    mask = np.zeros(shape[:3], dtype=bool)
    mask[tuple(wanted.index.T)] = True
    bold = read_nifti(file, repetition_time=1.0, mask=mask)["bold"]
    order = {tuple(p): n for n, p in enumerate(np.stack([bold[a].values for a in "ijk"], 1))}
    columns = [order[tuple(p)] for p in wanted.index]
    return bold.values[:, columns] / np.float32(_SCALE)


def _check_grid(file: Path, shape: tuple[int, ...], wanted: _Voxels) -> None:
    if wanted.shape and tuple(wanted.shape) != tuple(shape):
        raise ReadError(f"{file.name} has the grid {shape}, the region {wanted.shape}.")
    if wanted.index.min() < 0 or (wanted.index >= np.array(shape)).any():
        raise DataError(f"Expected voxels within {shape}; got up to {wanted.index.max(axis=0)}.")


def _ceiling(file: Path, wanted: _Voxels, counts: np.ndarray) -> Any:
    import xarray as xr

    if not file.is_file():
        return None
    volume = _volume(file)
    _check_grid(file, volume.shape, wanted)
    snr = np.nan_to_num(volume[tuple(wanted.index.T)].astype(np.float64)) ** 2
    noise = np.mean(1.0 / np.minimum(counts, _REPEATS))
    return xr.DataArray(np.sqrt(snr / (snr + noise)), dims="neuroid")


def _stimuli(root: Path, pictures: np.ndarray, shared: np.ndarray) -> pd.DataFrame:
    ids = [str(p) for p in pictures]
    stimuli = pd.DataFrame({"shared": np.isin(pictures, shared)}, index=ids)
    told = root / "nsddata" / "experiments" / "nsd" / "nsd_stim_info_merged.csv"
    if told.is_file():
        table = read_texts(told, ",", ["nsdId", "cocoId"]).set_index("nsdId")
        kept = [c for c in ("cocoId", "cocoSplit", "cropBox") if c in table]
        stimuli = stimuli.join(table[kept])
    bricks = root / "nsddata_stimuli" / "stimuli" / "nsd" / "nsd_stimuli.hdf5"
    if bricks.is_file():
        stimuli["image"] = [f"{bricks}#imgBrick/{p}" for p in pictures]
    return stimuli
