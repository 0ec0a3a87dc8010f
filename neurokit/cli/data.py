"""``neurokit data``: the catalogue and conversion."""

from __future__ import annotations

import ast
import textwrap
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["data"]

_WIDEST = 52

data = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode=None,
    help="List, describe, fetch and convert data sets.",
    epilog="Example: neurokit data list --modality eeg",
)

Name = Annotated[str, typer.Argument(help="Name of a card; `neurokit data list` shows them.")]


@data.command("list", epilog="Example: neurokit data list --modality fmri")
def list_cards(
    modality: Annotated[str | None, typer.Option(help="eeg, ieeg, fmri, spikes …")] = None,
) -> None:
    """List the catalogue as a table."""
    from neurokit import datasets

    for line in _lines(datasets.list(modality)):
        typer.echo(line)


@data.command(epilog="Example: neurokit data info haxby-slice")
def info(name: Name) -> None:
    """Describe one data set: facts, licence, citation, how to get it."""
    from neurokit import datasets

    typer.echo(str(datasets.info(name)))


@data.command(epilog="Example: neurokit data fetch eegmmidb")
def fetch(name: Name) -> None:
    """Download a data set into the cache, verified; continues where it was cut off."""
    from neurokit import datasets

    typer.echo(f"Here: {datasets.fetch(name)}")


@data.command(
    epilog="Example: neurokit data convert sub-01_bold.nii.gz session.zarr -k repetition_time=2.5"
)
def convert(
    source: Annotated[Path, typer.Argument(help="Any file or folder that neurokit reads.")],
    target: Annotated[Path, typer.Argument(help="The zarr folder to write.")],
    keyword: Annotated[
        list[str] | None,
        typer.Option("--keyword", "-k", help="NAME=VALUE for the reader; may be repeated."),
    ] = None,
    overwrite: Annotated[bool, typer.Option(help="Replace a recording that is there.")] = False,
) -> None:
    """Read a recording and save it as zarr."""
    from neurokit import datasets

    rec = datasets.read(source, **dict(keyword_of(text) for text in keyword or []))
    path = rec.save(target, overwrite=overwrite)
    typer.echo(repr(rec))
    typer.echo(f"Saved: {path}")
    arguments = "".join(f", {text}" for text in keyword or [])
    typer.echo(f"In Python: nk.datasets.read({str(source)!r}{arguments}).save({str(target)!r})")


def _lines(table: pd.DataFrame) -> list[str]:
    """Lay a table out in columns, flush left, sizes in megabytes."""
    import pandas as pd

    shown = table.assign(
        size=["" if pd.isna(n) else f"{n / 1e6:.1f} MB" for n in table["size"]],
        cached=["yes" if here else "" for here in table["cached"]],
    )
    rows = [list(shown.columns), *shown.astype("str").values.tolist()]
    rows = [[textwrap.shorten(cell, _WIDEST, placeholder=" …") for cell in row] for row in rows]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return [
        "  ".join(c.ljust(w) for c, w in zip(row, widths, strict=True)).rstrip() for row in rows
    ]


def keyword_of(text: str) -> tuple[str, Any]:
    """Split NAME=VALUE, and read the value as Python where it is that.

    Parameters
    ----------
    text : str
        As typed.

    Returns
    -------
    name : str
        An identifier.
    value : object
        A number, list and so on, else the text.

    Raises
    ------
    typer.BadParameter
        Without an equals sign or a name.
    """
    name, equals, value = text.partition("=")
    if not equals or not name.isidentifier():
        raise typer.BadParameter(f"expected NAME=VALUE, got {text!r}", param_hint="--keyword")
    try:
        return name, ast.literal_eval(value)
    except (ValueError, SyntaxError):
        return name, value
