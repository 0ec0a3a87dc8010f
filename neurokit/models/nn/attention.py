"""Causal attention of many heads, and the block of Llama language models."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from neurokit.errors import DataError

__all__ = ["Attention", "LlamaBlock", "attention_mask", "causal_mask", "rotate"]

SCORES_AT_ONCE = 2**26  # attention scores held at a time, 256 MB in single precision


def attention_mask(mask: Tensor | None) -> Tensor | None:
    """Say which tokens may look at which, where some tokens are padding.

    Parameters
    ----------
    mask : Tensor of bool, shape (batch, time), optional
        True where there is a token.

    Returns
    -------
    Tensor of bool, shape (batch, 1, time, time), or None
        True where the token of a row may look at the token of a column: earlier ones and
        itself. None where nothing is padding, and plain causal attention will do.

    Examples
    --------
    >>> attention_mask(torch.tensor([[False, True, True]]))[0, 0].int()
    tensor([[1, 0, 0],
            [0, 1, 0],
            [0, 1, 1]], dtype=torch.int32)
    """
    return None if mask is None or bool(mask.all()) else causal_mask(mask)


def causal_mask(mask: Tensor, n_queries: int | None = None) -> Tensor:
    """Say which earlier tokens may be looked at; unlike :func:`attention_mask` it never waits.

    Parameters
    ----------
    mask : Tensor of bool, shape (batch, time)
        True where there is a token.
    n_queries : int, optional
        How many tokens, the last ones, look; by default all.

    Returns
    -------
    Tensor of bool, shape (batch, 1, n_queries, time)
        True where the token of a row may look at the token of a column.

    Examples
    --------
    >>> causal_mask(torch.tensor([[False, True, True]]), 2)[0, 0].int()
    tensor([[0, 1, 0],
            [0, 1, 1]], dtype=torch.int32)
    """
    time = mask.shape[1]
    first = time - (time if n_queries is None else n_queries)
    causal = torch.ones(time - first, time, dtype=torch.bool, device=mask.device).tril(first)
    # Padding looks at itself: a row that sees nothing would become NaN.
    own = torch.eye(time, dtype=torch.bool, device=mask.device)[first:]
    return ((causal & mask[:, None, :].bool()) | own)[:, None]


def rotate(x: Tensor, base: float = 10_000.0) -> Tensor:
    """Turn queries or keys by an angle that grows with their position.

    Parameters
    ----------
    x : Tensor, shape (batch, heads, time, dim)
        Queries or keys; ``dim`` is even.
    base : float
        Of the geometric series of frequencies.

    Returns
    -------
    Tensor
        Of the same shape (Su et al. 2021, arXiv 2104.09864, section 3.2): inner products
        depend on the distance of two positions alone.

    Examples
    --------
    >>> x = torch.ones(1, 1, 5, 4)
    >>> score = rotate(x) @ rotate(x).transpose(-1, -2)
    >>> bool(torch.isclose(score[0, 0, 1, 0], score[0, 0, 4, 3]))
    True
    """
    half = x.shape[-1] // 2
    rate = base ** (-torch.arange(half, device=x.device, dtype=torch.float32) / half)
    angle = torch.arange(x.shape[-2], device=x.device, dtype=torch.float32)[:, None] * rate
    cos, sin = angle.cos().to(x.dtype), angle.sin().to(x.dtype)
    a, b = x[..., :half], x[..., half:]
    return torch.cat([a * cos - b * sin, a * sin + b * cos], dim=-1)


class Attention(nn.Module):
    """Causal self-attention without biases.

    Parameters
    ----------
    width : int
        Features of a token.
    n_heads : int
        Heads; each has ``width / n_heads`` dimensions.
    rotary : bool
        Whether positions turn queries and keys; without it attention knows order only
        through causality.

    Examples
    --------
    >>> Attention(32, 4)(torch.zeros(2, 5, 32)).shape
    torch.Size([2, 5, 32])
    """

    def __init__(self, width: int, n_heads: int, rotary: bool = False) -> None:
        super().__init__()
        if n_heads < 1 or width % n_heads or (rotary and width // n_heads % 2):
            raise DataError(
                f"Expected a width that divides into heads{' of even size' * rotary}; got width "
                f"{width} and {n_heads} heads."
            )
        self.n_heads = n_heads
        self.rotary = rotary
        self.query = nn.Linear(width, width, bias=False)
        self.key = nn.Linear(width, width, bias=False)
        self.value = nn.Linear(width, width, bias=False)
        self.output = nn.Linear(width, width, bias=False)

    def forward(self, x: Tensor, allowed: Tensor | None = None) -> Tensor:
        """Mix each token with those before it.

        Parameters
        ----------
        x : Tensor, shape (batch, time, width)
            Tokens.
        allowed : Tensor of bool, shape (batch, 1, time, time), optional
            From :func:`attention_mask`; without it attention is causal over all tokens.

        Returns
        -------
        Tensor, shape (batch, time, width)
            The output of all heads, projected.
        """
        batch, time, width = x.shape
        q, k, v = (
            layer(x).view(batch, time, self.n_heads, -1).transpose(1, 2)
            for layer in (self.query, self.key, self.value)
        )
        if self.rotary:
            q, k = rotate(q), rotate(k)
        at_once = max(1, SCORES_AT_ONCE // (batch * time * time))
        heads = [
            F.scaled_dot_product_attention(
                q[:, part], k[:, part], v[:, part], attn_mask=allowed, is_causal=allowed is None
            )
            for part in (slice(i, i + at_once) for i in range(0, self.n_heads, at_once))
        ]
        mixed = torch.cat(heads, dim=1) if len(heads) > 1 else heads[0]
        return self.output(mixed.transpose(1, 2).reshape(batch, time, width))


class LlamaBlock(nn.Module):
    """The block of Llama models (Touvron et al. 2023, arXiv 2302.13971, section 2.2).

    Rotary causal attention, then a gated layer, each on the root-mean-square norm of its
    input and added to it.

    Parameters
    ----------
    width : int
        Features of a token.
    n_heads : int
        Attention heads.
    hidden : int
        Width of the gated layer.

    Examples
    --------
    >>> LlamaBlock(32, 4, 64)(torch.zeros(2, 5, 32)).shape
    torch.Size([2, 5, 32])
    """

    def __init__(self, width: int, n_heads: int, hidden: int) -> None:
        super().__init__()
        self.attention_norm = nn.RMSNorm(width, eps=1e-6)
        self.attention = Attention(width, n_heads, rotary=True)
        self.gated_norm = nn.RMSNorm(width, eps=1e-6)
        self.gate = nn.Linear(width, hidden, bias=False)
        self.up = nn.Linear(width, hidden, bias=False)
        self.down = nn.Linear(hidden, width, bias=False)

    def forward(self, x: Tensor, allowed: Tensor | None = None) -> Tensor:
        """Pass tokens through the block.

        Parameters
        ----------
        x : Tensor, shape (batch, time, width)
            Tokens.
        allowed : Tensor of bool, shape (batch, 1, time, time), optional
            From :func:`attention_mask`.

        Returns
        -------
        Tensor, shape (batch, time, width)
            Tokens.
        """
        x = x + self.attention(self.attention_norm(x), allowed)
        normed = self.gated_norm(x)
        return x + self.down(F.silu(self.gate(normed)) * self.up(normed))
