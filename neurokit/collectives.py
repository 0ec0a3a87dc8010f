"""Sums and samples over processes that train together; in one that is alone, no-ops."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

import torch
from torch import Tensor, distributed

__all__ = ["alone", "from_first", "gathered", "n_processes", "summed"]

_alone = ContextVar("_alone", default=False)


@contextmanager
def alone() -> Iterator[None]:
    """Let this process compute something that the others take no part in.

    Yields
    ------
    None
        Sums and samples are then those of this process.

    Examples
    --------
    >>> with alone():
    ...     n_processes()
    1
    """
    token = _alone.set(True)
    try:
        yield
    finally:
        _alone.reset(token)


def n_processes() -> int:
    """Return how many processes train together.

    Returns
    -------
    int
        1 where ``torch.distributed`` is not in use, and inside :func:`alone`.

    Examples
    --------
    >>> n_processes()
    1
    """
    if distributed.is_available() and distributed.is_initialized() and not _alone.get():
        return distributed.get_world_size()
    return 1


def summed(x: Tensor) -> Tensor:
    """Add up a tensor over all processes.

    Parameters
    ----------
    x : Tensor
        Of the same shape everywhere.

    Returns
    -------
    Tensor
        The sum, the same in all of them; ``x`` itself in a single process.

    Examples
    --------
    >>> summed(torch.ones(2))
    tensor([1., 1.])
    """
    if n_processes() > 1:
        x = x.contiguous().clone()
        distributed.all_reduce(x)
    return x


def gathered(x: Tensor) -> Tensor:
    """Put the rows of all processes below one another.

    Parameters
    ----------
    x : Tensor
        Of the same shape everywhere.

    Returns
    -------
    Tensor
        The rows in the order of the processes; ``x`` itself in a single process.

    Examples
    --------
    >>> gathered(torch.ones(1, 2))
    tensor([[1., 1.]])
    """
    if n_processes() == 1:
        return x
    x = x.contiguous()
    parts = [torch.empty_like(x) for _ in range(n_processes())]
    distributed.all_gather(parts, x)
    return torch.cat(parts)


def from_first(x: Tensor) -> Tensor:
    """Take over what the first process has.

    Parameters
    ----------
    x : Tensor
        Of the same shape everywhere.

    Returns
    -------
    Tensor
        The first process's tensor; ``x`` itself in a single process.

    Examples
    --------
    >>> from_first(torch.ones(2))
    tensor([1., 1.])
    """
    if n_processes() > 1:
        x = x.contiguous().clone()
        distributed.broadcast(x, src=0)
    return x
