"""One restrained look for every figure: colours, sizes, and the axes to draw on."""

from __future__ import annotations

from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Hashable

    import xarray as xr
    from matplotlib.axes import Axes

__all__ = [
    "COLORS",
    "axes_or_new",
    "axis_label",
    "color",
    "legend_above",
    "literal",
    "style",
    "value_label",
]

#: Colours by role. The cycle keeps matplotlib's order of hues: blue, orange, green, red, violet.
COLORS = {
    "ink": "#1b2430",
    "muted": "#66717d",
    "faint": "#d5dae0",
    "accent": "#1f5fa6",
    "warm": "#c4512d",
    "teal": "#2a8a80",
    "gold": "#b8841c",
    "plum": "#7d4f9e",
    "rose": "#c9628d",
    "sky": "#4d9fcb",
}
_CYCLE = ("accent", "gold", "teal", "warm", "plum", "rose", "sky", "muted")
# Sized for a report: at 4.8 inches wide, 10 points stay legible on a telephone.
_SETTINGS: dict[str, Any] = {
    "figure.figsize": (4.8, 3.2),
    "figure.facecolor": "white",
    "font.family": "sans-serif",
    "font.size": 10,
    "axes.titlesize": 10,
    "axes.titlelocation": "left",
    "axes.labelsize": 10,
    "axes.linewidth": 0.8,
    "axes.edgecolor": COLORS["muted"],
    "axes.labelcolor": COLORS["ink"],
    "axes.spines.top": False,
    "axes.spines.right": False,
    "text.color": COLORS["ink"],
    "xtick.labelsize": 9,
    "ytick.labelsize": 9,
    "xtick.color": COLORS["muted"],
    "ytick.color": COLORS["muted"],
    "xtick.labelcolor": COLORS["ink"],
    "ytick.labelcolor": COLORS["ink"],
    "lines.linewidth": 1.4,
    "lines.solid_capstyle": "round",
    "legend.frameon": True,
    "legend.framealpha": 0.85,
    "legend.edgecolor": "none",
    "legend.fancybox": False,
    "legend.fontsize": 9,
    "legend.handlelength": 1.4,
    "image.cmap": "Blues",
    "image.interpolation": "nearest",
}
# Characters of a legend's row on a figure 4.8 inches wide.
_ROW = 56


def style() -> AbstractContextManager[None]:
    """Return a context in which matplotlib draws as neurokit's reports do.

    Returns
    -------
    context manager
        Restores the settings of before on leaving.

    Examples
    --------
    >>> import matplotlib
    >>> with style():
    ...     matplotlib.rcParams["font.size"]
    10.0
    """
    import matplotlib
    from cycler import cycler

    cycle = cycler(color=[COLORS[name] for name in _CYCLE])
    settings: Any = _SETTINGS | {"axes.prop_cycle": cycle}
    return matplotlib.rc_context(settings)


def axes_or_new(ax: Axes | None, width: float = 4.8, height: float = 3.2) -> Axes:
    """Return the axes given, or the axes of a new figure in the house style.

    Parameters
    ----------
    ax : matplotlib.axes.Axes or None
        Where to draw.
    width, height : float
        Size of the new figure in inches.

    Returns
    -------
    matplotlib.axes.Axes
        Where to draw.
    """
    if ax is not None:
        return ax
    import matplotlib.pyplot as plt

    with style():
        return plt.subplots(figsize=(width, height), layout="constrained")[1]


def color(index: int) -> str:
    """Return a colour of the cycle, which starts again after the last.

    Parameters
    ----------
    index : int
        Position, from 0.

    Returns
    -------
    str
        A hexadecimal colour.

    Examples
    --------
    >>> color(0) == COLORS["accent"], color(9) == color(1)
    (True, True)
    """
    return COLORS[_CYCLE[index % len(_CYCLE)]]


def literal(text: object) -> str:
    r"""Return text that matplotlib draws as it is, dollar signs included.

    Names from files are no formulas, and a broken formula would stop the drawing.

    Parameters
    ----------
    text : object
        What to draw.

    Returns
    -------
    str
        The text with dollar signs escaped.

    Examples
    --------
    >>> literal("a$b")
    'a\\$b'
    """
    return str(text).replace("$", r"\$")


def legend_above(ax: Axes) -> None:
    """Put the legend over the axes, where it hides nothing.

    Parameters
    ----------
    ax : matplotlib.axes.Axes
        With labelled artists.

    Examples
    --------
    >>> ax = axes_or_new(None)
    >>> _ = ax.plot([0, 1], label="a")
    >>> legend_above(ax)
    >>> len(ax.get_legend().get_texts())
    1
    """
    labels = ax.get_legend_handles_labels()[1]
    # A row wider than the axes would squeeze them: each entry has a handle besides its text.
    columns = 4 if sum(len(label) + 6 for label in labels) <= _ROW else 2
    ax.legend(
        ncols=columns, loc="lower left", bbox_to_anchor=(0, 1), borderaxespad=0.2, columnspacing=1
    )


def axis_label(array: xr.DataArray, dim: Hashable, unit: str = "") -> str:
    """Return the text of the axis along which a dimension is drawn.

    Parameters
    ----------
    array : DataArray
        What is drawn.
    dim : hashable
        Its dimension, whose coordinate may have the attributes ``long_name`` and ``units``.
    unit : str
        For a coordinate that does not tell its own.

    Returns
    -------
    str
        Name and unit.

    Examples
    --------
    >>> import xarray as xr
    >>> axis_label(xr.DataArray([1.0], {"angle": ("angle", [0], {"units": "°"})}), "angle")
    'angle (°)'
    """
    attrs = array[dim].attrs
    return _with_unit(str(attrs.get("long_name", dim)), str(attrs.get("units", unit)))


def value_label(array: xr.DataArray, default: str = "") -> str:
    """Return the text of the axis along which the values of an array are drawn.

    Parameters
    ----------
    array : DataArray
        What is drawn.
    default : str
        For an array without a name.

    Returns
    -------
    str
        Name and unit.

    Examples
    --------
    >>> import xarray as xr
    >>> value_label(xr.DataArray([1.0], name="force", attrs={"units": "N"}))
    'force (N)'
    """
    name = default if array.name is None else str(array.name)
    return _with_unit(name, str(array.attrs.get("units", "")))


def _with_unit(name: str, unit: str) -> str:
    return literal(f"{name} ({unit})".strip() if unit else name)
