"""Dropout that costs little on the CPU, too."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

__all__ = ["Dropout", "drop", "kept"]


def drop(x: Tensor, p: float) -> Tensor:
    """Set values to zero at random, and scale the others so that the mean stays.

    On the CPU PyTorch draws one number a value; here 16 bits decide, and four values share a
    draw, which takes a third of the time. Probabilities are then multiples of 2^-16. Draws come
    from torch's global generator.

    Parameters
    ----------
    x : Tensor
        Values.
    p : float
        Probability of zero, from 0 to below 1.

    Returns
    -------
    Tensor
        Of the same shape.

    Examples
    --------
    >>> drop(torch.ones(1000), 0.75).unique()
    tensor([0., 4.])
    """
    if p == 0:
        return x
    if x.device.type != "cpu" or torch.compiler.is_compiling():
        return F.dropout(x, p)
    return x * kept(x, p)


def kept(x: Tensor, p: float) -> Tensor:
    """Draw what :func:`drop` multiplies by, on the CPU.

    Parameters
    ----------
    x : Tensor
        Values.
    p : float
        Probability of zero, from 0 to below 1.

    Returns
    -------
    Tensor
        Of the shape and type of `x`: 0, or what makes the mean 1.

    Examples
    --------
    >>> kept(torch.ones(1000), 0.75).unique()
    tensor([0., 4.])
    """
    step = round(p * 2**16)
    draws = torch.empty((x.numel() + 3) // 4, dtype=torch.int64).random_(-(2**63), None)
    bits = draws.view(torch.int16)[: x.numel()].view(x.shape)
    return (bits >= step - 2**15).to(x.dtype).mul_(2**16 / (2**16 - step))


class Dropout(nn.Module):
    """Set values to zero at random in training (Srivastava et al. 2014), see :func:`drop`.

    Parameters
    ----------
    p : float
        Probability of zero.

    Examples
    --------
    >>> Dropout(0.5).eval()(torch.ones(2))
    tensor([1., 1.])
    """

    def __init__(self, p: float = 0.5) -> None:
        super().__init__()
        self.p = p

    def forward(self, x: Tensor) -> Tensor:
        """Set values to zero, in training.

        Parameters
        ----------
        x : Tensor
            Values.

        Returns
        -------
        Tensor
            Of the same shape.

        Examples
        --------
        >>> Dropout(0.0)(torch.ones(2))
        tensor([1., 1.])
        """
        return drop(x, self.p) if self.training else x
