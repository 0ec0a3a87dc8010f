"""Calcium imaging after segmentation: Suite2p folders and CaImAn's HDF5."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import h5py
import numpy as np
import xarray as xr

from neurokit.datasets.array_files import load_npy
from neurokit.datasets.hdf5 import check_dataset, open_hdf5, scalar
from neurokit.errors import DataError, ReadError
from neurokit.recording.build import time_axis
from neurokit.recording.core import Recording

__all__ = ["read_caiman", "read_suite2p", "sniff"]


def sniff(path: str | Path) -> str | None:
    """Tell whether a path is a result of Suite2p or CaImAn, by its content.

    Parameters
    ----------
    path : path
        Any file or folder.

    Returns
    -------
    str or None
        ``"suite2p"``, ``"caiman"`` or None.

    Examples
    --------
    >>> sniff("no-such-file") is None
    True
    """
    path = Path(path)
    if path.is_dir():
        return "suite2p" if _plane(path) is not None else None
    if not path.is_file() or not h5py.is_hdf5(path):
        return None
    try:
        with h5py.File(path, "r") as file:
            inner = file.get("estimates")
            return "caiman" if isinstance(inner, h5py.Group) and "C" in inner else None
    except (OSError, RuntimeError):
        return None


def read_suite2p(
    path: str | Path,
    *,
    sampling_rate: float | None = None,
    neuropil: float = 0.7,
    cells_only: bool = True,
    start: float = 0.0,
) -> Recording:
    """Read a folder of Suite2p.

    Suite2p keeps the frame rate in ``ops.npy``, which is a pickle and is never opened.

    Parameters
    ----------
    path : path
        The folder of a plane (``F.npy`` …), or the one above that has a single plane.
    sampling_rate : float
        Frames per second and plane: ``ops["fs"]``; has to be given.
    neuropil : float
        Share of the neuropil signal that is taken off, where ``Fneu.npy`` is there;
        Suite2p's own default.
    cells_only : bool
        Leave out what ``iscell.npy`` says is no cell.
    start : float
        Second of the first frame.

    Returns
    -------
    Recording
        ``calcium`` over ``(time, unit)``, the fluorescence less the neuropil; ``deconvolved``
        where ``spks.npy`` is there. Units are named by their number in Suite2p;
        ``cell_probability`` is the classifier's.

    Raises
    ------
    ReadError
        If files are missing, damaged or pickled, or no frame rate is given.
    DataError
        If their shapes differ, or no cell is left.
    """
    folder = _plane(Path(path))
    if folder is None:
        raise ReadError(
            f"{path} has no F.npy, nor has exactly one plane<n> in it. Give the plane's folder."
        )
    if sampling_rate is None:
        raise ReadError(
            f"{folder}: the frame rate lies in ops.npy, a pickle, which is not opened. Give "
            "sampling_rate in Hz (ops['fs'])."
        )
    traces = _matrix(folder / "F.npy", None)
    if (folder / "Fneu.npy").is_file():
        traces = traces - np.float32(neuropil) * _matrix(folder / "Fneu.npy", traces.shape)
    keep, probability = np.ones(len(traces), dtype=bool), None
    if (folder / "iscell.npy").is_file():
        verdict = load_npy(folder / "iscell.npy")
        if verdict.ndim != 2 or verdict.shape != (len(traces), 2):
            raise DataError(f"{folder}: iscell.npy has shape {verdict.shape}, not (roi, 2).")
        probability = verdict[:, 1]
        keep = verdict[:, 0].astype(bool) if cells_only else keep
    streams = {"calcium": traces}
    if (folder / "spks.npy").is_file():
        streams["deconvolved"] = _matrix(folder / "spks.npy", traces.shape)
    facts = {} if probability is None else {"cell_probability": probability}
    return Recording(
        _all_streams(streams, keep, sampling_rate, start, facts, str(folder)),
        meta={"source": folder.name, "neuropil": neuropil},
    )


def read_caiman(
    path: str | Path,
    *,
    sampling_rate: float | None = None,
    accepted_only: bool = True,
    start: float = 0.0,
) -> Recording:
    """Read the HDF5 file that CaImAn saves.

    Parameters
    ----------
    path : path
        The file.
    sampling_rate : float, optional
        In Hz; by default ``params/data/fr`` of the file.
    accepted_only : bool
        Only ``idx_components``, where components were evaluated.
    start : float
        Second of the first frame.

    Returns
    -------
    Recording
        ``calcium`` is ``F_dff`` where it was computed, else the denoised traces ``C`` plus
        the residual ``YrA``; ``denoised`` is ``C``, ``deconvolved`` is ``S``.

    Raises
    ------
    ReadError
        If the file is damaged or of something else, or no frame rate is known.
    DataError
        If shapes differ, or no component is left.
    """
    path = Path(path)
    with open_hdf5(path, "CaImAn's HDF5") as file:
        inner = file.get("estimates")
        if not isinstance(inner, h5py.Group) or not isinstance(inner.get("C"), h5py.Dataset):
            raise ReadError(f"{path.name} has no estimates/C; it was not saved by CaImAn.")
        found = {k: _component_matrix(inner, k) for k in ("C", "S", "YrA", "F_dff")}
        chosen = inner.get("idx_components")
        accepted = _indices(chosen) if accepted_only else None
        rate = sampling_rate
        if rate is None:
            stored = scalar(file, "params/data/fr")
            rate = float(stored) if isinstance(stored, int | float) else None
    if rate is None:
        raise ReadError(f"{path.name} does not say its frame rate. Give sampling_rate in Hz.")
    denoised = found["C"]
    assert denoised is not None
    for key, values in found.items():
        if values is not None and values.shape != denoised.shape:
            raise DataError(f"{path.name}: {key} is {values.shape}, but C is {denoised.shape}.")
    raw, residual = found["F_dff"], found["YrA"]
    if raw is None:
        raw = denoised if residual is None else denoised + residual
    streams = {"calcium": raw, "denoised": denoised}
    if found["S"] is not None:
        streams["deconvolved"] = found["S"]
    keep = np.ones(len(denoised), dtype=bool)
    if accepted is not None:
        if accepted.size and not 0 <= accepted.min() <= accepted.max() < keep.size:
            raise DataError(f"{path.name}: idx_components name none of {keep.size} components.")
        keep[:] = False
        keep[accepted] = True
    return Recording(
        _all_streams(streams, keep, rate, start, {}, path.name), meta={"source": path.name}
    )


def _plane(path: Path) -> Path | None:
    inside = [p for p in sorted(path.glob("plane*")) if (p / "F.npy").is_file()]
    for folder in (path, path / "suite2p"):
        if (folder / "F.npy").is_file():
            return folder
    inside = inside or [p for p in sorted(path.glob("suite2p/plane*")) if (p / "F.npy").is_file()]
    return inside[0] if len(inside) == 1 else None


def _matrix(path: Path, shape: tuple[int, ...] | None) -> np.ndarray:
    values = load_npy(path)
    if values.ndim != 2 or values.dtype.kind not in "fiu":
        raise DataError(f"{path}: {values.dtype} of shape {values.shape}, expected (roi, frame).")
    if shape is not None and values.shape != shape:
        raise DataError(f"{path} has shape {values.shape}, but F.npy {shape}.")
    return values.astype(np.float32, copy=False)


def _component_matrix(group: h5py.Group, name: str) -> np.ndarray | None:
    item = group.get(name)
    # CaImAn writes what it did not compute as text: "NoneType".
    if not isinstance(item, h5py.Dataset) or item.dtype.kind not in "fiu" or item.ndim != 2:
        return None
    return np.asarray(check_dataset(item)[()], dtype=np.float32)


def _indices(item: Any) -> np.ndarray | None:
    if not isinstance(item, h5py.Dataset) or item.dtype.kind not in "iu" or item.ndim != 1:
        return None
    return np.asarray(check_dataset(item)[()], dtype=np.int64)


def _all_streams(
    matrices: dict[str, np.ndarray],
    keep: np.ndarray,
    rate: float,
    start: float,
    facts: dict[str, np.ndarray],
    where: str,
) -> dict[str, xr.DataArray]:
    if not keep.any():
        raise DataError(f"{where}: none of {keep.size} components is a cell. Keep all of them?")
    if not 0 < rate < np.inf:
        raise DataError(f"{where}: the sampling rate is {rate!r}, expected positive Hz.")
    first = next(iter(matrices.values()))
    coords: dict[str, Any] = {
        "time": time_axis(first.shape[1], float(rate), start),
        "unit": np.flatnonzero(keep).astype(np.str_),
        **{key: ("unit", values[keep]) for key, values in facts.items()},
    }
    attrs = {"sampling_rate": float(rate), "units": "a.u."}
    return {
        name: xr.DataArray(values[keep].T, dims=("time", "unit"), coords=coords, attrs=attrs)
        for name, values in matrices.items()
    }
