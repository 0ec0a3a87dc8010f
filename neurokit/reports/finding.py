"""What a report renders: one question, its answer, and what the answer is read against."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, fields, replace
from typing import TYPE_CHECKING, Any, Literal

from neurokit.errors import DataError

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["Finding", "Outcome", "as_findings"]

_LESS_IS_BETTER = re.compile(r"\b(less|lower|smaller) is better\b", re.IGNORECASE)


@dataclass(frozen=True)
class Outcome:
    """How a finding turned out.

    Attributes
    ----------
    kind : {"good", "open", "bad"}
        Clear of what it was compared with; not told from it, or not tested; broken.
    text : str
        The same in words.
    """

    kind: Literal["good", "open", "bad"]
    text: str


@dataclass(frozen=True, eq=False)
class Finding:
    """One question asked of one data set, with what is needed to judge the answer.

    Any object with attributes of these names is rendered alike.

    Attributes
    ----------
    question : str
        The question, as a neuroscientist would ask it.
    measure : str
        What `value` is. The words "less is better" in it turn every comparison round.
    value : float
        The score; NaN where there is none.
    unit : str
        Unit of `value`, `interval`, `chance`, `baseline`, `ceiling` and `band`.
    data : str
        Name of the data set's card, or any description.
    interval : tuple of float or None
        Low and high end of the interval around `value`.
    interval_of : str
        What the interval is and over which independent unit.
    chance : float or None
        What a model that knows nothing scores.
    baseline : tuple of (str, float) or None
        The simplest rival that a sceptic would name, and its score.
    ceiling : float or None
        The best score that these data allow.
    ceiling_note : str
        Where the ceiling comes from, or why there is none.
    band : tuple of float or None
        The recorded range of `value`; outside of it something broke.
    n_samples : int or None
        Number of samples scored.
    split : str
        How training and test data were separated.
    seed : int or None
        Seed of every random draw.
    p_value : float or None
        Against the null that `method` names.
    caveat : str
        The weakest point of the answer.
    method : str
        One or two sentences for the methods paragraph.
    citations : tuple of str
        Papers behind data and method; a DOI in the text becomes a link.
    code : str
        Python that reproduces `value`.
    details : mapping of str to float
        Further numbers, each with its unit in the name.
    figures : mapping of str to callable
        Title to a function that draws on given matplotlib axes.
    name : str
        Short name, shown above the question.
    answer : str
        The answer in one sentence, by default put together from the numbers.
    outcome : Outcome or None
        How it turned out, by default judged from the numbers.

    Examples
    --------
    >>> coin = Finding("Fair?", "share of heads", 0.52, interval=(0.42, 0.62), chance=0.5)
    >>> coin.judge().text
    'Not told from chance'
    """

    question: str
    measure: str
    value: float
    unit: str = ""
    data: str = ""
    interval: tuple[float, float] | None = None
    interval_of: str = ""
    chance: float | None = None
    baseline: tuple[str, float] | None = None
    ceiling: float | None = None
    ceiling_note: str = ""
    band: tuple[float, float] | None = None
    n_samples: int | None = None
    split: str = ""
    seed: int | None = None
    p_value: float | None = None
    caveat: str = ""
    method: str = ""
    citations: tuple[str, ...] = ()
    code: str = ""
    details: Mapping[str, float] = field(default_factory=dict)
    figures: Mapping[str, Callable[[Axes], Any]] = field(default_factory=dict)
    name: str = ""
    answer: str = ""
    outcome: Outcome | None = None

    def judge(self) -> Outcome:
        """Say how the finding turned out, from its numbers.

        Returns
        -------
        Outcome
            ``outcome`` where it was given. Else bad without a finite value or outside the
            recorded band; good when the interval leaves out chance and baseline (and p is
            at most .05 where there is one); open otherwise.
        """
        if self.outcome is not None:
            return self.outcome
        if not math.isfinite(self.value):
            return Outcome("bad", "No value")
        if self.band is not None and not self.band[0] <= self.value <= self.band[1]:
            return Outcome("bad", "Outside its recorded band")
        if self.chance is None or (self.interval is None and self.p_value is None):
            return Outcome("open", "Not tested against chance")
        if not self._beats(self.chance) or (self.p_value is not None and self.p_value > 0.05):
            return Outcome("open", "Not told from chance")
        if self.baseline is None:
            return Outcome("good", "Clear of chance")
        if not self._beats(self.baseline[1]):
            return Outcome("open", "Clear of chance, not of the baseline")
        return Outcome("good", "Clear of chance and baseline")

    def _beats(self, rival: float) -> bool:
        """Whether the whole interval, or without one the value, is on the better side."""
        low, high = self.interval or (self.value, self.value)
        return high < rival if _LESS_IS_BETTER.search(self.measure) else low > rival


def as_findings(results: Any) -> list[Finding]:
    """Bring what a user hands to the report into one form.

    Parameters
    ----------
    results : object, Dataset, sequence or mapping
        A finding, or anything with its attributes; the result of
        :func:`neurokit.alignment.encode`; the score of a benchmark; several of them;
        or a mapping from names to them.

    Returns
    -------
    list of Finding
        In the order given.

    Raises
    ------
    DataError
        If there is nothing, or something that is no result.

    Examples
    --------
    >>> named = as_findings({"coin": Finding("Is the coin fair?", "share of heads", 0.52)})
    >>> named[0].name
    'coin'
    """
    if _is_dataset(results) or hasattr(results, "question"):
        return [_finding(results, "")]
    if isinstance(results, Mapping):
        found = [_finding(result, str(name)) for name, result in results.items()]
    elif isinstance(results, Iterable) and not (isinstance(results, str) or _is_table(results)):
        found = [_finding(result, "") for result in results]
    else:
        raise DataError(
            f"Expected results to be answers or a Dataset of nk.alignment.encode; got "
            f"{type(results).__name__}."
        )
    if not found:
        raise DataError("There is nothing to report: results is empty.")
    return found


def _is_dataset(result: Any) -> bool:
    # Told by its attributes, so that a report of answers need not load xarray.
    return hasattr(result, "data_vars") and hasattr(result, "attrs")


def _is_table(results: Any) -> bool:
    # Going through a table gives the names of its columns.
    return hasattr(results, "iloc")


def _finding(result: Any, name: str) -> Finding:
    if _is_dataset(result) and "benchmark" in result.attrs:
        from neurokit.reports.benchmark import benchmark_finding

        return benchmark_finding(result, name)
    if _is_dataset(result):
        from neurokit.reports.encoding import encoding_finding

        return encoding_finding(result, name)
    if isinstance(result, Finding):
        return replace(result, name=name or result.name)
    missing = [part for part in ("question", "measure", "value") if not hasattr(result, part)]
    if missing:
        raise DataError(
            f"Expected a result with question, measure and value; got {type(result).__name__} "
            f"without {', '.join(missing)}."
        )
    given = {f.name: getattr(result, f.name) for f in fields(Finding) if hasattr(result, f.name)}
    if isinstance(given.get("citations"), str):
        given["citations"] = (given["citations"],)
    return Finding(**{**given, "name": name or str(given.get("name", ""))})
