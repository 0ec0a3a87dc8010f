"""Names of BIDS files, taken apart."""

from __future__ import annotations

import re
from pathlib import Path

__all__ = ["META", "entities", "stem"]

#: What the entities that describe a recording are called in its ``meta``.
META = {"sub": "subject", "ses": "session", "task": "task", "run": "run", "space": "space"}
_ENTITY = re.compile(r"^([a-zA-Z]+)-([a-zA-Z0-9+]+)$")
_ENDINGS = (".nii", ".func", ".dtseries", ".ptseries")


def stem(path: Path) -> str:
    """Return a file's name without its endings.

    Parameters
    ----------
    path : Path
        Of an image or table.

    Returns
    -------
    str
        E.g. ``sub-1_task-rest_bold`` for ``sub-1_task-rest_bold.dtseries.nii``.

    Examples
    --------
    >>> stem(Path("func/sub-1_bold.nii.gz"))
    'sub-1_bold'
    """
    name = path.name.removesuffix(".gz")
    name = name[: -len(Path(name).suffix)] if Path(name).suffix else name
    for ending in _ENDINGS:
        name = name.removesuffix(ending)
    return name


def entities(path: Path) -> tuple[dict[str, str], str]:
    """Take a BIDS name apart.

    Parameters
    ----------
    path : Path
        Any file.

    Returns
    -------
    dict
        Entities, empty when the name is not of BIDS.
    str
        The suffix, e.g. ``bold``.

    Examples
    --------
    >>> entities(Path("sub-1_task-rest_bold.nii.gz"))
    ({'sub': '1', 'task': 'rest'}, 'bold')
    """
    *parts, suffix = stem(path).split("_")
    pairs = [(m[1], m[2]) for m in map(_ENTITY.match, parts) if m]
    return dict(pairs), suffix
