"""Attention of tokens to those of another sequence, whose keys and values are computed once."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor, nn

from neurokit import arguments
from neurokit.errors import DataError
from neurokit.models.nn.attending import attend
from neurokit.models.nn.packing import Packing

__all__ = ["CrossAttention", "Memory"]


class Memory(NamedTuple):
    """What one layer of cross-attention reads.

    Attributes
    ----------
    key, value : Tensor, shape (batch, heads, memory, dim)
        Of the other sequence.
    allowed : Tensor of bool, shape (batch, 1, 1, memory), or None
        True where it has a token; None where it has them everywhere.
    """

    key: Tensor
    value: Tensor
    allowed: Tensor | None


class CrossAttention(nn.Module):
    """Cross-attention (Vaswani et al. 2017, arXiv 1706.03762, section 3.2.3).

    Its cost grows linearly with the other sequence. What depends on that sequence alone,
    :meth:`remember` computes once for all tokens that will read it.

    Parameters
    ----------
    width : int
        Features of a token, in both sequences.
    n_heads : int
        Heads of ``width / n_heads`` dimensions.
    dropout : float
        Of attention weights, in training.

    Examples
    --------
    >>> layer = CrossAttention(32, 4)
    >>> memory = layer.remember(torch.zeros(2, 9, 32))
    >>> layer(torch.zeros(2, 5, 32), memory).shape
    torch.Size([2, 5, 32])
    """

    def __init__(self, width: int, n_heads: int, dropout: float = 0.0) -> None:
        super().__init__()
        self.n_heads = arguments.whole("n_heads", n_heads, least=1)
        if width % n_heads:
            raise DataError(f"width {width} does not divide into {n_heads} heads.")
        self.dropout = dropout
        self.query = nn.Linear(width, width)
        self.key_value = nn.Linear(width, 2 * width)
        self.output = nn.Linear(width, width)

    def remember(self, memory: Tensor, mask: Tensor | None = None) -> Memory:
        """Compute keys and values.

        Parameters
        ----------
        memory : Tensor, shape (batch, memory, width)
            Tokens of the other sequence.
        mask : Tensor of bool, shape (batch, memory), optional
            True where there is a token; each row needs one.

        Returns
        -------
        Memory
            For :meth:`forward`.

        Raises
        ------
        DataError
            A mask of another shape or type.

        Examples
        --------
        >>> CrossAttention(32, 4).remember(torch.zeros(2, 9, 32)).key.shape
        torch.Size([2, 4, 9, 8])
        """
        if mask is not None and (mask.shape != memory.shape[:2] or mask.dtype != torch.bool):
            raise DataError(
                f"Expected a mask of bool and shape {tuple(memory.shape[:2])}; got {mask.dtype} of "
                f"shape {tuple(mask.shape)}. Try mask.bool()."
            )
        both = self.key_value(memory).chunk(2, dim=-1)
        key, value = (part.unflatten(-1, (self.n_heads, -1)).transpose(1, 2) for part in both)
        return Memory(key, value, None if mask is None else mask[:, None, None])

    def forward(self, x: Tensor, memory: Memory, packing: Packing | None = None) -> Tensor:
        """Let each token read the other sequence.

        Parameters
        ----------
        x : Tensor, shape (batch, time, width)
            Tokens; with `packing` of shape (token, width), and what is returned, too.
        memory : Memory
            From :meth:`remember`.
        packing : Packing, optional
            Where the tokens are, if they come without padding.

        Returns
        -------
        Tensor, shape (batch, time, width)
            The output of all heads, projected.
        """
        dropout = self.dropout if self.training else 0.0
        query = self._queries(x, packing)
        mixed = attend(query, memory.key, memory.value, memory.allowed, dropout=dropout)
        mixed = mixed.transpose(1, 2).flatten(2)
        return self.output(mixed if packing is None else packing.pack(mixed))

    def weights(self, x: Tensor, memory: Memory, packing: Packing | None = None) -> Tensor:
        """Compute how much each token reads each of the others.

        Parameters
        ----------
        x, memory, packing
            As in :meth:`forward`.

        Returns
        -------
        Tensor, shape (batch, heads, time, memory)
            They sum to 1 over the memory.

        Examples
        --------
        >>> layer = CrossAttention(32, 4)
        >>> layer.weights(torch.zeros(1, 1, 32), layer.remember(torch.zeros(1, 2, 32)))[0, 0]
        tensor([[0.5000, 0.5000]], grad_fn=<SelectBackward0>)
        """
        scores = (
            self._queries(x, packing) @ memory.key.transpose(-2, -1) * memory.key.shape[-1] ** -0.5
        )
        if memory.allowed is not None:
            scores = scores.masked_fill(~memory.allowed, -torch.inf)
        return scores.softmax(dim=-1)

    def _queries(self, x: Tensor, packing: Packing | None) -> Tensor:
        query = self.query(x) if packing is None else packing.pad(self.query(x))
        return query.unflatten(-1, (self.n_heads, -1)).transpose(1, 2)
