"""Series that are already parcels: TSV, CSV, 1D and plain text."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr

from neurokit.datasets.bids_names import entities
from neurokit.datasets.fmri_sidecar import beside, describe, events_beside, sidecar_value
from neurokit.datasets.fmri_sidecar import repetition_time as find_repetition_time
from neurokit.datasets.fmri_text import NumericTable, read_numbers, read_text_table
from neurokit.errors import DataError, ReadError
from neurokit.recording import Recording
from neurokit.recording.build import time_axis
from neurokit.recording.checks import no_events, text_array

__all__ = ["confounds_stream", "read_timeseries_table"]

_INDEX_NAMES = frozenset({"", "unnamed: 0", "index", "volume", "frame", "scan"})
_TIME_NAMES = frozenset({"time", "times", "t", "timestamp"})
_OTHERWISE = (
    "The file was read as a table of ROIs, a row a volume. If a row is a spike, read it with "
    "nk.datasets.read(path, format='spike_table', time='…', unit='…', time_scale=1e-3 for ms), "
    "which takes the names of the columns; put a header before a table that has none. If it "
    "holds other signals, use format='table' with time='…', the column of seconds, or build them "
    "with nk.Recording.from_array."
)
_LABELS = ("name", "label", "label_value", "roi_id", "index", "roi")


def read_timeseries_table(
    path: str | Path,
    *,
    repetition_time: float | None = None,
    sampling_rate: float | None = None,
    rois: str | Path | bool | None = None,
    confounds: str | Path | bool | None = None,
    stream: str = "bold",
) -> Recording:
    r"""Read parcellated series from a text table of (time, roi).

    Parameters
    ----------
    path : path
        TSV, CSV, AFNI or PCP ``.1D``, or text; with or without a header.
    repetition_time : float, optional
        In seconds; by default that of the JSON sidecar.
    sampling_rate : float, optional
        In Hz, instead of the repetition time.
    rois : path or False, optional
        Table with one row a column of the series: ``name``, and any of ``network``,
        ``region``, ``hemisphere``, ``x``, ``y``, ``z`` (mm). By default ``rois.tsv`` beside the
        file, or BIDS' ``seg-…_dseg.tsv``; False for none.
    confounds : path or False, optional
        Table with one row a volume. By default ``confounds.tsv`` beside the file, or
        fMRIPrep's ``desc-confounds_timeseries.tsv``; False for none.
    stream : str
        Name of the stream.

    Returns
    -------
    Recording
        Stream ``bold`` over ``(time, roi)``, coords ``region``, ``network``, ``x``, ``y``,
        ``z`` (m); with a table of confounds also ``confounds`` over ``(time, variable)``. A
        parcel that is ``n/a`` throughout, and a confound with any ``n/a``, is marked ``bad``.

    Raises
    ------
    ReadError
        If rows are ragged or a cell is no number; the message names line and column.
    DataError
        If the TR is nowhere, a column is called ``time`` or the like, or the tables beside do
        not fit.

    Examples
    --------
    >>> import tempfile
    >>> path = Path(tempfile.mkdtemp()) / "run.csv"
    >>> _ = path.write_text("V1,V2\n0.5,1.5\n0.75,1.25\n")
    >>> read_timeseries_table(path, repetition_time=2.0)["bold"].sel(roi="V2").values
    array([1.5 , 1.25], dtype=float32)
    """
    path = Path(path)
    table = read_numbers(path)
    _refuse_times(path, table)
    seconds = _seconds(path, repetition_time, sampling_rate)
    table, dropped = _without_index(table)
    names, facts = _parcels(path, table, rois)
    bad = _missing_parcels(path, table, names)
    coords = {
        "time": time_axis(len(table.values), 1.0 / seconds),
        "roi": text_array(names),
        **facts,
    }
    if bad.any():
        coords["bad"] = ("roi", bad)
    attrs = {"sampling_rate": 1.0 / seconds, "units": "a.u."}
    streams = {stream: xr.DataArray(_float32(table.values), coords, ("time", "roi"), attrs=attrs)}
    regressors = _find_confounds(path, confounds)
    if regressors is not None:
        streams["confounds"] = _read_confounds(regressors, len(table.values), seconds)
    events = events_beside(path)
    meta = {**describe(path), **({"history": [dropped]} if dropped else {})}
    return Recording(streams, no_events() if events is None else events, meta)


def confounds_stream(names: list[str], values: np.ndarray, seconds: float) -> xr.DataArray:
    """Build the stream of nuisance regressors.

    Parameters
    ----------
    names : list of str
        One a regressor.
    values : ndarray of shape (time, variable)
        NaN where undefined, as framewise displacement is in the first volume.
    seconds : float
        The TR.

    Returns
    -------
    xr.DataArray
        Dims ``(time, variable)``.

    Examples
    --------
    >>> confounds_stream(["fd"], np.array([[np.nan], [0.1]]), 2.0)["bad"].values
    array([ True])
    """
    coords: dict[str, Any] = {
        "time": time_axis(len(values), 1.0 / seconds),
        "variable": text_array(names),
    }
    # Only what is marked may hold NaN.
    undefined = np.isnan(values).any(axis=0)
    if undefined.any():
        coords["bad"] = ("variable", undefined)
    attrs = {"sampling_rate": 1.0 / seconds, "units": "a.u."}
    return xr.DataArray(_float32(values), coords, ("time", "variable"), attrs=attrs)


def _refuse_times(path: Path, table: NumericTable) -> None:
    """Refuse times among the ROIs: they would pass as a signal of the brain."""
    times = [name for name in table.names or () if name.lower() in _TIME_NAMES]
    if times:
        raise DataError(
            f"{path.name}: column {times[0]!r} cannot be a ROI. {_OTHERWISE} If the other columns "
            "are ROIs, delete this one and give repetition_time= in seconds."
        )


def _seconds(path: Path, repetition_time: float | None, sampling_rate: float | None) -> float:
    if sampling_rate is None and repetition_time is None:
        try:
            return find_repetition_time(path, None)
        except DataError as error:
            if sidecar_value(path, "RepetitionTime") is not None:
                raise
            raise DataError(f"{error} {_OTHERWISE}") from None
    if sampling_rate is None:
        return find_repetition_time(path, repetition_time)
    if repetition_time is not None:
        raise DataError("Give repetition_time (s) or sampling_rate (Hz), not both.")
    if not np.isfinite(sampling_rate) or sampling_rate <= 0:
        raise DataError(f"The sampling rate is {sampling_rate!r}, expected finite positive Hz.")
    return 1.0 / float(sampling_rate)


def _float32(values: np.ndarray) -> np.ndarray:
    with np.errstate(over="ignore"):
        return values.astype(np.float32)


def _without_index(table: NumericTable) -> tuple[NumericTable, str]:
    """Drop the row numbers that pandas and others write as a first column."""
    first = table.values[:, 0]
    counts = np.array_equal(first, first[0] + np.arange(len(first)))
    named = table.names is not None and table.names[0].lower() in _INDEX_NAMES
    if not (named and counts and first[0] in (0, 1) and table.values.shape[1] > 1):
        return table, ""
    assert table.names is not None
    rest = NumericTable(table.names[1:], table.values[:, 1:], table.first_line)
    return rest, f"left out column {table.names[0]!r}, which numbers the rows"


def _missing_parcels(path: Path, table: NumericTable, names: list[str]) -> np.ndarray:
    finite = np.isfinite(_float32(table.values))
    bad = np.isnan(table.values).all(axis=0)
    wrong = ~finite & ~bad
    if wrong.any():
        row, column = (int(v[0]) for v in np.nonzero(wrong))
        raise ReadError(
            f"{path.name}: {int(wrong.sum())} cells are missing or not finite; the first is data "
            f"row {row + 1} (line {table.first_line + row}), column {names[column]!r}. Interpolate "
            "them or leave the column out."
        )
    if bad.all():
        raise ReadError(f"{path.name}: every cell is missing.")
    return bad


def _parcels(
    path: Path, table: NumericTable, rois: str | Path | bool | None
) -> tuple[list[str], dict[str, Any]]:
    """Name the columns, and look up what is known of them."""
    n_columns = table.values.shape[1]
    header = table.names or [str(i) for i in range(1, n_columns + 1)]
    source = _find_rois(path, rois)
    if source is None:
        return header, {}
    facts = read_text_table(source)
    order = _match(path, source, table.names, facts, n_columns, len(table.values))
    facts = {key: values[order] for key, values in facts.items()}
    names = facts["name"].astype(str).tolist() if "name" in facts else header
    coords: dict[str, Any] = {"region": ("roi", text_array(facts.get("region", names)))}
    for key in ("network", "hemisphere"):
        if key in facts:
            coords[key] = ("roi", text_array(facts[key].astype(str)))
    if all(key in facts and facts[key].dtype.kind == "f" for key in "xyz"):
        coords.update({key: ("roi", facts[key] * 1e-3) for key in "xyz"})
    return names, coords


def _match(
    path: Path,
    source: Path,
    header: list[str] | None,
    facts: dict[str, np.ndarray],
    n_columns: int,
    n_rows: int,
) -> np.ndarray:
    """Return the row of the parcel table that belongs to each column."""
    for key in _LABELS if header else ():
        known = {_as_label(v): i for i, v in enumerate(facts.get(key, np.empty(0)).tolist())}
        if all(name in known for name in header or ()):
            return np.array([known[name] for name in header or ()])
    n_parcels = len(next(iter(facts.values())))
    if n_parcels == n_columns:
        return np.arange(n_columns)
    turned = " Is the table transposed?" if n_parcels == n_rows else ""
    raise DataError(
        f"{source.name} describes {n_parcels} parcels, {path.name} has shape ({n_rows}, "
        f"{n_columns}) (time, roi).{turned} Give the right rois=, or rois=False."
    )


def _as_label(value: Any) -> str:
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)


def _find_rois(path: Path, rois: str | Path | bool | None) -> Path | None:
    if rois is False:
        return None
    if rois is not None and rois is not True:
        return Path(rois)
    mine, _ = entities(path)
    atlas = mine.get("seg") or mine.get("atlas")
    found = beside(path, ".tsv", ("dseg",)) if atlas else []
    plain = path.with_name("rois.tsv")
    return found[0] if found else plain if plain.is_file() and plain != path else None


def _find_confounds(path: Path, confounds: str | Path | bool | None) -> Path | None:
    if confounds is False:
        return None
    if confounds is not None and confounds is not True:
        return Path(confounds)
    found = [
        candidate
        for candidate in beside(path, ".tsv", ("timeseries", "regressors"))
        if entities(candidate)[0].get("desc") == "confounds"
    ]
    plain = path.with_name("confounds.tsv")
    usable = plain.is_file() and plain != path and not entities(path)[0]
    return found[0] if found else plain if usable else None


def _read_confounds(path: Path, n_volumes: int, seconds: float) -> xr.DataArray:
    table = read_numbers(path)
    if len(table.values) != n_volumes:
        raise DataError(
            f"{path.name} has {len(table.values)} rows, the series {n_volumes} volumes. Give the "
            "right confounds=, or confounds=False."
        )
    if np.isinf(table.values).any():
        raise ReadError(f"{path.name}: {int(np.isinf(table.values).sum())} cells are infinite.")
    names = table.names or [str(i) for i in range(1, table.values.shape[1] + 1)]
    return confounds_stream(names, table.values, seconds)
