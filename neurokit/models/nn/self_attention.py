"""Attention of many heads over all tokens that are there, with a cache for generation."""

from __future__ import annotations

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from neurokit import arguments
from neurokit.errors import DataError
from neurokit.models.nn.attending import attend
from neurokit.models.nn.attention import causal_mask
from neurokit.models.nn.packing import Packing

__all__ = ["KeyValueCache", "SelfAttention"]


class KeyValueCache:
    """Keys and values of the tokens that one attention layer has seen.

    It grows by doubling, so that a token at a time costs no copy of all that came before. No
    gradient flows through it.

    Examples
    --------
    >>> cache = KeyValueCache()
    >>> layer = SelfAttention(32, 4, causal=True)
    >>> _ = layer(torch.zeros(2, 5, 32), cache=cache)
    >>> _ = layer(torch.zeros(2, 1, 32), cache=cache)
    >>> len(cache)
    6
    """

    def __init__(self) -> None:
        self._held: tuple[Tensor, Tensor] | None = None
        self._length = 0

    def __len__(self) -> int:
        return self._length

    def append(self, key: Tensor, value: Tensor) -> tuple[Tensor, Tensor]:
        """Keep the keys and values of further tokens.

        Parameters
        ----------
        key, value : Tensor, shape (batch, heads, time, dim)
            Of the new tokens.

        Returns
        -------
        key, value : Tensor, shape (batch, heads, all time, dim)
            Of all tokens so far.

        Raises
        ------
        DataError
            Another batch, or other heads, than before.

        Examples
        --------
        >>> cache = KeyValueCache()
        >>> new = torch.zeros(1, 4, 3, 8)
        >>> cache.append(new, new)[0].shape
        torch.Size([1, 4, 3, 8])
        """
        total = self._length + key.shape[2]
        kept = [
            self._grown(old, new, total)
            for old, new in zip(self._held or (None, None), (key, value), strict=True)
        ]
        for store, new in zip(kept, (key, value), strict=True):
            store[:, :, self._length : total] = new.detach()
        self._held = (kept[0], kept[1])
        self._length = total
        return kept[0][:, :, :total], kept[1][:, :, :total]

    def _grown(self, old: Tensor | None, new: Tensor, total: int) -> Tensor:
        """Return room for `total` tokens, with the old ones in it."""
        batch, heads, _, dim = new.shape
        if old is None:
            return new.new_empty(batch, heads, total, dim)
        if old.shape[:2] != new.shape[:2] or old.shape[3] != dim:
            raise DataError(
                f"The cache holds (batch, heads, dim) {(*old.shape[:2], old.shape[3])}; got "
                f"{(batch, heads, dim)}. Start an empty cache for another batch."
            )
        if old.shape[2] >= total:
            return old
        room = old.new_empty(batch, heads, max(total, 2 * old.shape[2]), dim)
        room[:, :, : self._length] = old[:, :, : self._length]
        return room


class SelfAttention(nn.Module):
    """Self-attention (Vaswani et al. 2017, arXiv 1706.03762, section 3.2).

    Parameters
    ----------
    width : int
        Features of a token.
    n_heads : int
        Heads.
    head_dim : int, optional
        Dimensions of a head; by default ``width / n_heads``. Du-IN has 8 heads of 64 at a
        width of 160.
    dropout : float
        Of attention weights, in training.
    qk_norm : bool
        Whether queries and keys of each head pass a layer norm (Henry et al. 2020, arXiv
        2010.04245; Dehghani et al. 2023, arXiv 2302.05442): products then stay bounded.
    bias : bool
        Of the projections.
    causal : bool
        Whether a token sees only itself and earlier ones.

    Examples
    --------
    >>> SelfAttention(160, 8, head_dim=64, qk_norm=True)(torch.zeros(2, 30, 160)).shape
    torch.Size([2, 30, 160])
    """

    def __init__(
        self,
        width: int,
        n_heads: int,
        head_dim: int | None = None,
        dropout: float = 0.0,
        qk_norm: bool = False,
        bias: bool = True,
        causal: bool = False,
    ) -> None:
        super().__init__()
        self.n_heads = arguments.whole("n_heads", n_heads, least=1)
        if head_dim is None and width % n_heads:
            raise DataError(
                f"Expected a width that divides into heads; got width {width} and {n_heads} "
                "heads. Give head_dim."
            )
        self.head_dim = arguments.whole("head_dim", head_dim or width // n_heads, least=1)
        self.dropout = dropout
        self.causal = causal
        inner = self.n_heads * self.head_dim
        self.qkv = nn.Linear(width, 3 * inner, bias=bias)
        self.output = nn.Linear(inner, width, bias=bias)
        self.query_norm = nn.LayerNorm(self.head_dim) if qk_norm else nn.Identity()
        self.key_norm = nn.LayerNorm(self.head_dim) if qk_norm else nn.Identity()

    def forward(
        self,
        x: Tensor,
        mask: Tensor | None = None,
        cache: KeyValueCache | None = None,
        packing: Packing | None = None,
    ) -> Tensor:
        """Mix each token with those it may see.

        Parameters
        ----------
        x : Tensor, shape (batch, time, width)
            Tokens; with `packing` of shape (token, width), and what is returned, too.
        mask : Tensor of bool, shape (batch, time), optional
            True where there is a token; the others are not seen, and what comes out in their
            place means nothing, but is finite. With a cache its time is that of all tokens so
            far.
        cache : KeyValueCache, optional
            Of the tokens before `x`; those of `x` are added. Only for causal attention.
        packing : Packing, optional
            Where the tokens are, if they come without padding. It is no mask: causal attention
            needs none for padding on the right.

        Returns
        -------
        Tensor, shape (batch, time, width)
            The output of all heads, projected.

        Raises
        ------
        DataError
            A mask of another shape or type, or a cache where attention is not causal.
        """
        batch, time = x.shape[:2] if packing is None else packing.shape
        if cache is not None and not self.causal:
            raise DataError("Only causal attention can use a cache. Set causal=True.")
        total = time + (0 if cache is None else len(cache))
        allowed = self._allowed(mask, batch, time, total, x.device)
        if packing is None:
            parts = [part.view(batch, time, self.n_heads, -1) for part in self._projected(x)]
        else:
            # All three laid out at once: one copy to where attention wants them.
            heads = packing.pad(self.qkv(x)).view(batch, time, 3, self.n_heads, -1)
            parts = list(heads.permute(2, 0, 3, 1, 4).contiguous().transpose(2, 3).unbind())
        query, key, value = parts
        query, key = self.query_norm(query).transpose(1, 2), self.key_norm(key).transpose(1, 2)
        value = value.transpose(1, 2)
        if cache is not None:
            key, value = cache.append(key, value)
        causal = self.causal and allowed is None and time > 1
        dropout = self.dropout if self.training else 0.0
        mixed = attend(query, key, value, allowed, causal, dropout)
        mixed = mixed.transpose(1, 2).reshape(batch, time, -1)
        return self.output(mixed if packing is None else packing.pack(mixed))

    def _projected(self, x: Tensor) -> Sequence[Tensor]:
        """Return queries, keys and values, those of all heads side by side."""
        if not torch.is_grad_enabled():
            return self.qkv(x).chunk(3, dim=-1)
        # One product would make its gradient join three large tensors into a larger one.
        biases = (None,) * 3 if self.qkv.bias is None else self.qkv.bias.chunk(3)
        return [F.linear(x, *of) for of in zip(self.qkv.weight.chunk(3), biases, strict=True)]

    def _allowed(
        self, mask: Tensor | None, batch: int, time: int, total: int, device: torch.device
    ) -> Tensor | None:
        """Return who sees whom, or None where attention needs not be told."""
        if mask is not None and (mask.shape != (batch, total) or mask.dtype != torch.bool):
            raise DataError(
                f"Expected a mask of bool and shape {(batch, total)}; got {mask.dtype} of shape "
                f"{tuple(mask.shape)}. Try mask.bool()."
            )
        if not self.causal:
            # A row without any token would become NaN; no other row can see what it does.
            return None if mask is None else (mask | ~mask.any(1, keepdim=True))[:, None, None]
        if mask is not None:
            return causal_mask(mask, time)
        if time in (1, total):
            # The last token sees all others, and SDPA knows the square case by itself.
            return None
        return causal_mask(torch.ones(1, total, dtype=torch.bool, device=device), time)
