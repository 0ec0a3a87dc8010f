"""Nuisance regression and band-pass filtering of BOLD series, by nilearn."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import xarray as xr

from neurokit.arguments import name_list, number, text
from neurokit.errors import DataError
from neurokit.preprocessing.streams import chosen_stream
from neurokit.recording import Recording
from neurokit.recording.clock import segments

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
        the coordinate ``kept`` of the confounds marks, as
        :func:`neurokit.datasets.fmri.read_fmriprep` sets it when it scrubs.
    standardize : bool
        Scale each series to unit sample variance over the good volumes.
    stream : str
        The stream to clean.

    Returns
    -------
    Recording
        Runs that an event ``boundary`` or a gap separates are cleaned each by itself. Censored
        volumes at either end are cut off. Those in between stay, so that the clock
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
    data = rec[chosen_stream(rec, text("stream", stream))]
    n_volumes, rate = data.sizes["time"], float(data.attrs["sampling_rate"])
    _check_band(low_pass, high_pass, rate)
    runs = segments(rec, stream)
    regressors, names, carried = _regressors(rec, confounds, variables, data, runs)
    kept = _kept(rec, confounds, sample_mask, data)
    settings = {
        "detrend": detrend,
        "standardize": "zscore_sample" if standardize else None,
        "low_pass": low_pass,
        "high_pass": high_pass,
        "t_r": 1.0 / rate,
        "filter": "butterworth" if low_pass or high_pass else False,
    }
    parts = [_clean(data.values, run, regressors, kept, settings) for run in runs]
    cleaned = np.concatenate(parts)
    out = _on_clock(data, cleaned, kept, "z" if standardize else data.attrs["units"])
    line = (
        f"clean_confounds({stream}: {len(names)} confounds, {high_pass or 0:g}–"
        f"{low_pass or rate / 2:g} Hz, detrend={detrend}, {n_volumes - int(kept.sum())} of "
        f"{n_volumes} volumes censored{carried})"
    )
    return rec.replace({**rec.streams, stream: out}, history=line)


def _check_band(low_pass: float | None, high_pass: float | None, rate: float) -> None:
    given = {"high_pass (Hz)": high_pass, "low_pass (Hz)": low_pass}
    edges = [number(key, edge) for key, edge in given.items() if edge is not None]
    possible = all(0 < edge < rate / 2 for edge in edges) and edges == sorted(set(edges))
    if not possible:
        raise DataError(
            f"Expected 0 < high_pass < low_pass < {rate / 2:g} Hz, half of the sampling rate; got "
            f"high_pass={high_pass}, low_pass={low_pass}. The pass band lies between the two."
        )


def _regressors(
    rec: Recording,
    confounds: Any,
    variables: Sequence[str] | None,
    data: xr.DataArray,
    runs: Sequence[slice],
) -> tuple[np.ndarray | None, list[str], str]:
    if confounds is None:
        return None, [], ""
    table = _table(rec, confounds, data)
    if variables is not None:
        variables = name_list("variables", variables)
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
    filled, late = zip(*(_carry_back(values[r], list(table), r.start) for r in runs), strict=True)
    carried = list(dict.fromkeys(itertools.chain(*late)))
    line = f", first value of {', '.join(carried[:5])} carried back" if carried else ""
    return np.concatenate(filled), list(table), line


def _table(rec: Recording, confounds: Any, data: xr.DataArray) -> dict[str, np.ndarray]:
    """Return the regressors by name, a stream's cut to the time of the series."""
    if isinstance(confounds, str):
        stream = _of_the_same_time(rec, confounds, data)
        names = stream[stream.dims[1]].values.tolist()
        return dict(zip(names, stream.values.T.astype(np.float64), strict=True))
    if hasattr(confounds, "columns"):
        return {str(c): confounds[c].to_numpy(dtype=np.float64) for c in confounds.columns}
    try:
        values = np.asarray(confounds, dtype=np.float64)
    except (TypeError, ValueError):
        raise DataError(
            f"confounds is a {type(confounds).__name__}, expected the name of a stream, a table, "
            "numbers of shape (time, variable), or None."
        ) from None
    if values.ndim != 2:
        raise DataError(f"Expected confounds of shape (time, variable); got {values.shape}.")
    return {str(i): column for i, column in enumerate(values.T)}


def _of_the_same_time(rec: Recording, confounds: str, data: xr.DataArray) -> xr.DataArray:
    stream = rec[chosen_stream(rec, confounds)]
    time = data["time"].values
    margin = 0.25 / float(data.attrs["sampling_rate"])
    inside = (stream["time"] >= time[0] - margin) & (stream["time"] <= time[-1] + margin)
    return stream[inside.values]


def _carry_back(values: np.ndarray, names: list[str], first: int) -> tuple[np.ndarray, list[str]]:
    finite = np.isfinite(values)
    begins = np.argmax(finite, axis=0)
    after = np.arange(len(values))[:, None] >= begins
    bad = np.flatnonzero((after & ~finite).any(axis=0))
    if bad.size:
        column = int(bad[0])
        at = int(np.flatnonzero(after[:, column] & ~finite[:, column])[0])
        raise DataError(
            f"{bad.size} of {len(names)} confounds hold NaN or infinity after their beginning; the "
            f"first is {names[column]!r} in volume {first + at}. Interpolate it or leave it out "
            "with variables=[…]."
        )
    filled = np.where(finite, values, values[begins, np.arange(values.shape[1])])
    return filled, [names[i] for i in np.flatnonzero(begins > 0)]


def _kept(rec: Recording, confounds: Any, given: Any, data: xr.DataArray) -> np.ndarray:
    n_volumes = data.sizes["time"]
    if given is None and isinstance(confounds, str):
        stream = _of_the_same_time(rec, confounds, data)
        if "kept" in stream.coords:
            return stream["kept"].values.astype(bool)
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


def _clean(
    values: np.ndarray,
    piece: slice,
    regressors: np.ndarray | None,
    kept: np.ndarray,
    settings: dict[str, Any],
) -> np.ndarray:
    """Clean one run's columns block by block, as nilearn makes several copies."""
    from nilearn.signal import clean

    kept = kept[piece]
    _check_freedom(int(kept.sum()), 0 if regressors is None else regressors.shape[1])
    own = {
        "confounds": None if regressors is None else regressors[piece],
        "sample_mask": None if kept.all() else np.flatnonzero(kept),
    }
    step = max(1, _BLOCK_BYTES // (8 * kept.size))
    blocks = [
        clean(values[piece, first : first + step].astype(np.float64), **settings, **own)
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
