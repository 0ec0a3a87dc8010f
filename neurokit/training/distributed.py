"""Several processes that train one model, as ``torchrun`` starts them."""

from __future__ import annotations

import atexit
import contextlib
import functools
import os
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import numpy as np
import torch
import torch.distributed as dist
from torch import nn
from torch.nn.parallel import DistributedDataParallel

from neurokit.collectives import alone, n_processes
from neurokit.devices import find_device

__all__ = ["Team", "form_team"]

LONGEST = timedelta(days=2)  # that preparing a corpus takes


@dataclass(frozen=True)
class Team:
    """The processes that share the work; one alone is a team, too.

    Attributes
    ----------
    rank : int
        Which process this is; the first, 0, writes.
    size : int
        How many there are.
    place : torch.device
        Where this one computes.

    Examples
    --------
    >>> team = Team(rank=1, size=2, place=torch.device("cpu"))
    >>> team.pieces([5, 6, 7, 8, 9], 1)
    [([6, 8], 0.4)]
    """

    rank: int
    size: int
    place: torch.device

    def pieces(self, rows: list[int], n: int) -> list[tuple[list[int], float]]:
        """Cut a batch in pieces; return this process's share of each, with its weight.

        Parameters
        ----------
        rows : list of int
            The samples of the batch.
        n : int
            In how many pieces at most.

        Returns
        -------
        list of (list of int, float)
            As many as every other process has, which a model that exchanges statistics relies
            on. A process without a sample of its own in a piece takes part with another's, at a
            weight of 0.
        """
        n_pieces = max(1, min(n, len(rows) // self.size))
        out = []
        for part in np.array_split(rows, n_pieces):
            mine = part[self.rank :: self.size].tolist()
            out.append((mine or part[:1].tolist(), len(mine) / len(rows)))
        return out

    def parallel(self, module: nn.Module) -> nn.Module:
        """Let the gradients of all processes be averaged.

        Parameters
        ----------
        module : Module
            Whose weights and buffers are taken from the first process.

        Returns
        -------
        Module
            To be called in place of the module.
        """
        if self.size == 1:
            return module
        # Not every model uses every weight at every step.
        wrapped = DistributedDataParallel(module, find_unused_parameters=True)
        # A codebook keeps itself equal in all processes, and statistics of batches need not be:
        # writing the first one's over the others at each step would cost time for nothing.
        wrapped.broadcast_buffers = False
        return wrapped

    @contextlib.contextmanager
    def synchronising(self, module: nn.Module, last: bool) -> Iterator[None]:
        """Exchange gradients after the last piece of a batch alone."""
        with contextlib.ExitStack() as stack:
            if isinstance(module, DistributedDataParallel):
                # It warns where it finds that all weights were used after all.
                stack.enter_context(warnings.catch_warnings())
                warnings.filterwarnings("ignore", message="find_unused_parameters=True")
                if not last:
                    stack.enter_context(module.no_sync())
            yield

    def share(self, x: Any) -> Any:
        """Give everybody what the first process has.

        Parameters
        ----------
        x : object
            Tensors, numbers and text, and containers of them.

        Returns
        -------
        object
            What the first process gave.
        """
        if self.size == 1:
            return x
        box = [x]
        dist.broadcast_object_list(box, src=0)
        return box[0]

    def by_first(self, make: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        """Let the first process make something by itself, and give everybody what it made.

        Parameters
        ----------
        make : callable
            Called in the first process alone.
        *args, **kwargs
            What it is called with.

        Returns
        -------
        object
            What it gave there.
        """
        if self.size == 1:
            return make(*args, **kwargs)
        box = [None]
        if self.rank == 0:
            with alone():
                box = [make(*args, **kwargs)]
        dist.broadcast_object_list(box, src=0, group=self._patient)
        return box[0]

    @contextlib.contextmanager
    def first_ahead(self) -> Iterator[None]:
        """Let the others begin when the first process is through.

        What it fetched and wrote, they find there.
        """
        if self.rank > 0:
            dist.barrier(self._patient)
        with alone():
            yield
        if self.rank == 0 and self.size > 1:
            dist.barrier(self._patient)

    @functools.cached_property
    def _patient(self) -> Any:
        """The same processes, which wait for longer than exchanging gradients ever takes."""
        return dist.new_group(backend="gloo", timeout=LONGEST)

    def align_buffers(self, model: nn.Module) -> None:
        """Take the buffers of the first process, as a checkpoint of it would have them.

        Parameters
        ----------
        model : Module
            Whose buffers are overwritten.
        """
        if self.size > 1:
            for buffer in model.buffers():
                dist.broadcast(buffer.data, src=0)


def form_team(device: str | torch.device = "auto") -> Team:
    """Join the processes that ``torchrun`` started, or be alone.

    Parameters
    ----------
    device : str or torch.device
        See :func:`neurokit.devices.find_device`; of several CUDA devices on a machine each
        process takes its own.

    Returns
    -------
    Team
        The processes.

    Raises
    ------
    DataError
        A device that is not there.

    Examples
    --------
    >>> form_team("cpu")
    Team(rank=0, size=1, place=device(type='cpu'))
    """
    place = find_device(device)
    if not dist.is_available():
        return Team(0, 1, place)
    launched = dist.is_torchelastic_launched() and int(os.environ.get("WORLD_SIZE", "1")) > 1
    if place.type == "cuda" and place.index is None and (launched or dist.is_initialized()):
        place = torch.device("cuda", int(os.environ.get("LOCAL_RANK", "0")))
        torch.cuda.set_device(place)
    if launched and not dist.is_initialized():
        dist.init_process_group("nccl" if place.type == "cuda" else "gloo")
        atexit.register(dist.destroy_process_group)
    if n_processes() == 1:
        return Team(0, 1, place)
    return Team(dist.get_rank(), dist.get_world_size(), place)
