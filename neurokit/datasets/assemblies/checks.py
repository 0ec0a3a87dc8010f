"""What makes an assembly valid, part by part; each check returns the canonical form."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr

from neurokit.arguments import instance
from neurokit.errors import DataError, suggest
from neurokit.recording.checks import in_memory, text_array

__all__ = [
    "check_ceiling",
    "check_rdms",
    "check_repeats",
    "check_responses",
    "check_stimuli",
    "check_triplets",
    "check_words",
    "known_ids",
    "some",
]

_DIMS = ("presentation", "neuroid")


def some(names: Sequence[Any], limit: int = 5) -> str:
    """List the first few names.

    Parameters
    ----------
    names : sequence
        Names.
    limit : int
        How many to list.

    Returns
    -------
    str
        The names, and how many more there are.

    Examples
    --------
    >>> some(["a", "b", "c"], limit=2)
    "'a', 'b' and 1 more"
    """
    more = f" and {len(names) - limit} more" if len(names) > limit else ""
    return ", ".join(repr(str(name)) for name in names[:limit]) + more


def check_stimuli(stimuli: pd.DataFrame) -> pd.DataFrame:
    """Check the table of stimuli.

    Parameters
    ----------
    stimuli : pd.DataFrame
        One row a distinct stimulus, indexed by its id.

    Returns
    -------
    pd.DataFrame
        With a text index called ``stimulus_id``.

    Raises
    ------
    DataError
        If it is empty, or an id or a column occurs twice.

    Examples
    --------
    >>> check_stimuli(pd.DataFrame({"text": ["a"]}, index=[7])).index.tolist()
    ['7']
    """
    instance("stimuli", stimuli, pd.DataFrame, "a table with one row a stimulus, indexed by id")
    if not len(stimuli):
        raise DataError("The table of stimuli is empty.")
    stimuli = stimuli.drop(columns="stimulus_id") if _same_ids(stimuli) else stimuli.copy()
    stimuli.index = pd.Index([str(i) for i in stimuli.index], name="stimulus_id")
    _unique("stimulus ids", stimuli.index, "Keep one row a distinct stimulus.")
    _unique("columns of stimuli", stimuli.columns, "Rename or drop the copies.")
    return stimuli


def _same_ids(stimuli: pd.DataFrame) -> bool:
    return "stimulus_id" in stimuli and bool(
        (stimuli["stimulus_id"].astype(str).to_numpy() == stimuli.index.astype(str)).all()
    )


def known_ids(ids: Sequence[Any], stimuli: pd.DataFrame) -> list[str]:
    """Return ids as text, all of which are stimuli.

    Parameters
    ----------
    ids : sequence
        Stimulus ids, in any order, repeated or not.
    stimuli : pd.DataFrame
        The checked table.

    Returns
    -------
    list of str
        The ids.

    Raises
    ------
    DataError
        If some are not in the table; the nearest is suggested.
    """
    wanted = [str(i) for i in ids]
    unknown = sorted(set(wanted) - set(stimuli.index))
    if unknown:
        raise DataError(
            f"{len(unknown)} stimulus ids are not in the table of stimuli: {some(unknown)}."
            f"{suggest(unknown[0], stimuli.index, limit=5)} Add their rows, or drop their "
            "presentations."
        )
    return wanted


def check_responses(responses: xr.DataArray, stimuli: pd.DataFrame) -> xr.DataArray:
    """Check the responses against the stimuli.

    Parameters
    ----------
    responses : xr.DataArray
        Dims ``(presentation, neuroid)`` with the coordinate ``stimulus_id``.
    stimuli : pd.DataFrame
        The checked table.

    Returns
    -------
    xr.DataArray
        float32, with text ids; ``region`` and ``subject`` present, if only empty.

    Raises
    ------
    DataError
        If dimensions or coordinates are missing, ids unknown or duplicated, or values NaN.
    """
    instance("responses", responses, xr.DataArray, "a DataArray (presentation, neuroid)")
    if set(responses.dims) == set(_DIMS) and responses.dims != _DIMS:
        raise DataError(
            f"Expected responses with dims {_DIMS}; got {responses.dims}. "
            "Try responses.transpose('presentation', 'neuroid')."
        )
    if responses.dims != _DIMS or not responses.size:
        raise DataError(f"Expected responses with dims {_DIMS}; got {dict(responses.sizes)}.")
    if responses.dtype.kind not in "fiub":
        raise DataError(f"Expected numbers as responses; got {responses.dtype}.")
    ids = responses.coords.get("stimulus_id")
    if ids is None or ids.dims != ("presentation",):
        raise DataError(
            "Expected responses with a coordinate 'stimulus_id' over 'presentation'; got "
            f"{sorted(map(str, responses.coords))}."
        )
    known = np.array(known_ids(ids.values.tolist(), stimuli), dtype=np.str_)
    responses = _named_neuroids(responses.assign_coords(stimulus_id=("presentation", known)))
    if in_memory(responses):
        responses = responses.astype(np.float32)
        _check_finite(responses)
    return responses


def _named_neuroids(responses: xr.DataArray) -> xr.DataArray:
    n = responses.sizes["neuroid"]
    default: dict[str, Any] = {"neuroid_id": np.arange(n), "region": [""] * n, "subject": [""] * n}
    coords = {}
    for key, values in default.items():
        given = responses.coords.get(key)
        if given is not None and given.dims != ("neuroid",):
            raise DataError(f"Expected coordinate {key!r} over 'neuroid'; got {given.dims}.")
        coords[key] = ("neuroid", text_array(values if given is None else given.values))
    _unique("neuroid ids", coords["neuroid_id"][1], "Put the subject into the id, such as 'S1.7'.")
    return responses.assign_coords(coords)


def _check_finite(responses: xr.DataArray) -> None:
    values = responses.values
    # The sum is a tenth of the work of looking at every value, and NaN where any is.
    with np.errstate(invalid="ignore", over="ignore"):
        if np.isfinite(values.sum(axis=0, dtype=np.float64)).all():
            return
    bad = ~np.isfinite(values)
    columns, rows = bad.any(axis=0), bad.any(axis=1)
    names = responses["neuroid_id"].values[columns]
    whole = int(bad.all(axis=0).sum())
    raise DataError(
        f"{int(columns.sum())} of {columns.size} neuroids have values that are NaN or infinite "
        f"({whole} of them throughout): {some(names)}; {int(rows.sum())} of {rows.size} "
        "presentations are concerned. Drop the neuroids with responses.dropna('neuroid'), or the "
        "presentations with responses.dropna('presentation')."
    )


def check_words(words: pd.DataFrame, responses: xr.DataArray | None) -> pd.DataFrame:
    """Check the table of words.

    Parameters
    ----------
    words : pd.DataFrame
        ``story``, ``word``, and ``onset`` and ``offset`` in seconds where there are any.
    responses : xr.DataArray or None
        The checked responses, whose stories must all have words.

    Returns
    -------
    pd.DataFrame
        Numbered from 0, ``story`` as text.

    Raises
    ------
    DataError
        If a column is missing, a word ends before it begins, words of a story are not in
        order, or a story has responses and no words.
    """
    instance("words", words, pd.DataFrame, "a table with columns story and word")
    timed = {"onset", "offset"} & set(words.columns)
    if not {"story", "word"} <= set(words.columns) or len(timed) == 1 or not len(words):
        raise DataError(
            "Expected words with columns story, word and, where timed, onset and offset (s); got "
            f"{len(words)} rows of {list(words.columns)}."
        )
    words = words.reset_index(drop=True).assign(story=words["story"].astype(str).to_numpy())
    if timed:
        _check_timing(words)
    if responses is not None and "story" in responses.coords:
        silent = sorted(set(map(str, responses["story"].values)) - set(words["story"]))
        if silent:
            raise DataError(f"{len(silent)} stories have responses, but no words: {some(silent)}.")
    return words


def _check_timing(words: pd.DataFrame) -> None:
    onset, offset = (words[k].to_numpy(np.float64) for k in ("onset", "offset"))
    same = words["story"].to_numpy()[1:] == words["story"].to_numpy()[:-1]
    wrong = ~np.isfinite(onset) | ~(offset >= onset)
    wrong[1:] |= same & (np.diff(onset) < 0)
    if wrong.any():
        first = words.iloc[int(np.flatnonzero(wrong)[0])]
        raise DataError(
            f"{int(wrong.sum())} of {len(words)} words have no onset, end before they begin, or "
            f"are out of order; the first is {first['word']!r} of story {first['story']!r} at "
            f"{first['onset']:g} to {first['offset']:g} s. Sort by story and onset, or drop them."
        )


def check_repeats(repeats: xr.DataArray, responses: xr.DataArray | None) -> xr.DataArray:
    """Check single presentations against their mean.

    Parameters
    ----------
    repeats : xr.DataArray
        Dims ``(repeat, presentation, neuroid)``.
    responses : xr.DataArray or None
        The checked responses.

    Returns
    -------
    xr.DataArray
        With the coordinates of the responses.

    Raises
    ------
    DataError
        If there are no responses, or shapes or labels differ.
    """
    instance("repeats", repeats, xr.DataArray, "a DataArray (repeat, presentation, neuroid)")
    wanted = ("repeat", *_DIMS)
    if responses is None or repeats.dims != wanted or repeats.shape[1:] != responses.shape:
        sizes = None if responses is None else dict(responses.sizes)
        raise DataError(
            f"Expected repeats with dims {wanted} that fit responses {sizes}; got "
            f"{dict(repeats.sizes)}."
        )
    for key, dim in (("stimulus_id", "presentation"), ("neuroid_id", "neuroid")):
        given = repeats.coords.get(key)
        if given is not None and not (text_array(given.values) == responses[key].values).all():
            raise DataError(f"Repeats and responses differ in {key!r}. Put them into one order.")
        repeats = repeats.assign_coords({key: (dim, responses[key].values)})
    return repeats


def check_ceiling(ceiling: xr.DataArray, responses: xr.DataArray | None) -> xr.DataArray:
    """Check published ceilings.

    Parameters
    ----------
    ceiling : xr.DataArray
        Dims ``(neuroid,)``: ceilings of r.
    responses : xr.DataArray or None
        The checked responses.

    Returns
    -------
    xr.DataArray
        With the ids of the neuroids.

    Raises
    ------
    DataError
        If there are no responses, the number or the labels differ, or values lie outside of
        [0, 1].
    """
    instance("ceiling", ceiling, xr.DataArray, "a DataArray (neuroid)")
    if responses is None or ceiling.dims != ("neuroid",) or len(ceiling) != responses.shape[1]:
        sizes = None if responses is None else dict(responses.sizes)
        raise DataError(
            f"Expected one ceiling for each neuroid of responses {sizes}; got "
            f"{dict(ceiling.sizes)}."
        )
    given = ceiling.coords.get("neuroid_id")
    if given is not None and not (text_array(given.values) == responses["neuroid_id"].values).all():
        raise DataError("Ceilings and responses differ in 'neuroid_id'. Put them into one order.")
    values = ceiling.values.astype(np.float64)
    if (values < 0).any() or (values > 1).any():
        raise DataError(
            f"Expected ceilings of r from 0 to 1; got {np.nanmin(values):.3g} to "
            f"{np.nanmax(values):.3g}. Percentages must be divided by 100; of a reliability take "
            "the square root."
        )
    return ceiling.assign_coords(neuroid_id=("neuroid", responses["neuroid_id"].values))


def check_rdms(rdms: xr.DataArray, stimuli: pd.DataFrame) -> xr.DataArray:
    """Check representational dissimilarities.

    Parameters
    ----------
    rdms : xr.DataArray
        Dims ``(subject, stimulus, stimulus_)``.
    stimuli : pd.DataFrame
        The checked table.

    Returns
    -------
    xr.DataArray
        Both stimulus axes labelled by id.

    Raises
    ------
    DataError
        If they are not square and symmetric, or their labels are no stimuli.
    """
    instance("rdms", rdms, xr.DataArray, "a DataArray (subject, stimulus, stimulus_)")
    wanted = ("subject", "stimulus", "stimulus_")
    if rdms.dims != wanted or rdms.shape[1] != rdms.shape[2]:
        raise DataError(f"Expected square rdms with dims {wanted}; got {dict(rdms.sizes)}.")
    if "stimulus" not in rdms.coords and rdms.shape[1] != len(stimuli):
        raise DataError(
            f"Expected rdms with ids as coordinate 'stimulus'; got {rdms.shape[1]} unlabelled rows "
            f"for {len(stimuli)} stimuli."
        )
    labels = rdms["stimulus"].values if "stimulus" in rdms.coords else stimuli.index
    ids = np.array(known_ids(list(labels), stimuli), dtype=np.str_)
    values = rdms.values
    if not np.allclose(values, values.swapaxes(1, 2), rtol=1e-4, atol=1e-6, equal_nan=True):
        raise DataError("The rdms are not symmetric. Are they patterns, not dissimilarities?")
    return rdms.assign_coords(stimulus=ids, stimulus_=ids)


def check_triplets(triplets: np.ndarray, stimuli: pd.DataFrame) -> np.ndarray:
    """Check choices among three.

    Parameters
    ----------
    triplets : ndarray of int, shape (choices, 3)
        Rows of ``stimuli``.
    stimuli : pd.DataFrame
        The checked table.

    Returns
    -------
    ndarray of int32
        The same.

    Raises
    ------
    DataError
        If the shape or type is another, or rows do not exist or occur twice in a choice.

    Examples
    --------
    >>> check_triplets([[0, 1, 2]], pd.DataFrame(index=["a", "b", "c"])).dtype
    dtype('int32')
    """
    found = np.asarray(triplets)
    if found.ndim != 2 or found.shape[1] != 3 or not len(found) or found.dtype.kind not in "iu":
        raise DataError(
            f"Expected triplets of shape (choices, 3), whole numbers; got {found.dtype} of shape "
            f"{found.shape}."
        )
    if found.min() < 0 or found.max() >= len(stimuli):
        raise DataError(
            f"Triplets name rows {found.min()} to {found.max()}, but the stimuli are 0 to "
            f"{len(stimuli) - 1}. Are they counted from 1? Subtract 1."
        )
    same = (found == np.roll(found, 1, axis=1)).any(axis=1)
    if same.any():
        raise DataError(
            f"{int(same.sum())} of {len(found)} triplets show an object twice; the first is row "
            f"{int(np.flatnonzero(same)[0])}. Drop them."
        )
    return found.astype(np.int32)


def _unique(what: str, values: Any, advice: str) -> None:
    counted = pd.Index(values)
    twice = counted[counted.duplicated()].unique().tolist()
    if twice:
        raise DataError(f"{len(twice)} {what} occur more than once: {some(twice)}. {advice}")
