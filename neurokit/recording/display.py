"""How a recording shows itself, in a terminal and in a notebook."""

from __future__ import annotations

import html as _html
from typing import TYPE_CHECKING

import xarray as xr

if TYPE_CHECKING:
    from neurokit.recording.core import Recording

__all__ = ["html", "summary"]


def summary(recording: Recording) -> str:
    """Return one line: interval, streams with shape and unit, events.

    Parameters
    ----------
    recording : Recording
        What to describe.

    Returns
    -------
    str
        The line.
    """
    streams = ", ".join(f"{name} ({_shape(s)})" for name, s in recording.streams.items())
    n = len(recording.events)
    return (
        f"<Recording {recording.start:g}–{recording.stop:g} s: {streams}; "
        f"{n} event{'' if n == 1 else 's'}>"
    )


def html(recording: Recording) -> str:
    """Return an HTML summary: facts, a table of streams, a table of events, the history.

    Parameters
    ----------
    recording : Recording
        What to describe.

    Returns
    -------
    str
        Self-contained HTML; all text that came from files is escaped.
    """
    facts = " · ".join(
        f"<b>{_html.escape(k)}</b> {_html.escape(str(v))}"
        for k, v in recording.meta.items()
        if k in ("subject", "session", "task", "run", "source", "licence") and v
    )
    rows = "".join(
        f"<tr><td><b>{_html.escape(name)}</b></td><td>{_html.escape(_shape(s))}</td>"
        f"<td>{_html.escape(_coords(s))}</td></tr>"
        for name, s in recording.streams.items()
    )
    counts = recording.events["trial_type"].fillna("n/a").value_counts()
    events = ", ".join(f"{_html.escape(str(k))} ×{v}" for k, v in counts.head(12).items()) or "none"
    more = f" and {len(counts) - 12} more types" if len(counts) > 12 else ""
    steps = "".join(f"<li>{_html.escape(str(line))}</li>" for line in recording.meta["history"])
    n = len(recording.meta["history"])
    history = f"<details><summary>{n} steps</summary><ol>{steps}</ol></details>"
    return (
        '<div style="font-family:system-ui,sans-serif;font-size:13px;line-height:1.5">'
        f"<div><b>Recording</b> {recording.start:g}–{recording.stop:g} s</div><div>{facts}</div>"
        f'<table style="border-collapse:collapse;text-align:left"><tr><th>stream</th><th>shape</th>'
        f"<th>coordinates</th></tr>{rows}</table>"
        f"<div><b>events</b> {events}{more}</div>{history if steps else ''}</div>"
    )


def _shape(stream: xr.DataArray | xr.Dataset) -> str:
    if isinstance(stream, xr.Dataset):
        return f"{stream.sizes['spike']} spikes of {stream.sizes['unit']} units"
    sizes = " × ".join(f"{n} {d}" for d, n in stream.sizes.items())
    rate = stream.attrs.get("sampling_rate")
    return ", ".join([sizes, *([f"{rate:g} Hz"] if rate else []), stream.attrs["units"]])


def _coords(stream: xr.DataArray | xr.Dataset) -> str:
    return ", ".join(str(c) for c in stream.coords if c not in ("time", "unit")) or "–"
