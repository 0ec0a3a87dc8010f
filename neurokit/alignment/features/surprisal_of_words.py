"""How unexpected each word is to a language model."""

from __future__ import annotations

import importlib.metadata
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal

import numpy as np
import xarray as xr
from numpy.typing import ArrayLike, NDArray

from neurokit.alignment.features.cache import recall, store
from neurokit.alignment.features.language_passes import (
    Reader,
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
from neurokit.alignment.features.words_and_tokens import (
    Document,
    Texts,
    Tokens,
    Window,
    documents,
    fingerprint,
    plan_windows,
    tokenise,
    word_coords,
)
from neurokit.arguments import known, whole
from neurokit.errors import DataError
from neurokit.extras import require

__all__ = ["surprisal"]

FORMAT = 1
MOST_TOKENS = 2048  # in a batch: each token has a score for every token of the vocabulary
SPACES = ("Ġ", "▁", "Ċ", " ", "\n", "\t")  # what tokens begin with that begin a word

Boundary = Literal["tokens", "corrected"]


def surprisal(
    texts: Texts,
    model: str | Path,
    context: int | None = None,
    *,
    stride: int = 1,
    boundary: Boundary = "tokens",
    passages: ArrayLike | None = None,
    untrained: bool = False,
    seed: int = 0,
    batch_size: int = 32,
    device: str = "auto",
    cache: bool = True,
    progress: bool | None = None,
) -> xr.DataArray:
    """Compute the surprisal of every word, -log2 p(word | what came before), in bits.

    Parameters
    ----------
    texts : iterable of str, or of sequences of str
        Texts, whose words are what white space separates, or lists of their words.
    model : str or path
        A causal model, see :func:`~neurokit.alignment.features.language`.
    context : int, optional
        Words in the window in which each word is read, itself the last of them. By default
        texts are read as a whole, and must fit into the model.
    stride : int
        Words that one window tells about, see :func:`~neurokit.alignment.features.language`.
    boundary : {"tokens", "corrected"}
        ``"tokens"`` sums the surprisal of the tokens of a word, the space before it among
        them. ``"corrected"`` moves the probability that the word ends there from the next
        word, whose first token carries it, to the word itself.
    passages : array-like, shape (texts,), optional
        The passage or story of each text; texts of one are read one after another.
    untrained : bool
        Use the model's twin with random weights.
    seed : int
        Of those weights.
    batch_size : int
        Texts or windows read at once; no result depends on it.
    device : str
        A device of torch; ``"auto"`` takes CUDA, MPS or the CPU.
    cache : bool
        Keep results on disk.
    progress : bool, optional
        Show a progress bar.

    Returns
    -------
    DataArray
        Bits over ``presentation``, the words of all texts one after another, with the
        coordinates ``word`` and ``text`` (its number).

    Raises
    ------
    DataError
        A model that is not causal or has no token to begin with, or texts that are empty or
        longer than it reads.
    UnknownNameError, ReadError, DownloadError, MissingExtraError
        As for :func:`~neurokit.alignment.features.language`.

    Notes
    -----
    Each window begins with the model's own token for the beginning of a text, or the one
    for its end where it has none, so that first words have a surprisal, too. With whole texts
    the sum over words is the negative log-likelihood of the text after that token.

    Where tokens carry the space before a word, the tokens of "cat" are also those of the
    beginning of "cats"; the sum of their surprisal is that of the prefix. The correction is
    that of Pimentel and Meister 2024 (How to compute the probability of a word, EMNLP,
    theorem 2): with B the tokens that begin a word, or end the text,
    s(w) = -log2 p(tokens) - log2 p(B | after w) + log2 p(B | before w). A first word has
    nothing before it and no third term.

    Examples
    --------
    >>> surprisal(["It rains."], "./my_model")
    Traceback (most recent call last):
    neurokit.errors.ReadError: There is no folder or file ./my_model.
    """
    known("boundary", boundary, ("tokens", "corrected"))
    if context is not None:
        context = whole("context (words)", context, least=1)
    stride = whole("stride (words)", stride, least=1)
    if stride > 1 and context is None:
        raise DataError("A stride belongs to a window. Give context=, the number of words in it.")
    batch_size = whole("batch_size", batch_size, least=1)
    seed = whole("seed", seed, least=0)
    place = torch_device(device)
    read = documents(texts, passages)
    source = find_source(model, untrained=untrained)
    _check_causal(source, cache)
    packages = ("torch", "transformers") if untrained else ()
    key = {
        "kind": "surprisal",
        "format": FORMAT,
        "weights": source.fingerprint(untrained),
        "untrained": [seed, *map(importlib.metadata.version, packages)] if untrained else None,
        "texts": fingerprint(read),
        "boundary": boundary,
        "context": context,
        "stride": stride,
    }
    kept = recall(key) if cache else None
    if kept is None:
        tokenizer = load_tokenizer(source, cache=cache)
        reader = _reader(source, tokenizer, place, seed if untrained else None, cache)
        tokens = [tokenise(document, tokenizer) for document in read]
        room = token_limit(reader.model.config.get_text_config(), tokenizer) - len(reader.prefix)
        windows = list(plan_windows(tokens, room, context, stride))
        starts = _word_starts(tokenizer, reader) if boundary == "corrected" else None
        parts = _scores(reader, tokens, windows, starts, batch_size, progress)
        kept = {"bits": _of_words(read, tokens, parts)}
        if cache:
            store(key, kept)
    return xr.DataArray(
        kept["bits"],
        dims="presentation",
        coords=word_coords(read),
        name="surprisal",
        attrs={
            "units": "bit",
            "model": source.name,
            "context": "whole text" if context is None else f"{context} words, stride {stride}",
            "boundary": boundary,
            "untrained": int(untrained),
            "weights": key["weights"],
            **({"seed": seed} if untrained else {}),
        },
    )


def _check_causal(source: Source, cache: bool) -> None:
    """Refuse models that see the words to come, or none around."""
    if source.kind == "vectors":
        raise DataError(f"{source.name} are word vectors, to which no word is unexpected.")
    config = read_config(source, cache=cache)
    masked = require("transformers.models.auto.modeling_auto", "alignment")
    both_ways = type(config) in masked.MODEL_FOR_MASKED_LM_MAPPING
    if config.is_encoder_decoder or (both_ways and not getattr(config, "is_decoder", False)):
        raise DataError(
            f"{source.name} ({config.model_type}) also sees the words after a word. Surprisal "
            "needs a causal model, such as 'smollm2-135m'."
        )


def _reader(source: Source, tokenizer: Any, device: str, twin: int | None, cache: bool) -> Reader:
    """Load a causal model, and find the token that begins a text."""
    before, _ = specials(tokenizer)
    own = (tokenizer.bos_token_id, tokenizer.eos_token_id)
    prefix = before or [token for token in own if token is not None][:1]
    if not prefix:
        raise DataError(
            f"The tokeniser of {source.name} has no token for the beginning or end of a text, so "
            "first words have no surprisal. Set its bos_token."
        )
    model = load_model(source, "causal", untrained=twin is not None, seed=twin or 0, cache=cache)
    return Reader(model.to(device), prefix, [], MOST_TOKENS)


def _word_starts(tokenizer: Any, reader: Reader) -> NDArray[np.intp]:
    """List the tokens that begin a word or end a text."""
    size = reader.model.get_output_embeddings().weight.shape[0]
    names = tokenizer.convert_ids_to_tokens(list(range(min(size, len(tokenizer)))))
    found = [k for k, name in enumerate(names) if name is not None and name.startswith(SPACES)]
    if not found:
        raise DataError("No token of this tokeniser begins with a space. Use boundary='tokens'.")
    ends = [token for token in (tokenizer.eos_token_id,) if token is not None]
    return np.unique(np.asarray(found + ends, dtype=np.intp))


def _scores(
    reader: Reader,
    tokens: Sequence[Tokens],
    windows: Sequence[Window],
    starts: NDArray[np.intp] | None,
    batch_size: int,
    progress: bool | None,
) -> list[NDArray[np.float64]]:
    """Score every token: bits of its own, of a boundary before it, and of one after it."""
    import torch

    parts = [np.zeros((3, len(each.ids))) for each in tokens]
    start = len(reader.prefix)
    for batch, output in reader.passes(tokens, windows, batch_size, progress):
        for k, window in enumerate(batch):
            first = start + window.keep - window.begin
            last = start + window.end - window.begin
            logits = output.logits[k, first - 1 : last].float()
            total = torch.logsumexp(logits, dim=-1)
            own = torch.from_numpy(tokens[window.document].ids[window.keep : window.end])
            chosen = logits[:-1].gather(1, own.to(logits.device)[:, None])[:, 0]
            into = parts[window.document][:, window.keep : window.end]
            into[0] = (total[:-1] - chosen).double().cpu().numpy()
            if starts is not None:
                index = torch.from_numpy(starts).to(logits.device)
                edge = (total - torch.logsumexp(logits[:, index], dim=-1)).double().cpu().numpy()
                into[1:] = edge[:-1], edge[1:]
    return [part / np.log(2) for part in parts]


def _of_words(
    read: Sequence[Document], tokens: Sequence[Tokens], parts: Sequence[NDArray[np.float64]]
) -> NDArray[np.float64]:
    """Add up the bits of each word, in the order of the texts."""
    bits = []
    for document, each, (own, before, after) in zip(read, tokens, parts, strict=True):
        edge = np.diff(each.word) > 0
        total = own.copy()
        total[np.append(edge, True)] += after[np.append(edge, True)]
        total[np.append(False, edge)] -= before[np.append(False, edge)]
        bits.append(np.bincount(each.word, total, len(document.start)).astype(np.float64))
    owner = np.concatenate([document.owner for document in read])
    flat: NDArray[np.float64] = np.concatenate(bits)
    return flat[np.argsort(owner, kind="stable")]
