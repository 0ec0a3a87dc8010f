"""A recording as a picture: one panel a stream, on one time axis."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import xarray as xr

from neurokit.errors import DataError
from neurokit.recording.selection import span

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from neurokit.recording.core import Recording

__all__ = ["draw"]

_MAX_TRACES = 20
_DEFAULT_SECONDS = 10.0
# Slow recordings have nothing to show in ten seconds; this many samples fill a panel.
_MIN_SAMPLES = 200


def draw(recording: Recording, time: slice | None) -> Figure:
    """Draw every stream with a clock, and the events.

    Parameters
    ----------
    recording : Recording
        What to draw.
    time : slice or None
        Seconds; by default ten, or as many as 200 samples of the slowest stream take.

    Returns
    -------
    matplotlib.figure.Figure
        Traces for channels, a carpet for regions and voxels, a raster for spikes.

    Raises
    ------
    DataError
        If nothing in the recording has a clock.
    """
    import matplotlib.pyplot as plt

    timed = {n: s for n, s in recording.streams.items() if span(s) is not None}
    if not timed:
        raise DataError("Nothing to draw on a time axis: no stream of this recording has a clock.")
    shown = recording.sel(time=_first_seconds(timed) if time is None else time)
    panels = {n: s for n, s in shown.streams.items() if n in timed}
    figure, axes = plt.subplots(
        len(panels),
        1,
        sharex=True,
        squeeze=False,
        figsize=(9, 2.4 * len(panels) + 0.6),
        layout="constrained",
    )
    for axis, (name, stream) in zip(axes[:, 0], panels.items(), strict=True):
        _panel(axis, name, stream)
        for onset in shown.events["onset"]:
            axis.axvline(onset, color="0.6", lw=0.6, zorder=0)
    axes[-1, 0].set_xlabel("time (s)")
    return figure


def _first_seconds(timed: dict[str, xr.DataArray | xr.Dataset]) -> slice:
    spans = [span(s) or (0.0, 0.0) for s in timed.values()]
    rates = [s.attrs["sampling_rate"] for s in timed.values() if isinstance(s, xr.DataArray)]
    length = max([_DEFAULT_SECONDS, *(_MIN_SAMPLES / r for r in rates)])
    # Begin where most streams have data: the latest start.
    start = max(s for s, _ in spans)
    return slice(start, min(start + length, max(e for _, e in spans)))


def _panel(axis: Axes, name: str, stream: xr.DataArray | xr.Dataset) -> None:
    if isinstance(stream, xr.Dataset):
        axis.plot(stream["time"], stream["unit"], "|", ms=4, mew=0.6, color="k")
        axis.set_ylabel(f"{name}\nunit")
    elif stream.ndim > 2:
        axis.plot(stream["time"], stream.values.reshape(stream.shape[0], -1).mean(1), lw=0.7)
        axis.set_ylabel(f"{name}\nmean ({stream.attrs['units']})")
    elif stream.dims[1] in ("roi", "voxel"):
        _carpet(axis, name, stream)
    else:
        _traces(axis, name, stream)


def _carpet(axis: Axes, name: str, stream: xr.DataArray) -> None:
    values = stream.values - stream.values.mean(0)
    values /= np.maximum(values.std(0), np.finfo(np.float32).tiny)
    start, stop = span(stream) or (0.0, 0.0)
    axis.imshow(
        values.T,
        aspect="auto",
        cmap="gray",
        vmin=-2,
        vmax=2,
        interpolation="nearest",
        extent=(start, stop, stream.shape[1], 0),
    )
    axis.set_ylabel(f"{name}\n{stream.dims[1]}")


def _traces(axis: Axes, name: str, stream: xr.DataArray) -> None:
    shown = stream[:, :_MAX_TRACES]
    values = shown.values - np.nanmedian(shown.values, axis=0)
    scales = np.nanpercentile(np.abs(values), 95, axis=0)
    # Behaviour mixes units, so each variable gets its own scale; channels share one.
    step = (
        np.where(scales > 0, scales, 1.0)
        if stream.dims[1] == "variable"
        else np.full(values.shape[1], float(np.max(scales, initial=0)) or 1.0)
    )
    offsets = -2.0 * np.arange(values.shape[1])
    axis.plot(shown["time"], values / step + offsets, lw=0.6, color="k")
    axis.set_yticks(offsets, shown[shown.dims[1]].values, fontsize=6)
    axis.set_ylabel(f"{name}\n({stream.attrs['units']})")
    if stream.shape[1] > _MAX_TRACES:
        axis.set_title(f"first {_MAX_TRACES} of {stream.shape[1]}", fontsize=8, loc="right")
