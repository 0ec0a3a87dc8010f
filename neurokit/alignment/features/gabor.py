"""Energy of Gabor filters: what is expected of complex cells in primary visual cortex."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from neurokit import arguments
from neurokit.errors import DataError

__all__ = ["FREQUENCIES", "GaborPyramid"]

#: Cycles per image of the filters of Kay et al. 2008.
FREQUENCIES = (1, 2, 4, 8, 16, 32)
# Red, green and blue to lightness (ITU-R BT.601).
_LUMA = (0.299, 0.587, 0.114)
# Spatial s.d. in cycles of a filter whose response halves one octave apart.
_CYCLES = math.sqrt(math.log(2) / 2) / math.pi * (2 + 1) / (2 - 1)


class GaborPyramid(nn.Module):
    """The pyramid of Kay et al. 2008 (Nature 452:352, supplementary methods).

    A filter of frequency f and orientation t at the place c is
    exp(-|x - c|^2 / (2 s^2)) exp(2 pi i f (cos t, sin t) . (x - c)) with s = .56 / f, of unit
    length, on the image's lightness less its mean. The modulus of the response is the energy of
    its even and odd parts, sqrt(even^2 + odd^2). Filters of f cycles per image lie on f by f
    places. The image's mean lightness is the last feature. With the defaults and 8 orientations
    there are 10,921 features.

    Since the Gaussian is round, each filter is a product of one vector along rows and one along
    columns, so a whole scale takes two small matrix products per orientation.

    Parameters
    ----------
    frequencies : sequence of int
        In cycles per image.
    n_orientations : int
        Equally spaced from 0 (vertical bars) to 180 degrees.

    Raises
    ------
    DataError
        No frequency, or one that is no positive whole number.

    Examples
    --------
    >>> GaborPyramid()(torch.zeros(2, 3, 128, 128)).shape
    torch.Size([2, 10921])
    """

    def __init__(self, frequencies: Sequence[int] = FREQUENCIES, n_orientations: int = 8) -> None:
        super().__init__()
        if not len(frequencies):
            raise DataError("Expected at least one frequency in cycles per image; got none.")
        self.frequencies = [
            arguments.whole("frequency (cycles per image)", f, 1) for f in frequencies
        ]
        self.n_orientations = arguments.whole("n_orientations", n_orientations, 1)

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        """Return the features of a batch.

        Parameters
        ----------
        images : Tensor, shape (images, 3, rows, columns)
            Levels from 0 to 1.

        Returns
        -------
        Tensor, shape (images, features)
            By frequency, orientation, row and column; the mean lightness last.

        Raises
        ------
        DataError
            Images too small for the highest frequency.
        """
        rows, columns = images.shape[-2:]
        if min(rows, columns) < 4 * max(self.frequencies):
            raise DataError(
                f"Filters of {max(self.frequencies)} cycles per image need images of at least "
                f"{4 * max(self.frequencies)} pixels a side; got {rows} by {columns}."
            )
        light = torch.einsum("ncij,c->nij", images, images.new_tensor(_LUMA))
        mean = light.mean((1, 2))
        light = light - mean[:, None, None]
        energies = [self._energy(light, f).flatten(1) for f in self.frequencies]
        return torch.cat([*energies, mean[:, None]], dim=1)

    def coordinates(self) -> dict[str, NDArray]:
        """Say what each feature is.

        Returns
        -------
        dict of str to ndarray, each (features,)
            ``frequency`` in cycles per image, ``orientation`` in degrees, and the place as the
            fractions ``row`` and ``column`` of the image. NaN for the mean lightness, whose
            frequency is 0.
        """
        angles = np.arange(self.n_orientations) * 180.0 / self.n_orientations
        parts = []
        for frequency in self.frequencies:
            places = (np.arange(frequency) + 0.5) / frequency
            grid = np.meshgrid([float(frequency)], angles, places, places, indexing="ij")
            parts.append(np.stack([axis.ravel() for axis in grid]))
        parts.append(np.array([[0.0], [np.nan], [np.nan], [np.nan]]))
        names = ("frequency", "orientation", "row", "column")
        return dict(zip(names, np.concatenate(parts, axis=1), strict=True))

    def _energy(self, light: torch.Tensor, frequency: int) -> torch.Tensor:
        """Return energies (images, orientation, place along rows, place along columns)."""
        angles = math.pi * torch.arange(self.n_orientations, dtype=torch.float64)
        angles = angles / self.n_orientations
        down, across = (
            _waves(size, frequency, parts).to(light.device)
            for size, parts in zip(light.shape[-2:], (angles.sin(), angles.cos()), strict=True)
        )
        half = torch.einsum("nij,toj->ntio", light.to(across.dtype), across)
        return torch.einsum("ntio,tpi->ntpo", half, down).abs()


def _waves(size: int, frequency: int, parts: torch.Tensor) -> torch.Tensor:
    """Return one axis of the filters: (orientation, place, pixel), complex, of unit length."""
    pixels = (torch.arange(size, dtype=torch.float64) + 0.5) / size
    places = (torch.arange(frequency, dtype=torch.float64) + 0.5) / frequency
    away = pixels - places[:, None]
    envelope = torch.exp(-0.5 * (away * frequency / _CYCLES) ** 2)
    envelope = envelope / envelope.norm(dim=1, keepdim=True)
    phase = 2 * math.pi * frequency * parts[:, None, None] * away
    return (envelope * torch.exp(-1j * phase)).to(torch.complex64)
