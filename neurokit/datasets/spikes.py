"""Sorted spikes: Phy and Kilosort folders, npz and MATLAB files, tables of spikes."""

from __future__ import annotations

import ast
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from neurokit.datasets import array_files, sniffing
from neurokit.datasets.array_files import load_mat, load_npy, load_npz
from neurokit.datasets.arrays import recording_from_arrays
from neurokit.datasets.tables import load_table
from neurokit.errors import DataError, ReadError
from neurokit.recording.core import Recording

__all__ = ["read_mat", "read_npz", "read_phy", "read_spike_table", "sniff"]

_CLUSTERS = ("spike_clusters.npy", "spike_templates.npy")
# Later tables overrule earlier ones: a person's verdict counts more than the sorter's.
_LABELS = ("cluster_KSLabel.tsv", "cluster_group.tsv", "cluster_group.csv", "cluster_info.tsv")
_QUALITY = ("group", "KSLabel")
_TIME_NAMES = ("time", "times", "spike_time", "spike_times", "timestamp", "timestamps", "t", "ts")
_UNIT_NAMES = (
    "unit",
    "units",
    "unit_id",
    "cluster",
    "clusters",
    "cluster_id",
    "neuron",
    "cell",
    "spike_clusters",
    "id",
)


def sniff(path: str | Path) -> str | None:
    """Tell whether a file or folder holds spikes or plain arrays.

    Parameters
    ----------
    path : path
        Any file or folder.

    Returns
    -------
    str or None
        ``"phy"``, ``"npz"``, ``"mat"``, ``"spike_table"`` or None. A MATLAB file of EEGLAB
        is none of them.

    Examples
    --------
    >>> sniff("no-such-file") is None
    True
    """
    path = Path(path)
    if path.is_dir():
        sorted_here = (path / "spike_times.npy").is_file()
        return "phy" if sorted_here and any((path / n).is_file() for n in _CLUSTERS) else None
    kind = array_files.sniff(path)
    if kind == "mat":
        return None if sniffing.sniff(path) is not None else "mat"
    if kind == "npz":
        return "npz"
    is_table = path.is_file() and path.suffix.lower() in (".csv", ".tsv", ".txt")
    return "spike_table" if is_table and _has_spike_header(path) else None


def read_npz(path: str | Path, **mapping: Any) -> Recording | list[Recording]:
    """Read NumPy's npz file; pickled objects are refused.

    Parameters
    ----------
    path : path
        The file.
    **mapping
        Which array is what; see
        :func:`neurokit.datasets.arrays.recording_from_arrays`.

    Returns
    -------
    Recording or list of Recording
        A list if ``segments`` are given and no ``segment``.

    Raises
    ------
    ReadError
        If the file is damaged, or nothing says what its arrays are.
    UnknownNameError
        If an array is asked for that it lacks.

    Examples
    --------
    >>> import tempfile
    >>> file = Path(tempfile.mkdtemp()) / "a.npz"
    >>> np.savez(file, t=[0.1, 0.2], who=[4, 7], location=["V1", "V1"])
    >>> read_npz(file, times="t", units="who", duration=1.0)
    <Recording 0–1 s: spikes (2 spikes of 2 units); 0 events>
    """
    return recording_from_arrays(load_npz(Path(path)), **mapping)


def read_mat(path: str | Path, **mapping: Any) -> Recording | list[Recording]:
    """Read a MATLAB file, version 5 to 7.3; its objects and functions are left out.

    Parameters
    ----------
    path : path
        The file.
    **mapping
        Which variable is what; see
        :func:`neurokit.datasets.arrays.recording_from_arrays`. A field of a structure is
        called ``"name.field"``.

    Returns
    -------
    Recording or list of Recording
        A list if ``segments`` are given and no ``segment``.

    Raises
    ------
    ReadError
        If the file is damaged, or nothing says what its variables are.
    UnknownNameError
        If a variable is asked for that it lacks.
    """
    return recording_from_arrays(load_mat(Path(path)), **mapping)


def read_phy(
    path: str | Path, *, sampling_rate: float | None = None, duration: float | None = None
) -> Recording:
    """Read a folder of Phy or Kilosort.

    Parameters
    ----------
    path : path
        The folder with ``spike_times.npy`` (in samples) and ``spike_clusters.npy`` (or
        ``spike_templates.npy``).
    sampling_rate : float, optional
        In Hz; by default ``sample_rate`` in ``params.py``, which is parsed, not executed.
    duration : float, optional
        Length of the recording in seconds; by default it ends at the last spike.

    Returns
    -------
    Recording
        ``quality`` is the verdict of ``cluster_info.tsv`` or ``cluster_group.tsv``, else
        Kilosort's label, else empty. Other columns of these tables are kept.

    Raises
    ------
    ReadError
        If a file is missing or damaged, or nothing says the sampling rate.
    DataError
        If times and clusters differ in length.
    """
    path = Path(path)
    if not path.is_dir():
        raise ReadError(f"There is no folder {path}.")
    clusters = next((path / n for n in _CLUSTERS if (path / n).is_file()), None)
    if clusters is None or not (path / "spike_times.npy").is_file():
        raise ReadError(
            f"{path} lacks spike_times.npy or spike_clusters.npy; it is no folder of Phy."
        )
    rate = _phy_rate(path / "params.py") if sampling_rate is None else float(sampling_rate)
    if not 0 < rate < np.inf:
        raise ReadError(f"{path}: the sampling rate is {rate!r}, expected positive Hz.")
    samples, units = load_npy(path / "spike_times.npy").ravel(), load_npy(clusters).ravel()
    if samples.size != units.size:
        raise DataError(
            f"{path}: {samples.size} spike times but {units.size} entries in {clusters.name}."
        )
    units = units.astype(np.int64)
    return Recording.from_spikes(
        samples.astype(np.float64) / rate,
        units,
        duration,
        unit_table=_cluster_table(path, np.unique(units)),
        meta={"source": path.name, "raw_sampling_rate": rate},
    )


def read_spike_table(
    path: str | Path,
    *,
    time: str | None = None,
    unit: str | None = None,
    time_scale: float = 1.0,
    start: float = 0.0,
    duration: float | None = None,
    separator: str | None = None,
) -> Recording:
    """Read a table with one row a spike.

    Parameters
    ----------
    path : path
        CSV or TSV with a header.
    time, unit : str, optional
        Columns; the usual names (``time``, ``spike_time``, ``unit``, ``cluster`` …) are
        found by themselves. Units that are text are numbered, their names kept as ``name``.
    time_scale : float
        Seconds per unit of the times, such as 1e-3 for milliseconds.
    start, duration : float, optional
        The recorded interval in seconds; by default from 0 to the last spike.
    separator : str, optional
        Between columns; by default found in the header.

    Returns
    -------
    Recording
        With stream ``spikes``.

    Raises
    ------
    ReadError
        If the table is damaged or has no such columns.

    Examples
    --------
    >>> import tempfile
    >>> file = Path(tempfile.mkdtemp()) / "spikes.csv"
    >>> _ = file.write_text("time,unit;0.1,3;0.2,5".replace(";", chr(10)))
    >>> read_spike_table(file)["spikes"]["id"].values
    array([3, 5])
    """
    path = Path(path)
    table = load_table(path, separator)
    time = _column(table, time, _TIME_NAMES, "time", path)
    unit = _column(table, unit, _UNIT_NAMES, "unit", path)
    if table[time].dtype.kind not in "iuf" or not len(table):
        raise ReadError(f"{path.name}: column {time!r} does not hold numbers of seconds.")
    ids, names = table[unit], None
    if ids.dtype.kind not in "iu":
        labels, words = pd.factorize(ids.astype("str"), sort=True)
        ids, names = pd.Series(labels), words
        if (labels < 0).any():
            raise ReadError(f"{path.name}: {int((labels < 0).sum())} spikes have no {unit}.")
    known = None if names is None else pd.DataFrame({"id": range(len(names)), "name": names})
    return Recording.from_spikes(
        table[time].to_numpy(np.float64) * time_scale,
        ids.to_numpy(),
        duration,
        start=start,
        unit_table=known,
        meta={"source": path.name},
    )


def _phy_rate(path: Path) -> float:
    """Find ``sample_rate = <number>`` without running the file."""
    if not path.is_file():
        raise ReadError(f"{path.parent} has no params.py. Give sampling_rate in Hz.")
    if path.stat().st_size > 2**20:
        raise ReadError(f"{path} is too large for a parameter file.")
    try:
        body = ast.parse(path.read_text(encoding="utf-8", errors="replace")).body
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        raise ReadError(f"{path} is not Python: {error}. Give sampling_rate in Hz.") from None
    for line in body:
        if isinstance(line, ast.Assign) and isinstance(line.value, ast.Constant):
            names = [t.id for t in line.targets if isinstance(t, ast.Name)]
            value = line.value.value
            if "sample_rate" in names and isinstance(value, int | float):
                return float(value)
    raise ReadError(f"{path} gives no number as sample_rate. Give sampling_rate in Hz.")


def _cluster_table(folder: Path, fired: np.ndarray) -> pd.DataFrame:
    table = pd.DataFrame({"id": fired})
    for name in _LABELS:
        if not (folder / name).is_file():
            continue
        labels = load_table(folder / name)
        key = next((k for k in ("cluster_id", "id") if k in labels), None)
        if key is None or labels[key].dtype.kind not in "iu" or not labels[key].is_unique:
            raise ReadError(f"{folder / name}: expected one row a cluster_id; got {list(labels)}.")
        fresh = labels.rename(columns={key: "id"})
        stale = [c for c in table.columns if c in fresh.columns and c != "id"]
        # Clusters that were merged away have labels but no spikes.
        table = table.drop(columns=stale).merge(fresh, on="id", how="left")
    source = next((c for c in _QUALITY if c in table), None)
    if "quality" not in table:
        table["quality"] = "" if source is None else table[source]
    text = [c for c in table.columns if table[c].dtype.kind not in "iufb"]
    return table.assign(**{c: table[c].astype("str").fillna("") for c in text})


def _has_spike_header(path: Path) -> bool:
    with path.open("rb") as file:
        line = file.readline(4096).decode("utf-8-sig", "replace")
    for separator in ("\t", ",", ";"):
        words = [w.strip().strip('"').lower() for w in line.split(separator)]
        if len(words) >= 2 and any(w in _UNIT_NAMES for w in words):
            return any(w in _TIME_NAMES for w in words)
    return False


def _column(
    table: pd.DataFrame, given: str | None, names: tuple[str, ...], what: str, path: Path
) -> str:
    lowered = {c.lower(): c for c in table.columns}
    found = given if given in table else None
    if given is None:
        found = next((lowered[n] for n in names if n in lowered), None)
    if found is None:
        raise ReadError(
            f"{path.name}: no column {given or what!r}; got {list(table.columns)[:12]}. Say which "
            f"it is with {what}='…'."
        )
    return found
