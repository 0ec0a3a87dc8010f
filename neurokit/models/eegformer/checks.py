"""What windows must be to be given to an EEGFormer."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch

from neurokit.errors import DataError, UnknownNameError
from neurokit.models.eegformer.config import EEGFormerConfig
from neurokit.models.nn.missing import refuse_missing
from neurokit.recording.schema import likely_units, voltage_factor

__all__ = ["check_windows"]

N_LOOKED_AT = 32
# From quiet bipolar to epileptic EEG; a slip of 10^6 leaves this range wherever it began.
PLAUSIBLE = (0.1, 10_000.0)  # µV


def check_windows(win: Any, config: EEGFormerConfig) -> None:
    """Raise one clear error where windows do not fit.

    Rate, length and unit are compared with the configuration. Some windows from all over the
    data are looked at: channels that have no value at all, missing values, and amplitudes that
    no EEG has.

    Parameters
    ----------
    win : Windows
        Of one stream.
    config : EEGFormerConfig
        Settings of the model.

    Raises
    ------
    DataError
        Another rate or length, missing values, or implausible amplitudes.
    UnknownNameError
        A unit that is no voltage.

    Examples
    --------
    >>> import neurokit as nk
    >>> rec = nk.Recording.from_array(1e-5 * np.random.randn(1280, 2), 128, stream="eeg")
    >>> win = nk.windows.sliding(rec, stream="eeg", length=2)
    >>> check_windows(win, EEGFormerConfig.preset("tiny"))
    Traceback (most recent call last):
    neurokit.errors.DataError: Windows of 2 s (256 samples) for an EEGFormer of 5 s (640 samples)...
    """
    _check_rate(win, config)
    _check_length(win, config)
    _check_unit(win, config)
    rows = np.unique(np.linspace(0, len(win) - 1, N_LOOKED_AT).round().astype(np.int64))
    x = win.batch(rows)["x"]
    if x.ndim != 3:
        raise DataError(f"Expected windows of (time, channel); got {tuple(x.shape[1:])}.")
    _check_finite(x, win.names, rows)
    _check_amplitude(x, config)


def _check_rate(win: Any, config: EEGFormerConfig) -> None:
    if not np.isclose(win.sampling_rate, config.sampling_rate, rtol=1e-6):
        raise DataError(
            f"The windows have {win.sampling_rate:g} Hz, the EEGFormer takes "
            f"{config.sampling_rate:g} Hz. Resample the recordings (nk.preprocessing.resample), or "
            "set sampling_rate in its configuration."
        )


def _check_length(win: Any, config: EEGFormerConfig) -> None:
    if win.n_samples != config.n_samples:
        short = win.n_samples // (1 if config.patch_domain == "time" else 2) < config.patch_length
        raise DataError(
            f"Windows of {win.length:g} s ({win.n_samples} samples) for an EEGFormer of "
            f"{config.window:g} s ({config.n_samples} samples)"
            f"{f': shorter than a patch, {config.patch_length}' * short}. Cut windows of "
            "that length, or set window in its configuration."
        )


def _check_unit(win: Any, config: EEGFormerConfig) -> None:
    factor = voltage_factor(win.units)
    if factor is None:
        raise UnknownNameError("unit of the windows", win.units, ("V", "mV", "uV", "nV"))
    if factor != voltage_factor(config.units):
        raise DataError(
            f"The windows are in {win.units!r}, the EEGFormer takes {config.units!r}. Convert "
            f"them, or set units={win.units!r} in its configuration."
        )


def _check_finite(x: torch.Tensor, names: tuple[str, ...], rows: np.ndarray) -> None:
    missing = ~torch.isfinite(x)
    if not missing.any():
        return
    empty = [names[i] for i in missing.flatten(0, 1).all(dim=0).nonzero()[:, 0].tolist()]
    if empty:
        raise DataError(
            f"Channels {empty} have no values: all are missing in the {len(rows)} windows looked "
            "at. Leave these channels out, or interpolate them."
        )
    refuse_missing(x, rows, names)


def _check_amplitude(x: torch.Tensor, config: EEGFormerConfig) -> None:
    microvolts = 1e6 * (voltage_factor(config.units) or 1.0)
    number = float(x.double().std(dim=1).median())
    typical = number * microvolts
    if not PLAUSIBLE[0] <= typical <= PLAUSIBLE[1]:
        likely = likely_units(number)
        units = " or ".join(f"units={unit!r}" for unit in likely)
        hint = (
            f"By their size they are in {' or '.join(likely)}: make the recordings with {units}."
            if likely
            else "No voltage fits their size: were they scaled to volts twice, or are they counts?"
        )
        raise DataError(
            f"The windows' typical amplitude is {typical:.3g} µV (RMS, read as {config.units!r}); "
            f"EEG has 1 to 1,000 µV. Is the unit right? {hint}"
        )
