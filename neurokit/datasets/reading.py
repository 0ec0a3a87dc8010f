"""One way in: find out by content what a file is, and read it."""

from __future__ import annotations

import importlib
import inspect
from pathlib import Path
from typing import Any

from neurokit.arguments import path_of, text
from neurokit.datasets import sniffing
from neurokit.errors import NeurokitError, ReadError, UnknownNameError
from neurokit.recording import Recording

__all__ = ["FORMATS", "read", "sniff"]

# Format -> module and function. Formats that MNE reads share one function.
FORMATS: dict[str, tuple[str, str]] = {
    **dict.fromkeys(sniffing.FORMATS, ("electrophysiology", "read_mne_file")),
    "nifti": ("fmri", "read_nifti"),
    "cifti": ("fmri", "read_cifti"),
    "gifti": ("fmri", "read_gifti"),
    "mgh": ("fmri", "read_mgh"),
    "fmriprep": ("fmri", "read_fmriprep"),
    "timeseries": ("fmri", "read_timeseries_table"),
    "nwb": ("nwb", "read_nwb"),
    "phy": ("spikes", "read_phy"),
    "npz": ("spikes", "read_npz"),
    "mat": ("spikes", "read_mat"),
    "spike_table": ("spikes", "read_spike_table"),
    "table": ("tables", "read_table"),
    "suite2p": ("calcium", "read_suite2p"),
    "caiman": ("calcium", "read_caiman"),
    "neo": ("neo_formats", "read_neo"),
}

# All their keywords go to the one function that makes a recording of arrays.
_OF_ARRAYS = ("npz", "mat")

# Asked in this order; what is certain by its first bytes comes before what is a guess.
_SNIFFERS = ("nwb", "calcium", "spikes", "fmri", "electrophysiology", "neo_formats", "tables")


def read(path: str | Path, *, format: str | None = None, **kwargs: Any) -> Recording:
    """Read a file or folder, whatever it is.

    Parameters
    ----------
    path : path
        EDF, BDF, GDF, BrainVision, EEGLAB, FIF, CNT, EGI, SNIRF; NIfTI, CIFTI, GIFTI,
        MGH, tables of time series; NWB, Phy and Kilosort, Suite2p, CaImAn, npz, mat,
        tables of spikes, neo's formats; a zarr folder that ``Recording.save`` wrote.
    format : str, optional
        Overrules what the content says; one of ``FORMATS`` or ``"zarr"``.
    **kwargs
        Passed to the format's reader, such as ``repetition_time=`` for NIfTI or ``bads=`` for
        EEG. Which array is what in npz and mat is said by those of
        :func:`neurokit.datasets.arrays.recording_from_arrays` (``times=``, ``units=``,
        ``streams=``, ``intervals=`` …); which column is what in a table by those of
        :func:`neurokit.datasets.spikes.read_spike_table` (``"spike_table"``),
        :func:`neurokit.datasets.fmri.read_timeseries_table` (``"timeseries"``, of ROIs) or
        :func:`neurokit.datasets.tables.read_table` (``"table"``).

    Returns
    -------
    Recording
        Streams on one clock.

    Raises
    ------
    ReadError
        If there is no such file, its content is not recognised, or it is damaged.
    DataError
        If its content contradicts itself.

    Examples
    --------
    >>> import neurokit as nk
    >>> rec = nk.Recording.from_spikes([0.1, 0.2], [0, 1], duration=1.0)
    >>> read(rec.save("session.zarr")).identical(rec)
    True
    """
    path = path_of("path", path).expanduser()
    if not path.name or not path.exists():
        raise ReadError(f"There is no file {path}.{_nearest(path)}")
    name = format or sniff(path)
    if name == "zarr":
        return Recording.open(path)
    if name is None:
        raise ReadError(
            f"{path}: the content is of no known format. Known: {', '.join(FORMATS)}, zarr. If it "
            "is one of them, say which with format=…."
        )
    reader = _reader(name)
    try:
        return reader(path, **kwargs)
    except NeurokitError:
        raise
    except Exception as error:
        # Parsers raise anything on damaged input; a lab needs the file's name and one line.
        raise _as_read_error(path, name, error, kwargs) from error


def sniff(path: str | Path) -> str | None:
    """Tell what a file or folder is by its content.

    Parameters
    ----------
    path : path
        Any file or folder.

    Returns
    -------
    str or None
        A key of ``FORMATS`` or ``"zarr"``; None when it is none of them.

    Examples
    --------
    >>> import numpy as np
    >>> np.savez("spikes.npz", times=[0.5], units=[0])
    >>> sniff("spikes.npz")
    'npz'
    """
    path = path_of("path", path)
    if path.is_dir() and (path / "zarr.json").exists():
        return "zarr"
    for module in _SNIFFERS:
        found = importlib.import_module(f"neurokit.datasets.{module}").sniff(path)
        if found is not None:
            return str(found)
    return None


def _reader(name: str) -> Any:
    if text("format", name) not in FORMATS:
        raise UnknownNameError("format", name, [*FORMATS, "zarr"])
    module, function = FORMATS[name]
    return getattr(importlib.import_module(f"neurokit.datasets.{module}"), function)


def _as_read_error(
    path: Path, name: str, error: BaseException, kwargs: dict[str, Any]
) -> ReadError:
    reason = " ".join(str(error).split()) or type(error).__name__
    if isinstance(error, TypeError) and "unexpected keyword" in reason:
        known, passes_on = _keywords(name)
        unknown = [key for key in kwargs if key not in known]
        if passes_on:
            # Which of these are valid is only known by the complaint about one of them.
            unknown = [key for key in unknown if repr(key) in reason]
        if unknown:
            return ReadError(
                f"{path} is {name}, whose reader does not take these: {sorted(unknown)}. It takes "
                f"{', '.join(known)}."
            )
    return ReadError(f"{path}: cannot be read as {name}: {type(error).__name__}: {reason[:300]}")


def _keywords(name: str) -> tuple[list[str], bool]:
    """Return the keywords of a format's reader, and whether it passes others on."""
    reader = _reader(name)
    if name in _OF_ARRAYS:
        reader = importlib.import_module("neurokit.datasets.arrays").recording_from_arrays
    _, *others = inspect.signature(reader).parameters.values()
    named = [p.name for p in others if p.kind is not p.VAR_KEYWORD]
    return named, len(named) < len(others)


def _nearest(path: Path) -> str:
    import difflib

    if not path.name:
        return " Give the name of a file or folder."
    if not path.parent.is_dir():
        return f" The folder {path.parent} does not exist either."
    near = difflib.get_close_matches(path.name, [p.name for p in path.parent.iterdir()], n=1)
    return f" Did you mean {near[0]!r}?" if near else ""
