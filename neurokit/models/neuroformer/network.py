"""The network of Neuroformer: spikes one after another, given the past and the world."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn

from neurokit import training
from neurokit.errors import DataError
from neurokit.models.neuroformer import generation
from neurokit.models.neuroformer.behaviour import TargetHead
from neurokit.models.neuroformer.body import Body, Context
from neurokit.models.neuroformer.checks import check_labels, check_windows
from neurokit.models.neuroformer.config import NeuroformerConfig
from neurokit.models.neuroformer.connectivity import estimate_connectivity
from neurokit.models.neuroformer.contrastive import JointSpace
from neurokit.models.neuroformer.examples import example_batch
from neurokit.models.neuroformer.growth import grow
from neurokit.models.neuroformer.objective import Prediction, training_losses
from neurokit.models.nn import Packing, Pretrained
from neurokit.windows.spike_tokens import EOS, FIRST, PAD

__all__ = ["Neuroformer", "Prediction"]

Batch = Mapping[str, Tensor]


class Neuroformer(Pretrained):
    """Autoregressive transformer of spikes, stimulus and behaviour (Antoniades et al., ICLR 2024).

    A spike is a token of two parts, its unit and its step of time. The spikes of a window read
    one another by causal self-attention, then in turn the spikes of the past window and each
    modality; two heads say which unit fires next, and when, or that the window ends. Training
    minimises 0.6 × the cross-entropy of units + 0.4 × that of steps; with the contrastive stage
    3/4 of that and 1/4 of the contrastive loss; and the loss of behavioural targets is added.

    Behaviour is read by :func:`read_behaviour` and scored by :func:`score_behaviour`; a new head
    for it is given by :func:`with_targets`. :func:`held_out_likelihood` compares the model with
    regressions. Three functions are methods too: ``fit`` is :func:`neurokit.training.fit`,
    ``generate`` is :func:`~neurokit.models.neuroformer.generation.generate`, and
    ``connectivity`` is
    :func:`~neurokit.models.neuroformer.connectivity.estimate_connectivity`.

    Parameters
    ----------
    config : NeuroformerConfig
        Settings.

    Examples
    --------
    >>> from neurokit import Recording
    >>> from neurokit.windows import spike_windows
    >>> rec = Recording.from_spikes([0.11, 0.35, 0.62], [4, 7, 4], duration=1.0)
    >>> win = spike_windows(rec, length=0.1, history=0.2)
    >>> model = Neuroformer(NeuroformerConfig.of(win, targets=("speed",))).eval()
    >>> model.check(win), model.check_labels(win)
    (None, None)
    >>> model.generate(win, seed=1).meta["generated"]["seed"]
    1
    >>> model.connectivity(win)["source"].values
    array([4, 7])
    >>> batch = model.example()
    >>> [tuple(part.shape) for part in model.forward(batch)]
    [(2, 6, 5), (2, 6, 13), (2, 1)]
    >>> assert sorted(model.loss(batch)) == ["id_loss", "loss", "step_loss", "target_loss"]
    >>> model.represent(batch).shape, model.read_target(batch).shape, model.respond(batch).shape
    (torch.Size([2, 64]), torch.Size([2, 1]), torch.Size([2, 6, 19]))
    >>> hidden, context = model.hidden(batch), model.context(batch)
    >>> list(context), model.id_logits(hidden).shape[-1], model.step_logits(hidden).shape[-1]
    (['past'], 5, 13)
    >>> model.history_attention(batch).shape  # layer, window, token, spike of the past
    torch.Size([1, 2, 6, 4])
    >>> model.extend([("", 4), ("", 7), ("tuesday", 4)]).config.n_units
    3
    """

    config_class = NeuroformerConfig
    config: NeuroformerConfig

    fit = training.fit
    generate = generation.generate
    connectivity = estimate_connectivity

    def __init__(self, config: NeuroformerConfig) -> None:
        super().__init__(config)
        with torch.random.fork_rng(devices=[]):
            torch.default_generator.manual_seed(config.seed)
            self.body = Body(config)
            self.id_head = nn.Linear(config.width, config.n_ids)
            self.step_head = nn.Linear(config.width, config.n_steps + FIRST)
            self.target_head = TargetHead(config) if config.targets else None
            self.joint = JointSpace(config) if config.contrastive else None

    def forward(self, batch: Batch) -> Prediction:
        """Predict each next token, and behaviour.

        Parameters
        ----------
        batch : dict of Tensor
            ``id`` and ``step`` (window, token), ``past_id`` and ``past_step`` (window, spike),
            and each modality under its name; see :func:`neurokit.windows.spike_windows`.

        Returns
        -------
        Prediction
            Those at padding mean nothing.
        """
        hidden = self.hidden(batch)
        id = batch["id"]
        following = torch.cat([id[:, 1:], torch.full_like(id[:, :1], PAD)], dim=1)
        target = None if self.target_head is None else self.target_head.read(_mean(hidden, id))
        return Prediction(self.id_logits(hidden), self.step_logits(hidden, following), target)

    def loss(self, batch: Batch) -> dict[str, Tensor]:
        """Compute what training minimises, and its parts.

        Parameters
        ----------
        batch : dict of Tensor
            As in :meth:`forward`, and ``target`` (window, target) if there are targets: NaN
            where a window has no label.

        Returns
        -------
        dict of Tensor
            ``loss``; ``id_loss`` and ``step_loss``, in nats a token; ``contrastive_loss`` and
            ``target_loss`` where there are such. All are means over the tokens, pairs or labels
            of the batch; where a batch is computed in pieces, their means are weighted by windows.
        """
        return training_losses(self, batch)

    def hidden(self, batch: Batch) -> Tensor:
        """Compute what the heads read.

        Parameters
        ----------
        batch : dict of Tensor
            As in :meth:`forward`.

        Returns
        -------
        Tensor, shape (window, token, width)
            Zero at padding.
        """
        packing = Packing(batch["id"] != PAD)
        state = self.body.state_of(batch["id"], batch["step"], packing)
        return packing.pad(self.body.fused(state, packing, self.context(batch)))

    def represent(self, batch: Batch) -> Tensor:
        """Represent each window by the mean over its tokens.

        Parameters
        ----------
        batch : dict of Tensor
            As in :meth:`forward`.

        Returns
        -------
        Tensor, shape (window, width)
            The mean over the start and the spikes.
        """
        return _mean(self.hidden(batch), batch["id"])

    def read_target(self, batch: Batch) -> Tensor:
        """Read behaviour out.

        Parameters
        ----------
        batch : dict of Tensor
            As in :meth:`forward`.

        Returns
        -------
        Tensor, shape (window, target)
            In the unit of the targets; with classes the mean over bins by their probabilities.

        Raises
        ------
        DataError
            A model without targets.
        """
        if self.target_head is None:
            raise DataError("This Neuroformer has no targets. Name some in its configuration.")
        return self.target_head.read(self.represent(batch))

    def context(self, batch: Batch) -> Context:
        """Compute what spikes will read of the past and of the modalities.

        Parameters
        ----------
        batch : dict of Tensor
            ``past_id``, ``past_step`` and the modalities.

        Returns
        -------
        dict of list of Memory
            Keys and values for each block, by what they are of.
        """
        return self.body.context(batch, self.body.modality_tokens(batch))

    def id_logits(self, hidden: Tensor) -> Tensor:
        """Score the units that may fire next.

        Parameters
        ----------
        hidden : Tensor, shape (..., width)
            From :meth:`hidden` or :meth:`decode`.

        Returns
        -------
        Tensor, shape (..., n_units + 3)
            Logits, the first three of padding, start and end.
        """
        return self.id_head(hidden)

    def step_logits(self, hidden: Tensor, id: Tensor | None = None) -> Tensor:
        """Score the steps at which it may fire.

        Parameters
        ----------
        hidden : Tensor, shape (..., width)
            From :meth:`hidden` or :meth:`decode`.
        id : Tensor of int64, shape (...), optional
            The unit that fires; read only by a model with ``step_given_id``.

        Returns
        -------
        Tensor, shape (..., n_steps + 3)
            Logits, the first three of padding, start and end.

        Raises
        ------
        DataError
            No unit, where the step depends on it.
        """
        if self.config.step_given_id:
            if id is None:
                raise DataError("In this model the step depends on the unit. Give id.")
            hidden = hidden + self.body.embedding.unit(id)
        return self.step_head(hidden)

    @torch.no_grad()
    def history_attention(self, batch: Batch) -> Tensor:
        """Tell how much each token reads each spike of the past.

        Parameters
        ----------
        batch : dict of Tensor
            As in :meth:`forward`.

        Returns
        -------
        Tensor, shape (layer, window, token, spike)
            Means over heads; row i is of the token that predicts token i + 1. Its sum is below
            1: the rest is read of the start of the past.

        Raises
        ------
        DataError
            A model that reads no past.
        """
        if not self.config.history_layers:
            raise DataError("This Neuroformer reads no past: it has no history_layers.")
        return self.body.history_weights(batch)

    def extend(self, vocabulary: Any) -> Neuroformer:
        """Learn of more units, such as those of another session.

        Vectors and scores of the units that are known stay; new ones start at random, scored
        as the mean of the others.

        Parameters
        ----------
        vocabulary : Vocabulary or sequence of (str, int)
            The units of the model in their order, then the new ones.

        Returns
        -------
        Neuroformer
            Itself.

        Raises
        ------
        DataError
            A vocabulary that does not begin with the model's.
        """
        return grow(self, vocabulary)

    def check(self, win: Any) -> None:
        """Raise one clear error if windows do not fit.

        Parameters
        ----------
        win : SpikeWindows
            What the model is to be given.
        """
        check_windows(self.config, win)

    def check_labels(self, win: Any) -> None:
        """Raise one clear error if labels are none that the model can learn.

        Parameters
        ----------
        win : SpikeWindows
            What the model is to be trained on.
        """
        check_labels(self.config, win)

    def example(self) -> dict[str, Tensor]:
        """Make a small batch, always the same one.

        Returns
        -------
        dict of Tensor
            Two windows, the second one shorter and without a past.
        """
        return example_batch(self.config)

    def respond(self, batch: Batch) -> Tensor:
        """Compute the logits of units; compared on load.

        Parameters
        ----------
        batch : dict of Tensor
            From :meth:`example`.

        Returns
        -------
        Tensor, shape (window, token, choice)
            Logits of units, then of steps, then targets, side by side.
        """
        found = self(batch)
        parts = [found.id_logits, found.step_logits]
        if found.target is not None:
            parts.append(found.target[:, None].expand(-1, parts[0].shape[1], -1))
        return torch.cat(parts, dim=-1)


def _mean(hidden: Tensor, id: Tensor) -> Tensor:
    """Average over the tokens that predict another one: the start, and the spikes."""
    there = ((id != PAD) & (id != EOS)).unsqueeze(-1).to(hidden.dtype)
    return (hidden * there).sum(dim=1) / there.sum(dim=1).clamp(min=1)
