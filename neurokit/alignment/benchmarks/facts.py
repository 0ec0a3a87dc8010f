"""What every score carries, so that it can be repeated: hashes, versions, revision, machine."""

from __future__ import annotations

import platform
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import numpy as np

from neurokit.alignment.features.cache import digest
from neurokit.environment import cores

if TYPE_CHECKING:
    from neurokit.datasets.assemblies import Assembly

__all__ = ["PACKAGES", "data_hash", "machine", "now"]

PACKAGES = ("neurokit-brain", "numpy", "scipy", "xarray", "scikit-learn", "torch", "transformers")


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
    n = cores()
    return f"{platform.system()} {platform.machine()}, {n} core{'' if n == 1 else 's'}"


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
