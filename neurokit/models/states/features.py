"""Shapes of spectra and geometry of covariances: what a state subspace is chosen from."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import scipy.signal
import torch
from torch import Tensor, nn

from neurokit.models.states.config import StateSubspaceConfig
from neurokit.recording.schema import voltage_factor

__all__ = ["StateFeatures", "log_matrix"]

TAPER = 0.2  # share of a window that is faded in and out
FLOOR = 1e-6  # µV²/Hz, below the noise of any amplifier


def log_matrix(matrix: Tensor) -> Tensor:
    """Take the logarithm of positive definite matrices.

    Parameters
    ----------
    matrix : Tensor, shape (..., n, n)
        Symmetric, with positive eigenvalues.

    Returns
    -------
    Tensor, shape (..., n, n)
        Symmetric. Distances between logarithms are the log-Euclidean ones between the matrices
        (Arsigny et al. 2007, SIAM J. Matrix Anal. Appl. 29:328, section 3).

    Examples
    --------
    >>> log_matrix(torch.diag(torch.tensor([1.0, torch.e]))).round(decimals=4)
    tensor([[0., 0.],
            [0., 1.]])
    """
    values, vectors = torch.linalg.eigh(matrix)
    return (vectors * values.clamp_min(1e-12).log()[..., None, :]) @ vectors.mT


class StateFeatures(nn.Module):
    """Standardised features of windows, and what standardises them.

    First, for each channel, the logarithm of the power in narrow bands less its mean over
    bands: the shape of a spectrum. Then, for each of a few bands, the logarithm of the
    covariance matrix of the channels, scaled to a mean power of one and unfolded so that
    lengths stay: how channels go together. Neither depends on the gain. Each value is
    standardised, and each of the two blocks weighs the same in all.

    Parameters
    ----------
    config : StateSubspaceConfig
        Settings of the model.

    Examples
    --------
    >>> config = StateSubspaceConfig(("C3", "C4"), sampling_rate=100, window=2)
    >>> StateFeatures(config)(1e-5 * torch.randn(5, 200, 2)).shape
    torch.Size([5, 51])
    """

    mean: Tensor
    scale: Tensor
    taper: Tensor

    def __init__(self, config: StateSubspaceConfig) -> None:
        super().__init__()
        self.config = config
        self.microvolts = 1e6 * (voltage_factor(config.units) or 1.0)
        size = sum(config.block_sizes)
        self.register_buffer("mean", torch.zeros(size))
        self.register_buffer("scale", torch.ones(size))
        taper = scipy.signal.windows.tukey(config.n_samples, TAPER).astype(np.float32)
        self.register_buffer("taper", torch.from_numpy(taper), persistent=False)

    def forward(self, x: Tensor) -> Tensor:
        """Turn windows into standardised features.

        Parameters
        ----------
        x : Tensor, shape (window, time, channel)
            In the unit of the configuration.

        Returns
        -------
        Tensor, shape (window, feature)
            The spectra, then the covariances.
        """
        return (self.plain(x) - self.mean) * self.scale

    def plain(self, x: Tensor) -> Tensor:
        """Turn windows into features as they are.

        Parameters
        ----------
        x : Tensor, shape (window, time, channel)
            In the unit of the configuration.

        Returns
        -------
        Tensor, shape (window, feature)
            The spectra, then the covariances.
        """
        config = self.config
        signal = (x.float() - x.float().mean(dim=1, keepdim=True)) * self.microvolts
        density = 2 / (config.sampling_rate * self.taper.square().sum())
        spectrum = torch.fft.rfft(signal * self.taper[:, None], dim=1) * density.sqrt()
        power = (self._by_band(spectrum.abs().square(), config.fine_bands) + FLOOR).log()
        shape = power - power.mean(dim=1, keepdim=True)
        return torch.cat([shape.flatten(1), self._covariances(spectrum)], dim=1)

    @torch.no_grad()
    def standardise(self, plain: Tensor) -> None:
        """Take mean and spread of the training windows.

        Parameters
        ----------
        plain : Tensor, shape (window, feature)
            From :meth:`plain`.
        """
        sizes = torch.tensor(self.config.block_sizes, device=plain.device)
        weight = sizes.float().rsqrt().repeat_interleave(sizes)
        self.mean.copy_(plain.mean(dim=0))
        self.scale.copy_(weight / plain.std(dim=0).clamp_min(1e-6))

    def _by_band(self, values: Tensor, edges: tuple[float, ...]) -> Tensor:
        """Average (window, frequency, channel) over bands."""
        return torch.stack([values[:, band].mean(dim=1) for band in self._bands(edges)], dim=1)

    def _bands(self, edges: tuple[float, ...]) -> list[slice]:
        """Return which frequencies lie between each two borders, the upper one excluded."""
        step = self.config.sampling_rate / self.config.n_samples
        first = [int(np.ceil(round(hz / step, 6))) for hz in edges]
        return [slice(a, b) for a, b in pairwise(first)]

    def _covariances(self, spectrum: Tensor) -> Tensor:
        n = spectrum.shape[2]
        parts = torch.view_as_real(spectrum)
        row, column = torch.triu_indices(n, n, device=spectrum.device)
        # Off the diagonal each value stands for two, and a length must not change.
        twice = torch.where(row == column, 1.0, 2**0.5)
        out = []
        eye = torch.eye(n, device=spectrum.device)
        centred = eye - 1 / n if self.config.average_reference else eye
        for band in self._bands(self.config.bands):
            part = parts[:, band].movedim(-1, 1).flatten(1, 2) @ centred
            matrix = part.mT @ part / (band.stop - band.start)
            power = matrix.diagonal(dim1=1, dim2=2).mean(dim=1) + FLOOR
            matrix = matrix / power[:, None, None] + self.config.ridge * eye
            out.append(log_matrix(matrix)[:, row, column] * twice)
        return torch.cat(out, dim=1)
