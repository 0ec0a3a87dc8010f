"""Head direction: how thalamic units encode it, and how well it is read back from them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from neurokit import plotting, preprocessing
from neurokit.demo.answer import Answer, code
from neurokit.demo.papers import CITATIONS
from neurokit.demo.resampling import block_interval, p_value
from neurokit.demo.tuning import (
    BIN,
    N_DIRECTIONS,
    N_FOLDS,
    bits_per_spike,
    decode,
    distance,
    tuning_curves,
)
from neurokit.errors import DataError

if TYPE_CHECKING:
    from neurokit.recording import Recording

__all__ = ["run"]

BLOCK = 10.0
MIN_SHIFT = 20.0
GAP = 10.0
N_SHIFTS = 100
BAND = (9.9, 10.9)


@dataclass(frozen=True)
class _Binned:
    """Spike counts (bin, unit) and the direction (bin,) in radians, in bins of BIN seconds."""

    counts: np.ndarray
    angle: np.ndarray
    time: np.ndarray
    region: np.ndarray


def run(rec: Recording, seed: int = 0) -> Answer:
    """Encode and decode head direction.

    Parameters
    ----------
    rec : Recording
        With ``spikes`` (units that have a ``region``) and ``behaviour`` with a variable
        ``head_direction`` in radians.
    seed : int
        Seed of the bootstrap and of the shifts of the null.

    Returns
    -------
    Answer
        The median absolute decoding error in degrees.

    Raises
    ------
    DataError
        If a stream, the head direction or the thalamic units are missing.

    Examples
    --------
    >>> import neurokit as nk
    >>> answer = run(nk.datasets.load("a2929"))
    >>> answer.value
    10.4...
    """
    binned = _bin(rec)
    thalamic = _thalamic(binned.region)
    adn, ca1 = binned.counts[:, thalamic], binned.counts[:, ~thalamic]
    decoded = decode(adn, binned.angle)
    error = distance(decoded, binned.angle)
    value = float(np.median(error))
    apart = float(np.median(distance(decode(adn, binned.angle, GAP), binned.angle)))
    null = _shifted_errors(adn, binned.angle, seed)
    curves = tuning_curves(binned.counts, binned.angle)
    information = bits_per_spike(curves, binned.angle)
    return Answer(
        question="Can the direction of the head be read from thalamic units?",
        data="a2929",
        measure="median absolute error (less is better)",
        value=value,
        unit="°",
        interval=_interval(error, seed),
        interval_of=f"95 %, bootstrap over contiguous blocks of {BLOCK:.0f} s of one session",
        chance=90.0,
        baseline=(
            "hippocampal CA1 units, same decoder",
            float(np.median(distance(decode(ca1, binned.angle), binned.angle))),
        ),
        ceiling=None,
        ceiling_note="none: the tracked direction has no noise estimate; a perfect score is 0°",
        band=BAND,
        n_samples=len(error),
        split=(
            f"{N_FOLDS} contiguous folds of the exploration, one left out, and no gap: bins share "
            f"no data, and with {GAP:.0f} s left out beside each fold the error is {apart:.1f}°"
        ),
        seed=seed,
        p_value=p_value(value, null, smaller=True),
        caveat=(
            "One animal, one session, seven units. The figure depends on the decoder: tuning "
            "curves are smoothed by 12° here, and without smoothing the error is 8°."
        ),
        method=_method(adn.shape[1]),
        citations=CITATIONS["head_direction"],
        code=code("head_direction", "a2929", seed),
        details={
            f"median error, {GAP:.0f} s left out beside each fold (°)": apart,
            "median error with shifted direction (°)": float(np.median(null)),
            "best error of any shift (°)": float(null.min()),
            "information, thalamic units (bits/spike)": float(np.median(information[thalamic])),
            "information, CA1 units (bits/spike)": float(np.median(information[~thalamic])),
        },
        figures=_figures(binned, decoded, curves[:, thalamic], value, null),
    )


def _bin(rec: Recording) -> _Binned:
    pose = rec["behaviour"]
    names = [str(n) for n in pose["variable"].values]
    if "head_direction" not in names:
        raise DataError(f"Expected a variable 'head_direction' in behaviour; got {names}.")
    track = np.asarray(pose[:, names.index("head_direction")], dtype=np.float64)
    clock = np.asarray(pose["time"], dtype=np.float64)
    clock, track = clock[np.isfinite(track)], track[np.isfinite(track)]
    binned = preprocessing.bin_spikes(rec, BIN, start=clock[0], stop=clock[-1])["counts"]
    time = binned["time"].values + BIN / 2
    angle = np.interp(time, clock, np.unwrap(track)) % (2 * np.pi)
    region = np.asarray(binned["region"], dtype=str)
    return _Binned(binned.values.astype(np.float64), angle, time, region)


def _thalamic(region: np.ndarray) -> np.ndarray:
    thalamic: np.ndarray = np.char.lower(region) == "adn"
    if not thalamic.any() or thalamic.all():
        raise DataError(
            "Expected units of region 'adn' and of another one; "
            f"got {sorted(set(region.tolist()))}."
        )
    return thalamic


def _shifted_errors(counts: np.ndarray, angle: np.ndarray, seed: int) -> np.ndarray:
    """Give median errors when the direction runs late: both keep their autocorrelation."""
    least = round(MIN_SHIFT / BIN)
    shifts = np.random.default_rng(seed).integers(least, len(angle) - least, N_SHIFTS)
    shifted = (np.roll(angle, shift) for shift in shifts)
    return np.array([np.median(distance(decode(counts, late), late)) for late in shifted])


def _interval(error: np.ndarray, seed: int) -> tuple[float, float]:
    blocks = np.array_split(error, np.arange(round(BLOCK / BIN), len(error), round(BLOCK / BIN)))
    return block_interval(
        lambda drawn: float(np.median(np.concatenate([blocks[b] for b in drawn]))),
        len(blocks),
        seed,
    )


def _figures(
    binned: _Binned, decoded: np.ndarray, curves: np.ndarray, value: float, null: np.ndarray
) -> dict[str, Callable[..., Any]]:
    import xarray as xr

    angle = (np.arange(N_DIRECTIONS) + 0.5) * 360 / N_DIRECTIONS
    axis = ("direction", angle, {"units": "°", "long_name": "head direction"})
    tuning = xr.DataArray(
        curves, {"direction": axis}, ("direction", "unit"), "rate", {"units": "Hz"}
    )
    minute = slice(len(decoded) // 2, len(decoded) // 2 + round(60 / BIN))
    tracked, read = (
        xr.DataArray(
            np.degrees(track[minute]),
            {"time": binned.time[minute] - binned.time[minute][0]},
            ("time",),
            "head direction",
            {"units": "°"},
        )
        for track in (binned.angle, decoded)
    )
    nulls = {"shifted direction": null}
    return {
        "Tuning curves of the thalamic units": partial(
            plotting.tuning_curves, tuning, normalize=False
        ),
        "Head direction and its decoding, one minute": partial(
            plotting.predicted_vs_true, tracked, read, period=360.0
        ),
        "Decoding error and its null": partial(
            plotting.null_distribution, value, nulls, chance=90.0, label="median error (°)"
        ),
    }


def _method(n_units: int) -> str:
    return (
        f"Spikes of {n_units} anterodorsal thalamic units were counted in bins of {BIN} s. Tuning "
        f"curves ({N_DIRECTIONS} directions, Gaussian smoothing of 12°) were estimated on nine "
        "tenths of the session and the direction of the head was decoded in the remaining tenth "
        "as the maximum of the Poisson likelihood under a flat prior (Zhang et al. 1998). The "
        f"null distribution came from {N_SHIFTS} circular shifts of the direction by at least "
        f"{MIN_SHIFT:.0f} s, each decoded afresh."
    )
