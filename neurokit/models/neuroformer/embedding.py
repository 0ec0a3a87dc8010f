"""Tokens of spikes as vectors: which unit, when, and which in the row."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from neurokit.models.neuroformer.config import NeuroformerConfig
from neurokit.models.nn import sinusoidal
from neurokit.models.nn.dropout import Dropout
from neurokit.models.nn.packing import Packing
from neurokit.windows.spike_tokens import FIRST

__all__ = ["SpikeEmbedding"]


class SpikeEmbedding(nn.Module):
    """E = dropout(unit + time + position), for the current and the past window.

    Both share the vectors of units, and one clock: a small network turns sinusoids of the
    step, which runs from the beginning of the past to the end of the current window, into the
    vector of a time. Positions are counted from the window's start, and in the past backwards
    from there.

    Parameters
    ----------
    config : NeuroformerConfig
        Settings.
    """

    clock: Tensor
    # As in the released code, where only the weights of linear layers decay.
    undecayed = ("unit.weight", "special", "position.weight", "past_position.weight")

    def __init__(self, config: NeuroformerConfig) -> None:
        super().__init__()
        width, self.n_past = config.width, config.n_past_steps
        self.unit = nn.Embedding(config.n_ids, width)
        self.special = nn.Parameter(torch.empty(FIRST, width))
        self.time = nn.Sequential(nn.Linear(width, width), nn.GELU(), nn.Linear(width, width))
        self.position = nn.Embedding(config.n_positions, width)
        self.past_position = nn.Embedding(config.n_positions, width)
        self.drop = Dropout(config.dropout)
        clock = sinusoidal(config.n_past_steps + config.n_steps, width)
        self.register_buffer("clock", clock, persistent=False)
        for weight in (self.unit.weight, self.special):
            nn.init.normal_(weight, std=0.5)
        for place in (self.position, self.past_position):
            nn.init.normal_(place.weight, std=0.02)

    def current(self, id: Tensor, step: Tensor, position: Tensor) -> Tensor:
        """Embed tokens of the current window.

        Parameters
        ----------
        id, step, position : Tensor of int64, of one shape
            Unit, step of the window, and place in the row.

        Returns
        -------
        Tensor, shape (..., width)
            Vectors.
        """
        times = torch.cat([self.special, self.time(self.clock[self.n_past :])])
        return self._sum(id, F.embedding(step, times), self.position, position)

    def past(self, id: Tensor, step: Tensor, packing: Packing) -> Tensor:
        """Embed tokens of the past window.

        Parameters
        ----------
        id, step : Tensor of int64, shape (window, token)
            Unit, and step from the beginning of the past.
        packing : Packing
            Where there are tokens.

        Returns
        -------
        Tensor, shape (token, width)
            Vectors, packed.
        """
        times = torch.cat([self.special, self.time(self.clock[: self.n_past])])
        there = id != 0
        backwards = there.flip(1).cumsum(1).flip(1) - 1
        id, step, backwards = (packing.pack(part) for part in (id, step, backwards))
        return self._sum(id, F.embedding(step, times), self.past_position, backwards)

    def _sum(self, id: Tensor, time: Tensor, table: nn.Embedding, position: Tensor) -> Tensor:
        place = table(position.clamp(max=table.num_embeddings - 1))
        return self.drop(self.unit(id) + time + place)
