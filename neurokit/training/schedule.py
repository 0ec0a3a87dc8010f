"""How the learning rate goes, and in which order samples come."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import torch
from torch.utils.data import default_collate

__all__ = ["batches", "learning_rate", "parameter_groups"]

WARM_UP = 0.05  # of all steps


def learning_rate(step: int, n_steps: int) -> float:
    """Return the factor of the learning rate: linear warm-up, then half a cosine.

    Parameters
    ----------
    step : int
        Which step, from 0.
    n_steps : int
        Steps in all.

    Returns
    -------
    float
        From 0 to 1. The warm-up takes a twentieth of the steps; the last step is near 0
        (Loshchilov & Hutter 2017, arXiv 1608.03983, without restarts).

    Examples
    --------
    >>> [round(learning_rate(step, 100), 2) for step in (0, 4, 53, 99)]
    [0.2, 1.0, 0.49, 0.0]
    """
    warm = max(1, round(WARM_UP * n_steps))
    if step < warm:
        return (step + 1) / warm
    return 0.5 * (1 + math.cos(math.pi * (step - warm) / max(1, n_steps - warm)))


def batches(data: Any, batch_size: int, seed: int | None = None) -> Iterator[dict[str, Any]]:
    """Yield a data set in batches.

    Parameters
    ----------
    data : data set
        With a length, and ``[i]`` a dict of tensors; its own ``batch(indices)`` is used where
        it has one, as windows of recordings do.
    batch_size : int
        Samples a batch; the last one may be smaller.
    seed : int, optional
        Of the order; without one, samples come as they are.

    Yields
    ------
    dict
        Tensors with the sample as first dimension.

    Examples
    --------
    >>> data = [{"x": torch.tensor(float(i))} for i in range(3)]
    >>> [batch["x"].tolist() for batch in batches(data, 2)]
    [[0.0, 1.0], [2.0]]
    """
    n = len(data)
    order = list(range(n))
    if seed is not None:
        order = torch.randperm(n, generator=torch.Generator().manual_seed(seed)).tolist()
    for first in range(0, n, batch_size):
        rows = order[first : first + batch_size]
        if hasattr(data, "batch"):
            yield data.batch(rows)
        else:
            yield default_collate([data[row] for row in rows])


def parameter_groups(model: torch.nn.Module, weight_decay: float) -> list[dict[str, Any]]:
    """Return the parameters that are trained; those of matrices decay, others do not.

    Parameters
    ----------
    model : Module
        Frozen parameters (``requires_grad=False``) are left out.
    weight_decay : float
        Of matrices; scales and biases have none.

    Returns
    -------
    list of dict
        Groups, for an optimiser.

    Examples
    --------
    >>> groups = parameter_groups(torch.nn.Linear(2, 3), 0.1)
    >>> [(len(group["params"]), group["weight_decay"]) for group in groups]
    [(1, 0.1), (1, 0.0)]
    """
    trained = [p for p in model.parameters() if p.requires_grad]
    return [
        {"params": [p for p in trained if p.ndim >= 2], "weight_decay": weight_decay},
        {"params": [p for p in trained if p.ndim < 2], "weight_decay": 0.0},
    ]
