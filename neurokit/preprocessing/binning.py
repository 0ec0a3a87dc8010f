"""Spikes to counts per bin."""

from __future__ import annotations

import numpy as np
import xarray as xr

from neurokit.arguments import instance, number, positive, text
from neurokit.errors import DataError
from neurokit.recording.core import Recording

__all__ = ["bin_spikes"]

# Bins are meant to divide the recording: 600 s / 0.1 s is 6,000 bins though the quotient
# of the rounded numbers may lie a hair below.
_TOLERANCE = 1e-6
_MAX_BINS = 2**31


def bin_spikes(
    rec: Recording,
    bin_size: float,
    *,
    start: float | None = None,
    stop: float | None = None,
    stream: str = "counts",
) -> Recording:
    """Count the spikes of each unit in successive bins.

    A bin is half open: a spike on an edge counts in the bin that begins there. Only whole
    bins are made; spikes after the last whole bin, as those outside of ``[start, stop)``,
    are not counted. A spike at the very end of the last bin is, as in ``numpy.histogram``.

    Parameters
    ----------
    rec : Recording
        With stream ``spikes``.
    bin_size : float
        In seconds.
    start, stop : float, optional
        Interval in seconds; by default the whole that the spikes were recorded in.
    stream : str
        Name of the new stream.

    Returns
    -------
    Recording
        With a stream over ``(time, unit)``: counts at ``time``, the beginning of each bin,
        with the units' ids and facts; ``sampling_rate`` is ``1 / bin_size``.

    Raises
    ------
    DataError
        If there are no spikes, the bin size is not positive, or no whole bin fits.

    Examples
    --------
    >>> rec = Recording.from_spikes([0.1, 0.2, 0.7], [3, 3, 8], duration=1.0)
    >>> bin_spikes(rec, 0.5)["counts"].values.tolist()
    [[2.0, 0.0], [0.0, 1.0]]
    """
    instance("The recording", rec, Recording, "a neurokit Recording")
    bin_size = positive("bin_size (s)", bin_size)
    text("stream", stream)
    if "spikes" not in rec:
        raise DataError(f"There are no spikes to bin; the streams are {sorted(rec.streams)}.")
    spikes = rec["spikes"]
    low = float(spikes.attrs["start"]) if start is None else number("start (s)", start)
    high = float(spikes.attrs["stop"]) if stop is None else number("stop (s)", stop)
    edges = _edges(low, high, bin_size, spikes.sizes["unit"])
    counts = _count(spikes["time"].values, spikes["unit"].values, edges, spikes.sizes["unit"])
    facts = {k: v for k, v in spikes.coords.items() if v.dims == ("unit",) and k != "id"}
    data = xr.DataArray(
        counts,
        dims=("time", "unit"),
        coords={"time": edges[:-1], "unit": spikes["id"].values, **facts},
        attrs={"sampling_rate": 1 / bin_size, "units": "count"},
    )
    note = f"bin_spikes(bin_size={bin_size:g}, start={low:g}, stop={high:g}, stream={stream!r})"
    return rec.replace(streams={**rec.streams, stream: data}, history=note)


def _edges(low: float, high: float, bin_size: float, n_units: int) -> np.ndarray:
    whole = np.floor((high - low) / bin_size * (1 + 1e-12) + _TOLERANCE)
    if whole < 1:
        raise DataError(
            f"No bin of {bin_size:g} s fits into [{low:g}, {high:g}] s. Is the bin size in seconds?"
        )
    if whole * max(n_units, 1) > _MAX_BINS:
        raise DataError(
            f"{whole:.0f} bins of {bin_size:g} s for {n_units} units are too many for memory. "
            "Take larger bins, or a shorter interval with start and stop."
        )
    return low + np.arange(int(whole) + 1) * bin_size


def _count(time: np.ndarray, unit: np.ndarray, edges: np.ndarray, n_units: int) -> np.ndarray:
    """Count by one bincount over the flat index of (bin, unit); times are sorted."""
    n_bins = edges.size - 1
    first, last = np.searchsorted(time, edges[[0, -1]], side="left")
    last = np.searchsorted(time, edges[-1], side="right")
    time, unit = time[first:last], unit[first:last]
    bins = ((time - edges[0]) * (n_bins / (edges[-1] - edges[0]))).astype(np.int64)
    np.clip(bins, 0, n_bins - 1, out=bins)
    # The product is rounded; the edges decide.
    bins -= time < edges[bins]
    bins += (time >= edges[bins + 1]) & (bins < n_bins - 1)
    flat = bins * n_units + unit
    return np.bincount(flat, minlength=n_bins * n_units).reshape(n_bins, n_units).astype(np.float32)
