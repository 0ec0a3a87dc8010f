"""Published procedures by name, as changes to a benchmark's settings."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from neurokit.errors import UnknownNameError

if TYPE_CHECKING:
    from neurokit.catalog.benchmarks import BenchmarkCard

__all__ = ["PROTOCOLS", "under_protocol"]

#: What each protocol sets, over the benchmark's own settings.
PROTOCOLS: dict[str, dict[str, Any]] = {
    "ours": {},
    # One penalty for all voxels, ten random splits, the median voxel (Schrimpf et al. 2021).
    "brain-score": {
        "folds": {"kind": "shuffled", "n": 10, "share": 0.1},
        "regression": {
            "kind": "ridge-shared",
            "alphas": np.logspace(-3, 3, 7).tolist(),
            "standardize": False,
        },
        "aggregate": "median",
    },
    # Five outer and five inner folds of chunks of 20 volumes.
    "litcoder": {
        "folds": {"kind": "chunked", "n": 5, "chunk": 20},
        "regression": {"kind": "ridge", "selection": "kfold"},
    },
    # Delays of one to four volumes, whole stories left out (Huth et al. 2016; LeBel et al. 2023).
    "lebel": {"folds": {"kind": "group"}, "regression": {"kind": "ridge", "delays": [1, 2, 3, 4]}},
    # Contiguous blocks, a penalty for each band, the R2 added to nuisance (Feghhi et al. 2024).
    "hadidi": {
        "folds": {"kind": "contiguous", "n": 5},
        "regression": {"kind": "banded"},
        "metrics": ["delta-R2"],
    },
}


def under_protocol(
    card: BenchmarkCard, protocol: str | None, reading: Mapping[str, Any] | None = None
) -> BenchmarkCard:
    """Return a benchmark's definition with the settings of a protocol.

    Parameters
    ----------
    card : BenchmarkCard
        The definition.
    protocol : str or None
        A name of ``PROTOCOLS``; None and the definition's own change nothing.
    reading : mapping, optional
        Further arguments of the reader of the data.

    Returns
    -------
    BenchmarkCard
        With ``protocol`` set, so that its digest differs. Groups that the definition keeps
        together (passages, stories) stay together: random splits through them are nobody's
        protocol.

    Raises
    ------
    UnknownNameError
        No such protocol.
    ReadError
        The benchmark cannot be run that way, for want of stories.

    Examples
    --------
    >>> from neurokit.catalog import benchmark_card
    >>> under_protocol(benchmark_card("tuckute2024"), "brain-score").aggregate
    'median'
    """
    if reading:
        card = card.model_copy(update={"reading": {**card.reading, **reading}})
    if protocol is None or protocol == card.protocol:
        return card
    if protocol not in PROTOCOLS:
        raise UnknownNameError("protocol", protocol, PROTOCOLS)
    changes = {**PROTOCOLS[protocol], "published_folds": None}
    own = card.folds.group
    if changes.get("folds", {}).get("kind") in ("shuffled", "group") and own:
        changes["folds"] = {"kind": "group", "group": own, "n": card.folds.n}
    return _changed(card, {**changes, "protocol": protocol})


def _changed(card: BenchmarkCard, changes: dict[str, Any]) -> BenchmarkCard:
    from pydantic import ValidationError

    from neurokit.errors import ReadError

    settings = card.model_dump()
    for key, value in changes.items():
        settings[key] = {**settings[key], **value} if isinstance(value, dict) else value
    try:
        return type(card).model_validate(settings)
    except ValidationError as error:
        reason = str(error.errors()[0]["msg"]).removeprefix("Value error, ")
        raise ReadError(
            f"Benchmark {card.name!r} cannot follow the protocol {changes['protocol']!r}: {reason}"
        ) from None
