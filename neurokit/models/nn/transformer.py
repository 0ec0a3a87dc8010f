"""The block of transformers, and stacks of it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import torch
from torch import Tensor, nn

from neurokit import arguments
from neurokit.errors import DataError
from neurokit.models.nn.dropout import Dropout
from neurokit.models.nn.self_attention import KeyValueCache, SelfAttention

__all__ = ["TransformerBlock", "TransformerEncoder", "activation_layer"]

# Values that pass all blocks on the CPU together: what comes of them stays in its caches.
CHUNK = 2**17
_ACTIVATIONS = {"relu": nn.ReLU, "gelu": nn.GELU, "tanh": nn.Tanh}


def activation_layer(name: str) -> nn.Module:
    """Make the layer of an activation function.

    Parameters
    ----------
    name : {"relu", "gelu", "tanh"}
        Which.

    Returns
    -------
    Module
        Without parameters.

    Raises
    ------
    DataError
        Another name.

    Examples
    --------
    >>> activation_layer("gelu")
    GELU(approximate='none')
    """
    return _ACTIVATIONS[arguments.known("activation", name, _ACTIVATIONS)]()


class TransformerBlock(nn.Module):
    """Self-attention, then two layers applied to each token, each added to its input.

    With ``norm="post"`` the sum is normalised, x = LN(x + f(x)), as in Vaswani et al. 2017
    (arXiv 1706.03762); with ``norm="pre"`` the input is, x = x + f(LN(x)) (Xiong et al. 2020,
    arXiv 2002.04745).

    Parameters
    ----------
    width : int
        Features of a token.
    n_heads : int
        Attention heads.
    hidden : int
        Width of the layer between.
    head_dim : int, optional
        Dimensions of a head; by default ``width / n_heads``.
    dropout : float
        Of attention weights, of the layer between, and of what is added.
    norm : {"pre", "post"}
        Where the layer norms are.
    qk_norm : bool
        Whether queries and keys are normalised.
    activation : {"relu", "gelu", "tanh"}
        Of the layer between.
    causal : bool
        Whether a token sees only itself and earlier ones.
    residual_dropout : float, optional
        Of what is added; by default as `dropout`.

    Examples
    --------
    >>> import torch
    >>> TransformerBlock(32, 4, 64)(torch.zeros(2, 5, 32)).shape
    torch.Size([2, 5, 32])
    """

    def __init__(
        self,
        width: int,
        n_heads: int,
        hidden: int,
        head_dim: int | None = None,
        dropout: float = 0.0,
        norm: Literal["pre", "post"] = "pre",
        qk_norm: bool = False,
        activation: str = "gelu",
        causal: bool = False,
        residual_dropout: float | None = None,
    ) -> None:
        super().__init__()
        self.pre = arguments.known("norm", norm, ("pre", "post")) == "pre"
        self.attention_norm = nn.LayerNorm(width)
        self.attention = SelfAttention(width, n_heads, head_dim, dropout, qk_norm, causal=causal)
        self.feed_norm = nn.LayerNorm(width)
        self.feed = nn.Sequential(
            nn.Linear(width, hidden),
            activation_layer(activation),
            Dropout(dropout),
            nn.Linear(hidden, width),
        )
        self.drop = Dropout(dropout if residual_dropout is None else residual_dropout)

    def forward(
        self, x: Tensor, mask: Tensor | None = None, cache: KeyValueCache | None = None
    ) -> Tensor:
        """Pass tokens through the block.

        Parameters
        ----------
        x : Tensor, shape (batch, time, width)
            Tokens.
        mask : Tensor of bool, shape (batch, time), optional
            True where there is a token.
        cache : KeyValueCache, optional
            Of the tokens before `x`; see :class:`SelfAttention`.

        Returns
        -------
        Tensor, shape (batch, time, width)
            Tokens.
        """
        if self.pre:
            x = x + self.drop(self.attention(self.attention_norm(x), mask, cache))
            return x + self.drop(self.feed(self.feed_norm(x)))
        x = self.attention_norm(x + self.drop(self.attention(x, mask, cache)))
        return self.feed_norm(x + self.drop(self.feed(x)))


class TransformerEncoder(nn.Module):
    """A stack of blocks; with ``norm="pre"`` a last layer norm follows.

    Parameters
    ----------
    depth : int
        Number of blocks.
    width, n_heads, hidden, head_dim, dropout, norm, qk_norm, activation, causal, residual_dropout
        As in :class:`TransformerBlock`.

    Examples
    --------
    >>> import torch
    >>> encoder = TransformerEncoder(2, 32, 4, 64)
    >>> encoder(torch.zeros(2, 5, 32)).shape
    torch.Size([2, 5, 32])
    """

    def __init__(
        self,
        depth: int,
        width: int,
        n_heads: int,
        hidden: int,
        head_dim: int | None = None,
        dropout: float = 0.0,
        norm: Literal["pre", "post"] = "pre",
        qk_norm: bool = False,
        activation: str = "gelu",
        causal: bool = False,
        residual_dropout: float | None = None,
    ) -> None:
        super().__init__()
        attention = (width, n_heads, hidden, head_dim, dropout, norm, qk_norm, activation, causal)
        self.blocks = nn.ModuleList(
            TransformerBlock(*attention, residual_dropout)
            for _ in range(arguments.whole("depth", depth, least=0))
        )
        self.norm = nn.LayerNorm(width) if norm == "pre" else nn.Identity()

    def empty_cache(self) -> list[KeyValueCache]:
        """Make what generation keeps from one step to the next.

        Returns
        -------
        list of KeyValueCache
            One a block, for :meth:`forward`.

        Examples
        --------
        >>> import torch
        >>> encoder = TransformerEncoder(2, 32, 4, 64, causal=True)
        >>> cache = encoder.empty_cache()
        >>> for token in torch.zeros(1, 5, 32).split(1, dim=1):
        ...     out = encoder(token, cache=cache)
        >>> len(cache), len(cache[0])
        (2, 5)
        """
        return [KeyValueCache() for _ in self.blocks]

    def forward(
        self,
        x: Tensor,
        mask: Tensor | None = None,
        cache: Sequence[KeyValueCache] | None = None,
    ) -> Tensor:
        """Pass tokens through all blocks.

        Parameters
        ----------
        x : Tensor, shape (batch, time, width)
            Tokens.
        mask : Tensor of bool, shape (batch, time), optional
            True where there is a token; the others change nothing elsewhere.
        cache : sequence of KeyValueCache, optional
            From :meth:`empty_cache`: of the tokens before `x`.

        Returns
        -------
        Tensor, shape (batch, time, width)
            Tokens.

        Raises
        ------
        DataError
            Another number of caches than blocks.
        """
        if cache is not None and len(cache) != len(self.blocks):
            raise DataError(
                f"Got {len(cache)} caches for {len(self.blocks)} blocks. See empty_cache."
            )
        some = max(1, CHUNK // max(1, x.shape[1] * x.shape[2]))
        if cache is not None or x.device.type != "cpu" or len(x) <= some:
            return self._through(x, mask, cache)
        xs = x.split(some)
        masks = [None] * len(xs) if mask is None else mask.expand(len(x), -1).split(some)
        return torch.cat([self._through(*part) for part in zip(xs, masks, strict=True)])

    def _through(
        self, x: Tensor, mask: Tensor | None, cache: Sequence[KeyValueCache] | None = None
    ) -> Tensor:
        for number, block in enumerate(self.blocks):
            x = block(x, mask, None if cache is None else cache[number])
        return self.norm(x)
