"""Which code words of a trained EEGFormer mark a class, and where in the recordings they are."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from neurokit import arguments
from neurokit.errors import DataError
from neurokit.models.eegformer.naive_bayes import NgramNaiveBayes
from neurokit.models.eegformer.network import EEGFormer
from neurokit.models.eegformer.patterns import rank_patterns
from neurokit.models.eegformer.reading import read_windows, real_patches

__all__ = ["Explanation", "explain"]


@dataclass(frozen=True)
class Explanation:
    """Patterns of code words that speak for a class, and where they are.

    Attributes
    ----------
    patterns : DataFrame
        The best n-grams, see :func:`~neurokit.models.eegformer.patterns.rank_patterns`, with
        names of channels (``"all"`` where pooled), and the band ``low`` to ``high`` (Hz) of
        each where patches are frequency bands and told apart.
    places : DataFrame
        One row an occurrence: ``pattern`` (row of ``patterns``), ``window``, ``recording``,
        ``channel``; ``start`` and ``stop`` in seconds on the recording's clock, and where
        patches are frequency bands also ``low`` and ``high`` in Hz: then start and stop are
        the window's.
    n_tested : int
        Size of the vocabulary, all of which the significance allows for.
    classifier : NgramNaiveBayes
        Fitted to these windows, for windows of others.
    """

    patterns: pd.DataFrame
    places: pd.DataFrame
    n_tested: int
    classifier: NgramNaiveBayes


def explain(
    model: EEGFormer,
    win: Any,
    y: ArrayLike | None = None,
    groups: str | ArrayLike | None = None,
    n: int = 2,
    *,
    positional: bool | None = None,
    per_channel: bool = False,
    min_windows: int = 10,
    top: int = 10,
    n_permutations: int = 999,
    seed: int = 0,
    batch_size: int = 64,
) -> Explanation:
    """Find the patterns of code words that tell classes apart, and draw back where they are.

    The codes of a window are words; runs of up to `n` of them are counted, and naive Bayes
    says what each speaks for (Chen et al. 2024, arXiv 2401.10278). Significance comes from
    permuted labels. What is permuted is what was labelled: whole recordings where each has one
    label, else windows; always within groups, unless each group has one label: then the groups'
    labels are permuted.

    Parameters
    ----------
    model : EEGFormer
        Pretrained, without these labels.
    win : Windows
        Windows of all classes.
    y : array-like, shape (window,), optional
        Class of each; by default the windows' labels.
    groups : str or array-like, shape (window,), optional
        The independent unit: a key of the recordings' ``meta`` such as ``"subject"``, or one
        value a window.
    n : int
        Longest pattern, in patches.
    positional : bool, optional
        Tell apart the same pattern at different patches. By default where patches are
        frequency bands; in windows that are locked to an event it makes sense for segments of
        time, too.
    per_channel : bool
        Tell apart the same pattern in different channels.
    min_windows : int
        Leave out patterns that fewer windows contain.
    top : int
        How many patterns are returned, the best first.
    n_permutations : int
        How often labels are permuted.
    seed : int
        Of the permutations.
    batch_size : int
        Windows at a time.

    Returns
    -------
    Explanation
        The patterns, and their places.

    Raises
    ------
    DataError
        No labels, fewer than two classes, labels that never differ where they could be
        permuted, a window with missing samples, or another family's model.

    Examples
    --------
    >>> import neurokit as nk
    >>> time = np.arange(640 * 60) / 128
    >>> x = 1e-5 * np.random.default_rng(0).normal(size=(len(time), 2))
    >>> y = np.arange(60) // 5 % 2
    >>> x[:, 0] += 2e-5 * np.sin(2 * np.pi * 10 * time) * np.repeat(y, 640)
    >>> rec = nk.Recording.from_array(x, 128, channels=["O1", "Fz"], stream="eeg", units="V")
    >>> win = nk.windows.sliding(rec, stream="eeg", length=5)
    >>> model = nk.models.EEGFormer(nk.models.EEGFormerConfig.preset("tiny"))
    >>> found = explain(model, win, y, n=1, per_channel=True, n_permutations=99)
    >>> best = found.patterns.loc[0]
    >>> print(best["channel"], best["low"] < 10 < best["high"], best["significant"])
    O1 True True
    """
    arguments.instance("model", model, EEGFormer, "an EEGFormer")
    labels = _labels(win, y)
    frequency = model.config.patch_domain == "frequency"
    classifier = NgramNaiveBayes(
        n,
        positional=frequency if positional is None else positional,
        per_channel=per_channel,
        min_windows=min_windows,
    )
    codes = np.concatenate([words for words, _ in read_windows(model, win, batch_size)])
    classifier.fit(codes, labels)
    table = rank_patterns(
        classifier,
        codes,
        labels,
        units=_units(win, labels),
        groups=win.groups(groups) if isinstance(groups, str) else groups,
        n_permutations=n_permutations,
        seed=seed,
    )
    patterns = table.head(arguments.whole("top", top, 1)).copy()
    places = _places(model, win, classifier, codes, patterns)
    patterns["channel"] = np.array([*win.names, "all"])[patterns["channel"]]
    if frequency and classifier.grams.positional:
        low, high = _bounds(model, patterns["patch"].to_numpy(), patterns["codes"].map(len))
        patterns = patterns.assign(low=low, high=high)
    return Explanation(patterns.drop(columns="gram"), places, len(table), classifier)


def _labels(win: Any, y: ArrayLike | None) -> NDArray[np.generic]:
    if y is not None:
        labels = np.asarray(y)
    elif win.labels is None:
        raise DataError("The windows have no labels. Give y, or cut them with labels=.")
    else:
        labels = np.asarray(win.labels)
        labels = np.array(win.classes)[labels] if win.classes else labels
    if labels.shape != (len(win),):
        raise DataError(f"Expected one label a window, shape ({len(win)},); got {labels.shape}.")
    return labels


def _units(win: Any, labels: NDArray[np.generic]) -> NDArray[np.int64] | None:
    """Return the recordings, if each was labelled as a whole."""
    same = all((labels[mine] == labels[mine[0]]).all() for _, mine in win.by_recording())
    return win.recording_index if same and len(np.unique(win.recording_index)) > 1 else None


def _places(
    model: EEGFormer,
    win: Any,
    classifier: NgramNaiveBayes,
    codes: NDArray[np.int64],
    patterns: pd.DataFrame,
) -> pd.DataFrame:
    """Find every occurrence of some patterns, on the clock of its recording."""
    gram, window, channel, patch = classifier.grams.find(codes, patterns["gram"])
    row_of = pd.Series(patterns.index, index=patterns["gram"])
    places = pd.DataFrame(
        {
            "pattern": row_of[gram].to_numpy(),
            "window": window,
            "recording": win.recording_index[window],
            "channel": np.array(win.names)[channel],
        }
    )
    length = patterns["codes"].map(len).to_numpy()[places["pattern"]]
    first, last = _bounds(model, patch, length)
    start = win.start[window]
    if model.config.patch_domain == "time":
        places = places.assign(start=start + first, stop=start + last)
    else:
        places = places.assign(start=start, stop=start + win.length, low=first, high=last)
    return places.sort_values(["pattern", "window"], kind="stable", ignore_index=True)


def _bounds(
    model: EEGFormer, patch: NDArray[np.intp], length: ArrayLike
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    bounds = real_patches(model)
    return bounds[patch, 0], bounds[patch + np.asarray(length) - 1, 1]
