"""Tables of results, which only scores are written into, and the leaderboard made of them."""

from __future__ import annotations

import csv
import hashlib
import io
import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from neurokit.errors import DataError, NeurokitError, ReadError, UnknownNameError
from neurokit.files import replacing

if TYPE_CHECKING:
    import pandas as pd
    import xarray as xr

__all__ = ["leaderboard", "record", "result_row"]

_RIVALS = ("permuted", "nuisance", "nuisance + model", "untrained", "content-free")
_NUMBERS = ("score", "low", "high", "ceiling", "normalised", "p", *_RIVALS, "wall_time")
_COUNTS = ("suite_version", "layers", "seed", "leakage_flagged")
# One run of one model; a later one takes its place.
_KEY = (
    "benchmark",
    "protocol",
    "reading",
    "model",
    "layers",
    "seed",
    "configuration_hash",
    "data_hash",
)
_ATTRS = (
    "benchmark", "suite", "suite_version", "protocol", "reading", "model", "metric",
    "leakage_flagged", "seed", "configuration_hash", "data_hash", "versions", "revision",
    "machine", "date", "wall_time",
)  # fmt: skip
_COLUMNS = (
    "benchmark", "suite", "suite_version", "protocol", "reading", "model", "layers", "chosen",
    "metric", "score", "low", "high", "ceiling", "normalised", "p", *_RIVALS, "leakage_flagged",
    "seed", "configuration_hash", "data_hash", "versions", "revision", "machine", "date",
    "wall_time",
)  # fmt: skip


def result_row(score: xr.Dataset) -> dict[str, Any]:
    """Sum a score up in one row.

    Parameters
    ----------
    score : Dataset
        Of :meth:`Benchmark.score`.

    Returns
    -------
    dict
        Names of columns to values: the score with interval, ceiling and baselines, the layer
        that most folds chose, and everything that says how it was made.

    Raises
    ------
    DataError
        Something else than a score.

    Examples
    --------
    >>> from neurokit.alignment.benchmarks import benchmark
    >>> row = result_row(benchmark("haxby-words").score("length"))
    >>> row["model"], row["chosen"]
    ('length', 'length')
    """
    missing = [key for key in _ATTRS if key not in score.attrs]
    if missing or "raw" not in score:
        raise DataError(
            f"Expected a score of a benchmark; got a Dataset without {', '.join(missing) or 'raw'}."
        )
    baselines = dict(
        zip(score["baseline"].values.tolist(), score["baseline_score"].values, strict=True)
    )
    names, counts = np.unique(score["chosen"].values, return_counts=True)
    row: dict[str, Any] = {key: score.attrs[key] for key in _ATTRS}
    row |= {key: float(score[key]) for key in ("low", "high", "ceiling", "normalised")}
    row |= {name: float(baselines.get(name, np.nan)) for name in _RIVALS}
    row |= {"score": float(score["raw"]), "p": float(score["p"]) if "p" in score else np.nan}
    row |= {"layers": len(score["layer"]), "chosen": str(names[counts.argmax()])}
    return {key: row[key] for key in _COLUMNS}


def record(score: xr.Dataset, folder: str | Path | None = None) -> Path:
    """Write a score into the table of its benchmark.

    Parameters
    ----------
    score : Dataset
        Of :meth:`Benchmark.score`.
    folder : path, optional
        Where the tables lie; by default ``results`` in the user's cache, see
        ``NEUROKIT_DATA``. The folder of the project's own is ``alignment/results``.

    Returns
    -------
    pathlib.Path
        The table, replaced whole or not at all: a reader never sees half a row, and of two
        writers neither loses its row. An earlier row of the same model and settings goes.

    Raises
    ------
    DataError
        Something else than a score.
    ReadError
        What lies there is no table of results.

    Examples
    --------
    >>> from neurokit.alignment.benchmarks import benchmark
    >>> record(benchmark("haxby-words").score("length"), "results").name
    'haxby-words.csv'
    """
    from filelock import FileLock

    row = result_row(score)
    place = _own_folder() if folder is None else Path(folder).expanduser()
    place.mkdir(parents=True, exist_ok=True)
    path = place / f"{row['benchmark']}.csv"
    with FileLock(_lock(path)):
        kept = _rows(path) if path.exists() else []
        kept = [old for old in kept if any(old[key] != row[key] for key in _KEY)]
        _write(path, [*kept, row])
    return path


def leaderboard(
    suite: str | None = None, results: str | Path | Sequence[str | Path] | None = None
) -> pd.DataFrame:
    """Put all recorded scores into one table, the best of each benchmark first.

    Parameters
    ----------
    suite : str, optional
        Only this suite's.
    results : path or sequence of paths, optional
        Folders of tables. By default the project's, a lab's own (``NEUROKIT_CATALOG``) and
        the user's.

    Returns
    -------
    DataFrame
        One row a run: ``score``, ``low``, ``high``, ``ceiling``, ``normalised``, ``p``, the
        baselines, and how it was made. ``stale`` is True where the benchmark's settings have
        changed since, or it is gone: such scores do not compare.

    Raises
    ------
    UnknownNameError
        No score of this suite.
    ReadError
        A file that is no table of results; the message names it.

    Examples
    --------
    >>> leaderboard(results="no_such_folder").empty
    True
    """
    import pandas as pd

    rows = [row for folder in _folders(results) for path in sorted(folder.glob("*.csv"))
            for row in _rows(path)]  # fmt: skip
    table = pd.DataFrame(rows, columns=list(_COLUMNS))
    table = table.astype(dict.fromkeys(_NUMBERS, float) | dict.fromkeys(_COUNTS, "int64"))
    if suite is not None:
        known = sorted(set(table["suite"]))
        if suite not in known:
            raise UnknownNameError("suite", suite, known)
        table = table[table["suite"] == suite]
    table["stale"] = [
        _stale(*row)
        for row in table[["benchmark", "protocol", "reading", "configuration_hash"]].itertuples(
            index=False
        )
    ]
    order = ["suite", "benchmark", "protocol", "stale", "score"]
    return table.sort_values(
        order, ascending=[True, True, True, True, False], ignore_index=True, kind="stable"
    )


def _lock(path: Path) -> Path:
    # Beside the table it would end up in somebody's repository.
    from neurokit.datasets.cache import cache_folder

    folder = cache_folder() / ".locks"
    folder.mkdir(parents=True, exist_ok=True)
    return folder / f"results-{hashlib.sha256(str(path.resolve()).encode()).hexdigest()[:16]}.lock"


def _own_folder() -> Path:
    from neurokit.datasets.cache import cache_folder

    return cache_folder() / "results"


def _folders(results: str | Path | Sequence[str | Path] | None) -> list[Path]:
    if results is None:
        from neurokit.catalog import shelves

        return [*(shelf / "results" for shelf in shelves("alignment")), _own_folder()]
    given = [results] if isinstance(results, str | Path) else results
    return [Path(folder).expanduser() for folder in given]


def _stale(benchmark: str, protocol: str, reading: str, digest: str) -> bool:
    """Tell whether a benchmark's settings are no longer those of a result."""
    from neurokit.alignment.benchmarks.protocols import under_protocol
    from neurokit.catalog import benchmark_card

    try:
        card = under_protocol(benchmark_card(benchmark), protocol, json.loads(reading))
    except (NeurokitError, ValueError):
        return True
    return card.digest() != digest


def _rows(path: Path) -> list[dict[str, Any]]:
    try:
        reader = csv.DictReader(io.StringIO(path.read_text(encoding="utf-8")), strict=True)
        rows: list[dict[str, Any]] = list(reader)
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise ReadError(f"{path}: cannot be read as a table of results: {error}.") from error
    if tuple(reader.fieldnames or ()) != _COLUMNS:
        raise ReadError(f"{path}: expected a table with the columns {', '.join(_COLUMNS)}.")
    for line, row in enumerate(rows, start=2):
        if None in row or None in row.values():
            raise ReadError(f"{path}: line {line}: expected {len(_COLUMNS)} cells.")
        try:
            row |= {key: float(row[key]) for key in _NUMBERS}
            row |= {key: int(row[key]) for key in _COUNTS}
        except ValueError as error:
            raise ReadError(f"{path}: line {line}: {error}.") from None
    return rows


def _write(path: Path, rows: list[dict[str, Any]]) -> None:
    buffer = io.StringIO()
    writer = csv.DictWriter(buffer, list(_COLUMNS), lineterminator="\n")
    writer.writeheader()
    # The shortest text that reads back as the same number.
    writer.writerows({k: repr(v) if isinstance(v, float) else v for k, v in row.items()}
                     for row in rows)  # fmt: skip
    with replacing(path) as temporary:
        temporary.write_text(buffer.getvalue(), encoding="utf-8")
