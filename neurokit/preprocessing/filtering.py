"""Band-pass and notch filters, never across a boundary."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

import numpy as np
import xarray as xr

from neurokit.arguments import known, number, positive, whole
from neurokit.errors import DataError
from neurokit.preprocessing.streams import chosen_stream, finite_columns
from neurokit.recording import Recording
from neurokit.recording.clock import segments
from neurokit.warning import warn

__all__ = ["filter", "notch"]

_BLOCK_BYTES = 128 * 2**20


def filter(
    rec: Recording,
    low: float | None = None,
    high: float | None = None,
    stream: str | None = None,
    *,
    method: Literal["fir", "iir"] = "fir",
) -> Recording:
    """Keep the frequencies between two borders, without shifting phases.

    Parameters
    ----------
    rec : Recording
        With a continuous, evenly sampled stream.
    low, high : float, optional
        Pass-band borders in Hz: ``low`` alone is a high-pass, ``high`` alone a low-pass.
    stream : str, optional
        By default the brain stream.
    method : {"fir", "iir"}
        MNE's zero-phase windowed-sinc filter with automatic transition bands, or a
        fourth-order Butterworth run forwards and backwards, which needs less signal.

    Returns
    -------
    Recording
        Pieces that an event ``boundary`` or a gap separates are filtered each by itself. Bad
        channels that hold NaN are NaN throughout. Attrs ``highpass`` and ``lowpass`` are
        updated.

    Raises
    ------
    DataError
        If no border is given, they are reversed, or one is not below the Nyquist frequency.
    UnknownNameError
        If there is no such stream.

    Examples
    --------
    >>> import numpy as np
    >>> x = 1e-5 * np.random.default_rng(0).normal(size=(2000, 2))
    >>> rec = filter(Recording.from_array(x, 100.0), 1.0, 30.0)
    >>> rec["eeg"].attrs["highpass"], rec.meta["history"]
    (1.0, ['filter(low=1, high=30, stream=eeg, method=fir)'])
    """
    import mne

    name = chosen_stream(rec, stream)
    rate = rec[name].attrs["sampling_rate"]
    _check_borders(low, high, rate)
    known("method", method, ("fir", "iir"))
    taps = 0
    if method == "fir":
        taps = mne.filter.create_filter(None, rate, low, high, verbose="ERROR").size

    def run(block: np.ndarray) -> np.ndarray:
        out = mne.filter.filter_data(
            block, rate, low, high, method=method, copy=False, verbose="ERROR"
        )
        return np.asarray(out)

    advice = "Filter longer pieces, or use method='iir' or a higher low."
    filtered = _by_segment(rec, name, run, taps, advice)
    attrs = filtered.attrs
    if low is not None:
        attrs["highpass"] = max(float(low), attrs.get("highpass", 0.0))
    if high is not None:
        attrs["lowpass"] = min(float(high), attrs.get("lowpass", np.inf))
    step = f"filter(low={_hz(low)}, high={_hz(high)}, stream={name}, method={method})"
    return rec.replace({**rec.streams, name: filtered}, history=step)


def notch(
    rec: Recording,
    frequency: float | None = None,
    harmonics: int | None = None,
    stream: str | None = None,
) -> Recording:
    """Take out the power line and its harmonics.

    Parameters
    ----------
    rec : Recording
        With a continuous, evenly sampled stream.
    frequency : float, optional
        In Hz; by default the stream's attr ``line_frequency``.
    harmonics : int, optional
        How many multiples, the line itself included. By default all that lie below the
        Nyquist frequency and below the stream's ``lowpass``.
    stream : str, optional
        By default the brain stream.

    Returns
    -------
    Recording
        Filtered by a zero-phase FIR filter with notches of 1/200 of their frequency.

    Raises
    ------
    DataError
        If the line frequency is not known, or not below the Nyquist frequency.
    UnknownNameError
        If there is no such stream.

    Examples
    --------
    >>> import numpy as np
    >>> x = 1e-5 * np.random.default_rng(0).normal(size=(4000, 2))
    >>> notch(Recording.from_array(x, 250.0), 50.0).meta["history"]
    ['notch(frequencies=[50, 100], stream=eeg)']
    """
    import mne

    name = chosen_stream(rec, stream)
    attrs = rec[name].attrs
    rate = attrs["sampling_rate"]
    line = attrs.get("line_frequency") if frequency is None else frequency
    if line is None:
        raise DataError(
            f"The line frequency of {name!r} is not known. Give frequency=50 (Europe, most of Asia "
            "and Africa) or frequency=60 (Americas, parts of Asia)."
        )
    line = positive("frequency (Hz)", line)
    if not line < rate / 2 - 1:
        raise DataError(
            f"A notch at {line:g} Hz needs a sampling rate above {2 * line + 2:g} Hz; {name!r} has "
            f"{rate:g} Hz."
        )
    # A notch takes a transition of 0.5 Hz on each side, which must lie below Nyquist.
    top = min(rate / 2 - 1, attrs.get("lowpass", np.inf) + 1)
    count = max(1, int(top // line)) if harmonics is None else whole("harmonics", harmonics, 1)
    most = int(rate / 2 // line) + 1
    frequencies = [k * line for k in range(1, min(count, most) + 1) if k * line < rate / 2 - 1]
    taps = _odd(3.3 / 0.5 * rate)

    def run(block: np.ndarray) -> np.ndarray:
        out = mne.filter.notch_filter(block, rate, frequencies, copy=False, verbose="ERROR")
        return np.asarray(out)

    filtered = _by_segment(rec, name, run, taps, "Filter longer pieces.")
    listed = ", ".join(f"{f:g}" for f in frequencies)
    step = f"notch(frequencies=[{listed}], stream={name})"
    return rec.replace({**rec.streams, name: filtered}, history=step)


def _odd(value: float) -> int:
    return int(np.ceil(value)) // 2 * 2 + 1


def _hz(value: float | None) -> str:
    return "None" if value is None else f"{value:g}"


def _check_borders(low: float | None, high: float | None, rate: float) -> None:
    if low is None and high is None:
        raise DataError("Nothing to filter: give low, high or both, in Hz.")
    for key, value in (("low", low), ("high", high)):
        if value is not None and not 0 < number(f"{key} (Hz)", value) < rate / 2:
            raise DataError(
                f"{key}={value:g} Hz is not between 0 and the Nyquist frequency, {rate / 2:g} Hz, "
                f"of a stream sampled at {rate:g} Hz."
            )
    if low is not None and high is not None and low >= high:
        raise DataError(
            f"low={low:g} Hz is not below high={high:g} Hz. To take a band out, use notch."
        )


def _by_segment(
    rec: Recording, name: str, run: Callable[[np.ndarray], np.ndarray], taps: int, advice: str
) -> xr.DataArray:
    """Filter each contiguous piece by itself, some channels at a time."""
    stream = rec[name]
    values, finite = stream.values, finite_columns(stream)
    out = np.full(values.shape, np.nan, dtype=np.float32)
    pieces = segments(rec, name)
    lengths = [piece.stop - piece.start for piece in pieces]
    if min(lengths) < taps:
        short = sum(n < taps for n in lengths)
        rate = stream.attrs["sampling_rate"]
        warn(
            f"{short} of {len(pieces)} pieces of {name!r} are shorter than the filter "
            f"({min(lengths) / rate:.3g} s against {taps / rate:.3g} s): their edges are "
            f"distorted. {advice}"
        )
    columns = np.flatnonzero(finite)
    width = max(1, _BLOCK_BYTES // (8 * max(lengths)))
    for piece in pieces:
        for at in range(0, columns.size, width):
            chosen = columns[at : at + width]
            block = np.ascontiguousarray(values[piece, chosen].T, dtype=np.float64)
            out[piece, chosen] = run(block).T
    return stream.copy(data=out)
