"""What every score carries, so that it can be repeated: hashes, versions, revision, machine."""

from __future__ import annotations

import os
import platform
import subprocess
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from neurokit.alignment.features.cache import digest

if TYPE_CHECKING:
    from neurokit.datasets.assemblies import Assembly

__all__ = ["data_hash", "machine", "now", "revision", "versions"]

_PACKAGES = ("neurokit-brain", "numpy", "scipy", "xarray", "scikit-learn", "torch", "transformers")


def versions() -> str:
    """Name the packages that a score depends on.

    Returns
    -------
    str
        Names and versions, those installed.

    Examples
    --------
    >>> "numpy" in versions()
    True
    """
    found = []
    for name in _PACKAGES:
        try:
            found.append(f"{name} {metadata.version(name)}")
        except metadata.PackageNotFoundError:
            continue
    return ", ".join(found)


def revision() -> str:
    """Name the git revision of a checkout.

    Returns
    -------
    str
        Twelve digits, with " (modified)" where files differ; empty outside a checkout.

    Examples
    --------
    >>> len(revision()) in (0, 12, 23)
    True
    """
    root = Path(__file__).resolve().parents[3]
    # An installed package inside somebody's repository must not claim their revision.
    if not (root / ".git").exists():
        return ""
    commit = _git(root, "rev-parse", "--short=12", "HEAD")
    changed = commit and _git(root, "status", "--porcelain", "--untracked-files=no")
    return f"{commit} (modified)" if changed else commit


def machine() -> str:
    """Say what the numbers were computed on.

    Returns
    -------
    str
        System, architecture, cores that this process may use.

    Examples
    --------
    >>> machine().endswith(("core", "cores"))
    True
    """
    usable = getattr(os, "sched_getaffinity", None)
    cores = len(usable(0)) if usable else os.cpu_count() or 1
    return f"{platform.system()} {platform.machine()}, {cores} core{'' if cores == 1 else 's'}"


def data_hash(assembly: Assembly) -> str:
    """Hash what was measured and what was shown.

    Parameters
    ----------
    assembly : Assembly
        The data.

    Returns
    -------
    str
        32 hexadecimal digits; the same wherever the files lie.
    """
    parts: list[str | np.ndarray] = ["\n".join(assembly.stimuli.index)]
    for column in ("text", "category"):
        if column in assembly.stimuli:
            parts.append("\n".join(assembly.stimuli[column].astype(str)))
    if assembly.responses is not None:
        parts += [np.asarray(assembly.responses.values)]
        parts += ["\n".join(assembly.responses["stimulus_id"].values.tolist())]
    for more in (assembly.rdms, assembly.triplets):
        parts += [] if more is None else [np.asarray(more)]
    return digest(parts)


def now() -> str:
    """Return the time in UTC, ISO 8601, to the second.

    Returns
    -------
    str
        Such as ``"2026-01-31T12:00:00+00:00"``.

    Examples
    --------
    >>> now()[10]
    'T'
    """
    return datetime.now(UTC).isoformat(timespec="seconds")


def _git(root: Path, *arguments: str) -> str:
    try:
        done = subprocess.run(
            ["git", "-C", str(root), *arguments],
            capture_output=True, text=True, timeout=5, check=False,
        )  # fmt: skip
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout.strip() if done.returncode == 0 else ""
