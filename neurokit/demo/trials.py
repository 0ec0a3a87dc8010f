"""Single trials of EEG: cut, freed of artefacts, averaged over windows, told apart."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from typing import Any

import numpy as np

from neurokit.demo.places import positions
from neurokit.errors import DataError

__all__ = ["Trials", "cut_trials", "decision_values", "window_means"]

SPAN = (-0.2, 0.4)
BASELINE = (-0.1, 0.0)
#: Hz.
LOW_PASS = 30.0
#: Volts from the lowest to the highest sample of a trial in any channel.
REJECT = 150e-6
N_FOLDS = 5


@dataclass(frozen=True)
class Trials:
    """Single trials of two kinds.

    Attributes
    ----------
    volts : numpy.ndarray of shape (trial, channel, time)
        Not corrected for the time before the stimulus.
    time : numpy.ndarray of shape (time,)
        Seconds after the stimulus.
    auditory : numpy.ndarray of bool, shape (trial,)
        Whether the stimulus was a tone.
    places : numpy.ndarray of shape (channel, 3)
        In m.
    rejected : int
        Trials left out.

    Examples
    --------
    >>> trials = Trials(np.ones((1, 2, 3)), np.array([-0.1, 0.0, 0.1]), np.ones(1, bool),
    ...                 np.zeros((2, 3)), 0)
    >>> trials.corrected().max()
    np.float64(0.0)
    """

    volts: np.ndarray
    time: np.ndarray
    auditory: np.ndarray
    places: np.ndarray
    rejected: int

    def corrected(self) -> np.ndarray:
        """Subtract each trial's mean over the last 0.1 s before the stimulus.

        Returns
        -------
        numpy.ndarray of shape (trial, channel, time)
            In V.
        """
        before = (self.time >= BASELINE[0]) & (self.time <= BASELINE[1])
        volts: np.ndarray = self.volts - self.volts[:, :, before].mean(axis=2, keepdims=True)
        return volts


def cut_trials(eeg: Any, events: Any) -> Trials:
    """Low-pass, take the average reference, and cut trials around the stimuli.

    Parameters
    ----------
    eeg : xarray.DataArray of shape (time, channel)
        Volts, with ``sampling_rate`` in Hz; channels marked ``bad`` are left out.
    events : pandas.DataFrame
        ``onset`` in s and ``trial_type``.

    Returns
    -------
    Trials
        Trials whose peak-to-peak voltage stays below 150 µV in every channel.

    Raises
    ------
    DataError
        If positions are missing or fewer than five trials of a kind remain.

    Examples
    --------
    >>> import neurokit as nk
    >>> rec = nk.datasets.load("mne-sample-eeg")
    >>> cut_trials(rec["eeg"], rec.events).volts.shape
    (28, 59, 121)
    """
    volts, places = _clean(eeg)
    kind = events["trial_type"].astype(str)
    wanted = kind.str.startswith(("auditory", "visual")).to_numpy()
    rate = float(eeg.attrs["sampling_rate"])
    onset = events["onset"].to_numpy(dtype=float)[wanted] - float(eeg["time"][0])
    first = np.round(onset * rate).astype(int)
    steps = np.arange(round(SPAN[0] * rate), round(SPAN[1] * rate) + 1)
    fits = (first + steps[0] >= 0) & (first + steps[-1] < volts.shape[1])
    cut = volts[:, first[fits][:, None] + steps].transpose(1, 0, 2)
    calm = np.ptp(cut, axis=2).max(axis=1) < REJECT
    auditory = kind[wanted].str.startswith("auditory").to_numpy()[fits][calm]
    if min(auditory.sum(), (~auditory).sum()) < N_FOLDS:
        raise DataError(
            f"Expected {N_FOLDS} trials of each kind; got {auditory.sum()} auditory and "
            f"{(~auditory).sum()} visual after rejection at {REJECT * 1e6:.0f} µV."
        )
    return Trials(cut[calm], steps / rate, auditory, places, int(wanted.sum() - calm.sum()))


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


def window_means(volts: np.ndarray, time: np.ndarray, edges: tuple[float, ...]) -> np.ndarray:
    """Average the voltage over windows that meet end to end.

    Parameters
    ----------
    volts : numpy.ndarray of shape (trial, channel, time)
        In V.
    time : numpy.ndarray of shape (time,)
        Seconds.
    edges : tuple of float
        Borders of the windows in seconds; each holds its first and not its last moment.

    Returns
    -------
    numpy.ndarray of shape (trial, window * channel)
        In V.

    Examples
    --------
    >>> volts = np.arange(4.0).reshape(1, 1, 4)
    >>> window_means(volts, np.arange(4.0), (0.0, 2.0, 4.0)).tolist()
    [[0.5, 2.5]]
    """
    spans = [(time >= a) & (time < b) for a, b in itertools.pairwise(edges)]
    return np.concatenate([volts[:, :, span].mean(axis=2) for span in spans], axis=1)


def _clean(eeg: Any) -> tuple[np.ndarray, np.ndarray]:
    """Low-pass the good channels that have a place, and refer them to their average."""
    from mne.filter import filter_data

    places = positions(eeg)
    bad = np.asarray(eeg["bad"], dtype=bool) if "bad" in eeg.coords else np.zeros(len(places), bool)
    good = ~bad & np.isfinite(places).all(axis=1)
    volts = np.asarray(eeg, dtype=np.float64).T[good]
    volts = filter_data(volts, float(eeg.attrs["sampling_rate"]), None, LOW_PASS, verbose="ERROR")
    return volts - volts.mean(axis=0), places[good]
