"""What SUMA's decoder is trained for, and what the trained one says of a text."""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor

__all__ = ["next_token_loss", "surprisal_bits"]


def next_token_loss(logits: Tensor, input_ids: Tensor, mask: Tensor | None = None) -> Tensor:
    """Compute the mean cross-entropy of each token given those before it.

    Parameters
    ----------
    logits : Tensor, shape (batch, time, vocabulary)
        At each token, for the next one.
    input_ids : Tensor of int, shape (batch, time)
        Tokens.
    mask : Tensor of bool, shape (batch, time), optional
        True where there is a token.

    Returns
    -------
    Tensor
        One number, in nats.

    Examples
    --------
    >>> ids = torch.zeros(1, 3, dtype=torch.long)
    >>> round(float(next_token_loss(torch.zeros(1, 3, 8), ids)), 4)  # ln 8
    2.0794
    """
    target = input_ids[:, 1:].long()
    if mask is not None:
        target = target.masked_fill(~(mask[:, 1:] & mask[:, :-1]).bool(), -100)
    return F.cross_entropy(logits[:, :-1].float().flatten(0, 1), target.flatten())


def surprisal_bits(logits: Tensor, input_ids: Tensor, mask: Tensor | None = None) -> Tensor:
    """Compute the surprisal of each token given those before it.

    Parameters
    ----------
    logits : Tensor, shape (batch, time, vocabulary)
        At each token, for the next one.
    input_ids : Tensor of int, shape (batch, time)
        Tokens.
    mask : Tensor of bool, shape (batch, time), optional
        True where there is a token.

    Returns
    -------
    Tensor, shape (batch, time)
        In bits; NaN for padding and for the first token, which has nothing before it.

    Examples
    --------
    >>> surprisal_bits(torch.zeros(1, 3, 8), torch.zeros(1, 3, dtype=torch.long))
    tensor([[nan, 3., 3.]])
    """
    chosen = logits[:, :-1].float().log_softmax(-1).gather(-1, input_ids[:, 1:, None].long())
    bits = torch.full(input_ids.shape, math.nan, device=logits.device)
    bits[:, 1:] = -chosen[..., 0] / math.log(2)
    if mask is not None:
        bits[:, 1:].masked_fill_(~(mask[:, 1:] & mask[:, :-1]).bool(), math.nan)
    return bits
