"""Bootstrap over blocks, and the position of a score in its null distribution."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

__all__ = ["block_interval", "p_value", "upper"]


def block_interval(
    statistic: Callable[[np.ndarray], float],
    n_blocks: int,
    seed: int,
    n_resamples: int = 1000,
    level: float = 0.95,
    n_drawn: int | None = None,
) -> tuple[float, float]:
    """Give the percentile bootstrap interval over independent blocks.

    Percentiles of few blocks lie too close together. Those taken here lie as far out as makes
    the interval of a mean that of Student's t (the expanded percentile interval of Hesterberg
    2015, Am. Stat. 69:371, section 4.4).

    Parameters
    ----------
    statistic : callable
        Takes the numbers of the blocks drawn (with repeats), gives the score.
    n_blocks : int
        Number of blocks in the data.
    seed : int
        Seed of the draws.
    n_resamples : int
        Number of bootstrap samples.
    level : float
        Coverage.
    n_drawn : int, optional
        Blocks drawn into a sample, when that is not `n_blocks`: overlapping (moving) blocks of
        a series are more than fill it (Künsch 1989, Ann. Statist. 17:1217).

    Returns
    -------
    tuple of float
        Low and high end.

    Examples
    --------
    >>> scores = np.arange(100.0)
    >>> low, high = block_interval(lambda i: scores[i].mean(), 100, seed=0)
    >>> bool(low < 49.5 < high)
    True
    """
    from scipy import special

    size = n_blocks if n_drawn is None else n_drawn
    draws = np.random.default_rng(seed).integers(n_blocks, size=(n_resamples, size))
    scores = np.array([statistic(draw) for draw in draws])
    student = special.stdtrit(size - 1, (1 + level) / 2)
    tail = special.ndtr(-student * np.sqrt(size / (size - 1)))
    low, high = np.nanquantile(scores, [tail, 1 - tail])
    return float(low), float(high)


def p_value(value: float, null: np.ndarray, smaller: bool = False) -> float:
    """Give the share of null scores at least as good, the observed one counted.

    Parameters
    ----------
    value : float
        The observed score.
    null : numpy.ndarray
        Scores under the null.
    smaller : bool
        Whether smaller scores are better.

    Returns
    -------
    float
        (1 + b) / (1 + m) of Phipson and Smyth 2010, Stat. Appl. Genet. Mol. Biol. 9:39,
        never zero.

    Examples
    --------
    >>> p_value(3.0, np.array([0.0, 1.0, 4.0]))
    0.5
    """
    null = np.asarray(null)
    better = null <= value if smaller else null >= value
    return float((1 + better.sum()) / (1 + len(null)))


def upper(null: np.ndarray) -> float:
    """Give the score that chance reaches in one of forty draws.

    Parameters
    ----------
    null : numpy.ndarray
        Scores under the null.

    Returns
    -------
    float
        The quantile .975.

    Examples
    --------
    >>> upper(np.arange(1001.0))
    975.0
    """
    return float(np.quantile(null, 0.975))
