"""Representations on disk, so that nothing is computed twice.

A key says everything that a result depends on: the hash of the weights, the hash of the
stimuli, the settings. Its canonical JSON names the file and lies inside it, where it is
compared before anything is believed.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from neurokit.datasets.cache import cache_folder
from neurokit.errors import DataError
from neurokit.files import replacing
from neurokit.warning import warn

__all__ = ["cached", "digest", "recall", "store"]

Arrays = dict[str, NDArray]


def cached(
    key: Mapping[str, Any],
    compute: Callable[[], Mapping[str, NDArray]],
    folder: str | Path | None = None,
) -> Arrays:
    """Return named arrays from disk, or compute and keep them.

    Parameters
    ----------
    key : mapping
        Everything that the arrays depend on, as plain values: text, numbers, truth values,
        None, and lists or mappings of those. Put long content in as its :func:`digest`.
    compute : callable
        Takes nothing and returns the arrays by name; called only if they are not on disk.
    folder : path, optional
        Where files lie; by default ``features`` in the user's cache, see ``NEUROKIT_DATA``.

    Returns
    -------
    dict of str to ndarray
        The arrays, in the order in which they were computed.

    Raises
    ------
    DataError
        A key that is not plain values.

    Examples
    --------
    >>> key = {"weights": "ab12", "layer": 6}
    >>> cached(key, lambda: {"x": np.ones(2)})
    {'x': array([1., 1.])}
    >>> cached(key, lambda: 1 / 0)
    {'x': array([1., 1.])}
    """
    found = recall(key, folder)
    if found is None:
        found = {name: np.asarray(array) for name, array in compute().items()}
        store(key, found, folder)
    return found


def recall(key: Mapping[str, Any], folder: str | Path | None = None) -> Arrays | None:
    """Read what was kept under a key.

    Parameters
    ----------
    key : mapping
        As in :func:`cached`.
    folder : path, optional
        As in :func:`cached`.

    Returns
    -------
    dict of str to ndarray, or None
        The arrays; None where there is no file, or one that is damaged or of another key.

    Examples
    --------
    >>> recall({"weights": "unseen"}) is None
    True
    """
    from safetensors import SafetensorError, safe_open

    path, text = _place(key, folder)
    try:
        with safe_open(path, framework="numpy") as file:
            facts = file.metadata() or {}
            if facts.get("key") != text:
                return None
            return {name: file.get_tensor(name) for name in json.loads(facts["names"])}
    except (OSError, SafetensorError, KeyError, ValueError):
        return None


def store(
    key: Mapping[str, Any], arrays: Mapping[str, NDArray], folder: str | Path | None = None
) -> Path | None:
    """Keep arrays under a key; a reader sees all of them or none.

    Parameters
    ----------
    key : mapping
        As in :func:`cached`.
    arrays : mapping of str to ndarray
        What to keep.
    folder : path, optional
        As in :func:`cached`.

    Returns
    -------
    Path, or None
        The file; None where it cannot be written.

    Raises
    ------
    DataError
        A key that is not plain values, or arrays that are not numbers.

    Warns
    -----
    UserWarning
        A folder that cannot be written to, or a full disk.

    Examples
    --------
    >>> store({"weights": "ab12"}, {"x": np.zeros(3)}).suffix
    '.safetensors'
    """
    from safetensors import SafetensorError
    from safetensors.numpy import save_file

    path, text = _place(key, folder)
    plain = {name: np.asarray(array, order="C") for name, array in arrays.items()}
    wrong = [name for name, array in plain.items() if array.dtype.kind not in "biuf"]
    if wrong:
        raise DataError(
            f"Expected arrays of numbers to keep; {wrong[0]!r} is of {plain[wrong[0]].dtype}."
        )
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with replacing(path) as temporary:
            save_file(plain, temporary, metadata={"key": text, "names": json.dumps(list(plain))})
    except (OSError, SafetensorError) as error:
        # What was computed is worth more than its copy on disk.
        _warn_of_disk(path, error)
        return None
    return path


def digest(parts: Iterable[str | bytes | NDArray]) -> str:
    """Hash content of any length for use in a key.

    Parameters
    ----------
    parts : iterable of str, bytes or ndarray
        The content. Where one part ends and the next begins matters, as do shape and dtype.

    Returns
    -------
    str
        32 hexadecimal digits.

    Examples
    --------
    >>> digest(["ab", "c"]) == digest(["a", "bc"])
    False
    """
    total = hashlib.sha256()
    for part in parts:
        if isinstance(part, np.ndarray):
            head, body = f"{part.dtype.str}{part.shape}", np.ascontiguousarray(part).tobytes()
        else:
            head, body = type(part).__name__, part.encode() if isinstance(part, str) else part
        total.update(f"{head}:{len(body)}:".encode())
        total.update(body)
    return total.hexdigest()[:32]


def _warn_of_disk(path: Path, error: Exception) -> None:
    """Say that something was not kept, and what to do."""
    reason = getattr(error, "strerror", None) or error
    warn(
        f"Features are not kept on disk: cannot write {path.parent} ({reason}). Make room, or set "
        "NEUROKIT_DATA to a folder that you may write to."
    )


def _place(key: Mapping[str, Any], folder: str | Path | None) -> tuple[Path, str]:
    """Return the file of a key, and the key as text."""
    try:
        text = json.dumps(dict(key), sort_keys=True, separators=(",", ":"), allow_nan=False)
    except (TypeError, ValueError) as error:
        raise DataError(
            f"Expected a key of text, numbers, None, lists and mappings; got {key!r} ({error})."
        ) from None
    name = hashlib.sha256(text.encode()).hexdigest()[:40]
    root = cache_folder() / "features" if folder is None else Path(folder)
    return root / name[:2] / f"{name}.safetensors", text
