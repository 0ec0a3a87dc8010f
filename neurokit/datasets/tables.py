"""Tables (CSV, TSV, also gzipped): one row a presentation, a sample, a word or a spike."""

from __future__ import annotations

import zlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr

from neurokit.datasets.gzipped import is_gzip, open_stream
from neurokit.errors import DataError, ReadError, UnknownNameError
from neurokit.recording import checks
from neurokit.recording.build import time_axis
from neurokit.recording.core import Recording
from neurokit.recording.schema import kind_of, voltage_factor

__all__ = ["load_table", "read_table", "sniff"]

_SEPARATORS = ("\t", ",", ";", "|")
# Text packs to a tenth; what unpacks to two hundred times its size is no table.
_MAX_RATIO = 200
_ALLOWANCE = 2**28


def sniff(path: str | Path) -> str | None:
    r"""Tell whether a file is a table of text and numbers with a header.

    Parameters
    ----------
    path : path
        Any file.

    Returns
    -------
    str or None
        ``"table"`` or None.

    Examples
    --------
    >>> _ = Path("words.csv").write_text("word,rt\nIf,310\n")
    >>> sniff("words.csv")
    'table'
    """
    path = Path(path)
    if not path.is_file():
        return None
    try:
        with open_stream(path) as file:
            header, row = file.readline(2**20), file.readline(2**20)
        lines = [line.decode("utf-8-sig") for line in (header, row)]
    except (OSError, EOFError, zlib.error, UnicodeDecodeError):
        return None
    separator = max(_SEPARATORS, key=lines[0].count)
    is_text = all(c.isprintable() or c in "\t\r\n" for line in lines for c in line)
    return "table" if is_text and all(separator in line for line in lines) else None


def read_table(
    path: str | Path,
    *,
    stream: str = "behaviour",
    columns: Sequence[str] | None = None,
    select: Mapping[str, Any] | None = None,
    time: str | None = None,
    sampling_rate: float | None = None,
    onset: str | None = None,
    duration: str | float = 0.0,
    trial_type: str | None = None,
    units: str | None = None,
    separator: str | None = None,
    header: bool = True,
    meta: Mapping[str, Any] | None = None,
) -> Recording:
    """Read a table of numbers and text.

    Each row is a presentation, unless ``time`` or ``sampling_rate`` say that rows are
    samples. A table of text alone, such as a list of words, gets one variable, ``row``.
    Columns of text become coordinates of the rows, with ``_`` for blanks in their
    names.

    Parameters
    ----------
    path : path
        CSV, TSV or the like, in UTF-8, with a header; gzip is recognised.
    stream : str
        Name of the stream; ``"behaviour"`` may have gaps.
    columns : sequence of str, optional
        Columns of numbers that make the stream; by default all of them.
    select : mapping, optional
        Keep the rows with a value in a column, e.g. ``{"item": 3}``.
    time : str, optional
        Column of seconds.
    sampling_rate : float, optional
        In Hz, for rows that are samples.
    onset : str, optional
        Column of seconds: every row becomes an event, too, with all its text.
    duration : str or float
        Of the events: a column or one number, in seconds.
    trial_type : str, optional
        Column with the type of each event.
    units : str, optional
        Unit of the numbers; voltages become volts in ``eeg``, ``ieeg`` and ``lfp``.
    separator : str, optional
        Between columns; by default found in the header.
    header : bool
        Whether the first line names the columns; without it they are ``column_0`` and so on.
    meta : mapping, optional
        Subject, licence and so on.

    Returns
    -------
    Recording
        With the stream over ``(presentation, variable)`` or ``(time, …)``.

    Raises
    ------
    ReadError
        If the file is no table.
    DataError
        If a column that is asked for holds no numbers, or no row is selected.
    UnknownNameError
        If a column is missing.

    Examples
    --------
    >>> import tempfile
    >>> file = Path(tempfile.mkdtemp()) / "words.csv"
    >>> _ = file.write_text("word,rt,zone;If,310,1;you,290,2".replace(";", chr(10)))
    >>> rec = read_table(file, columns=["rt"])
    >>> rec["behaviour"].values.ravel().tolist(), rec["behaviour"]["word"].values.tolist()
    ([310.0, 290.0], ['If', 'you'])
    """
    path = Path(path)
    table = load_table(path, separator, header)
    for column, value in (select or {}).items():
        rows = table[_known(table, column, path)] == value
        if not rows.any():
            raise DataError(f"{path.name}: no row has {column} = {value!r}.")
        table = table[rows].reset_index(drop=True)
    if not len(table):
        raise DataError(f"{path.name} has a header and no rows.")
    clock = {time, onset} - {None}
    kept = [c for c in table.columns if table[c].dtype.kind in "iufb" and c not in clock]
    if columns is not None:
        kept = [_numeric(table, c, path) for c in columns]
    if not kept:
        table, kept = table.assign(row=np.arange(len(table))), ["row"]
    data = _stream(table, kept, stream, units, _seconds(table, time, sampling_rate, path))
    events = checks.no_events()
    if onset is not None:
        events = _events(table, onset, duration, trial_type, path)
    return Recording({stream: data}, events, {**(meta or {}), "source": path.name})


def load_table(path: Path, separator: str | None = None, header: bool = True) -> pd.DataFrame:
    """Load a table.

    Parameters
    ----------
    path : Path
        CSV, TSV or the like, in UTF-8, a byte-order mark tolerated, perhaps gzipped.
    separator : str, optional
        By default whichever of tab, comma, semicolon and bar the first line holds most of.
    header : bool
        Whether the first line names the columns.

    Returns
    -------
    pd.DataFrame
        Columns stripped of blanks.

    Raises
    ------
    ReadError
        If it cannot be parsed, or two columns have the same name.
    """
    path = Path(path)
    if not path.is_file():
        raise ReadError(f"There is no file {path}.")
    packed = is_gzip(path)
    compression: Any = "gzip" if packed else None
    try:
        if packed:
            _check_expansion(path)
        separator = separator or max(_SEPARATORS, key=_first_line(path).count)
        table = pd.read_csv(
            path,
            sep=separator,
            header=0 if header else None,
            encoding="utf-8-sig",
            compression=compression,
            low_memory=False,
        )
    except (ValueError, OSError, EOFError, zlib.error, pd.errors.ParserError) as error:
        raise ReadError(f"{path.name}: cannot be read as a table: {error}.") from error
    table.columns = [str(c).strip() if header else f"column_{c}" for c in table.columns]
    twice = sorted(set(table.columns[table.columns.duplicated()]))
    if twice:
        raise ReadError(f"{path.name}: columns occur twice: {twice}. Rename them.")
    return table


def _check_expansion(path: Path) -> None:
    limit = max(_ALLOWANCE, _MAX_RATIO * path.stat().st_size)
    total = 0
    with open_stream(path) as file:
        while block := file.read(2**20):
            total += len(block)
            if total > limit:
                raise ReadError(f"{path.name} unpacks to more than {limit / 1e6:.0f} MB; refused.")


def _first_line(path: Path) -> str:
    with open_stream(path) as file:
        return file.readline(2**20).decode("utf-8-sig", "replace")


def _known(table: pd.DataFrame, column: str, path: Path) -> str:
    if column not in table:
        raise UnknownNameError(f"column of {path.name}", column, table.columns)
    return column


def _numeric(table: pd.DataFrame, column: str, path: Path) -> str:
    if table[_known(table, column, path)].dtype.kind not in "iufb":
        first = table[column].dropna().iloc[:3].tolist()
        raise DataError(f"{path.name}: column {column!r} holds no numbers: {first} ….")
    return column


def _seconds(
    table: pd.DataFrame, time: str | None, sampling_rate: float | None, path: Path
) -> tuple[np.ndarray, float] | None:
    if time is not None:
        stamps = table[_numeric(table, time, path)].to_numpy(np.float64)
        step = float(np.median(np.diff(stamps))) if stamps.size > 1 else 1.0
        return stamps, sampling_rate or (1 / step if step > 0 else np.nan)
    if sampling_rate is not None:
        if not 0 < sampling_rate < np.inf:
            raise DataError(f"The sampling rate is {sampling_rate!r}, expected positive Hz.")
        return time_axis(len(table), sampling_rate), sampling_rate
    return None


def _stream(
    table: pd.DataFrame,
    kept: list[str],
    stream: str,
    units: str | None,
    clock: tuple[np.ndarray, float] | None,
) -> xr.DataArray:
    kind = kind_of(stream)
    first = "presentation" if clock is None else "time"
    factor = voltage_factor(units) if units and kind.units == "V" else None
    values = table[kept].to_numpy(np.float64) * (1.0 if factor is None else factor)
    attrs: dict[str, Any] = {"units": "V" if factor is not None else units or kind.units}
    coords: dict[str, Any] = {kind.dim: np.array(kept, dtype=np.str_)}
    for column in table.columns:
        if column not in kept and table[column].dtype.kind not in "iufb" and column != kind.dim:
            # A blank in its name keeps a coordinate from being stored.
            coords["_".join(column.split())] = (first, checks.text_array(table[column].fillna("")))
    if clock is not None:
        coords["time"], attrs["sampling_rate"] = clock
    return xr.DataArray(
        values.astype(np.float32), dims=(first, kind.dim), coords=coords, attrs=attrs
    )


def _events(
    table: pd.DataFrame, onset: str, duration: str | float, trial_type: str | None, path: Path
) -> pd.DataFrame:
    events = pd.DataFrame({"onset": table[_numeric(table, onset, path)]})
    events["duration"] = (
        table[_numeric(table, duration, path)] if isinstance(duration, str) else float(duration)
    )
    kinds = "n/a" if trial_type is None else table[_known(table, trial_type, path)].astype("str")
    events["trial_type"] = kinds
    used = {onset, duration, trial_type, "onset", "duration", "trial_type"}
    rest = table[[c for c in table.columns if c not in used]]
    return pd.concat([events, rest], axis=1)
