"""The body of Neuroformer: tokens that read one another, the past, and the world, in this order."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor, nn

from neurokit.models.neuroformer.config import NeuroformerConfig
from neurokit.models.neuroformer.embedding import SpikeEmbedding
from neurokit.models.neuroformer.fusion import FusionStack
from neurokit.models.neuroformer.modalities import encoder_of
from neurokit.models.nn import Packing
from neurokit.models.nn.cross_attention import Memory
from neurokit.windows.spike_tokens import PAD, SOS

__all__ = ["Body", "Context"]

Batch = Mapping[str, Tensor]
Context = dict[str, list[Memory]]


class Body(nn.Module):
    """All of a Neuroformer but its heads.

    Current self-attention → blocks of causal self-attention and cross-attention to the past →
    the same for each modality → final causal self-attention → layer norm.

    Parameters
    ----------
    config : NeuroformerConfig
        Settings.
    """

    def __init__(self, config: NeuroformerConfig) -> None:
        super().__init__()
        size = (config.width, config.n_heads, config.dropout)
        self.embedding = SpikeEmbedding(config)
        self.encoders = nn.ModuleDict({m.name: encoder_of(m, *size) for m in config.modalities})
        self.state = FusionStack(config.state_layers, *size, reads=False)
        self.history = FusionStack(config.history_layers, *size, reads=config.history_layers > 0)
        self.readers = nn.ModuleDict(
            {m.name: FusionStack(m.layers, *size, reads=True) for m in config.modalities}
        )
        self.final = FusionStack(config.final_layers, *size, reads=False)
        self.norm = nn.LayerNorm(config.width)

    def stacks(self) -> dict[str, FusionStack]:
        """List all stacks of blocks.

        Returns
        -------
        dict of FusionStack
            In the order in which tokens pass them, by what they read: ``"past"``, a modality,
            or ``"state"`` and ``"final"``, which read nothing else.
        """
        readers: dict[str, FusionStack] = dict(self.readers.items())  # type: ignore[arg-type]
        return {"state": self.state, "past": self.history, **readers, "final": self.final}

    def modality_tokens(self, batch: Batch) -> dict[str, Tensor]:
        """Encode modalities, before fusion.

        Parameters
        ----------
        batch : dict of Tensor
            With each modality under its name.

        Returns
        -------
        dict of Tensor, shape (window, token, width)
            By name.
        """
        return {name: encoder(batch[name]) for name, encoder in self.encoders.items()}

    def context(self, batch: Batch, tokens: Mapping[str, Tensor]) -> Context:
        """Compute what spikes will read.

        Parameters
        ----------
        batch : dict of Tensor
            ``past_id`` and ``past_step`` (window, spike).
        tokens : mapping of str to Tensor
            From :meth:`modality_tokens`.

        Returns
        -------
        dict of list of Memory
            Keys and values for each block, by what they are of.
        """
        context = self.past(batch) if self.history.blocks else {}
        for name in self.readers:
            context[name] = self.stacks()[name].remember(tokens[name])
        return context

    def past(self, batch: Batch) -> Context:
        """Compute what spikes will read of the past.

        Parameters
        ----------
        batch : dict of Tensor
            ``past_id`` and ``past_step`` (window, spike).

        Returns
        -------
        dict of list of Memory
            ``"past"``, keys and values for each block.
        """
        # A start in front: there is something to read in a past without spikes.
        start = torch.full_like(batch["past_id"][:, :1], SOS)
        id = torch.cat([start, batch["past_id"]], dim=1)
        step = torch.cat([start, batch["past_step"]], dim=1)
        packing = Packing(id != PAD)
        return {"past": self.history.remember(self.embedding.past(id, step, packing), packing)}

    def history_weights(self, batch: Batch) -> Tensor:
        """Compute how much each token reads each spike of the past.

        Parameters
        ----------
        batch : dict of Tensor
            ``id``, ``step``, ``past_id`` and ``past_step``.

        Returns
        -------
        Tensor, shape (layer, window, token, spike)
            Means over heads.
        """
        packing = Packing(batch["id"] != PAD)
        seen: list[Tensor] = []
        state = self.state_of(batch["id"], batch["step"], packing)
        self.history(state, packing, self.past(batch)["past"], seen=seen)
        return torch.stack(seen)[..., 1:]

    def state_of(self, id: Tensor, step: Tensor, packing: Packing) -> Tensor:
        """Let the tokens of windows read one another, and nothing else.

        Parameters
        ----------
        id, step : Tensor of int64, shape (window, token)
            Tokens.
        packing : Packing
            Where they are.

        Returns
        -------
        Tensor, shape (token, width)
            Features before fusion, packed.
        """
        place = torch.arange(id.shape[1], device=id.device).expand_as(id)
        x = self.embedding.current(*(packing.pack(part) for part in (id, step, place)))
        return self.state(x, packing)

    def fused(self, x: Tensor, packing: Packing, context: Context) -> Tensor:
        """Let them read all else.

        Parameters
        ----------
        x : Tensor, shape (token, width)
            From :meth:`state_of`.
        packing : Packing
            Where they are.
        context : dict of list of Memory
            From :meth:`context`.

        Returns
        -------
        Tensor, shape (token, width)
            What the heads read, packed.
        """
        for name, stack in list(self.stacks().items())[1:]:
            x = stack(x, packing, context.get(name))
        return self.norm(x)
