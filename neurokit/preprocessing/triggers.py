"""Events from the codes on a trigger channel."""

from __future__ import annotations

import numpy as np
import pandas as pd

from neurokit.arguments import text, whole
from neurokit.errors import DataError, UnknownNameError
from neurokit.preprocessing.streams import chosen_stream
from neurokit.recording import Recording

__all__ = ["events_from_triggers"]


def events_from_triggers(
    rec: Recording, channel: str | None = None, mask: int | None = None, stream: str = "triggers"
) -> Recording:
    """Turn the codes of a trigger channel into events.

    Parameters
    ----------
    rec : Recording
        With stream ``triggers``, as FIF, BDF and CNT files have it.
    channel : str, optional
        By default the only one, or the first whose codes change.
    mask : int, optional
        Bits of the code that count, e.g. ``0xFFFF`` for BioSemi, whose upper bits tell the
        amplifier's state.
    stream : str
        Where the codes are.

    Returns
    -------
    Recording
        With an event at each sample where the code changes to another than 0, added to the
        events that were there: ``trial_type`` is the code as text, ``value`` the number, and
        ``duration`` (s) how long it stays.

    Raises
    ------
    DataError
        If the codes are no whole numbers, or never change.
    UnknownNameError
        If there is no such stream or channel.

    Examples
    --------
    >>> import numpy as np
    >>> codes = np.zeros((50, 1))
    >>> codes[20:25] = 3
    >>> rec = Recording.from_array(codes, 10.0, ["STI"], stream="triggers")
    >>> events_from_triggers(rec).events[["onset", "duration", "trial_type"]].values.tolist()
    [[2.0, 0.5, '3']]
    """
    data = rec[chosen_stream(rec, text("stream", stream))]
    names = [str(n) for n in data[data.dims[1]].values]
    if channel is not None and text("channel", channel) not in names:
        raise UnknownNameError("trigger channel", channel, names)
    values = data.values
    moving = [i for i in range(len(names)) if (values[:, i] != values[0, i]).any()]
    column = names.index(channel) if channel is not None else (moving or [0])[0]
    codes = np.rint(values[:, column]).astype(np.int64)
    if not np.array_equal(codes, values[:, column]):
        raise DataError(f"Channel {names[column]!r} holds no whole numbers, so no trigger codes.")
    codes = codes if mask is None else codes & whole("mask", mask, 1)
    edges = np.flatnonzero(np.diff(codes)) + 1
    bounds = np.append(edges, codes.size)
    starts = np.flatnonzero(codes[edges] != 0)
    if not starts.size:
        raise DataError(f"The codes of {names[column]!r} never change to anything but 0.")
    value = codes[edges[starts]]
    new = pd.DataFrame(
        {
            "onset": data["time"].values[edges[starts]],
            "duration": (bounds[starts + 1] - bounds[starts]) / data.attrs["sampling_rate"],
            "trial_type": [str(v) for v in value],
            "value": value,
        }
    )
    tables = [t for t in (rec.events, new) if len(t)]
    step = f"events_from_triggers({names[column]}): {len(new)} events"
    return rec.replace(events=pd.concat(tables, ignore_index=True), history=step)
