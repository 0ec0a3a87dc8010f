"""Recordings as MNE's raw objects, with positions, bads, filters and annotations."""

from __future__ import annotations

import datetime
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import xarray as xr

from neurokit.errors import DataError, UnknownNameError
from neurokit.recording.core import Recording
from neurokit.warning import warn

if TYPE_CHECKING:
    import mne

__all__ = ["BRAIN", "FRAMES", "to_mne"]

_DEFAULT_TYPE = {
    "eeg": "eeg",
    "ieeg": "seeg",
    "lfp": "seeg",
    "meg": "mag",
    "meg_gradient": "grad",
    "triggers": "stim",
    "csd": "csd",
}
BRAIN = ("eeg", "ieeg", "lfp", "meg", "meg_gradient", "fnirs", "csd")
# FIFF's numbers for the frames that positions are given in.
FRAMES = {0: "unknown", 1: "meg", 4: "head", 5: "mri", 2001: "mri_voxel", 2002: "ras"}
FRAMES |= {2003: "mni_tal", 2006: "fs_tal", 1004: "ctf_head"}


def to_mne(recording: Recording, stream: str | None = None) -> mne.io.RawArray:
    """Convert streams and events to MNE.

    Parameters
    ----------
    recording : Recording
        Anything with a continuous stream over ``(time, feature)``.
    stream : str, optional
        One stream. By default the brain stream (``eeg``, ``ieeg``, ``lfp``, ``meg``,
        ``meg_gradient``, ``fnirs``) and all other streams sampled at the same times.

    Returns
    -------
    mne.io.RawArray
        With channel types, positions, bads and annotations; its time 0 is the first
        sample. Further columns of the events are ``raw.annotations.extras``.

    Raises
    ------
    DataError
        If there is no brain stream, brain streams differ in their times, or two streams
        share a channel name.
    UnknownNameError
        If there is no stream of that name.

    Examples
    --------
    >>> import numpy as np
    >>> x = 1e-5 * np.random.default_rng(0).normal(size=(100, 2))
    >>> to_mne(Recording.from_array(x, 50.0, ["C3", "C4"])).ch_names
    ['C3', 'C4']
    """
    import mne

    chosen = _chosen(recording, stream)
    names = [str(n) for s in chosen for n in s[s.dims[1]].values]
    twice = sorted({n for n in names if names.count(n) > 1})
    if twice:
        raise DataError(f"Streams share channel names: {twice[:5]}. Convert them one by one.")
    types = [t for s in chosen for t in _types(s)]
    info = mne.create_info(names, chosen[0].attrs["sampling_rate"], types)
    data = np.concatenate([s.values.T for s in chosen]).astype(np.float64)
    raw = mne.io.RawArray(data, info, verbose="ERROR")
    _set_facts(raw, chosen)
    if "measurement_date" in recording.meta:
        raw.set_meas_date(datetime.datetime.fromisoformat(recording.meta["measurement_date"]))
    _set_annotations(raw, recording.events, float(chosen[0]["time"].values[0]))
    return raw


def _chosen(recording: Recording, stream: str | None) -> list[xr.DataArray]:
    """Return the streams to convert, brain first."""
    if stream is not None:
        chosen = recording[stream]
        if isinstance(chosen, xr.Dataset) or chosen.ndim != 2 or chosen.dims[0] != "time":
            raise DataError(f"Stream {stream!r} is not continuous over (time, feature).")
        return [chosen]
    flat = {
        k: s
        for k, s in recording.streams.items()
        if isinstance(s, xr.DataArray) and s.ndim == 2 and s.dims[0] == "time"
    }
    brain = [s for k, s in flat.items() if k in BRAIN]
    if not brain:
        raise UnknownNameError("brain stream; give stream=, not", "None", recording.streams)
    time = brain[0]["time"].values
    apart = [s.name for s in brain[1:] if not np.array_equal(s["time"].values, time)]
    if apart:
        raise DataError(
            f"Streams {[brain[0].name, *apart]} have different sample times. Resample them to one "
            "rate, or convert one with stream=…"
        )
    beside = [s for k, s in flat.items() if k in ("triggers", "behaviour")]
    return brain + [s for s in beside if np.array_equal(s["time"].values, time)]


def _types(stream: xr.DataArray) -> list[str]:
    default = _DEFAULT_TYPE.get(str(stream.name), "misc")
    if "type" not in stream.coords:
        return [default] * stream.shape[1]
    return [str(t) or default for t in stream["type"].values]


def _set_facts(raw: mne.io.RawArray, chosen: list[xr.DataArray]) -> None:
    """Write positions, bads, filters and reference into MNE's info."""
    import mne

    raw.info["bads"] = [
        str(n) for s in chosen if "bad" in s.coords for n in s[s.dims[1]].values[s["bad"].values]
    ]
    attrs = chosen[0].attrs
    if "line_frequency" in attrs:
        raw.info["line_freq"] = attrs["line_frequency"]
    if attrs.get("coordinate_frame", "head") == "head":
        _set_montage(raw, chosen, attrs.get("landmarks", {}))
    # MNE offers no public way to write these facts of a recording.
    with raw.info._unlock():
        for key in ("highpass", "lowpass"):
            if key in attrs:
                raw.info[key] = float(attrs[key])
        if attrs.get("reference"):
            raw.info["custom_ref_applied"] = 1
        if "device_to_head" in attrs:
            trans = np.asarray(attrs["device_to_head"], dtype=np.float64)
            raw.info["dev_head_t"] = mne.Transform("meg", "head", trans)
    channels = iter(raw.info["chs"])
    for stream in chosen:
        _set_geometry(stream, [next(channels) for _ in range(stream.shape[1])])


def _set_montage(
    raw: mne.io.RawArray, chosen: list[xr.DataArray], landmarks: dict[str, list[float]]
) -> None:
    """Give MNE digitised points, which its topographies and coregistration start from."""
    import mne

    electrodes = ("eeg", "seeg", "ecog", "dbs")
    where = {
        str(n): p[:3]
        for s in chosen
        for n, p, t in zip(s[s.dims[1]].values, _geometry(s), _types(s), strict=True)
        if t in electrodes and np.isfinite(p[:3]).all()
    }
    if where:
        marks = {k: np.asarray(v) for k, v in landmarks.items()}
        montage = mne.channels.make_dig_montage(where, coord_frame="head", **marks)
        raw.set_montage(montage, on_missing="ignore", verbose="ERROR")


def _geometry(stream: xr.DataArray) -> np.ndarray:
    """Return MNE's twelve numbers a sensor, NaN where unknown."""
    out = np.full((stream.shape[1], 12), np.nan)
    for column, key in enumerate(["x", "y", "z", *(f"loc_{k}" for k in range(3, 12))]):
        if key in stream.coords:
            out[:, column] = stream[key].values
    return out


def _set_geometry(stream: xr.DataArray, channels: list[dict[str, Any]]) -> None:
    frames = {name: number for number, name in FRAMES.items()}
    frame = frames.get(stream.attrs.get("coordinate_frame", "head"), 0)
    for row, channel in zip(_geometry(stream), channels, strict=True):
        known = np.isfinite(row)
        channel["loc"][known] = row[known]
        if known.any():
            channel["coord_frame"] = frame
    if "coil_type" in stream.coords:
        for coil, channel in zip(stream["coil_type"].values, channels, strict=True):
            channel["coil_type"] = int(coil)


def _set_annotations(raw: mne.io.RawArray, events: pd.DataFrame, start: float) -> None:
    import mne

    onset = events["onset"].to_numpy() - start
    end = raw.n_times / raw.info["sfreq"]
    inside = (onset >= 0) & (onset <= end)
    if not inside.all():
        warn(
            f"{int((~inside).sum())} of {len(events)} events lie outside of the converted streams "
            f"(0 to {end:g} s of their own time), where MNE keeps no annotation."
        )
    kept = events[inside]
    further = kept.drop(columns=["onset", "duration", "trial_type", "channel"], errors="ignore")
    extras = [
        {k: v for k, v in row.items() if pd.notna(v)} for row in further.to_dict(orient="records")
    ]
    channels = kept["channel"].fillna("") if "channel" in kept else [""] * len(kept)
    notes = mne.Annotations(
        onset[inside],
        kept["duration"].to_numpy(),
        kept["trial_type"].fillna("n/a").tolist(),
        ch_names=[[c for c in text.split(",") if c in raw.ch_names] for text in channels],
        extras=extras if any(extras) else None,
    )
    raw.set_annotations(notes, verbose="ERROR")
