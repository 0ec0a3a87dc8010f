"""A population driven by what is seen and done, by its own past, and by nothing else."""

from __future__ import annotations

import numpy as np
import pandas as pd
import xarray as xr
from numpy.typing import NDArray

from neurokit import arguments
from neurokit.datasets.simulated_driving import driven_spikes
from neurokit.datasets.simulated_processes import poisson_spikes, smooth_noise
from neurokit.datasets.simulated_wiring import part, sparse_wiring
from neurokit.errors import DataError
from neurokit.recording import Recording
from neurokit.recording.build import continuous, time_axis

__all__ = ["simulate_stimulus_population"]

Array = NDArray[np.float64]

# So fast that the past alone does not give them away.
SPOT_TIMESCALE, SPEED_TIMESCALE = 0.15, 0.2  # s
LATENCY = 0.05  # s, from the stimulus to the spikes
FIELD = 0.45  # standard deviation of a receptive field, in standard deviations of the spot
SPONTANEOUS, PEAK = 0.5, 20.0  # Hz
GAIN = 1.0  # log rate a standard deviation of speed
EXTENT = 2.5  # the film shows the spot's places up to so many standard deviations


def simulate_stimulus_population(
    n_units: int = 40,
    duration: float = 600.0,
    *,
    film: tuple[int, int] | None = None,
    connected: float = 0.05,
    strength: float = 0.3,
    sampling_rate: float = 100.0,
    seed: int = 0,
) -> Recording:
    """Simulate units with receptive fields, gain by whisking, and connections among them.

    A spot wanders over a screen. Unit ``i`` fires by itself at

        ``(0.5 + 20 exp(-|spot(t - 0.05 s) - centre_i|² / (2 · 0.45²))) · exp(speed(t) - 0.5)`` Hz

    with the speed of the whiskers in z-scores, so that the last factor is 1 on average; its
    spikes then drive those of other units with a delay. So stimulus, behaviour and past spikes
    each tell something about the next spikes that the others do not, and the stream
    ``behaviour_unrelated``, a drift of the same statistics as the speed, tells nothing: what
    an ablation by modality must find. A perceptron that reads 250 ms of past and predicts the
    next 50 ms gains about 0.13 bits per spike from the stimulus, 0.08 from behaviour beside it,
    and 0.00 from the drift.

    Parameters
    ----------
    n_units : int
        Whose receptive fields lie where the spot is likely to be.
    duration : float
        In seconds.
    film : (int, int), optional
        Rows and columns: the stimulus is a film of the spot instead of its place.
    connected, strength : float
        As in :func:`neurokit.datasets.simulate_sparse_network`.
    sampling_rate : float
        Of stimulus and behaviour, in Hz.
    seed : int
        Where chance comes from; receptive fields and wiring are the same for any duration.

    Returns
    -------
    Recording
        ``spikes``, whose units carry their field's ``centre_x`` and ``centre_y``;
        ``stimulus`` over (time, variable), the spot's ``x`` and ``y`` in z-scores, or with
        ``film`` over (time, row, column), from 0 to 1; ``behaviour`` with the variable
        ``speed`` and ``behaviour_unrelated`` with ``drift``, in z-scores. The wiring is in
        ``meta["connectivity"]``, see :func:`neurokit.datasets.true_connectivity`;
        ``meta["informative"]`` and ``meta["uninformative"]`` name the streams.

    Raises
    ------
    DataError
        If activity would grow without bound, or a number makes no sense.

    Examples
    --------
    >>> rec = simulate_stimulus_population(duration=20)
    >>> sorted(rec.streams)
    ['behaviour', 'behaviour_unrelated', 'spikes', 'stimulus']
    >>> simulate_stimulus_population(duration=5, film=(8, 8))["stimulus"].shape
    (500, 8, 8)
    """
    units = arguments.whole("n_units", n_units, 2)
    duration = arguments.positive("duration (s)", duration)
    rate = arguments.positive("sampling_rate (Hz)", sampling_rate)
    chance = np.random.default_rng(arguments.whole("seed", seed, 0)).spawn(3)
    strengths = np.full(units, part("strength", strength))
    wiring = sparse_wiring(strengths, connected, (0.01, 0.03), 0.002, chance[0])
    centre = chance[0].standard_normal((units, 2))
    n = int(np.ceil(duration * rate))
    spot, speed, drift = _wandering(n, rate, chance[1])
    spot, seen = spot[-n:], spot[:n]
    own = poisson_spikes(_rates(seen, speed, centre), 1 / rate, chance[2])
    time, unit = driven_spikes(*own, wiring, duration, chance[2])
    inside = time < duration
    table = {"id": np.arange(units), "centre_x": centre[:, 0], "centre_y": centre[:, 1]}
    streams = {
        "stimulus": _place(spot, rate) if film is None else _film(spot, rate, film),
        "behaviour": continuous(speed, rate, ["speed"], "behaviour", "z"),
        "behaviour_unrelated": continuous(drift, rate, ["drift"], "behaviour_unrelated", "z"),
    }
    meta = {
        "source": f"simulate_stimulus_population(seed={seed})",
        "connectivity": wiring.rows(),
        "informative": ["stimulus", "behaviour"],
        "uninformative": ["behaviour_unrelated"],
    }
    return Recording.from_spikes(
        time[inside], unit[inside], n / rate, streams=streams,
        unit_table=pd.DataFrame(table), meta=meta,
    )  # fmt: skip


def _wandering(n: int, rate: float, rng: np.random.Generator) -> tuple[Array, Array, Array]:
    """Draw the spot's place from before the beginning on, speed, and a value without effect."""
    spot = smooth_noise(
        n + round(LATENCY * rate), 2, rng, sampling_rate=rate, timescale=SPOT_TIMESCALE
    )
    other = smooth_noise(n, 2, rng, sampling_rate=rate, timescale=SPEED_TIMESCALE)
    return spot, other[:, :1], other[:, 1:]


def _rates(spot: Array, speed: Array, centre: Array) -> Array:
    """Return what each unit fires by itself, shape (sample, unit) in Hz."""
    distance = ((spot[:, None] - centre) ** 2).sum(axis=-1)
    seen = SPONTANEOUS + PEAK * np.exp(-distance / (2 * FIELD**2))
    rates: Array = seen * np.exp(GAIN * speed - GAIN**2 / 2)
    return rates


def _place(spot: Array, rate: float) -> xr.DataArray:
    return continuous(spot, rate, ["x", "y"], "stimulus", "z")


def _film(spot: Array, rate: float, shape: tuple[int, int]) -> xr.DataArray:
    """Draw the spot as a blur that is one field wide."""
    if not isinstance(shape, tuple | list) or len(shape) != 2:
        raise DataError(f"film is {shape!r}, expected rows and columns, such as (8, 8).")
    rows, columns = (np.linspace(-EXTENT, EXTENT, arguments.whole("film", k, 2)) for k in shape)
    x, y = spot[:, :1].astype(np.float32), spot[:, 1:].astype(np.float32)
    across = np.exp(-((x - columns) ** 2) / (2 * FIELD**2))
    down = np.exp(-((y - rows) ** 2) / (2 * FIELD**2))
    return xr.DataArray(
        (down[:, :, None] * across[:, None, :]).astype(np.float32),
        {"time": time_axis(len(spot), rate)},
        ("time", "row", "column"),
        attrs={"sampling_rate": rate, "units": "a.u."},
    )
