"""Sequences of unequal length without their padding: what costs per token skips it."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

__all__ = ["Packing"]


class Packing:
    """Where the tokens of padded sequences are, in both directions.

    Layers that treat each token by itself take the packed ones, (token, feature); attention
    takes them padded, (sequence, time, feature). Where nothing is padding both ways are views.

    Parameters
    ----------
    mask : Tensor of bool, shape (sequence, time)
        True where there is a token.

    Examples
    --------
    >>> packing = Packing(torch.tensor([[True, True], [True, False]]))
    >>> packed = packing.pack(torch.tensor([[[1.0], [2.0]], [[3.0], [9.0]]]))
    >>> packed.tolist(), packing.pad(packed).tolist()
    ([[1.0], [2.0], [3.0]], [[[1.0], [2.0]], [[3.0], [0.0]]])
    """

    def __init__(self, mask: Tensor) -> None:
        self.shape = (mask.shape[0], mask.shape[1])
        index = mask.flatten().nonzero()[:, 0]
        self.index = None if len(index) == mask.numel() else index
        self.mask = None if self.index is None else mask

    def pack(self, x: Tensor) -> Tensor:
        """Leave padding out.

        Parameters
        ----------
        x : Tensor, shape (sequence, time, ...)
            Padded.

        Returns
        -------
        Tensor, shape (token, ...)
            Sequence by sequence.
        """
        flat = x.flatten(0, 1)
        return flat if self.index is None else _Gathered.apply(flat, self.index)

    def pad(self, x: Tensor) -> Tensor:
        """Put tokens where they belong, with zeros between.

        Parameters
        ----------
        x : Tensor, shape (token, ...)
            Packed.

        Returns
        -------
        Tensor, shape (sequence, time, ...)
            Padded.
        """
        size = self.shape[0] * self.shape[1]
        flat = x if self.index is None else _Scattered.apply(x, self.index, size)
        return flat.view(*self.shape, *x.shape[1:])

    def mean(self, x: Tensor) -> Tensor:
        """Average the tokens of each sequence.

        Parameters
        ----------
        x : Tensor, shape (token, feature)
            Packed.

        Returns
        -------
        Tensor, shape (sequence, feature)
            Zero where a sequence has no token.
        """
        padded = self.pad(x)
        count = self.pad(x.new_ones(len(x), 1)).sum(dim=1)
        return padded.sum(dim=1) / count.clamp(min=1)


class _Gathered(torch.autograd.Function):
    """Rows by index, none twice: its gradient is a copy, not a sum."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, index: Tensor) -> Tensor:
        ctx.save_for_backward(index)
        ctx.size = len(x)
        return x.index_select(0, index)

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor, None]:
        (index,) = ctx.saved_tensors
        room = grads[0].new_zeros(ctx.size, *grads[0].shape[1:])
        return room.index_copy_(0, index, grads[0]), None


class _Scattered(torch.autograd.Function):
    """The reverse: rows put where the index says, zeros elsewhere."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, index: Tensor, size: int) -> Tensor:
        ctx.save_for_backward(index)
        return x.new_zeros(size, *x.shape[1:]).index_copy_(0, index, x)

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor, None, None]:
        (index,) = ctx.saved_tensors
        return grads[0].index_select(0, index), None, None
