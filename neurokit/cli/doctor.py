"""``neurokit doctor``: whether this installation is able to do its work."""

from __future__ import annotations

import importlib
import importlib.metadata
import os
import shutil
from collections.abc import Callable

import typer

__all__ = ["examine"]

_CORE = ("torch", "numpy", "scipy", "xarray", "mne", "nilearn", "nibabel", "sklearn", "zarr")
_EXTRAS = {"pynwb": "nwb", "pynapple": "nwb", "neo": "nwb", "transformers": "alignment"}
_MIN_FREE_GB = 2.0


def examine() -> int:
    """Print one line a check and return the number of problems.

    Returns
    -------
    int
        0 when everything that the core needs is in order; it is the exit status.
    """
    checks: list[tuple[str, Callable[[], str]]] = [
        ("packages", _packages),
        ("extras", _extras),
        ("devices", _devices),
        ("cache", _cache),
        ("catalogue", _catalogue),
        ("recordings", _recordings),
    ]
    problems = 0
    for name, check in checks:
        try:
            said, sign = check(), "ok"
        except Exception as error:  # A broken part must not hide the state of the others.
            said, sign = f"{type(error).__name__}: {error}", "PROBLEM"
            problems += 1
        typer.echo(f"{sign:<8}{name:<12}{said}")
    return min(problems, 1)


def _packages() -> str:
    versions = []
    for name in _CORE:
        module = importlib.import_module(name)
        versions.append(f"{name} {module.__version__}")
    return ", ".join(versions)


def _extras() -> str:
    found, missing = [], set()
    for package, extra in _EXTRAS.items():
        try:
            found.append(f"{package} {importlib.metadata.version(package)}")
        except importlib.metadata.PackageNotFoundError:
            missing.add(extra)
    hint = (
        f"; for more: pip install 'neurokit-brain[{','.join(sorted(missing))}]'" if missing else ""
    )
    return (", ".join(found) or "none installed") + hint


def _devices() -> str:
    import torch

    devices = [f"cpu ({os.cpu_count()} cores, {torch.get_num_threads()} threads)"]
    if torch.cuda.is_available():
        devices += [torch.cuda.get_device_name(i) for i in range(torch.cuda.device_count())]
    if torch.backends.mps.is_available():
        devices.append("mps")
    return ", ".join(devices)


def _cache() -> str:
    from neurokit.datasets.cache import cache_folder

    folder = cache_folder()
    existing = next(p for p in (folder, *folder.parents) if p.exists())
    if not os.access(existing, os.W_OK):
        raise PermissionError(f"{folder} is not writable; set NEUROKIT_DATA to a folder that is")
    free = shutil.disk_usage(existing).free / 1e9
    if free < _MIN_FREE_GB:
        raise OSError(f"{folder}: only {free:.1f} GB free; set NEUROKIT_DATA to a larger disk")
    return f"{folder} ({free:.0f} GB free)"


def _catalogue() -> str:
    from neurokit import catalog

    names = catalog.names("datasets")
    for name in names:
        catalog.card(name)
    return f"{len(names)} data sets, all valid"


def _recordings() -> str:
    from neurokit import catalog, datasets

    shipped = [n for n in catalog.names("datasets") if catalog.card(n).ship]
    for name in shipped:
        datasets.load(name)
    return f"{len(shipped)} embedded, all read: {', '.join(shipped)}"
