"""Series cut into patches, put together again, and turned into tokens."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from neurokit import arguments
from neurokit.errors import DataError

__all__ = ["PatchEmbedding", "patch_count", "patches", "unpatch"]


def patch_count(n_samples: int, length: int, stride: int | None = None, pad: bool = True) -> int:
    """Count the patches of a series.

    Parameters
    ----------
    n_samples : int
        Samples of the series.
    length : int
        Samples a patch.
    stride : int, optional
        Samples from one patch to the next; by default they tile.
    pad : bool
        Whether the end is padded by one stride.

    Returns
    -------
    int
        floor((n_samples - length) / stride) + 1, and one more with padding (Nie et al. 2023,
        arXiv 2211.14730, section 3.1).

    Raises
    ------
    DataError
        A series shorter than a patch.

    Examples
    --------
    >>> patch_count(640, 64), patch_count(640, 64, pad=False)
    (11, 10)
    """
    size, step = _sizes(length, stride)
    if n_samples < size:
        raise DataError(
            f"A series of {n_samples} samples is shorter than a patch of {size}. Take longer "
            "windows, or shorter patches."
        )
    return (n_samples - size) // step + 1 + bool(pad)


def patches(x: Tensor, length: int, stride: int | None = None, pad: bool = True) -> Tensor:
    """Cut the last axis into patches, which may overlap.

    Parameters
    ----------
    x : Tensor, shape (..., n_samples)
        Series.
    length : int
        Samples a patch.
    stride : int, optional
        Samples from one patch to the next; by default they tile.
    pad : bool
        Whether the last sample is repeated `stride` times, as in PatchTST (Nie et al. 2023,
        arXiv 2211.14730, section 3.1), so that no sample is left out. Without it samples at
        the end that fill no patch are.

    Returns
    -------
    Tensor, shape (..., patch, length)
        As many as :func:`patch_count` says; a view of the memory where nothing is padded.

    Raises
    ------
    DataError
        A series shorter than a patch.

    Examples
    --------
    >>> patches(torch.arange(5), 3, 2)
    tensor([[0, 1, 2],
            [2, 3, 4],
            [4, 4, 4]])
    >>> patches(torch.arange(5), 2, pad=False)
    tensor([[0, 1],
            [2, 3]])
    """
    size, step = _sizes(length, stride)
    patch_count(x.shape[-1], size, step, pad)
    if pad:
        x = torch.cat([x, x[..., -1:].expand(*x.shape[:-1], step)], dim=-1)
    return x.unfold(-1, size, step)


def unpatch(x: Tensor, stride: int | None = None, n_samples: int | None = None) -> Tensor:
    """Put patches together to a series; where they overlap it is their mean.

    Parameters
    ----------
    x : Tensor, shape (..., patch, length)
        Patches.
    stride : int, optional
        Samples from one patch to the next; by default they tile.
    n_samples : int, optional
        Samples of the series that was cut; what patches have beyond is padding. By default
        all that the patches have.

    Returns
    -------
    Tensor, shape (..., n_samples)
        The inverse of :func:`patches`.

    Raises
    ------
    DataError
        Patches that leave gaps, or reach less far than `n_samples`.

    Examples
    --------
    >>> series = torch.arange(7.0)
    >>> unpatch(patches(series, 4, 2), 2, n_samples=7)
    tensor([0., 1., 2., 3., 4., 5., 6.])
    """
    *outer, count, length = x.shape
    size, step = _sizes(length, stride)
    reach = (count - 1) * step + size
    wanted = reach if n_samples is None else arguments.whole("n_samples", n_samples, least=1)
    if step > size or wanted > reach:
        raise DataError(
            f"{count} patches of {size} samples at a stride of {step} do not cover "
            f"{wanted} samples. Cut with stride <= length, and pad=True."
        )
    if step == size:
        return x.reshape(*outer, reach)[..., :wanted]
    columns = x.reshape(-1, count, size).transpose(1, 2)
    total = F.fold(columns, (1, reach), (1, size), stride=(1, step)).view(-1, reach)
    often = F.fold(torch.ones_like(columns[:1]), (1, reach), (1, size), stride=(1, step))
    return (total / often.view(reach)).view(*outer, reach)[..., :wanted]


class PatchEmbedding(nn.Module):
    """Tokens from patches of a series, by one linear map.

    Parameters
    ----------
    length : int
        Samples a patch.
    width : int
        Features of a token.
    stride : int, optional
        Samples from one patch to the next; by default they tile.
    pad : bool
        As in :func:`patches`.

    Examples
    --------
    >>> PatchEmbedding(64, 128)(torch.zeros(2, 19, 640)).shape
    torch.Size([2, 19, 11, 128])
    """

    def __init__(
        self, length: int, width: int, stride: int | None = None, pad: bool = True
    ) -> None:
        super().__init__()
        self.length, self.stride = _sizes(length, stride)
        self.pad = pad
        self.linear = nn.Linear(self.length, width)

    def forward(self, x: Tensor) -> Tensor:
        """Turn series into tokens.

        Parameters
        ----------
        x : Tensor, shape (..., n_samples)
            Series.

        Returns
        -------
        Tensor, shape (..., patch, width)
            Tokens.

        Raises
        ------
        DataError
            A series shorter than a patch.
        """
        return self.linear(patches(x, self.length, self.stride, self.pad))


def _sizes(length: int, stride: int | None) -> tuple[int, int]:
    """Return the length of a patch and the stride, checked."""
    size = arguments.whole("length (samples)", length, least=1)
    step = size if stride is None else arguments.whole("stride (samples)", stride, least=1)
    return size, step
