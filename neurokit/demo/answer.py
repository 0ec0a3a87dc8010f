"""One question asked of one recording, with everything that is needed to judge the answer."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from neurokit.errors import DataError

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["Answer", "code"]

_CODE = """\
import neurokit as nk
from neurokit.demo import {question}

rec = nk.datasets.load("{data}")
print({question}.run(rec, seed={seed}).value)"""


@dataclass(frozen=True, eq=False)
class Answer:
    """A score with its chance level, a sceptic's baseline, its ceiling and its interval.

    Attributes
    ----------
    question : str
        The question, as a neuroscientist would ask it.
    data : str
        Name of the data set's card.
    measure : str
        What `value` is, with the direction that is better.
    value : float
        The score.
    unit : str
        Unit of `value`, `interval`, `chance`, `baseline`, `ceiling` and `band`.
    interval : tuple of float
        Low and high end of the interval around `value`.
    interval_of : str
        What the interval is and over which independent unit.
    chance : float
        What a model that knows nothing scores.
    baseline : tuple of (str, float)
        The simplest rival explanation that a sceptic would name, and its score.
    ceiling : float or None
        The best score that these data allow, None where there is no such number.
    ceiling_note : str
        Where the ceiling comes from, or why there is none.
    band : tuple of float
        The recorded range of `value`; a score outside means that something broke.
    n_samples : int
        Number of samples that were scored.
    split : str
        How training and test data were separated.
    seed : int
        Seed of every random draw.
    caveat : str
        The weakest point of the answer.
    method : str
        One or two sentences for a methods paragraph.
    citations : tuple of str
        Papers behind the data and the method.
    code : str
        Python that reproduces `value`.
    p_value : float or None
        Against the null that `method` names; None where none was drawn.
    details : mapping of str to float
        Further numbers, each with its unit in the name.
    figures : mapping of str to callable
        Title to a function that draws the figure on a given matplotlib Axes.

    Raises
    ------
    DataError
        If a number is not finite or a range is upside down.

    Examples
    --------
    >>> answer = Answer(
    ...     question="Is the coin fair?", data="coin", measure="share of heads", value=0.52,
    ...     unit="share", interval=(0.42, 0.62), interval_of="95 %, bootstrap over tosses",
    ...     chance=0.5, baseline=("always tails", 0.48), ceiling=None, ceiling_note="none",
    ...     band=(0.4, 0.6), n_samples=100, split="none", seed=0, caveat="one coin",
    ...     method="We counted.", citations=(), code="0.52",
    ... )
    >>> answer.in_band
    True
    >>> answer.row()["interval"]
    '0.42 to 0.62'
    """

    question: str
    data: str
    measure: str
    value: float
    unit: str
    interval: tuple[float, float]
    interval_of: str
    chance: float
    baseline: tuple[str, float]
    ceiling: float | None
    ceiling_note: str
    band: tuple[float, float]
    n_samples: int
    split: str
    seed: int
    caveat: str
    method: str
    citations: tuple[str, ...]
    code: str
    p_value: float | None = None
    details: Mapping[str, float] = field(default_factory=dict)
    figures: Mapping[str, Callable[[Axes], Any]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        numbers = {
            "value": self.value,
            "chance": self.chance,
            f"baseline ({self.baseline[0]})": self.baseline[1],
            **{f"interval[{i}]": v for i, v in enumerate(self.interval)},
            **self.details,
        }
        for name, number in numbers.items():
            if not math.isfinite(number):
                raise DataError(f"{self.question} {name} is {number}, expected a finite number.")
        for name, (low, high) in (("interval", self.interval), ("band", self.band)):
            if low > high:
                raise DataError(f"{self.question} The {name} runs from {low} to {high}.")

    @property
    def in_band(self) -> bool:
        """Whether `value` is inside its recorded band."""
        return self.band[0] <= self.value <= self.band[1]

    def row(self) -> dict[str, Any]:
        """Give one row of the summary table.

        Returns
        -------
        dict
            Short texts and numbers by column name.
        """
        return {
            "question": self.question,
            "data": self.data,
            "measure": self.measure,
            "value": _short(self.value, self.unit),
            "interval": f"{_short(self.interval[0])} to {_short(self.interval[1])}",
            "chance": _short(self.chance),
            "baseline": f"{_short(self.baseline[1])} ({self.baseline[0]})",
            "ceiling": "none" if self.ceiling is None else _short(self.ceiling),
            "p": "none" if self.p_value is None else _short(self.p_value),
            "n": self.n_samples,
            "ok": self.in_band,
        }


def code(question: str, data: str, seed: int) -> str:
    """Write the Python that reproduces the value of an answer.

    Parameters
    ----------
    question : str
        Module of the question.
    data : str
        Name of the data set's card.
    seed : int
        Seed of every random draw.

    Returns
    -------
    str
        A program that prints the value.

    Examples
    --------
    >>> print(code("grip_force", "gripforce", 0).splitlines()[-1])
    print(grip_force.run(rec, seed=0).value)
    """
    return _CODE.format(question=question, data=data, seed=seed)


def _short(number: float, unit: str = "") -> str:
    text = f"{number:.3g}" if abs(number) < 100 else f"{number:.0f}"
    return f"{text} {unit}".strip() if unit in {"°", "s", "V", "%"} else text
