"""Where a result comes from: versions, revision, machine."""

from __future__ import annotations

import os
import platform
import subprocess
from datetime import datetime
from importlib import metadata
from pathlib import Path
from typing import Any

import neurokit

__all__ = ["provenance"]

_PACKAGES = (
    "numpy", "scipy", "pandas", "xarray", "scikit-learn", "statsmodels", "torch", "mne",
    "nibabel", "nilearn", "zarr", "matplotlib",
)  # fmt: skip
_GIT_SECONDS = 5.0


def provenance() -> dict[str, Any]:
    """Tell what made a result, without loading any of it.

    Returns
    -------
    dict
        ``neurokit`` version; git ``revision`` with " (modified)" where the checkout differs
        from it, None outside a checkout; ``python``; ``system``; ``processor``; ``cores``
        that this process may use; ``memory`` in GiB, None where it cannot be told;
        ``packages``, name to version, without those not installed; ``date``, local, ISO 8601.

    Examples
    --------
    >>> facts = provenance()
    >>> facts["cores"] >= 1, "numpy" in facts["packages"]
    (True, True)
    """
    return {
        "neurokit": neurokit.__version__,
        "revision": _revision(Path(__file__).resolve().parents[2]),
        "python": f"{platform.python_implementation()} {platform.python_version()}",
        "system": f"{platform.system()} {platform.release()} {platform.machine()}",
        "processor": _processor(),
        "cores": _cores(),
        "memory": _memory(),
        "packages": {name: version for name in _PACKAGES if (version := _version(name))},
        "date": datetime.now().astimezone().isoformat(timespec="seconds"),
    }


def _version(name: str) -> str | None:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return None


def _revision(root: Path) -> str | None:
    # An installed package inside somebody's repository must not claim their revision.
    if not (root / ".git").exists():
        return None
    commit = _git(root, "rev-parse", "--short=12", "HEAD")
    if not commit:
        return None
    changed = _git(root, "status", "--porcelain", "--untracked-files=no")
    return f"{commit} (modified)" if changed else commit


def _git(root: Path, *arguments: str) -> str:
    try:
        done = subprocess.run(
            ["git", "-C", str(root), *arguments],
            capture_output=True, text=True, timeout=_GIT_SECONDS, check=False,
        )  # fmt: skip
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout.strip() if done.returncode == 0 else ""


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        lines = []
    models = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return models[0] if models else platform.processor() or platform.machine()


def _cores() -> int:
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _memory() -> float | None:
    try:
        size = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, ValueError, OSError):
        return None
    return round(size / 2**30, 1)
