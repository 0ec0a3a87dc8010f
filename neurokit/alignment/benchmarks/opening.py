"""Opening a benchmark by name, and scoring models or features against it."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd
import xarray as xr
from numpy.typing import ArrayLike

from neurokit.alignment.benchmarks import facts
from neurokit.alignment.benchmarks.plain import PLAIN
from neurokit.alignment.benchmarks.protocols import under_protocol
from neurokit.alignment.benchmarks.results import Outcome, as_score
from neurokit.arguments import whole
from neurokit.environment import versions
from neurokit.errors import DataError

if TYPE_CHECKING:
    import distributed

    from neurokit.alignment.benchmarks.representations import Layers
    from neurokit.catalog.benchmarks import BenchmarkCard
    from neurokit.datasets.assemblies import Assembly

__all__ = ["Benchmark", "benchmark"]

Wanted = str | int | Sequence[str | int]


@dataclass(frozen=True)
class Benchmark:
    """One benchmark, open: its settings and where its data lie.

    Parameters
    ----------
    card : BenchmarkCard
        The settings.
    data : Path or None
        The user's copy of the data; None for what the data set's card fetches.

    Examples
    --------
    >>> benchmark("haxby-words")
    <Benchmark haxby-words, suite embedded 1: Category names and half a slice of visual cortex>
    """

    card: BenchmarkCard
    data: Path | None = field(default=None)

    def __repr__(self) -> str:
        card = self.card
        return f"<Benchmark {card.name}, suite {card.suite} {card.version}: {card.title}>"

    @cached_property
    def assembly(self) -> Assembly:
        """The responses and stimuli, read once and compared with what the card expects."""
        return _read(self.card, self.data)

    @property
    def stimuli(self) -> pd.DataFrame:
        """One row a distinct stimulus: the order that features must come in."""
        return self.assembly.stimuli

    def score(
        self,
        model: str | ArrayLike | xr.DataArray | Mapping[Any, ArrayLike],
        layers: Wanted = "all",
        *,
        name: str | None = None,
        untrained: bool | None = None,
        seed: int | None = None,
        device: str = "auto",
        progress: bool | None = None,
    ) -> xr.Dataset:
        """Score a model or features, with ceiling, baselines and leakage report.

        The layer of the headline is chosen for each fold from its training presentations alone;
        all layers are reported beside it.

        Parameters
        ----------
        model : str, array-like, DataArray or mapping of layer to those
            A model's name, or features: one row for each of :attr:`stimuli`, in that order (a
            coordinate ``stimulus_id`` allows any order), or one for each presentation; of
            stories one for each of ``assembly.words``. Names
            that need no download: ``"one-hot"``, ``"letters"``, ``"length"``.
        layers : "all", name or sequence of names
            Which layers; the card's by default.
        name : str, optional
            What to call features in results.
        untrained : bool, optional
            Whether to score the model's randomly initialised twin too; by default whenever
            a model's name is given that has one.
        seed : int, optional
            Of permutations, resamples and the untrained twin, in place of the card's own,
            which always deals the folds.
        device : str
            Where models run: ``"auto"``, ``"cpu"``, ``"cuda"``, ``"mps"``.
        progress : bool, optional
            Show bars; by default where a terminal is looking.

        Returns
        -------
        Dataset
            The score. ``raw`` with ``ceiling``, ``normalised``, ``low``, ``high``, ``error``,
            ``p``; ``layer_score``, ``unit_score``, ``fold_score``, ``baseline_score`` and their
            details; attributes say how it was made: configuration and data hash, versions,
            seed, git revision, machine, wall time, and the verdict on leakage.

        Raises
        ------
        UnknownNameError
            No such model or layer.
        DataError
            Features whose rows are not the stimuli, or data that are not what the card expects.
        DownloadError
            Data that must be obtained by hand.

        Examples
        --------
        >>> score = benchmark("haxby-words").score("one-hot")
        >>> bool(score.raw > 0.1), score.attrs["model"]
        (True, 'one-hot')
        """
        started = time.perf_counter()
        card = self.card
        seed = card.seed if seed is None else whole("seed", seed, 0)
        wanted = card.features.layers if _all(layers) else layers
        rows, twin = self._features(model, wanted, untrained, seed, device)
        if card.metrics[0] in ("rsa-spearman", "odd-one-out"):
            from neurokit.alignment.benchmarks.geometry import evaluate_geometry

            outcome, found = evaluate_geometry(card, self.assembly, rows, twin, seed=seed)
        else:
            outcome, found = self._regress(rows, twin, seed, progress)
        called = model if isinstance(model, str) else name or "features"
        found = self._facts(called, seed) | found
        seconds = round(time.perf_counter() - started, 2)
        return as_score(outcome, {**found, "wall_time": seconds})

    def map(
        self,
        model: str | ArrayLike | xr.DataArray | Mapping[Any, ArrayLike],
        folder: str | Path,
        layers: Wanted = "all",
        *,
        shard: str | None = None,
        client: distributed.Client | None = None,
        seed: int | None = None,
        device: str = "auto",
        progress: bool | None = None,
    ) -> xr.Dataset | None:
        """Score every target by itself, block by block; for whole brains and for clusters.

        Parameters
        ----------
        model : str, array-like, DataArray or mapping of layer to those
            As for :meth:`score`.
        folder : path
            Where finished blocks are kept; a run that was killed goes on there.
        layers : "all", name or sequence of names
            Which layers; the card's by default.
        shard : str, optional
            ``"i/n"``: do the i-th of n shares of the blocks, i from 1.
        client : distributed.Client, optional
            dask workers that do the blocks.
        seed : int, optional
            Of permutations and resamples, in place of the card's own, which always deals the
            folds.
        device : str
            Where models and regressions run.
        progress : bool, optional
            Show a bar over blocks.

        Returns
        -------
        Dataset or None
            What :func:`~neurokit.alignment.encode` gives, over ``layer`` and ``target``, with
            the ceiling; None as long as blocks of other shards are missing.

        Raises
        ------
        DataError
            A folder of another job, or a benchmark whose targets are not predicted one by one.

        Examples
        --------
        >>> import warnings
        >>> with warnings.catch_warnings():
        ...     warnings.simplefilter("ignore")  # voxels without signal
        ...     scores = benchmark("haxby-words").map("one-hot", "map")
        >>> scores.r.dims
        ('layer', 'target')
        """
        from neurokit.alignment.benchmarks.maps import encode_map

        seed = self.card.seed if seed is None else whole("seed", seed, 0)
        wanted = self.card.features.layers if _all(layers) else layers
        rows, _ = self._features(model, wanted, False, seed, device)
        return encode_map(
            self.card,
            self.assembly,
            rows,
            folder,
            shard=shard,
            client=client,
            seed=seed,
            device=device,
            progress=progress,
        )

    def _features(
        self, model: Any, layers: Wanted, untrained: bool | None, seed: int, device: str
    ) -> tuple[Layers, Layers | None]:
        """Return features of the presentations, and of the untrained twin where there is one."""
        from neurokit.alignment.benchmarks import representations as r
        from neurokit.alignment.benchmarks.words import at_presentations, words_of

        assembly, words = self.assembly, words_of(self.card, self.assembly)
        ids = assembly.stimuli.index.tolist()
        responses = assembly.responses
        presented = ids if responses is None else responses["stimulus_id"].values.tolist()

        def rows_of(found: Any) -> Layers:
            if words is None:
                return r.align(found, ids, presented)
            numbers = [str(k) for k in range(len(words))]
            by_word = r.align(found, numbers, numbers)
            return {k: at_presentations(x, words, assembly) for k, x in by_word.items()}

        if not isinstance(model, str):
            if untrained:
                raise DataError(
                    "An untrained twin needs a model's name; features were given. Score the "
                    "twin's features by themselves."
                )
            return r.select(rows_of(model), layers), None
        found = r.represent(model, self.card, assembly, layers, seed=seed, device=device)
        rows = rows_of(found)
        if model in PLAIN or untrained is False:
            return rows, None
        twin = r.represent(
            model, self.card, assembly, list(found), untrained=True, seed=seed, device=device
        )
        return rows, rows_of(twin)

    def _regress(
        self, rows: Layers, twin: Layers | None, seed: int, progress: bool | None
    ) -> tuple[Outcome, dict[str, Any]]:
        """Predict the responses, on the card's folds and on those of published scores."""
        from neurokit.alignment.benchmarks import evaluation
        from neurokit.alignment.benchmarks.nuisance import nuisance_features
        from neurokit.alignment.benchmarks.regression_task import RegressionTask

        card = self.card
        responses, ceiling = evaluation.chosen_neuroids(card, self.assembly)
        nuisance, used = nuisance_features(card, self.assembly)
        task = RegressionTask(card, responses, nuisance)
        outcome, found = evaluation.evaluate(
            task, rows, ceiling, twin, seed=seed, progress=progress
        )
        found["nuisance"] = ", ".join(used) or "none"
        if card.published_folds is not None:
            published = card.model_copy(update={"folds": card.published_folds})
            task = RegressionTask(published, responses, nuisance)
            outcome.extra.update(evaluation.on_published_folds(task, rows, twin))
            found["published_split"] = task.split.text
        return outcome, found

    def _facts(self, model: str, seed: int) -> dict[str, Any]:
        from neurokit.alignment.benchmarks.metrics import CHANCE

        card = self.card
        software = versions(facts.PACKAGES)
        return {
            "benchmark": card.name,
            "title": card.title,
            "suite": card.suite,
            "suite_version": card.version,
            "protocol": card.protocol,
            "reading": json.dumps(card.reading, sort_keys=True),
            "model": model,
            "metric": card.metrics[0],
            "aggregate": card.aggregate,
            "chance": CHANCE[card.metrics[0]],
            "ceiling_kind": card.ceiling.kind,
            "ceiling_note": card.ceiling.note,
            "data": card.data,
            "seed": seed,
            "configuration": card.canonical(),
            "configuration_hash": card.digest(),
            "data_hash": facts.data_hash(self.assembly),
            "versions": ", ".join(f"{k} {v}" for k, v in software["packages"].items()),
            "revision": software["revision"] or "",
            "machine": facts.machine(),
            "date": facts.now(),
        }


def benchmark(
    name: str,
    data: str | Path | None = None,
    protocol: str | None = None,
    reading: Mapping[str, Any] | None = None,
) -> Benchmark:
    """Open a benchmark.

    Parameters
    ----------
    name : str
        Name of a benchmark in ``alignment/``, or a TOML file.
    data : path, optional
        Your copy of the data; by default the data set's card fetches it.
    protocol : str, optional
        Published settings in place of the card's: ``"ours"``, ``"brain-score"``, ``"litcoder"``,
        ``"lebel"``, ``"hadidi"``.
    reading : mapping, optional
        Further arguments of the reader, such as ``{"subject": "UTS03"}``, over the card's.

    Returns
    -------
    Benchmark
        Data are read when they are first needed.

    Raises
    ------
    UnknownNameError
        No such benchmark or protocol; the nearest is suggested.
    DataError
        There is nothing at ``data``.

    Examples
    --------
    >>> benchmark("haxby-words").stimuli["category"].tolist()[:3]
    ['bottle', 'cat', 'chair']
    """
    from neurokit.catalog import benchmark_card

    card = under_protocol(benchmark_card(name), protocol, reading)
    path = None if data is None else Path(data).expanduser()
    if path is not None and not path.exists():
        raise DataError(f"There is nothing at {path}, given as the data of {name}.")
    return Benchmark(card, path)


def _all(layers: Wanted) -> bool:
    return isinstance(layers, str) and layers == "all"


def _read(card: BenchmarkCard, data: Path | None) -> Assembly:
    from neurokit import datasets
    from neurokit.datasets.assemblies import read_assembly

    path = datasets.fetch(card.data) if data is None else data
    assembly = read_assembly(card.layout, path, **card.reading)
    _compare(card, assembly)
    return assembly


def _compare(card: BenchmarkCard, assembly: Assembly) -> None:
    """Refuse a copy of the data that is not what the benchmark was made for."""
    found = {"stimuli": len(assembly.stimuli)}
    if assembly.responses is not None:
        found["presentations"], found["neuroids"] = assembly.responses.shape
    promised = card.expect.model_dump(exclude_none=True)
    wrong = [
        f"expected {n:,} {key}, found {found.get(key, 0):,}"
        for key, n in promised.items()
        if found.get(key) != n
    ]
    if wrong:
        raise DataError(
            f"Benchmark {card.name!r}: {'; '.join(wrong)}. The copy of {card.data} is partial or "
            "another version; scores on it would not compare."
        )
