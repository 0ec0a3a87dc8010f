"""Stage 2 of Du-IN: guess the code of each token that was hidden."""

from __future__ import annotations

import dataclasses
from typing import Any, Self

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from neurokit import arguments
from neurokit.errors import DataError
from neurokit.models.duin.batches import subjects_of
from neurokit.models.duin.config import DuINConfig
from neurokit.models.duin.encoder import DuINEncoder
from neurokit.models.duin.network import DuIN
from neurokit.models.duin.spatial import SubjectLinear
from neurokit.models.duin.stages import EncoderModel
from neurokit.models.nn import random_mask

__all__ = ["DuINMasked"]

# What may differ between the tokenizer and the model that learns to predict its codes.
FREE = ("seed", "dropout", "mask_fraction", "visible_fraction", "shift", "n_samples")


class DuINMasked(EncoderModel):
    """Masked-code modelling of intracranial recordings (Zheng et al. 2024, arXiv 2405.11459).

    Half of the tokens are replaced by a learned vector, and in a second copy of the window the
    other half. From what is left, the code that a frozen :class:`DuIN` gave each hidden token
    is predicted,

    L = - mean log p(c_i | x outside M) over i in M and log p(c_i | x in M) over i outside M,

    so that each token is guessed once. Both copies are one batch, and the head sees hidden
    tokens alone.

    Parameters
    ----------
    config : DuINConfig
        Settings; those of the tokenizer, but for what concerns training alone (dropout,
        mask_fraction, visible_fraction, shift), n_samples and seed.
    tokenizer : DuIN, optional
        A trained one. It is kept inside, frozen, and saved with the model. Without one the codes
        are those of an untrained one, to be replaced by loading weights.

    Examples
    --------
    >>> config = DuINConfig.preset("tiny")
    >>> model = DuINMasked(config, tokenizer=DuIN(config))
    >>> sorted(model.loss(model.example()))
    ['accuracy', 'loss']
    """

    head: SubjectLinear | nn.Linear

    def __init__(self, config: DuINConfig, tokenizer: DuIN | None = None) -> None:
        super().__init__(config)
        self.tokenizer = DuIN(config) if tokenizer is None else _fitting(tokenizer, config)
        self.tokenizer.requires_grad_(False).eval()
        self.encoder = DuINEncoder(config)
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(config.seed + 2)
            self.hidden_token = nn.Parameter(torch.empty(config.width))
            nn.init.trunc_normal_(self.hidden_token, std=0.02)
            if config.own_tokenizers:
                self.head = SubjectLinear(config.n_subjects, config.width, config.n_codes)
            else:
                self.head = nn.Linear(config.width, config.n_codes)

    def train(self, mode: bool = True) -> Self:
        """Set training or evaluation mode; the tokenizer stays in evaluation mode.

        Parameters
        ----------
        mode : bool
            Whether to train.

        Returns
        -------
        Self
            The model.

        Examples
        --------
        >>> model = DuINMasked(DuINConfig.preset("tiny"))
        >>> model.train().tokenizer.training
        False
        """
        super().train(mode)
        self.tokenizer.eval()
        return self

    def forward(self, batch: dict[str, Tensor], mask: Tensor | None = None) -> Tensor:
        """Predict the code of each token, from the copy of the window where it is hidden.

        Parameters
        ----------
        batch : dict of Tensor
            ``x`` (window, time, channel) in z-scores; with several subjects ``subject``.
        mask : Tensor of bool, shape (window, token), optional
            Tokens hidden in the first copy; those of the second are the others. By default
            nothing is hidden, and there is one copy.

        Returns
        -------
        Tensor, shape (window, token, code)
            Logits.

        Examples
        --------
        >>> model = DuINMasked(DuINConfig.preset("tiny"))
        >>> model({"x": torch.zeros(2, 300, 1)}).shape
        torch.Size([2, 3, 64])
        """
        tokens = self.encoder.tokens(batch)
        return self.predict(tokens, mask, subjects_of(batch, self.config))

    def predict(self, tokens: Tensor, mask: Tensor | None, subject: Tensor) -> Tensor:
        """Predict codes from tokens, some of which are hidden.

        Parameters
        ----------
        tokens : Tensor, shape (window, token, feature)
            From ``encoder.tokens``.
        mask : Tensor of bool, shape (window, token), optional
            As in :meth:`forward`.
        subject : Tensor of int, shape (window,)
            Which subject each window is of.

        Returns
        -------
        Tensor, shape (window, token, code)
            Logits.

        Examples
        --------
        >>> model = DuINMasked(DuINConfig.preset("tiny"))
        >>> tokens, hidden = torch.zeros(2, 3, 80), torch.tensor([[True, False, False]] * 2)
        >>> model.predict(tokens, hidden, torch.tensor([0, 0])).shape
        torch.Size([2, 3, 64])
        """
        if mask is None:
            seen = self.encoder.contextualize(tokens)
        else:
            at = mask[..., None]
            hidden = self.hidden_token.to(tokens.dtype)
            if self.training and self.config.visible_fraction:
                left = torch.rand(mask.shape, device=mask.device) < self.config.visible_fraction
                hidden = torch.where(left[..., None], tokens, hidden)
            both = torch.cat([torch.where(at, hidden, tokens), torch.where(at, tokens, hidden)])
            first, second = self.encoder.contextualize(both).chunk(2)
            # Of its two copies each token is taken from that in which it was hidden.
            seen = torch.where(at, first, second)
        if isinstance(self.head, SubjectLinear):
            return self.head(seen.transpose(1, 2), subject).transpose(1, 2)
        return self.head(seen)

    def loss(self, batch: dict[str, Tensor]) -> dict[str, Tensor]:
        """Compute what training minimises.

        Parameters
        ----------
        batch : dict of Tensor
            As in :meth:`forward`; with ``codes`` where :meth:`constants` has been asked before.

        Returns
        -------
        dict of Tensor
            ``loss``, the cross-entropy in nats a hidden token, and ``accuracy``.

        Examples
        --------
        >>> model = DuINMasked(DuINConfig.preset("tiny"))
        >>> loss = model.loss(model.example())["loss"]
        >>> bool(loss > 3.5)  # ln 64 is 4.2
        True
        """
        codes = batch["codes"] if "codes" in batch else self.codes(batch)
        mask = random_mask(
            codes.shape[0], codes.shape[1], self.config.mask_fraction, device=codes.device
        )
        logits = self(batch, mask)
        return {
            "loss": F.cross_entropy(logits.flatten(0, 1).float(), codes.flatten()),
            "accuracy": (logits.argmax(dim=-1) == codes).float().mean(),
        }

    def constants(self, batch: dict[str, Tensor]) -> dict[str, Tensor]:
        """Return what the loss needs and training does not change: the codes of the tokens.

        :func:`neurokit.training.fit` asks for them once a window, and not in every epoch.

        Parameters
        ----------
        batch : dict of Tensor
            As in :meth:`forward`.

        Returns
        -------
        dict of Tensor
            ``codes`` (window, token).

        Examples
        --------
        >>> model = DuINMasked(DuINConfig.preset("tiny"))
        >>> model.constants({"x": torch.zeros(2, 300, 1)})["codes"].shape
        torch.Size([2, 3])
        """
        return {"codes": self.codes(batch)}

    @torch.no_grad()
    def codes(self, batch: dict[str, Tensor]) -> Tensor:
        """Return the code that the frozen tokenizer gives each token.

        Parameters
        ----------
        batch : dict of Tensor
            As in :meth:`forward`.

        Returns
        -------
        Tensor of int, shape (window, token)
            From 0 to ``n_codes - 1``.

        Examples
        --------
        >>> model = DuINMasked(DuINConfig.preset("tiny"))
        >>> model.codes({"x": torch.zeros(2, 300, 1)}).shape
        torch.Size([2, 3])
        """
        # In half precision tokens between two codes would change sides.
        with torch.autocast(batch["x"].device.type, enabled=False):
            return self.tokenizer.codes(batch)

    def check(self, win: Any) -> None:
        """Raise one clear error if windows do not fit the model, or its codes mean nothing.

        Parameters
        ----------
        win : Windows
            What the model is to be trained on or applied to.

        Raises
        ------
        DataError, UnknownNameError
            As :meth:`DuINEncoder.check` does; and a tokenizer that was not trained.

        Examples
        --------
        >>> DuINMasked(DuINConfig.preset("tiny")).check(None)
        Traceback (most recent call last):
        neurokit.errors.DataError: The tokenizer was not trained, so that its codes are ...
        """
        if not self.tokenizer.quantizer.usage.any():
            raise DataError(
                "The tokenizer was not trained, so that its codes are random ones. Train a DuIN "
                "first, and give it as tokenizer=."
            )
        super().check(win)


def _fitting(tokenizer: DuIN, config: DuINConfig) -> DuIN:
    """Return a tokenizer whose tokens are those of the model."""
    arguments.instance("tokenizer", tokenizer, DuIN, "a DuIN trained in stage 1")
    ours, theirs = dataclasses.asdict(config), dataclasses.asdict(tokenizer.config)
    other = [f"{k} {theirs[k]!r}, not {ours[k]!r}" for k in ours if ours[k] != theirs[k]]
    other = [told for told in other if told.split()[0] not in FREE]
    if other:
        raise DataError(
            f"The tokenizer has other settings: {'; '.join(other)}. Try DuINMasked("
            "tokenizer.config, tokenizer=tokenizer)."
        )
    return tokenizer
