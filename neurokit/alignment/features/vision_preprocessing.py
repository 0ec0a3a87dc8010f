"""From images to the numbers that a network was trained on: size, scale, mean and spread."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import torch
import torch.nn.functional as functional

from neurokit import arguments
from neurokit.alignment.features.vision_images import Image
from neurokit.errors import DataError

__all__ = ["CENTRED", "IMAGENET", "UNSCALED", "Preprocessing"]

Triple = tuple[float, float, float]


@dataclass(frozen=True)
class Preprocessing:
    """What is done to images before a network sees them.

    Levels are divided by 255, then each channel has its mean subtracted and is divided by its
    standard deviation.

    Parameters
    ----------
    size : int, (int, int) or None
        Rows and columns that the network takes; None leaves images as large as they are.
    resize : int, optional
        Scale the shorter side to this many pixels and cut ``size`` out of the middle, as is
        the custom for photographs. By default the whole image is scaled to ``size``, so that
        the network sees all that the brain saw.
    mean, std : (float, float, float)
        Of red, green and blue, on the scale from 0 to 1.
    interpolation : {"bilinear", "bicubic", "nearest"}
        How images are scaled; smoothed first where they shrink, as PIL does.

    Raises
    ------
    DataError
        Sizes that are no positive whole numbers, a crop larger than the image, a spread that
        is not positive, or another interpolation.

    Examples
    --------
    >>> Preprocessing(size=8)([np.zeros((4, 6, 3), np.uint8)]).shape
    torch.Size([1, 3, 8, 8])
    """

    size: int | tuple[int, int] | None = 224
    resize: int | None = None
    mean: Triple = (0.485, 0.456, 0.406)
    std: Triple = (0.229, 0.224, 0.225)
    interpolation: Literal["bilinear", "bicubic", "nearest"] = "bilinear"

    def __post_init__(self) -> None:
        arguments.known("interpolation", self.interpolation, ("bilinear", "bicubic", "nearest"))
        for side in self._shape() or ():
            arguments.whole("size (pixels)", side, 1)
        if len(self.mean) != 3 or len(self.std) != 3:
            raise DataError(
                f"Expected a mean and a std for red, green and blue; got {self.mean}, {self.std}."
            )
        for spread in self.std:
            arguments.positive("std", spread)
        if self.resize is not None and self.resize < max(self._shape() or (self.resize + 1,)):
            raise DataError(
                f"Cannot cut {self.size} pixels out of images whose shorter side is scaled to "
                f"{self.resize}. Give a larger resize, or none to use the whole image."
            )

    def __call__(self, images: Sequence[Image]) -> torch.Tensor:
        """Turn images into a batch.

        Parameters
        ----------
        images : sequence of ndarray, each (rows, columns, 3)
            uint8.

        Returns
        -------
        Tensor, shape (images, 3, rows, columns)
            float32.

        Raises
        ------
        DataError
            Images of different sizes, where no size is given.
        """
        sizes = sorted({image.shape[:2] for image in images})
        if self.size is None and len(sizes) > 1:
            raise DataError(
                f"Expected images of one size; got {len(sizes)}, such as {sizes[0]} and "
                f"{sizes[-1]}. Give preprocessing=Preprocessing(size=…)."
            )
        if len(sizes) == 1:  # one call for all of them is much faster
            batch = self._scaled(np.stack(images))
        else:
            batch = torch.cat([self._scaled(image[None]) for image in images])
        mean, std = (torch.tensor(v)[:, None, None] for v in (self.mean, self.std))
        return (batch / 255 - mean) / std

    def _shape(self) -> tuple[int, int] | None:
        """Return rows and columns."""
        return (self.size, self.size) if isinstance(self.size, int) else self.size

    def _scaled(self, images: np.ndarray) -> torch.Tensor:
        """Scale images of one size, and cut out the middle where that is asked for."""
        batch = torch.from_numpy(np.ascontiguousarray(images)).permute(0, 3, 1, 2).float()
        shape = self._shape()
        if shape is None:
            return batch
        if self.resize is None:
            return self._interpolated(batch, shape)
        rows, columns = batch.shape[-2:]
        factor = self.resize / min(rows, columns)
        whole = (max(self.resize, int(rows * factor)), max(self.resize, int(columns * factor)))
        batch = self._interpolated(batch, whole)
        top, left = (round((have - want) / 2) for have, want in zip(whole, shape, strict=True))
        return batch[..., top : top + shape[0], left : left + shape[1]]

    def _interpolated(self, batch: torch.Tensor, shape: tuple[int, int]) -> torch.Tensor:
        """Scale to rows and columns; bicubic overshoots, so levels are kept in their range."""
        if batch.shape[-2:] == shape:
            return batch
        if self.interpolation == "nearest":
            return functional.interpolate(batch, size=shape, mode="nearest-exact")
        return functional.interpolate(
            batch, size=shape, mode=self.interpolation, antialias=True, align_corners=False
        ).clamp(0, 255)


#: What networks trained on ImageNet expect, whole image on 224 by 224 pixels.
IMAGENET = Preprocessing()
#: What EfficientNet-Lite expects: levels from about -1 to 1, (level - 127) / 128.
CENTRED = Preprocessing(mean=(127 / 255,) * 3, std=(128 / 255,) * 3)
#: Levels from 0 to 1, at the size that images have.
UNSCALED = Preprocessing(size=None, mean=(0.0,) * 3, std=(1.0,) * 3)
