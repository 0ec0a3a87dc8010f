"""Scores with what they must be read against: interval, chance, ceiling."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from neurokit.errors import DataError
from neurokit.plotting.theme import COLORS, axes_or_new, legend_above, literal

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from matplotlib.axes import Axes
    from numpy.typing import ArrayLike, NDArray

__all__ = ["null_distribution", "score_distribution", "score_strip"]


def score_strip(
    values: ArrayLike,
    names: Sequence[str] | None = None,
    ax: Axes | None = None,
    *,
    low: ArrayLike | None = None,
    high: ArrayLike | None = None,
    chance: ArrayLike | None = None,
    baseline: ArrayLike | None = None,
    ceiling: ArrayLike | None = None,
    label: str = "score",
) -> Axes:
    """Draw one row a score: the point, its interval, chance, a baseline and the ceiling.

    Parameters
    ----------
    values : array-like, shape (scores,)
        The scores; NaN leaves the row empty.
    names : sequence of str, optional
        What each row is.
    ax : matplotlib.axes.Axes, optional
        Where to draw.
    low, high : array-like, shape (scores,) or scalar, optional
        Limits of the interval.
    chance, baseline, ceiling : array-like, shape (scores,) or scalar, optional
        Drawn as ticks across the row; NaN leaves one out.
    label : str
        What is measured, with its unit.

    Returns
    -------
    matplotlib.axes.Axes
        The first score on top.

    Raises
    ------
    DataError
        If lengths disagree.

    Examples
    --------
    >>> ax = score_strip([0.4, 0.2], ["V1", "IT"], low=[0.3, 0.1], high=[0.5, 0.3], chance=0)
    >>> [t.get_text() for t in ax.get_yticklabels()]
    ['V1', 'IT']
    """
    score = np.atleast_1d(np.asarray(values, float))
    rows = np.arange(len(score))
    names = [""] * len(score) if names is None else [literal(n) for n in names]
    if score.ndim != 1 or len(names) != len(score):
        raise DataError(f"Expected one name a score; got {len(names)} for shape {score.shape}.")
    ax = axes_or_new(ax, 4.8, 0.9 + 0.28 * len(score))
    ax.hlines(rows, _row(low, score), _row(high, score), color=COLORS["accent"], lw=4, alpha=0.35)
    ax.plot(score, rows, "o", color=COLORS["accent"], ms=6, label="score")
    marks = [
        ("chance", chance, COLORS["muted"], ":"),
        ("baseline", baseline, COLORS["gold"], "-"),
        ("ceiling", ceiling, COLORS["teal"], "-"),
    ]
    for name, given, shade, line in marks:
        if given is not None:
            ax.vlines(
                _row(given, score), rows - 0.5, rows + 0.5,
                color=shade, linestyle=line, lw=2, label=name,
            )  # fmt: skip
    ax.set_yticks(rows, names)
    ax.set_ylim(len(score) - 0.4, -0.6)
    ax.set_xlabel(literal(label))
    ax.spines["left"].set_visible(False)
    ax.tick_params(axis="y", length=0)
    legend_above(ax)
    return ax


def score_distribution(
    values: ArrayLike,
    ax: Axes | None = None,
    *,
    selected: ArrayLike | None = None,
    chance: float | None = None,
    label: str = "score",
) -> Axes:
    """Draw how the scores of many targets are spread.

    Parameters
    ----------
    values : array-like, shape (targets,)
        The scores; NaN is left out.
    ax : matplotlib.axes.Axes, optional
        Where to draw.
    selected : array-like of bool, shape (targets,), optional
        Targets drawn in full colour, such as those past a threshold.
    chance : float, optional
        Drawn as a dotted line.
    label : str
        What is measured, with its unit.

    Returns
    -------
    matplotlib.axes.Axes
        A histogram with the median marked.

    Raises
    ------
    DataError
        If no score is finite, or `selected` has another length.

    Examples
    --------
    >>> score_distribution([0.1, 0.2, 0.4], chance=0.0).get_ylabel()
    'targets'
    """
    score = np.asarray(values, float).ravel()
    chosen = np.ones(len(score), bool) if selected is None else np.asarray(selected, bool).ravel()
    if len(chosen) != len(score) or not np.isfinite(score).any():
        raise DataError(
            f"Expected finite scores and as many flags; got {np.isfinite(score).sum()} finite of "
            f"{len(score)} and {len(chosen)} flags."
        )
    ax = axes_or_new(ax, 4.8, 2.8)
    chosen, score = chosen[np.isfinite(score)], score[np.isfinite(score)]
    edges = np.histogram_bin_edges(score, bins=int(np.clip(len(score) // 5, 8, 40))).tolist()
    ax.hist(score, edges, color=COLORS["faint"], label=None if selected is None else "all")
    ax.hist(
        score[chosen], edges, color=COLORS["accent"], label=None if selected is None else "selected"
    )
    ax.axvline(float(np.median(score)), color=COLORS["warm"], label="median")
    if chance is not None:
        ax.axvline(chance, color=COLORS["muted"], ls=":", label="chance")
    ax.set_xlabel(literal(label))
    ax.set_ylabel("targets")
    legend_above(ax)
    return ax


def null_distribution(
    value: float,
    nulls: Mapping[str, ArrayLike],
    ax: Axes | None = None,
    *,
    chance: float | None = None,
    label: str = "score",
) -> Axes:
    """Draw a score beside the distributions that it must beat.

    Parameters
    ----------
    value : float
        The score.
    nulls : mapping of str to array-like, shape (draws,)
        Name of each null to its scores; NaN is left out.
    ax : matplotlib.axes.Axes, optional
        Where to draw.
    chance : float, optional
        Drawn as a dotted line.
    label : str
        What is measured, with its unit.

    Returns
    -------
    matplotlib.axes.Axes
        One histogram a null, over common bins.

    Raises
    ------
    DataError
        If no null has a finite score.

    Examples
    --------
    >>> null_distribution(0.5, {"shuffled": [0.0, 0.1, -0.1]}).get_ylabel()
    'draws'
    """
    draws = {name: np.asarray(scores, float).ravel() for name, scores in nulls.items()}
    draws = {name: scores[np.isfinite(scores)] for name, scores in draws.items()}
    everything = np.concatenate([np.zeros(0), *draws.values()])
    if not len(everything):
        raise DataError(f"Expected finite scores of a null; got none in {len(draws)} nulls.")
    ax = axes_or_new(ax, 4.8, 2.8)
    edges = np.histogram_bin_edges(everything, bins=30).tolist()
    shades = (COLORS["sky"], COLORS["muted"], COLORS["gold"], COLORS["plum"])
    for index, (name, scores) in enumerate(draws.items()):
        ax.hist(scores, edges, color=shades[index % len(shades)], alpha=0.65, label=literal(name))
    ax.axvline(value, color=COLORS["warm"], lw=2, label=f"measured {value:.3g}")
    if chance is not None:
        ax.axvline(chance, color=COLORS["ink"], ls=":", label=f"chance {chance:.3g}")
    ax.set_xlabel(literal(label))
    ax.set_ylabel("draws")
    legend_above(ax)
    return ax


def _row(given: ArrayLike | None, score: NDArray[np.float64]) -> NDArray[np.float64]:
    """Spread a scalar over the rows; what is not given is NaN, which draws nothing."""
    values = np.asarray(np.nan if given is None else given, float)
    if values.ndim and values.shape != score.shape:
        raise DataError(f"Expected a scalar or shape {score.shape}; got shape {values.shape}.")
    return np.broadcast_to(values, score.shape)
