"""Whether windows are what a Neuroformer was made for."""

from __future__ import annotations

from typing import Any

import numpy as np

from neurokit import arguments
from neurokit.errors import DataError, UnknownNameError
from neurokit.models.neuroformer.config import Modality, NeuroformerConfig

__all__ = ["check_windows"]

LOOKED_AT = 64  # windows, evenly over the recordings
# Of z-scores that were fitted on similar data, in their own unit.
LARGEST_DEVIATION = 30.0


def check_windows(config: NeuroformerConfig, win: Any) -> None:
    """Raise one clear error if windows do not fit: clock, units, modalities, targets, values.

    Parameters
    ----------
    config : NeuroformerConfig
        Settings of the model.
    win : SpikeWindows
        What it is to be given.

    Raises
    ------
    DataError
        Other durations, other units, modalities of another shape, missing values, or values
        that no z-scores have.
    UnknownNameError
        A modality or target that the windows lack.
    """
    arguments.like("win", win, "vocabulary", "windows of spikes, see nk.windows.spike_windows")
    _check_clock(config, win)
    _check_units(config, win)
    for modality in config.modalities:
        if modality.name not in win.beside:
            kind = "stream beside the spikes (the model reads it: cut windows with beside=)"
            raise UnknownNameError(kind, modality.name, win.beside)
    names = tuple(win.target_names)
    # Windows without labels can be read, and a model without targets does not look at them.
    if config.targets and names and config.targets != names:
        raise DataError(
            f"The windows have targets {names}, the model reads {config.targets}. Name the same "
            "ones in the same order."
        )
    _check_sources(config, win)
    if not len(win):
        raise DataError("There are no windows.")
    rows = np.unique(np.linspace(0, len(win) - 1, LOOKED_AT).round().astype(np.int64))
    batch = win.batch(rows)
    for modality in config.modalities:
        _check_values(batch[modality.name].numpy(), modality, rows)
    if config.targets and names:
        _check_targets(batch["target"].numpy(), config)


def _check_sources(config: NeuroformerConfig, win: Any) -> None:
    """Refuse targets that the model would read off its own input."""
    read = {modality.name for modality in config.modalities}
    for target, stream in zip(win.target_names, win.target_streams, strict=True):
        if config.targets and stream in read:
            raise DataError(
                f"The target {target!r} is part of the stream {stream!r}, which the model reads "
                "up to the window's end: it would find the answer there. Leave the stream out of "
                "beside, or the target out of targets."
            )


def _check_clock(config: NeuroformerConfig, win: Any) -> None:
    for name in ("dt", "length", "history"):
        got, wanted = getattr(win, name), getattr(config, name)
        if not np.isclose(got, wanted, rtol=1e-6):
            raise DataError(
                f"{name} of the windows is {got:g} s, of the model {wanted:g} s. Cut windows with "
                f"{name}={wanted:g}, or make the model with NeuroformerConfig.of(win)."
            )


def _check_units(config: NeuroformerConfig, win: Any) -> None:
    words, own = tuple(win.vocabulary), dict.fromkeys(config.vocabulary)
    fresh = [unit for unit in words if own and unit not in own]
    if fresh:
        raise DataError(
            f"{len(fresh)} of the windows' {len(words)} units are new to the model, the first is "
            f"unit {fresh[0][1]} of session {fresh[0][0]!r}. Let both know them: vocabulary = "
            "nk.windows.Vocabulary(model.config.vocabulary).extend(recs); model.extend(vocabulary);"
            " and cut windows with vocabulary=vocabulary."
        )
    advice = "Cut windows with vocabulary=nk.windows.Vocabulary(model.config.vocabulary)."
    if len(words) != config.n_units:
        raise DataError(
            f"The windows have a vocabulary of {len(words)} units, the model of {config.n_units}. "
            f"{advice if own else 'Make the model with NeuroformerConfig.of(win).'}"
        )
    for place, (known, got) in enumerate(zip(config.vocabulary, words, strict=False)):
        if known != got:
            raise DataError(
                f"Place {place} of the vocabulary is unit {got[1]} of session {got[0]!r} in the "
                f"windows, and unit {known[1]} of session {known[0]!r} in the model. {advice}"
            )


def _check_values(x: np.ndarray, modality: Modality, rows: np.ndarray) -> None:
    if x.shape[1:] != modality.shape:
        raise DataError(
            f"The windows have {modality.name} of shape {x.shape[1:]}, the model takes "
            f"{modality.shape}. Give as many seconds and variables of it as in training, at the "
            "same rate."
        )
    missing = ~np.isfinite(x).reshape(len(x), -1).all(axis=1)
    if missing.any():
        raise DataError(
            f"{modality.name} has missing or infinite values, first in window "
            f"{rows[missing.argmax()]}. Interpolate them, or leave such windows out."
        )
    size = float(np.sqrt(np.mean(x.astype(np.float64) ** 2)))
    if size > LARGEST_DEVIATION:
        raise DataError(
            f"{modality.name} has a root mean square of {size:.3g}, expected z-scores, about 1. "
            f"Try nk.preprocessing.standardize(rec, {modality.name!r}, fit_on=...) with the "
            "training data alone."
        )


def _check_targets(target: np.ndarray, config: NeuroformerConfig) -> None:
    if np.isinf(target).any():
        raise DataError("Targets are infinite. Missing labels are NaN.")
    if config.target_classes or np.isnan(target).all():
        return
    size = float(np.sqrt(np.nanmean(target.astype(np.float64) ** 2)))
    if size > LARGEST_DEVIATION:
        raise DataError(
            f"Targets have a root mean square of {size:.3g}, expected z-scores, about 1: their "
            "squared error would drown the spikes'. Standardise them on the training data."
        )
