"""Finding and opening the files of a data set, with one clear error where they are not there."""

from __future__ import annotations

import csv
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from neurokit.datasets.matlab import check_matlab
from neurokit.errors import ReadError, UnknownNameError

__all__ = [
    "find",
    "find_all",
    "numbers",
    "one_of",
    "read_json",
    "read_lines",
    "read_struct",
    "read_texts",
]

_MAX_TEXT = 2**30
_MAT5 = b"MATLAB 5.0 MAT-file"


def find(root: Path, patterns: str | Sequence[str], what: str) -> Path:
    """Find the one file that a reader needs.

    Parameters
    ----------
    root : Path
        Folder to look in, or the file itself.
    patterns : str or sequence of str
        Glob patterns below the folder, tried in this order.
    what : str
        What the file is, for the message.

    Returns
    -------
    Path
        The first match in alphabetical order.

    Raises
    ------
    ReadError
        If nothing matches.

    Examples
    --------
    >>> find(Path("."), "*.mat", "the responses")
    Traceback (most recent call last):
    neurokit.errors.ReadError: .: expected the responses (*.mat); there is none.
    """
    return find_all(root, patterns, what)[0]


def find_all(root: Path, patterns: str | Sequence[str], what: str) -> list[Path]:
    """Find the files of one kind.

    Parameters
    ----------
    root : Path
        Folder to look in, or the one file itself.
    patterns : str or sequence of str
        Glob patterns below the folder; the first that matches anything counts.
    what : str
        What the files are, for the message.

    Returns
    -------
    list of Path
        In alphabetical order, at least one.

    Raises
    ------
    ReadError
        If nothing matches.
    """
    root = Path(root)
    patterns = [patterns] if isinstance(patterns, str) else list(patterns)
    if root.is_file():
        return [root]
    for pattern in patterns:
        if found := sorted(p for p in root.glob(pattern) if not p.name.startswith("._")):
            return found
    raise ReadError(f"{root}: expected {what} ({' or '.join(patterns)}); there is none.")


def one_of(kind: str, wanted: str | None, known: Sequence[str]) -> str:
    """Choose by name among what is there; the only one needs no name.

    Parameters
    ----------
    kind : str
        What is chosen, also the name of the argument.
    wanted : str or None
        As the caller gave it.
    known : sequence of str
        What is there.

    Returns
    -------
    str
        The one.

    Raises
    ------
    UnknownNameError
        If it is not there.
    ReadError
        If there are several and none was named.

    Examples
    --------
    >>> one_of("subject", None, ["UTS01"])
    'UTS01'
    """
    if wanted is not None:
        if str(wanted) not in known:
            raise UnknownNameError(kind, str(wanted), known)
        return str(wanted)
    if len(known) != 1:
        raise ReadError(
            f"There are {len(known)} {kind}s: {', '.join(known[:12])}. Choose one with {kind}=."
        )
    return known[0]


def read_lines(path: Path) -> list[str]:
    """Read the lines of a text file that are not empty.

    Parameters
    ----------
    path : Path
        UTF-8.

    Returns
    -------
    list of str
        Without blanks at either end.

    Raises
    ------
    ReadError
        If it is missing, empty or no text.
    """
    path = Path(path)
    if not path.is_file():
        raise ReadError(f"There is no file {path}.")
    if path.stat().st_size > _MAX_TEXT:
        raise ReadError(f"{path.name} has {path.stat().st_size:,} bytes; refused as a text file.")
    try:
        lines = path.read_text(encoding="utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise ReadError(f"{path.name}: cannot be read as text: {error}.") from error
    lines = [line.strip() for line in lines if line.strip()]
    if not lines:
        raise ReadError(f"{path.name} is empty.")
    return lines


def read_texts(
    path: Path,
    separator: str,
    columns: Sequence[str] = (),
    names: Sequence[str] | None = None,
    quoted: bool = True,
) -> pd.DataFrame:
    """Read a table whose cells are text, words such as NA and null among them.

    Parameters
    ----------
    path : Path
        UTF-8.
    separator : str
        Between columns.
    columns : sequence of str
        Columns that must be there.
    names : sequence of str, optional
        Names of the columns of a file without a header.
    quoted : bool
        Whether a double quote encloses a cell; in lists of words it is a character.

    Returns
    -------
    pd.DataFrame
        All columns text, empty cells empty.

    Raises
    ------
    ReadError
        If it cannot be parsed, or lacks a column.
    """
    path = Path(path)
    if not path.is_file():
        raise ReadError(f"There is no file {path}.")
    try:
        table = pd.read_csv(
            path,
            sep=separator,
            dtype=str,
            keep_default_na=False,
            encoding="utf-8-sig",
            header=0 if names is None else None,
            names=None if names is None else list(names),
            quoting=csv.QUOTE_MINIMAL if quoted else csv.QUOTE_NONE,
        )
    except (ValueError, OSError, pd.errors.ParserError) as error:
        raise ReadError(f"{path.name}: cannot be read as a table: {error}.") from error
    missing = [c for c in columns if c not in table]
    if missing or not len(table):
        raise ReadError(
            f"{path.name}: expected columns {list(columns)}; got {len(table)} rows of "
            f"{list(table.columns)[:12]}."
        )
    return table


def read_json(path: Path) -> Any:
    """Read a JSON file.

    Parameters
    ----------
    path : Path
        The file.

    Returns
    -------
    object
        Its content.

    Raises
    ------
    ReadError
        If it is missing or no JSON.
    """
    try:
        return json.loads("\n".join(read_lines(path)))
    except (ValueError, RecursionError) as error:
        raise ReadError(f"{Path(path).name}: not valid JSON: {error}.") from error


def read_struct(path: Path, names: Sequence[str]) -> dict[str, Any]:
    """Read variables of a MATLAB 5 file, structures as dicts and cells as lists.

    Parameters
    ----------
    path : Path
        Saved as version 7 or before.
    names : sequence of str
        Variables wanted; others are not read.

    Returns
    -------
    dict
        Those that are there. Dimensions of length 1 are dropped.

    Raises
    ------
    ReadError
        If it is damaged, no MATLAB 5 file, or has none of the variables.
    """
    from scipy.io import loadmat

    path = Path(path)
    if not path.is_file():
        raise ReadError(f"There is no file {path}.")
    with path.open("rb") as file:
        if file.read(len(_MAT5)) != _MAT5:
            raise ReadError(
                f"{path.name}: expected a MATLAB file of version 5 to 7. If it is 7.3, save it "
                "again in MATLAB with save(…, '-v7')."
            )
    check_matlab(path)
    try:
        content = loadmat(path, variable_names=list(names), simplify_cells=True)
    except Exception as error:
        # SciPy raises anything on damaged files.
        raise ReadError(f"{path.name}: cannot be read as MATLAB: {error}.") from error
    found = {k: v for k, v in content.items() if k in names}
    if not found:
        raise ReadError(f"{path.name}: expected variables {list(names)}; it has none of them.")
    return found


def numbers(path: Path, what: str, values: Any, ndim: int) -> np.ndarray:
    """Return an array of numbers of the expected dimensions.

    Parameters
    ----------
    path : Path
        Where it came from, for the message.
    what : str
        Its name, for the message.
    values : object
        The array.
    ndim : int
        How many dimensions it must have.

    Returns
    -------
    ndarray
        The same.

    Raises
    ------
    ReadError
        If it is no such array.
    """
    found = np.asarray(values)
    if found.dtype.kind not in "fiub" or found.ndim != ndim or not found.size:
        raise ReadError(
            f"{path.name}: expected {what} as numbers with {ndim} dimensions; got {found.dtype} of "
            f"shape {found.shape}."
        )
    return found
