"""Scores of single targets for a whole brain: many blocks, many machines, one folder."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import xarray as xr

from neurokit.alignment.benchmarks.evaluation import chosen_neuroids
from neurokit.alignment.benchmarks.folds import make_split
from neurokit.alignment.shards import encode_in_shards
from neurokit.errors import DataError

if TYPE_CHECKING:
    import distributed

    from neurokit.alignment.benchmarks.representations import Layers
    from neurokit.catalog.benchmarks import BenchmarkCard
    from neurokit.datasets.assemblies import Assembly

__all__ = ["encode_map"]


def encode_map(
    card: BenchmarkCard,
    assembly: Assembly,
    layers: Layers,
    folder: str | Path,
    *,
    shard: str | None = None,
    client: distributed.Client | None = None,
    seed: int = 0,
    device: str = "auto",
    progress: bool | None = None,
) -> xr.Dataset | None:
    """Encode every target of a benchmark under its settings.

    Parameters
    ----------
    card : BenchmarkCard
        Folds and regression.
    assembly : Assembly
        The data.
    layers : dict of layer to ndarray, shape (presentations, features)
        Features.
    folder : path
        Where blocks are kept.
    shard : str, optional
        ``"i/n"``, which blocks to do.
    client : distributed.Client, optional
        Workers that do them.
    seed : int
        Of permutations and bootstrap.
    device : str
        Where to compute.
    progress : bool, optional
        Show a bar over blocks.

    Returns
    -------
    Dataset or None
        See :func:`~neurokit.alignment.encode_in_shards`.

    Raises
    ------
    DataError
        A benchmark whose targets are not predicted one by one by ridge regression.
    """
    regression = card.regression
    if card.metrics[0] not in ("r", "R2") or regression.kind != "ridge":
        raise DataError(
            f"{card.name} scores {card.metrics[0]} by {regression.kind}; maps are of r and R2 by "
            "ridge, one penalty a target. Score it with Benchmark.score."
        )
    responses, ceiling = chosen_neuroids(card, assembly)
    reach = max(map(abs, regression.delays), default=0)
    split = make_split(card.folds, responses, reach, card.seed)
    return encode_in_shards(
        folder,
        layers,
        responses,
        split.groups,
        shard=shard,
        client=client,
        ceiling=ceiling,
        progress=progress,
        cv=split.folds,
        alphas=regression.alphas,
        selection=regression.selection,
        standardize=regression.standardize,
        delays=regression.delays or None,
        seed=seed,
        device=device,
    )
