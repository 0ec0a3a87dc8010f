"""Spiking networks whose wiring is known: hubs that drive groups, and sparse chance."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from neurokit import arguments
from neurokit.datasets.simulated_driving import driven_spikes
from neurokit.datasets.simulated_processes import poisson_spikes
from neurokit.datasets.simulated_wiring import Wiring, in_order, part, sparse_wiring
from neurokit.errors import DataError
from neurokit.recording import Recording

__all__ = ["simulate_hub_network", "simulate_sparse_network"]

Array = NDArray[np.float64]


def simulate_hub_network(
    n_units: int = 60,
    n_groups: int = 3,
    hubs_per_group: int = 2,
    duration: float = 600.0,
    *,
    base_rate: float = 2.0,
    hub_rate: float = 6.0,
    strength: tuple[float, float] = (0.2, 0.6),
    delays: tuple[float, float] = (0.01, 0.03),
    jitter: float = 0.002,
    seed: int = 0,
) -> Recording:
    """Simulate groups of units, each driven by a few hubs of its own.

    Units fire by themselves as Poisson processes; each hub drives all other units of its
    group that are no hubs. After a hub's spike a driven unit fires one more with the
    connection's probability, after the connection's delay. Members of a group share their
    input and so are correlated, though none drives another: what a method that reads
    directions must tell apart.

    Parameters
    ----------
    n_units : int
        In all.
    n_groups : int
        Of equal size, give or take one.
    hubs_per_group : int
        The first units of each group.
    duration : float
        In seconds.
    base_rate, hub_rate : float
        Spikes per second that a member and a hub fire by themselves.
    strength : (float, float)
        Each connection's probability lies between these.
    delays : (float, float)
        Each connection's delay in seconds lies between these.
    jitter : float
        A driven spike comes at most so many seconds before or after its delay.
    seed : int
        The wiring is the same for any duration.

    Returns
    -------
    Recording
        Stream ``spikes``; its units carry ``group`` and ``hub``. ``meta["connectivity"]``
        lists ``[source id, target id, probability, delay in s]``, which
        :func:`neurokit.datasets.true_connectivity` turns into a matrix; ``meta["hubs"]``
        lists the hubs' ids.

    Raises
    ------
    DataError
        If a group would have no member besides its hubs, or a number makes no sense.

    Examples
    --------
    >>> rec = simulate_hub_network(duration=20)
    >>> rec.meta["hubs"], rec["spikes"].sizes["unit"]
    ([0, 1, 20, 21, 40, 41], 60)
    """
    units, duration = arguments.whole("n_units", n_units, 2), _seconds(duration)
    group, hub = _groups(units, n_groups, hubs_per_group)
    for_wiring, for_spikes = np.random.default_rng(arguments.whole("seed", seed, 0)).spawn(2)
    source, target = np.nonzero(hub[:, None] & ~hub & (group[:, None] == group))
    low, high = in_order("strength (probability)", strength)
    weight = for_wiring.uniform(low, high, source.size)
    delay = for_wiring.uniform(*in_order("delays (s)", delays), source.size)
    kept = weight > 0
    wiring = Wiring(units, source[kept], target[kept], weight[kept], delay[kept], jitter)
    rates = np.where(hub, _rate("hub_rate", hub_rate), _rate("base_rate", base_rate))
    table = pd.DataFrame({"id": np.arange(units), "group": group, "hub": hub})
    meta = {"source": f"simulate_hub_network(seed={seed})", "hubs": np.flatnonzero(hub)}
    return _network(rates, wiring, duration, for_spikes, table, meta)


def simulate_sparse_network(
    n_units: int = 50,
    duration: float = 600.0,
    *,
    connected: float = 0.03,
    strength: float = 0.4,
    inhibitory: float = 0.0,
    base_rate: float = 3.0,
    delays: tuple[float, float] = (0.01, 0.03),
    jitter: float = 0.002,
    seed: int = 0,
) -> Recording:
    """Simulate units of which each pair is connected by chance, each direction for itself.

    Parameters
    ----------
    n_units : int
        In all.
    duration : float
        In seconds.
    connected : float
        Probability that one unit drives a certain other.
    strength : float
        Probability that a spike adds one of a driven unit: 0.4 is strong, 0.1 is weak, 0
        leaves independent Poisson units.
    inhibitory : float
        Part of the units that inhibit instead: each of their spikes removes, with
        probability ``strength`` each, the target's spikes in the 20 ms after the delay.
    base_rate : float
        Spikes per second that each unit fires by itself.
    delays : (float, float)
        Each connection's delay in seconds lies between these.
    jitter : float
        A driven spike comes at most so many seconds before or after its delay.
    seed : int
        The wiring is the same for any duration, strength and rate.

    Returns
    -------
    Recording
        Stream ``spikes``; its units carry ``inhibitory``. ``meta["connectivity"]`` lists
        ``[source id, target id, probability, delay in s]``, the probability negative for
        inhibition; :func:`neurokit.datasets.true_connectivity` makes a matrix of it.

    Raises
    ------
    DataError
        If each spike would cause another or more, so that activity would grow without
        bound, or a number makes no sense.

    Examples
    --------
    >>> rec = simulate_sparse_network(duration=20, strength=0.1)
    >>> len(rec.meta["connectivity"]), rec["spikes"].sizes["unit"]
    (84, 50)
    """
    units, duration = arguments.whole("n_units", n_units, 2), _seconds(duration)
    for_wiring, for_spikes = np.random.default_rng(arguments.whole("seed", seed, 0)).spawn(2)
    inhibits = for_wiring.permutation(units) < round(units * part("inhibitory", inhibitory))
    wiring = sparse_wiring(
        np.where(inhibits, -1, 1) * part("strength", strength),
        connected, delays, jitter, for_wiring,
    )  # fmt: skip
    table = pd.DataFrame({"id": np.arange(units), "inhibitory": inhibits})
    rates = np.full(units, _rate("base_rate", base_rate))
    meta = {"source": f"simulate_sparse_network(seed={seed})"}
    return _network(rates, wiring, duration, for_spikes, table, meta)


def _network(
    rates: Array,
    wiring: Wiring,
    duration: float,
    rng: np.random.Generator,
    table: pd.DataFrame,
    meta: dict[str, Any],
) -> Recording:
    """Draw the spikes of a network whose units fire at constant rates by themselves."""
    own = poisson_spikes(rates[None], duration, rng)
    time, unit = driven_spikes(*own, wiring, duration, rng)
    meta = {**meta, "connectivity": wiring.rows()}
    return Recording.from_spikes(time, unit, duration, unit_table=table, meta=meta)


def _groups(
    n_units: int, n_groups: int, hubs_per_group: int
) -> tuple[NDArray[np.intp], NDArray[np.bool_]]:
    """Return each unit's group and whether it is a hub."""
    groups = arguments.whole("n_groups", n_groups, 1)
    hubs = arguments.whole("hubs_per_group", hubs_per_group, 0)
    if n_units // groups <= hubs:
        raise DataError(
            f"{n_units} units make {groups} groups of {n_units // groups}: no room for "
            f"{hubs} hubs and a member each. Raise n_units."
        )
    group = np.arange(n_units) * groups // n_units
    return group, np.arange(n_units) - np.searchsorted(group, group) < hubs


def _seconds(duration: float) -> float:
    return arguments.positive("duration (s)", duration)


def _rate(what: str, value: float) -> float:
    rate = arguments.number(f"{what} (Hz)", value)
    if rate < 0:
        raise DataError(f"{what} is {rate:g} Hz, expected 0 or more.")
    return rate
