"""Functional connectivity of a whole run and of sliding windows.

Pearson correlation of ROI series, once (:func:`static_fc`) or in windows (:func:`dynamic_fc`,
the sliding-window estimate of Allen et al. 2014, Cerebral Cortex 24:663, with rectangular
windows). All windows are correlated in batched matrix products: each window is centred and
scaled to unit norm, so that its correlation matrix is one product with its own transpose.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from neurokit.errors import DataError
from neurokit.warning import warn

if TYPE_CHECKING:
    import xarray as xr

__all__ = ["dynamic_fc", "static_fc"]

# A window whose deviations are below this share of its mean is constant to double precision.
_FLAT = 1e-13
# Values of the normalised windows held at a time: 32 MB of float64, whatever the run's length.
_CHUNK = 4_000_000


def static_fc(series: xr.DataArray | np.ndarray, dtype: str = "float32") -> xr.DataArray:
    """Correlate every pair of ROIs over the whole run.

    Parameters
    ----------
    series : xarray.DataArray or numpy.ndarray of shape (time, roi)
        ROI series, in any unit.
    dtype : {"float32", "float64"}
        Floating type of the matrix product and the result.

    Returns
    -------
    xarray.DataArray of shape (roi, roi_)
        Pearson correlations with ones on the diagonal. An ROI that never changes gets a
        warning and zeros off the diagonal.

    Raises
    ------
    DataError
        When the series is not (time, roi), is too short, or has values that are not finite.

    Examples
    --------
    >>> import numpy as np
    >>> x = np.array([[0.0, 1.0], [1.0, 3.0], [2.0, 5.0]])
    >>> static_fc(x).values.round(3)
    array([[1., 1.],
           [1., 1.]], dtype=float32)
    """
    array = _as_array(series)
    fc = dynamic_fc(series, window=len(array), stride=1, dtype=dtype).isel(window=0)
    return fc.drop_vars(["window", "time", "start"])


def dynamic_fc(
    series: xr.DataArray | np.ndarray, window: int, stride: int, dtype: str = "float32"
) -> xr.DataArray:
    """Correlate every pair of ROIs in each sliding window.

    Parameters
    ----------
    series : xarray.DataArray or numpy.ndarray of shape (time, roi)
        ROI series, in any unit.
    window : int
        Length of a window in frames, at least 2: seconds divided by the repetition time.
    stride : int
        Frames between the starts of neighbouring windows.
    dtype : {"float32", "float64"}
        Floating type of the matrix product and the result; windows are centred and scaled in
        ``float64`` first, so that ``float32`` is within 1e-6 of it.

    Returns
    -------
    xarray.DataArray of shape (window, roi, roi_)
        Pearson correlations with ones on the diagonal; the last window that fits whole is
        included. Coordinates: ``start`` (first frame) and ``time`` (middle of the window, in
        seconds when `series` has a time coordinate, else in frames). An ROI that does not
        change inside a window gets zeros off the diagonal there, and one warning.

    Raises
    ------
    DataError
        When the series is not (time, roi), has values that are not finite, or no window fits;
        window or stride not in whole frames, or another dtype.

    Examples
    --------
    >>> import numpy as np
    >>> x = np.random.default_rng(0).normal(size=(100, 4))
    >>> fc = dynamic_fc(x, window=30, stride=10)
    >>> fc.dims, fc.shape
    (('window', 'roi', 'roi_'), (8, 4, 4))
    >>> bool(np.allclose(fc[2], np.corrcoef(x[20:50].T), atol=1e-6))
    True
    """
    array = _as_array(series)
    _check_windows(len(array), window, stride)
    if dtype not in ("float32", "float64", np.float32, np.float64):
        raise DataError(f"Expected dtype 'float32' or 'float64'; got {dtype!r}.")
    # Scaled, so that squares neither overflow nor vanish; each series in one piece of memory.
    size = np.abs(array).max(axis=0)
    scaled = np.ascontiguousarray((array / np.where(size > 0, size, 1)).T)
    views = np.lib.stride_tricks.sliding_window_view(scaled, window, axis=1)[:, ::stride]
    n_roi, n_windows = views.shape[:2]
    starts = np.arange(n_windows) * stride
    out = np.empty((n_windows, n_roi, n_roi), dtype=dtype)
    flat = np.zeros(n_roi, dtype=bool)
    step = max(1, _CHUNK // (window * n_roi))
    for first in range(0, n_windows, step):
        rows = slice(first, first + step)
        flat |= _correlate(views[:, rows].transpose(1, 0, 2), out[rows])
    if flat.any():
        _warn_flat(series, flat)
    return _labelled(series, out, starts, window)


def _as_array(series: xr.DataArray | np.ndarray) -> np.ndarray:
    dims = getattr(series, "dims", None)
    if dims is not None and (len(dims) != 2 or dims[0] != "time"):
        hint = " Try series.transpose('time', ...)." if "time" in dims and len(dims) == 2 else ""
        raise DataError(f"Expected series with dims ('time', 'roi'); got {dims}.{hint}")
    array = np.asarray(series)
    if array.ndim != 2 or not array.size or array.dtype.kind not in "biuf":
        raise DataError(
            f"Expected numbers of shape (time, roi); got shape {array.shape} of {array.dtype}."
        )
    array = array.astype(np.float64)
    if not np.isfinite(array).all():
        bad = np.flatnonzero(~np.isfinite(array).all(axis=0))
        raise DataError(
            f"Expected finite values; {len(bad)} of {array.shape[1]} ROIs have NaN or infinite "
            f"ones (the first is column {bad[0]}). Drop or interpolate them."
        )
    return array


def _check_windows(n_frames: int, window: int, stride: int) -> None:
    whole = all(isinstance(frames, int | np.integer) for frames in (window, stride))
    if not whole:
        raise DataError(
            f"Expected window and stride in whole frames; got {window} and {stride}. Divide "
            "seconds by the repetition time and round."
        )
    if window < 2 or stride < 1:
        raise DataError(
            f"Expected window >= 2 and stride >= 1 frames; got window {window}, stride {stride}."
        )
    if window > n_frames:
        raise DataError(
            f"Expected a window of at most {n_frames} frames (the run's length); got {window}. "
            "Try a shorter window."
        )


def _correlate(views: np.ndarray, out: np.ndarray) -> np.ndarray:
    """Write the correlation matrices of (window, roi, frame) into `out`; tell flat ROIs."""
    mean = views.mean(axis=2)
    x = np.subtract(views, mean[:, :, None], order="C")
    power = np.einsum("wrt,wrt->wr", x, x)
    flat = power <= x.shape[2] * (_FLAT * mean) ** 2
    x *= np.where(flat, 0, 1 / np.sqrt(np.where(flat, 1, power)))[:, :, None]
    x = x.astype(out.dtype, copy=False)
    np.matmul(x, x.transpose(0, 2, 1), out=out)
    np.clip(out, -1, 1, out=out)
    diagonal = np.arange(out.shape[1])
    out[:, diagonal, diagonal] = 1
    found: np.ndarray = flat.any(axis=0)
    return found


def _warn_flat(series: Any, flat: np.ndarray) -> None:
    names = np.asarray(series["roi"]) if "roi" in getattr(series, "coords", {}) else None
    which = np.flatnonzero(flat)
    listed = ", ".join(str(names[i] if names is not None else i) for i in which[:5])
    more = f" and {len(which) - 5} more" if len(which) > 5 else ""
    warn(
        f"{len(which)} of {len(flat)} ROIs do not change within a window (ROI {listed}{more}); "
        "their correlations there are set to 0."
    )


def _labelled(series: Any, fc: np.ndarray, starts: np.ndarray, window: int) -> xr.DataArray:
    import xarray as xr

    centre = starts + (window - 1) / 2
    coords: dict[str, Any] = {"window": np.arange(len(starts)), "start": ("window", starts)}
    known = getattr(series, "coords", {})
    if "time" in known:
        time = np.asarray(known["time"], dtype=np.float64)
        centre = np.interp(centre, np.arange(len(time)), time)
    coords["time"] = ("window", centre)
    if hasattr(series, "dims"):
        space = series.dims[1]
        for name, value in known.items():
            if value.dims == (space,):
                coords["roi" if name == space else name] = ("roi", value.values)
        if space in known:
            coords["roi_"] = ("roi_", known[space].values)
    attrs = {"window": int(window), "method": "pearson"}
    return xr.DataArray(fc, dims=("window", "roi", "roi_"), coords=coords, attrs=attrs, name="fc")
