"""Windows shifted in time, so that a classifier does not depend on the exact onset."""

from __future__ import annotations

import torch
from torch import Tensor

__all__ = ["shift_windows"]


def shift_windows(x: Tensor, largest: int, generator: torch.Generator | None = None) -> Tensor:
    """Shift each window by a number of samples drawn uniformly, and fill with zeros.

    The paper's augmentation (Zheng et al. 2024, arXiv 2405.11459), there with shifts up to a
    tenth of the window.

    Parameters
    ----------
    x : Tensor, shape (window, time, channel)
        Windows.
    largest : int
        Samples by which a window is shifted at most, either way; 0 leaves windows as they are.
    generator : torch.Generator, optional
        Of the shifts; by default torch's own.

    Returns
    -------
    Tensor, shape (window, time, channel)
        Windows, later (shift above 0) or earlier; a shift of 0 changes nothing.

    Examples
    --------
    >>> x = torch.arange(1.0, 6.0).view(1, 5, 1)
    >>> shift_windows(x, 2, torch.Generator().manual_seed(0)).ravel()
    tensor([0., 0., 1., 2., 3.])
    """
    batch, time = x.shape[:2]
    shift = torch.randint(-largest, largest + 1, (batch, 1), generator=generator, device=x.device)
    source = torch.arange(time, device=x.device) - shift
    outside = (source < 0) | (source >= time)
    index = source.clamp(0, time - 1)[..., None].expand_as(x)
    return x.gather(1, index).masked_fill(outside[..., None], 0.0)
