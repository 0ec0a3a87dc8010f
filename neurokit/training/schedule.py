"""How the learning rate goes, and what decays with it."""

from __future__ import annotations

import math
from typing import Any

import torch

__all__ = ["learning_rate", "parameter_groups"]


def learning_rate(
    step: int, n_steps: int, lr: float, min_lr: float = 0.0, warmup: float = 0.05
) -> float:
    """Return the learning rate of a step: linear warm-up, then half a cosine.

    Parameters
    ----------
    step : int
        Which step, from 0.
    n_steps : int
        Steps in all.
    lr : float
        The highest.
    min_lr : float
        Where the cosine ends (Loshchilov & Hutter 2017, arXiv 1608.03983, equation 5, without
        restarts).
    warmup : float
        Share of the steps in which the rate rises from 0.

    Returns
    -------
    float
        The rate.

    Examples
    --------
    >>> [round(learning_rate(step, 100, 1.0), 2) for step in (0, 4, 53, 99)]
    [0.2, 1.0, 0.49, 0.0]
    """
    rising = round(warmup * n_steps)
    if step < rising:
        return lr * (step + 1) / rising
    done = (step - rising) / max(1, n_steps - rising)
    return min_lr + (lr - min_lr) * 0.5 * (1 + math.cos(math.pi * done))


def parameter_groups(model: torch.nn.Module, weight_decay: float) -> list[dict[str, Any]]:
    """Return the parameters that are trained; those of matrices decay, others do not.

    Parameters
    ----------
    model : Module
        Frozen parameters (``requires_grad=False``) are left out. Modules in it may name more that
        do not decay, such as tables of vectors: ``undecayed = ("table.weight",)``.
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
    trained = [(name, p) for name, p in model.named_parameters() if p.requires_grad]
    exempt = {
        id(module.get_parameter(name))
        for module in model.modules()
        for name in getattr(module, "undecayed", ())
    }
    # A bias for each of several subjects is a matrix, too.
    decays = [
        p.ndim >= 2 and name.rsplit(".", 1)[-1] != "bias" and id(p) not in exempt
        for name, p in trained
    ]
    pairs = list(zip(trained, decays, strict=True))
    return [
        {"params": [p for (_, p), decay in pairs if decay], "weight_decay": weight_decay},
        {"params": [p for (_, p), decay in pairs if not decay], "weight_decay": 0.0},
    ]
