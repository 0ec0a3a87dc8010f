"""EEG, iEEG, MEG and fNIRS files, read by MNE after a check of what they claim."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import xarray as xr

from neurokit.datasets import channel_names
from neurokit.datasets.mne_opening import Opened, in_our_words, known_format, open_file
from neurokit.datasets.sniffing import FORMATS, main_file, sniff
from neurokit.errors import UnknownNameError
from neurokit.recording import Recording
from neurokit.recording.checks import check_stream, in_memory
from neurokit.recording.mne_conversion import parts_of

if TYPE_CHECKING:
    import mne

__all__ = ["Options", "read_mne_file", "read_with", "sniff"]

Streams = dict[str, xr.DataArray]

# These say themselves what each channel is.
_TYPED = ("fif", "ctf", "kit", "snirf")
_ELECTRODES = ("eeg", "seeg", "ecog", "dbs")
_HEAD = 4096


def read_mne_file(
    path: str | Path,
    *,
    lazy: bool = False,
    bads: Sequence[str] = (),
    montage: str | None = None,
    line_frequency: float | None = None,
    units: str | None = None,
    types: Mapping[str, str] | None = None,
    rename: bool = True,
) -> Recording:
    """Read an EEG, iEEG, MEG or fNIRS file of any format that MNE reads.

    Parameters
    ----------
    path : path
        EDF, BDF, GDF, BrainVision, EEGLAB (``.set`` with or without ``.fdt``), FIF,
        Neuroscan and ANT ``.cnt``, EGI, SNIRF, Persyst, Curry, CTF, KIT, Nihon Kohden. A
        companion file (``.eeg``, ``.vmrk``, ``.fdt``) will do.
    lazy : bool
        Leave the samples in the file until they are used; they are checked then.
    bads : sequence of str
        Bad channels, by the name in the file or the clean one. Only they may hold NaN.
    montage : str, optional
        One of MNE's built-in montages. By default the file's own positions, and where it
        has none and most names are 10-05 sites, the 10-05 positions of a standard head.
    line_frequency : float, optional
        In Hz, where the file does not say.
    units : str, optional
        The true unit of the voltages where the file says volts but means, e.g., ``"uV"``;
        ``"a.u."`` where it is unknown.
    types : mapping of str to str, optional
        MNE channel types by name. By default the file's own, and for formats that have
        none what the names give away (EOG, ECG, EMG, Resp …), and contacts inside the head
        where the file is called ``…_ieeg``.
    rename : bool
        Bring names to their 10-05 spelling (``Fc5.`` → ``FC5``, ``EEG T3-REF`` → ``T7``);
        the file's own are kept in the coordinate ``name_in_file``.

    Returns
    -------
    Recording
        Streams as :mod:`neurokit.recording.mne_conversion` says. Signals that EDF keeps at
        several rates are not resampled: a stream of a second rate is called, for example,
        ``eeg_1Hz``. Annotations become events.

    Raises
    ------
    ReadError
        If the file is missing, of no known format, truncated or damaged.
    UnknownNameError
        If a bad or typed channel, or the montage, does not exist.
    DataError
        If a channel that is not bad holds NaN.

    Examples
    --------
    >>> import mne, numpy as np, tempfile
    >>> x = 2e-5 * np.random.default_rng(0).normal(size=(2, 256))
    >>> raw = mne.io.RawArray(x, mne.create_info(["Fz", "T3"], 128, "eeg"), verbose=False)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     raw.save(f"{folder}/a_raw.fif", verbose=False) and None
    ...     read_mne_file(f"{folder}/a_raw.fif")["eeg"]["channel"].values.tolist()
    ['Fz', 'T7']
    """
    options = Options(tuple(bads), montage, line_frequency, units, dict(types or {}), rename)
    return read_with(path, lambda _: options, lazy=lazy)


@dataclass(frozen=True)
class Options:
    """What a caller knows better than the file; see :func:`read_mne_file`.

    Attributes
    ----------
    bads : tuple of str
        Bad channels.
    montage : str or None
        A built-in montage.
    line_frequency : float or None
        In Hz.
    units : str or None
        The true unit of the voltages.
    types : dict of str to str
        Channel types by name.
    rename : bool
        Whether names are cleaned.
    """

    bads: tuple[str, ...] = ()
    montage: str | None = None
    line_frequency: float | None = None
    units: str | None = None
    types: dict[str, str] = field(default_factory=dict)
    rename: bool = True

    def check_names(self, names: list[str]) -> None:
        """Raise if a channel is named that is not there.

        Parameters
        ----------
        names : list of str
            The channels, as in the file.

        Raises
        ------
        UnknownNameError
            Naming the first and the nearest.
        """
        known = [*names, *channel_names.clean_channel_names(names)]
        for given in (*self.bads, *self.types):
            if given not in known:
                raise UnknownNameError("channel", given, names)


def read_with(
    path: str | Path, options_for: Callable[[list[str]], Options], *, lazy: bool
) -> Recording:
    """Read a file with options that depend on the channels it turns out to have.

    Parameters
    ----------
    path : path
        As for :func:`read_mne_file`.
    options_for : callable
        Is given the channels' names as in the file.
    lazy : bool
        Leave the samples in the file.

    Returns
    -------
    Recording
        As from :func:`read_mne_file`.
    """
    path = main_file(Path(path))
    kind = known_format(path)
    with in_our_words(path, kind):
        opened = open_file(path, kind)
        names = [n for part in opened for n in part.names]
        options = options_for(names)
        options.check_names(names)
        # BIDS says in the file's name what formats without channel types cannot.
        brain = "seeg" if path.stem.endswith("_ieeg") else "eeg"
        parts = [_convert(part, options, kind in _TYPED, brain) for part in opened]
        streams = _merged([streams for streams, _, _ in parts])
        for name, stream in streams.items():
            _check_head(name, stream) if lazy else stream.load()
    _, events, meta = parts[0]
    return Recording(streams, events, {**meta, "source": path.name, "format": FORMATS[kind]})


def _convert(
    opened: Opened, options: Options, typed: bool, brain: str
) -> tuple[Streams, pd.DataFrame, dict[str, Any]]:
    raw = opened.raw
    originals = opened.names
    new = dict(zip(originals, _new_names(raw, options), strict=True))
    _set_types(opened, options, new, typed, brain)
    raw.rename_channels({a: b for a, b in new.items() if a != b}, verbose="ERROR")
    bads = {new.get(b, b) for b in (*raw.info["bads"], *opened.bads, *options.bads)}
    raw.info["bads"] = [n for n in raw.ch_names if n in bads]
    if options.line_frequency is not None:
        raw.info["line_freq"] = float(options.line_frequency)
    placed = _set_positions(raw, options.montage)
    true_units = options.units or {new[n]: u for n, u in opened.units.items()}
    streams, events, meta = parts_of(raw, true_units or None)
    return _named(streams, {b: a for a, b in new.items()}, placed), events, meta


def _new_names(raw: mne.io.BaseRaw, options: Options) -> list[str]:
    names = list(raw.ch_names)
    if not options.rename:
        return names
    keep = ("mag", "grad", "ref_meg", "stim", "hbo", "hbr")
    cleaned = channel_names.clean_channel_names(names)
    fixed = [t in keep or t.startswith("fnirs") for t in raw.get_channel_types()]
    mixed = [a if f else b for a, b, f in zip(names, cleaned, fixed, strict=True)]
    return mixed if len(set(mixed)) == len(mixed) else names


def _set_types(
    opened: Opened, options: Options, new: dict[str, str], typed: bool, brain: str
) -> None:
    import mne

    raw = opened.raw
    known = mne.io.get_channel_type_constants()
    for kind in options.types.values():
        if kind not in known:
            raise UnknownNameError("channel type", kind, known)
    wanted = {}
    for name, kind in zip(raw.ch_names, raw.get_channel_types(), strict=True):
        guess = None if typed else channel_names.guess_type(name)
        found = (
            (guess or opened.types.get(name) or (None if typed else brain))
            if kind == "eeg"
            else None
        )
        given = options.types.get(name, options.types.get(new[name], found))
        if given is not None and given != kind:
            wanted[name] = given
    raw.set_channel_types(wanted, on_unit_change="ignore", verbose="ERROR")


def _set_positions(raw: mne.io.BaseRaw, montage: str | None) -> str | None:
    """Place the electrodes; return the name of the montage if one was used."""
    import mne

    types = raw.get_channel_types()
    electrodes = [c for c, t in zip(raw.info["chs"], types, strict=True) if t in _ELECTRODES]
    if montage is None:
        known = any(np.isfinite(c["loc"][:3]).all() and c["loc"][:3].any() for c in electrodes)
        names = [n for n, t in zip(raw.ch_names, types, strict=True) if t == "eeg"]
        if known or not channel_names.are_scalp_names(names):
            return None
        montage = channel_names.standard_montage()
    elif montage == "standard_1005":
        montage = channel_names.standard_montage()
    elif montage not in (built_in := mne.channels.get_builtin_montages()):
        raise UnknownNameError("montage", montage, built_in)
    raw.set_montage(_montage(montage), match_case=False, on_missing="ignore", verbose="ERROR")
    return montage


@lru_cache(maxsize=4)
def _montage(name: str) -> Any:
    import mne

    return mne.channels.make_standard_montage(name)


def _named(streams: Streams, originals: dict[str, str], placed: str | None) -> Streams:
    """Add the file's names, and where positions came from."""
    named = {}
    for key, stream in streams.items():
        dim = str(stream.dims[1])
        names = [str(n) for n in stream[dim].values]
        old = [originals[n] for n in names]
        if placed and "x" in stream.coords:
            stream.attrs["positions"] = placed
        named[key] = stream
        if old != names:
            named[key] = stream.assign_coords(name_in_file=(dim, np.array(old, dtype=np.str_)))
    return named


def _merged(parts: list[Streams]) -> Streams:
    """Put signals of all rates together; the fastest keep the plain names."""
    streams: Streams = {}
    for name, stream in (pair for part in parts for pair in part.items()):
        rate = stream.attrs["sampling_rate"]
        streams[name if name not in streams else f"{name}_{rate:g}Hz"] = stream
    return streams


def _check_head(name: str, stream: xr.DataArray) -> None:
    """Check the first samples, so that a wrong unit shows before the data are used."""
    if not in_memory(stream):
        check_stream(name, stream.isel(time=slice(0, _HEAD)).load())
