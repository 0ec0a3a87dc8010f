"""Numbers, sentences and references as a reader wants them."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from neurokit.reports.finding import Finding

__all__ = ["Reference", "number", "quantity", "references", "sentence", "spread"]

# Not units: said by the measure already, and in the way behind a number.
_WORDS = {"", "1", "r", "r2", "share", "proportion", "fraction", "accuracy", "correlation", "auc"}
_DOI = re.compile(r"\b10\.\d{4,9}/[^\s<>\"]*[^\s<>\".,;)\]]")
_ASIDE = re.compile(r"\s*\((?:less|lower|smaller|more|higher|larger) is better\)", re.IGNORECASE)


def number(value: float | None) -> str:
    """Write a number with three significant digits.

    Parameters
    ----------
    value : float or None
        The number.

    Returns
    -------
    str
        With a true minus sign; an em dash where there is none.

    Examples
    --------
    >>> number(-0.04567), number(1234.5), number(float("nan")), number(None)
    ('−0.0457', '1,234', 'NaN', '—')
    """
    if value is None:
        return "—"
    value = float(value)
    if math.isnan(value):
        return "NaN"
    if math.isinf(value):
        return "∞" if value > 0 else "−∞"
    if abs(value) >= 1e6 or 0 < abs(value) < 1e-4:
        text = f"{value:.2e}"
    elif abs(value) >= 100:
        text = f"{value:,.0f}"
    else:
        text = f"{value:.3g}"
    return text.replace("-", "−")


def quantity(value: float | None, unit: str) -> str:
    r"""Write a number with its unit.

    Parameters
    ----------
    value : float or None
        The number.
    unit : str
        Its unit; words such as ``share`` or ``r`` are no unit and left out.

    Returns
    -------
    str
        The text.

    Examples
    --------
    >>> quantity(10.41, "°"), quantity(3.0, "ms"), quantity(0.6, "share")
    ('10.4°', '3\xa0ms', '0.6')
    """
    text = number(value)
    return text if text in {"—", "NaN"} else _with_unit(text, unit)


def spread(interval: tuple[float, float] | None, unit: str = "") -> str:
    """Write an interval.

    Parameters
    ----------
    interval : tuple of float or None
        Low and high end.
    unit : str
        Unit, written once, after the high end.

    Returns
    -------
    str
        The text; an em dash where there is none.

    Examples
    --------
    >>> spread((9.8, 11.2), "°")
    '9.8 to 11.2°'
    >>> spread((0.51, 0.7))
    '0.51 to 0.70'
    """
    if interval is None:
        return "—"
    low, high = (float(end) for end in interval)
    width = high - low
    if not 1e-4 < width < 1e6 or max(abs(low), abs(high)) >= 1e6:
        return f"{number(low)} to {quantity(high, unit)}"
    # Two digits of the width tell the ends apart; more would claim too much.
    decimals = max(0, 1 - math.floor(math.log10(width)))
    ends = [f"{end:,.{decimals}f}".replace("-", "−") for end in (low, high)]
    return f"{ends[0]} to {_with_unit(ends[1], unit)}"


def sentence(finding: Finding) -> str:
    """Say the answer in one sentence.

    Parameters
    ----------
    finding : Finding
        What to say.

    Returns
    -------
    str
        ``answer`` where it was given, else a sentence made of the numbers.

    Examples
    --------
    >>> sentence(Finding("Fair?", "share of heads", 0.52, interval=(0.42, 0.62), chance=0.5))
    'The share of heads is 0.52 (interval 0.42 to 0.62), against 0.5 at chance.'
    """
    if finding.answer:
        return finding.answer
    unit = finding.unit
    measure = _ASIDE.sub("", finding.measure).strip() or "value"
    if not math.isfinite(finding.value):
        return f"There is no finite value of the {measure}."
    # An aside in the measure's name is closed before the verb.
    measure += "," if "," in measure else ""
    text = f"The {measure} is {quantity(finding.value, unit)}"
    if finding.interval is not None:
        text += f" (interval {spread(finding.interval, unit)})"
    rivals = []
    if finding.chance is not None:
        rivals.append(f"{quantity(finding.chance, unit)} at chance")
    if finding.baseline is not None:
        name, score = finding.baseline
        rivals.append(f"{quantity(score, unit)} for a sceptic’s baseline ({name})")
    if finding.ceiling is not None:
        rivals.append(f"a ceiling of {quantity(finding.ceiling, unit)}")
    joined = " and ".join([", ".join(rivals[:-1]), rivals[-1]] if len(rivals) > 1 else rivals)
    return f"{text}, against {joined}." if joined else f"{text}."


def _with_unit(text: str, unit: str) -> str:
    if unit.lower() in _WORDS:
        return text
    return text + unit if unit in {"°", "%"} else f"{text}\N{NO-BREAK SPACE}{unit}"


@dataclass(frozen=True)
class Reference:
    """One entry of the list of references.

    Attributes
    ----------
    number : int
        From 1, in the order of first citation.
    text : str
        The citation as given.
    doi : str
        Without the address of the resolver; empty where there is none.
    """

    number: int
    text: str
    doi: str


def references(
    findings: Iterable[Finding], dois: Mapping[str, str]
) -> tuple[list[Reference], list[list[int]]]:
    """Give each cited paper one number over all findings.

    Parameters
    ----------
    findings : iterable of Finding
        What cites.
    dois : mapping of str to str
        Citation to DOI, for those whose text holds none.

    Returns
    -------
    entries : list of Reference
        In order of first citation.
    cited : list of list of int
        For each finding the numbers of what it cites, ascending.

    Examples
    --------
    >>> one = Finding("a", "b", 1.0, citations=("Haxby 2001. doi:10.1126/science.1063736",))
    >>> entries, cited = references([one, one], {})
    >>> entries[0].doi, cited
    ('10.1126/science.1063736', [[1], [1]])
    """
    order: dict[str, int] = {}
    cited = [
        sorted({order.setdefault(text, len(order) + 1) for text in finding.citations})
        for finding in findings
    ]
    entries = []
    for text, place in order.items():
        match = _DOI.search(text)
        entries.append(Reference(place, text, match.group() if match else dois.get(text, "")))
    return entries, cited
