"""Stretches of time as the independent unit: intervals of what is summed over windows."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import special

from neurokit import arguments
from neurokit.errors import DataError

__all__ = ["blocks_drawn", "blocks_of", "interval", "ratio_interval"]


def blocks_of(win: Any, seconds: float) -> NDArray[np.int64]:
    """Tell in which stretch of time each window begins.

    Parameters
    ----------
    win : Windows
        With ``recording_index`` and ``start``.
    seconds : float
        Length of a stretch. Neighbouring windows resemble each other, stretches should be so
        long that they hardly do.

    Returns
    -------
    ndarray of int, shape (window,)
        From 0 without gaps, recordings apart.

    Examples
    --------
    >>> from neurokit.recording import Recording
    >>> from neurokit.windows import sliding
    >>> rec = Recording.from_array(np.ones((8, 1)), 1, stream="bold")
    >>> blocks_of(sliding(rec, stream="bold", length=2), seconds=4)
    array([0, 0, 1, 1])
    """
    stretch = np.floor(np.asarray(win.start) / arguments.positive("seconds", seconds))
    pairs = np.stack([np.asarray(win.recording_index), stretch.astype(np.int64)])
    found: NDArray[np.int64] = np.unique(pairs, axis=1, return_inverse=True)[1].ravel()
    return found


def blocks_drawn(n_blocks: int, n_bootstrap: int = 1000, seed: int = 0) -> NDArray[np.int64]:
    """Draw blocks with replacement.

    Parameters
    ----------
    n_blocks : int
        How many there are, and how many are in a draw.
    n_bootstrap : int
        Draws.
    seed : int
        Of the draws.

    Returns
    -------
    ndarray of int, shape (draw, block)
        How often each block was drawn.

    Raises
    ------
    DataError
        Fewer than two blocks.

    Examples
    --------
    >>> blocks_drawn(4, n_bootstrap=3).sum(axis=1)
    array([4, 4, 4])
    """
    if n_blocks < 2:
        raise DataError(
            f"An interval over blocks of time needs two blocks; got {n_blocks}. Take shorter ones."
        )
    n_draws = arguments.whole("n_bootstrap", n_bootstrap, 1)
    rng = np.random.default_rng(seed)
    drawn: NDArray[np.int64] = rng.multinomial(n_blocks, np.full(n_blocks, 1 / n_blocks), n_draws)
    return drawn


def interval(scores: ArrayLike, n_blocks: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Give the 95 % interval that scores of draws span.

    The percentiles are those of Hesterberg 2015 (Am. Stat. 69:371, section 4.4), which lie as
    far out as makes the interval of a mean that of Student's t: few blocks would give too
    narrow a one.

    Parameters
    ----------
    scores : array-like, shape (draw, ...)
        Of the draws that :func:`blocks_drawn` made; NaN where a draw has none.
    n_blocks : int
        Blocks in each.

    Returns
    -------
    low, high : ndarray, shape (...)
        Ends of the interval.

    Examples
    --------
    >>> low, high = interval(np.arange(1001.0), n_blocks=1000)
    >>> round(float(low)), round(float(high))
    (25, 975)
    """
    tail = special.ndtr(-special.stdtrit(n_blocks - 1, 0.975) * np.sqrt(n_blocks / (n_blocks - 1)))
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "All-NaN slice", RuntimeWarning)  # which is NaN
        low, high = np.nanquantile(np.asarray(scores), [tail, 1 - tail], axis=0)
    return low, high


def ratio_interval(
    above: ArrayLike, below: ArrayLike, block: ArrayLike, n_bootstrap: int = 1000, seed: int = 0
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Give the 95 % interval of a ratio of sums over windows, drawing blocks of them.

    Parameters
    ----------
    above, below : array-like, shape (..., window) and (window,)
        What is summed, such as log-likelihoods and numbers of spikes.
    block : array-like of int, shape (window,)
        Of each window, from :func:`blocks_of`.
    n_bootstrap : int
        Draws.
    seed : int
        Of the draws.

    Returns
    -------
    low, high : ndarray, shape (...)
        Ends of the interval.

    Raises
    ------
    DataError
        Fewer than two blocks.

    Examples
    --------
    >>> low, high = ratio_interval(np.arange(100.0), np.ones(100), np.arange(100))
    >>> bool(40 < low < 49.5 < high < 60)
    True
    """
    n_blocks = int(np.max(block)) + 1
    member = np.eye(n_blocks)[np.asarray(block)]
    drawn = blocks_drawn(n_blocks, n_bootstrap, seed)
    total = drawn @ (np.asarray(below, dtype=np.float64) @ member)
    ratio = (np.asarray(above, dtype=np.float64) @ member) @ drawn.T
    found = np.divide(ratio, total, out=np.full(ratio.shape, np.nan), where=total > 0)
    return interval(np.moveaxis(found, -1, 0), n_blocks)
