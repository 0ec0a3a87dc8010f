"""Formats of recording systems, through the package neo."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import xarray as xr

from neurokit.errors import ReadError, UnknownNameError
from neurokit.extras import require
from neurokit.recording import build, checks
from neurokit.recording.core import Recording
from neurokit.recording.schema import kind_of

if TYPE_CHECKING:
    import neo

__all__ = ["SYSTEMS", "from_neo", "read_neo", "sniff"]

# Named here one by one, because neo also offers formats that are pickles.
SYSTEMS = {
    "alphaomega": "AlphaOmegaIO",
    "ascii": "AsciiSignalIO",
    "axon": "AxonIO",
    "biocam": "BiocamIO",
    "blackrock": "BlackrockIO",
    "ced": "CedIO",
    "intan": "IntanIO",
    "maxwell": "MaxwellIO",
    "mcs": "RawMCSIO",
    "micromed": "MicromedIO",
    "neuralynx": "NeuralynxIO",
    "neuroexplorer": "NeuroExplorerIO",
    "neuroscope": "NeuroScopeIO",
    "nix": "NixIO",
    "openephys": "OpenEphysIO",
    "openephys_binary": "OpenEphysBinaryIO",
    "plexon": "PlexonIO",
    "plexon2": "Plexon2IO",
    "spike2": "Spike2IO",
    "spikegadgets": "SpikeGadgetsIO",
    "spikeglx": "SpikeGLXIO",
    "tdt": "TdtIO",
    "winedr": "WinEdrIO",
    "winwcp": "WinWcpIO",
}
_MAGIC = {
    b"NEURALEV": "blackrock",
    b"NEURALSG": "blackrock",
    b"NEURALCD": "blackrock",
    b"BRSMPGRP": "blackrock",
    b"BRNEUEVT": "blackrock",
    b"PLEX": "plexon",
    b"ABF ": "axon",
    b"ABF2": "axon",
    b"######## Neuralynx": "neuralynx",
    b"\x02\x27\x91\xc6": "intan",
    b"\xac\x27\x91\xd6": "intan",
    b"NEX1": "neuroexplorer",
    b"* MICROMED": "micromed",
}
_SUFFIXES = {
    ".smr": "spike2",
    ".smrx": "ced",
    ".pl2": "plexon2",
    ".rec": "spikegadgets",
    ".wcp": "winwcp",
    ".mpx": "alphaomega",
}
_IN_FOLDER = {
    "*.tsq": "tdt",
    "**/structure.oebin": "openephys_binary",
    "*.continuous": "openephys",
    "*.ncs": "neuralynx",
    "*.imec*.meta": "spikeglx",
}
# These want the folder, whatever file of it was given.
_FOLDER_SYSTEMS = ("tdt", "openephys", "openephys_binary", "neuralynx", "spikeglx")


def sniff(path: str | Path) -> str | None:
    """Tell whether neo reads a path: by its first bytes, or by the files in a folder.

    Parameters
    ----------
    path : path
        Any file or folder.

    Returns
    -------
    str or None
        ``"neo"`` or None.

    Examples
    --------
    >>> sniff("no-such-file") is None
    True
    """
    return None if _system(Path(path)) is None else "neo"


def read_neo(
    path: str | Path,
    *,
    system: str | None = None,
    segment: int | None = None,
    stream: str = "lfp",
) -> Recording:
    """Read a recording system's own format.

    Parameters
    ----------
    path : path
        File or folder of Blackrock, Plexon, Spike2, Neuralynx, Intan, Open Ephys, Axon,
        TDT and others.
    system : str, optional
        Which, a key of ``SYSTEMS``; by default found by content.
    segment : int, optional
        The one wanted; by default all, joined end to end.
    stream : str
        What the first voltages are called; ``"lfp"``, ``"ieeg"`` or ``"eeg"``.

    Returns
    -------
    Recording
        As :func:`from_neo` makes it. All samples are read into memory.

    Raises
    ------
    ReadError
        If neo is not installed or cannot read the file.
    UnknownNameError
        If there is no such system.
    """
    path = Path(path)
    if not path.exists():
        raise ReadError(f"There is no file {path}.")
    if system is not None and system not in SYSTEMS:
        raise UnknownNameError("recording system", system, SYSTEMS)
    found = system or _system(path)
    if found is None:
        raise ReadError(f"{path}: of which system is unclear. Give system=…, one of {[*SYSTEMS]}.")
    formats = require("neo.io", "nwb")
    where = path.parent if found in _FOLDER_SYSTEMS and path.is_file() else path
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", module=r"(neo|quantities)\b")
        try:
            reader = getattr(formats, SYSTEMS[found])(str(where))
            block = reader.read_block()
        # Parsers of two dozen formats raise anything on what is damaged.
        except Exception as error:
            raise ReadError(
                f"{path.name}: cannot be read as {found}: {type(error).__name__}: {error}"
            ) from error
    rec = from_neo(block, segment=segment, stream=stream)
    return rec.replace(meta={"source": path.name, "system": found})


def from_neo(block: neo.Block, *, segment: int | None = None, stream: str = "lfp") -> Recording:
    """Convert a block of neo.

    Parameters
    ----------
    block : neo.Block
        Loaded, not lazy.
    segment : int, optional
        The one wanted; by default all, joined end to end, each joint marked by an event
        ``boundary``.
    stream : str
        Name of the first group of voltages; others keep their own. Signals that are no
        voltages become ``behaviour``, or keep their names when there are several.

    Returns
    -------
    Recording
        Spike trains become ``spikes``, events and epochs become events with the label as
        ``trial_type`` and the name of their channel as ``channel``.

    Raises
    ------
    ReadError
        If the block is empty or has no such segment.

    Examples
    --------
    >>> import neo, quantities as pq
    >>> signal = neo.AnalogSignal([[1.0], [2.0]], "mV", sampling_rate=10 * pq.Hz)
    >>> block, part = neo.Block(), neo.Segment()
    >>> block.segments.append(part); part.analogsignals.append(signal)
    >>> from_neo(block)["lfp"].values.ravel().tolist()
    [0.001..., 0.002...]
    """
    segments = list(block.segments)
    if segment is not None:
        if not 0 <= segment < len(segments):
            raise ReadError(f"There are segments 0 to {len(segments) - 1}; got {segment}.")
        segments = [segments[segment]]
    parts = [_segment(s, stream) for s in segments]
    full = [p for p in parts if p is not None]
    if not full:
        raise ReadError("The block holds neither signals nor spike trains.")
    return full[0] if len(full) == 1 else Recording.concat(full)


def _system(path: Path) -> str | None:
    if path.is_dir():
        return next((s for pattern, s in _IN_FOLDER.items() if any(path.glob(pattern))), None)
    if not path.is_file():
        return None
    with path.open("rb") as file:
        head = file.read(32)
    by_magic = next((s for magic, s in _MAGIC.items() if head.startswith(magic)), None)
    return by_magic or _SUFFIXES.get(path.suffix.lower())


def _segment(segment: neo.Segment, stream: str) -> Recording | None:
    streams: dict[str, Any] = {}
    signals = [s for s in segment.analogsignals if s.size]
    others = [s for s in signals if not _is_voltage(s)]
    for number, signal in enumerate(signals):
        own = str(signal.name or f"signal_{number}")
        wanted = stream if _is_voltage(signal) else ("behaviour" if len(others) == 1 else own)
        streams[_free(wanted if wanted not in streams else own, streams)] = _signal(signal, wanted)
    tables = [_events(e) for e in [*segment.events, *segment.epochs] if len(e)]
    events = pd.concat(tables, ignore_index=True) if tables else checks.no_events()
    if len(segment.spiketrains):
        streams["spikes"] = _spikes(list(segment.spiketrains))
    return Recording(streams, events) if streams else None


def _is_voltage(signal: Any) -> bool:
    import quantities as pq

    return bool(signal.dimensionality.simplified == pq.V.dimensionality.simplified)


def _signal(signal: Any, kind: str) -> xr.DataArray:
    voltage = _is_voltage(signal)
    values = signal.rescale("V") if voltage else signal
    dim = kind_of(kind).dim
    names = _unique(signal.array_annotations.get("channel_names"), signal.shape[1])
    rate = float(signal.sampling_rate.rescale("Hz").magnitude)
    start = float(signal.t_start.rescale("s").magnitude)
    coords = {"time": build.time_axis(signal.shape[0], rate, start), dim: names}
    units = "V" if voltage else signal.dimensionality.string
    attrs = {"sampling_rate": rate, "units": "a.u." if units == "dimensionless" else units}
    # A copy: neo's arrays may be views of a file.
    samples = np.array(values.magnitude, dtype=np.float32)
    return xr.DataArray(samples, dims=("time", dim), coords=coords, attrs=attrs)


def _unique(names: Any, n: int) -> np.ndarray:
    labels = [str(i) for i in range(n)] if names is None else [str(x) for x in names]
    if len(set(labels)) != n:
        labels = [f"{label}_{i}" for i, label in enumerate(labels)]
    return np.array(labels, dtype=np.str_)


def _spikes(trains: list[Any]) -> xr.Dataset:
    times = [np.asarray(t.rescale("s").magnitude, dtype=np.float64) for t in trains]
    units = np.repeat(np.arange(len(times)), [t.size for t in times])
    table = pd.DataFrame({"id": range(len(trains)), "name": [str(t.name or "") for t in trains]})
    start = min(float(t.t_start.rescale("s").magnitude) for t in trains)
    stop = max(float(t.t_stop.rescale("s").magnitude) for t in trains)
    train = build.spike_train(np.concatenate(times), units, start, None, table)
    return train.assign_attrs(start=start, stop=max(stop, float(train.attrs["stop"])))


def _events(item: Any) -> pd.DataFrame:
    onset = np.asarray(item.times.rescale("s").magnitude, dtype=np.float64)
    lasting = hasattr(item, "durations") and item.durations is not None
    length = np.asarray(item.durations.rescale("s").magnitude) if lasting else 0.0
    labels = np.asarray(item.labels).astype(np.str_)
    name = str(item.name or "n/a")
    kinds: Any = labels if labels.size == onset.size else name
    return pd.DataFrame({"onset": onset, "duration": length}).assign(trial_type=kinds, channel=name)


def _free(name: str, taken: dict[str, Any]) -> str:
    out, number = name, 2
    while out in taken:
        out, number = f"{name}_{number}", number + 1
    return out
