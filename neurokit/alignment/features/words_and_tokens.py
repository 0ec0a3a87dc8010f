"""Texts as words, words as a model's tokens, and the windows in which a model reads them.

A document is tokenised once, as a whole, and each token belongs to the word that its last
character lies in. Windows are slices of those tokens, so that a word has the same tokens
wherever a window begins.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import ArrayLike, NDArray

from neurokit.alignment.features.cache import digest
from neurokit.alignment.inputs import some
from neurokit.alignment.splits import group_codes
from neurokit.errors import DataError

__all__ = [
    "Document",
    "Texts",
    "Tokens",
    "Window",
    "documents",
    "fingerprint",
    "plan_windows",
    "tokenise",
    "word_coords",
]

WORD = re.compile(r"\S+")
_SURROGATE = re.compile("[\ud800-\udfff]")
Texts = Iterable[str] | Iterable[Sequence[str]]
"""Texts, or the words of each."""


@dataclass(frozen=True)
class Document:
    """What is read in one go: a text, or the texts of a passage one after another.

    Attributes
    ----------
    text : str
        All of it.
    start, end : ndarray of int, shape (words,)
        Where each word begins and ends, in characters.
    owner : ndarray of int, shape (words,)
        Number of the text that each word is part of.
    """

    text: str
    start: NDArray[np.intp]
    end: NDArray[np.intp]
    owner: NDArray[np.intp]

    @property
    def words(self) -> list[str]:
        """The words."""
        return [self.text[a:b] for a, b in zip(self.start, self.end, strict=True)]


@dataclass(frozen=True)
class Tokens:
    """A document in the tokens of a model.

    Attributes
    ----------
    ids : ndarray of int, shape (tokens,)
        Tokens, without special ones.
    word : ndarray of int, shape (tokens,)
        Number of the word that each belongs to; never falls.
    """

    ids: NDArray[np.intp]
    word: NDArray[np.intp]


@dataclass(frozen=True)
class Window:
    """Tokens begin to end of a document, read to learn about those from keep on.

    Attributes
    ----------
    document : int
        Number of the document.
    begin, keep, end : int
        Token numbers; what lies before ``keep`` is context.
    """

    document: int
    begin: int
    keep: int
    end: int


def documents(texts: Texts, passages: ArrayLike | None = None) -> list[Document]:
    """Take texts apart into words, and put the texts of a passage together.

    Parameters
    ----------
    texts : iterable of str, or of sequences of str
        Texts, whose words are what white space separates, or lists of their words.
    passages : array-like, shape (texts,), optional
        The passage of each text: the texts of one are one document, in their order.

    Returns
    -------
    list of Document
        One a text or a passage, in order of first appearance.

    Raises
    ------
    DataError
        No texts, a single text, a table, an empty text, one that is no Unicode, or passages
        of another length.

    Examples
    --------
    >>> [d.text for d in documents(["It rains.", "A dog.", "It pours."], ["a", "b", "a"])]
    ['It rains. It pours.', 'A dog.']
    """
    if isinstance(texts, str | bytes) or not isinstance(texts, Iterable):
        raise DataError(f"Expected a list of texts; got {texts!r}. Try [text].")
    if isinstance(texts, Mapping) or getattr(texts, "columns", None) is not None:
        raise DataError(
            f"Expected a list of texts; got a {type(texts).__name__} of "
            f"{some([str(key) for key in texts])}. Pick the column that holds the texts."
        )
    texts = texts.values.tolist() if isinstance(texts, xr.DataArray) else list(texts)
    if not texts:
        raise DataError("Expected at least one text; got none.")
    parts = [_parts(text, k) for k, text in enumerate(texts)]
    if passages is None:
        return [_joined([part], [k]) for k, part in enumerate(parts)]
    codes, n = group_codes(passages)
    if codes.shape != (len(parts),):
        raise DataError(
            f"Expected the passage of each of {len(parts)} texts; got {len(codes)} labels."
        )
    members = [np.flatnonzero(codes == k) for k in range(n)]
    return [_joined([parts[k] for k in each], each) for each in members]


def tokenise(document: Document, tokenizer: Any) -> Tokens:
    """Give every token of a document its word.

    Parameters
    ----------
    document : Document
        What to read.
    tokenizer : transformers.PreTrainedTokenizerFast
        Must tell the characters of each token.

    Returns
    -------
    Tokens
        White space that is a token of its own belongs to the word after it, and a token
        over several words to the last of them.

    Examples
    --------
    >>> class Letters:
    ...     def __call__(self, text, **options):
    ...         return {"input_ids": [*map(ord, text)],
    ...                 "offset_mapping": [(k, k + 1) for k in range(len(text))]}
    >>> tokenise(documents(["to be"])[0], Letters()).word
    array([0, 0, 1, 1, 1])
    """
    found = tokenizer(
        document.text, add_special_tokens=False, return_offsets_mapping=True, verbose=False
    )
    span = np.asarray(found["offset_mapping"], dtype=np.intp).reshape(-1, 2)
    last = np.maximum(span[:, 1] - 1, span[:, 0])
    word = np.searchsorted(document.end, last, side="right")
    word = np.maximum.accumulate(np.minimum(word, len(document.end) - 1))
    return Tokens(np.asarray(found["input_ids"], dtype=np.intp), word)


def plan_windows(
    tokens: Sequence[Tokens],
    limit: int,
    context: int | None = None,
    stride: int = 1,
    name: Callable[[int], str] = "document {}".format,
) -> Iterator[Window]:
    """Cut documents into the windows in which they are read.

    Parameters
    ----------
    tokens : sequence of Tokens
        One a document.
    limit : int
        Most tokens that fit into a window.
    context : int, optional
        Words in a window, the word itself included; by default a document is one window.
    stride : int
        Words learnt about in each window: the last ``stride``, which see at least
        ``context`` words, the last of them ``context + stride - 1``.
    name : callable
        Says in a message which document it was.

    Yields
    ------
    Window
        Every token is kept in exactly one of them.

    Raises
    ------
    DataError
        A window that is longer than the limit.

    Examples
    --------
    >>> tokens = [Tokens(np.arange(6), np.array([0, 1, 1, 2, 3, 3]))]
    >>> [(w.begin, w.keep, w.end) for w in plan_windows(tokens, 10, context=2)]
    [(0, 0, 1), (0, 1, 3), (1, 3, 4), (3, 4, 6)]
    """
    for k, each in enumerate(tokens):
        n_words = int(each.word[-1]) + 1 if len(each.word) else 0
        step = max(n_words, 1) if context is None else stride
        first = np.arange(0, n_words, step)
        back = first if context is None else first - context + 1
        edges = [np.searchsorted(each.word, word) for word in (back, first, first + step)]
        longest = int((edges[2] - edges[0]).max(initial=0))
        if longest > limit:
            raise DataError(_too_long(name(k), longest, limit, context, each))
        for begin, keep, end in zip(*edges, strict=True):
            if keep < end:
                yield Window(k, int(begin), int(keep), int(end))


def fingerprint(read: Iterable[Document]) -> str:
    """Hash documents for use in a key of the cache.

    Parameters
    ----------
    read : iterable of Document
        The documents.

    Returns
    -------
    str
        32 hexadecimal digits.

    Examples
    --------
    >>> fingerprint(documents(["a b"])) == fingerprint(documents([["a", "b"]]))
    True
    """
    return digest(part for d in read for part in (d.text, d.start, d.end, d.owner))


def word_coords(read: Sequence[Document]) -> dict[str, tuple[str, NDArray]]:
    """Label all words of some documents, in the order of the texts.

    Parameters
    ----------
    read : sequence of Document
        The documents.

    Returns
    -------
    dict
        Coordinates over ``presentation``: ``word``, and ``text``, its number.

    Examples
    --------
    >>> word_coords(documents(["a b", "c"]))["word"][1]
    array(['a', 'b', 'c'], dtype='<U1')
    """
    owner = np.concatenate([document.owner for document in read])
    words = np.array([word for document in read for word in document.words])
    order = np.argsort(owner, kind="stable")
    return {"word": ("presentation", words[order]), "text": ("presentation", owner[order])}


def _too_long(name: str, n: int, limit: int, context: int | None, tokens: Tokens) -> str:
    """Say which text does not fit, and which context would."""
    if context is not None:
        return (
            f"A window of context={context} words has {n} tokens in {name}, and the model reads "
            f"{limit} at most. Use a smaller context or stride."
        )
    fits = max(int(limit * (tokens.word[-1] + 1) / n * 0.7) // 2, 1)
    return (
        f"The {name} has {n} tokens, and the model reads {limit} at most. Give context=, such as "
        f"context={fits}, stride={fits}: a window that slides over the words."
    )


def _parts(text: Any, k: int) -> tuple[str, list[tuple[int, int]]]:
    """Return one text and where its words lie."""
    if isinstance(text, str):
        clean = text.strip()
        spans = [match.span() for match in WORD.finditer(clean)]
    else:
        words = list(text) if hasattr(text, "__iter__") and not isinstance(text, bytes) else [text]
        wrong = [word for word in words if not isinstance(word, str) or not word.strip()]
        if wrong:
            raise DataError(
                f"Text {k} is neither a text nor a list of words: it holds {wrong[0]!r} "
                f"({type(wrong[0]).__name__})."
            )
        words = [word.strip() for word in words]
        clean = " ".join(words)
        ends = np.cumsum([len(word) + 1 for word in words]) - 1
        spans = [(int(end) - len(word), int(end)) for word, end in zip(words, ends, strict=True)]
    if not spans:
        raise DataError(f"Text {k} is empty. Drop it, and the responses to it.")
    if _SURROGATE.search(clean):
        raise DataError(
            f"Text {k} holds half a character of UTF-16 (a surrogate): it was read with another "
            "encoding than it was written in. Read it again, as UTF-8."
        )
    return clean, spans


def _joined(parts: list[tuple[str, list[tuple[int, int]]]], owners: ArrayLike) -> Document:
    """Write texts one after another."""
    lengths = [len(text) + 1 for text, _ in parts]
    offset = np.concatenate([[0], np.cumsum(lengths)])[:-1]
    spans = np.concatenate(
        [np.asarray(span, dtype=np.intp) + at for (_, span), at in zip(parts, offset, strict=True)]
    )
    owner = np.repeat(np.asarray(owners, dtype=np.intp), [len(span) for _, span in parts])
    return Document(" ".join(text for text, _ in parts), spans[:, 0], spans[:, 1], owner)
