"""Films as latents of a frozen encoder."""

from __future__ import annotations

import numpy as np
import torch
import xarray as xr
from numpy.typing import ArrayLike
from torch import Tensor, nn

from neurokit import arguments
from neurokit.errors import DataError

__all__ = ["encode_frames"]


@torch.no_grad()
def encode_frames(
    encoder: nn.Module, frames: ArrayLike | xr.DataArray, *, batch_size: int = 256
) -> Tensor:
    """Pass every frame of every film through an encoder that is not trained here.

    Parameters
    ----------
    encoder : Module
        Takes (batch, channel, row, column) in single precision from 0 to 1, on its own
        device; what it gives is flattened. It is used in evaluation mode.
    frames : array-like of uint8, shape (trial, time, row, column[, rgb])
        Films. Without colours, the one channel is grey.
    batch_size : int
        Frames at a time.

    Returns
    -------
    Tensor, shape (trial, time, latent)
        In single precision, on the CPU.

    Raises
    ------
    DataError
        Frames of another type or shape.

    Examples
    --------
    >>> encoder = nn.AvgPool2d(8)
    >>> encode_frames(encoder, np.zeros((2, 5, 32, 32), dtype=np.uint8)).shape
    torch.Size([2, 5, 16])
    """
    films = np.asarray(frames)
    if films.dtype != np.uint8 or films.ndim not in (4, 5) or not films.size:
        raise DataError(
            "Expected frames of uint8 and shape (trial, time, row, column) or (…, rgb); got "
            f"{films.dtype} of shape {films.shape}."
        )
    step = arguments.whole("batch_size", batch_size, least=1)
    flat = films.reshape(-1, *films.shape[2:])
    flat = flat[:, None] if films.ndim == 4 else np.moveaxis(flat, -1, 1)
    place = next((p.device for p in encoder.parameters()), torch.device("cpu"))
    was_training = encoder.training
    encoder.eval()
    parts = []
    for first in range(0, len(flat), step):
        batch = torch.from_numpy(np.ascontiguousarray(flat[first : first + step]))
        parts.append(encoder(batch.to(place).float() / 255).flatten(1).float().cpu())
    encoder.train(was_training)
    return torch.cat(parts).view(*films.shape[:2], -1)
