"""Whether windows are what a Neuroformer was made for."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch

from neurokit import arguments
from neurokit.errors import DataError, UnknownNameError
from neurokit.models.neuroformer.config import Modality, NeuroformerConfig
from neurokit.models.neuroformer.labels import ROUNDING, UNKNOWN_RANGE, are_whole, classes_of
from neurokit.warning import warn

__all__ = ["check_labels", "check_windows"]

LOOKED_AT = 64  # windows, evenly over the recordings
# Of z-scores that were fitted on similar data, in their own unit.
LARGEST_DEVIATION = 30.0
UNLIKELY_MEAN, UNLIKELY_SIZE = 3.0, 5.0
LARGEST_SHARE_BEYOND = 0.05
ALIKE = "Are these labels in the unit of those that the model was made for, and were those enough?"
KNOW_TARGETS = (
    "NeuroformerConfig.of(win) and with_targets(model, names, win=win) take this from the "
    "training windows."
)


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

    Warns
    -----
    UserWarning
        Values that z-scores hardly have.
    """
    arguments.like("win", win, "vocabulary", "windows of spikes, see nk.windows.spike_windows")
    _check_clock(config, win)
    _check_units(config, win)
    for modality in config.modalities:
        if modality.name not in win.beside:
            kind = "stream beside the spikes (the model reads it: cut windows with beside=)"
            raise UnknownNameError(kind, modality.name, win.beside)
        _check_variables(modality, win.variables[modality.name])
    names = tuple(win.target_names)
    # Windows without labels can be read, and a model without targets does not look at them.
    if config.targets and names and config.targets != names:
        raise DataError(
            f"The windows have targets {names}, the model reads {config.targets}. Name the same "
            "ones in the same order."
        )
    for name, known, unit in zip(names, config.target_units, win.target_units, strict=False):
        if config.targets and known and unit and known != unit:
            raise DataError(
                f"The target {name!r} is in {unit!r}, the model learned it in {known!r}. Convert "
                "it."
            )
    _check_sources(config, win)
    if not len(win):
        raise DataError("There are no windows.")
    rows = np.unique(np.linspace(0, len(win) - 1, LOOKED_AT).round().astype(np.int64))
    batch = win.batch(rows)
    for modality in config.modalities:
        _check_values(batch[modality.name].numpy(), modality, rows)


def _check_variables(modality: Modality, names: tuple[str, ...]) -> None:
    known = modality.variables
    if known and len(names) == len(known) and names != known:
        raise DataError(
            f"The variables of {modality.name} are {', '.join(names)} in the windows, and "
            f"{', '.join(known)} in the model. Pick the same, in this order."
        )


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
    _check_size(x.astype(np.float64), modality)


def _check_size(x: np.ndarray, modality: Modality) -> None:
    """Refuse what cannot be z-scores, and warn of what hardly can be."""
    size = float(np.sqrt(np.mean(x**2)))
    advice = (
        f"Try nk.preprocessing.standardize(rec, {modality.name!r}, fit_on=...) with the training "
        "data alone."
    )
    if size > LARGEST_DEVIATION:
        raise DataError(
            f"{modality.name} has a root mean square of {size:.3g}, expected z-scores, about 1. "
            f"{advice}"
        )
    columns = x.reshape(-1, x.shape[-1] if modality.kind == "variables" else 1)
    mean, each = columns.mean(axis=0), np.sqrt((columns**2).mean(axis=0))
    far = np.flatnonzero((abs(mean) > UNLIKELY_MEAN) | (each > UNLIKELY_SIZE))
    # A few windows of what is mostly still may well lie there.
    if far.size and len(x) == LOOKED_AT:
        which = f"Variable {far[0]} of {modality.name}" if columns.shape[1] > 1 else modality.name
        warn(
            f"{which} has a mean of {mean[far[0]]:.3g} and a root mean square of "
            f"{each[far[0]]:.3g}, expected z-scores, about 0 and 1, from which a model learns "
            f"better. {advice}"
        )


def check_labels(config: NeuroformerConfig, win: Any) -> None:
    """Compare the labels that a model is to learn with the scale or the classes that it knows.

    Parameters
    ----------
    config : NeuroformerConfig
        Settings of the model.
    win : SpikeWindows
        Of training, with or without targets.

    Raises
    ------
    DataError
        Infinite labels; or labels that are no z-scores, or all of one class, for a model that
        was told nothing of their unit.

    Warns
    -----
    UserWarning
        Labels far from those that the model was told of, of which several classes are one, or
        which change inside windows.
    """
    if not config.targets or not win.target_names:
        return
    if np.isinf(win.targets).any():
        raise DataError("Targets are infinite. Missing labels are NaN.")
    for place, (name, column) in enumerate(zip(config.targets, win.targets.T, strict=True)):
        known = column[~np.isnan(column)].astype(np.float64)
        if known.size and config.target_classes:
            _check_classes(known, name, config.target_ranges[place], config.target_classes)
        elif known.size:
            _check_scale(known, name, config.target_scales[place], bool(config.target_spread))


def _check_scale(label: np.ndarray, name: str, scale: tuple[float, float], known: bool) -> None:
    """Compare labels with the mean and the spread that the model counts in."""
    mean, spread = scale
    z = (label - mean) / spread
    size = float(np.sqrt(np.mean(z**2)))
    if size <= UNLIKELY_SIZE and abs(z.mean()) <= UNLIKELY_MEAN:
        return
    told = f"The target {name!r} lies {size:.3g} standard deviations from the mean that the model "
    if known:
        warn(
            f"{told}knows (mean {mean:.3g}, standard deviation {spread:.3g}), expected about 1. "
            f"{ALIKE}"
        )
        return
    told = f"{told}takes for granted, 0 ± 1: its error would drown the spikes'. {KNOW_TARGETS}"
    if size > LARGEST_DEVIATION:
        raise DataError(told)
    warn(told)


def _check_classes(
    label: np.ndarray, name: str, limits: tuple[float, float], n_classes: int
) -> None:
    """Compare labels with the range that the bins divide."""
    low, high = limits
    told = f"{n_classes} classes from {low:g} to {high:g}"
    advice = KNOW_TARGETS if limits == UNKNOWN_RANGE else ALIKE
    different, where = np.unique(label, return_inverse=True)
    bins = classes_of(torch.from_numpy(different)[:, None], torch.tensor([limits]).T, n_classes)
    used = bins[:, 0].numpy()
    if len(different) > 1 and len(np.unique(used)) == 1:
        message = (
            f"All labels of {name!r}, {different[0]:.3g} to {different[-1]:.3g}, are one of the "
            f"{told}: nothing tells them apart. {advice}"
        )
        if limits == UNKNOWN_RANGE:
            raise DataError(message)
        warn(message)
    elif 1 < len(different) <= n_classes and len(np.unique(used)) < len(different):
        same = np.flatnonzero(np.diff(used) == 0)[0]
        warn(
            f"{different[same]:g} and {different[same + 1]:g} of {name!r} are the same one of the "
            f"{told}, which are bins of one width. Number the classes from 0."
        )
    slack = ROUNDING * (high - low)
    beyond = float(np.mean((label < low - slack) | (label > high + slack)))
    if beyond > LARGEST_SHARE_BEYOND:
        warn(
            f"{beyond:.0%} of the labels of {name!r} lie beyond the {told}, and count to the "
            f"outer ones. {advice}"
        )
    between = ~are_whole(different)[where]
    # One whole number in the middle of each bin: numbers of classes, of which means are none.
    if 2 < n_classes == high - low and (low % 1) == 0.5 and 0 < between.mean() <= 0.5:
        warn(
            f"{name!r} changes inside {between.sum()} of {label.size} windows: the mean over such "
            f"a window counts to the nearest of the {told}, which may be a third one. Leave such "
            "windows out, or take shorter ones."
        )
