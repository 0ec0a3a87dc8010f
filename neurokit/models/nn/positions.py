"""What tells tokens where they are."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

from neurokit import arguments
from neurokit.errors import DataError

__all__ = ["LearnedPositions", "sinusoidal"]


def sinusoidal(n: int, width: int, base: float = 10_000.0) -> Tensor:
    """Compute the position code of Vaswani et al. 2017 (arXiv 1706.03762, section 3.5).

    PE(p, 2i) = sin(p / base^(2i / width)) and PE(p, 2i + 1) = cos(p / base^(2i / width)): sine
    and cosine of one frequency lie side by side, as in the paper, not in two halves.

    Parameters
    ----------
    n : int
        Positions.
    width : int
        Features of a token; even.
    base : float
        Of the geometric series of wavelengths.

    Returns
    -------
    Tensor, shape (n, width)
        In single precision.

    Raises
    ------
    DataError
        An odd width.

    Examples
    --------
    >>> sinusoidal(2, 4)
    tensor([[0.0000, 1.0000, 0.0000, 1.0000],
            [0.8415, 0.5403, 0.0100, 0.9999]])
    """
    arguments.whole("n", n, least=1)
    if arguments.whole("width", width, least=2) % 2:
        raise DataError(f"Sines and cosines come in pairs: expected an even width, got {width}.")
    # Doubles, which not every device has: a float's rounding of p times the rate is an error of
    # phase that grows with p.
    order = torch.arange(max(n, width), dtype=torch.float64, device="cpu")
    rate = torch.exp(order[:width:2] * (-math.log(base) / width))
    angle = order[:n, None] * rate
    code = torch.stack([angle.sin(), angle.cos()], dim=-1).flatten(1).float()
    return code.to(torch.get_default_device())


class LearnedPositions(nn.Module):
    """A vector a position, learned, added to the tokens.

    Parameters
    ----------
    n : int
        Positions.
    width : int
        Features of a token.
    std : float
        Of the normal distribution that the vectors start from.

    Examples
    --------
    >>> LearnedPositions(40, 128)(torch.zeros(2, 30, 128)).shape
    torch.Size([2, 30, 128])
    """

    def __init__(self, n: int, width: int, std: float = 0.02) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.empty(arguments.whole("n", n, least=1), width))
        nn.init.normal_(self.weight, std=std)

    def forward(self, x: Tensor) -> Tensor:
        """Add to each token the vector of its place.

        Parameters
        ----------
        x : Tensor, shape (..., time, width)
            Tokens, at most as many as there are positions.

        Returns
        -------
        Tensor, shape (..., time, width)
            Tokens.

        Raises
        ------
        DataError
            More tokens than positions.
        """
        time, known = x.shape[-2], len(self.weight)
        if time > known:
            raise DataError(
                f"Got {time} tokens, but positions were learned for {known}. Take shorter windows."
            )
        return x + self.weight[:time]
