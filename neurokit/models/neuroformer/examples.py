"""A batch that any Neuroformer can be shown."""

from __future__ import annotations

import torch
from torch import Tensor

from neurokit.models.neuroformer.config import NeuroformerConfig
from neurokit.windows.spike_tokens import EOS, FIRST, PAD, SOS

__all__ = ["example_batch"]


def example_batch(config: NeuroformerConfig) -> dict[str, Tensor]:
    """Make a small batch, always the same one.

    Parameters
    ----------
    config : NeuroformerConfig
        Of the model.

    Returns
    -------
    dict of Tensor
        Two windows, the second one shorter and without a past.

    Examples
    --------
    >>> example_batch(NeuroformerConfig.preset("tiny"))["id"]
    tensor([[ 1,  3, 10, 17, 24,  2],
            [ 1,  3, 10,  2,  0,  0]])
    """
    generator = torch.Generator("cpu").manual_seed(0)
    order = torch.arange(4, device="cpu").expand(2, 4)
    batch = {
        "id": _framed(order * 7 % config.n_units + FIRST),
        "step": _framed(order * config.n_steps // 4 + FIRST),
        "past_id": order * 5 % config.n_units + FIRST,
        "past_step": order * config.n_past_steps // 4 + FIRST,
    }
    for name in ("id", "step"):
        batch[name][1, 3:] = torch.tensor([EOS, PAD, PAD])
        batch[f"past_{name}"][1] = PAD
    for modality in config.modalities:
        batch[modality.name] = torch.randn(2, *modality.shape, generator=generator)
    if config.targets:
        batch["target"] = torch.randn(2, len(config.targets), generator=generator)
    return batch


def _framed(tokens: Tensor) -> Tensor:
    """Put tokens between a start and an end."""
    ends = torch.ones_like(tokens[:, :1])
    return torch.cat([SOS * ends, tokens, EOS * ends], dim=1)
