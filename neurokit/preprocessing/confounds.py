"""Nuisance regression and band-pass filtering of BOLD series, by nilearn."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import xarray as xr

from neurokit.errors import DataError
from neurokit.recording import Recording

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["clean_confounds"]

_BLOCK_BYTES = 256 * 2**20


def clean_confounds(
    rec: Recording,
    confounds: str | pd.DataFrame | np.ndarray | None = "confounds",
    *,
    variables: Sequence[str] | None = None,
    low_pass: float | None = None,
    high_pass: float | None = None,
    detrend: bool = True,
    sample_mask: np.ndarray | Sequence[int] | Sequence[bool] | None = None,
    standardize: bool = False,
    stream: str = "bold",
) -> Recording:
    """Remove confounds, trends and frequencies from a BOLD stream.

    The numbers are those of :func:`nilearn.signal.clean`: interpolation over censored
    volumes, detrending, Butterworth filter of series and confounds, regression on the
    filtered confounds [1]_.

    Parameters
    ----------
    rec : Recording
        With the stream to clean.
    confounds : str, pd.DataFrame, ndarray of shape (time, variable) or None
        Name of a stream, or one row a volume. Where a regressor begins with NaN, as
        framewise displacement and derivatives do, its first value is carried back; NaN
        anywhere else is an error.
    variables : sequence of str, optional
        Which regressors; by default all.
    low_pass, high_pass : float, optional
        Edges of the pass band in Hz.
    detrend : bool
        Remove a linear trend.
    sample_mask : array-like, optional
        Which volumes are good: booleans, one a volume, or indices. By default those that
        the stream of confounds names, as :func:`neurokit.datasets.fmri.read_fmriprep` lets
        it when it scrubs.
    standardize : bool
        Scale each series to unit sample variance over the good volumes.
    stream : str
        The stream to clean.

    Returns
    -------
    Recording
        Censored volumes at either end are cut off. Those in between stay, so that the clock
        stays true, but are interpolated; the coordinate ``kept`` is False there, and
        ``x[x["kept"].values]`` has exactly nilearn's rows.

    Raises
    ------
    DataError
        If lengths differ, confounds hold NaN, too few volumes are left, or the band is
        impossible.

    References
    ----------
    .. [1] Lindquist MA, et al. (2019). Modular preprocessing pipelines can reintroduce
       artifacts into fMRI data. Human Brain Mapping 40:2358-2376.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> motion = rng.normal(size=(100, 1))
    >>> rec = Recording.from_array(motion @ [[1.0, 2.0]] + 100, 0.5, stream="bold")
    >>> cleaned = clean_confounds(rec, motion)["bold"]
    >>> bool(abs(cleaned).max() < 1e-4)
    True
    """
    data = _series(rec, stream)
    n_volumes, rate = data.sizes["time"], float(data.attrs["sampling_rate"])
    _check_band(low_pass, high_pass, rate)
    regressors, names, carried = _regressors(rec, confounds, variables, data)
    kept = _kept(rec, confounds, sample_mask, data)
    _check_freedom(int(kept.sum()), 0 if regressors is None else regressors.shape[1])
    settings = {
        "detrend": detrend,
        "standardize": "zscore_sample" if standardize else None,
        "confounds": regressors,
        "low_pass": low_pass,
        "high_pass": high_pass,
        "t_r": 1.0 / rate,
        "filter": "butterworth" if low_pass or high_pass else False,
        "sample_mask": None if kept.all() else np.flatnonzero(kept),
    }
    cleaned = _clean(data.values, settings)
    out = _on_clock(data, cleaned, kept, "z" if standardize else data.attrs["units"])
    line = (
        f"clean_confounds({stream}: {len(names)} confounds, {high_pass or 0:g}–"
        f"{low_pass or rate / 2:g} Hz, detrend={detrend}, {n_volumes - int(kept.sum())} of "
        f"{n_volumes} volumes censored{carried})"
    )
    return rec.replace({**rec.streams, stream: out}, history=line)


def _series(rec: Recording, stream: str) -> xr.DataArray:
    data = rec[stream]
    if not isinstance(data, xr.DataArray) or data.dims[0] != "time" or data.ndim != 2:
        raise DataError(f"Expected {stream} with dims ('time', 'roi') or ('time', 'voxel').")
    return data


def _check_band(low_pass: float | None, high_pass: float | None, rate: float) -> None:
    edges = [edge for edge in (high_pass, low_pass) if edge is not None]
    possible = all(0 < edge < rate / 2 for edge in edges) and edges == sorted(set(edges))
    if not possible:
        raise DataError(
            f"Expected 0 < high_pass < low_pass < {rate / 2:g} Hz, half of the sampling rate; got "
            f"high_pass={high_pass}, low_pass={low_pass}. The pass band lies between the two."
        )


def _regressors(
    rec: Recording, confounds: Any, variables: Sequence[str] | None, data: xr.DataArray
) -> tuple[np.ndarray | None, list[str], str]:
    if confounds is None:
        return None, [], ""
    table = _table(rec, confounds, data)
    if variables is not None:
        missing = [v for v in variables if v not in table]
        if missing:
            raise DataError(f"The confounds have no {missing[:5]}. They have {list(table)[:20]}.")
        table = {v: table[v] for v in variables}
    if not table:
        raise DataError("There are no confounds to remove. Give confounds=None to remove none.")
    values = np.stack(list(table.values()), axis=1)
    if len(values) != data.sizes["time"]:
        raise DataError(
            f"The confounds have {len(values)} rows, {data.name} has {data.sizes['time']} volumes. "
            "Give those of this run, and crop both alike."
        )
    values, carried = _carry_back(values, list(table))
    return values, list(table), carried


def _table(rec: Recording, confounds: Any, data: xr.DataArray) -> dict[str, np.ndarray]:
    """Return the regressors by name, a stream's cut to the time of the series."""
    if isinstance(confounds, str):
        stream = _series(rec, confounds)
        time = data["time"].values
        slack = 0.25 / float(data.attrs["sampling_rate"])
        inside = (stream["time"] >= time[0] - slack) & (stream["time"] <= time[-1] + slack)
        stream = stream[inside.values]
        names = stream[stream.dims[1]].values.tolist()
        return dict(zip(names, stream.values.T.astype(np.float64), strict=True))
    if hasattr(confounds, "columns"):
        return {str(c): confounds[c].to_numpy(dtype=np.float64) for c in confounds.columns}
    values = np.asarray(confounds, dtype=np.float64)
    if values.ndim != 2:
        raise DataError(f"Expected confounds of shape (time, variable); got {values.shape}.")
    return {str(i): column for i, column in enumerate(values.T)}


def _carry_back(values: np.ndarray, names: list[str]) -> tuple[np.ndarray, str]:
    finite = np.isfinite(values)
    begins = np.argmax(finite, axis=0)
    after = np.arange(len(values))[:, None] >= begins
    bad = np.flatnonzero((after & ~finite).any(axis=0))
    if bad.size:
        column = int(bad[0])
        at = int(np.flatnonzero(after[:, column] & ~finite[:, column])[0])
        raise DataError(
            f"{bad.size} of {len(names)} confounds hold NaN or infinity after their beginning; the "
            f"first is {names[column]!r} in volume {at}. Interpolate it or leave it out with "
            "variables=[…]."
        )
    filled = np.where(finite, values, values[begins, np.arange(values.shape[1])])
    late = [names[i] for i in np.flatnonzero(begins > 0)]
    return filled, f", first value of {', '.join(late[:5])} carried back" if late else ""


def _kept(rec: Recording, confounds: Any, given: Any, data: xr.DataArray) -> np.ndarray:
    n_volumes = data.sizes["time"]
    if given is None and isinstance(confounds, str):
        stream = rec[confounds]
        if "sample_mask" in stream.attrs:
            marked = np.zeros(n_volumes, dtype=bool)
            # The mask counts volumes of the whole run; the series may have been cropped.
            volume = np.round(data["time"].values * data.attrs["sampling_rate"]).astype(int)
            marked[np.isin(volume, stream.attrs["sample_mask"])] = True
            return marked
    if given is None:
        return np.ones(n_volumes, dtype=bool)
    mask = np.asarray(given)
    if mask.dtype == bool:
        if mask.shape != (n_volumes,):
            raise DataError(f"The sample mask has shape {mask.shape} for {n_volumes} volumes.")
        return mask
    if mask.ndim != 1 or mask.dtype.kind not in "iu" or not mask.size:
        raise DataError("Expected sample_mask as booleans, one a volume, or as volume numbers.")
    if mask.min() < 0 or mask.max() >= n_volumes:
        raise DataError(
            f"The sample mask names volumes {mask.min()} to {mask.max()}; there are {n_volumes}, "
            "counted from 0."
        )
    return np.isin(np.arange(n_volumes), mask)


def _check_freedom(n_kept: int, n_confounds: int) -> None:
    if n_kept <= n_confounds + 1:
        raise DataError(
            f"{n_kept} volumes are left for {n_confounds} confounds, so nothing of the signal "
            "would be. Use fewer confounds or a more lenient sample mask."
        )


def _clean(values: np.ndarray, settings: dict[str, Any]) -> np.ndarray:
    """Clean columns block by block: each is independent, and nilearn makes several copies."""
    from nilearn.signal import clean

    step = max(1, _BLOCK_BYTES // (8 * len(values)))
    blocks = [
        clean(values[:, first : first + step].astype(np.float64), **settings)
        for first in range(0, values.shape[1], step)
    ]
    return np.concatenate(blocks, axis=1)


def _on_clock(
    data: xr.DataArray, cleaned: np.ndarray, kept: np.ndarray, units: str
) -> xr.DataArray:
    index = np.flatnonzero(kept)
    first, last = int(index[0]), int(index[-1]) + 1
    out = data.isel(time=slice(first, last))
    # nilearn drops the volumes before and after the good ones from the filter, too.
    filled = np.empty(out.shape, dtype=np.float32)
    inside = kept[first:last]
    filled[inside] = cleaned
    if not inside.all():
        filled[~inside] = _interpolated(cleaned, index - first, np.flatnonzero(~inside))
        out = out.assign_coords(kept=("time", inside))
    return out.copy(data=filled).assign_attrs(units=units)


def _interpolated(values: np.ndarray, known: np.ndarray, wanted: np.ndarray) -> np.ndarray:
    after = np.searchsorted(known, wanted)
    before = after - 1
    share = (wanted - known[before]) / (known[after] - known[before])
    return values[before] + share[:, None] * (values[after] - values[before])
