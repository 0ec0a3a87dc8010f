"""Blocks of eight object categories in the shipped slice of Haxby (2001)."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from neurokit.arguments import number
from neurokit.datasets.assemblies.assembly import Assembly
from neurokit.datasets.assemblies.build import response_array
from neurokit.datasets.assemblies.files import find
from neurokit.datasets.fmri_volume import read_nifti
from neurokit.errors import ReadError

__all__ = ["read_haxby_slice"]


def read_haxby_slice(path: str | Path, *, lag: float = 5.0) -> Assembly:
    """Average the volumes of each block of the data set ``haxby-slice``.

    Parameters
    ----------
    path : path
        Its folder, ``nk.datasets.fetch("haxby-slice")``: a BIDS run with brain mask and events.
    lag : float
        Seconds by which the blood's answer lags behind the stimulus; a block is the volumes
        from its onset to its end, both shifted by it.

    Returns
    -------
    Assembly
        A presentation a block (``run``, ``time`` of onset in s), a stimulus a category, a
        neuroid a voxel, standardised within its run to mean 0 and deviation 1 (over all
        volumes, rest included, before averaging). Voxels that never change are left out.

    Raises
    ------
    ReadError
        If there is no run or no events with a run.

    Examples
    --------
    >>> import neurokit as nk
    >>> read_haxby_slice(nk.datasets.fetch("haxby-slice")).responses.sizes["presentation"]
    96
    """
    lag = number("lag (s)", lag)
    root = Path(path)
    file = find(root, "*_bold.nii.gz", "a run")
    masks = sorted(file.parent.glob("*_desc-brain_mask.nii.gz"))
    rec = read_nifti(file, mask=masks[0] if masks else None)
    events = rec.events
    if not {"trial_type", "run"} <= set(events.columns):
        raise ReadError(f"{file.name}: expected events with columns trial_type and run beside it.")
    bold = rec["bold"]
    time = bold["time"].values
    values, varying = _standardized(bold.values, _runs(time, events))
    blocks = events[events["trial_type"] != "rest"]
    begin = blocks["onset"].to_numpy(np.float64) + lag
    end = begin + blocks["duration"].to_numpy(np.float64)
    inside = [(time >= a) & (time < b) for a, b in zip(begin, end, strict=True)]
    if not all(mask.any() for mask in inside):
        raise ReadError(f"{file.name}: a block holds no volume at a lag of {lag:g} s.")
    means = np.stack([values[mask].mean(axis=0) for mask in inside])
    kinds = blocks["trial_type"].astype(str).to_numpy()
    responses = response_array(
        means.astype(np.float32),
        {"stimulus_id": kinds, "run": blocks["run"].to_numpy(), "time": blocks["onset"].to_numpy()},
        {
            "neuroid_id": np.flatnonzero(varying),
            "region": "ventral temporal slice",
            "subject": "1",
            **{axis: bold[axis].values[varying] for axis in "xyz"},
        },
    )
    stimuli = pd.DataFrame({"category": sorted(set(kinds))}, index=sorted(set(kinds)))
    return Assembly("haxby-slice", responses, stimuli, meta={"lag": lag})


def _runs(time: np.ndarray, events: pd.DataFrame) -> np.ndarray:
    """Return the run of each volume."""
    starts = events.groupby("run")["onset"].min().sort_values()
    order = np.searchsorted(starts.to_numpy(), time, side="right") - 1
    return starts.index.to_numpy()[np.maximum(order, 0)]


def _standardized(bold: np.ndarray, runs: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    parts = [bold[runs == run].astype(np.float64) for run in np.unique(runs)]
    spread = np.stack([part.std(axis=0) for part in parts])
    varying = np.all(spread > 0, axis=0)
    out = np.empty((len(bold), int(varying.sum())))
    for run, part, deviation in zip(np.unique(runs), parts, spread, strict=True):
        out[runs == run] = (part - part.mean(axis=0))[:, varying] / deviation[varying]
    return out, np.asarray(varying)
