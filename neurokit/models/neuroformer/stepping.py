"""The network one token at a time: the same sums as its blocks do, with nothing done twice.

A token of a batch of windows is little work for many small operations. What modules do around
each of them takes as long again, so that here only the operations are left.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from neurokit.models.neuroformer.fusion import FusionBlock
from neurokit.models.nn.cross_attention import Memory

__all__ = ["Stepper"]

_ROOM = 64


class Stepper:
    """A window of each row of a batch, read token by token.

    Parameters
    ----------
    model : Neuroformer
        In evaluation mode: there is no dropout.

    Examples
    --------
    >>> from neurokit.models import Neuroformer, NeuroformerConfig
    >>> model = Neuroformer(NeuroformerConfig.preset("tiny")).eval()
    >>> batch = model.example()
    >>> context = model.context(batch)
    >>> stepper = Stepper(model)
    >>> stepper.start(context, 2)
    >>> with torch.no_grad():
    ...     slow = [stepper(*pair) for pair in zip(batch["id"].T, batch["step"].T)]
    >>> torch.allclose(torch.stack(slow, dim=1)[0], model.hidden(batch)[0], atol=1e-5)
    True
    """

    def __init__(self, model: Any) -> None:
        embedding = model.body.embedding
        self.unit, self.position = embedding.unit.weight, embedding.position.weight
        clock = embedding.clock[embedding.n_past :]
        self.times = torch.cat([embedding.special, embedding.time(clock)])
        self.norm = _norm(model.body.norm)
        self.blocks = [
            (_Block(block), name, number)
            for name, stack in model.body.stacks().items()
            for number, block in enumerate(stack.blocks)
        ]
        self.at = 0

    def start(self, context: Mapping[str, Sequence[Memory]], n_rows: int) -> None:
        """Begin new windows.

        Parameters
        ----------
        context : dict of list of Memory
            What they read, see ``Neuroformer.context``.
        n_rows : int
            How many there are.
        """
        self.at = 0
        for block, name, number in self.blocks:
            block.start(context[name][number] if block.reads else None, n_rows)

    def keep(self, rows: Tensor) -> None:
        """Go on with some of the windows only.

        Parameters
        ----------
        rows : Tensor of int64, shape (row,)
            Which, of those that are left.
        """
        for block, _, _ in self.blocks:
            block.keep(rows, self.at)

    def __call__(self, id: Tensor, step: Tensor) -> Tensor:
        """Read one more token of each window.

        Parameters
        ----------
        id, step : Tensor of int64, shape (window,)
            The tokens.

        Returns
        -------
        Tensor, shape (window, width)
            What the heads read.
        """
        place = self.position[min(self.at, len(self.position) - 1)]
        x = F.embedding(id, self.unit) + F.embedding(step, self.times) + place
        for block, _, _ in self.blocks:
            x = block(x, self.at)
        self.at += 1
        return torch.layer_norm(x, *self.norm)


class _Block:
    """A fusion block, for one token of each row; its cache stays from one window to the next."""

    def __init__(self, block: FusionBlock) -> None:
        attention, cross = block.attention, block.cross
        self.n_heads, self.dim = attention.n_heads, attention.head_dim
        self.scale = self.dim**-0.5
        self.attention = _norm(block.attention_norm), _linear(attention.qkv)
        self.attended = _linear(attention.output)
        self.reads = cross is not None
        if cross is not None and block.cross_norm is not None:
            self.cross = _norm(block.cross_norm), _linear(cross.query)
            self.read = _linear(cross.output)
        self.feed = _norm(block.feed_norm), _linear(block.feed[0])
        self.fed = _linear(block.feed[2])
        self.nothing = self.fed[0].new_zeros(1, 1, 1)
        # Keys and values of all heads of all rows, (2, row and head, token, dim); of these rows
        # those in use.
        self.store = self.used = self.nothing.new_empty(2, 0, _ROOM, self.dim)
        self.memory = self.nothing, self.nothing, self.nothing

    def start(self, memory: Memory | None, n_rows: int) -> None:
        rows = n_rows * self.n_heads
        if self.store.shape[1] < rows:
            self.store = self.store.new_empty(2, rows, self.store.shape[2], self.dim)
        self.used = self.store[:, :rows]
        if memory is None:
            return
        keys, values, allowed = memory
        bias = self.nothing
        if allowed is not None:
            forbidden = keys.new_zeros(allowed.shape).masked_fill(~allowed, -torch.inf)
            bias = forbidden.expand(-1, self.n_heads, -1, -1).flatten(0, 1)
        self.memory = keys.flatten(0, 1).transpose(1, 2), values.flatten(0, 1), bias

    def keep(self, rows: Tensor, at: int) -> None:
        heads = torch.arange(self.n_heads, device=rows.device)
        index = (rows[:, None] * self.n_heads + heads).flatten()
        kept = self.used[:, index, :at]
        self.used = self.used[:, : len(index)]
        self.used[:, :, :at] = kept
        if self.reads:
            keys, values, bias = self.memory
            bias = bias if bias is self.nothing else bias[index]
            self.memory = keys[index], values[index], bias

    def __call__(self, x: Tensor, at: int) -> Tensor:
        n = len(x)
        parts = _normed_linear(x, *self.attention).view(n, 3, -1, self.dim)
        parts = parts.transpose(0, 1).reshape(3, -1, self.dim)
        if at == self.used.shape[2]:
            self.store = self.used = torch.cat([self.used, torch.empty_like(self.used)], dim=2)
        self.used[:, :, at] = parts[1:]
        keys, values = self.used[:, :, : at + 1].unbind()
        mixed = self._mixed(parts[0], keys.transpose(1, 2), values, self.nothing)
        x = x + F.linear(mixed.view(n, -1), *self.attended)
        if self.reads:
            query = _normed_linear(x, *self.cross).view(-1, self.dim)
            x = x + F.linear(self._mixed(query, *self.memory).view(n, -1), *self.read)
        return x + F.linear(F.gelu(_normed_linear(x, *self.feed)), *self.fed)

    def _mixed(self, query: Tensor, keys: Tensor, values: Tensor, bias: Tensor) -> Tensor:
        """Return what one query a row and head reads; keys (row, dim, token), values as stored."""
        scores = torch.baddbmm(bias, query[:, None], keys, alpha=self.scale)
        return torch.bmm(scores.softmax(dim=-1), values)


_Norm = tuple[list[int], Tensor, Tensor, float]
_Linear = tuple[Tensor, Tensor]


def _norm(layer: nn.LayerNorm) -> _Norm:
    return list(layer.normalized_shape), layer.weight, layer.bias, layer.eps


def _linear(layer: nn.Module) -> _Linear:
    assert isinstance(layer, nn.Linear)
    return layer.weight, layer.bias


def _normed_linear(x: Tensor, norm: _Norm, linear: _Linear) -> Tensor:
    return F.linear(torch.layer_norm(x, *norm), *linear)
