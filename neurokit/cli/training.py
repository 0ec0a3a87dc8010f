"""Running recipes that train: figures in the terminal, a model with its card on disk."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from neurokit.errors import ReadError

if TYPE_CHECKING:
    import pandas as pd

    from neurokit.catalog.recipes import FinetuneRecipe, PretrainRecipe, Recipe
    from neurokit.runs import Result

__all__ = ["expect_kind", "train"]


def expect_kind(recipe: Recipe, kind: str, given: str) -> Any:
    """Return a recipe if it is of the kind that a command runs.

    Parameters
    ----------
    recipe : Recipe
        As found.
    kind : str
        ``"pretrain"`` or ``"finetune"``.
    given : str
        The name or path that the recipe was found by.

    Returns
    -------
    PretrainRecipe or FinetuneRecipe
        The recipe.

    Raises
    ------
    ReadError
        If it is of another kind.
    """
    if recipe.kind != kind:
        raise ReadError(
            f"{recipe.name} is a recipe of kind {recipe.kind!r}, expected {kind!r}. Try: neurokit "
            f"run {given}"
        )
    return recipe


def train(
    recipe: PretrainRecipe | FinetuneRecipe,
    output: Path | None,
    *,
    data: str | None,
    reading: dict[str, Any],
    seed: int | None,
    epochs: int | None,
    device: str,
) -> None:
    """Run a recipe that trains, print its figures, and say where the model is.

    Of processes that ``torchrun`` started, the first alone prints.

    Parameters
    ----------
    recipe : PretrainRecipe or FinetuneRecipe
        What to do.
    output : Path or None
        Folder of the run; by default ``runs/`` and the recipe's name.
    data : str or None
        Another card or your copy of the data.
    reading : dict
        Arguments of the data's reader.
    seed, epochs : int or None
        In place of the recipe's own.
    device : str
        Where to train.
    """
    from neurokit import runs
    from neurokit.training.distributed import form_team

    folder = Path("runs", recipe.name) if output is None else output
    wanted = runs.changed(recipe, seed=seed, epochs=epochs)
    options: dict[str, Any] = {"data": data, "keywords": reading, "device": device}
    try:
        if wanted.kind == "pretrain":
            result = runs.pretrain(wanted, folder, **options)
        else:
            result = runs.finetune(wanted, folder, **options)
    except KeyboardInterrupt:
        typer.echo(f"Stopped. {_how_to_go_on(folder)}", err=True)
        raise typer.Exit(130) from None
    if form_team(device).rank > 0:
        return
    for line in _lines(result):
        typer.echo(line)
    typer.echo(f"Model: {folder / 'model'}")
    typer.echo(f"Figures: {folder / 'figures.json'}")


def _how_to_go_on(folder: Path) -> str:
    from neurokit.training.checkpoints import STATE

    if (folder / "training" / STATE).is_file() or (folder / "prepared").is_dir():
        return f"The same command goes on from what is in {folder}."
    return f"Nothing was kept in {folder} yet: the same command starts over."


def _lines(result: Result) -> list[str]:
    done = len(result.history)
    lines = [f"{result.recipe.name}: {result.recipe.title}"]
    if result.resumed_at:
        lines.append(f"Continued an earlier run after {result.resumed_at} of {done} epochs.")
    return [*lines, "", *_table(result.figures), ""]


def _table(figures: pd.DataFrame) -> list[str]:
    """Lay figures out in columns."""
    rows = [["", *map(str, figures.columns)]]
    rows += [[str(name), *map(_number, values)] for name, values in figures.iterrows()]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return [
        "  ".join(
            [
                row[0].ljust(widths[0]),
                *(c.rjust(w) for c, w in zip(row[1:], widths[1:], strict=True)),
            ]
        )
        for row in rows
    ]


def _number(value: Any) -> str:
    number = float(value)
    if number != number:
        return "–"
    return f"{number:.0f}" if number.is_integer() and abs(number) >= 2 else f"{number:.3f}"
