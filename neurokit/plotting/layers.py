"""Scores over the layers of a model, and over places in the brain."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from neurokit.errors import DataError
from neurokit.plotting.theme import COLORS, axes_or_new, legend_above, literal

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from matplotlib.axes import Axes
    from numpy.typing import ArrayLike

__all__ = ["brain_scatter", "layer_curve"]

# More names than this on one axis are thinned out.
_MOST_TICKS = 16
_SHADES = ("gold", "plum", "warm", "sky", "muted")
_VIEWS = (("x", "y", "from above"), ("y", "z", "from the right"), ("x", "z", "from behind"))


def layer_curve(
    scores: ArrayLike,
    layers: Sequence[object],
    ax: Axes | None = None,
    *,
    spread: ArrayLike | None = None,
    ceiling: float | tuple[float, float] | None = None,
    baselines: Mapping[str, float] | None = None,
    untrained: ArrayLike | None = None,
    chosen: object | None = None,
    chance: float | None = None,
    label: str = "score",
) -> Axes:
    """Draw how well each layer predicts, below the ceiling and above the baselines.

    Parameters
    ----------
    scores : array-like, shape (layers,)
        Scores.
    layers : sequence
        Names, by depth.
    ax : matplotlib.axes.Axes, optional
        Where to draw.
    spread : array-like, shape (layers,), optional
        Drawn as a band of this half-width around the curve.
    ceiling : float or tuple of float, optional
        A line, or a band between two.
    baselines : mapping of str to float, optional
        Name to score, each a dashed line; NaN is left out.
    untrained : array-like, shape (layers,), optional
        Scores of the same layers with random weights.
    chosen : object, optional
        The layer that the headline uses, ringed.
    chance : float, optional
        Drawn as a dotted line.
    label : str
        What is measured, with its unit.

    Returns
    -------
    matplotlib.axes.Axes
        Depth to the right.

    Raises
    ------
    DataError
        If lengths disagree.

    Examples
    --------
    >>> ax = layer_curve([0.1, 0.3, 0.2], [0, 6, 12], ceiling=0.5, baselines={"length": 0.2})
    >>> ax.get_xlabel(), [t.get_text() for t in ax.get_legend().get_texts()]
    ('layer', ['layers', 'length', 'ceiling'])
    """
    values = np.asarray(scores, float)
    names = [literal(name) for name in layers]
    if values.ndim != 1 or len(names) != len(values):
        raise DataError(f"Expected one name a layer; got {len(names)} for shape {values.shape}.")
    ax = axes_or_new(ax, 4.8, 3.2)
    depth = np.arange(len(values))
    if spread is not None:
        half = np.asarray(spread, float)
        ax.fill_between(depth, values - half, values + half, color=COLORS["accent"], alpha=0.15)
    ax.plot(depth, values, "o-", color=COLORS["accent"], ms=4, label="layers")
    if untrained is not None:
        ax.plot(depth, np.asarray(untrained, float), "o-", color=COLORS["muted"], ms=3,
                label="untrained")  # fmt: skip
    if chosen is not None and str(chosen) in map(str, layers):
        at = list(map(str, layers)).index(str(chosen))
        ax.plot(at, values[at], "o", ms=11, mfc="none", color=COLORS["warm"], label="chosen")
    for shade, (name, value) in zip(_cycle(), (baselines or {}).items(), strict=False):
        if np.isfinite(value):
            ax.axhline(value, color=shade, ls="--", lw=1.2, label=literal(name))
    _ceiling(ax, ceiling)
    if chance is not None:
        ax.axhline(chance, color=COLORS["muted"], ls=":", label="chance")
    step = -(-len(names) // _MOST_TICKS)
    upright = max(map(len, names)) <= 4
    ax.set_xticks(depth[::step], names[::step], rotation=0 if upright else 90)
    ax.set_xlabel("layer")
    ax.set_ylabel(literal(label))
    legend_above(ax)
    return ax


def brain_scatter(
    scores: ArrayLike,
    x: ArrayLike,
    y: ArrayLike,
    z: ArrayLike,
    ax: Axes | None = None,
    *,
    view: str = "from above",
    label: str = "score",
) -> Axes:
    """Draw scores at the places where they were measured, in one view.

    Parameters
    ----------
    scores : array-like, shape (places,)
        Scores; the highest are drawn last.
    x, y, z : array-like, shape (places,)
        Positions in m: to the right, to the front, upwards.
    ax : matplotlib.axes.Axes, optional
        Where to draw.
    view : {"from above", "from the right", "from behind"}
        From where one looks.
    label : str
        What is measured.

    Returns
    -------
    matplotlib.axes.Axes
        Axes in mm, equal in scale.

    Raises
    ------
    DataError
        If lengths disagree, no place is known, or there is no such view.

    Examples
    --------
    >>> brain_scatter([0.1, 0.4], [0.0, 0.01], [0.0, 0.02], [0.0, 0.0]).get_xlabel()
    'x (mm)'
    """
    known = {name: (a, b) for a, b, name in _VIEWS}
    if view not in known:
        raise DataError(f"Expected a view {', '.join(known)}; got {view!r}.")
    places = {"x": np.asarray(x, float), "y": np.asarray(y, float), "z": np.asarray(z, float)}
    values = np.asarray(scores, float)
    if any(place.shape != values.shape for place in places.values()):
        raise DataError(f"Expected a position for each of {values.size} scores.")
    across, up = (places[axis] * 1e3 for axis in known[view])
    fine = np.isfinite(values) & np.isfinite(across) & np.isfinite(up)
    if not fine.any():
        raise DataError("No score has a known position.")
    ax = axes_or_new(ax, 4.8, 4.0)
    order = np.flatnonzero(fine)[np.argsort(values[fine], kind="stable")]
    bound = float(np.abs(values[fine]).max()) or 1.0
    drawn = ax.scatter(across[order], up[order], c=values[order], s=14, cmap="RdBu_r",
                       vmin=-bound, vmax=bound, linewidths=0)  # fmt: skip
    ax.set_aspect("equal")
    ax.set_xlabel(f"{known[view][0]} (mm)")
    ax.set_ylabel(f"{known[view][1]} (mm)")
    ax.figure.colorbar(drawn, ax=ax, label=literal(label), shrink=0.8)
    return ax


def _cycle() -> list[str]:
    return [COLORS[name] for name in _SHADES] * 3


def _ceiling(ax: Axes, ceiling: float | tuple[float, float] | None) -> None:
    if ceiling is None:
        return
    low, high = ceiling if isinstance(ceiling, tuple) else (ceiling, ceiling)
    if not np.isfinite([low, high]).all():
        return
    if high > low:
        ax.axhspan(low, high, color=COLORS["teal"], alpha=0.2, lw=0, label="ceiling")
    else:
        ax.axhline(high, color=COLORS["teal"], lw=2, label="ceiling")
