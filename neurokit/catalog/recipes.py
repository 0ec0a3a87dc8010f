"""Recipes: one TOML a run, which names the data, what is asked of them, and the seed."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from pydantic import Field

from neurokit.catalog.folders import find
from neurokit.catalog.schema import Schema, read_toml

__all__ = ["Recipe", "recipe"]


class Recipe(Schema):
    """One run.

    Attributes
    ----------
    name : str
        As the file.
    title : str
        One line for people.
    kind : str
        ``"question"``: answer one question about one recording.
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


def recipe(name: str) -> Recipe:
    """Find a recipe by its name or its file.

    Parameters
    ----------
    name : str
        Name of a recipe on the shelf, or a path that ends in ``.toml``.

    Returns
    -------
    Recipe
        The checked recipe.

    Raises
    ------
    UnknownNameError
        If no recipe has this name.
    ReadError
        If the file is not a valid recipe.

    Examples
    --------
    >>> recipe("head-direction").data
    'a2929'
    """
    path = Path(name) if name.endswith(".toml") else find("models", name)
    return read_toml(path, Recipe)
