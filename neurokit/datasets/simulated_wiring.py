"""Who drives whom in a simulated network."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from neurokit import arguments
from neurokit.errors import DataError
from neurokit.recording import Recording

__all__ = ["Wiring", "in_order", "part", "sparse_wiring", "true_connectivity"]

Array = NDArray[np.float64]
Index = NDArray[np.intp]


@dataclass(frozen=True)
class Wiring:
    """Directed connections between units.

    Attributes
    ----------
    n_units : int
        Units, numbered from 0.
    source, target : ndarray of int, shape (edge,)
        Who drives whom.
    weight : ndarray, shape (edge,)
        Probability in [-1, 1]: above 0 that a spike of the source adds one of the target,
        below 0 that it removes each of the target's spikes while inhibition lasts.
    delay : ndarray, shape (edge,)
        In seconds.
    jitter : float
        A spike follows after the delay, give or take at most so many seconds.
    inhibition : float
        Seconds that inhibition lasts, counted from the delay.

    Raises
    ------
    DataError
        If a weight is no probability, an effect may precede its cause, or activity would
        grow without bound.
    """

    n_units: int
    source: Index
    target: Index
    weight: Array
    delay: Array
    jitter: float = 0.002
    inhibition: float = 0.02

    def __post_init__(self) -> None:
        if self.weight.size and np.abs(self.weight).max() > 1:
            raise DataError(
                f"The strongest connection has weight {np.abs(self.weight).max():g}; weights are "
                "probabilities, 1 at most."
            )
        first = float(self.delay.min(initial=np.inf))
        if not 0 <= self.jitter < first:
            raise DataError(
                f"A jitter of {self.jitter:g} s around delays from {first:g} s would let effects "
                "precede causes. Raise the delays or lower the jitter."
            )
        growth = self.growth
        if growth >= 1:
            raise DataError(
                f"Each spike would cause {growth:.2f} others, and activity would grow without "
                "bound. Make connections fewer or weaker."
            )

    @property
    def growth(self) -> float:
        """Spikes that a spike causes in the long run: the largest eigenvalue of the drive."""
        if not self.weight.size:
            return 0.0
        return float(np.abs(np.linalg.eigvals(self.drive())).max())

    def drive(self) -> Array:
        """Return the expected children of a spike, inhibition left out.

        Returns
        -------
        ndarray, shape (target, source)
            0 where nothing drives.
        """
        out = np.zeros((self.n_units, self.n_units))
        out[self.target, self.source] = np.maximum(self.weight, 0)
        return out

    def rows(self) -> list[list[float]]:
        """Return the connections as plain data, for the metadata of a recording.

        Returns
        -------
        list of [source, target, weight, delay]
            Unit ids, probability, seconds.
        """
        parts = (self.source, self.target, self.weight.round(4), self.delay.round(6))
        return [list(row) for row in zip(*(p.tolist() for p in parts), strict=True)]


def sparse_wiring(
    strength: Array,
    connected: float,
    delays: tuple[float, float],
    jitter: float,
    rng: np.random.Generator,
) -> Wiring:
    """Connect ordered pairs of different units by chance.

    Parameters
    ----------
    strength : ndarray, shape (unit,)
        Weight of all connections from each unit; connections of weight 0 are left out.
    connected : float
        Probability of each connection.
    delays : (float, float)
        Seconds between which delays are uniform.
    jitter : float
        Of each effect, in seconds.
    rng : numpy.random.Generator
        Where chance comes from.

    Returns
    -------
    Wiring
        In order of source and target.

    Examples
    --------
    >>> sparse_wiring(np.ones(3) / 4, 1.0, (0.01, 0.02), 0.0, np.random.default_rng(0)).target
    array([1, 2, 0, 2, 0, 1])
    """
    n = strength.size
    there = (rng.random((n, n)) < part("connected", connected)) & ~np.eye(n, dtype=bool)
    delay = rng.uniform(*in_order("delays (s)", delays), (n, n))
    source, target = np.nonzero(there & (strength[:, None] != 0))
    return Wiring(n, source, target, strength[source], delay[source, target], jitter)


def true_connectivity(rec: Recording, what: Literal["weight", "delay"] = "weight") -> xr.DataArray:
    """Return the connections that a simulated recording was drawn from.

    Parameters
    ----------
    rec : Recording
        From ``nk.datasets.simulate_hub_network``, ``simulate_sparse_network`` or
        ``simulate_stimulus_population``.
    what : {"weight", "delay"}
        ``"weight"``: the probability that a spike of the source adds one of the target;
        negative where it removes them; 0 where there is no connection. ``"delay"``: seconds;
        NaN where there is no connection.

    Returns
    -------
    xr.DataArray
        Dims ``(target, source)`` with unit ids as coordinates.

    Raises
    ------
    DataError
        If the recording's metadata hold no connections.

    Examples
    --------
    >>> from neurokit.datasets import simulate_hub_network
    >>> truth = true_connectivity(simulate_hub_network(duration=10))
    >>> truth.sizes, int((truth > 0).sum())
    (Frozen({'target': 60, 'source': 60}), 108)
    """
    arguments.known("what", what, ("weight", "delay"))
    arguments.instance("The recording", rec, Recording, "a Recording")
    rows = rec.meta.get("connectivity")
    if rows is None or "spikes" not in rec:
        raise DataError(
            "The recording's meta has no 'connectivity': the truth is known of simulated "
            "networks only."
        )
    ids = rec["spikes"]["id"].values
    source, target, weight, delay = np.array(rows, dtype=np.float64).reshape(-1, 4).T
    kept = np.isin(source, ids) & np.isin(target, ids)
    by_id = np.argsort(ids)
    at = [by_id[np.searchsorted(ids[by_id], end[kept])] for end in (target, source)]
    out = np.full((ids.size, ids.size), 0.0 if what == "weight" else np.nan)
    out[tuple(at)] = (weight if what == "weight" else delay)[kept]
    return xr.DataArray(out, {"target": ids, "source": ids}, ("target", "source"), name=what)


def in_order(what: str, value: tuple[float, float]) -> tuple[float, float]:
    """Return a pair of numbers, neither negative, the first not above the second.

    Parameters
    ----------
    what : str
        How the message calls it, with its unit.
    value : (float, float)
        As the caller gave it.

    Returns
    -------
    (float, float)
        The numbers.

    Raises
    ------
    DataError
        If it is no such pair.

    Examples
    --------
    >>> in_order("delays (s)", (0.01, 0.03))
    (0.01, 0.03)
    """
    if not isinstance(value, tuple | list) or len(value) != 2:
        raise DataError(f"{what} is {value!r}, expected a pair, such as (0.01, 0.03).")
    low, high = (arguments.number(what, v) for v in value)
    if not 0 <= low <= high:
        raise DataError(f"{what} is {value!r}, expected a pair in order, not below 0.")
    return low, high


def part(what: str, value: float) -> float:
    """Return a number between 0 and 1.

    Parameters
    ----------
    what : str
        How the message calls it.
    value : float
        As the caller gave it.

    Returns
    -------
    float
        The number.

    Raises
    ------
    DataError
        If it is none.

    Examples
    --------
    >>> part("connected", 0.1)
    0.1
    """
    share = arguments.number(what, value)
    if not 0 <= share <= 1:
        raise DataError(f"{what} is {share:g}, expected a part between 0 and 1.")
    return share
