"""Whether a model that a run begins with learned from what tests here."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from neurokit import catalog
from neurokit.catalog.recipes import FinetuneRecipe, PretrainRecipe
from neurokit.catalog.recipes import recipe as find_recipe
from neurokit.errors import DataError, UnknownNameError
from neurokit.runs.cutting import Parts
from neurokit.runs.families import checkpoint_folder

__all__ = ["FIGURES", "RECIPE", "check_unseen", "learned_from"]

RECIPE, FIGURES = "recipe.json", "figures.json"


def check_unseen(recipe: PretrainRecipe | FinetuneRecipe, parts: Parts, runs: Path) -> str:
    """Refuse a checkpoint or a tokenizer that learned from what tests here.

    What made it is told by the files of its run or, of a model on the shelf, by its recipe; and
    likewise of what that one began with.

    Parameters
    ----------
    recipe : PretrainRecipe or FinetuneRecipe
        About to be run.
    parts : Parts
        Its windows.
    runs : Path
        Where the runs of other recipes lie.

    Returns
    -------
    str
        What the run begins with, for its model card, with what is not known of it.

    Raises
    ------
    DataError
        If that one learned from what tests here.

    Examples
    --------
    >>> from neurokit.catalog.recipes import recipe
    >>> from neurokit.runs.pretraining import windows_of
    >>> demo = recipe("eegformer-demo")
    >>> check_unseen(demo, windows_of(demo), Path("runs"))
    'new weights'
    """
    begun = recipe.model.checkpoint or recipe.model.tokenizer
    known = _check(begun, recipe, parts, runs)
    return (begun or "new weights") + "; what that one learned from is not known here" * (not known)


def learned_from(recipe: PretrainRecipe | FinetuneRecipe, parts: Parts) -> list[str]:
    """Return the groups that a run trains on or selects by, none where it splits by time.

    Parameters
    ----------
    recipe : PretrainRecipe or FinetuneRecipe
        Of the run.
    parts : Parts
        Its windows.

    Returns
    -------
    list of str
        Values of ``split.by``.

    Examples
    --------
    >>> from neurokit.catalog.recipes import recipe
    >>> from neurokit.runs.pretraining import windows_of
    >>> demo = recipe("eegformer-demo")
    >>> learned_from(demo, windows_of(demo))
    []
    """
    if recipe.split.by == "time":
        return []
    return sorted({*map(str, parts.train.groups(recipe.split.by))})


def _check(name: str, recipe: PretrainRecipe | FinetuneRecipe, parts: Parts, runs: Path) -> bool:
    """Refuse it; return whether it is known what it learned from."""
    if not name:
        return True
    made_by, groups = _origin(name, runs)
    if made_by is None or made_by.data != recipe.data:
        return made_by is not None
    theirs, ours = made_by.split, recipe.split
    if theirs.by == "time":
        unseen = (theirs.test_share or 0) + (theirs.validation_share or 0)
        if ours.by != "time" or (ours.test_share or 0) > unseen:
            raise DataError(
                f"{name!r} learned from all but the last {unseen:.0%} of each recording, some of "
                "which would test here. Split by time, with no larger test_share."
            )
    else:
        tested = {*map(str, parts.test.groups(theirs.by))}
        held_out = {*map(str, (*theirs.test, *theirs.validation))}
        if groups is not None:
            seen = tested & {*groups}
        else:  # what a recipe has drawn, it does not tell
            seen = tested - held_out if held_out else set()
        if seen:
            raise DataError(
                f"{name!r} learned from {theirs.by} {', '.join(sorted(seen)[:6])}, which would "
                f"test here. Test on {_others(held_out)}, or pretrain without them."
            )
    earlier = made_by.model.checkpoint or made_by.model.tokenizer
    return _check(earlier, recipe, parts, runs)


def _others(held_out: set[str]) -> str:
    return f"{', '.join(sorted(held_out)[:8])} alone" if held_out else "others"


def _origin(name: str, runs: Path) -> tuple[PretrainRecipe | None, list[str] | None]:
    """Return the recipe that made a checkpoint and, where its run kept them, its groups."""
    try:
        run = checkpoint_folder(name, runs).parent
    except UnknownNameError:
        run = runs / name
    made = _content(run / RECIPE)
    if made.get("kind") == "pretrain":
        return PretrainRecipe.model_validate(made), _content(run / FIGURES).get("learned_from")
    found = find_recipe(name) if name in catalog.names("models") else None
    return (found if isinstance(found, PretrainRecipe) else None), None


def _content(path: Path) -> dict[str, Any]:
    return dict(json.loads(path.read_text(encoding="utf-8"))) if path.is_file() else {}
