"""Series of volumes in NIfTI files, and the labels that come with them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import xarray as xr

from neurokit.datasets.fmri_file import Volumes
from neurokit.datasets.fmri_sidecar import describe, events_beside, repetition_time
from neurokit.errors import DataError, ReadError
from neurokit.recording import Recording
from neurokit.recording.build import time_axis
from neurokit.recording.checks import no_events
from neurokit.recording.grid import chosen_voxels
from neurokit.recording.lazy import lazy_array

if TYPE_CHECKING:
    import nibabel

__all__ = ["events_from_attributes", "read_nifti", "read_volumes"]


def read_nifti(
    path: str | Path,
    *,
    repetition_time: float | None = None,
    mask: str | Path | nibabel.Nifti1Image | np.ndarray | None = None,
    lazy: bool = False,
    attributes: str | Path | None = None,
) -> Recording:
    """Read a 4-D NIfTI file.

    Parameters
    ----------
    path : path
        NIfTI-1 or NIfTI-2, gzipped or not.
    repetition_time : float, optional
        In seconds. By default that of the JSON sidecar, which BIDS lets lie higher up in the
        tree, too; the header is not trusted.
    mask : path, nibabel image or ndarray of shape (x, y, z), optional
        Only voxels where it is not zero are read.
    lazy : bool
        Read volumes when they are first used.
    attributes : path, optional
        One line a volume, label and run: see :func:`events_from_attributes`. By default the
        events are those of the ``_events.tsv`` of a BIDS run.

    Returns
    -------
    Recording
        Stream ``bold`` over ``(time, voxel)``, as :meth:`Recording.from_nifti`.

    Raises
    ------
    ReadError
        If the file is no NIfTI series, is truncated or damaged, or claims more than it holds.
    DataError
        If the TR is nowhere, the mask does not fit, or values are not finite.

    Examples
    --------
    >>> import nibabel, tempfile
    >>> folder = Path(tempfile.mkdtemp())
    >>> image = nibabel.Nifti1Image(np.ones((2, 2, 2, 5), np.int16), np.eye(4))
    >>> nibabel.save(image, folder / "run.nii.gz")
    >>> read_nifti(folder / "run.nii.gz", repetition_time=2.0)["bold"].shape
    (5, 8)
    """
    return read_volumes(Volumes.of_nifti(Path(path)), repetition_time, mask, lazy, attributes)


def read_volumes(
    volumes: Volumes,
    seconds: float | None,
    mask: str | Path | nibabel.Nifti1Image | np.ndarray | None,
    lazy: bool,
    attributes: str | Path | None = None,
) -> Recording:
    """Turn volumes on disk into a recording; see :func:`read_nifti`.

    Parameters
    ----------
    volumes : Volumes
        An opened file.
    seconds : float or None
        The TR.
    mask : path, nibabel image, ndarray or None
        Which voxels.
    lazy : bool
        Read on first use.
    attributes : path, optional
        Labels, one line a volume.

    Returns
    -------
    Recording
        Stream ``bold`` over ``(time, voxel)``.
    """
    path, n_volumes = volumes.path, volumes.shape[3]
    tr = repetition_time(path, seconds, volumes.claim)
    voxels = chosen_voxels(volumes.grid, mask)
    flat = np.ravel_multi_index(tuple(voxels), volumes.grid.shape, order="F")
    coords = {"time": time_axis(n_volumes, 1.0 / tr), **volumes.grid.coords(voxels)}
    attrs, dims = volumes.grid.attrs(tr), ("time", "voxel")
    if lazy:

        def fetch(first: int, last: int) -> np.ndarray:
            return volumes.rows(first, last, flat)

        data = lazy_array(dims, (n_volumes, flat.size), fetch, coords, attrs)
    else:
        data = xr.DataArray(volumes.rows(0, n_volumes, flat), coords, dims, attrs=attrs)
    if attributes is not None:
        events: pd.DataFrame | None = events_from_attributes(attributes, tr, n_volumes)
    else:
        events = events_beside(path)
    return Recording({"bold": data}, no_events() if events is None else events, describe(path))


def events_from_attributes(
    path: str | Path, repetition_time: float, n_volumes: int | None = None
) -> pd.DataFrame:
    r"""Turn one label a volume into events, one a block.

    Parameters
    ----------
    path : path
        Text with a label and a run on each line, as PyMVPA's ``attributes.txt``; a first line
        ``labels chunks`` is skipped.
    repetition_time : float
        Seconds between volumes.
    n_volumes : int, optional
        How many lines there must be.

    Returns
    -------
    pd.DataFrame
        ``onset`` and ``duration`` (s), ``trial_type`` and ``run`` of every longest stretch of
        one label within one run.

    Raises
    ------
    ReadError
        If a line is not a label and a run.
    DataError
        If there is not one line a volume.

    Examples
    --------
    >>> import tempfile
    >>> path = Path(tempfile.mkdtemp()) / "attributes.txt"
    >>> _ = path.write_text("rest 0\nface 0\nface 0\nface 1\n")
    >>> events_from_attributes(path, 2.0)[["onset", "duration", "run"]].values.tolist()
    [[0.0, 2.0, 0.0], [2.0, 4.0, 0.0], [6.0, 2.0, 1.0]]
    """
    path = Path(path)
    try:
        lines = path.read_text(encoding="utf-8-sig").splitlines()
    except (OSError, ValueError) as error:
        raise ReadError(f"{path.name}: cannot be read as text: {error}.") from None
    rows = [(number, line.split()) for number, line in enumerate(lines, 1) if line.strip()]
    if rows and rows[0][1] == ["labels", "chunks"]:
        del rows[0]
    for number, cells in rows:
        if len(cells) != 2 or not cells[1].isdecimal():
            raise ReadError(
                f"{path.name}: line {number} is {' '.join(cells)[:60]!r}, expected a label and the "
                "number of a run."
            )
    if n_volumes is not None and len(rows) != n_volumes:
        raise DataError(f"{path.name} labels {len(rows)} volumes, the image has {n_volumes}.")
    table = pd.DataFrame([cells for _, cells in rows], columns=["trial_type", "run"])
    table["run"] = table["run"].astype(np.int64)
    starts = np.flatnonzero((table != table.shift()).any(axis=1).to_numpy())
    lengths = np.diff([*starts, len(table)])
    blocks = table.iloc[starts].reset_index(drop=True)
    blocks.insert(0, "onset", starts * float(repetition_time))
    blocks.insert(1, "duration", lengths * float(repetition_time))
    return blocks
