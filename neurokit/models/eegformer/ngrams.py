"""Codes read as words: sparse counts of n-grams."""

from __future__ import annotations

from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import sparse

from neurokit import arguments
from neurokit.errors import DataError

__all__ = ["CodeNgrams", "channel_names", "check_channels", "code_array"]

# Past this the number of an n-gram does not fit into 64 bits.
_LARGEST = 2**62


class CodeNgrams:
    r"""Count runs of 1 to ``n`` consecutive codes of one channel.

    An n-gram at patch `p` of channel `c` gets one whole number,
    :math:`\text{place} K^n + \sum_i v_{p+i} K^{n-1-i}`, with the place made of `c` and `p` as
    far as the vocabulary tells them apart. The vocabulary is what the windows given to
    :meth:`fit` contain; n-grams that they lack are not counted later.

    Parameters
    ----------
    n : int
        Longest run.
    positional : bool
        Tell apart the same run at different patches of the window, as EEGFormer does (Chen et
        al. 2024, arXiv 2401.10278).
    per_channel : bool
        Tell apart the same run in different channels; otherwise they are pooled.
    min_windows : int
        Leave out of the vocabulary what fewer windows contain.

    Examples
    --------
    >>> codes = np.array([[[3, 1, 3, 1]], [[3, 3, 3, 3]]])
    >>> grams = CodeNgrams(n=2).fit(codes)
    >>> [word for word, _, _ in grams.words()]
    [(1,), (3,), (1, 3), (3, 1), (3, 3)]
    >>> grams.transform(codes).toarray()
    array([[2., 2., 1., 2., 0.],
           [0., 4., 0., 0., 3.]])
    """

    def __init__(
        self,
        n: int = 1,
        *,
        positional: bool = False,
        per_channel: bool = False,
        min_windows: int = 1,
    ) -> None:
        self.n = arguments.whole("n", n, 1)
        self.positional = positional
        self.per_channel = per_channel
        self.min_windows = arguments.whole("min_windows", min_windows, 1)

    def fit(self, codes: ArrayLike) -> Self:
        """Learn the vocabulary.

        Parameters
        ----------
        codes : array-like of int, shape (window, channel, patch)
            Of training windows only.

        Returns
        -------
        CodeNgrams
            Itself, with ``keys`` (sorted numbers of the n-grams) and ``len``.

        Raises
        ------
        DataError
            If these are no codes, ``n`` is longer than a window, there are too many possible
            n-grams to number, or none is in ``min_windows`` windows.

        Examples
        --------
        >>> len(CodeNgrams(n=2).fit([[[0, 1, 2]]]))
        5
        """
        words = code_array(codes)
        self.shape, self.channels = words.shape[1:], channel_names(codes)
        self.base = int(words.max()) + 1
        if self.n > self.shape[1]:
            raise DataError(f"n is {self.n}, but a window has only {self.shape[1]} patches.")
        if self.n * self._size(self.n) >= _LARGEST:
            raise DataError(
                f"There are too many possible {self.n}-grams of {self.base} codes to number them. "
                "Make n smaller."
            )
        each = [np.unique(row) for row in self._flat(words)]
        keys, windows = np.unique(np.concatenate(each), return_counts=True)
        self.keys: NDArray[np.int64] = keys[windows >= self.min_windows]
        if not len(self.keys):
            raise DataError(f"No n-gram is in {self.min_windows} windows; {len(words)} were given.")
        return self

    def __len__(self) -> int:
        return len(self.keys)

    def transform(self, codes: ArrayLike) -> sparse.csr_array:
        """Count the vocabulary's n-grams in each window.

        Parameters
        ----------
        codes : array-like of int, shape (window, channel, patch)
            Channels and patches as in training.

        Returns
        -------
        csr_array of float64, shape (window, n-gram)
            Counts.

        Raises
        ------
        DataError
            If these are no codes, or of another shape than the training ones.

        Examples
        --------
        >>> CodeNgrams().fit([[[0, 1]]]).transform([[[1, 1]], [[7, 0]]]).toarray()
        array([[0., 2.],
               [1., 0.]])
        """
        words = self._like_training(codes)
        index, known = self._lookup(self._flat(words))
        rows = np.nonzero(known)[0]
        counts = sparse.coo_array(
            (np.ones(len(rows)), (rows, index[known])), shape=(len(words), len(self))
        )
        return counts.tocsr()

    def find(
        self, codes: ArrayLike, which: ArrayLike
    ) -> tuple[NDArray[np.intp], NDArray[np.intp], NDArray[np.intp], NDArray[np.intp]]:
        """Say where some n-grams occur.

        Parameters
        ----------
        codes : array-like of int, shape (window, channel, patch)
            Where to look.
        which : array-like of int
            Indices into the vocabulary.

        Returns
        -------
        which, window, channel, patch : tuple of ndarray of int
            One entry an occurrence; ``patch`` is that of the first code.

        Examples
        --------
        >>> grams = CodeNgrams(n=2).fit([[[0, 1, 2]], [[2, 0, 1]]])
        >>> index = [word for word, _, _ in grams.words()].index((0, 1))
        >>> [place.tolist() for place in grams.find([[[0, 1, 2]], [[2, 0, 1]]], [index])]
        [[3, 3], [0, 1], [0, 0], [0, 1]]
        """
        wanted = np.asarray(which, dtype=np.intp)
        found = []
        for keys in self._keys(self._like_training(codes)):
            index, known = self._lookup(keys)
            place = np.nonzero(known & np.isin(index, wanted))
            found.append(np.stack([index[place], *place]))
        index, window, channel, patch = np.concatenate(found, axis=1)
        return index, window, channel, patch

    def words(self, which: ArrayLike | None = None) -> list[tuple[tuple[int, ...], int, int]]:
        """Spell out n-grams of the vocabulary.

        Parameters
        ----------
        which : array-like of int, optional
            Indices into the vocabulary; by default all.

        Returns
        -------
        list of tuple
            Codes, channel and first patch of each; -1 where these are pooled.

        Examples
        --------
        >>> CodeNgrams(n=2, positional=True).fit([[[4, 1]]]).words()
        [((4,), -1, 0), ((1,), -1, 1), ((4, 1), -1, 0)]
        """
        keys = self.keys if which is None else self.keys[np.asarray(which, dtype=np.intp)]
        starts = np.cumsum([0] + [self._size(n) for n in range(1, self.n)])
        order = np.searchsorted(starts, keys, side="right")
        numbers = keys - starts[order - 1]
        return [self._word(int(k), int(n)) for k, n in zip(numbers, order, strict=True)]

    def _word(self, number: int, n: int) -> tuple[tuple[int, ...], int, int]:
        place, number = divmod(number, self.base**n)
        word = tuple(number // self.base**power % self.base for power in range(n - 1, -1, -1))
        patch = place % self.shape[1] if self.positional else -1
        channel = place // (self.shape[1] if self.positional else 1) if self.per_channel else -1
        return word, channel, patch

    def _size(self, n: int) -> int:
        """Count the n-grams that are possible."""
        channels, patches = self.shape
        places = (channels if self.per_channel else 1) * (patches if self.positional else 1)
        return int(places) * int(self.base) ** n

    def _keys(self, words: NDArray[np.int64]) -> list[NDArray[np.int64]]:
        """Give each n-gram its number: one array a length, shape (window, channel, patch)."""
        channels, patches = self.shape
        place = np.zeros((channels, patches), dtype=np.int64)
        if self.per_channel:
            place += np.arange(channels)[:, None] * (patches if self.positional else 1)
        if self.positional:
            place += np.arange(patches)
        out, start = [], 0
        strange = words >= self.base
        for n in range(1, self.n + 1):
            last = patches - n + 1
            key = start + place[:, :last] * self.base**n
            for i in range(n):
                key = key + words[..., i : i + last] * self.base ** (n - 1 - i)
            for i in range(n):
                # A code that training never met would pass for another n-gram.
                key[strange[..., i : i + last]] = -1
            out.append(key)
            start += self._size(n)
        return out

    def _flat(self, words: NDArray[np.int64]) -> NDArray[np.int64]:
        return np.concatenate([k.reshape(len(words), -1) for k in self._keys(words)], axis=1)

    def _lookup(self, keys: NDArray[np.int64]) -> tuple[NDArray[np.intp], NDArray[np.bool_]]:
        index = np.minimum(np.searchsorted(self.keys, keys), len(self) - 1)
        return index, self.keys[index] == keys

    def _like_training(self, codes: ArrayLike) -> NDArray[np.int64]:
        words = code_array(codes)
        if self.per_channel:
            check_channels(self.channels, channel_names(codes))
        if words.shape[1:] != self.shape:
            raise DataError(
                f"Expected codes of shape (window, {self.shape[0]}, {self.shape[1]}) as in "
                f"training; got {words.shape}."
            )
        return words


def channel_names(codes: Any) -> tuple[str, ...]:
    """Return the names of the channels of codes, none where they have none.

    Parameters
    ----------
    codes : array-like
        Of dims (window, channel, patch); with names as :func:`~neurokit.models.code_words` gives
        it.

    Returns
    -------
    tuple of str
        In their order.

    Examples
    --------
    >>> channel_names([[[0, 5, 2]]])
    ()
    """
    named = "channel" in getattr(codes, "coords", ())
    return tuple(map(str, codes["channel"].values)) if named else ()


def check_channels(known: tuple[str, ...], names: tuple[str, ...]) -> None:
    """Refuse channels that are not in the places in which they were learnt.

    Parameters
    ----------
    known, names : tuple of str
        Of training, and of what is given now; not compared where one has more, or none.

    Raises
    ------
    DataError
        Others, or in another order.

    Examples
    --------
    >>> check_channels(("C3", "C4"), ("C4", "C3"))
    Traceback (most recent call last):
    neurokit.errors.DataError: The channels are C4, C3; learnt from were C3, C4, and each...
    """
    if len(known) == len(names) and known != names:
        raise DataError(
            f"The channels are {', '.join(names[:8])}; learnt from were {', '.join(known[:8])}, "
            "and each is told from the others. Pick the same, in this order."
        )


def code_array(codes: ArrayLike) -> NDArray[np.int64]:
    """Check an array of codes.

    Parameters
    ----------
    codes : array-like of int, shape (window, channel, patch)
        A tensor or DataArray will do.

    Returns
    -------
    ndarray of int64, shape (window, channel, patch)
        The same.

    Raises
    ------
    DataError
        If it is not whole numbers from 0 on, in three dimensions, or empty.

    Examples
    --------
    >>> code_array([[[0, 5, 2]]]).shape
    (1, 1, 3)
    """
    words = np.asarray(codes)
    if words.ndim != 3 or words.dtype.kind not in "iu":
        raise DataError(
            "Expected codes as whole numbers of shape (window, channel, patch); got "
            f"{words.dtype} of shape {words.shape}."
        )
    if not words.size:
        raise DataError(f"There are no codes: shape {words.shape}.")
    if words.min() < 0:
        raise DataError(f"Codes are whole numbers from 0 on; got {words.min()}.")
    return words.astype(np.int64, copy=False)
