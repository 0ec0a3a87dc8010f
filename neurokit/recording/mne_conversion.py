"""Recordings from and to MNE's continuous data.

MNE keeps all channels in one array; a recording keeps one stream a kind of signal:

=====================================================  ================================
MNE channel types                                      stream
=====================================================  ================================
eeg                                                    ``eeg`` (V)
seeg, ecog, dbs                                        ``ieeg`` (V)
eog, ecg, emg, bio                                     with the brain channels: ``eeg``,
                                                       or ``ieeg`` where there is no EEG
mag, ref_meg; grad                                     ``meg`` (T); ``meg_gradient`` (T/m)
fnirs_cw_amplitude, fnirs_fd_*, fnirs_od, hbo, hbr     ``fnirs``
csd                                                    ``csd`` (V/m²)
stim                                                   ``triggers``: the raw codes
all others (misc, resp, gsr, chpi, eyegaze, pupil …)   ``behaviour`` (time, variable)
=====================================================  ================================

Nothing is left out: each channel is in exactly one stream, with its MNE type in the
coordinate ``type``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import xarray as xr

from neurokit.arguments import like
from neurokit.errors import DataError, UnknownNameError
from neurokit.recording import checks
from neurokit.recording.build import time_axis
from neurokit.recording.core import Recording
from neurokit.recording.lazy import lazy_array
from neurokit.recording.mne_export import BRAIN, FRAMES, to_mne
from neurokit.recording.schema import kind_of, voltage_factor

if TYPE_CHECKING:
    import mne

__all__ = ["from_mne", "parts_of", "to_mne"]

_STREAM_OF = {
    **dict.fromkeys(["eeg"], "eeg"),
    **dict.fromkeys(["seeg", "ecog", "dbs"], "ieeg"),
    **dict.fromkeys(["mag", "ref_meg"], "meg"),
    "grad": "meg_gradient",
    "csd": "csd",
    "stim": "triggers",
}
ARBITRARY = "a.u."
_BESIDE_BRAIN = ("eog", "ecg", "emg", "bio")
_BLOCK_BYTES = 64 * 2**20


def from_mne(raw: mne.io.BaseRaw, *, units: str | Mapping[str, str] | None = None) -> Recording:
    """Convert MNE's continuous data; the table above says which channel goes where.

    Parameters
    ----------
    raw : mne.io.BaseRaw
        If its samples are still in a file, the recording reads them when they are first
        used, only as many as are asked for.
    units : str or mapping of str to str, optional
        The true unit of the voltage channels, or of those named, where MNE takes for
        volts what is, for example, ``"uV"``. ``"a.u."`` for all says that their scale is
        unknown; they keep their numbers and are not called volts.

    Returns
    -------
    Recording
        Volts, tesla, metres. Time 0 is the first sample (``raw.first_samp``), and
        annotations become events on that clock. Bad channels have coordinate ``bad``;
        line frequency and filter borders are attrs of each stream.

    Raises
    ------
    DataError
        If a channel that is not marked bad holds NaN, or ``units`` is not a voltage.

    Examples
    --------
    >>> import mne, numpy as np
    >>> x = 1e-5 * np.random.default_rng(0).normal(size=(2, 100))
    >>> raw = mne.io.RawArray(x, mne.create_info(["Cz", "EOG1"], 50, ["eeg", "eog"]), verbose=False)
    >>> from_mne(raw)["eeg"]["type"].values.tolist()
    ['eeg', 'eog']
    """
    like("raw", raw, "get_channel_types", "an mne Raw object")
    return Recording(*parts_of(raw, units))


def parts_of(
    raw: mne.io.BaseRaw, units: str | Mapping[str, str] | None = None
) -> tuple[dict[str, xr.DataArray], pd.DataFrame, dict[str, Any]]:
    """Return what a recording of MNE's data is built from, for readers that add to it.

    Parameters
    ----------
    raw : mne.io.BaseRaw
        As for :func:`from_mne`.
    units : str or mapping of str to str, optional
        As for :func:`from_mne`.

    Returns
    -------
    dict of str to xr.DataArray
        The streams, not yet checked.
    pd.DataFrame
        The events.
    dict
        The metadata.
    """
    types = raw.get_channel_types()
    arbitrary = units == ARBITRARY
    factors = _factors(raw.ch_names, None if arbitrary else units)
    streams = {
        name: _stream(raw, name, np.asarray(picks), types, factors[picks])
        for name, picks in _groups(types).items()
    }
    for stream in streams.values():
        if arbitrary and stream.attrs["units"] == "V":
            stream.attrs["units"] = ARBITRARY
    return streams, _events(raw), _meta(raw)


def _factors(names: list[str], units: str | Mapping[str, str] | None) -> np.ndarray:
    """Return what each channel is multiplied with to be in volts."""
    given = dict.fromkeys(names, units) if isinstance(units, str) else dict(units or {})
    factors = np.ones(len(names))
    for name, unit in given.items():
        factor = voltage_factor(unit)
        if factor is None:
            raise DataError(
                f"units={unit!r} is not a voltage. Give 'V', 'mV', 'uV', 'nV', or for all channels "
                "'a.u.'."
            )
        if name not in names:
            raise UnknownNameError("channel", name, names)
        factors[names.index(name)] = factor
    return factors


def _groups(types: list[str]) -> dict[str, list[int]]:
    """Return the channels of each stream."""
    beside = "ieeg" if "eeg" not in types and {"seeg", "ecog", "dbs"} & set(types) else "eeg"
    groups: dict[str, list[int]] = {}
    for index, kind in enumerate(types):
        optical = kind.startswith("fnirs") or kind in ("hbo", "hbr")
        name = "fnirs" if optical else _STREAM_OF.get(kind, "behaviour")
        groups.setdefault(beside if kind in _BESIDE_BRAIN else name, []).append(index)
    return groups


def _stream(
    raw: mne.io.BaseRaw, name: str, picks: np.ndarray, types: list[str], factors: np.ndarray
) -> xr.DataArray:
    kind = kind_of(name)
    scale = factors[:, None] if kind.units == "V" and (factors != 1).any() else None
    bad = np.isin([raw.ch_names[i] for i in picks], raw.info["bads"])
    labels = np.asarray([raw.ch_names[i] for i in picks], dtype=np.str_)
    sampling_rate = float(raw.info["sfreq"])
    coords: dict[str, Any] = {
        "time": time_axis(raw.n_times, sampling_rate),
        kind.dim: labels,
        "type": (kind.dim, np.asarray([types[i] for i in picks], dtype=np.str_)),
        "bad": (kind.dim, bad),
        **_positions(raw, picks, kind.dim, keep_all=name in ("meg", "meg_gradient", "fnirs")),
    }
    units = kind.units if kind.units != "a.u." else _common_unit(raw, picks)
    attrs = {"sampling_rate": sampling_rate, "units": units, **_facts(raw, name, int(picks[0]))}
    if "x" not in coords:
        attrs.pop("coordinate_frame", None)
    fetch = _fetcher(raw, name, picks, scale, labels, ~bad if kind.strict else None)
    shape = (raw.n_times, picks.size)
    if raw.preload:
        return xr.DataArray(fetch(0, raw.n_times), coords, ("time", kind.dim), attrs=attrs)
    return lazy_array(("time", kind.dim), shape, fetch, coords, attrs)


def _fetcher(
    raw: mne.io.BaseRaw,
    name: str,
    picks: np.ndarray,
    scale: np.ndarray | None,
    labels: np.ndarray,
    good: np.ndarray | None,
) -> Callable[[int, int], np.ndarray]:
    """Return a function that reads a range of samples as float32."""
    rows = max(1, _BLOCK_BYTES // (8 * picks.size))

    def fetch(first: int, last: int) -> np.ndarray:
        out = np.empty((last - first, picks.size), dtype=np.float32)
        # MNE reads float64; block by block, the copy stays small.
        for start in range(first, last, rows):
            stop = min(start + rows, last)
            block = raw[picks, start:stop][0]
            out[start - first : stop - first] = (block if scale is None else block * scale).T
        if good is not None and good.any():
            time = time_axis(last - first, raw.info["sfreq"], first / raw.info["sfreq"])
            checks.check_finite(name, out if good.all() else out[:, good], labels[good], time)
        return out

    return fetch


def _positions(
    raw: mne.io.BaseRaw, picks: np.ndarray, dim: str, keep_all: bool
) -> dict[str, tuple[str, np.ndarray]]:
    """Return positions as coordinates; for MEG and fNIRS the whole geometry of a sensor."""
    chs = [raw.info["chs"][i] for i in picks]
    place = np.array([ch["loc"][:12] for ch in chs], dtype=np.float64)
    # Readers write an unknown position as zeros or as NaN.
    unknown = ~np.isfinite(place[:, :3]).all(axis=1) | (place[:, :3] == 0).all(axis=1)
    if unknown.all() and not keep_all:
        return {}
    place[unknown, :3] = np.nan
    coords = {axis: (dim, place[:, k]) for k, axis in enumerate("xyz")}
    if keep_all:
        coords |= {f"loc_{k}": (dim, place[:, k]) for k in range(3, 12)}
        coords["coil_type"] = (dim, np.array([int(ch["coil_type"]) for ch in chs]))
    return coords


def _common_unit(raw: mne.io.BaseRaw, picks: np.ndarray) -> str:
    from mne.io.constants import FIFF

    names = {
        FIFF.FIFF_UNIT_M: "m",
        FIFF.FIFF_UNIT_V_M2: "V/m2",
        FIFF.FIFF_UNIT_MOL: "M",
        FIFF.FIFF_UNIT_CEL: "degC",
        FIFF.FIFF_UNIT_S: "S",
    }
    found = {names.get(raw.info["chs"][i]["unit"], "a.u.") for i in picks}
    return found.pop() if len(found) == 1 else "a.u."


def _facts(raw: mne.io.BaseRaw, name: str, first: int) -> dict[str, Any]:
    """Return what MNE knows of a stream beyond its samples."""
    info = raw.info
    facts: dict[str, Any] = {}
    if info.get("line_freq"):
        facts["line_frequency"] = float(info["line_freq"])
    if name not in BRAIN:
        return facts
    if info["highpass"]:
        facts["highpass"] = float(info["highpass"])
    if info["lowpass"] and info["lowpass"] < info["sfreq"] / 2:
        facts["lowpass"] = float(info["lowpass"])
    if info.get("custom_ref_applied"):
        facts["reference"] = "custom"
    facts["coordinate_frame"] = FRAMES.get(int(info["chs"][first]["coord_frame"]), "unknown")
    montage = raw.get_montage() if info.get("dig") else None
    if montage is not None:
        found = montage.get_positions()
        marks = {k: found[k].tolist() for k in ("nasion", "lpa", "rpa") if found[k] is not None}
        facts |= {"landmarks": marks} if marks else {}
    if name.startswith("meg") and info.get("dev_head_t") is not None:
        facts["device_to_head"] = info["dev_head_t"]["trans"].tolist()
    return facts


def _events(raw: mne.io.BaseRaw) -> pd.DataFrame:
    notes = raw.annotations
    if not len(notes):
        return checks.no_events()
    # MNE counts annotations from the start of the acquisition, not of the samples.
    table = pd.DataFrame(
        {
            "onset": notes.onset - raw.first_time if raw.first_samp else notes.onset,
            "duration": notes.duration,
            "trial_type": [str(d) for d in notes.description],
        }
    )
    if any(notes.ch_names):
        table["channel"] = [",".join(c) if c else "n/a" for c in notes.ch_names]
    if any(notes.extras):
        extras = pd.DataFrame([dict(e or {}) for e in notes.extras])
        table = table.join(extras[[c for c in extras.columns if c not in table.columns]])
    return table


def _meta(raw: mne.io.BaseRaw) -> dict[str, Any]:
    meta: dict[str, Any] = {}
    subject = (raw.info.get("subject_info") or {}).get("his_id")
    if subject and str(subject).strip("xX "):
        meta["subject"] = str(subject)
    if raw.info["meas_date"] is not None:
        meta["measurement_date"] = raw.info["meas_date"].isoformat()
    if raw.filenames and raw.filenames[0] is not None:
        meta["source"] = raw.filenames[0].name
    return meta
