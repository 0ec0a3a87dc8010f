"""From words to presentations: features of running words, brought to the volumes they evoked."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from neurokit.alignment.benchmarks.plain import PLAIN
from neurokit.alignment.downsample import lanczos
from neurokit.errors import DataError

if TYPE_CHECKING:
    from neurokit.catalog.benchmarks import BenchmarkCard
    from neurokit.datasets.assemblies import Assembly

__all__ = ["at_presentations", "of_words", "word_nuisance", "words_of"]

Array = NDArray[np.float32]


def words_of(card: BenchmarkCard, assembly: Assembly) -> pd.DataFrame | None:
    """Return the words whose features a benchmark scores.

    Parameters
    ----------
    card : BenchmarkCard
        The definition.
    assembly : Assembly
        The data.

    Returns
    -------
    DataFrame or None
        ``story``, ``word`` and, where timed, ``onset`` and ``offset``; None where the stimuli
        are no running words.

    Raises
    ------
    DataError
        The assembly brings no words.
    """
    if card.stimuli != "words":
        return None
    if assembly.words is None:
        raise DataError(f"{assembly.name} brings no words, which {card.name} scores features of.")
    return assembly.words


def of_words(
    model: str, card: BenchmarkCard, words: pd.DataFrame, layers: Any, options: Mapping[str, Any]
) -> dict[Any, NDArray]:
    """Ask a model what it makes of every word, each read after those before it in its story.

    Parameters
    ----------
    model : str
        A language model, or a name of ``PLAIN``.
    card : BenchmarkCard
        Says whether representations or surprisal are wanted, and the context.
    words : DataFrame
        Of :func:`words_of`.
    layers : "all" or list of int
        Of representations.
    options : mapping
        ``untrained``, ``seed`` and ``device``.

    Returns
    -------
    dict of layer to ndarray, shape (words, features)
        Surprisal is one layer of one feature, in bits.
    """
    if model in PLAIN:
        return {model: PLAIN[model](words["word"].tolist())}
    from neurokit.alignment.features import language, surprisal

    stories = [part.tolist() for _, part in words.groupby("story", sort=False)["word"]]
    context = card.features.context
    if card.features.kind == "surprisal":
        bits = surprisal(stories, model, context, **options)
        return {"surprisal": np.asarray(bits.values, dtype=np.float32)[:, None]}
    found = language(stories, model, layers, "words", context, **options)
    return {layer: np.asarray(values) for layer, values in found.items()}


def at_presentations(values: NDArray, words: pd.DataFrame, assembly: Assembly) -> NDArray:
    """Bring features of words to the presentations.

    Parameters
    ----------
    values : ndarray, shape (words, features)
        Features.
    words : DataFrame
        Of :func:`words_of`.
    assembly : Assembly
        Its presentations are volumes at ``time`` in a ``story``, or the words themselves.

    Returns
    -------
    ndarray, shape (presentations, features)
        Timed words are filtered (:func:`~neurokit.alignment.downsample.lanczos`) from their
        middles to the volumes of their story; else the rows of the words that were presented.

    Raises
    ------
    DataError
        Words without times where presentations are no words.
    """
    responses = assembly.responses
    assert responses is not None
    if "onset" not in words:
        if len(words) != len(assembly.stimuli):
            raise DataError(
                f"The {len(words)} words of {assembly.name} have no times and are not its "
                f"{len(assembly.stimuli)} stimuli; they cannot be matched with responses."
            )
        shown = pd.Index(responses["stimulus_id"].values)
        return values[assembly.stimuli.index.get_indexer(shown)]
    middle = (words["onset"].to_numpy(float) + words["offset"].to_numpy(float)) / 2
    told = words["story"].to_numpy(dtype=str)
    time = responses["time"].values.astype(float)
    known = "story" in responses.coords
    story = responses["story"].values.astype(str) if known else np.full(len(time), told[0])
    filtered = lanczos(values, middle, time, groups=told, new_groups=story)
    return np.asarray(filtered, dtype=values.dtype)


def word_nuisance(name: str, words: pd.DataFrame) -> Array | None:
    """Return one nuisance feature of each word.

    Parameters
    ----------
    name : str
        ``"characters"`` or ``"word rate"``, of which the latter is 1 for every word.
    words : DataFrame
        Of :func:`words_of`.

    Returns
    -------
    ndarray, shape (words,), or None
        None for other names.

    Examples
    --------
    >>> word_nuisance("characters", pd.DataFrame({"word": ["A", "dog"]})).tolist()
    [1.0, 3.0]
    """
    if name == "word rate":
        return np.ones(len(words), np.float32)
    if name == "characters":
        return np.array([len(word) for word in words["word"]], dtype=np.float32)
    return None
