"""Which tokens a model must guess: some at random, or whole stretches."""

from __future__ import annotations

import torch
from torch import Tensor

from neurokit import arguments
from neurokit.errors import DataError

__all__ = ["block_mask", "random_mask"]


def random_mask(
    batch: int,
    n: int,
    fraction: float,
    generator: torch.Generator | None = None,
    device: str | torch.device | None = None,
) -> Tensor:
    """Choose tokens at random, the same number in each row.

    Parameters
    ----------
    batch : int
        Rows.
    n : int
        Tokens a row.
    fraction : float
        Of the tokens that are chosen, from 0 to 1.
    generator : torch.Generator, optional
        Source of randomness; it may be on another device than the mask, which then is the
        same whatever that device. By default torch's own of `device`, which ``fit`` seeds.
    device : str or torch.device, optional
        Where the mask is wanted; by default the generator's, or the CPU.

    Returns
    -------
    Tensor of bool, shape (batch, n)
        True where a token is chosen: ``round(fraction * n)`` in each row.

    Raises
    ------
    DataError
        A fraction outside 0 to 1.

    Examples
    --------
    >>> random_mask(3, 10, 0.5, torch.Generator().manual_seed(0)).sum(dim=1)
    tensor([5, 5, 5])
    """
    chosen = _chosen(n, fraction)
    order = _order(batch, n, generator, device)
    mask = torch.zeros(batch, n, dtype=torch.bool, device=order.device)
    mask.scatter_(1, order[:, :chosen], True)
    return mask if device is None else mask.to(device)


def block_mask(
    batch: int,
    n: int,
    fraction: float,
    length: int,
    generator: torch.Generator | None = None,
    device: str | torch.device | None = None,
) -> Tensor:
    """Choose stretches of neighbouring tokens, the same number of tokens in each row.

    Parameters
    ----------
    batch : int
        Rows.
    n : int
        Tokens a row.
    fraction : float
        Of the tokens that are chosen, from 0 to 1.
    length : int
        Tokens a stretch; one of each row is shorter where they do not come out even.
    generator : torch.Generator, optional
        As in :func:`random_mask`.
    device : str or torch.device, optional
        As in :func:`random_mask`.

    Returns
    -------
    Tensor of bool, shape (batch, n)
        True where a token is chosen: ``round(fraction * n)`` in each row. Stretches do not
        overlap, but may touch; all ways to place them are equally likely.

    Raises
    ------
    DataError
        A fraction outside 0 to 1.

    Examples
    --------
    >>> mask = block_mask(1, 12, 0.5, 3, torch.Generator().manual_seed(0))
    >>> int(mask.sum())
    6
    """
    chosen, size = _chosen(n, fraction), arguments.whole("length", length, least=1)
    count = -(-chosen // size)
    lengths = torch.full((max(count, 1),), size)
    lengths[-1] -= count * size - chosen
    # Each stretch shrunk to one slot: choosing slots is choosing places, without rejection.
    order = _order(batch, n - chosen + count, generator, device)
    slot, which = order[:, :count].sort(dim=1)
    taken = lengths.to(slot.device)[which]
    start = slot + taken.cumsum(1) - taken - torch.arange(count, device=slot.device)
    edges = torch.zeros(batch, n + 1, dtype=torch.long, device=slot.device)
    edges.scatter_add_(1, start, torch.ones_like(start))
    edges.scatter_add_(1, start + taken, -torch.ones_like(start))
    mask = edges[:, :n].cumsum(1) > 0
    return mask if device is None else mask.to(device)


def _chosen(n: int, fraction: float) -> int:
    """Return how many tokens are chosen."""
    share = arguments.number("fraction", fraction)
    if not 0 <= share <= 1:
        raise DataError(f"fraction is {share:g}, expected 0 to 1.")
    return round(share * arguments.whole("n", n, least=1))


def _order(
    batch: int, n: int, generator: torch.Generator | None, device: str | torch.device | None
) -> Tensor:
    """Return a random order of n things for each row."""
    where = device if generator is None else generator.device
    return torch.rand(batch, n, generator=generator, device=where).argsort(dim=1)
