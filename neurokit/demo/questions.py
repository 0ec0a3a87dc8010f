"""The questions of the demonstration, by name."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from neurokit.errors import UnknownNameError

if TYPE_CHECKING:
    from neurokit.demo.answer import Answer

__all__ = ["QUESTIONS", "ask"]

#: Module of each question, and the card of the recording that it is asked of.
QUESTIONS = {
    "head_direction": "a2929",
    "resting_network": "schaefer-rest",
    "object_category": "haxby-slice",
    "grip_force": "gripforce",
    "evoked_response": "mne-sample-eeg",
}


def ask(name: str, rec: Any = None, seed: int = 0) -> Answer:
    """Answer one question.

    Parameters
    ----------
    name : str
        One of :data:`QUESTIONS`.
    rec : Recording, optional
        A recording laid out as the question's module says; by default the embedded one.
    seed : int
        Seed of every random draw.

    Returns
    -------
    Answer
        The score with chance, baseline, ceiling, interval, figures and code.

    Raises
    ------
    UnknownNameError
        If there is no such question.

    Examples
    --------
    >>> ask("grip_forse")
    Traceback (most recent call last):
    ...
    neurokit.errors.UnknownNameError: Unknown question 'grip_forse'. Did you mean 'grip_force'? ...
    """
    if name not in QUESTIONS:
        raise UnknownNameError("question", name, QUESTIONS)
    if rec is None:
        from neurokit import datasets

        rec = datasets.load(QUESTIONS[name])
    answer: Answer = importlib.import_module(f"neurokit.demo.{name}").run(rec, seed=seed)
    return answer
