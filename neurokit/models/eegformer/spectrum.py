"""From windows of volts to the patches that EEGFormer reads: spectra, standardised."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

from neurokit.collectives import summed
from neurokit.models.eegformer.config import EEGFormerConfig
from neurokit.models.nn import patches
from neurokit.recording.schema import voltage_factor

__all__ = ["SpectralPatches", "amplitude_density"]

FLOOR = 0.01  # µV/√Hz, below the noise of any amplifier
ENOUGH = 16_384  # spectra, after which mean and spread of each bin are known to a percent


def amplitude_density(x: Tensor, sampling_rate: float, taper: bool = True) -> Tensor:
    """Return the amplitude spectral density of signals, without that at zero.

    Parameters
    ----------
    x : Tensor, shape (..., time)
        Signals; their mean is taken out.
    sampling_rate : float
        In Hz.
    taper : bool
        Whether a Hann window takes out the jump from the end of a signal to its beginning,
        which otherwise leaks from the large amplitudes of low frequencies to high ones.

    Returns
    -------
    Tensor, shape (..., time // 2)
        In the signals' unit per √Hz, of frequencies k * sampling_rate / time with k from 1. For
        white noise it depends neither on the taper nor on how long the signal is.

    Examples
    --------
    >>> time = torch.arange(100) / 100
    >>> int(amplitude_density(torch.sin(2 * torch.pi * 7 * time), 100).argmax()) + 1
    7
    """
    n = x.shape[-1]
    x = x - x.mean(dim=-1, keepdim=True)
    power = float(n)
    if taper:
        hann = torch.hann_window(n, device=x.device)
        x, power = x * hann, 3 * n / 8
    return torch.fft.rfft(x)[..., 1 : n // 2 + 1].abs() * math.sqrt(2 / (sampling_rate * power))


class SpectralPatches(nn.Module):
    """Windows as standardised patches of amplitude spectra, each channel for itself.

    With ``patch_domain="frequency"`` the spectrum of a window is cut into patches; with
    ``"time"`` a patch is the spectrum of a segment. Each frequency bin is standardised by mean
    and spread over the first spectra seen in training; thereafter, and in evaluation, they stay
    as they are. Before any was seen, spectra pass as they are.

    Parameters
    ----------
    config : EEGFormerConfig
        Settings of the model.

    Examples
    --------
    >>> cut = SpectralPatches(EEGFormerConfig.preset("tiny"))
    >>> cut(1e-5 * torch.randn(2, 640, 19)).shape
    torch.Size([38, 20, 32])
    """

    n_seen: Tensor
    mean: Tensor
    variance: Tensor

    def __init__(self, config: EEGFormerConfig) -> None:
        super().__init__()
        self.config = config
        self.microvolts = 1e6 * (voltage_factor(config.units) or 1.0)
        self.register_buffer("n_seen", torch.zeros((), dtype=torch.int64))
        self.register_buffer("mean", torch.zeros(config.n_bins))
        self.register_buffer("variance", torch.ones(config.n_bins))

    def forward(self, x: Tensor) -> Tensor:
        """Turn windows into patches.

        Parameters
        ----------
        x : Tensor, shape (window, time, channel)
            In the unit of the configuration.

        Returns
        -------
        Tensor, shape (window * channel, patch, value)
            The channels of a window follow each other.
        """
        config = self.config
        signal = x.float().transpose(1, 2).flatten(0, 1) * self.microvolts
        if config.patch_domain == "time":
            signal = patches(signal, config.patch_length, config.stride)
        bins = amplitude_density(signal, config.sampling_rate, config.taper)
        if config.log_amplitude:
            bins = (bins + FLOOR).log()
        if self.training:
            self.observe(bins.flatten(0, -2))
        bins = (bins - self.mean) * self.variance.clamp_min(1e-6).rsqrt()
        if config.patch_domain == "time":
            return bins
        return patches(bins, config.patch_length, config.stride)

    @torch.compiler.disable
    @torch.no_grad()
    def observe(self, bins: Tensor) -> None:
        """Take spectra into the statistics, until enough were seen.

        Parameters
        ----------
        bins : Tensor, shape (spectrum, bin)
            Of the training data.
        """
        before = int(self.n_seen)
        if before >= ENOUGH:
            return
        n = torch.tensor([float(len(bins))], device=bins.device)
        sums = summed(torch.cat([n, bins.sum(dim=0), bins.square().sum(dim=0)]))
        mean, square = (sums[1:] / sums[0]).to(self.mean.dtype).chunk(2)
        share = (sums[0] / (before + sums[0])).to(self.mean.dtype)
        # Chan, Golub & LeVeque 1983, equation 2.1: two sets' moments from those of each. The
        # spread of no spectra at all is there, but must not count.
        spread = share * (1 - share) * (mean - self.mean).square()
        self.variance.lerp_((square - mean.square()).clamp_min(0), share).add_(spread)
        self.mean.lerp_(mean, share)
        self.n_seen += int(sums[0])
