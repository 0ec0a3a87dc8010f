"""What a Neuroformer is trained for above all: the next spike."""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor

__all__ = ["spike_losses"]


def spike_losses(
    id_logits: Tensor, step_logits: Tensor, id: Tensor, step: Tensor, id_share: float
) -> dict[str, Tensor]:
    """Compute the cross-entropies of the next token's unit and step.

    Parameters
    ----------
    id_logits, step_logits : Tensor, shape (token, choice)
        Where there is a next token.
    id, step : Tensor of int64, shape (token,)
        The next token, the end of the window among them.
    id_share : float
        Weight of units; steps have the rest. Paper: 0.6.

    Returns
    -------
    dict of Tensor
        ``id_loss`` and ``step_loss``, in nats a token, and ``loss``, their weighted sum.

    Examples
    --------
    >>> import torch
    >>> losses = spike_losses(
    ...     torch.zeros(1, 4), torch.zeros(1, 2), torch.tensor([3]), torch.tensor([1]), 0.6
    ... )
    >>> {name: round(float(value), 3) for name, value in losses.items()}
    {'id_loss': 1.386, 'step_loss': 0.693, 'loss': 1.109}
    """
    id_loss = F.cross_entropy(id_logits.float(), id)
    step_loss = F.cross_entropy(step_logits.float(), step)
    total = id_share * id_loss + (1 - id_share) * step_loss
    return {"id_loss": id_loss, "step_loss": step_loss, "loss": total}
