"""Where a result comes from: versions, revision, machine."""

from __future__ import annotations

import os
import platform
from datetime import datetime
from pathlib import Path
from typing import Any

from neurokit.environment import cores, versions

__all__ = ["provenance"]

_PACKAGES = (
    "numpy", "scipy", "pandas", "xarray", "scikit-learn", "statsmodels", "torch", "mne",
    "nibabel", "nilearn", "zarr", "matplotlib",
)  # fmt: skip


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
        **versions(_PACKAGES),
        "system": f"{platform.system()} {platform.release()} {platform.machine()}",
        "processor": _processor(),
        "cores": cores(),
        "memory": _memory(),
        "date": datetime.now().astimezone().isoformat(timespec="seconds"),
    }


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        lines = []
    models = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return models[0] if models else platform.processor() or platform.machine()


def _memory() -> float | None:
    try:
        size = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, ValueError, OSError):
        return None
    return round(size / 2**30, 1)
