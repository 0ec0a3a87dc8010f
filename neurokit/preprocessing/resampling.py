"""Another sampling rate, with a sharp anti-aliasing filter and the right times."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import xarray as xr

from neurokit.errors import DataError
from neurokit.preprocessing.streams import chosen_stream, finite_columns, segments
from neurokit.recording import Recording

__all__ = ["resample"]

# Half the filter's length in samples of the slower rate; with a Kaiser window of this beta
# all above the new Nyquist frequency is down by 80 dB and 90 % of the band passes.
_HALF_LENGTH = 50
_BETA = 7.857
_PASS = 0.95
_MAX_DENOMINATOR = 2000
_BLOCK_BYTES = 128 * 2**20


def resample(rec: Recording, sampling_rate: float, stream: str | None = None) -> Recording:
    """Change the sampling rate of a stream.

    Parameters
    ----------
    rec : Recording
        With a continuous, evenly sampled stream.
    sampling_rate : float
        In Hz.
    stream : str, optional
        By default the brain stream.

    Returns
    -------
    Recording
        The first sample keeps its time. Pieces that an event ``boundary`` separates do not
        leak into one another. Events and other streams are untouched.

    Raises
    ------
    DataError
        If the rate is not positive, the stream has gaps, or it holds codes (``triggers``).
    UnknownNameError
        If there is no such stream.

    Examples
    --------
    >>> import numpy as np
    >>> x = 1e-5 * np.random.default_rng(0).normal(size=(1000, 2))
    >>> resample(Recording.from_array(x, 250.0), 100.0)["eeg"].shape
    (400, 2)
    """
    name = chosen_stream(rec, stream)
    data = rec[name]
    old, first = data.attrs["sampling_rate"], data["time"].values[0]
    ratio = _ratio(name, data["time"].values, old, sampling_rate)
    if ratio == 1:
        return rec.replace(history=f"resample({sampling_rate:g}, stream={name}): already so")
    out = _resampled(data, ratio, segments(rec, name))
    # Where the fraction only comes near the rate, the times tell the true one.
    exact = old * ratio.numerator == sampling_rate * ratio.denominator
    step = 1 / sampling_rate if exact else ratio.denominator / ratio.numerator / old
    time = first + (np.arange(len(out)) / sampling_rate if exact else np.arange(len(out)) * step)
    coords = {key: c for key, c in data.coords.items() if "time" not in c.dims}
    attrs = {**data.attrs, "sampling_rate": float(sampling_rate)}
    if sampling_rate < old:
        attrs["lowpass"] = min(attrs.get("lowpass", np.inf), 0.45 * sampling_rate)
    new = xr.DataArray(out, {"time": time, **coords}, data.dims, attrs=attrs)
    line = f"resample({sampling_rate:g}, stream={name}) from {old:g} Hz"
    return rec.replace({**rec.streams, name: new}, history=line)


def _resampled(data: xr.DataArray, ratio: Fraction, pieces: list[slice]) -> np.ndarray:
    """Filter and interpolate each piece on the output grid that all pieces share."""
    from scipy.signal import firwin, resample_poly

    up, down = ratio.numerator, ratio.denominator
    slower = max(up, down)
    taps = firwin(2 * _HALF_LENGTH * slower + 1, _PASS / slower, window=("kaiser", _BETA))
    finite, values = np.flatnonzero(finite_columns(data)), data.values
    out = np.full((-(-values.shape[0] * up // down), values.shape[1]), np.nan, dtype=np.float32)
    # A whole number of input samples that fall on output samples, longer than the filter.
    margin = down * (-(-_HALF_LENGTH * slower // (up * down)) + 1)
    width = max(1, _BLOCK_BYTES // (8 * max(p.stop - p.start for p in pieces)))
    for piece in pieces:
        start = piece.start // down * down - margin
        pad = ((piece.start - start, margin + (-piece.stop) % down), (0, 0))
        begin, end = -(-piece.start * up // down), -(-piece.stop * up // down)
        shift = start * up // down
        for at in range(0, finite.size, width):
            columns = finite[at : at + width]
            block = np.pad(values[piece, columns].astype(np.float64), pad, mode="edge")
            whole = resample_poly(block, up, down, axis=0, window=taps)
            out[begin:end, columns] = whole[begin - shift : end - shift]
    return out


def _ratio(name: str, time: np.ndarray, old: float, new: float) -> Fraction:
    """Return the new rate over the old as a fraction of small numbers."""
    if not (np.isfinite(new) and new > 0):
        raise DataError(f"sampling_rate={new!r}, expected finite positive Hz.")
    if name == "triggers":
        raise DataError("Trigger codes cannot be resampled. Turn them into events, which keep s.")
    step = np.diff(time)
    if step.size and (np.abs(step * old - 1) > 0.5).any():
        raise DataError(f"Stream {name!r} has gaps, so that it cannot be resampled as one.")
    ratio = Fraction(new / old).limit_denominator(_MAX_DENOMINATOR)
    if ratio == 0 or abs(float(ratio) * old / new - 1) > 1e-5:
        raise DataError(
            f"Cannot resample from {old:g} to {new:g} Hz: the ratio is too extreme. Go by way of a "
            "rate in between."
        )
    return ratio
