"""From samples to tokens and back: the two stacks of convolutions of Du-IN."""

from __future__ import annotations

import itertools
from typing import cast

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from neurokit.models.duin.config import DuINConfig

__all__ = ["PatchTokenizer", "WaveformDecoder"]


class PatchTokenizer(nn.Module):
    """Turn each patch of samples into a token, by convolutions that do not leave the patch.

    Convolutions with batch norm and no non-linearity between (Zheng et al. 2024, arXiv
    2405.11459, and the authors' code): what mixes patches is the transformer alone.

    Parameters
    ----------
    config : DuINConfig
        Settings.

    Examples
    --------
    >>> PatchTokenizer(DuINConfig())(torch.zeros(2, 16, 400)).shape
    torch.Size([2, 4, 160])
    """

    def __init__(self, config: DuINConfig) -> None:
        super().__init__()
        self.patch = config.patch
        layers: list[nn.Module] = []
        widths = itertools.pairwise((config.spatial_width, *config.filters))
        for (n_in, n_out), kernel, stride in zip(
            widths, config.kernels, config.strides, strict=True
        ):
            layers.append(_PatchConvolution(n_in, n_out, kernel, stride))
            layers.append(nn.BatchNorm2d(n_out))
        self.layers = nn.Sequential(*layers)

    def forward(self, x: Tensor, spatial: tuple[Tensor, Tensor] | None = None) -> Tensor:
        """Cut windows into patches, and each into a token.

        Parameters
        ----------
        x : Tensor, shape (window, virtual channel, time)
            The time is a whole number of patches.
        spatial : tuple of Tensor, shapes (virtual channel, channel) and (virtual channel,)
            Weight and bias of a linear map to virtual channels that has not been applied:
            ``x`` has the channels before it.

        Returns
        -------
        Tensor, shape (window, token, feature)
            One token a patch.
        """
        first = cast(_PatchConvolution, self.layers[0])
        weight = first.weight
        # Convolutions and batch norms are fastest on the CPU where features lie side by side.
        cut = x.transpose(1, 2)
        if spatial is not None:
            # Two linear maps in a row are one, with the bias as that of a channel of ones.
            cut = F.pad(cut, (0, 1), value=1.0)
            weight = torch.einsum("ovk,vc->ock", weight, torch.column_stack(spatial))
        # Patches are folded into the batch, so that zeros pad each one and nothing leaks over.
        cut = cut.reshape(-1, 1, self.patch, cut.shape[2]).permute(0, 3, 1, 2)
        tokens = self.layers[1:](first(cut, weight))
        return tokens.reshape(x.shape[0], x.shape[2] // self.patch, -1)


class _PatchConvolution(nn.Conv1d):
    """A convolution over patches (patch, feature, 1, time), features side by side in memory."""

    def __init__(self, n_in: int, n_out: int, kernel: int, stride: int) -> None:
        super().__init__(n_in, n_out, kernel, stride, kernel // 2)

    def forward(self, x: Tensor, weight: Tensor | None = None) -> Tensor:
        weight = self.weight if weight is None else weight
        padding = (0, self.kernel_size[0] // 2)
        return F.conv2d(x, weight[:, :, None], self.bias, (1, self.stride[0]), padding)


class WaveformDecoder(nn.Module):
    """Turn tokens back into samples, by transposed convolutions.

    A layer of kernel k and stride s lengthens its input exactly s times: it is padded by
    (k - s + o) / 2 with o = (k - s) mod 2 more samples at the end. In the paper's stack
    paddings are 1, 1, 0, 4, 5 and the last layer has one sample more, so that a token becomes
    10 and then 100 samples. There is no non-linearity between layers, as in the authors' code.

    Parameters
    ----------
    config : DuINConfig
        Settings.

    Examples
    --------
    >>> WaveformDecoder(DuINConfig())(torch.zeros(2, 4, 160)).shape
    torch.Size([2, 16, 400])
    """

    def __init__(self, config: DuINConfig) -> None:
        super().__init__()
        widths = itertools.pairwise((config.width, *config.decoder_filters))
        sizes = zip(config.decoder_kernels, config.decoder_strides, strict=True)
        self.layers = nn.Sequential(
            *(_lengthen(*width, *size) for width, size in zip(widths, sizes, strict=True))
        )

    def forward(self, tokens: Tensor) -> Tensor:
        """Decode tokens.

        Parameters
        ----------
        tokens : Tensor, shape (window, token, feature)
            Of the decoder's transformer.

        Returns
        -------
        Tensor, shape (window, virtual channel, time)
            As many samples a token as a patch has.
        """
        x, layers = tokens.transpose(1, 2), list(self.layers)
        while layers:
            layer, then = layers.pop(0), layers[0] if layers else None
            if isinstance(layer, nn.ConvTranspose1d) and isinstance(then, nn.Conv1d):
                x = _lengthen_and_convolve(layer, then, x)
                layers.pop(0)
            else:
                x = layer(x)
        return x


def _lengthen(n_in: int, n_out: int, kernel: int, stride: int) -> nn.Module:
    """Make a layer that lengthens its input ``stride`` times."""
    if stride == 1:
        # With stride 1 a transposed convolution is a convolution, which is the faster of the two.
        return nn.Conv1d(n_in, n_out, kernel, padding=kernel // 2)
    more = stride - kernel if kernel < stride else (kernel - stride) % 2
    padding = (kernel - stride + more) // 2
    return nn.ConvTranspose1d(n_in, n_out, kernel, stride, padding, output_padding=more)


def _lengthen_and_convolve(layer: nn.ConvTranspose1d, then: nn.Conv1d, x: Tensor) -> Tensor:
    """Apply two layers, as one without the samples in between where that is the same.

    The convolution would otherwise run over ``stride`` times as many samples as there are
    tokens: in the paper's decoder two thirds of all its products.
    """
    assert layer.bias is not None
    if any((*layer.padding, *layer.output_padding)):
        # Samples beyond the ends are cut off; in one layer they would reach back.
        return then(layer(x))
    weight = F.conv_transpose1d(layer.weight, then.weight.transpose(0, 1).flip(2))
    out = F.conv_transpose1d(x, weight, stride=layer.stride, padding=then.kernel_size[0] // 2)
    # What the first layer's bias becomes is less at the ends, where the second sees zeros.
    return out + then(layer.bias[None, :, None].expand(-1, -1, out.shape[2]))
