"""By what streams were scaled, so that new recordings can be, and values be read back."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import xarray as xr

from neurokit.recording import Recording

__all__ = ["scaled_by", "scalings"]


def scaled_by(mean: np.ndarray, deviation: np.ndarray, data: xr.DataArray) -> dict[str, Any]:
    """Return the attributes of a stream that was scaled: without them none can be scaled alike.

    Parameters
    ----------
    mean, deviation : ndarray
        Of each channel, or of all.
    data : DataArray
        As it was.

    Returns
    -------
    dict
        ``units``, and ``scaled`` with the names of the channels (none where all were scaled as
        one), ``mean``, ``deviation`` and the ``units`` of both.

    Examples
    --------
    >>> data = Recording.from_array(np.ones((3, 1)), 1, ["speed"], "behaviour", "cm/s")["behaviour"]
    >>> scaled_by(np.array([1.0]), np.array([0.5]), data)["scaled"]["mean"]
    [1.0]
    """
    names = list(map(str, data[data.dims[1]].values)) if mean.ndim else []
    scaled = {"names": names, "mean": mean.tolist(), "deviation": deviation.tolist()}
    return {"units": "z", "scaled": {**scaled, "units": str(data.attrs.get("units", ""))}}


def scalings(recordings: Sequence[Recording]) -> dict[str, list[dict[str, Any]]]:
    """Gather by what the streams of some recordings were scaled.

    Parameters
    ----------
    recordings : sequence of Recording
        All of a run.

    Returns
    -------
    dict of list
        By stream, each scaling once: one, or one a subject, which it then names.

    Examples
    --------
    >>> scalings([Recording.from_array(np.ones((3, 1)), 1, ["speed"], "behaviour", "cm/s")])
    {}
    """
    found: dict[str, list[dict[str, Any]]] = {}
    for rec in recordings:
        for name, stream in rec.streams.items():
            if "scaled" in stream.attrs:
                each = found.setdefault(name, [])
                known = [{k: v for k, v in one.items() if k != "subject"} for one in each]
                if stream.attrs["scaled"] not in known:
                    each.append({**stream.attrs["scaled"], "subject": rec.meta.get("subject")})
    return found
