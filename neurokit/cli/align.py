"""``neurokit align`` and ``neurokit leaderboard``: scores in the terminal, a report on disk."""

from __future__ import annotations

import textwrap
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from neurokit.files import replacing

if TYPE_CHECKING:
    import pandas as pd
    import xarray as xr

    from neurokit.alignment.benchmarks import Benchmark

__all__ = ["map_benchmark", "print_leaderboard", "run_benchmark", "table_of"]


def run_benchmark(
    name: str,
    model: str,
    layers: str = "all",
    *,
    data: Path | None = None,
    protocol: str | None = None,
    reading: dict[str, Any] | None = None,
    output: Path | None = None,
    seed: int | None = None,
    device: str = "auto",
    untrained: bool = True,
    save: bool = False,
    results: Path | None = None,
) -> xr.Dataset:
    """Score a model, print what a sceptic would ask, and write what was asked for.

    Parameters
    ----------
    name : str
        Benchmark, or a TOML file.
    model : str
        Name of a model, or a file of features (``.npz``, one array a layer; ``.npy``).
    layers : str
        ``"all"``, or names with commas between.
    data : Path, optional
        The user's copy of the data.
    protocol : str, optional
        Published settings.
    reading : dict, optional
        Further arguments of the reader of the data.
    output : Path, optional
        The report.
    seed : int, optional
        In place of the benchmark's own.
    device : str
        Where the model runs.
    untrained : bool
        Whether the untrained twin is scored too.
    save : bool
        Whether the score goes into the user's table of results.
    results : Path, optional
        Folder of tables that it goes into instead.

    Returns
    -------
    Dataset
        The score.
    """
    from neurokit.alignment.benchmarks import benchmark, record

    bench = benchmark(name, data, protocol, reading)
    file = model.endswith((".npz", ".npy"))
    options: dict[str, Any] = {"seed": seed, "device": device}
    options |= {"name": Path(model).stem} if file else {}
    options |= {} if untrained or file else {"untrained": False}
    wanted = _wanted(layers)
    subject = _features(Path(model)) if file else model
    score = bench.score(subject, wanted, **options)
    for line in table_of(score):
        typer.echo(line)
    typer.echo(f"\nIn Python: {_python(name, model, wanted, bench, options)}")
    if save or results is not None:
        typer.echo(f"Table: {record(score, results)}")
    if output is not None:
        from neurokit.reports import report

        path = report(score, output, title=str(score.attrs["title"]),
                      wall_time=float(score.attrs["wall_time"]))  # fmt: skip
        typer.echo(f"Report: {path}")
    return score


def map_benchmark(
    name: str,
    model: str,
    folder: Path,
    layers: str = "all",
    *,
    shard: str | None = None,
    data: Path | None = None,
    protocol: str | None = None,
    reading: dict[str, Any] | None = None,
    output: Path | None = None,
    seed: int | None = None,
    device: str = "auto",
) -> xr.Dataset | None:
    """Score every target by itself in a folder, and say what is left to do.

    Parameters
    ----------
    name, model, layers, data, protocol, reading, output, seed, device
        As of :func:`run_benchmark`.
    folder : Path
        Where the blocks and, when all are there, ``map.nc`` are kept.
    shard : str, optional
        ``"i/n"``.

    Returns
    -------
    Dataset or None
        None as long as blocks of other shards are missing.
    """
    from neurokit.alignment.benchmarks import benchmark

    bench = benchmark(name, data, protocol, reading)
    subject = _features(Path(model)) if model.endswith((".npz", ".npy")) else model
    with warnings.catch_warnings():
        # Of thousands of voxels many have no signal.
        warnings.filterwarnings("ignore", message="Penalty grid edge|Constant targets")
        scores = bench.map(subject, folder, _wanted(layers), shard=shard, seed=seed, device=device)
    if scores is None:
        typer.echo(f"Shard {shard} is done. Other shards are not; when they are, run any again.")
        return None
    for line in _map_lines(scores):
        typer.echo(line)
    path = folder / "map.nc"
    with replacing(path) as temporary:
        scores.to_netcdf(temporary, engine="h5netcdf")
    typer.echo(f"Map: {path}")
    if output is not None:
        from neurokit.reports import report

        best = scores.isel(layer=int(scores["r"].median("target").values.argmax()))
        typer.echo(f"Report: {report(best, output, title=f'{model} on {name}')}")
    return scores


def _map_lines(scores: xr.Dataset) -> list[str]:
    rows = [f"{'layer':<12}{'median r':>10}{'q < .05':>10}  of {scores.sizes['target']} targets"]
    for layer in scores["layer"].values:
        one = scores.sel(layer=layer)
        rows.append(
            f"{layer!s:<12}{float(one['r'].median()):>10.3f}{int((one['q'] < 0.05).sum()):>10}"
        )
    return rows


def print_leaderboard(suite: str | None, results: Path | None) -> None:
    """Print all recorded scores.

    Parameters
    ----------
    suite : str or None
        Only this suite's.
    results : Path or None
        Folder of tables in place of the project's and the user's.
    """
    from neurokit.alignment.benchmarks import leaderboard

    table = leaderboard(suite, results)
    if table.empty:
        typer.echo("No scores yet. Make one: neurokit align haxby-words --model one-hot --save")
        return
    for line in _columns(table):
        typer.echo(line)


def table_of(score: xr.Dataset) -> list[str]:
    """Lay a score out as lines of text.

    Parameters
    ----------
    score : Dataset
        Of :meth:`neurokit.alignment.benchmarks.Benchmark.score`.

    Returns
    -------
    list of str
        Headline, baselines, layers, regions, leakage.
    """
    a = score.attrs
    lines = [
        f"{a['benchmark']} ({a['suite']} {a['suite_version']}, protocol {a['protocol']}): "
        f"{a['model']}",
        "",
        f"  {'score, ' + a['metric']:<22}{_number(score['raw'])}  "
        f"[{_number(score['low'])}, {_number(score['high'])}]  {a['interval']}",
        f"  {'ceiling':<22}{_number(score['ceiling'])}  {a['ceiling_note']}".rstrip(),
        f"  {'score / ceiling':<22}{_number(score['normalised'])}",
        f"  {'chance':<22}{float(a['chance']):.3f}"
        + (f"  p = {float(score['p']):.3g}, responses permuted" if "p" in score else ""),
    ]
    rivals = zip(score["baseline"].values, score["baseline_score"].values, strict=True)
    said = {"nuisance": a.get("nuisance", "")}
    lines += [
        f"  {name:<22}{_number(value)}  {said.get(name, '')}".rstrip() for name, value in rivals
    ]
    if "unique_R2" in score:
        lines += [f"  {'added R2':<22}{_number(score['unique_R2'])}  over nuisance"]
    lines += ["", *_layer_lines(score), *_region_lines(score), *_published_lines(score)]
    lines += [f"  {a['split']}; {a['n_presentations']} presentations; seed {a['seed']}"]
    sign = "FLAGGED" if a["leakage_flagged"] else "none found"
    leak = textwrap.fill(f"leakage: {sign}. {a['leakage']}", 96, subsequent_indent="    ")
    return [*lines, f"  {leak}"]


def _wanted(layers: str) -> Any:
    return layers if layers == "all" else [part.strip() for part in layers.split(",")]


def _layer_lines(score: xr.Dataset) -> list[str]:
    import numpy as np

    if score.sizes["layer"] == 1:
        return []
    names, values = score["layer"].values, score["layer_score"].values
    cells = [f"{name} {value:.3f}" for name, value in zip(names, values, strict=True)]
    chosen, counts = np.unique(score["chosen"].values, return_counts=True)
    total = counts.sum()
    said = ", ".join(f"{c} ({n} of {total})" for c, n in zip(chosen, counts, strict=True))
    curve = textwrap.fill(
        "layers: " + "  ".join(cells), 96, initial_indent="  ", subsequent_indent="    "
    )
    lines = [curve, f"  chosen on training data alone: {said} folds"]
    if "pooled_layer_score" in score:
        pooled = zip(names, score["pooled_layer_score"].values, strict=True)
        cells = [f"{name} {value:.3f}" for name, value in pooled]
        lines.append(textwrap.fill("against the mean of the subjects: " + "  ".join(cells), 96,
                                   initial_indent="  ", subsequent_indent="    "))  # fmt: skip
    return [*lines, ""]


def _published_lines(score: xr.Dataset) -> list[str]:
    """Say what the folds of published scores give, and what they give away."""
    if "published_raw" not in score:
        return []
    pairs = zip(
        score["published_baseline"].values, score["published_baseline_score"].values, strict=True
    )
    rivals = ", ".join(f"{name} {_number(value)}" for name, value in pairs)
    layers = zip(score["layer"].values, score["published_layer_score"].values, strict=True)
    curve = "  ".join(f"{name} {value:.3f}" for name, value in layers)
    text = f"on {score.attrs['published_split']}, for comparison with published scores: "
    text += f"{_number(score['published_raw'])}; {rivals}; layers: {curve}"
    return [textwrap.fill(text, 96, initial_indent="  ", subsequent_indent="    "), ""]


def _region_lines(score: xr.Dataset) -> list[str]:
    if "region" not in score.coords or score.sizes["unit"] < 2:
        return []
    table = score[["unit_score", "unit_ceiling"]].groupby("region").mean()
    if table.sizes["region"] < 2:
        return []
    rows = [
        f"  {name!s:<22}{_number(table['unit_score'][k])}  ceiling "
        f"{_number(table['unit_ceiling'][k])}"
        for k, name in enumerate(table["region"].values)
    ]
    return ["  by region:", *rows, ""]


def _number(value: Any) -> str:
    number = float(value)
    return f"{number:.3f}" if number == number else "unknown"


def _features(path: Path) -> Any:
    """Read features by layer, without trusting what else a file may hold."""
    import zlib
    from zipfile import BadZipFile

    import numpy as np

    from neurokit.errors import ReadError

    try:
        with path.open("rb") as stream:
            found = np.load(stream, allow_pickle=False)
            return found if path.suffix == ".npy" else {key: found[key] for key in found.files}
    except FileNotFoundError:
        raise ReadError(f"There is no file {path}.") from None
    except (OSError, EOFError, BadZipFile, zlib.error) as error:
        raise ReadError(f"{path}: cannot be read as arrays: {error}.") from error
    except ValueError:  # numpy's words advise to trust the file
        raise ReadError(
            f"{path}: cannot be read as arrays: it is no .npz or .npy of numbers."
        ) from None


def _python(name: str, model: str, layers: Any, bench: Benchmark, options: dict[str, Any]) -> str:
    from neurokit.catalog import benchmark_card

    card, own = bench.card, benchmark_card(name)
    opened = [repr(name)]
    opened += [] if bench.data is None else [f"data={str(bench.data)!r}"]
    opened += [] if card.protocol == own.protocol else [f"protocol={card.protocol!r}"]
    opened += [] if card.reading == own.reading else [f"reading={card.reading!r}"]
    file = model.endswith((".npz", ".npy"))
    given = [f"np.load({model!r})" if file else repr(model)]
    given += [] if layers == "all" else [f"layers={layers!r}"]
    given += [f"{k}={v!r}" for k, v in options.items() if v not in (None, "auto")]
    return f"nk.alignment.benchmark({', '.join(opened)}).score({', '.join(given)})"


def _columns(table: pd.DataFrame) -> list[str]:
    names = ["benchmark", "protocol", "model", "chosen", "score", "ceiling", "nuisance",
             "untrained", "permuted", "leakage", "stale"]  # fmt: skip
    rows = [names]
    for row in table.to_dict("records"):
        leak = "FLAGGED" if row["leakage_flagged"] else "no"
        shown = {**row, "leakage": leak, "stale": "stale" if row["stale"] else ""}
        cells = [shown[key] for key in names]
        rows.append([f"{c:.3f}" if isinstance(c, float) else str(c) for c in cells])
    rows = [["" if cell == "nan" else cell for cell in row] for row in rows]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return [
        "  ".join(c.ljust(w) for c, w in zip(row, widths, strict=True)).rstrip() for row in rows
    ]
