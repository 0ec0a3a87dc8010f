"""Whether windows are what a Du-IN was made for."""

from __future__ import annotations

from typing import Any

import numpy as np

from neurokit.errors import DataError, UnknownNameError
from neurokit.models.duin.config import DuINConfig

__all__ = ["check_windows"]

LOOKED_AT = 64  # windows, evenly over the recordings
# Of z-scores that were fitted on similar data, in their own unit.
SMALLEST_DEVIATION, LARGEST_DEVIATION = 1e-3, 30.0


def check_windows(config: DuINConfig, win: Any) -> None:
    """Raise one clear error if windows do not fit, in the order: unit, rate, length, channels.

    Parameters
    ----------
    config : DuINConfig
        Settings of the model.
    win : Windows
        With ``units``, ``sampling_rate``, ``n_samples`` and ``montages``, the names of each
        subject's channels.

    Raises
    ------
    DataError
        Another unit, rate, length or number of channels; a channel without a value, or
        amplitudes that no z-scores have.
    UnknownNameError
        A channel that the model does not know.

    Examples
    --------
    >>> from neurokit.recording import Recording
    >>> from neurokit.windows import sliding
    >>> rec = Recording.from_array(np.ones((400, 1)), 1024, stream="ieeg", units="uV")
    >>> check_windows(DuINConfig.preset("tiny"), sliding(rec, stream="ieeg", length=0.2))
    Traceback (most recent call last):
    neurokit.errors.DataError: The windows are in 'V', expected z-scores ('z'). ...
    """
    _check_unit(win.units)
    _check_rate(config, win.sampling_rate)
    _check_length(config, win.n_samples, win.sampling_rate)
    _check_channels(config, win.montages)
    _check_values(win, win.montages)


def _check_unit(units: str) -> None:
    if units != "z":
        raise DataError(
            f"The windows are in {units!r}, expected z-scores ('z'). Try "
            "nk.preprocessing.standardize(rec, fit_on=...) with the training data alone."
        )


def _check_rate(config: DuINConfig, rate: float) -> None:
    if abs(rate - config.sampling_rate) > 1e-3 * config.sampling_rate:
        raise DataError(
            f"The windows have {rate:g} Hz, the model {config.sampling_rate:g} Hz. Try "
            f"nk.preprocessing.resample(rec, {config.sampling_rate:g})."
        )


def _check_length(config: DuINConfig, n_samples: int, rate: float) -> None:
    if n_samples < config.patch or n_samples % config.patch:
        whole = max(1, round(n_samples / config.patch)) * config.patch
        raise DataError(
            f"The windows have {n_samples} samples, expected whole patches of {config.patch}. Cut "
            f"windows of {whole} samples, length={whole}/{rate:g} s."
        )


def _check_channels(config: DuINConfig, montages: tuple[tuple[str, ...], ...]) -> None:
    found = tuple(len(names) for names in montages)
    if found != config.channels:
        raise DataError(
            f"The windows have {found} channels (one number a subject), the model "
            f"{config.channels}. Give channels={found} to its config, or pick the channels."
        )
    for known, names in zip(config.names, montages, strict=bool(config.names)):
        for name in names:
            if name not in known:
                raise UnknownNameError("channel", name, known)
        if names != known:
            raise DataError(f"The channels are in the order {names}, expected {known}.")


def _check_values(win: Any, montages: tuple[tuple[str, ...], ...]) -> None:
    """Look at some windows, for a channel that was never there and for a slip of units."""
    rows = np.unique(np.linspace(0, len(win) - 1, LOOKED_AT).astype(int))
    batch = win.batch(rows)
    x = batch["x"].numpy()
    subject = batch["subject"].numpy() if "subject" in batch else np.zeros(len(x), dtype=int)
    for number in np.unique(subject):
        names = montages[number]
        values = x[subject == number].reshape(-1, x.shape[-1])[:, : len(names)]
        bad = [name for name, v in zip(names, values.T, strict=True) if np.isnan(v).any()]
        if bad:
            raise DataError(
                f"{len(bad)} of {len(names)} channels have missing values (NaN): "
                f"{', '.join(bad[:8])}. Interpolate or drop them before windowing."
            )
        deviation = float(np.sqrt(np.mean(values.astype(np.float64) ** 2)))
        if not SMALLEST_DEVIATION <= deviation <= LARGEST_DEVIATION:
            raise DataError(
                f"The windows are said to be z-scores, but their root mean square is "
                f"{deviation:.3g}, expected about 1. Standardise them on the training data."
            )
