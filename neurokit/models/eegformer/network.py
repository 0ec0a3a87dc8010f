"""Encoder, codebook and decoder of EEGFormer."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

from neurokit.errors import DataError
from neurokit.models.eegformer.checks import check_windows
from neurokit.models.eegformer.config import EEGFormerConfig
from neurokit.models.eegformer.objective import pretraining_loss
from neurokit.models.eegformer.spectrum import SpectralPatches
from neurokit.models.nn import (
    Classifier,
    LearnedPositions,
    Pretrained,
    TransformerEncoder,
    VectorQuantizer,
    random_mask,
)
from neurokit.models.nn.kmeans import nearest

__all__ = ["EEGFormer", "Reconstruction"]

Batch = dict[str, Tensor]


class Reconstruction(NamedTuple):
    """What the decoder makes of windows, and what it should have made.

    Attributes
    ----------
    target, estimate : Tensor, shape (window, channel, patch, value)
        Standardised amplitudes: 0 is the mean of the training data.
    codes : Tensor of int64, shape (window, channel, patch)
        The code words in between.
    quantizer_loss : Tensor, shape ()
        What keeps encoder and codes together.
    """

    target: Tensor
    estimate: Tensor
    codes: Tensor
    quantizer_loss: Tensor


class EEGFormer(Pretrained):
    """Vector-quantised transformer of EEG (Chen et al. 2024, arXiv 2401.10278).

    The amplitude spectrum of each channel of a window is cut into patches, encoded, each patch
    replaced by the nearest of K code words, and decoded; training minimises the error of that,
    ‖x̂ - x‖² + ‖sg[H] - V‖² + β ‖H - sg[V]‖², with encodings H, their codes V, and sg[] a
    constant to the gradient. Channels are independent and share all weights, so that any
    montage will do.

    Parameters
    ----------
    config : EEGFormerConfig
        Settings.

    Examples
    --------
    >>> model = EEGFormer(EEGFormerConfig.preset("tiny"))
    >>> batch = model.example()
    >>> batch["x"].shape, model.codes(batch).shape
    (torch.Size([2, 640, 3]), torch.Size([2, 3, 20]))
    """

    config_class = EEGFormerConfig
    config: EEGFormerConfig

    def __init__(self, config: EEGFormerConfig) -> None:
        super().__init__(config)
        width, hidden = config.width, 4 * config.width
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(config.seed)
            self.patches = SpectralPatches(config)
            self.embedding = nn.Linear(config.n_values, width)
            self.positions = LearnedPositions(config.n_patches, width)
            self.encoder = TransformerEncoder(
                config.encoder_blocks, width, config.n_heads, hidden, dropout=config.dropout
            )
            self.quantizer = VectorQuantizer(
                config.n_codes,
                width,
                ema=config.ema,
                commitment=config.commitment,
                kmeans_batches=config.kmeans_batches,
                revive_after=config.revive_after,
                seed=config.seed,
            )
            self.decoder_positions = LearnedPositions(config.n_patches, width)
            self.decoder = TransformerEncoder(
                config.decoder_blocks, width, config.n_heads, hidden, dropout=config.dropout
            )
            self.readout = nn.Linear(width, config.n_values)
            if config.mask_fraction:
                self.unseen = nn.Parameter(torch.zeros(width))

    def forward(self, batch: Batch) -> Reconstruction:
        """Pass windows through encoder, codebook and decoder.

        Parameters
        ----------
        batch : dict of Tensor
            ``x`` (window, time, channel), in the configuration's unit.

        Returns
        -------
        Reconstruction
            Patches, their estimates, and the code words.

        Raises
        ------
        DataError
            Windows of another shape.

        Examples
        --------
        >>> model = EEGFormer(EEGFormerConfig.preset("tiny"))
        >>> model(model.example()).target.shape
        torch.Size([2, 3, 20, 32])
        """
        channels = self._channels(batch)
        target = self.patches(batch["x"])
        tokens = self._embedded(target)
        if self.training and self.config.mask_fraction:
            tokens = self._masked(tokens)
        encoded = self.encoder(self.positions(tokens))
        quantized, codes, loss = self.quantizer(encoded)
        estimate = self.readout(self.decoder(self.decoder_positions(quantized)))
        per_channel = (-1, channels)
        return Reconstruction(
            target.unflatten(0, per_channel),
            estimate.unflatten(0, per_channel),
            codes.unflatten(0, per_channel),
            loss,
        )

    def loss(self, batch: Batch) -> dict[str, Tensor]:
        """Compute what pretraining minimises, and what tells how it goes.

        Parameters
        ----------
        batch : dict of Tensor
            ``x`` (window, time, channel), in the configuration's unit.

        Returns
        -------
        dict of Tensor
            See :func:`~neurokit.models.eegformer.objective.pretraining_loss`; and
            ``perplexity`` and ``used_codes``, of recent training, or in evaluation mode of this
            batch.

        Examples
        --------
        >>> model = EEGFormer(EEGFormerConfig.preset("tiny"))
        >>> sorted(model.loss(model.example()))
        ['loss', 'perplexity', 'quantizer_loss', 'r2', 'reconstruction', 'used_codes']
        """
        found = self(batch)
        parts = pretraining_loss(found.target, found.estimate, found.quantizer_loss)
        return {**self.quantizer.statistics(None if self.training else found.codes), **parts}

    def encode_patches(self, batch: Batch) -> Tensor:
        """Return the encoder's output, before the codebook.

        Parameters
        ----------
        batch : dict of Tensor
            ``x`` (window, time, channel), in the configuration's unit.

        Returns
        -------
        Tensor, shape (window, channel, patch, feature)
            One vector a patch.

        Examples
        --------
        >>> model = EEGFormer(EEGFormerConfig.preset("tiny"))
        >>> model.encode_patches(model.example()).shape
        torch.Size([2, 3, 20, 64])
        """
        channels = self._channels(batch)
        tokens = self.encoder(self.positions(self._embedded(self.patches(batch["x"]))))
        return tokens.unflatten(0, (-1, channels))

    def represent(self, batch: Batch) -> Tensor:
        """Return what a linear probe or a classification head reads: the encoder's output.

        Features of all patches lie side by side, since a patch is a frequency band, or a time;
        the mean over patches would mix them. The mean over channels, which heads and probes
        take, goes with any montage.

        Parameters
        ----------
        batch : dict of Tensor
            ``x`` (window, time, channel), in the configuration's unit.

        Returns
        -------
        Tensor, shape (window, channel, patch * feature)
            One vector a channel.

        Examples
        --------
        >>> model = EEGFormer(EEGFormerConfig.preset("tiny"))
        >>> model.represent(model.example()).shape
        torch.Size([2, 3, 1280])
        """
        return self.encode_patches(batch).flatten(2)

    def codes(self, batch: Batch) -> Tensor:
        """Return the code words of windows.

        Parameters
        ----------
        batch : dict of Tensor
            ``x`` (window, time, channel), in the configuration's unit.

        Returns
        -------
        Tensor of int64, shape (window, channel, patch)
            Numbers from 0 to ``n_codes - 1``; ``config.patch_bounds`` says where patches lie.

        Examples
        --------
        >>> model = EEGFormer(EEGFormerConfig.preset("tiny"))
        >>> model.codes(model.example()).shape
        torch.Size([2, 3, 20])
        """
        # The quantiser itself would learn from them in training mode.
        tokens = self.encode_patches(batch).float()
        found = nearest(tokens.flatten(0, 2), self.quantizer.codebook)
        return found.view(tokens.shape[:3])

    def check(self, win: Any) -> None:
        """Raise one clear error where windows do not fit the model.

        Parameters
        ----------
        win : Windows
            Of one stream; see :func:`~neurokit.models.eegformer.checks.check_windows`.

        Examples
        --------
        >>> import neurokit as nk
        >>> x = 1e-5 * torch.randn(1280, 19).numpy()
        >>> rec = nk.Recording.from_array(x, 128, stream="eeg")
        >>> win = nk.windows.sliding(rec, stream="eeg", length=5)
        >>> EEGFormer(EEGFormerConfig.preset("tiny")).check(win)
        """
        check_windows(win, self.config)

    def classifier(self, classes: Sequence[str], **head: Any) -> Classifier:
        """Put a classification head on the encoder, to be fine-tuned or trained from scratch.

        Parameters
        ----------
        classes : sequence of str
            Names of the classes.
        **head
            Options of :class:`~neurokit.models.nn.Classifier`. By default the mean over channels
            is classified. ``pool="flatten"`` tells channels apart, which then must be the same
            ones always; without :func:`~neurokit.training.finetune`, which knows the windows,
            it needs ``n_features``: channels * patches * width.

        Returns
        -------
        Classifier
            This model with a head.

        Examples
        --------
        >>> model = EEGFormer(EEGFormerConfig.preset("tiny"))
        >>> model.classifier(["rest", "task"])(model.example()).shape
        torch.Size([2, 2])
        """
        return Classifier(self, classes, **head)

    def example(self) -> Batch:
        """Return two windows of three channels of noise over a 10-Hz rhythm.

        Returns
        -------
        dict of Tensor
            ``x`` (window, time, channel), in the configuration's unit; always the same.

        Examples
        --------
        >>> model = EEGFormer(EEGFormerConfig.preset("tiny"))
        >>> model.example()["x"].shape
        torch.Size([2, 640, 3])
        """
        generator = torch.Generator().manual_seed(0)
        noise = torch.randn(2, self.config.n_samples, 3, generator=generator)
        time = torch.arange(self.config.n_samples) / self.config.sampling_rate
        x = 10 * noise + 20 * torch.sin(2 * torch.pi * 10 * time)[:, None]
        return {"x": x / self.patches.microvolts}

    def _embedded(self, patches: Tensor) -> Tensor:
        # Spectra are in single precision whatever that of the weights is.
        return self.embedding(patches.to(self.embedding.weight.dtype))

    def _masked(self, tokens: Tensor) -> Tensor:
        batch, n, _ = tokens.shape
        hidden = random_mask(batch, n, self.config.mask_fraction, device=tokens.device)
        return torch.where(hidden[..., None], self.unseen.to(tokens.dtype), tokens)

    def _channels(self, batch: Batch) -> int:
        x = batch["x"]
        if x.ndim != 3 or x.shape[1] != self.config.n_samples or not x.numel():
            raise DataError(
                f"Expected x of shape (window, {self.config.n_samples} samples, channel); got "
                f"{tuple(x.shape)}."
            )
        return x.shape[2]
