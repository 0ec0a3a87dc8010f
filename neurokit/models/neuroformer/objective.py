"""What a Neuroformer is trained for above all: the next spike."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

from neurokit.models.nn import Packing
from neurokit.windows.spike_tokens import PAD

if TYPE_CHECKING:
    from neurokit.models.neuroformer.network import Neuroformer

__all__ = ["Prediction", "spike_losses", "training_losses"]


class Prediction(NamedTuple):
    """What the model expects after each token.

    Attributes
    ----------
    id_logits : Tensor, shape (window, token, n_units + 3)
        Of the next token's unit.
    step_logits : Tensor, shape (window, token, n_steps + 3)
        Of its step.
    target : Tensor, shape (window, target), or None
        Behaviour, in its own unit.
    """

    id_logits: Tensor
    step_logits: Tensor
    target: Tensor | None


def training_losses(model: Neuroformer, batch: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Compute what training minimises, see :meth:`Neuroformer.loss`.

    Parameters
    ----------
    model : Neuroformer
        The model.
    batch : dict of Tensor
        Windows, with targets if the model has some.

    Returns
    -------
    dict of Tensor
        ``loss`` and its parts.
    """
    id, step = batch["id"], batch["step"]
    # The last token of a window predicts nothing, and is left out from the start.
    packing = Packing(id[:, 1:] != PAD)
    tokens = model.body.modality_tokens(batch)
    state = model.body.state_of(id[:, :-1], step[:, :-1], packing)
    hidden = model.body.fused(state, packing, model.body.context(batch, tokens))
    next_id, next_step = packing.pack(id[:, 1:]), packing.pack(step[:, 1:])
    logits = model.id_logits(hidden), model.step_logits(hidden, next_id)
    losses = spike_losses(*logits, next_id, next_step, model.config.id_share)
    total = losses["loss"]
    if model.joint is not None:
        pooled = {name: value.mean(dim=1) for name, value in tokens.items()}
        losses["contrastive_loss"] = model.joint({"spikes": packing.mean(state), **pooled})
        total = torch.lerp(total, losses["contrastive_loss"], model.config.contrastive)
    if model.target_head is not None:
        labels = batch.get("target")
        losses["target_loss"] = model.target_head.loss(packing.mean(hidden), labels)
        total = total + losses["target_loss"]
    return {**losses, "loss": total}


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
