"""How unlikely codes are, given what normal windows show."""

from __future__ import annotations

from typing import Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from neurokit import arguments
from neurokit.errors import DataError
from neurokit.models.eegformer.ngrams import channel_names, check_channels, code_array

__all__ = ["CodeLikelihood"]


class CodeLikelihood:
    r"""A smoothed model of codes, which tells what normal windows would not show.

    Each code is predicted from ever narrower contexts: none, the channel, the channel and the
    patch's place, the channel and the code before. Each context's counts are smoothed towards
    the prediction of the one before,

    .. math:: p_k(v) = \frac{N(\text{context}_k, v) + \kappa\, p_{k-1}(v)}
        {N(\text{context}_k) + \kappa}, \qquad p_0(v) = 1 / K,

    the hierarchical back-off of MacKay & Peto 1995 (Nat. Lang. Eng. 1:289, equation 26).

    Parameters
    ----------
    n_codes : int
        Size K of the codebook.
    per_channel : bool
        Whether a context names the channel; without it channels are pooled, and windows of
        another montage can be scored.
    positional : bool
        Whether there is a context with the patch's place. Right for patches that are
        frequency bands; segments of time at an arbitrary start are all alike.
    strength : float
        The weight κ of the wider context, in codes.

    Examples
    --------
    >>> normal = np.tile([0, 1, 2, 3], (50, 1, 2))
    >>> model = CodeLikelihood(n_codes=8).fit(normal)
    >>> model.surprisal([[[0, 1, 2, 3, 0, 7, 2, 3]]]).round(1)
    array([[[ 0. ,  0. ,  0. ,  0. ,  0. , 13.7,  0.1,  0. ]]])
    """

    def __init__(
        self,
        n_codes: int,
        *,
        per_channel: bool = True,
        positional: bool = True,
        strength: float = 10.0,
    ) -> None:
        self.n_codes = arguments.whole("n_codes", n_codes, 2)
        self.per_channel = per_channel
        self.positional = positional
        self.strength = arguments.positive("strength", strength)

    def fit(self, codes: ArrayLike) -> Self:
        """Learn what is normal.

        Parameters
        ----------
        codes : array-like of int, shape (window, channel, patch)
            Of normal windows; none of them should be scored later.

        Returns
        -------
        CodeLikelihood
            Itself.

        Raises
        ------
        DataError
            If these are no codes, or some lie outside the codebook.

        Examples
        --------
        >>> round(float(CodeLikelihood(4).fit([[[0, 0, 0, 0]]]).score([[[0, 0, 0, 0]]])[0]), 2)
        0.33
        """
        words = self._checked(codes)
        self.shape, self.channels = words.shape[1:], channel_names(codes)
        self._tables = [
            (
                np.unique(c * self.n_codes + words, return_counts=True),
                np.unique(c, return_counts=True),
            )
            for c in self._contexts(words)
        ]
        return self

    def surprisal(self, codes: ArrayLike) -> NDArray[np.float64]:
        """Return how unexpected each code is.

        Parameters
        ----------
        codes : array-like of int, shape (window, channel, patch)
            Any number of windows; channels and patches as in :meth:`fit`.

        Returns
        -------
        ndarray of shape (window, channel, patch)
            Minus the log probability, in nats: where in the window something is odd.

        Raises
        ------
        DataError
            If these are no codes, of another shape, or outside the codebook.

        Examples
        --------
        >>> CodeLikelihood(2).fit([[[0, 0]]]).surprisal([[[0, 1]]]).round(2)
        array([[[0.34, 1.25]]])
        """
        words = self._checked(codes)
        if self.per_channel:
            check_channels(self.channels, channel_names(codes))
        if words.shape[2] != self.shape[1] or (
            self.per_channel and words.shape[1] != self.shape[0]
        ):
            raise DataError(
                f"Expected codes of shape (window, {self.shape[0]}, {self.shape[1]}) as in "
                f"training; got {words.shape}."
            )
        p = np.full(words.shape, 1 / self.n_codes)
        for context, (joint, alone) in zip(self._contexts(words), self._tables, strict=True):
            together = _count(joint, context * self.n_codes + words)
            p = (together + self.strength * p) / (_count(alone, context) + self.strength)
        return -np.log(p)

    def score(self, codes: ArrayLike) -> NDArray[np.float64]:
        """Return how anomalous each window is: its mean surprisal.

        Parameters
        ----------
        codes : array-like of int, shape (window, channel, patch)
            Windows that :meth:`fit` did not see.

        Returns
        -------
        ndarray of shape (window,)
            In nats a code.

        Examples
        --------
        >>> model = CodeLikelihood(4).fit(np.zeros((10, 1, 3), int))
        >>> model.score([[[0, 0, 0]], [[0, 3, 0]]]).round(2)
        array([0.01, 2.  ])
        """
        return self.surprisal(codes).mean(axis=(1, 2))

    def _checked(self, codes: ArrayLike) -> NDArray[np.int64]:
        words = code_array(codes)
        if words.max() >= self.n_codes:
            raise DataError(
                f"There is a code {words.max()}, but n_codes is {self.n_codes}: codes run from 0 "
                f"to {self.n_codes - 1}."
            )
        return words

    def _contexts(self, words: NDArray[np.int64]) -> list[NDArray[np.int64]]:
        """Return the number of what each code is predicted from, widest first."""
        _, channels, patches = words.shape
        channel = np.arange(channels)[:, None] if self.per_channel else np.zeros((1, 1), np.int64)
        before = np.full(words.shape, self.n_codes)
        before[..., 1:] = words[..., :-1]
        contexts = [np.zeros((1, 1), np.int64)]
        if self.per_channel:
            contexts.append(channel)
        if self.positional:
            contexts.append(channel * patches + np.arange(patches))
        contexts.append(channel * (self.n_codes + 1) + before)
        return [np.broadcast_to(context, words.shape) for context in contexts]


def _count(
    table: tuple[NDArray[np.int64], NDArray[np.intp]], keys: NDArray[np.int64]
) -> NDArray[np.float64]:
    known, counts = table
    index = np.minimum(np.searchsorted(known, keys), len(known) - 1)
    return np.where(known[index] == keys, counts[index], 0).astype(np.float64)
