"""Forward passes of a language model: windows of similar length together, padded and masked."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from neurokit.alignment.devices import place_for
from neurokit.alignment.features.words_and_tokens import Tokens, Window
from neurokit.errors import DataError
from neurokit.progress import progress_bar

__all__ = [
    "Pooling",
    "Reader",
    "pooled_states",
    "segments_and_weights",
    "specials",
    "token_limit",
    "torch_device",
]

Pooling = Literal["last", "mean", "words"]

UNLIMITED = 10**9


@dataclass(frozen=True)
class Reader:
    """A model on its device, and what it wants around every text.

    Attributes
    ----------
    model : torch.nn.Module
        From transformers.
    prefix, suffix : list of int
        Special tokens before and after each window.
    most_tokens : int
        In a batch, whatever the number of windows: bounds the memory of all layers.
    """

    model: Any
    prefix: list[int]
    suffix: list[int]
    most_tokens: int = 8192

    def passes(
        self,
        tokens: Sequence[Tokens],
        windows: Sequence[Window],
        batch_size: int,
        progress: bool | None,
        **options: Any,
    ) -> Iterator[tuple[list[Window], Any]]:
        """Run windows through the model, the longest first.

        Parameters
        ----------
        tokens : sequence of Tokens
            One a document.
        windows : sequence of Window
            What to read.
        batch_size : int
            Most windows in a batch.
        progress : bool, optional
            Show a bar over windows.
        **options
            Passed to the model.

        Yields
        ------
        windows : list of Window
            A batch.
        output : transformers.ModelOutput
            What the model made of it; row k is window k, with ``prefix`` before its tokens.
        """
        import torch

        device = next(self.model.parameters()).device
        with (
            torch.inference_mode(),
            progress_bar(total=len(windows), enabled=progress, desc="read", unit="window") as bar,
        ):
            for batch in self._batches(windows, batch_size):
                rows = [self._ids(tokens[w.document], w) for w in batch]
                ids = np.zeros((len(rows), max(map(len, rows))), dtype=np.int64)
                mask = np.zeros_like(ids)
                for k, row in enumerate(rows):
                    ids[k, : len(row)], mask[k, : len(row)] = row, 1
                yield (
                    batch,
                    self.model(
                        input_ids=torch.from_numpy(ids).to(device),
                        attention_mask=torch.from_numpy(mask).to(device),
                        **options,
                    ),
                )
                bar.update(len(batch))

    def _ids(self, tokens: Tokens, window: Window) -> NDArray[np.intp]:
        inside = tokens.ids[window.begin : window.end]
        return np.concatenate([self.prefix, inside, self.suffix]).astype(np.int64)

    def _batches(self, windows: Sequence[Window], batch_size: int) -> Iterator[list[Window]]:
        """Sort by length, and cut where a batch holds enough windows or tokens."""
        extra = len(self.prefix) + len(self.suffix)
        order = sorted(windows, key=lambda w: w.begin - w.end)
        start = 0
        while start < len(order):
            longest = order[start].end - order[start].begin + extra
            stop = start + max(min(batch_size, self.most_tokens // longest), 1)
            yield order[start:stop]
            start = stop


def segments_and_weights(
    tokens: Sequence[Tokens], owners: Sequence[NDArray[np.intp]], pooling: Pooling
) -> tuple[list[NDArray[np.intp]], list[NDArray[np.float32]], int]:
    """Say which row of the result each token goes to, and with which weight.

    Parameters
    ----------
    tokens : sequence of Tokens
        One a document.
    owners : sequence of ndarray of int
        The text of each word, one array a document.
    pooling : {"last", "mean", "words"}
        The last token of each text, the mean over its tokens, or over those of each word.

    Returns
    -------
    segments : list of ndarray of int
        Row of each token.
    weights : list of ndarray of float32
        Weight of each token; those of a row sum to 1, or to 0 where it has no token.
    n_rows : int
        Texts, or words.

    Examples
    --------
    >>> tokens = [Tokens(np.array([7, 8, 9]), np.array([0, 1, 1]))]
    >>> segments_and_weights(tokens, [np.array([0, 0])], "words")
    ([array([0, 1, 1])], [array([1. , 0.5, 0.5], dtype=float32)], 2)
    """
    if pooling == "words":
        # Documents may hold the texts of a passage, whose words stand apart in the order of texts.
        order = np.argsort(np.concatenate(owners), kind="stable")
        row = np.empty(len(order), dtype=np.intp)
        row[order] = np.arange(len(order))
        cuts = np.cumsum([len(owner) for owner in owners])[:-1]
        rows = np.split(row, cuts)
    else:
        rows = list(owners)
    n_rows = max(int(each.max()) for each in rows) + 1
    segments = [row[each.word] for row, each in zip(rows, tokens, strict=True)]
    flat = np.concatenate(segments)
    if pooling == "last":
        last = np.full(n_rows, -1)
        last[flat] = np.arange(len(flat))
        weight = np.zeros(len(flat), dtype=np.float32)
        weight[last[last >= 0]] = 1
    else:
        weight = (1 / np.bincount(flat, minlength=n_rows)[flat]).astype(np.float32)
    cuts = np.cumsum([len(each) for each in segments])[:-1]
    return segments, np.split(weight, cuts), n_rows


def pooled_states(
    reader: Reader,
    tokens: Sequence[Tokens],
    windows: Sequence[Window],
    owners: Sequence[NDArray[np.intp]],
    pooling: Pooling,
    layers: Sequence[int],
    *,
    batch_size: int,
    progress: bool | None = None,
) -> dict[int, NDArray[np.float32]]:
    """Collect the hidden states of some layers, pooled.

    Parameters
    ----------
    reader : Reader
        The model.
    tokens, windows, owners : sequences
        What is read, see :func:`segments_and_weights`.
    pooling : {"last", "mean", "words"}
        What a row of the result is.
    layers : sequence of int
        0 is the embedding, k the output of block k.
    batch_size : int
        Most windows in a batch.
    progress : bool, optional
        Show a bar.

    Returns
    -------
    dict of int to ndarray, shape (rows, features)
        By layer.

    Raises
    ------
    DataError
        Texts without a single token.
    """
    import torch

    if not windows:
        raise DataError("The model's tokeniser finds nothing that it knows in these texts.")
    segments, weights, n_rows = segments_and_weights(tokens, owners, pooling)
    total: dict[int, Any] = {}
    start = len(reader.prefix)
    for batch, output in reader.passes(
        tokens, windows, batch_size, progress, output_hidden_states=True
    ):
        row, place, into, weight = (
            torch.from_numpy(np.concatenate(part))
            for part in zip(*(_kept(k, w, start, segments, weights) for k, w in enumerate(batch)),
                            strict=True)
        )  # fmt: skip
        for layer in layers:
            states = output.hidden_states[layer]
            picked = states[row.to(states.device), place.to(states.device)].float().cpu()
            if layer not in total:
                total[layer] = torch.zeros((n_rows, picked.shape[1]))
            total[layer].index_add_(0, into, picked * weight[:, None])
    return {layer: total[layer].numpy() for layer in layers}


def specials(tokenizer: Any) -> tuple[list[int], list[int]]:
    """Find the special tokens that a tokeniser puts before and after a text.

    Parameters
    ----------
    tokenizer : transformers.PreTrainedTokenizerBase
        The tokeniser.

    Returns
    -------
    before, after : list of int
        Token numbers.

    Examples
    --------
    >>> class Brackets:
    ...     def __call__(self, text, **options):
    ...         return {"input_ids": [1, 97, 2], "special_tokens_mask": [1, 0, 1]}
    >>> specials(Brackets())
    ([1], [2])
    """
    found = tokenizer("a", return_special_tokens_mask=True)
    plain = np.flatnonzero(np.asarray(found["special_tokens_mask"]) == 0)
    ids = list(found["input_ids"])
    return ids[: plain[0]], ids[plain[-1] + 1 :]


def token_limit(config: Any, tokenizer: Any) -> int:
    """Find how many tokens a model reads.

    Parameters
    ----------
    config : transformers.PreTrainedConfig
        Its configuration.
    tokenizer : transformers.PreTrainedTokenizerBase
        Its tokeniser, which may know of a smaller number.

    Returns
    -------
    int
        Tokens, special ones included.
    """
    places = getattr(config, "max_position_embeddings", None) or UNLIMITED
    return min(int(places), int(min(tokenizer.model_max_length, UNLIMITED)))


def torch_device(device: str) -> str:
    """Choose the device of a network in single precision.

    Parameters
    ----------
    device : str
        A device of torch, or ``"auto"``: CUDA where there is one, else MPS, else the CPU.

    Returns
    -------
    str
        Its name.

    Raises
    ------
    DataError, UnknownNameError
        A device that is not there, or none at all.

    Examples
    --------
    >>> torch_device("cpu")
    'cpu'
    """
    return place_for(device, np.empty(0, dtype=np.float32)).device


def _kept(
    k: int,
    window: Window,
    start: int,
    segments: Sequence[NDArray[np.intp]],
    weights: Sequence[NDArray[np.float32]],
) -> tuple[NDArray, NDArray, NDArray, NDArray]:
    """Return row, place, segment and weight of the tokens that a window tells about."""
    kept = slice(window.keep, window.end)
    weight = weights[window.document][kept]
    used = weight > 0
    place = np.arange(window.keep, window.end) - window.begin + start
    segment = segments[window.document][kept]
    return np.full(int(used.sum()), k), place[used], segment[used], weight[used]
