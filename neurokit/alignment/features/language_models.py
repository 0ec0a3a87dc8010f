"""What language models make of texts: one array (presentation, feature) per layer."""

from __future__ import annotations

import importlib.metadata
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
import xarray as xr
from numpy.typing import ArrayLike, NDArray

from neurokit.alignment.features.cache import recall, store
from neurokit.alignment.features.language_passes import (
    Pooling,
    Reader,
    pooled_states,
    segments_and_weights,
    specials,
    token_limit,
    torch_device,
)
from neurokit.alignment.features.language_sources import (
    Source,
    find_source,
    load_model,
    load_tokenizer,
    read_config,
)
from neurokit.alignment.features.word_vectors import load_vectors
from neurokit.alignment.features.words_and_tokens import (
    Document,
    Texts,
    documents,
    fingerprint,
    plan_windows,
    tokenise,
    word_coords,
)
from neurokit.alignment.inputs import some
from neurokit.arguments import known, whole
from neurokit.errors import DataError, UnknownNameError
from neurokit.warning import warn

__all__ = ["language"]

FORMAT = 1  # of what is kept on disk; a change of the numbers below must change it
POOLINGS = ("last", "mean", "words")


def language(
    texts: Texts,
    model: str | Path,
    layers: Literal["all"] | int | Iterable[int] = "all",
    pooling: Pooling = "last",
    context: int | None = None,
    *,
    stride: int = 1,
    passages: ArrayLike | None = None,
    untrained: bool = False,
    seed: int = 0,
    batch_size: int = 32,
    device: str = "auto",
    cache: bool = True,
    progress: bool | None = None,
) -> dict[int, xr.DataArray] | xr.DataArray:
    """Compute the representations of texts in the layers of a language model.

    Parameters
    ----------
    texts : iterable of str, or of sequences of str
        Texts, or lists of their words, such as the words of a story as they were timed.
    model : str or path
        A causal or masked model of transformers: a packaged one (``"smollm2-135m"``,
        ``"minilm"``, ``"glove-6b-50d"``), a folder, a GGUF file, or a name on the hub. Only
        safetensors and GGUF are read, and no code of the model's own is run. Or a text file
        of word vectors as GloVe (``.txt``), word2vec and fastText (``.vec``) publish them.
    layers : "all", int or iterable of int
        0 is the embedding and k the output of block k, the last one after the final norm.
        Word vectors have layer 0 only.
    pooling : {"last", "mean", "words"}
        The last token of each text, the mean over its tokens, or the mean over the tokens of
        each word, all words of all texts one after another. Special tokens are read by the
        model and never pooled.
    context : int, optional
        Words in the window in which each word is read, itself the last of them. By default
        texts are read as a whole, and must fit into the model.
    stride : int
        Words that one window tells about. At 1 each word sees exactly ``context`` words;
        larger ones save passes, and a word sees up to ``context + stride - 1``.
    passages : array-like, shape (texts,), optional
        The passage or story of each text. Texts of one passage are read one after another,
        each knowing those before it.
    untrained : bool
        Use the model's twin with random weights.
    seed : int
        Of those weights.
    batch_size : int
        Texts or windows read at once; no result depends on it.
    device : str
        A device of torch; ``"auto"`` takes CUDA, MPS or the CPU.
    cache : bool
        Keep results on disk, by the hash of weights, texts and settings.
    progress : bool, optional
        Show a progress bar.

    Returns
    -------
    dict of int to DataArray, or DataArray
        Per layer an array ``(presentation, feature)`` in float32, with a row for each text,
        or for each word with coordinates ``word`` and ``text`` (its number). The array alone
        if ``layers`` is one number. Attributes say how it was made.

    Raises
    ------
    DataError
        No texts, an empty one, or one that is longer than the model reads.
    UnknownNameError
        An unknown model or layer.
    ReadError, DownloadError, MissingExtraError
        A model that cannot be read, fetched or is not installed.

    Warns
    -----
    UserWarning
        Texts or words of which the model knows no part; their rows are zero.

    Notes
    -----
    A causal model sees a word and what came before. A masked model sees its whole window, so
    with ``context`` and ``stride=1`` it, too, knows nothing of the words to come.

    Examples
    --------
    >>> texts = ["The dog sleeps.", "It rains."]
    >>> language(texts, "./my_model")
    Traceback (most recent call last):
    neurokit.errors.ReadError: There is no folder or file ./my_model.
    """
    plan = _check_plan(pooling, context, stride, batch_size, device, progress)
    seed = whole("seed", seed, least=0)
    read = documents(texts, passages)
    source = find_source(model, untrained=untrained)
    wanted = _check_layers(layers, _depth(source, cache))
    twin = seed if untrained else None
    key = _key(source, read, plan, twin)
    found: dict[int, NDArray] = {}
    for layer in wanted if cache else ():
        kept = recall({**key, "layer": layer})
        if kept is not None:
            found[layer] = kept["x"]
    missing = [layer for layer in wanted if layer not in found]
    if missing:
        compute = _vectors if source.kind == "vectors" else _states
        for layer, x in compute(source, read, plan, missing, twin, cache).items():
            found[layer] = x
            if cache:
                store({**key, "layer": layer}, {"x": x})
    _warn_of_unknown(found[wanted[0]], read, pooling)
    facts = {
        "model": source.name,
        "pooling": pooling,
        "context": "whole text" if context is None else f"{context} words, stride {stride}",
        "untrained": int(untrained),
        "weights": key["weights"],
        **({"seed": seed} if untrained else {}),
    }
    coords = word_coords(read) if pooling == "words" else {}
    arrays = {
        layer: xr.DataArray(
            found[layer],
            dims=("presentation", "feature"),
            coords=coords,
            attrs={**facts, "layer": layer},
        )
        for layer in wanted
    }
    return arrays[wanted[0]] if isinstance(layers, int | np.integer) else arrays


@dataclass(frozen=True)
class _Plan:
    """How texts are read."""

    pooling: Pooling
    context: int | None
    stride: int
    batch_size: int
    device: str
    progress: bool | None


def _check_plan(
    pooling: Pooling,
    context: int | None,
    stride: int,
    batch_size: int,
    device: str,
    progress: bool | None,
) -> _Plan:
    """Refuse settings before any model is loaded."""
    known("pooling", pooling, POOLINGS)
    stride = whole("stride (words)", stride, least=1)
    if context is not None:
        context = whole("context (words)", context, least=1)
    elif stride > 1:
        raise DataError("A stride belongs to a window. Give context=, the number of words in it.")
    batch_size = whole("batch_size", batch_size, least=1)
    return _Plan(pooling, context, stride, batch_size, torch_device(device), progress)


def _check_layers(layers: Literal["all"] | int | Iterable[int], depth: int) -> list[int]:
    """Return numbers of layers that the model has."""
    if isinstance(layers, str) and layers == "all":
        return list(range(depth))
    asked = layers if isinstance(layers, Iterable) and not isinstance(layers, str) else [layers]
    wanted = list(dict.fromkeys(asked))
    for layer in wanted:
        if not isinstance(layer, int | np.integer) or not 0 <= layer < depth:
            raise UnknownNameError("layer", str(layer), ["all", *map(str, range(depth))])
    if not wanted:
        raise DataError("Expected at least one layer; got none.")
    return [int(layer) for layer in wanted]


def _depth(source: Source, cache: bool) -> int:
    """Count the layers of a model, the embedding among them."""
    if source.kind == "vectors":
        return 1
    config = read_config(source, cache=cache).get_text_config()
    if config.is_encoder_decoder:
        raise DataError(
            f"{source.name} ({config.model_type}) has an encoder and a decoder. Use a causal or a "
            "masked language model."
        )
    return int(config.num_hidden_layers) + 1


def _key(source: Source, read: list[Document], plan: _Plan, twin: int | None) -> dict[str, Any]:
    """Name everything that the numbers depend on."""
    versions = [importlib.metadata.version(name) for name in ("torch", "numpy")]
    if source.kind != "vectors":
        versions.append(importlib.metadata.version("transformers"))
    return {
        "kind": "language",
        "format": FORMAT,
        "weights": source.fingerprint(untrained=twin is not None),
        "untrained": None if twin is None else [twin, *versions],
        "texts": fingerprint(read),
        "pooling": plan.pooling,
        "context": plan.context,
        "stride": plan.stride,
    }


def _states(
    source: Source,
    read: list[Document],
    plan: _Plan,
    layers: list[int],
    twin: int | None,
    cache: bool,
) -> dict[int, NDArray[np.float32]]:
    """Run texts through a model of transformers."""
    tokenizer = load_tokenizer(source, cache=cache)
    before, after = specials(tokenizer)
    tokens = [tokenise(document, tokenizer) for document in read]
    limit = token_limit(read_config(source, cache=cache).get_text_config(), tokenizer)
    room = limit - len(before) - len(after)
    windows = list(plan_windows(tokens, room, plan.context, plan.stride))
    model = load_model(source, untrained=twin is not None, seed=twin or 0, cache=cache)
    return pooled_states(
        Reader(model.to(plan.device), before, after),
        tokens,
        windows,
        [document.owner for document in read],
        plan.pooling,
        layers,
        batch_size=plan.batch_size,
        progress=plan.progress,
    )


def _vectors(
    source: Source,
    read: list[Document],
    plan: _Plan,
    layers: list[int],
    twin: int | None,
    cache: bool,  # noqa: ARG001 (as _states, which converts files)
) -> dict[int, NDArray[np.float32]]:
    """Pool the vectors of words."""
    table = load_vectors(source.path)
    tokens = [table.tokens(document) for document in read]
    owners = [document.owner for document in read]
    segments, weights, n_rows = segments_and_weights(tokens, owners, plan.pooling)
    vectors = table.vectors if twin is None else table.untrained(twin)
    x = np.zeros((n_rows, vectors.shape[1]), dtype=np.float32)
    ids = np.concatenate([each.ids for each in tokens])
    np.add.at(x, np.concatenate(segments), vectors[ids] * np.concatenate(weights)[:, None])
    return dict.fromkeys(layers, x)


def _warn_of_unknown(x: NDArray, read: list[Document], pooling: Pooling) -> None:
    """Name the texts or words that left no trace."""
    empty = np.flatnonzero(~x.any(axis=1))
    if not empty.size:
        return
    if pooling == "words":
        coords = word_coords(read)
        names = list(dict.fromkeys(coords["word"][1][empty]))
    else:
        names = [f"text {k}" for k in empty]
    warn(
        f"The model knows no part of {empty.size} of {len(x)} "
        f"{'words' if pooling == 'words' else 'texts'}, whose rows are zero: {some(names)}."
    )
