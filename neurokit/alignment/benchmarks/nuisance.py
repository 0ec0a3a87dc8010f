"""The nuisance features that a definition names, for each presentation."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from neurokit.alignment.benchmarks.plain import sizes
from neurokit.alignment.benchmarks.representations import texts_of
from neurokit.alignment.benchmarks.words import at_presentations, word_nuisance, words_of
from neurokit.errors import NeurokitError, UnknownNameError
from neurokit.warning import warn

if TYPE_CHECKING:
    from neurokit.catalog.benchmarks import BenchmarkCard
    from neurokit.datasets.assemblies import Assembly

__all__ = ["nuisance_features"]

Array = NDArray[np.float32]
_BY_MODEL = ("tokens", "surprisal")
_BUILT_IN = ("words", "characters", "position", "luminance", *_BY_MODEL)


def nuisance_features(card: BenchmarkCard, assembly: Assembly) -> tuple[Array, list[str]]:
    """Compute the nuisance features of a benchmark.

    Parameters
    ----------
    card : BenchmarkCard
        Names them.
    assembly : Assembly
        The stimuli and their presentations.

    Returns
    -------
    features : ndarray, shape (presentations, features)
        Features, perhaps none.
    used : list of str
        Names of those that could be computed.

    Raises
    ------
    UnknownNameError
        A name that is neither a nuisance feature nor a numeric column of the stimuli.

    Warns
    -----
    UserWarning
        The language model that counts tokens and surprisal is not to be had.
    """
    assert assembly.responses is not None
    shown = assembly.responses["stimulus_id"].values
    rows = assembly.stimuli.index.get_indexer(pd.Index(shown))
    columns, used = [np.zeros((len(shown), 0), np.float32)], []
    words = words_of(card, assembly)
    timed = words if words is not None and "onset" in words else None
    for name in card.nuisance:
        if name == "position":
            found = _position(card, assembly)[:, None]
        elif timed is not None and (each := word_nuisance(name, timed)) is not None:
            found = at_presentations(each[:, None], timed, assembly)
        elif (of_stimuli := _of_stimuli(name, card, assembly)) is not None:
            found = of_stimuli.reshape(len(assembly.stimuli), -1)[rows]
        else:
            continue
        columns.append(found.astype(np.float32))
        used.append(name)
    return np.concatenate(columns, axis=1), used


def _of_stimuli(name: str, card: BenchmarkCard, assembly: Assembly) -> NDArray | None:
    """Compute one feature of each distinct stimulus; None where a model is missing."""
    table = assembly.stimuli
    if name in ("words", "characters"):
        return sizes(texts_of(assembly))[:, int(name == "characters")]
    if name == "luminance":
        return _luminance(assembly)
    if name in _BY_MODEL:
        return _by_model(name, card.nuisance_model, texts_of(assembly))
    numeric = table.select_dtypes(["number", "bool"])
    if name not in numeric:
        raise UnknownNameError("nuisance feature", name, [*_BUILT_IN, *numeric.columns])
    return numeric[name].to_numpy(np.float64)


def _by_model(name: str, model: str, texts: list[str]) -> NDArray | None:
    """Count the tokens of each text, or add up the surprisal of its words in bits."""
    from neurokit.alignment.features import surprisal
    from neurokit.alignment.features.language_sources import find_source, load_tokenizer

    try:
        if name == "tokens":
            tokens = load_tokenizer(find_source(model))(texts, add_special_tokens=False)
            return np.array([len(ids) for ids in tokens["input_ids"]])
        bits = surprisal(texts, model)
    except NeurokitError as error:
        warn(f"Nuisance feature {name!r} is left out: {error}")
        return None
    return np.bincount(bits["text"].values.astype(np.intp), weights=bits.values)


def _luminance(assembly: Assembly) -> NDArray:
    """Return mean and standard deviation of the grey values of each picture."""
    grey = [image.mean(axis=-1) for image in assembly.images()]
    return np.array([[image.mean(), image.std()] for image in grey])


def _position(card: BenchmarkCard, assembly: Assembly) -> NDArray:
    """Count presentations within the run, story or passage."""
    assert assembly.responses is not None
    responses, group = assembly.responses, card.folds.group
    if group not in responses.coords:
        return np.arange(len(responses))
    labels = pd.Series(responses[group].values)
    return labels.groupby(labels.to_numpy()).cumcount().to_numpy()
