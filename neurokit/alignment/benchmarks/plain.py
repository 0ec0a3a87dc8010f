"""Features that need no model: what a sceptic would try first, and what runs anywhere."""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

__all__ = ["PLAIN", "letters", "one_hot", "sizes"]

Array = NDArray[np.float32]
# Pairs of letters seen in fewer texts say more of those texts than of spelling.
_LEAST = 2


def one_hot(texts: Sequence[str]) -> Array:
    """Tell distinct texts apart, and nothing else.

    Parameters
    ----------
    texts : sequence of str
        Texts.

    Returns
    -------
    ndarray, shape (texts, distinct texts)
        One column a distinct text, in alphabetic order.

    Examples
    --------
    >>> one_hot(["cat", "dog", "cat"])[:, 0].tolist()
    [1.0, 0.0, 1.0]
    """
    distinct, code = np.unique(np.asarray(texts, dtype=np.str_), return_inverse=True)
    return np.eye(len(distinct), dtype=np.float32)[code]


def letters(texts: Sequence[str]) -> Array:
    """Count letters and pairs of letters: spelling without meaning.

    Parameters
    ----------
    texts : sequence of str
        Texts; case does not matter.

    Returns
    -------
    ndarray, shape (texts, features)
        Counts of each letter, and of each pair that at least two texts have.

    Examples
    --------
    >>> letters(["ab", "abb"]).tolist()
    [[1.0, 1.0, 1.0], [1.0, 2.0, 1.0]]
    """
    lowered = [text.lower() for text in texts]
    counts = [
        Counter(text) + Counter(a + b for a, b in itertools.pairwise(text)) for text in lowered
    ]
    spread = Counter(key for count in counts for key in count)
    kept = sorted(
        (key for key, n in spread.items() if len(key) == 1 or n >= _LEAST),
        key=lambda key: (len(key), key),
    )
    return np.array([[count[key] for key in kept] for count in counts], dtype=np.float32)


def sizes(texts: Sequence[str]) -> Array:
    """Count words and characters.

    Parameters
    ----------
    texts : sequence of str
        Texts.

    Returns
    -------
    ndarray, shape (texts, 2)
        Words, characters.

    Examples
    --------
    >>> sizes(["A dog.", "Rain"]).tolist()
    [[2.0, 6.0], [1.0, 4.0]]
    """
    return np.array([[len(text.split()), len(text)] for text in texts], dtype=np.float32)


#: Models by name that need no download.
PLAIN: dict[str, Callable[[Sequence[str]], Array]] = {
    "one-hot": one_hot,
    "letters": letters,
    "length": sizes,
}
