"""Annotations of the Temple University Hospital corpora: csv, tse and lbl files."""

from __future__ import annotations

import csv
import re
from pathlib import Path

import pandas as pd

from neurokit.errors import ReadError

__all__ = ["ALL_CHANNELS", "ENDINGS", "read_annotations", "read_joint_table"]

#: What the corpora write in place of a channel for an event on all of them.
ALL_CHANNELS = "TERM"
#: Endings of the files that may lie beside ``name.edf``.
ENDINGS = ("csv", "csv_bi", "tse", "tse_bi", "tse_agg", "lbl", "lbl_bi", "lbl_agg")

_COLUMNS = ("channel", "start_time", "stop_time", "label", "confidence")
# Names that the joint tables of older versions of TUAR give to the same.
_ALSO = {
    "key": "key",
    "channel_label": "channel",
    "artifact_label": "label",
    **{name: name for name in _COLUMNS},
}
_LARGEST = 2**28
_ASSIGNMENT = re.compile(r"^(montage|label|symbols\[0\])\s*=\s*(.*)$")
_MONTAGE = re.compile(r"^(\d+)\s*,\s*([^:]+?)\s*:")
_SYMBOL = re.compile(r"(\d+)\s*:\s*['\"]([^'\"]*)['\"]")
_LABEL = re.compile(
    r"^\{\s*(\d+)\s*,\s*\d+\s*,\s*([\d.]+)\s*,\s*([\d.]+)\s*,\s*(-?\d+|[^\[,]+?)\s*,\s*\[([^\]]*)\]"
)


def read_annotations(path: str | Path) -> pd.DataFrame:
    """Read one annotation file.

    Parameters
    ----------
    path : path
        ``.csv`` and ``.csv_bi`` (versions 2 and 3 of the corpora: channel, start, stop, label,
        confidence); ``.tse``, ``.tse_bi`` and ``.tse_agg`` (start, stop, label, confidence, for
        all channels); ``.lbl``, ``.lbl_bi`` and ``.lbl_agg`` (a montage, a table of symbols and
        one line an event and channel, with a probability a symbol).

    Returns
    -------
    pandas.DataFrame
        One row an event: ``onset`` and ``duration`` (s), ``trial_type`` (such as ``seiz``,
        ``bckg``, ``eyem``), ``channel`` (a derivation such as ``FP1-F7``, or ``TERM`` for all)
        and ``confidence``; sorted by onset.

    Raises
    ------
    ReadError
        If the file is of none of these forms, naming the line.

    Examples
    --------
    >>> file = Path("aaaaaaac_s001_t000.tse")
    >>> _ = file.write_text("version = tse_v1.0.0;0.0 10.5 bckg 1.0;10.5 30.0 seiz 1.0".replace(
    ...     ";", chr(10)))
    >>> read_annotations(file)[["onset", "duration", "trial_type"]].values.tolist()
    [[0.0, 10.5, 'bckg'], [10.5, 19.5, 'seiz']]
    """
    path = Path(path)
    kind = path.suffix.lstrip(".").split("_")[0]
    readers = {"csv": _csv_rows, "tse": _tse_rows, "lbl": _lbl_rows}
    if kind not in readers:
        raise ReadError(f"{path.name}: expected an annotation file ({', '.join(ENDINGS)}).")
    return _table(readers[kind](_lines(path), path.name))


def read_joint_table(path: str | Path) -> dict[str, pd.DataFrame]:
    """Read a table of all recordings' events, as versions 1 and 2 of TUAR have it.

    Parameters
    ----------
    path : path
        ``labels_01_tcp_ar.csv``: comment lines, of which one names the columns, then one row an
        event: the recording's key, channel, start, stop and label.

    Returns
    -------
    dict of str to pandas.DataFrame
        Events by the name of the recording, as :func:`read_annotations` gives them.

    Raises
    ------
    ReadError
        If it has no such columns, or a row is damaged.

    Examples
    --------
    >>> file = Path("labels_01_tcp_ar.csv")
    >>> _ = file.write_text("# key, channel_label, start_time, stop_time, artifact_label;"
    ...                     "00000254_s005_t000, FP1-F7, 1.0, 2.5, eyem".replace(";", chr(10)))
    >>> read_joint_table(file)["00000254_s005_t000"]["trial_type"].tolist()
    ['eyem']
    """
    path = Path(path)
    lines = _lines(path)
    header = next((t for _, t in lines if {"key", "start_time"} <= _words(t)), None)
    if header is None:
        raise ReadError(f"{path.name}: no line names the columns key, start_time, stop_time …")
    names = [_ALSO.get(name, name) for name in _fields(header.lstrip("# "))]
    found: dict[str, list[tuple[float, float, str, str, float]]] = {}
    for number, text in lines:
        if text.startswith("#") or text == header:
            continue
        row = dict(zip(names, _fields(text), strict=False))
        found.setdefault(row.get("key", ""), []).append(_row(row, path.name, number))
    return {key: _table(rows) for key, rows in found.items()}


def _lines(path: Path) -> list[tuple[int, str]]:
    """Return the lines that are not empty, with their numbers from 1."""
    try:
        if path.stat().st_size > _LARGEST:
            raise ReadError(f"{path.name}: too large for annotations ({path.stat().st_size} B).")
        text = path.read_text(encoding="utf-8-sig", errors="replace")
    except OSError as error:
        raise ReadError(f"{path}: cannot be read: {error.strerror}.") from error
    stripped = enumerate((line.strip() for line in text.splitlines()), start=1)
    return [(number, line) for number, line in stripped if line]


def _fields(line: str) -> list[str]:
    return [field.strip() for field in next(csv.reader([line]))]


def _words(line: str) -> set[str]:
    return set(_fields(line.lstrip("# ")))


def _csv_rows(
    lines: list[tuple[int, str]], name: str
) -> list[tuple[float, float, str, str, float]]:
    rows = [(number, text) for number, text in lines if not text.startswith("#")]
    names = _fields(rows[0][1]) if rows else []
    if not {"start_time", "stop_time", "label"} <= set(names):
        raise ReadError(f"{name}: expected the columns {', '.join(_COLUMNS)}; got {names}.")
    return [
        _row(dict(zip(names, _fields(text), strict=False)), name, number)
        for number, text in rows[1:]
    ]


def _tse_rows(
    lines: list[tuple[int, str]], name: str
) -> list[tuple[float, float, str, str, float]]:
    keys = ("start_time", "stop_time", "label", "confidence")
    kept = [(n, t) for n, t in lines if not t.startswith("#") and not t.startswith("version")]
    return [_row(dict(zip(keys, text.split(), strict=False)), name, n) for n, text in kept]


def _lbl_rows(
    lines: list[tuple[int, str]], name: str
) -> list[tuple[float, float, str, str, float]]:
    montage: dict[str, str] = {}
    symbols: dict[int, str] = {}
    rows = []
    for number, text in lines:
        match = _ASSIGNMENT.match(text)
        if match is None:
            continue
        key, value = match.groups()
        if key == "montage" and (place := _MONTAGE.match(value)):
            montage[place[1]] = place[2]
        elif key == "symbols[0]":
            symbols = {int(n): symbol for n, symbol in _SYMBOL.findall(value)}
        elif key == "label":
            rows += _lbl_row(value, montage, symbols, name, number)
    return rows


def _lbl_row(
    value: str, montage: dict[str, str], symbols: dict[int, str], name: str, number: int
) -> list[tuple[float, float, str, str, float]]:
    """Read one event: its most probable symbol; other levels repeat it and are left out."""
    match = _LABEL.match(value)
    if match is None:
        raise ReadError(f"{name}, line {number}: not an event: {value[:60]!r}.")
    level, start, stop, channel, odds = match.groups()
    if level != "0":
        return []
    try:
        probability = [float(p) for p in odds.split(",")]
        best = max(range(len(probability)), key=probability.__getitem__)
        row = {"start_time": start, "stop_time": stop, "label": symbols[best]}
    except (ValueError, KeyError):
        raise ReadError(
            f"{name}, line {number}: the probabilities do not fit the {len(symbols)} symbols."
        ) from None
    row["channel"] = montage.get(channel, ALL_CHANNELS if channel == "-1" else channel)
    return [_row({**row, "confidence": str(probability[best])}, name, number)]


def _row(row: dict[str, str], name: str, number: int) -> tuple[float, float, str, str, float]:
    try:
        start, stop = float(row["start_time"]), float(row["stop_time"])
        confidence = float(row.get("confidence") or 1.0)
        label = row["label"]
    except (KeyError, ValueError):
        raise ReadError(f"{name}, line {number}: not an event: {list(row.values())}.") from None
    if not 0 <= start <= stop < 1e7:
        raise ReadError(f"{name}, line {number}: an event from {start:g} to {stop:g} s.")
    return start, stop - start, label, row.get("channel") or ALL_CHANNELS, confidence


def _table(rows: list[tuple[float, float, str, str, float]]) -> pd.DataFrame:
    columns = ["onset", "duration", "trial_type", "channel", "confidence"]
    table = pd.DataFrame(rows, columns=columns)
    kinds = {"onset": "float64", "duration": "float64", "confidence": "float64"}
    return table.astype(kinds).sort_values("onset", kind="stable", ignore_index=True)
