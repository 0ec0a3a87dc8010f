"""What software a result or a model was made with."""

from __future__ import annotations

import os
import platform
import subprocess
from collections.abc import Iterable
from importlib import metadata
from pathlib import Path
from typing import Any

from neurokit import __version__

__all__ = ["cores", "revision", "versions"]

_GIT_SECONDS = 5.0


def versions(packages: Iterable[str]) -> dict[str, Any]:
    """Tell versions and platform, and nothing of the machine's name or folders.

    Parameters
    ----------
    packages : iterable of str
        Distributions whose versions matter; those not installed are left out.

    Returns
    -------
    dict
        ``neurokit``, ``revision`` (see :func:`revision`), ``python``, ``system`` and
        ``packages``, name to version.

    Examples
    --------
    >>> facts = versions(["numpy", "not-there"])
    >>> sorted(facts), list(facts["packages"])
    (['neurokit', 'packages', 'python', 'revision', 'system'], ['numpy'])
    """
    return {
        "neurokit": __version__,
        "revision": revision(),
        "python": f"{platform.python_implementation()} {platform.python_version()}",
        "system": f"{platform.system()} {platform.machine()}",
        "packages": {name: version for name in packages if (version := _version(name))},
    }


def revision() -> str | None:
    """Name the git revision of the checkout that is running.

    Returns
    -------
    str or None
        Twelve digits, with " (modified)" where files differ; None outside a checkout.

    Examples
    --------
    >>> len(revision() or "") in (0, 12, 23)
    True
    """
    root = Path(__file__).resolve().parents[1]
    # An installed package inside somebody's repository must not claim their revision.
    if not (root / ".git").exists():
        return None
    commit = _git(root, "rev-parse", "--short=12", "HEAD")
    changed = commit and _git(root, "status", "--porcelain", "--untracked-files=no")
    return (f"{commit} (modified)" if changed else commit) or None


def cores() -> int:
    """Count the cores that this process may use.

    Returns
    -------
    int
        At least 1; on a shared machine fewer than it has.

    Examples
    --------
    >>> cores() >= 1
    True
    """
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _version(name: str) -> str | None:
    """Return the version of a distribution, None where it is not installed."""
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return None


def _git(root: Path, *arguments: str) -> str:
    """Ask git; empty where it is missing, too slow or refuses."""
    try:
        done = subprocess.run(
            ["git", "-C", str(root), *arguments],
            capture_output=True, text=True, timeout=_GIT_SECONDS, check=False,
        )  # fmt: skip
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout.strip() if done.returncode == 0 else ""
