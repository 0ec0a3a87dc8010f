"""The blocks in which spikes read one another, the past, and what is seen beside them."""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor, nn

from neurokit.models.nn import SelfAttention
from neurokit.models.nn.cross_attention import CrossAttention, Memory
from neurokit.models.nn.dropout import Dropout
from neurokit.models.nn.packing import Packing

__all__ = ["FusionBlock", "FusionStack"]


class FusionBlock(nn.Module):
    """Causal self-attention, cross-attention, then two layers applied to each token.

    Each has a layer norm before it and is added to its input, x = x + f(LN(x)). Attention takes
    tokens padded, all else packed: padding costs nothing there.

    Parameters
    ----------
    width : int
        Features of a token.
    n_heads : int
        Attention heads.
    dropout : float
        Of attention weights, and of what is added.
    reads : bool
        Whether there is cross-attention.
    """

    def __init__(self, width: int, n_heads: int, dropout: float, reads: bool) -> None:
        super().__init__()
        self.attention_norm = nn.LayerNorm(width)
        self.attention = SelfAttention(width, n_heads, dropout=dropout, causal=True)
        self.cross_norm = nn.LayerNorm(width) if reads else None
        self.cross = CrossAttention(width, n_heads, dropout) if reads else None
        self.feed_norm = nn.LayerNorm(width)
        self.feed = nn.Sequential(
            nn.Linear(width, 4 * width), nn.GELU(), nn.Linear(4 * width, width)
        )
        self.drop = Dropout(dropout)

    def forward(
        self,
        x: Tensor,
        packing: Packing,
        memory: Memory | None = None,
        seen: list[Tensor] | None = None,
    ) -> Tensor:
        """Pass tokens through the block.

        Parameters
        ----------
        x : Tensor, shape (token, width)
            Tokens, packed; padding is on the right.
        packing : Packing
            Where they are.
        memory : Memory, optional
            What cross-attention reads.
        seen : list of Tensor, optional
            Gets how much each token reads of the memory, (window, time, memory), the mean over
            heads.

        Returns
        -------
        Tensor, shape (token, width)
            Tokens.
        """
        # Padding is on the right, where causal attention does not look: it needs no mask.
        x = x + self.drop(self.attention(self.attention_norm(x), packing=packing))
        if self.cross is not None and self.cross_norm is not None and memory is not None:
            normed = self.cross_norm(x)
            if seen is not None:
                seen.append(self.cross.weights(normed, memory, packing).mean(dim=1))
            x = x + self.drop(self.cross(normed, memory, packing))
        return x + self.drop(self.feed(self.feed_norm(x)))


class FusionStack(nn.Module):
    """Blocks that read one sequence, or none.

    Parameters
    ----------
    depth : int
        Number of blocks.
    width, n_heads, dropout, reads
        As in :class:`FusionBlock`.
    """

    def __init__(self, depth: int, width: int, n_heads: int, dropout: float, reads: bool) -> None:
        super().__init__()
        self.memory_norm = nn.LayerNorm(width) if reads else None
        self.blocks = nn.ModuleList(
            FusionBlock(width, n_heads, dropout, reads) for _ in range(depth)
        )

    def remember(self, tokens: Tensor, packing: Packing | None = None) -> list[Memory]:
        """Compute what the blocks read of a sequence.

        Parameters
        ----------
        tokens : Tensor, shape (window, memory, width), or (token, width) where packed
            Of the sequence.
        packing : Packing, optional
            Of packed tokens.

        Returns
        -------
        list of Memory
            One a block.
        """
        assert self.memory_norm is not None
        normed = self.memory_norm(tokens)
        mask = None
        if packing is not None:
            normed, mask = packing.pad(normed), packing.mask
        return [block.cross.remember(normed, mask) for block in self.blocks]  # type: ignore[union-attr, operator]

    def forward(
        self,
        x: Tensor,
        packing: Packing,
        memories: Sequence[Memory] | None = None,
        seen: list[Tensor] | None = None,
    ) -> Tensor:
        """Pass tokens through all blocks.

        Parameters
        ----------
        x, packing, seen
            As in :class:`FusionBlock`.
        memories : sequence of Memory, optional
            From :meth:`remember`.

        Returns
        -------
        Tensor, shape (token, width)
            Tokens.
        """
        for number, block in enumerate(self.blocks):
            memory = None if memories is None else memories[number]
            x = block(x, packing, memory, seen)
        return x
