"""Single trials of EEG: cut, freed of artefacts, averaged over windows, told apart."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

import numpy as np

from neurokit import preprocessing
from neurokit.demo.places import positions
from neurokit.errors import DataError

if TYPE_CHECKING:
    import xarray as xr

    from neurokit.recording import Recording

__all__ = ["cut_trials", "decision_values", "prepare", "window_means"]

SPAN = (-0.2, 0.4)
BASELINE = (-0.1, 0.0)
#: Hz.
LOW_PASS = 30.0
#: Volts from the lowest to the highest sample of a trial in any channel.
REJECT = 150e-6
N_FOLDS = 5


def prepare(rec: Recording) -> Recording:
    """Low-pass the good channels that have a place, and refer them to their average.

    Parameters
    ----------
    rec : Recording
        With ``eeg`` in volts and positions ``x``, ``y``, ``z`` in m; channels marked ``bad``
        are left out.

    Returns
    -------
    Recording
        With ``eeg`` alone.

    Raises
    ------
    DataError
        If positions are missing.

    Examples
    --------
    >>> import neurokit as nk
    >>> prepare(nk.datasets.load("mne-sample-eeg"))["eeg"].shape
    (4800, 59)
    """
    eeg = rec["eeg"]
    good = np.isfinite(positions(eeg)).all(axis=1)
    if "bad" in eeg.coords:
        good &= ~eeg["bad"].values
    kept = rec.replace({"eeg": eeg[:, good]}, history="kept good channels that have a place")
    return preprocessing.rereference(preprocessing.filter(kept, high=LOW_PASS), "average")


def cut_trials(rec: Recording, baseline: tuple[float, float] | None = None) -> xr.DataArray:
    """Cut trials around tones and checkerboards, and leave out those with artefacts.

    Parameters
    ----------
    rec : Recording
        With ``eeg`` in volts and events whose ``trial_type`` starts with ``auditory`` or
        ``visual``.
    baseline : tuple of float, optional
        Seconds whose mean is subtracted from each trial and channel.

    Returns
    -------
    xarray.DataArray of shape (epoch, time, channel)
        Trials whose peak-to-peak voltage stays below 150 µV in every channel. ``auditory``
        over ``epoch`` tells the tones; ``attrs["left_out"]`` counts the trials that are not in.

    Raises
    ------
    DataError
        If fewer than five trials of a kind remain.

    Examples
    --------
    >>> import neurokit as nk
    >>> cut_trials(prepare(nk.datasets.load("mne-sample-eeg"))).shape
    (28, 120, 59)
    """
    kinds = rec.events["trial_type"].dropna().unique()
    wanted = [kind for kind in kinds if kind.startswith(("auditory", "visual"))]
    trials = preprocessing.epoch(rec, wanted, *SPAN, baseline=baseline, stream="eeg")
    calm = np.ptp(trials.values, axis=1).max(axis=1) < REJECT
    left_out = trials.attrs["left_out"] + int((~calm).sum())
    trials = trials[calm].assign_attrs(left_out=left_out)
    tone = np.char.startswith(trials["trial_type"].values, "auditory")
    if min(tone.sum(), (~tone).sum()) < N_FOLDS:
        raise DataError(
            f"Expected {N_FOLDS} trials of each kind; got {tone.sum()} auditory and "
            f"{(~tone).sum()} visual after rejection at {REJECT * 1e6:.0f} µV."
        )
    return trials.assign_coords(auditory=("epoch", tone))


def decision_values(features: np.ndarray, label: np.ndarray) -> np.ndarray:
    """Score each trial with a shrinkage discriminant trained on the other folds.

    Parameters
    ----------
    features : numpy.ndarray of shape (trial, feature)
        Mean voltages, in V.
    label : numpy.ndarray of bool, shape (trial,)
        What to tell apart.

    Returns
    -------
    numpy.ndarray of shape (trial,)
        Signed distance from the boundary; positive speaks for True.

    Examples
    --------
    >>> label = np.tile([True, False], 20)
    >>> x = np.random.default_rng(0).normal(size=(40, 3)) + 3 * label[:, None]
    >>> bool(((decision_values(x, label) > 0) == label).mean() > 0.9)
    True
    """
    from sklearn.discriminant_analysis import LinearDiscriminantAnalysis

    from neurokit.alignment.splits import contiguous

    model = LinearDiscriminantAnalysis(solver="lsqr", shrinkage="auto")
    scores = np.empty(len(label))
    for train, test in contiguous(len(label), N_FOLDS, gap=0):
        # Volts squared underflow the solver's tolerance; microvolts do not.
        fitted = model.fit(features[train] * 1e6, label[train])
        scores[test] = fitted.decision_function(features[test] * 1e6)
    return scores


def window_means(trials: xr.DataArray, edges: tuple[float, ...]) -> np.ndarray:
    """Average the voltage over windows that meet end to end.

    Parameters
    ----------
    trials : xarray.DataArray of shape (epoch, time, channel)
        In V, with ``time`` in seconds.
    edges : tuple of float
        Borders of the windows in seconds; each holds its first and not its last moment.

    Returns
    -------
    numpy.ndarray of shape (epoch, window * channel)
        In V.

    Examples
    --------
    >>> import xarray as xr
    >>> dims = ("epoch", "time", "channel")
    >>> trials = xr.DataArray(np.arange(4.0).reshape(1, 4, 1), {"time": np.arange(4.0)}, dims)
    >>> window_means(trials, (0.0, 2.0, 4.0)).tolist()
    [[0.5, 2.5]]
    """
    time, volts = trials["time"].values, trials.values.astype(np.float64)
    spans = [(time >= a) & (time < b) for a, b in itertools.pairwise(edges)]
    return np.concatenate([volts[:, span].mean(axis=1) for span in spans], axis=1)
