"""The weighted mean at the heart of attention, by whichever way is quickest."""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor
from torch.autograd.function import once_differentiable

from neurokit.models.nn.dropout import kept

__all__ = ["attend"]

SHORT = 2**16  # weights a head up to which it is quicker to hold them all


def attend(
    query: Tensor,
    key: Tensor,
    value: Tensor,
    allowed: Tensor | None = None,
    causal: bool = False,
    dropout: float = 0.0,
) -> Tensor:
    """Return the values that each query attends to: softmax(Q Kᵀ / √dim) V.

    Parameters
    ----------
    query : Tensor, shape (batch, heads, time, dim)
        Queries.
    key, value : Tensor, shape (batch, heads, other, dim)
        Of what they attend to.
    allowed : Tensor of bool, broadcast to (batch, heads, time, other), optional
        True where a query may look; each needs one place.
    causal : bool
        Whether query i sees the keys 0 to i alone. Not with `allowed`.
    dropout : float
        Share of weights that are set to zero at random.

    Returns
    -------
    Tensor, shape (batch, heads, time, dim)
        Weighted means (Vaswani et al. 2017, arXiv 1706.03762, equation 1).

    Examples
    --------
    >>> value = torch.tensor([[[[1.0], [3.0]]]])
    >>> attend(torch.zeros(1, 1, 2, 1), torch.zeros(1, 1, 2, 1), value, causal=True).flatten()
    tensor([1., 2.])
    """
    if not _by_hand(query, key, dropout):
        return F.scaled_dot_product_attention(
            query, key, value, attn_mask=allowed, dropout_p=dropout, is_causal=causal
        )
    # On the CPU SDPA splits short sequences up where one product would do; and with dropout it
    # holds all weights, too, and spends its time on drawing.
    if torch.is_autocast_enabled("cpu"):
        kind = torch.get_autocast_dtype("cpu")
        query, key, value = (part.to(kind) for part in (query, key, value))
    bias = _bias(query, key, allowed, causal)
    heads = (part.flatten(0, 1) for part in (query, key, value))
    with torch.autocast("cpu", enabled=False):
        return _Attended.apply(*heads, bias, dropout).view(*query.shape[:3], -1)


def _by_hand(query: Tensor, key: Tensor, dropout: float) -> bool:
    """Say whether products that are written out are quicker than SDPA."""
    if query.device.type != "cpu":
        return False
    short = query.shape[2] * key.shape[2] <= SHORT
    return (short or dropout > 0) and not torch.compiler.is_compiling()


def _bias(query: Tensor, key: Tensor, allowed: Tensor | None, causal: bool) -> Tensor | None:
    """Return what is added to the scores, as (1 or batch * heads, 1 or time, other)."""
    if causal and query.shape[2] > 1:
        shape = (query.shape[2], key.shape[2])
        return torch.full(shape, -torch.inf, dtype=query.dtype).triu_(1)[None]
    if allowed is None:
        return None
    bias = torch.zeros(allowed.shape, dtype=query.dtype).masked_fill_(~allowed, -torch.inf)
    if bias.shape[:2] == (1, 1):
        return bias[0]
    return bias.expand(*query.shape[:2], -1, -1).flatten(0, 1)


class _Attended(torch.autograd.Function):
    """Attention by hand: nothing is kept twice, and what can be is computed in place."""

    @staticmethod
    def forward(
        ctx: Any, query: Tensor, key: Tensor, value: Tensor, bias: Tensor | None, dropout: float
    ) -> Tensor:
        ctx.scale = query.shape[-1] ** -0.5
        if bias is None:
            scores = torch.bmm(query, key.transpose(1, 2)).mul_(ctx.scale)
        else:
            scores = torch.baddbmm(bias, query, key.transpose(1, 2), alpha=ctx.scale)
        weights = scores.softmax(dim=-1)
        keep = kept(weights, dropout) if dropout else None
        ctx.save_for_backward(query, key, value, weights, keep)
        return torch.bmm(weights if keep is None else weights * keep, value)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor | None, ...]:
        query, key, value, weights, keep = ctx.saved_tensors
        grad = torch.bmm(grads[0], value.transpose(1, 2))
        used = weights
        if keep is not None:
            grad.mul_(keep)
            used = weights * keep
        grad_value = torch.bmm(used.transpose(1, 2), grads[0])
        grad = torch._softmax_backward_data(grad, weights, -1, weights.dtype)
        grad_query = torch.bmm(grad, key).mul_(ctx.scale)
        grad_key = torch.bmm(grad.transpose(1, 2), query).mul_(ctx.scale)
        return grad_query, grad_key, grad_value, None, None
