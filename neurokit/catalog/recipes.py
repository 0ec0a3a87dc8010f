"""Recipes: one TOML a run, which names the data, what is done with them, and the seed."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from pydantic import ConfigDict, Field

from neurokit.catalog.folders import find
from neurokit.catalog.schema import Schema, read_toml
from neurokit.catalog.training_recipes import FinetuneRecipe, PretrainRecipe
from neurokit.errors import ReadError

__all__ = ["QuestionRecipe", "Recipe", "recipe"]


class QuestionRecipe(Schema):
    """One question about one recording.

    Attributes
    ----------
    name : str
        As the file.
    title : str
        One line for people.
    kind : str
        ``"question"``.
    question : str
        Name of the question, a module of :mod:`neurokit.demo`.
    data : str
        Name of a card. Any card whose recording holds the streams that the question needs.
    seed : int
        Seed of every random draw.
    """

    name: str = Field(pattern=r"^[a-z0-9][a-z0-9_-]*$")
    title: str
    kind: Literal["question"]
    question: str
    data: str
    seed: int = 0


#: A recipe of any kind.
Recipe = QuestionRecipe | PretrainRecipe | FinetuneRecipe

_KINDS: dict[str, type[QuestionRecipe] | type[PretrainRecipe] | type[FinetuneRecipe]] = {
    "question": QuestionRecipe,
    "pretrain": PretrainRecipe,
    "finetune": FinetuneRecipe,
}


class _Kind(Schema):
    """What tells by which schema the rest is checked."""

    model_config = ConfigDict(extra="ignore")

    kind: Literal["question", "pretrain", "finetune"]


def recipe(name: str) -> Recipe:
    """Find a recipe by its name or its file.

    Parameters
    ----------
    name : str
        Name of a recipe on the shelf, or a path that ends in ``.toml``.

    Returns
    -------
    QuestionRecipe, PretrainRecipe or FinetuneRecipe
        The checked recipe.

    Raises
    ------
    UnknownNameError
        If no recipe has this name.
    ReadError
        If the file is not a valid recipe; the message names the field.

    Examples
    --------
    >>> recipe("head-direction").data
    'a2929'
    """
    path = Path(name) if name.endswith(".toml") else find("models", name)
    found = read_toml(path, _KINDS[read_toml(path, _Kind).kind])
    if found.name != path.stem:
        raise ReadError(
            f"{path}: field 'name': expected {path.stem!r}, as the file is called; got "
            f"{found.name!r}."
        )
    return found
