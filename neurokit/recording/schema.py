"""What a stream of each kind looks like: its dimension, its unit, its rules."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["FEATURE_DIMS", "Kind", "kind_of", "likely_units", "voltage_factor"]

FEATURE_DIMS = ("channel", "roi", "voxel", "unit", "variable")

_VOLTAGE = {"V": 1.0, "mV": 1e-3, "uV": 1e-6, "nV": 1e-9}
# The most common first.
_LIKELY = ("uV", "mV", "V", "nV")
# Scalp and depth EEG have 1 to 500 µV; twice as wide, so that no number lies between two units.
_TYPICAL_VOLTS = (0.5e-6, 1e-3)
_SPELLED_OUT = {"volt": "V", "millivolt": "mV", "microvolt": "uV", "nanovolt": "nV"}


@dataclass(frozen=True)
class Kind:
    """The conventions of one kind of stream.

    Attributes
    ----------
    dim : str
        Name of the dimension after ``time``.
    units : str
        Unit assumed when none is given.
    strict : bool
        Whether samples must be evenly spaced and finite. Behaviour may have gaps.
    """

    dim: str = "channel"
    units: str = "a.u."
    strict: bool = True


_KINDS = {
    "eeg": Kind(units="V"),
    "ieeg": Kind(units="V"),
    "lfp": Kind(units="V"),
    "meg": Kind(units="T"),
    "meg_gradient": Kind(units="T/m"),
    "bold": Kind(dim="roi"),
    "calcium": Kind(dim="unit"),
    "counts": Kind(dim="unit", units="count"),
    "rates": Kind(dim="unit", units="Hz"),
    "behaviour": Kind(dim="variable", strict=False),
    "confounds": Kind(dim="variable", strict=False),
    "stimulus": Kind(dim="variable", strict=False),
}


def kind_of(stream: str) -> Kind:
    """Return the conventions of a stream by its name.

    Parameters
    ----------
    stream : str
        The stream's name: a kind, or a kind, ``_`` and what sets it apart from another
        stream of that kind (``eeg_left``, ``behaviour_wheel``). Any other name follows the
        general rules: dimension ``channel``, arbitrary units.

    Returns
    -------
    Kind
        The conventions.

    Examples
    --------
    >>> kind_of("eeg").units
    'V'
    >>> kind_of("behaviour_wheel").strict
    False
    """
    return _KINDS.get(stream) or _KINDS.get(stream.partition("_")[0]) or Kind()


def voltage_factor(units: str) -> float | None:
    """Return how many volts one of the given unit is.

    Parameters
    ----------
    units : str
        ``"V"``, ``"mV"``, ``"uV"`` (or ``"µV"``), ``"nV"``, or spelled out.

    Returns
    -------
    float or None
        The factor to volts; None for what is not a voltage.

    Examples
    --------
    >>> voltage_factor("uV")
    1e-06
    """
    # Both the micro sign and the Greek letter are in use; MV would be another unit than mV.
    plain = units.strip().replace("\u00b5", "u").replace("\u03bc", "u")
    plain = _SPELLED_OUT.get(plain.lower().removesuffix("s"), plain)
    return _VOLTAGE.get("uV" if plain.lower() == "uv" else plain)


def likely_units(amplitude: float) -> list[str]:
    """Return the units in which a typical amplitude would be that of EEG.

    Parameters
    ----------
    amplitude : float
        The bare number, whatever its unit is said to be.

    Returns
    -------
    list of str
        Those of ``"uV"``, ``"mV"``, ``"V"`` and ``"nV"`` that give about 1 to 500 µV, the most
        common first; empty where none does.

    Examples
    --------
    >>> likely_units(20), likely_units(0.02), likely_units(0.7), likely_units(1e9)
    (['uV'], ['mV'], ['uV', 'mV'], [])
    """
    low, high = _TYPICAL_VOLTS
    return [unit for unit in _LIKELY if low <= amplitude * _VOLTAGE[unit] <= high]
