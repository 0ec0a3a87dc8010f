"""Self-paced reading times of the Natural Stories corpus (Futrell 2018, 2021)."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from neurokit.arguments import known
from neurokit.datasets.assemblies.assembly import Assembly
from neurokit.datasets.assemblies.build import response_array, story_text
from neurokit.datasets.assemblies.files import read_texts
from neurokit.errors import ReadError
from neurokit.warning import warn

__all__ = ["read_natural_stories"]

_KEYS = ["item", "zone"]
_RELEASED = "meanItemRT"
_NUISANCE = ("log2freq", "surprisal", "nItem")
_SENTENCE_END = (".", "?", "!", ".'", "?'", "!'", ";'")


def read_natural_stories(path: str | Path, *, alignment: str = "auto") -> Assembly:
    r"""Read the words of ten stories and how long people looked at each.

    Parameters
    ----------
    path : path
        Folder with ``ns_words_rt_surprisal.csv`` (``item``, ``zone``, ``word``, ``meanItemRT``,
        ``log2freq``, ``surprisal``), or as released with ``processed_wordinfo.tsv`` (``word``,
        ``zone``, ``item``, ``nItem``, ``meanItemRT``) and ``all_stories.tok`` (``word``,
        ``zone``, ``item``).
    alignment : {"auto", "released", "realigned"}
        In some releases the times stand one word early: zone z holds the time of word z + 1 of
        its story. "realigned" moves them, so that a story's first word has no time and is left
        out of the responses; "released" takes them as they stand. "auto" does what makes times
        follow the length of their words more closely, and warns if that is not "released".

    Returns
    -------
    Assembly
        A presentation a word, ``stimulus_id`` ``story.zone``; one neuroid, the mean reading
        time in milliseconds. ``words`` are all of them in order; ``meta`` has the text of each
        story, the alignment, and the correlation of word length with times by either.

    Raises
    ------
    ReadError
        If files or columns are missing, or words and times do not belong together.

    Warns
    -----
    UserWarning
        If the times had to be moved.

    Notes
    -----
    The present release was realigned by its authors (issue 2 of languageMIT/naturalstories):
    word length correlates with its times by .32 as they stand and by .25 moved by one word. A
    column ``meanItemRT_realigned`` that a file may hold is these times moved once more, and is
    not read.

    Examples
    --------
    >>> lines = ["item,zone,word,meanItemRT", "1,1,If,310", "1,2,journeying,370", "1,3,go.,320"]
    >>> _ = Path("ns_words_rt_surprisal.csv").write_text("\n".join(lines))
    >>> read_natural_stories(".").responses.values.ravel().tolist()
    [310.0, 370.0, 320.0]
    """
    known("alignment", alignment, ("auto", "released", "realigned"))
    table = _words(Path(path))
    moved = table.groupby("item", sort=False)[_RELEASED].shift(1)
    follows = {"released": _follows(table, table[_RELEASED]), "realigned": _follows(table, moved)}
    if alignment == "auto":
        alignment = "realigned" if follows["realigned"] > follows["released"] else "released"
        if alignment == "realigned":
            warn(
                "Natural Stories: the mean reading times of this release stand one word early "
                f"(their correlation with word length is {follows['released']:.2f}, and "
                f"{follows['realigned']:.2f} when moved) and were moved. Give alignment='released' "
                "to take them as they stand, or get the present release."
            )
    times = (moved if alignment == "realigned" else table[_RELEASED]).to_numpy(np.float32)
    stimuli = _stimuli(table)
    timed = np.isfinite(times)
    responses = response_array(
        times[timed][:, None],
        {"stimulus_id": stimuli.index[timed], "story": stimuli["story"].to_numpy()[timed]},
        {"neuroid_id": ["reading_time"], "region": "reading time", "subject": "mean"},
    ).assign_attrs(units="ms")
    words = pd.DataFrame({"story": stimuli["story"], "word": stimuli["text"]})
    stories = words.groupby("story", sort=False)["word"].agg(story_text)
    meta = {"alignment": alignment, "r_length": follows, "story_text": stories.to_dict()}
    return Assembly("natural-stories", responses, stimuli, words=words, meta=meta)


def _follows(table: pd.DataFrame, times: pd.Series) -> float:
    """Return the correlation of reading times with the length of the words beside them."""
    length = table["word"].str.len().to_numpy(np.float64)
    there = times.notna().to_numpy()
    if there.sum() < 3 or np.ptp(length[there]) == 0 or np.ptp(times[there]) == 0:
        return 0.0
    return float(np.corrcoef(length[there], times[there])[0, 1])


def _words(root: Path) -> pd.DataFrame:
    folder = root if root.is_dir() else root.parent
    joined = folder / "ns_words_rt_surprisal.csv"
    if joined.is_file():
        table = read_texts(joined, ",", [*_KEYS, "word", _RELEASED])
        return _numeric(joined, table)
    timed, told = folder / "processed_wordinfo.tsv", folder / "all_stories.tok"
    if not timed.is_file() or not told.is_file():
        raise ReadError(
            f"{folder}: expected ns_words_rt_surprisal.csv, or processed_wordinfo.tsv beside "
            "all_stories.tok."
        )
    times = _numeric(timed, read_texts(timed, "\t", [*_KEYS, "word", _RELEASED], quoted=False))
    words = _numeric(told, read_texts(told, "\t", [*_KEYS, "word"], quoted=False))
    table = words.merge(times, on=_KEYS, how="left", suffixes=("", "_timed"), validate="1:1")
    other = table["word_timed"].notna() & (table["word"] != table["word_timed"])
    if table[_RELEASED].isna().all() or other.mean() > 0.05:
        raise ReadError(
            f"{timed.name} and {told.name} disagree in {int(other.sum())} of {len(table)} words; "
            "they are not of one release."
        )
    return table.drop(columns="word_timed")


def _numeric(path: Path, table: pd.DataFrame) -> pd.DataFrame:
    for column in table.columns.difference(["word"]):
        cells = table[column].where(table[column] != "")
        try:
            table[column] = pd.to_numeric(cells)
        except ValueError as error:
            raise ReadError(f"{path.name}: column {column!r} holds no numbers: {error}.") from error
    table[_KEYS] = table[_KEYS].astype(np.int64)
    return table.sort_values(_KEYS, kind="stable", ignore_index=True)


def _stimuli(table: pd.DataFrame) -> pd.DataFrame:
    ids = table["item"].astype(str) + "." + table["zone"].astype(str)
    stimuli = pd.DataFrame({"text": table["word"], "story": table["item"].astype(str)})
    stimuli["position"] = table["zone"]
    stimuli["length"] = table["word"].str.len()
    stimuli["sentence_end"] = table["word"].str.endswith(_SENTENCE_END)
    for column in _NUISANCE:
        if column in table:
            stimuli[column] = table[column]
    stimuli.index = pd.Index(ids, name="stimulus_id")
    return stimuli
