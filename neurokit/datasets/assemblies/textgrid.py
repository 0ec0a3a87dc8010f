"""Praat's TextGrids: words and phones with their times."""

from __future__ import annotations

import re
from pathlib import Path

import pandas as pd

from neurokit.errors import ReadError

__all__ = ["read_textgrid"]

_QUOTED = r'"(?:[^"]|"")*"'
_NUMBER = r"[-+]?\d+(?:\.\d*)?(?:[eE][-+]?\d+)?"
# The long form names each value; numbers in brackets are counts of the eye.
_LONG = re.compile(rf"=\s*({_QUOTED}|{_NUMBER})")
_SHORT = re.compile(rf"({_QUOTED}|{_NUMBER})")


def read_textgrid(path: str | Path, tier: str = "word") -> pd.DataFrame:
    r"""Read one tier of intervals.

    Parameters
    ----------
    path : path
        TextGrid in the long or short text form, UTF-8 or UTF-16.
    tier : str
        Its name, or the beginning of it, in any case.

    Returns
    -------
    pd.DataFrame
        ``word``, ``onset`` and ``offset`` (s), empty intervals included.

    Raises
    ------
    ReadError
        If it is no TextGrid, is cut short, or has no such tier.

    Examples
    --------
    >>> values = ['File type = "ooTextFile"', 'Object class = "TextGrid"', "", "0", "1",
    ...           "<exists>", "1", '"IntervalTier"', '"word"', "0", "1", "1",
    ...           "0", "0.4", '"once"']
    >>> _ = Path("a.TextGrid").write_text("\n".join(values))
    >>> read_textgrid("a.TextGrid").to_dict("records")
    [{'word': 'once', 'onset': 0.0, 'offset': 0.4}]
    """
    path = Path(path)
    tiers = _tiers(path, _values(path))
    for name, rows in tiers.items():
        if name.lower().startswith(tier.lower()):
            return pd.DataFrame(rows, columns=["onset", "offset", "word"])[
                ["word", "onset", "offset"]
            ]
    raise ReadError(f"{path.name}: expected a tier {tier!r} of intervals; it has {list(tiers)}.")


def _values(path: Path) -> list[str]:
    if not path.is_file():
        raise ReadError(f"There is no file {path}.")
    raw = path.read_bytes()
    encoding = "utf-16" if raw[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig"
    try:
        text = raw.decode(encoding)
    except UnicodeDecodeError as error:
        raise ReadError(f"{path.name}: cannot be read as text: {error}.") from error
    head, mark, body = text.partition('"TextGrid"')
    if not mark or "ooTextFile" not in head:
        raise ReadError(f"{path.name} is no TextGrid (a text file of Praat's).")
    pattern = _LONG if re.search(r"xmin\s*=", body) else _SHORT
    return pattern.findall(body)


def _tiers(path: Path, values: list[str]) -> dict[str, list[tuple[float, float, str]]]:
    """Walk over the values: span, number of tiers; then of each class, name, span, size, items."""
    tiers: dict[str, list[tuple[float, float, str]]] = {}
    try:
        at = 3
        for _ in range(int(values[2])):
            kind, name, size = _text(values[at]), _text(values[at + 1]), int(values[at + 4])
            at += 5
            step = 3 if kind == "IntervalTier" else 2
            items = [values[i : i + step] for i in range(at, at + step * size, step)]
            at += step * size
            if kind == "IntervalTier":
                tiers[name] = [(float(a), float(b), _text(c)) for a, b, c in items]
    except (IndexError, ValueError) as error:
        raise ReadError(f"{path.name}: the TextGrid is cut short or damaged: {error}.") from error
    return tiers


def _text(value: str) -> str:
    if not value.startswith('"'):
        raise ValueError(f"{value!r} where text is due")
    return value[1:-1].replace('""', '"').strip()
