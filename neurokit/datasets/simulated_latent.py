"""A population whose common causes, and not its units one by one, tell what the animal does."""

from __future__ import annotations

import numpy as np
import pandas as pd
import scipy.special
from numpy.typing import NDArray

from neurokit import arguments
from neurokit.datasets.simulated_processes import poisson_spikes, smooth_noise
from neurokit.recording import Recording
from neurokit.recording.build import continuous

__all__ = ["simulate_latent_population"]

Array = NDArray[np.float64]

WAVES = 100  # plane waves that all tuning surfaces are sums of
GAIN = 0.8  # standard deviation of log rate over the latent plane
RATE_SPREAD = 0.4  # standard deviation of log mean rate over units
FASTEST, WIDEST = 30.0, 3.0  # cm/s, mm


def simulate_latent_population(
    n_units: int = 80,
    duration: float = 900.0,
    *,
    mean_rate: float = 5.0,
    roughness: float = 6.0,
    timescale: float = 1.5,
    sampling_rate: float = 100.0,
    seed: int = 0,
) -> Recording:
    """Simulate units with varied nonlinear tuning to running speed and pupil size.

    Two values wander smoothly and evenly over ``[0, 1]``; one is shown as running speed, one
    as pupil size. Unit ``i`` fires at ``r_i exp(0.8 f_i(speed, pupil) - 0.32)`` Hz, where
    ``f_i`` is a random smooth surface of its own with mean 0 and variance 1: a Gaussian process
    (its random waves: Rahimi and Recht 2007). Rates rise and fall several times along each
    axis, so a straight line from counts to speed misses much of what the population knows, and
    the more so with few labels; yet the surfaces themselves can be learned from spikes alone.
    How well ridge regression reads speed depends on the labels: from counts of 250 ms, the
    penalty by leave-one-out, trained on the first four fifths of the defaults' 900 s and tested
    on the last, with seeds 0 to 3 and four draws of labels each, it has r of .63 to .79 with 36
    labels (of windows side by side), of .80 to .87 with 144 (of windows that begin every 50 ms)
    and of .86 to .89 with all. Bayes' rule with the true tuning needs none and has more than .99.

    Parameters
    ----------
    n_units : int
        In all.
    duration : float
        In seconds.
    mean_rate : float
        Spikes per second, on average over units and time; ``r_i`` vary log-normally.
    roughness : float
        How often tuning turns: 1 over the distance at which the correlation of ``f_i`` has
        fallen to 0.61, the axes going from 0 to 1.
    timescale : float
        Seconds over which speed and pupil remain similar.
    sampling_rate : float
        Of behaviour, in Hz. Rates are constant within a sample.
    seed : int
        Tuning is the same for any duration.

    Returns
    -------
    Recording
        ``spikes``, whose units carry their ``rate`` ``r_i`` in Hz, and ``behaviour`` with
        ``speed`` (0 to 30 cm/s) and ``pupil`` (0 to 3 mm), not standardised.

    Raises
    ------
    DataError
        If a number makes no sense.

    Examples
    --------
    >>> rec = simulate_latent_population(duration=10)
    >>> rec["behaviour"].sizes, rec["behaviour"]["variable"].values.tolist()
    (Frozen({'time': 1000, 'variable': 2}), ['speed', 'pupil'])
    """
    units = arguments.whole("n_units", n_units, 1)
    duration = arguments.positive("duration (s)", duration)
    sampling = arguments.positive("sampling_rate (Hz)", sampling_rate)
    chance = np.random.default_rng(arguments.whole("seed", seed, 0)).spawn(3)
    n = int(np.ceil(duration * sampling))
    noise = smooth_noise(n, 2, chance[1], sampling_rate=sampling, timescale=timescale)
    latent = scipy.special.ndtr(noise)
    spread = np.exp(RATE_SPREAD * chance[0].standard_normal(units) - RATE_SPREAD**2 / 2)
    rate = arguments.positive("mean_rate (Hz)", mean_rate) * spread
    surface = _tuning(latent, units, arguments.positive("roughness", roughness), chance[0])
    modulation = np.exp(np.float32(GAIN) * surface - np.float32(GAIN**2 / 2))
    time, unit = poisson_spikes(modulation * rate, 1 / sampling, chance[2])
    behaviour = continuous(
        latent * [FASTEST, WIDEST], sampling, ["speed", "pupil"], "behaviour", "cm/s and mm"
    )
    return Recording.from_spikes(
        time, unit, n / sampling, streams={"behaviour": behaviour},
        unit_table=pd.DataFrame({"id": np.arange(units), "rate": rate}),
        meta={"source": f"simulate_latent_population(seed={seed})"},
    )  # fmt: skip


def _tuning(
    latent: Array, n_units: int, roughness: float, rng: np.random.Generator
) -> NDArray[np.float32]:
    """Evaluate each unit's random surface at each sample, shape (sample, unit)."""
    frequency = roughness * rng.standard_normal((2, WAVES))
    amplitude = rng.standard_normal((2 * WAVES, n_units)) / np.sqrt(WAVES)
    angle = (latent @ frequency).astype(np.float32)
    waves = np.concatenate([np.cos(angle), np.sin(angle)], axis=1)
    surface: NDArray[np.float32] = waves @ amplitude.astype(np.float32)
    return surface
