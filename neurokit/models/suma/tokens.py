"""Texts as tokens, with any tokenizer of the tokenizers or transformers packages."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor

from neurokit import arguments
from neurokit.errors import DataError

__all__ = ["token_blocks", "tokenize"]


def tokenize(texts: Sequence[str], tokenizer: Any) -> list[list[int]]:
    """Turn texts into tokens.

    Parameters
    ----------
    texts : sequence of str
        Texts.
    tokenizer : tokenizers.Tokenizer or transformers tokenizer
        Gives the tokens; special ones as it is set to.

    Returns
    -------
    list of list of int
        The tokens of each text.

    Raises
    ------
    DataError
        A text that has no tokens, or something that is no tokenizer.

    Examples
    --------
    >>> def spell(texts):  # what a transformers tokenizer looks like
    ...     return {"input_ids": [[ord(letter) for letter in text] for text in texts]}
    >>> tokenize(["ab", "c"], spell)
    [[97, 98], [99]]
    """
    names = arguments.name_list("texts", texts)
    if hasattr(tokenizer, "encode_batch"):
        ids = [list(encoding.ids) for encoding in tokenizer.encode_batch(names)]
    elif callable(tokenizer):
        ids = [list(row) for row in tokenizer(names)["input_ids"]]
    else:
        raise DataError(
            f"tokenizer is {type(tokenizer).__name__}, expected one of tokenizers or transformers."
        )
    for place, row in enumerate(ids):
        if not row:
            raise DataError(f"Text {place} ({names[place]!r}) has no tokens. Leave it out.")
    return ids


def token_blocks(texts: Sequence[str], tokenizer: Any, length: int) -> list[dict[str, Tensor]]:
    """Cut texts into blocks of equal length, to train a language model on.

    Parameters
    ----------
    texts : sequence of str
        Texts. Each is cut by itself; tokens at its end that fill no block are left out.
    tokenizer : tokenizers.Tokenizer or transformers tokenizer
        See :func:`tokenize`.
    length : int
        Tokens a block.

    Returns
    -------
    list of dict
        A data set for ``neurokit.training.fit``: ``input_ids`` (length,) of each block.

    Raises
    ------
    DataError
        If no text fills a block.

    Examples
    --------
    >>> def spell(texts):
    ...     return {"input_ids": [[ord(letter) for letter in text] for text in texts]}
    >>> [block["input_ids"].tolist() for block in token_blocks(["abcde"], spell, 2)]
    [[97, 98], [99, 100]]
    """
    size = arguments.whole("length", length, least=2)
    ids = tokenize(texts, tokenizer)
    rows = [np.asarray(row[: len(row) // size * size]).reshape(-1, size) for row in ids]
    blocks = [{"input_ids": torch.from_numpy(row)} for text in rows for row in text]
    if not blocks:
        raise DataError(
            f"No text has {size} tokens: the longest has {max(map(len, ids))}. Shorten length."
        )
    return blocks
