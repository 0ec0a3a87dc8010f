"""Drawing tokens from a model's logits, a whole batch at a time."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from neurokit import arguments
from neurokit.errors import DataError
from neurokit.windows.spike_tokens import FIRST

__all__ = ["SamplingRule", "draw_tokens", "not_before"]

# Below one in single precision, so that no product with it rounds up to the whole mass.
_ALMOST_ONE = 1 - 2**-20


@dataclass(frozen=True)
class SamplingRule:
    """How tokens are drawn: temperature, and which of the less probable ones are left out.

    Parameters
    ----------
    temperature : float
        Logits are divided by it: below 1 the probable becomes more so.
    top_k : int, optional
        Only that many of the most probable tokens are drawn.
    top_p : float, optional
        Only the most probable tokens are drawn, as many as together have at least this
        probability (nucleus sampling, Holtzman et al. 2020, arXiv 1904.09751); above 0, at
        most 1, which is all of them. Tokens exactly as probable as the last one stay, too.

    Raises
    ------
    DataError
        A value outside its range.

    Examples
    --------
    >>> SamplingRule(top_p=0.95)
    SamplingRule(temperature=1.0, top_k=None, top_p=0.95)
    """

    temperature: float = 1.0
    top_k: int | None = None
    top_p: float | None = None

    def __post_init__(self) -> None:
        arguments.positive("temperature", self.temperature)
        if self.top_k is not None:
            arguments.whole("top_k", self.top_k, least=1)
        if self.top_p is not None and not 0 < arguments.number("top_p", self.top_p) <= 1:
            raise DataError(f"top_p is {self.top_p:g}, expected a probability above 0, at most 1.")


def draw_tokens(logits: Tensor, uniform: Tensor, rule: SamplingRule) -> Tensor:
    """Draw one token a row, by inverting the cumulative distribution.

    A row's token depends on that row alone, so that it is the same in any batch, up to the
    rounding of the logits.

    Parameters
    ----------
    logits : Tensor, shape (row, token)
        Minus infinity where a token must not be drawn.
    uniform : Tensor, shape (row,)
        A uniform random number a row, from 0 to below 1.
    rule : SamplingRule
        How to draw.

    Returns
    -------
    Tensor of int64, shape (row,)
        The tokens.

    Examples
    --------
    >>> logits = torch.tensor([[0.0, 1.0, -torch.inf], [0.0, 1.0, 2.0]])
    >>> draw_tokens(logits, torch.tensor([0.1, 0.99]), SamplingRule())
    tensor([0, 2])
    """
    if rule.temperature != 1:
        logits = logits / rule.temperature
    mass = logits.float().softmax(dim=-1)
    if rule.top_k is not None or (rule.top_p is not None and rule.top_p < 1):
        mass = mass * (mass >= _least_probable(mass, rule))
    below = mass.cumsum(dim=-1)
    reached = uniform[:, None].clamp(max=_ALMOST_ONE) * below[:, -1:]
    return torch.searchsorted(below, reached, right=True)[:, 0]


def not_before(logits: Tensor, step: Tensor) -> Tensor:
    """Forbid steps before a given one: time does not run backwards inside a window.

    Parameters
    ----------
    logits : Tensor, shape (row, token)
        Of step tokens, special ones first.
    step : Tensor of int64, shape (row,)
        The token of the last spike, or of the start.

    Returns
    -------
    Tensor, shape (row, token)
        Logits, minus infinity where forbidden; special tokens are, too.

    Examples
    --------
    >>> not_before(torch.zeros(1, 6), torch.tensor([4]))
    tensor([[-inf, -inf, -inf, -inf, 0., 0.]])
    """
    tokens = torch.arange(logits.shape[-1], device=logits.device)
    return logits.masked_fill(tokens < step.clamp(min=FIRST)[:, None], -torch.inf)


def _least_probable(mass: Tensor, rule: SamplingRule) -> Tensor:
    """Return the probability of the last token that may be drawn, of shape (row, 1)."""
    ranked = _ascending(mass)
    n_tokens = mass.shape[-1]
    kept = min(rule.top_k or n_tokens, n_tokens)
    first = torch.full_like(mass[:, :1], n_tokens - kept, dtype=torch.long)
    if rule.top_p is not None and rule.top_p < 1:
        tail = ranked.cumsum(dim=-1)
        cut = torch.full_like(mass[:, :1], 1 - rule.top_p)
        nucleus = torch.searchsorted(tail, cut, right=True)
        first = torch.maximum(first, nucleus.clamp(max=n_tokens - 1))
    return ranked.gather(1, first)


def _ascending(mass: Tensor) -> Tensor:
    # NumPy sorts values with wide instructions; torch sorts them along with their places.
    if mass.device.type == "cpu":
        return torch.from_numpy(np.sort(mass.numpy(), axis=-1))
    return mass.sort(dim=-1).values
