"""The ``neurokit`` command: what it offers, and how it fails."""

from __future__ import annotations

import os
import sys
import warnings
from pathlib import Path
from typing import Annotated

import typer

from neurokit.cli.data import data
from neurokit.errors import NeurokitError

__all__ = ["app", "main"]

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
    help="Brain recordings on one clock, models trained on them, and a fair score.",
    epilog="Example: neurokit demo",
)
app.add_typer(data, name="data")

Output = Annotated[Path, typer.Option("--output", "-o", help="Where the HTML report goes.")]
Seed = Annotated[int | None, typer.Option(help="Seed of every random draw.")]
RecipeName = Annotated[str, typer.Argument(help="Name of a recipe in models/, or a TOML file.")]
Folder = Annotated[
    Path | None, typer.Option("--output", "-o", help="Folder of the run; by default runs/RECIPE.")
]
OtherData = Annotated[
    str | None, typer.Option(help="Your copy of the data (a path), or another card.")
]
Keywords = Annotated[
    list[str] | None,
    typer.Option("--keyword", "-k", help="NAME=VALUE for the reader, such as subject=UTS03."),
]
Epochs = Annotated[int | None, typer.Option(min=1, help="In place of the recipe's.")]
Device = Annotated[str, typer.Option(help="auto, cpu, cuda or mps.")]


def main() -> None:
    """Run the command; bad input ends in one line and exit status 1."""
    warnings.formatwarning = _line
    try:
        app()
    except NeurokitError as error:
        typer.echo(f"Error: {error}", err=True)
        sys.exit(1)
    except OSError as error:
        typer.echo(
            f"Error: {error.strerror or error}: {error.filename or ''}".rstrip(": "), err=True
        )
        sys.exit(1)


_with_place = warnings.formatwarning


def _line(
    message: Warning | str,
    category: type[Warning],
    filename: str,
    lineno: int,
    line: str | None = None,
) -> str:
    # Whoever typed a command has no line of code to mend.
    if category is UserWarning:
        return f"Warning: {message}\n"
    return _with_place(message, category, filename, lineno, line)


def _version(wanted: bool) -> None:
    if wanted:
        from neurokit import __version__

        typer.echo(f"neurokit {__version__}")
        raise typer.Exit


@app.callback()
def common(
    progress: Annotated[
        bool | None,
        typer.Option("--progress/--no-progress", help="Bars; by default only in a terminal."),
    ] = None,
    _print_version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print it.")
    ] = False,
) -> None:
    """Set what all commands share."""
    if progress is not None:
        os.environ["NEUROKIT_PROGRESS"] = str(int(progress))


@app.command(
    short_help="Answer five questions about the embedded recordings.",
    epilog="Example: neurokit demo --output report.html",
)
def demo(output: Output = Path("report.html"), seed: Seed = None) -> None:
    """Answer five questions about the embedded fMRI, EEG, iEEG and spikes.

    Prints a table, writes a report, and fails when a result is outside its recorded band.
    """
    from neurokit.cli.questions import answer_recipes, shipped_questions

    answer_recipes(shipped_questions(), output, seed)


@app.command(
    short_help="Run one recipe of any kind.",
    epilog="Example: neurokit run head-direction --output head_direction.html",
)
def run(
    recipe: RecipeName,
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", help="The report (report.html), or the run's folder."),
    ] = None,
    seed: Seed = None,
) -> None:
    """Run one recipe of any kind: answer its question, or train its model."""
    from neurokit.catalog.recipes import recipe as find

    found = find(recipe)
    if found.kind == "question":
        from neurokit.cli.questions import answer_recipes

        answer_recipes([found], output or Path("report.html"), seed)
        return
    from neurokit.cli.training import train

    train(found, output, data=None, reading={}, seed=seed, epochs=None, device="auto")


@app.command(
    short_help="Pretrain a model by a recipe, or go on where it was.",
    epilog="Example: neurokit pretrain eegformer-demo --output runs/eegformer-demo",
)
def pretrain(
    recipe: RecipeName,
    data: OtherData = None,
    keyword: Keywords = None,
    output: Folder = None,
    seed: Seed = None,
    epochs: Epochs = None,
    device: Device = "auto",
) -> None:
    """Pretrain a model by a recipe; a run that was interrupted goes on where it was.

    Prints held-out figures beside those of random weights, and keeps the model with its card.
    """
    _train(recipe, "pretrain", output, data, keyword, seed, epochs, device)


@app.command(epilog="Example: neurokit finetune eegformer-demo-modality --device cpu")
def finetune(
    recipe: RecipeName,
    data: OtherData = None,
    keyword: Keywords = None,
    output: Folder = None,
    seed: Seed = None,
    epochs: Epochs = None,
    device: Device = "auto",
) -> None:
    """Fine-tune or probe a model by a recipe.

    Prints test scores beside chance, band power, raw features, k-means words and random weights.
    """
    _train(recipe, "finetune", output, data, keyword, seed, epochs, device)


def _train(
    recipe: str,
    kind: str,
    output: Path | None,
    data: str | None,
    keyword: list[str] | None,
    seed: int | None,
    epochs: int | None,
    device: str,
) -> None:
    from neurokit.catalog.recipes import recipe as find
    from neurokit.cli.data import keyword_of
    from neurokit.cli.training import expect_kind, train

    reading = dict(keyword_of(text) for text in keyword or [])
    wanted = expect_kind(find(recipe), kind, recipe)
    train(wanted, output, data=data, reading=reading, seed=seed, epochs=epochs, device=device)


@app.command(
    short_help="Score a model against a brain, beside ceiling and baselines.",
    epilog="Example: neurokit align haxby-words --model one-hot --output report.html",
)
def align(
    benchmark: Annotated[str, typer.Argument(help="Name of a benchmark, or a TOML file.")],
    model: Annotated[
        str, typer.Option(help="one-hot, letters, length, any model's name, or .npz of layers.")
    ],
    layers: Annotated[str, typer.Option(help="all, or names with commas between.")] = "all",
    data: Annotated[Path | None, typer.Option(help="Your copy of the data.")] = None,
    protocol: Annotated[
        str | None, typer.Option(help="ours, brain-score, litcoder, lebel or hadidi.")
    ] = None,
    keyword: Keywords = None,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="Where an HTML report goes.")
    ] = None,
    seed: Seed = None,
    device: Device = "auto",
    untrained: Annotated[
        bool, typer.Option("--untrained/--no-untrained", help="Score the untrained twin too.")
    ] = True,
    save: Annotated[
        bool, typer.Option("--save", help="Keep the score for the leaderboard.")
    ] = False,
    results: Annotated[
        Path | None, typer.Option(help="Keep it in this folder of tables instead.")
    ] = None,
    folder: Annotated[
        Path | None,
        typer.Option("--map", help="Map every target in this folder instead; goes on if killed."),
    ] = None,
    shard: Annotated[
        str | None, typer.Option(help="With --map, do the i-th of n shares of the work: i/n.")
    ] = None,
) -> None:
    """Score a model against a brain, with ceiling, baselines and a leakage report.

    With --map, score every voxel by itself, in blocks that several machines can share.
    """
    from neurokit.cli.align import map_benchmark, run_benchmark
    from neurokit.cli.data import keyword_of

    if folder is not None:
        map_benchmark(
            benchmark, model, folder, layers, shard=shard, data=data, protocol=protocol,
            reading=dict(keyword_of(text) for text in keyword or []), output=output, seed=seed,
            device=device,
        )  # fmt: skip
        return
    if shard is not None:
        raise typer.BadParameter("--shard needs --map, the folder that the shards share.")
    run_benchmark(
        benchmark, model, layers, data=data, protocol=protocol,
        reading=dict(keyword_of(text) for text in keyword or []), output=output, seed=seed,
        device=device, untrained=untrained, save=save, results=results,
    )  # fmt: skip


@app.command(
    short_help="Show all scores that were kept, best first.",
    epilog="Example: neurokit leaderboard --suite language",
)
def leaderboard(
    suite: Annotated[str | None, typer.Option(help="Only this suite of benchmarks.")] = None,
    results: Annotated[Path | None, typer.Option(help="Folder of tables of results.")] = None,
) -> None:
    """Show all scores that were kept, best first; stale ones are marked."""
    from neurokit.cli.align import print_leaderboard

    print_leaderboard(suite, results)


@app.command(epilog="Example: neurokit report scores.nc --output report.html")
def report(
    results: Annotated[
        list[Path], typer.Argument(help="Results of nk.alignment.encode, saved by to_netcdf.")
    ],
    output: Output = Path("report.html"),
) -> None:
    """Write an HTML report of saved encoding results."""
    from neurokit.cli.results import open_results
    from neurokit.reports import report as write

    typer.echo(f"Report: {write(open_results(results), path=output)}")


@app.command(
    short_help="Check this installation.",
    epilog="Example: neurokit doctor",
)
def doctor() -> None:
    """Check this installation: versions, devices, folders, embedded recordings."""
    from neurokit.cli.doctor import examine

    raise typer.Exit(examine())
