"""Head direction: how thalamic units encode it, and how well it is read back from them.

Tuning curves are spike counts over occupancy; the decoder is the maximum-likelihood direction
under independent Poisson spiking with a flat prior (Zhang et al. 1998, J. Neurophysiol.
79:1017, equation 36).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from neurokit.demo import figures
from neurokit.demo.answer import Answer
from neurokit.demo.resampling import block_interval, p_value
from neurokit.errors import DataError

if TYPE_CHECKING:
    from neurokit.recording import Recording

__all__ = ["decode", "run", "tuning_curves"]

BIN = 0.2
N_DIRECTIONS = 60
SMOOTHING = 2.0
N_FOLDS = 10
BLOCK = 10.0
MIN_SHIFT = 20.0
N_SHIFTS = 100
BAND = (9.9, 10.9)
CITATIONS = (
    "Viejo G, et al. (2023). Pynapple, a toolbox for data analysis in neuroscience. "
    "eLife 12:RP85786.",
    "Zhang K, et al. (1998). Interpreting neuronal population activity by "
    "reconstruction. J. Neurophysiol. 79:1017-1044.",
    "Skaggs WE, et al. (1993). An information-theoretic approach to deciphering the "
    "hippocampal code. NIPS 5:1030-1037.",
    "Taube JS, et al. (1990). Head-direction cells recorded from the postsubiculum in "
    "freely moving rats. J. Neurosci. 10:420-435.",
)
CODE = """\
import neurokit as nk
from neurokit.demo import head_direction

rec = nk.datasets.load("a2929")
print(head_direction.run(rec, seed={seed}).value)  # degrees"""


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
    curves = tuning_curves(binned.counts, binned.angle)
    thalamic = np.char.lower(binned.region) == "adn"
    if not thalamic.any() or thalamic.all():
        raise DataError(
            "Expected units of region 'adn' and of another one; "
            f"got {sorted(set(binned.region.tolist()))}."
        )
    adn, ca1 = binned.counts[:, thalamic], binned.counts[:, ~thalamic]
    thalamic_curves = curves[:, thalamic]
    decoded = decode(adn, binned.angle)
    error = _distance(decoded, binned.angle)
    value = float(np.median(error))
    rivals = float(np.median(_distance(decode(ca1, binned.angle), binned.angle)))
    null = _shifted_errors(adn, binned.angle, seed)
    blocks = np.arange(len(error)) // round(BLOCK / BIN)
    minute = slice(len(error) // 2, len(error) // 2 + round(60 / BIN))
    information = _bits_per_spike(curves, binned.angle)
    return Answer(
        question="Can the direction of the head be read from thalamic units?",
        data="a2929",
        measure="median absolute error (less is better)",
        value=value,
        unit="°",
        interval=block_interval(
            lambda drawn: float(np.median(np.concatenate([error[blocks == b] for b in drawn]))),
            int(blocks[-1]) + 1,
            seed,
        ),
        interval_of=f"95 %, bootstrap over contiguous blocks of {BLOCK:.0f} s of one session",
        chance=90.0,
        baseline=("hippocampal CA1 units, same decoder", rivals),
        ceiling=None,
        ceiling_note="none: the tracked direction has no noise estimate; a perfect score is 0°",
        band=BAND,
        n_samples=len(error),
        split=f"{N_FOLDS} contiguous folds of the exploration, one left out",
        seed=seed,
        p_value=p_value(value, null, smaller=True),
        caveat=(
            "One animal, one session, seven units. The tuning curves are smoothed by 12°: "
            "without smoothing the error is 8°, so read no more than that into the figure."
        ),
        method=_method(adn.shape[1]),
        citations=CITATIONS,
        code=CODE.format(seed=seed),
        details={
            "median error with shifted direction (°)": float(np.median(null)),
            "best error of any shift (°)": float(null.min()),
            "information, thalamic units (bits/spike)": float(np.median(information[thalamic])),
            "information, CA1 units (bits/spike)": float(np.median(information[~thalamic])),
        },
        figures={
            "Tuning curves of the thalamic units": lambda ax: figures.tuning(ax, thalamic_curves),
            "Head direction and its decoding, one minute": lambda ax: figures.tracked_and_decoded(
                ax,
                binned.time[minute] - binned.time[minute][0],
                binned.angle[minute],
                decoded[minute],
            ),
            "Decoding error and its null": lambda ax: figures.null_distribution(
                ax, value, {"direction shifted in time": null}, "median error (°)", 90.0
            ),
        },
    )


def tuning_curves(counts: np.ndarray, angle: np.ndarray) -> np.ndarray:
    """Estimate firing rates against direction.

    Parameters
    ----------
    counts : numpy.ndarray of shape (bin, unit)
        Spikes in bins of 0.2 s.
    angle : numpy.ndarray of shape (bin,)
        Direction in radians, 0 to 2 pi.

    Returns
    -------
    numpy.ndarray of shape (direction, unit)
        Rates in Hz at 60 directions, spikes and occupancy smoothed by a Gaussian of 12°.

    Examples
    --------
    >>> angle = np.linspace(0, 2 * np.pi, 600, endpoint=False)
    >>> curve = tuning_curves(np.round(5 + 5 * np.cos(angle))[:, None], angle)
    >>> int(curve.argmax()) in (0, 59)
    True
    """
    from scipy.ndimage import gaussian_filter1d

    direction = _bin_of(angle)
    spikes = np.zeros((N_DIRECTIONS, counts.shape[1]))
    np.add.at(spikes, direction, counts)
    visits = np.bincount(direction, minlength=N_DIRECTIONS).astype(float)
    spikes = gaussian_filter1d(spikes, SMOOTHING, axis=0, mode="wrap")
    visits = gaussian_filter1d(visits, SMOOTHING, mode="wrap")
    # A direction that was never visited gets the rate of its surroundings, at worst zero.
    rates: np.ndarray = spikes / np.maximum(visits, 1e-9)[:, None] / BIN
    return rates


def decode(counts: np.ndarray, angle: np.ndarray) -> np.ndarray:
    """Decode the direction of each bin with tuning curves from the other folds.

    Parameters
    ----------
    counts : numpy.ndarray of shape (bin, unit)
        Spikes in bins of 0.2 s.
    angle : numpy.ndarray of shape (bin,)
        Direction in radians, 0 to 2 pi.

    Returns
    -------
    numpy.ndarray of shape (bin,)
        The direction that maximises the Poisson likelihood, in radians.

    Examples
    --------
    >>> angle = np.tile(np.linspace(0, 2 * np.pi, 50, endpoint=False), 20)
    >>> counts = np.round(10 + 10 * np.stack([np.cos(angle), np.sin(angle)], axis=1))
    >>> bool(np.median(_distance(decode(counts, angle), angle)) < 10)
    True
    """
    from neurokit.alignment.splits import contiguous

    decoded = np.empty(len(angle))
    for train, test in contiguous(len(angle), N_FOLDS, gap=0):
        expected = np.maximum(tuning_curves(counts[train], angle[train]) * BIN, 1e-3)
        likelihood = counts[test] @ np.log(expected).T - expected.sum(axis=1)
        decoded[test] = (likelihood.argmax(axis=1) + 0.5) * 2 * np.pi / N_DIRECTIONS
    return decoded


def _bin(rec: Recording) -> _Binned:
    spikes, pose = rec["spikes"], rec["behaviour"]
    names = [str(n) for n in pose["variable"].values]
    if "head_direction" not in names:
        raise DataError(f"Expected a variable 'head_direction' in behaviour; got {names}.")
    track = np.asarray(pose[:, names.index("head_direction")], dtype=np.float64)
    clock = np.asarray(pose["time"], dtype=np.float64)
    clock, track = clock[np.isfinite(track)], track[np.isfinite(track)]
    n_bins = int((clock[-1] - clock[0]) / BIN)
    time = clock[0] + (np.arange(n_bins) + 0.5) * BIN
    angle = np.interp(time, clock, np.unwrap(track)) % (2 * np.pi)
    region = np.asarray(spikes["region"], dtype=str)
    row = np.floor((np.asarray(spikes["time"]) - clock[0]) / BIN).astype(int)
    inside = (row >= 0) & (row < n_bins)
    cell = row[inside] * len(region) + np.asarray(spikes["unit"])[inside]
    counts = np.bincount(cell, minlength=n_bins * len(region)).reshape(n_bins, len(region))
    return _Binned(counts.astype(float), angle, time, region)


def _bin_of(angle: np.ndarray) -> np.ndarray:
    return (angle / (2 * np.pi) * N_DIRECTIONS).astype(int) % N_DIRECTIONS


def _distance(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Give the angle between two directions, in degrees."""
    return np.degrees(np.abs(np.angle(np.exp(1j * (a - b)))))


def _shifted_errors(counts: np.ndarray, angle: np.ndarray, seed: int) -> np.ndarray:
    """Give median errors when the direction runs late: both keep their autocorrelation."""
    least = round(MIN_SHIFT / BIN)
    shifts = np.random.default_rng(seed).integers(least, len(angle) - least, N_SHIFTS)
    shifted = (np.roll(angle, shift) for shift in shifts)
    return np.array([np.median(_distance(decode(counts, late), late)) for late in shifted])


def _bits_per_spike(curves: np.ndarray, angle: np.ndarray) -> np.ndarray:
    """Sum p(x) r(x)/r log2 r(x)/r over directions (Skaggs et al. 1993)."""
    share = np.bincount(_bin_of(angle), minlength=N_DIRECTIONS) / len(angle)
    relative = curves / np.maximum(share @ curves, 1e-9)
    bits: np.ndarray = share @ (relative * np.log2(np.maximum(relative, 1e-12)))
    return bits


def _method(n_units: int) -> str:
    return (
        f"Spikes of {n_units} anterodorsal thalamic units were counted in bins of {BIN} s. Tuning "
        f"curves ({N_DIRECTIONS} directions, Gaussian smoothing of 12°) were estimated on nine "
        "tenths of the session and the direction of the head was decoded in the remaining tenth "
        "as the maximum of the Poisson likelihood under a flat prior (Zhang et al. 1998). The "
        f"null distribution came from {N_SHIFTS} circular shifts of the direction by at least "
        f"{MIN_SHIFT:.0f} s, each decoded afresh."
    )
