"""Figures as text inside the page: SVG where that is small, else PNG at twice the size."""

from __future__ import annotations

import base64
import io
import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from neurokit.plotting import score_strip, style
from neurokit.reports.finding import Finding
from neurokit.reports.wording import number, quantity, spread

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["Mark", "Picture", "draw", "marks", "pictures", "strip_text"]

_SVG_LIMIT = 200_000
_PNG_DPI = 200
# Where everything on a strip is drawn, in units of its view box.
_STRIP_WIDTH = 132.0
_STRIP_MARGIN = 8.0


@dataclass(frozen=True)
class Picture:
    """One figure, ready for an ``img`` element.

    Attributes
    ----------
    title : str
        Its caption.
    alt : str
        What it shows, for those who do not see it.
    uri : str
        The picture itself, as a ``data:`` address.
    width, height : int
        Size in CSS pixels at which text has its intended size.
    """

    title: str
    alt: str
    uri: str
    width: int
    height: int


@dataclass(frozen=True)
class Mark:
    """One number on a strip.

    Attributes
    ----------
    kind : str
        ``value``, ``low``, ``high``, ``chance``, ``baseline`` or ``ceiling``.
    position : float
        From the strip's left edge, in its own units (0 to 132).
    """

    kind: str
    position: float


def pictures(finding: Finding) -> list[Picture]:
    """Draw the figures of a finding, or its score when it brings none.

    Parameters
    ----------
    finding : Finding
        What to draw.

    Returns
    -------
    list of Picture
        Empty only where there is neither a figure nor a finite value.
    """
    functions = dict(finding.figures)
    if not functions and math.isfinite(finding.value):
        functions = {"The score and what it is read against": lambda ax: _score(ax, finding)}
    return [
        draw(function, title, f"{title}. Figure for: {finding.question}")
        for title, function in functions.items()
    ]


def draw(function: Callable[[Axes], Any], title: str, alt: str) -> Picture:
    """Let a function draw on new axes in the house style, and keep the picture as text.

    Parameters
    ----------
    function : callable
        Draws on the matplotlib axes that it is given.
    title : str
        Caption.
    alt : str
        Text alternative.

    Returns
    -------
    Picture
        The same bytes for the same drawing.

    Examples
    --------
    >>> draw(lambda ax: ax.plot([0, 1]), "A line", "A rising line").uri[:19]
    'data:image/svg+xml;'
    """
    from matplotlib.figure import Figure

    with style():
        figure = Figure(layout="constrained")
        function(figure.add_subplot())
        width, height = figure.get_size_inches() * 100
        data, kind = _encoded(figure)
    uri = f"data:{kind};base64,{base64.b64encode(data).decode('ascii')}"
    return Picture(title, alt, uri, round(width), round(height))


def marks(finding: Finding) -> list[Mark]:
    """Place a finding's numbers on one line, for the strip in the summary.

    Parameters
    ----------
    finding : Finding
        Whose numbers.

    Returns
    -------
    list of Mark
        Of the finite ones; empty without a finite value.

    Examples
    --------
    >>> [m.kind for m in marks(Finding("Fair?", "heads", 0.52, chance=0.5))]
    ['value', 'chance']
    """
    low, high = finding.interval or (None, None)
    given = {
        "value": finding.value,
        "low": low,
        "high": high,
        "chance": finding.chance,
        "baseline": finding.baseline[1] if finding.baseline else None,
        "ceiling": finding.ceiling,
    }
    finite = {k: float(v) for k, v in given.items() if v is not None and math.isfinite(v)}
    if "value" not in finite:
        return []
    start, stop = min(finite.values()), max(finite.values())
    scale = (_STRIP_WIDTH - 2 * _STRIP_MARGIN) / (stop - start or 1.0)
    return [Mark(k, round(_STRIP_MARGIN + (v - start) * scale, 2)) for k, v in finite.items()]


def strip_text(finding: Finding) -> str:
    """Say in words what the strip of a finding shows.

    Parameters
    ----------
    finding : Finding
        Whose strip.

    Returns
    -------
    str
        A text alternative.
    """
    parts = [f"value {quantity(finding.value, finding.unit)}"]
    if finding.interval is not None:
        parts.append(f"interval {spread(finding.interval)}")
    if finding.chance is not None:
        parts.append(f"chance {number(finding.chance)}")
    if finding.baseline is not None:
        parts.append(f"baseline {number(finding.baseline[1])}")
    if finding.ceiling is not None:
        parts.append(f"ceiling {number(finding.ceiling)}")
    return ", ".join(parts)


def _score(ax: Axes, finding: Finding) -> None:
    low, high = finding.interval or (None, None)
    score_strip(
        [finding.value],
        ax=ax,
        low=low,
        high=high,
        chance=finding.chance,
        baseline=finding.baseline[1] if finding.baseline else None,
        ceiling=finding.ceiling,
        label=finding.measure,
    )
    ax.figure.set_size_inches(4.8, 1.4)  # type: ignore[union-attr]


def _encoded(figure: Figure) -> tuple[bytes, str]:
    import matplotlib

    buffer = io.BytesIO()
    # A fixed salt and no date: the same figure is the same text, whenever it is drawn.
    with matplotlib.rc_context({"svg.hashsalt": "neurokit"}):
        figure.savefig(buffer, format="svg", metadata={"Date": None}, transparent=True)
    if buffer.tell() <= _SVG_LIMIT:
        return buffer.getvalue(), "image/svg+xml"
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=_PNG_DPI, transparent=True)
    return buffer.getvalue(), "image/png"
