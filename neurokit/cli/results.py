"""Saved results, opened for a report."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import xarray as xr

from neurokit.errors import ReadError

__all__ = ["open_results"]


def open_results(paths: Sequence[Path]) -> dict[str, xr.Dataset]:
    """Open saved encoding results.

    Parameters
    ----------
    paths : sequence of Path
        netCDF files that ``Dataset.to_netcdf`` wrote.

    Returns
    -------
    dict of str to xr.Dataset
        By file name.

    Raises
    ------
    ReadError
        If a file is missing or holds no score ``r`` over ``target``.
    """
    results = {}
    for path in paths:
        if not path.exists():
            raise ReadError(f"There is no file {path}.")
        try:
            result = xr.load_dataset(path, engine="h5netcdf")
        except Exception as error:
            raise ReadError(f"{path}: cannot be read as netCDF: {error}") from error
        if "r" not in result or "target" not in result.dims:
            raise ReadError(
                f"{path} holds {', '.join(map(str, result.data_vars))} over "
                f"{', '.join(map(str, result.dims))}; expected a score r over target, as "
                "nk.alignment.encode returns."
            )
        results[path.stem] = result
    return results
