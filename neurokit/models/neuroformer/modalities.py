"""What is seen beside the spikes, as tokens: samples of variables, and patches of a video."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from neurokit.errors import DataError
from neurokit.models.neuroformer.config import Modality
from neurokit.models.nn import TransformerEncoder, sinusoidal

__all__ = ["FramesEncoder", "VariablesEncoder", "encoder_of"]


class VariablesEncoder(nn.Module):
    """Each sample a token: a linear map of its z-scored variables, and a vector of its time.

    No layer norm is applied to the values: over a single variable it would erase it.

    Parameters
    ----------
    modality : Modality
        Of kind ``"variables"``.
    width : int
        Features of a token.

    Examples
    --------
    >>> speed = Modality("speed", n_samples=30)
    >>> VariablesEncoder(speed, 32)(torch.zeros(2, 30, 1)).shape
    torch.Size([2, 30, 32])
    """

    time: Tensor

    def __init__(self, modality: Modality, width: int) -> None:
        super().__init__()
        self.modality = modality
        self.value = nn.Linear(modality.n_variables, width)
        self.register_buffer("time", sinusoidal(modality.n_samples, width), persistent=False)

    def forward(self, x: Tensor) -> Tensor:
        """Turn samples into tokens.

        Parameters
        ----------
        x : Tensor, shape (window, sample, variable)
            In z-scores.

        Returns
        -------
        Tensor, shape (window, sample, width)
            Tokens.

        Raises
        ------
        DataError
            Windows of another shape.
        """
        _check_shape(x, self.modality)
        return self.value(x) + self.time


class FramesEncoder(nn.Module):
    """Patches of a video as tokens.

    Conv3d patches (kernel = stride) → layer norm → + sinusoidal positions along time, rows and
    columns → self-attention among the patches of one time, so that the cost stays linear in
    the number of frames.

    Parameters
    ----------
    modality : Modality
        Of kind ``"frames"``.
    width : int
        Features of a token.
    n_heads : int
        Of self-attention.
    dropout : float
        In training.

    Examples
    --------
    >>> video = Modality("stimulus", "frames", 6, frame_shape=(10, 12))
    >>> FramesEncoder(video, 32, 4)(torch.zeros(2, 6, 10, 12)).shape
    torch.Size([2, 12, 32])
    """

    place: Tensor
    # As in the released code, where only the weights of linear layers decay.
    undecayed = ("patches.weight",)

    def __init__(self, modality: Modality, width: int, n_heads: int, dropout: float = 0.0) -> None:
        super().__init__()
        self.modality = modality
        colours = (*modality.frame_shape, 1)[2]
        size = (modality.patch[0], modality.patch[1], modality.patch[2])
        self.patches = nn.Conv3d(colours, width, kernel_size=size, stride=size)
        self.norm = nn.LayerNorm(width)
        self.register_buffer("place", _places(modality.grid, width), persistent=False)
        self.encoder = TransformerEncoder(
            modality.encoder_layers, width, n_heads, 4 * width, dropout=dropout
        )

    def forward(self, x: Tensor) -> Tensor:
        """Turn frames into tokens.

        Parameters
        ----------
        x : Tensor, shape (window, frame, row, column) or (window, frame, row, column, colour)
            Frames, standardised.

        Returns
        -------
        Tensor, shape (window, token, width)
            Time after time, row after row.

        Raises
        ------
        DataError
            Windows of another shape.
        """
        _check_shape(x, self.modality)
        video = x.unsqueeze(1) if x.ndim == 4 else x.movedim(-1, 1)
        sizes = zip(video.shape[:1:-1], self.modality.patch[::-1], strict=True)
        video = F.pad(video, [n for size, patch in sizes for n in (0, -size % patch)])
        tokens = self.patches(video).flatten(2).transpose(1, 2)
        tokens = self.norm(tokens) + self.place
        one_time = tokens.unflatten(1, (self.modality.grid[0], -1)).flatten(0, 1)
        return self.encoder(one_time).view(tokens.shape)


def encoder_of(modality: Modality, width: int, n_heads: int, dropout: float) -> nn.Module:
    """Make the encoder of a modality.

    Parameters
    ----------
    modality : Modality
        Which.
    width, n_heads, dropout
        Of the model.

    Returns
    -------
    Module
        From windows to tokens.

    Examples
    --------
    >>> type(encoder_of(Modality("speed"), 32, 4, 0.0)).__name__
    'VariablesEncoder'
    """
    if modality.kind == "variables":
        return VariablesEncoder(modality, width)
    return FramesEncoder(modality, width, n_heads, dropout)


def _places(grid: tuple[int, ...], width: int) -> Tensor:
    """Return sinusoids of the place along each axis, side by side, shape (token, width)."""
    share = width // (2 * len(grid)) * 2
    shares = [width - share * (len(grid) - 1), *[share] * (len(grid) - 1)]
    along = [sinusoidal(n, size) for n, size in zip(grid, shares, strict=True)]
    index = torch.meshgrid(*(torch.arange(n) for n in grid), indexing="ij")
    return torch.cat([c[i.flatten()] for c, i in zip(along, index, strict=True)], dim=-1)


def _check_shape(x: Tensor, modality: Modality) -> None:
    if tuple(x.shape[1:]) != modality.shape:
        raise DataError(
            f"Expected {modality.name} of shape {('window', *modality.shape)}; got "
            f"{tuple(x.shape)}. Cut windows as those of the training data."
        )
