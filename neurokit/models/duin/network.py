"""Stage 1 of Du-IN: a VQ-VAE, whose codes are the vocabulary of the later stages."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from neurokit.models.duin.batches import subjects_of
from neurokit.models.duin.config import DuINConfig
from neurokit.models.duin.encoder import DuINEncoder
from neurokit.models.duin.spatial import SubjectLinear, by_subject, fill_padding
from neurokit.models.duin.stages import EncoderModel
from neurokit.models.duin.tokenizer import WaveformDecoder
from neurokit.models.duin.transformer import TimedTransformer
from neurokit.models.nn import VectorQuantizer
from neurokit.models.nn.kmeans import nearest, unit

__all__ = ["DuIN"]


class DuIN(EncoderModel):
    """Du-IN's tokenizer of intracranial recordings (Zheng et al. 2024, arXiv 2405.11459).

    An encoder turns each 100 ms of all channels into a token; a bottleneck takes it to a point
    on the unit sphere, which gives way to the nearest of K codes; and a decoder rebuilds the
    waveform from codes alone. The loss is

    L = mean (x - x̂)² + β ||h - sg[v]||²,

    for the z-scored waveform x, points h and codes v, which follow the points by an
    exponential moving average.

    Parameters
    ----------
    config : DuINConfig
        Settings.

    Examples
    --------
    >>> model = DuIN(DuINConfig.preset("tiny")).eval()
    >>> model.codes(model.example()).shape
    torch.Size([2, 40])
    """

    quantizer: VectorQuantizer

    def __init__(self, config: DuINConfig) -> None:
        super().__init__(config)
        self.encoder = DuINEncoder(config)
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(config.seed + 1)
            self._build_bottleneck(config)
            self.decoder = TimedTransformer(config, config.decoder_depth)
            n_decoders = config.n_subjects if config.own_tokenizers else 1
            self.waveforms = nn.ModuleList(WaveformDecoder(config) for _ in range(n_decoders))
            self.readout = SubjectLinear(
                config.n_subjects, config.decoder_filters[-1], config.n_channels
            )

    def _build_bottleneck(self, config: DuINConfig) -> None:
        width, code = config.width, config.code_width
        self.down = nn.Sequential(nn.Linear(width, width), nn.Tanh(), nn.Linear(width, code))
        self.quantizer = VectorQuantizer(
            config.n_codes,
            code,
            metric="cosine",
            ema=config.ema,
            commitment=config.commitment,
            seed=config.seed,
        )
        self.up = nn.Sequential(nn.LayerNorm(code), nn.Linear(code, width))

    def forward(self, batch: dict[str, Tensor]) -> tuple[Tensor, Tensor, Tensor]:
        """Encode windows, quantise them, and rebuild them from their codes.

        Parameters
        ----------
        batch : dict of Tensor
            ``x`` (window, time, channel) in z-scores, padded to the largest montage; with
            several subjects ``subject`` (window,).

        Returns
        -------
        waveform : Tensor, shape (window, time, channel)
            The reconstruction, in z-scores.
        codes : Tensor of int, shape (window, token)
            The code of each token.
        loss : Tensor
            Of the quantiser.

        Examples
        --------
        >>> model = DuIN(DuINConfig.preset("tiny")).eval()
        >>> waveform, codes, loss = model({"x": torch.zeros(2, 300, 1)})
        >>> waveform.shape, codes.shape
        (torch.Size([2, 300, 1]), torch.Size([2, 3]))
        """
        quantized, codes, loss = self.quantizer(self.down(self.encoder(batch)))
        return self.decode(quantized, subjects_of(batch, self.config)), codes, loss

    def decode(self, quantized: Tensor, subject: Tensor) -> Tensor:
        """Rebuild windows from code vectors.

        Parameters
        ----------
        quantized : Tensor, shape (window, token, code feature)
            What ``quantizer.lookup`` gives.
        subject : Tensor of int, shape (window,)
            Which subject each window is of.

        Returns
        -------
        Tensor, shape (window, time, channel)
            In z-scores; what stands in the padding of a smaller montage means nothing.

        Examples
        --------
        >>> model = DuIN(DuINConfig.preset("tiny")).eval()
        >>> vectors = model.quantizer.lookup(torch.tensor([[3, 1, 4]]))
        >>> model.decode(vectors, torch.tensor([0])).shape
        torch.Size([1, 300, 1])
        """
        tokens = self.decoder(self.up(quantized))
        if len(self.waveforms) == 1:
            virtual = self.waveforms[0](tokens)
        else:
            virtual = by_subject(self.waveforms, tokens, subject)
        return self.readout(virtual, subject).transpose(1, 2)

    def loss(self, batch: dict[str, Tensor]) -> dict[str, Tensor]:
        """Compute what training minimises.

        Parameters
        ----------
        batch : dict of Tensor
            As in :meth:`forward`.

        Returns
        -------
        dict of Tensor
            ``loss``; its parts, ``reconstruction`` (mean squared error over the channels that
            a subject has) and ``quantizer_loss``; and ``perplexity`` and ``used_codes``, of
            recent training, or in evaluation mode of this batch.

        Examples
        --------
        >>> model = DuIN(DuINConfig.preset("tiny")).eval()
        >>> sorted(model.loss(model.example()))
        ['loss', 'perplexity', 'quantizer_loss', 'reconstruction', 'used_codes']
        """
        waveform, codes, quantizer_loss = self(batch)
        error = (waveform.float() - batch["x"]).transpose(1, 2)
        subject, n_channels = subjects_of(batch, self.config), self.encoder.n_channels
        if len(set(self.config.channels)) > 1:
            error = fill_padding(error, subject, n_channels)
        reconstruction = error.square().sum() / (n_channels[subject].sum() * error.shape[2])
        return {
            "loss": reconstruction + quantizer_loss,
            "reconstruction": reconstruction,
            "quantizer_loss": quantizer_loss,
            **self.quantizer.statistics(None if self.training else codes),
        }

    def codes(self, batch: dict[str, Tensor]) -> Tensor:
        """Return the code of each token.

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
        >>> model = DuIN(DuINConfig.preset("tiny")).eval()
        >>> model.codes({"x": torch.zeros(2, 300, 1)}).shape
        torch.Size([2, 3])
        """
        # The quantiser itself would learn from them in training mode.
        directions = unit(self.down(self.encoder(batch)).float())
        found = nearest(directions.flatten(0, 1), self.quantizer.codebook, cosine=True)
        return found.view(directions.shape[:2])
