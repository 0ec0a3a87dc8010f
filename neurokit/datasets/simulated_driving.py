"""The spikes that spikes cause and prevent in a network of known wiring."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from neurokit.datasets.simulated_wiring import Wiring

__all__ = ["driven_spikes"]

Array = NDArray[np.float64]
Index = NDArray[np.intp]


def driven_spikes(
    time: Array, unit: Index, wiring: Wiring, duration: float, rng: np.random.Generator
) -> tuple[Array, Index]:
    """Add the spikes that spikes cause, and those that these cause, until none is left.

    A branching process (Hawkes and Oakes 1974), drawn generation by generation: all spikes of
    a generation draw their children at once.

    Parameters
    ----------
    time : ndarray, shape (spike,)
        Seconds of the spikes that come by themselves.
    unit : ndarray of int, shape (spike,)
        Index of their units.
    wiring : Wiring
        Who drives whom.
    duration : float
        Seconds; later spikes are left out.
    rng : numpy.random.Generator
        Where chance comes from.

    Returns
    -------
    time, unit : ndarray, shape (spike,)
        Of all spikes, not sorted.

    Examples
    --------
    >>> chain = Wiring(3, np.array([0, 1]), np.array([1, 2]), np.ones(2), np.full(2, 0.01),
    ...                jitter=0)
    >>> driven_spikes(np.array([0.5]), np.array([0]), chain, 1.0, np.random.default_rng(0))
    (array([0.5 , 0.51, 0.52]), array([0, 1, 2]))
    """
    excites = np.flatnonzero(wiring.weight > 0)
    edges, first = _by_source(wiring, excites)
    times, units, parents = [time], [unit], [np.full(time.size, -1)]
    n_before = 0
    while time.size:
        parent, edge = _fan_out(unit, first)
        edge = edges[edge]
        follows = rng.random(edge.size) < wiring.weight[edge]
        parent, edge = parent[follows], edge[follows]
        shift = wiring.jitter * rng.uniform(-1, 1, edge.size)
        child = time[parent] + wiring.delay[edge] + shift
        inside = child < duration
        parents.append(n_before + parent[inside])
        n_before += time.size
        time, unit = child[inside], wiring.target[edge[inside]]
        times.append(time)
        units.append(unit)
    time, unit = np.concatenate(times), np.concatenate(units)
    if excites.size < wiring.weight.size:
        alive = _survivors(time, unit, np.concatenate(parents), wiring, rng)
        time, unit = time[alive], unit[alive]
    return time, unit


def _by_source(wiring: Wiring, chosen: Index) -> tuple[Index, Index]:
    """Sort chosen edges by source; return them and where each unit's edges begin."""
    edges = chosen[np.argsort(wiring.source[chosen], kind="stable")]
    return edges, np.searchsorted(wiring.source[edges], np.arange(wiring.n_units + 1))


def _fan_out(unit: Index, first: Index) -> tuple[Index, Index]:
    """Pair each spike with each edge of its unit."""
    return _ranges(first[unit], first[unit + 1])


def _ranges(start: Index, stop: Index) -> tuple[Index, Index]:
    """List all numbers of many ranges, and beside each the row of its range."""
    n = stop - start
    row = np.repeat(np.arange(n.size), n)
    return row, np.arange(row.size) + np.repeat(start - (n.cumsum() - n), n)


def _survivors(
    time: Array, unit: Index, parent: Index, wiring: Wiring, rng: np.random.Generator
) -> NDArray[np.bool_]:
    """Say which spikes remain when those removed by inhibition cause and inhibit nothing.

    Whether a spike remains depends on earlier ones only, so repeating the rule settles the
    answer from the beginning of time on; a few rounds do, as chains of effects are short.
    """
    killer, victim = _removals(time, unit, wiring, rng)
    alive = np.ones(time.size, dtype=bool)
    while True:
        left = (parent < 0) | alive[parent]
        left[victim[alive[killer]]] = False
        if (left == alive).all():
            return alive
        alive = left


def _removals(
    time: Array, unit: Index, wiring: Wiring, rng: np.random.Generator
) -> tuple[Index, Index]:
    """Pair inhibiting spikes with those that they remove if they happen."""
    edges, first = _by_source(wiring, np.flatnonzero(wiring.weight < 0))
    spike, edge = _fan_out(unit, first)
    edge = edges[edge]
    # On one axis with a stretch for each unit, the spikes of a unit and time are neighbours.
    stretch = time.max(initial=0) + wiring.delay.max() + wiring.inhibition + 1
    place = unit * stretch + time
    order = np.argsort(place)
    begin = wiring.target[edge] * stretch + time[spike] + wiring.delay[edge]
    found = (np.searchsorted(place[order], edge_) for edge_ in (begin, begin + wiring.inhibition))
    pair, member = _ranges(*found)
    hit = rng.random(pair.size) < -wiring.weight[edge[pair]]
    return spike[pair[hit]], order[member[hit]]
