"""One restrained look for every figure: colours, sizes, and the axes to draw on."""

from __future__ import annotations

from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["COLORS", "axes_or_new", "color", "literal", "style"]

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
