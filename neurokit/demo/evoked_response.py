"""Tones against checkerboards: evoked responses of single trials and on the scalp.

Single trials are told apart by a shrinkage discriminant on the mean voltages of six windows
after the stimulus (Blankertz et al. 2011, NeuroImage 56:814); the contrast of the averages is
drawn over time and as a map of the scalp.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from neurokit.demo import figures
from neurokit.demo.answer import Answer
from neurokit.demo.resampling import block_interval, p_value
from neurokit.errors import DataError

if TYPE_CHECKING:
    from neurokit.recording import Recording

__all__ = ["cut_trials", "decision_values", "run"]

SPAN = (-0.2, 0.4)
BASELINE = (-0.1, 0.0)
LOW_PASS = 30.0
REJECT = 150e-6
EDGES = (0.04, 0.08, 0.12, 0.16, 0.20, 0.24, 0.28)
BEFORE = (-0.2, -0.16, -0.12, -0.08, -0.04, 0.0)
MAP = (0.08, 0.12)
N_FOLDS = 5
N_NULL = 1000
BAND = (0.95, 1.0)
CITATIONS = (
    "Gramfort A, et al. (2013). MEG and EEG data analysis with MNE-Python. Front. Neurosci. 7:267.",
    "Blankertz B, et al. (2011). Single-trial analysis and classification of ERP "
    "components: a tutorial. NeuroImage 56:814-825.",
)
CODE = """\
import neurokit as nk
from neurokit.demo import evoked_response

rec = nk.datasets.load("mne-sample-eeg")
print(evoked_response.run(rec, seed={seed}).value)  # area under the ROC curve"""


@dataclass(frozen=True)
class _Trials:
    """Volts (trial, channel, time), seconds after the stimulus, and whether it was a tone."""

    volts: np.ndarray
    time: np.ndarray
    auditory: np.ndarray
    places: np.ndarray
    rejected: int


def run(rec: Recording, seed: int = 0) -> Answer:
    """Tell auditory from visual trials, and map their difference.

    Parameters
    ----------
    rec : Recording
        With ``eeg`` (time, channel) in volts, positions ``x``, ``y``, ``z`` in m, and events
        whose ``trial_type`` starts with ``auditory`` or ``visual``.
    seed : int
        Seed of the bootstrap and of the permutations.

    Returns
    -------
    Answer
        Area under the ROC curve of the single trials.

    Raises
    ------
    DataError
        If there are too few trials or no positions.

    Examples
    --------
    >>> import neurokit as nk
    >>> answer = run(nk.datasets.load("mne-sample-eeg"))
    >>> answer.value > 0.9
    True
    """
    trials = cut_trials(rec["eeg"], rec.events)
    scores = decision_values(_means(_corrected(trials), trials.time, EDGES), trials.auditory)
    value = _area(scores, trials.auditory)
    early_scores = decision_values(_means(trials.volts, trials.time, BEFORE), trials.auditory)
    early = _area(early_scores, trials.auditory)
    rng = np.random.default_rng(seed)
    null = np.array([_area(scores, rng.permutation(trials.auditory)) for _ in range(N_NULL)])
    contrast = _contrast(trials)
    strength = contrast.std(axis=0)
    strongest = int(np.where(trials.time > 0, strength, 0).argmax())
    near = (trials.time >= MAP[0]) & (trials.time <= MAP[1])
    n_tones = int(trials.auditory.sum())
    return Answer(
        question="Do tones and checkerboards leave different responses on the scalp?",
        data="mne-sample-eeg",
        measure="area under the ROC curve, single trials",
        value=value,
        unit="AUC",
        interval=block_interval(
            lambda drawn: _area(scores[drawn], trials.auditory[drawn]), len(scores), seed
        ),
        interval_of="95 %, bootstrap over trials of one person",
        chance=0.5,
        baseline=(
            "same classifier on the 0.2 s before the stimulus",
            early,
        ),
        ceiling=1.0,
        ceiling_note="1.0: the labels are known without error",
        band=BAND,
        n_samples=len(scores),
        split=f"{N_FOLDS} contiguous folds of the trials",
        seed=seed,
        p_value=p_value(value, null),
        caveat=(
            f"{len(scores)} trials of one person ({n_tones} tones; {trials.rejected} rejected). "
            "Tone and checkerboard alternate strictly, about 0.7 s apart, so what lasts from one "
            "trial is a cue to the next; the time before the stimulus gives no advantage "
            f"({early:.2f}). Other low-passes, folds and classifiers gave 0.95 to 0.98."
        ),
        method=_method(),
        citations=CITATIONS,
        code=CODE.format(seed=seed),
        details={
            "auditory trials": float(n_tones),
            "visual trials": float(len(scores) - n_tones),
            "97.5 % of permuted labels (AUC)": float(np.quantile(null, 0.975)),
            "largest contrast at (s)": float(trials.time[strongest]),
            "its spread over the scalp (µV)": float(strength[strongest] * 1e6),
            "spread at 0.08 to 0.12 s (µV)": float(contrast[:, near].mean(axis=1).std() * 1e6),
            "spread before the stimulus (µV)": float(strength[trials.time < 0].mean() * 1e6),
        },
        figures={
            "Auditory minus visual, 80 to 120 ms": lambda ax: figures.scalp_map(
                ax, contrast[:, near].mean(axis=1), trials.places
            ),
            "Auditory minus visual over time": lambda ax: figures.evoked_contrast(
                ax, trials.time, contrast, MAP
            ),
        },
    )


def cut_trials(eeg: Any, events: Any) -> _Trials:
    """Low-pass, take the average reference, and cut trials around the stimuli.

    Parameters
    ----------
    eeg : xarray.DataArray of shape (time, channel)
        Volts, with ``sampling_rate`` in Hz; channels marked ``bad`` are left out.
    events : pandas.DataFrame
        ``onset`` in s and ``trial_type``.

    Returns
    -------
    _Trials
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
    from mne.filter import filter_data

    missing = [axis for axis in "xyz" if axis not in eeg.coords]
    if missing:
        raise DataError(f"Expected channel positions x, y and z in m; missing: {missing}.")
    places = np.stack([np.asarray(eeg[axis], dtype=np.float64) for axis in "xyz"], axis=1)
    bad = np.asarray(eeg["bad"], dtype=bool) if "bad" in eeg.coords else np.zeros(len(places), bool)
    good = ~bad & np.isfinite(places).all(axis=1)
    rate = float(eeg.attrs["sampling_rate"])
    volts = np.asarray(eeg, dtype=np.float64).T[good]
    volts = filter_data(volts, rate, None, LOW_PASS, verbose="ERROR")
    volts -= volts.mean(axis=0)
    kind = events["trial_type"].astype(str)
    wanted = kind.str.startswith(("auditory", "visual")).to_numpy()
    start = float(eeg["time"][0])
    onset = np.round((events["onset"].to_numpy(dtype=float)[wanted] - start) * rate).astype(int)
    steps = np.arange(round(SPAN[0] * rate), round(SPAN[1] * rate) + 1)
    fits = (onset + steps[0] >= 0) & (onset + steps[-1] < volts.shape[1])
    cut = volts[:, onset[fits][:, None] + steps].transpose(1, 0, 2)
    calm = np.ptp(cut, axis=2).max(axis=1) < REJECT
    auditory = kind[wanted].str.startswith("auditory").to_numpy()[fits][calm]
    if min(auditory.sum(), (~auditory).sum()) < N_FOLDS:
        raise DataError(
            f"Expected {N_FOLDS} trials of each kind; got {auditory.sum()} auditory and "
            f"{(~auditory).sum()} visual after rejection at {REJECT * 1e6:.0f} µV."
        )
    rejected = int(wanted.sum() - calm.sum())
    return _Trials(cut[calm], steps / rate, auditory, places[good], rejected)


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


def _corrected(trials: _Trials) -> np.ndarray:
    before = (trials.time >= BASELINE[0]) & (trials.time <= BASELINE[1])
    volts: np.ndarray = trials.volts - trials.volts[:, :, before].mean(axis=2, keepdims=True)
    return volts


def _means(volts: np.ndarray, time: np.ndarray, edges: tuple[float, ...]) -> np.ndarray:
    spans = [(time >= a) & (time < b) for a, b in itertools.pairwise(edges)]
    return np.concatenate([volts[:, :, span].mean(axis=2) for span in spans], axis=1)


def _contrast(trials: _Trials) -> np.ndarray:
    volts = _corrected(trials)
    mean: np.ndarray = volts[trials.auditory].mean(axis=0) - volts[~trials.auditory].mean(axis=0)
    return mean


def _area(scores: np.ndarray, label: np.ndarray) -> float:
    """Give the share of (True, False) pairs in the right order; NaN when a kind is missing."""
    if label.all() or not label.any():
        return float("nan")
    from scipy.stats import rankdata

    n_true = label.sum()
    ranks = rankdata(scores)[label].sum() - n_true * (n_true + 1) / 2
    return float(ranks / (n_true * (len(label) - n_true)))


def _method() -> str:
    windows = f"{EDGES[0] * 1e3:.0f} to {EDGES[-1] * 1e3:.0f} ms"
    return (
        f"EEG was low-passed at {LOW_PASS:.0f} Hz (zero-phase FIR), re-referenced to the average "
        "of the good channels, cut around the stimuli, freed of trials above "
        f"{REJECT * 1e6:.0f} µV peak to peak, and corrected by the mean of the last 0.1 s before "
        f"the stimulus. Mean voltages of {len(EDGES) - 1} windows ({windows}) fed a linear "
        f"discriminant with Ledoit-Wolf shrinkage, scored in {N_FOLDS} contiguous folds. "
        f"Null: {N_NULL} permutations of the labels, decision values fixed."
    )
