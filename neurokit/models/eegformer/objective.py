"""What EEGFormer is trained by, and how well it does."""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor

__all__ = ["pretraining_loss"]


def pretraining_loss(target: Tensor, estimate: Tensor, quantizer_loss: Tensor) -> dict[str, Tensor]:
    """Compute the error of reconstructions, with that of the codes.

    Parameters
    ----------
    target, estimate : Tensor, shape (..., value)
        Standardised amplitudes, 0 being the mean of the training data, and what the decoder
        made of them.
    quantizer_loss : Tensor, shape ()
        ‖sg[H] - V‖² + β ‖H - sg[V]‖², the first term only where codes have gradients.

    Returns
    -------
    dict of Tensor
        ``loss``, the sum that training minimises; ``reconstruction``, the mean squared error;
        ``quantizer_loss``; ``r2`` = 1 - Σ(x - x̂)² / Σx², the share of the variance around the
        training data's mean that is explained.

    Examples
    --------
    >>> import torch
    >>> x = torch.tensor([1.0, -1.0])
    >>> parts = pretraining_loss(x, 0.5 * x, torch.tensor(0.5))
    >>> {name: float(value) for name, value in parts.items()}
    {'loss': 0.75, 'reconstruction': 0.25, 'quantizer_loss': 0.5, 'r2': 0.75}
    """
    error = F.mse_loss(estimate.float(), target)
    return {
        "loss": error + quantizer_loss,
        "reconstruction": error.detach(),
        "quantizer_loss": quantizer_loss.detach(),
        "r2": 1 - error.detach() / target.detach().square().mean(),
    }
