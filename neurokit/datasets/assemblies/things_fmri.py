"""Single-trial responses to 8,740 photographs of objects (THINGS-fMRI, Hebart 2023)."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import h5py
import numpy as np
import pandas as pd
import xarray as xr

from neurokit.arguments import known
from neurokit.datasets.assemblies.assembly import Assembly
from neurokit.datasets.assemblies.build import averaged, response_array
from neurokit.datasets.assemblies.files import find, find_all, one_of, read_texts
from neurokit.datasets.hdf5 import check_dataset, open_hdf5
from neurokit.datasets.tables import load_table
from neurokit.errors import DataError, ReadError, UnknownNameError

__all__ = ["read_things_fmri"]

_ROWS = 2048


def read_things_fmri(
    path: str | Path,
    *,
    subject: str | None = None,
    region: str | None = None,
    voxels: Sequence[int] | None = None,
    trials: str = "test",
) -> Assembly:
    """Read the responses of some voxels of one person.

    Parameters
    ----------
    path : path
        Folder ``betas_csv`` of the published table format: ``sub-01_ResponseData.h5`` (pandas'
        HDF5 of one table, a row a voxel, a column a trial), ``sub-01_StimulusMetadata.csv``
        (``stimulus``, ``concept``, ``trial_type``, ``session``, ``run``) and
        ``sub-01_VoxelMetadata.csv`` (``voxel_id``, ``voxel_x`` …, ``nc_testset``,
        ``nc_singletrial`` in percent, a column of 0 and 1 for each region). So the authors'
        notebooks (ViCCo-Group/THINGS-data).
    subject : str, optional
        ``01`` to ``03``, where there are several.
    region : str, optional
        A column of the voxel table, such as ``V1`` or ``lFFA``.
    voxels : sequence of int, optional
        Rows wanted, counted from 0, instead of a region. One of the two is needed: all 200,000
        voxels take 8 GB.
    trials : {"test", "train"}
        The 100 pictures shown twelve times, or the 8,640 shown once.

    Returns
    -------
    Assembly
        A presentation a picture; of the test pictures the mean, with ``repeats``. The ceiling
        of r is the root of the published share of explainable variance. ``stimulus_id`` is the
        picture's file name, ``category`` its concept.

    Raises
    ------
    ReadError
        If files are missing or laid out in another way.
    DataError
        If neither region nor voxels are given.
    UnknownNameError
        If there is no such region or subject.

    Examples
    --------
    >>> read_things_fmri(".")
    Traceback (most recent call last):
    neurokit.errors.ReadError: .: expected responses (sub-*_ResponseData.h5); there is none.
    """
    known("trials", trials, ("test", "train"))
    root = Path(path)
    files = find_all(root, "sub-*_ResponseData.h5", "responses")
    by_name = {f.name[4:].partition("_")[0]: f for f in files}
    who = one_of("subject", subject, list(by_name))
    file = by_name[who]
    table = load_table(find(file.parent, f"sub-{who}_VoxelMetadata.csv", "the voxels"))
    rows = _rows(table, region, voxels)
    shown = read_texts(
        find(file.parent, f"sub-{who}_StimulusMetadata.csv", "the trials"),
        ",",
        ["stimulus", "concept", "trial_type"],
    )
    columns = np.flatnonzero(shown["trial_type"] == trials)
    if not columns.size:
        raise ReadError(f"sub-{who}: no trial is of type {trials!r}.")
    values = _responses(file, len(table), len(shown), rows, columns)
    ids, mean, repeats = averaged(values, shown["stimulus"].to_numpy()[columns].tolist())
    chosen = table.iloc[rows]
    neuroid = {
        "neuroid_id": [f"{who}.{r}" for r in rows],
        "region": "" if region is None else region,
        "subject": who,
        **{k: chosen[f"voxel_{a}"].to_numpy() for a, k in zip("xyz", "ijk", strict=True)
           if f"voxel_{a}" in chosen},
    }  # fmt: skip
    responses = response_array(mean, {"stimulus_id": ids}, neuroid)
    concepts = shown.drop_duplicates("stimulus").set_index("stimulus")["concept"]
    stimuli = pd.DataFrame({"category": concepts[ids]})
    share = "nc_testset" if trials == "test" else "nc_singletrial"
    single = xr.DataArray(repeats, dims=("repeat", "presentation", "neuroid"))
    return Assembly(
        "things-fmri",
        responses,
        stimuli,
        repeats=single if len(repeats) > 1 else None,
        ceiling=_ceiling(chosen, share),
        meta={"trials": trials},
    )


def _rows(table: pd.DataFrame, region: str | None, voxels: Sequence[int] | None) -> np.ndarray:
    if voxels is not None:
        rows = np.atleast_1d(np.asarray(voxels))
        if rows.dtype.kind not in "iu" or rows.min() < 0 or rows.max() >= len(table):
            raise DataError(f"Expected voxels from 0 to {len(table) - 1}; got {voxels!r:.60}.")
        return rows
    if region is None:
        raise DataError("Choose region= or voxels=: all voxels of a person take 8 GB.")
    binary = [str(c) for c in table if table[c].dropna().isin([0, 1]).all() and table[c].any()]
    if region not in binary:
        raise UnknownNameError("region", region, binary)
    return np.flatnonzero(table[region] == 1)


def _responses(
    file: Path, n_voxels: int, n_trials: int, rows: np.ndarray, columns: np.ndarray
) -> np.ndarray:
    """Read (trial, voxel) in blocks of voxels."""
    with open_hdf5(file, "pandas' HDF5") as opened:
        groups = [g for g in opened.values() if isinstance(g, h5py.Group)]
        found = [v for g in groups for k, v in g.items() if k.endswith("_values")]
        # A table of one type is one block; the ids of voxels, if whole numbers, are another.
        blocks = [v for v in found if v.ndim == 2 and v.dtype.kind == "f"]
        if len(blocks) != 1 or n_voxels not in blocks[0].shape:
            raise ReadError(
                f"{file.name}: expected one block of responses of {n_voxels} voxels; got "
                f"{[(v.name, v.shape) for v in found][:6]}."
            )
        data = check_dataset(blocks[0])
        extra = data.shape[1] - n_trials
        if data.shape[0] != n_voxels or extra not in (0, 1):
            raise ReadError(
                f"{file.name}: expected responses (voxel, trial) of shape ({n_voxels}, "
                f"{n_trials}); got {data.shape}."
            )
        out = np.empty((len(columns), len(rows)), dtype=np.float32)
        for first in range(0, n_voxels, _ROWS):
            mine = np.flatnonzero((rows >= first) & (rows < first + _ROWS))
            if mine.size:
                block = data[first : first + _ROWS]
                # With one column too many the first is the voxel's id.
                out[:, mine] = block[rows[mine] - first][:, columns + extra].T
    return out


def _ceiling(chosen: pd.DataFrame, share: str) -> xr.DataArray | None:
    if share not in chosen:
        return None
    part = chosen[share].to_numpy(np.float64) / 100.0
    return xr.DataArray(np.sqrt(np.clip(part, 0.0, 1.0)), dims="neuroid")
