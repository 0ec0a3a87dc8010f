"""Running recipes that ask questions: a table in the terminal, a report on disk."""

from __future__ import annotations

import textwrap
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import typer

if TYPE_CHECKING:
    from neurokit.catalog.recipes import QuestionRecipe
    from neurokit.demo.answer import Answer

__all__ = ["answer_recipes", "shipped_questions"]


def shipped_questions() -> list[QuestionRecipe]:
    """Return the recipes of the demonstration, in its order.

    Returns
    -------
    list of QuestionRecipe
        One a question.
    """
    from neurokit.catalog.recipes import QuestionRecipe, recipe
    from neurokit.demo.questions import QUESTIONS

    found = [recipe(name.replace("_", "-")) for name in QUESTIONS]
    return [one for one in found if isinstance(one, QuestionRecipe)]


def answer_recipes(recipes: Sequence[QuestionRecipe], output: Path, seed: int | None) -> None:
    """Answer the question of each recipe, print the table, write the report.

    Parameters
    ----------
    recipes : sequence of QuestionRecipe
        Each names a question, a data set and a seed.
    output : Path
        The report.
    seed : int or None
        In place of the recipes' own.

    Raises
    ------
    typer.Exit
        With status 1 when a result is outside of its recorded band.
    """
    from neurokit import datasets
    from neurokit.demo.questions import ask
    from neurokit.progress import progress_bar
    from neurokit.reports import report

    started = time.perf_counter()
    answers = []
    for recipe in progress_bar(recipes, desc="questions"):
        rec = datasets.load(recipe.data)
        answers.append(ask(recipe.question, rec, recipe.seed if seed is None else seed))
    for answer in answers:
        typer.echo(_as_text(answer))
    seconds = time.perf_counter() - started
    path = report(answers, path=output, wall_time=seconds)
    typer.echo(f"\n{len(answers)} questions answered in {seconds:.0f} s. Report: {path}")
    outside = [a for a in answers if not a.in_band]
    for answer in outside:
        low, high = answer.band
        outcome = f"{answer.question} {answer.value:.3g}, expected {low:g} to {high:g}."
        typer.echo(f"Outside its band: {outcome}", err=True)
    if outside:
        raise typer.Exit(1)


def _as_text(answer: Answer) -> str:
    row = answer.row()
    facts = (
        f"{row['value']} [{row['interval']}], chance {row['chance']}, "
        f"baseline {row['baseline']}, ceiling {row['ceiling']}, n = {row['n']}"
    )
    body = textwrap.fill(
        f"{row['measure']}: {facts}", 96, initial_indent="  ", subsequent_indent="    "
    )
    caveat = textwrap.fill(
        f"But: {answer.caveat}", 96, initial_indent="  ", subsequent_indent="    "
    )
    return f"\n{answer.question} ({answer.data})\n{body}\n{caveat}"
