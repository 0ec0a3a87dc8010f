"""Word vectors, which know a word and nothing of the words around it."""

from __future__ import annotations

import itertools
import re
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from neurokit.alignment.features.words_and_tokens import Document, Tokens
from neurokit.errors import ReadError
from neurokit.extras import require

__all__ = ["WordVectors", "load_vectors"]

PIECE = re.compile(r"n't\b|'\w+|[^\W_]+?(?=n't\b)|[^\W_]+|[^\w\s]")


class WordVectors:
    """A table of vectors, one for each word that is known.

    Parameters
    ----------
    words : sequence of str
        The words, in lower case.
    vectors : ndarray, shape (words, features)
        Their vectors.

    Examples
    --------
    >>> table = WordVectors(["a", "dog"], np.eye(2, dtype=np.float32))
    >>> document = Document("A dog!", np.array([0, 2]), np.array([1, 6]), np.array([0, 0]))
    >>> table.tokens(document)
    Tokens(ids=array([0, 1]), word=array([0, 1]))
    """

    def __init__(self, words: Sequence[str], vectors: NDArray[np.float32]) -> None:
        self.numbers = {word: k for k, word in enumerate(words)}
        self.vectors = vectors

    def tokens(self, document: Document) -> Tokens:
        """Look up the words of a document.

        Parameters
        ----------
        document : Document
            What to read.

        Returns
        -------
        Tokens
            A known word is one token; an unknown one is taken apart at punctuation, as the
            vectors were trained, and what is still unknown is left out.
        """
        pairs = [(n, k) for k, word in enumerate(document.words) for n in self._look_up(word)]
        found = np.asarray(pairs, dtype=np.intp).reshape(-1, 2)
        return Tokens(found[:, 0], found[:, 1])

    def untrained(self, seed: int) -> NDArray[np.float32]:
        """Draw vectors that know no word, with the mean and spread of the trained ones.

        Parameters
        ----------
        seed : int
            Of the draw.

        Returns
        -------
        ndarray, shape (words, features)
            Gaussian vectors.
        """
        sample = np.asarray(self.vectors[:: max(len(self.vectors) // 10000, 1)])
        drawn = np.random.default_rng(seed).standard_normal(self.vectors.shape, dtype=np.float32)
        return drawn * sample.std(axis=0) + sample.mean(axis=0)

    def _look_up(self, word: str) -> list[int]:
        word = word.lower().replace("’", "'")
        pieces = [word] if word in self.numbers else PIECE.findall(word)
        return [self.numbers[piece] for piece in pieces if piece in self.numbers]


@lru_cache(maxsize=1)
def load_vectors(path: Path) -> WordVectors:
    """Load a table of vectors.

    Parameters
    ----------
    path : Path
        A text file with a word and its vector in every line, after a line with the two sizes
        or not; or a folder that holds the words as the column ``index`` of a parquet file, and
        the vectors as npy.

    Returns
    -------
    WordVectors
        The vectors, mapped from disk.

    Raises
    ------
    ReadError
        Files that are missing or do not fit together.
    """
    if path.is_file():
        return _from_text(path)
    parquet = require("pyarrow.parquet", "alignment")
    tables, arrays = sorted(path.glob("*.parquet")), sorted(path.glob("*.npy"))
    if len(tables) != 1 or len(arrays) != 1:
        raise ReadError(f"Expected one parquet and one npy file in {path}.")
    words = parquet.read_table(tables[0], columns=["index"]).column("index").to_pylist()
    vectors = np.load(arrays[0], mmap_mode="r", allow_pickle=False)
    if vectors.ndim != 2 or len(vectors) != len(words):
        raise ReadError(f"{path} holds {len(words)} words and vectors of shape {vectors.shape}.")
    return WordVectors(words, vectors)


def _from_text(path: Path) -> WordVectors:
    """Read a word and its vector from every line; of words that differ by case, the first."""
    found: dict[str, NDArray[np.float32]] = {}
    with path.open(encoding="utf-8", errors="replace") as file:
        first = file.readline().split()
        sized = len(first) == 2 and all(part.isdecimal() for part in first)
        width = int(first[1]) if sized else len(first) - 1
        start = 2 if sized else 1
        lines = file if sized else itertools.chain([" ".join(first)], file)
        for number, line in enumerate(lines, start):
            # Some words hold spaces: the vector is what stands last.
            word, *values = line.rstrip().rsplit(" ", width)
            try:
                vector = np.array(values, dtype=np.float32)
            except ValueError:
                vector = np.empty(0, dtype=np.float32)
            if not width or len(vector) != width or not np.isfinite(vector).all():
                raise ReadError(
                    f"{path}, line {number}: expected a word and {width} numbers with spaces "
                    f"between them; got {line[:60].rstrip()!r}."
                )
            found.setdefault(word.lower(), vector)
    return WordVectors(list(found), np.stack(list(found.values())))
