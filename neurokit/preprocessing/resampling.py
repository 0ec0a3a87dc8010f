"""Another sampling rate, with a sharp anti-aliasing filter and the right times."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import xarray as xr

from neurokit.arguments import positive
from neurokit.errors import DataError
from neurokit.preprocessing.streams import chosen_stream, finite_columns
from neurokit.recording import Recording
from neurokit.recording.clock import segments

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
    sampling_rate = positive("sampling_rate (Hz)", sampling_rate)
    old = data.attrs["sampling_rate"]
    ratio = _ratio(name, data["time"].values, old, sampling_rate)
    if ratio == 1:
        return rec.replace(history=f"resample({sampling_rate:g}, stream={name}): already so")
    out = _resampled(data, ratio, segments(rec, name))
    time, nearest = _new_clock(data["time"].values, old, sampling_rate, ratio, len(out))
    coords = {k: c.isel(time=nearest) if "time" in c.dims else c for k, c in data.coords.items()}
    coords["time"] = xr.DataArray(time, dims="time")
    attrs = {**data.attrs, "sampling_rate": float(sampling_rate)}
    if sampling_rate < old:
        attrs["lowpass"] = min(attrs.get("lowpass", np.inf), 0.45 * sampling_rate)
    plain = {k: (c.dims, c.values, c.attrs) for k, c in coords.items()}
    new = xr.DataArray(out, plain, data.dims, attrs=attrs)
    line = f"resample({sampling_rate:g}, stream={name}) from {old:g} Hz"
    return rec.replace({**rec.streams, name: new}, history=line)


def _new_clock(
    time: np.ndarray, old: float, new: float, ratio: Fraction, n_samples: int
) -> tuple[np.ndarray, np.ndarray]:
    """Return the new samples' times, and the old sample that is nearest to each."""
    place = np.arange(n_samples) * ratio.denominator / ratio.numerator
    nearest = np.minimum(np.rint(place).astype(np.int64), time.size - 1)
    exact = old * ratio.numerator == new * ratio.denominator
    nominal = time[0] + np.arange(time.size) / old
    if exact and np.abs(time - nominal).max() < 1e-3 / old:
        return time[0] + np.arange(n_samples) / new, nearest
    # The clock drifts, or the fraction only comes near the rate: the old times tell the true ones.
    past = np.maximum(place - (time.size - 1), 0) / old
    return np.interp(place, np.arange(time.size), time) + past, nearest


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
    if name == "triggers":
        raise DataError("Trigger codes cannot be resampled. Turn them into events, which keep s.")
    step = np.diff(time)
    if step.size and (np.abs(step * old - 1) > 0.5).any():
        raise DataError(f"Stream {name!r} has gaps, so that it cannot be resampled as one.")
    if time.size * new / old > 2**31:
        raise DataError(f"{name} at {new:g} Hz would be {time.size * new / old:.3g} samples long.")
    ratio = Fraction(new / old).limit_denominator(_MAX_DENOMINATOR)
    if ratio == 0 or abs(float(ratio) * old / new - 1) > 1e-5:
        raise DataError(
            f"Cannot resample from {old:g} to {new:g} Hz: the ratio is too extreme. Go by way of a "
            "rate in between."
        )
    return ratio
