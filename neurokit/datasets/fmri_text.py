"""Tables of numbers in text files, cell by cell: ragged rows and words are errors."""

from __future__ import annotations

import codecs
import csv
import itertools
import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from neurokit.errors import ReadError

__all__ = ["NumericTable", "is_numeric_text", "read_numbers", "read_text_table"]

_MISSING = frozenset({"", "n/a", "na", "nan", "null", "none"})
_LARGEST_CELL = 4096


@dataclass(frozen=True)
class NumericTable:
    """A table of numbers.

    Attributes
    ----------
    names : list of str or None
        The header; None when the file has none.
    values : ndarray of shape (row, column)
        float64; NaN where a cell is empty or ``n/a``.
    first_line : int
        Line of the file that the first row came from, for messages.
    """

    names: list[str] | None
    values: np.ndarray
    first_line: int


def read_numbers(path: Path) -> NumericTable:
    r"""Read a table of numbers with or without a header.

    Parameters
    ----------
    path : Path
        Separated by tabs, commas, semicolons or spaces, whichever the first row shows; a
        byte-order mark is dropped. Lines that begin with ``#`` are comments, but the last one
        before the numbers is the header when it has a name a column.

    Returns
    -------
    NumericTable
        A first row of integers over fractions counts as a header, too: it numbers the
        columns.

    Raises
    ------
    ReadError
        If rows differ in length, a cell is no number, or there are no numbers; the message
        names row and column.

    Examples
    --------
    >>> import tempfile
    >>> path = Path(tempfile.mkdtemp()) / "roi.1D"
    >>> _ = path.write_text("#2001 #2002\n0.5 1.5\n0.7 1.2\n")
    >>> table = read_numbers(path)
    >>> table.names, table.values.shape
    (['2001', '2002'], (2, 2))
    """
    comments, lines = _lines(path)
    rows = _split(path, [text for _, text in lines])
    if not rows:
        raise ReadError(f"{path.name}: the table is empty.")
    header = None
    if not all(map(_is_number, rows[0])) or _numbers_columns(rows):
        header, rows, lines = [cell.strip() for cell in rows[0]], rows[1:], lines[1:]
    elif comments:
        words = [word.lstrip("#") for word in comments[-1].split()]
        words = [word for word in words if word]
        header = words if len(words) == len(rows[0]) else None
    if not rows:
        raise ReadError(f"{path.name}: the table has a header and no rows.")
    numbers = [number for number, _ in lines]
    _check_widths(path, rows, numbers, len(header) if header else len(rows[0]))
    return NumericTable(header, _to_numbers(path, rows, numbers, header), numbers[0])


def read_text_table(path: Path) -> dict[str, np.ndarray]:
    """Read a table with a header whose columns may be words or numbers.

    Parameters
    ----------
    path : Path
        E.g. the names, networks and places of parcels.

    Returns
    -------
    dict
        Column name to an array of text or float64.

    Raises
    ------
    ReadError
        If rows differ in length or there are none.
    """
    _, lines = _lines(path)
    rows = _split(path, [text for _, text in lines])
    if len(rows) < 2:
        raise ReadError(f"{path.name}: expected a header and at least one row.")
    _check_widths(path, rows[1:], [number for number, _ in lines[1:]], len(rows[0]))
    columns = {}
    for name, cells in zip(rows[0], zip(*rows[1:], strict=True), strict=True):
        numeric = all(map(_is_number, cells)) and not all(
            c.strip().lower() in _MISSING for c in cells
        )
        values = [_number(c) for c in cells] if numeric else [c.strip() for c in cells]
        columns[name.strip()] = np.asarray(values)
    return columns


def is_numeric_text(head: bytes) -> bool:
    r"""Tell whether a file begins like a table of numbers.

    Parameters
    ----------
    head : bytes
        The beginning of the file.

    Returns
    -------
    bool
        True if the lines after the first, or the only one, are numbers in columns.

    Examples
    --------
    >>> is_numeric_text(b"V1,V2\n0.5,1.5\n"), is_numeric_text(b"onset,kind\n0.5,go\n")
    (True, False)
    """
    try:
        text = codecs.getincrementaldecoder("utf-8-sig")().decode(head)
    except UnicodeDecodeError:
        return False
    lines = [ln for ln in text.split("\n") if ln.strip() and not ln.lstrip().startswith("#")]
    # The last line may be cut off where the head ends.
    body = lines[1:6] if len(lines) < 7 else lines[1:-1][:5]
    rows = [re.split(r"[\t,; ]+", line.strip()) for line in body or lines]
    cells = [cell for row in rows for cell in row]
    return (
        "\0" not in text
        and bool(cells)
        and all(map(_is_number, cells))
        and any(cell.strip().lower() not in _MISSING for cell in cells)
    )


def _lines(path: Path) -> tuple[list[str], list[tuple[int, str]]]:
    """Return the comments, and the numbered lines that are none."""
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise ReadError(f"{path.name}: cannot be read as UTF-8 text: {error}.") from None
    if "\0" in text:
        raise ReadError(f"{path.name}: holds NUL bytes, so it is no text.")
    # Not splitlines: it also breaks at characters that may stand inside of a cell.
    lines = [(n, line.rstrip("\r")) for n, line in enumerate(text.split("\n"), 1) if line.strip()]
    comments = []
    for _, line in lines:
        if not line.lstrip().startswith("#"):
            break
        comments.append(line)
    return comments, [(n, line) for n, line in lines if not line.lstrip().startswith("#")]


def _split(path: Path, lines: list[str]) -> list[list[str]]:
    if not lines:
        return []
    delimiter = next((d for d in "\t,;" if d in lines[0]), None)
    if delimiter is None:
        rows = [line.split() for line in lines]
    else:
        try:
            rows = list(csv.reader(lines, delimiter=delimiter, strict=True))
        except csv.Error as error:
            raise ReadError(f"{path.name}: cannot be read as a table: {error}.") from None
    if len(rows) != len(lines):
        raise ReadError(f"{path.name}: a quoted cell runs over the end of its line.")
    return rows


def _is_number(cell: str) -> bool:
    if cell.strip().lower() in _MISSING:
        return True
    try:
        float(cell)
    except ValueError:
        return False
    return True


def _number(cell: str) -> float:
    return np.nan if cell.strip().lower() in _MISSING else float(cell)


def _numbers_columns(rows: list[list[str]]) -> bool:
    """Tell whether the first row numbers the columns: rising integers over fractions."""
    first = [cell.strip() for cell in rows[0]]
    if len(first) < 2 or not all(cell.isdecimal() for cell in first):
        return False
    numbers = [int(cell) for cell in first]
    rising = all(a < b for a, b in itertools.pairwise(numbers))
    return rising and any(not cell.strip().isdecimal() for row in rows[1:] for cell in row)


def _check_widths(path: Path, rows: list[list[str]], numbers: list[int], width: int) -> None:
    for number, row in zip(numbers, rows, strict=True):
        if len(row) != width:
            raise ReadError(
                f"{path.name}: line {number} has {len(row)} cells, expected {width} as in the "
                "first line. Mend or delete the line."
            )
        if max(map(len, row)) > _LARGEST_CELL:
            raise ReadError(f"{path.name}: line {number} has a cell of {max(map(len, row))} signs.")


def _to_numbers(
    path: Path, rows: list[list[str]], numbers: list[int], header: list[str] | None
) -> np.ndarray:
    try:
        # NumPy calls float() on each object; fixed-width text would be sized by the longest.
        return np.array(rows, dtype=object).astype(np.float64)
    except ValueError:
        pass
    values = np.empty((len(rows), len(rows[0])))
    for i, row in enumerate(rows):
        for j, cell in enumerate(row):
            if not _is_number(cell):
                column = repr(header[j]) if header else str(j + 1)
                raise ReadError(
                    f"{path.name}: line {numbers[i]}, column {column} holds {cell[:40]!r}, "
                    "expected a number or n/a."
                )
            values[i, j] = _number(cell)
    return values
